"""The relations of the shape `evidence` of the prescriptions of a query, and what people must check because nothing on file tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from checker.ingest.diagnosis_codes import parts_of
from checker.ingest.prescription import Prescription, is_above_zero
from checker.judge.points import GENERIC
from checker.precheck.fellows import is_left
from checker.precheck.patient_lines import PatientLines
from checker.precheck.point_index import Point, PointIndex
from checker.precheck.uses import visit_key
from checker.shapes.evidence import CLASS_USE


def diagnosed(asking: Iterable[tuple[Prescription, PatientLines]]) -> Iterator[dict[str, Any]]:
    """What was diagnosed in the visits of prescriptions, and on other days by what the lines of their histories tell."""
    rows: dict[tuple[str, str, str | None], None] = {}

    def add(key: str, diagnoses: Iterable[str], day: str | None) -> None:
        rows.update({(key, code, day): None for each in diagnoses for code in parts_of(each)})

    for prescription, patient in asking:
        visit, special = f"v{visit_key(patient)}", prescription.facts.get("special_disease_code")
        add(visit, (*prescription.diagnoses, *((special,) if special else ())), None)
        for item in prescription.history or ():
            if item.diagnoses and not item.is_void:
                add(f"p{patient.number}", item.diagnoses, prescription.time_of(item).date().isoformat())
                if item.visit_id is not None and item.visit_id == prescription.facts.get("visit_id"):
                    add(visit, item.diagnoses, None)
    yield from ({"key": key, "code": code, "day": day} for key, code, day in rows)


def class_uses(index: PointIndex, patients: Iterable[PatientLines]) -> Iterator[dict[str, Any]]:
    """On which days the patients had drugs of the classes that points ask for, as netting left the lines."""
    rows: dict[tuple[str, str, str, str], None] = {}
    for patient in patients:
        for item in patient.lines:
            day = patient.prescription.time_of(item).date()
            codes = (item.item_code or "", *index.nationals(item.item_code, day))
            told = [(drug_class, code[:GENERIC]) for code in codes for drug_class in index.classes_of(code)]
            if not told or not is_left(item):
                continue
            quantity = item.left.quantity if item.left else item.quantity
            if quantity is None or is_above_zero(quantity):
                rows.update({(str(patient.number), *each, day.isoformat()): None for each in told})
    yield from (dict(zip(CLASS_USE, row, strict=True)) for row in rows)


def to_check(point: Point, verdict: str, language: str) -> str | None:
    """What a point asks for that nobody can tell from what is on file, in its own words; None where there is nothing left to check."""
    if verdict == "violation" or not (point.to_check or (point.text and verdict == "undetermined")):
        return None
    told, text = point.to_check, point.text
    if told and text and _bare(text) not in told:
        return f"{told} (as published: {text})" if language == "en" else f"{told}（公布的原文：{text}）"
    return told or text


def _bare(text: str) -> str:
    """A published text without the word and the stop around what it says, as `to_check` may have it already."""
    return text.strip().removeprefix("限").rstrip("。")
