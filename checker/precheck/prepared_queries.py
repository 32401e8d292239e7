"""Questions of the counter to the clauses: candidates as JSON into statements prepared once, answers out."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.judge.compile import judged_sql
from checker.precheck.point_index import POINT_GROUPS, Kind, plain
from checker.rulebook.plan import Plan
from checker.shapes import CANDIDATE_COLUMNS
from checker.shapes.base import Shape

if TYPE_CHECKING:
    import duckdb

_FACTS = (
    ("service_time",), ("on_date",), ("line_sex", "line_birth"), ("patient_age",), ("id_number",), ("newborn_flag",),
    ("settlement_sex", "settlement_birth", "header_age"), ("header_id_number",), ("family_paid",),
    ("insured_sex", "insured_birth_date"), ("insured_age",), ("care_type",), ("insured_region", "region"), ("visit_start",),
    ("time_fallback",), ("person_unreadable",), ("duplicate",), ("partly_refunded",), ("not_in_scope",), ("newborn_near",), ("code_repaired",),
    ("line_no", "prescription_key", "prescription_guessed"),
    ("insurance_type", "insurance_group"), ("care_group",), ("is_discharge_drug", "is_maternity_fee"),
    ("institution_level", "own_rank", "is_unrated"), ("institution_id", "prescriber_rank"), ("has_earlier",), ("is_online", "online_doubt"),
    ("has_maternity_diagnosis",), ("in_scope",), ("history_told",), ("patient_key", "visit_key", "settlement_key"),
    ("data_since",),
)  # fmt: skip
_EXEMPTION: dict[str, object] = {
    "exemption_id": "VARCHAR", "effect": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE", "diagnoses": ["VARCHAR"],
    "region": "VARCHAR", "region_of": "VARCHAR", "code": "VARCHAR", "code_is_family": "BOOLEAN",
}  # fmt: skip
_EXEMPTED = tuple((f"exemptions.{field}",) for field in ("valid_to", "diagnoses", "region", "code"))
_GROUPS = (*_FACTS, *POINT_GROUPS, ("diagnoses",), *_EXEMPTED)
"""What the clauses may need, in groups that are present or absent together, so that statements stay few."""
_EXEMPTING = frozenset({"exemptions", "diagnoses", *(name for (name,) in _EXEMPTED)})
_RARE = frozenset(
    {
        "settlement_sex",
        "settlement_birth",
        "header_age",
        "header_id_number",
        "family_paid",
        "insured_age",
        "not_in_scope",
        "newborn_near",
        "code_repaired",
    }
)
"""What few prescriptions bring; statements without it are shorter."""
_ID_NUMBERS = frozenset({"id_number", "header_id_number"})
_ONLY_WITH = {
    "insured_region": ("point_region", "exemptions.region"), "region": ("point_region", "exemptions.region"),
    "diagnoses": ("exemptions.diagnoses",),
}  # fmt: skip
"""Facts that are looked at only where the point fills one of these columns."""
_ALWAYS = ("service_time", "on_date")
_TYPES: dict[str, object] = {
    "question": "BIGINT", **CANDIDATE_COLUMNS, "diagnoses": ["VARCHAR"], "code_repaired": "BOOLEAN", "duplicate": "BOOLEAN", "partly_refunded": "BOOLEAN",
    "partly_reversed": "BOOLEAN", "falsely_reversed": "BOOLEAN", "newborn_near": "BOOLEAN", "reuploaded": "BOOLEAN",
}  # fmt: skip
_NEVER = ("exemptions", *(name for (name,) in _EXEMPTED), *_TYPES)
_ANSWER = (
    "question", "verdict", "level", "action", "final_reason_code", "exemption_id", "expected", "actual", "is_insured", "remarks",
    "related_lines", "violated", "finding_scope", "at_stake", "lowered",
    "noticed",
)  # fmt: skip
_QUESTIONS_AT_ONCE = 1000
_HERE = "\x1a"
"""Where a document goes in a query: a sign that no clause may hold."""

Related = Mapping[str, Sequence[Mapping[str, Any]]]
"""The rows of the relations that a shape needs beside the candidates, by name."""
FACT_NAMES = frozenset(name for group in (*_FACTS, ("diagnoses",)) for name in group)
"""The columns of a prescription that clauses may read."""


class Asked(NamedTuple):
    """One question: the kind of its point, the facts of its line (their names, and their JSON without braces), the item's code."""

    kind: Kind
    names: frozenset[str]
    json: str
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
    related_lines: tuple[str, ...] | None = None
    violated: bool | None = None
    scope: str = "line"
    at_stake: Decimal | None = None
    lowered: bool | None = None
    noticed: bool | None = None


class PreparedQueries:
    """The clauses of a plan's rules of one shape as prepared statements on one connection.

    A lone prescription gets a statement for just the columns that it and its points fill: the shortest there is, as it has to be made first.
    Those that wait together share one of few statements that hold for any question (`prepare`).
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, plan: Plan, shape: Shape) -> None:
        self._connection = connection
        self._plan = plan
        self._shape = shape
        self._rules = plan.numbers_of(shape.id)
        self._shared: dict[tuple[bool, bool, bool, bool, frozenset[str]], str] = {}
        self._prepared: dict[str, str] = {}
        self._reads_age = {number: "age" in plan.rules[number].looks_at for number in self._rules}

    def prepare(self, kinds: Iterable[Kind]) -> None:
        """Make the shared statements now rather than when they are first needed: those that points of these kinds may ask, alone or together."""
        own = [kind for kind in kinds if kind.rule_no in self._reads_age]
        alone = {(self._reads_age[kind.rule_no], "exemptions" in kind.filled) for kind in own}
        asked = {kind.asks for kind in own}
        for one, other in itertools.combinations_with_replacement(sorted(alone), 2):
            for has_id_number in (False, True):
                for some, more in itertools.combinations_with_replacement(asked, 2):
                    self._any(one[0] or other[0], has_id_number, False, one[1] or other[1], some | more)

    def ask(self, asked: Sequence[Asked], related: Related) -> list[Answer | None]:
        """Answer the questions of any prescriptions in as few queries as their number allows; those not in force have None.

        `related` are the rows of the shape's relations.
        """
        answers: list[Answer | None] = []
        for start in range(0, len(asked), _QUESTIONS_AT_ONCE):
            some = asked[start : start + _QUESTIONS_AT_ONCE]
            statement = self._any(
                any(self._reads_age[question.kind.rule_no] for question in some),
                any(not _ID_NUMBERS.isdisjoint(question.names) for question in some),
                any(not _RARE.isdisjoint(question.names) for question in some),
                any("exemptions" in question.kind.filled for question in some),
                _parts(some),
            )
            answers += self._run(
                f"EXECUTE {statement}({', '.join([_HERE] * (1 + len(self._shape.relations)))})", some, related
            )
        return answers

    def ask_once(self, asked: Sequence[Asked], related: Related) -> list[Answer | None]:
        """The same for one prescription, where nothing has been prepared."""
        filled = frozenset[str]().union(*(question.kind.filled for question in asked))
        names = frozenset[str]().union(*(question.names for question in asked))
        facts = {name for name in names if name not in _ONLY_WITH or not filled.isdisjoint(_ONLY_WITH[name])}
        rules = {question.kind.rule_no for question in asked}
        always = frozenset.intersection(*(question.names for question in asked)) & facts
        documents = [_HERE] * (1 + len(self._shape.relations))
        query = self._query(rules, _columns(facts | filled), always, documents, _parts(asked))
        return self._run(query, asked, related)

    def _run(self, query: str, asked: Sequence[Asked], related: Related) -> list[Answer | None]:
        answers: list[Answer | None] = [None] * len(asked)
        questions = (f'{{"question": {number}, {_json(question)}}}' for number, question in enumerate(asked))
        documents = [f"[{','.join(questions)}]", *(json.dumps(related[name]) for name in self._shape.relations)]
        before, *parts = query.split(_HERE)
        # EXECUTE takes literals only. The texts are JSON whose single quotes are escaped, so that none can end the literal.
        literals = ["'" + document.replace("'", "\\u0027") + "'" for document in documents]
        query = before + "".join(itertools.chain.from_iterable(zip(literals, parts, strict=True)))
        for number, *told, remarks, lines, violated, scope, at_stake, lowered, noticed in self._connection.execute(
            query
        ).fetchall():
            answers[number] = Answer(
                *told, tuple(remarks), lines and tuple(lines), violated, scope, at_stake, lowered, noticed
            )  # type: ignore[call-arg]
        return answers

    def _any(
        self, reads_age: bool, has_id_number: bool, has_rare: bool, has_exemptions: bool, parts: frozenset[str]
    ) -> str:
        """The name of the statement for any questions of a kind."""
        key = (reads_age, has_id_number, has_rare, has_exemptions, parts)
        name = self._shared.get(key)
        if name is None:
            columns = tuple(
                column
                for group in _GROUPS
                for column in group
                if (has_id_number or column not in _ID_NUMBERS)
                and (has_rare or column not in _RARE)
                and (has_exemptions or column not in _EXEMPTING)
            )
            rules = [number for number, age in self._reads_age.items() if reads_age or not age]
            documents = [f"${number}" for number in range(1, 2 + len(self._shape.relations))]
            query = self._query(rules, columns, _ALWAYS, documents, parts)
            # Where no clause reads what two kinds differ in, they share a statement.
            name = self._prepared.get(query)
            if name is None:
                name = self._prepared[query] = f"judge_{self._shape.id}_{len(self._prepared)}"
                self._connection.execute(f"PREPARE {name} AS {query}")
            self._shared[key] = name
        return name

    def _query(
        self,
        rules: Collection[int],
        columns: Collection[str],
        always: Collection[str],
        documents: Sequence[str],
        parts: Collection[str],
    ) -> str:
        """SQL of the answers to the questions of a JSON document that may bring these columns, some of them `always`, and that ask for these `parts`.

        The first of `documents` has the questions, the others have the rows of the shape's relations.
        """
        known = dict.fromkeys(_NEVER, False)
        brought: dict[str, object] = {"question": "BIGINT"}
        for name in (*columns, *(["item_code"] if "exemptions.code" in columns else [])):
            known.pop(name, None)
            if name in _TYPES:
                brought[name] = _TYPES[name]
        if "exemptions" in columns:
            bound = {name for (name,) in _EXEMPTED if name not in columns}
            brought["exemptions"] = [
                {field: type_ for field, type_ in _EXEMPTION.items() if f"exemptions.{field}" not in bound}
            ]
        known |= dict.fromkeys(always, True)
        judged = judged_sql(
            self._plan, self._shape, "FROM asked", stage="before", rules=rules, filled=known, parts=parts
        )
        read = set(re.findall(r"\w+", f"{judged} {' '.join(_ANSWER)}"))
        tables = {"asked": {name: type_ for name, type_ in brought.items() if name in read}}
        for relation, types in self._shape.relations.items():
            tables[relation] = {
                name: [type_.removesuffix("[]")] if type_.endswith("[]") else type_ for name, type_ in types.items()
            }
        rows = (
            f"{name} AS NOT MATERIALIZED (SELECT unnest(from_json(CAST({document} AS VARCHAR), '{json.dumps([types])}'), max_depth := 2))"
            for (name, types), document in zip(tables.items(), documents, strict=True)
        )
        return f"WITH {', '.join(rows)} SELECT {', '.join(_ANSWER)} FROM ({judged})"


def _parts(asked: Iterable[Asked]) -> frozenset[str]:
    """What the points of these questions ask of the shape's base."""
    return frozenset[str]().union(*(question.kind.asks for question in asked))


def facts_json(given: Mapping[str, Any]) -> tuple[frozenset[str], str]:
    """The names of the facts that there are, and their JSON without braces."""
    held = {name: value for name, value in given.items() if name in FACT_NAMES}
    return frozenset(held), json.dumps(held, default=plain)[1:-1]


@functools.lru_cache
def _grouped(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for group in _GROUPS if not names.isdisjoint(group) for name in group)


def _columns(names: Set[str]) -> tuple[str, ...]:
    """The columns of the groups that have any of these."""
    return _grouped(frozenset(names))


def _json(question: Asked) -> str:
    """What a question brings, without braces."""
    code = f'"item_code": {json.dumps(question.item_code)}, ' if "exemptions.code" in question.kind.filled else ""
    return f"{code}{question.json}, {question.kind.json}"
