"""Several headers of one key: compared by what they mean; what they contradict each other in nobody knows, unless the line says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def judged(
    tmp_path: Path, code: str, settlements: list[dict[str, str]], visits: list[dict[str, str]] | None = None, **line: str
) -> tuple[str, str] | None:  # fmt: skip
    """What a scan says of one line, whose settlement and visit have these headers."""
    lines = {
        "line_id": "L", "settlement_id": "S", "visit_id": "V", "item_code": code, "quantity": "1", "amount": "40", "patient_id": "N", "patient_sex": "2",
        "service_time": "2026-06-01", **line,
    }  # fmt: skip
    request: dict[str, Any] = {"kb": [knowledge(tmp_path / "kb")], "stage": "settle"}
    for role, key, rows in (("settlements", "settlement_id", settlements), ("visits", "visit_id", visits or [])):
        if rows:
            request[role] = [write(tmp_path / f"{role}.csv", [{key: key[0].upper(), **row} for row in rows])]
    codes = [{"settlement_id": "S", "code": "I10.x00"}]
    scan(ScanRequest([write(tmp_path / "l.csv", [lines])], tmp_path / "out", diagnoses=[write(tmp_path / "d.csv", codes)], **request))  # fmt: skip
    rows = pl.read_parquet(tmp_path / "out" / "findings.parquet").to_dicts()
    return (rows[0]["verdict"], rows[0]["level"] or rows[0]["reason_code"]) if rows else None


OPEN = ("undetermined", "sources_conflict")
DEFINITE = ("violation", "definite")


@pytest.mark.parametrize(
    ("code", "column", "values", "wanted"),
    [
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
    ],
)
def test_headers_of_one_key_are_compared_by_what_they_mean(
    code: str, column: str, values: tuple[str, ...], wanted: object, tmp_path: Path
) -> None:
    settlements = [FULL | {column: value} for value in values]
    assert judged(tmp_path, code, settlements) == wanted
    if wanted == OPEN:
        (tmp_path / "own").mkdir()
        usual = {"insurance_type": "310", "care_type": "11", "institution_level": "08", "pay_location": "5"}
        levels = {MATERNITY: "suspect"}
        told = judged(tmp_path / "own", code, settlements, **{column: usual[column]})
        assert told == ("violation", levels.get(code, "definite"))


def test_a_visit_does_not_settle_what_settlements_contradict_each_other_in(tmp_path: Path) -> None:
    two = [FULL | {"insurance_type": value} for value in ("310", "510")]
    assert judged(tmp_path, INJURY, two, [{"insurance_type": "310"}]) == OPEN


@pytest.mark.parametrize(("settled", "wanted"), [("310", DEFINITE), ("", OPEN)])
def test_a_settlement_that_says_it_comes_before_visits(settled: str, wanted: object, tmp_path: Path) -> None:
    visits = [{"insurance_type": value} for value in ("310", "510")]
    assert judged(tmp_path, INJURY, [FULL | {"insurance_type": settled}], visits) == wanted
