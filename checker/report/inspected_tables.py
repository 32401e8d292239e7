"""The tables of a look at inputs: how each is written, which header feeds which column, and headers that nothing recognises."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from checker.ingest.opening import ROLES, FileRead
from checker.model.schema import Column
from checker.model.words import ENCODING_NAMES, ESCAPED_QUOTES, ROLE_NAMES, SEPARATOR_NAMES, WHY_FED
from checker.report.console import Words, rough, safe, shell_word
from checker.scan.inspection import ColumnLook, Inspection, TableLook, UnusedLook

FILES_NAMED, UNUSED_NAMED, UNUSED_ROWS = 5, 60, 12
"""So many files, unused headers, and unused headers with values are shown of each table."""
LONGEST_HEADER = 24
"""So many columns of the terminal a header takes at most."""
_OPTIONS = {"lines": "", "settlements": " --settlements", "visits": " --visits", "diagnoses": " --diagnoses"}
_WITH_MEANING = 100
"""From so many columns of a terminal on there is room for the Chinese name of a column."""


class TablePrinter(Words):
    """Prints the tables, one by one."""

    def __init__(self, found: Inspection, console: Console, language: str) -> None:
        super().__init__(console, language)
        self._found = found

    def print(self, table: TableLook) -> None:
        role = ROLE_NAMES[table.role][self.english] + _OPTIONS[table.role]
        more = len(table.paths) - FILES_NAMED
        shown = safe(self.listed(map(str, table.paths[:FILES_NAMED])))
        rest = self.text(f"，等 {len(table.paths):,} 个文件", f" and {more:,} more files") if more > 0 else ""
        self.console.print(f"[bold cyan]{role}[/]  [bold]{shown}[/]{rest}")
        for how, files in self._forms(table).items():
            of_them = (
                self.text(f"（{len(files):,} 个文件）", f" ({len(files):,} files)") if len(table.paths) > 1 else ""
            )
            self.console.print(f"  {safe(how)}{of_them}")
        if table.rather:
            name, option = ROLE_NAMES[table.rather], _OPTIONS[table.rather].strip()
            self.say(
                f"  [yellow]没有项目编码，像是{name[0]}[/]：请不要放在 INPUT 里，用 [bold]{option}[/] 给出",
                f"  [yellow]There is no item code; this looks like {name[1]}[/]: give it with [bold]{option}[/], not among the inputs",
            )
        elif table.columns:
            self._columns(table)
        self._unused(table)
        self.console.print()

    def _forms(self, table: TableLook) -> dict[str, list[FileRead]]:
        """How the files of a table are written, and how much of them was looked at."""
        forms: dict[str, list[FileRead]] = {}
        told = {each.file.path: each for each in self._found.files if each.role == table.role}
        for path in table.paths:
            if path in told:
                forms.setdefault(self._form(told[path]), []).append(told[path])
        return {form + self.text("；", "; ") + self._looked(files): files for form, files in forms.items()}

    def _form(self, file: FileRead) -> str:
        if file.csv:
            facts = file.csv
            encoding = ENCODING_NAMES[facts.encoding] + (" BOM" if facts.byte_order_mark else "")
            packed = [facts.compression] if facts.compression else []
            name = SEPARATOR_NAMES.get(facts.separator, (facts.separator.encode("unicode_escape").decode(),) * 2)
            told = [*packed, encoding, facts.line_end.upper()]
            zh = f"CSV：{'、'.join(told)}，以{name[0]}分隔，表头在第 {facts.header_row} 行，{facts.columns} 列"
            en = f"CSV: {', '.join(told)}, {name[1]} between values, header in line {facts.header_row}, {facts.columns} columns"
            escaped = self.text(*ESCAPED_QUOTES) if facts.escape else ""
            return self.text(zh, en) + escaped
        if file.database:
            return self.text(f"数据库 {file.database.server}", f"a database, {file.database.server}")
        if file.file.kind == "xlsx":
            if not file.header_row:
                return self.text("Excel：没有表头，接上一张工作表", "Excel: no header, goes on from the sheet before")
            return self.text(f"Excel：表头在第 {file.header_row} 行", f"Excel: header in row {file.header_row}")
        if file.file.kind == "parquet":
            writer = file.writer.partition(" (build")[0][:40]
            return self.text(
                f"Parquet：由 {writer or '不明程序'} 写出", f"Parquet, written by {writer or 'an unknown program'}"
            )
        return "JSON" if file.file.kind == "json" else self.text("JSON：每行一个对象", "JSON, one object a line")

    def _looked(self, files: Sequence[FileRead]) -> str:
        rows = sum(each.rows + each.rejected for each in files)
        if all(each.share == 1 for each in files):
            return self.text(f"看了全部 {rows:,} 行", f"all {rows:,} rows looked at")
        if not all(each.share for each in files):
            return self.text(
                f"看了开头 {rows:,} 行，共多少行没有问",
                f"the first {rows:,} rows looked at; how many there are was not asked",
            )
        about = rough(sum(each.rows_in_all for each in files))
        return self.text(
            f"看了开头 {rows:,} 行，共约 {about:,} 行", f"the first {rows:,} rows looked at, of about {about:,}"
        )

    def _columns(self, table: TableLook) -> None:
        wide = self.console.width >= _WITH_MEANING
        titles = [
            self.text("列", "Column"),
            self.text("含义", "Meaning"),
            self.text("用的表头", "Header"),
            self.text("依据", "Why"),
        ]
        rows = [[*self._row(table.role, each), self.listed(each.values)] for each in table.columns]
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        left = self.console.width - 2
        for place, title in enumerate(titles):
            if place == 1 and not wide:
                continue
            width = min(max(cell_len(cell) for cell in (title, *(row[place] for row in rows))), LONGEST_HEADER)
            left -= width + 2
            grid.add_column(title, width=width, no_wrap=True, overflow="ellipsis")
        grid.add_column(self.text("样例", "Values"), no_wrap=True)
        for row in rows:
            values = Text(row.pop())
            values.truncate(max(left, 8), overflow="ellipsis")
            cells = row if wide else [row[0], *row[2:]]
            grid.add_row(*map(safe, cells), values)
        self.console.print(grid)

    def _row(self, role: str, each: ColumnLook) -> tuple[str, str, str, str]:
        """A column, what it means, its header, and why."""
        if not each.further:
            why = WHY_FED["fallback" if each.fallback else each.why][self.english]
            return each.column, meaning_of(ROLES[role][0][each.column]), each.header, why
        return (
            "",
            "",
            each.header,
            self.text("前面为空时", "if empty") if not each.fallback else WHY_FED["fallback"][self.english],
        )

    def _unused(self, table: TableLook) -> None:
        if not table.unused or table.rather:
            return
        near = [each for each in table.unused if each.near]
        rest = [each for each in table.unused if not each.near]
        short = not table.known or bool(self._found.refusals) or any(each.rules for each in self._found.missing)
        if not table.known:
            row = next((each.header_row for _, each in self._found.passed if each.path == table.paths[0]), 1)
            self.say(
                f"  [yellow]没有一个可识别的表头[/]，第 {row} 行像是表头，其中：",
                f"  [yellow]No header is known[/]; row {row} looks like one, and says:",
            )
        for each in near:
            self._suggest(table.role, each)
        if short:
            for each in rest[:UNUSED_ROWS]:
                values = f"  [dim]{safe(self.listed(each.values))}[/]" if each.values else ""
                self.console.print(
                    self.text(f"  没有用到：{safe(each.header)}{values}", f"  Not used: {safe(each.header)}{values}"),
                    no_wrap=True,
                    overflow="ellipsis",
                )
            rest = rest[UNUSED_ROWS:]
        if rest:
            names = safe(self.listed(each.header for each in rest[:UNUSED_NAMED])) + (
                " …" if len(rest) > UNUSED_NAMED else ""
            )
            self.console.print(
                self.text(
                    f"  [dim]没有用到的表头（{len(rest)}）：{names}[/]",
                    f"  [dim]Headers not used ({len(rest)}): {names}[/]",
                )
            )

    def _suggest(self, role: str, each: UnusedLook) -> None:
        assert each.near
        column = ROLES[role][0][each.near.column]
        values = self.listed(each.values[:2])
        shown = self.text(f"（{values}）", f" ({values})") if values else ""
        because = (
            self.text(f"像“{each.near.wording}”", f"much like {each.near.wording}") if each.near.wording
            else self.text(f"值像{meaning_of(column)}", f"its values look like {each.near.column}")
        )  # fmt: skip
        option = shell_word(f"{each.near.column}={each.header}")
        zh, en = (f"用作 {each.used_as}", f"Taken for {each.used_as}") if each.used_as else ("没有用到", "Not used")
        self.say(
            f"  [yellow]{zh}：{safe(each.header)}[/]{safe(shown)}，{safe(because)}",
            f"  [yellow]{en}: {safe(each.header)}[/]{safe(shown)}, {safe(because)}",
        )
        self.say(f"    是的话加上 [bold]--map {safe(option)}[/]", f"    if so, add [bold]--map {safe(option)}[/]")


def meaning_of(column: Column) -> str:
    """The first Chinese wording of a column."""
    return next((header for header in column.headers if not header.isascii()), "")
