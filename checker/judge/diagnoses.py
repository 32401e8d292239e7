"""The diagnoses of a scan: read once for all that asks for them, and the relation `diagnosed` of the shape `evidence`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import lay_aside
from checker.ingest import line_sql
from checker.ingest.diagnosis_codes import parts_sql
from checker.ingest.gather import Gathered
from checker.judge.candidates import Joined, key_columns
from checker.model import sqltext
from checker.model.schema import DIAGNOSIS_SEPARATORS
from checker.shapes.evidence import DIAGNOSED

if TYPE_CHECKING:
    import duckdb

OF_LINE = ("diagnosis_code", "special_disease_code")
"""The columns in which lines and headers tell a diagnosis."""
STAGED = frozenset(("special_disease_code",))
"""The columns of staged lines that only this shape reads."""
_KEYS = "unnest(['s' || settlement_id, 'v' || visit_id])"
_HISTORY = (
    "SELECT settlement_id, visit_id FROM patient_line UNION ALL SELECT settlement_id, visit_id FROM patient_header"
)


def gather_diagnoses(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    lines: str,
    target: Path,
    *,
    of_headers: bool = False,
    of_history: bool = False,
) -> None:
    """Make `diagnosis` (key, code, is_listed), in the Parquet file `target`: the diagnoses of the settlements (s…) and visits (v…) of the table `lines`.

    With `of_headers` those that headers tell are among them, not `is_listed`; with `of_history` those of the other visits of patients that are
    asked about (checker.judge.patients).
    """
    wanted = f"SELECT {_KEYS} FROM ({_HISTORY if of_history else 'SELECT NULL AS settlement_id, NULL AS visit_id WHERE FALSE'} "
    wanted += f"UNION ALL SELECT settlement_id, visit_id FROM {lines})"
    told = [(query, "TRUE") for query in map(line_sql.diagnosis_query, files.diagnoses)]
    told += [(query, "FALSE") for query in _header_queries(files)] if of_headers else []
    nothing = "SELECT CAST(NULL AS VARCHAR) AS key, CAST(NULL AS VARCHAR) AS code, FALSE AS is_listed WHERE FALSE"
    rows = " UNION ALL ".join(
        f"SELECT {_KEYS} AS key, code, {listed} AS is_listed FROM ({query})" for query, listed in told
    )
    found = f"SELECT DISTINCT * FROM ({rows or nothing}) WHERE code <> '' AND key IN ({wanted})"
    lay_aside(connection, "diagnosis", found, target)


def _header_queries(files: Gathered) -> Iterator[str]:
    for source in (*files.settlements, *files.visits):
        yield from (line_sql.diagnosis_query(source, name) for name in OF_LINE if source.map.has(name))


def name_diagnoses(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `settlement_diagnoses` and `visit_diagnoses` (key, codes) of the lines in `fired_line`: those that tables of diagnoses list."""
    for column, kind in (("settlement_id", "s"), ("visit_id", "v")):
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE {column.removesuffix("_id")}_diagnoses AS
            SELECT substr(key, 2) AS key, list(DISTINCT code) AS codes FROM diagnosis
            WHERE is_listed AND key IN (SELECT '{kind}' || {column} FROM fired_line) GROUP BY key"""
        )


def gather_diagnosed(
    connection: duckdb.DuckDBPyConnection, beside: Joined, is_asked: bool, unneeded: frozenset[str], *, of_history: bool
) -> None:
    """Make `diagnosed` (checker.shapes.evidence) of the judged lines whose points limit indications, empty where none does; after netting and
    `gather_diagnoses`. With `of_history` what was diagnosed in other visits of the patients is among it.
    """
    typed = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, type_ in DIAGNOSED.items())
    if not is_asked:
        nothing = ", ".join(f"NULL AS {name}" for name in DIAGNOSED)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE diagnosed AS SELECT {typed} FROM (SELECT {nothing}) WHERE FALSE"
        )
        return
    keys = key_columns(beside.first)
    texts = ", ".join(f"s.{name}" for name in OF_LINE if name not in unneeded)
    told = [
        _own_sql("visit", "visit_id", "visit_key"),
        _own_sql("settlement", "settlement_id", "settlement_key"),
        f"SELECT 'l' || line_no AS key, {_split('told')} AS code, NULL AS day FROM asking WHERE told <> ''",
    ]
    if of_history:
        told.append(_history_sql())
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE diagnosed AS
        WITH asking AS (
          SELECT s.line_no, s.visit_id, s.settlement_id, {keys["visit_key"]} AS visit_key, {keys["settlement_key"]} AS settlement_key,
            concat_ws(',', {texts}) AS told
          FROM staged_line s {beside.joins}
          WHERE NOT s.is_refund AND NOT s.beside AND s.line_no NOT IN (SELECT line_no FROM left_out)
            AND s.item_code IN (SELECT code FROM hot JOIN point USING (point_no) WHERE indications IS NOT NULL))
        SELECT {typed} FROM ({parts_sql(" UNION ALL ".join(told))})"""
    )


def _split(text: str) -> str:
    return f"unnest(regexp_split_to_array({text}, {sqltext.text(DIAGNOSIS_SEPARATORS)}))"


def _own_sql(kind: str, column: str, key: str) -> str:
    """SQL of what was diagnosed in the visit or settlement of a line."""
    return f"""SELECT '{kind[0]}' || {key} AS key, code, NULL AS day
        FROM (SELECT DISTINCT {column}, {key} FROM asking WHERE {column} IS NOT NULL) JOIN diagnosis d ON d.key = '{kind[0]}' || {column}"""


def _history_sql() -> str:
    """SQL of what was diagnosed in the visits of patients, on the first and the last day of each."""
    visits = "SELECT patient, settlement_id, visit_id, told, unnest([first_day, last_day]) AS day FROM patient_line"
    headers = "SELECT patient, settlement_id, visit_id, NULL, unnest([first_day, last_day]) FROM patient_header"
    days = f"SELECT DISTINCT patient, {_KEYS} AS key, day FROM ({visits} UNION ALL {headers})"
    return f"""SELECT 'p' || patient AS key, code, day FROM ({days}) JOIN diagnosis USING (key) WHERE day IS NOT NULL
        UNION ALL SELECT 'p' || patient, {_split("told")}, day FROM ({visits}) WHERE told <> ''"""
