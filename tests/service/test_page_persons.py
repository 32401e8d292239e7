"""Who it is for, on the counter page: numbers of persons never leave it, ages are read as the service reads them, half of anything is nothing."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")

from playwright.sync_api import expect

from checker.ingest.values import read_age
from tests.service.desk_page import DeskPage
from tests.service.test_page import CHILD_ONLY_OF_INSURED, ID_NUMBER, MALE_ONLY

OLD_ID_NUMBER = "110105491231002"
CARD = "USA110199123145"
NEW_CARD = "911124198108030024"
INSURANCE = "3301061234567890123456789012"
PASSPORT = "E12345678"
FIELDS = ("item", "patient-birth", "insured-birth", "diagnoses", "visit", "region", "patient-id")


def _sent(desk: DeskPage) -> str:
    return "".join(f"{request.url} {request.post_data} {request.headers}" for request in desk.sent).upper()


def _kept(desk: DeskPage) -> str:
    desk.press("Alt+KeyP")
    script = """JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href, document.title, history.length,
    document.documentElement.outerHTML, [...document.querySelectorAll('input')].map((each) => each.value)])"""
    return str(desk.page.evaluate(script)).upper()


@pytest.mark.parametrize(
    "number", [ID_NUMBER, OLD_ID_NUMBER, CARD, NEW_CARD, INSURANCE, "11010519491231002 x", "110105194912310021"]
)
def test_the_number_of_a_person_in_any_field_is_never_sent_or_kept(desk: DeskPage, number: str) -> None:
    desk.page.evaluate("window.print = () => {}")
    desk.page.click("#ask summary")
    desk.whom("child").add(MALE_ONLY).page.wait_for_selector("#item-list li")
    for field in FIELDS:
        desk.page.focus(f"#{field}")
        desk.page.keyboard.type(number, delay=2)
        desk.page.wait_for_timeout(20)
        desk.press("Enter")
        if desk.page.is_visible("#found button"):
            desk.page.click("#found button >> nth=-1")
        if field == "patient-id" and desk.page.input_value("#patient-id"):
            assert desk.kind == "idle"
            desk.page.fill("#patient-id", "")
    desk.press("Alt+KeyN").woman_buys(MALE_ONLY).concluded("suspect")
    desk.page.click("details.decide summary")
    for field in ("operator", "text"):
        desk.page.locator(f"input[id^={field}-]").fill(number)
        desk.page.locator(f"input[id^={field}-]").press("Enter")
    assert desk.bodies("/v1/feedback") == []
    told = number.replace(" ", "").upper()
    assert (told in _sent(desk), told in _kept(desk), told[:15] in _sent(desk)) == (False, False, False)


def test_half_of_an_id_number_is_no_search(desk: DeskPage) -> None:
    desk.page.focus("#item")
    for sign in ID_NUMBER[:17]:
        desk.page.keyboard.type(sign)
        desk.page.wait_for_timeout(130)
    assert "/v1/points" not in _sent(desk).lower()


def test_an_id_number_in_the_item_field_gives_the_user(desk: DeskPage) -> None:
    desk.whom("self").add(ID_NUMBER)
    assert desk.page.input_value("#patient-birth") == "1949-12-31"
    assert desk.page.input_value("#item") == ""
    desk.add(MALE_ONLY).concluded("suspect")
    assert desk.bodies("/v1/check")[-1]["patient"] == {"sex": "female", "birth_date": "1949-12-31"}


def test_whose_an_id_number_is_is_asked_where_it_may_be_of_two(desk: DeskPage) -> None:
    desk.whom("child").person("male", "6").add(CHILD_ONLY_OF_INSURED).concluded("own_card")
    desk.add(ID_NUMBER).page.wait_for_selector("#found button")
    assert "是谁的" in desk.text("#found")
    desk.concluded("idle")
    desk.page.get_by_role("button", name="持卡人", exact=True).click()
    desk.concluded("suspect")
    assert desk.bodies("/v1/check")[-1]["insured"] == {"sex": "female", "birth_date": "1949-12-31"}


def test_a_number_read_before_anybody_said_whom_it_is_for_is_asked_about(desk: DeskPage) -> None:
    desk.add(ID_NUMBER).page.wait_for_selector("#found button")
    desk.page.get_by_role("button", name="持卡人", exact=True).click()
    desk.whom("self").add(MALE_ONLY).concluded("suspect")
    assert desk.bodies("/v1/check")[-1]["patient"]["birth_date"] == "1949-12-31"


AMONG_OTHERS = (
    "床3 {}", "2 {}", "13800138000 {}", "{} 2", "{}×", "{:.6}/{:.8}/{:.4}", "见 {:.6}，{:.8}，{:.4}", "{:.6}—{:.8}—{:.4}", "{:.6}号{:.8}号{:.4}",
)  # fmt: skip


def test_an_id_number_is_known_among_other_numbers_and_in_parts(desk: DeskPage) -> None:
    number, parts = "11010519491231002X", ("110105", "19491231", "002X")
    for text in AMONG_OTHERS:
        typed = text.format(number[:-1] if "×" in text else number) if "{:" not in text else text.format(*parts)
        found = desk.page.evaluate(
            "async text => (await import('/static/personal.js')).personalIn(text)?.kind ?? null", typed
        )
        assert found == "id", typed


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (INSURANCE, "医保部门的接口"),
        (PASSPORT, "看证件填写"),
        ("USA110112123145", "世纪"),
        ("110105194912310021", "校验码不对"),
    ],
)
def test_what_does_not_tell_who_it_is_says_what_to_do(desk: DeskPage, number: str, told: str) -> None:
    desk.whom("self").add(number)
    assert told in desk.text("#found")
    assert desk.page.input_value("#item") == ""


def test_numbers_of_15_and_of_foreigners_are_read(desk: DeskPage) -> None:
    desk.whom("self")
    for number, sex, birth in ((OLD_ID_NUMBER, "female", "1949-12-31"), (NEW_CARD, "female", "1981-08-03")):
        desk.page.fill("#patient-id", number)
        desk.page.press("#patient-id", "Enter")
        assert desk.page.input_value("#patient-birth") == birth
        assert desk.page.is_checked(f"[name=patient-sex][value={sex}]")
    desk.page.fill("#patient-id", CARD)
    desk.page.press("#patient-id", "Enter")
    assert desk.page.input_value("#patient-birth") == "1999-12-31"
    assert "请选择性别" in desk.text("#patient-id-told")


def test_half_of_an_age_takes_the_answer_away(desk: DeskPage) -> None:
    for half in ("3x", "1990", "199005", "8个", "2岁6", "1岁零", "10 19"):
        desk.press("Alt+KeyN").whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
        desk.page.fill("#patient-birth", half)
        desk.concluded("idle")
        desk.page.press("#patient-birth", "Tab")
        assert desk.kind == "idle", half


def test_an_age_counts_when_it_is_left_or_confirmed(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    asked = len(desk.bodies("/v1/check"))
    desk.page.fill("#patient-birth", "")
    desk.page.locator("#patient-birth").press_sequentially("19", delay=20)
    desk.page.wait_for_timeout(400)
    assert (desk.kind, len(desk.bodies("/v1/check"))) == ("idle", asked)
    desk.page.locator("#patient-birth").press_sequentially("900501", delay=20)
    desk.concluded("clear")
    assert desk.bodies("/v1/check")[-1]["patient"]["birth_date"] == "1990-05-01"


def test_an_id_number_that_is_half_or_wrong_takes_the_answer_away(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    for typed in ("1101051949123100", "110105194912310021", "abc"):
        desk.page.fill("#patient-id", typed)
        assert desk.kind == "idle", typed
        desk.page.fill("#patient-id", "")
        desk.concluded("clear")


AGES = (
    "36",
    "0",
    "130",
    "36岁",
    "36周岁",
    "8个月",
    "8月",
    "10天",
    "0天",
    "28天",
    "1岁半",
    "半岁",
    "2岁6个月",
    "2岁零6个月",
    "1岁2月",
    "2个月10天",
    "１岁半",
    " 8 个月 ",
)


def test_ages_are_sent_as_the_service_reads_them(desk: DeskPage) -> None:
    read = "async (text) => (await import('./static/dates.js')).readBirthOrAge(text)"
    for text in AGES:
        told = desk.page.evaluate(read, text)
        assert (text, read_age(str(told.get("age")))) == (text, read_age(text.strip()))
    for text in ("131", "1600个月", "8个", "2岁6", "1.5岁", "-1", "一岁", "5月1日", "abc"):
        assert (text, desk.page.evaluate(read, text).get("age")) == (text, None)


def test_an_infants_age_in_months_or_days_is_judged(desk: DeskPage) -> None:
    desk.whom("self").person("male", "8个月").add(MALE_ONLY).concluded("clear")
    assert desk.bodies("/v1/check")[-1]["patient"] == {"sex": "male", "age": "8个月"}
    assert desk.text("#patient-birth-told") == "8 个月"


def test_the_card_holders_age_counts(desk: DeskPage) -> None:
    desk.whom("child").person("male", "6").person("female", "36", who="insured").add(CHILD_ONLY_OF_INSURED)
    desk.concluded("suspect")
    assert desk.bodies("/v1/check")[-1]["insured"] == {"sex": "female", "age": 36}
    assert "参保人：36 岁（限：14岁以下）" in desk.text("article")


def test_the_place_of_insurance_is_sent_whole_or_not_at_all(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    desk.more(region="3708")
    desk.press("Enter")
    desk.concluded("idle")
    desk.page.fill("#region", "370800")
    desk.press("Enter")
    desk.concluded("clear")
    assert desk.bodies("/v1/check")[-1]["insured_region"] == "370800"


def test_half_a_visit_number_is_not_sent(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    desk.more()
    desk.page.locator("#visit").press_sequentially("V-12", delay=20)
    desk.page.wait_for_timeout(400)
    assert desk.kind == "idle"
    desk.press("Enter")
    desk.concluded("clear")
    assert [body.get("visit_id") for body in desk.bodies("/v1/check")] == [None, "V-12"]
    expect(desk.page.locator("#item")).to_be_focused()
