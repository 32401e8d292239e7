"""Settlements that are reversed by the header of another that has no lines of its own (docs/judgment.md, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.columns import read_column, unreadable
from checker.ingest.gather import Gathered
from checker.ingest.settlement_flags import is_valid
from checker.ingest.sources import Source
from checker.model import sqltext
from checker.model.id_number import one_person

if TYPE_CHECKING:
    import duckdb

_SAID = ("patient_id", "patient_id_number", "institution_id")
"""By what a settlement and its reversal are told to be of one person, and of one institution."""
_ONE_SAID = ", ".join(f"CASE WHEN min({name}) = max({name}) THEN min({name}) END AS {name}" for name in _SAID)
"""SQL of what several rows say alike; nothing where they contradict each other."""
_ONE_PERSON = f"REPLACE ({one_person('patient_id_number')} AS patient_id_number)"
"""SQL that brings the ID numbers of a relation into one form; over their name, for it asks them often."""
_ANOTHER = """coalesce(CASE WHEN r.patient_id IS NULL OR o.patient_id IS NULL THEN r.patient_id_number <> o.patient_id_number
    ELSE r.patient_id <> o.patient_id END, FALSE) OR coalesce(r.institution_id <> o.institution_id, FALSE)"""


def find_reversed(connection: duckdb.DuckDBPyConnection, files: Gathered) -> bool:
    """Make the table `reversed_settlement` (settlement_id, is_whole) of the staged lines' settlements that headers without lines reverse,
    and `falsely_reversed` (settlement_id) of those that a header of another person or institution would.

    Whole where the reversing sums reach the settlement's and the staged lines'; where a sum is not known, where the reversal has no lines at
    all. Returns whether any settlement is reversed as a whole.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE reversed_settlement (settlement_id VARCHAR, is_whole BOOLEAN)")
    connection.execute("CREATE OR REPLACE TEMP TABLE falsely_reversed (settlement_id VARCHAR)")
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
        f"""CREATE OR REPLACE TEMP TABLE reversal AS
        SELECT settlement_id, min(original) AS original, CASE WHEN min(amount) = max(amount) THEN abs(min(amount)) END AS amount,
          bool_or(unclear) OR coalesce(min(amount) <> max(amount), FALSE) AS unclear, {_ONE_SAID} FROM (
          SELECT * FROM reversing WHERE NOT may_be_void AND original IN (SELECT settlement_id FROM staged_line WHERE NOT is_refund)) r
        WHERE NOT EXISTS (SELECT 1 FROM reversing again WHERE again.original = r.settlement_id AND again.settlement_id <> r.original)
          AND settlement_id NOT IN (SELECT settlement_id FROM staged_line WHERE settlement_id IS NOT NULL)
        GROUP BY settlement_id
        HAVING min(original) = max(original) AND (bool_and(refund) OR max(amount) < 0)"""
    )
    if one_number(connection, "SELECT count(*) FROM reversal") == 0:
        return False
    _leave_out_others(connection, files)
    _weigh(connection, files)
    return one_number(connection, "SELECT count(*) FROM reversed_settlement WHERE is_whole") > 0


def _names(source: Source) -> str:
    """SQL boolean: a header may name an original."""
    headers = source.map.found["original_settlement_id"]
    return f"({' OR '.join(f'{sqltext.name(header.text)} IS NOT NULL' for header in headers)})"


def _reversals(source: Source) -> str:
    """SQL of the settlement headers of one source that are not surely void and may reverse others: settlement_id, original, refund, amount,
    unclear (the amount), may_be_void, and what is SAID."""
    names = ("settlement_id", "original_settlement_id", "refund_flag", "settlement_amount", *_SAID)
    settlement, original, refund, amount, patient, number, institution = (
        read_column(source.map, name) for name in names
    )
    void, unclear = (
        unreadable(source.map.found.get(name, ()), source.map.columns[name].kind)
        for name in ("valid_flag", "settlement_amount")
    )
    return f"""SELECT * {_ONE_PERSON} FROM (SELECT {settlement} AS settlement_id, {original} AS original, {refund} AS refund, {amount} AS amount,
          {unclear} AS unclear, {void} AS may_be_void, {patient} AS patient_id, {number} AS patient_id_number, {institution} AS institution_id
        FROM {source.table.scan()} WHERE {_names(source)} AND {is_valid(source)}) WHERE original IS NOT NULL AND original <> settlement_id"""


def _leave_out_others(connection: duckdb.DuckDBPyConnection, files: Gathered) -> None:
    """Take those out of `reversal` that are of another person or institution than their original, as its headers say, else its lines."""
    told = " UNION ALL ".join(
        f"SELECT {', '.join(f'{read_column(source.map, name)} AS {name}' for name in ('settlement_id', *_SAID))} "
        f"FROM {source.table.scan()} WHERE {is_valid(source)} AND ({read_column(source.map, 'settlement_id')}) IN (SELECT original FROM reversal)"
        for source in files.settlements
    )
    of_lines = f"""SELECT settlement_id, {", ".join(_SAID)} FROM staged_line
        WHERE NOT is_refund AND settlement_id IN (SELECT original FROM reversal)"""
    # Few rows, each table for itself: in one query the long readings are planned anew for each place that asks for them.
    for table, rows in (("said_by_header", told), ("said_by_line", of_lines)):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table}_all AS {rows}")
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table}_each AS SELECT * {_ONE_PERSON} FROM {table}_all")
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT settlement_id, {_ONE_SAID} FROM {table}_each GROUP BY settlement_id"
        )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE another AS
        WITH said AS (
          SELECT settlement_id, {", ".join(f"coalesce(header.{name}, line.{name}) AS {name}" for name in _SAID)}
          FROM said_by_line line LEFT JOIN said_by_header header USING (settlement_id))
        SELECT r.settlement_id, r.original FROM reversal r JOIN said o ON o.settlement_id = r.original WHERE {_ANOTHER}"""
    )
    connection.execute("INSERT INTO falsely_reversed SELECT DISTINCT original FROM another")
    connection.execute("DELETE FROM reversal WHERE settlement_id IN (SELECT settlement_id FROM another)")


def _weigh(connection: duckdb.DuckDBPyConnection, files: Gathered) -> None:
    """Tell of each reversed settlement whether it is reversed as a whole, and leave out those of which the reversals' own lines tell."""
    totals = " UNION ALL ".join(
        f"SELECT {read_column(source.map, 'settlement_id')} AS settlement_id, {read_column(source.map, 'settlement_amount')} AS amount "
        f"FROM {source.table.scan()} WHERE {is_valid(source)} AND ({read_column(source.map, 'settlement_id')}) IN (SELECT original FROM reversal)"
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
        SELECT settlement_id, CASE WHEN unclear OR back = 0 OR coalesce(back < charged, FALSE) THEN FALSE ELSE back >= total END AS is_whole
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
        """INSERT INTO reversed_settlement SELECT settlement_id, coalesce(is_whole, TRUE) FROM weighed
        WHERE is_whole OR settlement_id NOT IN (SELECT original FROM reversal SEMI JOIN has_lines USING (settlement_id))"""
    )
