"""A service with a province's profile: every channel judges by its values, sees what came before, and says what it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.knowledge.terms_kb import CARE, FIRST, INJURY, LEVEL, ONLINE, terms_kb
from tests.service.calls import BEFORE, call, woman
from tests.service.messages import encounter, message, order, patient
from tests.service.serving import Server, serving

SIGN = "/cds-services/liangku-order-sign"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("province")
    terms_kb(folder)
    (folder / "own.toml").write_text(
        '[care_groups]\nchronic = ["门诊两病"]\n[fields]\npay_loc = ["reim_flag"]\n', encoding="utf-8"
    )
    with serving(folder, 'kb = "kb"\nprofile = "own.toml"\n') as running:
        yield running


def told(findings: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(each["verdict"], each["reason_code"]) for each in findings]


WORDS = [
    ("门诊两病", [("violation", None)]),
    ("急诊", []),
    ("体检", [("undetermined", "care_unknown")]),
    ("体检" * 5_000, [("undetermined", "care_unknown")]),
]


@pytest.mark.parametrize(("word", "expected"), WORDS, ids=["known", "national", "unknown", "long"])
def test_care_in_the_words_of_the_province(province: Server, word: str, expected: list[Any]) -> None:
    document = woman(CARE, care_type=word)
    answer = call(province.url, "/v1/check", document).document
    batch = call(province.url, "/v1/check/batch", [document]).document
    assert [told(each["findings"]) for each in (answer, *batch["answers"])] == [expected] * 2
    if word == "体检":
        assert ["[care_groups]" in each["unknown_values"][0]["how"] for each in (answer, *batch["answers"])] == [
            True
        ] * 2


@pytest.mark.parametrize(("word", "expected"), WORDS[:3], ids=["known", "national", "unknown"])
def test_care_in_the_words_of_the_province_in_3101(province: Server, word: str, expected: list[Any]) -> None:
    sent = message(patient(encounter(order(hilist_code=CARE), med_type=word, insutype=...)))
    results = call(province.url, BEFORE, sent).document["output"]["result"]
    assert [(each["rule_id"], each["sev_deg"]) for each in results] == [
        ("drug-visit-mode", "1" if verdict == "violation" else "3") for verdict, _ in expected
    ]


def test_3101_tells_insurance_level_place_and_a_drug_to_take_home(province: Server) -> None:
    def asked(code: str, order_says: dict[str, Any] | None = None, **says: Any) -> list[str]:
        sent = message(patient(encounter(order(hilist_code=code, **(order_says or {})), **says)))
        return [each["rule_id"] for each in call(province.url, BEFORE, sent).document["output"]["result"]]

    assert asked(INJURY, insutype="310") == ["GZ10000101001000"]
    assert asked(INJURY, insutype="工伤保险") == []
    assert asked(LEVEL, medins_lv="08") == ["GZ10000101012000"]
    assert asked(LEVEL, medins_lv="05") == []
    assert asked(ONLINE, reim_flag=5) == ["drug-online"]
    assert asked(ONLINE, reim_flag="2") == []
    assert asked(ONLINE, medins_name="某某互联网医院") == ["drug-online"]
    assert asked(CARE, med_type="11") == ["drug-visit-mode"]
    assert asked(CARE, {"drord_bhvr": "1"}, med_type="11") == []


def test_a_first_prescription_is_told_by_what_came_before(province: Server) -> None:
    def asked(*encounters: Any) -> list[str]:
        results = call(province.url, BEFORE, message(patient(*encounters))).document["output"]["result"]
        judged = (each for each in results if "没有判断" not in each["vola_cont"])
        return [each["judge_result_detail_dtos"][0]["rx_id"] for each in judged]

    def own(*orders: dict[str, Any]) -> dict[str, Any]:
        return encounter(order(hilist_code=FIRST), *orders, medins_lv="08")

    def past(day: str, code: str = FIRST) -> dict[str, Any]:
        return encounter(order(hilist_code=code, drord_begn_date=day), mdtrt_id="V0")

    assert asked(past("2025-12-01"), own()) == []
    assert asked(past("2025-12-01", LEVEL), own()) == asked(past("2024-01-01"), own()) == ["R1"]
    assert asked(own(order(rx_id="R0", hilist_code=FIRST, curr_drord_flag="0", drord_begn_date="2026-02-01"))) == []
    # Of two days of one encounter the first is the first; nobody says what was before it.
    assert asked(own(order(rx_id="R2", hilist_code=FIRST, drord_begn_date="2026-03-05 10:00:00"))) == []
    assert asked(
        past("2024-01-01"), own(order(rx_id="R2", hilist_code=FIRST, drord_begn_date="2026-03-05 10:00:00"))
    ) == ["R1"]
    history = [{"item_code": FIRST, "service_time": "2025-12-01"}]
    answers = [
        call(province.url, "/v1/check", woman(FIRST, institution_level="一级", history=each)).document
        for each in (history, [])
    ]
    assert [told(each["findings"]) for each in answers] == [[], [("violation", None)]]


def fhir(code: str, **resources: Any) -> list[dict[str, Any]]:
    order_ = {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "medicationCodeableConcept": {"coding": [{"code": code}]},
    }
    person = {"resourceType": "Patient", "id": "P1", "gender": "female", "birthDate": "1990-05-01"}
    context = {"userId": "Practitioner/1", "patientId": "P1", "encounterId": "E1",
               "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order_}]}}  # fmt: skip
    return {"hook": "order-sign", "hookInstance": "h", "context": context, "prefetch": {"patient": person, **resources}}


def visit(kind: str, **says: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "E1",
        "class": {"system": ACT_CODE, "code": kind},
        "subject": {"reference": "Patient/P1"},
        **says,
    }


def cover(*codes: str, system: str = "urn:nhsa:insutype", **says: Any) -> dict[str, Any]:
    coding = [{"system": system, "code": code} for code in codes]
    return {
        "resourceType": "Coverage",
        "status": "active",
        "type": {"coding": coding},
        "beneficiary": {"reference": "Patient/P1"},
        **says,
    }


FHIR: dict[str, tuple[str, dict[str, Any], int]] = {
    "inpatient": (CARE, {"encounter": visit("IMP")}, 0), "emergency": (CARE, {"encounter": visit("EMER")}, 0),
    "virtual": (ONLINE, {"encounter": visit("VR")}, 1), "in person": (ONLINE, {"encounter": visit("IMP")}, 0),
    "virtual, of another visit": (ONLINE, {"encounter": visit("VR", id="E2")}, 0),
    "virtual, of another patient": (ONLINE, {"encounter": visit("VR", subject={"reference": "Patient/P2"})}, 0),
    "virtual in a system of its own": (ONLINE, {"encounter": visit("VR", **{"class": {"system": "urn:x", "code": "VR"}})}, 0),
    "a class that is none": (ONLINE, {"encounter": visit("VR", **{"class": [7]})}, 0),
    "basic": (INJURY, {"coverage": cover("310")}, 1), "injury": (INJURY, {"coverage": cover("工伤保险")}, 0),
    "of HL7": (INJURY, {"coverage": cover("EHCPOL", system=ACT_CODE)}, 0), "cancelled": (INJURY, {"coverage": cover("310", status="cancelled")}, 0),
    "of another": (INJURY, {"coverage": cover("310", beneficiary={"reference": "Patient/P2"})}, 0),
    "two": (INJURY, {"coverage": {"resourceType": "Bundle", "entry": [{"resource": cover("310")}, {"resource": cover("510")}]}}, 0),
    "in words": (INJURY, {"coverage": cover(type={"text": "职工医保"})}, 1), "a type that is none": (INJURY, {"coverage": cover(type="310")}, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", FHIR)
def test_fhir_tells_only_what_it_says_plainly(province: Server, name: str) -> None:
    code, resources, count = FHIR[name]
    answer = call(province.url, SIGN, fhir(code, **resources))
    assert answer.status == 200, answer.body
    assert len([card for card in answer.document["cards"] if card["indicator"] == "critical"]) == count, answer.document
