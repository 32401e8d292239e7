"""The shape pair against a second opinion: scans of random lines of several points, groups, patients and visits, and the counter against a scan."""

from __future__ import annotations

import csv
import json
import os
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
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
from checker.rulebook.params import ParamSetting
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.shapes.pair_opinion import A1, A2, A3, B1, B2, B3, GROUPS, O1, O1_SUB, O2, PAIRS, SINCE, Line, opinions

LINES = int(os.environ.get("PAIR_LINES", "3000"))
OPERATIONS = sorted({point.item for point in GROUPS})
RULES = ("service-pair", "surgery-discount")


def knowledge(folder: Path) -> Path:
    """The points of the opinion."""
    place = (None,) * 3

    def point(name: str, rule: str, limits: dict[str, str | int]) -> PointRow:
        return PointRow(name, rule, "项目", *place, SINCE, None, None, None, "通知", "1", 1, "1/1", limits=limits)

    points = [point(each.name, RULES[0], {"pair_interval": each.interval, "container_name": "大项"}) for each in PAIRS]
    points += [point(each.name, RULES[1], {"incision_group": each.group}) for each in GROUPS]
    patterns = [PatternRow(each.name, "item", "code", each.item, 1) for each in (*PAIRS, *GROUPS)]
    patterns += [PatternRow(each.name, "container", "code", code, 1) for each in PAIRS for code in each.containers]
    folder.mkdir()
    write_tables(
        Sources.of(edition=EditionText("成对", "1", "2025-12-12", "2025-12-12", ()), points=points, patterns=patterns),
        folder,
    )
    return folder


def random_lines(rng: Random, count: int) -> tuple[list[Line], list[dict[str, str]]]:
    """Lines of few patients, visits, days and institutions, with ids and times missing, refunds and duplicates; the lines and all rows."""
    lines: list[Line] = []
    rows: list[dict[str, str]] = []
    while len(lines) < count:
        patient, where = f"N{len(lines)}", rng.choice((f"H{len(lines)}",) * 5 + ("H1", ""))
        visits = [f"V{len(lines)}", f"W{len(lines)}"][: rng.choice((1, 2))]
        days = [f"2026-03-0{n}" for n in rng.sample(range(1, 9), rng.choice((1, 2)))]
        codes = rng.choice(
            (
                (A1, A2, A3, B1, B2, B3),
                (A1, B1),
                (A3, A1, B3),
                (A1, A3, B2),
                OPERATIONS,
                OPERATIONS[:5],
                OPERATIONS[3:6],
            )
        )
        knows_visit, knows_patient = rng.random(), rng.random()
        for _ in range(rng.choice((2, 3, 4, 8))):
            hour = rng.choice(
                (
                    "",
                    " 00:00:00",
                    " 08:00:00",
                    " 09:00:00",
                    " 09:00:01",
                    " 14:00:00",
                    " 14:00:01",
                    " 15:00:00",
                    " 23:30:00",
                )
            )
            quantity, amount = rng.choice(("1", "1", "2", "0.5")), rng.choice(("100", "200", "200", "400", "800.50"))
            cells = {
                "line_id": f"L{len(rows)}", "item_code": rng.choice(codes), "service_time": rng.choice(days) + hour,
                "patient_id": rng.choice((patient,) * 9 + (f"M{len(lines)}",)) if knows_patient < 0.8 or rng.random() < 0.5 else "",
                "visit_id": rng.choice(visits) if knows_visit < 0.8 and rng.random() < 0.95 else "",
                "settlement_id": rng.choice(("", f"S{len(lines)}")), "institution_id": where if rng.random() < 0.97 else "H1",
                "quantity": quantity, "amount": amount if rng.random() < 0.95 else "", "unit_price": rng.choice(("", "", "100", "200")),
                "price_limit": rng.choice(("", "100", "200", "400")), "amount_in_scope": rng.choice(("",) * 9 + ("0",)),
                "is_context": rng.choice(("",) * 9 + ("1",)), "paid_by_fund": rng.choice(("",) * 9 + ("0",)),
            }  # fmt: skip
            if cells["is_context"]:
                cells["paid_by_fund"] = ""
            line = Line(cells)
            rows.append(cells)
            if line.is_judged and cells["amount"] and rng.random() < 0.15:
                part = rng.choice((Fraction(1), Fraction(1, 2)))
                line = Line(cells, 1 - part)
                rows.append(cells | {
                    "line_id": f"L{len(rows)}", "original_line_id": cells["line_id"], "quantity": f"-{float(Fraction(quantity) * part)}",
                    "amount": f"-{float(Fraction(amount) * part)}",
                })  # fmt: skip
            elif line.is_judged and rng.random() < 0.03:
                rows.append(dict(cells))
            lines.append(line)
    return lines, rows


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*columns, "patient_sex"], restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def told(row: dict[str, Any]) -> tuple[Any, ...]:
    """What a finding says, as far as it is compared."""
    return (
        row["verdict"],
        row["level"] or row["reason_code"],
        sorted(row["related_lines"] or ()),
        "time_of_day_missing" in row["remarks"],
    )


def found_in(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    rows = pl.read_parquet(folder / "findings.parquet").iter_rows(named=True)
    return {(row["line_id"], row["rule_id"]): row for row in rows}


@pytest.mark.parametrize(("seed", "ratio"), [(1, 0), (2, 50)])
def test_a_scan_agrees_with_the_second_opinion(seed: int, ratio: int, tmp_path: Path) -> None:
    lines, rows = random_lines(Random(seed), LINES)
    lines_file, kb = write(tmp_path / "lines.csv", rows), knowledge(tmp_path / "kb")
    result = scan(
        ScanRequest([lines_file], tmp_path / "out", kb=[kb], params=[ParamSetting("surgery-discount", "ratio", ratio)])
    )
    found, wanted = found_in(tmp_path / "out"), opinions(lines, ratio)
    cells = {line.id: line.cells for line in lines}
    expected = {key: (each.verdict, each.told, list(each.related), each.by_date) for key, each in wanted.items()}
    compared = {key: told(row) for key, row in found.items()}
    differing = [
        (key, compared.get(key), expected.get(key), cells[key[0]])
        for key in found.keys() | wanted.keys()
        if compared.get(key) != expected.get(key)
    ]
    assert differing[:3] == []
    stakes = {key: wanted[key].at_stake for key, each in wanted.items() if each.verdict == "violation"}
    off = [
        (key, found[key]["amount_at_stake"], stake)
        for key, stake in stakes.items()
        if abs(Fraction(found[key]["amount_at_stake"] or 0) - (stake or 0)) > Fraction(1, 100)
    ]
    assert off[:3] == []
    kinds = {(key[1], each.told) for key, each in wanted.items()}
    assert kinds == {
        *((RULES[0], each) for each in ("definite", "suspect", "patient_missing", "visit_missing")),
        *((RULES[1], each) for each in ("definite" if ratio else "suspect", "price_unknown", "visit_missing")),
    }
    assert {row["scope"] for row in found.values()} == {"day", "visit"}
    assert not result.not_judged


def test_what_no_input_tells_is_not_judged(tmp_path: Path) -> None:
    """Without patients a pair of one visit is still one; without visits as well nothing is, and the summary says so."""
    kb = knowledge(tmp_path / "kb")
    rows = [
        {"line_id": "1", "item_code": A1, "visit_id": "V"}, {"line_id": "2", "item_code": B1, "visit_id": "V"},
        {"line_id": "3", "item_code": B1, "visit_id": "W"}, {"line_id": "4", "item_code": A2, "visit_id": "X"},
    ]  # fmt: skip
    rows = [row | {"service_time": "2026-03-01 09:00:00", "quantity": "1", "amount": "10"} for row in rows]
    result = scan(ScanRequest([write(tmp_path / "a.csv", rows)], tmp_path / "a", kb=[kb]))
    assert [key[0] for key in found_in(tmp_path / "a")] == ["2"]
    assert [(each.rule_id, each.missing, each.lines) for each in result.not_judged] == [(RULES[0], "patient", 1)]
    bare = [{name: value for name, value in row.items() if name != "visit_id"} for row in rows]
    result = scan(ScanRequest([write(tmp_path / "b.csv", bare)], tmp_path / "b", kb=[kb]))
    assert not found_in(tmp_path / "b")
    assert {(each.rule_id, each.lines) for each in result.not_judged} == {(RULES[0], 2)}


def random_document(rng: Random, number: int) -> dict[str, Any]:
    """A prescription with lines of its visit, and what came before."""
    codes = rng.choice(((A1, A2, A3, B1, B2, B3), (A1, A3, B2), OPERATIONS))

    def line(place: str) -> dict[str, Any]:
        hour = rng.choice(("00:00:00", "09:00:00", "09:30:00", "14:00:00", "20:00:00"))
        return {
            "line_id": f"{number}-{place}", "item_code": rng.choice(codes), "service_time": f"2026-03-0{rng.choice((1, 2))}T{hour}", "quantity": 1,
            "amount": rng.choice(("100", "200")), "unit_price": rng.choice(("100", "200")),
        }  # fmt: skip

    return {
        "service_time": "2026-03-02", "visit_id": f"V{number}", "institution_id": f"H{number}", "patient": {"id": f"N{number}", "sex": "F"},
        "lines": [line(str(n)) for n in range(rng.choice((1, 2, 4)))], "history": [line(f"h{n}") for n in range(rng.choice((0, 0, 1, 3)))],
    }  # fmt: skip


def test_the_counter_agrees_with_a_scan(tmp_path: Path) -> None:
    """The lines of a prescription and its history are judged alike, alone and together with those of others."""
    rng, kb = Random(5), knowledge(tmp_path / "kb")
    documents = [random_document(rng, number) for number in range(150)]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    scan(ScanRequest([tmp_path / "in.jsonl"], tmp_path / "out", kb=[kb], stage="settle"))
    scanned = {
        key: (*told(row), row["point_id"], row["amount_at_stake"]) for key, row in found_in(tmp_path / "out").items()
    }
    precheck = Precheck.open(kb=[kb])
    read = [read_prescription(each, source="处方", now=datetime(2026, 6, 1)) for each in documents]
    answers = precheck.answer_together(read, languages=["zh"] * len(read))
    assert [precheck.answer(each) for each in read[:20]] == answers[:20]
    answered = {
        (row["line_id"], row["rule_id"]): (*told(row), row["point_id"], Decimal(str(row["amount_at_stake"])))
        for answer in answers
        for row in answer["findings"]
    }
    assert {
        key: (answered.get(key), scanned.get(key))
        for key in answered.keys() | scanned.keys()
        if answered.get(key) != scanned.get(key)
    } == {}
    assert {each[1] for each in scanned.values()} == {"definite", "suspect", "price_unknown"}


def test_local_codes_pair_by_the_national_codes_that_they_stand_for(tmp_path: Path) -> None:
    """Sub-items are told by the national code; a local and a national code of one item are no pair."""
    kb, table = knowledge(tmp_path / "kb"), tmp_path / "map.csv"
    pairs = (("LA", A1), ("LB", B1), ("LO1", O1), ("LO1S", O1_SUB), ("LO2", O2))
    table.write_text("local_code,national_code\n" + "".join(f"{own},{code}\n" for own, code in pairs), encoding="utf-8")

    def line(number: int, code: str, visit: str, amount: str = "100") -> dict[str, str]:
        return {
            "line_id": str(number), "item_code": code, "visit_id": visit, "patient_id": visit, "service_time": "2026-03-01T09:00:00", "quantity": "1",
            "amount": amount, "price_limit": "100", "institution_id": "H",
        }  # fmt: skip

    rows = [
        line(1, "LA", "V"), line(2, "LB", "V"), line(3, "LB", "W"), line(4, B1, "W"), line(5, "LO1", "X"), line(6, "LO1S", "X"),
        line(7, "LO1", "Y", "300"), line(8, "LO2", "Y"),
    ]  # fmt: skip
    crosswalk = [table]
    scan(ScanRequest([write(tmp_path / "in.csv", rows)], tmp_path / "out", kb=[kb], crosswalk=crosswalk))
    assert sorted(key for key in found_in(tmp_path / "out")) == [("2", RULES[0]), ("8", RULES[1])]
    precheck = Precheck.open(kb=[kb], crosswalk=read_crosswalks(crosswalk))
    answered = []
    for visit in "VWXY":
        lines = [
            {name: value for name, value in row.items() if name not in ("visit_id", "patient_id", "price_limit")}
            | {"unit_price": row["amount"]}
            for row in rows
            if row["visit_id"] == visit
        ]
        document = {
            "visit_id": visit,
            "patient": {"id": visit, "sex": "F"},
            "service_time": "2026-03-01",
            "lines": lines,
            "history": [],
        }
        answered += [(each["line_id"], each["verdict"]) for each in precheck.check(document)["findings"]]
    assert answered == [("2", "violation"), ("8", "undetermined")]
