"""The counter page against the real server: going on with a reason, changing the sale, and the slip."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")

from playwright.sync_api import Browser, expect

from checker.service.staff import Staff
from tests.service.desk_page import DeskPage, window
from tests.service.serving import Server, serving
from tests.service.test_page import CHILD_LIMITED, ID_NUMBER, MALE_ONLY, UNRESTRICTED_CODE


def _kept(server: Server, finding_id: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{server.data / 'feedback.sqlite'}?mode=ro", uri=True)) as database:
        return database.execute(
            "SELECT decision, reason_code, reason, operator, second_operator FROM feedback WHERE finding_id = ?",
            (finding_id,),
        ).fetchall()


def test_going_on_asks_for_a_reason_and_an_operator(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.decide("")
    assert "请选择理由" in desk.text(".decide .fault")
    desk.decide("diagnosis_supports")
    assert "操作员" in desk.text(".decide .fault")
    assert desk.bodies("/v1/feedback") == []


def test_the_reason_other_has_to_be_written_out(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.decide("other", operator="0012")
    assert "请写明理由" in desk.text(".decide .fault")
    desk.decide("other", text="医生电话确认", operator="0012").concluded("settled")


def test_a_reason_is_stored_and_the_page_says_so(desk: DeskPage, server: Server) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    said = desk.decide("diagnosis_supports", text="已看病历", operator="0012").concluded("settled")
    assert "已写明理由" in said
    done = desk.text(".done-line")
    assert ("已记录：继续" in done, "有诊断支持，已记录" in done, "0012" in done) == (True, True, True)
    finding_id = desk.bodies("/v1/feedback")[-1]["finding_id"]
    assert _kept(server, finding_id) == [("continue", "diagnosis_supports", "已看病历", "0012", None)]


def test_a_red_finding_needs_a_second_person(desk: DeskPage, server: Server) -> None:
    desk.woman_buys(CHILD_LIMITED).concluded("definite")
    desk.decide("emergency", operator="0012")
    assert "另一人" in desk.text(".decide .fault")
    desk.decide("emergency", operator="0012", second="0012")
    assert "另一人" in desk.text(".decide .fault")
    assert desk.bodies("/v1/feedback") == []
    desk.decide("emergency", operator="0012", second="0034").concluded("settled")
    finding_id = desk.bodies("/v1/feedback")[-1]["finding_id"]
    assert _kept(server, finding_id) == [("continue", "emergency", None, "0012", "0034")]


def test_the_operator_stays_for_the_next_finding(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.decide("diagnosis_supports", operator="0012").concluded("settled")
    desk.press("Alt+KeyN").woman_buys(MALE_ONLY).concluded("suspect")
    assert desk.page.input_value("input[id^=operator-]") == "0012"


def test_a_reason_for_one_person_does_not_hold_for_another(desk: DeskPage) -> None:
    desk.woman_buys(CHILD_LIMITED).concluded("definite")
    desk.decide("emergency", operator="0012", second="0034").concluded("settled")
    desk.person("female", "19500101").concluded("definite")


def test_a_reason_holds_in_the_other_language_too(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.decide("diagnosis_supports", operator="0012").concluded("settled")
    desk.switch_language()
    expect(desk.page.locator("article")).to_contain_text("user: female (limit: male)")
    assert "Reasons recorded" in desk.concluded("settled")


def test_a_finding_acknowledged_in_the_visit_is_not_shown_as_a_pass(desk: DeskPage) -> None:
    desk.more(visit="V-acknowledged")
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.decide("diagnosis_supports", operator="0012").concluded("settled")
    desk.press("Alt+KeyC").concluded("settled")
    assert "已记录：继续" in desk.text("article")
    desk.page.reload()
    desk.more(visit="V-acknowledged")
    desk.woman_buys(MALE_ONLY).concluded("settled")
    assert "已经写明理由" in desk.text("#notes")


def test_taking_an_item_off_is_recorded_as_a_change(desk: DeskPage, server: Server) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.page.get_by_role("button", name="不用这一项").click()
    desk.concluded("idle")
    assert desk.page.locator("#item-list li").count() == 0
    assert f"{MALE_ONLY} · 不用这一项" in desk.text("#done")
    assert _kept(server, desk.bodies("/v1/feedback")[-1]["finding_id"]) == [("change", None, None, None, None)]


def test_the_customer_is_told_politely_what_why_and_what_else(desk: DeskPage) -> None:
    desk.woman_buys(CHILD_LIMITED).concluded("definite")
    said = desk.text("blockquote")
    desk.press("Alt+KeyN").woman_buys(MALE_ONLY).concluded("suspect")
    assert "爱普列特片限男性使用，患者登记的性别为女性。需要先核实" in desk.text("blockquote")
    for words in (
        "您好",
        f"{CHILD_LIMITED}仅限 6 至 17 岁患者使用时由医保基金支付",
        "患者",
        "36 岁。这次不能用医保结算。",
        "自费购买",
        "谢谢理解",
    ):
        assert words in said


def test_the_next_person_begins_with_an_empty_page(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.press("Alt+KeyN").concluded("idle")
    assert desk.page.locator("input:checked[name=whom], article, #item-list li").count() == 0
    assert desk.page.input_value("#patient-birth") == ""


def test_the_slip_tells_everything_but_who_it_was(desk: DeskPage) -> None:
    desk.whom("self").page.fill("#patient-id", ID_NUMBER)
    desk.add(MALE_ONLY).concluded("suspect")
    desk.decide("diagnosis_supports", operator="0012").concluded("settled")
    desk.page.click("#print")
    desk.page.emulate_media(media="print")
    slip = desk.text("#slip")
    for words in (
        "用药提示单", MALE_ONLY, "已写明理由", "限男性使用", "GZ10000301004000", "第 3 行", "有诊断支持", "0012", "2026.06",
    ):  # fmt: skip
        assert words in slip
    assert (ID_NUMBER in slip, "1949" in slip) == (False, False)
    assert desk.page.is_hidden("main")


def test_the_slip_of_a_sale_that_was_not_judged_does_not_pass_it(desk: DeskPage) -> None:
    desk.whom("child").person("male", "6").add(MALE_ONLY).concluded("own_card")
    desk.page.click("#print")
    desk.page.emulate_media(media="print")
    assert ("换用本人凭证" in desk.text("#slip"), "✔" in desk.text("#slip")) == (True, False)


def test_an_override_by_keyboard_takes_three_keys_and_the_card_says_so(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.decide("diagnosis_supports", operator="0012").concluded("settled")
    desk.press("Alt+KeyN").woman_buys(MALE_ONLY).concluded("suspect")
    desk.press("Alt+KeyO", "2", "Enter").concluded("settled")
    assert "已写明理由，继续（原为可疑）" in desk.text("article h3")
    assert "停止" not in desk.text("article h3")
    assert desk.bodies("/v1/feedback")[-1]["reason_code"] == "diagnosis_supports"


def test_reasons_are_offered_that_fit_what_is_judged(desk: DeskPage) -> None:
    read = "els => els.map((each) => each.value)"
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    of_person = desk.page.locator(".decide option").evaluate_all(read)
    assert ("verified_person" in of_person, "verified_terms" in of_person) == (True, False)
    desk.press("Alt+KeyN").page.evaluate("localStorage.setItem('liangku.counter', 'pharmacy')")
    desk.woman_buys("安宫牛黄丸").concluded("definite")
    of_terms = desk.page.locator(".decide option").evaluate_all(read)
    assert ("verified_person" in of_terms, "relative_use" in of_terms, of_terms[1]) == (False, False, "verified_terms")
    assert [code for code in of_person if code in of_terms] == of_terms[:1] + of_terms[2:]


def test_a_reason_against_what_is_known_is_asked_once_more(desk: DeskPage) -> None:
    desk.woman_buys(CHILD_LIMITED).concluded("definite")
    desk.decide("verified_person", operator="0012", second="0034")
    assert "36 岁" in desk.text(".decide .fault")
    assert desk.bodies("/v1/feedback") == []
    desk.decide("verified_person").concluded("settled")
    desk.press("Alt+KeyN").whom("child").person("male", "6").person("female", "36", who="insured").add(CHILD_LIMITED)
    desk.concluded("definite")
    desk.decide("relative_use", operator="0012", second="0034")
    assert "用谁的医保凭证" in desk.text(".decide .fault")


def test_the_reason_now_self_paid_makes_the_line_self_paid_and_checks_anew(desk: DeskPage, server: Server) -> None:
    desk.woman_buys(CHILD_LIMITED).concluded("definite")
    desk.decide("self_paid", operator="0012").concluded("nothing")
    assert desk.lights == ["self_paid"]
    assert desk.bodies("/v1/check")[-1]["lines"][0]["paid_by_fund"] is False
    finding_id = desk.bodies("/v1/feedback")[-1]["finding_id"]
    assert _kept(server, finding_id) == [("change", "self_paid", None, "0012", None)]


def test_the_same_person_spelt_otherwise_is_no_second_one(desk: DeskPage) -> None:
    for second in (" ００１２", "0012\u200b", "0 012"):
        desk.press("Alt+KeyN").woman_buys(CHILD_LIMITED).concluded("definite")
        desk.decide("emergency", operator="0012", second=second)
        assert "另一人" in desk.text(".decide .fault"), second
        assert desk.bodies("/v1/feedback") == [], second


def test_where_staff_are_set_up_the_second_person_gives_a_pin(browser: Browser, tmp_path: Path) -> None:
    staff = Staff(tmp_path / "data")
    staff.add("0012", "8264")
    staff.add("0034", "7351")
    with serving(tmp_path, 'two_person = true\nshop = "城东大药房"\n') as set_up, window(browser, set_up.url) as desk:
        desk.open().woman_buys(CHILD_LIMITED).concluded("definite")
        desk.decide("emergency", operator="0012", second="0034")
        assert "PIN" in desk.text(".decide .fault")
        desk.decide("emergency", pin="8264")
        expect(desk.page.locator(".decide .fault")).to_contain_text("PIN 不对")
        assert desk.page.input_value("input[id^=pin-]") == ""
        desk.decide("emergency", pin="7351").concluded("settled")
        desk.page.evaluate("window.print = () => {}")
        desk.press("Alt+KeyP")
        slip = desk.page.text_content("#slip")
        assert [words in slip for words in ("城东大药房", "顾客签字", "药师（复核）", "0012 / 0034", "7351")] == [
            True
        ] * 4 + [False]


@pytest.mark.parametrize("size", [(1366, 768), (1366, 650)])
def test_verdict_item_and_reason_are_in_sight_after_each_item(
    browser: Browser, server: Server, size: tuple[int, int]
) -> None:
    with window(browser, server.url, size) as desk:
        desk.open().whom("child").person("male", "6").person("female", "19900501", who="insured")
        for item, kind in ((UNRESTRICTED_CODE, "own_card"), (MALE_ONLY, "own_card"), (CHILD_LIMITED, "definite")):
            desk.add(item).concluded(kind)
        for selector in ("#verdict", "#item", "#item-list li >> nth=0", "article h3 >> nth=0", "article dd >> nth=0"):
            box = desk.page.locator(selector).bounding_box()
            assert box is not None
            assert (selector, box["y"] >= 0, box["y"] + box["height"] <= size[1]) == (selector, True, True)
        assert desk.page.evaluate("scrollY") == 0
        assert CHILD_LIMITED in desk.text("#item-list li >> nth=0")
        assert desk.focus == "item"


def test_the_focus_is_not_fetched_from_where_somebody_went_meanwhile(desk: DeskPage) -> None:
    desk.whom("child").person("male", "6")
    went = """async () => {
      const sex = document.querySelector('[name=insured-sex][value=female]'), birth = document.getElementById('insured-birth');
      sex.focus();
      sex.dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 1 }));
      birth.focus();
      await new Promise((resolve) => setTimeout(() => setTimeout(resolve)));
      return document.activeElement.id;
    }"""
    assert desk.page.evaluate(went) == "insured-birth"


def test_the_focus_goes_on_by_itself(desk: DeskPage) -> None:
    desk.page.click("label.choice:has([value=self])")
    expect(desk.page.locator("[name=patient-sex] >> nth=0")).to_be_focused()
    desk.page.click("label.choice:has([name=patient-sex][value=female])")
    expect(desk.page.locator("#patient-birth")).to_be_focused()
    desk.page.keyboard.type("36")
    desk.press("Enter")
    assert desk.focus == "item"
    desk.page.keyboard.type(MALE_ONLY)
    desk.press("Enter").concluded("suspect")
    assert desk.focus == "item"
