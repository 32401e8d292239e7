"""Workbooks of the old format (.xls): what is struck through, merged, hidden, commented or a formula is seen in them as in .xlsx."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
import xlwt

from checker.ingest import child
from checker.knowledge.sheets.old_looks import survey_old
from tests.knowledge.test_layouts import EXPECTED, HEADER, ROWS, TITLE, Rows, items
from tests.knowledge.workbooks import CODE, read, refusal

STRUCK = xlwt.easyxf("font: struck_out true")
LINE, NONE = STRUCK.font, xlwt.Font()
UNSEEN = "读不出来"
Edit = Callable[[xlwt.Workbook, xlwt.Worksheet], object]


def old(folder: Path, rows: Rows = ROWS, *, struck: Collection[int] = (), edit: Edit | None = None) -> Path:
    """One sheet as .xls: the title in row 1, the header in row 2; rows that are struck through are named as people count."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("明细", cell_overwrite_ok=True)
    for place, row in enumerate((TITLE, HEADER, *rows)):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(place, column, value, STRUCK if place + 1 in struck else xlwt.Style.default_style)
    if edit is not None:
        edit(book, sheet)
    path = folder / "第三批.xls"
    book.save(str(path))
    return path


def record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def comment(sheet: xlwt.Worksheet, row: int, column: int, text: str, behind: bytes = b"\0") -> None:
    """Pin a comment to a cell, both counted from 0; the library that writes the workbook knows none."""
    author, wide = "张三".encode("utf-16-le"), text.encode("utf-16-le")
    box = record(0x5D, struct.pack("<5H", 0x15, 18, 0x19, 1, 0x4011) + bytes(12) + bytes(4))
    said = record(0x1B6, struct.pack("<HH6sHHI", 0x0212, 0, bytes(6), len(text), 16, 0))
    said += record(0x3C, b"\1" + wide) + record(0x3C, struct.pack("<HHIHHI", 0, 0, 0, len(text), 0, 0))
    pinned = record(0x1C, struct.pack("<4H", row, column, 0, 1) + struct.pack("<HB", 2, 1) + author + behind)
    written = sheet.get_biff_data
    end = 4
    sheet.get_biff_data = lambda: written()[:-end] + box + said + pinned + written()[-end:]


def test_a_row_that_is_struck_through_is_no_point(tmp_path: Path) -> None:
    (workbook,) = read(old(tmp_path, struck=(3, 4, 5)))
    assert items(workbook) == EXPECTED[1:]
    assert [(each.item_name, each.mark, each.codes) for each in workbook.removed] == [
        ("甲片", "删除线", EXPECTED[0][1])
    ]
    assert not any(UNSEEN in note for note in workbook.notes)
    assert "只有一部分行画了删除线" in refusal(old(tmp_path, struck=(4,)))


def test_a_text_of_which_a_part_is_struck_through_is_refused(tmp_path: Path) -> None:
    rows = [[1, "甲片", "男", CODE.format(1)], [2, "乙丸", "女", CODE.format(4)]]

    def written(*parts: tuple[str, xlwt.Font] | str, style: xlwt.XFStyle = xlwt.Style.default_style) -> Edit:
        return lambda _, sheet: sheet.write_rich_text(2, 3, parts, style)

    def of(edit: Edit) -> Path:
        return old(tmp_path, rows, edit=edit)

    partly = "“明细” D3: 只有一部分文字画了删除线"
    assert partly in refusal(of(written((f"{CODE.format(1)}、", LINE), (CODE.format(2), NONE))))
    # What stands before the first run looks as the cell does.
    assert partly in refusal(of(written(f"{CODE.format(1)}、", (CODE.format(2), LINE))))
    assert partly in refusal(of(written(f"{CODE.format(1)}、", (CODE.format(2), NONE), style=STRUCK)))
    (workbook,) = read(of(written(" ", (CODE.format(1), LINE))))
    assert [item.item_name for item in workbook.items] == ["乙丸"]


def test_cells_merged_over_the_rows_of_an_item_hold_for_all_of_them(tmp_path: Path) -> None:
    def merge(_: xlwt.Workbook, sheet: xlwt.Worksheet) -> None:
        for column in range(3):
            for first, last in ((2, 4), (5, 6)):
                sheet.write_merge(first, last, column, column, ROWS[first - 2][column])

    def merge_codes(_: xlwt.Workbook, sheet: xlwt.Worksheet) -> None:
        sheet.write_merge(5, 6, 3, 3, CODE.format(4))

    bare = [[None, None, None, row[3]] for row in ROWS]
    (workbook,) = read(old(tmp_path, bare, edit=merge))
    assert items(workbook) == EXPECTED
    assert "“明细” D6:D7: 是合并单元格" in refusal(old(tmp_path, edit=merge_codes))


def test_hidden_rows_and_sheets_are_read_and_told(tmp_path: Path) -> None:
    def hide(book: xlwt.Workbook, sheet: xlwt.Worksheet) -> None:
        sheet.row(5).hidden = True
        other = book.add_sheet("药品限儿童使用")
        for place, row in enumerate(
            (["序号", "药品通用名", "逻辑依据", "药品代码"], [1, "丙颗粒", "儿童", CODE.format(9)])
        ):
            for column, value in enumerate(row):
                other.write(place, column, value)
        other.visibility = 1

    first, second = read(old(tmp_path, edit=hide))
    assert items(first) == EXPECTED
    assert any("第 6 行是隐藏的行" in note for note in first.notes)
    assert [any("隐藏的工作表" in note for note in each.notes) for each in (first, second)] == [False, True]


def test_comments_are_told_and_those_that_set_a_condition_refused(tmp_path: Path) -> None:
    (workbook,) = read(old(tmp_path, edit=lambda _, sheet: comment(sheet, 2, 1, "已核对")))
    assert any("“明细” B3 的批注没有读取：已核对" in note for note in workbook.notes)
    said = refusal(old(tmp_path, edit=lambda _, sheet: comment(sheet, 2, 1, "7月1日起停用")))
    assert "“明细” B3: 批注写着“7月1日起停用”" in said


def test_formulas_and_error_values_are_refused(tmp_path: Path) -> None:
    def formula(_: xlwt.Workbook, sheet: xlwt.Worksheet) -> None:
        sheet.write(3, 2, xlwt.Formula("C3"))

    def error(_: xlwt.Workbook, sheet: xlwt.Worksheet) -> None:
        sheet.row(3).set_cell_error(2, 0x2A)

    assert "“明细” C4: 是公式" in refusal(old(tmp_path, edit=formula))
    assert "“明细” C4: 是错误值" in refusal(old(tmp_path, edit=error))


def test_a_workbook_whose_cells_alone_can_be_read_says_so(tmp_path: Path) -> None:
    def longer(_: xlwt.Workbook, sheet: xlwt.Worksheet) -> None:
        comment(sheet, 2, 1, "已核对", behind=bytes(8))

    (workbook,) = read(old(tmp_path, edit=longer))
    assert items(workbook) == EXPECTED
    assert [UNSEEN in note for note in workbook.notes] == [True]


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    path = old(tmp_path)
    path.write_bytes(path.read_bytes()[:1024])
    assert "第三批.xls: 文件不完整或已损坏" in refusal(path)
    with pytest.raises(ValueError, match="xlrd"):
        survey_old(path, tmp_path / "looks.json")


def test_a_survey_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old(tmp_path)
    monkeypatch.setattr(child, "SECONDS", 0.001)
    with pytest.raises(ValueError, match="timed out"):
        survey_old(path, tmp_path / "looks.json")
