"""Quoting: how names and texts from outside enter SQL text where a parameter cannot stand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def name(text: str) -> str:
    """Return a quoted SQL identifier.

    >>> name('a"b')
    '"a""b"'
    """
    return '"' + text.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a quoted SQL text literal.

    >>> text("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def texts(values: Iterable[str]) -> str:
    """Return a comma-separated list of quoted SQL text literals."""
    return ", ".join(text(value) for value in values)


def parquet(*paths: Path) -> str:
    """Return the SQL table function that reads one Parquet file, or several of the same columns."""
    return f"read_parquet([{texts(str(path) for path in paths)}])"
