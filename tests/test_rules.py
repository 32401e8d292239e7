"""Every hand-written case of every rule that comes with the program holds on the real engine.

One case is named by its rule and its own name: `pytest tests/test_rules.py -k "drug-sex and newborn"`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from checker.model.embedded import embedded_rules_folder
from checker.proof.cases import CaseResult, prove, run_cases
from checker.rulebook.load import load_rules
from checker.rulebook.rule import Case, Expect, Rule, Rulebook
from checker.shapes import BY_ID

RULES = embedded_rules_folder()
RULEBOOK = load_rules(RULES, embedded=True)
CASES = [(rule.id, case.name) for rule in RULEBOOK.rules for case in rule.cases]


@pytest.fixture(scope="module")
def results(proofs: None) -> dict[tuple[str, str], CaseResult]:
    """What became of each case, by rule and name; all of them are run at once."""
    return {(result.rule_id, result.name): result for result in run_cases(RULEBOOK, embedded=True)}


@pytest.mark.parametrize(("rule_id", "name"), CASES, ids=[f"{rule_id}::{name}" for rule_id, name in CASES])
def test_case(results: dict[tuple[str, str], CaseResult], rule_id: str, name: str) -> None:
    result = results[rule_id, name]
    assert result.passed, str(result)


def test_what_the_engine_does_not_plan_is_told_of_its_own_rule_and_no_case_is_run() -> None:
    broken = replace(RULEBOOK.rules[1], expected=replace(RULEBOOK.rules[1].expected, sql="no_such_column"))
    rules = (RULEBOOK.rules[0], broken, *RULEBOOK.rules[2:])
    _, compiled, explained, cases = prove(Rulebook(rules, RULEBOOK.hash), embedded=True)
    assert [fault.partition(":")[0] for fault in compiled.faults] == [broken.file]
    assert [fault.partition(":")[0] for fault in explained.faults] == [broken.file]
    assert "no_such_column" in explained.faults[0]
    assert (explained.passed, cases.passed, cases.total) == (len(rules) - 1, 0, len(CASES))


@pytest.mark.parametrize("rule", RULEBOOK.rules, ids=lambda rule: rule.id)
def test_a_rule_shows_firing_silent_missing_exempt_and_out_of_force(rule: Rule) -> None:
    expected = {case.expect if isinstance(case.expect, str) else case.expect.verdict for case in rule.cases}
    told_apart = any(BY_ID[rule.shape].facts[fact].told_by for fact in rule.reads)
    always = {"violation", "clean", "exempt", "not_in_force"}
    assert expected == always | ({"undetermined"} if rule.reads else set()) | ({"not_judged"} if told_apart else set())


@pytest.mark.parametrize("rule", RULEBOOK.rules, ids=lambda rule: rule.id)
def test_a_rule_has_a_case_for_each_way_in_which_its_facts_may_be_missing(rule: Rule) -> None:
    shape = BY_ID[rule.shape]
    missing = {shape.facts[fact].missing for fact in rule.reads} - {"other"} - _AT_THE_COUNTER.get(shape.id, set())
    doubts = _DOUBTS[shape.id].union(*(_DOUBTS_OF_TERMS.get(fact, ()) for fact in rule.reads))
    assert missing | doubts <= {_reason(case) for case in rule.cases}


_DOUBTS: dict[str, set[str]] = {
    "item": {"newborn", "sources_conflict"}, "companion": {"prescription_unknown", "companion_unknown"}, "terms": set(), "pair": set(),
    "quota": set(), "evidence": set(),
}  # fmt: skip
"""Why a rule of a shape may not be able to tell, beside the facts that are missing."""
_AT_THE_COUNTER = {"quota": {"history_missing"}}
"""What is missing at the counter only, for a scan is the history itself: tests of the shape show it."""
_DOUBTS_OF_TERMS = {
    "insurance": {"insurance_unknown"}, "care": {"care_unknown", "flag_unreadable"},
    "maternity": {"care_missing", "care_unknown", "flag_unreadable"}, "level": {"level_unknown", "level_unrated", "prescriber_unknown"},
    "diagnosis": {"diagnosis_unspecified"}, "earlier": {"history_short"},
}  # fmt: skip
"""The same of the rules that read a fact."""


def _reason(case: Case) -> str | None:
    return case.expect.reason_code if isinstance(case.expect, Expect) else None
