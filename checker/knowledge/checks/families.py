"""Item names held against the code families [药品码前段] that they stand under."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from checker.knowledge.checks.check_input import SAME_LIMITS, CheckInput, place_of
from checker.knowledge.checks.issue import INFO, Found, Said
from checker.knowledge.checks.meetings import equal_place, same_time

_COMMON_WORDS = re.compile(
    "注射用|注射液|口服液|口服|溶液|糖浆|合剂|胶囊|胶丸|颗粒|冲剂|软膏|乳膏|凝胶|喷雾剂|气雾剂|吸入|滴眼液|滴剂|滴丸|混悬液|混悬剂|"
    "干混悬|分散|缓释|控释|肠溶|泡腾|咀嚼|薄膜衣|糖衣|浓缩|水蜜|复方|小儿|儿童|婴儿|外用|冻干|栓|片|丸|散|膏|贴|酊|"
    "盐酸|硫酸|磷酸|枸橼酸|醋酸|乳酸|氢溴酸|马来酸|富马酸|酒石酸|苯磺酸|甲磺酸"
)
"""Forms, salts and readers that many items share; what is left of a name says which substance or recipe it is."""
CONFIRMED = ("前段已核对", "family checked")
"""What the remark of a point says, one of these, whose family holds another item, when somebody has seen that it is meant so."""
_PIECE = 2
"""Names that have this many characters in a row in common, beside common words, are related."""
_OF_POINT = ("point_id", "item_name", "file", "row")


def family_of_another(checked: CheckInput) -> Iterator[Found]:
    """Family patterns that also cover a code of another item, which the rule does not limit alike; confirmed in the remark, they are told as info."""
    live = checked.live.filter(pl.col("family").is_not_null())
    several = live.filter(pl.col("item_key").n_unique().over("family") > 1)
    items = several.unique(["point_id", "family", "match"], keep="first", maintain_order=True)
    pairs = items.filter(pl.col("match") == "family").join(items, on="family", suffix="_later", maintain_order="left")
    alike = (
        (pl.col("rule_id") == pl.col("rule_id_later"))
        & ((pl.col("status_later") == "active") | (pl.col("status") == pl.col("status_later")))
        & (pl.col("region_later").is_null() | equal_place())
        & pl.all_horizontal(pl.col(column).eq_missing(pl.col(f"{column}_later")) for column in SAME_LIMITS)
    )
    item = ["point_id", "family", "item_key_later"]
    other = pairs.filter((pl.col("item_key") != pl.col("item_key_later")) & same_time())
    foreign = other.filter(~alike.any().over(item))
    told = foreign.unique(item, keep="first", maintain_order=True)
    remarks = checked.point.select("point_id", "remark").unique("point_id", keep="first")
    for row in told.join(remarks, on="point_id", how="left", maintain_order="left").iter_rows(named=True):
        yield Found(
            place_of(row),
            Said(
                f"药品码前段 {row['family']} 按“{row['item_name']}”整段限制，其中还有“{row['item_name_later']}”"
                f"（{row['code_later']}，{row['point_id_later']}），也会被限制，而规则没有同样限制它",
                f"the family {row['family']} is limited as {row['item_name']!r}, and with it {row['item_name_later']!r} "
                f"({row['code_later']}, {row['point_id_later']}), which the rule does not limit alike",
            ),
            "code",
            row["family"],
            INFO if any(word in (row["remark"] or "") for word in CONFIRMED) else None,
        )


def unrelated_names(checked: CheckInput) -> Iterator[Found]:
    """Families with an item that has no part of its name in common with any other item there, told at the one with fewest codes."""
    named = checked.live.filter(pl.col("family").is_not_null())
    mixed = named.filter(pl.col("item_key").n_unique().over("family") > 1)
    items = mixed.group_by("family", "item_key", maintain_order=True).agg(
        pl.col(*_OF_POINT, "code").first(), pl.col("published_codes").sum()
    )
    for (family,), rows in items.group_by("family", maintain_order=True):
        pieces = {key: _pieces(key) for key in rows["item_key"]}
        strangers = [
            key
            for key, mine in pieces.items()
            if all(mine.isdisjoint(theirs) for other, theirs in pieces.items() if other != key)
        ]
        if strangers:
            own = rows.filter(pl.col("item_key").is_in(strangers)).sort("published_codes", maintain_order=True)
            row = own.row(0, named=True)
            told = _listed(key for key in pieces if key != row["item_key"])
            yield Found(
                place_of(row),
                Said(
                    f"药品码前段 {family} 下有“{row['item_name']}”，与同段的“{told}”毫无关系，可能有一个编码写错了",
                    f"the family {family} holds {row['item_name']!r} and, unrelated, {told!r}: one of the codes may be wrong",
                ),
                "code",
                row["code"],
            )


def two_families(checked: CheckInput) -> Iterator[Found]:
    """Names under two families that contradict each other: of different main groups, or limited otherwise by one rule.

    Most names of several packs or mixtures have several families; these do not count. Names that differ in parentheses are one here, and are told
    as info where one publication limits each of them for itself.
    """
    named = checked.live.filter(pl.col("family").is_not_null()).with_columns(group=pl.col("family").str.head(2))
    for row in _by_name(named.filter(pl.col("group").n_unique().over("item_key") > 1)).iter_rows(named=True):
        yield Found(
            place_of(row, "_first"),
            Said(
                f"“{row['item_name_first']}”的编码分在不同大类（知识点、公布编码数）：{_families(row, '、')}，可能有一个写错了",
                f"the codes of {row['item_name_first']!r} are of different main groups (point, published codes): {_families(row, ', ')}; one may be wrong",
            ),
            "code",
            row["family"][0],
        )
    limits = [column for column in SAME_LIMITS if column != "subject"]
    key = ["rule_id", "status", "region", "region_of", "item_key"]
    several = (pl.col("family").n_unique().over(key) > 1) & (pl.struct(limits).n_unique().over(key) > 1)
    # Of several families one rule may limit some otherwise; within one family that is another check.
    differing = named.filter(several).filter(pl.struct(limits).n_unique().over([*key, "family"]) == 1)
    published = differing.group_by(key).agg(
        apart=(pl.col("item_name").n_unique() >= pl.struct(limits).n_unique()) & (pl.col("batch").n_unique() == 1)
    )
    named_each = _by_name(differing, key).join(published, on=key, how="left", nulls_equal=True, maintain_order="left")
    for row in named_each.iter_rows(named=True):
        if len(row["family"]) > 1:
            yield Found(
                place_of(row, "_first"),
                Said(
                    f"“{row['item_name_first']}”在规则 {row['rule_id']} 中按药品码前段限制不同：{_families(row, '、')}",
                    f"{row['item_name_first']!r} is limited otherwise by family under {row['rule_id']}: {_families(row, ', ')}",
                ),
                "code",
                row["family"][0],
                INFO if row["apart"] else None,
            )


def _by_name(rows: pl.DataFrame, key: Sequence[str] = ("item_key",)) -> pl.DataFrame:
    """One row an item: its first point, and its families in order, each with its first point and its published codes."""
    per_family = rows.group_by(*key, "family", maintain_order=True).agg(
        pl.col(*_OF_POINT).first(), pl.col("published_codes").sum()
    )
    return per_family.group_by(key, maintain_order=True).agg(
        pl.col(*_OF_POINT).first().name.suffix("_first"),
        pl.col("family", "point_id", "published_codes"),
    )


def _families(row: Mapping[str, list[object]], joint: str) -> str:
    told = zip(row["family"], row["point_id"], row["published_codes"], strict=True)
    return joint.join(f"{family} ({point}, {codes})" for family, point, codes in told)


def _listed(names: Iterator[str]) -> str:
    found = list(names)
    return "、".join(found[:3]) + ("…" if len(found) > 3 else "")


def is_related(name: str, other: str) -> bool:
    """Whether two names of items have a part in common that says what the item is."""
    return not _pieces(name).isdisjoint(_pieces(other))


def _pieces(name: str) -> frozenset[str]:
    """The pieces of a name that say what it is; a name of common words only keeps them."""
    parts = _COMMON_WORDS.sub(" ", name).split() or [name]
    pieces = {part[at : at + _PIECE] for part in parts for at in range(max(1, len(part) - _PIECE + 1))}
    return frozenset(pieces)
