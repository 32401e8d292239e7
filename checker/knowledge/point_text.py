"""The reviewed text of points and patterns: point.csv and pattern.csv, read, checked and written."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from checker.knowledge import words
from checker.knowledge.cell_reader import AFTER_BEGINNING, ID_SIGNS, PLACE_DIGITS, Faults, together
from checker.knowledge.codes import CODE_SHAPES, FAMILY_PATTERN, FAMILY_SHAPES
from checker.knowledge.frames import schema_of
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.text_table import (
    CellCheck,
    TextTable,
    as_day,
    as_text,
    as_whole,
    check_cells,
    choice,
    day,
    like,
    read_table,
    text,
    whole,
)
from checker.knowledge.windows import AgeWindow, read_window
from checker.model.errors import both
from checker.model.schema import NATIONAL_CODE

POINT_FILE = "point.csv"
PATTERN_FILE = "pattern.csv"
ADDED_COLUMNS = ("status", "superseded_by", "companions")
"""Columns that came later: a text without them is read as if every point were active and none superseded."""

POINT_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_RULE_ID = r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$"
_REGION = r"^[0-9]{2,6}$"
_NEVER = pl.lit(value=False)

POINT_CELLS = (
    text("point_id"), text("rule_id"), text("item_name"),
    choice("sex", words.SEXES, optional=True),
    choice("age_word", words.AGE_WORDS, optional=True),
    whole("age_min", optional=True), choice("age_min_unit", words.UNITS, optional=True),
    whole("age_max", optional=True), choice("age_max_unit", words.UNITS, optional=True),
    choice("subject", words.SUBJECTS, optional=True),
    choice("companions", words.COMPANIONS, optional=True),
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
    *(CellCheck("age-bounds", f"{bound}_unit", (pl.col(bound) == "") != (pl.col(f"{bound}_unit") == ""),
                together(bound, f"{bound}_unit")) for bound in ("age_min", "age_max")),
)  # fmt: skip
"""What each cell of a point may hold."""
_POINT_ALONE = (
    like("point_id", POINT_ID, ID_SIGNS),
    like("superseded_by", POINT_ID, ID_SIGNS),
    like("rule_id", _RULE_ID, both("请写用连字符连接的小写字母和数字", "write small letters and digits in words joined by '-'")),
    CellCheck("age-bounds", "age_max",
              (pl.col("age_min_unit") == pl.col("age_max_unit")) & (as_whole("age_max") <= as_whole("age_min")),
              pl.format(both("请写大于 age_min（{}）的数，age_max 不含在内", "write a number above age_min ({}); age_max is exclusive"),
                        "age_min", "age_min")),
    CellCheck("age-bounds", "age_text",
              (pl.col("age_text") == "") != ((pl.col("age_min") == "") & (pl.col("age_max") == "")),
              both("请把公布的年龄范围与 age_min 或 age_max 一起写，或都不写",
                   "write the published window together with age_min or age_max, or none of them")),
    CellCheck("no-limit", "sex", (pl.col("sex") == "") & (pl.col("age_word") == "") & (pl.col("age_text") == "") & (pl.col("companions") == ""),
              both("请写一个限制：sex、age_word、age_text 或 companions", "write a limit: sex, age_word, age_text or companions")),
)  # fmt: skip
_PATTERN_CELLS = (
    text("point_id"), choice("role", words.ROLES), choice("match", words.MATCHES), text("code"), whole("published_codes"),
    CellCheck("code-shape", "code",
              (pl.col("match") == "code") & (pl.col("code") != "") & ~pl.col("code").str.contains(f"^(?:{NATIONAL_CODE})$"),
              CODE_SHAPES),
    CellCheck("code-shape", "code",
              (pl.col("match") == "family") & (pl.col("code") != "") & ~pl.col("code").str.contains(f"^(?:{FAMILY_PATTERN})$"),
              FAMILY_SHAPES),
)  # fmt: skip


def read_points(folder: Path, faults: Faults) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the points and patterns of the folder as typed frames in the order of the files; what is wrong is noted in `faults`.

    Beside the columns of their rows they hold `row`, the line in the file. A faulty cell is NULL. Raises KnowledgeError for a
    file that cannot be read at all.
    """
    columns = [name for name in schema_of(PointRow) if name not in ADDED_COLUMNS]
    point_text = read_table(folder / POINT_FILE, columns, ADDED_COLUMNS, faults)
    check_cells(point_text, (*POINT_CELLS, *_POINT_ALONE, *_window_checks(point_text)), faults)
    pattern_text = read_table(folder / PATTERN_FILE, list(schema_of(PatternRow)), (), faults)
    check_cells(pattern_text, _PATTERN_CELLS, faults)
    _check_references(point_text, pattern_text, faults)
    return _with_row(point_text, typed_points(point_text)), _with_row(pattern_text, _typed_patterns(pattern_text))


def check_frames(point: pl.DataFrame, pattern: pl.DataFrame, files: tuple[str, str], faults: Faults) -> None:
    """Hold points and patterns that were not read from text to the same grammar; `files` are the names in the faults.

    A fault says the id of its point where one of text says its row.
    """
    points, patterns = _as_text_table(point, files[0]), _as_text_table(pattern, files[1])
    check_cells(points, (*POINT_CELLS, *_POINT_ALONE, *_window_checks(points)), faults)
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


def _window_checks(table: TextTable) -> list[CellCheck]:
    """The bounds beside a published window that is understood are its own."""
    checks = []
    for told in table.frame["age_text"].unique().to_list():
        window = read_window(told) if told else None
        if window is not None:
            same = pl.lit(value=True)
            for column, bound in (
                ("age_min", window.minimum), ("age_min_unit", window.minimum_unit),
                ("age_max", window.maximum), ("age_max_unit", window.maximum_unit),
            ):  # fmt: skip
                same &= pl.col(column) == ("" if bound is None else str(bound))
            filled = (pl.col("age_min") != "") | (pl.col("age_max") != "")
            wrong = (pl.col("age_text") == told) & filled & ~same
            checks.append(CellCheck("age-bounds", "age_text", wrong, _bounds(window)))
    return checks


def _bounds(window: AgeWindow) -> str:
    low, high = (
        "empty" if bound is None else f"{bound} {unit}"
        for bound, unit in ((window.minimum, window.minimum_unit), (window.maximum, window.maximum_unit))
    )
    told = f"age_min {low}, age_max {high}"
    return both(f"请在旁边写它的上下限：{told}（不含）", f"write its bounds beside it: {told} (exclusive)")


def _check_references(points: TextTable, patterns: TextTable, faults: Faults) -> None:
    point_ids, covered = points.frame["point_id"], patterns.frame["point_id"]
    known = pl.col("point_id") != ""
    check_cells(
        points,
        [
            _twice("duplicate-point", "point_id", ["point_id"], points,
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
            _twice("duplicate-pattern", "code", ["point_id", "role", "code"], patterns,
                   both("第 {} 行已写了这个知识点的这个编码，请只写一次", "row {} gives the point this code; write it once")),
        ],
        faults,
    )  # fmt: skip


def _twice(check: str, column: str, key: list[str], table: TextTable, remedy: str) -> CellCheck:
    """The key stands once; the remedy names the row where it stands first."""
    if not table.frame.select(key).is_duplicated().any():
        return CellCheck(check, column, _NEVER, "")
    first = pl.col("row").first().over(key)
    return CellCheck(check, column, ~pl.struct(key).is_first_distinct(), pl.format(remedy, first, first))
