"""Random prescriptions in the forms that most have: what the service reads from their bytes at once."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

from checker.ingest.prescription import read_prescription


def plain_head(rng: Random, document: dict[str, Any]) -> dict[str, Any]:
    """The times and persons of a document in the forms that most have."""
    read = read_prescription({**document, "lines": [{}]}, source="-", now=datetime.now())
    time, born, insured_born = (
        read.service_time, read.facts.get("line_birth"), read.facts.get("insured_birth_date"),
    )  # fmt: skip
    head: dict[str, Any] = {
        "service_time": f"{time.isoformat(rng.choice('T '), 'seconds')}{rng.choice(['', '', 'Z', '+08:00', '.123Z', '.9999999'])}",
        "patient": {
            "id": rng.choice([None, 7, "P7", "-"]), "sex": rng.choice([None, "male", "女", "F", "9"]),
            "birth_date": born and born.isoformat(), "age": rng.choice([None, 0, 13, 200]), "newborn": rng.choice([None, True]),
        },
        "insured": {"sex": rng.choice([None, "男", "2"]), "birth_date": insured_born and insured_born.isoformat()},
    }  # fmt: skip
    for holder in (head["patient"], head["insured"], head):
        for key in rng.sample(list(holder), 1):
            if rng.random() < 0.3:
                del holder[key]
    return head


def plain_line(rng: Random, codes: list[str], place: int) -> dict[str, Any]:
    """A line as most are."""
    line: dict[str, Any] = {
        "item_code": rng.choice(codes),
        "quantity": rng.randint(0, 3),
        "amount": round(rng.random() * 90, 2),
    }
    if rng.random() < 0.8:
        line["line_id"] = rng.choice([str(place), place, f"L{place}"])
    if rng.random() < 0.5:
        line["item_name"] = "某药"
    return line
