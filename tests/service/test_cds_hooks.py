"""CDS Hooks 2.0: draft orders as FHIR are judged like a prescription, and what cannot be mapped says so in a card."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from checker.ingest.prescription import read_prescription
from checker.service.fhir import read_question
from checker.service.settings import new_key
from tests.service.calls import MALE_ONLY, Answer, call
from tests.service.messages import ORDINARY
from tests.service.serving import Server, lean

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


V, H = {"system": "urn:nhsa", "code": MALE_ONLY}, {"system": "urn:nhsa", "code": ORDINARY}
SNOMED = {"system": "http://snomed.info/sct", "code": "310100000000001"}
LONG = "x" * 500


def coded(*codings: Any, number: str | None = "m1", **changes: Any) -> dict[str, Any]:
    return drug(number=number, medicationCodeableConcept={"coding": list(codings)}, **changes)


def entries(*listed: Any) -> dict[str, Any]:
    return hook(draftOrders={"resourceType": "Bundle", "entry": list(listed)})


def condition(subject: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "code": {"coding": [{"code": "I10.x00"}]}, "subject": subject}


MEDICATIONS = [{"resourceType": "Medication", "id": "a", "code": {"coding": [each]}} for each in (H, V)]
MALE = "限男性使用"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        # Two orders of one name, whichever way, stand beside each other.
        (hook(coded(V), coded(H)), [MALE]), (hook(coded(H), coded(V)), [MALE]),
        (hook(coded(V, number=f"{LONG}1"), coded(H, number=f"{LONG}2")), [MALE]),
        (hook(coded(V, number="#1"), coded(H, number=None)), [MALE]), (hook(coded(V, number="1\u200b"), coded(H, number="1")), [MALE]),
        (hook(coded(V), coded(V)), [MALE, MALE]),
        (hook(coded(V, resourceType="MedicationRequest ")), [MALE]),
        # What is no entry, and orders within others.
        (entries("x", {"resource": coded(H)}), ["entry[0]"]), (entries(None, {"resource": coded(V)}), [MALE, "entry[0]"]),
        (entries({"resource": coded(H)}, {}, {"resource": [coded(V)]}), ["entry[1]、entry[2]"]), (entries(*[0] * 9), ["9 条"]),
        (hook(coded(H, contained=[coded(V)])), ["contained 里有 1 条 MedicationRequest"]),
        (hook(coded(H, contained=coded(V))), ["contained 里有 1 条 MedicationRequest"]), (hook(coded(H, contained=["x"])), ["contained 里有 1 条 ?"]),
        (hook(coded(H, contained=[{"resourceType": "Practitioner", "id": "p"}])), []),
        (hook(coded(H), {"resourceType": "NutritionOrder"}, {"resourceType": "NutritionOrder"}), ["NutritionOrder 类的医嘱不审核（2 条）"]),
        # Every code counts, and the same one once; those of other systems do not.
        (hook(coded(H, V)), [MALE, "2 个不同"]), (hook(coded(V, H)), [MALE, "2 个不同"]), (hook(coded(V, V)), [MALE]),
        (hook(coded(H, V | {"code": MALE_ONLY.lower()})), [MALE, "2 个不同"]), (hook(coded(H, V | SNOMED)), []), (hook(coded(SNOMED)), ["SNOMED"]),
        (hook(coded(H, V | {"system": SNOMED["system"]})), [MALE, "2 个不同"]),
        (hook(coded(H, V | {"code": f"{MALE_ONLY[:-1]}O"})), [MALE, "不是国家医保编码", "2 个不同"]),
        (hook(coded(H, MALE_ONLY)), ["1 个编码无法读取"]), (hook(coded(H, {"code": 310100000000001})), ["1 个编码无法读取"]),
        (hook(drug(medicationCodeableConcept={"coding": V})), [MALE]),
        (hook(coded(H, medicationReference={"reference": "#a"}, contained=MEDICATIONS[1:])), [MALE, "2 个不同"]),
        (hook(drug(medicationCodeableConcept=None, medicationReference={"reference": "#a"}, contained=MEDICATIONS)), [MALE, "2 个不同"]),
        (hook(coded(H, V | {"code": MALE_ONLY[:20]})), [MALE, "2 个不同"]),
        (hook(coded(H, medicationReference={"reference": "Medication/none"})), ["另有 medicationReference"]),
        (hook(coded(H, medicationReference=[{"reference": "#a"}])), ["另有 medicationReference"]),
        (hook(coded(H, medication={"concept": {"coding": [V]}})), ["另有 medication，"]),
        (hook(drug(resourceType="ServiceRequest") | {"code": {"coding": [H]}}), ["另有 medicationCodeableConcept，"]),
        # Who nobody says to be the person of the context is not known.
        (hook(coded(V), prefetch={"patient": PATIENT | {"gender": "male", "id": None}}), ["性别", "不是 context.patientId"]),
        (hook(coded(V), prefetch={"patient": PATIENT | {"gender": "male", "id": "P2"}}), ["性别", "不是 context.patientId"]),
        (hook(coded(V), prefetch={"patient": PATIENT | {"gender": "male"}}, patientId=None), ["性别", "context.patientId 没有写明"]),
        (hook(coded(V), prefetch={"patient": PATIENT | {"gender": "male", "id": f"{LONG}1"}}, patientId=f"{LONG}2"), ["性别", "context.patientId"]),
        (hook(coded(V, subject={"reference": "Patient/P1"})), [MALE]), (hook(coded(V, subject={"reference": "http://h/Patient/P1/_history/2"})), [MALE]),
        (hook(coded(V, subject={"reference": "Patient/P2"})), ["（subject）不是"]),
        (hook(coded(H), prefetch={"patient": PATIENT, "conditions": condition({"reference": "Patient/P2"})}), ["诊断的患者（subject）不是"]),
        (hook(coded(H), prefetch={"patient": PATIENT, "conditions": condition(None)}), []),
        (hook(coded(H, reasonCode=[{"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}]}, {"text": "高血压"}])), ["1 条诊断没有"]),
        # Only one hook has selections, and one of what was not sent leaves nothing out.
        (hook(coded(V), coded(H, number="m2"), selections=["MedicationRequest/m2"]), [MALE]),
        (hook(coded(V), coded(H, number="m2"), name="order-select", selections=["MedicationRequest/m2", "MedicationRequest/x"]), [MALE]),
        (hook(coded(V), coded(H, number="m2"), name="order-select", selections=["MedicationRequest/m2", 1]), [MALE]),
        (hook(coded(V), coded(H), name="order-select", selections=["MedicationRequest/m1"]), [MALE]),
        (hook(coded(V), coded(H, number="m2"), name="order-select", selections=["MedicationRequest/m2"]), []),
    ],
)  # fmt: skip
def test_nothing_of_a_question_is_lost_without_a_card(server: Server, document: Any, said: list[str]) -> None:
    path = SELECT if document["hook"] == "order-select" else SIGN
    found = [card["detail"] for card in cards(server, document, path)]
    assert len(found) == len(said), found
    assert all(words in detail for words, detail in zip(said, found, strict=True)), found


def test_an_order_whose_name_is_shared_is_not_suggested_to_be_removed(server: Server) -> None:
    assert "suggestions" not in cards(server, hook(coded(V), coded(H)))[0]


@pytest.mark.parametrize(
    ("path", "document", "refusal"),
    [
        ("/cds-services/none", hook(drug()), (404, "not_found")), (SELECT, hook(drug()), (400, "bad_input")), (SIGN, [], (400, "bad_input")),
        (SIGN, hook(drug()) | {"context": 1}, (400, "bad_input")), (SIGN, hook(draftOrders=[]), (400, "bad_input")),
        (SIGN, hook(draftOrders={"resourceType": "Bundle", "entry": {"resource": drug()}}), (400, "bad_input")),
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

    with lean(tmp_path, settings) as server:
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


@pytest.mark.parametrize(
    ("duration", "days"),
    [
        ({"value": 14, "unit": "days", "code": "d"}, Decimal(14)),
        ({"value": 2, "code": "wk"}, Decimal(14)),
        ({"value": 7, "unit": "天"}, Decimal(7)),
        ({"value": 2, "code": "mo"}, None),
        ({"value": "7", "code": "d"}, None),
        ({"value": 7}, None),
        ("7 d", None),
        (None, None),
    ],
)
def test_for_how_many_days_an_order_is(duration: object, days: Decimal | None) -> None:
    """Told in days or weeks; what else it is nobody knows."""
    supply = {"quantity": {"value": 2}, "expectedSupplyDuration": duration}
    sent = hook(drug(dispenseRequest=supply))
    asked = read_question(sent["context"], sent["prefetch"], selects=False)
    read = read_prescription(asked.document, source="order", now=datetime(2026, 6, 1))
    assert [(item.quantity, item.days_supply) for item in read.items] == [("2.0000", days)]
