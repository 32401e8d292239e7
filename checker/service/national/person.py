"""The facts that all lines of an encounter share: who, where, when it began, and the diagnoses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from checker.ingest import values
from checker.ingest.prescription import read_codes
from checker.ingest.provincial import Provincial
from checker.model.errors import InputError
from checker.service.national import members
from checker.service.national.nodes import Holder, find_rows
from checker.service.national.notes import Notes
from checker.service.national.profile import Profile

_RETAIL, _PHARMACY = "2", "41"
_OF_HEADER = {
    "line_sex": "settlement_sex", "line_birth": "settlement_birth", "patient_age": "header_age", "id_number": "header_id_number",
}  # fmt: skip


def person_facts(patient: Holder, encounter: Holder, profile: Profile, notes: Notes) -> dict[str, Any]:
    """Who is treated. What cannot be read is left out, and `person_unreadable` says so."""
    reader = _Person(profile, notes)
    facts: dict[str, Any] = {
        "patient_id": members.read_text(patient.value, profile.fields["patn_id"], patient.path),
        "line_sex": reader.value(patient, "gend", lambda text: _sex(text, profile)),
        "line_birth": reader.value(patient, "brdy", values.read_date),
        "patient_age": reader.value(patient, "age", values.read_age),
        "id_number": reader.value(patient, "certno", values.read_capitals),
        "newborn_flag": _first(reader.value(holder, "nwb_flag", values.read_bool) for holder in (patient, encounter)),
        "person_unreadable": reader.failed or None,
    }
    return facts


def of_encounter(facts: Mapping[str, Any], care_type: str | None, provincial: Provincial) -> Mapping[str, Any]:
    """The facts of the message's person. In a pharmacy they are as a settlement's: whose card is shown need not be the patient."""
    if not provincial.is_pharmacy(care_type):
        return facts
    return {_OF_HEADER.get(name, name): value for name, value in facts.items()}


def _sex(text: str, profile: Profile) -> str | None:
    """The sex of a word: of the province's own, or as everywhere. Raises ValueError."""
    word = text.lower()
    return profile.sexes[word] if word in profile.sexes else values.read_sex(text)


class _Person:
    def __init__(self, profile: Profile, notes: Notes) -> None:
        self._fields, self._notes = profile.fields, notes
        self.failed = False

    def value(self, holder: Holder, field: str, read: Callable[[str], Any]) -> Any:
        names = self._fields[field]
        try:
            text = members.read_text(holder.value, names, holder.path, is_flag=field == "nwb_flag")
            found = None if text is None else read(text)
        except (ValueError, InputError):
            self.failed = True
            self._notes.add(f"{holder.path}.{field} 无法识别，按未提供处理（cannot be read: taken as not given）")
            return None
        if text is not None and found is None and field == "brdy":
            self._notes.add(f"{holder.path}.brdy 是占位日期，按未提供处理（a placeholder: taken as not given）")
        return found


def place_facts(
    envelope: Holder, patient: Holder, encounter: Holder, profile: Profile, provincial: Provincial, notes: Notes, *, alone: bool
) -> dict[str, Any]:  # fmt: skip
    """Where and as what the encounter counts. `alone`: the envelope's insured place is that of this patient."""

    def text(holder: Holder, field: str) -> str | None:
        return members.read_text(holder.value, profile.fields[field], holder.path)

    def first(field: str, *holders: Holder) -> str | None:
        """Of what may be missing: what is no single value is noted."""
        found = (members.read_noted(each.value, profile.fields[field], each.path, notes) for each in holders)
        return next((text for text in found if text is not None), None)

    pool, insured = text(patient, "poolarea"), text(envelope, "insuplc_admdvs")
    return {
        "settlement_id": text(encounter, "setl_id"),
        "visit_id": text(encounter, "mdtrt_id"),
        "institution_id": text(encounter, "medins_id") or text(envelope, "fixmedins_code"),
        "care_type": _care_type(
            text(encounter, "med_type"), text(encounter, "medins_type"), encounter, provincial, notes
        ),
        "insurance_type": first("insutype", encounter, patient),
        "pay_location": first("pay_loc", encounter),
        "institution_level": first("medins_lv", encounter),
        "institution_name": first("medins_name", encounter) or first("fixmedins_name", envelope),
        "prescriber_institution_level": first("prescriber_institution_level", encounter),
        "insured_region": (insured or pool) if alone else (pool or insured),
        "region": text(encounter, "medins_admdvs") or text(envelope, "mdtrtarea_admvs"),
        "visit_start": read_moment(encounter, "adm_date", profile, notes),
    }


def _care_type(
    med_type: str | None, medins_type: str | None, encounter: Holder, provincial: Provincial, notes: Notes
) -> str | None:
    """The kind of care is told by med_type: med_mdtrt_type has two conflicting dictionaries. A retail pharmacy sells, unless med_type says otherwise."""
    care = None if med_type is None else values.read_care(med_type)
    if care is not None and provincial.care_group(care) is None:
        at = f"{encounter.path}.med_type"
        if medins_type == _RETAIL:
            notes.add(f"{at} 的取值不认识，机构是零售药店，按药店购药处理（not known: a retail pharmacy sells）")
            return _PHARMACY
        notes.add(f"{at} 的取值不认识，请写入省级配置的 [care_groups]（not known: write it into the profile）")
    return _PHARMACY if care is None and medins_type == _RETAIL else care


def read_moment(holder: Holder, field: str, profile: Profile, notes: Notes) -> Any:
    """A time at which something was done; None, noted, for text that is none."""
    try:
        text = members.read_text(holder.value, profile.fields[field], holder.path)
        if text is None:
            return None
        found = members.read_service_time(text)
    except (ValueError, InputError):
        found = None
    if found is None:
        at = f"{holder.path}.{field}" if holder.path else field
        notes.add(f"{at} 不是可用的时间，改用下一来源（no usable time: the next source is taken）")
    return found


def read_diagnoses(encounter: Holder, beside: Sequence[Holder], profile: Profile, notes: Notes) -> tuple[str, ...]:
    """The codes of the diagnoses, the main one first, each once. What is none is noted: it exempts from nothing."""
    main = members.read_noted(encounter.value, profile.fields["dscg_main_dise_codg"], encounter.path, notes)
    misfits: list[InputError] = []
    rows, _ = find_rows((encounter, *beside), profile.nodes["fsi_diagnose_dtos"], misfits)
    for error in misfits:
        notes.add(f"{error}，按未提供处理（taken as not given）")
    names = profile.fields["dise_codg"]
    codes = (main, *(members.read_noted(row.value, names, row.path, notes) for row in rows))
    return tuple(dict.fromkeys(read_codes([code for code in codes if code])))


def _first(found: Any) -> Any:
    return next((value for value in found if value is not None), None)
