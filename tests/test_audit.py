"""A scan as a whole: what memory it takes, and that where it keeps its lines changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

import checker.scan.findings_file
import checker.scan.stages
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.few_lines import few_headers, few_lines

ROOT = Path(__file__).parents[1]
MEMORY_CEILING_MB = 700
ONE_ITEM = int(os.environ.get("LIANGKU_ONE_ITEM", "210000"))
"""Lines of one patient and item on one day: more findings than are written at once."""


def request(out: Path) -> ScanRequest:
    return ScanRequest([few_lines()], out, **few_headers())


def findings(folder: Path) -> list[tuple[object, ...]]:
    return duckdb.sql(f"SELECT * FROM '{folder / 'findings.parquet'}' ORDER BY finding_id").fetchall()


def test_lines_kept_on_disk_give_the_findings_of_lines_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(request(tmp_path / "held"))
    monkeypatch.setattr(checker.scan.stages, "HELD_LINES", 0)
    monkeypatch.setattr(checker.scan.stages, "LINES_IN_MEMORY", 0)
    monkeypatch.setattr(checker.scan.findings_file, "FINDINGS_AT_ONCE", 30)
    scan(request(tmp_path / "spilled"))
    held = findings(tmp_path / "held")
    assert len(held) > 100
    assert findings(tmp_path / "spilled") == held


@pytest.mark.parametrize("header", ["kind", "raw", "code", "quantity text", "listed code", "service_time value"])
def test_a_header_may_bear_a_name_that_the_scan_uses_itself(tmp_path: Path, header: str) -> None:
    lines = tmp_path / "lines.csv"
    lines.write_text(
        f"line_id,{header},service_time,patient_sex,quantity\n"
        "1,XG04CBA088A001010101467,2026-03-01,女,1\n"
        "2,XG04CBA088A001010101467,someday,女,1\n"
        "3,XG04CBA088A001010101467,2026-03-01,女,many\n",
        encoding="utf-8",
    )
    scan(ScanRequest(inputs=[lines], out=tmp_path / "out", maps=[f"item_code={header}"]))
    found = duckdb.sql(f"SELECT line_id, rule_id, verdict FROM '{tmp_path / 'out' / 'findings.parquet'}'").fetchall()
    assert found == [("1", "drug-sex", "violation")]
    rejects = duckdb.sql(f"""SELECT record, "column", value FROM '{tmp_path / "out" / "rejects.parquet"}'""").fetchall()
    assert rejects == [(2, "service_time", "someday"), (3, "quantity", "many")]


def run_of(inputs: list[str | Path], out: Path) -> dict[str, Any]:
    """What a scan as a process of its own says of itself.

    A process counts the memory of the one that starts it as its own peak: a shell is small, a run of all tests is not.
    """
    small = ["sh", "-c", '"$@"; exit $?', "sh"]
    subprocess.run(
        [*small, sys.executable, "-m", "checker.cli.main", "scan", *inputs, "--out", out],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    run: dict[str, Any] = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return run


def test_two_million_lines_stay_below_the_memory_ceiling(tmp_path: Path) -> None:
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.generate",
            "--lines",
            "2000000",
            "--shape",
            "national",
            "--counted",
            "700",
            "--data",
            tmp_path,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    data = json.loads(made.stdout)
    run = run_of([*data["line_files"], "--settlements", data["settlements"]], tmp_path / "out")
    assert run["lines"]["read"] == 2_000_000
    assert run["lines"]["read"] == (
        run["lines"]["judged"] + run["lines"]["skipped"]["total"] + run["lines"]["rejected"]["total"]
    )
    assert run["peak_memory_mb"] is None or run["peak_memory_mb"] <= MEMORY_CEILING_MB


def test_hundreds_of_thousands_of_lines_of_one_patient_and_item_are_judged_and_taken_back(tmp_path: Path) -> None:
    """Each refund may take from each line, and each line is over its day: neither may make rows of the one times the other."""
    lines = tmp_path / "lines.parquet"
    duckdb.sql(
        f"""COPY (SELECT 'L' || i AS line_id, 'P' AS patient_id, 'H' AS institution_id, 'V' AS visit_id, '男' AS patient_sex, '001102000040000' AS item_code,
          TIMESTAMP '2026-03-01 08:00:00' + to_minutes(CAST(i % 600 AS BIGINT)) AS service_time, if(i % 100 = 7, -1, 1) AS quantity,
          if(i % 100 = 7, -10.0, 10.0) AS amount FROM range({ONE_ITEM}) line(i)) TO '{lines}'"""
    )
    run = run_of([lines], tmp_path / "out")
    assert run["lines"]["read"] == run["lines"]["judged"] + run["lines"]["skipped"]["total"] == ONE_ITEM
    # The refunds take back as many of the first lines; one of the others is within the day.
    found = duckdb.sql(
        f"SELECT rule_id, count(*), count(DISTINCT line_id) FROM '{tmp_path / 'out' / 'findings.parquet'}' GROUP BY ALL"
    ).fetchall()
    left = ONE_ITEM - 2 * (ONE_ITEM // 100) - 1
    assert found == [("service-frequency", left, left)]
    assert run["peak_memory_mb"] is None or run["peak_memory_mb"] <= MEMORY_CEILING_MB


def test_thousands_of_prescriptions_fit_into_the_memory_of_a_scan(tmp_path: Path) -> None:
    """Each document is parsed for few expressions at a time: with one for each column a file of 2 MB did not fit."""
    line = {"item_code": "XG04CBA088A001010101467", "quantity": 1, "amount": 35.5, "note": "x" * 300}
    documents = [
        {"service_time": "2026-03-01", "visit_id": f"V{number}", "patient": {"sex": "F"}, "lines": [line, line]}
        | {f"extra_{place}": "x" * 20 for place in range(25)}
        for number in range(4000)
    ]
    (tmp_path / "rx.jsonl").write_text("\n".join(json.dumps(each) for each in documents), encoding="utf-8")
    result = scan(ScanRequest([tmp_path / "rx.jsonl"], tmp_path / "out"))
    assert result.run["lines"]["read"] == 8000
