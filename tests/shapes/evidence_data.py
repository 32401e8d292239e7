"""Random worlds of diagnoses and earlier drugs, and the knowledge that judges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from checker.knowledge.build import write_tables
from checker.knowledge.crosswalk import SCHEMA
from checker.knowledge.edition_text import EditionText
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.source import Sources
from tests.shapes.evidence_opinion import INDICATION, SECOND, Point, Row, World

SINCE = date(2025, 1, 1)
CANCER = ("XL01", "XL02", "XL04")
POINTS = (
    Point(INDICATION, ("XA10BJS001B002010100001", "XA10BJS001B002010100002"), ("E11",), ("E14", "O24"), chronic=True),
    Point(INDICATION, ("XD11AHD001B002010100001",), ("L20", "L40.0"), ("L40",)),
    Point(INDICATION, ("XL01EDA001A001010100001",), ("C34", "C50", "*M00500"), ("C80", "Z51"), chronic=True),
    Point(INDICATION, ("XJ01MAA001A001010100001",), ("J18", "N39.0", "M05")),
    Point(SECOND, ("XL01EDA001A001010100001", "XL01EDA002A001010100001"), classes=CANCER),
    Point(SECOND, ("XL02BGL001A001010100001",), classes=CANCER),
    Point(SECOND, ("XA02BCA001A001010100001",), classes=("XA02",)),
)
OTHERS = (
    "XL01BCJ001A001010100001", "XL01EDA001A001010100009", "XL04AXB001A001010100001", "XA02BAA001A001010100001", "XA02BCA001B001010100002",
    "XC08CAA001A001010100001", "003306000040000",
)  # fmt: skip
"""Items of no point: of the classes, of the same generics, and others."""
LOCAL = {"YB-1": "XL01BCJ001A001010100001", "YB-2": "XA10BJS001B002010100001", "YB-3": "XL01EDA001A001010100008"}
CODES = [code for point in POINTS for code in point.codes]
DIAGNOSES = (
    "E11.900", "E14.900", "E11.300x031+H36.0*", "O24.4", "L20.900", "L40.000", "L40.900", "C34.100", "C80", "Z51.100", "I10.x00", "J18.900", "N39.000",
    "M05.900", "A04.01.01", "糖尿病", "m01600", "M05300", "I10.x00,J06.900", "J06.900;E11.900", "", "-",
)  # fmt: skip


def knowledge(folder: Path, points: Sequence[Point] = POINTS, words: Sequence[Mapping[str, str]] = ()) -> Path:
    """The points, with what words they have, and local codes of some items."""
    place = (None,) * 3
    rows = [
        PointRow(
            f"P{n}", each.rule, f"项目{n}", *place, SINCE, None, None, None, "通知", "1", len(each.codes), f"1/{n}", limits={**each.limits, **told},
        )
        for n, (each, told) in enumerate(zip(points, words or [{}] * len(points), strict=True))
    ]  # fmt: skip
    patterns = [PatternRow(f"P{n}", "item", "code", code, 1) for n, each in enumerate(points) for code in each.codes]
    mapped = [(local, None, national, None, None, "对码") for local, national in LOCAL.items()]
    crosswalk = pl.DataFrame(mapped, schema=SCHEMA, orient="row")
    folder.mkdir()
    edition = EditionText("诊断与此前用药", "1", "2026-05-11", "2026-05-11", ())
    write_tables(Sources.of(edition=edition, points=rows, patterns=patterns, crosswalk=crosswalk), folder)
    return folder


def random_world(rng: Random, count: int, absent: frozenset[str]) -> World:
    """Lines of all kinds, their headers and diagnoses; `absent` names columns, and tables, that no input has."""

    def some(name: str, value: str, chance: float) -> dict[str, str]:
        return {name: value if rng.random() < chance else ""} if name not in absent else {}

    persons = [f"N{number}" for number in range(max(count // 8, 1))]
    visits: dict[str, Row] = {}
    settlements: dict[str, Row] = {}
    places: list[tuple[str, str, str, date]] = []
    for number in range(count // 3):
        person, start = rng.choice(persons), SINCE + timedelta(days=rng.randrange(700))
        visit, settlement = f"V{number}", f"S{number}"
        places.append((visit, settlement, person, start))
        told = {**some("patient_id", person, 0.5), **some("patient_id_number", f"ID{person}", 0.2)}
        if rng.random() < 0.8:
            visits[visit] = {
                **told, "patient_sex": "1", "patient_birth_date": "1970-01-01", **some("visit_start", f"{start}", 0.8),
                **some("visit_end", f"{start + timedelta(days=rng.choice((0, 3, 40)))}", 0.5), **some("diagnosis_code", rng.choice(DIAGNOSES), 0.2),
            }  # fmt: skip
        if rng.random() < 0.8:
            settlements[settlement] = {
                **told, "patient_sex": "1", "patient_birth_date": "1970-01-01", **some("care_type", rng.choice(("11", "21", "41")), 0.7),
                **some("special_disease_code", rng.choice(("M01600", "M00500", "E11.9")), 0.15),
            }  # fmt: skip
    world = World(
        [], {} if "settlements" in absent else settlements, {} if "visits" in absent else visits,
        [] if "diagnoses" in absent else _random_diagnoses(rng, places), local=LOCAL, has_diagnoses=not absent >= {"diagnoses", "diagnosis_code"},
        has_patients=not absent >= {"patient_id", "patient_id_number"},
    )  # fmt: skip
    for number in range(count):
        visit, settlement, person, start = rng.choice(places)
        quantity, amount = rng.choice((1, 2, 4)), rng.choice(("40", "40", "0"))
        known = person if rng.random() < 0.98 else rng.choice(persons)
        world.lines.append({
            "line_id": f"L{number}", "visit_id": visit if rng.random() < 0.9 else "", "settlement_id": settlement if rng.random() < 0.8 else "",
            "item_code": rng.choice((*CODES, *OTHERS, *LOCAL)), "service_time": f"{start + timedelta(days=rng.choice((0, 0, 1, 5)))}",
            "quantity": f"{quantity}", "amount": amount, "amount_in_scope": rng.choice(("", amount, amount, "0")),
            "institution_id": rng.choice(("H37080000001",) * 9 + ("P37080000001",)), "is_context": rng.choice(("",) * 6 + ("1",)),
            "paid_by_fund": rng.choice(("",) * 6 + ("0",)), "patient_sex": "1",
            **some("patient_id", known, 0.7), **some("patient_id_number", f"ID{known}", 0.3), **some("diagnosis_code", rng.choice(DIAGNOSES), 0.2),
            **some("special_disease_code", rng.choice(("M01600", "M00500")), 0.05),
        })  # fmt: skip
    return world


def _random_diagnoses(rng: Random, places: list[tuple[str, str, str, date]]) -> list[Row]:
    rows = []
    for visit, settlement, *_ in places:
        for _ in range(rng.choice((0, 1, 1, 2))):
            key = {"visit_id": visit} if rng.random() < 0.5 else {"settlement_id": settlement}
            rows.append({**key, "code": rng.choice(DIAGNOSES), "valid_flag": rng.choice(("1",) * 9 + ("0",))})
    return rows


def refunds(rng: Random, world: World) -> list[Row]:
    """Lines that take others back, wholly or in part; `world` is told of them."""
    rows = []
    for line in world.lines:
        quantity = int(line["quantity"])
        back = rng.choice((0,) * 8 + (1, quantity))
        if back and not (line["is_context"] or line["paid_by_fund"]):
            world.refunded[line["line_id"]] = back
            same = (
                "settlement_id",
                "visit_id",
                "item_code",
                "patient_id",
                "patient_id_number",
                "service_time",
                "institution_id",
                "paid_by_fund",
            )
            rows.append({name: line[name] for name in same if name in line} | {
                "line_id": f"R{line['line_id']}", "original_line_id": line["line_id"], "quantity": f"-{back}",
                "amount": f"-{float(line['amount']) * back / quantity}",
            })  # fmt: skip
    return rows


def random_document(rng: Random, number: int) -> dict[str, Any]:
    """A prescription with what it tells of diagnoses and of earlier lines."""
    day = SINCE + timedelta(days=rng.randrange(400, 700))
    history = [
        {
            "line_id": f"H{place}", "item_code": rng.choice((*CODES, *OTHERS, *LOCAL)), "quantity": rng.choice((1, 2)), "visit_id": f"W{number}-{place}",
            "service_time": f"{day - timedelta(days=rng.choice((0, 1, 30, 200, 365, 366)))}",
            **({"diagnoses": [rng.choice(DIAGNOSES)]} if rng.random() < 0.6 else {}),
        }
        for place in range(rng.choice((0, 1, 2, 4)))
    ]  # fmt: skip
    lines = [
        {"line_id": f"{place}", "item_code": rng.choice((*CODES, *CODES, *OTHERS, *LOCAL)), "quantity": 2, "amount": 40}
        for place in range(rng.choice((1, 2, 3)))
    ]
    head = {"special_disease_code": rng.choice(("M01600", "M00500"))} if rng.random() < 0.1 else {}
    return {
        **head, "service_time": f"{day}", "visit_id": f"W{number}", "institution_id": "H37080000001",
        "patient": {"id": f"N{number}", "sex": "1", "birth_date": "1970-01-01"}, "lines": lines,
        "diagnoses": [rng.choice(DIAGNOSES) for _ in range(rng.choice((0, 1, 2)))], **({"history": history} if rng.random() < 0.8 else {}),
    }  # fmt: skip
