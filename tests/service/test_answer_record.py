"""What the audit log has of an answer becomes the rows of the store, whichever version wrote it."""

from __future__ import annotations

import json

import msgspec

from checker.service import answer_record
from checker.service.answer_record import About, AnswerRecord
from checker.service.store import Shown

FINDING = {
    "finding_id": "f1", "item_code": "XG01AAH038A009010109670", "item_name": None, "rule_id": None, "point_id": "p1",
    "verdict": "violation", "level": "definite", "reason_code": None, "amount": 35.0, "kb_version": "2026",
}  # fmt: skip
ABOUT = About("H37081100001", "V1", "who", "2026-03-01")
ROW = Shown(
    "f1", "2026-03-01T02:00:00.000Z", "dispense", "V1", None, "H37081100001", "XG01AAH038A009010109670", None, "unknown_code",
    "p1", "violation", "definite", None, 35.0, "2026", "native", 7, "who", "2026-03-01",
)  # fmt: skip


def test_a_record_has_its_members_in_order_and_those_without_value_not_at_all() -> None:
    told = answer_record.shown_findings([("j1", FINDING)], ABOUT, lambda _: ABOUT)
    record = AnswerRecord("national", "dispense", None, "V1", "2026", "k", "r", 5, told, infno="3101", context=0)
    written = json.loads(msgspec.json.encode(record))
    assert list(written) == [
        "channel", "stage", "institution_id", "visit_id", "kb", "kb_hash", "rules", "lines", "shown", "infno", "context",
    ]  # fmt: skip
    assert list(written["shown"][0]) == [
        "id", "item_code", "item_name", "rule_id", "point_id", "verdict", "level", "reason_code", "amount", "kb_version",
        "person", "day",
    ]  # fmt: skip
    assert written["shown"][0]["id"] == "j1"


def test_a_record_becomes_the_same_rows_at_once_and_from_the_log() -> None:
    told = answer_record.shown_findings([("f1", FINDING)], ABOUT, lambda _: ABOUT)
    record = AnswerRecord("native", "dispense", "H37081100001", "V1", "2026", "k", "r", 5, told)
    assert list(answer_record.rows(record, ROW.at, ROW.seq)) == [ROW]
    logged = {
        "seq": 7,
        "at": ROW.at,
        "kind": "answer",
        **json.loads(msgspec.json.encode(record)),
        "prev": "0",
        "hash": "1",
    }
    assert list(answer_record.rows_of(logged)) == [ROW]


def test_members_that_another_version_wrote_otherwise_do_not_matter() -> None:
    shown = {"id": "f1", **{key: value for key, value in FINDING.items() if key != "finding_id"}, "later": [1]}
    logged = {
        "seq": 7, "at": ROW.at, "kind": "answer", "channel": "native", "stage": "dispense", "institution_id": "H37081100001",
        "visit_id": "V1", "kb": None, "lines": "5", "context": {}, "shown": [shown], "prev": "0", "hash": "1",
    }  # fmt: skip
    # An acknowledgement of what does not say whose it was holds for nobody.
    assert list(answer_record.rows_of(logged)) == [ROW._replace(person=None, day=None)]


def test_a_finding_of_another_visit_in_one_record_keeps_its_own() -> None:
    first, other = ABOUT, ABOUT._replace(visit_id="V2", person="other")
    told = answer_record.shown_findings([("f1", FINDING), ("f2", FINDING)], first, lambda _: other)
    record = AnswerRecord("native", "dispense", "H37081100001", "V1", "2026", "k", "r", 5, told)
    logged = {"seq": 7, "at": ROW.at, **json.loads(msgspec.json.encode(record))}
    assert {(row.visit_id, row.institution_id, row.person) for row in answer_record.rows_of(logged)} == {
        ("V2", "H37081100001", "other")
    }
