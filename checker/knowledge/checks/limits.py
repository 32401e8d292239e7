"""Limits that contradict each other or the name of the item: two sexes for one code, 妇 limited to men."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from checker.knowledge.checks.check_input import CHINESE, ENGLISH, CheckInput, days_expr, limits_of, place_of
from checker.knowledge.checks.issue import Found, Said
from checker.knowledge.checks.meetings import REACH, by_points, same_place, same_time
from checker.shapes.item.age_words import CHILD_ENDS, CHILD_WORDS

_NOT_MEANT = "女贞|前列腺素|前列素|精子|睾酮|睾丸酮|睾丸素"
"""Herbs, substances and cells whose names hold a word for a sex and say nothing of the person."""
_FEMALE = "妇|女|孕|产后|产妇|产褥|哺乳|月经|痛经|调经|经期|带下|白带|子宫|宫颈|宫腔|卵巢|输卵管|阴道|胎盘"
_MALE = "男|前列腺|睾|阴茎|阴囊|精囊|精索|输精管|包皮|包茎|龟头"
_CHILD_WORDS = (("小儿|儿童|少儿|患儿", "儿童"), ("婴幼儿|幼儿", "婴幼儿"), ("婴儿", "婴儿"), ("新生儿", "新生儿"))
"""Words of names for children, widest first, and the word of limits that each means."""


def both_sexes(checked: CheckInput) -> Iterator[Found]:
    """Codes that are limited to men and to women at the same time and place, by any rules; an exact code lies in its family.

    Within one rule the exact code judges; of another item than its family's, it is only a family of another (another check).
    """
    sexed = checked.covered.filter(pl.col("sex").is_not_null()).with_columns(
        key=pl.col("code"), by_family=pl.lit(value=False)
    )
    raised = sexed.filter((pl.col("match") == "code") & pl.col("family").is_not_null())
    keyed = pl.concat([sexed, raised.with_columns(key=pl.col("family"), by_family=pl.lit(value=True))])
    on = ["status", "key"]
    keyed = keyed.filter(pl.col("sex").n_unique().over(on) > 1)
    # A code under thousands of points would give millions of pairs; the first of each sex tell enough.
    keyed = keyed.filter(pl.int_range(pl.len()).over([*on, "sex"]) < REACH)
    male, female = keyed.filter(pl.col("sex") == "male"), keyed.filter(pl.col("sex") == "female")
    pairs = male.join(female, on=on, suffix="_later", maintain_order="left")
    apart = (
        (pl.col("by_family") != pl.col("by_family_later"))
        & (pl.col("rule_id") == pl.col("rule_id_later"))
        & (pl.col("item_key") != pl.col("item_key_later"))
    )
    pairs = pairs.filter(~(pl.col("by_family") & pl.col("by_family_later")) & ~apart & same_time() & same_place())
    for row in by_points(pairs).iter_rows(named=True):
        code = row["code_later"] if row["by_family_later"] else row["code"]
        yield Found(
            place_of(row),
            Said(
                f"{code} 在这里限男性，{row['point_id_later']}（{row['item_name_later']}）又限女性，谁用都是违规",
                f"{code} is for men here and for women by {row['point_id_later']} ({row['item_name_later']}): everybody violates",
            ),
            "sex",
            row["sex"],
        )


def name_and_limit(checked: CheckInput) -> Iterator[Found]:
    """Names that say whom the item is for where the limit says somebody else."""
    sex, low = pl.col("sex"), days_expr("age_min")
    child_limit = pl.col("age_word").is_in(CHILD_WORDS.split("|")) | (days_expr("age_max") <= 18 * 366.0)
    # Names are read only where the limit could contradict them: reading is what takes time.
    for limited, contradicts, column in (
        (sex == "male", _says(_FEMALE) & ~_says(_MALE), "sex"),
        (sex == "female", _says(_MALE) & ~_says(_FEMALE), "sex"),
        (low > 0, low >= _childhood_ends(), "age_min"),
        (child_limit, _says("成人|老年") & _childhood_ends().is_null(), "age_word"),
    ):
        for row in checked.point.filter(limited).filter(contradicts).iter_rows(named=True):
            zh, en = CHINESE.limit(limits_of(row)), ENGLISH.limit(limits_of(row))
            yield Found(
                place_of(row),
                Said(
                    f"名称是“{row['item_name']}”，限制是“{zh}”", f"the name says {row['item_name']!r}, the limit {en!r}"
                ),
                column,
                None if row[column] is None else str(row[column]),
            )


def _says(words: str) -> pl.Expr:
    return pl.col("item_name").str.replace_all(_NOT_MEANT, "").str.contains(words)


def _childhood_ends() -> pl.Expr:
    """Days by which the childhood has ended that the name speaks of, the longest; NULL where it speaks of none."""
    ended = pl.lit(None, dtype=pl.Float64)
    for words, meant in reversed(_CHILD_WORDS):
        ended = pl.when(pl.col("item_name").str.contains(words)).then(CHILD_ENDS[meant]).otherwise(ended)
    return ended
