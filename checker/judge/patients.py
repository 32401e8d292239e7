"""What all inputs hold of some patients: their visits, what was diagnosed on their lines, and since when there is anything of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import lay_aside, one_number
from checker.engines.lines import HERE
from checker.ingest import line_sql
from checker.ingest.columns import read_column
from checker.ingest.gather import Gathered
from checker.ingest.line_kind import named_lines
from checker.ingest.person_rows import PERSON_IDS, Persons, person_sql
from checker.ingest.settlement_flags import RefundSettlements
from checker.ingest.sources import Source
from checker.judge.candidates import patient_sql
from checker.model import sqltext
from checker.model.schema import DOCUMENT_HEADER

if TYPE_CHECKING:
    import duckdb

_ANY_KIND = (0, 4, 5, 6)
"""The kinds of lines that say that somebody was there: judged, of the history, refunds, self-paid (checker.ingest.line_kind)."""


def find_patients(
    connection: duckdb.DuckDBPyConnection, files: Gathered, points: str, unneeded: frozenset[str], work: Path
) -> None:
    """Make `asked_patient` (patient) of the judged lines in `staged_line` that points with a condition (SQL) cover, and `patient_header` (kind,
    key, patient_id, patient_id_number, patient, settlement_id, visit_id, first_day, last_day) of all their settlements and visits
    that have a header; in the folder `work` lies what may be large.
    """
    asking = f"""SELECT DISTINCT settlement_id, visit_id, patient_id, patient_id_number, {"NULL AS document" if "document" in unneeded else "document"}
        FROM staged_line WHERE NOT is_refund AND NOT beside
          AND item_code IN (SELECT code FROM hot JOIN point USING (point_no) WHERE {points})"""
    lay_aside(connection, "asking_line", asking, work / "asking_line.parquet")
    nameless = "FROM asking_line WHERE patient_id IS NULL"
    keys = f"SELECT unnest(['s' || settlement_id, 'v' || visit_id]) {nameless}"
    # What a line says itself goes before its headers.
    asks = one_number(connection, f"SELECT count(*) {nameless}") > 0
    headers = [(source, "s", "settlement_id") for source in files.settlements]
    headers += [(source, "v", "visit_id") for source in files.visits]
    all_rows = [""] * len(headers)
    _make_headers(
        connection, headers, all_rows, f"kind || key IN ({keys})" if asks else "FALSE", work / "asking_header.parquet"
    )
    patient = patient_sql(_first_of_headers, unneeded)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE asked_patient AS
        SELECT DISTINCT patient FROM (SELECT {patient} AS patient FROM asking_line s {_JOINED_HEADERS}) WHERE patient IS NOT NULL"""
    )
    asked = "SELECT patient FROM asked_patient"
    asked_rows = Persons(connection, HERE, "asked_header", asked).rows_of(
        [source for source, *_ in headers], by_any=True
    )
    _make_headers(connection, headers, asked_rows, f"patient IN ({asked})", work / "patient_header.parquet")


_JOINED_HEADERS = """LEFT JOIN patient_header h ON h.kind = 's' AND h.key = s.settlement_id
    LEFT JOIN patient_header v ON v.kind = 'v' AND v.key = s.visit_id"""


def _first_of_headers(column: str) -> str:
    return f"coalesce(s.{column}, h.{column}, v.{column})"


def _make_headers(
    connection: duckdb.DuckDBPyConnection,
    headers: Sequence[tuple[Source, str, str]],
    asked_rows: Sequence[str],
    condition: str,
    file: Path,
) -> None:
    """Make `patient_header` of the `headers` (source, kind, column of the key) that tell of patients and fulfil a condition; what headers of one key
    tell otherwise is not known. `asked_rows` are conditions on the rows of each as they lie, '' for none: only the keys of such rows are looked at,
    each with all its rows.
    """
    told = [
        _header_sql(source, kind, key, of)
        for (source, kind, key), of in zip(headers, asked_rows, strict=True)
        if any(map(source.map.has, PERSON_IDS))
    ]
    agreed = ", ".join(f"CASE WHEN min({name}) = max({name}) THEN min({name}) END AS {name}" for name in PERSON_IDS)
    rows = " UNION ALL ".join(told) or (
        "SELECT '' AS kind, '' AS key, '' AS patient_id, '' AS patient_id_number, CAST(NULL AS DATE) AS first_day, "
        "CAST(NULL AS DATE) AS last_day WHERE FALSE"
    )
    lay_aside(
        connection,
        "patient_header",
        f"""SELECT *, {person_sql(*PERSON_IDS)} AS patient, CASE WHEN kind = 's' THEN key END AS settlement_id,
          CASE WHEN kind = 'v' THEN key END AS visit_id
        FROM (
          SELECT kind, key, {agreed}, min(first_day) AS first_day, max(last_day) AS last_day FROM ({rows}) WHERE key IS NOT NULL GROUP BY kind, key)
        WHERE {condition}""",
        file,
    )


def _header_sql(source: Source, kind: str, key: str, of: str) -> str:
    """SQL of whose a settlement or visit is, and of its days; `of` is a condition that some row of its key fulfils, '' for none."""
    read = {name: read_column(source.map, name) for name in (key, *PERSON_IDS, "visit_start", "visit_end")}
    starts, ends = (f"CAST({read[name]} AS DATE)" for name in ("visit_start", "visit_end"))
    asked = f"AND {read[key]} IN (SELECT {read[key]} FROM {source.table.scan()} WHERE {of})" if of else ""
    return f"""SELECT '{kind}' AS kind, {read[key]} AS key, {", ".join(f"{read[name]} AS {name}" for name in PERSON_IDS)}, {starts} AS first_day,
        coalesce({ends}, {starts}) AS last_day FROM {source.table.scan()} WHERE ({read_column(source.map, "valid_flag")}) IS NOT FALSE {asked}"""


def gather_patients(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    unneeded: frozenset[str],
    *,
    refund_settlements: RefundSettlements,
    with_diagnoses: bool,
    asked_rows: Sequence[str],
    work: Path,
) -> None:
    """Make `patient_line` (patient, settlement_id, visit_id, told, first_day, last_day) of all lines of the `asked_patient`s but
    void ones, `told` being their diagnoses as text, and `patient_since` (patient, since). `asked_rows` are conditions on the
    rows of each source as they lie, '' for none; the lines lie in the folder `work`.
    """
    queries = [
        _lines_sql(source, condition, refund_settlements, with_diagnoses=with_diagnoses)
        for source, condition in zip(files.lines, asked_rows, strict=True)
    ]
    lines = line_sql.all_of(files.engine, connection, files.lines, queries)
    lay_aside(
        connection,
        "patient_line",
        f"""SELECT patient, settlement_id, visit_id, told, min(day) AS first_day, max(day) AS last_day
        FROM (SELECT {patient_sql(_first_of_headers, unneeded)} AS patient, s.settlement_id, s.visit_id, told, day
          FROM ({lines}) s {_JOINED_HEADERS})
        WHERE patient IN (SELECT patient FROM asked_patient) GROUP BY ALL""",
        work / "patient_line.parquet",
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE patient_since AS SELECT patient, min(first_day) AS since FROM patient_line GROUP BY patient"
    )


def _lines_sql(source: Source, condition: str, refund_settlements: RefundSettlements, *, with_diagnoses: bool) -> str:
    texts = ("diagnosis_code", "special_disease_code") if with_diagnoses else ()
    relation = f"SELECT * FROM ({source.table.relation()}) WHERE {condition}" if condition else ""
    lines = named_lines(source, refund_settlements=refund_settlements, relation=relation)
    told = [lines.read(name) for name in texts if source.map.has(name)]
    keys = ", ".join(f"{lines.read(name)} AS {name}" for name in ("settlement_id", "visit_id", *PERSON_IDS))
    document = sqltext.name(DOCUMENT_HEADER) if line_sql.are_documents([source]) else "CAST(NULL AS VARCHAR)"
    return f"""SELECT {keys}, {document} AS document, {f"nullif(concat_ws(',', {', '.join(told)}), '')" if told else "CAST(NULL AS VARCHAR)"} AS told,
        CAST({lines.read("service_time")} AS DATE) AS day FROM {lines.of_kinds(*_ANY_KIND)}"""
