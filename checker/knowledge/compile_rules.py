"""The rules whose published lists make up the embedded edition: the batches of each, how a later list meets an earlier one, what is read from its texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from checker.knowledge.compile_limits import READERS, Unread
from checker.knowledge.compiled_facts import CompiledFacts
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

    `terms` are the limits of the shape `terms` that are read from the published text, `reads` names the reader of the limits of another shape
    (`compile_limits`); where there is neither, sex and age have columns of their own. `facts` names those of CompiledFacts that it needs.
    """

    rule_id: str
    name: str
    rule_code: str | None
    batches: tuple[str, ...]
    mode: Mode = Mode.PATCH
    terms: tuple[str, ...] = ()
    reads: str = ""
    facts: str = ""


RULES = (
    RuleSpec("drug-sex", "药品区分性别使用", "GZ10000301004000", ("01", UPDATE), Mode.DEMOTE),
    RuleSpec("service-sex", "医疗服务项目区分性别使用", "GZ10000302004000", ("01", UPDATE)),
    RuleSpec("drug-child-only", "药品儿童专用", "GZ10000301002000", ("01", UPDATE), Mode.DEMOTE),
    RuleSpec("drug-child-limited", "药品限儿童使用", "GZ10000101007000", ("01", UPDATE), Mode.REPLACE),
    RuleSpec("service-child-only", "医疗服务项目儿童专用", "GZ10000302003000", ("01", UPDATE)),
    RuleSpec("surgery-discount", "手术项目未按规定折价收费", "GZ10000102002000", ("02",), reads="incision"),
    RuleSpec("drug-injury-insurance", "药品限工伤保险", "GZ10000101001000", ("03", UPDATE), Mode.REPLACE, ("insurance",)),
    RuleSpec("drug-maternity-insurance", "药品限生育保险", "GZ10000101002000", ("03", UPDATE), Mode.REPLACE, ("insurance",)),
    RuleSpec("drug-visit-mode", "药品限就医方式", None, ("04", UPDATE), Mode.REPLACE, ("care_groups",)),
    RuleSpec(
        "drug-institution-level", "药品限医疗机构级别", "GZ10000101012000", ("05", UPDATE), Mode.REPLACE, ("min_rank", "rank_case")
    ),
    RuleSpec("drug-course", "药品限支付疗程", "GZ10000101010000", ("06", UPDATE), Mode.REPLACE, reads="course"),
    RuleSpec("service-pair", "医疗服务项目重复收费", "GZ10000102012000", ("07",), reads="pair", facts="pairs"),
    RuleSpec("service-age", "医疗服务项目限年龄", None, ("08",)),
    RuleSpec("service-course", "医疗服务项目限支付疗程", "GZ10000102010000", ("08",), reads="course"),
    RuleSpec("service-frequency", "医疗服务项目限定频次", "GZ10000102014000", ("08",), reads="day"),
    RuleSpec("service-cycle", "医疗服务项目周期超频次", None, ("08",), reads="window", facts="windows"),
    RuleSpec("drug-second-line", "药品限二线使用", "GZ10000101005000", ("09",), reads="second_line"),
    RuleSpec("drug-online", "超互联网医院药品支付范围", None, ("10",), terms=("barred_channel",)),
    RuleSpec("herb-never-paid", "中药饮片单复方均不予支付", "GZ10000101003000", (PIECES_BATCH,), terms=("never_paid",)),
    RuleSpec(
        "drug-indication", "药品限适应症", "GZ10000101008000", ("12", "13", "14", "15", "16", "17"), reads="indication",
        facts="indications",
    ),
)  # fmt: skip
"""The rules of which each published item is a point."""
PIECES = RuleSpec("herb-single", "中药饮片单方使用不予支付", "GZ10000101004000", (PIECES_BATCH,))
LISTED_PIECES = RuleSpec("herb-single", "中药饮片单复方均不予支付", "GZ10000101003000", (PIECES_BATCH,))
"""The two lists of one rule about prescriptions: the pieces not paid alone, and those never paid, which clear no prescription either."""


def items_of(
    spec: RuleSpec, batch: str, published: Sequence[PublishedItem], facts: CompiledFacts | None = None
) -> tuple[PublishedItem, ...]:
    """Return what a batch publishes for the rule, with the limits that its texts and the facts say.

    Raises KnowledgeError that names every text that is not understood, and every fact that is missing or says otherwise.
    """
    faults, found = [], []
    for item in published:
        if (item.rule, item.batch) != (spec.name, batch):
            continue
        try:
            found.append(_read(spec, item, facts or CompiledFacts()))
        except Unread as unread:
            faults.append(f"{item.source_row}: {unread}")
    if faults:
        raise KnowledgeError("\n".join(faults))
    return tuple(found)


def _read(spec: RuleSpec, item: PublishedItem, facts: CompiledFacts) -> PublishedItem:
    if spec.reads:
        return READERS[spec.reads](item, facts)
    limits, text = item.limits, item.text or ""
    if spec.terms:
        terms = read_terms(text, spec.terms)
        if terms is None:
            raise Unread(f"found limit_text {text!r}, which says nothing plain of {', '.join(spec.terms)}")
        limits = replace(limits, cells=tuple(sorted(terms.items())), wording=(("terms_text", text),))
    elif limits.age_word is None and limits.age_text is None and limits.sex is None:
        limits = replace(limits, age_word=age_word_in(text))
    return replace(item, limits=limits)
