"""The keys of JSON documents become columns, and their values texts; what is no row of it goes to the rejects. All as SQL over a table of documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.json_numbers import as_written, is_key
from checker.ingest.sources import InputFile, own_header
from checker.model import sqltext
from checker.model.errors import InputError
from checker.model.schema import DIAGNOSIS, HEADER, LINE, normal_header

if TYPE_CHECKING:
    import duckdb

KNOWN = frozenset(
    normal_header(name) for table in (LINE, HEADER, DIAGNOSIS) for each in table.values() for name in each.all_headers
)
UNKNOWN_KEYS = 200
"""How many keys that nothing recognises become columns: those of a file may be thousands, or be data themselves."""
NO_OBJECT, NO_LINES, TWICE = "不是有效的 JSON 对象", "lines 是空的，没有明细", "键出现了两次"


def doubled(keys: str) -> str:
    """SQL of a key that stands twice in the list `keys`; NULL where none does."""
    twice = f"list_filter({keys}, lambda k: len(list_filter({keys}, lambda other: other = k)) > 1)[1]"
    return f"CASE WHEN len(list_distinct({keys})) < len({keys}) THEN {twice} END"


def reject_faulty(connection: duckdb.DuckDBPyConnection, source: InputFile, role: str, table: str, shown: str) -> None:
    """Move the rows of `table` that have a fault to the rejects."""
    connection.execute(
        f"INSERT INTO rejects SELECT ?, ?, record, key, left({shown}, 200), fault FROM {table} WHERE fault IS NOT NULL ORDER BY record",
        [role, str(source.path)],
    )
    connection.execute(f"DELETE FROM {table} WHERE fault IS NOT NULL")


def some(connection: duckdb.DuckDBPyConnection, condition: str, table: str = "documents") -> bool:
    """Whether a condition (SQL) holds for some row of a table."""
    row = connection.execute(f"SELECT bool_or({condition}) FROM {table}").fetchone()
    return bool(row and row[0])


def keys_of(connection: duckdb.DuckDBPyConnection, path: Path, table: str, document: str) -> list[str]:
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


def chosen_keys(path: Path, keys: Iterable[str], wanted: Collection[str]) -> list[str]:
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


def extracted(document: str, paths: Mapping[str, Sequence[str]]) -> str:
    """SQL of all these texts of a JSON document as one list: each call of its own would keep the whole document parsed once more."""
    return f"json_extract_string({document}, CAST([{', '.join(map(_pointer, paths.values()))}] AS VARCHAR[]))"


def elements(*lists: tuple[str, str, Mapping[str, Sequence[str]]]) -> list[str]:
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


def copy_rows(connection: duckdb.DuckDBPyConnection, query: str, target: Path) -> None:
    """Write the rows of a query to a Parquet file."""
    connection.execute(f"COPY ({query}) TO {sqltext.text(str(target))} (FORMAT parquet, COMPRESSION lz4_raw)")
