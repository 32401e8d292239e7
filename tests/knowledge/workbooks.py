"""Writes small workbooks in the shape in which the insurer publishes its knowledge points, to be spoilt one cell at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook as Book

from checker.knowledge.resolve import open_plan
from checker.knowledge.sheets.known_rules import known_rules
from checker.knowledge.sheets.read import Workbook, read_workbooks
from checker.model.errors import KnowledgeError

RULES = known_rules(open_plan(()))
DAY = date(2026, 6, 1)
POINTS, CODES = "知识点", "知识点对应药品代码"
FOOTNOTE = "说明：试写的脚注。"
CODE = "XA01AAA{:03d}A001010100001"
"""A code of national shape that means nothing."""

Edit = Callable[[Book], object]


def drug_sex(edit: Edit | None = None) -> Book:
    """Two drugs: 甲片 in row 5 with the codes of rows 5–6, 乙丸 in row 6 with those of rows 7–9; 合计 in row 7, a footnote in row 8."""
    book = Book()
    points, codes = book.active, book.create_sheet(CODES)
    points.title = POINTS
    _write(points, 2, ["“药品区分性别使用”规则对应知识点明细"])
    _write(points, 4, ["序号", "药品通用名", "限定性别", "检出逻辑", "逻辑依据", "知识点对应药品代码数量", "备注"])
    _write(points, 5, [1, "甲片", "男", "与限定性别不符", "药品说明书适应症", 2])
    _write(points, 6, [2, "乙丸", "女", "与限定性别不符", "药品说明书适应症", 3])
    _write(points, 7, ["合计", None, None, None, None, 5])
    _write(points, 8, [FOOTNOTE])
    points.merge_cells("A2:G2")
    _write(codes, 2, ["“药品区分性别使用”知识点对应药品代码"])
    _write(codes, 4, ["对应知识点序号", "药品通用名", "药品代码"])
    for row, start in ((5, [1, "甲片"]), (6, [None, None]), (7, [2, "乙丸"]), (8, [None, None]), (9, [None, None])):
        _write(codes, row, [*start, CODE.format(row)])
    codes.merge_cells("A2:C2")
    if edit is not None:
        edit(book)
    return book


def services(
    edit: Edit | None = None,
    *,
    rule: str = "医疗服务项目儿童专用",
    basis: Sequence[str] = ("儿童专用项目", "新生儿专用项目"),
) -> Book:
    """Two services with their codes in column E of rows 5 and 6; 合计 in row 7."""
    book = Book()
    points = book.active
    points.title = POINTS
    _write(points, 2, [f"“{rule}”规则对应知识点明细"])
    _write(points, 4, ["序号", "医疗服务项目名称", "检出逻辑", "逻辑依据", "项目代码", "备注"])
    for index, words in enumerate(basis):
        code = f"00250104{index + 4:03d}0000"
        _write(points, 5 + index, [index + 1, f"项目{index + 1}", "参保人年龄超出儿童年龄限制", words, code])
    _write(points, 5 + len(basis), ["合计", None, None, None, len(basis)])
    if edit is not None:
        edit(book)
    return book


def saved(book: Book, folder: Path, name: str = "第三批.xlsx") -> Path:
    """The workbook as a file."""
    path = folder / name
    book.save(path)
    return path


def read(*paths: Path, batch: str | None = "03", repair: bool = False) -> tuple[Workbook, ...]:
    """The workbooks, read as a notice of DAY."""
    return read_workbooks(paths, batch=batch, published=DAY, rules=RULES, repair=repair)


def refusal(*paths: Path, batch: str | None = "03", repair: bool = False) -> str:
    """What is said when the workbooks are refused; they must be."""
    with pytest.raises(KnowledgeError) as caught:
        read(*paths, batch=batch, repair=repair)
    return str(caught.value)


def _write(sheet: object, row: int, values: Sequence[object]) -> None:
    for column, value in enumerate(values, 1):
        if value is not None:
            sheet.cell(row, column, value)  # type: ignore[attr-defined]
