"""Values that are written and cannot be read, though their lines can: counted by column with an example, never taken for absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from checker.ingest.columns import Header, first_text, may_be_odd, unreadable
from checker.ingest.named import free_name
from checker.ingest.personal import example
from checker.ingest.provincial import Provincial
from checker.ingest.sources import Source
from checker.ingest.spellings import LONGEST_WORD
from checker.ingest.value_groups import normal_care
from checker.model import sqltext
from checker.model.schema import Kind

if TYPE_CHECKING:
    import duckdb

TOLD = (
    "amount",
    "amount_in_scope",
    "full_self_paid_amount",
    "unit_price",
    "price_limit",
    "days_supply",
    "is_context",
    "curr_drord_flag",
    "paid_by_fund",
    "self_paying_flag",
    "newborn_flag",
)
"""Columns of lines of which something is told here; without a readable time, quantity, void or refund flag a line is rejected."""


class Unreadable(NamedTuple):
    """A column as it is called in the input, how many of its values cannot be read, and one of them."""

    header: str
    lines: int
    example: str


def count_unreadable(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], columns: Sequence[str] = TOLD
) -> tuple[Unreadable, ...]:
    """What cannot be read in some columns, in their order."""
    found: dict[str, Unreadable] = {}
    for source in sources:
        for name in columns:
            headers = source.map.found.get(name, ())
            if not headers:
                continue
            kind = source.map.columns[name].kind
            if (doubt := unreadable(headers, kind)) == "FALSE":
                continue
            # A question of its own for each column passes over whole blocks in which nothing is odd; joined to the longer one it would not.
            odd = may_be_odd(headers, kind)
            rows = f"{source.table.scan()} WHERE {odd}"
            if odd != "TRUE" and not connection.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone():
                continue
            row = connection.execute(
                f"SELECT count(*), min({first_text(headers, kind)}) FROM {rows} AND {doubt}"
            ).fetchone()
            assert row is not None
            _take(found, name, headers[0].text, *row)
    return tuple(found[name] for name in columns if name in found)


def count_unknown_care(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    provincial: Provincial,
    told: frozenset[str] = frozenset(),
) -> tuple[Unreadable, ...]:
    """The care types of lines or headers that the profile does not know; those that are told elsewhere (as they are compared) are left out."""
    found: dict[str, Unreadable] = {}
    for source in sources:
        if headers := source.map.found.get("care_type", ()):
            counted = _unknown_care(connection, source, headers, provincial, told)
            _take(found, "care_type", headers[0].text, *counted)
    return tuple(found.values())


def compared_care(value: str) -> str:
    """A care type as it is compared."""
    return normal_care(value) or value


def _take(found: dict[str, Unreadable], name: str, header: str, lines: int, shown: str | None) -> None:
    if lines:
        before = found[name].lines if name in found else 0
        found[name] = Unreadable(header, lines + before, example(shown or ""))


def _unknown_care(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    headers: Sequence[Header],
    provincial: Provincial,
    told: frozenset[str],
) -> tuple[int, str | None]:
    """In how many lines a care type stands that the profile does not know, and the first of them. Any text may be one, but few differ."""
    raw = ", ".join(sqltext.name(header.text) for header in headers)
    odd = f"{source.table.scan()} WHERE {may_be_odd(headers, Kind.CARE)}"
    lines = sqltext.name(free_name("lines", headers))
    cleaned = f"left({first_text(headers, Kind.CARE)}, {LONGEST_WORD + 1})"
    rows = connection.execute(
        f"""SELECT value, sum({lines})::BIGINT FROM (SELECT {cleaned} AS value, {lines}
          FROM (SELECT {raw}, count(*) AS {lines} FROM {odd} GROUP BY ALL)) WHERE value IS NOT NULL GROUP BY value ORDER BY value"""
    )
    count, first = 0, None
    while some := rows.fetchmany(10_000):
        for value, number in some:
            if provincial.care_group(value) is None and compared_care(value) not in told:
                count, first = count + number, value if first is None else first
    return count, first
