"""The national requests 3101 (before) and 3102 (during) as prescriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from checker.ingest.prescription import Prescription
from checker.model.errors import InputError
from checker.service.national import members
from checker.service.national.nodes import Holder, find_body, find_rows
from checker.service.national.notes import Notes
from checker.service.national.orders import Count, Moment, read_orders
from checker.service.national.person import of_encounter, person_facts, place_facts, read_diagnoses, read_moment
from checker.service.national.profile import Profile

_STAGES = {"3101": "prescribe", "3102": "settle"}
_DURING = frozenset({"6", "7", "8", "9", "10"})
"""Scenes of 3102: settlements, their rehearsals, and purchases in a pharmacy."""
_REGISTRATIONS = frozenset({"1", "3"})
"""Scenes in which nothing has been ordered yet."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks, and what its answer has to repeat. Two tuples go together: each prescription and whether its time is kept."""

    infno: str
    msgid: str | None
    task_id: str | None
    trig_scen: str | None
    mdtrtarea: str | None
    institution_id: str | None
    operator: str | None
    prescriptions: tuple[Prescription, ...]
    times_kept: tuple[bool, ...]
    """False where the time is that of the message or the clock, so that the same request sent again has another."""
    notes: tuple[str, ...]
    context_lines: int
    refund_lines: int
    self_paid_lines: int
    repeated_lines: int


def read_message(document: object, profile: Profile, *, now: datetime, infno: str | None = None) -> Asked:
    """Read a request. `infno` is the transaction that was called, where the address tells it; `now` stands in for a missing time.

    Raises InputError naming the path of what cannot be read.
    """
    body = find_body(document, profile)
    notes, count = Notes(), Count()
    envelope, data = body.envelope, body.holders[0]

    def text(holder: Holder, field: str) -> str | None:
        return members.read_text(holder.value, profile.fields[field], holder.path)

    trig_scen = text(data, "trig_scen")
    scenes = frozenset(part.strip() for part in trig_scen.split(",")) if trig_scen else frozenset()
    number = _transaction(infno or text(envelope, "infno"), scenes, profile, notes)
    patients, having = find_rows(body.holders, profile.nodes["patient_dtos"])
    if not patients:
        raise InputError(
            f"{_path(having or data)}patient_dtos 中没有参保人，应至少有一位（no patient: write at least one）"
        )
    if having is not data:
        notes.add(f"patient_dtos 写在 {_named(having)} 下，不在 {data.path} 内（the node stands beside the data）")
    prescriptions: list[Prescription] = []
    kept: list[bool] = []
    for patient in patients:
        beside = body.holders if len(patients) == 1 else ()
        for encounter, others in _encounters(patient, beside, profile, notes, count):
            orders = _orders(encounter, others, profile, notes, registers=scenes <= _REGISTRATIONS and bool(scenes))
            shared = place_facts(envelope, patient, encounter, profile, notes, alone=len(patients) == 1)
            facts = {**of_encounter(person_facts(patient, encounter, profile, notes), shared["care_type"]), **shared}
            diagnoses = read_diagnoses(encounter, others, profile)
            otherwise = _visit_time(shared["visit_start"], envelope, profile, notes, now)
            for group in read_orders(orders, otherwise, profile, notes, count):
                own = {**facts, "time_fallback": True} if group.moment.is_fallback else facts
                prescriptions.append(
                    Prescription(
                        stage=_STAGES[number],
                        service_time=group.moment.time,
                        facts={name: value for name, value in own.items() if value is not None},
                        diagnoses=diagnoses,
                        items=tuple(group.items),
                        ignored=(),
                        ids_name_lines=False,
                        is_one=False,
                        beside=group.beside,
                    )
                )
                kept.append(group.moment.is_kept)
    return Asked(
        infno=number,
        msgid=text(envelope, "msgid"),
        task_id=text(data, "task_id"),
        trig_scen=trig_scen,
        mdtrtarea=text(envelope, "mdtrtarea_admvs"),
        institution_id=text(envelope, "fixmedins_code"),
        operator=text(envelope, "opter"),
        prescriptions=tuple(prescriptions),
        times_kept=tuple(kept),
        notes=notes.told,
        context_lines=count.context,
        refund_lines=count.refunds,
        self_paid_lines=count.self_paid,
        repeated_lines=count.repeated,
    )


def _transaction(given: str | None, scenes: frozenset[str], profile: Profile, notes: Notes) -> str:
    """3101 or 3102. Where the number says neither, the scene decides: programs send wrong ones."""
    number = profile.infno.get(given or "", given)
    if number in _STAGES:
        return str(number)
    if number == "3103":
        raise InputError(
            "infno 为 3103，是反馈而不是审核请求，应发往反馈服务（3103 is the feedback, not a request for a check）"
        )
    chosen = "3102" if scenes & _DURING else "3101"
    notes.add(f"infno 不是 3101 或 3102，按触发场景作为 {chosen} 处理（unknown infno: taken as {chosen}）")
    return chosen


def _encounters(
    patient: Holder, beside: Sequence[Holder], profile: Profile, notes: Notes, count: Count
) -> list[tuple[Holder, tuple[Holder, ...]]]:
    """The encounters to judge, each with the objects that may hold its nodes instead of it. The others are counted as history."""
    names = profile.nodes["fsi_encounter_dtos"]
    encounters, having = find_rows((patient, *beside), names)
    if not encounters:
        raise InputError(
            f"{_path(having or patient)}fsi_encounter_dtos 中没有就诊信息，应至少有一条（no encounter: write at least one）"
        )
    if having is not patient:
        notes.add(f"fsi_encounter_dtos 写在 {_named(having)} 下，不在参保人内（the node stands outside the patient）")
    wanted = members.read_text(patient.value, profile.fields["curr_mdtrt_id"], patient.path)
    visit_ids = [members.read_text(each.value, profile.fields["mdtrt_id"], each.path) for each in encounters]
    if len(encounters) == 1 and wanted != visit_ids[0]:
        told = (
            ("为空", "empty")
            if wanted is None
            # Hospitals put the number of an outpatient visit into the one and that of a stay into the other.
            else (f"“{wanted[:40]}”与就诊信息的 mdtrt_id 不一致", "differs from mdtrt_id")
        )
        notes.add(
            f"{_path(patient)}curr_mdtrt_id {told[0]}，按唯一的一次就诊处理（{told[1]}: the only encounter is the current one）"
        )
        wanted = visit_ids[0]
    elif wanted is None and len(encounters) > 1:
        raise InputError(
            f"{_path(patient)}curr_mdtrt_id 为空而就诊信息有 {len(encounters)} 条，应写明本次就诊的 mdtrt_id"
            "（several encounters: name the current one）"
        )
    if wanted not in visit_ids:
        raise InputError(
            f"{_path(patient)}curr_mdtrt_id 所指的就诊“{(wanted or '')[:40]}”不在 fsi_encounter_dtos 中，应为其中一条的 mdtrt_id"
            "（the current encounter is not among the encounters）"
        )
    current = [each for each, visit_id in zip(encounters, visit_ids, strict=True) if visit_id == wanted]
    for each, visit_id in zip(encounters, visit_ids, strict=True):
        if visit_id != wanted:
            count.context += len(find_rows((each,), profile.nodes["fsi_order_dtos"])[0])
    others = (patient, *beside) if len(encounters) == 1 else ()
    return [(each, others) for each in current]


def _orders(
    encounter: Holder, others: Sequence[Holder], profile: Profile, notes: Notes, *, registers: bool
) -> list[Holder]:
    orders, having = find_rows((encounter, *others), profile.nodes["fsi_order_dtos"])
    if having is None and not registers:
        raise InputError(
            f"{_path(encounter)}fsi_order_dtos 缺失，应为本次医嘱的数组（no orders node: write an array of orders）"
        )
    if not orders:
        notes.add(f"{_path(encounter)}fsi_order_dtos 没有医嘱，没有可审核的内容（no orders: nothing to judge）")
    elif having is not encounter:
        notes.add(f"fsi_order_dtos 写在 {_named(having)} 下，不在就诊信息内（the node stands outside the encounter）")
    return orders


def _visit_time(
    visit_start: datetime | None, envelope: Holder, profile: Profile, notes: Notes, now: datetime
) -> Moment:
    """The time of orders that have none: the visit's, the message's, the clock's."""
    if visit_start is not None:
        return Moment(visit_start, is_fallback=True, is_kept=True)
    sent = read_moment(envelope, "inf_time", profile, notes)
    return Moment(sent or now, is_fallback=True, is_kept=False)


def _path(holder: Holder) -> str:
    return f"{holder.path}." if holder.path else ""


def _named(holder: Holder | None) -> str:
    return holder.path if holder and holder.path else "报文"
