"""What the service says of prescriptions over HTTP is what a scan says of the same lines, in every column."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from checker.model.schema import FINDING_COLUMNS
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.service.calls import call
from tests.service.serving import serving

from oracle_data import item_codes  # isort: skip
from test_precheck import OWN_PLACE, prescription, write_random_knowledge  # isort: skip

WANTED = int(os.environ.get("LIANGKU_EQUALITY", "2000"))
_TOGETHER = 250
_OF_A_SCAN = 500
_SEED = 20260301


def test_the_service_agrees_with_a_scan(tmp_path: Path) -> None:
    """Half of the prescriptions go in batches, half alone and many at once."""
    rng = Random(_SEED)
    pick = item_codes(rng, write_random_knowledge(rng, tmp_path / "kb"))
    codes = [code for code in (pick() for _ in range(400)) if code]
    documents = [prescription(rng, number, codes) for number in range(WANTED)]
    scanned: dict[tuple[int, str], dict[str, Any]] = {}
    late = Counter[str]()
    before = 0
    for start in range(0, WANTED, _OF_A_SCAN):
        file, out = tmp_path / f"{start}.jsonl", tmp_path / f"out-{start}"
        some = documents[start : start + _OF_A_SCAN]
        file.write_text("\n".join(map(json.dumps, some)), encoding="utf-8")
        result = scan(ScanRequest([file], out, kb=[tmp_path / "kb"], stage="settle"))
        late.update({rule: count for rule, count in result.not_in_force.items() if count})
        rows = pl.read_parquet(out / "findings.parquet").iter_rows(named=True)
        scanned |= {(before + row["source_record"], row["rule_id"]): _compared(row) for row in rows}
        before += sum(len(document["lines"]) for document in some)
    with serving(tmp_path, 'kb = "kb"\n[limits]\ntime_ms = 60000\n') as server, ThreadPoolExecutor(8) as pool:
        half = len(documents) // 2
        parts = [documents[start : min(start + _TOGETHER, half)] for start in range(0, half, _TOGETHER)]
        batches = pool.map(lambda part: call(server.url, "/v1/check/batch", part).document["answers"], parts)
        answers = [answer for batch in batches for answer in batch]
        answers += pool.map(lambda one: call(server.url, "/v1/check", one).document, documents[half:])
    assert len(answers) == len(documents)
    assert all(answer["reviewed"] for answer in answers)
    answered = {(place, row["rule_id"]): _compared(row) for place, row in _known(documents, answers)}
    not_in_force = Counter(entry["rule_id"] for answer in answers for entry in answer["not_in_force"])
    differing = [key for key in scanned.keys() | answered.keys() if scanned.get(key) != answered.get(key)]
    print(f"{len(documents):,} prescriptions, {len(scanned):,} findings, {len(differing)} differing")
    assert len(scanned) > WANTED / 5
    assert differing == []
    assert len(answered) == sum(1 for _ in _known(documents, answers))
    assert not_in_force == late


def _known(documents: list[dict[str, Any]], answers: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The findings with the place of their line among all, but for those on codes that are none, of which a scan keeps only the count."""
    before = 0
    for document, answer in zip(documents, answers, strict=True):
        for finding in answer["findings"]:
            if finding["reason_code"] != "unknown_code":
                yield before + finding["source_record"], finding
        before += len(document["lines"])


def _compared(row: dict[str, Any]) -> dict[str, Any]:
    # Equal lines without an id are numbered through the file, and a scan numbers those whom only an ID number names.
    own = (
        *OWN_PLACE,
        *(() if row["line_id"] else ("finding_id",)),
        *(() if row["patient_id"] and row["patient_id"][0] != "#" else ("patient_id",)),
    )
    values = ((name, row[name]) for name in FINDING_COLUMNS if name not in own)
    return {name: float(value) if type(value).__name__ == "Decimal" else value for name, value in values}
