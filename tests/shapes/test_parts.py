"""The parts of a shape's base: a query without those that no point asks for tells the same columns, of the same types."""

from __future__ import annotations

import itertools

import duckdb
import pytest

from checker.model import sqltext
from checker.shapes import CANDIDATE_COLUMNS, SHAPES
from checker.shapes.base import Shape

WITH_PARTS = [shape for shape in SHAPES if shape.parts]


@pytest.mark.parametrize("shape", WITH_PARTS, ids=lambda shape: shape.id)
def test_a_part_that_nobody_asks_for_leaves_its_columns(shape: Shape) -> None:
    columns = CANDIDATE_COLUMNS | dict.fromkeys(shape.params, "INTEGER")
    nobody = f"SELECT {sqltext.nulls(columns)}"
    with duckdb.connect() as connection:
        for name, types in shape.relations.items():
            connection.execute(f"CREATE TABLE {name} AS SELECT {sqltext.nulls(types)} WHERE FALSE")
        told = {
            asked: sorted(connection.execute(f"DESCRIBE {shape.base(nobody, asked)}").fetchall())
            for asked in _askable(shape)
        }
        for asked in told:
            assert len(connection.execute(shape.base(nobody, asked)).fetchall()) == 1
    assert len(told) > 2
    assert all(each == told[frozenset(shape.parts)] for each in told.values())


@pytest.mark.parametrize("shape", WITH_PARTS, ids=lambda shape: shape.id)
def test_some_point_asks_for_each_part(shape: Shape) -> None:
    assert frozenset[str]().union(*_askable(shape)) == set(shape.parts)
    assert shape.asks({}) == frozenset()


def _askable(shape: Shape) -> set[frozenset[str]]:
    """What points of a shape may ask for, together: of each limit one of its words or some text, or nothing."""
    values = [
        [(limit.column, each) for each in (*(limit.choices or ("A00",)), None)]
        for limit in shape.limits
        if not limit.wording and limit.kind is str
    ]
    alone = {shape.asks(dict(limits)) for limits in itertools.product(*values)}
    return {frozenset().union(*some) for some in itertools.product(alone, repeat=len(shape.parts))}
