"""JSON becomes Parquet of text columns: objects, arrays, lines of objects, and prescriptions; each document is rows, or a reject."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.json_numbers import as_written, is_key
from checker.ingest.json_utf8 import as_utf8
from checker.ingest.json_wrapper import cut_out, find_rows, rows_of_page, wraps_nothing
from checker.ingest.prescription import OF_LINE_OR_HEAD
from checker.ingest.sources import EmptyFileError, InputFile, own_header
from checker.model import sqltext
from checker.model.errors import InputError
from checker.model.schema import DIAGNOSIS, DOCUMENT_HEADER, HEADER, LINE, normal_header

if TYPE_CHECKING:
    import duckdb

PERSON_KEYS = {"id": "patient_id", "sex": "patient_sex", "birth_date": "patient_birth_date", "age": "patient_age",
               "id_number": "patient_id_number", "newborn": "newborn_flag"}  # fmt: skip
INSURED_KEYS = {"sex": "insured_sex", "birth_date": "insured_birth_date", "age": "insured_age"}
PRESCRIPTION_KEYS = frozenset(("lines", "patient", "insured", "diagnoses", "stage"))
KNOWN = frozenset(
    normal_header(name) for table in (LINE, HEADER, DIAGNOSIS) for each in table.values() for name in each.all_headers
)
UNKNOWN_KEYS = 200
"""How many keys that nothing recognises become columns: those of a file may be thousands, or be data themselves."""
_SEPARATOR = "\x1f\x1e\x1d\x1c"
_TOO_LARGE = ("Maximum line size", "maximum_object_size", "Out of Memory")
NO_OBJECT, NO_LINES, TWICE = "不是有效的 JSON 对象", "lines 是空的，没有明细", "键出现了两次"
NO_HISTORY = "history 应为明细的数组"
_CONTEXT = "is_context"
_OF_OWN_LINES = frozenset(
    normal_header(header) for name in ("service_time", "prescription_id") for header in LINE[name].all_headers
)
"""Headers of what a prescription says of its own lines: those of the history say it themselves."""


def convert_json(
    connection: duckdb.DuckDBPyConnection, source: InputFile, target: Path, role: str, wanted: Collection[str], first: int | None = None
) -> float:  # fmt: skip
    """Write a JSON file to `target`, as `convert` does.

    A document becomes a row; one with an array `lines` is a prescription (see docs/inputs.md) and becomes one row a line, of its `history` too. Documents that
    are no objects, or hold a key twice, go to the table `rejects`. Keys that are `wanted` are columns in any case. Where `first` says so,
    no more than so many documents are read. Returns how much of the file that is, from 0 to 1.
    """
    _read_documents(connection, source, target, first)
    share = _share(connection, source.place, first)
    _reject_faulty(connection, source, role, "documents", "doc")
    keys = _keys(connection, source.path, "documents", "doc")
    if "lines" in keys and _any(connection, "is_prescription"):
        _write_prescriptions(connection, source, target, role, keys, wanted)
        return share
    paths = {key: (key,) for key in _chosen(source.path, keys, wanted)}
    _copy(
        connection,
        f"""SELECT {", ".join(_elements(("found", "doc", paths)))}, record AS __record
        FROM (SELECT record, doc, {_extracted("doc", paths)} AS found FROM documents) ORDER BY record""",
        target,
    )
    return share


# ------------------------------------------------------------------------------------------------ documents


def _read_documents(connection: duckdb.DuckDBPyConnection, source: InputFile, target: Path, first: int | None) -> None:
    """Make the table `documents` of a file's JSON documents, or of the first of them."""
    text = target.with_suffix(".utf8")
    place = as_utf8(source.place, text)
    limit = "" if first is None else f" LIMIT {int(first)}"
    try:
        if source.kind == "jsonl":
            _make_documents(connection, source.path, _lines(place) + limit)
        else:
            _read_values(connection, source.path, place, target.with_suffix(".json"), limit)
        _turn_pages(connection, source.path)
        if not _any(connection, "TRUE") or (source.kind == "json" and wraps_nothing(place, KNOWN)):
            raise EmptyFileError(
                f"{source.path}：文件里没有记录，请检查导出条件后重新导出（no record in this file: export it again）"
            )
    except InputError as error:
        raise type(error)(str(error).replace(str(text), str(source.path))) from error
    finally:
        text.unlink(missing_ok=True)


def _read_values(connection: duckdb.DuckDBPyConnection, path: Path, place: Path, rows: Path, limit: str) -> None:
    """The documents of a file that is no file of lines: of the array that an object wraps, which is written to `rows`, or of all of it."""
    fault = None
    for start, end in find_rows(place, KNOWN, PRESCRIPTION_KEYS):
        cut_out(place, start, end, rows)
        try:
            _make_documents(connection, path, _objects(rows) + limit)
            return
        except InputError as error:
            # What looks like the end of the array may belong to what follows it, or to the next of several objects.
            fault = fault or error
        finally:
            rows.unlink()
    try:
        _make_documents(connection, path, _objects(place) + limit)
    except InputError as error:
        raise fault or error from error


def _turn_pages(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Where the documents are pages of an interface, each around an array of rows, make these the documents; other documents stay."""
    first = connection.execute("SELECT doc FROM documents WHERE fault IS NULL ORDER BY record LIMIT 1").fetchone()
    pointer = rows_of_page(str(first[0]), KNOWN, PRESCRIPTION_KEYS) if first else ""
    if not pointer:
        return
    place = sqltext.text(pointer)
    connection.execute("DROP TABLE IF EXISTS pages; ALTER TABLE documents RENAME TO pages")
    _make_documents(
        connection, path,
        f"""SELECT coalesce(CAST(doc AS VARCHAR), 'null') AS doc, row_number() OVER (ORDER BY record, place) AS record
        FROM (SELECT record, unnest(rows) AS doc, generate_subscripts(rows, 1) AS place
          FROM (SELECT record, CASE WHEN fault IS NOT NULL THEN [to_json(doc)]
              WHEN json_type(doc, {place}) = 'ARRAY' THEN CAST(json_extract(doc, {place}) AS JSON[]) ELSE [CAST(doc AS JSON)] END AS rows FROM pages))""",
    )  # fmt: skip
    connection.execute("DROP TABLE pages")


def _share(connection: duckdb.DuckDBPyConnection, place: Path, first: int | None) -> float:
    """How much of a file the documents are: all of it, where they are not as many as were to be read at most."""
    row = connection.execute("SELECT count(*), sum(strlen(doc)) FROM documents").fetchone()
    if first is None or row is None or row[0] < first:
        return 1.0
    return min(int(row[1]) / max(place.stat().st_size, 1), 0.99)


def _lines(place: Path) -> str:
    """SQL of the lines of a file as documents. The separator stands in no JSON; what it splits is put together again, and is none."""
    reading = (
        f"read_csv({sqltext.paths([place])}, auto_detect = false, header = false, columns = {{'doc': 'VARCHAR', 'rest': 'VARCHAR'}}, "
        f"delim = '{_SEPARATOR}', quote = '', escape = '', null_padding = true, parallel = false, max_line_size = 16000000, buffer_size = 33554432)"
    )
    line = f"ltrim(doc || coalesce('{_SEPARATOR}' || rest, ''), chr(65279))"
    # Lines cut out of an array end with its commas.
    return f"SELECT rtrim({line}, ', ' || chr(9) || chr(13)) AS doc, row_number() OVER () AS record FROM {reading}"


def _objects(place: Path) -> str:
    """SQL of the values of an array, or of values one after the other, as documents."""
    with place.open("rb") as stream:
        start = stream.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    form = "array" if start.startswith(b"[") else "unstructured"
    return (
        "SELECT coalesce(CAST(json AS VARCHAR), 'null') AS doc, row_number() OVER () AS record FROM "
        f"read_json_objects({sqltext.paths([place])}, format = '{form}', maximum_object_size = 67108864)"
    )


def _make_documents(connection: duckdb.DuckDBPyConnection, path: Path, reading: str) -> None:
    """Make `documents` (record, doc, is_prescription, fault, key): `fault` says why one is no row, of which `key` where it is one's."""
    import duckdb

    twice = " ".join(
        f"WHEN {_doubled(f'json_keys(safe{place})')} IS NOT NULL THEN {_doubled(f'json_keys(safe{place})')}"
        for place in ("", ", '/patient'", ", '/insured'")
    )
    connection.execute("DROP TABLE IF EXISTS documents")
    try:
        connection.execute(
            f"""CREATE TEMP TABLE documents AS SELECT record, doc, is_prescription, key,
              CASE WHEN NOT is_object THEN '{NO_OBJECT}' WHEN key IS NOT NULL THEN '{TWICE}' WHEN is_empty THEN '{NO_LINES}' END AS fault
            FROM (SELECT record, doc, json_type(safe) = 'OBJECT' AS is_object, CASE {twice} END AS key,
                coalesce(json_type(safe, '/lines') = 'ARRAY', FALSE) AS is_prescription,
                coalesce(json_array_length(safe, '/lines') = 0 AND json_type(safe, '/lines') = 'ARRAY', FALSE) AS is_empty
              FROM (SELECT record, doc, CASE WHEN json_valid(doc) THEN doc ELSE 'null' END AS safe FROM ({reading}) WHERE trim(doc) <> ''))"""
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfMemoryException) as error:
        found = re.search(r"in record/value (\d+)|on line (\d+)", str(error))
        # Of values the engine has counted on by then.
        number = (int(found[1]) - 1 if found[1] else int(found[2])) if found else 0
        chinese, english = (f"第 {number} 条记录处", f" at record {number}") if number else ("", "")
        if any(words in str(error) for words in _TOO_LARGE):
            raise InputError(
                f"{path}：{chinese}有一条记录太大（文件里一行、数组里一个对象最多 16 MB），请拆成较小的记录（a record{english} is too large: split it）"
            ) from error
        raise InputError(
            f"{path}：{chinese}不是有效的 JSON（应为 UTF-8 编码的对象、数组或逐行对象），请检查文件是否完整"
            f"（not valid JSON{english}: check that the file is whole）"
        ) from error


def _doubled(keys: str) -> str:
    """SQL of a key that stands twice in the list `keys`; NULL where none does."""
    twice = f"list_filter({keys}, lambda k: len(list_filter({keys}, lambda other: other = k)) > 1)[1]"
    return f"CASE WHEN len(list_distinct({keys})) < len({keys}) THEN {twice} END"


def _reject_faulty(connection: duckdb.DuckDBPyConnection, source: InputFile, role: str, table: str, shown: str) -> None:
    """Move the rows of `table` that have a fault to the rejects."""
    connection.execute(
        f"INSERT INTO rejects SELECT ?, ?, record, key, left({shown}, 200), fault FROM {table} WHERE fault IS NOT NULL ORDER BY record",
        [role, str(source.path)],
    )
    connection.execute(f"DELETE FROM {table} WHERE fault IS NOT NULL")


def _any(connection: duckdb.DuckDBPyConnection, condition: str, table: str = "documents") -> bool:
    row = connection.execute(f"SELECT bool_or({condition}) FROM {table}").fetchone()
    return bool(row and row[0])


# ------------------------------------------------------------------------------------------------ keys


def _keys(connection: duckdb.DuckDBPyConnection, path: Path, table: str, document: str) -> list[str]:
    """The keys of the documents of a table. Raises InputError where there is none, or two differ in nothing that headers differ in."""
    rows = connection.execute(f"SELECT DISTINCT unnest(json_keys({document})) AS k FROM {table} ORDER BY k").fetchall()
    keys = [str(row[0]) for row in rows]
    if not keys:
        first = connection.execute(
            "SELECT record, why, column_name FROM rejects WHERE file = ? ORDER BY record LIMIT 1", [str(path)]
        ).fetchone()
        told = f"；第 {first[0]} 条：{first[1]}{f'（{first[2]}）' if first[2] else ''}" if first else ""
        raise InputError(
            f"{path}：没有可读的记录，每条明细应是一个 JSON 对象 {{…}}{told}（no readable record: each line is a JSON object）"
        )
    return keys


def _chosen(path: Path, keys: Iterable[str], wanted: Collection[str]) -> list[str]:
    """The keys that become columns: all that something may read, and of the others so many as a message may name."""
    seen: dict[str, str] = {}
    unknown = 0
    for key in keys:
        header = normal_header(key)
        if header not in KNOWN and header not in wanted:
            unknown += 1
            # What cannot be the name of a column is none that anybody could map.
            if unknown > UNKNOWN_KEYS or not header or "\0" in key:
                continue
        if header in seen:
            raise InputError(
                f"{path}：键“{seen[header]}”与“{key}”是同一个表头，请只保留一个（two keys for one header: keep one）"
            )
        seen[header] = key
    return list(seen.values())


def _extracted(document: str, paths: Mapping[str, Sequence[str]]) -> str:
    """SQL of all these texts of a JSON document as one list: each call of its own would keep the whole document parsed once more."""
    return f"json_extract_string({document}, CAST([{', '.join(map(_pointer, paths.values()))}] AS VARCHAR[]))"


def _elements(*lists: tuple[str, str, Mapping[str, Sequence[str]]]) -> list[str]:
    """SQL of the columns whose values stand in lists, each with the document that it is of, in the order of the names; a name in several is that
    of the first value given."""
    values: dict[str, list[str]] = {}
    for listed, document, paths in lists:
        for place, (name, path) in enumerate(paths.items(), 1):
            value = f"{listed}[{place}]"
            if path and is_key(name):
                value = as_written(value, document, _pointer(path), path[-1])
            values.setdefault(name, []).append(value)
    return [f"coalesce({', '.join(each)}) AS {sqltext.name(own_header(name))}" for name, each in values.items()]


def _pointer(keys: Sequence[str]) -> str:
    # A JSON pointer reaches any key, also one with dots or quotes.
    return sqltext.text("".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys))


# ------------------------------------------------------------------------------------------------ prescriptions


def _write_prescriptions(
    connection: duckdb.DuckDBPyConnection, source: InputFile, target: Path, role: str, keys: Sequence[str], wanted: Collection[str]
) -> None:  # fmt: skip
    """A prescription becomes one row a line; patient, insured and head stand on every line. Other documents stay a row each.

    Lines of the history are such rows too: context, each with a time of its own, and of no prescription but one that it names.
    """
    _make_lines(connection)
    _reject_faulty(connection, source, role, "prescription_lines", "line")
    line_keys = _keys(connection, source.path, "prescription_lines", "line")
    of_line: dict[str, Sequence[str]] = {key: (key,) for key in _chosen(source.path, line_keys, wanted)}
    of_line.pop(DOCUMENT_HEADER, None)
    of_document: dict[str, Sequence[str]] = {
        column: (group, key)
        for group, members in (("patient", PERSON_KEYS), ("insured", INSURED_KEYS))
        for key, column in members.items()
    }
    for key in _chosen(source.path, keys, wanted):
        if key not in ("lines", "history", "patient", "insured", "diagnoses", "diagnosis_code", DOCUMENT_HEADER):
            of_document.setdefault(key, (key,))
    listed = "array_to_string(CAST(json_extract_string(doc, '$.diagnoses[*]') AS VARCHAR[]), ',')"
    has_history = _any(connection, "is_history", "prescription_lines")
    # What a line may say is the line's. A row of its own beside prescriptions says all itself, but they still say it in their heads.
    if not _any(connection, "NOT is_prescription"):
        lines = "(SELECT line FROM prescription_lines WHERE NOT is_history)" if has_history else "prescription_lines"
        said = {key for key in _keys(connection, source.path, lines, "line") if key in of_line} - OF_LINE_OR_HEAD
        of_document = {key: path for key, path in of_document.items() if key not in said}
        listed = "NULL" if "diagnosis_code" in said else listed
    own: dict[str, Sequence[str]] = {}
    marked = []
    if has_history:
        own = {key: of_document.pop(key) for key in list(of_document) if normal_header(key) in _OF_OWN_LINES}
        context = next((key for key in (*of_line, *of_document) if normal_header(key) == _CONTEXT), _CONTEXT)
        marked = [("[CASE WHEN is_history THEN 'true' END]", "", {context: ()})]
    told = [
        *_elements(
            *marked, ("of_line", "line", of_line), ("of_document", "doc", of_document), ("of_own", "doc", own),
            ("[listed]", "", {"diagnosis_code": ()}),
        ),
        # Lines that say nothing else are of the prescription that the document is, one of the history of its own; nobody's number begins so.
        f"""CASE WHEN is_prescription THEN chr(30) || record || {sqltext.text(source.path.name)} || CASE WHEN is_history THEN chr(30) || place ELSE '' END
          END AS {DOCUMENT_HEADER}""",
    ]  # fmt: skip
    _copy(
        connection,
        f"""SELECT {", ".join(told)}, __record
        FROM (SELECT doc, line, {_extracted("line", of_line)} AS of_line, {_extracted("doc", of_document)} AS of_document,
          {f"CASE WHEN NOT is_history THEN {_extracted('doc', own)} END" if own else "NULL"} AS of_own, {listed} AS listed,
          record, place, is_history, is_prescription, row_number() OVER (ORDER BY record, place) AS __record FROM prescription_lines) ORDER BY __record""",
        target,
    )


def _make_lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `prescription_lines` (doc, record, place, line, is_history, is_prescription, key, fault) of the documents; other documents are a line each."""
    twice = _doubled("json_keys(line)")
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


def _copy(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    connection.execute(f"COPY ({query}) TO {sqltext.text(str(target))} (FORMAT parquet, COMPRESSION lz4_raw)")
