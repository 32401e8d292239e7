"""Both pages for everybody: keyboard alone, phone width, WCAG 2.1 AA by axe in every state, Chinese and English."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")

from playwright.sync_api import Browser, expect

from tests.service.desk_page import DESKTOP, PHONE, DeskPage, window
from tests.service.serving import Server
from tests.service.test_page import (
    CHILD_LIMITED,
    CHILD_ONLY_NOTICE,
    CHILD_ONLY_OF_INSURED,
    ENDED,
    ID_NUMBER,
    MALE_ONLY,
    UNRESTRICTED_CODE,
)


def _options(desk: DeskPage) -> None:
    desk.page.locator("#item").press_sequentially("xiaoer")
    desk.page.wait_for_selector("#item-options [role=option]")
    desk.press("ArrowDown")


def _unknown_name(desk: DeskPage) -> None:
    desk.add("爱普利特胶囊").page.wait_for_selector("#item-list .near button")


def _undetermined(desk: DeskPage) -> None:
    desk.whom("self").add(MALE_ONLY).page.wait_for_selector("#item-list li")
    desk.press("Alt+KeyC").concluded("undetermined")


def _form_faulty(desk: DeskPage) -> None:
    desk.woman_buys(CHILD_LIMITED).concluded("definite")
    desk.decide("other", operator="1")


def _settled(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.decide("diagnosis_supports", operator="0012").concluded("settled")


def _nothing(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.page.locator(".ways button").first.click()
    desk.concluded("nothing")


def _asked_and_to_be_asked(desk: DeskPage) -> None:
    desk.woman_buys("卡前列素氨丁三醇注射液").concluded("unjudged")
    desk.page.locator("[data-asks=insurance_type] label").first.click()
    desk.page.wait_for_selector("[data-asks=care_type]")
    desk.concluded("unjudged")


STATES: dict[str, Callable[[DeskPage], object]] = {
    "idle": lambda desk: desk.concluded("idle"),
    "options": _options,
    "unknown name": _unknown_name,
    "wrong birth date": lambda desk: desk.person("female", "xx"),
    "red": lambda desk: desk.woman_buys(CHILD_LIMITED).concluded("definite"),
    "red, form with a fault": _form_faulty,
    "yellow": lambda desk: desk.woman_buys(MALE_ONLY).concluded("suspect"),
    "yellow, reason on record": _settled,
    "blue": lambda desk: desk.woman_buys(CHILD_ONLY_NOTICE).concluded("notice"),
    "violet": _undetermined,
    "green": lambda desk: desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear"),
    "not restricted": lambda desk: desk.woman_buys(UNRESTRICTED_CODE).concluded("not_restricted"),
    "unknown barcode": lambda desk: desk.woman_buys("6900000000021").page.wait_for_selector("#link"),
    "whose number": lambda desk: desk.whom("child").add(ID_NUMBER).page.wait_for_selector("#found button"),
    "card of another": lambda desk: (
        desk.whom("child").person("male", "6").add(CHILD_ONLY_OF_INSURED).concluded("own_card")
    ),
    "not in force": lambda desk: desk.woman_buys(ENDED).concluded("unjudged"),
    "self-paid": _nothing,
    "still to be asked": _asked_and_to_be_asked,
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_for_everybody_at_a_desk_and_on_a_phone(browser: Browser, server: Server, state: str) -> None:
    """The state is reached on a phone; axe finds nothing on both, in either language, light and dark, and nothing is wider than the phone."""
    with window(browser, server.url, PHONE) as desk:
        STATES[state](desk.open())
        assert desk.overflow() <= 0
        desk.resize(DESKTOP)
        assert desk.accessibility() == []
        desk.page.emulate_media(color_scheme="dark")
        assert desk.accessibility() == []
        desk.switch_language()
        expect(desk.page.locator("html")).to_have_attribute("lang", "en")
        desk.page.wait_for_selector("#verdict:not([data-kind=checking])")
        assert desk.accessibility() == []
        desk.resize(PHONE)
        desk.page.emulate_media(color_scheme="light")
        assert desk.overflow() <= 0
        assert desk.accessibility() == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_conclusion_stays_in_sight(browser: Browser, server: Server, size: tuple[int, int]) -> None:
    with window(browser, server.url, size) as desk:
        desk.open().woman_buys(MALE_ONLY).concluded("suspect")
        desk.page.locator("#counted").scroll_into_view_if_needed()
        box = desk.page.locator("#verdict").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < size[1]


def test_a_sale_from_start_to_end_by_keyboard_alone(desk: DeskPage) -> None:
    assert desk.page.evaluate("document.activeElement.name") == "whom"
    desk.press("Space", "Tab", "ArrowRight")  # for the card holder; a woman
    assert desk.page.evaluate("document.activeElement.value") == "female"
    desk.press("Tab")
    desk.page.keyboard.type("19900501")
    assert desk.focus == "patient-birth"
    desk.press("Tab", "Tab", "Tab")  # over the ID number and the newborn box
    assert desk.focus == "item"
    desk.page.keyboard.type("yskldhsp")
    desk.page.wait_for_selector("#item-options [role=option]")
    desk.press("ArrowDown", "Enter").concluded("definite")
    assert desk.focus == "item"
    for _ in range(20):
        desk.press("Tab")
        if desk.page.evaluate("document.activeElement.tagName") == "SUMMARY" and "理由" in desk.focus:
            break
    desk.press("Enter", "Tab")
    desk.press(*["ArrowDown"] * 6)  # the sixth reason: emergency
    desk.press("Tab", "Tab")
    desk.page.keyboard.type("0012")
    desk.press("Tab")
    desk.page.keyboard.type("0034")
    desk.press("Enter").concluded("settled")
    assert desk.focus == "verdict"
    assert desk.bodies("/v1/feedback")[-1]["reason_code"] == "emergency"
    desk.press("Alt+KeyP", "Alt+KeyN").concluded("idle")
    assert desk.page.evaluate("document.activeElement.name") == "whom"


def test_every_element_with_the_focus_shows_it(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.page.evaluate("document.activeElement.blur()")
    unseen = []
    for _ in range(30):
        desk.press("Tab")
        shown = desk.page.evaluate(
            """() => { const at = document.activeElement, next = at.type === 'radio' ? at.nextElementSibling : at;
            return at === document.body || getComputedStyle(next).outlineStyle !== 'none'; }"""
        )
        if not shown:
            unseen.append(desk.focus)
    assert unseen == []


def test_the_conclusion_is_a_live_region(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    role, whole = (desk.page.get_attribute("#verdict", name) for name in ("role", "aria-atomic"))
    assert (role, whole) == ("status", "true")


def test_english_is_kept_and_reaches_the_servers_words(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.switch_language()
    expect(desk.page.locator("article")).to_contain_text(
        "爱普列特片 is for male patients only; the patient's recorded sex is female."
    )
    assert "Confirm first" in desk.text("#verdict")
    assert desk.page.title() == "Liangku · counter check"
    desk.page.reload()
    assert "Not checked yet" in desk.concluded("idle")
    assert desk.page.get_attribute("html", "lang") == "en"


def test_no_chinese_is_left_on_the_english_page_but_names_and_documents(desk: DeskPage) -> None:
    desk.switch_language()
    left = desk.page.evaluate(
        r"[...document.querySelectorAll('[data-say]')].map((each) => each.textContent).filter((text) => /[\u4e00-\u9fff]/.test(text))"
    )
    assert left == []
