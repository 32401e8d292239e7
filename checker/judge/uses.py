"""The relation `use` (checker.shapes.uses) of a scan: the staged lines of items that points count, pair or look back at, as netting leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import lay_aside
from checker.ingest.line_sql import USED
from checker.judge.candidates import Joined, patient_sql, visit_sql
from checker.shapes.uses import USE

if TYPE_CHECKING:
    import duckdb

STAGED = frozenset(USED)
"""The columns of staged lines that nothing else needs."""


def gather_uses(
    connection: duckdb.DuckDBPyConnection,
    beside: Joined,
    care_group: str,
    not_paid: str,
    unneeded: frozenset[str],
    spilled: Path | None,
) -> None:
    """Make `use`, held by the engine or in the Parquet file `spilled`. `care_group` and `not_paid` are SQL over a staged line `s` and its headers,
    `unneeded` the columns that it lacks.
    """
    first = beside.first
    institution = first("institution_id")
    # The visit itself knows best when it ended: a settlement may be of a part of it.
    ends = f"coalesce({', '.join((*reversed(beside.places('visit_end')), 's.visit_end'))})"
    own = {
        "together": "u.together", "role": "u.role", "line_no": "s.line_no", "line_id": "s.line_id", "item_code": "u.national",
        "patient": patient_sql(first, unneeded), "visit": visit_sql(first, unneeded), "institution": institution, "at": "s.service_time",
        "quantity": "CASE WHEN n.line_no IS NOT NULL THEN n.quantity ELSE s.quantity END",
        "amount": "CASE WHEN n.line_no IS NOT NULL THEN n.amount ELSE s.amount END",
        "unit_price": "s.unit_price", "price_limit": "s.price_limit", "days_supply": "CAST(floor(s.days_supply) AS BIGINT)",
        "is_stay": f"{care_group} = 'inpatient'", "begins": first("visit_start"), "ends": ends,
        "is_paid": f"NOT (s.self_paid OR {not_paid})", "is_judged": "NOT s.beside",
    }  # fmt: skip
    own["quantity"] = f"coalesce({own['quantity']}, 1)"
    typed = ", ".join(f"CAST({own[name]} AS {type_}) AS {name}" for name, type_ in USE.items())
    query = f"""SELECT {typed} FROM staged_line s {beside.joins}
        JOIN use_code u ON u.code = s.item_code
          AND (u.since IS NULL OR (CAST(s.service_time AS DATE) >= u.since AND CAST(s.service_time AS DATE) < u.until))
        LEFT JOIN netted_line n ON n.line_no = s.line_no
        WHERE NOT s.is_refund AND s.line_no NOT IN (SELECT line_no FROM left_out) AND {own["quantity"]} > 0"""
    if spilled is None:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE use AS {query}")
    else:
        lay_aside(connection, "use", query, spilled)
