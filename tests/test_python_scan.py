"""`checker.scan`: tables of every library are judged as the files they came from, and what cannot be read is refused by table, column and row."""

from __future__ import annotations

import datetime
import importlib.util
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

import checker
from tests.commands import ROOT

# What takes long to load is loaded by the tests that need it, not by every worker that collects them.
HAS_PANDAS = importlib.util.find_spec("pandas") is not None
NATIONAL = ROOT / "data/samples/national"
WHERE = ("source_file", "source_record")
WOMANS = "XG04CBA088A001010101467"
"""A drug for men."""


def _rows(findings: pa.Table) -> list[dict[str, Any]]:
    """Findings in an order of their own."""
    return sorted(findings.to_pylist(), key=lambda row: (row["finding_id"], row["rule_id"]))


def _in_pandas(table: pa.Table) -> Any:
    """The table as a frame of pandas; as it is where that is not installed."""
    return table.to_pandas() if HAS_PANDAS else table


def _lines(codes: list[str], **others: Any) -> dict[str, Any]:
    every = {"service_time": datetime.datetime(2026, 3, 1), "patient_sex": "女", "quantity": 1, "amount": 35.5}
    columns = {name: [value] * len(codes) for name, value in every.items()} | others
    return {"line_id": [str(place) for place in range(1, len(codes) + 1)], "item_code": codes, **columns}


@pytest.fixture(scope="module")
def of_files() -> Iterator[checker.Run]:
    tables = {role: NATIONAL / f"{name}.parquet" for role, name in _TABLES.items()}
    with checker.scan(NATIONAL / "fee_list_d.parquet", **tables) as run:
        yield run


_TABLES = {"settlements": "setl_d", "visits": "mdtrt_d", "diagnoses": "setl_list_diag_d"}


def test_tables_of_every_library_give_the_findings_of_the_files(of_files: checker.Run, tmp_path: Path) -> None:
    from pyarrow import dataset

    lines = parquet.read_table(NATIONAL / "fee_list_d.parquet")
    size = -(-lines.num_rows // 9)
    parts = [lines.slice(start, size) for start in range(0, lines.num_rows, size)]
    parquet.write_table(parts[0], tmp_path / "first.parquet")
    parquet.write_table(parts[1], tmp_path / "second.parquet")
    frame = pl.from_arrow(parts[4])
    assert isinstance(frame, pl.DataFrame)
    other = duckdb.connect()
    other.register("part", parts[7])
    steps: list[checker.Step] = []
    run = checker.scan(
        [
            tmp_path / "first.parquet",
            dataset.dataset(tmp_path / "second.parquet"),
            parts[2].combine_chunks().to_batches()[0],
            pa.RecordBatchReader.from_batches(parts[3].schema, parts[3].to_batches(max_chunksize=10)),
            frame,
            pl.from_arrow(parts[5]).lazy(),  # type: ignore[union-attr]
            _in_pandas(parts[6]),
            other.sql("FROM part"),
            parts[8],
        ],
        settlements=pl.read_parquet(NATIONAL / "setl_d.parquet").with_columns(pl.col("gend").cast(pl.Categorical)),
        visits=_in_pandas(parquet.read_table(NATIONAL / "mdtrt_d.parquet")),
        diagnoses=parquet.read_table(NATIONAL / "setl_list_diag_d.parquet"),
        out=tmp_path / "out",
        progress=steps.append,
    )
    found = run.findings()
    assert found.num_rows > 50
    files = [str(tmp_path / "first.parquet"), *("<lines>", *(f"<lines-{number}>" for number in range(2, 9)))]
    for row, of_file in zip(_rows(found), _rows(of_files.findings()), strict=True):
        # Where a line lay: in its table, by its row.
        place, record = divmod(of_file["source_record"] - 1, size)
        assert row == of_file | {"source_file": files[place], "source_record": record + 1}
    told = {each["path"]: each for each in run.document["inputs"]}
    assert set(files) | {"<settlements>", "<visits>", "<diagnoses>"} == set(told)
    assert sum(told[name]["lines"] for name in files) == lines.num_rows == run.read
    assert run.read == run.judged + sum(run.skipped.values()) + sum(run.rejected.values())
    written = {name: each["in_memory"]["written"] for name, each in told.items() if "in_memory" in each}
    assert [written[name] for name in files[1:]] == [True, False, True, False, True, False, True, False]
    assert [step.name for step in steps if not step.unit] == ["read", "census", "select", "persons", "judge", "write"]
    assert [(step.file, step.of) for step in steps if step.unit] == [("first.parquet", 1)]
    assert (run.judged, run.skipped, run.rejected) == (of_files.judged, of_files.skipped, of_files.rejected)
    assert run.by_rule == of_files.by_rule != ()
    run.close()
    assert (tmp_path / "out/run.json").is_file()


def test_findings_come_as_each_library_has_them(of_files: checker.Run) -> None:
    table = of_files.findings()
    assert of_files.findings_polars().collect().height == table.num_rows
    if HAS_PANDAS:
        assert list(of_files.findings_pandas()["finding_id"]) == table.column("finding_id").to_pylist()
    assert parquet.ParquetFile(of_files.findings_file).metadata.num_rows == table.num_rows
    assert of_files.rejects().num_rows == sum(of_files.rejected.values())
    by_rule = pl.read_parquet(of_files.findings_file).group_by("rule_id", "verdict").len().rows()
    assert sorted((each.rule_id, each.verdict, each.measure.lines) for each in of_files.by_rule) == sorted(by_rule)
    assert of_files.found
    assert of_files.is_complete


def test_values_of_every_type_are_read_as_they_would_be_in_a_file(tmp_path: Path) -> None:
    codes = [WOMANS] * 3
    table = pa.table({
        **_lines(codes),
        # Names of our own, a column that is all NULL, and one that nobody reads.
        "__record": ["x", "y", "z"], "file_row_number": [7, 8, 9], "patient_birth_date": pa.nulls(3), "other": [[1], [2], None],
        "item_code": pa.array(codes).dictionary_encode(), "patient_sex": pa.array([b"2", b"2", "女".encode()]),
        "quantity": pa.array([Decimal(1)] * 3, pa.decimal256(50, 2)), "amount": pa.array([35.5] * 3, pa.float16()),
        "service_time": pa.array([datetime.datetime(2026, 3, 1)] * 3, pa.timestamp("s")),
    })  # fmt: skip
    frame = _in_pandas(pa.table(_lines(codes, line_id=list("abc"), quantity=[1, None, 1])))
    if HAS_PANDAS:
        import pandas as pd

        frame = frame.assign(item_code=pd.Categorical(codes), service_time=pd.to_datetime(["2026-03-01"] * 3))
    views = pl.DataFrame(_lines(codes, line_id=list("def"))).with_columns(pl.lit(None).alias("patient_age"))
    names = ("<lines-2>", "<lines-3>", "<lines>")
    with checker.scan([table, frame, views], person_key=tmp_path / "scan.key") as run:
        # What is handed on besides is made of tables in memory too.
        assert {"clusters.parquet", "denominators.parquet", "quality.parquet"} <= {
            path.name for path in run.folder.iterdir()
        }
        found = sorted(run.findings().select([*WHERE, "verdict"]).to_pylist(), key=lambda row: tuple(row.values()))
        assert found == [
            {"source_file": name, "source_record": record, "verdict": "violation"}
            for name in names
            for record in (1, 2, 3)
        ]
        assert run.document["inputs"][0]["columns"]["line_id"] == ["line_id"]
        folder = run.folder
        assert folder.is_dir()
    assert not folder.exists()
    with pytest.raises(checker.InputError, match="out="):
        run.findings()


def _lines_with(**others: Any) -> Any:
    pd = pytest.importorskip("pandas", reason="frames of pandas are read where it is installed: pip install pandas")
    return pd.DataFrame(_lines([WOMANS] * 3, **others))


_BAD_TEXT = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
REFUSED = {
    "mixed texts and numbers": (lambda: _lines_with(item_code=[WOMANS, 5, "x"]), r"<lines>：列“item_code”.*第 2 行.*int.*str"),
    "mixed numbers and texts": (lambda: _lines_with(amount=[None, 1.5, "2元"]), r"<lines>：列“amount”.*第 3 行.*“2元”"),
    "no type of a table": (lambda: pl.DataFrame({"item_code": [object()]}), r"<lines>：列“item_code”的类型 Object"),
    "a list": (lambda: pa.table(_lines(["x"], amount=[[1.0]])), r"<lines>：列“amount”的类型 list"),
    "a duration": (lambda: pa.table(_lines(["x"], quantity=pa.array([1], pa.duration("s")))), r"列“quantity”.*duration"),
    "no UTF-8": (lambda: pa.table(_lines(["x"], patient_sex=_BAD_TEXT)), r"列“patient_sex”.*UTF-8"),
    "bytes that are no text": (lambda: pa.table(_lines(["x"], patient_sex=pa.array([b"\xff"]))), r"列“patient_sex”.*UTF-8"),
    "no column of codes": (lambda: pa.table({"service_time": ["2026-03-01"], "性别": ["女"]}), r"<lines>：缺少“item_code”列"),
    "a column twice": (lambda: pa.table([["x"], ["y"]], names=["item_code", "item_code"]), r"<lines>：表头“item_code”出现了两次"),
    "no rows": (lambda: pa.table(_lines(["x"])).slice(0, 0), r"<lines>：只有表头"),
    "no table": (lambda: {"item_code": ["x"]}, r"lines：builtins\.dict 不是路径"),
    "a column alone": (lambda: pl.Series(["x"]), r"<lines>：polars\.Series 无法读取"),
    "an array": (lambda: pa.array(["x"]), r"lines：pyarrow\.lib\.StringArray 不是路径"),
    "nothing": (list, r"没有给出明细"),
    "no file": (lambda: "nowhere.parquet", r"nowhere\.parquet：找不到"),
    "a lazy frame that fails": (lambda: pl.DataFrame(_lines(["x"])).lazy().with_columns(pl.col("nowhere")), r"<lines>：polars\.LazyFrame.*nowhere"),
    "a relation that fails": (lambda: duckdb.sql("SELECT 'x' AS item_code, error('gone') AS service_time, '女' AS gend"), r"DuckDBPyRelation.*gone"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_by_table_column_and_row(case: str, tmp_path: Path) -> None:
    make, told = REFUSED[case]
    with pytest.raises(checker.InputError, match=told):
        checker.scan(make(), out=tmp_path / "out")
    assert list(tmp_path.iterdir()) in ([], [tmp_path / ".out.lock"])


def test_arguments_are_held_against_what_they_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lines = pa.table({"药品": [WOMANS], "日期": ["2026-03-01"], "性别": ["女"]})
    with pytest.raises(checker.InputError, match="stage='later'"):
        checker.scan(lines, stage="later")  # type: ignore[arg-type]
    with pytest.raises(checker.InputError, match="no_column"):
        checker.scan(lines, maps={"no_column": "药品"})

    def stop(step: checker.Step) -> None:
        if step.name == "judge":
            raise RuntimeError("enough")

    maps = {"item_code": "药品", "service_time": "日期"}
    with pytest.raises(RuntimeError, match="enough"):
        checker.scan(lines, maps=maps, progress=stop)
    run = checker.scan(lines, maps=maps, kb=[], as_of=datetime.date(2026, 6, 1), language="en")
    assert run.findings().column("message").to_pylist()[0].isascii() or run.document["options"]["language"] == "en"
    assert run.document["options"]["as_of"] == "2026-06-01"
    assert [path.name for path in tmp_path.iterdir()] == [run.folder.parent.name]
    del run
    assert not list(tmp_path.iterdir())


def test_importing_the_package_imports_no_engine_and_names_what_it_has() -> None:
    code = """
import sys, checker
heavy = {"duckdb", "polars", "pyarrow", "pandas", "click", "sqlglot"} & set(sys.modules)
assert not heavy, heavy
assert set(checker.__all__) <= set(dir(checker))
assert not any(name.startswith("_") and not name.startswith("__") for name in dir(checker))
for name in checker.__all__:
    assert getattr(checker, name) is not None
try:
    checker.nothing
except AttributeError as error:
    assert "nothing" in str(error)
assert callable(checker.scan)
from checker.scan.scan import scan as inner
assert callable(checker.scan) and checker.scan.scan.scan is inner
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert (ROOT / "checker/py.typed").is_file()


def test_the_function_and_the_command_have_the_same_options() -> None:
    from checker.cli.scan import command

    signature = inspect.signature(checker.scan)
    assert typing.get_type_hints(type(checker.scan).__call__)
    renamed = {"inputs": "lines", "as_csv": "csv", "lang": "language"}
    asked = {renamed.get(param.name or "", param.name) for param in command.params}
    # A program asks its database itself, and prints what it likes.
    of_the_command = {"database_url", "query", "settlements_query", "visits_query", "diagnoses_query", "as_json"}
    assert set(signature.parameters) == (asked - of_the_command) | {"progress"}


def test_what_lies_in_memory_is_not_copied() -> None:
    """Twice as much would be held by whoever copies: the memory of a process of its own rises by a small part of the table."""
    code = f"""
import pyarrow as pa, checker
from benchmarks.in_memory import MB, resident_mb, watched
rows = 200_000
few = pa.table({{"item_code": ["{WOMANS}"] + ["XA02BCA001A001010100001"] * 499, "patient_sex": ["女"] * 500, "quantity": [1] * 500}})
table = pa.concat_tables([few] * (rows // 500)).combine_chunks()
for name in ("item_name", "department", "prescriber"):
    table = table.append_column(name, pa.repeat("名" * 120, rows))
table = table.append_column("service_time", pa.repeat("2026-03-01", rows))
with checker.scan(table.slice(0, 1000)):
    pass
pool, before = pa.default_memory_pool(), pa.total_allocated_bytes()
with watched() as risen, checker.scan(table) as run:
    found = run.findings().num_rows
size = table.nbytes / MB
assert size > 200 and found == rows // 500, (size, found)
assert risen[0] < size / 3, (risen, size)
assert (pool.max_memory() - before) / MB < size / 10, (pool.max_memory() / MB, before / MB, size)
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("resident memory is read from /proc")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
