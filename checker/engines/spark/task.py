"""What a worker does: it answers a query over one part of the lines, from files that it sees, into a file that all see."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from checker.engines.duckdb import SCRATCH, connect_locked
from checker.model import sqltext


@dataclass(frozen=True, slots=True)
class Task:
    """A query over the lines in `files`, with `relations` by name, each a Parquet file; its answer goes to `target`. `memory` is that of DuckDB."""

    query: str
    files: tuple[str, ...]
    relations: Mapping[str, str]
    target: str
    memory: str


def answer(task: Task) -> str | None:
    """Write the answer; returns what the engine says of a query that fails, which would fail on any worker. Doing it twice does no harm."""
    import duckdb

    target = Path(task.target)
    begun = target.with_suffix(f".{uuid4().hex}.begun")
    with tempfile.TemporaryDirectory(prefix="liangku-") as spill:
        readable = [*map(Path, task.files), *map(Path, task.relations.values())]
        connection = connect_locked(
            readable=readable, folders=[target.parent], memory=task.memory, threads=1, spill=Path(spill)
        )
        try:
            for name, file in task.relations.items():
                connection.execute(
                    f"CREATE TEMP TABLE {sqltext.name(name)} AS SELECT * FROM {sqltext.parquet(Path(file))}"
                )
            connection.execute(f"COPY ({task.query}) TO {sqltext.text(str(begun))} {SCRATCH}")
        except duckdb.Error as error:
            begun.unlink(missing_ok=True)
            return str(error)
        finally:
            connection.close()
    begun.replace(target)
    return None
