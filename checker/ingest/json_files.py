"""JSON becomes Parquet of text columns: objects, arrays, lines of objects, and prescriptions; what is no object becomes a reject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.sources import InputFile
from checker.model import sqltext
from checker.model.errors import InputError
from checker.model.schema import DOCUMENT_HEADER

if TYPE_CHECKING:
    import duckdb

PERSON_KEYS = {"id": "patient_id", "sex": "patient_sex", "birth_date": "patient_birth_date", "age": "patient_age",
               "id_number": "patient_id_number", "newborn": "newborn_flag"}  # fmt: skip
INSURED_KEYS = {"sex": "insured_sex", "birth_date": "insured_birth_date"}


def convert_json(connection: duckdb.DuckDBPyConnection, source: InputFile, target: Path, role: str) -> None:
    """Write a JSON file to `target`, as `convert` does; documents that are no objects go to the table `rejects`."""
    path = source.path
    kind = "jsonl" if source.kind == "jsonl" else _json_shape(source.place)
    connection.execute("DROP TABLE IF EXISTS documents")
    if kind == "jsonl":
        lines = (
            f"read_csv({sqltext.paths([source.place])}, auto_detect = false, header = false, columns = {{'doc': 'VARCHAR'}}, "
            "delim = '\x1f', quote = '', escape = '', max_line_size = 16000000)"
        )
        reading = f"SELECT ltrim(doc, chr(65279)) AS doc, row_number() OVER () AS record FROM {lines}"
    else:
        reading = (
            f"SELECT CAST(json AS VARCHAR) AS doc, row_number() OVER () AS record FROM "
            f"read_json_objects({sqltext.paths([source.place])}, format = '{kind}', maximum_object_size = 67108864)"
        )
    try:
        connection.execute(
            f"""CREATE TEMP TABLE documents AS SELECT record, doc,
            json_valid(doc) AND json_type(CASE WHEN json_valid(doc) THEN doc ELSE 'null' END) = 'OBJECT' AS good
            FROM ({reading}) WHERE trim(doc) <> ''"""
        )
    except Exception as error:
        raise InputError(
            f"{path}：不是有效的 JSON（应为 UTF-8 编码的对象、数组或逐行对象），请检查文件是否完整（not valid JSON: check that the file is whole）"
        ) from error
    connection.execute(
        "INSERT INTO rejects SELECT ?, ?, record, NULL, left(doc, 200), '不是有效的 JSON 对象' FROM documents WHERE NOT good",
        [role, str(path)],
    )
    connection.execute("DELETE FROM documents WHERE NOT good")
    _write_documents(connection, path, target)


def _json_shape(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"["):
        return "array"
    return "unstructured"


def _write_documents(connection: duckdb.DuckDBPyConnection, path: Path, target: Path) -> None:
    keys = [
        str(row[0])
        for row in connection.execute(
            "SELECT DISTINCT unnest(json_keys(doc)) AS k FROM documents ORDER BY k"
        ).fetchall()
    ]
    if not keys:
        raise InputError(
            f"{path}：没有可读的记录，每条明细应是一个 JSON 对象 {{…}}（no readable record: each line is a JSON object）"
        )
    if "lines" in keys:
        _write_prescriptions(connection, keys, path, target)
        return
    paths = {key: _json_path(key) for key in keys}
    _copy(
        connection,
        f"""SELECT {", ".join(_elements("found", paths))}, record AS __record
        FROM (SELECT record, {_extracted("doc", paths)} AS found FROM documents) ORDER BY record""",
        target,
    )


def _write_prescriptions(connection: duckdb.DuckDBPyConnection, keys: Sequence[str], path: Path, target: Path) -> None:
    """A prescription (see the contract) becomes one record a line; patient, insured and head stand on every line."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE prescription_lines AS
        SELECT doc, record, unnest(CAST(json_extract(doc, '$.lines[*]') AS JSON[])) AS line FROM documents"""
    )
    line_keys = [
        str(row[0])
        for row in connection.execute(
            "SELECT DISTINCT unnest(json_keys(line)) AS k FROM prescription_lines ORDER BY k"
        ).fetchall()
    ]
    of_line = {key: _json_path(key) for key in line_keys}
    of_document: dict[str, str] = {}
    for group, members in (("patient", PERSON_KEYS), ("insured", INSURED_KEYS)):
        for key, column in members.items():
            if column not in of_line:
                of_document.setdefault(column, _json_path(group, key))
    for key in keys:
        if key not in ("lines", "patient", "insured", "diagnoses", "diagnosis_code", *of_line):
            of_document.setdefault(key, _json_path(key))
    diagnoses = (
        ""
        if "diagnosis_code" in of_line
        else ", array_to_string(CAST(json_extract_string(doc, '$.diagnoses[*]') AS VARCHAR[]), ',') AS diagnosis_code"
    )
    told = [
        *_elements("of_line", of_line),
        *_elements("of_document", of_document),
        *(["diagnosis_code"] if diagnoses else []),
        # Lines that say nothing else are of the prescription that the document is; nobody's own number begins so.
        f"chr(30) || record || {sqltext.text(path.name)} AS {DOCUMENT_HEADER}",
    ]
    _copy(
        connection,
        f"""SELECT {", ".join(told)}, __record
        FROM (SELECT {_extracted("line", of_line)} AS of_line, {_extracted("doc", of_document)} AS of_document{diagnoses}, record,
          row_number() OVER () AS __record FROM prescription_lines)""",
        target,
    )


def _extracted(document: str, paths: Mapping[str, str]) -> str:
    """SQL of all these texts of a JSON document as one list: each call of its own would keep the whole document parsed once more."""
    return f"json_extract_string({document}, CAST([{', '.join(paths.values())}] AS VARCHAR[]))"


def _elements(listed: str, names: Iterable[str]) -> list[str]:
    return [f"{listed}[{place}] AS {sqltext.name(name)}" for place, name in enumerate(names, 1)]


def _json_path(*keys: str) -> str:
    # A JSON pointer reaches any key, also one with dots or quotes.
    return sqltext.text("".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys))


def _copy(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    connection.execute(f"COPY ({query}) TO {sqltext.text(str(target))} (FORMAT parquet, COMPRESSION lz4_raw)")
