"""A birth in the visit: the same number of a visit in another institution is another visit."""

from __future__ import annotations

import polars as pl
import pytest

from tests.commands import liangku

MALE_ONLY, NEONATAL = "XG04CBA088A001010101467", "003112020020000"


@pytest.mark.parametrize("by_header", [False, True])
def test_a_birth_in_another_institution_says_nothing(tmp_path, by_header):
    rows = [
        {"line_id": str(number), "setl_id": f"S{number}", "mdtrt_id": "V1", "fixmedins_code": institution, "gend": "2", "brdy": "1995-01-01",
         "fee_ocur_time": "2026-03-01", "med_list_codg": code, "cnt": "1"}
        for number, (institution, code) in enumerate((("H1", MALE_ONLY), ("H2", MALE_ONLY), ("H2", NEONATAL)))
    ]  # fmt: skip
    tables: tuple[object, ...] = ()
    lines = pl.DataFrame(rows)
    if by_header:
        lines.select("setl_id", "fixmedins_code").write_csv(tmp_path / "setl.csv")
        lines, tables = lines.drop("fixmedins_code"), ("--settlements", tmp_path / "setl.csv")
    lines.write_csv(tmp_path / "in.csv")
    done = liangku("scan", tmp_path / "in.csv", *tables, "--out", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    found = pl.read_parquet(tmp_path / "out" / "findings.parquet").sort("line_id")
    assert found.select("line_id", "verdict", "reason_code").rows()[:2] == [
        ("0", "violation", None), ("1", "undetermined", "newborn"),
    ]  # fmt: skip
