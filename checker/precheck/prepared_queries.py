"""Questions of the counter to the clauses: candidates as JSON into statements prepared once, answers out."""

from __future__ import annotations

import functools
import itertools
import json
import operator
import re
from collections.abc import Collection, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.judge.compile import LINE_COLUMNS, POINT_COLUMNS, judged_sql
from checker.precheck.point_index import POINT_GROUPS, Kind, plain
from checker.rulebook.plan import Plan

if TYPE_CHECKING:
    import duckdb

_FACTS = (
    ("service_time",), ("on_date",), ("line_sex", "line_birth"), ("patient_age",), ("id_number",), ("newborn_flag",),
    ("insured_sex", "insured_birth_date"), ("care_type",), ("insured_region", "region"), ("visit_start",),
    ("time_fallback",), ("person_unreadable",), ("duplicate",), ("partly_refunded",),
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
_SHAPES_KEPT = 64
"""How many prepared statements are kept; one that has to be made again costs some milliseconds."""
_TYPES: dict[str, object] = {
    "question": "BIGINT", **LINE_COLUMNS, **POINT_COLUMNS, "diagnoses": ["VARCHAR"], "duplicate": "BOOLEAN", "partly_refunded": "BOOLEAN",
}  # fmt: skip
_NEVER = ("exemptions", *(name for (name,) in _EXEMPTED), *_TYPES)
_ANSWER = (
    "question", "verdict", "level", "action", "final_reason_code", "exemption_id", "expected", "actual", "is_insured", "remarks",
)  # fmt: skip
_QUESTIONS_AT_ONCE = 1000
YEARS = 16
DAYS = YEARS * 366
"""`judge_births` asks for so many birth dates at once: about three times what the engine works on in one go."""

FACT_NAMES = tuple(name for group in _GROUPS for name in group)
"""The columns that a prescription or a point may fill, in the order of statements."""


class Candidate(NamedTuple):
    """One question: the kind of its point, the names of the facts that it brings, and the facts (others may be among them)."""

    kind: Kind
    facts: tuple[str, ...]
    given: Mapping[str, Any]
    item_code: str | None


class Answer(NamedTuple):
    """What the clauses say to a question that is in force."""

    verdict: str
    level: str | None
    action: str | None
    reason_code: str | None
    exemption_id: str | None
    expected: str
    actual: str
    is_insured: bool
    remarks: tuple[str, ...]


class Shape(NamedTuple):
    """What a statement is made for: rules, columns, and those of them that have a value in every question."""

    rules: tuple[int, ...]
    columns: tuple[str, ...]
    facts: tuple[str, ...]


class Statements:
    """The clauses of a plan as prepared statements on one connection.

    Questions of one prescription share a statement made for just the columns they fill: the shortest there is. Questions of several
    share one of few statements that hold for any of their kind (`prepare_shared`), so that none has to be made while many wait.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
        self._connection = connection
        self._plan = plan
        self._prepared: dict[tuple[Shape, str | None], str] = {}
        self._shared: dict[tuple[bool, bool, bool], str] = {}
        self._numbers = itertools.count()
        self._reads = [(rule.reads_sex, rule.reads_age) for rule in plan.rules]

    def judge(self, asked: Sequence[Candidate]) -> list[Answer | None]:
        """Answer the questions of one prescription, all of which bring the same facts; those not in force have None."""
        filled = frozenset[str]().union(*(question.kind.filled for question in asked))
        name = self._own(self._shape({question.kind.rule_no for question in asked}, filled, asked[0].facts), None)
        return self._run(name, asked)

    def judge_together(self, asked: Sequence[Candidate]) -> list[Answer | None]:
        """Answer the questions of any prescriptions in as few queries as their number allows."""
        answers: list[Answer | None] = []
        for start in range(0, len(asked), _QUESTIONS_AT_ONCE):
            some = asked[start : start + _QUESTIONS_AT_ONCE]
            answers += self._run(self._any(*_kind(some, self._reads)), some)
        return answers

    def judge_births(self, shape: Shape, asked: Candidate, birth: str) -> list[tuple[int, int, Answer]]:
        """Answer a question of a shape for DAYS values of the birth date `birth`, the one it has and those that follow.

        Returns runs of days (first, last, counted from 0) with their answer, in order; on days of no run it is not in force.
        """
        runs: list[tuple[int, int, Answer]] = []
        for *told, remarks, first, last, days in self._execute(self._own(shape, birth), [asked]):
            answer = Answer(*told, tuple(remarks))  # type: ignore[call-arg]
            runs += [(day, day, answer) for day in days] if days else [(first, last, answer)]
        return sorted(runs, key=operator.itemgetter(0))

    def shape_of(self, question: Candidate) -> Shape:
        """The shape of the statement that is made for just what a question brings."""
        return self._shape({question.kind.rule_no}, question.kind.filled, question.facts)

    def read_by(self, shape: Shape) -> frozenset[str]:
        """The words of a statement of this shape: what is not among them it does not read."""
        return frozenset(re.findall(r"\w+", self._judged(shape)[0]))

    def prepare_shared(self) -> None:
        """Make the statements of `judge_together` now rather than when they are first needed."""
        for reads_age in {age for _, age in self._reads}:
            for has_id_number, has_exemptions in itertools.product((False, True), repeat=2):
                self._any(reads_age, has_id_number, has_exemptions)

    def _run(self, name: str, asked: Sequence[Candidate]) -> list[Answer | None]:
        answers: list[Answer | None] = [None] * len(asked)
        for number, *told, remarks in self._execute(name, asked):
            answers[number] = Answer(*told, tuple(remarks))  # type: ignore[call-arg]
        return answers

    def _execute(self, name: str, asked: Sequence[Candidate]) -> list[tuple[Any, ...]]:
        questions = (f'{{"question": {number}, {_json(question)}}}' for number, question in enumerate(asked))
        # EXECUTE takes literals only. The text is JSON whose single quotes are escaped, so that none can end the literal.
        document = f"[{','.join(questions)}]".replace("'", "\\u0027")
        return self._connection.execute(f"EXECUTE {name}('{document}')").fetchall()

    def _own(self, shape: Shape, birth: str | None) -> str:
        """The name of the prepared statement of a shape, for DAYS birth dates where one is named."""
        name = self._prepared.pop((shape, birth), None)
        if name is None:
            name = self._prepare(shape, birth)
            if len(self._prepared) >= _SHAPES_KEPT:
                self._connection.execute(f"DEALLOCATE {self._prepared.pop(next(iter(self._prepared)))}")
        self._prepared[shape, birth] = name
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
            name = self._shared[key] = self._prepare(Shape(rules, columns, _ALWAYS), None)
        return name

    def _prepare(self, shape: Shape, birth: str | None) -> str:
        judged, brought = self._judged(shape)
        read = set(re.findall(r"\w+", judged))
        spec = json.dumps([{name: type_ for name, type_ in brought.items() if name in read}])
        source = f"SELECT unnest(from_json(CAST($1 AS VARCHAR), '{spec}'), max_depth := 2)"
        if birth is not None:
            # Of one question, whose number then counts the days; days with the same answer come together.
            source = f"SELECT * REPLACE (day AS question, {birth} + CAST(day AS INTEGER) AS {birth}) FROM ({source}), range({DAYS}) t(day)"
            runs = "min(question), max(question), CASE WHEN max(question) - min(question) >= count(*) THEN list(question) END"
            judged = f"SELECT {', '.join(_ANSWER[1:])}, {runs} FROM ({judged}) GROUP BY ALL"
        name = f"judge_{next(self._numbers)}"
        self._connection.execute(f"PREPARE {name} AS WITH asked AS NOT MATERIALIZED ({source}) {judged}")
        return name

    def _shape(self, rules: Collection[int], filled: Set[str], facts: tuple[str, ...]) -> Shape:
        return Shape(self._alike(rules), _columns(facts, filled), facts)

    def _alike(self, rules: Collection[int]) -> tuple[int, ...]:
        """The rules that read what these read: statements are made for all of them."""
        reads = {self._reads[number] for number in rules}
        return tuple(number for number, read in enumerate(self._reads) if read in reads)

    def _judged(self, shape: Shape) -> tuple[str, dict[str, object]]:
        """SQL of the answers to the questions of the table `asked`, and the types of the columns that these may bring."""
        rules, columns, facts = shape
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
        return f"SELECT {', '.join(_ANSWER)} FROM ({judged})", brought


@functools.lru_cache
def _columns(facts: tuple[str, ...], filled: Set[str]) -> tuple[str, ...]:
    """The columns of the groups that have any of these."""
    return tuple(name for group in _GROUPS if any(name in filled or name in facts for name in group) for name in group)


def _json(question: Candidate) -> str:
    """What a question brings, without braces."""
    facts = json.dumps({name: question.given[name] for name in question.facts}, default=plain)[1:-1]
    code = f'"item_code": {json.dumps(question.item_code)}, ' if "exemptions.code" in question.kind.filled else ""
    return f"{code}{facts}, {question.kind.json}"


def _kind(asked: Sequence[Candidate], reads: Sequence[tuple[bool, bool]]) -> tuple[bool, bool, bool]:
    """Whether any question is of a rule that reads the age, brings an ID number, or meets an exemption."""
    return (
        any(reads[question.kind.rule_no][1] for question in asked),
        any("id_number" in question.facts for question in asked),
        any(not question.kind.filled.isdisjoint(_EXEMPTING_POINT) for question in asked),
    )
