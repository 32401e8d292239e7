"""`liangku report`: a run for people: workbooks, a page, a sample."""

from __future__ import annotations

import secrets
from datetime import date
from pathlib import Path

import click

from checker.cli.options import Day, json_option, language_option
from checker.cli.output import print_json, say
from checker.model.errors import InputError, both

NO_LIBRARY = both(
    "写工作簿需要附加组件，请运行 pip install 'liangku[reports]'", "workbooks need an extra: install liangku[reports]"
)


@click.command("report")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--xlsx", type=click.Path(path_type=Path, dir_okay=False), help="写一个工作簿（write a workbook）")
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
    folder: Path, xlsx: Path | None, by: str | None, out: Path | None, force: bool, deadline_days: int, start: date | None, sample: int | None,
    stratum: str, seed: int | None, show_identities: bool, min_cell: int, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """一次扫描的报告：工作簿，或每家机构一份。

    DIR 是 liangku scan --out 的文件夹。默认不含人员编号：人员以代码、性别、年龄表示。

    \b
    例 Examples:
      liangku report out --xlsx 报告.xlsx
      liangku report out --by institution --out 各机构
      liangku report out --sample 200 --xlsx 抽样.xlsx
    """
    from checker.audit.run_folder import open_run

    if not xlsx and not by:
        raise click.UsageError(both("请写 --xlsx 文件，或 --by institution", "say --xlsx FILE, or --by institution"))
    if bool(by) != bool(out):
        raise click.UsageError(both("--by 和 --out 要一起写", "--by and --out go together"))
    if sample and not xlsx:
        raise click.UsageError(both("--sample 要写入 --xlsx 文件", "--sample needs --xlsx FILE"))
    run = open_run(folder)
    try:
        from checker.report.workbook.book import Wanted, write_institutions, write_one_table, write_report
    except ImportError as error:
        raise InputError(NO_LIBRARY) from error
    wanted = Wanted(lang, show_identities, min_cell)
    told: dict[str, object] = {"folder": str(folder)}
    english = lang == "en"
    if xlsx and sample:
        from checker.audit.tables import sample_table

        drawn = seed if seed is not None else secrets.randbelow(2**31)
        rows = write_one_table(
            run, xlsx, sample_table(sample, drawn, stratum, language=lang, identities=show_identities), wanted
        )
        told["sample"] = {"file": str(xlsx), "findings": rows, "seed": drawn, "stratum": stratum}
        said = (
            f"{xlsx}: {rows:,} findings, seed {drawn}" if english else f"{xlsx}：抽取 {rows:,} 个疑点，随机种子 {drawn}"
        )
    elif xlsx:
        tables = write_report(run, xlsx, wanted)
        told["xlsx"] = {"file": str(xlsx), "rows": tables}
        said = f"{xlsx}: {tables['findings']:,} findings, {tables['clusters']:,} clusters" if english else (
            f"{xlsx}：疑点 {tables['findings']:,} 个，聚集 {tables['clusters']:,} 组"
        )  # fmt: skip
    if xlsx and not as_json:
        say(said)
    if by and out:
        from checker.audit.deadline import deadline
        from checker.model.out_folder import OutFolder
        from checker.model.version import __version__

        until = deadline(start or date.today(), deadline_days)
        with OutFolder(out, force=force) as place:
            written = write_institutions(run, place.result, wanted, until)
            told["institutions"] = {
                "folder": str(out),
                "deadline": until[0].isoformat(),
                "holidays_known": until[1],
                "workbooks": written,
            }
            place.commit(
                {"liangku": __version__, "run": str(folder), "deadline": until[0].isoformat(), "workbooks": written}
            )
        if not as_json:
            say(
                f"{out}: {len(written):,} workbooks, answers until {until[0]}"
                if english
                else f"{out}：{len(written):,} 家机构各一份，申诉截止 {until[0]}"
            )
            if not until[1]:
                say(
                    "not all public holidays until then are announced"
                    if english
                    else "截止日之前的法定节假日尚未全部公布，只扣除了周末"
                )
    if as_json:
        print_json(told)
    return 0
