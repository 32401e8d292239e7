"""Exemptions [豁免] held against the points that they soften."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from checker.knowledge.checks.check_input import OPEN, CheckInput, place_of
from checker.knowledge.checks.issue import Found, Said
from checker.knowledge.codes import family_of
from checker.knowledge.names import item_key
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow


def expired_exemption(checked: CheckInput) -> Iterator[Found]:
    """Exemptions that have ended while points that they softened are in force, and that no other of the same items follows."""
    for row in checked.layer.exemptions:
        if row.valid_to is None or row.valid_to > checked.day or _followed(checked, row):
            continue
        softened = checked.live.filter(
            _of_rule(row) & (pl.col("valid_from") <= checked.day) & _meets(_items(checked, row))
        )
        count = softened["point_id"].n_unique()
        if count:
            yield Found(
                checked.layer.exemption_places[row.exemption_id],
                Said(
                    f"{row.valid_to} 已到期，它涉及的 {count:,} 个知识点仍然有效，现在不再放宽",
                    f"ended on {row.valid_to} while {count:,} point(s) that it softened are in force",
                ),
                "valid_to",
                str(row.valid_to),
            )


def unneeded_exemption(checked: CheckInput) -> Iterator[Found]:
    """Exemptions with items that no point of their rule covers: they stand by."""
    if checked.layer.faulty:
        # Rows with faults are left out, and the point that needs the exemption may be among them.
        return
    for row in checked.layer.exemptions:
        items = _items(checked, row)
        idle = _idle(checked.covered.filter(_of_rule(row)), items) if items else []
        if idle:
            told = [item.value for item in idle]
            every = len(idle) == len(items)
            yield Found(
                checked.layer.exemption_places[row.exemption_id],
                Said(
                    f"{'没有知识点' if every else f'{len(idle)} 个项目没有知识点'}需要它，备用：{'、'.join(told)}",
                    f"{'no point needs it' if every else f'{len(idle)} of its items are of no point'}, it stands by: {', '.join(told)}",
                ),
                "items",
                told[0],
            )


def blanket_exemption(checked: CheckInput) -> Iterator[Found]:
    """Exemptions that switch a rule off: bound to no diagnosis, and to no item or to items that are most of what the rule limits."""
    for row in checked.layer.exemptions:
        if row.effect != "exempt" or row.diagnoses:
            continue
        if items := _items(checked, row):
            own = checked.live.filter(_of_rule(row))
            points = own.group_by("point_id").agg(exempt=_contains(items).all())
            if 2 * (exempt := int(points["exempt"].sum())) > points.height:
                yield Found(
                    checked.layer.exemption_places[row.exemption_id],
                    Said(
                        f"没有写诊断，规则 {row.rule_id} 的 {points.height:,} 个知识点中 {exempt:,} 个不再有结果",
                        f"names no diagnoses: {exempt:,} of {points.height:,} points of the rule {row.rule_id} find nothing",
                    ),
                    "items",
                    row.rule_id,
                )
        else:
            where = f"在 {row.region} " if row.region else ""
            yield Found(
                checked.layer.exemption_places[row.exemption_id],
                Said(
                    f"没有写项目和诊断，规则 {row.rule_id} {where}的全部知识点都不再有结果",
                    f"names neither items nor diagnoses: the whole rule {row.rule_id} finds nothing{f' in {row.region}' if row.region else ''}",
                ),
                "items",
                row.rule_id,
            )


def wholly_exempt(checked: CheckInput) -> Iterator[Found]:
    """Points that an exemption bound to no diagnosis exempts in full for as long as they are in force: they can never fire."""
    for row in checked.layer.exemptions:
        if row.effect != "exempt" or row.diagnoses:
            continue
        items = _items(checked, row)
        own = checked.live.filter(_of_rule(row) & _lasts(checked, row) & _everywhere(row))
        every = pl.lit(value=True) if not items else _contains(items)
        for point in (
            own.filter(every.all().over("point_id")).unique("point_id", maintain_order=True).iter_rows(named=True)
        ):
            yield Found(
                place_of(point),
                Said(
                    f"豁免 {row.exemption_id} 对“{point['item_name']}”的全部编码都不计违规，这个知识点永远不会有结果",
                    f"the exemption {row.exemption_id} exempts every code of {point['item_name']!r}: the point can never fire",
                ),
                "point_id",
                point["point_id"],
            )


def _idle(own: pl.DataFrame, items: Sequence[ExemptionItemRow]) -> list[ExemptionItemRow]:
    """The items that no pattern of the rule's points meets."""
    codes = {item.value for item in items if item.match == "code"}
    wanted = codes | {family_of(code) for code in codes} | {item.value for item in items if item.match == "family"}
    by_code = own.filter(pl.col("code").is_in(sorted(wanted - {None})))
    exact = set(by_code.filter(pl.col("match") == "code")["code"])
    whole = set(by_code.filter(pl.col("match") == "family")["code"])
    families = set(own.filter(pl.col("family").is_in([item.value for item in items]))["family"])
    keys = {item.value: item_key(item.value) for item in items if item.match == "name"}
    named = set(own.filter(pl.col("item_key").is_in(sorted(keys.values())))["item_key"])

    def met(item: ExemptionItemRow) -> bool:
        if item.match == "name":
            return keys[item.value] in named
        if item.match == "family":
            return item.value in families
        return item.value in exact or family_of(item.value) in whole

    return [item for item in items if not met(item)]


def _items(checked: CheckInput, row: ExemptionRow) -> list[ExemptionItemRow]:
    return [item for item in checked.layer.exemption_items if item.exemption_id == row.exemption_id]


def _followed(checked: CheckInput, ended: ExemptionRow) -> bool:
    items = {(item.match, item.value) for item in _items(checked, ended)}
    for row in checked.layer.exemptions:
        own = {(item.match, item.value) for item in _items(checked, row)}
        in_force = row.valid_from <= checked.day and (row.valid_to is None or checked.day < row.valid_to)
        if in_force and row.rule_id == ended.rule_id and (not own or (items and items <= own)):
            return True
    return False


def _of_rule(row: ExemptionRow) -> pl.Expr:
    return pl.col("rule_id") == row.rule_id


def _meets(items: list[ExemptionItemRow]) -> pl.Expr:
    """Whether a pattern and one of the items have a code in common, or its point has the name; no items mean every one.

    Codes and families have fixed lengths, so that one begins another only where they are equal or code and family.
    """
    if not items:
        return pl.lit(value=True)
    codes = [item.value for item in items if item.match == "code"]
    in_family = (pl.col("match") == "family") & pl.col("code").is_in(sorted({family_of(code) or "" for code in codes}))
    return _contains(items) | in_family


def _contains(items: list[ExemptionItemRow]) -> pl.Expr:
    """Whether everything that a pattern covers lies within one of the items."""
    values = {
        match: sorted({item.value for item in items if item.match == match}) for match in ("code", "family", "name")
    }
    keys = sorted({item_key(name) for name in values["name"]})
    return (
        ((pl.col("match") == "code") & pl.col("code").is_in(values["code"]))
        | pl.col("family").is_in(values["family"]).fill_null(value=False)
        | pl.col("item_key").is_in(keys)
    )


def _lasts(checked: CheckInput, row: ExemptionRow) -> pl.Expr:
    """Whether the exemption lasts as long as the point, from the day on."""
    begun = pl.max_horizontal(pl.col("valid_from"), pl.lit(checked.day)) >= row.valid_from
    return begun & (pl.col("ends") <= (row.valid_to or OPEN))


def _everywhere(row: ExemptionRow) -> pl.Expr:
    """Whether the exemption holds wherever the point does."""
    if row.region is None:
        return pl.lit(value=True)
    within = pl.col("region").str.starts_with(row.region) & (pl.col("region_of") == row.region_of)
    return within.fill_null(value=False)
