"""Which care types are a pharmacy's is said by the profile: there the person of a header is the holder of the card, in a file and at the counter."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from checker.ingest.provincial import read_provincial
from checker.precheck.counter import Precheck
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from checker.service.national.message import read_message
from checker.service.national.profile import read_profile
from tests.service.messages import MALE_ONLY as DRUG
from tests.service.messages import encounter, message, order, patient

PROFILE = '[care_groups]\npharmacy = ["9901", "药房直购"]\noutpatient = ["4102"]\n'
SAME = (("药房直购", "41"), ("9901", "4101"), ("4102", "11"), ("9902", "体检"))
"""What the profile says, and what means the same without it."""


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "p.toml"
    path.write_text(PROFILE, encoding="utf-8")
    return path


def scanned(folder: Path, care: str, profile: Path | None, *, of_header: bool) -> list[dict[str, Any]]:
    folder.mkdir()

    def write(name: str, row: dict[str, str]) -> Path:
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))
            writer.writeheader()
            writer.writerow(row)
        return folder / name

    line = {
        "line_id": "1",
        "settlement_id": "S",
        "item_code": DRUG,
        "service_time": "2026-06-01",
        "quantity": "1",
        "amount": "30",
    }
    header = {"settlement_id": "S", "patient_sex": "2", "mutual_aid_amount": "30"}
    (header if of_header else line)["care_type"] = care
    request = ScanRequest(
        [write("l.csv", line)], folder / "out", settlements=[write("s.csv", header)], profile=profile, force=True
    )
    scan(request)
    rows = pl.read_parquet(folder / "out" / "findings.parquet")
    return rows.select("verdict", "level", "reason_code", "remarks", "person", "actual").to_dicts()


@pytest.mark.parametrize("of_header", [True, False], ids=["header", "line"])
@pytest.mark.parametrize(("own", "usual"), SAME)
def test_a_scan_takes_the_pharmacies_of_the_profile(
    own: str, usual: str, of_header: bool, profile: Path, tmp_path: Path
) -> None:
    found = scanned(tmp_path / "own", own, profile, of_header=of_header)
    assert found == scanned(tmp_path / "usual", usual, None, of_header=of_header) != []
    assert ("family_account" in found[0]["remarks"]) is usual.startswith("41")


@pytest.mark.parametrize(("own", "usual"), SAME)
def test_the_counter_takes_them_too(own: str, usual: str, profile: Path) -> None:
    def answered(care: str, used: Path | None, of_line: bool) -> list[dict[str, Any]]:
        line = {"item_code": DRUG, "quantity": 1} | ({"care_type": care} if of_line else {})
        document = {"service_time": "2026-06-01", "care_type": "11" if of_line else care, "mutual_aid_amount": 30,
                    "insured": {"sex": "F"}, "lines": [line]}  # fmt: skip
        return list(Precheck.open(profile=used).check(document)["findings"])

    for of_line in (False, True):
        found = answered(own, profile, of_line)
        assert found == answered(usual, None, of_line) != []
        assert (
            "family_account" in found[0]["remarks"] or found[0]["reason_code"] == "patient_unknown"
        ) is usual.startswith("41")


@pytest.mark.parametrize(("own", "usual"), SAME)
def test_so_do_the_national_messages(own: str, usual: str, profile: Path) -> None:
    def facts(care: str, used: Path | None) -> set[str]:
        document = message(patient(encounter(order(), med_type=care)))
        read = read_message(document, read_profile(None), read_provincial(used), now=datetime(2026, 6, 1), infno="3101")
        return {
            name
            for prescription in read.prescriptions
            for name, value in prescription.facts.items()
            if value is not None
        }

    assert facts(own, profile) == facts(usual, None)
    assert ("settlement_sex" in facts(own, profile)) is usual.startswith("41")
