"""Lines that were uploaded again under another number (docs/judgment.md, section 6): found among what duplicates and refunds leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.line_sql import upload_query
from checker.ingest.sources import Source

if TYPE_CHECKING:
    import duckdb

_ALIKE = "item_code, service_time, quantity, amount"
_PLACE = f"institution_id, visit_id, without_visit, {_ALIKE}"
_WHOLE = (
    "NOT is_refund AND NOT beside AND NOT time_fallback AND service_time <> date_trunc('day', service_time) "
    "AND quantity IS NOT NULL AND amount IS NOT NULL"
)


def of_uploads(sources: Iterable[Source]) -> tuple[Source, ...]:
    """The sources that tell both who prescribed and what was uploaded together."""
    told = [each for each in sources if each.map.has("prescriber")]
    return tuple(each for each in told if each.map.has("settlement_id") or each.map.has("charge_batch"))


def find_reuploads(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], on_trial: str, person: Collection[str]
) -> int:
    """Make `reuploaded_line` (line_no, is_first) from `staged_line`, add the later ones to `left_out`, and return how many they are.

    `person` are the columns that say who it was; `on_trial` is SQL of whether `item_code` is on trial, whose lines are not counted.
    Prescribers and batches are read of the few lines only that are alike in all else.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE reuploaded_line (line_no BIGINT, is_first BOOLEAN, on_trial BOOLEAN)"
    )
    if not sources or not _find_twins(connection, sources, person):
        return 0
    told = " UNION ALL ".join(upload_query(source, "twin") for source in sources)
    same = f"{_PLACE}, {', '.join(person)}, prescriber, prescription_id"
    connection.execute(
        f"""INSERT INTO reuploaded_line
        WITH known AS (SELECT * FROM twin JOIN ({told}) USING (line_no) WHERE prescriber IS NOT NULL),
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


def _find_twins(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], person: Collection[str]) -> bool:
    """Make `twin` of the lines that may be alike: equal in all that is staged, and of several settlements or perhaps batches."""
    # Few lines are of the same second: only these are compared in all.
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE alike AS
        WITH once AS (SELECT service_time FROM staged_line WHERE {_WHOLE} GROUP BY ALL HAVING count(*) > 1),
        close AS (SELECT line_no, {_ALIKE} FROM staged_line WHERE {_WHOLE} AND service_time IN (FROM once))
        SELECT line_no FROM close SEMI JOIN (SELECT {_ALIKE} FROM close GROUP BY ALL HAVING count(*) > 1) USING ({_ALIKE})
        WHERE line_no NOT IN (SELECT line_no FROM left_out) AND line_no NOT IN (SELECT line_no FROM netted_line)"""
    )
    if one_number(connection, "SELECT count(*) FROM alike") == 0:
        return False
    several = "min(settlement_id) OVER same <> max(settlement_id) OVER same"
    if any(source.map.has("charge_batch") for source in sources):
        several = "count(*) OVER same > 1"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE twin AS
        SELECT * FROM (
          SELECT *, CASE WHEN visit_id IS NULL THEN settlement_id END AS without_visit FROM staged_line
          WHERE line_no IN (SELECT line_no FROM alike) AND line_id IS NOT NULL AND coalesce(visit_id, settlement_id, patient_id) IS NOT NULL)
        WINDOW same AS (PARTITION BY {_PLACE}, {", ".join(person)}) QUALIFY {several}"""
    )
    return one_number(connection, "SELECT count(*) FROM twin") > 0
