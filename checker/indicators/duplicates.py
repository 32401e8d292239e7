"""Lines that were delivered twice (docs/judgment.md, section 6): found among all lines of an input, which do not fit into memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from checker.engines.duckdb import one_number
from checker.ingest.columns import read_column
from checker.ingest.gather import Gathered
from checker.ingest.identity import deliveries
from checker.ingest.line_kind import named_lines
from checker.ingest.line_sql import LINE_NO_SHIFT, as_it_stands, raw_code
from checker.ingest.lost_keys import is_lost
from checker.ingest.settlement_flags import RefundSettlements
from checker.ingest.sources import Source

if TYPE_CHECKING:
    import duckdb

AT_ONCE = 25_000_000
"""So many hashes are sorted at once; of more lines they are taken in parts."""
_SAID = (
    "institution_id",
    "visit_id",
    "settlement_id",
    "service_time",
    "quantity",
    "amount",
    "patient_id",
    "patient_id_number",
)
"""In what two lines must be equal, beside their id and item code, to be one."""


def find_duplicates(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    second: Mapping[int, bool],
    refunds: RefundSettlements,
    lines: int,
) -> int:
    """Make `duplicate` (line_no) of the lines that repeat another, and return how many they are.

    Lines are the same that have one id and say the same. Where lines have no id, equal ones of one delivery are several, and those of two
    deliveries one that came twice.
    """
    origins = deliveries(files.origins)
    several = len(set(origins.values())) > 1
    connection.execute("CREATE OR REPLACE TEMP TABLE duplicate (line_no BIGINT)")
    parts = {
        number: part
        for number, source in enumerate(files.lines)
        if (part := _hash(source, second[number], several=several))
    }
    if not parts:
        return 0
    found = _repeated(connection, files.lines, parts, -(-lines // AT_ONCE))
    connection.execute("CREATE OR REPLACE TEMP TABLE repeated_hash (h UINTEGER)")
    if found.is_empty():
        return 0
    connection.register("repeated_now", found.to_frame("h").to_arrow())
    connection.execute("INSERT INTO repeated_hash SELECT h FROM repeated_now")
    connection.unregister("repeated_now")
    connection.execute("CREATE OR REPLACE TEMP TABLE delivery (file_no BIGINT, delivery BIGINT)")
    connection.execute(
        "INSERT INTO delivery SELECT unnest(?::BIGINT[]), unnest(?::BIGINT[])", [[*origins], [*origins.values()]]
    )
    told = " UNION ALL BY NAME ".join(
        _candidates(files.lines[number], second[number], part, refunds) for number, part in parts.items()
    )
    said = f"{', '.join(_SAID)}, item_code, is_refund"
    connection.execute(
        f"""INSERT INTO duplicate
        WITH told AS (SELECT t.*, CASE WHEN line_id IS NULL THEN delivery END AS delivery FROM ({told}) t
          JOIN delivery ON file_no = line_no // {LINE_NO_SHIFT}),
        counted AS (
          SELECT *, CASE WHEN line_id IS NULL THEN row_number() OVER (PARTITION BY line_id, delivery, {said} ORDER BY line_no) END AS nth FROM told)
        SELECT line_no FROM counted QUALIFY row_number() OVER (PARTITION BY line_id, nth, {said} ORDER BY line_no) > 1"""
    )
    return one_number(connection, "SELECT count(*) FROM duplicate")


def _hash(source: Source, second: bool, *, several: bool) -> str:
    """SQL of the hash of what names a line, NULL where nothing tells it from others; empty where that holds of all lines."""
    line_id = as_it_stands(source.map, "line_id") or read_column(source.map, "line_id")
    by_id = f"hash({line_id})" if source.map.has("line_id") else ""
    said = [as_it_stands(source.map, name) or read_column(source.map, name) for name in _SAID]
    by_all = f"hash({raw_code(source, second=second)}, {', '.join(said)})" if several else ""
    if by_id and by_all:
        return f"CASE WHEN ({read_column(source.map, 'line_id')}) IS NULL THEN {by_all} ELSE {by_id} END"
    return f"CASE WHEN {line_id} IS NOT NULL THEN {by_id} END" if by_id else by_all


def _repeated(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], hashes: Mapping[int, str], parts: int
) -> pl.Series:
    """The upper halves of hashes that several lines have. Sorted by columns: the engine's own table of them would need ten times the memory."""
    found: list[pl.Series] = []
    for part in range(parts):
        some = f"AND h % {parts} = {part}" if parts > 1 else ""
        query = " UNION ALL ".join(
            f"SELECT CAST(h >> 32 AS UINTEGER) AS h FROM (SELECT {hashes[number]} AS h FROM {sources[number].table.scan()}) WHERE h IS NOT NULL {some}"
            for number in hashes
        )
        batches = [
            pl.DataFrame(pl.from_arrow(batch))["h"] for batch in connection.sql(query).to_arrow_reader(1_000_000)
        ]
        if batches:
            ordered = pl.concat(batches, rechunk=True).sort()
            found.append(ordered.filter(ordered == ordered.shift(1)).unique())
    return pl.concat(found).unique() if found else pl.Series("h", [], dtype=pl.UInt32)


def _candidates(source: Source, second: bool, part: str, refunds: RefundSettlements) -> str:
    lines = named_lines(
        source,
        refund_settlements=refunds,
        relation=f"SELECT * FROM ({source.table.relation()}) WHERE CAST(({part}) >> 32 AS UINTEGER) IN (SELECT h FROM repeated_hash)",
    )
    line_id = lines.read("line_id")
    fields = {
        "line_no": f"{source.table.file_number} * {LINE_NO_SHIFT} + {source.table.record}",
        "line_id": f"CASE WHEN NOT coalesce({is_lost(line_id, 'line_id')}, FALSE) THEN {line_id} END",
        "item_code": f"CAST({raw_code(source, second=second)} AS VARCHAR)",
        "is_refund": f"{lines.kind} = 5",
        **{name: lines.read(name) for name in _SAID},
    }
    return f"SELECT {', '.join(f'{value} AS {name}' for name, value in fields.items())} FROM {lines.of_kinds(0, 5, 6)}"
