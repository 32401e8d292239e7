"""Values that are written and cannot be read, though their lines can: counted by column with an example, never taken for absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from checker.ingest.columns import first_text, may_be_odd, unreadable
from checker.ingest.named import free_name
from checker.ingest.personal import example
from checker.ingest.sources import Source
from checker.model import sqltext
from checker.model.schema import Kind

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
    "care_type",
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
            rows, count = f"{source.table.scan()} WHERE {odd}", "count(*)"
            if odd != "TRUE" and not connection.execute(f"SELECT 1 FROM {rows} LIMIT 1").fetchone():
                continue
            if kind is Kind.CARE:
                # Provinces have codes of their own, so that all may be odd: each is read once.
                lines = sqltext.name(free_name("lines", headers))
                read = ", ".join(sqltext.name(header.text) for header in headers)
                rows, count = (
                    f"(SELECT {read}, count(*) AS {lines} FROM {rows} GROUP BY ALL) WHERE TRUE",
                    f"coalesce(sum({lines}), 0)",
                )
            row = connection.execute(
                f"SELECT {count}, min({first_text(headers, kind)}) FROM {rows} AND {doubt}"
            ).fetchone()
            assert row is not None
            if row[0]:
                before = found[name].lines if name in found else 0
                found[name] = Unreadable(headers[0].text, int(row[0]) + before, example(row[1]))
    return tuple(found[name] for name in columns if name in found)
