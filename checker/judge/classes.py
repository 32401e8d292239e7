"""The relation `class_use` of a scan: on which days patients had drugs of the classes that points of the second line name, restricted or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import lay_aside
from checker.ingest.gather import Gathered
from checker.ingest.line_sql import BY_WHOM, PERSON_FIELDS, USED
from checker.ingest.person_rows import PERSON_IDS, person_sql
from checker.ingest.settlement_flags import RefundSettlements
from checker.judge.beside import lines_of, stage_more
from checker.judge.candidates import DOCUMENT, Joined, matches_sql, patient_sql
from checker.judge.payment import columns_unasked
from checker.judge.points import GENERIC
from checker.shapes.evidence import CLASS_USE

if TYPE_CHECKING:
    import duckdb

_UNASKED = frozenset(("item_name", *PERSON_FIELDS, *USED, *(f"by_{name}" for name in BY_WHOM)))
"""Columns of staged lines that matter only of those that are judged, counted or used up."""


def find_classes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `class_code` (code, drug_class, generic, since, until) of the codes of the input that are of a class which some point of it asks for. A local
    code is of its national code's class on the days on which it stands for that one.
    """
    asking = "point WHERE drug_class IS NOT NULL AND point_no IN (SELECT point_no FROM hot)"
    patterns = (
        f"(SELECT DISTINCT drug_class, unnest(string_split(drug_class, '|')) AS code, 'family' AS match FROM {asking})"
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE class_code AS
        SELECT DISTINCT code, drug_class, left(coalesce(national, code), {GENERIC}) AS generic, since, until
        FROM ({matches_sql(connection, patterns, "drug_class")})"""
    )


def select_classes(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    second: dict[int, bool],
    *,
    refund_settlements: RefundSettlements,
    unneeded: frozenset[str],
    asked_rows: Sequence[str],
    spilled: tuple[Path, ...],
    work: Path,
) -> tuple[Path, ...]:
    """Add to `staged_line` the lines of such codes of the `asked_patient`s that are not restricted, refunds and what is not judged among them.

    `asked_rows` are conditions on the rows of each source as they lie, '' for none.
    `spilled` are the files that hold the staged lines, if any; returns them with one more in the folder `work`.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE class_raw AS SELECT raw, code FROM code_map "
        "WHERE code IN (SELECT code FROM class_code) AND raw NOT IN (SELECT raw FROM staged_raw)"
    )
    # These lines are netted, but no rule judges them, and nothing is counted by them.
    unread = unneeded | columns_unasked(frozenset()) | _UNASKED
    # Of a local code there may be lines already, as possible companions of others.
    staged = lines_of(
        connection,
        files,
        "class_raw",
        second=second,
        refund_settlements=refund_settlements,
        unneeded=unread,
        lying=asked_rows,
    )
    # Files are read before anything is looked up: either takes memory.
    lay_aside(connection, "class_line", staged, work / "class_line.parquet")
    query = f"SELECT * FROM class_line s WHERE ({_of_patients(unneeded)}) AND line_no NOT IN (SELECT line_no FROM staged_line)"
    return stage_more(connection, query, spilled, work / "classes.parquet")


def _of_patients(unneeded: frozenset[str]) -> str:
    """SQL of whether a staged line `s` may be of an `asked_patient`. Whose it is may be told by itself or by its headers; more than enough is taken,
    as each is looked at anew once it is staged.
    """
    # Hashes, for each of these lookups is held in memory.
    ways = [f"hash({person_sql(*PERSON_IDS)}) IN (SELECT hash(patient) FROM asked_patient)"]
    for column in ("settlement_id", "visit_id"):
        keys = f"SELECT {column} FROM patient_header UNION ALL SELECT {column} FROM asking_line"
        ways.append(f"hash({column}) IN (SELECT DISTINCT hash({column}) FROM ({keys}) WHERE {column} IS NOT NULL)")
    if "document" not in unneeded:
        ways.append(f"{DOCUMENT} IN (SELECT {DOCUMENT} FROM asking_line s)")
    return " OR ".join(ways)


def gather_class_uses(
    connection: duckdb.DuckDBPyConnection, beside: Joined, is_asked: bool, unneeded: frozenset[str]
) -> None:
    """Make `class_use` of the staged lines of the `asked_patient`s that are left after netting, whoever paid for them; empty where nobody asks."""
    typed = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, type_ in CLASS_USE.items())
    rows = (
        class_uses(beside, unneeded)
        if is_asked
        else f"SELECT {', '.join(f'NULL AS {name}' for name in CLASS_USE)} WHERE FALSE"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE class_use AS SELECT {typed} FROM ({rows})")


def class_uses(beside: Joined, unneeded: frozenset[str]) -> str:
    """SQL of the rows of `class_use`."""
    patient = patient_sql(beside.first, unneeded)
    left = "coalesce(CASE WHEN n.line_no IS NOT NULL THEN n.quantity ELSE s.quantity END, 1) > 0"
    return f"""SELECT DISTINCT {patient} AS patient, c.drug_class, c.generic, CAST(s.service_time AS DATE) AS day
        FROM staged_line s {beside.joins}
        JOIN class_code c ON c.code = s.item_code
          AND (c.since IS NULL OR (CAST(s.service_time AS DATE) >= c.since AND CAST(s.service_time AS DATE) < c.until))
        LEFT JOIN netted_line n ON n.line_no = s.line_no
        WHERE NOT s.is_refund AND s.line_no NOT IN (SELECT line_no FROM left_out) AND {left}
          AND {patient} IN (SELECT patient FROM asked_patient)"""
