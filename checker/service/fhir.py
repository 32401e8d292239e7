"""FHIR R4 resources of a question as a prescription's document, and what of them cannot be mapped; nothing is fetched from anywhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from checker.ingest.values import read_code
from checker.model.errors import InputError
from checker.model.schema import CODE_LIKE, CUT_CODE, NATIONAL_CODE
from checker.service.fhir_resources import each_of, id_of, is_for_another, is_foreign, objects, resources, text_of

_NATIONAL = re.compile(f"{NATIONAL_CODE}|{CODE_LIKE}|{CUT_CODE}")
"""A national code, or what is meant for one though mistyped or cut: that is judged too, and told to be unknown."""
_DISEASE = re.compile(r"[A-Z][0-9]{2}(\.?[0-9A-Zx+*]{0,8})?", re.ASCII)
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ORDER_KIND = re.compile("[A-Za-z]*(Request|Order|RequestGroup)")
_OWN_ID = re.compile(r"[!-\"$-~]+")
"""An id that nothing which reads a line would write otherwise, and that no place (#0) is mistaken for."""
_DAYS_OF = {**dict.fromkeys(("d", "day", "days", "天", "日"), 1), **dict.fromkeys(("wk", "week", "weeks", "周"), 7)}
"""How many days the units of a supply have."""
_CODE_OF = {"MedicationRequest": "medicationCodeableConcept", "ServiceRequest": "code"}
_ITEM_MEMBERS = (*_CODE_OF.values(), "medicationReference", "medication")
"""Where an order of any kind or version may say what is ordered."""
_PLACES_SHOWN = 5
_Said = tuple[str, str]


@dataclass(slots=True)
class Question:
    """A prescription's document, and why parts of what was sent are not in it."""

    document: dict[str, Any]
    untold: list[_Said] = field(default_factory=list)
    """A sentence for each, in Chinese and in English."""
    orders: dict[str, str] = field(default_factory=dict)
    """By the id of a line the reference of its order, where that means this order alone."""


class _Order(NamedTuple):
    """A draft order: `name` is its alone, `reference` what others call it, None where it has no id."""

    name: str
    reference: str | None
    kind: str
    resource: Mapping[str, Any]


def read_question(context: Mapping[str, Any], prefetch: Mapping[str, Any], *, selects: bool) -> Question:
    """The draft orders of a context as lines, with the patient and the conditions of the prefetch. `selects`: the hook has selections.

    Raises InputError where there is no Bundle.
    """
    asked = Question({"stage": "prescribe"})
    patient_id = id_of(context.get("patientId"))
    asked.document["patient"] = {"id": patient_id, **_patient(prefetch.get("patient"), patient_id, asked)}
    asked.document["visit_id"] = id_of(context.get("encounterId"))
    orders, others = _orders(context, patient_id, asked)
    chosen = _chosen(context.get("selections"), orders, others) if selects else set()
    lines: list[dict[str, Any]] = []
    reasons: list[Any] = []
    for order in orders:
        reasons += each_of(order.resource.get("reasonCode"))
        for line in _lines(order, prefetch, asked):
            # The others were told of when they were selected: they stand beside these.
            line["is_context"] = bool(chosen) and order.reference not in chosen
            lines.append(line)
            if order.name == order.reference:
                asked.orders[line["line_id"]] = order.reference
    conditions = resources(prefetch.get("conditions"), "Condition")
    own = [each for each in conditions if not is_for_another(each.get("subject"), patient_id)]
    reasons += [each.get("code") for each in own]
    asked.document["diagnoses"] = list(dict.fromkeys(_diseases(reasons)))
    asked.document["lines"] = lines
    unlike = sum(1 for each in objects(reasons) if each.get("coding") and not _diseases([each]))
    asked.untold += _diseases_left_out(unlike, len(conditions) - len(own))
    return asked


def identifiers(organization: object) -> list[str]:
    """The numbers of an Organization."""
    if not isinstance(organization, dict) or organization.get("resourceType") != "Organization":
        return []
    return [text for each in objects(organization.get("identifier")) if (text := text_of(each.get("value")))]


def _patient(patient: object, patient_id: str | None, asked: Question) -> dict[str, Any]:
    if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
        said = (
            "没有收到患者（prefetch.patient），性别和年龄的规则无法判断",
            "No Patient in the prefetch: what depends on sex or age cannot be judged",
        )
    elif patient_id is None:
        said = (
            "context.patientId 没有写明，收到的患者的性别和年龄没有采用",
            "context.patientId is missing: sex and birth date of the Patient sent were not used",
        )
    elif id_of(patient.get("id")) != patient_id:
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
    asked.untold.append(said)
    return {}


def _orders(context: Mapping[str, Any], patient_id: str | None, asked: Question) -> tuple[list[_Order], set[str]]:
    """The orders to review, and the references of what else was sent."""
    bundle = context.get("draftOrders")
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise InputError("context.draftOrders 应为 FHIR 的 Bundle（a Bundle of draft orders is expected）")
    entries = [] if bundle.get("entry") is None else bundle["entry"]
    if not isinstance(entries, list):
        raise InputError("context.draftOrders.entry 应为数组（an array of entries is expected）")
    found: list[tuple[int, str, Mapping[str, Any]]] = []
    others: set[str] = set()
    unread: list[int] = []
    kinds: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for number, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            unread.append(number)
            continue
        kind, own_id = text_of(resource.get("resourceType")) or "?", id_of(resource.get("id"))
        within.update(_contained_orders(resource))
        if kind in _CODE_OF and resource.get("doNotPerform") is not True:
            found.append((number, kind, resource))
            continue
        if own_id:
            others.add(f"{kind}/{own_id}")
        # A Medication beside the orders is what one of them refers to.
        if kind not in _CODE_OF and kind != "Medication":
            kinds[kind] += 1
    asked.untold += _left_out(unread, kinds, within)
    shared = Counter(f"{kind}/{id_of(resource.get('id'))}" for _, kind, resource in found)
    orders = []
    for number, kind, resource in found:
        own_id = id_of(resource.get("id"))
        reference = f"{kind}/{own_id}" if own_id else None
        is_own = own_id is not None and _OWN_ID.fullmatch(own_id) and shared[f"{kind}/{own_id}"] == 1
        order = _Order(reference if reference and is_own else f"{kind}/#{number}", reference, kind, resource)
        if is_for_another(resource.get("subject"), patient_id):
            said = (
                f"{order.name} 的患者（subject）不是 context.patientId 所指的人，没有审核",
                f"The subject of {order.name} is not the patient of the context: it was not reviewed",
            )
            asked.untold.append(said)
            others.add(reference or order.name)
            continue
        orders.append(order)
    return orders, others


def _left_out(unread: list[int], kinds: Mapping[str, int], within: Mapping[str, int]) -> list[_Said]:
    """What to say of entries that are no orders to review: one sentence for all of a kind, however many were sent."""
    said = []
    if unread:
        places = [f"entry[{number}]" for number in unread[:_PLACES_SHOWN]]
        more = len(unread) > _PLACES_SHOWN
        zh, en = "、".join(places) + ("等" if more else ""), ", ".join(places) + (" and others" if more else "")
        said.append((
            f"draftOrders 有 {len(unread)} 条内容不是 FHIR 资源，没有审核：{zh}",
            f"Entries of draftOrders that hold no resource, {len(unread)} in all, were not reviewed: {en}",
        ))  # fmt: skip
    for name, count in kinds.items():
        zh, en = (f"（{count} 条）", f" ({count})") if count > 1 else ("", "")
        said.append((f"{name} 类的医嘱不审核{zh}", f"Orders of the kind {name} are not reviewed{en}"))
    for name, count in within.items():
        said.append((
            f"contained 里有 {count} 条 {name}，没有审核，医嘱应各为一条 entry",
            f"contained holds {name} ({count}), not reviewed: each order is an entry of its own",
        ))  # fmt: skip
    return said


def _diseases_left_out(unlike: int, of_others: int) -> list[_Said]:
    """What to say of diagnoses that were not used: a text alone is none, and nobody expects it to be."""
    said = []
    if unlike:
        said.append((
            f"{unlike} 条诊断没有 ICD-10 编码，没有采用",
            f"Diagnoses without a code of ICD-10, {unlike} in all, were not used",
        ))  # fmt: skip
    if of_others:
        said.append((
            f"{of_others} 条诊断的患者（subject）不是 context.patientId 所指的人，没有采用",
            f"Diagnoses of another patient than that of the context, {of_others} in all, were not used",
        ))  # fmt: skip
    return said


def _contained_orders(resource: Mapping[str, Any]) -> list[str]:
    """The kinds of the orders within a resource, and ? for each that could be one, as nobody can read it."""
    listed = each_of(resource.get("contained"))
    kinds = [(text_of(each.get("resourceType")) if isinstance(each, dict) else None) or "?" for each in listed]
    return [kind for kind in kinds if kind == "?" or _ORDER_KIND.fullmatch(kind)]


def _chosen(selections: object, orders: list[_Order], others: set[str]) -> set[str]:
    """The orders that are selected. None where nothing is, or something that was not sent: then all are told of."""
    listed = selections if isinstance(selections, list) else []
    chosen = {each.strip() for each in listed if isinstance(each, str)}
    known = {order.reference for order in orders if order.reference}
    is_clear = len(chosen) > 0 and all(isinstance(each, str) for each in listed) and chosen <= known | others
    return chosen & known if is_clear else set()


def _lines(order: _Order, prefetch: Mapping[str, Any], asked: Question) -> list[dict[str, Any]]:
    """A line for each national code of an order. More than one contradict each other: all are judged, so that none hides another."""
    concepts, unfound = _concepts(order, prefetch)
    # One code stands once, however it is spelt.
    national: dict[str, tuple[str, Mapping[str, Any]]] = {}
    local: list[tuple[str, Mapping[str, Any]]] = []
    foreign = unread = 0
    for coding in (each for concept in concepts for each in each_of(concept.get("coding"))):
        code = text_of(coding.get("code")) if isinstance(coding, dict) else None
        if not isinstance(coding, dict) or (code is None and coding.get("code") not in (None, "")):
            unread += 1
        elif code is not None:
            spelt = read_code(code)
            # No other system has codes of these shapes but in digits alone: what begins with a letter is meant for a national one.
            if is_foreign(coding) and not (_NATIONAL.fullmatch(spelt) and spelt[0].isalpha()):
                foreign += 1
            elif _NATIONAL.fullmatch(spelt):
                national.setdefault(spelt, (code, coding))
            else:
                local.append((code, coding))
    codes = list(national.values()) or local[:1]
    text = next((words for concept in concepts if (words := text_of(concept.get("text")))), None)
    shown = (text_of(codes[0][1].get("display")) if codes else None) or text
    zh, en = f"“{shown}”" if shown else f"{order.name} ", shown or order.name
    if unread:
        said = (
            f"{zh}有 {unread} 个编码无法读取，没有审核",
            f"{en}: codings that cannot be read, {unread}, were not reviewed",
        )
        asked.untold.append(said)
    if unfound and codes:
        members = "、".join(unfound), ", ".join(unfound)
        said = (
            f"{zh}另有 {members[0]}，无法读取，没有审核",
            f"{en}: {members[1]} cannot be read, and was not reviewed",
        )
        asked.untold.append(said)
    if len(codes) > 1:
        said = (
            f"{zh}有 {len(codes)} 个不同的国家医保编码，已逐个审核，请核对",
            f"{en} has {len(codes)} different national codes: each was reviewed, check which is right",
        )
        asked.untold.append(said)
    if not codes and not unread:
        said = (f"{zh}没有编码，没有审核", f"{en} has no coding, and was not reviewed")
        if foreign:
            said = (
                f"{zh}只有其他体系（SNOMED CT 等）的编码，没有审核",
                f"{en} has codes of other systems alone (such as SNOMED CT), and was not reviewed",
            )
        asked.untold.append(said)
    quantity, days = _quantity(order.resource), _days(order.resource)
    return [
        {
            "line_id": f"{order.name}#{place}" if place else order.name, "item_code": code, "item_name": text_of(coding.get("display")) or text,
            "quantity": quantity, "days_supply": days,
        }
        for place, (code, coding) in enumerate(codes)
    ]  # fmt: skip


def _concepts(order: _Order, prefetch: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """What an order says that is ordered, by each member that could, and the members that say nothing which can be read."""
    concepts, unfound = [], []
    for member in _ITEM_MEMBERS:
        given = order.resource.get(member)
        if given is None:
            continue
        said: list[dict[str, Any]] = []
        if member == _CODE_OF[order.kind]:
            said = objects([given])
        elif member == "medicationReference" and isinstance(given, dict):
            said = _medications(order.resource, given, prefetch)
        concepts += said
        if not said:
            unfound.append(member)
    return concepts, unfound


def _medications(
    order: Mapping[str, Any], reference: Mapping[str, Any], prefetch: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What the Medications say that an order refers to: within it, or in the prefetch."""
    wanted = id_of(reference.get("reference")) or ""
    held = (
        objects(each_of(order.get("contained")))
        if wanted.startswith("#")
        else resources(prefetch.get("medications"), "Medication")
    )
    name = wanted.rpartition("/")[2].removeprefix("#")
    return objects([
        each.get("code") for each in held if each.get("id") == name and each.get("resourceType") == "Medication"
    ])  # fmt: skip


def _quantity(order: Mapping[str, Any]) -> float | int | None:
    supply = order.get("dispenseRequest")
    held = supply.get("quantity") if isinstance(supply, dict) else order.get("quantityQuantity")
    return _measured(held)


def _days(order: Mapping[str, Any]) -> float | int | None:
    """For how many days an order is; None where it is told in a unit other than days and weeks."""
    supply = order.get("dispenseRequest")
    held = supply.get("expectedSupplyDuration") if isinstance(supply, dict) else None
    value = _measured(held)
    unit = (text_of(held.get("code")) or text_of(held.get("unit")) or "") if isinstance(held, dict) else ""
    days = _DAYS_OF.get(unit.lower())
    return None if value is None or days is None else value * days


def _measured(held: object) -> float | int | None:
    """The value of a Quantity, where it is one."""
    value = held.get("value") if isinstance(held, dict) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e12 else None


def _diseases(concepts: object) -> list[str]:
    """The codes of ICD-10 in concepts; those of other systems mean something else."""
    return [
        code
        for concept in objects(concepts)
        for coding in objects(concept.get("coding"))
        if (code := text_of(coding.get("code"))) and _DISEASE.fullmatch(code) and not is_foreign(coding)
    ]
