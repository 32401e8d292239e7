"""What all inputs hold of the visits of some persons: who they are there, each visit told once, by what counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.engines.lines import HERE
from checker.ingest.columns import read_column
from checker.ingest.gather import Gathered
from checker.ingest.line_kind import named_lines
from checker.ingest.person_rows import Persons
from checker.ingest.settlement_flags import RefundSettlements, is_valid
from checker.ingest.sources import Source

if TYPE_CHECKING:
    import duckdb

TELLS = ("patient_sex", "patient_birth_date")
_KEYS = ("patient_id", "institution_id", "visit_id", "settlement_id")
VISIT = "coalesce('v' || {0}.visit_id, 'v' || visit_of.visit_id, 's' || {0}.settlement_id, 'd' || CAST({0}.day AS VARCHAR), '')"
JOIN_VISIT = "LEFT JOIN visit_of ON visit_of.patient_id = {0}.patient_id AND visit_of.settlement_id = {0}.settlement_id"
"""One visit, by whichever of its keys it is told."""


@dataclass(frozen=True, slots=True)
class Told:
    """A source, SQL of those of its rows as they lie that may name somebody accused, and whether they are lines."""

    source: Source
    rows: str
    are_lines: bool


def rows_of_accused(connection: duckdb.DuckDBPyConnection, files: Gathered) -> list[Told]:
    """The rows of all sources that may name somebody in `accused`; who leaves that table leaves them as well."""
    sources = [source for source in (*files.lines, *files.settlements, *files.visits) if source.map.has("patient_id")]
    # They are read here, where the findings are.
    accused = Persons(connection, HERE, "accused", "SELECT 'p' || patient_id FROM accused")
    return [
        Told(source, f"SELECT * FROM ({source.table.relation()}) WHERE {condition or 'TRUE'}", source in files.lines)
        for source, condition in zip(sources, accused.rows_of(sources), strict=True)
    ]


def leave_differing(connection: duckdb.DuckDBPyConnection, told: Sequence[Told]) -> None:
    """Leave those in `accused` of whom anything at all says another sex or birth date: of the others nobody need look further."""
    said = " UNION ".join(
        f"SELECT {', '.join(f'{read_column(each.source.map, name)} AS {name}' for name in ('patient_id', *TELLS))} FROM ({each.rows})"
        for each in told
        if any(map(each.source.map.has, TELLS))
    )
    connection.execute(
        f"""DELETE FROM accused WHERE (line_no, rule_no) NOT IN (
          SELECT line_no, rule_no FROM accused a JOIN ({said}) s ON s.patient_id = a.patient_id
          WHERE patient_sex <> person_sex OR patient_birth_date <> birth OR (birth IS NULL AND patient_birth_date IS NOT NULL))"""
    )


def gather_visits(connection: duckdb.DuckDBPyConnection, told: Sequence[Told], refunds: RefundSettlements) -> None:
    """Make `told_visit` (patient_id, institution_id, visit, sex, birth), what all inputs hold of the visits of those accused, and `visit_of`
    (patient_id, settlement_id, visit_id), by which a settlement is known to be of a visit."""
    said = [_lines_sql(each, refunds) if each.are_lines else _headers_sql(each) for each in told]
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE told AS SELECT * FROM ({" UNION ALL BY NAME ".join(said)})
        WHERE patient_id IN (SELECT patient_id FROM accused)
          AND (settlement_id IS NULL OR settlement_id NOT IN (SELECT settlement_id FROM reversed_settlement WHERE is_whole)
            AND settlement_id NOT IN (SELECT settlement_id FROM unclear_settlement)
            AND settlement_id NOT IN (SELECT settlement_id FROM refund_settlement))"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE visit_of AS SELECT patient_id, settlement_id, min(visit_id) AS visit_id
        FROM (SELECT patient_id, settlement_id, visit_id FROM told UNION ALL SELECT patient_id, settlement_id, visit_id FROM accused)
        WHERE settlement_id IS NOT NULL AND visit_id IS NOT NULL GROUP BY ALL"""
    )
    agreed = ", ".join(
        f"CASE WHEN min({name}) = max({name}) THEN min({name}) END AS {name}" for name in ("sex", "birth")
    )
    # What was charged and taken back in full did not happen.
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE told_visit AS
        SELECT patient_id, institution_id, visit, {agreed} FROM (
          SELECT t.* REPLACE (coalesce(institution_id, min(institution_id) OVER (PARTITION BY t.patient_id, {VISIT.format("t")})) AS institution_id),
            {VISIT.format("t")} AS visit
          FROM (SELECT * REPLACE (sum(charged) AS charged) FROM told GROUP BY ALL) t {JOIN_VISIT.format("t")})
        GROUP BY patient_id, institution_id, visit
        HAVING NOT (bool_or(is_refund) AND coalesce(sum(charged), 0) <= 0) AND (count(sex) > 0 OR count(birth) > 0)"""
    )


def _lines_sql(told: Told, refunds: RefundSettlements) -> str:
    """SQL of what the lines of a source say: judged, of the history, self-paid; of refunds only that something was taken back."""
    lines = named_lines(told.source, refund_settlements=refunds, relation=told.rows)
    amount = f"coalesce({lines.read('amount')}, {lines.read('quantity')}, 1)"
    is_refund = f"{lines.kind} = 5"

    def said(name: str) -> str:
        return f"CASE WHEN NOT ({is_refund}) THEN {lines.read(name)} END"

    sex, birth = map(said, TELLS)
    return f"""SELECT {", ".join(f"{lines.read(name)} AS {name}" for name in _KEYS)}, CAST({lines.read("service_time")} AS DATE) AS day,
        {sex} AS sex, {birth} AS birth, {is_refund} AS is_refund,
        CASE WHEN {is_refund} THEN -abs({amount}) ELSE {amount} END AS charged FROM {lines.of_kinds(0, 4, 5, 6)}"""


def _headers_sql(told: Told) -> str:
    """SQL of what the valid settlements or visits of a source say."""
    keys = ", ".join(f"{read_column(told.source.map, name)} AS {name}" for name in _KEYS)
    sex, birth = (read_column(told.source.map, name) for name in TELLS)
    return f"""SELECT {keys}, CAST(NULL AS DATE) AS day, {sex} AS sex, {birth} AS birth, FALSE AS is_refund, 0 AS charged
        FROM ({told.rows}) WHERE {is_valid(told.source)}"""
