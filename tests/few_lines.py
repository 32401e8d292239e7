"""A fifth of the lines of the national samples: all that the plan tells of, all refunds, the young, and what else they had; scanned in half the time."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import polars as pl

from tests.commands import ROOT

SAMPLES = ROOT / "data" / "samples"
LINES = "fee_list_d.parquet"
HEADERS = {"settlements": "setl_d.parquet", "visits": "mdtrt_d.parquet", "diagnoses": "setl_list_diag_d.parquet"}
_OTHERS = 500
"""So many lines more are there, of which mostly nothing is to be said."""
_YOUNG = (10, 17)
"""Of this age are those whom another age of children makes a difference to."""


def few_lines() -> Path:
    """The file of the lines."""
    return _folder() / LINES


def few_headers() -> dict[str, list[Path]]:
    """The files of what stands above them, as a scan is told them."""
    return {role: [_folder() / name] for role, name in HEADERS.items()}


@functools.cache
def _folder() -> Path:
    """Where the four tables lie until the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="liangku-few-lines-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tables = {name: pl.read_parquet(SAMPLES / "national" / name) for name in (LINES, *HEADERS.values())}
    lines = tables[LINES]
    told = pl.read_csv(SAMPLES / "expected" / "findings_national.csv", infer_schema=False)["line_id"].drop_nulls()
    planned = (
        pl.col("bkkp_sn").is_null() | pl.col("bkkp_sn").is_in(told.implode()) | (pl.col("cnt").cast(pl.Float64) < 0)
    )
    young = tables[HEADERS["settlements"]].filter(pl.col("age").cast(pl.Int32, strict=False).is_between(*_YOUNG))
    some = (lines.filter(planned)["psn_no"], lines.head(_OTHERS)["psn_no"], young["psn_no"])
    persons = pl.concat(some).drop_nulls().unique()
    for name, table in tables.items():
        table.filter(planned | _of(persons) if name == LINES else _of(persons)).write_parquet(folder / name)
    return folder


def _of(persons: pl.Series) -> pl.Expr:
    return pl.col("psn_no").is_in(persons.implode())
