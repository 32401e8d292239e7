"""Questions of the counter to the clauses: candidates as JSON into statements prepared once, answers out."""

from __future__ import annotations

import functools
import itertools
import json
import operator
import re
from collections import Counter
from collections.abc import Collection, Sequence, Set
from typing import TYPE_CHECKING, NamedTuple

from checker.compile import LINE_COLUMNS, POINT_COLUMNS, judged_sql
from checker.plan import Plan
from checker.pointindex import POINT_GROUPS

if TYPE_CHECKING:
    import duckdb

_FACTS = (
    ("service_time",), ("on_date",), ("line_sex", "line_birth"), ("patient_age",), ("id_number",), ("newborn_flag",),
    ("insured_sex", "insured_birth_date"), ("care_type",), ("insured_region", "region"), ("visit_start",),
    ("time_fallback",), ("person_unreadable",),
)  # fmt: skip
_EXEMPTION: dict[str, object] = {
    "exemption_id": "VARCHAR", "effect": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE", "diagnoses": ["VARCHAR"],
    "region": "VARCHAR", "region_of": "VARCHAR", "code": "VARCHAR", "code_is_family": "BOOLEAN",
}  # fmt: skip
_EXEMPTED = tuple((f"exemptions.{field}",) for field in ("valid_to", "diagnoses", "region", "code"))
_GROUPS = (*_FACTS, *POINT_GROUPS, ("diagnoses",), *_EXEMPTED)
"""What the clauses may need, in groups that are present or absent together, so that statements stay few."""
_EXEMPTING = frozenset({"exemptions", "diagnoses", *(name for (name,) in _EXEMPTED)})
_EXEMPTING_POINT = _EXEMPTING - {"diagnoses"}
_ALWAYS = ("service_time", "on_date")
_USUAL_FROM, _MET_KEPT = 20, 1000
_SHAPES_KEPT = 64
"""How many prepared statements are kept; one that has to be made again costs some milliseconds."""
_TYPES: dict[str, object] = {"question": "BIGINT", **LINE_COLUMNS, **POINT_COLUMNS, "diagnoses": ["VARCHAR"]}
_NEVER = ("duplicate", "partly_refunded", "exemptions", *(name for (name,) in _EXEMPTED), *_TYPES)
_ANSWER = (
    "question", "verdict", "level", "action", "final_reason_code", "exemption_id", "remarks", "expected", "actual", "is_insured",
)  # fmt: skip
_QUESTIONS_AT_ONCE = 1000

FACT_NAMES = tuple(name for group in _GROUPS for name in group)
"""The columns that a prescription or a point may fill, in the order of statements."""


class Candidate(NamedTuple):
    """One question: the number of its rule, the columns that prescription and point fill, and their JSON (without braces)."""

    rule_no: int
    facts: tuple[str, ...]
    filled: Set[str]
    json: str


class Answer(NamedTuple):
    """What the clauses say to one question in force; `question` is its place among those asked."""

    question: int
    verdict: str
    level: str | None
    action: str | None
    reason_code: str | None
    exemption_id: str | None
    remarks: list[str]
    expected: str
    actual: str
    is_insured: bool


class Statements:
    """The clauses of a plan as prepared statements on one connection.

    Questions of one prescription share a statement made for just the columns they fill: the shortest there is. Questions of several
    share one of few statements that hold for any of their kind (`prepare_shared`), so that none has to be made while many wait.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
        self._connection = connection
        self._plan = plan
        self._prepared: dict[tuple[object, ...], str] = {}
        self._shared: dict[tuple[object, ...], str] = {}
        self._usual: dict[tuple[object, ...], str] = {}
        self._met: Counter[tuple[object, ...]] = Counter()
        self._numbers = itertools.count()
        self._reads = [(rule.reads_sex, rule.reads_age) for rule in plan.rules]

    def judge(self, asked: Sequence[Candidate]) -> list[Answer]:
        """Answer the questions of one prescription, whose facts are the same; those not in force have no answer."""
        filled = frozenset[str]().union(*(question.filled for question in asked))
        name = self._own({question.rule_no for question in asked}, asked[0].facts, filled)
        return self._run(name, asked, 0)

    def judge_together(self, asked: Sequence[Candidate]) -> list[Answer]:
        """Answer the questions of any prescriptions in as few queries as their number allows."""
        answers: list[Answer] = []
        for start in range(0, len(asked), _QUESTIONS_AT_ONCE):
            some = asked[start : start + _QUESTIONS_AT_ONCE]
            answers += self._run(self._shared_for(some), some, start)
        return answers

    def prepare_shared(self) -> None:
        """Make the statements of `judge_together` now rather than when they are first needed."""
        for reads_age in {age for _, age in self._reads}:
            for has_id_number, has_exemptions in itertools.product((False, True), repeat=2):
                self._any(reads_age, has_id_number, has_exemptions)

    def _run(self, name: str, asked: Sequence[Candidate], start: int) -> list[Answer]:
        questions = (f'{{"question": {number}, {question.json}}}' for number, question in enumerate(asked, start))
        # EXECUTE takes literals only. The text is JSON whose single quotes are escaped, so that none can end the literal.
        document = f"[{','.join(questions)}]".replace("'", "\\u0027")
        rows = self._connection.execute(f"EXECUTE {name}('{document}')").fetchall()
        return [Answer(*row) for row in sorted(rows, key=operator.itemgetter(0))]

    def _own(self, rules: Collection[int], facts: tuple[str, ...], filled: Set[str]) -> str:
        """The name of the prepared statement for questions of such rules that fill just these columns."""
        columns = _columns(facts, filled)
        rules = self._alike(rules)
        key = (rules, columns, facts)
        name = self._prepared.pop(key, None)
        if name is None:
            name = self._prepare(rules, columns, facts)
            if len(self._prepared) >= _SHAPES_KEPT:
                self._connection.execute(f"DEALLOCATE {self._prepared.pop(next(iter(self._prepared)))}")
        self._prepared[key] = name
        return name

    def _shared_for(self, asked: Sequence[Candidate]) -> str:
        """The name of the statement for these questions: one for just what they bring, once that has come often, else for any."""
        filled = frozenset[str]().union(*{question.filled for question in asked})
        facts = frozenset[str]().union(*{question.facts for question in asked})
        reads_age, has_id_number, has_exemptions = _kind(asked, self._reads)
        columns = _columns_of(facts, filled)
        key = (reads_age, columns)
        name = self._usual.get(key)
        if name is not None:
            return name
        self._met[key] += 1
        if self._met[key] < _USUAL_FROM or len(self._usual) >= _SHAPES_KEPT:
            if len(self._met) > _MET_KEPT:
                self._met.clear()
            return self._any(reads_age, has_id_number, has_exemptions)
        rules = tuple(number for number, (_, age) in enumerate(self._reads) if reads_age or not age)
        name = self._usual[key] = self._prepare(rules, columns, _ALWAYS)
        return name

    def _any(self, reads_age: bool, has_id_number: bool, has_exemptions: bool) -> str:
        """The name of the statement for any questions of a kind."""
        key = (reads_age, has_id_number, has_exemptions)
        name = self._shared.get(key)
        if name is None:
            columns = tuple(
                name
                for name in FACT_NAMES
                if (has_id_number or name != "id_number") and (has_exemptions or name not in _EXEMPTING)
            )
            rules = tuple(number for number, (_, age) in enumerate(self._reads) if reads_age or not age)
            name = self._shared[key] = self._prepare(rules, columns, _ALWAYS)
        return name

    def _prepare(self, rules: Collection[int], columns: Sequence[str], facts: Sequence[str]) -> str:
        name = f"judge_{next(self._numbers)}"
        self._connection.execute(f"PREPARE {name} AS {self._sql(rules, columns, facts)}")
        return name

    def _alike(self, rules: Collection[int]) -> tuple[int, ...]:
        """The rules that read what these read: statements are made for all of them."""
        reads = {self._reads[number] for number in rules}
        return tuple(number for number, read in enumerate(self._reads) if read in reads)

    def _sql(self, rules: Collection[int], columns: Sequence[str], facts: Sequence[str]) -> str:
        known = dict.fromkeys(_NEVER, False)
        brought: dict[str, object] = {"question": "BIGINT"}
        for name in (*columns, *(["item_code"] if "exemptions.code" in columns else [])):
            del known[name]
            if name in _TYPES:
                brought[name] = _TYPES[name]
        if "exemptions" in columns:
            bound = {name for (name,) in _EXEMPTED if name not in columns}
            brought["exemptions"] = [
                {field: type_ for field, type_ in _EXEMPTION.items() if f"exemptions.{field}" not in bound}
            ]
        known |= dict.fromkeys(facts, True)
        judged = judged_sql(self._plan, "FROM asked", stage="before", rules=rules, filled=known)
        judged = f"SELECT {', '.join(_ANSWER)} FROM ({judged})"
        read = set(re.findall(r"\w+", judged))
        spec = json.dumps([{name: type_ for name, type_ in brought.items() if name in read}])
        return f"WITH asked AS NOT MATERIALIZED (SELECT unnest(from_json(CAST($1 AS VARCHAR), '{spec}'), max_depth := 2)) {judged}"


@functools.lru_cache
def _columns(facts: tuple[str, ...], filled: Set[str]) -> tuple[str, ...]:
    """The columns of the groups that have any of these."""
    return tuple(name for group in _GROUPS if any(name in filled or name in facts for name in group) for name in group)


@functools.lru_cache
def _columns_of(facts: Set[str], filled: Set[str]) -> tuple[str, ...]:
    """The same where neither has an order."""
    return _columns(tuple(facts), filled)


def _kind(asked: Sequence[Candidate], reads: Sequence[tuple[bool, bool]]) -> tuple[bool, bool, bool]:
    """Whether any question is of a rule that reads the age, brings an ID number, or meets an exemption."""
    return (
        any(reads[question.rule_no][1] for question in asked),
        any("id_number" in question.facts for question in asked),
        any(not question.filled.isdisjoint(_EXEMPTING_POINT) for question in asked),
    )
