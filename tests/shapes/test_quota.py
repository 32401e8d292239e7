"""The shape quota against a second opinion: scans of random lines over months, and the counter against a scan of the same lines."""

from __future__ import annotations

import csv
import json
import os
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from checker.knowledge.build import write_tables
from checker.knowledge.edition_text import EditionText
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.source import Sources
from checker.precheck.counter import Precheck
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.counter import answers
from tests.shapes.quota_opinion import BED, EPISODE, POINTS, SINCE, WINDOW, Line, Opinion, opinions

LINES = int(os.environ.get("QUOTA_LINES", "3000"))
_TIMES = ("", " 00:00:00", " 08:00:00", " 08:00:00", " 23:59:59")


def knowledge(folder: Path) -> Path:
    """The points of the opinion."""
    place = (None,) * 3
    points, patterns = [], []
    for number, each in enumerate(POINTS):
        limits = {
            "quota": each.kind, "quota_most": each.most, "quota_unit": each.unit, "course_scope": each.scope or None,
            "window_days": each.window or None,
        }  # fmt: skip
        given = {name: value for name, value in limits.items() if value is not None}
        points.append(
            PointRow(
                f"P{number}",
                each.rule,
                f"项目{number}",
                *place,
                SINCE,
                None,
                None,
                None,
                "通知",
                "1",
                1,
                "1/1",
                limits=given,
            )
        )
        patterns.append(PatternRow(f"P{number}", "item", "code", each.code, 1))
    folder.mkdir()
    write_tables(
        Sources.of(edition=EditionText("限量", "1", f"{SINCE}", f"{SINCE}", ()), points=points, patterns=patterns),
        folder,
    )
    return folder


def random_lines(rng: Random, count: int) -> tuple[list[Line], list[dict[str, str]]]:
    """Lines of a patient and item over months, with ids missing, refunds and duplicates; the lines, and all rows of a file."""
    lines: list[Line] = []
    rows: list[dict[str, str]] = []
    while len(lines) < count:
        number = len(lines)
        code = rng.choice(POINTS).code
        start = rng.choice((date(2024, 2, 26), date(2025, 12, 20), date(2026, 1, 29))) + timedelta(rng.randrange(3))
        step = rng.choice(((0, 1), (1,), (1, 1, 2), (13, 14), (14, 15), (29, 30, 31), (30, 31, 1)))
        stay = rng.choice(("21", "21", "11", ""))
        begin = start - timedelta(rng.choice((0, 0, 1, -1)))
        end = begin + timedelta(rng.choice((0, 1, 3, 5, -2, 400)))
        head = {
            "care_type": stay,
            "visit_start": rng.choice((f"{begin}", f"{begin}", "")),
            "visit_end": rng.choice((f"{end}", f"{end}", "")),
        }
        knows, day = rng.random(), start
        for _ in range(rng.choice((1, 2, 4, 7, 10))):
            quantity = rng.choice(("24", "12", "25") if code == POINTS[4].code else ("1", "1", "1", "2", "0.5", "7"))
            cells = {
                "line_id": f"L{len(rows):06d}", "item_code": code, "service_time": f"{day}{rng.choice(_TIMES)}",
                "patient_id": f"N{number}" if knows < 0.85 or rng.random() < 0.5 else "",
                "visit_id": rng.choice((f"V{number}", f"V{number}", f"W{number}")) if knows < 0.9 else "",
                "settlement_id": rng.choice(("", f"S{number}")) if knows > 0.8 else "",
                "institution_id": rng.choice((f"H{number}",) * 4 + (f"K{number}",)),
                "quantity": quantity, "amount": f"{float(Fraction(quantity) * 30):g}", "unit_price": rng.choice(("", "30", "20")),
                "days_supply": rng.choice(("", "", "1", "3", "30")), "amount_in_scope": rng.choice(("",) * 12 + ("0",)),
                "is_context": rng.choice(("",) * 8 + ("1",)), "paid_by_fund": rng.choice(("",) * 12 + ("0",)), **head,
            }  # fmt: skip
            # A visit has one begin and one end, whoever tells them.
            if cells["visit_id"] == f"W{number}":
                cells |= {"visit_start": "", "visit_end": ""}
            if cells["is_context"]:
                cells["paid_by_fund"] = ""
            line = Line(cells)
            rows.append(cells)
            if line.is_judged and rng.random() < 0.12:
                part = rng.choice((Fraction(1), Fraction(1, 2)))
                line.left = 1 - part
                back = {name: f"{-float(Fraction(cells[name]) * part):g}" for name in ("quantity", "amount")}
                rows.append(cells | back | {"line_id": f"R{len(rows):06d}", "original_line_id": cells["line_id"]})
            elif line.is_judged and rng.random() < 0.03:
                rows.append(dict(cells))
            lines.append(line)
            day += timedelta(rng.choice(step))
    return lines, rows


def scanned(folder: Path, kb: Path, rows: list[dict[str, str]], out: str) -> pl.DataFrame:
    """The findings of a scan of the rows."""
    names = [*dict.fromkeys(name for row in rows for name in row), "patient_sex"]
    with (folder / f"{out}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(row | {"patient_sex": "1"} for row in rows)
    scan(ScanRequest([folder / f"{out}.csv"], folder / out, kb=[kb]))
    return pl.read_parquet(folder / out / "findings.parquet")


def said(row: dict[str, Any]) -> Opinion:
    """A finding as the opinion says it."""
    stake = row["amount_at_stake"]
    return (
        row["verdict"],
        row["level"] or row["reason_code"],
        None if stake is None else round(Fraction(Decimal(str(stake))), 3),
    )


@pytest.mark.parametrize("seed", range(2))
def test_scans_of_random_lines_agree_with_a_second_opinion(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    lines, rows = random_lines(rng, LINES // 2)
    wanted = {
        name: (verdict, why, stake and round(stake, 3)) for name, (verdict, why, stake) in opinions(lines).items()
    }
    kb = knowledge(tmp_path / "kb")
    findings = scanned(tmp_path, kb, rows, "out")
    found = {row["line_id"]: said(row) for row in findings.iter_rows(named=True)}
    by_id = {line.cells["line_id"]: line.cells for line in lines}
    differing = [
        (found.get(n), wanted.get(n), by_id[n]) for n in found.keys() | wanted.keys() if found.get(n) != wanted.get(n)
    ]
    assert differing[:3] == []
    assert {each[:2] for each in wanted.values()} >= {
        ("violation", "definite"), ("violation", "suspect"), ("violation", "notice"), ("undetermined", "patient_missing"),
        ("undetermined", "visit_missing"),
    }  # fmt: skip
    rng.shuffle(rows)
    names = ["finding_id", "verdict", "level", "related_lines", "remarks", "amount_at_stake"]
    again = scanned(tmp_path, kb, rows, "again")
    assert again.select(names).sort("finding_id").equals(findings.select(names).sort("finding_id"))


def test_the_counter_judges_the_lines_of_a_patient_as_a_scan_does(tmp_path: Path) -> None:
    kb = knowledge(tmp_path / "kb")
    precheck = Precheck.open(kb=[kb])
    rng = Random(7)
    documents = []
    for number in range(150):
        code = rng.choice(POINTS).code
        day = date(2026, 3, 1) + timedelta(rng.randrange(10))
        had = [
            {
                "line_id": f"h{n}", "item_code": code, "service_time": f"{day - timedelta(rng.choice((0, 1, 2, 13, 14, 30, 31)))}T08:00:00",
                "quantity": rng.choice((1, 1, -1)), "amount": 30, **rng.choice(({}, {"visit_id": f"V{number}"}, {"visit_id": "W"})),
            }
            for n in range(rng.randrange(6))
        ]  # fmt: skip
        document = {
            "service_time": f"{day}T10:00:00", "visit_id": f"V{number}", "institution_id": "H1", "care_type": rng.choice(("11", "21")),
            "patient": {"id": f"N{number}", "sex": "M"}, "history": had,
            "lines": [
                {"line_id": f"{n}", "item_code": code, "quantity": rng.choice((1, 1, 2, 25)), "amount": 30, "days_supply": rng.choice((None, 3))}
                for n in range(rng.choice((1, 2, 3)))
            ],
        }  # fmt: skip
        if rng.random() < 0.5:
            document |= {"visit_start": f"{day - timedelta(2)}", "visit_end": f"{day + timedelta(rng.choice((0, 3)))}"}
        documents.append(document)
    answered = answers(precheck, documents)
    assert not any(answer["not_judged"] for answer in answered)
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    scan(ScanRequest([tmp_path / "in.jsonl"], tmp_path / "out", kb=[kb], stage="settle"))
    names = (
        "verdict",
        "level",
        "reason_code",
        "expected",
        "actual",
        "remarks",
        "scope",
        "related_lines",
        "amount_at_stake",
    )
    rows = pl.read_parquet(tmp_path / "out" / "findings.parquet").iter_rows(named=True)
    found = {(row["visit_id"], row["line_id"]): {name: row[name] for name in names} for row in rows}
    told = {
        (row["visit_id"], row["line_id"]): {name: row[name] for name in names} for answer in answered for row in answer["findings"]
    }  # fmt: skip
    for each in (*found.values(), *told.values()):
        each["amount_at_stake"] = each["amount_at_stake"] and float(each["amount_at_stake"])
    assert found.keys() == told.keys()
    assert [(found[key], told[key]) for key in found if found[key] != told[key]][:2] == []
    assert len(found) > 100


def test_what_came_before_is_not_told(tmp_path: Path) -> None:
    precheck = Precheck.open(kb=[knowledge(tmp_path / "kb")])
    document = {
        "service_time": "2026-03-01",
        "patient": {"sex": "M"},
        "lines": [{"line_id": "1", "item_code": EPISODE, "quantity": 1}],
    }
    answer = precheck.check(document)
    assert [(each["rule_id"], each["missing"]) for each in answer["not_judged"]] == [("drug-course", "history")]
    assert precheck.check(document | {"history": []})["verdict"] == "clear"
    # What is too much already is too much, whatever else there was.
    twice = {"line_id": "1", "item_code": WINDOW, "quantity": 2, "amount": 10}
    assert precheck.check(document | {"lines": [twice]})["verdict"] == "violation"


@pytest.mark.parametrize(
    ("quantity", "level", "said"), [("3", None, None), ("4", "notice", True), ("5", "definite", False)]
)
def test_a_bed_counts_on_the_day_of_admission_and_not_on_that_of_discharge(
    quantity: str, level: str | None, said: bool | None, tmp_path: Path
) -> None:
    """One day more is a notice, and says so in words of its own."""
    stay = {
        "visit_start": "2026-03-01",
        "visit_end": "2026-03-04",
        "care_type": "21",
        "visit_id": "V",
        "patient_id": "A",
        "institution_id": "H",
    }
    row = {"line_id": "1", "item_code": BED, "service_time": "2026-03-04", "quantity": quantity, "amount": "90", **stay}
    findings = list(scanned(tmp_path, knowledge(tmp_path / "kb"), [row], "out").iter_rows(named=True))
    assert [each["level"] for each in findings] == ([level] if level else [])
    assert [("one_bed_day_over" in each["remarks"]) for each in findings] == ([said] if level else [])
    assert not any("stay_began_in_window" in each["remarks"] for each in findings)
