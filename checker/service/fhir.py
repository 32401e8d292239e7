"""FHIR R4 resources of a question as a prescription's document, and what of them cannot be mapped; nothing is fetched from anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from checker.model.errors import InputError
from checker.model.schema import NATIONAL_CODE

_NATIONAL = re.compile(NATIONAL_CODE)
_DISEASE = re.compile(r"[A-Z][0-9]{2}(\.?[0-9A-Zx+*]{0,8})?", re.ASCII)
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CODE_OF = {"MedicationRequest": "medicationCodeableConcept", "ServiceRequest": "code"}
_TEXT_MOST = 500


@dataclass(slots=True)
class Question:
    """A prescription's document, and why parts of what was sent are not in it, each with the order that it is about."""

    document: dict[str, Any]
    untold: list[tuple[str, tuple[str, str]]] = field(default_factory=list)
    """Each: the reference of the order, empty where it is about all, and the sentence in Chinese and in English."""


def read_question(context: Mapping[str, Any], prefetch: Mapping[str, Any]) -> Question:
    """The draft orders of a context as lines, with the patient and the conditions of the prefetch. Raises InputError where there is no Bundle."""
    asked = Question({"stage": "prescribe"})
    patient_id = _text(context.get("patientId"))
    asked.document["patient"] = {"id": patient_id, **_patient(prefetch.get("patient"), patient_id, asked)}
    asked.document["visit_id"] = _text(context.get("encounterId"))
    orders = dict(_orders(context, asked))
    selected = context.get("selections")
    chosen = {each for each in selected if isinstance(each, str)} if isinstance(selected, list) else set()
    lines, codes = [], []
    for reference, order in orders.items():
        line = _line(reference, order, prefetch, asked)
        codes += _diseases(order.get("reasonCode"))
        if line is not None:
            # The others were told of when they were selected: they stand beside these.
            line["is_context"] = bool(chosen & orders.keys()) and reference not in chosen
            lines.append(line)
    for condition in _resources(prefetch.get("conditions"), "Condition"):
        codes += _diseases([condition.get("code")])
    asked.document["diagnoses"] = list(dict.fromkeys(codes))
    asked.document["lines"] = lines
    return asked


def identifiers(organization: object) -> list[str]:
    """The numbers of an Organization."""
    if not isinstance(organization, dict) or organization.get("resourceType") != "Organization":
        return []
    return [text for each in _list(organization.get("identifier")) if (text := _text(each.get("value")))]


def _patient(patient: object, patient_id: str | None, asked: Question) -> dict[str, Any]:
    if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
        said = (
            "没有收到患者（prefetch.patient），性别和年龄的规则无法判断",
            "No Patient in the prefetch: what depends on sex or age cannot be judged",
        )
    elif patient_id is not None and _text(patient.get("id")) not in (None, patient_id):
        said = (
            "收到的患者不是 context.patientId 所指的人，其性别和年龄没有采用",
            "The Patient sent is not the one of the context: sex and birth date were not used",
        )
    else:
        # Where one is missing, the rules that need it say so themselves.
        gender, birth = patient.get("gender"), patient.get("birthDate")
        return {
            "sex": gender if gender in ("male", "female") else None,
            "birth_date": birth if isinstance(birth, str) and _DAY.fullmatch(birth) else None,
        }
    asked.untold.append(("", said))
    return {}


def _orders(context: Mapping[str, Any], asked: Question) -> Iterator[tuple[str, Mapping[str, Any]]]:
    bundle = context.get("draftOrders")
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise InputError("context.draftOrders 应为 FHIR 的 Bundle（a Bundle of draft orders is expected）")
    entries = _list(bundle.get("entry"))
    for number, entry in enumerate(entries):
        resource = entry.get("resource")
        kind = _text(resource.get("resourceType")) if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or kind not in _CODE_OF:
            # A Medication beside the orders is what one of them refers to.
            if kind != "Medication":
                name = kind or "?"
                asked.untold.append(("", (f"{name} 类的医嘱不审核", f"Orders of the kind {name} are not reviewed")))
            continue
        if resource.get("doNotPerform") is True:
            continue
        yield f"{kind}/{_text(resource.get('id')) or f'#{number}'}", resource


def _line(
    reference: str, order: Mapping[str, Any], prefetch: Mapping[str, Any], asked: Question
) -> dict[str, Any] | None:
    concept = order.get(_CODE_OF[str(order["resourceType"])])
    if concept is None and isinstance(order.get("medicationReference"), dict):
        concept = _medication(order, prefetch)
    codings = _list(concept.get("coding")) if isinstance(concept, dict) else []
    codes = [(code, coding) for coding in codings if (code := _text(coding.get("code")))]
    code, coding = next((each for each in codes if _NATIONAL.fullmatch(each[0])), codes[0] if codes else (None, {}))
    name = _text(coding.get("display")) or _text(concept.get("text") if isinstance(concept, dict) else None)
    if code is None:
        shown = f"“{name}”" if name else reference
        asked.untold.append(
            (reference, (f"{shown}没有编码，没有审核", f"{name or reference} has no coding, and was not reviewed"))
        )
        return None
    return {"line_id": reference, "item_code": code, "item_name": name, "quantity": _quantity(order)}


def _medication(order: Mapping[str, Any], prefetch: Mapping[str, Any]) -> object:
    """What the Medication says that an order refers to: one within it, or in the prefetch."""
    wanted = _text(order["medicationReference"].get("reference")) or ""
    held = (
        _list(order.get("contained"))
        if wanted.startswith("#")
        else _resources(prefetch.get("medications"), "Medication")
    )
    name = wanted.rpartition("/")[2].removeprefix("#")
    return next(
        (each.get("code") for each in held if each.get("id") == name and each.get("resourceType") == "Medication"), None
    )


def _quantity(order: Mapping[str, Any]) -> float | int | None:
    supply = order.get("dispenseRequest")
    held = supply.get("quantity") if isinstance(supply, dict) else order.get("quantityQuantity")
    value = held.get("value") if isinstance(held, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e12 else None


def _diseases(concepts: object) -> list[str]:
    """The codes of ICD-10 in concepts; those of other systems mean something else."""
    return [
        code
        for concept in _list(concepts)
        for coding in _list(concept.get("coding"))
        if (code := _text(coding.get("code")))
        and _DISEASE.fullmatch(code)
        and "snomed" not in str(coding.get("system"))
    ]


def _resources(bundle: object, kind: str) -> list[dict[str, Any]]:
    """The resources of a kind in a Bundle, or the one that stands in its place."""
    if not isinstance(bundle, dict):
        return []
    found = (
        [bundle]
        if bundle.get("resourceType") == kind
        else [each.get("resource") for each in _list(bundle.get("entry"))]
    )
    return [each for each in found if isinstance(each, dict) and each.get("resourceType") == kind]


def _list(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    if not isinstance(value, str) or any("\ud800" <= sign <= "\udfff" for sign in value):
        return None
    return value.strip()[:_TEXT_MOST] or None
