"""A prescription as JSON text and back, for a ticket: what judging needs of it, and no name of a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from checker.prescription import Item, Prescription

_READ: dict[str, Callable[[str], Any]] = {
    "visit_start": datetime.fromisoformat, "line_birth": date.fromisoformat, "insured_birth_date": date.fromisoformat,
}  # fmt: skip


def write_prescriptions(prescriptions: Sequence[Prescription]) -> str:
    """The text of prescriptions."""
    return json.dumps([asdict(each) for each in prescriptions], default=_text, ensure_ascii=False)


def read_prescriptions(text: str) -> list[Prescription]:
    """The prescriptions of a text written here."""
    return [_prescription(each) for each in json.loads(text)]


def _prescription(held: Mapping[str, Any]) -> Prescription:
    facts = {
        name: _READ[name](value) if value is not None and name in _READ else value
        for name, value in held["facts"].items()
    }
    items = tuple(Item(**{**item, "named_points": tuple(item["named_points"])}) for item in held["items"])
    return Prescription(
        held["stage"],
        datetime.fromisoformat(held["service_time"]),
        facts,
        tuple(held["diagnoses"]),
        items,
        tuple(held["ignored"]),
    )


def _text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
