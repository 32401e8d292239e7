"""What settlement headers say of the lines that they head: which settlements are refunds, and of which it cannot be read whether they are, or are void."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.columns import may_be_odd, read_column, unreadable
from checker.ingest.lost_keys import is_lost
from checker.ingest.sources import Source
from checker.model import sqltext
from checker.model.schema import Kind

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class RefundSettlements:
    """Whether there are settlements whose headers say refund, and such as say something that cannot be read (`refund_settlement`).

    `void_unclear`: of some nobody can tell whether they are void (`unclear_settlement`).
    """

    refunds: bool = False
    unclear: bool = False
    void_unclear: bool = False

    def __bool__(self) -> bool:
        return self.refunds or self.unclear


def find_flagged_settlements(connection: duckdb.DuckDBPyConnection, settlements: Sequence[Source]) -> RefundSettlements:
    """Make the tables `refund_settlement` and `unclear_settlement`."""
    void_unclear = _find_unclear(connection, settlements)
    return replace(_find_refunds(connection, settlements), void_unclear=void_unclear)


def _find_unclear(connection: duckdb.DuckDBPyConnection, settlements: Sequence[Source]) -> bool:
    """Make the table `unclear_settlement` (settlement_id) of settlements of which all headers that are not void have a void flag that cannot be
    read; return whether there are any."""
    connection.execute("CREATE OR REPLACE TEMP TABLE unclear_settlement (settlement_id VARCHAR)")
    flagged = [source for source in settlements if source.map.has("valid_flag")]
    odd = " UNION ALL ".join(
        _void_flags(source, may_be_odd(source.map.found["valid_flag"], Kind.VALID)) for source in flagged
    )
    if not flagged or one_number(connection, f"SELECT count(*) FROM ({odd}) WHERE is_unclear") == 0:
        return False
    rows = " UNION ALL ".join(_void_flags(source, "TRUE") for source in settlements)
    connection.execute(
        f"""INSERT INTO unclear_settlement SELECT settlement_id FROM ({rows})
        WHERE settlement_id IN (SELECT settlement_id FROM ({odd}) WHERE is_unclear)
        GROUP BY settlement_id HAVING bool_and(is_unclear)"""
    )
    return one_number(connection, "SELECT count(*) FROM unclear_settlement") > 0


def _void_flags(source: Source, condition: str) -> str:
    """SQL of (settlement_id, is_unclear) of the settlement headers of one source that are not void, under a condition."""
    key = read_column(source.map, "settlement_id")
    return (
        f"SELECT {key} AS settlement_id, {unreadable(source.map.found.get('valid_flag', ()), Kind.VALID)} AS is_unclear "
        f"FROM {source.table.scan()} WHERE {condition} AND {is_valid(source)} AND NOT coalesce({is_lost(key, 'settlement_id')}, FALSE)"
    )


def _find_refunds(connection: duckdb.DuckDBPyConnection, settlements: Sequence[Source]) -> RefundSettlements:
    """Make the table `refund_settlement` (settlement_id, refund) of settlements whose valid headers all say refund (TRUE), or of which
    none can be read though some say something (NULL)."""
    connection.execute("CREATE OR REPLACE TEMP TABLE refund_settlement (settlement_id VARCHAR, refund BOOLEAN)")
    flagged = [source for source in settlements if source.map.has("refund_flag")]
    if not flagged:
        return RefundSettlements()
    # Nearly all headers plainly say no; only what else they say is read, and the other headers of the same settlements.
    odd = " UNION ALL ".join(_flags(source, _not_plainly_no(source)) for source in flagged)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE odd_settlement AS SELECT DISTINCT settlement_id FROM ({odd}) WHERE refund OR is_unclear"
    )
    if one_number(connection, "SELECT count(*) FROM odd_settlement") == 0:
        return RefundSettlements()
    rows = " UNION ALL ".join(_flags(source, "TRUE") for source in flagged)
    connection.execute(
        f"""INSERT INTO refund_settlement SELECT settlement_id, bool_and(refund) FROM ({rows})
        WHERE settlement_id IN (SELECT settlement_id FROM odd_settlement)
        GROUP BY settlement_id HAVING bool_and(refund) IS NOT FALSE"""
    )
    row = connection.execute(
        "SELECT count(*) FILTER (refund), count(*) FILTER (refund IS NULL) FROM refund_settlement"
    ).fetchone()
    assert row is not None
    return RefundSettlements(row[0] > 0, row[1] > 0)


def _not_plainly_no(source: Source) -> str:
    """SQL boolean: the refund flag, as it stands in the file, is there and not 0."""
    headers = source.map.found["refund_flag"]
    raw = sqltext.name(headers[0].text)
    return f"({raw} IS NOT NULL AND {raw} <> '0')" if len(headers) == 1 and headers[0].is_text else "TRUE"


def _flags(source: Source, condition: str) -> str:
    """SQL of (settlement_id, refund, is_unclear) of the valid settlement headers of one source under a condition."""
    key = read_column(source.map, "settlement_id")
    return (
        f"SELECT {key} AS settlement_id, {read_column(source.map, 'refund_flag')} AS refund, "
        f"{unreadable(source.map.found['refund_flag'], Kind.REFUND)} AS is_unclear FROM {source.table.scan()} "
        f"WHERE {condition} AND {is_valid(source)} AND NOT coalesce({is_lost(key, 'settlement_id')}, FALSE)"
    )


def is_valid(source: Source) -> str:
    """SQL boolean: a header is not void."""
    return f"({read_column(source.map, 'valid_flag')}) IS NOT FALSE"
