"""What the validators look at: the rows with their places, the rules, the day, and the joins that several of them need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl

from checker.knowledge import point_words
from checker.knowledge.checks.issue import Place
from checker.knowledge.checks.layers import Layer
from checker.knowledge.frames import family_column
from checker.knowledge.names import item_key
from checker.knowledge.point_words import LIMIT_COLUMNS, Limits, PointWords
from checker.rulebook.plan import RulePlan
from checker.shapes import LIMITS
from checker.shapes.item.windows import UNIT_DAYS

OPEN = date.max
"""The end of what has none."""
_WORDINGS = frozenset(limit.name for limit in LIMITS if limit.wording)
SAME_LIMITS = tuple(column for column in LIMIT_COLUMNS if column not in _WORDINGS)
"""What makes two limits the same, whatever their wording."""
APART = tuple(limit.name for limit in LIMITS if limit.apart)
"""What tells points of one code that stand beside each other."""
_COVERED = (
    "point_id", "rule_id", "item_name", "status", "region", "region_of", "valid_from", "valid_to", "batch", *LIMIT_COLUMNS,
    "file", "row",
)  # fmt: skip
CHINESE, ENGLISH = PointWords("zh"), PointWords("en")


@dataclass(frozen=True)
class CheckInput:
    """One knowledge base under check. Frames have the columns of their rows and `file`, `row`."""

    layer: Layer
    rules: tuple[RulePlan, ...]
    day: date

    @property
    def point(self) -> pl.DataFrame:
        """The points."""
        return self.layer.point

    @cached_property
    def judged(self) -> tuple[tuple[RulePlan, pl.DataFrame], ...]:
        """The rules that have points, each with them."""
        points = self.point.partition_by("rule_id", as_dict=True)
        return tuple((rule, points[rule.id,]) for rule in self.rules if (rule.id,) in points)

    @cached_property
    def covered(self) -> pl.DataFrame:
        """Every pattern of a limited item with its point: match, code, family (NULL where none), published_codes, the point's columns, item_key, ends.

        `apart` tells points of one code that stand beside each other, such as the pairs of one item.
        """
        pattern = self.layer.pattern.filter(pl.col("role") == "item").select(
            "point_id", "match", "code", "published_codes"
        )
        beside = self.layer.pattern.filter(pl.col("role") == "container").group_by("point_id")
        containers = beside.agg(container=pl.col("code").sort().str.join("|"))
        points = self.point.select(_COVERED).join(containers, on="point_id", how="left", maintain_order="left")
        joined = pattern.join(points, on="point_id", maintain_order="right")
        return joined.join(self.keys, on="item_name", how="left", maintain_order="left").with_columns(
            family_column(pl.col("code")).alias("family"),
            pl.col("valid_to").fill_null(OPEN).alias("ends"),
            pl.concat_str(*APART, "container", separator="|", ignore_nulls=True).alias("apart"),
        )

    @cached_property
    def live(self) -> pl.DataFrame:
        """The covered patterns of points that have not ended on the day."""
        return self.covered.filter(pl.col("ends") > self.day)

    @cached_property
    def keys(self) -> pl.DataFrame:
        """What is compared of each item name: item_name, item_key."""
        names = self.point.select(pl.col("item_name").unique()).with_columns(
            item_key=pl.col("item_name").str.normalize("NFKC").str.strip_chars()
        )
        # Only parentheses need the loop; of a quarter of a million names most have none.
        plain = ~pl.col("item_key").str.contains("(", literal=True)
        others = names.filter(~plain)["item_name"]
        rest = pl.DataFrame({"item_name": others, "item_key": [item_key(name) for name in others]}, schema=names.schema)
        return pl.concat([names.filter(plain), rest])

    @cached_property
    def rule_ids(self) -> frozenset[str]:
        """The ids of the rules."""
        return frozenset(rule.id for rule in self.rules)


def days_expr(bound: str) -> pl.Expr:
    """The bound `age_min` or `age_max` in days."""
    return pl.col(bound) * pl.col(f"{bound}_unit").replace_strict(UNIT_DAYS, default=None, return_dtype=pl.Float64)


def place_of(row: dict[str, object], suffix: str = "") -> Place:
    """Where the row of a frame stands, named by its point."""
    number = row[f"row{suffix}"]
    return Place(str(row[f"file{suffix}"]), number if isinstance(number, int) else None, str(row[f"point_id{suffix}"]))


def limits_of(row: dict[str, object], suffix: str = "") -> Limits:
    """The limit of the row of a frame."""
    return point_words.limits_of(row[f"{column}{suffix}"] for column in LIMIT_COLUMNS)
