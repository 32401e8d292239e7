"""Quoting: how names and texts from outside enter SQL text where a parameter cannot stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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


def nulls(types: Mapping[str, str]) -> str:
    """SQL of columns of which each is NULL, by name and type."""
    return ", ".join(f"CAST(NULL AS {type_}) AS {name(each)}" for each, type_ in types.items())


def one_path(path: Path | str) -> str:
    """Return a path as DuckDB's readers must be told it, so that it means one file: of `*`, `?` and `[` they would make a pattern.

    >>> one_path("out[1]/a*.parquet")
    'out[[]1]/a[*].parquet'
    """
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))


def paths(files: Iterable[Path]) -> str:
    """Return a comma-separated list of quoted paths, each meaning one file."""
    return texts(one_path(file) for file in files)


def parquet(*files: Path) -> str:
    """Return the SQL table function that reads these Parquet files: texts without their mark (Impala) are texts, folders name no columns."""
    return f"read_parquet([{paths(files)}], hive_partitioning = false, binary_as_string = true)"
