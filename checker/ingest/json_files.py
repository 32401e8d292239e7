"""JSON becomes Parquet of text columns: objects, arrays, lines of objects, and prescriptions; each document is rows, or a reject."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.json_columns import (
    KNOWN,
    NO_LINES,
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
from checker.ingest.json_prescriptions import write_prescriptions
from checker.ingest.json_utf8 import as_utf8
from checker.ingest.json_wrapper import cut_out, find_rows, names_columns, parsed, rows_of_page, wraps_nothing
from checker.ingest.sources import EmptyFileError, InputFile
from checker.model import sqltext
from checker.model.errors import InputError

if TYPE_CHECKING:
    import duckdb

PRESCRIPTION_KEYS = frozenset(("lines", "patient", "insured", "diagnoses", "stage"))
_SEPARATOR = "\x1f\x1e\x1d\x1c"
_NAMED = """CASE WHEN json_type(each) = 'ARRAY' AND json_array_length(each) = json_array_length(doc, '/columns') THEN '{' || array_to_string(
  list_transform(list_zip(CAST(json_extract(doc, '/columns') AS JSON[]), CAST(each AS JSON[])),
    lambda pair: CAST(pair[1] AS VARCHAR) || ':' || coalesce(CAST(pair[2] AS VARCHAR), 'null')), ',') || '}' ELSE CAST(each AS VARCHAR) END"""
"""SQL of the object that a row of values is under its columns; of anything else what it is."""
_TOO_LARGE = ("Maximum line size", "maximum_object_size", "Out of Memory")


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
    reject_faulty(connection, source, role, "documents", "doc")
    keys = keys_of(connection, source.path, "documents", "doc")
    if "lines" in keys and some(connection, "is_prescription"):
        write_prescriptions(connection, source, target, role, keys, wanted)
        return share
    paths = {key: (key,) for key in chosen_keys(source.path, keys, wanted)}
    copy_rows(
        connection,
        f"""SELECT {", ".join(elements(("found", "doc", paths)))}, record AS __record
        FROM (SELECT record, doc, {extracted("doc", paths)} AS found FROM documents) ORDER BY record""",
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
        if not some(connection, "TRUE") or (source.kind == "json" and wraps_nothing(place, KNOWN)):
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
    """Where the documents are pages of an interface, each around an array of rows, make these the documents; other documents stay.

    So are those that name their columns once, and hold rows of values only (`orient="split"` of pandas).
    """
    first = connection.execute("SELECT doc FROM documents WHERE fault IS NULL ORDER BY record LIMIT 1").fetchone()
    document = parsed(str(first[0])) if first else None
    is_split = names_columns(document)
    pointer = "/data" if is_split else rows_of_page(document, KNOWN, PRESCRIPTION_KEYS)
    if not pointer:
        return
    place = sqltext.text(pointer)
    rows = f"CAST(json_extract(doc, {place}) AS JSON[])"
    if is_split:
        rows = f"list_transform({rows}, lambda each: {_NAMED})"
    connection.execute("DROP TABLE IF EXISTS pages; ALTER TABLE documents RENAME TO pages")
    _make_documents(
        connection, path,
        f"""SELECT coalesce(CAST(doc AS VARCHAR), 'null') AS doc, row_number() OVER (ORDER BY record, place) AS record
        FROM (SELECT record, unnest(rows) AS doc, generate_subscripts(rows, 1) AS place
          FROM (SELECT record, CASE WHEN fault IS NOT NULL THEN [to_json(doc)]
              WHEN json_type(doc, {place}) = 'ARRAY' THEN {rows} ELSE [CAST(doc AS JSON)] END AS rows FROM pages))""",
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
        f"WHEN {doubled(f'json_keys(safe{place})')} IS NOT NULL THEN {doubled(f'json_keys(safe{place})')}"
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
