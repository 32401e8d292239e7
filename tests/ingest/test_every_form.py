"""One month in every form: the same findings from each, every line accounted for, and each broken record told with its place."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from checker.knowledge.resolve import open_plan
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.ingest.forms import FORMS, LINE, LINES, SETTLEMENT, SETTLEMENTS, WRONG, text


@pytest.fixture(scope="module")
def plan():
    return open_plan()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, plan) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("plain")
    lines, heads = folder / "lines.csv", folder / "heads.csv"
    lines.write_bytes(text([(row, "") for row in LINES], LINE, "utf-8", ",", "\n"))
    heads.write_bytes(text([(row, "") for row in SETTLEMENTS], SETTLEMENT, "utf-8", ",", "\n"))
    return findings(scanned(folder / "out", plan, lines, heads))


def scanned(out: Path, plan, lines: Path, heads: Path) -> Path:
    scan(ScanRequest([lines], out, settlements=[heads]), plan=plan)
    return out


def findings(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "findings.parquet").drop("source_file", "source_record").sort("finding_id")


def test_the_month_holds_what_it_should(expected: pl.DataFrame) -> None:
    assert set(expected.filter(pl.col("verdict") == "violation")["line_id"]) == WRONG
    assert len(WRONG) > 30
    assert {"duplicate", "partly_refunded"} <= set(expected["remarks"].explode())
    assert "undetermined" in set(expected["verdict"])


@pytest.mark.parametrize("form", FORMS)
def test_nothing_vanishes(tmp_path: Path, plan, expected: pl.DataFrame, form: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    lines, heads, places = FORMS[form](folder)
    out = scanned(tmp_path / "out", plan, lines, heads)
    assert_frame_equal(findings(out), expected)
    rejects = pl.read_parquet(out / "rejects.parquet")
    assert sorted(rejects.select("file", "record").rows()) == sorted(places)
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    counts = run["lines"]
    assert counts["read"] == len(LINES) + len(places)
    assert counts["read"] == counts["judged"] + counts["skipped"]["total"] + counts["rejected"]["total"]
    assert counts["rejected"]["total"] == len(places)
    assert sum(each["lines"] for each in run["inputs"] if each["role"] == "lines") == counts["read"]
    told = {Path(each.get("archive") or each["path"]) for each in (*run["inputs"], *run["passed_over"])}
    unseen = [path for path in folder.rglob("*") if path.is_file() and told.isdisjoint((path, *path.parents))]
    assert not unseen
