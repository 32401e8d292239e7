"""Examples [例] beside the reviewed text: codes that a point or an exemption must cover, and codes that it must not, in example.csv."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.codes import CODE_SHAPES
from checker.knowledge.text_table import CellCheck, check_cells, choice, read_table, text, twice
from checker.model.errors import both
from checker.model.schema import NATIONAL_CODE

EXAMPLE_FILE = "example.csv"
MATCH, NO_MATCH = "match", "no_match"
COLUMNS = ("id", "expect", "code")
_SCHEMA = {"row": pl.Int32, **dict.fromkeys(COLUMNS, pl.String)}


def empty_examples() -> pl.DataFrame:
    """No examples."""
    return pl.DataFrame(schema=_SCHEMA)


def read_examples(folder: Path, faults: Faults) -> pl.DataFrame:
    """Return the examples of a folder of text: row, id (of a point or an exemption), expect and code; without the file there are none.

    What is wrong is noted in `faults`. Raises KnowledgeError for a file that cannot be read at all.
    """
    path = folder / EXAMPLE_FILE
    if not path.is_file():
        return empty_examples()
    table = read_table(path, COLUMNS, (), faults)
    check_cells(
        table,
        [
            text("id"), choice("expect", (MATCH, NO_MATCH)), text("code"),
            CellCheck("code-shape", "code", (pl.col("code") != "") & ~pl.col("code").str.contains(f"^(?:{NATIONAL_CODE})$"), CODE_SHAPES),
            twice("value", "code", ["id", "code"], table, both("第 {} 行已写了这个编码，请只写一次", "row {} has this code; write it once")),
        ],
        faults,
    )  # fmt: skip
    return table.frame.select(*_SCHEMA) if table.frame.height else empty_examples()
