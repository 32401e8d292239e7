"""Which points two knowledge bases have differently, field by field and code by code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from checker.knowledge.frames import rows_of, schema_of
from checker.knowledge.rows import PointRow
from checker.knowledge.source import Sources

POINT_KINDS = ("added", "removed", "changed", "renamed")
_COLUMNS = tuple(schema_of(PointRow))
_CELLS = tuple(name for name in _COLUMNS if name != "point_id")
_NAMELESS = tuple(name for name in _CELLS if name != "superseded_by")
"""What a renamed point has in common with what it was called before."""
_PATTERN = ("point_id", "role", "match", "code", "published_codes")
_FIELD = pl.Struct({"column": pl.String, "before": pl.String, "after": pl.String})
_EXTRAS: dict[str, pl.DataType | type[pl.DataType]] = {
    "kind": pl.String, "former_id": pl.String, "fields": pl.List(_FIELD), "codes_gained": pl.List(pl.String),
    "codes_lost": pl.List(pl.String),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One cell before and after, as text; NULL is empty."""

    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PointChange:
    """One point that was added, removed, changed or renamed. `point` is the row after the change, or the one that is gone.

    `former_id` is what a renamed point was called; `fields` are the cells that differ; `codes_gained` and `codes_lost` are the
    codes and families that a changed point covers anew or no longer.
    """

    kind: str
    point: PointRow
    former_id: str | None
    fields: tuple[FieldChange, ...]
    codes_gained: tuple[str, ...]
    codes_lost: tuple[str, ...]


def point_changes(before: Sources, after: Sources) -> pl.DataFrame:
    """Return the points that differ, sorted by rule and id: the columns of PointRow and those of PointChange."""
    old, new = before.point, after.point
    removed = old.join(new, on="point_id", how="anti")
    added = new.join(old, on="point_id", how="anti")
    renamed = _renamed(_with_covers(removed, before), _with_covers(added, after))
    gone = removed.join(renamed, left_on="point_id", right_on="former_id", how="anti")
    fresh = added.join(renamed, on="point_id", how="left")
    kinds = pl.when(pl.col("former_id").is_null()).then(pl.lit("added")).otherwise(pl.lit("renamed"))
    parts = [
        _filled(gone.with_columns(kind=pl.lit("removed"))),
        _filled(fresh.with_columns(kind=kinds)),
        _filled(_changed(before, after).with_columns(kind=pl.lit("changed"))),
    ]
    return pl.concat(parts).sort("rule_id", "point_id", "kind")


def as_changes(frame: pl.DataFrame) -> Iterator[PointChange]:
    """The rows of `point_changes` one by one."""
    extras = frame.select(*_EXTRAS).iter_rows(named=True)
    for point, more in zip(rows_of(frame, PointRow), extras, strict=True):
        yield PointChange(
            more["kind"],
            point,
            more["former_id"],
            tuple(FieldChange(**cell) for cell in more["fields"]),
            tuple(more["codes_gained"]),
            tuple(more["codes_lost"]),
        )


def _filled(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every column of a change, lists empty where it has none."""
    missing = [
        (pl.lit([], dtype=kind) if isinstance(kind, pl.List) else pl.lit(None, dtype=kind)).alias(name)
        for name, kind in _EXTRAS.items()
        if name not in frame.columns
    ]
    lists = [name for name, kind in _EXTRAS.items() if isinstance(kind, pl.List)]
    return frame.with_columns(missing).with_columns(pl.col(lists).fill_null([])).select(*_COLUMNS, *_EXTRAS)


def _changed(before: Sources, after: Sources) -> pl.DataFrame:
    """The points of one id on both sides that differ in a cell or in what they cover."""
    pairs = after.point.join(before.point, on="point_id", suffix="_before")
    both = pairs.select("point_id")
    gained, lost, recounted = _patterns(before.pattern, after.pattern, both)
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in _CELLS)
    touched = pl.concat([part.select("point_id") for part in (gained, lost, recounted)]).unique()
    rows = pl.concat([pairs.filter(differs), pairs.filter(~differs).join(touched, on="point_id", how="semi")]).join(
        recounted, on="point_id", how="left"
    )
    cells = [
        pl.when(pl.col(name).ne_missing(pl.col(f"{name}_before"))).then(_field(name, f"{name}_before", name))
        for name in _CELLS
    ]
    # A frame without rows has no list to put the cells into.
    told = pl.concat_list(cells).list.drop_nulls() if rows.height else pl.lit([], dtype=pl.List(_FIELD))
    rows = rows.with_columns(fields=told.list.concat(pl.col("recounted").fill_null([])))
    return rows.join(gained, on="point_id", how="left").join(lost, on="point_id", how="left")


def _field(name: str, before: str, after: str) -> pl.Expr:
    return pl.struct(
        pl.lit(name).alias("column"),
        pl.col(before).cast(pl.String).alias("before"),
        pl.col(after).cast(pl.String).alias("after"),
    )


def _patterns(
    old: pl.DataFrame, new: pl.DataFrame, both: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What the points of both sides cover anew, no longer, or with another count of published codes: one row a point."""
    mine, yours = (side.select(_PATTERN).join(both, on="point_id", how="semi") for side in (old, new))
    key = ["point_id", "role", "match", "code"]
    gained = _codes(yours.join(mine, on=key, how="anti"), "codes_gained")
    lost = _codes(mine.join(yours, on=key, how="anti"), "codes_lost")
    counts = mine.join(yours, on=key, suffix="_after").filter(
        pl.col("published_codes") != pl.col("published_codes_after")
    )
    field = _field("", "published_codes", "published_codes_after").struct.with_fields(
        pl.format("published_codes of {}", pl.col("code")).alias("column")
    )
    recounted = counts.sort(key).select("point_id", field.alias("recounted")).group_by("point_id", maintain_order=True)
    return gained, lost, recounted.agg("recounted")


def _codes(patterns: pl.DataFrame, name: str) -> pl.DataFrame:
    return patterns.group_by("point_id").agg(pl.col("code").sort().alias(name))


def _with_covers(point: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """The points with everything that they cover as one text."""
    own = sources.pattern.join(point.select("point_id"), on="point_id", how="semi")
    told = own.sort(_PATTERN).group_by("point_id").agg(covers=pl.concat_str(_PATTERN[1:], separator=" ").str.join(";"))
    return point.join(told, on="point_id", how="left")


def _renamed(removed: pl.DataFrame, added: pl.DataFrame) -> pl.DataFrame:
    """The ids that were added for points that only changed their id, with what they were called; equal ones in the order of ids."""
    if removed.is_empty() or added.is_empty():
        return pl.DataFrame(schema={"point_id": pl.String, "former_id": pl.String})
    key = [*_NAMELESS, "covers"]
    one, other = (
        side.sort("point_id").with_columns(turn=pl.int_range(pl.len()).over(key)) for side in (removed, added)
    )
    pairs = other.join(one, on=[*key, "turn"], nulls_equal=True, suffix="_before")
    return pairs.select("point_id", pl.col("point_id_before").alias("former_id"))
