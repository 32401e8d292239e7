"""A scan's findings reach Python users as polars and as Arrow."""

from __future__ import annotations

from pathlib import Path

import pytest

import checker
from checker.model.errors import InputError
from checker.scan.request import ScanRequest
from checker.scan.scan import scan

LINES = """line_id,service_time,item_code,patient_sex,patient_birth_date,quantity,amount
1,2026-03-01,XG04CBA088A001010101467,女,1990-05-01,1,35.5
2,2026-03-01,XG04CBA088A001010101467,男,1990-05-01,1,35.5
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    lines = tmp_path / "lines.csv"
    lines.write_text(LINES, encoding="utf-8")
    scan(ScanRequest(inputs=[lines], out=tmp_path / "out"))
    return tmp_path / "out"


def test_polars_reads_the_findings(results: Path) -> None:
    frame = checker.read_findings(results).collect()
    assert frame.select("line_id", "rule_id", "verdict").rows() == [("1", "drug-sex", "violation")]


def test_arrow_streams_the_same(results: Path) -> None:
    table = checker.stream_findings(results).read_all()
    assert table.column("line_id").to_pylist() == ["1"]
    assert table.num_rows == checker.read_findings(results).collect().height


def test_a_folder_without_findings_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"findings\.parquet"):
        checker.read_findings(tmp_path)
