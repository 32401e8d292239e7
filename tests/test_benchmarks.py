"""The benchmark's contestants judge alike, or their times mean nothing. No time is asserted here."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from benchmarks import bare, generate, in_memory, page
from benchmarks.compare import compare
from benchmarks.generate import DataSet, make
from benchmarks.measure import Command, Failed, Runs, Taken, run
from benchmarks.results import Results
from benchmarks.shared import KNOWLEDGE
from tests.commands import liangku

ROOT = Path(__file__).parent.parent
KB = ROOT / KNOWLEDGE
LINES = 20_000

needs_knowledge = pytest.mark.skipif(not (KB / "point.parquet").exists(), reason="the knowledge base is not built")


def contestant(module: str, *packages: str) -> object:
    for package in packages:
        pytest.importorskip(package)
    return importlib.import_module(f"benchmarks.{module}")


@pytest.fixture(scope="module", params=["flat", "national"])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return make(LINES, request.param, tmp_path_factory.mktemp("data"), KB)


@pytest.fixture(scope="module")
def reference(data: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bare") / "bare.parquet"
    assert bare.run(list(data.line_files), str(out), data.settlements, KB) > 10
    return out


@needs_knowledge
def test_data_is_what_it_says(data: DataSet) -> None:
    lines = f"read_parquet({list(data.line_files)})"
    count, refunds, pointers, institutions = duckdb.sql(
        f"SELECT count(*), avg((cnt < 0)::INT), avg((init_feedetl_sn IS NOT NULL)::INT), "
        f"count(DISTINCT fixmedins_code) FROM {lines}"
    ).fetchall()[0]
    assert count == LINES
    assert 0.005 < refunds < 0.015
    assert 0.3 < pointers / refunds < 0.7
    assert institutions > 450
    assert ("gend" in duckdb.sql(f"FROM {lines}").columns) == (data.shape == "flat")


@needs_knowledge
def test_same_arguments_give_the_same_rows(data: DataSet, tmp_path: Path) -> None:
    again = make(LINES, data.shape, tmp_path, KB)
    pairs = list(zip(data.line_files, again.line_files, strict=True))
    if data.settlements and again.settlements:
        pairs.append((data.settlements, again.settlements))
    for one, other in pairs:
        assert duckdb.sql(f"SELECT count(*) FROM (FROM '{one}' EXCEPT ALL FROM '{other}')").fetchall() == [(0,)]


@needs_knowledge
def test_several_files_hold_the_same_lines(
    data: DataSet, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "LINES_PER_FILE", 8_000)
    parts = generate.make(LINES, data.shape, tmp_path / "data", KB)
    assert len(parts.line_files) == 3
    bare.run(list(parts.line_files), str(tmp_path / "bare.parquet"), parts.settlements, KB)
    said = compare(reference, tmp_path / "bare.parquet", list(parts.line_files))
    assert said["equal"], said


@needs_knowledge
def test_a_table_in_memory_is_judged_as_the_files(data: DataSet, reference: Path, tmp_path: Path) -> None:
    if data.settlements:
        pytest.skip("in memory only lines that know their persons are measured")
    assert in_memory.CONTESTANTS["bare"](list(data.line_files))() == duckdb.sql(f"FROM '{reference}'").shape[0]
    bare.run_table(in_memory.loaded(list(data.line_files)), str(tmp_path / "bare.parquet"), KB)
    said = compare(reference, tmp_path / "bare.parquet", list(data.line_files))
    assert said["equal"], said
    told = in_memory.measure("liangku", list(data.line_files), 1)
    assert told["lines"] == LINES
    assert told["findings"] > 10


@needs_knowledge
def test_pandas_finds_the_same(data: DataSet, reference: Path, tmp_path: Path) -> None:
    with_pandas = contestant("with_pandas", "pandas", "pyarrow")
    out = tmp_path / "pandas.parquet"
    with_pandas.run(list(data.line_files), str(out), data.settlements, KB)  # type: ignore[attr-defined]
    said = compare(reference, out, list(data.line_files))
    assert said["equal"], said
    assert said["compared"] > 10


@needs_knowledge
@pytest.mark.parametrize(
    ("engine", "module", "way", "lines"),
    [
        ("zen-engine", "zen", "lookup", LINES),
        ("rule-engine", "rule_engine", "lookup", LINES),
        ("zen-engine", "zen", "rules", 100),
    ],
)
def test_row_engines_find_the_same(
    data: DataSet, reference: Path, tmp_path: Path, engine: str, module: str, way: str, lines: int
) -> None:
    if data.shape != "flat":
        pytest.skip("row engines read flat lines")
    row_engines = contestant("row_engines", "pyarrow", module)
    out = tmp_path / "rows.parquet"
    row_engines.run(engine, way, data.line_files[0], str(out), lines, KB)  # type: ignore[attr-defined]
    said = compare(reference, out, list(data.line_files), first=lines)
    assert said["equal"], said


@needs_knowledge
@pytest.mark.skipif(importlib.util.find_spec("checker.cli.main") is None, reason="the command is not there")
def test_scan_finds_the_same(data: DataSet, reference: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    headers = ("--settlements", data.settlements) if data.settlements else ()
    ended = liangku("scan", *data.line_files, "--out", out, *headers)
    assert ended.returncode == 1, ended.stderr
    said = compare(reference, out, list(data.line_files), netting=True)
    assert said["equal"], said
    assert said["compared"] > 10


def test_a_run_without_its_result_is_a_failure(tmp_path: Path) -> None:
    result = tmp_path / "run.json"
    result.write_text("left over from another run")
    with pytest.raises(Failed, match="No module named"):
        run(Command([sys.executable, "-m", "no_such_module"], accepted=(0, 1), output=result, result=result))


def test_a_limit_counts_only_where_the_findings_agree() -> None:
    results = Results(20_000_000, 0, {})
    results.scans["flat"] = {"bare": Runs([Taken(2.0, 200, "")]), "liangku": Runs([Taken(2.4, 300, "")])}
    results.checks["flat liangku"] = {"compared": 9, "missing": 1, "extra": 0, "left_out": 0, "equal": False}
    assert "scan, flat: time | ≤ 1.4 × bare | – | not measured" in page.write(results)
    results.checks["flat liangku"] = json.loads(
        '{"compared": 9, "missing": 0, "extra": 0, "left_out": 0, "equal": true}'
    )
    assert "scan, flat: time | ≤ 1.4 × bare | 1.20 × | met" in page.write(results)


@needs_knowledge
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("large_knowledge", "--points", "1000", "--lines", "4000", "--repeat", "1"),
            "times the scan with the embedded",
        ),
        (("impact", "--lines", "4000", "--repeat", "1"), '"ratio"'),
        (("on_file", "--lines", "20000", "--counted", "1000", "--repeat", "1"), "of service-frequency in the scan"),
        (
            ("csv_files", "--mb", "2", "--repeat", "1", "--ways", "every record with a quote that never closes"),
            "| every record with a quote that never closes | 2 MB |",
        ),
    ],
    ids=["large knowledge", "impact", "on file", "csv files"],
)
def test_what_is_run_by_hand_runs(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    name, *options = words
    command = [sys.executable, "-m", f"benchmarks.{name}", *options, "--data", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stderr
    assert told in ended.stdout
