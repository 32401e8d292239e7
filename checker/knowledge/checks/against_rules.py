"""Points and exemptions held against the rules: rules that do not exist, points and limits that no clause reads."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from checker.knowledge.checks.check_input import OPEN, CheckInput, place_of
from checker.knowledge.checks.issue import WARNING, Found, Said
from checker.rulebook.plan import RulePlan

_SEX = pl.col("sex").is_not_null()
_AGE = pl.any_horizontal(pl.col("age_word", "age_min", "age_max").is_not_null())


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


def unread_point(checked: CheckInput) -> Iterator[Found]:
    """Points none of whose limits the clause of their rule reads, and points whose rule reads a limit that they do not have."""
    for rule in checked.rules:
        own = checked.point.filter(pl.col("rule_id") == rule.id)
        for row in own.filter(~_read(rule)).iter_rows(named=True):
            reads_zh, reads_en = _reads(rule)
            yield Found(
                place_of(row),
                Said(
                    f"规则 {rule.id} 只看{reads_zh}，这个知识点没有这种限制，永远判不出来",
                    f"the rule {rule.id} reads the {reads_en} only, and the point does not limit it: it can never judge",
                ),
                "sex" if ("sex" in rule.reads) else "age_word",
            )


def unread_limit(checked: CheckInput) -> Iterator[Found]:
    """Limits of a point that the clause of its rule does not read, beside others that it reads."""
    for rule in checked.rules:
        unread = (
            (("sex" in rule.reads), _SEX, "sex", "性别", "sex"),
            (("age" in rule.reads), _AGE, "age_word", "年龄", "age"),
        )
        for reads, limited, column, zh, en in unread:
            if reads:
                continue
            for row in checked.point.filter((pl.col("rule_id") == rule.id) & limited & _read(rule)).iter_rows(
                named=True
            ):
                yield Found(
                    place_of(row),
                    Said(
                        f"规则 {rule.id} 不看{zh}，这里的{zh}限制不起作用",
                        f"the rule {rule.id} does not read the {en}: this limit does nothing",
                    ),
                    column,
                    row[column],
                )


def _read(rule: RulePlan) -> pl.Expr:
    """Whether the rule reads a limit of the point."""
    read = pl.lit(value=not (("sex" in rule.reads) or ("age" in rule.reads)))
    if "sex" in rule.reads:
        read |= _SEX
    if "age" in rule.reads:
        read |= _AGE
    return read


def _reads(rule: RulePlan) -> tuple[str, str]:
    if ("sex" in rule.reads) and ("age" in rule.reads):
        return "性别和年龄", "sex and the age"
    return ("性别", "sex") if ("sex" in rule.reads) else ("年龄", "age")
