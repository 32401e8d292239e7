"""CSV and JSON become Parquet of text columns with their record numbers; records that cannot be read become rejects."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.json_files import convert_json
from checker.ingest.sources import InputFile, first_line, own_header
from checker.model import sqltext
from checker.model.errors import InputError
from checker.model.schema import normal_header

if TYPE_CHECKING:
    import duckdb

PROBE_BYTES = 1 << 20
OTHER_ENCODINGS = ("gb18030", "big5")
DELIMITERS = (",", "\t", ";", "|")
REJECT_COLUMNS = "file VARCHAR, record BIGINT, column_name VARCHAR, value VARCHAR, why VARCHAR"
READER_FAULTS = {
    "MISSING COLUMNS": "列数比表头少",
    "TOO MANY COLUMNS": "列数比表头多",
    "UNQUOTED VALUE": "引号没有配对",
    "INVALID ENCODING": "不是 UTF-8 文字",
    "LINE SIZE OVER MAXIMUM": "这一行太长",
}


def convert(
    connection: duckdb.DuckDBPyConnection, source: InputFile, target: Path, role: str, wanted: Collection[str] = ()
) -> None:
    """Write `source` (csv, json, jsonl) to `target` as Parquet: one text column a header, and `__record` (1-based).

    The connection keeps the order of records (`connect_locked(ordered=True)`); those that cannot be read go to its table
    `rejects`. `wanted` are headers, as `normal_header` writes them, that somebody named. Raises InputError where the whole file cannot be.
    """
    if source.kind == "csv":
        _convert_csv(connection, source, target, role)
    else:
        convert_json(connection, source, target, role, wanted)


def _convert_csv(connection: duckdb.DuckDBPyConnection, source: InputFile, target: Path, role: str) -> None:
    path = source.path
    headers, delimiter = _csv_headers(source)
    for table in ("reject_scans", "reject_errors"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    # One column more than headers, and padding: a record is whole when its last column is there and the one behind is not. (The
    # reader alone would let an empty field too many pass, and with it a record whose columns have shifted.)
    count = len(headers)
    spec = ", ".join(f"{sqltext.text(_column_name(n))}: 'VARCHAR'" for n in range(count + 1))
    reading = (
        f"read_csv({sqltext.paths([source.place])}, auto_detect = false, header = false, skip = 1, columns = {{{spec}}}, "
        f"delim = {sqltext.text(delimiter)}, quote = '\"', escape = '\"', strict_mode = true, nullstr = chr(1), null_padding = true, "
        "parallel = false, store_rejects = true, rejects_limit = 0, max_line_size = 16000000)"
    )
    named = ", ".join(f"{_column_name(n)} AS {sqltext.name(header)}" for n, header in enumerate(headers))
    joined = " || ',' || ".join(f"coalesce({_column_name(n)}, '')" for n in range(count + 1))
    fault = (
        f"CASE WHEN {_column_name(count - 1)} IS NULL THEN {sqltext.text(READER_FAULTS['MISSING COLUMNS'])} "
        f"WHEN {_column_name(count)} IS NOT NULL THEN {sqltext.text(READER_FAULTS['TOO MANY COLUMNS'])} END"
    )
    raw = target.with_suffix(".raw.parquet")
    try:
        connection.execute(
            f"""COPY (SELECT {named}, {fault} AS __fault, CASE WHEN {fault} IS NOT NULL THEN left({joined}, 200) END AS __text,
            row_number() OVER () AS __ordinal FROM {reading})
            TO {sqltext.text(str(raw))} (FORMAT parquet, COMPRESSION lz4_raw)"""
        )
    except Exception as error:
        raise InputError(f"{path}：无法读取这个 CSV 文件（cannot read this CSV file: {first_line(error)}）") from error
    _number_records(connection, path, headers, raw, target, role)


def _number_records(
    connection: duckdb.DuckDBPyConnection, path: Path, headers: Sequence[str], raw: Path, target: Path, role: str
) -> None:
    """Give every record its number in the file, those that the reader rejected included, and set the broken ones aside."""
    why = " ".join(f"WHEN {sqltext.text(key)} THEN {sqltext.text(value)}" for key, value in READER_FAULTS.items())
    column = " ".join(f"WHEN {n + 1} THEN {sqltext.text(header)}" for n, header in enumerate(headers))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE reader_rejects AS
        SELECT line - 1 AS record, row_number() OVER (ORDER BY line) AS ordinal,
               CASE column_idx {column} END AS column_name, left(trim(csv_line, chr(10) || chr(13)), 200) AS value,
               CASE CAST(error_type AS VARCHAR) {why} ELSE CAST(error_type AS VARCHAR) END AS why
        FROM (SELECT * FROM reject_errors QUALIFY row_number() OVER (PARTITION BY line ORDER BY column_idx NULLS FIRST) = 1)"""
    )
    # The k-th record that was read stands behind every reject i with record - i < k.
    connection.execute(
        f"""CREATE OR REPLACE TEMP VIEW numbered AS
        SELECT t.*, t.__ordinal + coalesce(r.ordinal, 0) AS __record
        FROM {sqltext.parquet(raw)} t ASOF LEFT JOIN (
          SELECT record - ordinal AS before, max(ordinal) AS ordinal FROM reader_rejects GROUP BY ALL) r ON t.__ordinal > r.before"""
    )
    connection.execute(
        """INSERT INTO rejects
        SELECT $role, $path, record, column_name, value, why FROM reader_rejects
        UNION ALL SELECT $role, $path, __record, NULL, __text, __fault FROM numbered WHERE __fault IS NOT NULL""",
        {"role": role, "path": str(path)},
    )
    connection.execute(
        f"""COPY (SELECT * EXCLUDE (__fault, __text, __ordinal) FROM numbered WHERE __fault IS NULL ORDER BY __record)
        TO {sqltext.text(str(target))} (FORMAT parquet, COMPRESSION lz4_raw)"""
    )
    raw.unlink()


def _column_name(number: int) -> str:
    return f"c{number}"


def _csv_headers(source: InputFile) -> tuple[list[str], str]:
    path = source.path
    with source.place.open("rb") as stream:
        start = stream.read(PROBE_BYTES)
    text = _decode(path, start)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise InputError(f"{path}：文件是空的，请重新导出（the file is empty: export it again）")
    delimiter = max(DELIMITERS, key=first.count)
    headers = [cell.strip() for cell in next(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter))]
    if text.lstrip("\ufeff").splitlines()[0].strip() == "":
        raise InputError(f"{path}：第一行是空行，第一行应当是表头（the first line must be the header）")
    return _distinct(path, headers), delimiter


def _distinct(path: Path, headers: list[str]) -> list[str]:
    seen: set[str] = set()
    named: list[str] = []
    for number, header in enumerate(headers, 1):
        key = normal_header(header)
        if key in seen and key:
            raise InputError(f"{path}：表头“{header}”出现了两次，请只保留一列（header appears twice: keep one）")
        seen.add(key)
        named.append(own_header(header) or f"(无表头 {number})")
    return named


def _decode(path: Path, start: bytes) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path}：文件编码是 UTF-16，请另存为 UTF-8 后再试（this file is UTF-16: save it as UTF-8）")
    # The probe may end within a character; its last bytes are not evidence.
    cut = start if len(start) < PROBE_BYTES else start[:-4]
    try:
        return cut.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(start) == PROBE_BYTES and error.start >= len(cut) - 4:
            return cut[: error.start].decode("utf-8")
        text = start[: start.find(b"\n")] if b"\n" in start else start
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            raise InputError(_encoding_sentence(path, text)) from error
        # The header is UTF-8: single bad records become rejects of the reader.
        return cut.decode("utf-8", errors="replace")


def _encoding_sentence(path: Path, header: bytes) -> str:
    for encoding in OTHER_ENCODINGS:
        try:
            shown = header.decode(encoding).strip()[:40]
        except UnicodeDecodeError:
            continue
        return (
            f"{path}：文件编码像是 {encoding.upper()}（表头读作“{shown}”），请另存为 UTF-8 后再试"
            f"（this file looks like {encoding.upper()}: save it as UTF-8）"
        )
    return f"{path}：文件不是 UTF-8 编码，请另存为 UTF-8 后再试（not UTF-8: save it as UTF-8）"
