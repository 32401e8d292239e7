"""The page of a run in a real browser: it says what the files say, takes all of them for text, and asks nobody for anything."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from checker.audit.run_folder import open_run
from checker.report.page.what_if import WhatIf, what_if
from tests.audit.runs import change_findings, sample_run
from tests.commands import liangku
from tests.service.desk_page import CHROMIUM, chromium

MEGABYTE = 1_000_000
HOSTILE = "'</script><img src=x onerror=alert(1)>' || chr(8238) || '示例'"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def faults() -> list[str]:
    """What the browser complained of, and whom the page asked."""
    return []


@pytest.fixture(scope="module")
def page(run: Path, faults: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page of the samples, one item of which has a name that would break out of it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(run, folder / "run")
    change_findings(
        folder / "run",
        {
            "local_item_name": f"CASE WHEN source_record % 7 = 0 THEN {HOSTILE} ELSE local_item_name END",
            "item_name": "item_name || chr(8203)",
            "visit_id": "CASE WHEN source_record % 2 = 0 AND settlement_id IS NOT NULL THEN NULL ELSE visit_id END",
        },
    )
    done = liangku("report", folder / "run", "--html", folder / "a.html", "--lang", "zh")
    assert done.returncode == 0, done.stderr
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.on("console", lambda message: faults.append(message.text))
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.on("request", lambda request: None if request.url.startswith("file://") else faults.append(request.url))
        opened.goto((folder / "a.html").as_uri())
        opened.wait_for_selector("#list tbody tr")
        yield opened
        browser.close()


@pytest.fixture(scope="module")
def findings(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "findings.parquet").filter(pl.col("verdict").is_in(["violation", "undetermined"]))


def counted(page: Page) -> int:
    told = page.locator("#count").inner_text()
    return int(re.sub(r"\D", "", told.split(" ")[0])) if told[0].isdigit() else 0


def test_all_findings_are_in_it_and_filters_count_right(page: Page, findings: pl.DataFrame) -> None:
    page.reload()
    page.wait_for_selector("#list tbody tr")
    assert counted(page) == findings.height
    name = findings["institution_name"].drop_nulls().mode().sort()[0]
    page.select_option('select[name="institution_name"]', name)
    assert counted(page) == findings.filter(pl.col("institution_name") == name).height
    page.select_option('select[name="level"]', "明确违规")
    definite = findings.filter((pl.col("institution_name") == name) & (pl.col("level") == "definite"))
    assert counted(page) == definite.height
    assert f"{definite['amount_at_stake'].sum():,.2f}" in page.locator("#count").inner_text()
    page.fill('input[name="search"]', definite["item_code"][0].lower())
    assert counted(page) == definite.filter(pl.col("item_code") == definite["item_code"][0]).height
    page.fill('input[name="search"]', "没有这样的文字")
    expect(page.locator("#count")).to_have_text("没有符合的疑点")


def test_a_finding_opens_with_all_of_its_visit(page: Page, findings: pl.DataFrame) -> None:
    page.reload()
    page.wait_for_selector("#list tbody tr")
    visits = findings.group_by("visit_id").len().filter(pl.col("len") > 1).drop_nulls().sort("visit_id")
    visit, count = visits.row(0)
    page.fill('input[name="search"]', visit)
    page.locator("#list tbody tr button").first.click()
    expect(page.locator("#visit article")).to_have_count(count)
    expect(page.locator("#visit-body")).to_contain_text(visit)
    page.keyboard.press("Escape")
    expect(page.locator("#visit")).to_be_hidden()


def test_a_line_without_a_visit_number_is_found_by_its_settlement(page: Page, findings: pl.DataFrame) -> None:
    page.reload()
    page.wait_for_selector("#list tbody tr")
    parts = (
        findings.drop_nulls("settlement_id")
        .group_by("settlement_id")
        .agg(count=pl.len(), without=(pl.col("source_record") % 2 == 0).sum())
    )
    both = parts.filter((pl.col("without") > 0) & (pl.col("without") < pl.col("count"))).sort("settlement_id")
    settlement, count, _ = both.row(0)
    page.fill('input[name="search"]', settlement)
    page.locator("#list tbody tr button").first.click()
    expect(page.locator("#visit article")).to_have_count(count)
    page.keyboard.press("Escape")


def test_a_row_of_a_ranking_lists_its_findings(page: Page, findings: pl.DataFrame) -> None:
    page.reload()
    page.wait_for_selector("#list tbody tr")
    for ranking, columns in (
        ("按机构", ("institution_id",)),
        ("按医生", ("institution_id", "department", "prescriber")),
    ):
        details = page.locator("#rankings details", has=page.locator("summary", has_text=ranking))
        details.evaluate("element => { element.open = true; }")
        button = details.locator("[data-drill]").first
        wanted = json.loads(button.get_attribute("data-drill") or "")
        assert set(wanted) == set(columns)
        button.press("Enter")
        same = [pl.col(name).is_null() if it is None else pl.col(name) == it for name, it in wanted.items()]
        assert counted(page) == findings.filter(*same).height > 0
        assert str(wanted["institution_id"]) in page.locator("#listed").inner_text()
    page.click("#undo")
    assert counted(page) == findings.height


def test_what_is_shown_is_fifty_at_a_time(page: Page, findings: pl.DataFrame) -> None:
    page.reload()
    page.wait_for_selector("#list tbody tr")
    expect(page.locator("#list tbody tr")).to_have_count(50)
    page.click("#more")
    expect(page.locator("#list tbody tr")).to_have_count(100)


def test_other_limits_of_a_childs_age_are_counted_from_the_findings(page: Page, findings: pl.DataFrame) -> None:
    told = [row.locator("td").all_inner_texts() for row in page.locator("#what_if tbody tr").all()]
    of_word = findings.filter(
        (pl.col("verdict") == "violation")
        & pl.col("class").is_null()
        & pl.col("expected").str.contains(r"^< (14|16|18) 岁$")
    ).with_columns(age=pl.col("person_age").str.extract(r"^(\d+) 岁$").cast(pl.Int32))
    assert {row[0] for row in told} == set(of_word["rule_name"])
    for rule, limit, lines, yuan, unknown in told:
        own = of_word.filter(pl.col("rule_name") == rule)
        left = own.filter(pl.col("age") >= int(re.findall(r"\d+", limit)[0]))
        assert (int(lines), yuan, int(unknown)) == (
            left.height,
            f"{left['amount_at_stake'].sum():,.2f}",
            own["age"].null_count(),
        )


def test_limits_of_other_words_and_lower_ones_are_not_asked_about(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    infant = {"expected": "replace(expected, '< 14 岁', '< 3 岁')", "person_age": "'35 岁'"}
    change_findings(folder, infant)
    assert asked(folder) == []
    change_findings(folder, {"expected": "replace(expected, '< 3 岁', '< 18 岁')"})
    assert {each.limit for each in asked(folder)} == {18}


def asked(folder: Path) -> list[WhatIf]:
    with open_run(folder).connect() as connection:
        return what_if(connection)


def test_the_overview_says_what_the_run_says(page: Page, run: Path) -> None:
    lines = json.loads((run / "run.json").read_text(encoding="utf-8"))["lines"]
    first = page.locator("#first").inner_text()
    for count in (lines["read"], lines["judged"], lines["skipped"]["total"]):
        assert f"{count:,}" in first
    expect(page.locator("#charts figure svg")).to_have_count(4)


def test_persons_are_told_by_their_hash_alone(page: Page, findings: pl.DataFrame) -> None:
    text = page.content()
    assert not [person for person in findings["patient_id"].drop_nulls().unique() if f'"{person}"' in text]
    assert "patient_id" not in json.loads(page.locator("#words").text_content() or "")["columns"]


@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing_and_nothing_runs_over(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.reload()
    page.wait_for_selector("#list tbody tr")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # The policy of the page lets no script in, so the one of axe comes by the door of the browser.
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found["violations"]] == []


def test_the_browser_complained_of_nothing_and_nobody_was_asked(page: Page, faults: list[str]) -> None:
    page.fill('input[name="search"]', "onerror")
    assert counted(page) > 0
    page.locator("#list tbody tr button").first.click()
    assert "<img src=x onerror=alert(1)>" in page.locator("#visit-body").inner_text()
    assert chr(8238) not in page.content()
    assert chr(8203) not in page.content()
    assert page.locator("#visit-body img").count() == 0
    assert faults == []


def test_a_hundred_thousand_findings_fit_into_five_megabytes(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    many = 100_000 // pl.read_parquet(folder / "findings.parquet").height + 1
    change_findings(
        folder,
        {
            "finding_id": "md5(finding_id || i)", "line_id": "line_id || '-' || i", "visit_id": "visit_id || '-' || i",
            "settlement_id": "settlement_id || '-' || i",
            "person_hash": "left(md5(person_hash || i), 16)", "source_record": "source_record + 100000 * i",
        },
        times=many,
    )  # fmt: skip
    done = liangku("report", folder, "--html", tmp_path / "a.html", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["html"]
    assert told["findings"] <= told["of"]
    assert (tmp_path / "a.html").stat().st_size <= 5 * MEGABYTE
    if told["findings"] < told["of"]:
        assert f"{told['findings']:,} 个疑点，共 {told['of']:,} 个" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_what_does_not_fit_is_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checker.report.page.embedded.MOST_BYTES", 8_000)
    done = liangku("report", run, "--html", tmp_path / "a.html", "--json", "--lang", "en")
    told = json.loads(done.stdout)["html"]
    assert 0 < told["findings"] < told["of"]
    assert f"The page holds the {told['findings']} findings of most yuan, of {told['of']}" in (
        tmp_path / "a.html"
    ).read_text(encoding="utf-8")
