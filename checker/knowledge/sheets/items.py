"""The data rows of a published sheet as items: numbered, named, each number once."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.sheets.table import SheetTable, whole
from checker.knowledge.sheets.workbook import ROW
from checker.model.shown import FORMULA

NUMBER = "number"
"""The column that holds the number of the item [序号] to which a row belongs."""
MAX_ITEMS = 300_000
"""Items of one workbook; all knowledge points ever published are fewer."""
_CELLS = (
    "name", "sex", "logic", "basis", "count", "note", "rule", "container_name", "interval", "most", "unit", "window", "days", "group",
    "indication", "change", "ends",
)  # fmt: skip
_RUN = "run"
_UNREADABLE = -1


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One published item as it stands: texts trimmed, NULL where nothing is written; `rows` are its rows in the sheet."""

    seq: int
    rows: tuple[int, ...]
    name: str
    sex: str | None
    logic: str | None
    basis: str | None
    count: str | None
    note: str | None
    rule: str | None
    container_name: str | None = None
    interval: str | None = None
    most: str | None = None
    unit: str | None = None
    window: str | None = None
    days: str | None = None
    group: str | None = None
    indication: str | None = None
    change: str | None = None
    ends: str | None = None

    @property
    def row(self) -> int:
        """The row in which the item begins."""
        return self.rows[0]


def numbered(table: SheetTable, *, fill: bool) -> pl.DataFrame:
    """Return the data rows with the number of their item; with `fill`, a blank 序号 takes the number above it.

    Rows that get no number are left out, and with `fill` those below a 序号 that is no number; see `check_numbers`.
    """
    unreadable = pl.col("seq").is_not_null() & whole(pl.col("seq")).is_null()
    number = pl.when(unreadable).then(_UNREADABLE).otherwise(whole(pl.col("seq")))
    rows = table.rows.with_columns((number.forward_fill() if fill else number).alias(NUMBER))
    return rows.filter(pl.col(NUMBER) != _UNREADABLE)


def check_numbers(table: SheetTable, faults: Faults, *, fill: bool) -> None:
    """Note a fault for each 序号 that is no whole number, and for each row that has none and gets none from above."""
    unreadable = table.rows.filter(pl.col("seq").is_not_null() & whole(pl.col("seq")).is_null())
    table.fault_each(faults, unreadable, "seq", "请写整数序号 (write a whole number)")
    above = pl.col("seq").forward_fill() if fill else pl.col("seq")
    remedy = "这一行不属于任何序号，请填写 (the row belongs to no number: write one)"
    table.fault_each(faults, table.rows.filter(above.is_null()), "seq", remedy)


def read_items(table: SheetTable, faults: Faults) -> tuple[ItemRow, ...] | None:
    """Return the items of the sheet, in its order, or None after noting that they are too many.

    Where the codes stand in the same sheet, an item may have several rows: those after the first leave 序号 blank or repeat
    it, and leave the other cells blank or repeat them. Faults: a row without number or name, a number used twice.
    """
    several = table.has("code")
    cells = [
        pl.col(column).str.strip_chars().str.replace_all(r"\s*[\r\n]+\s*", "")
        if column in table.rows.columns
        else pl.lit(None, pl.String).alias(column)
        for column in _CELLS
    ]
    check_numbers(table, faults, fill=several)
    rows = numbered(table, fill=several).with_columns(cells)
    rows = rows.with_columns((pl.col(NUMBER).rle_id() if several else pl.int_range(pl.len())).alias(_RUN))
    if (count := rows[_RUN].n_unique()) > MAX_ITEMS:
        message = f"有 {count:,} 个序号，超过 {MAX_ITEMS:,}；请拆成几个文件 (more than {MAX_ITEMS:,} items: split it)"
        faults.add(table.file, table.place_of_sheet(), message)
        return None
    items = rows.group_by(_RUN, maintain_order=True).agg(
        pl.col(NUMBER).first(), pl.col(ROW), *(pl.col(column).drop_nulls().first() for column in _CELLS)
    )
    beside = rows.join(items.drop(ROW, NUMBER), on=_RUN, suffix="_first")
    for column in _CELLS:
        other = beside.filter(pl.col(column) != pl.col(f"{column}_first"))
        remedy = pl.format(
            "同一序号 {} 的上一行是 '{}'；每项只编一个号，请改正 (the row above has the same number and says otherwise: number each item once)",
            NUMBER,
            f"{column}_first",
        )
        table.fault_each(faults, other, column, remedy)
    starts = items.with_columns(pl.col(ROW).list.first())
    again = starts.with_columns(earlier=pl.col(ROW).first().over(NUMBER)).filter(pl.col(ROW) != pl.col("earlier"))
    remedy = pl.format("序号在第 {} 行已经用过，每项只编一个号 (used before: number each item once)", "earlier")
    table.fault_each(faults, again.rename({NUMBER: "seq"}), "seq", remedy)
    table.fault_each(faults, starts.filter(pl.col("name").is_null()), "name", "请写名称 (write the item's name)")
    formulas = starts.filter(pl.col("name").str.contains(FORMULA))
    table.fault_each(
        faults,
        formulas,
        "name",
        "以 = + - @ 开头，表格软件会当成公式；请只写名称 (a spreadsheet would run it: write the name)",
    )
    return tuple(
        ItemRow(number, tuple(at), name or "", *rest)
        for number, at, name, *rest in items.select(NUMBER, ROW, *_CELLS).iter_rows()
    )
