"""CDS Hooks 2.0: draft orders as FHIR are judged like a prescription, and what cannot be mapped says so in a card."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from checker.service.settings import new_key
from tests.service.calls import MALE_ONLY, Answer, call
from tests.service.messages import ORDINARY
from tests.service.serving import Server, serving

SIGN, SELECT = "/cds-services/liangku-order-sign", "/cds-services/liangku-order-select"
PATIENT = {"resourceType": "Patient", "id": "P1", "gender": "female", "birthDate": "1990-05-01"}


def drug(code: str | None = MALE_ONLY, number: str | None = "m1", **changes: Any) -> dict[str, Any]:
    coding = (
        [{"system": "urn:local", "code": "Y1"}, {"system": "urn:nhsa", "code": code, "display": "爱普列特片"}]
        if code
        else []
    )
    concept = {"coding": coding, "text": "爱普列特片"}
    order = {
        "resourceType": "MedicationRequest", "id": number, "status": "draft", "intent": "order", "medicationCodeableConcept": concept,
        "dispenseRequest": {"quantity": {"value": 2}},
    }  # fmt: skip
    return {key: value for key, value in (order | changes).items() if value is not None}


def hook(*orders: Any, name: str = "order-sign", prefetch: Any = ..., **context: Any) -> dict[str, Any]:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": order} for order in orders]}
    held = {"userId": "Practitioner/1", "patientId": "P1", "encounterId": str(uuid4()), "draftOrders": bundle} | context
    sent = {"patient": PATIENT} if prefetch is ... else prefetch
    return {"hook": name, "hookInstance": str(uuid4()), "context": held, "prefetch": sent}


def cards(server: Server, document: Any, path: str = SIGN) -> list[dict[str, Any]]:
    answer = call(server.url, path, document)
    assert answer.status == 200, answer.body
    return list(answer.document["cards"])


def test_the_services_are_told_with_what_they_need(server: Server) -> None:
    services = call(server.url, "/cds-services").document["services"]
    assert {(each["id"], each["hook"]) for each in services} == {
        ("liangku-order-select", "order-select"),
        ("liangku-order-sign", "order-sign"),
    }
    assert services[0]["prefetch"]["patient"] == "Patient/{{context.patientId}}"


def test_a_draft_order_is_judged_and_may_be_removed(server: Server) -> None:
    [card] = cards(server, hook(drug(), drug(ORDINARY, "m2")))
    assert (card["indicator"], "爱普列特片" in card["summary"]) == ("warning", True)
    [suggestion] = card["suggestions"]
    assert suggestion["actions"] == [
        {"type": "delete", "description": "取消这条医嘱", "resourceId": "MedicationRequest/m1"}
    ]
    assert card["selectionBehavior"] == "at-most-one"
    assert {each["code"] for each in card["overrideReasons"]} >= {"verified_person", "other"}
    assert cards(server, hook(drug(), prefetch={"patient": PATIENT | {"gender": "male"}})) == []


def test_a_service_request_and_a_medication_that_is_referred_to_are_read(server: Server) -> None:
    concept = drug().pop("medicationCodeableConcept")
    medication = {"resourceType": "Medication", "id": "med1", "code": concept}
    within = drug(medicationCodeableConcept=None, medicationReference={"reference": "#med1"}, contained=[medication])
    beside = drug(medicationCodeableConcept=None, medicationReference={"reference": "Medication/med1"})
    held = {"patient": PATIENT, "medications": {"resourceType": "Bundle", "entry": [{"resource": medication}]}}
    assert len(cards(server, hook(within))) == len(cards(server, hook(beside, prefetch=held))) == 1
    service = {"resourceType": "ServiceRequest", "id": "s1", "code": concept}
    assert cards(server, hook(service))[0]["suggestions"][0]["actions"][0]["resourceId"] == "ServiceRequest/s1"


def test_of_a_selection_only_the_selected_orders_are_told_of(server: Server) -> None:
    def asked(*selections: str) -> list[Any]:
        orders = (drug(), drug(number="m2"))
        return cards(server, hook(*orders, name="order-select", selections=list(selections)), SELECT)

    assert [len(asked("MedicationRequest/m2")), len(asked()), len(asked("MedicationRequest/other"))] == [1, 2, 2]
    assert asked("MedicationRequest/m2")[0]["suggestions"][0]["actions"][0]["resourceId"] == "MedicationRequest/m2"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (hook(drug(None)), "没有编码"), (hook(drug(medicationCodeableConcept=None)), "没有编码"),
        (hook(drug(medicationCodeableConcept=[1], medicationReference={"reference": [1]})), "没有编码"),
        (hook(drug(), prefetch=None), "没有收到患者"), (hook(drug(), prefetch={"patient": {"resourceType": "OperationOutcome"}}), "没有收到患者"),
        (hook(drug(), prefetch={"patient": PATIENT | {"id": "P2"}}), "不是 context.patientId"), (hook(), "没有可审核的医嘱"),
        (hook({"resourceType": "NutritionOrder"}), "NutritionOrder"), (hook(drug(doNotPerform=True)), "没有可审核的医嘱"),
        (hook(drug(), prefetch={"patient": PATIENT | {"gender": "unknown"}}), "性别"), (hook(drug("Y2")), "不是国家医保编码"),
    ],
)  # fmt: skip
def test_what_cannot_be_mapped_or_judged_is_a_card(server: Server, document: Any, said: str) -> None:
    found = cards(server, document)
    assert any(said in card["detail"] for card in found), found
    assert not [card for card in found if card["indicator"] == "critical"]


@pytest.mark.parametrize(
    ("path", "document", "refusal"),
    [
        ("/cds-services/none", hook(drug()), (404, "not_found")), (SELECT, hook(drug()), (400, "bad_input")), (SIGN, [], (400, "bad_input")),
        (SIGN, hook(drug()) | {"context": 1}, (400, "bad_input")), (SIGN, hook(draftOrders=[]), (400, "bad_input")),
        (f"{SIGN}/feedback", {"feedback": []}, (400, "bad_input")),
        (f"{SIGN}/feedback", {"feedback": [{"card": "x", "outcome": "accepted"}]}, (404, "not_shown")),
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused(server: Server, path: str, document: Any, refusal: Any) -> None:
    assert call(server.url, path, document).refusal == refusal


def test_who_goes_on_says_why_and_is_not_told_again(server: Server) -> None:
    asked = hook(drug(), encounterId="E-again")
    [card] = cards(server, asked)

    def decided(**more: Any) -> Answer:
        entry = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-03-01T10:00:00Z", **more}
        return call(server.url, f"{SIGN}/feedback", {"feedback": [entry]})

    assert decided().refusal == (400, "bad_input")
    assert decided(overrideReason={"reason": {"code": "verified_person"}}).document == {"accepted": 1, "unknown": []}
    assert cards(server, asked) == []


def test_a_key_for_institutions_asks_for_those_alone(tmp_path: Any) -> None:
    (one, first), (two, second) = new_key("one"), new_key("two")
    settings = f'{first}\ninstitutions = ["H1"]\n{second}\ninstitutions = ["H1", "H2"]\n'

    def organization(number: str) -> dict[str, Any]:
        return {"patient": PATIENT, "organization": {"resourceType": "Organization", "identifier": [{"value": number}]}}

    with serving(tmp_path, settings) as server:
        for key, held, status in (
            (one, ..., 200),
            (two, ..., 403),
            (two, organization("H2"), 200),
            (two, organization("H3"), 403),
        ):
            answer = call(server.url, SIGN, hook(drug(), prefetch=held), headers={"Authorization": f"Bearer {key}"})
            assert answer.status == status
        assert (
            "没有写明机构"
            in call(server.url, SIGN, hook(drug()), headers={"X-API-Key": two}).document["error"]["message"]
        )
