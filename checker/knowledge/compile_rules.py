"""The rules whose published lists make up the embedded edition: the batches of each, how a later list meets an earlier one, what is read from its texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.published import PublishedItem
from checker.model.errors import KnowledgeError
from checker.shapes.item.age_words import age_word_in
from checker.shapes.terms.texts import read_terms

UPDATE = "2026-01"
PIECES_BATCH = "11"


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One rule: our id, the published name and code (NULL where it has none), its batches in the order of their days, and how each meets those before it.

    `terms` are the limits of the shape `terms` that are read from the published text; where there are none, sex and age have columns of their own.
    """

    rule_id: str
    name: str
    rule_code: str | None
    batches: tuple[str, ...]
    mode: Mode = Mode.PATCH
    terms: tuple[str, ...] = ()


RULES = (
    RuleSpec("drug-sex", "药品区分性别使用", "GZ10000301004000", ("01", UPDATE), Mode.DEMOTE),
    RuleSpec("service-sex", "医疗服务项目区分性别使用", "GZ10000302004000", ("01", UPDATE)),
    RuleSpec("drug-child-only", "药品儿童专用", "GZ10000301002000", ("01", UPDATE), Mode.DEMOTE),
    RuleSpec("drug-child-limited", "药品限儿童使用", "GZ10000101007000", ("01", UPDATE), Mode.REPLACE),
    RuleSpec("service-child-only", "医疗服务项目儿童专用", "GZ10000302003000", ("01", UPDATE)),
    RuleSpec("drug-injury-insurance", "药品限工伤保险", "GZ10000101001000", ("03", UPDATE), Mode.REPLACE, ("insurance",)),
    RuleSpec("drug-maternity-insurance", "药品限生育保险", "GZ10000101002000", ("03", UPDATE), Mode.REPLACE, ("insurance",)),
    RuleSpec("drug-visit-mode", "药品限就医方式", None, ("04", UPDATE), Mode.REPLACE, ("care_groups",)),
    RuleSpec(
        "drug-institution-level", "药品限医疗机构级别", "GZ10000101012000", ("05", UPDATE), Mode.REPLACE, ("min_rank", "rank_case")
    ),
    RuleSpec("service-age", "医疗服务项目限年龄", None, ("08",)),
    RuleSpec("drug-online", "超互联网医院药品支付范围", None, ("10",), terms=("barred_channel",)),
    RuleSpec("herb-never-paid", "中药饮片单复方均不予支付", "GZ10000101003000", (PIECES_BATCH,), terms=("never_paid",)),
)  # fmt: skip
"""The rules of which each published item is a point."""
PIECES = RuleSpec("herb-single", "中药饮片单方使用不予支付", "GZ10000101004000", (PIECES_BATCH,))
LISTED_PIECES = RuleSpec("herb-single", "中药饮片单复方均不予支付", "GZ10000101003000", (PIECES_BATCH,))
"""The two lists of one rule about prescriptions: the pieces not paid alone, and those never paid, which clear no prescription either."""


def items_of(spec: RuleSpec, batch: str, published: Sequence[PublishedItem]) -> tuple[PublishedItem, ...]:
    """Return what a batch publishes for the rule, with the limits that its texts say.

    Raises KnowledgeError that names every text that is not understood.
    """
    faults, found = [], []
    for item in published:
        if (item.rule, item.batch) != (spec.name, batch):
            continue
        limits, text = item.limits, item.text or ""
        if spec.terms:
            terms = read_terms(text, spec.terms)
            if terms is None:
                faults.append(
                    f"{item.source_row}: found limit_text {text!r}, which says nothing plain of {', '.join(spec.terms)}"
                )
            limits = replace(limits, terms=tuple(sorted((terms or {}).items())))
        elif limits.age_word is None and limits.age_text is None and limits.sex is None:
            limits = replace(limits, age_word=age_word_in(text))
        found.append(replace(item, limits=limits))
    if faults:
        raise KnowledgeError("\n".join(faults))
    return tuple(found)
