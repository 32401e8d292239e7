"""The rules whose lists may be imported, as far as a workbook needs to know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checker.rulebook.plan import Plan
from checker.shapes import BY_ID
from checker.shapes.terms import TERMS


@dataclass(frozen=True, slots=True)
class KnownRule:
    """A rule by its national code, and the limits of the shape `terms` that its clauses look at: they are read from the published text."""

    code: str | None
    terms: tuple[str, ...] = ()


KnownRules = Mapping[str, KnownRule]
"""Rules by their published names."""


def known_rules(plan: Plan) -> dict[str, KnownRule]:
    """Return the rules of a plan by their published names."""
    return {
        rule.name_zh: KnownRule(
            rule.code,
            tuple(limit.name for limit in TERMS.limits if limit.fact in rule.looks_at)
            if BY_ID[rule.shape] is TERMS
            else (),
        )
        for rule in plan.rules
    }
