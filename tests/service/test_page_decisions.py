"""The counter page against the real server: going on with a reason, changing the sale, and the slip."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")

from playwright.sync_api import expect

from tests.service.desk_page import DeskPage
from tests.service.serving import Server
from tests.service.test_page import CHILD_LIMITED, ID_NUMBER, MALE_ONLY


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
        f"{CHILD_LIMITED}仅限 3 至 12 岁患者使用时由医保基金支付",
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
        "用药提示单", MALE_ONLY, "已写明理由", "限男性使用", "GZ10000301004000", "第 3 行", "有诊断支持", "0012", "2026.05",
    ):  # fmt: skip
        assert words in slip
    assert (ID_NUMBER in slip, "1949" in slip) == (False, False)
    assert desk.page.is_hidden("main")


def test_the_slip_of_a_sale_that_was_not_judged_does_not_pass_it(desk: DeskPage) -> None:
    desk.whom("child").person("male", "6").add(MALE_ONLY).concluded("own_card")
    desk.page.click("#print")
    desk.page.emulate_media(media="print")
    assert ("换用本人凭证" in desk.text("#slip"), "✔" in desk.text("#slip")) == (True, False)
