"""What the inputs allow to tell of visits: by which key lines and headers are one, and whose amounts are their costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checker.ingest.gather import Gathered
from checker.ingest.sources import Source

KEYS = ("visit_id", "settlement_id")
"""What names a visit."""
BUCKETS = 1 << 12
"""Visits are folded in parts, by the hash of their key."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the inputs allow: by which key lines and headers make a visit, whether its institution is part of that key, and whether costs are those of
    settlements; `visits_joined` where visit headers can be told to be of the same visits."""

    key: str | None
    by_institution: bool
    settled: bool
    visits_joined: bool


def plan_visits(files: Gathered) -> Plan:
    """What the inputs allow."""

    def told(sources: Sequence[Source], name: str) -> bool:
        return all(source.map.has(name) for source in sources)

    key: str | None = None
    if told(files.lines, "visit_id") and told(files.settlements, "visit_id"):
        key = "visit_id"
    elif told(files.lines, "settlement_id"):
        key = "settlement_id"
    elif told(files.lines, "visit_id"):
        key = "visit_id"
    settled = any(source.map.has("settlement_amount") for source in files.settlements)
    settled &= key == "settlement_id" or told(files.settlements, "visit_id")
    joined = key == "visit_id" or (bool(files.settlements) and told(files.settlements, "visit_id"))
    headers = (*(files.settlements if settled or key else ()), *(files.visits if joined else ()))
    by_institution = all(source.map.has("institution_id") for source in (*files.lines, *headers))
    return Plan(key, by_institution, settled, joined)


def visit_key(plan: Plan, visit: str = "visit_id", settlement: str = "settlement_id") -> str:
    """SQL of what names a visit; NULL where nothing does."""
    if plan.key is None:
        return "CAST(NULL AS VARCHAR)"
    if plan.key == "visit_id":
        # Of a visit number and a settlement number none may be taken for the other.
        return f"coalesce('v' || {visit}, 's' || {settlement})"
    return f"coalesce('s' || {settlement}, 'v' || {visit})"


def bucket(key: str) -> str:
    """SQL of the bucket of a visit."""
    return f"CAST(hash({key}) % {BUCKETS} AS USMALLINT)"
