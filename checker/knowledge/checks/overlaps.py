"""One code under several points of a rule: said twice, limited in two ways at once, or not limited for a while."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from checker.knowledge.checks.check_input import CHINESE, ENGLISH, SAME_LIMITS, CheckInput, limits_of, place_of
from checker.knowledge.checks.issue import ERROR, INFO, WARNING, Found, Said
from checker.knowledge.checks.meetings import REACH, by_points, equal_place, neighbours, same_place, same_time
from checker.knowledge.checks.reading import faults_of

_CODE_KEY = ("rule_id", "status", "match", "code", "apart")


def duplicate_point(checked: CheckInput) -> Iterator[Found]:
    """Ids that stand twice, and codes that two points of a rule limit alike at the same time and place.

    Two rows of one publication are as published, and told as info, where their names differ in parentheses only or they cover the
    family of both items.
    """
    # One id for two points cannot be built.
    yield from (replace(found, severity=ERROR) for found in faults_of("duplicate-point")(checked))
    for row in by_points(_met(checked).filter(_equal_limits())).iter_rows(named=True):
        as_published = (
            (row["item_key"] == row["item_key_later"] or row["match"] == "family")
            and row["batch"] == row["batch_later"]
            and row["item_name"] != row["item_name_later"]
        )
        yield Found(
            place_of(row, "_later"),
            Said(
                f"与 {row['point_id']}（{row['item_name']}）限制相同，同时管 {_codes(row)[0]}，由 {_judge(row)} 判断"
                f"{'；公布的表中就是两行' if as_published else ''}",
                f"limits {_codes(row)[1]} just as {row['point_id']} ({row['item_name']}) does; {_judge(row)} judges"
                f"{'; they are published as two rows' if as_published else ''}",
            ),
            "item_name",
            row["item_name_later"],
            INFO if as_published else WARNING,
        )


def limits_overlap(checked: CheckInput) -> Iterator[Found]:
    """Codes that two points of a rule limit in two ways at once; two sexes are another check. A regional point may differ.

    A code lies in the family that another point of its item covers: the exact code judges.
    """
    sexes = pl.col("sex") != pl.col("sex_later")
    other_limits = ~_equal_limits() & ~sexes.fill_null(value=False)
    pairs = pl.concat([_met(checked).filter(other_limits), _in_families(checked).filter(other_limits)], how="diagonal")
    for row in by_points(pairs).iter_rows(named=True):
        one, other = limits_of(row), limits_of(row, "_later")
        yield Found(
            place_of(row, "_later"),
            Said(
                f"{_codes(row)[0]}：这里{CHINESE.limit_and_subject(other)}，{row['point_id']} {CHINESE.limit_and_subject(one)}，"
                f"同时有效，由 {_judge(row)} 判断",
                f"{_codes(row)[1]}: {ENGLISH.limit_and_subject(other)} here, {ENGLISH.limit_and_subject(one)} by "
                f"{row['point_id']}, both in force; {_judge(row)} judges",
            ),
            "item_name",
            row["item_name_later"],
            None if row["same_region"] else INFO,
        )


def validity_gap(checked: CheckInput) -> Iterator[Found]:
    """Codes that a rule stops limiting and limits again later, and that nothing else of the rule limits meanwhile."""
    key = ["rule_id", "status", "region", "region_of", "match", "code", "apart"]
    shared = checked.covered.filter(pl.len().over(key) > 1).sort(*key, "valid_from", "point_id")
    told = shared.with_columns(
        ended=pl.col("ends").cum_max().shift(1).over(key), before=pl.col("point_id").shift(1).over(key)
    )
    gaps = _open(told.filter(pl.col("valid_from") > pl.col("ended")), checked)
    grouped = gaps.group_by("point_id", "ended", maintain_order=True).agg(
        pl.all().exclude("point_id", "ended").first(), codes=pl.len()
    )
    for row in grouped.iter_rows(named=True):
        yield Found(
            place_of(row),
            Said(
                f"{_codes(row)[0]}从 {row['ended']} 起没有限制（之前是 {row['before']}），到 {row['valid_from']} 又有",
                f"{_codes(row)[1]}: not limited from {row['ended']} ({row['before']} ended) to {row['valid_from']}",
            ),
            "valid_from",
            str(row["valid_from"]),
        )


def _open(gaps: pl.DataFrame, checked: CheckInput) -> pl.DataFrame:
    """The gaps without those in which one point that holds everywhere covers the code, or its family, all the time."""
    everywhere = checked.covered.filter(pl.col("region").is_null() & (pl.col("status") == "active")).select(
        "rule_id", "match", "code", since="valid_from", until="ends"
    )
    numbered = gaps.with_row_index("gap")
    covered = pl.concat(
        [
            numbered.join(everywhere, on=["rule_id", "match", "code"]).select(
                "gap", "ended", "valid_from", "since", "until"
            ),
            numbered.join(
                everywhere.filter(pl.col("match") == "family"),
                left_on=["rule_id", "family"],
                right_on=["rule_id", "code"],
            ).select("gap", "ended", "valid_from", "since", "until"),
        ]
    ).filter((pl.col("since") <= pl.col("ended")) & (pl.col("until") >= pl.col("valid_from")))
    return numbered.join(covered, on="gap", how="anti", maintain_order="left")


def _met(checked: CheckInput) -> pl.DataFrame:
    pairs = neighbours(checked.covered, _CODE_KEY).filter(same_time() & same_place())
    return pairs.with_columns(equal_place().alias("same_region"))


def _in_families(checked: CheckInput) -> pl.DataFrame:
    """Pairs of a family and, later, a code in it that another point of the rule limits by itself, of one item."""
    on = ["rule_id", "status", "apart", "item_key", "family"]
    families = checked.covered.filter((pl.col("match") == "family") & (pl.int_range(pl.len()).over(on) < REACH))
    codes = checked.covered.filter((pl.col("match") == "code") & pl.col("family").is_not_null())
    pairs = families.join(codes, on=on, suffix="_later", nulls_equal=True, maintain_order="left")
    met = pairs.filter((pl.col("point_id") != pl.col("point_id_later")) & same_time() & same_place())
    return met.with_columns(code=pl.col("code_later"), same_region=equal_place())


def _equal_limits() -> pl.Expr:
    return pl.all_horizontal(pl.col(column).eq_missing(pl.col(f"{column}_later")) for column in SAME_LIMITS)


def _judge(row: dict[str, Any]) -> str:
    """Which of two points judges where both fit: a local one, else the exact code, else the one that began later, else the smaller id."""
    if (row["region"] is None) != (row["region_later"] is None):
        return str(row["point_id"] if row["region_later"] is None else row["point_id_later"])
    if row.get("match_later") is not None and row["match_later"] != row["match"]:
        return str(row["point_id_later"] if row["match_later"] == "code" else row["point_id"])
    begun: date = row["valid_from"]
    return str(row["point_id_later"] if row["valid_from_later"] > begun else row["point_id"])


def _codes(row: dict[str, Any]) -> tuple[str, str]:
    count = row["codes"]
    return (
        (f"{row['code']} 等 {count} 个编码", f"{row['code']} and {count - 1} more") if count > 1 else (row["code"],) * 2
    )
