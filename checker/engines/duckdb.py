"""A DuckDB connection that can read the named inputs, write one work folder, and nothing else."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from checker.model import sqltext

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SCAN_MEMORY = "420MB"
"""What DuckDB may hold during a scan; the process stays below 700 MB with it (see docs/benchmarks.md)."""


SCRATCH = "(FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE 20480)"
"""How relations between two steps of a scan are written: fast, in row groups small enough for the writer's memory."""

FEW_ROWS = 50_000
"""So many rows of all inputs are few: what the engine does for many costs more than it brings."""
PAYS_OF_MANY = (
    "column_lifetime", "common_subexpressions", "common_subplan", "compressed_materialization", "distinct_aggregate_rewrite",
    "join_filter_pushdown", "join_order", "late_materialization", "reorder_filter", "row_group_pruner", "statistics_propagation",
)  # fmt: skip
"""Passes of the optimizer that cost the same for every statement, and bring something only where there are many rows."""

_ROWS_PARTED_AT_ONCE = 50_000
"""So many rows a thread holds of what it writes into folders: half a million wide ones, as it would, find no room."""
_FOLDERS_AT_ONCE = 500
"""So many folders are written to side by side; a file that is closed is not written to again, its folder gets another."""
_OPEN: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()


def connect_locked(
    *,
    readable: Iterable[Path] = (),
    folders: Iterable[Path] = (),
    memory: str = SCAN_MEMORY,
    threads: int | None = None,
    spill: Path | None = None,
    ordered: bool = False,
    optimized: bool = True,
    few: bool = False,
) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database without access to anything but `readable` files and `folders`.

    The configuration is locked, so that no clause, header or value that reached SQL could open it again. Without `spill` nothing
    is written outside memory. What is asked of some rows once is answered soonest where it is run as it is written, not `optimized`; of a `few`
    thousand, or by statements that are prepared, on one thread, without what pays of many: a second would have each statement made ready once more.
    """
    import duckdb

    connection = duckdb.connect(
        ":memory:", config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    )
    workers = 1 if few else threads if threads is not None else min(os.cpu_count() or 1, 8)
    connection.execute(f"SET threads = {int(workers)}")
    connection.execute(f"SET memory_limit = {sqltext.text(memory)}")
    connection.execute(f"SET preserve_insertion_order = {str(ordered).lower()}")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET partitioned_write_flush_threshold = {_ROWS_PARTED_AT_ONCE}")
    connection.execute(f"SET partitioned_write_max_open_files = {_FOLDERS_AT_ONCE}")
    connection.execute(f"SET temp_directory = {sqltext.text(str(spill) if spill else '')}")
    connection.execute(f"SET allowed_paths = [{_allowed(readable)}]")
    connection.execute(f"SET allowed_directories = [{_allowed([*folders, *([spill] if spill else [])])}]")
    if not optimized:
        connection.execute("PRAGMA disable_optimizer")
    elif few:
        connection.execute(f"SET disabled_optimizers = {sqltext.text(','.join(PAYS_OF_MANY))}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    _OPEN.add(connection)
    return connection


def register(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Let a connection know a table in memory by a name (SQL); it is read where it lies."""
    # Refused where of an answer before rows are left that nobody fetched.
    connection.execute("SELECT 1").fetchall()
    connection.register(name, table)


def interrupt_all() -> None:
    """End what the engine is doing on any connection; the statement fails."""
    for connection in [*_OPEN]:
        with contextlib.suppress(Exception):
            # One that has just been closed has nothing to interrupt.
            connection.interrupt()


def _allowed(paths: Iterable[Path]) -> str:
    """Each path as it stands, and as readers are told it: the engine compares both."""
    return sqltext.texts(dict.fromkeys(way for path in paths for way in (str(path), sqltext.one_path(path))))


def lay_aside(connection: duckdb.DuckDBPyConnection, view: str, query: str, file: Path) -> None:
    """Make a view of the rows of a query, which lie in a Parquet file: memory is free for what comes next."""
    connection.execute(f"COPY ({query}) TO {sqltext.text(str(file))} {SCRATCH}")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT * FROM {sqltext.parquet(file)}")


def one_number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that a query gives; NULL, as the sum of nothing, is 0."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0] or 0)
