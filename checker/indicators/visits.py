"""Visits: what lines, settlements and visit headers say of one, together in one row, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import lay_aside
from checker.indicators.charges import KEYS, WHO, class_names
from checker.indicators.definitions import Definitions
from checker.ingest.gather import Gathered
from checker.ingest.lost_keys import is_lost
from checker.ingest.named import name_once
from checker.ingest.settlement_flags import is_valid
from checker.ingest.sources import Source
from checker.model.id_number import one_person

if TYPE_CHECKING:
    import duckdb

_MONEY = ("settlement_amount", "settlement_in_scope", "fund_amount", "own_amount", "account_amount", "cash_amount")
_TIMES = ("settlement_time", "settlement_begin", "settlement_end", "visit_start", "visit_end")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the inputs allow: by which key lines and headers make a visit, whether its institution is part of that key, and whether costs are those of
    settlements; `visits_joined` where visit headers can be told to be of the same visits."""

    key: str | None
    by_institution: bool
    settled: bool
    visits_joined: bool


def plan_visits(files: Gathered) -> Plan:
    """What the inputs allow."""

    def told(sources: Sequence[Source], name: str) -> bool:
        return all(source.map.has(name) for source in sources)

    key: str | None = None
    if told(files.lines, "visit_id") and told(files.settlements, "visit_id"):
        key = "visit_id"
    elif told(files.lines, "settlement_id"):
        key = "settlement_id"
    elif told(files.lines, "visit_id"):
        key = "visit_id"
    settled = any(source.map.has("settlement_amount") for source in files.settlements)
    settled &= key == "settlement_id" or told(files.settlements, "visit_id")
    joined = key == "visit_id" or (bool(files.settlements) and told(files.settlements, "visit_id"))
    headers = (*(files.settlements if settled or key else ()), *(files.visits if joined else ()))
    by_institution = all(source.map.has("institution_id") for source in (*files.lines, *headers))
    return Plan(key, by_institution, settled, joined)


def gather_visits(
    connection: duckdb.DuckDBPyConnection, files: Gathered, plan: Plan, charged: str, defined: Definitions, work: Path
) -> None:
    """Make the view `visit`, one row a visit (and the lines of none, by month), and the table `header` of the settlements.

    Everything of a visit counts in the month of its last settlement, else of its end, else of its last line. A visit whose refunds leave nothing is
    none, and what its lines say counts no more.
    """
    _gather_settlements(connection, files, plan)
    parts = [_lines(charged, plan)]
    if files.settlements:
        parts.append(_settlements(plan))
    if files.visits and plan.visits_joined:
        parts += (_visits(source, plan) for source in files.visits)
    rows = " UNION ALL BY NAME ".join(parts)
    texts = ("patient_id", "patient_id_number", "insurance_type", "institution_level", "care_type")
    line_sums = (*class_names(defined), "charged", "line_in_scope", "line_of_scope")
    header_sums = ("settled", "in_scope", "of_scope", "fund", "of_fund", "own", "of_own")
    empty = {
        **dict.fromkeys(("key", "institution", *texts), "VARCHAR"),
        **dict.fromkeys((*line_sums, *header_sums), "DECIMAL(38, 4)"),
        **dict.fromkeys(("line_count", "refunds", "settlements", "refund_settlements", "stay_days"), "BIGINT"),
        **dict.fromkeys(("last_day", "last_refund", "last_settled", "first_day", "end_day", "own_month"), "TIMESTAMP"),
    }
    typed = ", ".join(f"CAST(NULL AS {type_}) AS {name}" for name, type_ in empty.items())
    rows = f"{rows} UNION ALL BY NAME SELECT {typed} WHERE FALSE"
    # Rows of no visit stay apart by all that they say.
    alone = f"CASE WHEN key IS NULL THEN hash(own_month, {', '.join(texts)}) END"
    institution = "institution" if plan.by_institution else "CASE WHEN key IS NULL THEN institution END"
    named = "min(institution)"
    folded = f"""SELECT key, {named} AS institution_id, {", ".join(f"min({name}) AS {name}" for name in texts)},
          {", ".join(f"sum({name}) AS {name}" for name in (*line_sums, *header_sums))},
          coalesce(sum(line_count), 0) AS line_count, coalesce(sum(refunds), 0) AS refunds, coalesce(sum(settlements), 0) AS settlements,
          coalesce(sum(refund_settlements), 0) AS refund_settlements, max(stay_days) AS stay_days,
          coalesce(max(last_settled), max(end_day), max(last_day), max(own_month), max(last_refund)) AS told_on,
          min(first_day) AS first_day, max(end_day) AS end_day
        FROM ({rows}) GROUP BY key, {institution}, {alone}"""
    cost = "settled" if plan.settled else "charged"
    counted = "settlements > 0" if plan.settled else "line_count > refunds"
    taken_back = "(refund_settlements > 0 AND coalesce(settled, 0) <= 0)"
    taken_back += "" if plan.settled else " OR (refunds > 0 AND coalesce(charged, 0) <= 0)"
    gone = "(key IS NOT NULL AND refund_settlements > 0 AND coalesce(settled, 0) <= 0 AND coalesce(charged, 0) > 0)"
    person = f"coalesce('i' || patient_id, 'n' || {one_person('patient_id_number')})"
    own = {
        "told": "told_on IS NOT NULL",
        "month": "strftime(told_on, '%Y-%m')",
        "person": f"hash({person})",
        "has_person": f"{person} IS NOT NULL",
        "is_visit": f"key IS NOT NULL AND {counted} AND NOT ({taken_back})",
        "is_taken_back": f"key IS NOT NULL AND ({taken_back})",
        "is_unsettled": "key IS NOT NULL AND line_count > 0 AND settlements = 0 AND refund_settlements = 0"
        if plan.settled
        else "FALSE",
        "cost": f"CASE WHEN key IS NOT NULL THEN {cost} END",
        **(
            {}
            if plan.settled
            else {
                "in_scope": "CASE WHEN key IS NOT NULL THEN line_in_scope END",
                "of_scope": "CASE WHEN key IS NOT NULL THEN line_of_scope END",
            }
        ),
    }
    rest = [name for name in header_sums if name not in own]
    chosen = ", ".join(f"{value} AS {name}" for name, value in own.items())
    sums = ", ".join(f"CASE WHEN NOT {gone} THEN {name} END AS {name}" for name in (*class_names(defined), "charged"))
    days = "CASE WHEN stay_days > 0 THEN stay_days ELSE greatest(date_diff('day', CAST(first_day AS DATE), CAST(end_day AS DATE)), 1) END"
    lay_aside(
        connection,
        "visit",
        f"""SELECT key, institution_id, insurance_type, institution_level, care_type, line_count, {", ".join(rest)}, {chosen}, {sums},
          CAST(first_day AS DATE) AS first_day, CAST(end_day AS DATE) AS end_day,
          CASE WHEN end_day >= first_day OR stay_days > 0 THEN {days} END AS bed_days FROM ({folded})""",
        work / "visit.parquet",
    )


def _key(plan: Plan, visit: str = "visit_id", settlement: str = "settlement_id") -> str:
    if plan.key is None:
        return "CAST(NULL AS VARCHAR)"
    if plan.key == "visit_id":
        # Of a visit number and a settlement number none may be taken for the other.
        return f"coalesce('v' || {visit}, 's' || {settlement})"
    return f"coalesce('s' || {settlement}, 'v' || {visit})"


def _lines(charged: str, plan: Plan) -> str:
    texts = ", ".join(WHO[1:])
    settlement = "coalesce(original, l.settlement_id)" if plan.key == "settlement_id" else "l.settlement_id"
    back = "LEFT JOIN (SELECT settlement_id, min(original) AS original FROM header WHERE is_refund GROUP BY ALL) b USING (settlement_id)"
    joined = back if plan.key == "settlement_id" else ""
    return f"""SELECT {_key(plan, "l.visit_id", settlement)} AS key, institution_id AS institution, {texts},
          l.* EXCLUDE ({", ".join((*KEYS, *WHO))}) FROM ({charged}) l {joined}"""


def _gather_settlements(connection: duckdb.DuckDBPyConnection, files: Gathered, plan: Plan) -> None:
    """Make the table `header`: a row a settlement that is not void; amounts that its rows contradict each other in are none."""
    names = (*KEYS, *WHO, "original_settlement_id", "refund_flag", *_MONEY, *_TIMES, "stay_days")
    texts = (*WHO, "visit_id", "original")
    parts = []
    for source in files.settlements:
        rows = name_once(
            f"SELECT * FROM {source.table.scan()} WHERE {is_valid(source)}", source.map, source.table.headers, names
        )
        fields = {name: rows.read(name) for name in names}
        fields |= {name: _kept(fields[name], name) for name in (*KEYS, "patient_id", "original_settlement_id")}
        fields["original"] = fields.pop("original_settlement_id")
        parts.append(f"SELECT {', '.join(f'{value} AS {name}' for name, value in fields.items())} FROM ({rows.sql})")
    if not parts:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE header (settlement_id VARCHAR, visit_id VARCHAR, is_refund BOOLEAN, original VARCHAR)"
        )
        return
    one = ", ".join(f"CASE WHEN min({name}) = max({name}) THEN min({name}) END AS {name}" for name in (*texts, *_MONEY))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE header AS
        SELECT * , coalesce(refunded, FALSE) OR coalesce(settlement_amount < 0, FALSE) AS is_refund FROM (
          SELECT settlement_id, {one}, bool_and(coalesce(refund_flag, FALSE)) AS refunded, max(settlement_time) AS settlement_time,
            min(coalesce(visit_start, settlement_begin)) AS first_day, max(coalesce(visit_end, settlement_end)) AS end_day,
            max(CAST(stay_days AS BIGINT)) AS stay_days
          FROM ({" UNION ALL BY NAME ".join(parts)}) WHERE settlement_id IS NOT NULL GROUP BY settlement_id)"""
    )


def _settlements(plan: Plan) -> str:
    def signed(value: str) -> str:
        return f"CASE WHEN is_refund THEN -abs({value}) ELSE {value} END"

    own = "coalesce(own_amount, coalesce(account_amount, 0) + cash_amount)"
    settlement = "CASE WHEN is_refund THEN coalesce(original, settlement_id) ELSE settlement_id END"
    total = signed("settlement_amount")
    texts = ", ".join(WHO[1:])
    return f"""SELECT {_key(plan, settlement=settlement)} AS key, institution_id AS institution, {texts}, {total} AS settled,
          {signed("settlement_in_scope")} AS in_scope, CASE WHEN settlement_in_scope IS NOT NULL THEN {total} END AS of_scope,
          {signed("fund_amount")} AS fund, CASE WHEN fund_amount IS NOT NULL THEN {total} END AS of_fund,
          {signed(own)} AS own, CASE WHEN {own} IS NOT NULL THEN {total} END AS of_own,
          CASE WHEN NOT is_refund THEN 1 ELSE 0 END AS settlements, CASE WHEN is_refund THEN 1 ELSE 0 END AS refund_settlements,
          CASE WHEN NOT is_refund THEN settlement_time END AS last_settled, settlement_time AS last_refund,
          CASE WHEN NOT is_refund THEN first_day END AS first_day, CASE WHEN NOT is_refund THEN end_day END AS end_day,
          CASE WHEN NOT is_refund THEN stay_days END AS stay_days FROM header"""


def _visits(source: Source, plan: Plan) -> str:
    names = ("visit_id", *WHO, "visit_start", "visit_end", "stay_days")
    rows = name_once(
        f"SELECT * FROM {source.table.scan()} WHERE {is_valid(source)}", source.map, source.table.headers, names
    )
    fields = {name: rows.read(name) for name in names}
    fields |= {name: _kept(fields[name], name) for name in ("visit_id", "patient_id")}
    told = f"SELECT {', '.join(f'{value} AS {name}' for name, value in fields.items())} FROM ({rows.sql})"
    key, joined = _key(plan, "r.visit_id", "NULL"), ""
    if plan.key == "settlement_id":
        key = "'s' || h.settlement_id"
        joined = "JOIN (SELECT settlement_id, visit_id FROM header WHERE NOT is_refund) h USING (visit_id)"
    texts = ", ".join(f"r.{name}" for name in WHO[1:])
    return f"""SELECT {key} AS key, r.institution_id AS institution, {texts}, r.visit_start AS first_day, r.visit_end AS end_day,
          CAST(r.stay_days AS BIGINT) AS stay_days FROM ({told}) r {joined} WHERE r.visit_id IS NOT NULL"""


def _kept(value: str, name: str) -> str:
    """SQL of a key whose digits are not lost."""
    return f"CASE WHEN NOT coalesce({is_lost(value, name)}, FALSE) THEN {value} END"
