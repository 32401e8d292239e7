"""Prescriptions in JSON become rows of text: one a line, of the history too, with what the head says of them all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.json_columns import (
    NO_OBJECT,
    TWICE,
    chosen_keys,
    copy_rows,
    doubled,
    elements,
    extracted,
    keys_of,
    reject_faulty,
    some,
)
from checker.ingest.prescription import OF_LINE_OR_HEAD
from checker.ingest.sources import InputFile
from checker.model import sqltext
from checker.model.schema import DOCUMENT_HEADER, LINE, normal_header

if TYPE_CHECKING:
    import duckdb

PERSON_KEYS = {"id": "patient_id", "sex": "patient_sex", "birth_date": "patient_birth_date", "age": "patient_age",
               "id_number": "patient_id_number", "newborn": "newborn_flag"}  # fmt: skip
INSURED_KEYS = {"sex": "insured_sex", "birth_date": "insured_birth_date", "age": "insured_age"}
NO_HISTORY = "history 应为明细的数组"
_CONTEXT = "is_context"
_OF_OWN_LINES = frozenset(
    normal_header(header)
    for name in ("service_time", "prescription_id", "visit_id", "settlement_id", "visit_start", "visit_end")
    for header in LINE[name].all_headers
)
"""Headers of what a prescription says of its own lines: those of the history say it themselves."""
_VISIT = frozenset(map(normal_header, LINE["visit_id"].all_headers))
_OF_NO_VISIT = "settlement_id"
"""Where lines of the history name no visit, they are of one that nobody knows: this is the column that keeps them together."""


def write_prescriptions(
    connection: duckdb.DuckDBPyConnection, source: InputFile, target: Path, role: str, keys: Sequence[str], wanted: Collection[str]
) -> None:  # fmt: skip
    """A prescription becomes one row a line; patient, insured and head stand on every line. Other documents stay a row each.

    Lines of the history are such rows too: context, each with a time of its own, and of no prescription but one that it names.
    """
    _make_lines(connection)
    reject_faulty(connection, source, role, "prescription_lines", "line")
    line_keys = keys_of(connection, source.path, "prescription_lines", "line")
    of_line: dict[str, Sequence[str]] = {key: (key,) for key in chosen_keys(source.path, line_keys, wanted)}
    of_line.pop(DOCUMENT_HEADER, None)
    of_document: dict[str, Sequence[str]] = {
        column: (group, key)
        for group, members in (("patient", PERSON_KEYS), ("insured", INSURED_KEYS))
        for key, column in members.items()
    }
    for key in chosen_keys(source.path, keys, wanted):
        if key not in ("lines", "history", "patient", "insured", "diagnoses", "diagnosis_code", DOCUMENT_HEADER):
            of_document.setdefault(key, (key,))
    has_history = some(connection, "is_history", "prescription_lines")
    listed = _listed("doc")
    if has_history:
        listed = f"CASE WHEN is_history THEN {_listed('line')} ELSE {listed} END"
    # What a line may say is the line's. A row of its own beside prescriptions says all itself, but they still say it in their heads.
    if not some(connection, "NOT is_prescription"):
        lines = "(SELECT line FROM prescription_lines WHERE NOT is_history)" if has_history else "prescription_lines"
        said = {key for key in keys_of(connection, source.path, lines, "line") if key in of_line} - OF_LINE_OR_HEAD
        of_document = {key: path for key, path in of_document.items() if key not in said}
        listed = "NULL" if "diagnosis_code" in said else listed
    own: dict[str, Sequence[str]] = {}
    marked, together = [], []
    if has_history:
        own = {key: of_document.pop(key) for key in list(of_document) if normal_header(key) in _OF_OWN_LINES}
        context = next((key for key in (*of_line, *of_document) if normal_header(key) == _CONTEXT), _CONTEXT)
        marked = [("[CASE WHEN is_history THEN 'true' END]", "", {context: ()})]
        # Lines that name a visit are of that.
        visits = [f"of_line[{place}]" for place, key in enumerate(of_line, 1) if normal_header(key) in _VISIT]
        nowhere = f"is_history AND coalesce({', '.join(visits)}) IS NULL" if visits else "is_history"
        unknown = f"[CASE WHEN {nowhere} THEN chr(30) || record || {sqltext.text(source.path.name)} END]"
        together = [(unknown, "", {_OF_NO_VISIT: ()})]
    told = [
        *elements(
            *marked, ("of_line", "line", of_line), ("of_document", "doc", of_document), ("of_own", "doc", own),
            ("[listed]", "", {"diagnosis_code": ()}), *together,
        ),
        # Lines that say nothing else are of the prescription that the document is, one of the history of its own; nobody's number begins so.
        f"""CASE WHEN is_prescription THEN chr(30) || record || {sqltext.text(source.path.name)} || CASE WHEN is_history THEN chr(30) || place ELSE '' END
          END AS {DOCUMENT_HEADER}""",
    ]  # fmt: skip
    copy_rows(
        connection,
        f"""SELECT {", ".join(told)}, __record
        FROM (SELECT doc, line, {extracted("line", of_line)} AS of_line, {extracted("doc", of_document)} AS of_document,
          {f"CASE WHEN NOT is_history THEN {extracted('doc', own)} END" if own else "NULL"} AS of_own, {listed} AS listed,
          record, place, is_history, is_prescription, row_number() OVER (ORDER BY record, place) AS __record FROM prescription_lines) ORDER BY __record""",
        target,
    )


def _listed(holder: str) -> str:
    """SQL of the codes of diagnoses that a prescription, or a line of its history, tells."""
    return f"array_to_string(CAST(json_extract_string({holder}, '$.diagnoses[*]') AS VARCHAR[]), ',')"


def _make_lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `prescription_lines` (doc, record, place, line, is_history, is_prescription, key, fault) of the documents; other documents are a line each."""
    twice = doubled("json_keys(line)")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE prescription_lines AS
        SELECT doc, record, place, line, is_history, is_prescription, CASE WHEN is_object THEN {twice} END AS key,
          CASE WHEN is_history AND json_type(doc, '/history') <> 'ARRAY' THEN '{NO_HISTORY}' WHEN NOT is_object THEN '{NO_OBJECT}'
            WHEN {twice} IS NOT NULL THEN '{TWICE}' END AS fault
        FROM (SELECT *, json_type(line) = 'OBJECT' AS is_object, place > own AS is_history FROM (
          SELECT doc, record, is_prescription, len(lines) AS own, generate_subscripts(lines || before, 1) AS place, unnest(lines || before) AS line
          FROM (SELECT doc, record, is_prescription,
              CASE WHEN is_prescription THEN CAST(json_extract(doc, '$.lines[*]') AS JSON[]) ELSE [CAST(doc AS JSON)] END AS lines,
              CASE WHEN NOT is_prescription OR coalesce(json_type(doc, '/history'), 'NULL') = 'NULL' THEN []
                WHEN json_type(doc, '/history') = 'ARRAY' THEN CAST(json_extract(doc, '$.history[*]') AS JSON[])
                ELSE [json_extract(doc, '/history')] END AS before
            FROM documents)))"""
    )
