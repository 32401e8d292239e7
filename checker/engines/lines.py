"""What an engine must do: answer queries over the lines of inputs, part by part, wherever it runs. What is counted, selected and told of lines is asked so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Question:
    """A query (SQL) over one part of the lines, which lies in `files`; it may name relations of the connection that asks it.

    Parts answer by themselves: what is counted of each has to be summed by whoever asks.
    """

    query: str
    files: tuple[Path, ...]


class LineEngine(Protocol):
    """Runs queries over lines."""

    part_lines: int | None
    """How many lines make a part that is worth a worker; None where parts are of no use to it."""

    def ask(self, connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> list[str]:
        """SQL to select from of the answer to each question, for statements on the same connection."""

    def told(self) -> dict[str, Any]:
        """The engine as run.json holds it."""

    def close(self) -> None:
        """Let go of what it holds."""


class Here:
    """DuckDB in this process: a query is asked within the statement that needs its answer."""

    part_lines: int | None = None

    def ask(self, connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> list[str]:
        """The queries themselves."""
        return [f"({question.query})" for question in questions]

    def told(self) -> dict[str, Any]:
        """DuckDB and its version."""
        import duckdb

        return {"name": "duckdb", "version": duckdb.__version__}

    def close(self) -> None:
        """Hold nothing."""


HERE = Here()
