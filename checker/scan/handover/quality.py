"""Data quality [数据质量], apart from violations: what institutions sent that could not be judged, or was sent twice, each against what was looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest import line_sql
from checker.ingest.columns import read_column
from checker.ingest.gather import Gathered
from checker.judge.candidates import Joined
from checker.model import sqltext
from checker.scan.handover.of_person import OF_PERSON

if TYPE_CHECKING:
    import duckdb

QUALITY_FILE = "quality.parquet"
"""One row an institution and an issue."""
_BY_REASON = {
    "sex_missing": "sex_missing",
    "birth_missing": "birth_missing",
    "birth_impossible": "birth_impossible",
    "id_conflict": "sources_conflict",
    "header_missing": "header_missing",
}
"""Issues of persons by the reason for which a line is undetermined."""


def write_quality(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    second: dict[int, bool],
    beside: Joined,
    findings: Path,
    target: Path,
) -> None:
    """Write what is amiss by institution and issue; what is amiss with persons is what keeps `findings`, the file, from being judged, or explains them.

    Of persons those lines are looked at whose items are limited by sex or age; of duplicates and refunds all lines of restricted items; of codes all lines.
    """
    institution = beside.first("institution_id")
    patient = beside.first("patient_id")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE looked_at AS
        SELECT institution_id, sum(n)::BIGINT AS lines, sum(n) FILTER (of_person)::BIGINT AS of_person, sum(taken)::BIGINT AS refunds FROM (
          SELECT {institution} AS institution_id, s.item_code, count(*) FILTER (NOT s.is_refund) AS n, count(*) FILTER (s.is_refund) AS taken
          FROM staged_line s {beside.joins} WHERE NOT s.beside GROUP BY ALL)
        LEFT JOIN (SELECT code, bool_or({OF_PERSON}) AS of_person
          FROM hot JOIN point p USING (point_no) GROUP BY code) ON code = item_code
        GROUP BY institution_id"""
    )
    reasons = " ".join(f"WHEN '{reason}' THEN '{issue}'" for issue, reason in _BY_REASON.items())
    of_staged = f"""SELECT l.issue, {institution} AS institution_id, {patient} AS patient_id, s.amount, l.line_no
        FROM (SELECT 'duplicate' AS issue, line_no FROM duplicate_line WHERE NOT is_first
          UNION ALL SELECT 'reuploaded', line_no FROM reuploaded_line WHERE NOT is_first
          UNION ALL SELECT 'refund_unmatched', line_no FROM unmatched_refund) l
        JOIN staged_line s ON s.line_no = l.line_no {beside.joins} WHERE NOT s.beside"""
    place = f"origin.file_no * {line_sql.LINE_NO_SHIFT} + f.source_record"
    of_person = f"""SELECT DISTINCT CASE WHEN f.class = 'person_conflict' THEN 'visits_conflict' WHEN f.class = 'newborn' THEN 'newborn_under_mother'
            WHEN f.reason_code = 'newborn' THEN 'newborn_flag_odd' ELSE CASE f.reason_code {reasons} END END AS issue,
          f.institution_id, f.person_hash, f.amount, {place} FROM {sqltext.parquet(findings)} f JOIN origin ON origin.file = f.source_file"""
    codes = _codes_sql(connection, files, second)
    connection.execute(
        f"""COPY (
        WITH amiss AS (
          SELECT issue, institution_id, count(*) AS lines, count(DISTINCT patient_id) AS persons, sum(abs(amount)) AS amount, min(line_no) AS example
          FROM ({of_staged} UNION ALL {of_person}) WHERE issue IS NOT NULL GROUP BY ALL),
        measured AS (
          SELECT a.*, CASE WHEN issue IN ('duplicate', 'reuploaded') THEN l.lines
            WHEN issue = 'refund_unmatched' THEN l.refunds ELSE l.of_person END AS of_lines
          FROM amiss a LEFT JOIN looked_at l ON l.institution_id IS NOT DISTINCT FROM a.institution_id
          UNION ALL BY NAME {codes})
        SELECT m.institution_id, n.institution_name, issue, lines::BIGINT AS lines, of_lines::BIGINT AS of_lines, lines / of_lines AS rate,
          persons::BIGINT AS persons, CAST(amount AS DECIMAL(18, 2)) AS amount, origin.file AS example_file,
          example % {line_sql.LINE_NO_SHIFT} AS example_record
        FROM measured m LEFT JOIN institution_named n ON n.institution_id = m.institution_id
        LEFT JOIN origin ON origin.file_no = example // {line_sql.LINE_NO_SHIFT}
        ORDER BY issue, rate DESC, m.institution_id) TO {sqltext.text(str(target))} (FORMAT parquet)"""
    )


def _codes_sql(connection: duckdb.DuckDBPyConnection, files: Gathered, second: dict[int, bool]) -> str:
    """SQL of the lines by institution whose code is missing, or has no national shape; without any such code no line is read again."""
    nothing = """SELECT NULL::VARCHAR AS issue, NULL::VARCHAR AS institution_id, 0::BIGINT AS lines, NULL::BIGINT AS persons, NULL::DECIMAL(18, 2) AS amount,
        NULL::BIGINT AS example, 0::BIGINT AS of_lines WHERE FALSE"""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE bad_code AS SELECT raw, code IS NULL AS missing FROM code_map WHERE code IS NULL OR NOT is_known"
    )
    if not connection.execute(
        "SELECT 1 FROM bad_code JOIN code_census c ON c.raw IS NOT DISTINCT FROM bad_code.raw LIMIT 1"
    ).fetchone():
        return nothing
    bad, all_lines = [], []
    for number, source in enumerate(files.lines):
        headers = source.map.found.get("institution_id", ())
        chosen = ", ".join(dict.fromkeys(sqltext.name(each.text) for each in headers)) or "NULL AS nowhere"
        institution = read_column(source.map, "institution_id")
        raw = line_sql.raw_code(source, second=second[number])
        place = f"{source.table.file_number} * {line_sql.LINE_NO_SHIFT} + {source.table.record}"
        # Each institution, and each code that is amiss, is read once.
        bad.append(
            f"""SELECT {institution} AS institution_id, missing, n, first FROM (
              SELECT {chosen}, missing, count(*) AS n, min({place}) AS first FROM {source.table.scan()}
              JOIN bad_code ON bad_code.raw IS NOT DISTINCT FROM {raw} GROUP BY ALL)"""
        )
        all_lines.append(
            f"SELECT {institution} AS institution_id, n FROM (SELECT {chosen}, count(*) AS n FROM {source.table.scan()} GROUP BY ALL)"
        )
    return f"""SELECT CASE WHEN missing THEN 'code_missing' ELSE 'code_without_shape' END AS issue, b.institution_id, sum(b.n) AS lines,
          NULL::BIGINT AS persons, NULL::DECIMAL(18, 2) AS amount, min(first) AS example, any_value(a.n) AS of_lines
        FROM ({line_sql.all_of(files.engine, connection, files.lines, bad)}) b
        LEFT JOIN (SELECT institution_id, sum(n) AS n FROM ({line_sql.all_of(files.engine, connection, files.lines, all_lines)}) GROUP BY ALL) a
          ON a.institution_id IS NOT DISTINCT FROM b.institution_id GROUP BY ALL"""
