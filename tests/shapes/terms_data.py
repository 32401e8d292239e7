"""Random prescriptions on terms of payment, with hostile and missing values of every fact, and the knowledge that judges them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from checker.knowledge.build import write_tables
from checker.knowledge.edition_text import EditionText
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.source import Sources
from tests.shapes.terms_opinion import CARE, DIAGNOSES, FLAG, INSURANCE, LEVEL, NAME, PLACE, POINTS, SINCE, TOLD

FIRST = POINTS[6].code
"""Of this item only the first prescription is limited."""
SHARED = ("insurance_type", "care_type", "institution_level", "pay_location", "institution_name")
OF_LINES = ("is_discharge_drug", "is_maternity_fee", "is_online", "prescriber_institution_level")
VALUES: dict[str, list[str]] = {
    "insurance_type": [*INSURANCE], "care_type": [*CARE], "institution_level": [*LEVEL], "pay_location": [*PLACE], "institution_name": [*NAME],
    "is_discharge_drug": [*FLAG, "", "", ""], "is_maternity_fee": [*FLAG, "", "", ""], "is_online": [*TOLD, "", ""],
    "prescriber_institution_level": [*LEVEL],
}  # fmt: skip


def knowledge(folder: Path) -> Path:
    """One point of each kind."""
    place = (None,) * 3
    points = [
        PointRow(f"P{n}", each.rule, f"项目{n}", *place, SINCE, None, None, None, "通知", "1", 1, f"1/{n}", limits=dict(each.limits))
        for n, each in enumerate(POINTS)
    ]  # fmt: skip
    patterns = [PatternRow(f"P{n}", "item", "code", each.code, 1) for n, each in enumerate(POINTS)]
    folder.mkdir()
    edition = EditionText("支付条件", "1", "2026-05-11", "2026-05-11", ())
    write_tables(Sources.of(edition=edition, points=points, patterns=patterns), folder)
    return folder


def random_document(rng: Random, number: int) -> dict[str, Any]:
    """A prescription that says or does not say each fact; what came before is always told."""
    head = {name: rng.choice(VALUES[name]) for name in SHARED if rng.random() < 0.8}
    lines = []
    for place in range(rng.choice((1, 1, 2, 4))):
        amount = rng.choice(("40", "0"))
        cells = {
            "line_id": f"{place}", "item_code": rng.choice(POINTS).code, "quantity": "2", "amount": amount,
            "amount_in_scope": rng.choice(("", amount, "0", "0.004")),
            "full_self_paid_amount": rng.choice(("", "", "", amount, f"{float(amount) + 0.004}", f"{float(amount) - 0.01}")),
            **{name: value for name in OF_LINES if rng.random() < 0.4 and (value := rng.choice(VALUES[name])) not in ("X", "8", "?")},
        }  # fmt: skip
        online = cells.pop("is_online", "")
        head |= {"online": online} if online else {}
        lines.append(cells)
    day = SINCE + timedelta(days=rng.randrange(-5, 300))
    had = rng.choice((None, 1, 365, 366))
    earlier = {"item_code": FIRST, "service_time": f"{day - timedelta(days=had or 0)}", "quantity": 1}
    return {
        **head, "service_time": f"{day}", "visit_id": f"W{number}", "institution_id": rng.choice(("H370800001", "P370800001")),
        "patient": {"id": f"N{number}", "sex": rng.choice("12"), "birth_date": "1963-05-01"}, "diagnoses": list(rng.choice(DIAGNOSES)),
        "lines": lines, "history": [] if had is None else [earlier],
    }  # fmt: skip
