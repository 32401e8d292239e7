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
from checker.shapes.terms import TERMS
from tests.service.calls import call
from tests.service.serving import serving
from tests.shapes.terms_data import knowledge as terms_knowledge
from tests.shapes.terms_data import random_document

from oracle_data import item_codes  # isort: skip
from test_precheck import OWN_PLACE, prescription, write_random_knowledge  # isort: skip

WANTED = int(os.environ.get("LIANGKU_EQUALITY", "700"))
_REASONS = {fact.key: fact.missing for fact in TERMS.facts.values() if fact.told_by}
_TOGETHER = 250
_OF_A_SCAN = 500
_SEED = 20260301


def test_the_service_agrees_with_a_scan(tmp_path: Path) -> None:
    """Half of the prescriptions go in batches, half alone and many at once."""
    rng = Random(_SEED)
    pick = item_codes(rng, write_random_knowledge(rng, tmp_path / "kb"))
    codes = [code for code in (pick() for _ in range(400)) if code]
    terms_knowledge(tmp_path / "terms")
    documents = [
        random_document(rng, number) if number % 3 == 0 else prescription(rng, number, codes)
        for number in range(WANTED)
    ]
    scanned: dict[tuple[int, str], dict[str, Any]] = {}
    late = Counter[str]()
    before = 0
    for start in range(0, WANTED, _OF_A_SCAN):
        file, out = tmp_path / f"{start}.jsonl", tmp_path / f"out-{start}"
        some = documents[start : start + _OF_A_SCAN]
        file.write_text("\n".join(map(json.dumps, some)), encoding="utf-8")
        result = scan(ScanRequest([file], out, kb=[tmp_path / "kb", tmp_path / "terms"], stage="settle"))
        late.update({rule: count for rule, count in result.not_in_force.items() if count})
        rows = pl.read_parquet(out / "findings.parquet").iter_rows(named=True)
        scanned |= {(before + row["source_record"], row["rule_id"]): _compared(row) for row in rows}
        before += sum(map(_rows, some))
    with (
        serving(tmp_path, 'kb = ["kb", "terms"]\n[limits]\ntime_ms = 60000\n') as server,
        ThreadPoolExecutor(8) as pool,
    ):
        half = len(documents) // 2
        parts = [documents[start : min(start + _TOGETHER, half)] for start in range(0, half, _TOGETHER)]
        batches = pool.map(lambda part: call(server.url, "/v1/check/batch", part).document["answers"], parts)
        answers = [answer for batch in batches for answer in batch]
        answers += pool.map(lambda one: call(server.url, "/v1/check", one).document, documents[half:])
    assert len(answers) == len(documents)
    assert all(answer["reviewed"] for answer in answers)
    answered = {(place, row["rule_id"]): _compared(row) for place, row in _known(documents, answers)}
    for place, rule, missing in _untold(documents, answers):
        # In a file others tell what this prescription does not: there the line is left undetermined for just that reason.
        assert scanned.pop((place, rule))["reason_code"] == _REASONS[missing]
    not_in_force = Counter(entry["rule_id"] for answer in answers for entry in answer["not_in_force"])
    differing = [key for key in scanned.keys() | answered.keys() if scanned.get(key) != answered.get(key)]
    print(f"{len(documents):,} prescriptions, {len(scanned):,} findings, {len(differing)} differing")
    assert len(scanned) > WANTED / 5
    assert [(key, *_parts(scanned.get(key), answered.get(key))) for key in differing[:3]] == []
    assert len(answered) == sum(1 for _ in _known(documents, answers))
    assert {rule for _, rule in answered} >= {
        "drug-institution-level",
        "drug-visit-mode",
        "drug-maternity-insurance",
        "drug-online",
    }
    assert not_in_force == late


def _parts(*sides: dict[str, Any] | None) -> tuple[dict[str, Any], ...]:
    """What differs, without what does not."""
    names = {
        name for side in sides for name in side or {} if len({str((other or {}).get(name)) for other in sides}) > 1
    }
    return tuple({name: (side or {}).get(name) for name in sorted(names)} for side in sides)


def _known(documents: list[dict[str, Any]], answers: list[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The findings with the place of their line among all, but for those on codes that are none, of which a scan keeps only the count."""
    before = 0
    for document, answer in zip(documents, answers, strict=True):
        for finding in answer["findings"]:
            if finding["reason_code"] != "unknown_code":
                yield before + finding["source_record"], finding
        before += _rows(document)


def _untold(documents: list[dict[str, Any]], answers: list[dict[str, Any]]) -> Iterator[tuple[int, str, str]]:
    """The place of each line that was not judged because the prescription does not say what it takes, the rule and what is missing."""
    before = 0
    for document, answer in zip(documents, answers, strict=True):
        places = {line.get("line_id"): place for place, line in enumerate(document["lines"], 1)}
        for entry in answer["not_judged"]:
            yield before + places[entry["line_id"]], entry["rule_id"], entry["missing"]
        before += _rows(document)


def _rows(document: dict[str, Any]) -> int:
    """How many records a prescription is in a file: its lines, then what came before."""
    return len(document["lines"]) + len(document.get("history", ()))


def _compared(row: dict[str, Any]) -> dict[str, Any]:
    # Equal lines without an id are numbered through the file, and a scan numbers those whom only an ID number names.
    own = (
        *OWN_PLACE,
        *(() if row["line_id"] else ("finding_id",)),
        *(() if row["patient_id"] and row["patient_id"][0] != "#" else ("patient_id",)),
    )
    values = ((name, row[name]) for name in FINDING_COLUMNS if name not in own)
    return {name: float(value) if type(value).__name__ == "Decimal" else value for name, value in values}
