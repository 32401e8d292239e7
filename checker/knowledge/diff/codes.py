"""Which codes and families the rules of two knowledge bases cover differently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from checker.knowledge.point_words import LIMIT_COLUMNS, Limits, limits_of
from checker.knowledge.source import Sources

CODE_KINDS = ("gained", "lost", "ended", "resumed", "limits", "period")
"""Covered anew; no longer covered; covered by ended points only; no longer so; limited otherwise; on other days."""
_KEY = ["rule_id", "match", "code"]
_TERMS = (*LIMIT_COLUMNS, "region", "region_of", "level_cap", "status")
_STATE = ("point_id", *_TERMS, "valid_from", "valid_to")


@dataclass(frozen=True, slots=True)
class CodeState:
    """How a code is limited on some days: by which point, whom, where, at most at which level, on trial (shadow) or not."""

    point_id: str
    limits: Limits
    region: str | None
    region_of: str | None
    level_cap: str | None
    status: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class CodeChange:
    """A code or family of one rule that is limited differently; `before` and `after` are in the order of their days."""

    kind: str
    rule_id: str
    match: str
    code: str
    item_name: str
    before: tuple[CodeState, ...]
    after: tuple[CodeState, ...]


def code_changes(before: Sources, after: Sources) -> pl.DataFrame:
    """Return the codes that are limited differently, sorted by rule, match and code; the ids of points do not count.

    Columns: kind, rule_id, match, code, item_name, and lists of states `before` and `after`.
    """
    sides = [_covered(side) for side in (before, after)]
    on = [*_KEY, *_STATE[1:]]
    differing = [
        one.join(other.select(on), on=on, how="anti", nulls_equal=True).select(_KEY)
        for one, other in (sides, sides[::-1])
    ]
    keys = pl.concat(differing).unique()
    old, new = (_states(side.join(keys, on=_KEY, how="semi"), name) for side, name in zip(sides, _SIDES, strict=True))
    joined = old.join(new, on=_KEY, how="full", coalesce=True, suffix="_after")
    return joined.select(
        _kind().alias("kind"),
        *_KEY,
        pl.coalesce("item_name_after", "item_name").alias("item_name"),
        pl.col(_SIDES).fill_null([]),
    ).sort(_KEY)


def as_changes(frame: pl.DataFrame) -> Iterator[CodeChange]:
    """The rows of `code_changes` one by one."""
    for row in frame.iter_rows(named=True):
        sides = {name: tuple(_state(state) for state in row[name]) for name in _SIDES}
        yield CodeChange(row["kind"], row["rule_id"], row["match"], row["code"], row["item_name"], **sides)


_SIDES = ("before", "after")


def _covered(sources: Sources) -> pl.DataFrame:
    point = sources.point.select("rule_id", "item_name", *_STATE)
    return (
        sources.pattern.filter(pl.col("role") == "item").select("point_id", "match", "code").join(point, on="point_id")
    )


def _states(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """One row a code: the item, the states in order, whether one is open, and all terms as one text."""
    terms = pl.concat_str([pl.col(term).cast(pl.String).fill_null("") for term in _TERMS], separator="\x1f")
    grouped = rows.sort("valid_from", "point_id").group_by(_KEY, maintain_order=True)
    return grouped.agg(
        pl.col("item_name").first(),
        pl.struct(_STATE).alias(name),
        pl.col("valid_to").is_null().any().alias("open"),
        terms.unique().sort().str.join("\x1e").alias("terms"),
    )


def _kind() -> pl.Expr:
    return (
        pl.when(pl.col("before").is_null()).then(pl.lit("gained"))
        .when(pl.col("after").is_null()).then(pl.lit("lost"))
        .when(pl.col("open") & ~pl.col("open_after")).then(pl.lit("ended"))
        .when(~pl.col("open") & pl.col("open_after")).then(pl.lit("resumed"))
        .when(pl.col("terms") != pl.col("terms_after")).then(pl.lit("limits"))
        .otherwise(pl.lit("period"))
    )  # fmt: skip


def _state(cells: dict[str, Any]) -> CodeState:
    limits = limits_of(cells[name] for name in LIMIT_COLUMNS)
    return CodeState(limits=limits, **{name: cells[name] for name in _STATE if name not in LIMIT_COLUMNS})
