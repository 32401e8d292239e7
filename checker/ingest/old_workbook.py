"""Workbooks of other forms (.xls, .et, .xlsb, .ods), read by a process of its own: a damaged one may make its reader ask for any amount of memory."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.child import limit_memory, run_child
from checker.ingest.columns import EXACT

if TYPE_CHECKING:
    import fastexcel
    import polars as pl

LIST = "sheets.json"
_LONG = "^-?[0-9]{16,}$"


def read_old(place: Path, folder: Path) -> Iterator[tuple[str, bool, pl.DataFrame]]:
    """The sheets of a workbook: name, whether people see it, and its cells as texts, columns named by their index.

    Scratch goes into `folder`. Raises ValueError where the workbook cannot be read.
    """
    import polars as pl

    folder.mkdir()
    run_child("checker.ingest.old_workbook", place, folder)
    for number, (name, visible) in enumerate(json.loads((folder / LIST).read_text(encoding="utf-8"))):
        yield name, visible, pl.read_ipc(folder / f"{number}.arrow")


def _write(place: str, folder: str) -> None:
    """Write the sheets of a workbook and their list; what the child does."""
    import fastexcel

    limit_memory()
    # By its bytes: of a path the reader believes the suffix.
    book = fastexcel.read_excel(Path(place).read_bytes())
    told = []
    for number, name in enumerate(book.sheet_names):
        load = functools.partial(book.load_sheet, name, header_row=None, skip_rows=0)
        sheet = load(dtypes="string")
        frame = _exact(sheet.to_polars(), load)
        frame.columns = [str(column.absolute_index) for column in sheet.selected_columns]
        frame.write_ipc(Path(folder) / f"{number}.arrow")
        told.append((name, sheet.visible == "visible"))
    (Path(folder) / LIST).write_text(json.dumps(told), encoding="utf-8")


def _exact(texts: pl.DataFrame, load: Callable[..., fastexcel.ExcelSheet]) -> pl.DataFrame:
    """The texts with those of numbers that are too large to be kept exactly as 1.2E+17: as keys they have lost digits.

    Of a number a truth value is read, of a text none: so they are told apart.
    """
    import polars as pl

    long = [name for name in texts.columns if texts[name].str.contains(_LONG).any()]
    if not long:
        return texts
    numbers = load(dtypes="boolean").to_polars()

    def spelt(name: str) -> pl.Expr:
        # One by one: sheets of .xls have at most 65,536 rows, and few of the other forms are longer.
        number = (
            pl.when(pl.col(name).str.contains(_LONG) & numbers[name].is_not_null()).then(pl.col(name)).cast(pl.Float64)
        )
        large = pl.when(number.abs() >= EXACT).then(number).map_elements("{:.14E}".format, return_dtype=pl.String)
        return pl.coalesce(large, pl.col(name))

    return texts.with_columns(spelt(name) for name in long)


if __name__ == "__main__":
    _write(sys.argv[1], sys.argv[2])
