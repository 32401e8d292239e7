"""Many prescriptions asked of the counter, in both ways in which it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from checker.ingest.prescription import read_prescription
from checker.model.china_time import china_now
from checker.precheck.counter import Precheck

_ALONE = 4
"""Of so many prescriptions one is asked alone, which costs many times as much."""


def answers(
    precheck: Precheck, documents: Sequence[Mapping[str, Any]], *, language: str = "zh"
) -> list[dict[str, Any]]:
    """What the counter says to each: some are asked alone, the others together, as those that wait for the service."""
    told = {place: precheck.check(document) for place, document in enumerate(documents) if place % _ALONE == 0}
    waiting = [place for place in range(len(documents)) if place not in told]
    read = [precheck.named(read_prescription(documents[place], source="处方", now=china_now())) for place in waiting]
    told |= zip(waiting, precheck.answer_together(read, languages=[language] * len(read)), strict=True)
    return [told[place] for place in range(len(documents))]
