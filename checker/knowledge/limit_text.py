"""The tables of limits as text, one for each shape: read, checked cell by cell, and joined to the points that they are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from checker.knowledge.cell_reader import Faults, together
from checker.knowledge.text_table import (
    CellCheck,
    TextTable,
    as_whole,
    check_cells,
    choice,
    read_table,
    safe,
    text,
    twice,
    whole,
)
from checker.model.errors import both
from checker.shapes import LIMITS, SHAPES
from checker.shapes.base import Shape

LIMIT_FILES = tuple(shape.limit_file for shape in SHAPES)
POINTS = "point.csv"


def limit_cells(shape: Shape) -> Iterator[CellCheck]:
    """What each limit of the shape may hold: its words or a whole number, and a number with its unit."""
    for limit in shape.limits:
        if limit.kind is int:
            yield whole(limit.name, optional=True)
        elif limit.choices:
            yield choice(limit.name, limit.choices, optional=True)
        else:
            yield safe(limit.name)
        if limit.unit_of:
            unlike = _empty(limit.unit_of) != _empty(limit.name)
            yield CellCheck("age-bounds", limit.name, unlike, together(limit.unit_of, limit.name))


def read_limits(folder: Path, shape: Shape, faults: Faults) -> TextTable:
    """Read the limit table of a shape and note what is wrong with its cells. Raises KnowledgeError as `read_table` does."""
    table = read_table(folder / shape.limit_file, ["point_id", *(limit.name for limit in shape.limits)], (), faults)
    check_cells(
        table, (text("point_id"), *limit_cells(shape), *_together(shape, table.frame), _no_limit((shape,))), faults
    )
    return table


def wide_checks(table: TextTable) -> Iterator[CellCheck]:
    """The same for the limits of all shapes in one table, as they stand where there are no limit tables, and as a built one is read."""
    for shape in SHAPES:
        yield from limit_cells(shape)
        yield from _together(shape, table.frame)
    yield _no_limit(SHAPES)
    for number, shape in enumerate(SHAPES[1:], 1):
        filled = ~pl.all_horizontal(_empty(limit.name) for limit in shape.limits)
        earlier = [limit.name for each in SHAPES[:number] for limit in each.limits]
        others = ~pl.all_horizontal(map(_empty, earlier))
        listed = ", ".join(earlier)
        told = both(f"这个知识点还有别的形态的限制（{listed}），请只留它的规则所属形态的",
                    f"the point has limits of another shape too ({listed}); keep those of its rule's shape")  # fmt: skip
        yield CellCheck("value", shape.limits[0].name, filled & others, told)


def check_rows(points: TextTable, tables: Mapping[Shape, TextTable], faults: Faults) -> None:
    """Note limit rows of no point, points without one, and points with two."""
    point_ids = points.frame["point_id"]
    held = pl.Series([], dtype=pl.String)
    for shape, table in tables.items():
        others = " or ".join(each.limit_file for each in tables if each is not shape)
        check_cells(
            table,
            [
                CellCheck("reference", "point_id", (pl.col("point_id") != "") & ~pl.col("point_id").is_in(point_ids.implode()),
                          both(f"{POINTS} 中没有这个知识点，请补上，或删去这一行", f"{POINTS} has no such point; add it there or remove this row")),
                twice("reference", "point_id", ["point_id"], table,
                      both("第 {} 行已有这个知识点的限制，请只留一行", "row {} has the limits of this point; keep one of the rows")),
                CellCheck("reference", "point_id", pl.col("point_id").is_in(held.implode()),
                          both(f"{others.replace(' or ', '、')} 中也有这个知识点的限制，请只留在它的规则所属形态的表里",
                               f"{others} has the limits of this point too; keep the row in the table of its rule's shape")),
            ],
            faults,
        )  # fmt: skip
        held = pl.concat([held, table.frame["point_id"].rename("")])
    files = ", ".join(LIMIT_FILES)
    told = both(f"没有一张表写了这个知识点的限制，请在它的规则所属形态的表里补上一行（{files}）",
                f"no table has the limits of this point; add its row to the one of its rule's shape ({files})")  # fmt: skip
    without = (pl.col("point_id") != "") & ~pl.col("point_id").is_in(held.implode())
    check_cells(points, [CellCheck("no-limit", "point_id", without, told)], faults)


def with_limits(points: TextTable, tables: Mapping[Shape, TextTable]) -> TextTable:
    """The points with the limits of all shapes beside them, '' where they have none."""
    frame = points.frame
    for shape in SHAPES:
        names = [limit.name for limit in shape.limits]
        own = tables[shape].frame.select("point_id", *names) if shape in tables else None
        if own is None:
            frame = frame.with_columns(pl.lit("").alias(name) for name in names)
        else:
            frame = frame.join(own.unique("point_id", keep="first"), on="point_id", how="left", maintain_order="left")
    limits = [limit.name for limit in LIMITS]
    return TextTable(frame.with_columns(pl.col(limits).fill_null("")), points.place)


def limit_places(tables: Mapping[Shape, TextTable]) -> pl.DataFrame:
    """Where the limits of each point stand: `file`, `row`, `point_id`."""
    empty = pl.DataFrame(schema={"file": pl.String, "row": pl.Int32, "point_id": pl.String})
    filled = {shape: table.frame for shape, table in tables.items() if table.frame.height}
    return pl.concat(
        [
            empty,
            *(
                frame.select(pl.lit(shape.limit_file).alias("file"), "row", "point_id")
                for shape, frame in filled.items()
            ),
        ]
    )


def _together(shape: Shape, cells: pl.DataFrame) -> Iterator[CellCheck]:
    """What the limits of one point say of each other."""
    units = {limit.unit_of: limit.name for limit in shape.limits if limit.unit_of}
    for limit in shape.limits:
        if limit.above:
            same = pl.col(units[limit.above]) == pl.col(units[limit.name])
            told = pl.format(
                both(f"请写大于 {limit.above}（{{}}）的数，{limit.name} 不含在内", f"write a number above {limit.above} ({{}}); {limit.name} is exclusive"),
                limit.above, limit.above,
            )  # fmt: skip
            yield CellCheck("age-bounds", limit.name, same & (as_whole(limit.name) <= as_whole(limit.above)), told)
        parts = [each.name for each in shape.limits if each.part_of == limit.name]
        if parts:
            unlike = _empty(limit.name) != pl.all_horizontal(map(_empty, parts))
            told_parts = both(f"请把公布的年龄范围与 {' 或 '.join(parts)} 一起写，或都不写",
                              f"write the published window together with {' or '.join(parts)}, or none of them")  # fmt: skip
            yield CellCheck("age-bounds", limit.name, unlike, told_parts)
    yield from (CellCheck(*fault) for fault in shape.faults(cells))


def _no_limit(shapes: tuple[Shape, ...]) -> CellCheck:
    names = [limit.name for shape in shapes for limit in shape.limits if limit.stands_alone]
    told = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
    listed = "、".join(names)
    return CellCheck(
        "no-limit",
        names[0],
        pl.all_horizontal(map(_empty, names)),
        both(f"请写一个限制：{listed}", f"write a limit: {told}"),
    )


def _empty(name: str) -> pl.Expr:
    return pl.col(name) == ""
