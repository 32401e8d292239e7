"""How facts and points meet: one folder a shape, each with its limits, columns, reasons and the SQL of its base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.shapes.base import LINE_COLUMNS, PLACE_COLUMNS, SQL_TYPES, Limit, Shape
from checker.shapes.companion import COMPANION
from checker.shapes.evidence import EVIDENCE
from checker.shapes.item import ITEM
from checker.shapes.pair import PAIR
from checker.shapes.quota import QUOTA
from checker.shapes.terms import TERMS

SHAPES: tuple[Shape, ...] = (ITEM, COMPANION, TERMS, QUOTA, PAIR, EVIDENCE)
"""All shapes there are. A new one is a folder and its name here."""

BY_ID = {shape.id: shape for shape in SHAPES}
LIMITS: tuple[Limit, ...] = tuple(limit for shape in SHAPES for limit in shape.limits)
"""The limits of all shapes; no two have the same name."""
LIMIT_NAMES = tuple(limit.name for limit in LIMITS)
ROLES: dict[str, tuple[str, str]] = {role: words for shape in SHAPES for role, words in shape.roles.items()}
REASONS: tuple[str, ...] = tuple(dict.fromkeys(reason for shape in SHAPES for reason in shape.reasons))
POINT_COLUMNS = PLACE_COLUMNS | {limit.column: SQL_TYPES[limit.kind] for limit in LIMITS}
"""What a point brings to the judgment."""
CANDIDATE_COLUMNS = LINE_COLUMNS | POINT_COLUMNS
"""What a line and a point that covers it bring."""


def asked_parts(limits: Mapping[str, Any]) -> frozenset[str]:
    """What a point with these limits asks of the base of its shape; of the limits of other shapes it has none."""
    return frozenset[str]().union(*(shape.asks(limits) for shape in SHAPES))
