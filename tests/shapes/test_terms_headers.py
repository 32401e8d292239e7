"""Several headers of one key: compared by what they mean; what they contradict each other in nobody knows, unless the line says it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pytest

from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.shapes.terms_data import knowledge
from tests.shapes.terms_opinion import POINTS
from tests.shapes.test_terms import write

INJURY, MATERNITY, INPATIENT, RANK, ONLINE = (POINTS[n].code for n in (0, 1, 2, 4, 7))
FULL = {
    "insurance_type": "310",
    "care_type": "11",
    "institution_level": "08",
    "pay_location": "2",
    "institution_name": "",
}


Key = TypeVar("Key", bound=Hashable)
Told = tuple[str, str] | None
"""Verdict, and level or reason; nothing where nothing was found."""


@dataclass(frozen=True, slots=True)
class Case:
    """A line of a code with cells of its own, and the headers of its settlement and visit."""

    code: str
    settlements: Sequence[dict[str, str]]
    visits: Sequence[dict[str, str]] = ()
    line: Mapping[str, str] = field(default_factory=dict)


def judged(folder: Path, cases: Mapping[Key, Case]) -> dict[Key, Told]:
    """What one scan says of the line of each case."""
    lines: list[dict[str, str]] = []
    rows: dict[str, list[dict[str, str]]] = {"settlements": [], "visits": [], "diagnoses": []}
    for number, case in enumerate(cases.values()):
        settlement, visit = {"settlement_id": f"S{number}"}, {"visit_id": f"V{number}"}
        lines.append({
            "line_id": f"{number}", **settlement, **visit, "item_code": case.code, "quantity": "1", "amount": "40", "patient_id": f"N{number}",
            "patient_sex": "2", "service_time": "2026-06-01", **case.line,
        })  # fmt: skip
        rows["settlements"] += [settlement | row for row in case.settlements]
        rows["visits"] += [visit | row for row in case.visits]
        rows["diagnoses"].append(settlement | {"code": "I10.x00"})
    tables: dict[str, Any] = {role: [write(folder / f"{role}.csv", told)] for role, told in rows.items() if told}
    given = [write(folder / "lines.csv", lines)]
    scan(ScanRequest(given, folder / "out", kb=[knowledge(folder / "kb")], stage="settle", **tables))
    found = {
        row["line_id"]: (row["verdict"], row["level"] or row["reason_code"])
        for row in pl.read_parquet(folder / "out" / "findings.parquet").to_dicts()
    }
    return {key: found.get(f"{number}") for number, key in enumerate(cases)}


OPEN = ("undetermined", "sources_conflict")
DEFINITE = ("violation", "definite")


COMPARED: list[tuple[str, str, tuple[str, ...], tuple[str, str] | None]] = [
    (INJURY, "insurance_type", ("310", "390"), DEFINITE),
    (INJURY, "insurance_type", ("310", "", "390"), DEFINITE),
    (INJURY, "insurance_type", ("310", "510"), OPEN),
    (INJURY, "insurance_type", ("310", "999", "510"), OPEN),
    (INJURY, "insurance_type", ("310", "999"), ("undetermined", "insurance_unknown")),
    (INPATIENT, "care_type", ("11", "门诊挂号"), DEFINITE),
    (INPATIENT, "care_type", ("21", "2101"), None),
    (INPATIENT, "care_type", ("11", "21"), OPEN),
    (MATERNITY, "care_type", ("2106", "21"), None),
    (MATERNITY, "care_type", ("51", "21"), OPEN),
    (RANK, "institution_level", ("一级甲等", "08"), DEFINITE),
    (RANK, "institution_level", ("08", "01"), OPEN),
    (RANK, "institution_level", ("08", "未定级"), OPEN),
    (RANK, "institution_level", ("11", "未定级"), ("undetermined", "level_unrated")),
    (ONLINE, "pay_location", ("1", "2"), None),
    (ONLINE, "pay_location", ("5", "2"), OPEN),
    (ONLINE, "institution_name", ("某市人民医院", "某市人民医院互联网医院"), DEFINITE),
]
Header = tuple[str, str, tuple[str, ...]]
"""A code, a column, and its values in the headers of one settlement."""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[Header, Told]:
    """What a scan says where the headers alone tell the facts."""
    cases = {
        (code, column, values): Case(code, [FULL | {column: value} for value in values])
        for code, column, values, _ in COMPARED
    }
    return judged(tmp_path_factory.mktemp("compared"), cases)


@pytest.fixture(scope="module")
def said_by_lines(tmp_path_factory: pytest.TempPathFactory) -> dict[Header, Told]:
    """What it says where headers contradict each other and the line says it."""
    usual = {"insurance_type": "310", "care_type": "11", "institution_level": "08", "pay_location": "5"}
    cases = {
        (code, column, values): Case(code, [FULL | {column: value} for value in values], line={column: usual[column]})
        for code, column, values, wanted in COMPARED
        if wanted == OPEN
    }
    return judged(tmp_path_factory.mktemp("lines"), cases)


@pytest.mark.parametrize(("code", "column", "values", "wanted"), COMPARED)
def test_headers_of_one_key_are_compared_by_what_they_mean(
    compared: dict[Header, Told], said_by_lines: dict[Header, Told], code: str, column: str, values: tuple[str, ...], wanted: Told
) -> None:  # fmt: skip
    assert compared[code, column, values] == wanted
    if wanted == OPEN:
        levels = {MATERNITY: "suspect"}
        assert said_by_lines[code, column, values] == ("violation", levels.get(code, "definite"))


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Told]:
    """What a scan says by what settlements say of the insurance, where visits say it as well."""
    two = [{"insurance_type": value} for value in ("310", "510")]
    visits = {("310", "510"): two[:1], ("310",): two, ("",): two}
    cases = {
        settled: Case(INJURY, [FULL | {"insurance_type": value} for value in settled], rows)
        for settled, rows in visits.items()
    }
    return judged(tmp_path_factory.mktemp("visited"), cases)


def test_a_visit_does_not_settle_what_settlements_contradict_each_other_in(
    visited: dict[tuple[str, ...], Told],
) -> None:
    assert visited["310", "510"] == OPEN


@pytest.mark.parametrize(("settled", "wanted"), [("310", DEFINITE), ("", OPEN)])
def test_a_settlement_that_says_it_comes_before_visits(
    visited: dict[tuple[str, ...], Told], settled: str, wanted: Told
) -> None:
    assert visited[settled,] == wanted
