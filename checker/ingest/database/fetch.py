"""What queries give, written to Parquet files of the scan as it arrives: memory does not grow with the result."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from checker.ingest.database import faults
from checker.ingest.database.apart import Apart, BrokenError
from checker.ingest.database.parquet_writer import ParquetWriter
from checker.ingest.database.query import Query, only_selects
from checker.ingest.database.sessions import Session, open_session
from checker.ingest.database.url import Database
from checker.model.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class DatabaseRead:
    """What was read of a database: the query, the server as it names itself, and when it was asked."""

    query: Query
    server: str
    asked: datetime
    rows: int
    is_whole: bool = True
    """Whether all rows were read."""

    def to_plain(self) -> dict[str, object]:
        """As run.json holds it."""
        return {
            "url": self.query.database.shown, "server": self.server, "asked": self.asked.isoformat(timespec="seconds"),
            "query": self.query.sql, "query_sha256": self.query.sha256, "rows": self.rows,
        }  # fmt: skip


class _EnoughError(Exception):
    """No more rows are wanted: the server is told to stop."""


class Databases:
    """The databases that a command reads, each by one session, which ends with the context."""

    def __init__(self) -> None:
        self._sessions: dict[Database, Session] = {}

    def __enter__(self) -> Databases:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._sessions:
            return
        import pyarrow as pa

        for session in self._sessions.values():
            # One that was lost cannot be closed either; what was to be told has been told.
            with contextlib.suppress(Exception):
                session.close()
        # The engine that judges needs the memory.
        pa.default_memory_pool().release_unused()

    def read(
        self, query: Query, target: Path, choose: Callable[[Sequence[str]], Collection[str]], first: int | None = None
    ) -> DatabaseRead:
        """Write what a query gives to `target`: the columns that are chosen of all, of the rows no more than about `first` where it says so.

        Raises InputError where the database cannot be asked, or breaks off.
        """
        sql, asked = only_selects(query), datetime.now(UTC)
        apart = Apart(lambda: self._ask(query.database, sql), lambda: self._cancel(query.database))
        rows: int | None = None
        try:
            with apart as items:
                schema = next(items)
                rows = 0
                with ParquetWriter(query, target, schema, choose(schema.names)) as writer:
                    for batch in items:
                        writer.add(batch)
                        rows += batch.num_rows
                        if first is not None and rows >= first:
                            break
                if first is not None and rows >= first:
                    raise _EnoughError
            told = DatabaseRead(query, self._sessions[query.database].version, asked, rows)
        except _EnoughError:
            # A session that was broken off is not asked again.
            told = DatabaseRead(query, self._sessions.pop(query.database).version, asked, rows or 0, is_whole=False)
        except BrokenError as broken:
            if isinstance(broken.cause, InputError):
                raise broken.cause from None
            if isinstance(broken.cause, ImportError):
                raise faults.missing_library(query, broken.cause) from broken.cause
            raise faults.told(query, broken.cause, rows) from broken.cause
        finally:
            if not apart.is_over:
                # What another thread still waits for must not be closed under its hands; it ends with the process.
                self._sessions.pop(query.database, None)
        return told

    def _ask(self, database: Database, sql: str) -> Iterator[pa.Schema | pa.RecordBatch]:
        if database not in self._sessions:
            self._sessions[database] = open_session(database)
        return self._sessions[database].read(sql)

    def _cancel(self, database: Database) -> None:
        if database in self._sessions:
            with contextlib.suppress(Exception):
                self._sessions[database].cancel()
