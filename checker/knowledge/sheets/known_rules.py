"""The rules whose lists may be imported, as far as a workbook needs to know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checker.knowledge.kinds import kind_of
from checker.rulebook.plan import Plan, RulePlan
from checker.shapes import BY_ID
from checker.shapes.evidence import EVIDENCE
from checker.shapes.item.age_words import OLD, is_of_warnings
from checker.shapes.pair import PAIR
from checker.shapes.quota import QUOTA
from checker.shapes.terms import TERMS

_QUOTAS = (("周期", "window"), ("频次", "day"), ("", "course"))
_PAIRS = (("折价", "incision"), ("", "pair"))
"""What of the rule's published name says how its lists are read, the first that it holds."""


@dataclass(frozen=True, slots=True)
class KnownRule:
    """A rule by its national code, and what its lists are read for.

    `terms` are the limits of the shape `terms` that its clauses look at: they are read from the published text. `reads` is the kind of its
    limits where it is of another shape than these and `item`: course, day, window, pair, incision, indication or second_line. `kind` is what its
    name says that it is about: drug, service, or NULL where it does not say. `looks_at` are the facts that its clauses read. A rule that `warns` lists
    those who should not get its items.
    """

    code: str | None
    terms: tuple[str, ...] = ()
    reads: str = ""
    kind: str | None = None
    looks_at: tuple[str, ...] = ()
    warns: bool = False


KnownRules = Mapping[str, KnownRule]
"""Rules by their published names."""


def known_rules(plan: Plan) -> dict[str, KnownRule]:
    """Return the rules of a plan by their published names."""
    return {
        rule.name_zh: KnownRule(
            rule.code,
            _terms(rule),
            _reads(rule),
            kind_of(rule.name_zh),
            rule.looks_at,
            is_of_warnings(rule.name_zh) or OLD in rule.violated,
        )
        for rule in plan.rules
    }


def _terms(rule: RulePlan) -> tuple[str, ...]:
    if BY_ID[rule.shape] is not TERMS:
        return ()
    return tuple(limit.name for limit in TERMS.limits if limit.fact in rule.looks_at)


def _reads(rule: RulePlan) -> str:
    shape = BY_ID[rule.shape]
    if shape is EVIDENCE:
        return "indication" if "diagnosis" in rule.looks_at else "second_line"
    by_name = {QUOTA: _QUOTAS, PAIR: _PAIRS}.get(shape, ())
    return next((kind for part, kind in by_name if part in rule.name_zh), "")
