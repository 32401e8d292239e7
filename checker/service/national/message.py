"""The national requests 3101 (before) and 3102 (during) as prescriptions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from checker.ingest.prescription import Item, Prescription
from checker.ingest.provincial import Provincial, read_provincial
from checker.model.errors import InputError
from checker.service.national import members
from checker.service.national.encounters import current_encounters, each_once, name_of, orders_of, path_of
from checker.service.national.nodes import Body, Holder, find_body, find_rows
from checker.service.national.notes import Notes
from checker.service.national.orders import Count, Moment, Seen, TooManyLines, read_history, read_orders
from checker.service.national.person import of_encounter, person_facts, place_facts, read_diagnoses, read_moment
from checker.service.national.profile import Profile
from checker.service.national.unread import Unread

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
    patient_id: str | None
    """With `visit_id`: the first patient and encounter that were read."""
    visit_id: str | None
    prescriptions: tuple[Prescription, ...]
    times_kept: tuple[bool, ...]
    """False where the time is that of the message or the clock, so that the same request sent again has another."""
    unread: tuple[Unread, ...]
    """What could not be read, and so is not among the prescriptions, or not to be judged there."""
    notes: tuple[str, ...]
    context_lines: int
    refund_lines: int
    self_paid_lines: int
    repeated_lines: int

    @property
    def judged_lines(self) -> int:
        """How many orders there are to judge."""
        return sum(item.judged for prescription in self.prescriptions for item in prescription.items)


def read_message(
    document: object, profile: Profile, provincial: Provincial | None = None, *, now: datetime, infno: str | None = None
) -> Asked:
    """Read a request. `provincial` is what values mean, the national meanings if None; `infno` is the transaction that was called; `now` stands in
    for a missing time.

    What cannot be read of one patient, encounter or order is `unread`, and the others are judged. Raises InputError naming the path where
    nothing is left that can be.
    """
    body = find_body(document, profile)
    envelope, data = body.envelope, body.holders[0]
    notes = Notes()

    def text(holder: Holder, field: str) -> str | None:
        return members.read_text(holder.value, profile.fields[field], holder.path)

    trig_scen = text(data, "trig_scen")
    scenes = frozenset(part.strip() for part in trig_scen.split(",")) if trig_scen else frozenset()
    number = _transaction(infno or text(envelope, "infno"), scenes, profile, notes)
    misfits: list[InputError] = []
    patients, having = find_rows(body.holders, profile.nodes["patient_dtos"], misfits)
    if misfits and not patients:
        raise misfits[0]
    if not patients:
        raise InputError(
            f"{path_of(having or data)}patient_dtos 中没有参保人，应至少有一位（no patient: write at least one）"
        )
    if having is not data:
        notes.add(f"patient_dtos 写在 {name_of(having)} 下，不在 {data.path} 内（the node stands beside the data）")
    reader = _Reader(
        body, profile, provincial or read_provincial(), notes, now, _STAGES[number], registers=scenes <= _REGISTRATIONS and bool(scenes)
    )  # fmt: skip
    reader.count.unread += [Unread(None, None, None, str(error), is_order=False) for error in misfits]
    reader.read(each_once(patients, profile.fields["patn_id"], notes))
    count = reader.count
    return Asked(
        infno=number,
        msgid=text(envelope, "msgid"),
        task_id=text(data, "task_id"),
        trig_scen=trig_scen,
        mdtrtarea=text(envelope, "mdtrtarea_admvs"),
        institution_id=text(envelope, "fixmedins_code"),
        operator=text(envelope, "opter"),
        patient_id=reader.first.patient_id,
        visit_id=reader.first.visit_id,
        prescriptions=tuple(reader.prescriptions),
        times_kept=tuple(reader.kept),
        unread=tuple(count.unread),
        notes=notes.told,
        context_lines=count.context,
        refund_lines=count.refunds,
        self_paid_lines=count.self_paid,
        repeated_lines=count.repeated,
    )


class _Reader:
    def __init__(
        self, body: Body, profile: Profile, provincial: Provincial, notes: Notes, now: datetime, stage: str, *, registers: bool
    ) -> None:  # fmt: skip
        self._body, self._profile, self._provincial, self._notes, self._now = body, profile, provincial, notes, now
        self._stage, self._registers = stage, registers
        self.count = Count()
        self.first = Unread(None, None, None, "", is_order=False)
        self.prescriptions: list[Prescription] = []
        self.kept: list[bool] = []
        self._nodes = frozenset(name.replace("_", "").lower() for names in profile.nodes.values() for name in names)
        # A patient who is sent twice, with an encounter of one id: an order that stands in both is one.
        self._seen: dict[tuple[str | None, str | None], Seen] = {}

    def read(self, patients: list[Holder]) -> None:
        """Read patients one by one. Raises the first InputError where all of them failed."""
        first: InputError | None = None
        has_read = False
        for patient in patients:
            beside = self._body.holders if len(patients) == 1 else ()
            try:
                members.refuse_twofold(patient.value, patient.path, self._nodes)
                encounters, past = current_encounters(patient, beside, self._profile, self._notes, self.count)
                history = self._history(past)
            except InputError as error:
                first = first or error
                self._unread(patient, None, error)
                continue
            for encounter, others in encounters:
                try:
                    about = self._encounter(patient, encounter, others, history, alone=len(patients) == 1)
                    self.first = self.first if has_read else about
                    has_read = True
                except TooManyLines:
                    raise
                except InputError as error:
                    first = first or error
                    self._unread(patient, encounter, error)
        if first is not None and not has_read:
            raise first

    def _unread(self, patient: Holder, encounter: Holder | None, error: InputError) -> None:
        fields = self._profile.fields

        def text(holder: Holder | None, field: str) -> str | None:
            try:
                return members.read_text(holder.value, fields[field], holder.path) if holder else None
            except InputError:
                return None

        self.count.unread.append(
            Unread(text(patient, "patn_id"), text(encounter, "mdtrt_id"), None, str(error), is_order=False)
        )

    def _history(self, past: list[Holder]) -> tuple[Item, ...] | None:
        """The orders of the encounters that are past; None where there are none of them."""
        items: list[Item] = []
        for each in past:
            begin = read_moment(each, "adm_date", self._profile, self._notes)
            otherwise = None if begin is None else Moment(begin, is_fallback=True, is_kept=True)
            rows, _ = find_rows((each,), self._profile.nodes["fsi_order_dtos"], [])
            items += read_history(rows, otherwise, self._profile, self._notes)
        return tuple(items) if past else None

    def _encounter(
        self, patient: Holder, encounter: Holder, others: tuple[Holder, ...], past: tuple[Item, ...] | None, *, alone: bool
    ) -> Unread:  # fmt: skip
        """Read an encounter, and say whose it is. `past` are the orders of others of the patient."""
        profile, notes, envelope = self._profile, self._notes, self._body.envelope
        members.refuse_twofold(encounter.value, encounter.path, self._nodes)
        misfits: list[InputError] = []
        orders = orders_of(encounter, others, profile, notes, misfits, registers=self._registers)
        shared = place_facts(envelope, patient, encounter, profile, self._provincial, notes, alone=alone)
        facts = {
            **of_encounter(person_facts(patient, encounter, profile, notes), shared["care_type"], self._provincial),
            **shared,
        }
        diagnoses = read_diagnoses(encounter, others, profile, notes)
        otherwise = self._visit_time(shared["visit_start"])
        about = Unread(facts["patient_id"], shared["visit_id"], None, "", is_order=True)
        self.count.unread += [about._replace(message=str(error)) for error in misfits]
        key = facts["patient_id"], shared["visit_id"]
        seen = self._seen.setdefault(key, {}) if all(key) else {}
        read = read_orders(orders, otherwise, profile, notes, self.count, seen, about)
        told = past is not None or read.history is not None
        history = (*(past or ()), *(read.history or ())) if told else None
        place = 0
        for group in read.groups:
            own = {**facts, "time_fallback": True} if group.moment.is_fallback else facts
            self.prescriptions.append(
                Prescription(
                    stage=self._stage,
                    service_time=group.moment.time,
                    facts={name: value for name, value in own.items() if value is not None},
                    diagnoses=diagnoses,
                    items=tuple(group.items),
                    ignored=(),
                    ids_name_lines=False,
                    is_one=False,
                    beside=group.beside,
                    history=history,
                    of_visit=read.of_visit,
                    place_in_visit=place,
                )
            )
            place += len(group.items) if read.of_visit else 0
            self.kept.append(group.moment.is_kept)
        return about

    def _visit_time(self, visit_start: datetime | None) -> Moment:
        """The time of orders that have none: the visit's, the message's, the clock's."""
        if visit_start is not None:
            return Moment(visit_start, is_fallback=True, is_kept=True)
        sent = read_moment(self._body.envelope, "inf_time", self._profile, self._notes)
        return Moment(sent or self._now, is_fallback=True, is_kept=False)


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
