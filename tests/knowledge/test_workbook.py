"""Reading published workbooks: what is taken from them, and that it equals what a person sees in the sheet."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.styles import Font

from checker.knowledge.published import Limits, PublishedItem
from checker.knowledge.sheets.read import Workbook, read_workbooks
from checker.shapes.item.windows import AgeWindow
from tests.knowledge.workbooks import CODE, CODES, FOOTNOTE, POINTS, RULES, drug_sex, read, saved, services

FIRST, UPDATE = "第一批", "2026年1月更新"
_DAYS = {FIRST: date(2025, 5, 23), UPDATE: date(2026, 1, 28)}
_BATCHES = {FIRST: "01", UPDATE: "2026-01"}


@pytest.fixture(scope="module")
def sheets(published_folder: Path) -> dict[str, list[Path]]:
    found = {batch: sorted((published_folder / "sheets").glob(f"{batch}*.xlsx")) for batch in _DAYS}
    if [len(paths) for paths in found.values()] != [5, 3]:
        pytest.skip("the published workbooks do not lie in ../shared/nhsa/sheets beside this checkout")
    return found


def _published(sheets: dict[str, list[Path]], batch: str) -> tuple[Workbook, ...]:
    return read_workbooks(sheets[batch], batch=None, published=_DAYS[batch], rules=RULES)


@pytest.mark.parametrize(
    ("batch", "sizes"),
    [
        (FIRST, [(481, 6472), (390, 390), (271, 4370), (11, 28), (30, 30)]),
        (UPDATE, [(95, 2057), (159, 2558), (13, 37)]),
    ],
)
def test_the_published_workbooks_say_what_the_published_facts_say(
    sheets: dict[str, list[Path]], published: list[PublishedItem], batch: str, sizes: list[tuple[int, int]]
) -> None:
    workbooks = _published(sheets, batch)
    assert [(len(workbook.items), workbook.codes) for workbook in workbooks] == sizes
    rules = {workbook.rule for workbook in workbooks}
    expected = {
        replace(item, source_row="") for item in published if item.batch == _BATCHES[batch] and item.rule in rules
    }
    assert {replace(item, source_row="") for workbook in workbooks for item in workbook.items} == expected


def test_footnotes_are_notes_and_every_window_is_understood(sheets: dict[str, list[Path]]) -> None:
    first = _published(sheets, FIRST)
    assert [len(workbook.notes) for workbook in first] == [1, 1, 1, 1, 0]
    assert "不纳入此规则" in first[1].notes[0]
    windows = [window for workbook in (*first, *_published(sheets, UPDATE)) for window in workbook.windows]
    assert len(windows) == 11
    assert all(window.bounds is not None for window in windows)
    assert windows[0].place == "第一批-4.药品限儿童使用.xlsx：“知识点”第 10 行“逻辑依据”(D10)"
    assert not any(workbook.repairs for workbook in first)


def test_the_rows_named_as_evidence_are_those_that_a_person_sees(sheets: dict[str, list[Path]]) -> None:
    compared = 0
    for batch in sheets:
        for path, workbook in zip(sheets[batch], _published(sheets, batch), strict=True):
            seen = dict(_seen_rows(path))
            assert {item.seq: item.source_row for item in workbook.items} == seen
            compared += len(seen)
    assert compared == 1450


def _seen_rows(path: Path) -> Iterator[tuple[int, str]]:
    """By openpyxl, without anything of ours: where each item and its codes stand."""
    book = load_workbook(path)
    rows = {row[0].value: row[0].row for row in book[POINTS].iter_rows() if isinstance(row[0].value, int)}
    codes: dict[int, list[int]] = {}
    if CODES in book.sheetnames:
        under = 0
        for row in book[CODES].iter_rows():
            under = row[0].value if isinstance(row[0].value, int) else under
            if under and row[2].value:
                codes.setdefault(under, []).append(row[2].row)
    for seq, row in rows.items():
        where = f"{path.name}：“知识点”第 {row} 行"
        if codes:
            first, last = codes[seq][0], codes[seq][-1]
            where += f"；“知识点对应药品代码”第 {first if first == last else f'{first}–{last}'} 行"
        yield seq, where


def test_a_workbook_becomes_items_with_their_codes_and_their_place(tmp_path: Path) -> None:
    (workbook,) = read(saved(drug_sex(), tmp_path))
    assert (workbook.rule, workbook.title, workbook.codes) == (
        "药品区分性别使用", "“药品区分性别使用”规则对应知识点明细", 5,
    )  # fmt: skip
    assert workbook.notes == (FOOTNOTE,)
    assert workbook.items[1] == PublishedItem(
        batch="03",
        published=date(2026, 6, 1),
        rule="药品区分性别使用",
        rule_code="GZ10000301004000",
        seq=2,
        item_name="乙丸",
        limits=Limits("女", None, None, None),
        codes=(CODE.format(7), CODE.format(8), CODE.format(9)),
        document="国家医疗保障局公布的智能监管“两库”第三批规则与知识点（2026-06-01）",
        source_row="第三批.xlsx：“知识点”第 6 行；“知识点对应药品代码”第 7–9 行",
    )


def test_the_notice_of_an_unknown_batch_is_named_by_its_title_and_file(tmp_path: Path) -> None:
    (workbook,) = read(saved(drug_sex(), tmp_path, "第二十批.xlsx"), batch=None)
    assert {item.document for item in workbook.items} == {
        "“药品区分性别使用”规则对应知识点明细（第二十批.xlsx，2026-06-01）"
    }


def test_backslashes_in_the_package_are_folders(tmp_path: Path) -> None:
    """Some programs pack a workbook so; Excel opens it."""
    path = saved(drug_sex(), tmp_path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("/", "\\"), content)
    (workbook,) = read(path)
    assert workbook.codes == 5


def test_rows_are_counted_from_the_top_also_where_nothing_stands_there(tmp_path: Path) -> None:
    def move(book: object) -> None:
        for name in (POINTS, CODES):
            sheet = book[name]  # type: ignore[index]
            for area in list(sheet.merged_cells.ranges):
                sheet.unmerge_cells(str(area))
            sheet.move_range("A1:G20", rows=6, cols=2)

    (workbook,) = read(saved(drug_sex(move), tmp_path))
    assert workbook.items[0].source_row == "第三批.xlsx：“知识点”第 11 行；“知识点对应药品代码”第 11–12 行"


def test_a_sheet_that_claims_all_columns_is_read_as_quickly(tmp_path: Path) -> None:
    def claim(book: object) -> None:
        for row in range(1, 200):
            book[POINTS].cell(row, 16384).font = Font(bold=True)  # type: ignore[index]

    (workbook,) = read(saved(drug_sex(claim), tmp_path))
    assert len(workbook.items) == 2


@pytest.mark.parametrize("name", ["通用名", "药品名称", "药 品\n通用名", "项目名称", "药品名称（通用名）"])
@pytest.mark.parametrize("count", ["数量", "知识点对应药品代码数量（个）"])
def test_header_wording_varies(tmp_path: Path, name: str, count: str) -> None:
    def reword(book: object) -> None:
        book[POINTS]["B4"], book[POINTS]["F4"], book[CODES]["B4"] = name, count, name  # type: ignore[index]

    (workbook,) = read(saved(drug_sex(reword), tmp_path))
    assert [item.item_name for item in workbook.items] == ["甲片", "乙丸"]


@pytest.mark.parametrize(
    ("title", "file", "batch"),
    [
        ("“药品区分性别使用”规则对应知识点明细", "第十二批-1.xlsx", "12"),
        ("“药品区分性别使用”规则对应知识点明细", "2026年1月更新.xlsx", "2026-01"),
        ("第二十批《“药品区分性别使用”规则对应知识点明细》", "明细.xlsx", "20"),
        ("“药品区分性别使用”规则对应知识点明细", "第3批.xlsx", "03"),
    ],
)
def test_the_batch_is_read_from_title_or_name(tmp_path: Path, title: str, file: str, batch: str) -> None:
    book = drug_sex()
    book[POINTS]["A2"] = title
    (workbook,) = read(saved(book, tmp_path, file), batch=None)
    assert {item.batch for item in workbook.items} == {batch}


def test_what_stands_above_the_title_is_a_note(tmp_path: Path) -> None:
    book = drug_sex()
    book[POINTS]["A1"] = "附件1"
    (workbook,) = read(saved(book, tmp_path))
    assert workbook.title == "“药品区分性别使用”规则对应知识点明细"
    assert workbook.notes == ("附件1", FOOTNOTE)


def test_services_have_their_codes_beside_them_and_the_age_word_in_the_basis(tmp_path: Path) -> None:
    basis = ("儿童专用项目", "新生儿专用项目", "婴幼儿专用项目", "限6岁及以下", "限一岁半以下")
    (workbook,) = read(saved(services(basis=basis), tmp_path))
    assert [item.limits for item in workbook.items] == [
        Limits(None, "儿童", None, "参保人"),
        Limits(None, "新生儿", None, "参保人"),
        Limits(None, "婴幼儿", None, "参保人"),
        Limits(None, None, "6岁及以下", "参保人"),
        Limits(None, None, None, "参保人"),
    ]
    assert workbook.items[3].codes == ("002501040070000",)
    assert workbook.items[3].source_row == "第三批.xlsx：“知识点”第 8 行"
    assert [window.bounds for window in workbook.windows] == [AgeWindow(None, None, 7, "year"), None]


def test_a_window_that_is_not_understood_is_told_and_limits_nothing(tmp_path: Path) -> None:
    def remark(book: object) -> None:
        book[POINTS]["F5"], book[POINTS]["F6"] = "十四岁以下慎用", "限二级医院"  # type: ignore[index]

    (workbook,) = read(saved(services(remark), tmp_path))
    assert [(window.item_name, window.text, window.bounds) for window in workbook.windows] == [
        ("项目1", "十四岁以下慎用", None)
    ]
    assert workbook.items[0].limits.age_text is None
    assert workbook.notes == ("“知识点”第 6 行“备注”(F6)：限二级医院",)


def test_full_width_digits_small_letters_and_blanks_in_codes_are_mended_and_told(tmp_path: Path) -> None:
    def spoil(book: object) -> None:
        book[CODES]["C5"] = f" {CODE.format(5).lower()}\u3000"  # type: ignore[index]
        book[CODES]["C8"] = CODE.format(8).replace("0", "０")  # type: ignore[index]

    (workbook,) = read(saved(drug_sex(spoil), tmp_path))
    assert [item.codes for item in workbook.items] == [
        item.codes for item in read(saved(drug_sex(), tmp_path))[0].items
    ]
    (told,) = workbook.repairs
    assert "“知识点对应药品代码”第 5、8 行" in told
    assert CODE.format(5) in told


def test_merged_numbers_and_names_are_filled_from_above(tmp_path: Path) -> None:
    def merge(book: object) -> None:
        for area in ("A5:A6", "B5:B6", "A7:A9", "B7:B9"):
            book[CODES].merge_cells(area)  # type: ignore[index]

    (workbook,) = read(saved(drug_sex(merge), tmp_path))
    assert [len(item.codes) for item in workbook.items] == [2, 3]


def test_zeros_that_excel_took_are_put_back_on_request_and_each_is_told(tmp_path: Path) -> None:
    def spoil(book: object) -> None:
        book[POINTS]["E5"] = 2501040040000  # type: ignore[index]

    (workbook,) = read(saved(services(spoil), tmp_path), repair=True)
    assert workbook.items[0].codes == ("002501040040000",)
    (told,) = workbook.repairs
    assert "第 5 行“项目代码”(E5)" in told
    assert "'2501040040000' → '002501040040000'" in told


_CSV_HEADER = ["序号", "药品通用名", "限定性别", "检出逻辑", "逻辑依据", "药品代码数量", "备注", "药品代码"]
_ROWS = {
    "a row each, blank": [
        ["1", "甲片", "男", "", "", "2", "", CODE.format(1)],
        ["", "", "", "", "", "", "", CODE.format(2)],
        ["2", "乙丸", "女", "", "", "1", "", CODE.format(3)],
    ],
    "a row each, repeated": [
        ["1", "甲片", "男", "", "", "2", "", CODE.format(1)],
        ["1", "甲片", "男", "", "", "2", "", CODE.format(2)],
        ["2", "乙丸", "女", "", "", "1", "", CODE.format(3)],
    ],
    "a list": [
        ["1", "甲片", "男", "", "", "2", "", f"{CODE.format(1)}、{CODE.format(2)}"],
        ["2", "乙丸", "女", "", "", "1", "", CODE.format(3)],
    ],
}


@pytest.mark.parametrize("form", _ROWS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_holds_items_and_codes_in_one_table(tmp_path: Path, form: str, encoding: str) -> None:
    path = tmp_path / "第三批-药品区分性别使用.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([_CSV_HEADER, *_ROWS[form]])
    (workbook,) = read(path, batch=None)
    assert [(item.seq, item.item_name, item.limits.sex, item.codes) for item in workbook.items] == [
        (1, "甲片", "男", (CODE.format(1), CODE.format(2))),
        (2, "乙丸", "女", (CODE.format(3),)),
    ]
    last = 2 + len(_ROWS[form]) - 1
    assert workbook.items[1].source_row == f"第三批-药品区分性别使用.csv：第 {last} 行"


def test_a_csv_may_name_its_rule_in_a_column(tmp_path: Path) -> None:
    path = tmp_path / "本地.csv"
    path.write_text(
        '规则,序号,项目名称,逻辑依据,项目代码\n医疗服务项目儿童专用,1,"试\n项目",儿童专用项目,002501040040000\n',
        encoding="utf-8",
    )
    (workbook,) = read(path)
    assert workbook.rule == "医疗服务项目儿童专用"
    assert workbook.items[0].item_name == "试项目"
