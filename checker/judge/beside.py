"""Which lines a scan stages: those of restricted items, and what stands beside them: other items that points look at, history, self-paid lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import SCRATCH, one_number
from checker.ingest import line_sql
from checker.ingest.gather import Gathered
from checker.ingest.settlement_flags import RefundSettlements
from checker.judge.candidates import matches_sql
from checker.model import sqltext

if TYPE_CHECKING:
    import duckdb


def find_use_codes(connection: duckdb.DuckDBPyConnection) -> bool:
    """Make `use_code` (code, national, role, together, since, until): what the codes of the input are to the points that count, pair or look back.

    All codes of a point count, whenever it is in force. `since` and `until` are the days on which a code stands for a `national` one, or NULL; of
    several in one group it is the smallest, and of a code that is itself covered that code.
    Returns whether some restricted code has such a point.
    """
    patterns = "(SELECT t.*, together FROM pattern t JOIN point USING (point_no) WHERE together IS NOT NULL)"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE use_code AS
        SELECT code, min(coalesce(national, code)) AS national, role, together, since, until
        FROM ({matches_sql(connection, patterns, "role, together")}) GROUP BY ALL"""
    )
    return one_number(connection, "SELECT count(*) FROM hot JOIN point USING (point_no) WHERE together IS NOT NULL") > 0


def find_staged(connection: duckdb.DuckDBPyConnection, *, with_uses: bool) -> bool:
    """Make `staged_raw` (raw, code): the codes that are restricted and, `with_uses`, those that some point of these looks at.

    Returns whether for any of them lines count that are not judged themselves.
    """
    used = "SELECT raw, code FROM code_map WHERE code IN (SELECT code FROM use_code)" if with_uses else ""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE staged_raw AS FROM hot_raw {f'UNION {used}' if used else ''}")
    asked = """SELECT count(*) FROM hot JOIN point USING (point_no)
        WHERE rank_case = 'first_prescription' OR companions IS NOT NULL OR drug_class IS NOT NULL"""
    return with_uses or one_number(connection, asked) > 0


def lines_of(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    codes: str,
    *,
    second: Mapping[int, bool],
    refund_settlements: RefundSettlements,
    unneeded: frozenset[str],
    lying: Sequence[str] = (),
) -> str:
    """SQL of the lines of the codes in a table (raw, code), to be staged: refunds and what is not judged itself are among them. `lying` are
    conditions on the lines of each source as they lie, '' for none.
    """
    queries = [
        line_sql.stage_query(
            source, second=second[number], refund_settlements=refund_settlements, unneeded=unneeded, codes=codes, with_beside=True,
            condition=lying[number] if lying else "",
        )
        for number, source in enumerate(files.lines)
    ]  # fmt: skip
    return line_sql.all_of(files.engine, connection, files.lines, queries)


def stage_more(
    connection: duckdb.DuckDBPyConnection, query: str, spilled: tuple[Path, ...], target: Path
) -> tuple[Path, ...]:
    """Add the lines of a query to `staged_line`. `spilled` are the files that hold it, if any; returns them with `target`, where these lines go."""
    if not spilled:
        connection.execute(f"INSERT INTO staged_line BY NAME {query}")
        return ()
    files = (*spilled, target)
    connection.execute(f"COPY ({query}) TO {sqltext.text(str(target))} {SCRATCH}")
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW staged_line AS SELECT * FROM read_parquet([{sqltext.paths(files)}], union_by_name = true)"
    )
    return files


def are_taken_back(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether among what is not judged itself some lines take others back."""
    return one_number(connection, "SELECT count(*) FROM staged_line WHERE is_refund AND beside") > 0
