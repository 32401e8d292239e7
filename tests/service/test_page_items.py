"""The item field of the counter page: nothing entered is lost, codes are told apart, and what was linked once is known."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")

from playwright.sync_api import Route, expect

from checker.model.errors import InputError
from checker.service.item_keys import read_key
from tests.service.desk_page import DeskPage
from tests.service.test_page import CHILD_LIMITED, MALE_ONLY, MALE_ONLY_CODE, UNRESTRICTED_CODE

CODES = (
    "84110021234567890123", "6901234567892", "6901234567891", "国药准字H20051234", "国药准字 hj20170123", "注册证号H20150123", "H20051234",
    MALE_ONLY_CODE, MALE_ONLY_CODE.lower(), "XO04CBA088A00101010146O", "ZA01BAX0377010100093", "T001700123", "T00170012A", "001201000070000",
    "芬必得", "布洛芬 300mg", "12345", "8" * 19, "8" * 21, "4" * 28, "11010519491231002X", "110105491231002", "USA110123456789", "E12345678",
    "", "  ", "XZ99ZZZ999", "330106200101010010",
)  # fmt: skip


def _read(desk: DeskPage, text: str) -> str:
    script = "async (text) => (await import('./static/codes.js')).readItem(text).kind"
    return str(desk.page.evaluate(script, text))


@pytest.mark.parametrize("gap", [50, 150, 300])
def test_a_second_scan_while_the_first_is_looked_up_is_not_lost(desk: DeskPage, gap: int) -> None:
    desk.whom("self").person("female", "36").page.focus("#item")
    desk.network(latency=100)
    desk.scan(UNRESTRICTED_CODE)
    desk.page.wait_for_timeout(gap)
    desk.scan(MALE_ONLY_CODE)
    desk.concluded("suspect")
    assert [line["item_code"] for line in desk.bodies("/v1/check")[-1]["lines"]] == [UNRESTRICTED_CODE, MALE_ONLY_CODE]
    assert desk.lights == ["not_restricted", "confirm"]


def test_no_green_stands_while_something_is_under_way(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    held: list[Route] = []
    holding = True
    # A slow scanner is looked up while it types, and once more in the end.
    desk.page.route("**/v1/points**", lambda route: held.append(route) if holding else route.continue_())
    desk.page.focus("#item")
    desk.scan(UNRESTRICTED_CODE)
    assert (desk.kind, desk.lights) == ("checking", ["waiting", "waiting"])
    desk.page.wait_for_timeout(100)
    holding = False
    for route in held:
        route.continue_()
    desk.concluded("partly_restricted")


def test_a_look_up_that_failed_keeps_what_was_scanned_and_lets_nothing_pass(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    bodies = ["", "<html>", '{"q": 1}', "[]", "null", '{"q": "x", "total": 0, "items": [], "nearest": []}']
    answers = iter(bodies)
    desk.page.route(
        "**/v1/points**", lambda route: route.fulfill(status=200, body=next(answers), content_type="application/json")
    )
    desk.add(UNRESTRICTED_CODE)
    for _ in bodies[1:]:
        desk.concluded("unjudged")
        assert desk.lights == ["nothing", "unsettled"]
        desk.page.get_by_role("button", name="重试").click()
    desk.concluded("unjudged")
    desk.page.unroute("**/v1/points**")
    desk.page.get_by_role("button", name="重试").click()
    desk.concluded("partly_restricted")


def test_a_check_asked_for_while_items_are_looked_up_is_made(desk: DeskPage) -> None:
    desk.network(latency=300)
    desk.whom("self").add(MALE_ONLY)
    desk.press("Alt+KeyC").concluded("undetermined")


def test_an_item_outside_the_restricted_ones_can_be_entered_by_name(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    desk.add("云南白药牙膏").page.get_by_role("button", name="不在受限项目中，按名称加入").click()
    said = desk.concluded("named")
    assert ("✔" in said, "可以使用" in said, "按名称录入" in said) == (False, False, True)
    assert desk.lights == ["nothing", "named"]
    assert desk.bodies("/v1/check")[-1]["lines"][1] == {"line_id": "2", "item_name": "云南白药牙膏"}
    desk.press("Alt+KeyP")
    assert "不在受限项目中（按名称）" in desk.page.text_content("#slip")


def test_each_row_has_its_own_light(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).add(CHILD_LIMITED).add(UNRESTRICTED_CODE).concluded("definite")
    expect(desk.page.locator("#item-list li")).to_have_count(3)
    desk.page.wait_for_selector("[data-light=violation]")
    assert desk.lights == ["confirm", "violation", "not_restricted"]
    desk.decide("emergency", operator="0012", second="0034")
    desk.page.wait_for_selector("[data-light=settled]")
    assert desk.lights == ["confirm", "settled", "not_restricted"]


def test_page_and_service_tell_codes_apart_alike(desk: DeskPage) -> None:
    for text in CODES:
        kind = _read(desk, text)
        try:
            expected = read_key(text)[0]
        except InputError:
            expected = None
        if expected in ("trace", "barcode", "approval"):
            assert (text, kind) == (text, expected)
        else:
            assert (
                text,
                kind in (("national", "personal", "fault") if expected is None else ("name", "fault", "personal")),
            ) == (text, True)


def test_what_cannot_be_right_stays_in_the_field_and_is_sent_nowhere(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    before = len(desk.sent)
    for text, told in (
        ("6901234567891", "校验位"),
        ("H20051234", "写全"),
        ("8" * 19, "没有发送"),
        ("XO04CBA088A00101010146O", "不像国家医保编码"),
    ):
        desk.add(text).concluded("unjudged")
        expect(desk.page.locator("#item-told")).to_contain_text(told)
        assert desk.page.input_value("#item") == text
    asked = [request.url for request in desk.sent[before:] if "/v1/" in request.url and "/v1/check" not in request.url]
    assert asked == []


# Links


def _link(desk: DeskPage, code: str, item: str, operator: str = "0012") -> None:
    desk.add(code).page.wait_for_selector("#link")
    desk.add(item).page.wait_for_selector("#link-keep")
    desk.page.fill("#link-operator", operator)
    desk.page.click("#link-keep")


@pytest.mark.parametrize(
    ("code", "again"),
    [
        ("84110021234567890123", "84110029999999999999"),
        ("6900000000038", "6900000000038"),
        ("国药准字H20990001", "国药准字h20990001"),
    ],
)
def test_a_code_on_a_package_is_linked_on_confirmation_and_known_from_then_on(
    desk: DeskPage, code: str, again: str
) -> None:
    desk.whom("self").person("female", "36")
    _link(desk, code, MALE_ONLY)
    desk.concluded("suspect")
    assert "已记住" in desk.text("#item-told")
    said = [body for body in desk.bodies("/v1/links") if body]
    assert said == [{"text": code, "operator": "0012", "item_name": MALE_ONLY}]
    desk.press("Alt+KeyN").whom("self").person("female", "36").add(again).concluded("suspect")
    assert ("关联人：0012" in desk.text("#item-list"), desk.lights) == (True, ["confirm"])


def test_what_is_scanned_while_the_page_asks_is_no_answer_without_confirmation(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36").add("6900000000045").page.wait_for_selector("#link")
    desk.add(MALE_ONLY_CODE).page.wait_for_selector("#link-keep")
    assert desk.kind not in ("clear", "suspect")
    desk.page.click("#link-apart")
    desk.concluded("suspect")
    assert desk.lights == ["unsettled", "confirm"]
    assert [body for body in desk.bodies("/v1/links") if body] == []


def test_a_link_is_changed_on_a_second_confirmation_and_can_be_taken_back(desk: DeskPage) -> None:
    code = "6900000000052"
    desk.whom("self").person("female", "36")
    _link(desk, code, MALE_ONLY)
    desk.concluded("suspect")
    desk.press("Alt+KeyN").whom("self").person("female", "36").add(code).concluded("suspect")
    desk.page.get_by_role("button", name="更改").click()
    desk.add(CHILD_LIMITED).page.wait_for_selector("#link-keep")
    desk.page.click("#link-keep")
    expect(desk.page.locator("#link-told")).to_contain_text("由 0012 关联")
    desk.page.click("#link-keep")
    desk.concluded("definite")
    desk.press("Alt+KeyN").whom("self").person("female", "36").add(code).concluded("definite")
    desk.page.get_by_role("button", name="更改").click()
    desk.page.click("#link-undo")
    desk.concluded("suspect")


def test_a_trade_name_can_stand_for_an_item(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36").add("某牌通片").page.get_by_role("button", name="是商品名").click()
    desk.add(MALE_ONLY).page.wait_for_selector("#link-keep")
    desk.page.fill("#link-operator", "0012")
    desk.page.click("#link-keep")
    desk.concluded("suspect")
    desk.press("Alt+KeyN").whom("self").person("female", "36").add("某牌 通片").concluded("suspect")


def test_what_was_typed_for_the_next_person_is_of_nobody_else(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36")
    held: list[Route] = []
    desk.page.route("**/v1/points**", lambda route: held.append(route))
    desk.add(MALE_ONLY_CODE).page.wait_for_timeout(100)
    desk.press("Alt+KeyN")
    held[0].fulfill(status=200, body=json.dumps({"q": MALE_ONLY_CODE, "total": 0, "items": [], "nearest": []}))
    desk.page.wait_for_timeout(100)
    assert (desk.lights, desk.kind) == ([], "idle")


# Where the focus is not


@pytest.mark.parametrize("delay", [5, 50])
def test_a_scan_reaches_the_items_wherever_the_focus_is(desk: DeskPage, delay: int) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.decide("diagnosis_supports", operator="0012").concluded("settled")
    for number, place in enumerate(
        ("#language", "[name=whom]:checked", "#verdict", "#visit", "details.decide select"), 2
    ):
        if place == "#visit":
            desk.more()
        if place == "details.decide select":
            desk.add(CHILD_LIMITED).concluded("definite")
            desk.press("Alt+KeyO")
        else:
            desk.page.focus(place)
        desk.scan(f"XA02BCA030A00101010000{number}", delay)
        desk.page.wait_for_selector(f"#item-list li:has-text('XA02BCA030A00101010000{number}')")
    assert desk.page.input_value("#visit") == ""
    assert len(desk.bodies("/v1/feedback")) == 1


def test_the_enter_of_a_scan_links_nothing(desk: DeskPage) -> None:
    desk.page.evaluate("sessionStorage.setItem('liangku.operator', '0012')")
    desk.page.reload()
    desk.whom("self").person("female", "36").page.focus("#item")
    desk.scan("6900000000076").page.wait_for_selector("#link")
    desk.scan(MALE_ONLY_CODE).page.wait_for_selector("#link-keep")
    desk.page.wait_for_timeout(500)
    desk.scan(UNRESTRICTED_CODE)
    desk.page.wait_for_selector(f"#item-list li:has-text('{UNRESTRICTED_CODE}')")
    assert [body for body in desk.bodies("/v1/links") if body] == []
    desk.press("Alt+KeyK").page.wait_for_selector("#link", state="hidden")
    assert [body["item_code"] for body in desk.bodies("/v1/links") if body] == [MALE_ONLY_CODE]
