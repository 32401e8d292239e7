"""What settlement headers say of refunds: which settlements are refunds, and which are reversed by a header that has no lines of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.columns import read_column, unreadable
from checker.ingest.gather import Gathered
from checker.ingest.lost_keys import is_lost
from checker.ingest.sources import Source
from checker.model import sqltext
from checker.model.schema import Kind

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class RefundSettlements:
    """Whether there are settlements whose headers say refund, and such as say something that cannot be read (`refund_settlement`)."""

    refunds: bool = False
    unclear: bool = False

    def __bool__(self) -> bool:
        return self.refunds or self.unclear


def find_refund_settlements(connection: duckdb.DuckDBPyConnection, settlements: Sequence[Source]) -> RefundSettlements:
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
        f"WHERE {condition} AND {_valid(source)} AND NOT coalesce({is_lost(key, 'settlement_id')}, FALSE)"
    )


def _valid(source: Source) -> str:
    return f"({read_column(source.map, 'valid_flag')}) IS NOT FALSE"


def find_reversed(connection: duckdb.DuckDBPyConnection, files: Gathered) -> bool:
    """Make the table `reversed_settlement` (settlement_id, is_whole) of the staged lines' settlements that headers without lines reverse.

    Whole where the reversing sums reach the settlement's; where a sum is not known, where the reversal has no lines at all and does not
    give back less than the staged lines. Returns whether any settlement is reversed as a whole.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE reversed_settlement (settlement_id VARCHAR, is_whole BOOLEAN)")
    sources = [each for each in files.settlements if each.map.has("original_settlement_id")]
    if not sources:
        return False
    # What stands in the file is asked first: most files name no original at all, and one column tells that.
    sources = [
        each
        for each in sources
        if one_number(connection, f"SELECT count(*) FROM {each.table.scan()} WHERE {_names(each)}")
    ]
    if not sources:
        return False
    rows = " UNION ALL ".join(map(_reversals, sources))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE reversing AS {rows}")
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE reversal AS
        SELECT settlement_id, min(original) AS original, CASE WHEN min(amount) = max(amount) THEN abs(min(amount)) END AS amount,
          bool_or(unclear) OR coalesce(min(amount) <> max(amount), FALSE) AS unclear FROM (
          SELECT settlement_id, original, refund, amount, unclear FROM reversing WHERE original IN (SELECT settlement_id FROM staged_line WHERE NOT is_refund))
        WHERE settlement_id NOT IN (SELECT settlement_id FROM staged_line WHERE settlement_id IS NOT NULL)
        GROUP BY settlement_id
        HAVING min(original) = max(original) AND (bool_and(refund) OR max(amount) < 0)"""
    )
    if one_number(connection, "SELECT count(*) FROM reversal") == 0:
        return False
    _weigh(connection, files)
    return one_number(connection, "SELECT count(*) FROM reversed_settlement WHERE is_whole") > 0


def _names(source: Source) -> str:
    """SQL boolean: a header may name an original."""
    headers = source.map.found["original_settlement_id"]
    return f"({' OR '.join(f'{sqltext.name(header.text)} IS NOT NULL' for header in headers)})"


def _reversals(source: Source) -> str:
    """SQL of (settlement_id, original, refund, amount, unclear) of settlement headers of one source that are surely valid and may reverse others."""
    settlement, original, refund, amount = (
        read_column(source.map, name)
        for name in ("settlement_id", "original_settlement_id", "refund_flag", "settlement_amount")
    )
    void, unclear = (
        unreadable(source.map.found.get(name, ()), source.map.columns[name].kind)
        for name in ("valid_flag", "settlement_amount")
    )
    return f"""SELECT * FROM (SELECT {settlement} AS settlement_id, {original} AS original, {refund} AS refund, {amount} AS amount, {unclear} AS unclear
        FROM {source.table.scan()} WHERE {_names(source)} AND {_valid(source)} AND NOT {void}) WHERE original IS NOT NULL AND original <> settlement_id"""


def _weigh(connection: duckdb.DuckDBPyConnection, files: Gathered) -> None:
    """Tell of each reversed settlement whether it is reversed as a whole, and leave out those of which the reversals' own lines tell."""
    totals = " UNION ALL ".join(
        f"SELECT {read_column(source.map, 'settlement_id')} AS settlement_id, {read_column(source.map, 'settlement_amount')} AS amount "
        f"FROM {source.table.scan()} WHERE {_valid(source)} AND ({read_column(source.map, 'settlement_id')}) IN (SELECT original FROM reversal)"
        for source in files.settlements
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE weighed AS
        WITH back AS (
          SELECT original AS settlement_id, CASE WHEN count(amount) = count(*) THEN sum(amount) END AS back, bool_or(unclear) AS unclear
          FROM reversal GROUP BY original),
        total AS (SELECT settlement_id, CASE WHEN min(amount) = max(amount) THEN abs(min(amount)) END AS total FROM ({totals}) GROUP BY settlement_id),
        charged AS (
          SELECT settlement_id, sum(amount) AS charged FROM (
            SELECT settlement_id, any_value(amount) AS amount FROM staged_line
            WHERE NOT is_refund AND settlement_id IN (SELECT original FROM reversal)
            GROUP BY settlement_id, duplicate_key, CASE WHEN line_id IS NULL THEN line_no END)
          GROUP BY settlement_id)
        SELECT settlement_id, CASE WHEN unclear THEN FALSE ELSE back >= total END AS is_whole, coalesce(back < charged, FALSE) AS is_less
        FROM back LEFT JOIN total USING (settlement_id) LEFT JOIN charged USING (settlement_id)"""
    )
    doubtful = "SELECT settlement_id FROM reversal WHERE original IN (SELECT settlement_id FROM weighed WHERE is_whole IS DISTINCT FROM TRUE)"
    connection.execute("CREATE OR REPLACE TEMP TABLE has_lines (settlement_id VARCHAR)")
    if one_number(connection, f"SELECT count(*) FROM ({doubtful})"):
        # Rare, and dear where there are many lines: only of reversals of which the sums do not tell.
        for source in files.lines:
            own = read_column(source.map, "settlement_id")
            connection.execute(
                f"INSERT INTO has_lines SELECT DISTINCT {own} FROM {source.table.scan()} WHERE ({own}) IN ({doubtful})"
            )
    connection.execute(
        """INSERT INTO reversed_settlement SELECT settlement_id, coalesce(is_whole, NOT is_less) FROM weighed
        WHERE is_whole OR settlement_id NOT IN (SELECT original FROM reversal SEMI JOIN has_lines USING (settlement_id))"""
    )
