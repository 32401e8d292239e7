"""The shape companion against a second opinion: which lines of the lists stand in prescriptions of nothing else, by plain Python."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from checker.ingest.prescription import read_prescription
from checker.knowledge.build import write_tables
from checker.knowledge.edition_text import EditionText
from checker.knowledge.resolve import read_crosswalks
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.source import Sources
from checker.precheck.counter import Precheck
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.counter import answers

LIMITED = [f"T1000000{n:02d}" for n in range(12)]
LISTED = [f"T2000000{n:02d}" for n in range(4)]
OUTSIDE = [f"T3000000{n:02d}" for n in range(6)]
OTHERS = ["XN05CDM084X001010102000", "330100005000000", "YP001", ""]
BEGINS = date(2026, 5, 11)


def knowledge(folder: Path) -> Path:
    """A list of pieces not paid alone, and one of pieces never paid."""

    def point(point_id: str, name: str, codes: int) -> PointRow:
        place, beside = (None,) * 3, {"companions": "herb_piece"}
        return PointRow(
            point_id, "herb-single", name, *place, BEGINS, None, None, None, "通知", "11", codes, "11/1", limits=beside
        )  # fmt: skip

    points = [*(point(f"P{n}", f"饮片{n}", 1) for n in range(len(LIMITED))), point("L", "名单", len(LISTED))]
    patterns = [
        *(PatternRow(f"P{n}", "item", "code", code, 1) for n, code in enumerate(LIMITED)),
        *(PatternRow("L", "listed", "code", code, 1) for code in LISTED),
    ]
    edition = EditionText("饮片", "1", "2026-05-11", "2026-05-11", ())
    folder.mkdir()
    write_tables(Sources.of(edition=edition, points=points, patterns=patterns), folder)
    return folder


@dataclass
class Line:
    """One line as it is written, and what the second opinion makes of it."""

    cells: dict[str, str]
    refunded: int = 0
    companions: list[Line] = field(default_factory=list)

    def __getattr__(self, name: str) -> str:
        return self.cells.get(name, "")

    @property
    def takes_part(self) -> bool:
        """Whether anything is left of it, and it is no refund."""
        return not self.cells["quantity"].startswith("-") and int(self.cells["quantity"]) > self.refunded

    @property
    def key(self) -> tuple[str, ...] | None:
        """Which prescription it is of."""
        if self.prescription_id:
            return ("number", self.visit_id, self.prescription_id)
        if self.visit_id and self.prescriber:
            return ("time", self.visit_id, self.service_time, self.prescriber)
        return None


def random_lines(rng: Random, visits: int) -> list[Line]:
    """Visits with prescriptions of pieces: alone, with others of the lists, with others outside, taken back, of the history."""
    lines: list[Line] = []
    for visit in range(visits):
        numbers = rng.choice((["1"], ["1", "2"], ["1", ""], [""]))
        doctors = rng.choice((["D1"], ["D1", "D2"], ["D1", ""]))
        times = [
            f"2026-{rng.choice(('05-10', '05-11', '06-02'))} 0{hour}:00:00" for hour in range(rng.choice((1, 1, 2)))
        ]
        pool = rng.choice(
            (LIMITED, LIMITED + LISTED, LIMITED + LISTED + OUTSIDE[:1], LIMITED + OTHERS, LIMITED + OUTSIDE)
        )
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            quantity = rng.choice((1, 3))
            line = Line({
                "line_id": f"{len(lines)}", "visit_id": rng.choice((f"V{visit}",) * 5 + ("",)), "prescription_id": rng.choice(numbers),
                "prescriber": rng.choice(doctors), "service_time": rng.choice(times), "item_code": rng.choice(pool),
                "quantity": f"{quantity}", "amount": f"{quantity * 2}", "patient_sex": "2", "institution_id": "H1",
                "is_context": rng.choice(("", "", "", "", "1")), "paid_by_fund": rng.choice(("", "", "", "", "0")),
            })  # fmt: skip
            lines.append(line)
            back = rng.choice((0, 0, 0, 0, 1, quantity))
            if back and line.visit_id and not line.is_context and not line.paid_by_fund:
                line.refunded = back
                lines.append(Line(line.cells | {
                    "line_id": f"{len(lines)}", "original_line_id": line.line_id, "quantity": f"-{back}", "amount": f"-{back * 2}",
                }))  # fmt: skip
    return lines


def opinion(lines: Iterable[Line]) -> dict[str, tuple[Any, ...]]:
    """Verdict, level, reason, related lines and what is left, by line id."""
    by_key: dict[tuple[str, ...], list[Line]] = {}
    lines = [line for line in lines if line.takes_part]
    for line in lines:
        if line.key is not None and (line.item_code.startswith("T") or line.item_code in ("YP001", "")):
            by_key.setdefault(line.key, []).append(line)
    found: dict[str, tuple[Any, ...]] = {}
    for line in lines:
        if line.item_code not in LIMITED or line.is_context or line.paid_by_fund or line.service_time < "2026-05-11":
            continue
        left = int(line.quantity) - line.refunded
        if line.key is None:
            found[line.line_id] = ("undetermined", None, "prescription_unknown", None, left)
            continue
        others = [other for other in by_key[line.key] if other is not line]
        # What is on a list before the list holds is on none.
        if any(
            other.item_code in OUTSIDE or (other.item_code.startswith("T") and other.service_time < "2026-05-11")
            for other in others
        ):
            continue
        named = [other.line_id for other in others]
        if any(other.item_code in ("YP001", "") for other in others):
            found[line.line_id] = ("undetermined", None, "companion_unknown", named, left)
        else:
            level = "definite" if line.prescription_id else "suspect"
            found[line.line_id] = ("violation", level, None, named, left)
    return found


def write_locally(lines: Iterable[dict[str, Any]], file: Path) -> None:
    """Write every second code, one that is no piece's among them, as a local one that a crosswalk maps onto it."""
    local = {code: f"地方{code[1:]}" for code in (*LIMITED[::2], *LISTED[::2], *OUTSIDE[::2], OTHERS[0])}
    file.write_text(
        "\n".join(["地方编码,国家编码", *(f"{mine},{code}" for code, mine in local.items())]), encoding="utf-8"
    )
    for line in lines:
        line["item_code"] = local.get(line["item_code"], line["item_code"])


def told(finding: dict[str, Any]) -> tuple[Any, ...]:
    related = finding["related_lines"]
    return (
        finding["verdict"], finding["level"], finding["reason_code"], None if related is None else sorted(related, key=int),
        int(finding["amount_at_stake"]) // 2,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_a_scan_agrees_with_the_second_opinion(seed: int, tmp_path: Path) -> None:
    lines = random_lines(Random(seed), 1_500)
    expected = opinion(lines)
    crosswalk = [tmp_path / "crosswalk.csv"] if seed % 2 else []
    for file in crosswalk:
        write_locally((line.cells for line in lines), file)
    columns = list(dict.fromkeys(name for line in lines for name in line.cells))
    with (tmp_path / "lines.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(line.cells for line in lines)
    kb = knowledge(tmp_path / "kb")
    result = scan(ScanRequest([tmp_path / "lines.csv"], tmp_path / "out", kb=[kb], crosswalk=crosswalk))
    rows = pl.read_parquet(tmp_path / "out" / "findings.parquet").to_dicts()
    assert {row["line_id"]: told(row) for row in rows} == expected
    assert {row["matched_by"] for row in rows} == ({"code", "crosswalk"} if crosswalk else {"code"})
    assert {row["scope"] for row in rows} == {"prescription"}
    assert {(row["verdict"], row["level"], row["reason_code"]) for row in rows} >= {
        ("violation", "definite", None), ("violation", "suspect", None), ("undetermined", None, "prescription_unknown"),
        ("undetermined", None, "companion_unknown"),
    }  # fmt: skip
    assert result.census.read == len(lines) == result.census.judged + sum(result.census.skipped.values())


@pytest.mark.parametrize("locally", [False, True])
def test_the_counter_agrees_with_a_scan(locally: bool, tmp_path: Path) -> None:
    """A prescription as JSON, its lines of one or several numbers, alone, many together, and scanned from a file."""
    rng, kb = Random(7), knowledge(tmp_path / "kb")
    documents = []
    for number in range(300):
        lines = [line.cells for line in random_lines(rng, 1)]
        documents.append({
            "service_time": lines[0]["service_time"], "visit_id": f"W{number}", "patient": {"sex": "F"},
            "lines": [
                {name: cells[name] or None for name in ("line_id", "item_code", "prescription_id", "quantity", "amount", "is_context", "paid_by_fund")}
                | {"original_line_id": cells.get("original_line_id")}
                for cells in lines
            ],
        })  # fmt: skip
    crosswalk = [tmp_path / "crosswalk.csv"] if locally else []
    for file in crosswalk:
        write_locally((line for document in documents for line in document["lines"]), file)
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    scan(ScanRequest([tmp_path / "in.jsonl"], tmp_path / "out", kb=[kb], crosswalk=crosswalk, stage="settle"))
    scanned = {
        row["source_record"]: told(row) for row in pl.read_parquet(tmp_path / "out" / "findings.parquet").to_dicts()
    }
    precheck = Precheck.open(kb=[kb], crosswalk=read_crosswalks(crosswalk))
    answered, before = {}, 0
    for document, answer in zip(documents, answers(precheck, documents), strict=True):
        findings = answer["findings"]
        answered |= {
            before + row["source_record"]: told(row) for row in findings if row["reason_code"] != "unknown_code"
        }
        before += len(document["lines"])
    assert answered == scanned
    assert len(scanned) > 100


def test_rules_of_several_shapes_are_asked_together() -> None:
    """As the service asks, with all its statements prepared."""
    precheck = Precheck.open()
    precheck.prepare()
    drug = {"line_id": "1", "item_code": "XG04CBA088A001010101467", "quantity": 1}
    pieces = [{"line_id": "2", "item_code": "T000700200"}, {"line_id": "3", "item_code": "T001700643"}]
    documents = [
        {"service_time": "2026-06-01", "patient": {"sex": "F"}, "lines": lines}
        for lines in ([drug], [drug, *pieces], pieces)
    ]
    read = [read_prescription(document, source="处方", now=datetime(2026, 6, 1)) for document in documents]
    answers = precheck.answer_together(read, languages=["zh"] * 3)
    assert [[(f["line_id"], f["rule_id"]) for f in answer["findings"]] for answer in answers] == [
        [("1", "drug-sex")],
        [("1", "drug-sex"), ("2", "herb-single"), ("3", "herb-single")],
        [("2", "herb-single"), ("3", "herb-single")],
    ]
    assert answers == [precheck.answer(each) for each in read]


def test_a_prescription_of_400_pieces_is_one_answer(tmp_path: Path) -> None:
    """Its findings name at most 200 related lines each."""
    precheck = Precheck.open(kb=[knowledge(tmp_path / "kb")])
    lines = [{"line_id": str(n), "item_code": LIMITED[n % len(LIMITED)], "quantity": 1} for n in range(400)]
    findings = precheck.check({"service_time": "2026-06-01", "lines": lines})["findings"]
    assert len(findings) == 400
    assert {len(finding["related_lines"]) for finding in findings} == {200}
    assert not any(finding["line_id"] in finding["related_lines"] for finding in findings)
