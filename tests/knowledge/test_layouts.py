"""Sheets as maintainers lay them out: what is read alike however it is laid out, and marks of removal, which never make points."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook as Book
from openpyxl.styles import Font

from checker.cli.main import run
from checker.knowledge.sheets.read import Workbook
from tests.knowledge.workbooks import CODE, read, refusal

ROOT = Path(__file__).parents[2]
LAYOUTS = ROOT.parent / "shared" / "nhsa" / "layouts"
TITLE = ["“药品区分性别使用”规则对应知识点明细"]
HEADER = ["序号", "药品通用名", "限定性别", "药品代码"]
ROWS = [
    [1, "甲片", "男", CODE.format(1)],
    [1, "甲片", "男", CODE.format(2)],
    [1, "甲片", "男", CODE.format(3)],
    [2, "乙丸", "女", CODE.format(4)],
    [2, "乙丸", "女", CODE.format(5)],
]
EXPECTED = [("甲片", tuple(map(CODE.format, (1, 2, 3)))), ("乙丸", tuple(map(CODE.format, (4, 5))))]

Rows = Sequence[Sequence[object]]


def book_of(rows: Rows, header: Sequence[object] = HEADER, title: Sequence[object] = TITLE) -> Book:
    """One sheet: the title in row 1, the header in row 2."""
    book = Book()
    for row in (title, header, *rows):
        book.active.append(list(row))
    return book


def saved(book: Book, folder: Path, name: str = "第三批.xlsx") -> Path:
    book.save(folder / name)
    return folder / name


def items(workbook: Workbook) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.item_name, item.codes) for item in workbook.items]


def without_number() -> Book:
    return book_of([row[1:] for row in ROWS], HEADER[1:])


def number_of_each_code() -> Book:
    return book_of([[number, *row[1:]] for number, row in enumerate(ROWS, 1)])


def merged() -> Book:
    book = book_of(ROWS)
    for column in "ABC":
        book.active.merge_cells(f"{column}3:{column}5")
        book.active.merge_cells(f"{column}6:{column}7")
    return book


def other_headers() -> Book:
    return book_of(ROWS, ["序 号", "注册名称", "限定性别（男/女）", "国家医保药品编码"])


def named_by_the_sheet() -> Book:
    book = book_of(ROWS, title=["某省清单"])
    book.active.title = "药品区分性别使用"
    return book


@pytest.mark.parametrize("laid_out", [without_number, number_of_each_code, merged, other_headers, named_by_the_sheet])
def test_a_list_is_the_same_however_it_is_laid_out(tmp_path: Path, laid_out: Callable[[], Book]) -> None:
    (workbook,) = read(saved(laid_out(), tmp_path))
    assert items(workbook) == EXPECTED
    assert [item.limits.sex for item in workbook.items] == ["男", "女"]


@pytest.mark.parametrize(
    ("name", "separator", "encoding"),
    [("第三批.csv", ",", "utf-16"), ("第三批.txt", "\t", "gb18030"), ("第三批.csv", ";", "utf-8-sig")],
)
def test_text_is_read_by_any_separator_and_encoding(tmp_path: Path, name: str, separator: str, encoding: str) -> None:
    path = tmp_path / name
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, delimiter=separator)
        writer.writerows([TITLE, HEADER, *([*row[:3], f"'{row[3]}"] for row in ROWS)])
    (workbook,) = read(path)
    assert items(workbook) == EXPECTED
    assert "引号" in workbook.repairs[0]


def test_each_sheet_of_items_is_a_list(tmp_path: Path) -> None:
    book = book_of(ROWS)
    other = book.create_sheet("药品限儿童使用")
    for row in (["序号", "药品通用名", "逻辑依据", "药品代码"], [1, "丙颗粒", "儿童", CODE.format(9)]):
        other.append(row)
    first, second = read(saved(book, tmp_path))
    assert (first.rule, items(first)) == ("药品区分性别使用", EXPECTED)
    assert (second.rule, items(second)) == ("药品限儿童使用", [("丙颗粒", (CODE.format(9),))])


def in_a_remark(mark: str) -> Book:
    return book_of([[*row, mark if row[0] == 1 else None] for row in ROWS], [*HEADER, "备注"])


def in_a_column(mark: str) -> Book:
    return book_of([[*row, mark if row[0] == 1 else "新增"] for row in ROWS], [*HEADER, "变更类型"])


def in_the_name(mark: str) -> Book:
    return book_of([[row[0], f"甲片（{mark}）" if row[0] == 1 else row[1], *row[2:]] for row in ROWS])


def struck_through(_: str) -> Book:
    book = book_of(ROWS)
    for row in book.active["A3:D5"]:
        for cell in row:
            cell.font = Font(strike=True)
    return book


@pytest.mark.parametrize("marked", [in_a_remark, in_a_column, in_the_name, struck_through])
@pytest.mark.parametrize("mark", ["删除", "已停用", "取消", "移出"])
def test_what_is_marked_as_removed_is_no_point(tmp_path: Path, marked: Callable[[str], Book], mark: str) -> None:
    (workbook,) = read(saved(marked(mark), tmp_path))
    assert items(workbook) == EXPECTED[1:]
    (removed,) = workbook.removed
    assert removed.item_name.startswith("甲片")
    assert removed.codes == EXPECTED[0][1]
    assert workbook.codes == 2


@pytest.mark.parametrize(
    ("book", "told"),
    [
        (in_a_remark("7月1日起停用"), "看不出这一项是留还是删"),
        (in_a_column("待定"), "看不出这一项是留还是删"),
        (book_of([*ROWS, [3, "丙片", "女", CODE.format(1)]]), f"{CODE.format(1)} 在第 3 行（甲片）也列出，限定不同"),
        (book_of([[*row[:3], row[3], "删除"] for row in ROWS], [*HEADER, "备注"]), "所有项目都有删除标记"),
    ],
)
def test_what_is_not_clear_stops_the_import(tmp_path: Path, book: Book, told: str) -> None:
    assert told in refusal(saved(book, tmp_path))


@pytest.mark.parametrize(
    "remark",
    [
        "暂不执行",
        "仅限三级医院",
        "2026年7月1日起执行",
        "不含复方",
        "限住院使用",
        "2026年7月1日起",
        "执行至2026年12月31日",
        "待核实",
    ],
)
def test_an_item_whose_remark_sets_a_condition_is_on_trial(tmp_path: Path, remark: str) -> None:
    (workbook,) = read(saved(in_a_remark(remark), tmp_path))
    assert [(item.item_name, item.status) for item in workbook.items] == [("甲片", "shadow"), ("乙丸", "active")]
    assert [(each.item_name, each.text) for each in workbook.conditions] == [("甲片", remark)]


def test_other_remarks_change_nothing(tmp_path: Path) -> None:
    (workbook,) = read(saved(in_a_remark("新增"), tmp_path))
    assert {item.status for item in workbook.items} == {"active"}
    assert workbook.conditions == ()


def test_an_item_of_which_some_rows_are_struck_through_stops_the_import(tmp_path: Path) -> None:
    book = book_of(ROWS)
    book.active["D4"].font = Font(strike=True)
    assert "只有一部分行画了删除线" in refusal(saved(book, tmp_path))


@pytest.mark.parametrize("last_row", [1_048_576, 99_999_999_999])
def test_a_merged_cell_that_reaches_beyond_the_rows_is_that_of_all_rows_below(tmp_path: Path, last_row: int) -> None:
    rows = [[*row[:2], "男" if place == 0 else None, row[3]] for place, row in enumerate(ROWS)]
    plain, path = saved(book_of(rows), tmp_path, "第二批.xlsx"), tmp_path / "第三批.xlsx"
    merge = f'<mergeCells count="1"><mergeCell ref="C3:C{last_row}"/></mergeCells>'
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"</sheetData>", f"</sheetData>{merge}".encode()))
    (workbook,) = read(path)
    assert [(item.item_name, item.limits.sex) for item in workbook.items] == [("甲片", "男"), ("乙丸", "男")]


def test_hidden_rows_are_read_and_told(tmp_path: Path) -> None:
    book = book_of(ROWS)
    book.active.row_dimensions[6].hidden = True
    (workbook,) = read(saved(book, tmp_path))
    assert items(workbook) == EXPECTED
    assert any("第 6 行是隐藏的行" in note for note in workbook.notes)


def test_a_hidden_sheet_is_read_and_told(tmp_path: Path) -> None:
    book = book_of(ROWS)
    book.create_sheet("药品限儿童使用")
    other = book["药品限儿童使用"]
    for row in (["序号", "药品通用名", "逻辑依据", "药品代码"], [1, "丙颗粒", "儿童", CODE.format(9)]):
        other.append(row)
    other.sheet_state = "hidden"
    first, second = read(saved(book, tmp_path))
    assert [any("隐藏的工作表" in note for note in each.notes) for each in (first, second)] == [False, True]


def imported(path: Path, out: Path, *words: str) -> int:
    return run(
        ["kb", "import", str(path), "--batch", "t-01", "--published", "2026-06-01", "--out", str(out), "--json", *words]
    )


def test_an_edition_that_limits_what_a_list_takes_back_ends_it_or_stops_the_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(saved(book_of(ROWS), tmp_path), tmp_path / "first") == 0
    later = saved(in_a_remark("删除"), tmp_path, "后来.xlsx")
    onto = ("--onto", str(tmp_path / "first"), "--batch", "t-02", "--published", "2026-07-01")
    capsys.readouterr()
    assert imported(later, tmp_path / "patched", *onto, "--mode", "patch") == 2
    assert "删除标记" in capsys.readouterr().err
    assert not (tmp_path / "patched").exists()
    assert imported(later, tmp_path / "replaced", *onto, "--mode", "replace") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["item_name"], each["mark"]) for each in told["removed"]] == [("甲片", "删除")]
    with (tmp_path / "replaced" / "sources" / "point.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert {row["item_name"]: row["valid_to"] for row in csv.DictReader(stream)}["甲片"] == "2026-07-01"


def two_header_rows() -> Book:
    book = book_of([], ["序号", "药品", None, "限定条件"])
    book.active.append([None, "通用名", "医保编码", "性别"])
    for number, name, sex, code in ROWS:
        book.active.append([number, name, code, sex])
    book.active.merge_cells("B2:C2")
    book.active.merge_cells("A2:A3")
    return book


def numbers_of_a_list() -> Book:
    return book_of([[f"{row[0]}、", *row[1:]] for row in ROWS])


def with_more_columns() -> Book:
    return book_of([[*row, "片剂", "某药厂"] for row in ROWS], [*HEADER, "剂型", "生产企业"])


@pytest.mark.parametrize(
    "laid_out",
    [two_header_rows, numbers_of_a_list, with_more_columns],
    ids=lambda each: each.__name__,
)
def test_a_list_of_another_hand_is_the_same(tmp_path: Path, laid_out: Callable[[], Book]) -> None:
    (workbook,) = read(saved(laid_out(), tmp_path))
    assert items(workbook) == EXPECTED
    assert [item.limits.sex for item in workbook.items] == ["男", "女"]


def test_numbers_that_begin_again_on_each_page_count_on(tmp_path: Path) -> None:
    rows = [*ROWS, [1, "丙片", "女", CODE.format(6)], [2, "丁片", "男", CODE.format(7)]]
    (workbook,) = read(saved(book_of(rows), tmp_path))
    assert items(workbook) == [*EXPECTED, ("丙片", (CODE.format(6),)), ("丁片", (CODE.format(7),))]
    assert [item.seq for item in workbook.items] == [1, 2, 3, 4]
    assert any("已重新编号" in note for note in workbook.notes)


def test_columns_that_are_not_read_are_named_and_what_may_be_a_limit_is_asked_for(tmp_path: Path) -> None:
    (workbook,) = read(saved(with_more_columns(), tmp_path))
    assert [note[:8] for note in workbook.notes if "没有读取" in note] == ["E 列“剂型”的", "F 列“生产企业"]
    told = refusal(saved(book_of([[*row, "二级"] for row in ROWS], [*HEADER, "限用医院"]), tmp_path))
    assert "E 列“限用医院”的表头不认识" in told
    assert "--column 限用医院=列" in told


def test_a_header_of_ones_own_is_said_with_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(book_of([[*row, "x"] for row in ROWS], ["序号", "药物", "男女", "本位码", "限用医院"]), tmp_path)
    columns = [
        word for pair in ("药物=name", "男女=性别", "本位码=code", "限用医院=skip") for word in ("--column", pair)
    ]
    assert imported(path, tmp_path / "kb", *columns) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(each["items"], each["codes"]) for each in document["files"]] == [(2, 5)]
    assert imported(path, tmp_path / "kb2", "--column", "本位码=cod") == 2
    assert "没有“cod”这一列；可写：skip、seq、name" in capsys.readouterr().err
    assert imported(saved(book_of(ROWS), tmp_path), tmp_path / "kb3", "--column", "本位吗=code") == 2
    assert "没有一张表有表头“本位吗”" in capsys.readouterr().err


def points_of(edition: Path) -> list[dict[str, str]]:
    with (edition / "sources" / "point.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_several_rules_places_and_days_of_one_sheet_are_lists_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = [*HEADER, "规则", "年龄", "统筹区", "生效日期"]
    sex, child = "药品区分性别使用", "药品限儿童使用"
    rows = [
        *([*row, sex, None, "全国", "2026-06-01"] for row in ROWS),
        [1, "丙颗粒", None, CODE.format(6), child, "儿童", "330000", "2026/9/1"],
        [2, "丁颗粒", None, CODE.format(7), child, "儿童", "330000", "2026/9/1"],
        [3, "戊颗粒", None, CODE.format(8), child, "儿童", "全国", "2026-06-01"],
    ]
    path = saved(book_of(rows, header, ["智能监管知识点"]), tmp_path)
    assert imported(path, tmp_path / "kb") == 2
    assert "--region-of" in capsys.readouterr().err
    assert imported(path, tmp_path / "kb", "--region-of", "insured") == 0
    document = json.loads(capsys.readouterr().out)
    assert [(each["rule"], each["items"], each["region"], each["begins"]) for each in document["files"]] == [
        (sex, 2, None, None),
        (child, 1, None, None),
        (child, 2, "33", "2026-09-01"),
    ]
    assert len(document["rules"]) == 3
    assert {(row["item_name"], row["region"], row["valid_from"]) for row in points_of(tmp_path / "kb")} == {
        ("甲片", "", "2026-06-01"),
        ("乙丸", "", "2026-06-01"),
        ("丙颗粒", "33", "2026-09-01"),
        ("丁颗粒", "33", "2026-09-01"),
        ("戊颗粒", "", "2026-06-01"),
    }


@pytest.mark.parametrize(
    ("header", "cell", "told"),
    [
        ("统筹区", "西湖区", "请写行政区划代码或写全地名"),
        ("统筹区", "吉林", "请写行政区划代码或写全地名"),
        ("生效日期", "下个月", "日期读不出"),
        ("生效日期", "2020-01-01", "早于公布日期 2026-06-01"),
        ("生效日期", "07/01/2026", "月和日分不清，请写 2026-07-01 或 2026-01-07"),
        ("失效日期", "明年", "日期读不出"),
        ("失效日期", "２/１２/2026 00:00", "月和日分不清，请写 2026-02-12 或 2026-12-02"),
        ("失效日期", "2026-06-01", "不晚于开始的 2026-06-01"),
    ],
)
def test_places_and_days_that_are_none_are_told_with_their_cell(
    tmp_path: Path, header: str, cell: str, told: str
) -> None:
    message = refusal(saved(book_of([[*row, cell] for row in ROWS], [*HEADER, header]), tmp_path))
    assert f"第 3 行“{header}”(E3): 读到 '{cell}'" in message
    assert told in message


@pytest.mark.parametrize(
    ("name", "code"), [("浙江", "33"), ("杭州市", "3301"), ("浙江省杭州市西湖区", "330106"), ("新疆生产建设兵团", "66")]
)
def test_a_place_may_be_written_by_its_name(tmp_path: Path, name: str, code: str) -> None:
    (workbook,) = read(saved(book_of([[*row, name] for row in ROWS], [*HEADER, "统筹区"]), tmp_path))
    assert workbook.region == code


@pytest.mark.parametrize(
    ("header", "until"), [("终止日期", "2027-01-01"), ("有效期至", "2027-01-01"), ("失效日期", "2026-12-31")]
)
def test_items_end_on_the_day_that_a_column_says(
    tmp_path: Path, header: str, until: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [[*row, "2026-12-31" if row[0] == 1 else "长期有效"] for row in ROWS]
    path = saved(book_of(rows, [*HEADER, header]), tmp_path)
    assert imported(path, tmp_path / "kb") == 0
    assert {row["item_name"]: row["valid_to"] for row in points_of(tmp_path / "kb")} == {"甲片": until, "乙丸": ""}
    assert f"“{header}”按" in json.loads(capsys.readouterr().out)["notes"][0]["text"]
    # The same list again says what the points say already; one without the end is followed by points without.
    again = ("--onto", str(tmp_path / "kb"), "--mode", "patch")
    assert imported(path, tmp_path / "again", *again) == 0
    assert points_of(tmp_path / "again") == points_of(tmp_path / "kb")
    open_end = saved(book_of(ROWS), tmp_path, "后来.xlsx")
    assert imported(open_end, tmp_path / "open", *again, "--batch", "t-02", "--published", "2026-07-01") == 0
    assert [
        (row["valid_from"], row["valid_to"]) for row in points_of(tmp_path / "open") if row["item_name"] == "甲片"
    ] == [
        ("2026-06-01", "2026-07-01"),
        ("2026-07-01", ""),
    ]


def test_what_is_removed_in_one_place_is_held_against_that_place_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = [*HEADER, "地区", "备注"]
    rows = [[*ROWS[0], "3301", None], [2, "甲片", "男", CODE.format(1), "3302", "删除"]]
    path = saved(book_of(rows, header), tmp_path)
    of_insured = ("--region-of", "insured")
    assert imported(path, tmp_path / "kb", *of_insured) == 0
    assert [(row["item_name"], row["region"]) for row in points_of(tmp_path / "kb")] == [("甲片", "3301")]
    before = saved(book_of([[*ROWS[0], "3302", None]], header), tmp_path, "此前.xlsx")
    assert imported(before, tmp_path / "before", *of_insured) == 0
    later = ("--onto", str(tmp_path / "before"), "--batch", "t-02", "--published", "2026-07-01", *of_insured)
    capsys.readouterr()
    assert imported(path, tmp_path / "patched", *later, "--mode", "patch") == 2
    assert "3302-drug-sex-t-01-0001" in capsys.readouterr().err
    assert imported(path, tmp_path / "replaced", *later, "--mode", "replace") == 0
    assert {row["region"]: row["valid_to"] for row in points_of(tmp_path / "replaced")} == {
        "3301": "",
        "3302": "2026-07-01",
    }


def with_a_cover(text: str) -> Book:
    book = book_of(ROWS)
    cover = book.create_sheet("封面", 0)
    for row in (["智能监管知识点清单"], ["编制单位", "某市医疗保障局"], [text]):
        cover.append(row)
    return book


def test_a_cover_is_not_read_and_told(tmp_path: Path) -> None:
    (workbook,) = read(saved(with_a_cover("2026年6月"), tmp_path))
    assert items(workbook) == EXPECTED
    assert any("“封面”没有表头和编码，没有读取" in note for note in workbook.notes)


def test_a_sheet_of_what_is_removed_is_no_cover(tmp_path: Path) -> None:
    book = book_of(ROWS)
    book.create_sheet("停用").append(["丁片"])
    assert "“停用”: 前 40 行里没有表头" in refusal(saved(book, tmp_path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("甲片", "“甲片”是清单里的项目"),
        ("仅限杭州市", "“仅限杭州市”没有一行读到它"),
        ("以下药品停用：丁片", "像是要删除的项目"),
        (CODE.format(1), "前 40 行里没有表头"),
    ],
)
def test_a_sheet_without_header_that_says_more_than_a_cover_stops_the_import(
    tmp_path: Path, text: str, told: str
) -> None:
    assert told in refusal(saved(with_a_cover(text), tmp_path))


FAMILY = CODE.format(1)[:14]


def test_a_family_that_is_listed_is_covered_as_one(tmp_path: Path) -> None:
    assert imported(saved(book_of([[1, "甲片", "男", FAMILY]]), tmp_path), tmp_path / "kb") == 0
    with (tmp_path / "kb" / "sources" / "pattern.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [(row["match"], row["code"]) for row in csv.DictReader(stream)] == [("family", FAMILY)]


def test_a_family_that_holds_another_item_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [[1, "甲片", "男", f"{FAMILY}*"], [2, "乙丸", "女", CODE.format(1)]]
    assert imported(saved(book_of(rows), tmp_path), tmp_path / "kb") == 2
    assert f"{FAMILY} 甲片；同段还有 乙丸" in capsys.readouterr().err
    assert not (tmp_path / "kb").exists()


def test_an_age_that_a_rule_of_sexes_does_not_look_at_is_told_and_on_trial(tmp_path: Path) -> None:
    rows = [[*row, "限18岁以上男性" if row[0] == 1 else "药品说明书"] for row in ROWS]
    (workbook,) = read(saved(book_of(rows, [*HEADER, "逻辑依据"]), tmp_path))
    assert [(item.item_name, item.status) for item in workbook.items] == [("甲片", "shadow"), ("乙丸", "active")]
    assert [each.text for each in workbook.conditions] == ["限18岁以上男性"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("002501040040000", "是服务项目或耗材的编码，而这条规则限定药品"),
        (CODE.format(1).replace("01", "O1", 1), f"应为 {CODE.format(1)}？"),
    ],
)
def test_a_code_is_held_against_its_kind_and_its_grammar(tmp_path: Path, code: str, told: str) -> None:
    assert told in refusal(saved(book_of([[1, "甲片", "男", code]]), tmp_path))


OLD = ROOT / "data" / "samples" / "own"
OF_THE_OLD = "老年人用药安全"


def test_words_and_ages_of_the_old_are_read_and_what_asks_for_care_is_a_notice(tmp_path: Path) -> None:
    header = ["序号", "药品通用名", "逻辑依据", "药品代码"]
    texts = ["老年人慎用", "65岁以上慎用", "75岁及以上禁用", "老年患者不宜使用。"]
    rows = [[number, f"药{number}", text, CODE.format(number)] for number, text in enumerate(texts, 1)]
    path = saved(book_of(rows, header, [f"“{OF_THE_OLD}”规则对应知识点明细"]), tmp_path)
    assert imported(path, tmp_path / "kb", "--rules", str(OLD)) == 0
    with (tmp_path / "kb" / "sources" / "item.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [(row["age_word"], row["age_min"], row["age_max"]) for row in csv.DictReader(stream)] == [
            ("老年人", "", ""),
            ("", "", "65"),
            ("", "", "75"),
            ("老年人", "", ""),
        ]
    assert [row["level_cap"] for row in points_of(tmp_path / "kb")] == ["notice", "notice", "", ""]


@pytest.mark.parametrize("header", ["年龄限制", "逻辑依据"])
@pytest.mark.parametrize("cell", ["65岁以上", "≥65岁", "65岁以上患者"])
def test_an_age_alone_in_a_list_of_warnings_is_asked_about(
    tmp_path: Path, header: str, cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    title = [f"“{OF_THE_OLD}”规则对应知识点明细"]
    rows = [[1, "甲片", cell, CODE.format(1)], [2, "乙片", "限65岁以上使用", CODE.format(2)]]
    path = saved(book_of(rows, ["序号", "药品通用名", header, "药品代码"], title), tmp_path)
    assert imported(path, tmp_path / "kb", "--rules", str(OLD)) == 2
    told = capsys.readouterr().err
    assert "有 1 处年龄范围读不懂" in told
    assert f"甲片：{cell}（同表列的是慎用、禁用的人群" in told


def test_a_text_that_names_newborns_alone_is_narrower_than_its_list(tmp_path: Path) -> None:
    header, title = ["序号", "药品通用名", "逻辑依据", "药品代码"], ["“药品儿童专用”规则对应知识点明细"]
    texts = ["限新生儿", "限婴幼儿使用", "药品说明书", "儿童"]
    rows = [[number, f"药{number}", text, CODE.format(number)] for number, text in enumerate(texts, 1)]
    (workbook,) = read(saved(book_of(rows, header, title), tmp_path))
    assert [item.limits.age_word for item in workbook.items] == ["新生儿", "婴幼儿", "儿童", "儿童"]
    (workbook,) = read(
        saved(book_of([[1, "甲片", "限新生儿、婴儿", CODE.format(1)]], header, title), tmp_path, "另.xlsx")
    )
    assert [window.bounds for window in workbook.windows] == [None]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("药品限医疗机构级别", "不限二级及以上医疗机构"),
        ("药品限医疗机构级别", "二级及以上医疗机构或定点药店"),
        ("药品限医疗机构级别", "限二级及以上医疗机构，急诊抢救除外"),
        ("药品限医疗机构级别", "建议二级及以上医疗机构使用"),
        ("药品限就医方式", "限住院，村卫生室也可"),
        ("药品限工伤保险", "不限工伤保险"),
        ("药品限支付疗程", "每年支付不超过30天"),
        ("药品限支付疗程", "支付不超过14天/年"),
        ("药品限支付疗程", "一个医保年度内支付不超过90天"),
    ],
)
def test_a_text_that_says_more_or_less_than_a_limit_is_asked_about(tmp_path: Path, rule: str, text: str) -> None:
    header, title = ["序号", "药品通用名", "逻辑依据", "药品代码"], [f"“{rule}”规则对应知识点明细"]
    told = refusal(saved(book_of([[1, "甲片", text, CODE.format(1)]], header, title), tmp_path))
    assert f"读到 '{text}'；读不出" in told


def test_a_remark_that_lets_others_pass_puts_an_item_on_trial(tmp_path: Path) -> None:
    header, title = ["序号", "药品通用名", "逻辑依据", "备注", "药品代码"], ["“药品限就医方式”规则对应知识点明细"]
    rows = [[1, "甲片", "限住院", "急诊也可", CODE.format(1)], [2, "乙片", "限住院", "2025年目录", CODE.format(2)]]
    (workbook,) = read(saved(book_of(rows, header, title), tmp_path))
    assert [item.status for item in workbook.items] == ["shadow", "active"]


@pytest.mark.parametrize("text", ["3岁以下慎用", "65岁以上禁用"])
def test_what_a_list_for_children_says_of_others_is_not_taken_for_its_limit(tmp_path: Path, text: str) -> None:
    header = ["序号", "药品通用名", "逻辑依据", "药品代码"]
    title = ["“药品限儿童使用”规则对应知识点明细"]
    (workbook,) = read(saved(book_of([[1, "甲片", text, CODE.format(1)]], header, title), tmp_path))
    assert [window.bounds for window in workbook.windows] == [None]


@pytest.mark.parametrize(
    ("header", "title", "rows", "told"),
    [
        (
            [*HEADER, "统筹区"],
            TITLE,
            [[*row, "3301" if row[0] == 1 else None] for row in ROWS],
            "有的项目写了地区、有的没写",
        ),
        (
            [*HEADER, "生效日期"],
            TITLE,
            [[*row, "2026-09-01" if row[0] == 1 else None] for row in ROWS],
            "有的项目写了日期、有的没写",
        ),
        (
            [*HEADER, "备注"],
            TITLE,
            [[*row, "删除" if number == 1 else None] for number, row in enumerate(ROWS)],
            "只有一部分行有删除标记",
        ),
        (HEADER, TITLE, [*ROWS[:3], ["二、以下药品已停用"], *ROWS[3:]], "下面还有项目"),
        (HEADER, ["“药品区分性别使用”规则对应知识点明细（仅限杭州市）"], ROWS, "表头上面写着"),
        ([*HEADER, "是否启用"], TITLE, [[*row, "否"] for row in ROWS], "“是否启用”的表头不认识"),
    ],
)
def test_what_says_more_than_a_row_is_asked_about(
    tmp_path: Path, header: Rows, title: Rows, rows: Rows, told: str
) -> None:
    assert told in refusal(saved(book_of(rows, header, title), tmp_path))


@pytest.mark.parametrize("name", ["甲片-停用", "甲片（已删）", "甲片已删除", "甲片（2026年停用）", "停用：甲片"])
def test_a_mark_of_removal_is_seen_wherever_a_name_has_it(tmp_path: Path, name: str) -> None:
    rows = [[row[0], name if row[0] == 1 else row[1], *row[2:]] for row in ROWS]
    (workbook,) = read(saved(book_of(rows), tmp_path))
    assert items(workbook) == EXPECTED[1:]


@pytest.mark.parametrize("cell", ["2-15", "<6", "学龄前儿童", "体重>15kg"])
def test_an_age_that_is_not_understood_in_a_column_of_ages_is_asked_about(tmp_path: Path, cell: str) -> None:
    header = ["序号", "药品通用名", "年龄（岁）", "药品代码"]
    title = ["“药品限儿童使用”规则对应知识点明细"]
    (workbook,) = read(saved(book_of([[1, "甲片", cell, CODE.format(1)]], header, title), tmp_path))
    assert [(window.text, window.bounds) for window in workbook.windows] == [(cell, None)]


def test_a_list_may_begin_on_trial(tmp_path: Path) -> None:
    assert imported(saved(book_of(ROWS), tmp_path), tmp_path / "kb", "--status", "shadow") == 0
    assert {row["status"] for row in points_of(tmp_path / "kb")} == {"shadow"}


def test_a_remark_that_speaks_of_ending_a_pregnancy_is_no_removal(tmp_path: Path) -> None:
    (workbook,) = read(saved(in_a_remark("用于终止妊娠"), tmp_path))
    assert (items(workbook), workbook.removed) == (EXPECTED, ())


def test_the_text_of_an_indication_that_a_point_has_is_read_as_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header, title = ["序号", "药品通用名", "逻辑依据", "药品代码"], ["“药品限适应症”规则对应知识点明细"]
    rows = [
        [1, "甲片", "限绝经后女性骨质疏松症。", CODE.format(1)],
        [2, "乙片", "限某种没有人写过的病。", CODE.format(2)],
    ]
    assert imported(saved(book_of(rows[:1], header, title), tmp_path), tmp_path / "kb") == 0
    assert "相同，照用它的诊断" in json.loads(capsys.readouterr().out)["notes"][0]["text"]
    with (tmp_path / "kb" / "sources" / "evidence.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["indications"] for row in csv.DictReader(stream)] == ["M80|M81"]
    assert imported(saved(book_of(rows, header, title), tmp_path, "另.xlsx"), tmp_path / "kb2") == 2
    told = capsys.readouterr().err
    assert "有 1 处适应症里没有已知的用语" in told
    assert "--terms FILE" in told


def entries() -> list[dict[str, Any]]:
    if not LAYOUTS.is_dir():
        return []
    listed: list[dict[str, Any]] = json.loads((LAYOUTS / "manifest.json").read_text(encoding="utf-8"))
    return listed


@pytest.mark.skipif(not LAYOUTS.is_dir(), reason="the layouts of other hands are not beside the checkout")
@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry["file"])
def test_sheets_of_other_hands(tmp_path: Path, entry: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    repair = ["--repair"] if entry.get("repair") else []
    rules = ["--rules", str(OLD)] if entry["rule"] == OF_THE_OLD else []
    code = imported(LAYOUTS / entry["file"], tmp_path / "kb", "--batch", entry["batch_arg"], *repair, *rules)
    told = capsys.readouterr()
    if entry.get("must_refuse"):
        assert (code, (tmp_path / "kb").exists()) == (2, False)
        return
    assert code == 0, told.err
    tables = [
        (tmp_path / "kb/sources" / f"{table}.csv").read_text(encoding="utf-8-sig") for table in ("point", "pattern")
    ]
    points, patterns = (sum(1 for _ in csv.DictReader(table.splitlines())) for table in tables)
    assert (points, patterns) == (entry["expect_items"], entry["expect_codes"])
    document = json.loads(told.out)
    assert len(document["removed"]) >= entry.get("removed", 0)
    if entry.get("warn"):
        assert document["removed"] or document["notes"] or document["conditions"]
