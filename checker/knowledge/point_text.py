"""The reviewed text of points and patterns: point.csv, a table of limits for each shape, and pattern.csv, read and checked."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from checker.knowledge import words
from checker.knowledge.cell_reader import AFTER_BEGINNING, ID_SIGNS, PLACE_DIGITS, Faults, together
from checker.knowledge.codes import CODE_SHAPES, FAMILY_PATTERN, FAMILY_SHAPES
from checker.knowledge.frames import schema_of
from checker.knowledge.limit_text import check_rows, limit_cells, limit_places, read_limits, wide_checks, with_limits
from checker.knowledge.rows import POINT_COMMON, PatternRow, PointRow
from checker.knowledge.text_table import (
    CellCheck,
    TextTable,
    as_day,
    as_text,
    as_whole,
    check_cells,
    choice,
    day,
    has_columns,
    like,
    read_table,
    safe,
    text,
    twice,
    whole,
)
from checker.model.errors import both
from checker.model.schema import NATIONAL_CODE
from checker.shapes import LIMIT_NAMES, SHAPES
from checker.shapes.item import ITEM

POINT_FILE = "point.csv"
PATTERN_FILE = "pattern.csv"
OTHER_FILES = ("exemption.toml", "crosswalk.csv")
"""Text that says something without points of its own."""
ADDED_COLUMNS = ("status", "superseded_by")
"""Columns that came later: a text without them is read as if every point were active and none superseded."""

POINT_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_RULE_ID = r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$"
_REGION = r"^[0-9]{2,6}$"

_COMMON_CELLS = (
    text("point_id"), text("rule_id"), text("item_name"),
    safe("item_name", name=True), *map(safe, ("document", "batch", "source_rows", "remark")),
    choice("subject", words.SUBJECTS, optional=True),
    choice("region_of", words.REGION_KINDS, optional=True),
    day("valid_from"), day("valid_to", optional=True),
    choice("level_cap", words.LEVEL_CAPS, optional=True),
    text("document", "missing-evidence"), text("batch", "missing-evidence"), text("source_rows", "missing-evidence"),
    whole("published_codes"),
    choice("status", words.POINT_STATUSES, optional=True),
    like("region", _REGION, PLACE_DIGITS),
    CellCheck("value", "region_of", (pl.col("region") == "") != (pl.col("region_of") == ""),
              together("region", "region_of")),
    CellCheck("validity", "valid_to", as_day("valid_to") <= as_day("valid_from"),
              pl.format(AFTER_BEGINNING, "valid_from", "valid_from")),
)  # fmt: skip
POINT_CELLS = (*_COMMON_CELLS, *(check for shape in SHAPES for check in limit_cells(shape)))
"""What each cell of a point and of its limits may hold."""
_POINT_ALONE = (
    like("point_id", POINT_ID, ID_SIGNS),
    like("superseded_by", POINT_ID, ID_SIGNS),
    like(
        "rule_id",
        _RULE_ID,
        both("请写用连字符连接的小写字母和数字", "write small letters and digits in words joined by '-'"),
    ),
)
_PATTERN_CELLS = (
    text("point_id"), choice("role", words.ROLES), choice("match", words.MATCHES), text("code"), whole("published_codes"),
    CellCheck("code-shape", "code",
              (pl.col("match") == "code") & (pl.col("code") != "") & ~pl.col("code").str.contains(f"^(?:{NATIONAL_CODE})$"),
              CODE_SHAPES),
    CellCheck("code-shape", "code",
              (pl.col("match") == "family") & (pl.col("code") != "") & ~pl.col("code").str.contains(f"^(?:{FAMILY_PATTERN})$"),
              FAMILY_SHAPES),
)  # fmt: skip


def read_points(folder: Path, faults: Faults) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the points with their limits and the patterns of the folder as typed frames in the order of the files, and where the limits stand.

    Beside the columns of their rows they hold `row`, the line in the file; the third has the `file`, `row` and `point_id` of each limit row. A
    faulty cell is NULL; what is wrong is noted in `faults`. Limits may also stand in point.csv itself, where there is no limit table. Raises
    KnowledgeError for a file that cannot be read at all.
    """
    shapes = [shape for shape in SHAPES if (folder / shape.limit_file).is_file()]
    if not shapes and not any((folder / name).is_file() for name in (POINT_FILE, PATTERN_FILE)) and _says_more(folder):
        # A supplement may be exemptions or a crosswalk alone.
        row = pl.Series("row", [], dtype=pl.Int32)
        point, pattern = (pl.DataFrame(schema=schema_of(kind)).with_columns(row) for kind in (PointRow, PatternRow))
        return point, pattern, limit_places({})
    within = not shapes and has_columns(folder / POINT_FILE, LIMIT_NAMES)
    columns = [name for name in POINT_COMMON if name not in ADDED_COLUMNS]
    if within:
        columns += [limit.name for limit in ITEM.limits]
    others = [name for name in LIMIT_NAMES if within and name not in columns]
    point_text = read_table(folder / POINT_FILE, columns, (*ADDED_COLUMNS, *others), faults)
    pattern_text = read_table(folder / PATTERN_FILE, list(schema_of(PatternRow)), (), faults)
    limit_texts = {shape: read_limits(folder, shape, faults) for shape in shapes}
    if within:
        check_cells(point_text, (*_COMMON_CELLS, *_POINT_ALONE, *wide_checks(point_text)), faults)
    else:
        check_cells(point_text, (*_COMMON_CELLS, *_POINT_ALONE), faults)
        check_rows(point_text, limit_texts, faults)
    check_cells(pattern_text, _PATTERN_CELLS, faults)
    _check_references(point_text, pattern_text, faults)
    places = limit_places(limit_texts)
    points = point_text if within else with_limits(point_text, limit_texts)
    return _with_row(points, typed_points(points)), _with_row(pattern_text, _typed_patterns(pattern_text)), places


def _says_more(folder: Path) -> bool:
    """Whether the folder holds text of another kind than points."""
    return any((folder / name).is_file() for name in OTHER_FILES)


def check_frames(point: pl.DataFrame, pattern: pl.DataFrame, files: tuple[str, str], faults: Faults) -> None:
    """Hold points and patterns that were not read from text to the same grammar; `files` are the names in the faults.

    A fault says the id of its point where one of text says its row.
    """
    points, patterns = _as_text_table(point, files[0]), _as_text_table(pattern, files[1])
    check_cells(points, (*_COMMON_CELLS, *_POINT_ALONE, *wide_checks(points)), faults)
    check_cells(patterns, _PATTERN_CELLS, faults)
    _check_references(points, patterns, faults)


def _as_text_table(frame: pl.DataFrame, file: str) -> TextTable:
    ids = frame["point_id"]
    cells = frame.select(pl.all().cast(pl.String).fill_null("")).with_row_index("row", 1)
    return TextTable(cells, lambda index: (file, f"point {ids[index]}"))


def typed_points(table: TextTable) -> pl.DataFrame:
    """The points of checked text; a faulty cell is NULL."""
    status = pl.when(pl.col("status") == "").then(pl.lit("active")).otherwise(pl.col("status")).alias("status")
    return table.frame.select(*_typed(PointRow)).with_columns(table.frame.select(status))


def _typed_patterns(table: TextTable) -> pl.DataFrame:
    return table.frame.select(*_typed(PatternRow))


def _typed(kind: type[PointRow] | type[PatternRow]) -> list[pl.Expr]:
    readers = {pl.String: as_text, pl.Int32: as_whole, pl.Date: as_day}
    return [readers[type_](name) for name, type_ in schema_of(kind).items()]


def _with_row(table: TextTable, typed: pl.DataFrame) -> pl.DataFrame:
    rows = table.frame["row"] if "row" in table.frame.columns else pl.Series("row", [], dtype=pl.Int32)
    return typed.with_columns(rows.alias("row"))


def _check_references(points: TextTable, patterns: TextTable, faults: Faults) -> None:
    point_ids, covered = points.frame["point_id"], patterns.frame["point_id"]
    known = pl.col("point_id") != ""
    check_cells(
        points,
        [
            twice("duplicate-point", "point_id", ["point_id"], points,
                  both("第 {} 行已有这个编号，请用各自的编号", "row {} has this id; give each point its own")),
            CellCheck("reference", "superseded_by",
                      (pl.col("superseded_by") != "") & ~pl.col("superseded_by").is_in(point_ids.implode()),
                      both(f"{POINT_FILE} 中没有这个知识点，请写其中的一个，或留空",
                           f"{POINT_FILE} has no such point; name one of its points or leave it empty")),
            CellCheck("reference", "point_id", known & ~pl.col("point_id").is_in(covered.implode()),
                      both(f"{PATTERN_FILE} 中没有它的编码，请补上，或删去这个知识点",
                           f"{PATTERN_FILE} has no pattern for it; add one or remove the point")),
        ],
        faults,
    )  # fmt: skip
    check_cells(
        patterns,
        [
            CellCheck("reference", "point_id", known & ~pl.col("point_id").is_in(point_ids.implode()),
                      both(f"{POINT_FILE} 中没有这个知识点，请补上，或删去这一行",
                           f"{POINT_FILE} has no such point; add it there or remove this pattern")),
            twice("duplicate-pattern", "code", ["point_id", "role", "code"], patterns,
                  both("第 {} 行已写了这个知识点的这个编码，请只写一次", "row {} gives the point this code; write it once")),
        ],
        faults,
    )  # fmt: skip
