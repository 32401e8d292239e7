"""A small month of the national tables, as Parquet files and as statements that make the same tables in a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tests.commands import ROOT

NATIONAL = ROOT / "data" / "samples" / "national"
TABLES = {"lines": "fee_list_d", "settlements": "setl_d", "visits": "mdtrt_d", "diagnoses": "setl_list_diag_d"}


def frames() -> dict[str, pl.DataFrame]:
    """The tables by role, of the sample's planted cases; lines without a number of their own are left out, for they are named after their file."""
    found = {role: pl.read_parquet(NATIONAL / f"{table}.parquet") for role, table in TABLES.items()}
    lines = found["lines"].filter(pl.col("bkkp_sn").is_not_null(), pl.col("setl_id").str.starts_with("S-T"))
    kept = {"settlements": "setl_id", "visits": "mdtrt_id", "diagnoses": "setl_id"}
    return {"lines": lines} | {role: found[role].join(lines, on=key, how="semi") for role, key in kept.items()}


def write(folder: Path) -> dict[str, Path]:
    """The tables as Parquet files by role."""
    paths = {role: folder / f"{table}.parquet" for role, table in TABLES.items()}
    for role, frame in frames().items():
        frame.write_parquet(paths[role])
    return paths


def statements(*, time: str = "timestamp") -> Iterator[str]:
    """SQL that makes the tables, each column of the type that it has in the files, and `place`, by which rows are put into their order.

    `time` is the database's type of times.
    """
    for role, frame in frames().items():
        columns = ", ".join(f"{name} {_type(type_, time)}" for name, type_ in frame.schema.items())
        yield f"CREATE TABLE {TABLES[role]} (place int, {columns});"
        texts = frame.select(pl.all().cast(pl.String)).iter_rows()
        values = (", ".join("NULL" if value is None else f"'{value}'" for value in row) for row in texts)
        rows = ", ".join(f"({place}, {row})" for place, row in enumerate(values))
        yield f"INSERT INTO {TABLES[role]} VALUES {rows};"


def _type(type_: pl.DataType, time: str) -> str:
    if isinstance(type_, pl.Decimal):
        return f"decimal({type_.precision}, {type_.scale})"
    return {pl.Date: "date", pl.Datetime: time}.get(type(type_), "varchar(200)")
