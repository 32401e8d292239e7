"""A sheet that lists several rules, places or days in columns, taken apart: each part is a list of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.codes import place_code
from checker.knowledge.places import place_named
from checker.knowledge.sheets.codes import BETWEEN_CODES
from checker.knowledge.sheets.days import read_day
from checker.knowledge.sheets.headers import plain
from checker.knowledge.sheets.items import NUMBER, numbered
from checker.knowledge.sheets.table import SheetTable, WrongCell, whole
from checker.knowledge.sheets.workbook import ROW

_EVERYWHERE = frozenset({"全国", "国家", "全部", "全国统一", "不限"})
_COLUMNS = ("rule", "region", "begins")
_ASK_PLACE = (
    "请写行政区划代码或写全地名，如 33、3301、浙江省、杭州市、杭州市西湖区，全国的写“全国”"
    " (write the code or the full name of the place; 全国 for the nation)"
)
_ASK_DAY = "日期读不出，请写 2026-03-01 这样的日期，或留空 (no date: write one such as 2026-03-01, or leave it empty)"
_ASK_ALL = {
    "rule": "同一张表有的行写了规则、有的没写，请写全 (some rows name their rule and others do not: write it in each)",
    "region": "有的项目写了地区、有的没写，看不出是同上还是全国；请写全，全国的写“全国” (some items name their place: write it in each, 全国 for the nation)",
    "begins": "有的项目写了日期、有的没写，看不出是同上还是公布之日；请写全 (some items have their day and others do not: write it in each)",
}
"""What is asked where a column is filled for some items and not for others."""


@dataclass(frozen=True, slots=True)
class Part:
    """One rule, place and day of a sheet: `items` and `codes`, which may be one table; `region` and `begins` where columns say them."""

    items: SheetTable
    codes: SheetTable
    region: str | None = None
    begins: date | None = None


def parts_of(items: SheetTable, codes: SheetTable, published: date, faults: Faults) -> list[Part]:
    """Return the sheet whole, or its parts where columns of rules, places or days say several; none after noting a fault in those columns.

    A cell that is blank says what the row above of the same item says. Faults: a place that there is not, a day that cannot be read or lies before
    the notice, rows without rule beside others that have one.
    """
    before = len(faults.found)
    given = [column for column in _COLUMNS if items.has(column)]
    if not given:
        return [Part(items, codes)] if len(faults.found) == before else []
    number = whole(pl.col("seq")).forward_fill().rle_id()
    rows = items.rows.with_columns(pl.col(column).forward_fill().over(number) for column in given)
    rows = _read(items, rows, published, faults)
    if len(faults.found) > before:
        return []
    keys = rows.select("rule_key", "region", "begins").unique(maintain_order=True).sort("begins", maintain_order=True)
    if keys.height == 1:
        return [Part(items, codes, *_place_and_day(keys.row(0, named=True)))]
    alone = [
        replace(items, rows=rows.filter(_is(key)).drop("rule_key", "region", "begins"), totals=())
        for key in keys.iter_rows(named=True)
    ]
    _check_totals(items, rows, faults)
    of_each = alone if codes is items else _codes_of_each(alone, codes, faults)
    return [
        Part(table, own, *_place_and_day(key))
        for table, own, key in zip(alone, of_each, keys.iter_rows(named=True), strict=True)
    ]


def _place_and_day(key: dict[str, object]) -> tuple[str | None, date | None]:
    region, begins = key["region"], key["begins"]
    return (region if isinstance(region, str) else None), (begins if isinstance(begins, date) else None)


def _is(key: dict[str, object]) -> pl.Expr:
    return pl.all_horizontal(pl.col(column).eq_missing(pl.lit(value)) for column, value in key.items())


def _read(items: SheetTable, rows: pl.DataFrame, published: date, faults: Faults) -> pl.DataFrame:
    """The rows with rule_key, region and begins: what their columns say in one spelling, NULL where they say nothing."""
    wrong: dict[str, list[WrongCell]] = {column: [] for column in _COLUMNS}
    columns: dict[str, list[object]] = {column: [None] * rows.height for column in _COLUMNS}
    for column in _COLUMNS:
        if column not in rows.columns:
            continue
        read = {text: _value(column, text, published) for text in rows[column].drop_nulls().unique()}
        for place, (row, text) in enumerate(rows.select(ROW, column).iter_rows()):
            value, fault = (None, "") if text is None else read[text]
            columns[column][place] = value
            if fault:
                wrong[column].append((row, text, fault))
        if 0 < rows[column].null_count() < rows.height:
            wrong[column] += [(row, None, _ASK_ALL[column]) for row in rows.filter(pl.col(column).is_null())[ROW]]
    for column, cells in wrong.items():
        items.fault_cells(faults, column, cells)
    return rows.drop("region", "begins", strict=False).with_columns(
        rule_key=pl.Series(columns["rule"], dtype=pl.String),
        region=pl.Series(columns["region"], dtype=pl.String),
        begins=pl.Series(columns["begins"], dtype=pl.Date),
    )


def _value(column: str, text: str, published: date) -> tuple[object, str]:
    """What a cell says, and what is wrong with it."""
    said = plain(text)
    if column == "rule":
        return said, ""
    if column == "region":
        if said in _EVERYWHERE:
            return None, ""
        place = place_code(said.removesuffix(".0")) or place_named(said)
        return place, "" if place else _ASK_PLACE
    try:
        day = read_day(text.strip(), _ASK_DAY)
    except ValueError as error:
        return None, str(error)
    if day is not None and day < published:
        return None, f"早于公布日期 {published}；请核对两个日期 (before the day of the notice: check both)"
    return (None if day == published else day), ""


def _check_totals(items: SheetTable, rows: pl.DataFrame, faults: Faults) -> None:
    """合计 of a sheet of several lists counts the items or the codes of all."""
    counts = {rows.select(pl.col("seq").forward_fill().rle_id())["seq"].n_unique()}
    if "code" in rows.columns:
        each = pl.col("code").str.replace_all(BETWEEN_CODES, ",").str.strip_chars(",").str.split(",").list.len()
        counts.add(int(rows.select(each.sum())["code"][0]))
    for total in items.totals:
        if total.number not in counts:
            message = f"合计为 {total.number}，读到的项目和代码数是 {'、'.join(map(str, sorted(counts)))}，请核对有无缺行 (the total differs)"
            items.fault(faults, total.row, None, message)


def _codes_of_each(tables: Sequence[SheetTable], codes: SheetTable, faults: Faults) -> list[SheetTable]:
    """The sheet of codes for each part: the rows whose number is of its items; those of no part stay with the first, which refuses them."""
    own = [{*numbered(table, fill=False)[NUMBER]} for table in tables]
    rows = numbered(codes, fill=True)
    shared = sorted(set[int]().union(*(one & other for place, one in enumerate(own) for other in own[:place])))
    if shared:
        told = "、".join(map(str, shared[:5]))
        message = f"序号 {told} 在几条规则或地区里都有，看不出代码属于哪一项；请全表统一编号 (numbers used in several lists: number the items once)"
        faults.add(codes.file, codes.place_of_sheet(), message)
        return [codes] * len(tables)
    found = []
    for place, numbers in enumerate(own):
        others = set[int]().union(*(each for other, each in enumerate(own) if other != place))
        wanted = pl.col(NUMBER).is_in(sorted(numbers))
        kept = rows.filter(wanted if place else ~pl.col(NUMBER).is_in(sorted(others)))
        found.append(replace(codes, rows=kept.with_columns(seq=pl.col(NUMBER).cast(pl.String)).drop(NUMBER), totals=()))
    return found
