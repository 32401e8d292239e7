"""The reviewed text of a crosswalk: crosswalk.csv, read and checked cell by cell."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.codes import CODE_SHAPES
from checker.knowledge.crosswalk import (
    A_LOCAL_CODE,
    CROSSWALK_FILE,
    ENDS_FIRST,
    KEY,
    SCHEMA,
    empty_crosswalk,
    is_local_code,
    overlapping,
)
from checker.knowledge.text_table import (
    CellCheck,
    TextTable,
    as_day,
    as_text,
    check_cells,
    day,
    read_table,
    text,
    twice,
)
from checker.model.errors import both, found_instead
from checker.model.schema import NATIONAL_CODE

ROW = pl.Series("row", [], dtype=pl.Int32)


def read_crosswalk_text(folder: Path, faults: Faults) -> pl.DataFrame:
    """Return the crosswalk of a folder of text in the order of its file, with the `row` of each; without the file it is empty.

    What is wrong is noted in `faults`. Raises KnowledgeError for a file that cannot be read at all.
    """
    path = folder / CROSSWALK_FILE
    if not path.is_file():
        return empty_crosswalk().with_columns(ROW)
    table = read_table(path, [name for name in SCHEMA if name != "local_name"], ("local_name",), faults)
    typed = _checked(table, faults)
    return typed.with_columns(table.frame["row"] if "row" in table.frame.columns else ROW)


def check_crosswalk(frame: pl.DataFrame, file: str, faults: Faults) -> None:
    """Hold a crosswalk that was not read from text to the same grammar; `file` is its name in the faults."""
    codes = frame["local_code"]
    cells = frame.select(pl.all().cast(pl.String).fill_null("")).with_row_index("row", 1)
    _checked(TextTable(cells, lambda index: (file, f"crosswalk {codes[index]}")), faults)


def _checked(table: TextTable, faults: Faults) -> pl.DataFrame:
    wrong = [code for code in table.frame["local_code"].unique() if code and not is_local_code(code)]
    check_cells(
        table,
        [
            text("local_code"), text("national_code"), text("basis", "missing-evidence"),
            day("valid_from", optional=True), day("valid_to", optional=True),
            CellCheck("code-shape", "local_code", pl.col("local_code").is_in(pl.Series(wrong, dtype=pl.String).implode()), A_LOCAL_CODE),
            CellCheck("code-shape", "national_code",
                      (pl.col("national_code") != "") & ~pl.col("national_code").str.contains(f"^(?:{NATIONAL_CODE})$"), CODE_SHAPES),
            CellCheck("value", "national_code", (pl.col("national_code") != "") & (pl.col("national_code") == pl.col("local_code")),
                      both("与地方编码相同，无需对照，请删去这一行", "the same as the local code maps nothing; remove the row")),
            CellCheck("validity", "valid_to", as_day("valid_to") <= as_day("valid_from"), ENDS_FIRST),
            twice("value", "local_code", KEY, table,
                  both("第 {} 行已写了同一对编码和日期，请只写一次", "row {} says the same of the same days; write it once")),
        ],
        faults,
    )  # fmt: skip
    types = {pl.String: as_text, pl.Date: as_day}
    typed = table.frame.select(*(types[kind](name) for name, kind in SCHEMA.items()))
    known = typed.with_row_index("index").with_columns(row=table.frame["row"] if "row" in table.frame.columns else ROW)
    distinct = known.unique(KEY, keep="first", maintain_order=True).drop_nulls(["local_code", "national_code"])
    for each in overlapping(distinct).iter_rows(named=True):
        file, place = table.place(each["index"])
        told = both(
            f"与第 {each['earlier']} 行是同一对编码，日期重叠，请改成前后相接",
            f"row {each['earlier']} has the same pair on days that overlap; let one end where the other begins",
        )
        faults.add(file, f"{place}, column valid_from", found_instead(str(each["valid_from"] or ""), told))
    return typed
