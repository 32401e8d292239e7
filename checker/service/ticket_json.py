"""A prescription as JSON text and back, for a ticket: what judging needs of it, and neither name nor ID number of a person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from checker.ingest.prescription import Item, Prescription
from checker.model.id_number import ID_CHECK, ID_WEIGHTS

_READ: dict[str, Callable[[str], Any]] = {
    "visit_start": datetime.fromisoformat, "visit_end": datetime.fromisoformat, "line_birth": date.fromisoformat, "settlement_birth": date.fromisoformat,
    "insured_birth_date": date.fromisoformat,
}  # fmt: skip
_SHARED = ("history", "of_visit")
_OF_ITEMS = ("items", "beside", *_SHARED)


def write_prescriptions(prescriptions: Sequence[Prescription]) -> str:
    """The text of prescriptions."""
    held = []
    written: dict[int, int] = {}
    for number, prescription in enumerate(prescriptions):
        each = prescription._asdict()
        for name in _OF_ITEMS:
            items = each[name]
            # What several share is written once.
            same = written.setdefault(id(items), number) if items and name in _SHARED else number
            each[name] = same if same != number else items and [*map(_plain, items)]
        held.append(each)
    for each in held:
        numbers = {name: number for name in ("id_number", "header_id_number") if (number := each["facts"].get(name))}
        each["facts"] = {**each["facts"], **{name: _stand_in(number) for name, number in numbers.items()}}
    return json.dumps(held, default=_text, ensure_ascii=False)


def write_institutions(prescriptions: Sequence[Prescription]) -> str:
    """Whose prescriptions they are, as a JSON array; "" where one does not say."""
    return json.dumps(sorted({each.facts.get("institution_id") or "" for each in prescriptions}), ensure_ascii=False)


def read_prescriptions(text: str) -> list[Prescription]:
    """The prescriptions of a text written here."""
    read: list[Prescription] = []
    for each in json.loads(text):
        read.append(_prescription(each, read))
    return read


def _prescription(held: Mapping[str, Any], before: Sequence[Prescription]) -> Prescription:
    def shared(name: str) -> tuple[Item, ...] | None:
        found = held.get(name)
        if isinstance(found, int):
            return before[found].history if name == "history" else before[found].of_visit
        return None if found is None else tuple(map(_item, found))

    facts = {
        name: _READ[name](value) if value is not None and name in _READ else value
        for name, value in held["facts"].items()
    }
    items = tuple(map(_item, held["items"]))
    return Prescription(
        held["stage"],
        datetime.fromisoformat(held["service_time"]),
        facts,
        tuple(held["diagnoses"]),
        items,
        tuple(held["ignored"]),
        held.get("ids_name_lines", True),
        held.get("is_one", True),
        tuple(map(_item, held.get("beside", ()))),
        shared("history"),
        shared("of_visit") or (),
        held.get("place_in_visit", 0),
    )


def _plain(item: Item) -> dict[str, Any]:
    return item._replace(left=None)._asdict()


def _item(held: Mapping[str, Any]) -> Item:
    time = held.get("service_time")
    numbers = {name: Decimal(held[name]) for name in ("days_supply", "unit_price") if held.get(name) is not None}
    read = {
        "named_points": tuple(held["named_points"]),
        "diagnoses": tuple(held.get("diagnoses", ())),
        "circumstances": tuple((name, value) for name, value in held.get("circumstances", ())),
        "service_time": None if time is None else datetime.fromisoformat(time),
    }
    return Item(**{**held, **read, **numbers})


def _stand_in(number: str) -> str | None:
    """A number that nobody has, of the same birth date and sex, as judging reads no more of it; None for one that is not right."""
    if not re.fullmatch("[0-9]{17}[0-9X]", number, re.ASCII) or _check_sign(number) != number[17]:
        return None
    body = f"000000{number[6:14]}00{number[16]}"
    return body + _check_sign(body)


def _check_sign(number: str) -> str:
    return ID_CHECK[sum(int(digit) * weight for digit, weight in zip(number[:17], ID_WEIGHTS, strict=True)) % 11]


def _text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
