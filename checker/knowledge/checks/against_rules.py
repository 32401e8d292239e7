"""Points and exemptions held against the rules: rules that do not exist, points and limits that no clause reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from checker.knowledge.checks.check_input import OPEN, CheckInput, place_of
from checker.knowledge.checks.issue import WARNING, Found, Said
from checker.knowledge.frames import has_shape
from checker.knowledge.kinds import CODES, DRUG, kind_of
from checker.rulebook.plan import RulePlan
from checker.shapes import BY_ID, SHAPES
from checker.shapes.base import Limit


def unknown_rule(checked: CheckInput) -> Iterator[Found]:
    """Rules that points or exemptions name and no rule file has, or a file that says deprecated: one finding a rule and file, at the first row."""
    known = ", ".join(sorted(checked.rule_ids))
    named = checked.point.filter(~pl.col("rule_id").is_in(sorted(checked.rule_ids)))
    first = named.group_by("file", "rule_id", maintain_order=True).agg(pl.col("row", "point_id").first(), pl.len())
    for row in first.iter_rows(named=True):
        yield Found(
            place_of(row),
            Said(
                f"没有规则“{row['rule_id']}”，{row['len']:,} 个知识点没有规则来判断（已有的规则：{known}）",
                f"no rule is called {row['rule_id']!r}: {row['len']:,} point(s) are judged by none (rules: {known})",
            ),
            "rule_id",
            str(row["rule_id"]),
        )
    deprecated = [rule.id for rule in checked.rules if rule.deprecated]
    kept = checked.point.filter(
        pl.col("rule_id").is_in(deprecated) & (pl.col("valid_to").fill_null(OPEN) > checked.day)
    )
    first = kept.group_by("file", "rule_id", maintain_order=True).agg(pl.col("row", "point_id").first(), pl.len())
    for row in first.iter_rows(named=True):
        yield Found(
            place_of(row),
            Said(
                f"规则“{row['rule_id']}”已停用（deprecated），{row['len']:,} 个仍有效的知识点没有规则来判断，请写 valid_to",
                f"the rule {row['rule_id']!r} is deprecated: {row['len']:,} point(s) still in force are judged by none; end them (valid_to)",
            ),
            "rule_id",
            str(row["rule_id"]),
            WARNING,
        )
    for exemption in checked.layer.exemptions:
        if exemption.rule_id not in checked.rule_ids:
            yield Found(
                checked.layer.exemption_places[exemption.exemption_id],
                Said(
                    f"没有规则“{exemption.rule_id}”，这条豁免不起作用（已有的规则：{known}）",
                    f"no rule is called {exemption.rule_id!r}: the exemption softens nothing (rules: {known})",
                ),
                "rule",
                exemption.rule_id,
            )


def other_shape(checked: CheckInput) -> Iterator[Found]:
    """Points that have limits of another shape than their rule's."""
    for rule, points in checked.judged:
        others = [shape for shape in SHAPES if shape.id != rule.shape]
        own = BY_ID[rule.shape].limit_file
        for shape in others:
            for row in points.filter(has_shape(shape)).iter_rows(named=True):
                yield Found(
                    place_of(row),
                    Said(
                        f"它的限制写在 {shape.limit_file}，而规则 {rule.id} 看的是 {own}，请把这一行改写到 {own}",
                        f"its limits stand in {shape.limit_file}, and the rule {rule.id} reads {own}: write its row there",
                    ),
                    "rule_id",
                    rule.id,
                )


def other_kind(checked: CheckInput) -> Iterator[Found]:
    """Codes of services or material under a rule of drugs, and codes of drugs or material under one of services, as the rule's name says."""
    patterns_of = {
        kind: checked.layer.pattern.filter(~pl.col("code").str.contains(of_kind)) for kind, of_kind in CODES.items()
    }
    for rule, points in checked.judged:
        kind = kind_of(rule.name_zh)
        if kind is None:
            continue
        own = points.select("point_id", "item_name")
        for row in patterns_of[kind].join(own, on="point_id", maintain_order="left").iter_rows(named=True):
            zh, en = (
                ("服务项目或耗材", "a service or material") if kind == DRUG else ("药品或耗材", "a drug or material")
            )
            yield Found(
                place_of(row),
                Said(
                    f"{row['code']} 是{zh}的编码，而规则 {rule.id} 管的是{'药品' if kind == DRUG else '服务项目'}（{row['item_name']}）",
                    f"{row['code']} is the code of {en}, and the rule {rule.id} is about {'drugs' if kind == DRUG else 'services'} ({row['item_name']})",
                ),
                "code",
                row["code"],
            )


def unread_point(checked: CheckInput) -> Iterator[Found]:
    """Points none of whose limits the clause of their rule reads."""
    for rule, points in checked.judged:
        read = _limits(rule, read=True)
        if not read:
            continue
        facts = [BY_ID[rule.shape].facts[fact] for fact in dict.fromkeys(limit.fact for limit in read)]
        zh, en = "和".join(fact.zh for fact in facts), " and the ".join(fact.en for fact in facts)
        own = points.filter(has_shape(BY_ID[rule.shape]))
        for row in own.filter(~_any(read)).iter_rows(named=True):
            yield Found(
                place_of(row),
                Said(
                    f"规则 {rule.id} 只看{zh}，这个知识点没有这种限制，永远判不出来",
                    f"the rule {rule.id} reads the {en} only, and the point does not limit it: it can never judge",
                ),
                read[0].name,
            )


def unread_limit(checked: CheckInput) -> Iterator[Found]:
    """Limits of a point that the clause of its rule does not read, beside others that it reads."""
    for rule, points in checked.judged:
        read, unread = _limits(rule, read=True), [each for each in _limits(rule, read=False) if not each.steers]
        for fact in dict.fromkeys(limit.fact for limit in unread):
            limits = [limit for limit in unread if limit.fact == fact]
            named = BY_ID[rule.shape].facts[fact]
            zh, en = named.zh, named.en
            beside = _any(read) if read else pl.lit(value=True)
            for row in points.filter(_any(limits) & beside).iter_rows(named=True):
                yield Found(
                    place_of(row),
                    Said(
                        f"规则 {rule.id} 不看{zh}，这里的{zh}限制不起作用",
                        f"the rule {rule.id} does not read the {en}: this limit does nothing",
                    ),
                    limits[0].name,
                    row[limits[0].name],
                )


def _limits(rule: RulePlan, *, read: bool) -> list[Limit]:
    """The limits of the rule's shape whose facts any of its clauses reads, or none."""
    return [limit for limit in BY_ID[rule.shape].limits if limit.fact and (limit.fact in rule.looks_at) is read]


def _any(limits: Sequence[Limit]) -> pl.Expr:
    """Whether a point has one of the limits."""
    return pl.any_horizontal(pl.col(limit.name).is_not_null() for limit in limits if not limit.unit_of)
