"""The reviewed text of points and patterns: point.csv and pattern.csv, read, checked and written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import astuple, fields
from pathlib import Path

from checker.knowledge import words
from checker.knowledge.cells import Cells, Faults, check_id, check_place_and_time, collect, read_csv
from checker.knowledge.codes import CODE_SHAPES, FAMILY_SHAPES, is_code, is_family
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.windows import AgeWindow, read_window

POINT_FILE = "point.csv"
PATTERN_FILE = "pattern.csv"

_RULE_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def read_points(folder: Path, faults: Faults) -> tuple[tuple[PointRow, ...], tuple[PatternRow, ...]]:
    """Return the points and patterns of the folder, each sorted by its key; what is wrong is noted in `faults`.

    Raises KnowledgeError for a file that cannot be read at all.
    """
    points = collect(read_csv(folder / POINT_FILE, _names(PointRow), faults), _point)
    patterns = collect(read_csv(folder / PATTERN_FILE, _names(PatternRow), faults), _pattern)
    _check_references(points, patterns)
    return (
        tuple(sorted((row for _, row in points), key=lambda row: row.point_id)),
        tuple(sorted((row for _, row in patterns), key=lambda row: (row.point_id, row.role, row.match, row.code))),
    )


def csv_text(rows: Sequence[PointRow] | Sequence[PatternRow], kind: type[PointRow] | type[PatternRow]) -> str:
    """Return the reviewed text of point or pattern rows: a header, one row a line, NULL as nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_names(kind))
    writer.writerows(["" if value is None else str(value) for value in astuple(row)] for row in rows)
    return out.getvalue()


def _names(kind: type[PointRow] | type[PatternRow]) -> tuple[str, ...]:
    return tuple(column.name for column in fields(kind))


def read_point(cells: Cells) -> PointRow:
    """The point of one row of cells; what a cell may not hold becomes a fault of the cells."""
    return PointRow(
        point_id=cells.text("point_id"),
        rule_id=cells.text("rule_id"),
        item_name=cells.text("item_name"),
        sex=cells.optional_choice("sex", words.SEXES),
        age_word=cells.optional_choice("age_word", words.AGE_WORDS),
        age_text=cells.optional("age_text"),
        age_min=cells.optional_whole("age_min"),
        age_min_unit=cells.optional_choice("age_min_unit", words.UNITS),
        age_max=cells.optional_whole("age_max"),
        age_max_unit=cells.optional_choice("age_max_unit", words.UNITS),
        subject=cells.optional_choice("subject", words.SUBJECTS),
        region=cells.optional("region"),
        region_of=cells.optional_choice("region_of", words.REGION_KINDS),
        valid_from=cells.day("valid_from"),
        valid_to=cells.optional_day("valid_to"),
        level_cap=cells.optional_choice("level_cap", words.LEVEL_CAPS),
        remark=cells.optional("remark"),
        document=cells.text("document"),
        batch=cells.text("batch"),
        published_codes=cells.whole("published_codes"),
        source_rows=cells.text("source_rows"),
    )


def _point(cells: Cells) -> PointRow:
    row = read_point(cells)
    check_id(cells, "point_id", row.point_id)
    if row.rule_id and not _RULE_ID.fullmatch(row.rule_id):
        cells.fault("rule_id", "write small letters and digits in words joined by '-'")
    check_place_and_time(cells, row.region, row.region_of, row.valid_from, row.valid_to)
    _check_window(cells, row)
    return row


def _check_window(cells: Cells, row: PointRow) -> None:
    bounds = AgeWindow(row.age_min, row.age_min_unit, row.age_max, row.age_max_unit)
    for column in ("age_min", "age_max"):
        if bool(cells.values[column]) != bool(cells.values[f"{column}_unit"]):
            cells.fault(f"{column}_unit", f"fill {column} and {column}_unit together, or neither")
    comparable = row.age_min_unit == row.age_max_unit
    if comparable and row.age_min is not None and row.age_max is not None and row.age_max <= row.age_min:
        cells.fault("age_max", f"write a number above age_min ({row.age_min}); age_max is exclusive")
    if (row.age_text is None) != (row.age_min is None and row.age_max is None):
        cells.fault("age_text", "write the published window together with age_min or age_max, or none of them")
    elif row.age_text is not None and (read := read_window(row.age_text)) is not None and read != bounds:
        cells.fault("age_text", f"write its bounds beside it: {_bounds(read)}")
    if row.sex is None and row.age_word is None and row.age_text is None:
        cells.fault("sex", "write a limit: sex, age_word or age_text")


def _bounds(window: AgeWindow) -> str:
    low, high = (
        "empty" if bound is None else f"{bound} {unit}"
        for bound, unit in ((window.minimum, window.minimum_unit), (window.maximum, window.maximum_unit))
    )
    return f"age_min {low}, age_max {high} (exclusive)"


def _pattern(cells: Cells) -> PatternRow:
    row = PatternRow(
        point_id=cells.text("point_id"),
        role=cells.choice("role", words.ROLES),
        match=cells.choice("match", words.MATCHES),
        code=cells.text("code"),
        published_codes=cells.whole("published_codes"),
    )
    if row.match == "code" and row.code and not is_code(row.code):
        cells.fault("code", f"write a full national code: {CODE_SHAPES}")
    if row.match == "family" and row.code and not is_family(row.code):
        cells.fault("code", f"write a family: {FAMILY_SHAPES}")
    return row


def _check_references(points: list[tuple[Cells, PointRow]], patterns: list[tuple[Cells, PatternRow]]) -> None:
    first_of: dict[str, str] = {}
    for cells, point in points:
        if point.point_id in first_of:
            cells.fault("point_id", f"{first_of[point.point_id]} has this id; give each point its own")
        first_of.setdefault(point.point_id, cells.place)
    pattern_of: dict[tuple[str, str, str], str] = {}
    for cells, pattern in patterns:
        key = (pattern.point_id, pattern.role, pattern.code)
        if pattern.point_id and pattern.point_id not in first_of:
            cells.fault("point_id", f"{POINT_FILE} has no such point; add it there or remove this pattern")
        if key in pattern_of:
            cells.fault("code", f"{pattern_of[key]} gives the point this code; write it once")
        pattern_of.setdefault(key, cells.place)
    covered = {pattern.point_id for _, pattern in patterns}
    for cells, point in points:
        if point.point_id and point.point_id not in covered:
            cells.fault("point_id", f"{PATTERN_FILE} has no pattern for it; add one or remove the point")
