"""The rows of the tables of a knowledge base.

docs/architecture.md is the page that fixes the columns; the field order of a row class is the column order of its table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from operator import attrgetter
from typing import Any, Self

from checker.shapes import LIMIT_NAMES


@dataclass(frozen=True, slots=True)
class PointRow:
    """One knowledge point [知识点]: what is limited, for whom, when in force, on what evidence.

    `limits` are the cells of its row in the limit table of its shape, by name, NULL ones left out.
    """

    point_id: str
    rule_id: str
    item_name: str
    subject: str | None
    region: str | None
    region_of: str | None
    valid_from: date
    valid_to: date | None
    level_cap: str | None
    remark: str | None
    document: str
    batch: str
    published_codes: int
    source_rows: str
    status: str = "active"
    superseded_by: str | None = None
    limits: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Sequence[Any]) -> Self:
        """The point of a row of the wide table: the common columns, then the limits of all shapes."""
        limits = zip(LIMIT_NAMES, values[len(POINT_COMMON) :], strict=True)
        common = dict(zip(POINT_COMMON, values, strict=False))
        return cls(**common, limits={name: value for name, value in limits if value is not None})

    def values(self) -> tuple[Any, ...]:
        """The row of the wide table."""
        return (*_common(self), *map(self.limits.get, LIMIT_NAMES))

    def to_dict(self) -> dict[str, Any]:
        """The cells of the wide table by name."""
        return dict(zip((*POINT_COMMON, *LIMIT_NAMES), self.values(), strict=True))


POINT_COMMON = tuple(column.name for column in fields(PointRow) if column.name != "limits")
"""What every point has, whatever its shape, in the order of its table."""
_common = attrgetter(*POINT_COMMON)


@dataclass(frozen=True, slots=True)
class PatternRow:
    """One code or code family that a point covers."""

    point_id: str
    role: str
    match: str
    code: str
    published_codes: int

    def values(self) -> tuple[Any, ...]:
        """The row of the table."""
        return self.point_id, self.role, self.match, self.code, self.published_codes


def by_point(patterns: Iterable[PatternRow]) -> dict[str, list[PatternRow]]:
    """The patterns of each point by its id, in their order."""
    found: dict[str, list[PatternRow]] = defaultdict(list)
    for pattern in patterns:
        found[pattern.point_id].append(pattern)
    return found


@dataclass(frozen=True, slots=True)
class CrosswalkRow:
    """One local code and a national one that it stands for, from when, before when, and on what ground."""

    local_code: str
    local_name: str | None
    national_code: str
    valid_from: date | None
    valid_to: date | None
    basis: str


@dataclass(frozen=True, slots=True)
class ExemptionRow:
    """One exemption [豁免]: which rule it softens, how, why, and on whose word."""

    exemption_id: str
    rule_id: str
    effect: str
    reason: str
    reason_en: str
    evidence: str
    status: str
    diagnoses: tuple[str, ...] | None
    region: str | None
    region_of: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class ExemptionItemRow:
    """One item of an exemption; an exemption without items concerns every item of its rule."""

    exemption_id: str
    match: str
    value: str
