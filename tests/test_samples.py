"""The samples: made again they are the same, and what is found in them is what the plan says."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import runpy
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import openpyxl
import polars as pl
import pytest

import checker.ingest.usual
import checker.scan.scan
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.commands import ROOT, liangku

SAMPLES = ROOT / "data" / "samples"
EXPECTED = SAMPLES / "expected"
NATIONAL = SAMPLES / "national"
CELLS = ("verdict", "level", "reason_code", "exemption_id", "remarks", "quantity", "amount")

Finding = tuple[str, ...]


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def plain(value: object) -> str:
    """A cell as the expected files write it: numbers without trailing zeros, lists sorted and joined, none as ''."""
    if value is None:
        return ""
    if isinstance(value, (list, pl.Series)):
        return "|".join(sorted(value))
    if isinstance(value, (int, float, Decimal)):
        return f"{Decimal(str(value)).normalize():f}"
    return str(value)


def as_finding(row: dict[str, object]) -> Finding:
    return tuple(plain(row[column]) for column in ("line_id", "rule_id", *CELLS))


def difference(found: list[Finding], expected: list[dict[str, str]]) -> list[str]:
    """What differs, one sentence for each line: the cell with both values, or the whole finding."""
    whys = {(row["line_id"], row["rule_id"]): row["why"] for row in expected}
    missing = Counter(as_finding(row) for row in expected)
    surplus = Counter(found) - missing
    missing -= Counter(found)
    told = []
    for finding in sorted(missing.elements()):
        why = whys[finding[0], finding[1]]
        twin = next((other for other in sorted(surplus) if other[:2] == finding[:2]), None)
        if twin is None:
            told.append(f"{finding[0]} {finding[1]}: expected {finding[2:]}, found nothing ({why})")
            continue
        surplus -= Counter([twin])
        cells = [
            f"{cell} expected {want!r}, found {got!r}"
            for cell, want, got in zip(CELLS, finding[2:], twin[2:], strict=True)
            if want != got
        ]
        told.append(f"{finding[0]} {finding[1]}: {'; '.join(cells)} ({why})")
    told += [f"{finding[0]} {finding[1]}: not expected, found {finding[2:]}" for finding in sorted(surplus.elements())]
    return told


@pytest.fixture(scope="module")
def make_samples():
    """The generator as a module; it lies outside the package."""
    spec = importlib.util.spec_from_file_location("make_samples", ROOT / "data" / "make_samples.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made_again(make_samples, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("samples")
    make_samples.make(target)
    return target


@pytest.fixture(scope="module")
def restricted() -> tuple[set[str], tuple[str, ...]]:
    """The restricted codes and families of the knowledge base."""
    patterns = read_csv(ROOT / "knowledge_base" / "sources" / "pattern.csv")
    codes = {row["code"] for row in patterns if (row["role"], row["match"]) == ("item", "code")}
    return codes, tuple(row["code"] for row in patterns if row["match"] == "family")


# ---- the files ----


@pytest.mark.parametrize("name", ["fee_list_d", "setl_d", "mdtrt_d", "setl_list_diag_d"])
def test_national_tables_made_again_are_the_committed_ones(made_again, name):
    assert pl.read_parquet(made_again / "national" / f"{name}.parquet").equals(
        pl.read_parquet(NATIONAL / f"{name}.parquet")
    )


def test_text_files_made_again_are_the_committed_ones(made_again):
    made = sorted(path.relative_to(made_again) for path in made_again.rglob("*.csv"))
    assert [str(path) for path in made if (made_again / path).read_bytes() != (SAMPLES / path).read_bytes()] == []
    assert sorted(path.relative_to(SAMPLES) for path in EXPECTED.glob("*")) == [
        path for path in made if path.parts[0] == "expected"
    ]


def test_the_national_extract_has_20000_lines_in_less_than_2_megabytes():
    assert pl.read_parquet(NATIONAL / "fee_list_d.parquet").height == 20_000
    assert sum(path.stat().st_size for path in NATIONAL.iterdir()) < 2_000_000


def test_several_hundred_lines_use_restricted_items_rightly(restricted):
    codes, families = restricted
    fees = pl.read_parquet(NATIONAL / "fee_list_d.parquet", columns=["bkkp_sn", "med_list_codg"])
    ordinary = fees.filter(~pl.col("bkkp_sn").str.starts_with("T-"))["med_list_codg"].drop_nulls()
    assert sum(code in codes or code.startswith(families) for code in ordinary) > 500


def test_no_ordinary_item_is_restricted_and_every_other_is(restricted):
    codes, families = restricted
    # Planned though unlimited: two contain what is then not charged beside them, the third clears a prescription.
    unlimited = {"血液灌流", "鼓室成形术(Ⅲ型)", "示例饮片"}
    wrong = [
        row["name"]
        for row in read_csv(SAMPLES / "plan" / "items.csv")
        if (row["code"] in codes or row["code"].startswith(families))
        != (row["used_as"] != "ordinary" and row["name"] not in unlimited)
    ]
    assert wrong == []


def test_every_plant_has_its_own_name_and_reason(make_samples):
    for file in ("national.toml", "pharmacy.toml"):
        plants = make_samples.read_plants(SAMPLES / "plan" / file)
        assert len({plant["id"] for plant in plants}) == len(plants)
        assert all(plant["why"].endswith(".") for plant in plants)


# ---- what is found ----


@pytest.fixture(scope="module")
def national_run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("national") / "out"
    headers = ("--settlements", NATIONAL / "setl_d.parquet", "--visits", NATIONAL / "mdtrt_d.parquet")
    diagnoses = ("--diagnoses", NATIONAL / "setl_list_diag_d.parquet")
    run = liangku("scan", NATIONAL / "fee_list_d.parquet", *headers, *diagnoses, "--out", out)
    assert (run.returncode, (out / "run.json").is_file()) == (1, True), run.stderr
    return out


@pytest.fixture(scope="module")
def pharmacy_run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("pharmacy") / "out"
    run = liangku("scan", SAMPLES / "pharmacy" / "sales.csv", "--max-rejects", "5%", "--out", out)
    assert (run.returncode, (out / "run.json").is_file()) == (1, True), run.stderr
    return out


def findings_of(out: Path) -> list[Finding]:
    files = sorted([*out.glob("findings.parquet"), *out.glob("findings/*.parquet")])
    return [as_finding(row) for file in files for row in pl.read_parquet(file).to_dicts()]


@pytest.mark.parametrize("sample", ["national", "pharmacy"])
def test_scan_finds_exactly_what_the_plan_expects(sample, request):
    expected = read_csv(EXPECTED / f"findings_{sample}.csv")
    assert difference(findings_of(request.getfixturevalue(f"{sample}_run")), expected) == []


def test_scan_finds_the_same_by_what_is_asked_of_many_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples are small enough to be read by the first form of each value, on one thread; what reads large tables must find no less."""
    monkeypatch.setattr(checker.scan.scan, "FEW_ROWS", 0)
    monkeypatch.setattr(checker.ingest.usual, "CELLS", 0)
    headers = {"settlements": "setl_d", "visits": "mdtrt_d", "diagnoses": "setl_list_diag_d"}
    above = {role: [NATIONAL / f"{name}.parquet"] for role, name in headers.items()}
    scan(ScanRequest([NATIONAL / "fee_list_d.parquet"], tmp_path / "out", **above))
    assert difference(findings_of(tmp_path / "out"), read_csv(EXPECTED / "findings_national.csv")) == []


@pytest.mark.parametrize("sample", ["national", "pharmacy"])
def test_run_json_counts_what_the_plan_expects(sample, request):
    run = json.loads((request.getfixturevalue(f"{sample}_run") / "run.json").read_text(encoding="utf-8"))
    lines = run["lines"]
    counted = {
        "read": lines["read"],
        "judged": lines["judged"],
        **{f"skipped.{kind}": lines["skipped"].get(kind, 0) for kind in ("invalid", "context", "refund", "self_paid")},
        "rejected": lines["rejected"]["total"],
        **{name: run[name] for name in ("fully_refunded", "refunds_without_original", "duplicates")},
        "not_in_scope": run["not_in_scope"]["total"],
        "not_judged": sum(rule["lines"] for rule in run["not_judged"]),
        **{f"not_in_force.{rule}": run["not_in_force"].get(rule, 0) for rule in run["rules"]["versions"]},
    }
    expected = {row["what"]: int(row["count"]) for row in read_csv(EXPECTED / "counts.csv") if row["sample"] == sample}
    assert counted == expected
    assert lines["read"] == lines["judged"] + lines["skipped"]["total"] + lines["rejected"]["total"]


def test_what_the_pharmacy_cannot_tell_is_told_for_each_rule(pharmacy_run):
    run = json.loads((pharmacy_run / "run.json").read_text(encoding="utf-8"))
    assert {(each["rule"], each["missing"]): each["lines"] for each in run["not_judged"]} == {
        ("drug-course", "patient"): 1,
        ("drug-indication", "pharmacy_diagnoses"): 1,
        ("drug-institution-level", "history"): 1,
        ("drug-second-line", "earlier_drugs"): 1,
    }


@pytest.mark.parametrize("case", read_csv(EXPECTED / "answers_prescriptions.csv"), ids=lambda case: case["file"])
def test_check_answers_what_the_plan_expects(case):
    run = liangku("check", SAMPLES / "prescriptions" / case["file"], "--json")
    assert run.returncode == int(case["exit_code"]), run.stderr
    answer = json.loads(run.stdout)
    assert answer["verdict"] == case["verdict"]
    assert "|".join(f"{each['rule_id']} {each['missing']}" for each in answer["not_judged"]) == case["not_judged"]
    expected = [row for row in read_csv(EXPECTED / "findings_prescriptions.csv") if row["file"] == case["file"]]
    assert difference([as_finding(row) for row in answer["findings"]], expected) == []


def test_the_sample_workbook_is_what_its_script_writes():
    script = runpy.run_path(str(ROOT / "data" / "make_workbook.py"))
    kept, made = (
        {
            sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)]
            for sheet in openpyxl.load_workbook(file)
        }
        for file in (script["TARGET"], io.BytesIO(script["make"]()))
    )
    assert kept == made


def test_the_sample_inputs_are_what_their_script_writes(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "data"))
    script = runpy.run_path(str(ROOT / "data" / "make_inputs.py"))
    assert script["MONTH"].read_bytes() == script["month"]()
    kept, made = (
        [list(row) for sheet in openpyxl.load_workbook(file) for row in sheet.iter_rows(values_only=True)]
        for file in (script["SHEET"], io.BytesIO(script["sheet"]()))
    )
    assert kept == made
