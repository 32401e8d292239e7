"""In what order lines and files come, and how many threads look at them, changes no finding."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import checker.scan.scan
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.few_lines import few_headers, few_lines

Found = tuple[list[tuple[Any, ...]], dict[str, Any]]


def found(lines: list[Path], out: Path) -> Found:
    """The findings but for where their lines stood, and what was counted."""
    result = scan(ScanRequest(lines, out, **few_headers()))
    findings = pl.concat([pl.read_parquet(result.out / f"{name}.parquet") for name in ("findings", "shadow")])
    told = (
        "lines",
        "duplicates",
        "fully_refunded",
        "refunds_without_original",
        "not_in_force",
        "not_in_scope",
        "not_judged",
    )
    return sorted(findings.drop("source_file", "source_record").rows(), key=str), {
        name: result.run[name] for name in told
    }


@pytest.fixture(scope="module", autouse=True)
def as_many() -> Iterator[None]:
    """Lines are asked as many would be: few are asked by one thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checker.scan.scan, "FEW_ROWS", 0)
        yield


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What is found in one file, in the order in which it lies there."""
    return found([few_lines()], tmp_path_factory.mktemp("order") / "out")


@pytest.mark.parametrize("threads", [1, 8])
def test_the_order_of_lines_and_files_changes_no_finding(
    threads: int, expected: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    lines = pl.read_parquet(few_lines()).sample(fraction=1, shuffle=True, seed=threads)
    # Lines without an id that stand in two files may be one line that both hold: they stay together.
    parts = [lines.filter(pl.col("bkkp_sn").is_null())] + [
        lines.drop_nulls("bkkp_sn").gather_every(3, n) for n in range(3)
    ]
    files = [tmp_path / f"{len(parts) - number}.parquet" for number in range(len(parts))]
    for part, file in zip(parts, files, strict=True):
        part.write_parquet(file)
    assert found(files, tmp_path / "shuffled") == expected
