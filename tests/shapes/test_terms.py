"""The shape terms against a second opinion: scans of random lines with hostile values of every fact, and the counter against a scan."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from checker.ingest.prescription import read_prescription
from checker.model.errors import InputError
from checker.precheck.counter import Precheck
from checker.rulebook.clause import Clause, check_types, read_clause
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from checker.service.ticket_json import read_prescriptions, write_prescriptions
from checker.shapes.terms import TERMS
from tests.shapes.terms_data import FIRST, OF_LINES, SHARED, VALUES, knowledge, random_document
from tests.shapes.terms_opinion import DIAGNOSES, POINTS, SINCE, Line, is_earlier, opinion


def random_lines(
    rng: Random, count: int, absent: frozenset[str]
) -> tuple[list[Line], dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Lines of all points, and the headers of their settlements, some of them twice; some lines have no header, some headers say nothing."""
    usual = {"insurance_type": "310", "care_type": "21", "institution_level": "05", "pay_location": "2"}

    def value(column: str) -> str:
        return usual[column] if column in usual and rng.random() < 0.3 else rng.choice(VALUES[column])

    headers = {
        f"S{n}": {name: value(name) if rng.random() < 0.7 else "" for name in SHARED if name not in absent}
        | {"patient_sex": rng.choice(("1", "2", "2")), "patient_birth_date": rng.choice(("1990-05-01", "1964-02-29", "1961-03-01"))}
        for n in range(count // 3)
    }  # fmt: skip
    again = {
        key: header | {name: rng.choice((header[name], value(name))) for name in SHARED if name in header}
        for key, header in headers.items()
        if rng.random() < 0.25
    }
    columns = frozenset(SHARED + OF_LINES) - absent | {"diagnoses"}
    lines = []
    for number in range(count):
        settlement = rng.choice([*headers, "S-none"]) if rng.random() < 0.97 else "S-none"
        quantity, amount = rng.choice((1, 2, 4)), rng.choice(("40", "40", "0"))
        cells = {
            "line_id": f"L{number}", "settlement_id": settlement, "visit_id": f"V{settlement}", "item_code": rng.choice(POINTS).code,
            "patient_id": f"N{rng.randrange(count)}" if rng.random() < 0.95 else "",
            "service_time": f"{SINCE + timedelta(days=rng.randrange(-20, 500))}", "quantity": f"{quantity}", "amount": amount,
            "amount_in_scope": rng.choice(("", amount, "20", "0", "0.004")),
            "full_self_paid_amount": rng.choice(("", "", "", "0", amount, f"{float(amount) + 0.004}", f"{float(amount) - 0.01}")),
            "institution_id": rng.choice(("H3708", "H3708", "P3708")) + "00001",
            "is_context": rng.choice(("", "", "", "", "1")),
            **{name: value(name) if rng.random() < 0.5 else "" for name in (*SHARED, *OF_LINES) if name not in absent},
        }  # fmt: skip
        point = next(each for each in POINTS if each.code == cells["item_code"])
        codes = DIAGNOSES[hash_of(settlement) % len(DIAGNOSES)] if settlement in headers else ()
        line = Line(cells, point, headers.get(settlement), columns, codes, again=again.get(settlement))
        back = rng.choice((0,) * 8 + (1, quantity))
        if back and not cells["is_context"]:
            line.refunded = back
            line.taken_back.append({
                "line_id": f"R{number}", "original_line_id": cells["line_id"], "quantity": f"-{back}", "amount": f"-{float(amount) * back / quantity}",
                **{name: cells[name] for name in ("settlement_id", "visit_id", "item_code", "patient_id", "service_time", "institution_id")},
            })  # fmt: skip
        lines.append(line)
    mark_earlier(lines)
    return lines, headers, again


def mark_earlier(lines: list[Line]) -> None:
    """Which lines follow another of their patient and point."""
    days: dict[tuple[str, str], list[date]] = {}
    for line in lines:
        if line.refunded < int(line.cells["quantity"]) and line.cells["patient_id"]:
            days.setdefault((line.cells["patient_id"], line.point.code), []).append(line.day)
    for line in lines:
        line.earlier = any(
            is_earlier(day, line.day) for day in days.get((line.cells["patient_id"], line.point.code), ())
        )


def hash_of(text: str) -> int:
    return sum(map(ord, text)) * 7 + len(text)


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


ABSENT = (
    frozenset[str](), frozenset({"insurance_type"}), frozenset({"care_type", "is_discharge_drug"}), frozenset({"institution_level", "is_maternity_fee"}),
    frozenset({"is_online", "pay_location"}), frozenset({"prescriber_institution_level", "insurance_type", "care_type"}),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(len(ABSENT)), ids=lambda seed: "+".join(sorted(ABSENT[seed])) or "all")
def test_a_scan_agrees_with_the_second_opinion(seed: int, tmp_path: Path) -> None:
    lines, headers, again = random_lines(Random(seed), 5_500, ABSENT[seed])
    rows = [row for line in lines for row in (line.cells, *line.taken_back)]
    diagnoses = [
        {"settlement_id": key, "code": code} for key in headers for code in DIAGNOSES[hash_of(key) % len(DIAGNOSES)]
    ]
    request = ScanRequest(
        [write(tmp_path / "lines.csv", rows)], tmp_path / "out", kb=[knowledge(tmp_path / "kb")],
        settlements=[write(tmp_path / "setl.csv", [{"settlement_id": key} | header for some in (headers, again) for key, header in some.items()])],
        diagnoses=[write(tmp_path / "diag.csv", diagnoses)],
    )  # fmt: skip
    result = scan(request)
    found = {
        row["line_id"]: (row["verdict"], row["level"] or row["reason_code"])
        for row in pl.read_parquet(tmp_path / "out" / "findings.parquet").iter_rows(named=True)
    }
    wanted = {line.cells["line_id"]: told for line in lines if (told := opinion(line)) is not None}
    findings = {line: told for line, told in wanted.items() if told[0] != "not_judged"}
    cells = {line.cells["line_id"]: (line.cells, line.header, line.again, line.diagnoses) for line in lines}
    differing = [
        (key, found.get(key), findings.get(key), cells[key]) for key in cells if found.get(key) != findings.get(key)
    ]
    assert differing[:3] == []
    untold = Counter(
        (line.point.rule, told[1])
        for line in lines
        if (told := wanted.get(line.cells["line_id"])) and told[0] == "not_judged"
    )
    assert Counter({(each.rule_id, each.missing): each.lines for each in result.not_judged}) == untold
    assert len(findings) > 1_000
    census = result.census
    assert census.read == len(rows) == census.judged + sum(census.skipped.values()) + sum(census.rejected.values())


def test_the_counter_agrees_with_the_second_opinion_and_with_a_scan(tmp_path: Path) -> None:
    """Prescriptions that say or do not say each fact: what nobody told is not judged at the counter, and open in a file where others told it."""
    rng, kb = Random(11), knowledge(tmp_path / "kb")
    documents, wanted, loose = [], [], []
    for number in range(2_000):
        document = random_document(rng, number)
        documents.append(document)
        day = date.fromisoformat(document["service_time"])
        head = {name: document[name] for name in SHARED if name in document}
        head |= {"is_online": document["online"]} if "online" in document else {}
        earlier = any(is_earlier(date.fromisoformat(each["service_time"]), day) for each in document["history"])
        for cells in document["lines"]:
            whole = {
                **dict.fromkeys((*SHARED, *OF_LINES), ""),
                **head,
                **cells,
                "service_time": f"{day}",
                "institution_id": document["institution_id"],
            }
            whole |= {
                "patient_sex": document["patient"]["sex"],
                "patient_birth_date": "1963-05-01",
                "patient_id": f"N{number}",
            }
            point = next(each for each in POINTS if each.code == cells["item_code"])
            line = Line(
                whole, point, {}, frozenset((*SHARED, *OF_LINES, "diagnoses")), document["diagnoses"], earlier=earlier
            )
            wanted.append(opinion(line, at_counter=True))
            loose.append(opinion(line))
    precheck = Precheck.open(kb=[kb])
    precheck.prepare()
    read = [read_prescription(each, source="处方", now=datetime(2026, 6, 1)) for each in documents]
    answers = [
        answer
        for start in range(0, len(read), 50)
        for answer in precheck.answer_together(
            read[start : start + 50], languages=["zh"] * len(read[start : start + 50])
        )
    ]
    alone = Precheck.open(kb=[kb])
    assert [alone.answer(each) for each in read[:100]] == answers[:100]
    answered: list[tuple[str, str | None] | None] = []
    for document, answer in zip(documents, answers, strict=True):
        by_line = {row["line_id"]: (row["verdict"], row["level"] or row["reason_code"]) for row in answer["findings"]}
        by_line |= {each["line_id"]: ("not_judged", each["missing"]) for each in answer["not_judged"]}
        answered += [by_line.get(line["line_id"]) for line in document["lines"]]
    differing = [each for each in zip(answered, wanted, range(len(wanted)), strict=True) if each[0] != each[1]]
    assert differing[:3] == []
    assert Counter(each and each[0] for each in wanted).keys() == {None, "violation", "undetermined", "not_judged"}
    (tmp_path / "in.jsonl").write_text(
        "\n".join(json.dumps(each | {"history": []}, ensure_ascii=False) for each in documents), encoding="utf-8"
    )
    scan(ScanRequest([tmp_path / "in.jsonl"], tmp_path / "out", kb=[kb], stage="settle"))
    rows = pl.read_parquet(tmp_path / "out" / "findings.parquet").iter_rows(named=True)
    scanned = {row["source_record"] - 1: (row["verdict"], row["level"] or row["reason_code"]) for row in rows}
    first = POINTS[6].code
    codes_of = [line["item_code"] for document in documents for line in document["lines"]]
    compared = [(scanned.get(n), told) for n, told in enumerate(loose) if codes_of[n] != first]
    assert [pair for pair in compared if pair[0] != pair[1]][:3] == []


def _had(number: str, quantity: int, day: str = "2026-03-01", original: str | None = None) -> dict[str, Any]:
    return {
        "line_id": number,
        "item_code": FIRST,
        "quantity": quantity,
        "service_time": day,
        "original_line_id": original,
    }


@pytest.mark.parametrize(
    ("history", "continues"),
    [
        ([], False),
        ([_had("h1", 1)], True),
        ([_had("h1", 1), _had("h2", -1, original="h1")], False),
        ([_had("h1", 2), _had("h2", -1, original="h1")], True),
        ([_had("h1", 1), _had("h2", -1)], False),
        ([_had("h1", 1), _had("h3", 1, "2026-04-01"), _had("h2", -1)], True),
        ([_had("h1", 1), _had("h2", -1, original="elsewhere")], False),
    ],
)  # fmt: skip
def test_what_was_taken_back_was_no_earlier_prescription(
    history: list[dict[str, Any]], continues: bool, tmp_path: Path
) -> None:
    document = {
        "service_time": "2026-06-01", "visit_id": "V", "institution_level": "08", "care_type": "11", "patient": {"id": "N", "sex": "F"},
        "lines": [{"line_id": "1", "item_code": FIRST, "quantity": 1}], "history": history,
    }  # fmt: skip
    kb = knowledge(tmp_path / "kb")
    wanted = [] if continues else ["violation"]
    assert [each["verdict"] for each in Precheck.open(kb=[kb]).check(document)["findings"]] == wanted
    (tmp_path / "in.json").write_text(json.dumps(document), encoding="utf-8")
    scan(ScanRequest([tmp_path / "in.json"], tmp_path / "out", kb=[kb], stage="settle"))
    assert pl.read_parquet(tmp_path / "out" / "findings.parquet")["verdict"].to_list() == wanted


def test_days_and_prices_are_kept_with_lines_whatever_they_are(tmp_path: Path) -> None:
    line = {"item_code": FIRST, "days_supply": "14 天", "unit_price": "￥1.50", "service_time": "2026-03-01"}
    document = {"lines": [line, line | {"is_context": True}, {"item_code": FIRST}], "history": [line]}
    read = read_prescription(document, source="处方", now=datetime(2026, 6, 1))
    told = [(item.days_supply, item.unit_price) for item in (*read.items, *(read.history or ()))]
    assert told == [(14, Decimal("1.5"))] * 2 + [(None, None), (14, Decimal("1.5"))]
    assert read_prescriptions(write_prescriptions([read])) == [read]
    for name in ("days_supply", "unit_price"):
        for place in ("lines", "history"):
            wrong = document | {place: [line | {name: "不知道多少"}]}
            with pytest.raises(InputError, match=rf"{place}\[0\]\.{name} 的值“不知道多少”无法识别"):
                read_prescription(wrong, source="处方", now=datetime(2026, 6, 1))


def test_history_that_names_no_item_is_refused(tmp_path: Path) -> None:
    document = {
        "lines": [{"item_code": FIRST}],
        "history": [{"item_name": "度拉糖肽注射液", "service_time": "2026-03-01"}],
    }
    with pytest.raises(InputError, match=r"history\[0\]\.item_code 缺失"):
        Precheck.open(kb=[knowledge(tmp_path / "kb")]).check(document)


def test_the_profile_says_what_a_stay_for_a_delivery_is(tmp_path: Path) -> None:
    """Where a province writes 2106 for outpatient care, it speaks of no delivery."""
    (tmp_path / "p.toml").write_text('name = "某省"\n[care_groups]\noutpatient = ["2106", "53"]\n', encoding="utf-8")
    kb, drug = knowledge(tmp_path / "kb"), POINTS[1].code
    for care in ("2106", "53"):
        document = {
            "care_type": care, "insurance_type": "310", "diagnoses": ["I10.x00"], "patient": {"sex": "F", "age": 30},
            "service_time": "2026-06-01", "lines": [{"item_code": drug, "quantity": 1}],
        }  # fmt: skip
        found = [
            Precheck.open(kb=[kb], profile=profile).check(document)["findings"]
            for profile in (None, tmp_path / "p.toml")
        ]
        assert [[each["level"] for each in findings] for findings in found] == [[], ["suspect"]]


def test_clauses_may_read_what_is_told_of_a_line() -> None:
    """The base columns that rules of one's own rely on."""
    text = """care_group = 'inpatient' and insurance_group = 'basic' and institution_rank < 3
        and not (is_online or is_discharge_drug) and (is_maternity_fee or in_scope)"""
    clause = read_clause(text, bool, {}, TERMS)
    assert isinstance(clause, Clause)
    check_types([clause], TERMS)
    assert TERMS.facts_in(clause.columns) == ("insurance", "care", "maternity", "level", "online", "scope")


def test_a_line_may_say_otherwise_than_its_prescription(tmp_path: Path) -> None:
    """In a file and at the counter alike; of the other lines the head still speaks."""
    kb = knowledge(tmp_path / "kb")
    by_rule = {each.rule: each.code for each in POINTS}
    document = {
        "service_time": "2026-06-01", "visit_id": "V", "care_type": "21", "insurance_type": "510", "institution_level": "01", "online": False,
        "patient": {"id": "N", "sex": "F"}, "diagnoses": ["I10.x00"],
        "lines": [
            {"line_id": "1", "item_code": POINTS[2].code, "care_type": "11"},
            {"line_id": "2", "item_code": by_rule["drug-injury-insurance"], "insurance_type": "310"},
            {"line_id": "3", "item_code": POINTS[4].code, "institution_level": "08"},
            {"line_id": "4", "item_code": by_rule["drug-online"], "online": True},
            *({"line_id": f"{n}", "item_code": each.code} for n, each in enumerate(POINTS[:5], 5)),
            {"line_id": "10", "item_code": POINTS[2].code, "care_type": "体检"},
        ],
    }  # fmt: skip
    document["lines"] = [line | {"quantity": 1} for line in document["lines"]]
    answer = Precheck.open(kb=[kb]).check(document)
    wanted = [("1", "violation"), ("2", "violation"), ("3", "violation"), ("4", "violation"), ("10", "undetermined")]
    assert [(each["line_id"], each["verdict"]) for each in answer["findings"]] == wanted
    assert [each["value"] for each in answer["unknown_values"]] == ["体检"]
    assert "ignored" not in answer
    read = read_prescription(document, source="处方", now=datetime(2026, 6, 1))
    assert read_prescriptions(write_prescriptions([read])) == [read]
    (tmp_path / "in.json").write_text(json.dumps(document), encoding="utf-8")
    scan(ScanRequest([tmp_path / "in.json"], tmp_path / "out", kb=[kb], stage="settle"))
    rows = pl.read_parquet(tmp_path / "out" / "findings.parquet").sort("source_record").to_dicts()
    assert [(row["line_id"], row["verdict"]) for row in rows] == wanted
