"""The counter page against the real server: it asks what an answer says it was not told, and never shows ✔ meanwhile."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")

from playwright.sync_api import Browser, expect

from checker.knowledge.build import write_tables
from checker.knowledge.edition_text import EditionText
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.source import Sources
from tests.service.desk_page import DeskPage, window
from tests.service.serving import serving
from tests.service.test_page import MALE_ONLY

LEVEL_TWO = "参附注射液"
FIRST_BY_LEVEL_TWO, ALSO_FIRST = "度拉糖肽注射液", "利司那肽注射液"
CHILD_WITH_DIAGNOSIS = "波生坦分散片"
MATERNITY = "卡前列素氨丁三醇注射液"
EMERGENCY_OR_STAY = "安宫牛黄丸"
NOT_ONLINE = "芬太尼透皮贴剂"
WORK_INJURY = "疤痕止痒软化膏"
TERMS = {"insurance_type", "care_type", "institution_level", "prescriber_institution_level", "online", "history"}


def _asks(desk: DeskPage) -> list[str]:
    return [str(each.get_attribute("data-asks")) for each in desk.page.query_selector_all("#terms [data-asks]")]


def _choose(desk: DeskPage, asks: str, words: str) -> DeskPage:
    desk.page.locator(f"[data-asks={asks}]").get_by_role("radio", name=words, exact=True).click()
    return desk


def _sent(desk: DeskPage) -> dict[str, Any]:
    """What the last question told of the terms."""
    return {name: value for name, value in desk.bodies("/v1/check")[-1].items() if name in TERMS}


def test_what_was_not_told_is_asked_and_nothing_else(desk: DeskPage) -> None:
    said = desk.woman_buys(LEVEL_TWO).concluded("unjudged")
    assert ("有项目没有判断" in said, "请在下面选择" in said, "✔" in desk.text("main")) == (True, True, False)
    assert (_asks(desk), desk.lights) == (["institution_level"], ["unjudged"])
    assert f"没有判断：{LEVEL_TWO}。还不知道：医疗机构等级。" in desk.text("#notes")
    said = _choose(desk, "institution_level", "三级").concluded("clear")
    assert (_sent(desk), desk.focus) == ({"institution_level": "三级"}, "item")
    assert ("判断时按：本机构的等级：三级。" in desk.text("#notes"), "已问清" in desk.text("#terms-title")) == (
        True,
        True,
    )
    _choose(desk, "institution_level", "一级").concluded("definite")


def test_a_sale_that_no_terms_limit_asks_and_tells_nothing_of_them(desk: DeskPage) -> None:
    desk.page.evaluate("localStorage.setItem('liangku.counter', 'pharmacy')")
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    expect(desk.page.locator("#terms-part")).to_be_hidden()
    assert (_sent(desk), len(desk.bodies("/v1/check"))) == ({}, 1)


def test_a_pharmacy_is_asked_once_what_it_is_and_of_each_sale_who_prescribed(desk: DeskPage) -> None:
    desk.woman_buys(LEVEL_TWO).concluded("unjudged")
    said = _choose(desk, "institution_level", "零售药店").concluded("undetermined")
    assert ("请在下面选择" in said, _asks(desk)) == (True, ["institution_level", "prescriber_institution_level"])
    _choose(desk, "prescriber_institution_level", "二级").concluded("clear")
    assert _sent(desk) == {"care_type": "41", "prescriber_institution_level": "二级"}
    desk.open().woman_buys(LEVEL_TWO).concluded("undetermined")
    assert _sent(desk) == {"care_type": "41"}
    desk.press("Alt+KeyN").woman_buys(EMERGENCY_OR_STAY).concluded("definite")
    assert "这一行按药店购药结算" in desk.text("article")
    assert desk.page.locator("#terms input:checked").get_attribute("value") == "41"


def test_a_counter_that_turns_out_to_be_no_pharmacy_is_asked_anew(desk: DeskPage) -> None:
    desk.page.evaluate("localStorage.setItem('liangku.counter', 'pharmacy')")
    desk.woman_buys(EMERGENCY_OR_STAY).concluded("definite")
    _choose(desk, "care_type", "急诊").concluded("clear")
    desk.add(LEVEL_TWO).concluded("unjudged")
    assert (_asks(desk), _sent(desk)) == (["institution_level", "care_type"], {"care_type": "13"})


def test_what_is_said_of_a_person_is_not_kept_for_the_next(desk: DeskPage) -> None:
    desk.woman_buys(WORK_INJURY).concluded("unjudged")
    _choose(desk, "insurance_type", "工伤保险").concluded("clear")
    desk.press("Alt+KeyN").woman_buys(WORK_INJURY).concluded("unjudged")
    assert (_asks(desk), _sent(desk)) == (["insurance_type"], {})
    _choose(desk, "insurance_type", "居民医保").concluded("definite")
    ways = desk.text(".ways")
    assert ("自费" in ways, "联系开方医生" in ways, "医保码" in ways) == (True, True, False)


def test_one_question_follows_from_the_other(desk: DeskPage) -> None:
    desk.woman_buys(MATERNITY).concluded("unjudged")
    assert _asks(desk) == ["insurance_type"]
    _choose(desk, "insurance_type", "职工医保").page.wait_for_selector("[data-asks=care_type]")
    desk.concluded("unjudged")
    _choose(desk, "care_type", "住院").page.wait_for_selector("[data-asks=diagnoses]")
    desk.concluded("unjudged")
    desk.page.get_by_role("button", name="填写诊断编码").click()
    assert desk.focus == "diagnoses"
    desk.page.keyboard.type("O72.1")
    desk.press("Enter").concluded("clear")
    _choose(desk, "care_type", "生育住院").concluded("clear")
    assert _sent(desk) == {"insurance_type": "310", "care_type": "52"}


def _limited_at_first(folder: Path) -> None:
    """Two items that are limited at their first prescription and in no other way; those published are of the second line too."""
    since, limits = date(2026, 1, 1), {"min_rank": 2, "rank_case": "first_prescription"}
    items = ((FIRST_BY_LEVEL_TWO, "XA10BJD332B002"), (ALSO_FIRST, "XA10BJL366B002"))
    points = [
        PointRow(f"P{n}", "drug-institution-level", name, None, None, None, since, None, None, None, "通知", "1", 1, f"1/{n}", limits=limits)
        for n, (name, _) in enumerate(items)
    ]  # fmt: skip
    patterns = [PatternRow(f"P{n}", "item", "family", code, 1) for n, (_, code) in enumerate(items)]
    folder.mkdir()
    edition = EditionText("首次处方", "1", "2026-01-01", "2026-01-01", ())
    write_tables(Sources.of(edition=edition, points=points, patterns=patterns), folder)


def test_earlier_use_is_asked_of_each_item_and_of_none_untold(browser: Browser, tmp_path: Path) -> None:
    _limited_at_first(tmp_path / "kb")
    with serving(tmp_path, 'kb = ["kb"]\n') as server, window(browser, server.url) as desk:
        _asked_of_each(desk.open())


def _asked_of_each(desk: DeskPage) -> None:
    desk.woman_buys(FIRST_BY_LEVEL_TWO).concluded("unjudged")
    _choose(desk, "institution_level", "一级").page.wait_for_selector("[data-asks=history-1]")
    assert f"此前 365 天内用过{FIRST_BY_LEVEL_TWO}吗" in desk.text("#terms")
    _choose(desk, "history-1", "没有用过").concluded("definite")
    assert _sent(desk)["history"] == []
    _choose(desk, "history-1", "用过").concluded("clear")
    assert [each["item_name"] for each in _sent(desk)["history"]] == [FIRST_BY_LEVEL_TWO]
    # Of the second nobody said anything: what was said of the first must not speak for it.
    desk.add(ALSO_FIRST).page.wait_for_selector("[data-asks=history-2]")
    desk.concluded("unjudged")
    assert "history" not in _sent(desk)
    _choose(desk, "history-2", "没有用过").concluded("definite")
    assert desk.lights == ["nothing", "violation"]


def test_a_diagnosis_is_asked_for_and_what_it_does_not_tell_stays_to_check(desk: DeskPage) -> None:
    desk.whom("self").person("male", "6").add(CHILD_WITH_DIAGNOSIS).concluded("unjudged")
    assert _asks(desk) == ["diagnoses"]
    notes = desk.text("#notes")
    told = (
        f"没有判断：{CHILD_WITH_DIAGNOSIS}。还不知道：诊断。" in notes,
        "限3-12岁特发性或先天性肺动脉高压患者" in notes,
    )
    assert (told, "✔" in desk.text("main")) == ((True, True), False)
    desk.page.get_by_role("button", name="填写诊断编码").click()
    desk.page.keyboard.type("I27.0")
    desk.press("Enter").concluded("clear")
    assert "[需核对]" in desk.text("#notes")


def test_what_cannot_be_chosen_is_told_and_is_no_pass(desk: DeskPage) -> None:
    """What a patient had of a class of drugs before stands in no choice: without it there is no ✔."""
    desk.more(diagnoses="E11.9")
    desk.woman_buys(FIRST_BY_LEVEL_TWO).concluded("unjudged")
    _choose(desk, "institution_level", "三级")
    expect(desk.page.locator("#terms-title")).to_have_text("已问清（可以改）")
    expect(desk.page.locator("#notes")).to_contain_text(f"没有判断：{FIRST_BY_LEVEL_TWO}。还不知道：此前的同类药品。")
    said = desk.concluded("unjudged")
    assert ("没有判断的见下" in said, "✔" in desk.text("main"), desk.lights) == (True, False, ["unjudged"])


@pytest.mark.parametrize(("words", "kind"), [("线下诊疗", "clear"), ("互联网诊疗", "definite")])
def test_how_it_was_prescribed(desk: DeskPage, words: str, kind: str) -> None:
    desk.woman_buys(NOT_ONLINE).concluded("unjudged")
    _choose(desk, "online", words).concluded(kind)
    assert _sent(desk) == {"online": words == "互联网诊疗"}


def test_a_question_is_answered_by_keyboard_and_keeps_the_focus(desk: DeskPage) -> None:
    desk.woman_buys(NOT_ONLINE).concluded("unjudged")
    desk.page.focus("#terms input")
    desk.press("Space").concluded("clear")
    assert desk.focus == "terms-online-0"
    desk.switch_language()
    desk.concluded("clear")
    assert "How was it prescribed?" in desk.text("#terms")


def test_a_finding_on_terms_is_gone_on_with_and_stands_on_the_slip(desk: DeskPage) -> None:
    desk.woman_buys(MATERNITY).concluded("unjudged")
    _choose(desk, "insurance_type", "职工医保").page.wait_for_selector("[data-asks=care_type]")
    _choose(desk, "care_type", "门诊").page.wait_for_selector("[data-asks=diagnoses]")
    desk.more(diagnoses="I10").press("Enter").concluded("suspect")
    assert "这一行：基本医疗保险（限：生育保险）" in desk.text("article")
    desk.decide("diagnosis_supports", operator="0012").concluded("settled")
    desk.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    slip = str(desk.page.text_content("#slip"))
    assert ("基本医疗保险" in slip, "判断时按：用哪种保险结算：职工医保、医疗类别：门诊。" in slip) == (True, True)
