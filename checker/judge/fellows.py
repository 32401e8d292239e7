"""The other decoction pieces of a line's prescription, for shapes that look at a line's companions: found, netted and listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.gather import Gathered
from checker.ingest.settlement_flags import RefundSettlements
from checker.judge.beside import lines_of, stage_more
from checker.judge.points import LISTED
from checker.model import sqltext
from checker.model.schema import HERB_PIECE_CODE, NATIONAL_CODE

if TYPE_CHECKING:
    import duckdb

NEEDED = frozenset({"prescription_key", "prescription_guessed"})
"""The columns of a staged line that only these shapes need."""
_WITH_COMPANIONS = "point p ON p.point_no = t.point_no AND p.companions IS NOT NULL"


def are_needed(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether some code of the input is one whose companions count; makes `fellow_raw` (raw, code) of the codes of possible companions.

    These are decoction pieces, items that have no national code, which may be some, and those that the crosswalk tells.
    """
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE fellow_raw AS SELECT raw, code FROM code_map
        WHERE regexp_full_match(code, '{HERB_PIECE_CODE}') OR code IS NULL OR NOT regexp_full_match(code, '{NATIONAL_CODE}')
          OR code IN (SELECT local_code FROM kb_crosswalk)"""
    )
    return one_number(connection, f"SELECT count(*) FROM hot t JOIN {_WITH_COMPANIONS}") > 0


def select_fellows(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    second: dict[int, bool],
    *,
    refund_settlements: RefundSettlements,
    unneeded: frozenset[str],
    spilled: tuple[Path, ...],
    target: Path,
) -> tuple[Path, ...]:
    """Add to `staged_line` the possible companions of the staged lines, refunds and what is not judged among them.

    `spilled` are the files that hold the staged lines, if any; returns them with `target`, where these lines go.
    """
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE companion_key AS
        SELECT DISTINCT s.prescription_key, coalesce(s.visit_id, s.settlement_id) AS visit FROM staged_line s
        JOIN hot t ON t.code = s.item_code JOIN {_WITH_COMPANIONS} WHERE NOT s.is_refund AND NOT s.beside"""
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE cold_fellow AS SELECT raw, code FROM fellow_raw "
        "WHERE NOT EXISTS (FROM staged_raw h WHERE h.raw IS NOT DISTINCT FROM fellow_raw.raw)"
    )
    here = "prescription_key IN (SELECT prescription_key FROM companion_key)"
    # A refund has to meet its own line, be that of another prescription: so of these visits all are taken.
    staged = lines_of(
        connection, files, "cold_fellow", second=second, refund_settlements=refund_settlements, unneeded=unneeded
    )
    query = f"SELECT * FROM ({staged}) WHERE {here} OR coalesce(visit_id, settlement_id) IN (SELECT visit FROM companion_key)"
    return stage_more(connection, query, spilled, target)


def gather_fellows(connection: duckdb.DuckDBPyConnection, *, as_of: str | None) -> None:
    """Make `fellow`: the companions that are left after netting, with the rules that list them on the day."""
    on_date = f"DATE {sqltext.text(as_of)}" if as_of else "CAST(service_time AS DATE)"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE fellow AS
        WITH listing AS ({LISTED}),
        member AS (
          SELECT line_no, line_id, item_code, prescription_key, {on_date} AS on_date FROM staged_line
          WHERE NOT is_refund AND line_no NOT IN (SELECT line_no FROM left_out)),
        likely AS (
          SELECT *, coalesce(regexp_full_match(item_code, '{NATIONAL_CODE}'), FALSE) AS is_national FROM member
          WHERE prescription_key IN (SELECT prescription_key FROM companion_key)
            AND (item_code IS NULL OR item_code IN (SELECT code FROM fellow_raw))),
        meant AS (
          SELECT likely.*, item_code AS code FROM likely
          UNION ALL SELECT likely.*, national_code FROM likely JOIN kb_crosswalk ON local_code = item_code
            AND on_date >= coalesce(valid_from, DATE '-infinity') AND on_date < coalesce(valid_to, DATE 'infinity')),
        piece AS (
          SELECT *, is_national OR count(*) OVER same > 1 AS is_known FROM meant
          WINDOW same AS (PARTITION BY line_no)
          QUALIFY NOT is_known OR bool_or(coalesce(regexp_full_match(code, '{HERB_PIECE_CODE}'), FALSE)) OVER same)
        SELECT prescription_key, line_no, line_id, coalesce(list(DISTINCT rule_id) FILTER (rule_id IS NOT NULL), []) AS listed_by, is_known
        FROM piece LEFT JOIN listing ON listing.code = piece.code AND on_date >= valid_from AND (valid_to IS NULL OR on_date < valid_to)
        GROUP BY prescription_key, line_no, line_id, is_known"""
    )
