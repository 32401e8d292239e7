"""Keys that a spreadsheet cut to 1.23457E+17: each is told, and stands for nobody else's key (docs/judgment.md, section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.columns import FLOATS, read_column
from checker.ingest.personal import example
from checker.ingest.sources import Source
from checker.ingest.spellings import SCIENTIFIC
from checker.ingest.unreadable import Unreadable
from checker.model.id_number import lost_digits

if TYPE_CHECKING:
    import duckdb

KEYS = (
    "line_id", "original_line_id", "settlement_id", "original_settlement_id", "visit_id", "prescription_id", "patient_id",
    "patient_id_number",
)  # fmt: skip
"""The columns of a line by which it is told from others."""
MARK = "chr(29)"
"""What stands in a lost key between its text and the number of its line, which makes it equal to no other."""


def is_lost(column: str, name: str) -> str:
    """SQL boolean: digits of the key were lost. Nearly all keys are told by their having neither point nor plus."""
    cut = f"(contains({column}, '.') OR contains({column}, '+')) AND regexp_full_match({column}, '{SCIENTIFIC}')"
    return f"({cut} OR {lost_digits(column)})" if name == "patient_id_number" else f"({cut})"


def apart(key: str, name: str, line_no: str) -> str:
    """SQL of a key that, where its digits are lost, is equal to no other; an id of a line that is lost is none."""
    kept = "NULL" if name == "line_id" else f"{key} || {MARK} || ({line_no})"
    return f"CASE WHEN {is_lost(key, name)} THEN {kept} ELSE {key} END"


def as_written(column: str) -> str:
    """SQL of a key as it was written."""
    return f"split_part({column}, {MARK}, 1)"


def ask_for_care(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> bool:
    """Whether some line of `staged_line` has no id, or a key that is lost."""
    staged = [name for name in KEYS if name != "prescription_id" and any(source.map.has(name) for source in sources)]
    doubts = ["line_id IS NULL", *(is_lost(name, name) for name in staged)]
    return one_number(connection, f"SELECT count(*) FROM (FROM staged_line WHERE {' OR '.join(doubts)} LIMIT 1)") > 0


def count_lost(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], table: str) -> tuple[Unreadable, ...]:
    """How many keys of the lines in `table` are lost, by column, with an example."""
    present = [name for name in KEYS if any(source.map.has(name) for source in sources)]
    if not present:
        return ()

    def told(name: str) -> str:
        if name == "line_id":
            return "count(lost_line_id), min(lost_line_id)"
        return f"count(*) FILTER (contains({name}, {MARK})), min({as_written(name)}) FILTER (contains({name}, {MARK}))"

    row = connection.execute(f"SELECT {', '.join(map(told, present))} FROM {table}").fetchone()
    assert row is not None
    header = {
        name: next(source.map.found[name][0].text for source in sources if source.map.found.get(name))
        for name in present
    }
    return tuple(
        Unreadable(header[name], count, example(lost))
        for name, count, lost in zip(present, row[::2], row[1::2], strict=True)
        if count
    )


def count_lost_of_headers(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> tuple[Unreadable, ...]:
    """The same of settlements, visits and diagnoses: no line finds them. The texts of Parquet come from databases, which lose no digits: they are not asked."""
    found: list[Unreadable] = []
    for source in sources:
        for name in ("settlement_id", "visit_id"):
            headers = source.map.found.get(name, ())
            if not any(source.table.converted or header.type.upper() in FLOATS for header in headers):
                continue
            key = read_column(source.map, name)
            row = connection.execute(
                f"SELECT count(*), min(key) FROM (SELECT {key} AS key FROM {source.table.scan()}) WHERE {is_lost('key', name)}"
            ).fetchone()
            if row and row[0]:
                found.append(Unreadable(headers[0].text, int(row[0]), example(row[1])))
    return tuple(found)
