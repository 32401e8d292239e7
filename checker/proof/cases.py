"""Puts rules to the proof on the real engine: their SELECT is explained, their hand-written cases go through a scan."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from checker.ingest.sources import first_line
from checker.judge.compile import EXEMPTION_TYPE, fired_sql
from checker.judge.finding_sql import finding_sql, word_values
from checker.knowledge.cell_reader import Faults
from checker.model import sqltext
from checker.model.errors import RuleError, both
from checker.model.typed_value import worded
from checker.proof.case_rows import CaseRows, case_rows
from checker.proof.case_scan import Bench, Fate
from checker.rulebook.clause import type_fault
from checker.rulebook.fill import FILL, blanks
from checker.rulebook.plan import plan_of
from checker.rulebook.rule import Expect, Rule, Rulebook
from checker.shapes import BY_ID, CANDIDATE_COLUMNS

_COMPARED = ("verdict", "level", "reason_code", "exemption_id", "expected", "actual")
_VALUES = ("expected", "actual")
"""Of these, the typed values that a case may give; the scan of cases puts them into words of its language."""
_LANGUAGE = "zh"
_NOTHING = "none"
_AS_WEIGHED = f"""CAST([] AS {EXEMPTION_TYPE}) AS exemptions, CAST([] AS VARCHAR[]) AS diagnoses, FALSE AS newborn_near, FALSE AS code_repaired,
    FALSE AS duplicate, FALSE AS partly_refunded, FALSE AS partly_reversed, FALSE AS falsely_reversed, FALSE AS reuploaded, '' AS evidence,
    CAST(NULL AS VARCHAR) AS order_id, 1 AS ordinal, CAST(NULL AS VARCHAR) AS own_code, CAST(NULL AS VARCHAR) AS local_item_code,
    CAST(NULL AS VARCHAR) AS local_item_name,
    gross_quantity AS quantity, gross_amount AS amount, gross_in_scope AS amount_in_scope"""
"""What a scan adds to the lines that fired before it puts them into words."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a finding that a case wants otherwise, with both values as text."""

    field: str
    expected: str
    found: str

    def text(self, language: str) -> str:
        """The difference in a language."""
        if language == "en":
            return f"{self.field}: expected {self.expected}, found {self.found}"
        if FILL in self.found:
            return f"{self.field}：还没有写好：{self.found}"
        return f"{self.field}：用例要求 {self.expected}，引擎给出 {self.found}"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case; `difference` is empty where it passed."""

    rule_id: str
    name: str
    passed: bool
    difference: tuple[Difference, ...]

    def __str__(self) -> str:
        if self.passed:
            return f"{self.rule_id}::{self.name}: " + both("通过", "passed")
        chinese, english = ([each.text(language) for each in self.difference] for language in ("zh", "en"))
        return f"{self.rule_id}::{self.name}: " + both("；".join(chinese), "; ".join(english))


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of proving a rulebook: how many of its parts passed, and what is wrong with the others."""

    name: str
    passed: int
    total: int
    faults: tuple[str, ...]


def run_cases(rulebook: Rulebook, only: Collection[str] | None = None, *, embedded: bool = False) -> list[CaseResult]:
    """Run the cases of the rules (`only` these ids), in the order in which they are written, whatever their status and stages.

    A case that its author has still to fill in fails without being run; its differences name the places.

    Raises RuleError with every cell of a case's point or exemption that no knowledge base could hold, and InternalError
    where the engine fails.
    """
    cases = _rows_of([rule for rule in rulebook.rules if only is None or rule.id in only], embedded=embedded)
    written = [case for case in cases if not any(blanks(case.case))]
    with tempfile.TemporaryDirectory(prefix="liangku-cases-") as work:
        fates = Bench(rulebook, Path(work)).judge(written) if written else {}
    return [_result(case, fates[case.code]) if case.code in fates else _unwritten(case) for case in cases]


def check_cases(rulebook: Rulebook) -> None:
    """Raise RuleError with every cell of a case that no knowledge base could hold: such a case cannot be run."""
    _rows_of(rulebook.rules)


def _rows_of(rules: Sequence[Rule], *, embedded: bool = False) -> list[CaseRows]:
    faults = Faults()
    cases = case_rows(rules, faults)
    if faults.found:
        raise RuleError(faults.found, embedded=embedded)
    return cases


def prove(rulebook: Rulebook, *, embedded: bool = False) -> tuple[Stage, ...]:
    """Take a loaded rulebook through its stages: parse (done by loading), compile, explain, cases.

    The cases are run only where all that comes before has passed.
    """
    rules = rulebook.rules
    clauses = [(f"{rule.file}: {key}", clause, BY_ID[rule.shape]) for rule in rules for key, clause in rule.clauses]
    with duckdb.connect(":memory:", config={"enable_external_access": False, "threads": 1}) as connection:
        badly_typed = [
            f"{place}: {fault}" for place, clause, shape in clauses if (fault := type_fault(connection, clause, shape))
        ]
        unexplained = [*_unexplained(connection, rules)]
    stages = [
        Stage("parse", len(rules), len(rules), ()),
        Stage("compile", len(clauses) - len(badly_typed), len(clauses), tuple(badly_typed)),
        Stage("explain", len(rules) - len(unexplained), len(rules), tuple(unexplained)),
    ]
    if badly_typed or unexplained:
        count = sum(len(rule.cases) for rule in rules)
        told = both("前面的阶段有不通过，没有运行，请先改正", "not run, because an earlier stage failed")
        return (*stages, Stage("cases", 0, count, (told,)))
    results = run_cases(rulebook, embedded=embedded)
    failed = tuple(str(result) for result in results if not result.passed)
    return (*stages, Stage("cases", len(results) - len(failed), len(results), failed))


def _unexplained(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> Iterator[str]:
    """What the engine says against rules. Those of a shape are planned as one, as in a scan; each alone only to find whose fault it is."""
    for shape in dict.fromkeys(rule.shape for rule in rules):
        together = tuple(rule for rule in rules if rule.shape == shape)
        if fault := _explain(connection, together):
            alone = {rule.file: told for rule in together if (told := _explain(connection, (rule,)))}
            yield from (f"{file}: {told}" for file, told in (alone or {together[0].file: fault}).items())


def _explain(connection: duckdb.DuckDBPyConnection, rules: tuple[Rule, ...]) -> str | None:
    """What the engine says against the SELECTs that rules of one shape compile to; None where it plans them."""
    plan, shape = plan_of(Rulebook(rules, "")), BY_ID[rules[0].shape]
    nothing = f"SELECT {sqltext.nulls(CANDIDATE_COLUMNS)} WHERE FALSE"
    fired = fired_sql(plan, shape, nothing, contested=True)
    for relation, types in shape.relations.items():
        told = ", ".join(f'"{name}" {type_}' for name, type_ in types.items())
        connection.execute(f"CREATE OR REPLACE TABLE {relation} ({told})")
    try:
        # As in a scan, what fired is kept: it is planned once for all that reads it.
        connection.execute(f"CREATE OR REPLACE TEMP TABLE weighed_line AS SELECT *, {_AS_WEIGHED} FROM ({fired})")
        for language in ("zh", "en"):
            word_values(connection, "FROM weighed_line", language)
            finding = finding_sql(
                plan, "FROM weighed_line", stage="after", language=language, kb_version="", rules=range(len(plan.rules))
            )
            connection.execute(f"EXPLAIN {finding}")
    except duckdb.Error as error:
        return first_line(error)
    return None


def _result(case: CaseRows, fate: Fate) -> CaseResult:
    difference = tuple(_differences(case.rule.id, case.case.expect, fate))
    return CaseResult(case.rule.id, case.case.name, not difference, difference)


def _unwritten(case: CaseRows) -> CaseResult:
    difference = tuple(Difference(place, "a value of yours", text) for place, text in blanks(case.case))
    return CaseResult(case.rule.id, case.case.name, False, difference)


def _differences(rule_id: str, expect: Expect | str, fate: Fate) -> Iterator[Difference]:
    if isinstance(fate, str) or isinstance(expect, str):
        expected = expect if isinstance(expect, str) else expect.verdict
        found = fate if isinstance(fate, str) else ", ".join(each.verdict for each in fate)
        if expected != found:
            yield Difference("verdict", expected, found)
        return
    if [each.rule_id for each in fate] != [rule_id]:
        yield Difference("findings", rule_id, ", ".join(each.rule_id for each in fate))
        return
    (finding,) = fate
    for field in _COMPARED:
        wanted, actual = getattr(expect, field), getattr(finding, field)
        if field in _VALUES:
            wanted = worded(wanted, _LANGUAGE).short
        if wanted is not None and wanted != actual:
            yield Difference(field, wanted, _NOTHING if actual is None else actual)
    if expect.remarks is not None and set(expect.remarks) != set(finding.remarks):
        yield Difference("remarks", _listed(expect.remarks), _listed(finding.remarks))


def _listed(remarks: Sequence[str]) -> str:
    return ", ".join(sorted(set(remarks))) or _NOTHING
