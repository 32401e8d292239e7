"""What the shape `terms` needs of lines, headers and diagnoses: their values in the groups of a profile, what came before, what speaks of a birth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.provincial import Provincial
from checker.ingest.scope import in_scope_sql
from checker.model import sqltext
from checker.model.schema import DIAGNOSIS_SEPARATORS, MATERNITY_DIAGNOSES
from checker.rulebook.plan import Plan
from checker.shapes.terms import TERMS

if TYPE_CHECKING:
    import duckdb

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "insurance": ("insurance_type",),
    "care": ("care_type", "is_discharge_drug"),
    "maternity": ("care_type", "is_maternity_fee"),
    "level": ("institution_level", "prescriber_institution_level", "care_type"),
    "online": ("is_online", "online_unreadable", "pay_location", "institution_name", "care_type"),
}
"""The columns of staged lines that tell a fact."""
_GROUPED = (
    "insurance_type",
    "institution_level",
    "prescriber_institution_level",
    "pay_location",
    "institution_name",
)
CONFLICTS: Mapping[str, str] = {
    "insurance_conflict": "insurance_type", "care_conflict": "care_type", "level_conflict": "institution_level",
}  # fmt: skip
"""What tells of a line that its headers contradict each other in a column."""
_Meaning = str | bool | int | None
_CASES_MOST = 100
"""So many values stand in a CASE; more are looked up."""
EARLIER_DAYS = 365
"""How long an earlier prescription of a point counts."""


def facts_needed(connection: duckdb.DuckDBPyConnection, plan: Plan) -> frozenset[str]:
    """The facts of the shape that rules with points for the input look at."""
    found = connection.execute("SELECT DISTINCT rule_no FROM hot JOIN point USING (point_no)").fetchall()
    rules = [plan.rules[number] for (number,) in found]
    return frozenset(fact for rule in rules if rule.shape == TERMS.id for fact in rule.looks_at)


def columns_needed(facts: Iterable[str]) -> frozenset[str]:
    """The columns of lines that tell these facts."""
    return frozenset(name for fact in facts for name in _COLUMNS.get(fact, ()))


def columns_unasked(facts: frozenset[str]) -> frozenset[str]:
    """The columns of lines that tell of terms, but none of these facts."""
    return columns_needed(_COLUMNS) - columns_needed(facts)


def asks_history(connection: duckdb.DuckDBPyConnection, facts: frozenset[str]) -> bool:
    """Whether the input has items of which only the first prescription is limited."""
    first = "SELECT count(*) FROM hot JOIN point USING (point_no) WHERE rank_case = 'first_prescription'"
    return "history" in facts and one_number(connection, first) > 0


@dataclass(frozen=True, slots=True)
class Payment:
    """What is known of the terms of lines: the values of each column in groups, and the tables that there are beside the lines."""

    facts: frozenset[str]
    said: Mapping[str, Mapping[str, _Meaning]]
    unrated: frozenset[str]
    has_history: bool
    has_diagnoses: bool
    care_tells_online: bool


def find_care(
    connection: duckdb.DuckDBPyConnection, provincial: Provincial, headers: Mapping[str, frozenset[str]]
) -> Mapping[str, str | None]:
    """The group of each care type of lines and their headers, which have that column."""
    return {value: provincial.care_group(value) for value in _values(connection, "care_type", headers)}


def find_payment(
    connection: duckdb.DuckDBPyConnection,
    provincial: Provincial,
    facts: frozenset[str],
    headers: Mapping[str, frozenset[str]],
    care: Mapping[str, str | None],
    *,
    has_history: bool,
    has_diagnoses: bool,
) -> Payment:
    """Look at each value once. `headers` are the columns of the views of headers, by view; `care` are the groups of care types. Where maternity is
    among the facts, `diagnosis`
    (checker.judge.diagnoses) has those of the staged lines; `has_diagnoses`: some source lists diagnoses.
    """
    needed = columns_needed(facts)
    values = {name: _values(connection, name, headers) for name in _GROUPED if name in needed}
    values["care_type"] = list(care)
    rank = provincial.institution_rank
    said: dict[str, Mapping[str, _Meaning]] = {
        "insurance_type": {value: provincial.insurance_group(value) for value in values.get("insurance_type", ())},
        "care_type": care,
        **{
            name: {value: rank(value) for value in values.get(name, ())}
            for name in ("institution_level", "prescriber_institution_level")
        },
    }
    if "online" in facts:
        for name in ("pay_location", "institution_name"):
            said[name] = {value: _online(provincial, name, value) for value in values[name]}
        said["online_care"] = {value: _online(provincial, "care_type", value) for value in values["care_type"]}
    unrated = frozenset(value for value in values.get("institution_level", ()) if provincial.is_unrated(value))
    if "maternity" in facts:
        _find_maternity(connection)
    return Payment(
        facts, said, unrated, has_history, "maternity" in facts and has_diagnoses, provincial.care_tells_online
    )


def _online(provincial: Provincial, column: str, value: str) -> bool | None:
    """What a value tells by itself of whether a visit was online."""
    markers = dict.fromkeys(("pay_location", "care_type", "institution_name")) | {column: value}
    return provincial.is_online(**markers)


def _values(connection: duckdb.DuckDBPyConnection, name: str, headers: Mapping[str, frozenset[str]]) -> list[str]:
    """The values of a column of lines, in the lines themselves and in their headers."""
    places = ["staged_line", *(view for view, carried in headers.items() if name in carried)]
    found = " UNION ALL ".join(f"SELECT {name} AS value FROM {place}" for place in places)
    rows = connection.execute(f"SELECT DISTINCT value FROM ({found}) WHERE value IS NOT NULL ORDER BY value").fetchall()
    return [value for (value,) in rows]


def _find_maternity(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `maternity` (key, said): whether a listed diagnosis of a settlement (s…) or visit (v…) speaks of maternity."""
    codes = "SELECT DISTINCT code FROM hot JOIN point USING (point_no) WHERE insurance = 'maternity'"
    keys = "unnest(['s' || settlement_id, 'v' || visit_id])"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE maternity AS
        SELECT key, bool_or(regexp_matches(code, '{MATERNITY_DIAGNOSES}')) AS said FROM diagnosis
        WHERE is_listed AND key IN (SELECT {keys} FROM staged_line WHERE item_code IN ({codes})) GROUP BY key"""
    )


def find_earlier(connection: duckdb.DuckDBPyConnection, payment: Payment, patient: str, joins: str) -> None:
    """Make `earlier` (patient, point_no, day, previous): the days on which a patient had an item, each with the one before it; after netting.

    `patient` is SQL of whose line `s` is, over the headers that `joins` adds.
    """
    if not payment.has_history:
        return
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE earlier AS
        WITH used AS (
          SELECT DISTINCT {patient} AS patient, t.point_no, CAST(s.service_time AS DATE) AS day
          FROM (FROM staged_line WHERE NOT is_refund AND line_no NOT IN (SELECT line_no FROM left_out)) s {joins}
          JOIN (SELECT DISTINCT code, point_no FROM hot JOIN point USING (point_no) WHERE rank_case = 'first_prescription') t
            ON t.code = s.item_code)
        SELECT *, lag(day) OVER (PARTITION BY patient, point_no ORDER BY day) AS previous FROM used WHERE patient IS NOT NULL"""
    )


_OF_MATERNITY = {"ms": "'s' || s.settlement_id", "mv": "'v' || s.visit_id"}
"""By which keys diagnoses that speak of maternity stand beside a line."""


def joins_sql(payment: Payment, patient: str) -> str:
    """SQL of the joins of staged lines `s` with their points `t` that `columns_sql` reads; each finds one row at most."""
    joins = [f"LEFT JOIN maternity {alias} ON {alias}.key = {key}" for alias, key in _OF_MATERNITY.items()]
    earlier = f"LEFT JOIN earlier e ON e.patient = {patient} AND e.point_no = t.point_no AND e.day = CAST(s.service_time AS DATE)"
    return " ".join([*(joins if payment.has_diagnoses else ()), *([earlier] if payment.has_history else ())])


def columns_sql(
    payment: Payment,
    first: Callable[[str], str],
    conflict: Callable[[str], str],
    diagnosis_code: str,
    patient: str,
    not_paid: str,
) -> dict[str, str]:
    """SQL of the columns of a line that the shape alone reads, over `joins_sql`. `first` gives SQL of a column of line or header, `conflict` of whether headers
    contradict each other in one.
    """

    def grouped(name: str, type_: str, column: str = "") -> str:
        return meaning_sql(first(column or name), payment.said.get(name, {}), type_)

    level = first("institution_level")
    place, by_care = grouped("pay_location", "BOOLEAN"), grouped("online_care", "BOOLEAN", "care_type")
    markers = ("s.is_online", place, by_care, grouped("institution_name", "BOOLEAN"))
    # Where a province tells it by the care type, that counts only where no place is given.
    no_place = f"({first('pay_location')} IS NULL AND NOT {conflict('pay_location')})"
    offline = f"NOT s.online_unreadable AND (NOT s.is_online OR NOT {place} OR ({no_place} AND NOT {by_care}))"
    doubts = [
        (conflict("pay_location"), "sources_conflict"),
        (f"{first('pay_location')} IS NOT NULL AND {place} IS NULL", "online_unknown"),
    ]
    if payment.care_tells_online:
        care = grouped("care_type", "VARCHAR")
        doubts += [
            (conflict("care_type"), "sources_conflict"),
            (f"{first('care_type')} IS NOT NULL AND {care} IS NULL", "care_unknown"),
        ]
    spoken = f"regexp_matches(',' || {diagnosis_code}, '{_among(MATERNITY_DIAGNOSES)}')"
    by_key = [f"{alias}.said" for alias in _OF_MATERNITY] if payment.has_diagnoses else []
    said = [f"CASE WHEN {diagnosis_code} <> '' THEN {spoken} END", *by_key]
    continued = f"e.previous >= CAST(s.service_time AS DATE) - {EARLIER_DAYS}"
    in_scope = in_scope_sql("s.amount", "s.amount_in_scope", "s.full_self_paid_amount")
    return {
        "insurance_type": first("insurance_type"), "insurance_group": grouped("insurance_type", "VARCHAR"),
        "is_discharge_drug": "s.is_discharge_drug", "is_maternity_fee": "s.is_maternity_fee",
        "institution_level": level, "own_rank": grouped("institution_level", "BIGINT"),
        "is_unrated": f"{level} IN ({sqltext.texts(payment.unrated)})" if payment.unrated else "FALSE",
        "prescriber_rank": meaning_sql("s.prescriber_institution_level", payment.said.get("prescriber_institution_level", {}), "BIGINT"),
        "has_earlier": f"CASE WHEN {patient} IS NOT NULL THEN coalesce({continued}, FALSE) END" if payment.has_history else "FALSE",
        "is_online":
            f"CASE WHEN {' OR '.join(f'coalesce({marker}, FALSE)' for marker in markers)} THEN TRUE WHEN {offline} THEN FALSE END",
        "prescriber_institution_level": "s.prescriber_institution_level", "pay_location": first("pay_location"),
        "online_doubt": f"CASE {' '.join(f'WHEN {doubt} THEN {sqltext.text(reason)}' for doubt, reason in doubts)} END",
        **{name: conflict(column) for name, column in CONFLICTS.items()},
        "has_maternity_diagnosis":
            f"CASE WHEN {' OR '.join(f'coalesce({each}, FALSE)' for each in said)} THEN TRUE WHEN coalesce({', '.join(said)}) IS NOT NULL THEN FALSE END",
        "in_scope": f"CASE WHEN {not_paid} THEN FALSE WHEN {in_scope} THEN TRUE END",
    }  # fmt: skip


def meaning_sql(value: str, said: Mapping[str, _Meaning], type_: str) -> str:
    """SQL of what a value stands for."""
    known = {text: meaning for text, meaning in said.items() if meaning is not None}
    if not known:
        return f"CAST(NULL AS {type_})"
    if len(known) > _CASES_MOST:
        texts, meanings = sqltext.texts(known), ", ".join(map(_literal, known.values()))
        return f"(SELECT meaning FROM (SELECT unnest([{texts}]) AS text, unnest([{meanings}]) AS meaning) k WHERE k.text = {value})"
    arms = " ".join(f"WHEN {sqltext.text(text)} THEN {_literal(meaning)}" for text, meaning in known.items())
    return f"CAST(CASE {value} {arms} END AS {type_})"


def _literal(meaning: str | bool | int) -> str:
    return sqltext.text(meaning) if isinstance(meaning, str) else str(meaning).upper()


def _among(pattern: str) -> str:
    """A regular expression of the start of a code, as one over codes that are joined."""
    return pattern.replace("^", DIAGNOSIS_SEPARATORS.removesuffix("+"), 1)
