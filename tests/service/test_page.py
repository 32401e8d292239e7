"""The counter page against the real server: conclusions, people, items, and what leaves the page."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")

from playwright.sync_api import Browser, expect

from tests.service.desk_page import DeskPage, window
from tests.service.serving import lean

MALE_ONLY = "爱普列特片"
MALE_ONLY_CODE = "XG04CBA088A001010101467"
CHILD_LIMITED = "盐酸可乐定缓释片"
CHILD_ONLY_OF_INSURED = "小儿金丹"
CHILD_ONLY_NOTICE = "小儿七珍丸"
ENDED = "复方聚乙二醇(3350)电解质散"
WOMEN_ONLY_SERVICE = "阴道镜检查"
UNRESTRICTED_CODE = "XA02BCA030A001010100001"
ID_NUMBER = "11010519491231002X"


# Conclusions


def test_it_asks_first_who_the_medicine_is_for(desk: DeskPage) -> None:
    desk.person("female", "36").add(MALE_ONLY).page.wait_for_selector("#item-list li")
    assert "给谁用" in desk.concluded("idle")
    assert desk.bodies("/v1/check") == []


def test_a_drug_for_men_sold_to_a_woman_is_yellow_with_word_icon_and_basis(desk: DeskPage) -> None:
    said = desk.woman_buys(MALE_ONLY).concluded("suspect")
    assert ("▲" in said, "需要确认" in said) == (True, True)
    card = desk.text("article")
    for words in ("可疑", "限男性使用", "用药人：女（限：男）", "GZ10000301004000", "drug-sex-01-0003", "第 3 行"):
        assert words in card


def test_the_same_drug_for_a_man_is_green(desk: DeskPage) -> None:
    said = desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    assert ("✔" in said, "可以使用" in said) == (True, True)


def test_a_drug_limited_to_children_for_an_adult_is_red(desk: DeskPage) -> None:
    said = desk.woman_buys(CHILD_LIMITED).concluded("definite")
    assert ("✖" in said, "停止" in said) == (True, True)


def test_a_point_that_is_no_longer_listed_is_a_blue_notice(desk: DeskPage) -> None:
    said = desk.woman_buys(CHILD_ONLY_NOTICE).concluded("notice")
    assert ("●" in said, "提示" in said) == (True, True)
    assert "没有再列出" in desk.text("article")


def test_an_unknown_person_is_violet_and_not_green(desk: DeskPage) -> None:
    desk.whom("self").add(MALE_ONLY).page.wait_for_selector("#item-list li")
    assert "性别和出生日期" in desk.concluded("idle")
    said = desk.press("Alt+KeyC").concluded("undetermined")
    assert ("?" in said, "无法判断" in said) == (True, True)
    assert "补上性别再查" in desk.text("article")


def test_what_an_exemption_clears_is_green_and_says_why(desk: DeskPage) -> None:
    desk.more(diagnoses="Q56.300")
    said = desk.whom("self").person("male", "28").add(WOMEN_ONLY_SERVICE).concluded("exempt")
    assert ("✔" in said, "属于豁免情形" in said) == (True, True)
    assert "符合豁免情形 service-sex-indeterminate，不计违规" in desk.text("article")


def test_items_that_are_all_self_paid_are_not_green(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.page.get_by_role("button", name="改为自费").click()
    assert "没有需要判断的项目" in desk.concluded("nothing")
    assert "已改为自费" in desk.text("#done")


def test_a_second_package_of_what_is_self_paid_is_judged(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.page.get_by_role("button", name="改为自费").click()
    desk.concluded("nothing")
    desk.add(MALE_ONLY).concluded("suspect")
    assert len(desk.lights) == 2


def test_an_item_whose_points_are_not_in_force_is_told_and_not_green(desk: DeskPage) -> None:
    desk.woman_buys(ENDED).concluded("unjudged")
    assert "没有生效" in desk.text("#notes")


def test_past_the_time_limit_nothing_was_reviewed_and_a_ticket_is_given(browser: Browser, tmp_path: Path) -> None:
    with lean(tmp_path, "[limits]\ntime_ms = 0\n") as slow, window(browser, slow.url) as desk:
        said = desk.open().woman_buys(MALE_ONLY).concluded("not_reviewed")
        assert ("本次未审核" in said, "待补审编号 T" in said) == (True, True)
        assert desk.accessibility() == []


def test_a_server_that_is_gone_is_an_error_until_it_is_back(browser: Browser, tmp_path: Path) -> None:
    with window(browser, "") as desk:
        with lean(tmp_path) as short:
            desk.url = short.url
            desk.open().whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
        said = desk.press("Alt+KeyC").concluded("error")
        assert ("没有核对成功" in said, "连不上服务器" in said, "不能当作通过" in said) == (True, True, True)
        assert desk.accessibility() == []
        with lean(tmp_path, port=int(short.url.rpartition(":")[2])):
            desk.page.click("#retry")
            desk.concluded("clear")


def test_a_change_takes_the_green_away_before_the_next_answer_comes(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    desk.page.fill("#patient-birth", "3x")
    assert desk.kind == "idle"


def test_the_gravest_of_several_items_decides(desk: DeskPage) -> None:
    desk.woman_buys(CHILD_ONLY_NOTICE).concluded("notice")
    desk.add(CHILD_LIMITED).concluded("definite")
    marks = desk.page.locator("article h3 .mark").all_inner_texts()
    assert [mark[0] for mark in marks] == ["✖", "●"]
    desk.page.get_by_role("button", name=f"移除 {CHILD_LIMITED}").click()
    desk.concluded("notice")


# People


def test_for_the_card_holder_only_the_patient_is_sent(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY_CODE).concluded("suspect")
    body = desk.bodies("/v1/check")[-1]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}", body.pop("service_time"))
    assert body == {
        "stage": "dispense",
        "patient": {"sex": "female", "birth_date": "1990-05-01"},
        "lines": [{"line_id": "1", "item_code": MALE_ONLY_CODE}],
    }


def test_a_childs_drug_on_an_adults_card_leads_to_the_childs_own_code(desk: DeskPage) -> None:
    desk.whom("child").person("male", "6").person("female", "19900501", who="insured").add(CHILD_ONLY_OF_INSURED)
    desk.concluded("suspect")
    assert desk.bodies("/v1/check")[-1]["insured"] == {"sex": "female", "birth_date": "1990-05-01"}
    card = desk.text("article")
    assert ("出示孩子本人的医保码（亲情账户/家庭共济）" in card, "请出示孩子本人的医保码" in card) == (True, True)
    desk.page.get_by_role("button", name="已换用本人凭证").click()
    desk.concluded("clear")
    assert "insured" not in desk.bodies("/v1/check")[-1]
    assert desk.bodies("/v1/feedback")[-1]["decision"] == "change"


def test_a_childs_drug_on_a_card_whose_holder_is_unknown_is_not_green(desk: DeskPage) -> None:
    said = desk.whom("child").person("male", "6").add(CHILD_ONLY_OF_INSURED).concluded("own_card")
    assert "本人的医保码" in said
    assert "没有填全" in desk.text("#notes")


def test_a_childs_drug_on_the_childs_own_card_is_green(desk: DeskPage) -> None:
    desk.whom("child", card="own").person("male", "6").add(CHILD_ONLY_OF_INSURED).concluded("clear")
    assert desk.page.is_hidden("#insured-part")


def test_a_newborn_is_sent_as_such(desk: DeskPage) -> None:
    desk.page.check("#patient-newborn")
    desk.woman_buys(MALE_ONLY).concluded("undetermined")
    assert desk.bodies("/v1/check")[-1]["patient"]["newborn"] is True
    assert "新生儿" in desk.text("article")


def test_a_birth_date_is_read_as_it_is_written(desk: DeskPage) -> None:
    for asked, typed in enumerate(("1990-05-01", "1990/5/1", "１９９００５０１", "1990年5月1日"), 1):
        desk.press("Alt+KeyN").whom("self").person("female", typed).add(MALE_ONLY).concluded("suspect")
        births = [body["patient"]["birth_date"] for body in desk.bodies("/v1/check")]
        assert (len(births) >= asked, {*births}) == (True, {"1990-05-01"}), typed


def test_a_birth_date_that_cannot_be_is_told_and_nothing_is_asked(desk: DeskPage) -> None:
    for typed in ("19900230", "131", "2999-01-01", "abc"):
        desk.press("Alt+KeyN").whom("self").person("female", typed).add(MALE_ONLY)
        desk.page.wait_for_selector("#item-list li")
        desk.concluded("idle")
        assert desk.text("#patient-birth-told"), typed
        assert desk.page.get_attribute("#patient-birth", "aria-invalid") == "true", typed
        assert desk.bodies("/v1/check") == [], typed


def test_an_id_number_gives_sex_and_birth_date_and_never_leaves_the_page(desk: DeskPage) -> None:
    desk.whom("self").page.fill("#patient-id", ID_NUMBER.lower())
    assert desk.page.input_value("#patient-id") == ""
    desk.add(MALE_ONLY).concluded("suspect")
    desk.decide("diagnosis_supports", operator="0012").concluded("settled")
    desk.page.click("#print")
    assert desk.bodies("/v1/check")[-1]["patient"] == {"sex": "female", "birth_date": "1949-12-31"}
    sent = "".join(f"{request.url} {request.post_data} {request.headers}" for request in desk.sent).upper()
    assert ID_NUMBER not in sent
    kept = desk.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )
    assert ID_NUMBER not in kept.upper()
    assert ID_NUMBER not in desk.page.content().upper()


def test_an_id_number_that_is_wrong_is_told_and_fills_nothing(desk: DeskPage) -> None:
    wrong = {"110105194912310021": "校验码不对", "110105194913310021": "不是日期", "1101051949123100AX": "18 位"}
    for number, told in wrong.items():
        desk.press("Alt+KeyN").page.fill("#patient-id", number)
        assert told in desk.text("#patient-id-told"), number
        assert desk.page.input_value("#patient-birth") == "", number


def test_diagnoses_stage_and_visit_are_sent(desk: DeskPage) -> None:
    desk.more(diagnoses="N40.x00、 I27.000")
    desk.page.select_option("#stage", "settle")
    desk.page.fill("#visit", "V-diagnoses")
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    body = desk.bodies("/v1/check")[-1]
    assert (body["diagnoses"], body["stage"], body["visit_id"]) == (["N40.x00", "I27.000"], "settle", "V-diagnoses")


# Items


def test_initials_open_a_list_from_which_arrow_and_enter_choose(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36").page.locator("#item").press_sequentially("apltp")
    desk.page.wait_for_selector("#item-options [role=option]")
    assert desk.page.get_attribute("#item", "aria-expanded") == "true"
    desk.press("ArrowDown")
    active = desk.page.get_attribute("#item", "aria-activedescendant")
    assert desk.page.get_attribute(f"#{active}", "aria-selected") == "true"
    desk.press("Enter").concluded("suspect")
    assert desk.bodies("/v1/check")[-1]["lines"] == [{"line_id": "1", "item_name": MALE_ONLY, "by_name": True}]


def test_an_option_can_be_clicked(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36").page.locator("#item").press_sequentially("aipuliete")
    desk.page.click("#item-options [role=option]")
    desk.concluded("suspect")


def test_escape_closes_the_list(desk: DeskPage) -> None:
    desk.page.locator("#item").press_sequentially("apltp")
    desk.page.wait_for_selector("#item-options [role=option]")
    desk.press("Escape")
    assert desk.page.is_hidden("#item-options")


def test_part_of_a_name_is_asked_back(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36").add("爱普列特")
    desk.page.wait_for_selector("#item-options [aria-selected=true]")
    assert "按回车加入" in desk.text("#item-told")
    desk.press("Enter").concluded("suspect")


def test_a_name_that_no_restricted_item_has_is_no_silent_pass(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36").add(UNRESTRICTED_CODE).concluded("not_restricted")
    desk.add("爱普利特胶囊")
    desk.page.wait_for_selector("#item-list .near button")
    assert ("没有“爱普利特胶囊”" in desk.text("#item-told"), "请扫码" in desk.text("#item-told")) == (True, True)
    desk.concluded("unjudged")
    assert "未判断" in desk.text("#notes")
    desk.page.get_by_role("button", name=MALE_ONLY, exact=True).click()
    desk.concluded("suspect")


def test_text_left_in_the_item_field_takes_the_green_away(desk: DeskPage) -> None:
    desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    desk.page.fill("#item", "阿莫西林")
    desk.concluded("unjudged")
    desk.page.fill("#item", "")
    desk.concluded("clear")


def test_a_full_code_outside_the_knowledge_is_taken_as_it_is(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36").add(UNRESTRICTED_CODE.lower())
    said = desk.concluded("not_restricted")
    assert ("不在受限项目中" in said, "可以使用" in said, "✔" in said) == (True, False, False)
    assert desk.lights == ["not_restricted"]
    assert desk.bodies("/v1/check")[-1]["lines"] == [{"line_id": "1", "item_code": UNRESTRICTED_CODE}]


def test_a_code_that_is_not_complete_is_not_added(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36").add("XZ99ZZZ999")
    desk.page.wait_for_selector("#item-told.fault")
    assert "不是完整的国家医保编码" in desk.text("#item-told")
    assert (desk.lights, desk.bodies("/v1/check")) == (["unsettled"], [])


def test_a_code_shows_the_name_of_its_item(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY_CODE).concluded("suspect")
    assert MALE_ONLY in desk.text("#item-list")


def test_an_item_is_listed_once(desk: DeskPage) -> None:
    desk.woman_buys(MALE_ONLY).concluded("suspect")
    desk.add(MALE_ONLY)
    expect(desk.page.locator("#item-told")).to_contain_text("已在列表里")
    assert desk.page.locator("#item-list li").count() == 1


def test_what_is_typed_is_never_markup(desk: DeskPage) -> None:
    desk.add("<img src=x onerror=alert(1)>药")
    desk.page.wait_for_selector("#item-told.fault")
    assert "<img" in desk.text("#item-told")
    assert desk.page.locator("main img").count() == 0


# Access


def test_a_server_with_keys_asks_for_one_and_keeps_it_in_this_window(browser: Browser, tmp_path: Path) -> None:
    key = "k" * 43
    digest = hashlib.sha256(key.encode()).hexdigest()
    settings = f'[[key]]\nname = "desk"\nsha256 = "{digest}"\nroles = ["check"]\n'
    with lean(tmp_path, settings) as locked, window(browser, locked.url) as desk:
        desk.open().whom("self").person("female", "36").page.fill("#item", MALE_ONLY)
        desk.press("Enter")
        desk.page.wait_for_selector("#key-dialog[open]")
        assert desk.accessibility() == []
        desk.page.fill("#key-field", "wrong")
        desk.press("Enter")
        desk.page.wait_for_selector("#key-wrong", state="visible")
        desk.page.fill("#key-field", key)
        desk.press("Enter").concluded("suspect")
        assert desk.page.evaluate("localStorage.length") == 0
        desk.open("/ledger").page.wait_for_selector("tbody tr")
