"""Points that this process loaded before: a second scan by the same rules and knowledge copies them, instead of joining and matching all again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
MOST = 4
"""So many sets of points are kept, some megabytes each; the one that was not used for longest goes first."""
_SEEN = 64
_ASKED = "asked_again_"


class Recall(Generic[T]):
    """Tables of a connection by what they were made of, with what was told of them.

    A command that scans once pays nothing: they are kept when the same are made for a second time.
    """

    def __init__(self, tables: Sequence[str]) -> None:
        self._tables = tables
        self._kept: dict[Hashable, tuple[dict[str, Any], T]] = {}
        self._seen: dict[Hashable, None] = {}

    def bring(self, connection: duckdb.DuckDBPyConnection, key: Hashable) -> T | None:
        """Make the tables as they were made of `key`, and return what was told of them; None where they are not kept."""
        kept = self._kept.pop(key, None)
        if kept is None:
            return None
        self._kept[key] = kept
        tables, told = kept
        for name, table in tables.items():
            connection.register(_ASKED + name, table)
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {_ASKED}{name}")
            connection.unregister(_ASKED + name)
        return told

    def keep(self, connection: duckdb.DuckDBPyConnection, key: Hashable, told: T) -> None:
        """Keep the tables of a connection that were made of `key`, where that was so before."""
        if key not in self._seen:
            self._seen[key] = None
            _leave(self._seen, _SEEN)
            return
        tables = {name: connection.sql(f"FROM {name}").to_arrow_table() for name in self._tables}
        self._kept[key] = tables, told
        _leave(self._kept, MOST)


def _leave(entries: dict[Hashable, Any], most: int) -> None:
    """Leave the last entries of a dictionary in it."""
    for key in [*entries][: max(len(entries) - most, 0)]:
        entries.pop(key, None)
