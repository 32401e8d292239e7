"""Visits: what lines, settlements and visit headers say of one, together in one row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import SCRATCH, one_number
from checker.indicators.charges import LAST, class_names
from checker.indicators.definitions import Definitions
from checker.indicators.plan import BUCKETS, Plan
from checker.model import sqltext
from checker.model.id_number import one_person

if TYPE_CHECKING:
    import duckdb

AT_ONCE = 600_000
"""So many rows of lines and headers are folded at once, about: what a visit holds is wide."""
_TEXTS = ("patient_id", "patient_id_number", "insurance_type", "institution_level", "care_type")
_MONTHS = ("last_settled", "end_day", "last_day", "own_month", "last_refund")
"""What tells the month of a visit, the first that is known."""
_HEADER_SUMS = ("settled", "in_scope", "of_scope", "fund", "of_fund", "own", "of_own")


def fold_visits(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], plan: Plan, defined: Definitions, work: Path
) -> None:
    """Make the view `visit` from the files of lines and headers: one row a visit, and the lines of none, by month.

    Everything of a visit counts in the month of its last settlement, else of its end, else of its last line. A visit whose refunds leave nothing is
    none, and what its lines say counts no more.
    """
    rows = one_number(connection, f"SELECT count(*) FROM {sqltext.parquet(*files)}")
    parts = min(max(-(-rows // AT_ONCE), 1), BUCKETS)
    read = f"read_parquet([{sqltext.paths(files)}], union_by_name = true, hive_partitioning = false)"
    present = {str(column[0]) for column in connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()}
    written = []
    for part in range(parts):
        low, high = BUCKETS * part // parts, BUCKETS * (part + 1) // parts
        written.append(work / f"visits_{part}.parquet")
        query = _folded(f"SELECT * FROM {read} WHERE bucket >= {low} AND bucket < {high}", present, plan, defined)
        connection.execute(f"COPY ({query}) TO {sqltext.text(str(written[-1]))} {SCRATCH}")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW visit AS SELECT * FROM {sqltext.parquet(*written)}")


def _folded(rows: str, present: Collection[str], plan: Plan, defined: Definitions) -> str:
    """SQL of visits, folded from rows of lines and headers that have the columns `present`; what none has is NULL."""
    class_sums = [name for name in class_names(defined) if name != LAST]
    line_sums = (*class_sums, "charged", "line_in_scope", "line_of_scope")

    def told(call: str, name: str, type_: str) -> str:
        return f"{call}({name})" if name in present else f"CAST(NULL AS {type_})"

    fields = {
        **{name: told("min", name, "VARCHAR") for name in _TEXTS},
        **{name: told("sum", name, "DECIMAL(38, 4)") for name in (*line_sums, *_HEADER_SUMS)},
        **{
            name: f"coalesce({told('sum', name, 'BIGINT')}, 0)"
            for name in ("line_count", "refunds", "settlements", "refund_settlements")
        },
        "stay_days": told("max", "stay_days", "BIGINT"),
        "told_on": f"coalesce({', '.join(told('max', name, 'TIMESTAMP') for name in _MONTHS)})",
        "first_day": told("min", "first_day", "TIMESTAMP"),
        "end_day": told("max", "end_day", "TIMESTAMP"),
    }
    # Rows of no visit stay apart by all that they say.
    alone = f"CASE WHEN key IS NULL THEN hash(own_month, {', '.join(_TEXTS)}) END"
    institution = "institution" if plan.by_institution else "CASE WHEN key IS NULL THEN institution END"
    chosen_fields = ", ".join(f"{value} AS {name}" for name, value in fields.items())
    folded = f"SELECT key, min(institution) AS institution_id, {chosen_fields} FROM ({rows}) GROUP BY key, {institution}, {alone}"
    cost = "settled" if plan.settled else "charged"
    counted = "settlements > 0" if plan.settled else "line_count > refunds"
    taken_back = "(refund_settlements > 0 AND coalesce(settled, 0) <= 0)"
    taken_back += "" if plan.settled else " OR (refunds > 0 AND coalesce(charged, 0) <= 0)"
    gone = "(key IS NOT NULL AND refund_settlements > 0 AND coalesce(settled, 0) <= 0 AND coalesce(charged, 0) > 0)"
    person = f"coalesce('i' || patient_id, 'n' || {one_person('patient_id_number')})"
    own = {
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
    rest = [name for name in _HEADER_SUMS if name not in own]
    chosen = ", ".join(f"{value} AS {name}" for name, value in own.items())
    sums = ", ".join(f"CASE WHEN NOT {gone} THEN {name} END AS {name}" for name in (*class_sums, "charged"))
    days = "CASE WHEN stay_days > 0 THEN stay_days ELSE greatest(date_diff('day', CAST(first_day AS DATE), CAST(end_day AS DATE)), 1) END"
    return f"""SELECT key, institution_id, insurance_type, institution_level, care_type, line_count, {", ".join(rest)}, {chosen}, {sums},
          CAST(first_day AS DATE) AS first_day, CAST(end_day AS DATE) AS end_day,
          CASE WHEN end_day >= first_day OR stay_days > 0 THEN {days} END AS bed_days FROM ({folded})"""
