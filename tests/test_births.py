"""A birth in the visit: the same number of a visit in another institution is another visit."""

from __future__ import annotations

import polars as pl
import pytest

from tests.commands import liangku

MALE_ONLY, NEONATAL = "XG04CBA088A001010101467", "003112020020000"
LOOKS_BACK = "XA10BJD332B002010100000"
"""Limited at its first prescription: whether it is one, lines of the history tell."""


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


@pytest.mark.parametrize("other", [{"is_context": "1"}, {"paid_by_fund": "0"}], ids=["history", "self-paid"])
@pytest.mark.parametrize("beside", [False, True])
def test_only_an_item_that_is_judged_speaks_of_a_birth(tmp_path, other, beside):
    """What is of the history or self-paid says nothing, also where lines of another patient have the scan look at such lines."""
    visit = {"setl_id": "S1", "mdtrt_id": "V1", "fixmedins_code": "H1", "gend": "2", "brdy": "1995-01-01"}
    rows = [
        visit | {"line_id": "0", "med_list_codg": MALE_ONLY},
        visit | {"line_id": "1", "med_list_codg": NEONATAL, **other},
    ]
    rows += [visit | {"line_id": "2", "setl_id": "S2", "mdtrt_id": "V2", "med_list_codg": LOOKS_BACK}] if beside else []
    given = {"fee_ocur_time": "2026-03-01", "cnt": "1", "is_context": "", "paid_by_fund": ""}
    pl.DataFrame([given | row for row in rows]).write_csv(tmp_path / "in.csv")
    done = liangku("scan", tmp_path / "in.csv", "--out", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    found = pl.read_parquet(tmp_path / "out" / "findings.parquet").filter(rule_id="drug-sex")
    assert found.select("line_id", "verdict").rows() == [("0", "violation")]
