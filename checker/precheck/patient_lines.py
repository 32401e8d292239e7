"""All lines that are told of a patient: those of the visit, asked about now or by another prescription, and those of the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checker.ingest.prescription import Item, Prescription


@dataclass(slots=True)
class PatientLines:
    """The lines of one patient, those of the visit first; several prescriptions of a message may share them.

    `prescription` is one of these, for what it says of all of them. `number` tells patients of one query apart.
    """

    number: int
    prescription: Prescription
    lines: tuple[Item, ...]
    of_visit: int

    @property
    def is_told(self) -> bool:
        """Whether anybody said what the patient had before, be it nothing."""
        return self.prescription.history is not None

    def is_history(self, place: int) -> bool:
        """Whether a line is one of those that the patient had before."""
        return place >= self.of_visit


def gather_patients(prescriptions: Sequence[Prescription]) -> list[PatientLines]:
    """The lines of the patient of each prescription; what several share is the same object."""
    known: dict[tuple[int, int], PatientLines] = {}
    found = []
    for each in prescriptions:
        visit = each.of_visit or each.items
        key = id(visit), id(each.history)
        if key not in known:
            known[key] = PatientLines(len(known), each, (*visit, *(each.history or ())), len(visit))
        found.append(known[key])
    return found
