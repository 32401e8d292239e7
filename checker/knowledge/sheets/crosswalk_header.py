"""Where the header of a crosswalk stands in a sheet, and which of its columns says what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.crosswalk import SCHEMA
from checker.knowledge.sheets.header_row import Column
from checker.knowledge.sheets.table import SheetTable
from checker.knowledge.sheets.workbook import ROW, Sheet
from checker.knowledge.sheets.xlsx_parts import column_number
from checker.model.errors import both
from checker.model.schema import LINE, normal_header

HEADERS = {
    "local_code": (
        *("地方编码", "地方代码", "地方项目编码", "地方项目代码", "地方医保编码", "本地编码", "本地代码", "本地项目编码", "本地项目代码"),
        *("省编码", "省代码", "省级编码", "省级代码", "省项目编码", "省项目代码", "省医保编码", "省平台编码", "省标编码"),
        *("市编码", "市代码", "市级编码", "市级代码", "his编码", "his代码", "his项目编码", "his项目代码"),
        *LINE["local_item_code"].headers,
    ),
    "local_name": (
        *("地方名称", "地方项目名称", "本地名称", "本地项目名称", "省名称", "省级名称", "省项目名称", "市级名称", "his名称", "his项目名称"),
        *("项目名称", "药品名称", "收费项目名称"),
        *LINE["local_item_name"].headers,
    ),
    "national_code": (
        *("国家医疗服务项目编码", "国家医疗服务项目代码", "国家统一编码", "对应国家编码", "对照国家编码"),
        *LINE["item_code"].headers,
    ),
    "valid_from": ("开始日期", "开始时间", "生效日期", "生效时间", "启用日期", "起始日期", "有效期起", "begndate", "begntime"),
    "valid_to": ("结束日期", "结束时间", "失效日期", "失效时间", "停用日期", "终止日期", "enddate", "endtime"),
    "basis": ("依据", "对照依据", "备注", "说明", "来源"),
}  # fmt: skip
"""Our names of the columns, and the headers under which they are found, beside these names themselves."""
_INCLUSIVE = ("截止日期", "截止时间", "有效期止", "有效期至")
"""Headers of a last day on which something still holds; ours is the day after."""
_WITHIN = 40
_TOLD_BESIDE = ("local_name", "basis")
"""Columns of which a file may have several: the first of the list counts."""
_COLUMN_OF = {normal_header(word): name for name in SCHEMA for word in (name, *HEADERS[name])}


def find_table(file: str, sheet: Sheet, faults: Faults) -> SheetTable | None:
    """Return a sheet that has both codes as a table, or None after noting that it has no header, one twice, or nothing below it."""
    found = next(_headers(sheet.cells), None)
    place = f"“{sheet.name}”" if sheet.name else ""
    if found is None:
        told = both(
            f"前 {_WITHIN} 行里没有表头；应有“地方编码”和“国家编码”两列，不属于对照表的工作表请删去",
            "no header row with a local code and a national code; delete sheets that do not belong",
        )
        faults.add(file, place, told)
        return None
    row, columns = found
    before = len(faults.found)
    for name in SCHEMA:
        same = [column for column in columns if column.name == name]
        if len(same) > 1:
            written = "、".join(f"{column.header}({column.letters})" for column in same)
            faults.add(file, f"{place}第 {row} 行", both(f"{written} 含义相同，请只留一列", "mean the same: keep one"))
    for column in columns:
        if column.header in _INCLUSIVE:
            told = both(
                "通常含当日，而结束日期是不再有效的第一天；请把表头改为“失效日期”，并写次日",
                "such a day still counts as a rule; write the day after under 失效日期",
            )
            faults.add(file, f"{place}第 {row} 行“{column.header}”({column.letters})", told)
    if len(faults.found) > before:
        return None
    below = sheet.cells.filter(pl.col(ROW) > row)
    rows = below.select(ROW, *(pl.col(each.letters).alias(each.name or each.letters) for each in columns))
    if not rows.height:
        faults.add(file, f"{place}第 {row} 行", both("表头下面没有数据", "nothing stands below the header"))
        return None
    table = SheetTable(file, sheet.name, "", columns, rows, (), ())
    refuse_merges(table, sheet, faults)
    return table


def _headers(cells: pl.DataFrame) -> Iterator[tuple[int, tuple[Column, ...]]]:
    letters = cells.columns[1:]
    for row, *values in cells.head(_WITHIN).iter_rows():
        headers = [normal_header(value or "") for value in values]
        columns = tuple(
            Column(_COLUMN_OF.get(header, ""), letter, header) for letter, header in zip(letters, headers, strict=True)
        )
        if {"local_code", "national_code"} <= {column.name for column in columns}:
            yield row, _one_of_each(columns)


def _one_of_each(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns, of several names and of several grounds one; the others are not read, and that is said."""
    chosen = {
        name: min((column for column in columns if column.name == name), key=_rank, default=None)
        for name in _TOLD_BESIDE
    }
    return tuple(
        replace(column, name="") if column.name in chosen and column is not chosen[column.name] else column
        for column in columns
    )


def _rank(column: Column) -> int:
    return [column.name, *map(normal_header, HEADERS[column.name])].index(column.header)


def refuse_merges(table: SheetTable, sheet: Sheet, faults: Faults) -> None:
    """Merged cells of what is read: only the first one holds a value."""
    read = {column_number(column.letters) for column in table.columns if column.name}
    for area in sheet.merges:
        inside = table.rows.filter(pl.col(ROW).is_between(area.first_row, area.last_row)).height
        if inside and read.intersection(range(area.first_column, area.last_column + 1)):
            told = both(
                "是合并单元格，只有第一格有值；请取消合并，并在每一行填写",
                "merged data cells: unmerge them and fill every row",
            )
            faults.add(table.file, f"“{table.sheet}” {area.text}", told)
