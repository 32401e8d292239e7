"""Findings of the embedded edition and of editions imported from the published workbooks, over lines of every published code."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from checker.knowledge.edition_text import EditionText
from checker.knowledge.import_request import ImportRequest
from checker.knowledge.importing import import_workbooks
from checker.knowledge.manifest import Notice
from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.published import PublishedItem
from checker.knowledge.resolve import open_plan
from checker.knowledge.source import Sources, open_knowledge
from checker.model.embedded import embedded_rules_folder
from checker.scan.findings import read_findings
from checker.scan.request import ScanRequest
from checker.scan.scan import scan

MAY, JANUARY = date(2025, 5, 23), date(2026, 1, 28)
DECEMBER, MARCH = date(2025, 12, 1), date(2026, 3, 1)
RULES = ["drug-sex", "service-sex", "drug-child-only", "drug-child-limited", "service-child-only"]
JUDGED = ["line_id", "rule_id", "verdict", "level", "reason_code", "remarks", "expected", "actual"]
PERSONS = {
    "man": {"gend": "1", "brdy": "1980-05-01"},
    "woman": {"gend": "2", "brdy": "1990-05-01"},
    "woman without birth date": {"gend": "2"},
    "somebody": {"brdy": "1990-05-01"},
    "newborn": {"gend": "1", "brdy": "{days:10}"},
    "infant": {"gend": "2", "brdy": "{days:200}"},
    "child of 2": {"gend": "1", "brdy": "{days:900}"},
    "child of 5": {"gend": "2", "brdy": "{days:2000}"},
    "child of 12": {"gend": "1", "brdy": "{days:4500}"},
    "youth of 16": {"gend": "2", "brdy": "{days:6000}"},
    "flagged as newborn": {"gend": "2", "brdy": "1995-05-01", "nwb_flag": "1"},
    "only the insured known": {"参保人性别": "男", "参保人出生日期": "1970-01-01", "med_type": "41"},
}
"""Who receives each item; `{days:n}` is the day n days before the service."""


def people(day: date) -> Iterator[dict[str, str | None]]:
    """Yield the persons as headers and cells, with every header of any."""
    headers = dict.fromkeys(header for person in PERSONS.values() for header in person)
    for name, person in PERSONS.items():
        cells = {header: person.get(header) for header in headers}
        if (birth := cells["brdy"]) is not None and birth.startswith("{days:"):
            cells["brdy"] = date.fromordinal(day.toordinal() - int(birth[6:-1])).isoformat()
        yield {"person": name, **cells}


def lines(codes: set[str], day: date, folder: Path) -> Path:
    """Write one line for each code and person, called by code, day and person."""
    persons = pl.DataFrame(list(people(day)), schema_overrides={"nwb_flag": pl.String})
    items = pl.DataFrame({"med_list_codg": sorted(codes)})
    table = items.join(persons, how="cross").with_columns(
        feedetl_sn=pl.col("med_list_codg") + f"/{day}/" + pl.col("person"),
        fee_ocur_time=pl.lit(datetime(day.year, day.month, day.day, 10)),
        cnt=pl.lit("1"),
        det_item_fee_sumamt=pl.lit("10"),
    )
    path = folder / f"lines-{day}.parquet"
    table.write_parquet(path)
    return path


@pytest.fixture(scope="module")
def sheets(published_folder: Path) -> Callable[..., list[Path]]:
    folder = published_folder / "sheets"

    def named(*parts: str) -> list[Path]:
        return sorted(path for path in folder.glob("*.xlsx") if all(part in path.name for part in parts))

    if not named("第一批"):
        pytest.skip("the published workbooks do not lie in ../shared/nhsa/sheets beside this checkout")
    return named


@pytest.fixture(scope="module")
def embedded(built: Path) -> Sources:
    return open_knowledge(built)


@pytest.fixture(scope="module")
def exact(sheets: Callable[..., list[Path]], embedded: Sources, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first batch by exact codes, with the embedded edition's exemptions, which no workbook has."""
    out = tmp_path_factory.mktemp("exact") / "kb"
    head = EditionText("exemptions", "1", "2025-05-01", "2025-05-01", (Notice("0", "2025-05-01", "none", "us", None),))
    base = Sources.of(head, (), (), embedded.exemptions, embedded.exemption_items)
    import_workbooks(ImportRequest(sheets("第一批"), out, None, MAY, onto=base), open_plan())
    return out


def updated(base: Path, out: Path, paths: list[Path], mode: Mode) -> Path:
    import_workbooks(ImportRequest(paths, out, None, JANUARY, mode=mode, onto=open_knowledge(base)), open_plan())
    return out


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., pl.DataFrame]:
    """What the rules of the workbooks find with a knowledge base in files of lines; the embedded edition has others, which take no part."""
    rules = tmp_path_factory.mktemp("rules")
    for name in ("framework.csv", *(f"{rule}.toml" for rule in RULES)):
        shutil.copy(embedded_rules_folder() / name, rules)

    def found(kb: Path, *data: Path) -> pl.DataFrame:
        out = tmp_path_factory.mktemp("found") / "out"
        scan(ScanRequest(inputs=data, out=out, kb=[kb], rules=[rules], only_rules=True))
        return read_findings(out).select(JUDGED).sort("line_id", "rule_id").collect()

    return found


def codes_of(published: list[PublishedItem], *batches: str) -> set[str]:
    rules = {item.rule for item in published if item.batch == "01"}
    return {code for item in published if item.batch in batches and item.rule in rules for code in item.codes}


def test_exact_and_embedded_edition_agree_on_every_first_batch_code(
    published: list[PublishedItem], built: Path, exact: Path, findings: Callable[..., pl.DataFrame], tmp_path: Path
) -> None:
    codes = codes_of(published, "01")
    data = lines(codes, DECEMBER, tmp_path)
    ours, theirs = findings(exact, data), findings(built, data)
    assert set(ours["line_id"].str.split("/").list.first()) == codes
    assert ours.equals(theirs)


def test_after_the_update_in_the_embedded_manner_they_agree_on_the_codes_of_both_lists(
    published: list[PublishedItem], built: Path, exact: Path, sheets: Callable[..., list[Path]],
    findings: Callable[..., pl.DataFrame], tmp_path: Path,
) -> None:  # fmt: skip
    policy = updated(exact, tmp_path / "policy", sheets("更新", "药品限儿童使用"), Mode.REPLACE)
    reasonable = [*sheets("更新", "药品区分性别使用"), *sheets("更新", "药品儿童专用")]
    kb = updated(policy, tmp_path / "kb", reasonable, Mode.DEMOTE)
    data = lines(codes_of(published, "01", "2026-01"), MARCH, tmp_path)
    ours, theirs = findings(kb, data), findings(built, data)
    assert ours.filter(pl.col("remarks").list.contains("not_in_2026_list")).height > 10_000
    assert ours.equals(theirs)


def test_a_code_that_the_update_removes_fires_before_it_and_after_it_as_the_mode_says(
    published: list[PublishedItem], exact: Path, sheets: Callable[..., list[Path]], findings: Callable[..., pl.DataFrame], tmp_path: Path
) -> None:  # fmt: skip
    removed = codes_of(published, "01") - codes_of(published, "2026-01")
    sildenafil = next(code for item in published if item.item_name == "枸橼酸西地那非片" for code in item.codes)
    assert sildenafil in removed
    data = [lines({sildenafil}, day, tmp_path) for day in (DECEMBER, MARCH)]
    found = {}
    for mode in Mode:
        kb = updated(exact, tmp_path / mode.value, sheets("更新"), mode)
        table = findings(kb, *data)
        for day in (DECEMBER, MARCH):
            woman = table.filter(pl.col("line_id") == f"{sildenafil}/{day}/woman")
            found[mode, day] = woman["level"].to_list()
    assert found == {
        (Mode.REPLACE, DECEMBER): ["suspect"],
        (Mode.REPLACE, MARCH): [],
        (Mode.PATCH, DECEMBER): ["suspect"],
        (Mode.PATCH, MARCH): ["suspect"],
        (Mode.DEMOTE, DECEMBER): ["suspect"],
        (Mode.DEMOTE, MARCH): ["notice"],
    }
