"""How the cells of an old workbook (.xls) look, read by a process of its own: merged, hidden, struck through, commented, and what is a formula."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from struct import unpack_from
from typing import TYPE_CHECKING

from checker.ingest.child import limit_memory, run_child
from checker.knowledge.sheets.xlsx_parts import Area, SheetPart, column_letters

if TYPE_CHECKING:
    import xlrd

_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})
"""The kinds of records that hold a formula; the library hands on its saved result as any other value."""


def survey_old(place: Path, scratch: Path) -> tuple[SheetPart, ...]:
    """The worksheets of an old workbook in their order; `scratch` is a file that is written on the way.

    Raises ValueError where the file is not written as the library knows it, though another may read its cells.
    """
    run_child("checker.knowledge.sheets.old_looks", place, scratch)
    told = json.loads(scratch.read_text(encoding="utf-8"))
    return tuple(
        SheetPart(
            part["name"],
            part["filled"],
            tuple(Area(**area) for area in part["merges"]),
            tuple(part["formulas"]),
            tuple(part["errors"]),
            tuple(part["struck"]),
            tuple(part["hidden"]),
            part["is_hidden"],
            tuple(part["partly"]),
            tuple((address, text) for address, text in part["comments"]),
        )
        for part in told
    )


def _write(place: str, target: str) -> None:
    """Write what is told of each sheet; what the child does."""
    limit_memory()
    import xlrd

    # On demand: the records of a sheet are looked at while it is read.
    book = xlrd.open_workbook(
        file_contents=Path(place).read_bytes(), formatting_info=True, on_demand=True, ragged_rows=True
    )
    struck = {number for number, look in enumerate(book.xf_list) if book.font_list[look.font_index].struck_out}
    parts = [asdict(_part(book, number, struck)) for number in range(book.nsheets)]
    Path(target).write_text(json.dumps(parts), encoding="utf-8")


def _part(book: xlrd.Book, number: int, struck: set[int]) -> SheetPart:
    """One sheet; `struck` are the numbers of the formats whose text is struck through."""
    import xlrd

    formulas: list[str] = []
    next_record = book.get_record_parts

    def noting() -> tuple[int, int, bytes]:
        kind, size, data = next_record()
        if kind in _FORMULAS:
            formulas.append(_address(*unpack_from("<HH", data)))
        return kind, size, data

    book.get_record_parts = noting
    try:
        sheet = book.sheet_by_index(number)
    finally:
        book.get_record_parts = next_record
    errors: list[str] = []
    whole: list[str] = []
    partly: list[str] = []
    filled = False
    for row in range(sheet.nrows):
        for column, kind in enumerate(sheet.row_types(row)):
            if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
                continue
            filled = True
            if kind == xlrd.XL_CELL_ERROR:
                errors.append(_address(row, column))
            is_struck = sheet.cell_xf_index(row, column) in struck
            looks = {is_struck}
            if runs := sheet.rich_text_runlist_map.get((row, column)):
                looks = {*_looks(book, sheet.cell_value(row, column), runs, is_struck)} or looks
            if True in looks:
                (partly if False in looks else whole).append(_address(row, column))
    return SheetPart(
        sheet.name,
        filled,
        tuple(_area(*corners) for corners in sheet.merged_cells),
        tuple(formulas),
        tuple(errors),
        tuple(whole),
        tuple(row + 1 for row, look in sorted(sheet.rowinfo_map.items()) if look.hidden),
        sheet.visibility != 0,
        tuple(partly),
        tuple((_address(*cell), note.text.strip()) for cell, note in sorted(sheet.cell_note_map.items())),
    )


def _looks(book: xlrd.Book, text: str, runs: list[tuple[int, int]], is_struck: bool) -> Iterator[bool]:
    """Whether each run of a text of several fonts, blanks aside, is struck through; what stands before the first looks as the cell does."""
    begins = [0, *(begin for begin, _ in runs), len(text)]
    struck = [is_struck, *(bool(book.font_list[font].struck_out) for _, font in runs)]
    for begin, end, run in zip(begins, begins[1:], struck, strict=False):
        if text[begin:end].strip():
            yield run


def _address(row: int, column: int) -> str:
    return f"{column_letters(column + 1)}{row + 1}"


def _area(first_row: int, below: int, first_column: int, behind: int) -> Area:
    """A merged range of the library, which counts from 0 and names the row and column after the last."""
    text = f"{_address(first_row, first_column)}:{_address(below - 1, behind - 1)}"
    return Area(text, first_row + 1, below, first_column + 1, behind)


if __name__ == "__main__":
    _write(sys.argv[1], sys.argv[2])
