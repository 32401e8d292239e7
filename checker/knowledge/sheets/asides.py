"""Sheets beside those of a list that hold no items: a cover [封面], how to fill it in [填表说明], a summary [汇总]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.names import item_key
from checker.knowledge.sheets.header_row import find_header, looks_like_header
from checker.knowledge.sheets.headers import HeaderWords, plain
from checker.knowledge.sheets.remarks import LIKE_A_REMOVAL, OF_ALL
from checker.knowledge.sheets.removals import LISTS_REMOVED
from checker.knowledge.sheets.table import SheetTable
from checker.knowledge.sheets.workbook import ROW, Sheet

_LIKE_A_CODE = r"[A-Z]{1,2}[0-9OI]{2}[A-Z0-9]{6,}|(?:^|[^0-9])[0-9]{11,18}(?:[^0-9]|$)|[0-9]\.[0-9]+E\+1[0-9]"
"""What a code looks like, spoilt ones included."""


def asides_of(sheets: Sequence[Sheet], words: HeaderWords) -> tuple[list[Sheet], list[Sheet]]:
    """Part the sheets into those that are read and those that hold no items: no header, nothing like one, nothing like a code, and no name of removal.

    Where no sheet has a header all are read, so that what is missing is told.
    """
    headed = [find_header(sheet.cells, words) is not None for sheet in sheets]
    aside = [
        any(headed)
        and not has_header
        and not LIKE_A_REMOVAL.search(plain(sheet.name))
        and not looks_like_header(sheet.cells, words)
        and not _lists_codes(sheet.cells)
        for sheet, has_header in zip(sheets, headed, strict=True)
    ]
    pairs = list(zip(sheets, aside, strict=True))
    return [sheet for sheet, is_aside in pairs if not is_aside], [sheet for sheet, is_aside in pairs if is_aside]


def check_asides(file: str, asides: Sequence[Sheet], tables: list[SheetTable], faults: Faults) -> list[SheetTable]:
    """Return the tables with a note of the sheets that were not read. Faults: one that names an item of the tables, or says that all of them
    hold otherwise than the list: no row tells it.
    """
    names = {item_key(name) for table in tables if table.has("name") for name in table.rows["name"].drop_nulls()}
    for sheet in asides:
        for row, text in _texts(sheet):
            told = ""
            if item_key(text) in names:
                told = "是清单里的项目，而这张工作表没有表头；请补上表头，或删去 (an item of the list in a sheet without header: write one, or delete it)"
            elif LISTS_REMOVED.search(plain(text)):
                told = "像是要删除的项目，而这张工作表没有表头和代码；请写明代码，或删去 (taken back, without header and codes: write these, or delete it)"
            elif OF_ALL.search(plain(text)):
                told = "没有一行读到它；请用 --region、--status 或日期列说明后删去 (a condition outside of the list: say it with options or columns)"
            if told:
                faults.add(file, f"“{sheet.name}”第 {row} 行", f"“{text[:60]}”{told}")
    notes = tuple(
        f"“{sheet.name}”没有表头和编码，没有读取 (a sheet without header and codes: not read)" for sheet in asides
    )
    return [replace(tables[0], notes=(*tables[0].notes, *notes)), *tables[1:]]


def _lists_codes(cells: pl.DataFrame) -> bool:
    columns = [
        pl.col(column).str.normalize("NFKC").str.to_uppercase().str.contains(_LIKE_A_CODE)
        for column in cells.columns[1:]
    ]
    return bool(cells.select(pl.any_horizontal(columns).any())[:, 0].any()) if columns else False


def _texts(sheet: Sheet) -> Iterator[tuple[int, str]]:
    for row, *texts in sheet.cells.select(ROW, pl.all().exclude(ROW)).iter_rows():
        yield from ((row, text.strip()) for text in texts if text and text.strip())
