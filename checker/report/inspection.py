"""A look at inputs on the terminal: what was recognised, what is missing, and what to type next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from checker.ingest.database.query import Query
from checker.ingest.gather import paths_of
from checker.model.errors import halves
from checker.model.words import NOT_READ, REJECTS, ROLE_NAMES, SKIPS, Said
from checker.report.console import Words, rough, safe, shell_word, wide_console
from checker.report.inspected_tables import FILES_NAMED, TablePrinter
from checker.scan.inspection import Inspection
from checker.scan.request import MAX_REJECTS, ScanRequest

GAPS_NAMED = 20
"""So many reasons of an incomplete result are shown."""


def print_inspection(found: Inspection, request: ScanRequest, saved: Path | None) -> None:
    """Print what a look at inputs showed."""
    _Printer(found, request, saved, wide_console()).run()


class _Printer(Words):
    def __init__(self, found: Inspection, request: ScanRequest, saved: Path | None, console: Console) -> None:
        super().__init__(console, request.language)
        self._found = found
        self._request = request
        self._saved = saved

    def run(self) -> None:
        tables = TablePrinter(self._found, self.console, self._request.language)
        for table in self._found.tables:
            tables.print(table)
        self._passed()
        self._counts()
        self._gaps()
        self._missing()
        self._conclude()

    def _passed(self) -> None:
        grouped: dict[str, list[str]] = {}
        for _, each in self._found.passed:
            if not each.may_be_data:
                grouped.setdefault(each.reason, []).append(str(each.path))
        for reason, paths in grouped.items():
            more = len(paths) - FILES_NAMED
            shown = safe(self.listed(paths[:FILES_NAMED]))
            zh, en = NOT_READ[reason]
            self.say(
                f"不读 {len(paths):,} 个（{zh}）：{shown}{' 等' if more > 0 else ''}",
                f"{len(paths):,} not read ({en}): {shown}{f' and {more:,} more' if more > 0 else ''}",
            )
        for role, count in self._found.unopened.items():
            self.say(
                f"{ROLE_NAMES[role][0]}另有 {count:,} 个文件这次没有打开，扫描时都会读",
                f"{count:,} more files of {ROLE_NAMES[role][1]} were not opened here; a scan reads them all",
            )

    def _counts(self) -> None:
        counts = self._found.counts
        if counts is None:
            return
        census, persons = counts.census, counts.persons["lines"]
        skipped, rejected = sum(census.skipped.values()), sum(census.rejected.values())
        whole = self._found.is_whole
        self.say(
            f"{'全部' if whole else '看过的'} [bold]{census.read:,}[/] 行 = 判断 {census.judged:,} + 跳过 {skipped:,}{self._parts(census.skipped, SKIPS)}"
            f" + 无法读取 {rejected:,}{self._parts(census.rejected, REJECTS)}",
            f"{'All' if whole else 'Of the rows looked at,'} [bold]{census.read:,}[/] lines = {census.judged:,} judged"
            f" + {skipped:,} skipped{self._parts(census.skipped, SKIPS)} + {rejected:,} rejected{self._parts(census.rejected, REJECTS)}",
        )
        national = census.codes["national"] + census.codes["service_system_not_covered"]
        mapped = self._mapped(census.codes["crosswalk"])
        self.say(
            f"其中有国家医保编码 {national:,} 行{mapped[0]}（受规则限制的项目 {counts.restricted:,} 行），"
            f"知道性别 {persons.with_sex:,} 行，知道出生日期或年龄 {persons.with_birth:,} 行",
            f"{national:,} have a national code{mapped[1]} ({counts.restricted:,} of items that rules restrict), "
            f"{persons.with_sex:,} a known sex, {persons.with_birth:,} a birth date or age",
        )
        if persons.found is not None:
            self.say(
                f"能对上结算或就诊记录的 {persons.found:,} 行", f"{persons.found:,} find their settlement or visit"
            )
        for role, each in counts.persons.items():
            if role != "lines" and persons.found is None:
                self.say(
                    f"{ROLE_NAMES[role][0]}看了开头 {each.rows:,} 行：知道性别 {each.with_sex:,}，知道出生日期或年龄 {each.with_birth:,}；"
                    "能否对上明细要扫描才知道",
                    f"{ROLE_NAMES[role][1]}, the first {each.rows:,} rows: {each.with_sex:,} with sex, {each.with_birth:,} with birth date or age; "
                    "whether lines find them, a scan tells",
                )

    @staticmethod
    def _mapped(lines: int) -> tuple[str, str]:
        """How many lines the crosswalk gives one, in both languages; nothing where there are none."""
        return (f"、由对照表得到 {lines:,} 行", f", {lines:,} get one by the crosswalk") if lines else ("", "")

    def _gaps(self) -> None:
        gaps = self._found.gaps
        if not gaps:
            return
        self.say(
            f"[yellow]扫描结果会不完整，{len(gaps):,} 处（退出码 4），请先改正、移走，或单独处理：[/]",
            "[yellow]The result of a scan would be incomplete (exit code 4) unless this is mended or moved away:[/]",
        )
        for gap in gaps[:GAPS_NAMED]:
            self.console.print(f"  {safe(halves(gap.said)[1] if self.english and gap.why != 'not_read' else gap.said)}")
        if len(gaps) > GAPS_NAMED:
            self.say(f"  其余 {len(gaps) - GAPS_NAMED:,} 处见 --json", f"  {len(gaps) - GAPS_NAMED:,} more: see --json")

    def _missing(self) -> None:
        needed = [each for each in self._found.missing if each.rules]
        # Who cannot scan at all has no ear for what else would be of use.
        others = [each for each in self._found.missing if not each.rules and not self._found.refusals]
        for each in needed:
            self.say(
                f"[yellow]缺{each.name[0]}[/]，{each.without[0]}（{'、'.join(each.rules)}），请给出：",
                f"[yellow]Missing: {each.name[1]}[/], {each.without[1]} ({', '.join(each.rules)}); give:",
            )
            self.console.print(f"    [bold]{safe(self._how(each.how))}[/]")
        if others:
            self.say("没有下面这些也能扫描，有的话可以给出：", "A scan runs without these; give them if there are any:")
        for each in others:
            self.console.print(
                f"  {self.text(f'{each.name[0]}：没有则{each.without[0]}', f'{each.name[1]}: without, {each.without[1]}')}"
            )
            self.console.print(f"    {safe(self._how(each.how))}")

    def _how(self, options: Sequence[str]) -> str:
        """The ways to give something; where a header may be meant for a column, with this header."""
        near = self._suggested()
        ways = [option for option in options if not option.startswith("--map ")]
        columns = [option.removeprefix("--map ").removesuffix("=表头") for option in options if option not in ways]
        named = [f"--map {shell_word(f'{column}={near[column]}')}" for column in columns if column in near]
        ways += named or [f"--map {column}={self.text('表头', 'HEADER')}" for column in columns[:1]]
        return self.text(" 或 ", " or ").join(ways)

    def _conclude(self) -> None:
        for doubt in self._found.doubts:
            self.say(
                f"[yellow]只看了开头，但要留意：[/]{safe(doubt)}",
                f"[yellow]Of the beginning only, but take note:[/] {safe(doubt)}",
            )
        if self._saved:
            self.say(
                f"布局已写入 {safe(str(self._saved))}，可以手工修改",
                f"The layout is in {safe(str(self._saved))}, to be edited by hand",
            )
        if self._found.refusals:
            self._refused()
            return
        estimate = self._found.estimate
        time = self._time(estimate.least, estimate.most)
        # How many more rows a database has is not asked.
        least = not all(each.share for each in self._found.files)
        self.say(
            f"[bold green]可以扫描[/]，{'至少' if least else '约'} {rough(estimate.lines):,} 行，"
            f"估计{'至少' if least else ''} {time}（按文件大小和试读推算，只供参考）：",
            f"[bold green]A scan would run[/]: {'at least' if least else 'about'} {rough(estimate.lines):,} lines, "
            f"an estimated {time}{' at least' if least else ''} (from sizes and this look; no promise):",
        )
        self._command("scan", self._layout_or_maps(), ["--out", self.text("结果", "out")])

    def _refused(self) -> None:
        self.say("[bold red]不能扫描[/]，原因见最后一行。", "[bold red]A scan would refuse[/]; the last line says why.")
        for other in self._found.refusals[1:]:
            self.say(f"  还有：{safe(other)}", f"  Also: {safe(other)}")
        maps = [word for column, header in self._suggested().items() for word in ("--map", f"{column}={header}")]
        sorted_ = self._sorted()
        if maps or sorted_:
            self.say("如果上面的建议对，再看一次：", "If the suggestions above are right, look again:")
            self._command("inspect", self._layout_or_maps(), maps, inputs=sorted_)

    def _sorted(self) -> list[str]:
        """The inputs with the tables of other kinds behind their options; nothing where there are none, or too many to name."""
        lines = [table for table in self._found.tables if table.role == "lines"]
        if len(paths_of(self._request.inputs)) < len(self._request.inputs):
            return []
        others = [("--" + table.rather, path) for table in lines if table.rather for path in table.paths]
        rest = [str(path) for table in lines if not table.rather for path in table.paths]
        if not others or not rest or len(others) + len(rest) > FILES_NAMED * 2:
            return []
        return [*rest, *(word for option, path in others for word in (option, str(path)))]

    def _suggested(self) -> Mapping[str, str]:
        """For each column the first unused header that may be meant for it."""
        named = {each.partition("=")[0].strip() for each in self._request.maps}
        near: dict[str, str] = {}
        for table in self._found.tables:
            for each in table.unused:
                if each.near and each.near.column not in named:
                    near.setdefault(each.near.column, each.header)
        return near

    def _layout_or_maps(self) -> list[str]:
        request = self._request
        layout = self._saved if self._saved and not self._found.refusals else request.layout
        words = ["--layout", str(layout)] if layout else []
        maps = () if layout is self._saved and self._saved else request.maps
        return [*words, *(word for each in maps for word in ("--map", each))]

    def _command(self, name: str, *parts: Sequence[str], inputs: Sequence[str] = ()) -> None:
        request = self._request
        tables = (
            ("--settlements", request.settlements),
            ("--visits", request.visits),
            ("--diagnoses", request.diagnoses),
        )
        given = [word for option, files in tables for file in paths_of(files) for word in (option, str(file))]
        options = [("--query", request.inputs), *((f"{option}-query", files) for option, files in tables)]
        asked = [(option, each) for option, files in options for each in files if isinstance(each, Query)]
        # A command asks one database.
        queries = ["--from", asked[0][1].database.shown] if asked else []
        queries += [word for option, query in asked for word in (option, query.sql)]
        share = request.max_rejects
        rejects = [] if share == MAX_REJECTS else ["--max-rejects", f"{share * 100:.6g}%"]
        rules = [word for folder in request.rules for word in ("--rules", str(folder))] + (
            ["--only-rules"] if request.only_rules else []
        )
        kb = [word for folder in request.kb for word in ("--kb", str(folder))]
        files = inputs or map(str, paths_of(request.inputs))
        words = [*files, *given, *queries, *(word for part in parts for word in part), *rejects, *kb, *rules]
        self.console.print(f"  [bold]liangku {name} {safe(' '.join(map(shell_word, words)))}[/]", soft_wrap=True)

    def _time(self, least: float, most: float) -> str:
        low, high = _seconds(least), _seconds(most)
        if high < 120:
            return self.text(
                f"{low}–{high} 秒" if high > low else f"{high} 秒", f"{low}–{high} s" if high > low else f"{high} s"
            )
        low, high = max(low // 60, 1), -(-high // 60)
        return self.text(f"{low}–{high} 分钟", f"{low}–{high} min")

    def _parts(self, counts: dict[str, int], words: dict[str, Said]) -> str:
        told = [f"{words[kind][self.english]} {count:,}" for kind, count in counts.items() if count]
        return self.text(f"（{'、'.join(told)}）", f" ({', '.join(told)})") if told else ""


def _seconds(value: float) -> int:
    return max(round(value), 1)
