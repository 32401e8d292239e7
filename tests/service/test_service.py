"""The running service says what the counter says, remembers what was decided, and speaks the national interface."""

from __future__ import annotations

import itertools
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from checker.precheck.counter import Precheck
from tests.commands import liangku
from tests.service import messages
from tests.service.calls import BEFORE, FEEDBACK, MALE_ONLY, call, found, woman
from tests.service.serving import Server, lean

OF_THE_SERVICE = {"rules", "reviewed", "acknowledged"}
CONTINUED = {"decision": "continue", "reason_code": "verified_person", "operator": "D1", "second_operator": "D2"}
CHILD_LIMITED = "波生坦分散片"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def precheck() -> Precheck:
    """The counter on the embedded knowledge."""
    return Precheck.open()


def new_visit() -> dict[str, str]:
    """A visit that no other test has."""
    return {"visit_id": f"visit-{next(_numbers)}", "institution_id": "H37081100001"}


def checked(server: Server, document: object, query: str = "") -> Any:
    """The answer to one prescription."""
    answer = call(server.url, f"/v1/check{query}", document)
    assert answer.status == 200, answer.document
    return answer.document


def definite() -> dict[str, Any]:
    """A prescription, in a new visit, of what a grown-up must not take."""
    return woman(lines=[{"line_id": "1", "by_name": True, "item_name": CHILD_LIMITED}], **new_visit())


# ---- checks ----


@pytest.mark.parametrize(
    "document",
    [
        woman(),
        woman(patient={"sex": "M", "birth_date": "1990-05-01"}),
        woman(patient={}),
        woman("L0001"),
        woman("330100005000000"),
        woman(service_time="2020-01-01"),
        woman(colour="red", visit_id="V9", institution_id="H37081100001"),
        woman(lines=[{"by_name": True, "item_name": "爱普列特片"}]),
    ],
    ids=["violation", "clear", "undetermined", "local-code", "uncovered", "not-in-force", "ignored", "by-name"],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_check_says_what_the_counter_says(
    server: Server, precheck: Precheck, document: dict[str, Any], language: str
) -> None:
    answer = checked(server, document, f"?lang={language}")
    same = {key: value for key, value in answer.items() if key not in OF_THE_SERVICE}
    counter = precheck if language == "zh" else Precheck.open(language="en")
    assert same == json.loads(json.dumps(counter.check(document)))
    assert (answer["reviewed"], answer["acknowledged"]) == (True, [])
    assert answer["rules"] == {"hash": precheck.plan.hash}


def test_a_batch_gives_each_prescription_its_own_answer(server: Server) -> None:
    documents = [woman(), woman("330100005000000"), woman("L0001")]
    answers = call(server.url, "/v1/check/batch", documents).document["answers"]
    assert answers == [checked(server, document) for document in documents]
    assert [answer["verdict"] for answer in answers] == ["violation", "clear", "undetermined"]


def test_a_fault_in_a_batch_is_told_in_its_place_and_the_others_are_judged(server: Server) -> None:
    named = woman(lines=[{"by_name": True, "item_name": "爱普利特片"}])
    many = woman(diagnoses=["N40.x00"] * 600)
    sent = [woman(lines=[]), woman(), "x", named, many, woman("330100005000000")]
    answers = call(server.url, "/v1/check/batch", sent).document["answers"]
    assert [each.get("verdict") for each in answers] == [None, "violation", None, None, None, "clear"]
    assert answers[1] == checked(server, woman())
    for number, said in ((0, "[0]：lines"), (2, "[2]：处方"), (3, "爱普列特片"), (4, "600")):
        assert answers[number].keys() == {"error"}
        assert answers[number]["error"]["code"] == "bad_input"
        assert said in answers[number]["error"]["message"]


def test_a_batch_of_faults_alone_is_answered(server: Server) -> None:
    answer = call(server.url, "/v1/check/batch", [{}, 1])
    assert (answer.status, [each["error"]["code"] for each in answer.document["answers"]]) == (200, ["bad_input"] * 2)


def test_a_name_that_no_item_has_is_refused_with_the_nearest(server: Server) -> None:
    answer = call(server.url, "/v1/check", woman(lines=[{"by_name": True, "item_name": "爱普利特片"}]))
    assert answer.refusal == (400, "bad_input")
    assert "爱普列特片" in answer.document["error"]["message"]


def test_cards_are_sent_to_who_asks_for_cards(server: Server) -> None:
    answer = call(server.url, "/v1/check", woman(), headers={"Accept": "application/vnd.cds-hooks+json"})
    finding = found(checked(server, woman()))
    (card,) = answer.document["cards"]
    assert answer.headers["content-type"] == "application/vnd.cds-hooks+json"
    assert (card["uuid"], card["indicator"]) == (finding["finding_id"], "warning")
    assert finding["message"] in card["detail"]
    assert [reason["code"] for reason in card["overrideReasons"]][:2] == ["verified_person", "diagnosis_supports"]


def test_reasons_fit_what_the_finding_judges_and_all_are_accepted(server: Server) -> None:
    """A person is verified where a person was judged, the terms of payment where these were."""
    asked = {
        "insurance_type": "310",
        "patient": {"sex": "F", "age": 35},
        "lines": [{"item_name": "疤痕止痒软化膏", "by_name": True}],
    }
    accept = {"Accept": "application/vnd.cds-hooks+json"}
    codes = {}
    for name, document in (("person", woman()), ("line", asked)):
        [card] = call(server.url, "/v1/check", document, headers=accept).document["cards"]
        codes[name] = [reason["code"] for reason in card["overrideReasons"]]
    usual = ["diagnosis_supports", "data_error", "rule_wrong", "emergency", "self_paid", "other"]
    assert [code for code in codes["person"] if code not in usual] == ["verified_person", "relative_use"]
    assert codes["line"] == ["verified_terms", *usual]
    options = call(server.url, "/v1/knowledge").document["options"]
    assert options["judges"]["drug-injury-insurance"] == "line"
    assert "drug-sex" not in options["judges"]
    assert {each["code"]: each["judges"] for each in options["reasons"] if each["judges"]} == {
        "verified_person": "person", "verified_terms": "line", "relative_use": "person",
    }  # fmt: skip
    finding_id = found(checked(server, asked))["finding_id"]
    for code in ("verified_person", "verified_terms"):
        given = CONTINUED | {"finding_id": finding_id, "reason_code": code}
        assert call(server.url, "/v1/feedback", given).status in (200, 201), code


def test_what_was_not_judged_has_one_card_for_what_was_not_told(server: Server) -> None:
    lines = [{"item_name": name, "by_name": True} for name in ("参附注射液", "艾迪注射液", "安宫牛黄丸")]
    cards = call(
        server.url, "/v1/check?lang=zh", {"lines": lines}, headers={"Accept": "application/vnd.cds-hooks+json"}
    ).document["cards"]
    assert [(card["summary"], card["indicator"]) for card in cards] == [
        ("有 2 项没有判断，不等于没有问题：不知道医疗机构等级", "info"),
        ("有 1 项没有判断，不等于没有问题：不知道医疗类别", "info"),
    ]


# ---- look-ups ----


@pytest.mark.parametrize("text", [MALE_ONLY, MALE_ONLY[:12], "爱普列特片", "爱普列", "aipulietepian", "aplt"])
def test_points_are_found_by_code_name_and_initials(server: Server, text: str) -> None:
    from urllib.parse import quote

    answer = call(server.url, f"/v1/points?q={quote(text)}").document
    assert answer["q"] == text
    assert ("爱普列特片", "drug-sex") in {(item["item_name"], item["rule_id"]) for item in answer["items"]}


@pytest.mark.parametrize("query", ["", "?q=", "?q=a&limit=0", "?q=a&limit=101", f"?q={'a' * 101}", "?q=a&lang=fr"])
def test_a_search_that_cannot_be_read_is_refused(server: Server, query: str) -> None:
    assert call(server.url, f"/v1/points{query}").refusal == (400, "bad_input")


def test_rules_are_told_together_and_one_by_one(server: Server, precheck: Precheck) -> None:
    rules = call(server.url, "/v1/rules").document["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in precheck.plan.rules]
    assert call(server.url, "/v1/rules/drug-sex").document in rules
    assert call(server.url, "/v1/rules/none").refusal == (404, "not_found")


def test_the_words_of_all_codes_are_told_and_lie_in_the_pages(server: Server) -> None:
    told = call(server.url, "/v1/words").document
    assert told["remark"]["duplicate"] == {"zh": "重复上传，只算一次", "en": "uploaded twice, counted once"}
    assert told["action"]["confirm"]["zh"] == "写明理由后才能继续"
    for page in ("/", "/ledger"):
        with urllib.request.urlopen(server.url + page, timeout=20) as response:
            html = response.read().decode()
        held = re.search(r'<script type="application/json" id="catalogue">(.*?)</script>', html)
        assert held is not None
        assert json.loads(held[1]) == told


def test_the_knowledge_in_use_is_told(server: Server, precheck: Precheck) -> None:
    told = call(server.url, "/v1/knowledge").document
    assert (told["version"], told["hash"], told["rules"]["hash"]) == (
        precheck.version,
        precheck.hash,
        precheck.plan.hash,
    )
    assert told["options"]["two_person"] is True
    assert len(told["options"]["reasons"]) == 9


def test_the_ledger_lists_points_with_the_level_they_give(server: Server) -> None:
    document = call(server.url, "/v1/ledger").document
    own = next(row for row in document["points"] if row["item_name"] == "爱普列特片" and row["rule_id"] == "drug-sex")
    assert len(document["points"]) > 1000
    assert (own["level"], "XG04CBA088A001" in own["codes"]) == ("suspect", True)


def test_a_trace_code_is_known_once_it_was_linked(server: Server) -> None:
    assert call(server.url, "/v1/trace/83000010000000000001").refusal == (404, "not_found")
    asked = {"trace_code": "83000010000000000001", "item_code": MALE_ONLY.lower(), "item_name": "爱普列特片"}
    linked = call(server.url, "/v1/trace", asked)
    assert linked.document == {"prefix": "8300001", "item_code": MALE_ONLY, "item_name": "爱普列特片"}
    # Another package of the same drug.
    assert call(server.url, "/v1/trace/83000019999999999999").document == linked.document


@pytest.mark.parametrize("code", ["1", "8300001000000000000a", "８３００００１００００００００００００１", "8" * 21])
def test_what_is_no_trace_code_is_refused(server: Server, code: str) -> None:
    from urllib.parse import quote

    assert call(server.url, f"/v1/trace/{quote(code)}").refusal == (400, "bad_input")


# ---- feedback ----


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"reason_code": None}, "reason_code"),
        ({"reason_code": "because"}, "reason_code"),
        ({"reason_code": "other"}, "reason"),
        ({"decision": "later"}, "decision"),
        ({"reason": "长" * 501}, "reason"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_feedback_that_says_too_little_or_too_much_is_refused(server: Server, change: Any, told: str) -> None:
    finding = found(checked(server, woman(**new_visit())))
    answer = call(server.url, "/v1/feedback", CONTINUED | {"finding_id": finding["finding_id"]} | change)
    assert answer.refusal == (400, "bad_input")
    assert told in answer.document["error"]["message"]


def test_changing_needs_no_reason(server: Server) -> None:
    finding = found(checked(server, woman(**new_visit())))
    answer = call(server.url, "/v1/feedback", {"finding_id": finding["finding_id"], "decision": "change"})
    assert answer.document == {"accepted": 1, "unknown": []}


def test_feedback_on_what_was_never_shown_is_told(server: Server) -> None:
    known = found(checked(server, woman(**new_visit())))["finding_id"]
    rows = [CONTINUED | {"finding_id": name} for name in ("never-shown", known)]
    assert call(server.url, "/v1/feedback", {"feedback": rows}).document == {"accepted": 1, "unknown": ["never-shown"]}


@pytest.mark.parametrize("second", [None, "D1"])
def test_a_definite_finding_is_not_continued_by_one_person(server: Server, second: str | None) -> None:
    document = definite()
    given = CONTINUED | {"finding_id": found(checked(server, document))["finding_id"], "second_operator": second}
    answer = call(server.url, "/v1/feedback", given)
    assert answer.refusal == (400, "bad_input")
    assert answer.document["error"]["message"].startswith("second_operator")
    assert len(checked(server, document)["findings"]) == 1


def test_a_definite_finding_is_continued_by_two_persons(server: Server) -> None:
    document = definite()
    given = CONTINUED | {"finding_id": found(checked(server, document))["finding_id"]}
    assert call(server.url, "/v1/feedback", given).document == {"accepted": 1, "unknown": []}
    assert checked(server, document)["findings"] == []


def test_what_was_acknowledged_is_shown_again_only_in_another_visit(server: Server) -> None:
    visit = new_visit()
    finding = found(checked(server, woman(**visit)))
    call(server.url, "/v1/feedback", CONTINUED | {"finding_id": finding["finding_id"]})
    again = checked(server, woman(**visit))
    assert (again["verdict"], again["findings"], again["acknowledged"]) == ("clear", [], [finding["finding_id"]])
    assert checked(server, woman(**new_visit()))["verdict"] == "violation"
    assert checked(server, woman())["verdict"] == "violation"


def test_an_answer_of_a_batch_has_its_own_acknowledged_findings(server: Server) -> None:
    visit = new_visit()
    finding = found(checked(server, woman(**visit)))
    call(server.url, "/v1/feedback", CONTINUED | {"finding_id": finding["finding_id"]})
    answers = call(server.url, "/v1/check/batch", [woman(**new_visit()), woman(**visit)]).document["answers"]
    assert [answer["acknowledged"] for answer in answers] == [[], [finding["finding_id"]]]


# ---- the national interface ----


def test_a_message_is_answered_and_its_feedback_counted(tmp_path: Path) -> None:
    with lean(tmp_path) as server:
        asked = call(server.url, BEFORE, messages.message()).document
        (result,) = asked["output"]["result"]
        given = {"warn_rslt_id": result["jr_id"], "dspo_way": "1", "dspo_way_rea": "已核对用药人"}
        answer = call(server.url, FEEDBACK, messages.feedback(given)).document
        assert (asked["infcode"], answer["infcode"]) == (0, 0)
        told = liangku("feedback", "report", server.data / "feedback.sqlite", "--json")
    counted = json.loads(told.stdout)
    total = counted["total"]
    assert (told.returncode, total["shown"], total["continued"], total["changed"]) == (0, 1, 1, 0)


def test_the_same_message_twice_gives_the_same_result_ids(server: Server) -> None:
    ids = [
        [result["jr_id"] for result in call(server.url, BEFORE, message).document["output"]["result"]]
        for message in [messages.message()] * 2
    ]
    assert len(ids[0]) == 1
    assert ids[0] == ids[1]


def test_one_address_takes_all_transactions(server: Server) -> None:
    assert call(server.url, "/fsi/api", messages.message()).document["output"]["result"]
    answer = call(server.url, "/fsi/api", messages.message(infno="9999")).document
    assert (answer["infcode"], "9999" in answer["err_msg"]) == (-1, True)


def test_hainan_sends_its_own_names_and_reads_one_object(tmp_path: Path) -> None:
    data = messages.message()["input"]["data"]
    (person,) = data.pop("patient_dtos")
    (visit,) = person.pop("fsi_encounter_dtos")
    renamed = {
        "encounterDtos": [
            visit | {"diagnoseDtos": visit.pop("fsi_diagnose_dtos"), "orderDtos": visit.pop("fsi_order_dtos")}
        ]
    }
    sent = messages.message(infno="3660", input={"trigScen": data | {"patientDtos": [person | renamed]}})
    with lean(tmp_path, 'profile = "hainan"\n') as server:
        answer = call(server.url, "/fsi/api", sent).document
    assert answer["infcode"] in (0, "0"), answer
    assert "爱普列特片" in answer["output"]["result"]["vola_cont"]


def test_undetermined_findings_that_a_province_omits_are_in_the_audit_log(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('name = "本省"\nundetermined = "omit"\n', encoding="utf-8")
    with lean(tmp_path, 'profile = "own.toml"\n') as server:
        answer = call(server.url, BEFORE, messages.message(messages.patient(gend="9"))).document
        records = [json.loads(line) for line in (server.data / "audit.jsonl").read_text("utf-8").splitlines()]
    assert (answer["infcode"], answer["output"]["result"]) == (0, [])
    (record,) = [record for record in records if record["kind"] == "answer"]
    assert (len(record["omitted"]), record["shown"]) == (1, [])
