"""The knowledge as plain Python rows, for the contestants that do not read it by SQL (pandas and the row engines)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.shared import RULES

MUCH = 99_999
_WORD_MONTHS = {"婴儿": 12, "婴幼儿": 36, "儿童": 168, "小儿": 168}
_UNIT_MONTHS = {"year": 12, "month": 1}
_CAPS = {"notice": 1, "suspect": 2, None: 3}
LEVELS = ("", "notice", "suspect", "definite")


@dataclass(frozen=True, slots=True)
class Point:
    """One knowledge point under one pattern, its window in whole months and days (upper bounds exclusive)."""

    pattern: str
    matched_by: str
    point_id: str
    rule_id: str
    rule_code: str
    weight: int
    cap: int
    sex: str | None
    subject: str | None
    has_age: bool
    min_months: int
    min_days: int
    max_months: int
    max_days: int
    lenient: bool
    exempt: bool
    valid_from: date
    valid_to: date


def _window(row: dict[str, Any]) -> tuple[int, int, int, int]:
    low, low_unit, high, high_unit = row["age_min"], row["age_min_unit"], row["age_max"], row["age_max_unit"]
    min_months = low * _UNIT_MONTHS[low_unit] if low is not None and low_unit != "day" else 0
    min_days = low if low is not None and low_unit == "day" else 0
    if high is not None:
        return (
            (min_months, min_days, MUCH, high)
            if high_unit == "day"
            else (min_months, min_days, high * _UNIT_MONTHS[high_unit], MUCH)
        )
    word = row["age_word"]
    return min_months, min_days, _WORD_MONTHS.get(word, MUCH), 29 if word == "新生儿" else MUCH


def load(folder: Path) -> list[Point]:
    """Return every pattern of the five rules with its point; of two with one pattern and time, the smaller id."""
    rules = {rule_id: (code, {"suspect": 2, "definite": 3}[level]) for rule_id, code, level in RULES}
    limits = {row["point_id"]: row for row in pq.read_table(folder / "item.parquet").to_pylist()}
    points = {
        row["point_id"]: row | limits[row["point_id"]]
        for row in pq.read_table(folder / "point.parquet").to_pylist()
        if row["rule_id"] in rules
    }
    free = {row["exemption_id"]: row["rule_id"] for row in pq.read_table(folder / "exemption.parquet").to_pylist()
            if row["effect"] == "exempt" and row["diagnoses"] is None}  # fmt: skip
    items = pq.read_table(folder / "exemption_item.parquet").to_pylist()
    names = {(free[row["exemption_id"]], row["value"]) for row in items
             if row["exemption_id"] in free and row["match"] == "name"}  # fmt: skip
    found: dict[tuple[object, ...], Point] = {}
    for pattern in pq.read_table(folder / "pattern.parquet").to_pylist():
        row = points.get(pattern["point_id"])
        if row is None:
            continue
        code, weight = rules[row["rule_id"]]
        has_age = row["age_word"] is not None or row["age_min"] is not None or row["age_max"] is not None
        lenient = row["age_max"] is None and row["age_word"] in ("儿童", "小儿")
        key = (row["rule_id"], pattern["code"], row["valid_from"], row["valid_to"])
        if key not in found or row["point_id"] < found[key].point_id:
            found[key] = Point(
                pattern["code"], pattern["match"], row["point_id"], row["rule_id"], code,
                weight, _CAPS[row["level_cap"]],
                row["sex"], row["subject"], has_age, *_window(row), lenient, (row["rule_id"], row["item_name"]) in names,
                row["valid_from"], row["valid_to"] or date(9999, 12, 31),
            )  # fmt: skip
    return list(found.values())
