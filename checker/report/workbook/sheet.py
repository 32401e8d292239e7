"""A table on a sheet: headings that stay in sight, filters, codes as text, money and days as numbers; no cell is a formula but our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from xlsxwriter.utility import xl_range

from checker.audit.columns import ReportColumn
from checker.audit.tables import ReportTable
from checker.model import sqltext
from checker.model.shown import INVISIBLE_SQL, SUBSTITUTE

if TYPE_CHECKING:
    import duckdb
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_048_576
"""Rows of a sheet; what is more goes on upon the next."""
LONGEST_CELL = 32_767
LONGEST_NAME = 31
FIRST_YEAR = 1900
"""Before it spreadsheets know no days."""
CUT = "…（已截断）"
"""How a text ends that a cell does not hold whole."""
FILLED_IN = ("appeal", "decision", "reason_of_decision")
"""Columns that people fill in."""
_FETCHED = 5_000
_FORMATS = {
    "yuan": "#,##0.00",
    "number": "General",
    "rate": "#,##0.0",
    "count": "#,##0",
    "share": "0.0%",
    "day": "yyyy-mm-dd",
    "time": "yyyy-mm-dd hh:mm",
}
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Styles:
    """The formats of a workbook."""

    title: Format
    note: Format
    heading: Format
    by_kind: dict[str, Format]
    total: Format
    open_cell: Format

    @classmethod
    def of(cls, book: Workbook) -> Styles:
        """Make them."""
        return cls(
            title=book.add_format({"bold": True, "font_size": 14}),
            note=book.add_format({"font_color": "#555555"}),
            heading=book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True, "valign": "vcenter"}),
            by_kind={kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()},
            total=book.add_format({"bold": True, "num_format": _FORMATS["yuan"]}),
            open_cell=book.add_format({"bg_color": "#FFF9DB", "text_wrap": True, "locked": False}),
        )  # fmt: skip


def sheet_name(wanted: str, number: int = 1) -> str:
    """A name that a sheet may bear: without the signs that none may have, and not too long.

    >>> sheet_name("甲/乙[1]"), sheet_name("疑点明细", 2), len(sheet_name("长" * 40, 12))
    ('甲_乙_1_', '疑点明细 2', 31)
    """
    ending = f" {number}" if number > 1 else ""
    plain = "".join("_" if sign in "[]:*?/\\" else sign for sign in wanted).strip("'")
    return plain[: LONGEST_NAME - len(ending)] + ending


def write_table(
    book: Workbook,
    styles: Styles,
    connection: duckdb.DuckDBPyConnection,
    table: ReportTable,
    *,
    english: bool,
    totals: Sequence[str] = (),
    fill: Mapping[str, object] | None = None,
    most_rows: int = MOST_ROWS,
) -> int:
    """Write a table upon as many sheets as it needs, and return its rows.

    `totals` are the columns whose sums stand above the headings, as formulas over what is filtered; `fill` are values that are the same in every row.
    """
    head = 3 if totals else 2
    per_sheet = most_rows - head - 1
    # Sums stand above the rows, so that they are asked for before; each query costs as much as writing some hundred rows.
    sums = _sums(connection, table, totals, per_sheet) if totals else []
    rows = 0
    for number, part in enumerate(_parts(_rows(connection, table), per_sheet), 1):
        sheet = book.add_worksheet(sheet_name(table.said[english], number))
        for place, column in enumerate(table.columns):
            sheet.set_column(place, place, column.width, None if column.kind == "text" else styles.by_kind[column.kind])
        on_paper(sheet)
        sheet.repeat_rows(head)
        sheet.freeze_panes(head + 1, 0)
        sheet.write_string(0, 0, table.said[english], styles.title)
        sheet.write_string(1, 0, table.note[english], styles.note)
        if totals:
            count, *of_columns = sums[number - 1]
            _write_totals(
                sheet, styles, table, dict(zip(totals, of_columns, strict=True)), (head, head + count), english=english
            )
        sheet.set_row(head, 32)
        for place, column in enumerate(table.columns):
            sheet.write_string(head, place, column.said[english], styles.heading)
        writers = _writers(sheet, styles, table.columns)
        open_places = [place for place, column in enumerate(table.columns) if column.name in FILLED_IN]
        filled = {
            place: fill[column.name] for place, column in enumerate(table.columns) if fill and column.name in fill
        }
        row = head
        for row, cells in enumerate(part, head + 1):
            for place, value in enumerate(cells):
                if value is not None:
                    writers[place](row, place, value)
            for place, value in filled.items():
                writers[place](row, place, value)
            for place in open_places:
                sheet.write_blank(row, place, None, styles.open_cell)
        sheet.autofilter(head, 0, row, len(table.columns) - 1)
        rows += row - head
    return rows


def on_paper(sheet: Worksheet) -> None:
    """Let a sheet be printed as wide as the paper."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _parts(rows: Iterator[Row], per_sheet: int) -> Iterator[Iterator[Row]]:
    """The rows of each sheet; one without rows where there are none."""
    yield islice(rows, per_sheet)
    for first in rows:
        yield chain((first,), islice(rows, per_sheet - 1))


def _sums(
    connection: duckdb.DuckDBPyConnection, table: ReportTable, totals: Sequence[str], per_sheet: int
) -> list[tuple[Any, ...]]:
    """Rows and sums of each sheet; one without rows where there are none."""
    places = {column.name: number for number, column in enumerate(table.columns)}
    sums = "".join(f", coalesce(sum(c{places[name]}), 0)" for name in totals)
    parts = connection.execute(
        f"""SELECT count(*){sums} FROM (SELECT *, (row_number() OVER () - 1) // {int(per_sheet)} AS part FROM ({table.query}) AS t({_names(table)}))
        GROUP BY part ORDER BY part"""
    ).fetchall()
    return parts or [(0, *(0 for _ in totals))]


def _names(table: ReportTable) -> str:
    return ", ".join(f"c{number}" for number in range(len(table.columns)))


def _rows(connection: duckdb.DuckDBPyConnection, table: ReportTable) -> Iterator[Row]:
    """The rows of a table, numbers as spreadsheets hold them, texts without signs that hide or turn what is read; some thousand at a time are held."""
    plain = ", ".join(
        f"regexp_replace(CAST(c{number} AS VARCHAR), {sqltext.text(INVISIBLE_SQL)}, {sqltext.text(SUBSTITUTE)}, 'g')"
        if column.kind == "text"
        else f"c{number}"
        if column.kind in ("day", "time")
        else f"CAST(c{number} AS DOUBLE)"
        for number, column in enumerate(table.columns)
    )
    found = connection.execute(f"SELECT {plain} FROM ({table.query}) AS t({_names(table)})")
    while rows := found.fetchmany(_FETCHED):
        yield from rows


def _write_totals(
    sheet: Worksheet,
    styles: Styles,
    table: ReportTable,
    sums: Mapping[str, Any],
    rows: tuple[int, int],
    *,
    english: bool,
) -> None:
    """Write the sums over the rows from the one after `rows[0]` to `rows[1]`; the value stands beside the formula, for readers that do not calculate."""
    sheet.write_string(2, 0, "Sum of what is filtered" if english else "合计（按筛选）", styles.total)
    for place, column in enumerate(table.columns):
        if column.name in sums:
            first, last = rows[0] + 1, max(rows)
            over = xl_range(first, place, max(first, last), place)
            sheet.write_formula(2, place, f"=SUBTOTAL(109,{over})", styles.total, float(sums[column.name]))


def _writers(
    sheet: Worksheet, styles: Styles, columns: Sequence[ReportColumn]
) -> list[Callable[[int, int, Any], object]]:
    """How the cells of each column are written: five million of them, so that nothing is asked of a cell that is known of its column."""
    write_string, write_number, write_datetime = sheet.write_string, sheet.write_number, sheet.write_datetime

    def text(row: int, place: int, value: str) -> object:
        return write_string(row, place, value if len(value) <= LONGEST_CELL // 2 else cut(value))

    def number(style: Format) -> Callable[[int, int, Any], object]:
        return lambda row, place, value: write_number(row, place, value, style)

    def day(style: Format) -> Callable[[int, int, Any], object]:
        def write(row: int, place: int, value: date | str) -> object:
            # What spreadsheets have no number for stands as text.
            if isinstance(value, date) and value.year >= FIRST_YEAR:
                return write_datetime(row, place, value, style)
            return write_string(row, place, str(value))

        return write

    kinds = {kind: (day if kind in ("day", "time") else number)(style) for kind, style in styles.by_kind.items()}
    return [kinds.get(column.kind, text) for column in columns]


def cut(text: str) -> str:
    """A text as long as a cell holds (in units of UTF-16), with a mark where it is not whole.

    >>> len(cut("长" * 40_000)), cut("长" * 40_000)[-6:], cut("短")
    (32767, '…（已截断）', '短')
    """
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * LONGEST_CELL:
        return text
    return units[: 2 * (LONGEST_CELL - len(CUT))].decode("utf-16-le", "ignore") + CUT
