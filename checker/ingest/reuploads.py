"""Lines that were uploaded again under another number (docs/judgment.md, section 6): found among what duplicates and refunds leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.sources import Source

if TYPE_CHECKING:
    import duckdb

UPLOAD_COLUMNS = frozenset({"prescriber", "charge_batch"})
"""The columns of staged lines that only this needs."""
_ALIKE = ("item_code", "service_time", "quantity", "amount")
_SAME = ("institution_id", "visit_id", "without_visit", "prescription_id", "prescriber", *_ALIKE)


def tell_uploads(sources: Iterable[Source]) -> bool:
    """Whether some source tells both who prescribed and what was uploaded together."""
    return any(
        source.map.has("prescriber") and (source.map.has("settlement_id") or source.map.has("charge_batch"))
        for source in sources
    )


def find_reuploads(connection: duckdb.DuckDBPyConnection, on_trial: str, person: Collection[str]) -> int:
    """Make `reuploaded_line` (line_no, is_first) from `staged_line`, add the later ones to `left_out`, and return how many they are.

    `person` are the columns that say who it was; `on_trial` is SQL of whether `item_code` is on trial, whose lines are not counted.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reuploaded_line (line_no BIGINT, is_first BOOLEAN, on_trial BOOLEAN)"
    )
    untouched = "NOT is_refund AND NOT time_fallback AND service_time <> date_trunc('day', service_time) AND quantity IS NOT NULL AND amount IS NOT NULL"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE twin AS
        SELECT line_no FROM raw_line SEMI JOIN (
          SELECT {", ".join(_ALIKE)} FROM raw_line WHERE {untouched} GROUP BY ALL HAVING count(*) > 1) USING ({", ".join(_ALIKE)})
        WHERE {untouched} AND line_no NOT IN (SELECT line_no FROM left_out) AND line_no NOT IN (SELECT line_no FROM netted_line)"""
    )
    if one_number(connection, "SELECT count(*) FROM twin") == 0:
        return 0
    same = ", ".join((*_SAME, *person))
    connection.execute(
        f"""INSERT INTO reuploaded_line
        WITH known AS (
          SELECT *, CASE WHEN visit_id IS NULL THEN settlement_id END AS without_visit FROM staged_line
          WHERE line_no IN (SELECT line_no FROM twin) AND line_id IS NOT NULL AND prescriber IS NOT NULL
            AND coalesce(visit_id, settlement_id, patient_id) IS NOT NULL),
        uploaded AS (
          SELECT *, CASE WHEN count(settlement_id) OVER same = count(*) OVER same THEN settlement_id END AS settlement,
            CASE WHEN count(charge_batch) OVER same = count(*) OVER same THEN charge_batch END AS batch
          FROM known WINDOW same AS (PARTITION BY {same})),
        numbered AS (
          SELECT *, row_number() OVER (PARTITION BY {same}, settlement, batch ORDER BY line_no) AS number FROM uploaded)
        SELECT line_no, place = 1, {on_trial} FROM (
          SELECT line_no, item_code, row_number() OVER (again ORDER BY line_no) AS place, count(*) OVER again AS times FROM numbered
          WINDOW again AS (PARTITION BY {same}, number))
        WHERE times > 1"""
    )
    connection.execute("INSERT INTO left_out SELECT line_no FROM reuploaded_line WHERE NOT is_first")
    return one_number(connection, "SELECT count(*) FROM reuploaded_line WHERE NOT is_first AND NOT on_trial")
