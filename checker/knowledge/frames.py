"""The tables of points and patterns as polars frames, and as rows where there are few."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import TypeVar

import polars as pl

from checker.knowledge.codes import FAMILY_LENGTH
from checker.knowledge.rows import POINT_COMMON, PatternRow, PointRow
from checker.shapes import LIMITS, SHAPES
from checker.shapes.base import Shape

Row = TypeVar("Row", PointRow, PatternRow)

_TYPES = {"str": pl.String, "int": pl.Int32, "date": pl.Date}
POINT_KEY = ("point_id",)
PATTERN_KEY = ("point_id", "role", "match", "code")


def schema_of(kind: type[PointRow] | type[PatternRow]) -> dict[str, type[pl.DataType]]:
    """The columns of a row class in order, with their types in a frame; those of a point end with the limits of all shapes."""
    types = {column.name: _TYPES.get(str(column.type).partition(" ")[0]) for column in fields(kind)}
    limits = {limit.name: _TYPES[limit.kind.__name__] for limit in LIMITS} if kind is PointRow else {}
    return {name: type_ for name, type_ in types.items() if type_ is not None} | limits


def frame_of(rows: Iterable[Row], kind: type[Row]) -> pl.DataFrame:
    """The rows as a frame, sorted by the key of their table."""
    frame = pl.DataFrame([row.values() for row in rows], schema=schema_of(kind), orient="row")
    return frame.sort(POINT_KEY if kind is PointRow else PATTERN_KEY)


def rows_of(frame: pl.DataFrame, kind: type[Row]) -> tuple[Row, ...]:
    """The rows of a frame, in its order."""
    rows = frame.select(*schema_of(kind)).iter_rows()
    if issubclass(kind, PointRow):
        return tuple(kind.of(values) for values in rows)
    return tuple(kind(*values) for values in rows)


def has_shape(shape: Shape) -> pl.Expr:
    """Whether a point of the wide frame has limits of the shape."""
    return pl.any_horizontal(pl.col(limit.name).is_not_null() for limit in shape.limits)


def point_tables(point: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The tables that points are kept in, by name: what every point has, and for each shape that some have, the limits."""
    limits = {
        shape.id: point.filter(has_shape(shape)).select("point_id", *(limit.name for limit in shape.limits))
        for shape in SHAPES
    }
    return {"point": point.select(POINT_COMMON), **{name: table for name, table in limits.items() if table.height}}


def family_column(code: pl.Expr) -> pl.Expr:
    """The family of each code, and of each family itself; NULL for codes that have none."""
    kind = code.str.head(1)
    return pl.coalesce(pl.when(kind == letter).then(code.str.head(length)) for letter, length in FAMILY_LENGTH.items())


def csv_text(frame: pl.DataFrame) -> str:
    """The reviewed text of a table: a header, one row a line, NULL as nothing."""
    return frame.write_csv(line_terminator="\n")
