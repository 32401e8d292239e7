"""The encounters of a patient that are asked about, and their orders; the others are history."""

from __future__ import annotations

import json
from collections.abc import Sequence

from checker.model.errors import InputError
from checker.service.national import members
from checker.service.national.nodes import Holder, find_rows
from checker.service.national.notes import Notes
from checker.service.national.orders import Count
from checker.service.national.profile import Profile
from checker.service.national.unread import Unread


def current_encounters(
    patient: Holder, beside: Sequence[Holder], profile: Profile, notes: Notes, count: Count
) -> tuple[list[tuple[Holder, tuple[Holder, ...]]], list[Holder]]:
    """The encounters to judge, each with the objects that may hold its nodes instead of it, and the others, counted as history.

    Raises InputError where nothing tells which one is asked about.
    """
    names = profile.nodes["fsi_encounter_dtos"]
    misfits: list[InputError] = []
    found, having = find_rows((patient, *beside), names, misfits)
    if misfits and not found:
        raise misfits[0]
    about = members.read_text(patient.value, profile.fields["patn_id"], patient.path)
    count.unread += [Unread(about, None, None, str(error), is_order=False) for error in misfits]
    if not found:
        raise InputError(
            f"{path_of(having or patient)}fsi_encounter_dtos 中没有就诊信息，应至少有一条（no encounter: write at least one）"
        )
    if having is not patient:
        notes.add(f"fsi_encounter_dtos 写在 {name_of(having)} 下，不在参保人内（the node stands outside the patient）")
    encounters = each_once(found, profile.fields["mdtrt_id"], notes)
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
            f"{path_of(patient)}curr_mdtrt_id {told[0]}，按唯一的一次就诊处理（{told[1]}: the only encounter is the current one）"
        )
        wanted = visit_ids[0]
    elif wanted is None and len(encounters) > 1:
        raise InputError(
            f"{path_of(patient)}curr_mdtrt_id 为空而就诊信息有 {len(encounters)} 条，应写明本次就诊的 mdtrt_id"
            "（several encounters: name the current one）"
        )
    if wanted not in visit_ids:
        raise InputError(
            f"{path_of(patient)}curr_mdtrt_id 所指的就诊“{(wanted or '')[:40]}”不在 fsi_encounter_dtos 中，应为其中一条的 mdtrt_id"
            "（the current encounter is not among the encounters）"
        )
    current = [each for each, visit_id in zip(encounters, visit_ids, strict=True) if visit_id == wanted]
    past = [each for each, visit_id in zip(encounters, visit_ids, strict=True) if visit_id != wanted]
    for each in past:
        count.context += len(find_rows((each,), profile.nodes["fsi_order_dtos"], [])[0])
    others = (patient, *beside) if len(encounters) == 1 else ()
    return [(each, others) for each in current], past


def orders_of(
    encounter: Holder,
    others: Sequence[Holder],
    profile: Profile,
    notes: Notes,
    misfits: list[InputError],
    *,
    registers: bool,
) -> list[Holder]:
    """The orders of an encounter; what is none is told among the misfits. `registers`: nothing need have been ordered yet.

    Raises InputError where their node is missing.
    """
    orders, having = find_rows((encounter, *others), profile.nodes["fsi_order_dtos"], misfits)
    if having is None and not registers:
        raise InputError(
            f"{path_of(encounter)}fsi_order_dtos 缺失，应为本次医嘱的数组（no orders node: write an array of orders）"
        )
    if not orders and not misfits:
        notes.add(f"{path_of(encounter)}fsi_order_dtos 没有医嘱，没有可审核的内容（no orders: nothing to judge）")
    elif having is not encounter:
        notes.add(f"fsi_order_dtos 写在 {name_of(having)} 下，不在就诊信息内（the node stands outside the encounter）")
    return orders


def each_once(holders: list[Holder], ids: Sequence[str], notes: Notes) -> list[Holder]:
    """Without those that are the same as one before: programs send what they have twice, and it counts once. `ids` are the names of their id."""
    named = [next((value for name in ids if (value := each.value.get(name)) is not None), None) for each in holders]
    if len({str(value) for value in named}) == len(holders):
        return holders
    told: dict[str, Holder] = {}
    for each in holders:
        told.setdefault(json.dumps(each.value, sort_keys=True), each)
    if len(told) < len(holders):
        notes.add("内容完全相同的参保人或就诊只算一次（identical patients or encounters count once）")
    return list(told.values())


def path_of(holder: Holder) -> str:
    """The path of an object as what stands before the name of a member."""
    return f"{holder.path}." if holder.path else ""


def name_of(holder: Holder | None) -> str:
    """The path of an object, by which a note names it."""
    return holder.path if holder and holder.path else "报文"
