"""Whether `superseded_by` tells a history that can be followed."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from checker.knowledge.checks.check_input import CheckInput, place_of
from checker.knowledge.checks.issue import Found, Said


def superseded_by(checked: CheckInput) -> Iterator[Found]:
    """Points that follow themselves, are of another rule than the point they follow, or follow one that has not ended."""
    followed = checked.point.filter(pl.col("superseded_by").is_not_null())
    successors = checked.point.select("point_id", "rule_id", "valid_to", "superseded_by")
    pairs = followed.join(
        successors, left_on="superseded_by", right_on="point_id", suffix="_later", maintain_order="left"
    )
    circles = _in_circles(dict(pairs.select("point_id", "superseded_by").iter_rows()))
    for row in pairs.iter_rows(named=True):
        other = row["superseded_by"]
        if row["point_id"] in circles:
            told = Said(f"一直接续下去又回到 {row['point_id']}", f"what follows leads back to {row['point_id']}")
        elif row["rule_id"] != row["rule_id_later"]:
            told = Said(
                f"{other} 属于另一个规则 {row['rule_id_later']}", f"{other} is of another rule, {row['rule_id_later']}"
            )
        elif row["valid_to"] is None:
            told = Said(
                f"{other} 接续了它，它却没有结束（valid_to 为空）",
                f"{other} follows it, and it has no end (valid_to is empty)",
            )
        elif row["valid_to_later"] is not None and row["valid_to_later"] <= row["valid_to"]:
            told = Said(
                f"{other} 在 {row['valid_to_later']} 就结束了，接续不上",
                f"{other} ended on {row['valid_to_later']}, before it could follow",
            )
        else:
            continue
        yield Found(place_of(row), told, "superseded_by", other)


def _in_circles(next_of: dict[str, str]) -> frozenset[str]:
    """The points from which following leads back to themselves; every point is visited once."""
    circles: set[str] = set()
    done: set[str] = set()
    for start in next_of:
        path: dict[str, int] = {}
        at: str | None = start
        while at is not None and at not in done and at not in path:
            path[at] = len(path)
            at = next_of.get(at)
        if at is not None and at in path:
            circles.update(list(path)[path[at] :])
        done.update(path)
    return frozenset(circles)


def override(checked: CheckInput) -> Iterator[Found]:
    """Points of a layer that take the place of the point of their id below."""
    for place, item_name, layer in checked.layer.overridden:
        yield Found(
            place,
            Said(
                f"替换 {layer} 里同一编号的知识点（{item_name}），那一个不再判断",
                f"takes the place of the point of this id in {layer} ({item_name}), which judges no more",
            ),
            "point_id",
            place.key,
        )
