"""Workbooks of other forms (.xls, .et, .xlsb, .ods), read by a process of its own: a damaged one may make its reader ask for any amount of memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MEMORY = 6 << 30
"""The address space of the process; the libraries take a good part of it."""
SECONDS = 600
LIST = "sheets.json"


def read_old(place: Path, folder: Path) -> Iterator[tuple[str, bool, pl.DataFrame]]:
    """The sheets of a workbook: name, whether people see it, and its cells as texts, columns named by their index.

    Scratch goes into `folder`. Raises ValueError where the workbook cannot be read.
    """
    import polars as pl

    folder.mkdir()
    package = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "checker.ingest.old_workbook", place.resolve(), folder.resolve()],
        env={**os.environ, "PYTHONPATH": package}, capture_output=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ValueError(done.stderr.decode("utf-8", "replace")[-200:])
    for number, (name, visible) in enumerate(json.loads((folder / LIST).read_text(encoding="utf-8"))):
        yield name, visible, pl.read_ipc(folder / f"{number}.arrow")


def _write(place: str, folder: str) -> None:
    """Write the sheets of a workbook and their list; what the child does."""
    import fastexcel

    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # By its bytes: of a path the reader believes the suffix.
    book = fastexcel.read_excel(Path(place).read_bytes())
    told = []
    for number, name in enumerate(book.sheet_names):
        sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        frame = sheet.to_polars()
        frame.columns = [str(column.absolute_index) for column in sheet.selected_columns]
        frame.write_ipc(Path(folder) / f"{number}.arrow")
        told.append((name, sheet.visible == "visible"))
    (Path(folder) / LIST).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    _write(sys.argv[1], sys.argv[2])
