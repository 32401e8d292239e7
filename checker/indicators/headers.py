"""What settlements and visit headers say of visits, in files: a row a settlement, and a row a visit header."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import SCRATCH, lay_aside, one_number
from checker.indicators.charges import WHO
from checker.indicators.plan import KEYS, Plan, bucket, visit_key
from checker.ingest.gather import Gathered
from checker.ingest.lost_keys import is_lost
from checker.ingest.named import name_once
from checker.ingest.settlement_flags import is_valid
from checker.ingest.sources import Source
from checker.model import sqltext

if TYPE_CHECKING:
    import duckdb

_MONEY = (
    "settlement_amount",
    "settlement_in_scope",
    "settlement_fund_paid",
    "own_amount",
    "account_amount",
    "cash_amount",
)
_TIMES = ("settlement_time", "settlement_begin", "settlement_end", "visit_start", "visit_end")
_TEXTS = (*WHO, "visit_id", "original")


def gather_settlements(connection: duckdb.DuckDBPyConnection, files: Gathered, work: Path) -> None:
    """Make the view `header`: a row a settlement that is not void; amounts that its rows contradict each other in are none."""
    parts = [_rows_of(source) for source in files.settlements]
    if not parts:
        nothing = "settlement_id VARCHAR, visit_id VARCHAR, is_refund BOOLEAN, original VARCHAR"
        connection.execute(f"CREATE OR REPLACE TEMP TABLE header ({nothing})")
        return
    lay_aside(
        connection,
        "header_row",
        f"FROM ({' UNION ALL BY NAME '.join(parts)}) WHERE settlement_id IS NOT NULL",
        work / "header_rows.parquet",
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE repeated_header AS SELECT settlement_id FROM header_row GROUP BY settlement_id HAVING count(*) > 1"
    )
    # Nearly always a settlement has one row; only of others it must be asked what their rows agree in.
    one = ", ".join(
        f"CASE WHEN min({name}) = max({name}) THEN min({name}) END AS {name}" for name in (*_TEXTS, *_MONEY)
    )
    several = f"""SELECT settlement_id, {one}, bool_and(refunded) AS refunded, max(settlement_time) AS settlement_time, min(first_day) AS first_day,
          max(end_day) AS end_day, max(stay_days) AS stay_days
        FROM header_row WHERE settlement_id IN (FROM repeated_header) GROUP BY settlement_id"""
    if one_number(connection, "SELECT count(*) FROM repeated_header"):
        rows = f"SELECT * FROM header_row WHERE settlement_id NOT IN (FROM repeated_header) UNION ALL BY NAME {several}"
    else:
        rows = "FROM header_row"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW header AS SELECT *, refunded OR coalesce(settlement_amount < 0, FALSE) AS is_refund FROM ({rows})"
    )


def _rows_of(source: Source) -> str:
    names = (*KEYS, *WHO, "original_settlement_id", "refund_flag", *_MONEY, *_TIMES, "stay_days")
    rows = name_once(
        f"SELECT * FROM {source.table.scan()} WHERE {is_valid(source)}", source.map, source.table.headers, names
    )
    read = {name: rows.read(name) for name in names}
    read |= {name: kept(read[name], name) for name in (*KEYS, "patient_id", "original_settlement_id")}
    fields = {name: read[name] for name in ("settlement_id", *_TEXTS, *_MONEY, "settlement_time") if name != "original"}
    fields |= {
        "original": read["original_settlement_id"],
        "refunded": f"coalesce({read['refund_flag']}, FALSE)",
        "first_day": f"coalesce({read['visit_start']}, {read['settlement_begin']})",
        "end_day": f"coalesce({read['visit_end']}, {read['settlement_end']})",
        "stay_days": f"CAST({read['stay_days']} AS BIGINT)",
    }
    return f"SELECT {', '.join(f'{value} AS {name}' for name, value in fields.items())} FROM ({rows.sql})"


def write_headers(connection: duckdb.DuckDBPyConnection, files: Gathered, plan: Plan, work: Path) -> list[Path]:
    """Write what headers say of visits, as `visits.fold_visits` takes it, and return the files."""
    parts = [_settlements(plan)] if files.settlements else []
    if plan.visits_joined:
        parts += [_visits(source, plan) for source in files.visits]
    written = []
    for number, part in enumerate(parts):
        written.append(work / f"headers_{number}.parquet")
        connection.execute(
            f"COPY (SELECT *, {bucket('key')} AS bucket FROM ({part})) TO {sqltext.text(str(written[-1]))} {SCRATCH}"
        )
    return written


def _settlements(plan: Plan) -> str:
    def signed(value: str) -> str:
        return f"CASE WHEN is_refund THEN -abs({value}) ELSE {value} END"

    own = "coalesce(own_amount, coalesce(account_amount, 0) + cash_amount)"
    settlement = "CASE WHEN is_refund THEN coalesce(original, settlement_id) ELSE settlement_id END"
    total = signed("settlement_amount")
    texts = ", ".join(WHO[1:])
    return f"""SELECT {visit_key(plan, settlement=settlement)} AS key, institution_id AS institution, {texts}, {total} AS settled,
          {signed("settlement_in_scope")} AS in_scope, CASE WHEN settlement_in_scope IS NOT NULL THEN {total} END AS of_scope,
          {signed("settlement_fund_paid")} AS fund, CASE WHEN settlement_fund_paid IS NOT NULL THEN {total} END AS of_fund,
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
    fields |= {name: kept(fields[name], name) for name in ("visit_id", "patient_id")}
    told = f"SELECT {', '.join(f'{value} AS {name}' for name, value in fields.items())} FROM ({rows.sql})"
    key, joined = visit_key(plan, "r.visit_id", "NULL"), ""
    if plan.key == "settlement_id":
        key = "'s' || h.settlement_id"
        joined = "JOIN (SELECT settlement_id, visit_id FROM header WHERE NOT is_refund) h USING (visit_id)"
    texts = ", ".join(f"r.{name}" for name in WHO[1:])
    return f"""SELECT {key} AS key, r.institution_id AS institution, {texts}, r.visit_start AS first_day, r.visit_end AS end_day,
          CAST(r.stay_days AS BIGINT) AS stay_days FROM ({told}) r {joined} WHERE r.visit_id IS NOT NULL"""


def kept(value: str, name: str) -> str:
    """SQL of a key whose digits are not lost."""
    return f"CASE WHEN NOT coalesce({is_lost(value, name)}, FALSE) THEN {value} END"
