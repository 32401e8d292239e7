"""Prescriptions in the plain form, which most have, read from their bytes at once, and of their lines only those that a point covers.

What is read here is read as `checker.prescription.read_prescription` reads it (a test holds them together). All else, and whatever is
wrong, is left to it: values in unusual forms, flags, refunds, items by name or without national code, an item that comes twice.
"""

from __future__ import annotations

import operator
import re
from datetime import datetime
from typing import Annotated

import msgspec

from checker.errors import InputError
from checker.pointindex import PointIndex
from checker.prescription import (
    HEAD,
    INSURED,
    PATIENT,
    STAGE,
    STAGES,
    Item,
    Prescription,
    Reader,
    read_amount,
    read_text,
    read_time,
)
from checker.schema import NATIONAL_CODE

TYPES = ("application/json", "application/json; charset=utf-8")
"""The content types that the plain form comes with."""
_NATIONALS = re.compile(f"(?:{NATIONAL_CODE})(?:,(?:{NATIONAL_CODE}))*")
_Text = str | int | None
_Number = Annotated[float, msgspec.Meta(ge=0, lt=10**14)] | None
_Group = dict[str, str | int | float | bool | None] | None


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    item_code: str
    line_id: _Text = None
    item_name: str | None = None
    quantity: _Number = None
    amount: _Number = None
    amount_in_scope: _Number = None


class _Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    lines: Annotated[list[_Line], msgspec.Meta(min_length=1)]
    stage: str | None = None
    service_time: str | None = None
    settlement_id: _Text = None
    visit_id: _Text = None
    institution_id: _Text = None
    care_type: _Text = None
    insured_region: _Text = None
    region: _Text = None
    visit_start: str | None = None
    patient: _Group = None
    insured: _Group = None
    diagnoses: list[str] | None = None


_decode = msgspec.json.Decoder(_Plain).decode
_head = operator.attrgetter(*HEAD)


def read_plain(body: bytes, index: PointIndex, *, most: int, now: datetime) -> Prescription | None:
    """The prescription in these bytes with the lines that points of the index cover, or None where it is not in the plain form.

    `most` is how many lines it may have, `now` stands in for a missing service time.
    """
    try:
        given = _decode(body)
        lines = given.lines
        joined = ",".join([line.item_code for line in lines])
        # Beyond ASCII there are signs that are upper-cased into it.
        if len(lines) > most or not joined.isascii() or not _NATIONALS.fullmatch(joined := joined.upper()):
            return None
        codes = joined.split(",")
        places = [place for place, code in enumerate(codes) if index.covering(code)]
        if len(codes) > len(lines) or (len(places) > 1 and len({codes[place] for place in places}) < len(places)):
            return None
        reader = Reader("")
        facts = {
            name: read(value)
            for (name, read), value in zip(HEAD.items(), _head(given), strict=True)
            if value is not None
        }
        reader.group(given.patient, "patient", PATIENT, facts)
        reader.group(given.insured, "insured", INSURED, facts)
        stage = read_text(given.stage) or STAGE
        if stage not in STAGES:
            return None
        return Prescription(
            stage=stage,
            service_time=read_time(given.service_time) or now,
            facts=facts,
            diagnoses=reader.diagnoses(given.diagnoses),
            items=tuple([_item(lines[place], codes[place], place) for place in places]),
            ignored=tuple(reader.ignored),
            places=tuple(places),
            others=len(lines) - len(places),
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, InputError, TypeError, ValueError):
        return None


def _item(line: _Line, code: str, place: int) -> Item:
    return Item(
        read_text(line.line_id) or str(place + 1), code, read_text(line.item_name), read_amount(line.quantity),
        read_amount(line.amount), read_amount(line.amount_in_scope), True,
    )  # fmt: skip
