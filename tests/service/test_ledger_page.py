"""The ledger page [红黄蓝台账] against the real server: filter, sort, print, export, speed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="pages are tested in a browser: pip install playwright")
pytest.importorskip("axe_playwright_python", reason="pages are tested by axe: pip install axe-playwright-python")

from playwright.sync_api import Browser, expect

from tests.service.desk_page import DESKTOP, PHONE, DeskPage, window
from tests.service.serving import Server, lean
from tests.service.test_page import MALE_ONLY, MALE_ONLY_CODE


@pytest.fixture
def ledger(browser: Browser, server: Server) -> Iterator[DeskPage]:
    with window(browser, server.url) as opened:
        opened.open("/ledger").page.wait_for_selector("tbody tr")
        yield opened


def _rows(ledger: DeskPage) -> int:
    return ledger.page.locator("tbody tr:visible").count()


def _found(ledger: DeskPage) -> int:
    """How many points the filter leaves, drawn or not."""
    return int(ledger.text("#count").partition(" ")[0])


def _filtered(ledger: DeskPage, text: str) -> int:
    before = ledger.text("#count")
    ledger.page.fill("#filter", text)
    expect(ledger.page.locator("#count")).not_to_have_text(before)
    return _found(ledger)


def test_every_point_in_force_is_listed_with_word_and_icon(ledger: DeskPage) -> None:
    shown, total = ledger.text("#count").removesuffix(" 条").split(" / ")
    assert int(shown) == int(total) > 1000
    assert ledger.text("tbody tr td >> nth=0") == "✖ 明确违规"
    # They are drawn some at a time, and the button goes when none is left.
    assert _rows(ledger) == 200
    drawn = 200
    while ledger.page.is_visible("#more"):
        assert ledger.text("#more") == f"再列 {min(200, int(total) - drawn)} 条（还有 {int(total) - drawn} 条）"
        ledger.page.click("#more")
        drawn = min(drawn + 200, int(total))
        assert ledger.page.locator("tbody tr").count() == drawn
    points = ledger.page.locator("tbody tr").evaluate_all("rows => rows.map((row) => row.dataset.point)")
    assert len(set(points)) == int(total)


def test_a_filter_finds_by_name_point_full_code_and_part_of_a_code(ledger: DeskPage) -> None:
    for text in (MALE_ONLY, "drug-sex-01-0003", MALE_ONLY_CODE, MALE_ONLY_CODE[:10].lower()):
        assert _filtered(ledger, text) >= 1, text
        assert MALE_ONLY in ledger.text("tbody"), text
        # A filter that finds nothing says so.
        assert _filtered(ledger, "没有这种药") == 0
        assert ledger.text("#count").startswith("0 / ")


def test_rule_and_level_narrow_the_list(ledger: DeskPage) -> None:
    ledger.page.select_option("#rule", "drug-sex")
    of_rule = _found(ledger)
    ledger.page.select_option("#level", "notice")
    assert 0 < _found(ledger) < of_rule
    assert set(ledger.page.locator("tbody tr:visible td.level").all_inner_texts()) == {"● 提示"}


def test_a_column_sorts_up_and_down(ledger: DeskPage) -> None:
    head = ledger.page.locator("th[data-column=point]")
    ledger.page.select_option("#rule", "drug-sex")
    ledger.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    points = ledger.page.locator("tbody tr td:last-child")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    first = points.first.inner_text()
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    ledger.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert points.last.inner_text() == first


def test_the_export_holds_what_is_shown_and_opens_in_a_spreadsheet(ledger: DeskPage, tmp_path: Path) -> None:
    shown = _filtered(ledger, MALE_ONLY)
    with ledger.page.expect_download() as waiting:
        ledger.page.click("#export")
    file = tmp_path / "ledger.csv"
    waiting.value.save_as(file)
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert len(rows) == shown
    row = dict(zip(head, rows[0], strict=True))
    assert (row["项目"], row["规则"], row["限定"]) == (MALE_ONLY, "药品区分性别使用", "限男性")
    assert "国家医疗保障局" in row["文件"]


def test_no_cell_of_an_export_runs_as_a_formula(ledger: DeskPage) -> None:
    text = ledger.page.evaluate(
        """async () => (await import('/static/csv.js')).csvText([['=1+1', '+1', '-1', '@a', 'a"b', 'a,b', null, 3]])"""
    )
    assert text == '\ufeff\'=1+1,\'+1,\'-1,\'@a,"a""b","a,b",,3\r\n'


def test_print_shows_the_whole_table_without_the_tools(ledger: DeskPage) -> None:
    ledger.page.select_option("#rule", "drug-sex")
    assert _rows(ledger) < _found(ledger)
    # A page's own printing and the browser's announce themselves in the same way.
    ledger.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    ledger.page.emulate_media(media="print")
    assert _rows(ledger) == _found(ledger)
    for hidden in ("#filter", "header", "#more"):
        assert ledger.page.is_hidden(hidden), hidden


def test_the_ledger_is_for_everybody_in_either_language(ledger: DeskPage) -> None:
    _filtered(ledger, "小儿")
    assert ledger.accessibility() == []
    ledger.switch_language()
    ledger.page.fill("#filter", MALE_ONLY)
    expect(ledger.page.locator("tbody tr:visible").first).to_contain_text("male only")
    assert ledger.accessibility() == []


def test_the_table_fits_windows_of_any_width(browser: Browser, server: Server) -> None:
    with window(browser, server.url, PHONE) as ledger:
        ledger.open("/ledger").page.wait_for_selector("tbody tr")
        assert ledger.overflow() <= 0
        for width in (640, 961, 1024, 1281, 1441):
            ledger.resize((width, 800))
            assert ledger.overflow() <= 0, width


def test_a_phone_reads_what_a_filter_leaves_of_the_ledger(browser: Browser, server: Server) -> None:
    with window(browser, server.url, PHONE) as ledger:
        ledger.open("/ledger").page.wait_for_selector("tbody tr")
        assert ledger.overflow() <= 0
        assert _filtered(ledger, MALE_ONLY) >= 1
        assert ledger.accessibility() == []


def test_filtering_and_sorting_take_a_moment_only(ledger: DeskPage) -> None:
    """Script and layout of all rows, measured in the page; generous, for a machine that is shared."""
    milliseconds = ledger.page.evaluate(
        """() => { const start = performance.now();
        for (const value of ['notice', 'suspect', '']) {
          const level = document.getElementById('level'); level.value = value; level.dispatchEvent(new Event('change'));
          document.body.getBoundingClientRect(); }
        document.querySelector('th[data-column=item] button').click(); document.body.getBoundingClientRect();
        return performance.now() - start; }"""
    )
    assert milliseconds < 4000


def test_a_ledger_that_cannot_be_read_is_told_and_asked_for_again(browser: Browser, tmp_path: Path) -> None:
    with window(browser, "", DESKTOP) as ledger:
        with lean(tmp_path) as short:
            ledger.url = short.url
            ledger.open("/ledger").page.wait_for_selector("tbody tr")
        ledger.switch_language()
        expect(ledger.page.locator("#told")).to_contain_text("cannot be reached")
        assert ledger.accessibility() == []
        with lean(tmp_path, port=int(short.url.rpartition(":")[2])):
            ledger.page.click("#retry")
            expect(ledger.page.locator("#told")).to_be_empty()
