"""The tables of points and patterns as polars frames, and as rows where there are few."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, fields
from typing import TypeVar

import polars as pl

from checker.knowledge.codes import FAMILY_LENGTH
from checker.knowledge.rows import PatternRow, PointRow

Row = TypeVar("Row", PointRow, PatternRow)

_TYPES = {"str": pl.String, "int": pl.Int32, "date": pl.Date}
POINT_KEY = ("point_id",)
PATTERN_KEY = ("point_id", "role", "match", "code")


def schema_of(kind: type[PointRow] | type[PatternRow]) -> dict[str, type[pl.DataType]]:
    """The columns of a row class in order, with their types in a frame."""
    return {column.name: _TYPES[str(column.type).partition(" ")[0]] for column in fields(kind)}


def frame_of(rows: Iterable[Row], kind: type[Row]) -> pl.DataFrame:
    """The rows as a frame, sorted by the key of their table."""
    values = [astuple(row) for row in rows]
    frame = pl.DataFrame(values, schema=schema_of(kind), orient="row")
    return frame.sort(POINT_KEY if kind is PointRow else PATTERN_KEY)


def rows_of(frame: pl.DataFrame, kind: type[Row]) -> tuple[Row, ...]:
    """The rows of a frame, in its order."""
    return tuple(kind(*values) for values in frame.select(*schema_of(kind)).iter_rows())


def family_column(code: pl.Expr) -> pl.Expr:
    """The family of each code, and of each family itself; NULL for codes that have none."""
    kind = code.str.head(1)
    return pl.coalesce(pl.when(kind == letter).then(code.str.head(length)) for letter, length in FAMILY_LENGTH.items())


def csv_text(frame: pl.DataFrame) -> str:
    """The reviewed text of a table: a header, one row a line, NULL as nothing."""
    return frame.write_csv(line_terminator="\n")
