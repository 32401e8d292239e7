"""Sheets of other hands in which a condition, a removal or another limit stands where no column says so: read, put on trial or asked about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook as Book
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment

from tests.knowledge.test_layouts import (
    EXPECTED,
    HEADER,
    OF_THE_OLD,
    OLD,
    ROWS,
    TITLE,
    Rows,
    book_of,
    imported,
    items,
    saved,
)
from tests.knowledge.workbooks import CODE, read, refusal

CHILDREN = ["“药品限儿童使用”规则对应知识点明细"]
CHILD_HEADER = ["序号", "药品通用名", "逻辑依据", "药品代码"]


def remarked(remark: str) -> Book:
    return book_of([[*row, remark if row[0] == 1 else None] for row in ROWS], [*HEADER, "备注"])


@pytest.mark.parametrize(
    "remark",
    ["需审批", "男女均可", "女性可用", "不限性别", "未执行", "待上级明确", "存疑", "停产", "注销", "DEL", "×", "否", "仅门诊", "孕妇慎用", "目录内暂不执行",
     "见第3项", "二级以上"],
)  # fmt: skip
def test_a_remark_that_is_not_known_to_be_harmless_puts_its_item_on_trial(tmp_path: Path, remark: str) -> None:
    (workbook,) = read(saved(remarked(remark), tmp_path))
    assert [(item.item_name, item.status) for item in workbook.items] == [("甲片", "shadow"), ("乙丸", "active")]
    assert [each.text for each in workbook.conditions] == [remark]


@pytest.mark.parametrize(
    "remark",
    [
        "新增",
        "调整",
        "药品说明书",
        "2025年目录；乙类",
        "浙医保发〔2025〕12号",
        "口服常释剂型",
        "10mg*7片",
        "已核对",
        "某某制药有限公司",
        "妇科用药",
    ],
)
def test_a_remark_that_sets_no_condition_changes_nothing(tmp_path: Path, remark: str) -> None:
    (workbook,) = read(saved(remarked(remark), tmp_path))
    assert {item.status for item in workbook.items} == {"active"}
    assert workbook.conditions == ()


@pytest.mark.parametrize("text", ["孕妇", "哺乳期妇女", "早产儿", "体重10kg以上", "新生儿除外", "老年人", "12"])
def test_a_text_that_is_neither_read_nor_a_source_puts_its_item_on_trial(tmp_path: Path, text: str) -> None:
    rows = [[1, "甲片", text, CODE.format(1)], [2, "乙片", "药品说明书适应症", CODE.format(2)]]
    (workbook,) = read(saved(book_of(rows, CHILD_HEADER, CHILDREN), tmp_path))
    assert [item.status for item in workbook.items] == ["shadow", "active"]
    assert [each.text for each in workbook.conditions] == [text]


@pytest.mark.parametrize("text", ["孕妇慎用", "妊娠期禁用"])
def test_what_no_fact_answers_is_told_as_such(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    title = [f"“{OF_THE_OLD}”规则对应知识点明细"]
    path = saved(book_of([[1, "甲片", text, CODE.format(1)]], CHILD_HEADER, title), tmp_path)
    assert imported(path, tmp_path / "kb", "--rules", str(OLD)) == 2
    assert f"读到 '{text}'；处方和结算里没有谁怀孕、哺乳的数据" in capsys.readouterr().err


def test_an_age_of_grown_ups_in_a_list_for_children_is_asked_about(tmp_path: Path) -> None:
    rows = [[1, "甲片", "65岁以上", CODE.format(1)], [2, "乙片", "2岁以上", CODE.format(2)]]
    (workbook,) = read(saved(book_of(rows, CHILD_HEADER, CHILDREN), tmp_path))
    assert [window.bounds is None for window in workbook.windows] == [True, False]


@pytest.mark.parametrize("name", ["甲片 停用", "甲片*删除*", "甲片（下架）", "甲片（2026年7月1日起停用）"])
def test_a_name_that_speaks_of_removal_and_of_more_is_asked_about(tmp_path: Path, name: str) -> None:
    rows = [[row[0], name if row[0] == 1 else row[1], *row[2:]] for row in ROWS]
    assert "看不出这一项是留还是删" in refusal(saved(book_of(rows), tmp_path))


@pytest.mark.parametrize("name", ["甲片（暂不执行）", "甲片（仅限住院）", "甲片（限三级医院）"])
def test_a_condition_in_a_name_puts_its_item_on_trial(tmp_path: Path, name: str) -> None:
    rows = [[row[0], name if row[0] == 1 else row[1], *row[2:]] for row in ROWS]
    (workbook,) = read(saved(book_of(rows), tmp_path))
    assert [item.status for item in workbook.items] == ["shadow", "active"]


def struck_run(cell: str, *texts: tuple[str, bool]) -> Callable[[Book], None]:
    def edit(book: Book) -> None:
        parts = [TextBlock(InlineFont(strike=struck), text) for text, struck in texts]
        book.active[cell] = CellRichText(*parts)

    return edit


def commented(text: str) -> Callable[[Book], None]:
    def edit(book: Book) -> None:
        book.active["B3"].comment = Comment(text, "张三")

    return edit


def edited(edit: Callable[[Book], None], rows: Rows = ROWS) -> Book:
    book = book_of(rows)
    edit(book)
    return book


def test_a_line_through_the_text_alone_is_seen(tmp_path: Path) -> None:
    rows = [[1, "甲片", "男", CODE.format(1)], [2, "乙丸", "女", CODE.format(4)]]
    (workbook,) = read(saved(edited(struck_run("B3", ("甲片", True)), rows), tmp_path))
    assert ([item.item_name for item in workbook.items], workbook.removed[0].mark) == (["乙丸"], "删除线")
    part = struck_run("D3", (f"{CODE.format(1)}、", True), (CODE.format(2), False))
    assert "D3: 只有一部分文字画了删除线" in refusal(saved(edited(part, rows), tmp_path))


def test_comments_are_told_and_those_that_set_a_condition_are_asked_about(tmp_path: Path) -> None:
    (workbook,) = read(saved(edited(commented("请核对名称")), tmp_path))
    assert any("B3 的批注没有读取" in note and "请核对名称" in note for note in workbook.notes)
    assert "B3: 批注写着“此项停用”" in refusal(saved(edited(commented("此项停用")), tmp_path))


@pytest.mark.parametrize(
    ("header", "rows", "title", "told"),
    [
        ([*HEADER, "标志"], [[*row, "删除" if row[0] == 1 else None] for row in ROWS], TITLE, "“标志”的表头不认识"),
        ([*HEADER, "类型"], [[*row, "限18岁以上"] for row in ROWS], TITLE, "“类型”的表头不认识"),
        ([*HEADER[:2], "限定性别（不得使用）", HEADER[3]], ROWS, TITLE, "“限定性别(不得使用)”的表头不认识"),
        (
            HEADER,
            [["一、限女性"], *ROWS[:3], ["二、限男性"], *ROWS[3:]],
            TITLE,
            "第 3 行: 这一行（一、限女性）下面还有项目",
        ),
        (HEADER, [*ROWS[:3], ["二、限三级医院使用"], *ROWS[3:]], TITLE, "下面还有项目"),
        (HEADER, [*ROWS[:3], ["“药品限儿童使用”规则对应知识点明细"], *ROWS[3:]], TITLE, "说的是另一条规则"),
        (HEADER, ROWS, ["“药品区分性别使用”规则对应知识点明细（18岁以上）"], "表头上面写着"),
        (HEADER, [[1, "甲片", "男", "C0101010010000100001"]], TITLE, "是服务项目或耗材的编码"),
    ],
)
def test_what_says_more_than_its_column_is_asked_about(
    tmp_path: Path, header: Sequence[object], rows: Rows, title: Sequence[object], told: str
) -> None:
    assert told in refusal(saved(book_of(rows, header, title), tmp_path))


def test_what_stands_below_a_group_of_limits_may_be_one(tmp_path: Path) -> None:
    book = book_of([], ["序号", "药品", None, "限制条件", None])
    book.active.append([None, "通用名", "医保编码", "性别", "其他"])
    for number, name, sex, code in ROWS:
        book.active.append([number, name, code, sex, "住院"])
    assert "“限制条件其他”的表头不认识" in refusal(saved(book, tmp_path))


SIGNED = [["填表人：张三", None, "审核人：李四"], ["联系电话：0571-1234567"]]


@pytest.mark.parametrize(
    "rows",
    [
        [*ROWS[:3], HEADER, *ROWS[3:]],
        [*ROWS[:3], TITLE, HEADER, *ROWS[3:]],
        [["一、限男性"], *ROWS[:3], ["二、限女性"], *ROWS[3:]],
        [*ROWS[:3], ["小计", None, None, 3], *ROWS[3:], ["小计", None, None, 2], ["合计", None, None, 5]],
        [*ROWS, *SIGNED],
        [*ROWS, [None, "制表人：张三"]],
        [[f"（{row[0]}）", *row[1:]] for row in ROWS],
        [[f"第{row[0]}号", *row[1:]] for row in ROWS],
        [["一二"[int(str(row[0])) - 1], *row[1:]] for row in ROWS],
    ],
    ids=[
        "header again",
        "title again",
        "headings",
        "subtotals",
        "signatures",
        "signature in the name",
        "1",
        "no. 1",
        "figures",
    ],
)
def test_pages_headings_and_signatures_leave_the_list_as_it_is(tmp_path: Path, rows: Rows) -> None:
    (workbook,) = read(saved(book_of(rows), tmp_path))
    assert items(workbook) == EXPECTED
    assert [item.limits.sex for item in workbook.items] == ["男", "女"]


@pytest.mark.parametrize(
    "cell", ["{0}+{1}", "{0}和{1}", "{0}。{1}", "1.{0}\n2.{1}", "①{0}②{1}", "1、{0}；2、{1}", "（1）{0} （2）{1}"]
)
def test_codes_of_one_cell_may_be_parted_and_numbered_in_any_way(tmp_path: Path, cell: str) -> None:
    codes = CODE.format(1), CODE.format(2)
    (workbook,) = read(saved(book_of([[1, "甲片", "男", cell.format(*codes)]]), tmp_path))
    assert items(workbook) == [("甲片", codes)]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "第三批.csv"
    lines = "\r\n".join("\t".join(map(str, row)) for row in (TITLE, HEADER, *ROWS))
    path.write_bytes(lines.encode(encoding))
    (workbook,) = read(path)
    assert items(workbook) == EXPECTED
