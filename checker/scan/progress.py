"""What a scan is doing, told to whoever draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import duckdb


class Progress(Protocol):
    """Told what a scan is doing; the command line draws it."""

    def step(self, name: str, connection: duckdb.DuckDBPyConnection | None) -> None:
        """A step of the scan begins, on this connection."""

    def at(self, file: str, own: int, done: int, of: int, unit: str) -> None:
        """Within the step it is the turn of `own` of `unit`, beginning with a file; so many of all are done. A unit is files or lines."""


class Silent:
    """Progress for callers that draw nothing."""

    def step(self, name: str, connection: duckdb.DuckDBPyConnection | None) -> None:
        """Draw nothing."""

    def at(self, file: str, own: int, done: int, of: int, unit: str) -> None:
        """Draw nothing."""
