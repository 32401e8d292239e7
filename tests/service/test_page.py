"""The counter page against the real server, in the system's browser."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="accessibility is tested by axe: pip install axe-playwright-python")

from playwright.sync_api import Browser

from tests.service.desk_page import CHROMIUM, DESKTOP, PHONE, DeskPage, chromium
from tests.service.serving import Server, serving

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")

MALE_ONLY = "爱普列特片"
MALE_ONLY_CODE = "XG04CBA088A001010101467"
CHILD_LIMITED = "波生坦分散片"
CHILD_OF_INSURED = "小儿金丹"
UNRESTRICTED_CODE = "XA02BCA030A001010100001"
NOT_IN_FORCE = "磷酸西格列汀"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened
        opened.close()


@pytest.fixture
def desk(browser: Browser, server: Server) -> Iterator[DeskPage]:
    """The counter page in a new window; after the test it must have kept its promises."""
    with _window(browser, server.url) as opened:
        yield opened.open()


@contextlib.contextmanager
def _window(browser: Browser, url: str, size: tuple[int, int] = DESKTOP) -> Iterator[DeskPage]:
    opened = DeskPage(browser, url, size)
    try:
        yield opened
        opened.assert_kept()
    finally:
        opened.close()


def _woman_buys(desk: DeskPage, item: str) -> DeskPage:
    return desk.whom("self").person("female", "19900501").add(item)


# States


def test_asks_first_who_it_is_for(desk: DeskPage) -> None:
    desk.person("female", "36").add(MALE_ONLY)
    assert "给谁用" in desk.concluded("idle")
    assert desk.bodies("/v1/check") == []


def test_a_drug_for_men_bought_by_a_woman_is_yellow_with_word_icon_and_basis(desk: DeskPage) -> None:
    said = _woman_buys(desk, MALE_ONLY).concluded("suspect")
    assert ("▲" in said, "需确认" in said) == (True, True)
    card = desk.page.inner_text("article")
    for words in ("可疑", "限男性使用", "患者：女（限：男）", "GZ10000301004000", "drug-sex-01-0003", "第 3 行"):
        assert words in card


def test_the_same_drug_for_a_man_is_green(desk: DeskPage) -> None:
    said = desk.whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
    assert ("✔" in said, "可以使用" in said) == (True, True)


def test_for_the_card_holder_only_the_patient_is_sent(desk: DeskPage) -> None:
    _woman_buys(desk, MALE_ONLY_CODE).concluded("suspect")
    body = desk.bodies("/v1/check")[-1]
    assert body.pop("service_time")
    assert body == {
        "stage": "dispense",
        "patient": {"sex": "female", "birth_date": "1990-05-01"},
        "lines": [{"line_id": "1", "item_code": MALE_ONLY_CODE}],
    }


def test_a_drug_limited_to_children_bought_for_an_adult_is_red(desk: DeskPage) -> None:
    said = _woman_buys(desk, CHILD_LIMITED).concluded("definite")
    assert ("✖" in said, "停止" in said) == (True, True)


def test_a_point_no_longer_listed_is_a_blue_notice(desk: DeskPage) -> None:
    said = desk.whom("self").person("female", "36").add("小儿七珍丸").concluded("notice")
    assert ("●" in said, "提示" in said) == (True, True)


def test_an_unknown_person_is_violet_never_green(desk: DeskPage) -> None:
    desk.whom("self").add(MALE_ONLY)
    assert "性别和出生日期" in desk.concluded("idle")
    desk.page.press("#item", "Alt+KeyC")
    said = desk.concluded("undetermined")
    assert ("?" in said, "无法判断" in said) == (True, True)


def test_all_items_self_paid_are_not_green(desk: DeskPage) -> None:
    _woman_buys(desk, MALE_ONLY).concluded("suspect")
    desk.page.click("text=改为自费")
    assert "没有需要判断的项目" in desk.concluded("nothing")
    assert "改为自费" in desk.page.inner_text("#done")


def test_an_item_whose_points_are_not_in_force_is_told_and_not_green(desk: DeskPage) -> None:
    desk.whom("self").person("female", "36").add("复方聚乙二醇(3350)电解质散")
    desk.concluded("unjudged")
    assert "没有生效" in desk.page.inner_text("#notes")


def test_past_the_time_limit_nothing_was_reviewed_and_a_ticket_is_given(browser: Browser, tmp_path: Path) -> None:
    with (
        serving(tmp_path, "[limits]\ntime_ms = 0.001\n") as slow,
        _window(browser, slow.url) as desk,
    ):
        said = _woman_buys(desk.open(), MALE_ONLY).concluded("not_reviewed")
        assert ("本次未审核" in said, "待补审编号 T" in said) == (True, True)
        assert desk.accessibility() == []


def test_a_server_that_is_gone_is_an_error_never_green(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as short, _window(browser, short.url) as desk:
        desk.open().whom("self").person("male", "36").add(MALE_ONLY).concluded("clear")
        short.process.terminate()
        short.process.wait(timeout=30)
        desk.page.click("text=核对 >> css=button[type=submit]") if False else desk.page.click("#ask button[type=submit]")
        said = desk.concluded("error")
        assert ("没有核对成功" in said, "连不上服务器" in said, "不能当作通过" in said) == (True, True, True)
        assert desk.accessibility() == []
        assert desk.page.is_visible("#retry")
