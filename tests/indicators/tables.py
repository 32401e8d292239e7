"""Small national tables for the tests of indicators: rows as dictionaries, what is not said is usual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from checker.indicators.run import PARQUET, IndicatorsRequest, IndicatorsResult, compute

DRUG, CONSUMABLE, CT, MRI, TEST, CARE, BED = (
    "XJ01CAA040E001010199999", "C0101010100000000000", "002103000010000", "002102000010000", "002503100210200", "003111000010000", "001101000010000",
)  # fmt: skip
LINE = {
    "bkkp_sn": None, "mdtrt_id": None, "setl_id": None, "fixmedins_code": "H1", "psn_no": "P1", "insutype": "310", "hosp_lv": "02", "med_type": "21",
    "fee_ocur_time": "2026-01-10 08:00:00", "cnt": "1", "det_item_fee_sumamt": "100.00", "inscp_amt": None, "med_list_codg": DRUG, "med_chrgitm_type": None,
    "vali_flag": "1",
}  # fmt: skip
SETTLEMENT = {
    "setl_id": None, "mdtrt_id": None, "init_setl_id": None, "psn_no": "P1", "fixmedins_code": "H1", "insutype": "310", "hosp_lv": "02", "med_type": "21",
    "setl_time": "2026-01-20 10:00:00", "begndate": None, "enddate": None, "medfee_sumamt": None, "inscp_amt": None, "fund_pay_sumamt": None, "psn_pay": None,
    "refd_setl_flag": "0", "vali_flag": "1",
}  # fmt: skip
STAY = {
    "mdtrt_id": None,
    "psn_no": "P1",
    "fixmedins_code": "H1",
    "med_type": "21",
    "insutype": "310",
    "hosp_lv": "02",
    "begntime": None,
    "endtime": None,
    "vali_flag": "1",
}
DIAGNOSIS = {"mdtrt_id": None, "diag_code": None, "adm_cond_type": "1", "vali_flag": "1"}
Rows = Iterable[Mapping[str, Any]]


def write(folder: Path, name: str, usual: Mapping[str, Any], rows: Rows, *, without: Iterable[str] = ()) -> Path:
    """Write a table of texts; `without` are columns that it does not have."""
    left = set(without)
    columns = [column for column in usual if column not in left]
    told = [{**usual, **row} for row in rows]
    path = folder / f"{name}.parquet"
    pl.DataFrame(
        {column: [row[column] for row in told] for column in columns}, schema=dict.fromkeys(columns, pl.String)
    ).write_parquet(path)
    return path


def numbered(rows: Rows) -> list[dict[str, Any]]:
    """Lines with ids of their own where they say none."""
    return [{"bkkp_sn": f"L{number}", **row} for number, row in enumerate(rows)]


def compute_tables(
    folder: Path, lines: Rows, settlements: Rows | None = None, stays: Rows | None = None, diagnoses: Rows | None = None, *, without: Iterable[str] = (),
    **options: Any,
) -> IndicatorsResult:  # fmt: skip
    """The indicators of such tables; `without` are columns that no table has."""
    beside = {"settlements": (SETTLEMENT, settlements), "visits": (STAY, stays), "diagnoses": (DIAGNOSIS, diagnoses)}
    given = {
        role: [write(folder, role, usual, rows, without=without)]
        for role, (usual, rows) in beside.items()
        if rows is not None
    }
    file = write(folder, "lines", LINE, numbered(lines), without=without)
    return compute(IndicatorsRequest(inputs=[file], out=folder / "out", force=True, **given, **options))


def cell(
    result: IndicatorsResult,
    indicator: str,
    care: str = "all",
    month: str | None = None,
    grain: str = "all",
    place: str | None = None,
) -> dict[str, Any]:
    """The one row of a cell; an empty one where there is none."""
    rows = pl.read_parquet(result.out / PARQUET).filter(
        (pl.col("indicator") == indicator)
        & (pl.col("care") == care)
        & (pl.col("grain") == grain)
        & pl.col("month").eq_missing(pl.lit(month))
    )
    if place is not None:
        rows = rows.filter(pl.col(grain) == place)
    assert rows.height <= 1
    return rows.row(0, named=True) if rows.height else {}
