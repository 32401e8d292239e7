"""A small knowledge base as text, row by row, for tests that change a few cells."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from checker.knowledge.frames import schema_of
from checker.knowledge.rows import POINT_COMMON, PatternRow, PointRow
from checker.shapes import SHAPES

WIDE_COLUMNS = tuple(schema_of(PointRow))
POINT_COLUMNS = POINT_COMMON
LIMIT_COLUMNS = {shape.id: ("point_id", *(limit.name for limit in shape.limits)) for shape in SHAPES}
PATTERN_COLUMNS = tuple(schema_of(PatternRow))
EDITION = """layout = 1
name = "small"
version = "1"
published = 2025-05-23
compiled = 2025-06-01
[[notice]]
batch = "01"
published = 2025-05-23
title = "公告"
publisher = "国家医疗保障局"
"""
CROSSWALK_COLUMNS = "local_code,local_name,national_code,valid_from,valid_to,basis"
Row = Mapping[str, str]


def point(point_id: str, rule_id: str, item_name: str, **cells: str) -> dict[str, str]:
    """A point in force from 2025-05-23; other cells as given, the rest empty."""
    own = {"point_id": point_id, "rule_id": rule_id, "item_name": item_name, "valid_from": "2025-05-23"}
    evidence = {"document": "公告", "batch": "01", "published_codes": "1", "source_rows": f"01/{point_id}"}
    return {**dict.fromkeys(WIDE_COLUMNS, ""), **own, **evidence, **cells}


def code(point_id: str, value: str) -> dict[str, str]:
    """An exact code of a point."""
    return {"point_id": point_id, "role": "item", "match": "code", "code": value, "published_codes": "1"}


def family(point_id: str, value: str) -> dict[str, str]:
    """A family of a point."""
    return {**code(point_id, value), "match": "family"}


def exemption(exemption_id: str, rule: str, **keys: str) -> str:
    """An exemption in force from 2025-05-23; `keys` are TOML values."""
    told = {
        "id": f'"{exemption_id}"', "rule": f'"{rule}"', "effect": '"exempt"', "status": '"official"', "reason": '"理由"',
        "reason_en": '"why"', "evidence": '"依据"', "valid_from": "2025-05-23", **keys,
    }  # fmt: skip
    return "\n".join(["[[exemption]]", *(f"{key} = {value}" for key, value in told.items()), ""])


DRUG, SERVICE = "XG04CBA088A001010101467", "002501040040000"
POINTS = (
    point("p1", "drug-sex", "爱普列特片", sex="male"),
    point("p2", "drug-sex", "妇科千金片", sex="female"),
    point("p3", "drug-child-only", "小儿清热颗粒", age_word="儿童"),
    point(
        "p4", "drug-child-limited", "玛巴洛沙韦干混悬剂", age_word="儿童", age_text="3-12岁",
        age_min="3", age_min_unit="year", age_max="13", age_max_unit="year", subject="参保人",
    ),
    point("p5", "service-sex", "前列腺按摩", sex="male"),
)  # fmt: skip
PATTERNS = (
    family("p1", "XG04CBA088A001"),
    family("p2", "ZD03AAF0161"),
    code("p3", "ZA01BAX0510010100001"),
    code("p4", "XJ05AXM176X006010181735"),
    code("p5", SERVICE),
)
EXEMPTION = exemption(
    "e1", "drug-sex", effect='"lower"', diagnoses='["I27"]', items='[{match="name", value="爱普列特片"}]'
)


@dataclass(frozen=True)
class Kb:
    """The rows of a knowledge base as text: sound, unless a test puts something else.

    Rows of points have the limits of all shapes; each is written into the table of the shape that it has any of, else that of `item`.
    """

    points: Sequence[Row] = POINTS
    patterns: Sequence[Row] = PATTERNS
    exemptions: str = EXEMPTION
    edition: str = EDITION
    point_columns: Sequence[str] = field(default=POINT_COLUMNS)
    crosswalk: str = ""
    examples: str = ""

    def write(self, folder: Path) -> Path:
        """Write the files into the folder and return it."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, columns, rows in (
            ("point.csv", self.point_columns, self.points),
            ("pattern.csv", PATTERN_COLUMNS, self.patterns),
            *((f"{shape}.csv", columns, self._limits(shape)) for shape, columns in LIMIT_COLUMNS.items()),
        ):
            if not rows and name != "pattern.csv":
                continue
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        (folder / "exemption.toml").write_text(self.exemptions, encoding="utf-8")
        (folder / "edition.toml").write_text(self.edition, encoding="utf-8")
        if self.crosswalk:
            (folder / "crosswalk.csv").write_text(f"{CROSSWALK_COLUMNS}\n{self.crosswalk}\n", encoding="utf-8")
        if self.examples:
            (folder / "example.csv").write_text(f"id,expect,code\n{self.examples}\n", encoding="utf-8")
        return folder

    def _limits(self, shape: str) -> list[Row]:
        def of(row: Row) -> str:
            return next(
                (name for name, limits in LIMIT_COLUMNS.items() if any(row[limit] for limit in limits[1:])), "item"
            )

        return [row for row in self.points if of(row) == shape]


def more(points: Sequence[Row] = (), patterns: Sequence[Row] = (), exemptions: str = "") -> Kb:
    """The sound knowledge base with more rows."""
    return Kb([*POINTS, *points], [*PATTERNS, *patterns], EXEMPTION + exemptions)


def changed(point_id: str, **cells: str) -> Kb:
    """The sound knowledge base with other cells in one point."""
    return Kb([{**row, **cells} if row["point_id"] == point_id else row for row in POINTS])
