"""Values that are written and cannot be read, though their lines can: counted by column with an example, never taken for absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from checker.ingest.columns import first_text, unreadable
from checker.ingest.sources import Source

if TYPE_CHECKING:
    import duckdb

TOLD = (
    "amount",
    "amount_in_scope",
    "full_self_paid_amount",
    "is_context",
    "curr_drord_flag",
    "paid_by_fund",
    "self_paying_flag",
    "newborn_flag",
)
"""Columns of lines of which something is told here; without a readable time, quantity, void or refund flag a line is rejected."""
LONGEST_EXAMPLE = 40


class Unreadable(NamedTuple):
    """A column as it is called in the input, how many of its values cannot be read, and one of them."""

    header: str
    lines: int
    example: str


def count_unreadable(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> tuple[Unreadable, ...]:
    """What cannot be read in the columns TOLD, in the order of the columns."""
    found: dict[str, Unreadable] = {}
    for source in sources:
        doubts = {
            name: doubt
            for name in TOLD
            if (doubt := unreadable(source.map.found.get(name, ()), source.map.columns[name].kind)) != "FALSE"
        }
        if not doubts:
            continue
        told = (
            f"count(*) FILTER (WHERE {doubt}), min({first_text(source.map.found[name], source.map.columns[name].kind)}) FILTER (WHERE {doubt})"
            for name, doubt in doubts.items()
        )
        row = connection.execute(f"SELECT {', '.join(told)} FROM {source.table.scan()}").fetchone()
        assert row is not None
        for name, count, example in zip(doubts, row[::2], row[1::2], strict=True):
            if count:
                header, before = source.map.found[name][0].text, found.get(name)
                found[name] = Unreadable(
                    header, count + (before.lines if before else 0), str(example)[:LONGEST_EXAMPLE]
                )
    return tuple(found[name] for name in TOLD if name in found)
