"""What a prescription tells of the terms on which its lines are paid: the columns that checker.judge.payment gives the lines of a scan."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from checker.ingest.prescription import Item, Prescription
from checker.ingest.provincial import PRESCRIBER_LEVEL, Provincial, kind_of, shown_value
from checker.judge.payment import EARLIER_DAYS
from checker.judge.unknown_value import UnknownValue
from checker.model.schema import MATERNITY_DIAGNOSES
from checker.model.words import UNKNOWN_VALUES
from checker.precheck.fellows import is_left
from checker.precheck.patient_lines import PatientLines
from checker.precheck.point_index import Match

_MATERNITY = re.compile(MATERNITY_DIAGNOSES)


def shared_terms(prescription: Prescription, item: Item, provincial: Provincial) -> dict[str, Any]:
    """What a line or else the prescription says, without what nobody told."""
    get = {**prescription.facts, **dict(item.circumstances)}.get
    care, insurance, level = get("care_type"), get("insurance_type"), get("institution_level")
    online = provincial.is_online(
        pay_location=get("pay_location"), care_type=care, institution_name=get("institution_name")
    )
    told: dict[str, Any] = {
        "insurance_type": insurance, "insurance_group": provincial.insurance_group(insurance),
        "care_type": care, "institution_level": level, "own_rank": provincial.institution_rank(level), "is_unrated": provincial.is_unrated(level) or None,
        "is_online": _either(get("is_online"), online), "online_doubt": _doubt(provincial, get("pay_location"), care), "institution_id": get("institution_id"),
    }  # fmt: skip
    if prescription.diagnoses:
        told["has_maternity_diagnosis"] = any(map(_MATERNITY.match, prescription.diagnoses))
    return {name: value for name, value in told.items() if value is not None}


def line_terms(prescription: Prescription, item: Item, provincial: Provincial) -> dict[str, Any]:
    """What a line adds; a flag that nobody set is not set."""
    get = prescription.facts.get

    def flag(name: str) -> bool:
        own = getattr(item, name)
        return bool(get(name) if own is None else own)

    level = item.prescriber_institution_level or get("prescriber_institution_level")
    in_scope = False if item.is_not_in_scope else True if item.is_in_scope else None
    told = {
        "is_discharge_drug": flag("is_discharge_drug"), "is_maternity_fee": flag("is_maternity_fee"),
        "prescriber_rank": provincial.institution_rank(level), "in_scope": in_scope,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


class Earlier:
    """What patients had before, by point. What several prescriptions share is looked at once; `covering` gives the points of a line."""

    def __init__(self, covering: Callable[[Item], Iterable[Match]]) -> None:
        self._covering = covering
        self._known: dict[int, Mapping[int, set[date]]] = {}

    def has(self, patient: PatientLines, prescription: Prescription, item: Item, point_no: int) -> bool | None:
        """Whether there was an item of a point on a day before the line; None where none is told of and nobody said what there was."""
        day = prescription.time_of(item).date()
        first = day - timedelta(days=EARLIER_DAYS)
        if any(first <= other < day for other in self._days(patient).get(point_no, ())):
            return True
        return False if patient.is_told else None

    def _days(self, patient: PatientLines) -> Mapping[int, set[date]]:
        """The days on which there are lines of each point."""
        if (known := self._known.get(patient.number)) is not None:
            return known
        days: dict[int, set[date]] = {}
        for item in patient.lines:
            if is_left(item):
                for match in self._covering(item):
                    days.setdefault(match.point_no, set()).add(patient.prescription.time_of(item).date())
        self._known[patient.number] = days
        return days


def unknown_values(
    prescription: Prescription, findings: Sequence[Mapping[str, Any]], provincial: Provincial
) -> list[UnknownValue]:
    """The values of a prescription for whose sake lines are undetermined, each once, with the number of these lines."""
    lines: dict[tuple[str, str], set[int]] = {}
    for finding in findings:
        if column := UNKNOWN_VALUES.get(finding["reason_code"] or ""):
            item, kind = prescription.items[finding["source_record"] - 1], kind_of(column)
            own = {**dict(item.circumstances), PRESCRIBER_LEVEL: item.prescriber_institution_level}.get(column)
            value = prescription.facts.get(column) if own is None else own
            if value is not None and not provincial.tells(kind, value):
                lines.setdefault((kind, str(value)), set()).add(finding["source_record"])
    told = ((column, *shown_value(column, value), len(some)) for (column, value), some in lines.items())
    return [UnknownValue(column, value, count, key) for column, value, key, count in told]


def _doubt(provincial: Provincial, place: str | None, care: str | None) -> str | None:
    """Why nobody knows whether a visit was online, where something was told that would say it and is not understood."""
    if place is not None and not provincial.tells("pay_location", place):
        return "online_unknown"
    if provincial.care_tells_online and care is not None and not provincial.tells("care_type", care):
        return "care_unknown"
    return None


def _either(told: bool | None, shown: bool | None) -> bool | None:
    """Whether a visit was online, by what somebody said and by its marks."""
    if told or shown:
        return True
    return shown if told is None else told
