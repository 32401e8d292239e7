"""What is read of a prescription in the plain form is answered as the whole prescription is; what is not plain is left alone."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from checker.ingest.prescription import read_prescription
from checker.model.errors import InputError
from checker.precheck.counter import Precheck
from checker.service.http_json import parse
from checker.service.plain import read_plain
from checker.service.settings import Limits
from tests.service.plain_documents import plain_head, plain_line

from oracle_data import item_codes  # isort: skip
from test_precheck import prescription, write_random_knowledge  # isort: skip

NOW = datetime(2026, 3, 1, 9, 30)
CLEAR, COVERED = "XA01BCZ900A001010100001", "XG01AAH038A009010109670"
_ODD: list[Any] = [
    None, "", "-", " 7 ", "null", 0, -0.0, -1, 1e-7, 1e14, 1e300, 99999999999999.5, 10**14, 10**30, "12.5", "1,000", True, [], {}, "ſ",
    "男", "M", "未知", 45, 3.0, 1200, "2026-13-01", "2026-03-01", "2026-03-01 10:00:00", "2026-03-01T10:00", "2026-03-01T24:00:00",
    "2026-03-01t10:00:00", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.1234567", "2026-03-01T10:00:00.000", "2026-03-01T10:00:60",
    "2026-03-01T23:59:59.9999999", "2026-03-01T10:00:00z",
    "0000-01-01", "0001-01-01", "20260301", "2026-03-01T10:00:00+08:00", "x" * 60, CLEAR.lower(), f"{CLEAR},{CLEAR}", f" {COVERED}", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_the_plain_form_is_answered_like_the_whole(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    pick = item_codes(rng, write_random_knowledge(rng, tmp_path / "kb"))
    codes = [code for code in (pick() for _ in range(400)) if code] + [CLEAR]
    precheck = Precheck.open(kb=[tmp_path / "kb"])
    precheck.prepare()
    plain = others = 0
    for number in range(2500):
        document = prescription(rng, number, codes)
        if rng.random() < 0.7:
            document |= plain_head(rng, document)
            document["lines"] = [plain_line(rng, codes, place) for place in range(rng.randint(1, 6))]
        if rng.random() < 0.4:
            _spoil(rng, document)
        body = json.dumps(document).encode()
        read = read_plain(body, precheck.index, most=500, now=NOW)
        if read is None:
            others += 1
            continue
        plain += 1
        whole = read_prescription(parse(body, Limits()), source="-", now=NOW)
        assert precheck.answer_together([read], languages=["zh"]) == [precheck.answer(precheck.prepared(whole))]
        assert (read.stage, read.service_time, read.ignored) == (whole.stage, whole.service_time, whole.ignored)
        assert len(read.items) + read.others == len(whole.items)
    assert plain > 400
    assert others > 100


@pytest.mark.parametrize(
    "line",
    [
        {"item_code": "本院01"}, {"item_code": None}, {"item_name": "他莫昔芬", "by_name": True}, {"amount": -1}, {"amount": 1e14},
        {"quantity": "2"}, {"paid_by_fund": False}, {"is_context": True}, {"item_code": f"{CLEAR},{CLEAR}"}, {"item_code": "ſ" * 15},
        {"more": 1}, {"line_id": ["1"]},
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_full_reader(line: dict[str, Any]) -> None:
    precheck = _embedded()
    plain = {"item_code": CLEAR, "amount": 1}
    assert read_plain(json.dumps({"lines": [plain]}).encode(), precheck.index, most=5, now=NOW) is not None
    assert read_plain(json.dumps({"lines": [plain, plain | line]}).encode(), precheck.index, most=5, now=NOW) is None


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-01T23:59:59.9999999", "2026-12-31 23:59:59.99999950Z", "2026-03-01T10:00:00.123Z", "2026-03-01T10:00:00z",
        "2026-03-01T24:00:00", "2026-03-01", "2026-03-01 10:00", "20260301100000", "0000-01-01T00:00:00", "", "-",
    ],
)  # fmt: skip
def test_times_are_read_as_the_full_reader_reads_them(time: str) -> None:
    precheck = _embedded()
    document = {"service_time": time, "lines": [{"item_code": COVERED}]}
    read = read_plain(json.dumps(document).encode(), precheck.index, most=5, now=NOW)
    try:
        whole = read_prescription(document, source="-", now=NOW)
    except InputError:
        assert read is None
    else:
        assert read is not None
        assert read.service_time == whole.service_time


def test_what_is_too_long_or_comes_twice_is_left_to_the_full_reader() -> None:
    precheck = _embedded()
    covered = COVERED
    assert (
        read_plain(json.dumps({"lines": [{"item_code": CLEAR}] * 6}).encode(), precheck.index, most=5, now=NOW) is None
    )
    once, twice = ({"lines": [{"item_code": covered}] * times} for times in (1, 2))
    assert read_plain(json.dumps(once).encode(), precheck.index, most=5, now=NOW) is not None
    assert read_plain(json.dumps(twice).encode(), precheck.index, most=5, now=NOW) is None


def _embedded() -> Precheck:
    precheck = Precheck.open()
    precheck.prepare()
    return precheck


def _spoil(rng: Random, document: dict[str, Any]) -> None:
    """Put something odd, or more than is known, at a place of the document."""
    holders = [
        document,
        *document["lines"],
        *(each for each in (document.get("patient"), document.get("insured")) if each),
    ]
    holder = rng.choice(holders)
    key = rng.choice([*holder, "more"])
    if key != "lines":
        holder[key] = rng.choice(_ODD)
