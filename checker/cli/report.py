"""`liangku report`: a run for people: workbooks, a page, a sample."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from checker.cli.options import Day, json_option, language_option
from checker.cli.output import print_json, say
from checker.cli.runs import opened
from checker.model.errors import InputError, both
from checker.model.out_folder import OutFolder
from checker.model.version import __version__

if TYPE_CHECKING:
    from checker.audit.run_folder import RunFolder
    from checker.report.workbook.book import Wanted

NO_LIBRARY = both(
    "写工作簿需要附加组件，请运行 pip install 'liangku[reports]'", "workbooks need an extra: install liangku[reports]"
)


@click.command("report")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--xlsx", type=click.Path(path_type=Path, dir_okay=False), help="写一个工作簿（write a workbook）")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="写一个网页，单个文件，不联网（write a page: one file that asks nobody for anything）",
)
@click.option(
    "--by",
    type=click.Choice(["institution"]),
    help="每家机构一个工作簿，写入 --out（one workbook for each institution, into --out）",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="--by 的文件夹，应为空或不存在（folder for --by）"
)
@click.option("--force", is_flag=True, help="覆盖 --out 中上一次的结果（replace the last results in --out）")
@click.option(
    "--deadline-days",
    type=click.IntRange(1, 250),
    default=10,
    show_default=True,
    help="申诉期限，工作日（working days to answer）",
)
@click.option(
    "--from", "start", type=Day(), help="期限从哪天起算，默认今天（the day from which they count; default: today）"
)
@click.option(
    "--sample",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="随机抽取 N 个待核实疑点写入 --xlsx（a random sample of N findings）",
)
@click.option(
    "--stratum",
    type=click.Choice(["rule", "institution"]),
    default="rule",
    show_default=True,
    help="抽样按什么分层（strata of the sample）",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    help="随机种子；不写则随机取一个并说明（seed; drawn and told without it）",
)
@click.option(
    "--show-identities", is_flag=True, help="显示人员编号，方法页会写明（show patient ids; the method sheet says so）"
)
@click.option(
    "--min-cell",
    type=click.IntRange(0, 1000),
    default=0,
    show_default=True,
    metavar="N",
    help="人数少于 N 的分组不显示计数（hide counts of fewer persons）",
)
@json_option
@language_option
def command(
    folder: Path, xlsx: Path | None, page: Path | None, by: str | None, out: Path | None, force: bool, deadline_days: int, start: date | None,
    sample: int | None, stratum: str, seed: int | None, show_identities: bool, min_cell: int, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """一次扫描的报告：工作簿、网页，或每家机构一份。

    DIR 是 liangku scan --out 的文件夹。默认不含人员编号：人员以代码、性别、年龄表示。

    \b
    例 Examples:
      liangku report out --xlsx 报告.xlsx --html 报告.html
      liangku report out --by institution --out 各机构
      liangku report out --sample 200 --xlsx 抽样.xlsx
    """

    if not xlsx and not by and not page:
        raise click.UsageError(
            both("请写 --xlsx 文件、--html 文件或 --by institution", "say --xlsx FILE, --html FILE or --by institution")
        )
    if bool(by) != bool(out):
        raise click.UsageError(both("--by 和 --out 要一起写", "--by and --out go together"))
    if sample and not xlsx:
        raise click.UsageError(both("--sample 要写入 --xlsx 文件", "--sample needs --xlsx FILE"))
    for option, file, ending in (("--xlsx", xlsx, ".xlsx"), ("--html", page, ".html")):
        if file:
            _refuse_place(option, file, ending)
    run = opened(folder)
    for option, place in (("--xlsx", xlsx), ("--html", page), ("--out", out)):
        if place:
            run.refuse_inside(place, option)
    asked = _Asked(run, lang, show_identities, min_cell)
    told: dict[str, object] = {"folder": str(folder)}
    said: list[str] = []
    if xlsx and sample:
        asked.draw(xlsx, sample, stratum, seed, told, said)
    elif xlsx:
        asked.write_workbook(xlsx, told, said)
    if page:
        asked.write_page(page, told, said)
    if by and out:
        asked.write_institutions(out, start or date.today(), deadline_days, told, said, force=force)
    if as_json:
        print_json(told)
    else:
        for line in said:
            say(line)
    return 0


def _refuse_place(option: str, file: Path, ending: str) -> None:
    """Refuse a file that is called otherwise, or lies in no folder; what is there already under another ending is not ours."""
    if file.suffix.lower() != ending:
        raise InputError(
            f"{option} {file}：" + both(f"文件名请以 {ending} 结尾", f"let the name of the file end in {ending}")
        )
    if not file.absolute().parent.is_dir():
        raise InputError(
            f"{option} {file}："
            + both("文件夹不存在，请先建好或换一个位置", "there is no such folder: make it, or choose another place")
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A report of a run as it is asked for; what is done is told as data (`told`) and in words (`said`)."""

    run: RunFolder
    language: str
    identities: bool
    least_cell: int

    def _words(self, chinese: str, english: str) -> str:
        return english if self.language == "en" else chinese

    def draw(
        self, file: Path, count: int, stratum: str, seed: int | None, told: dict[str, object], said: list[str]
    ) -> None:
        """Write a sample."""
        from checker.audit.tables import sample_table

        book = _books()
        drawn = seed if seed is not None else secrets.randbelow(2**31)
        table = sample_table(count, drawn, stratum, language=self.language, identities=self.identities)
        rows = book.write_one_table(self.run, file, table, self._wanted(book))
        told["sample"] = {"file": str(file), "findings": rows, "seed": drawn, "stratum": stratum}
        said.append(
            self._words(f"{file}：抽取 {rows:,} 个疑点，随机种子 {drawn}", f"{file}: {rows:,} findings, seed {drawn}")
        )

    def write_workbook(self, file: Path, told: dict[str, object], said: list[str]) -> None:
        """Write the workbook of the run."""
        book = _books()
        rows = book.write_report(self.run, file, self._wanted(book))
        told["xlsx"] = {"file": str(file), "rows": rows}
        violations, undetermined, exempt, clusters = (
            rows[name] for name in ("findings", "undetermined", "exempt", "clusters")
        )
        said.append(
            self._words(
                f"{file}：违规疑点 {violations:,} 个，无法判断 {undetermined:,} 个，豁免 {exempt:,} 个，聚集 {clusters:,} 组",
                f"{file}: {violations:,} violations, {undetermined:,} undetermined, {exempt:,} exempt, {clusters:,} clusters",
            )
        )

    def write_page(self, file: Path, told: dict[str, object], said: list[str]) -> None:
        """Write the page of the run."""
        from checker.report.page.page import write_page

        held = write_page(
            self.run, file, language=self.language, identities=self.identities, least_cell=self.least_cell
        )
        undetermined = held.of - held.violations
        told["html"] = {
            "file": str(file), "findings": held.held, "of": held.of, "violations": held.violations, "undetermined": undetermined,
        }  # fmt: skip
        said.append(
            self._words(
                f"{file}：页内有 {held.held:,} 个疑点，共 {held.of:,} 个（违规 {held.violations:,} 个，无法判断 {undetermined:,} 个）",
                f"{file}: {held.held:,} of {held.of:,} findings ({held.violations:,} violations, {undetermined:,} undetermined)",
            )
        )

    def write_institutions(
        self, folder: Path, start: date, days: int, told: dict[str, object], said: list[str], *, force: bool
    ) -> None:
        """Write a workbook for each institution."""
        from checker.audit.deadline import deadline

        book = _books()
        day, known = deadline(start, days)
        with OutFolder(folder, force=force) as place:
            written = book.write_institutions(self.run, place.result, self._wanted(book), (day, known))
            document = {
                "folder": str(folder),
                "deadline": day.isoformat(),
                "holidays_known": known,
                "workbooks": written,
            }
            place.commit({"liangku": __version__, "run": self.run.folder.resolve().name, **document})
        told["institutions"] = document
        said.append(
            self._words(
                f"{folder}：{len(written):,} 家机构各一份，申诉截止 {day}",
                f"{folder}: {len(written):,} workbooks, answers until {day}",
            )
        )
        if not known:
            said.append(
                self._words(
                    "截止日之前的法定节假日尚未全部公布，只扣除了周末",
                    "not all public holidays until then are announced",
                )
            )

    def _wanted(self, book: ModuleType) -> Wanted:
        wanted: Wanted = book.Wanted(self.language, self.identities, self.least_cell)
        return wanted


def _books() -> ModuleType:
    """What writes workbooks. Raises InputError where its library is not installed."""
    try:
        from checker.report.workbook import book
    except ImportError as error:
        raise InputError(NO_LIBRARY) from error
    return book
