"""The shape evidence against a second opinion: scans of random worlds of diagnoses and earlier drugs, and the counter against a scan."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from checker.ingest.prescription import read_prescription
from checker.model.errors import InputError
from checker.precheck.counter import Precheck
from checker.report.counter import answer_lines
from checker.scan import stages
from checker.scan.request import ScanRequest, ScanResult
from checker.scan.scan import scan
from checker.shapes.evidence import EVIDENCE
from tests.shapes.evidence_data import LOCAL, POINTS, knowledge, random_document, random_world, refunds
from tests.shapes.evidence_opinion import INDICATION, SECOND, Opinion, Point, Row, Told, World

Answers = dict[tuple[str, str], Told]


def write(path: Path, rows: list[Row]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def scan_world(world: World, taken_back: list[Row], folder: Path, kb: Path) -> tuple[ScanResult, Answers]:
    """Scan the tables of a world; the findings by line and rule."""
    tables: dict[str, Any] = {
        "settlements": [{"settlement_id": key, **row} for key, row in world.settlements.items()],
        "visits": [{"visit_id": key, **row} for key, row in world.visits.items()],
        "diagnoses": world.diagnoses,
    }
    given = {name: [write(folder / f"{name}.csv", rows)] for name, rows in tables.items() if rows}
    lines = write(folder / "lines.csv", [*world.lines, *taken_back])
    result = scan(ScanRequest([lines], folder / "out", kb=[kb], **given))
    found = pl.read_parquet(folder / "out" / "findings.parquet").iter_rows(named=True)
    return result, {
        (row["line_id"], row["rule_id"]): (row["verdict"], row["level"] or row["reason_code"]) for row in found
    }


def wanted_of(world: World) -> Answers:
    opinion = Opinion(world, POINTS)
    return {
        (line["line_id"], rule): told
        for line in world.lines
        for rule, told in opinion.of(line).items()
        if told is not None
    }


ABSENT = (
    frozenset[str](), frozenset({"settlements", "visits"}),
    frozenset({"diagnoses", "diagnosis_code", "special_disease_code"}), frozenset({"patient_id", "patient_id_number", "visits"}),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(len(ABSENT)), ids=lambda seed: "+".join(sorted(ABSENT[seed])) or "all")
def test_a_scan_agrees_with_the_second_opinion(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of them with staged lines that go to disk."""
    if seed == 0:
        monkeypatch.setattr(stages, "HELD_LINES", 100)
        monkeypatch.setattr(stages, "LINES_IN_MEMORY", 100)
    rng = Random(seed)
    world = random_world(rng, 1_500, ABSENT[seed])
    taken_back = refunds(rng, world)
    result, found = scan_world(world, taken_back, tmp_path, knowledge(tmp_path / "kb"))
    wanted = wanted_of(world)
    findings = {key: told for key, told in wanted.items() if told[0] != "not_judged"}
    lines = {line["line_id"]: line for line in world.lines}
    differing = [
        (key, found.get(key), findings.get(key), lines.get(key[0]))
        for key in found.keys() | findings.keys()
        if found.get(key) != findings.get(key)
    ]
    assert differing[:3] == []
    assert len(findings) > 100
    untold = Counter((rule, told[1]) for (_, rule), told in wanted.items() if told[0] == "not_judged")
    assert Counter({(each.rule_id, each.missing): each.lines for each in result.not_judged}) == untold


def world_of(document: dict[str, Any]) -> World:
    """A prescription as the tables of a scan."""
    usual = {
        "settlement_id": "",
        "institution_id": document["institution_id"],
        "patient_id": document["patient"]["id"],
        "amount_in_scope": "",
        "amount": "",
    }
    lines = [
        usual | {name: f"{value}" for name, value in line.items()} | {"visit_id": document["visit_id"], "service_time": document["service_time"]}
        for line in document["lines"]
    ]  # fmt: skip
    for line in document.get("history", ()):
        told = {name: f"{value}" for name, value in line.items() if name != "diagnoses"}
        lines.append(usual | told | {"is_context": "1", "diagnosis_code": ",".join(line.get("diagnoses", ()))})
    codes = [*document["diagnoses"], document.get("special_disease_code", "")]
    rows = [{"visit_id": document["visit_id"], "code": code} for code in codes if code]
    for line in lines:
        line["line_id"] = f"{document['visit_id']}/{line['line_id']}"
    return World(lines, {}, {}, rows, local=LOCAL)


def at_counter(rule: str, told: Told) -> Told:
    """The answer of the counter where a scan has this one: it does not know since when there are data, and lacks what nobody told."""
    if told is None or rule == SECOND:
        return told and ("not_judged", "earlier_drugs")
    return ("not_judged", "diagnoses") if told[1] == "diagnosis_missing" else told


def test_the_counter_agrees_with_the_second_opinion_and_with_a_scan(tmp_path: Path) -> None:
    rng, kb = Random(7), knowledge(tmp_path / "kb")
    documents = [random_document(rng, number) for number in range(600)]
    wanted: Answers = {}
    for document in documents:
        world = world_of(document)
        opinion = Opinion(world, POINTS)
        wanted |= {(line["line_id"], rule): told for line in world.lines for rule, told in opinion.of(line).items()}
    read = [read_prescription(each, source="处方", now=datetime(2026, 6, 1)) for each in documents]
    precheck, alone = Precheck.open(kb=[kb]), Precheck.open(kb=[kb])
    precheck.prepare()
    answers = [
        answer
        for start in range(0, len(read), 50)
        for answer in precheck.answer_together(read[start : start + 50], languages=["zh"] * 50)
    ]
    assert [alone.answer(each) for each in read[:60]] == answers[:60]
    answered: Answers = {}
    for document, answer in zip(documents, answers, strict=True):
        rows = [
            (row["line_id"], row["rule_id"], row["verdict"], row["level"] or row["reason_code"])
            for row in answer["findings"]
            if row["rule_id"]
        ]
        rows += [(each["line_id"], each["rule_id"], "not_judged", each["missing"]) for each in answer["not_judged"]]
        answered |= {(f"{document['visit_id']}/{line}", rule): (verdict, why) for line, rule, verdict, why in rows}
    expected = {key: told for key, each in wanted.items() if (told := at_counter(key[1], each)) is not None}
    differing = [
        (key, answered.get(key), expected.get(key))
        for key in answered.keys() | expected.keys()
        if answered.get(key) != expected.get(key)
    ]
    assert differing[:3] == []
    assert {told and told[1] for told in expected.values()} == {
        "suspect",
        "diagnosis_unspecified",
        "diagnoses",
        "earlier_drugs",
    }
    (tmp_path / "in.jsonl").write_text(
        "\n".join(json.dumps(each, ensure_ascii=False) for each in documents), encoding="utf-8"
    )
    scan(ScanRequest([tmp_path / "in.jsonl"], tmp_path / "out", kb=[kb], stage="settle"))
    found = {
        (f"{row['visit_id']}/{row['line_id']}", row["rule_id"]): (row["verdict"], row["level"] or row["reason_code"])
        for row in pl.read_parquet(tmp_path / "out" / "findings.parquet").iter_rows(named=True)
    }
    scanned = {key: told for key, told in wanted.items() if told is not None}
    differing = [
        (key, found.get(key), scanned.get(key))
        for key in found.keys() | scanned.keys()
        if found.get(key) != scanned.get(key)
    ]
    assert differing[:3] == []


HERE = {"service_time": "2026-06-01", "patient": {"id": "A", "sex": "1", "birth_date": "1970-01-01"}}
CHECKED = (
    Point(INDICATION, ("XA10BJS001B002010100001",), ("E11",)), Point(INDICATION, ("XD11AHD001B002010100001",), ("L20",)),
    Point(SECOND, ("XL02BGL001A001010100001",), classes=("XL02",)), Point(SECOND, ("XL02BGL002A001010100001",), classes=("XL02",)),
)  # fmt: skip
"""The first says what people check, the second only how it was published, the third both, the fourth the one in the words of the other."""


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Precheck:
    """A counter whose points have words."""
    words = (
        {"to_check": "此前的治疗"},
        {"evidence_text": "限特应性皮炎"},
        {"to_check": "一线药品无效的证据", "evidence_text": "限二线用药"},
        {"to_check": "一线药品无效的证据：化疗失败的患者", "evidence_text": "限化疗失败的患者。"},
    )
    kb = knowledge(tmp_path_factory.mktemp("kb") / "kb", CHECKED, words)
    return Precheck.open(kb=[kb])


def told_of(
    counter: Precheck, point: Point, *diagnoses: str, **head: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    answer = counter.check(
        {**HERE, "diagnoses": list(diagnoses), "lines": [{"line_id": "1", "item_code": point.codes[0]}], **head}
    )
    return answer, answer.get("to_check", [])


def test_what_no_data_tell_is_listed_to_check_and_is_no_finding(telling: Precheck) -> None:
    drug, text_only, second, repeating = CHECKED
    answer, check = told_of(telling, drug, "E11.900")
    assert (answer["verdict"], answer["findings"]) == ("clear", [])
    assert check == [{"line_id": "1", "rule_id": INDICATION, "item": "项目0", "text": "此前的治疗"}]
    # A finding says itself what it is about, and where a diagnosis fits nothing is left that only its text asks for.
    assert told_of(telling, drug, "I10.x00")[1] == [] == told_of(telling, text_only, "L20.900")[1]
    # Not judged: what the point asks for is all that there is to go by.
    assert [each["text"] for each in told_of(telling, text_only)[1]] == ["限特应性皮炎"]
    answer, check = told_of(telling, second)
    assert [each["missing"] for each in answer["not_judged"]] == ["earlier_drugs"]
    assert [each["text"] for each in check] == ["一线药品无效的证据（公布的原文：限二线用药）"]
    assert [each["text"] for each in told_of(telling, repeating)[1]] == ["一线药品无效的证据：化疗失败的患者"]
    earlier = {"item_code": "XL02BAA001A001010100001", "service_time": "2026-05-31"}
    answer, check = told_of(telling, second, history=[earlier])
    assert (answer["not_judged"], len(check)) == ([], 1)


def test_check_shows_it_in_both_languages(telling: Precheck) -> None:
    read = read_prescription(
        {**HERE, "lines": [{"item_code": CHECKED[2].codes[0]}]}, source="处方", now=datetime(2026, 6, 1)
    )
    for language, mark in (("zh", "[需核对] "), ("en", "[to check] ")):
        shown = answer_lines(read, telling.answer(read, language=language), language)
        assert [line for line in shown if line.strip().startswith(mark) and "一线药品无效的证据" in line]


@pytest.mark.parametrize("diagnoses", [{"code": "E11"}, 7, [["E11"]], [{"code": ["E11"]}]], ids=str)
def test_diagnoses_of_an_earlier_line_are_an_array_of_codes(diagnoses: object) -> None:
    line = {"item_code": "X", "service_time": "2026-01-01"}
    document = {"lines": [line], "history": [line | {"diagnoses": diagnoses}]}
    with pytest.raises(InputError, match=r"history\[0\]\.diagnoses 应为诊断编码的数组"):
        read_prescription(document, source="处方", now=datetime(2026, 6, 1))


@pytest.mark.parametrize(
    ("cells", "check"),
    [
        ({"indications": "C00-C97"}, "diagnoses"), ({"indications": "E1"}, "diagnoses"), ({"indications": "e11"}, "diagnoses"),
        ({"indications": "E11|"}, "diagnoses"), ({"unspecified": "E14"}, "diagnoses"), ({"drug_class": "L01 "}, "drug-class"),
        ({"drug_class": "XL01", "is_chronic": "yes"}, "diagnoses"), ({"indications": "E11", "drug_class": "XA10"}, "evidence"),
        ({"indications": "E11.9|*M01600", "unspecified": "E14", "is_chronic": "yes"}, None), ({"drug_class": "XL01|XL02"}, None),
    ],
)  # fmt: skip
def test_cells_that_no_judgment_can_read_are_faults(cells: dict[str, str], check: str | None) -> None:
    frame = pl.DataFrame({limit.name: [cells.get(limit.name, "")] for limit in EVIDENCE.limits})
    found = [name for name, _, where, _ in EVIDENCE.faults(frame) if frame.select(where).item()]
    assert found[:1] == ([] if check is None else [check])
