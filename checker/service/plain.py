"""Prescriptions in the plain form, which most have, read from their bytes at once, and of their lines only those that a point covers.

What is read here is read as `checker.ingest.prescription.read_prescription` reads it (a test holds them together). All else, and whatever is
wrong, is left to it: values in unusual forms, flags, refunds, items by name or without national code, an item that comes twice, an
ID number.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from checker.ingest.columns import FEMALE_WORDS, MALE_WORDS, UNKNOWN_SEX_WORDS
from checker.ingest.prescription import STAGE, Item, Prescription, read_amount, read_codes, read_time
from checker.ingest.values import clean, read_sex
from checker.model.schema import NATIONAL_CODE, NULL_WORDS
from checker.precheck.point_index import PointIndex

TYPES = ("application/json", "application/json; charset=utf-8")
"""The content types that the plain form comes with."""
_NATIONALS = re.compile(f"(?:{NATIONAL_CODE})(?:,(?:{NATIONAL_CODE}))*")
_SEXES: dict[str | None, str | None] = dict.fromkeys((None, *NULL_WORDS)) | {
    form: read_sex(word) for word in (*MALE_WORDS, *FEMALE_WORDS, *UNKNOWN_SEX_WORDS) for form in (word, word.upper())
}
_Text = str | int | None
_Number = Annotated[float, msgspec.Meta(ge=0, lt=10**14)] | None


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    item_code: str
    line_id: _Text = None
    item_name: str | None = None
    quantity: _Number = None
    amount: _Number = None
    amount_in_scope: _Number = None


class _Insured(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    sex: str | None = None
    birth_date: date | None = None


class _Patient(_Insured, forbid_unknown_fields=True, gc=False):
    id: _Text = None
    age: Annotated[int, msgspec.Meta(ge=0, lt=1000)] | None = None
    newborn: bool | None = None


class _Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    lines: Annotated[list[_Line], msgspec.Meta(min_length=1)]
    stage: Literal["", "prescribe", "dispense", "settle"] | None = None
    service_time: str | None = None
    settlement_id: _Text = None
    visit_id: _Text = None
    institution_id: _Text = None
    care_type: _Text = None
    insured_region: _Text = None
    region: _Text = None
    visit_start: str | None = None
    patient: _Patient | None = None
    insured: _Insured | None = None
    diagnoses: list[str] | None = None


_decode = msgspec.json.Decoder(_Plain).decode
_NOBODY = _Patient()


def read_plain(body: bytes, index: PointIndex, *, most: int, now: datetime) -> Prescription | None:
    """The prescription in these bytes with the lines that points of the index cover, or None where it is not in the plain form.

    `most` is how many lines it may have, `now` stands in for a missing service time. Where no line is covered, of the facts only those
    are read that say whose prescription it is.
    """
    try:
        given = _decode(body)
        time, visit_start = read_time(given.service_time), read_time(given.visit_start)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
        return None
    lines, time = given.lines, time or now
    joined = ",".join([line.item_code for line in lines])
    # Beyond ASCII there are signs that are upper-cased into it.
    if len(lines) > most or not joined.isascii() or not _NATIONALS.fullmatch(joined := joined.upper()):
        return None
    codes = joined.split(",")
    places = [place for place, code in enumerate(codes) if index.covering(code)]
    patient, insured = given.patient or _NOBODY, given.insured or _NOBODY
    if (
        len(codes) > len(lines)
        or (len(places) > 1 and len({codes[place] for place in places}) < len(places))
        or patient.sex not in _SEXES
        or insured.sex not in _SEXES
    ):
        return None
    facts: dict[str, Any] = {"institution_id": clean(given.institution_id), "visit_id": clean(given.visit_id)}
    stage = given.stage or STAGE
    if not places:
        return Prescription(stage, time, facts, (), (), (), True, (), len(lines))
    facts |= {
        "settlement_id": clean(given.settlement_id), "care_type": clean(given.care_type),
        "insured_region": clean(given.insured_region), "region": clean(given.region), "visit_start": visit_start,
        "patient_id": clean(patient.id), "line_sex": _SEXES[patient.sex], "line_birth": patient.birth_date,
        "patient_age": patient.age, "newborn_flag": patient.newborn, "insured_sex": _SEXES[insured.sex],
        "insured_birth_date": insured.birth_date,
    }  # fmt: skip
    diagnoses = read_codes(given.diagnoses or ())
    items = tuple([_item(lines[place], codes[place], place) for place in places])
    return Prescription(stage, time, facts, diagnoses, items, (), True, tuple(places), len(lines) - len(places))


def _item(line: _Line, code: str, place: int) -> Item:
    return Item(
        clean(line.line_id) or str(place + 1), code, clean(line.item_name), read_amount(line.quantity), read_amount(line.amount),
        read_amount(line.amount_in_scope), True,
    )  # fmt: skip
