"""Prescriptions as JSON, several at once: each is read and answered in its place, and one that cannot be read does not keep the others from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from checker.ingest.prescription import Prescription, read_prescription
from checker.model.errors import InputError
from checker.precheck.counter import Precheck


class Checked(NamedTuple):
    """A prescription and its answer, or None and the error that took its place."""

    prescription: Prescription | None
    answer: Mapping[str, Any]


def read_each(
    documents: Sequence[object], read: Callable[[object, int], Prescription]
) -> list[Prescription | InputError]:
    """What `read` makes of each document and its number from 0, or in its place the InputError that it raises."""
    entries: list[Prescription | InputError] = []
    for number, document in enumerate(documents):
        try:
            entries.append(read(document, number))
        except InputError as error:
            entries.append(error)
    return entries


def in_places(
    entries: Sequence[Prescription | InputError], answers: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The answers to the prescriptions among the entries, in their order, with an error document in the place of each that could not be read."""
    judged = iter(answers)
    return [
        next(judged) if isinstance(each, Prescription) else error_document("bad_input", str(each)) for each in entries
    ]


def error_document(code: str, message: str) -> dict[str, Any]:
    """What is said of anything that is refused: a request, or one prescription of several."""
    return {"error": {"code": code, "message": message}}


def check_one(precheck: Precheck, document: object, *, source: str, stage: str, now: datetime) -> Checked:
    """Read and answer one prescription. Raises InputError naming the path of a value that cannot be read."""
    prescription = precheck.named(read_prescription(document, source=source, now=now, stage=stage))
    return Checked(prescription, precheck.answer(prescription))


def check_each(
    precheck: Precheck, documents: Sequence[object], *, source: str, stage: str, now: datetime
) -> list[Checked]:
    """Read and answer the prescriptions of an array."""

    def read(document: object, number: int) -> Prescription:
        place = f"{source} [{number}]"
        return precheck.named(read_prescription(document, source=place, now=now, stage=stage))

    entries = read_each(documents, read)
    answers = in_places(entries, (precheck.answer(each) for each in entries if isinstance(each, Prescription)))
    told = (each if isinstance(each, Prescription) else None for each in entries)
    return [Checked(*pair) for pair in zip(told, answers, strict=True)]
