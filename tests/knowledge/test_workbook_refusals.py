"""Workbooks that are refused: each fault names file, sheet, row and column, what was found and what to do, and nothing is read."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook as Book

from checker.knowledge.sheets import workbook as opening
from checker.knowledge.sheets import xlsx_parts
from checker.knowledge.sheets.read import read_workbooks
from checker.model.errors import KnowledgeError
from tests.knowledge.workbooks import CODE, CODES, DAY, POINTS, RULES, Edit, drug_sex, read, refusal, saved, services

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _bytes(book: Book) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _zip(**parts: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return stream.getvalue()


def _replaced(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The archive with one of its parts changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info.filename, change(content) if info.filename == part else content)
    return stream.getvalue()


_SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("锁.xlsx", lambda: _OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "有打开密码"),
        ("旧.xls", lambda: _OLE + b"\0" * 600 + "Workbook".encode("utf-16-le"), "已损坏"),
        ("半.xlsx", lambda: _bytes(drug_sex())[:4000], "不完整或已损坏"),
        ("坏.xlsx", lambda: _replaced(_bytes(drug_sex()), _SHEET, lambda xml: xml[:900]), "不完整或已损坏"),
        (
            "语.xlsx",
            lambda: _replaced(
                _bytes(drug_sex()), _SHEET, lambda xml: b'<?xml version="1.0" encoding="X-9"?>' + xml[xml.index(b"<worksheet") :]
            ),
            "不完整或已损坏",
        ),
        ("网.xls", lambda: "\n<html><table><tr><td>序号</td></tr></table></html>".encode(), "网页"),
        ("网.xlsx", lambda: "<!DOCTYPE html><body>请登录</body>".encode(), "网页"),
        ("图.xlsx", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "不是 Excel 工作簿"),
        ("文.xlsx", lambda: "序号,药品名称".encode(), "不是 Excel 工作簿"),
        ("信.xlsx", lambda: _zip(**{"word/document.xml": "<a/>"}), "不是 Excel 工作簿"),
        ("二.xlsx", lambda: _zip(**{"xl/workbook.bin": ""}), "xlsb"),
        ("零.xlsx", lambda: b"", "空文件"),
        ("空.xlsx", lambda: _bytes(Book()), "是空的"),
        (
            "弹.xlsx",
            lambda: _replaced(_bytes(drug_sex()), _SHEET, lambda xml: xml.replace(b"<worksheet", b"<!DOCTYPE a><worksheet", 1)),
            "DOCTYPE",
        ),
        ("宽.csv", lambda: "序号,药品名称,药品代码".encode("utf-16"), "下面没有数据"),
        ("引.csv", lambda: '序号,药品名称,药品代码\n1,"甲'.encode(), "第 2 行不是合格的 CSV"),
        ("码.csv", lambda: "序号,".encode() + b"\xff\xff\n", "第 7 字节既不是 UTF-8 也不是 GB18030"),
        ("列.csv", lambda: b"a,b\n1,2\n", "没有表头"),
        ("头.csv", lambda: "“药品儿童专用”规则\n序号,药品名称,药品代码\n".encode(), "第 2 行的表头下面没有数据"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_published_workbook(
    tmp_path: Path, name: str, content: Callable[[], bytes], said: str
) -> None:
    (tmp_path / name).write_bytes(content())
    message = refusal(tmp_path / name)
    assert message.startswith(f"{name}: ")
    assert said in message


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    message = refusal(tmp_path / "没有.xlsx", tmp_path)
    assert "没有.xlsx: 无法读取" in message
    assert f"{tmp_path.name}: 无法读取" in message


def test_what_has_no_end_is_not_read() -> None:
    assert "不是文件" in refusal(Path("/dev/zero"))


def test_control_characters_are_refused_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "第三批.csv"
    path.write_text(
        "规则,序号,项目名称,逻辑依据,项目代码\n医疗服务项目儿童专用,1,甲\x1b[31m项,儿童专用项目,002501040040000\n",
        encoding="utf-8",
    )
    assert refusal(path).startswith("第三批.csv: C2: 含有看不见的控制字符、改变书写方向的字符或 HTML 标记，请删去")


@pytest.mark.parametrize("name", ["甲\u202e片", "甲<b>片", "=1+1"])
def test_names_that_something_would_run_or_turn_round_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "第三批.csv"
    path.write_text(
        f"规则,序号,项目名称,逻辑依据,项目代码\n医疗服务项目儿童专用,1,{name},儿童专用项目,002501040040000\n",
        encoding="utf-8",
    )
    assert "C2" in refusal(path)


def _published(cell: str, count: int, code: str) -> Edit:
    """A column 已公布代码数 with one cell in it, beside a code."""

    def edit(book: Book) -> None:
        book[CODES]["D4"] = "已公布代码数"
        book[CODES][cell], book[CODES]["C8"] = count, code

    return edit


def _set(sheet: str, cell: str, value: object) -> Edit:
    def edit(book: Book) -> None:
        book[sheet][cell] = value

    return edit


def _merge(sheet: str, area: str) -> Edit:
    return lambda book: book[sheet].merge_cells(area)


def _add_row(sheet: str, row: int, *values: object) -> Edit:
    def edit(book: Book) -> None:
        for column, value in enumerate(values, 1):
            book[sheet].cell(row, column, value)

    return edit


@pytest.mark.parametrize(
    ("edit", "place", "said"),
    [
        (_set(POINTS, "F5", "=1+1"), "“知识点” F5", "是公式，请改为“粘贴为数值”"),
        (_set(POINTS, "B5", "#N/A"), "“知识点” B5", "是错误值"),
        (_merge(CODES, "C7:C9"), "“知识点对应药品代码” C7:C9", "请取消合并"),
        (_merge(POINTS, "D5:E6"), "“知识点” D5:E6", "请取消合并"),
        (_merge(POINTS, "A5:A6"), "“知识点”第 6 行“序号”(A6)", "已经用过"),
        (_set(POINTS, "F5", 3), "“知识点”第 5 行“知识点对应药品代码数量”(F5): 读到 '3'", "“知识点对应药品代码”第 5–6 行列出 2 个代码"),
        (_set(POINTS, "F5", None), "“知识点”第 5 行“知识点对应药品代码数量”(F5): 读到空白", "列出 2 个代码"),
        (_set(POINTS, "F7", 6), "“知识点”第 7 行", "合计为 6，读到 2 项、5 个代码"),
        (_set(POINTS, "F7", None), "“知识点”第 7 行", "“合计”一行没有数字"),
        (_add_row(CODES, 10, "合计", None, 4), "“知识点对应药品代码”第 10 行", "合计为 4，读到 5 个代码"),
        (_set(POINTS, "A6", 1), "“知识点”第 6 行“序号”(A6): 读到 1", "序号在第 5 行已经用过"),
        (_set(POINTS, "A6", "乙"), "“知识点”第 6 行“序号”(A6): 读到 '乙'", "请写整数序号"),
        (_set(POINTS, "B6", None), "“知识点”第 6 行“药品通用名”(B6): 读到空白", "请写名称"),
        (_set(POINTS, "C6", "孕"), "“知识点”第 6 行“限定性别”(C6): 读到 '孕'", "请写 男 或 女"),
        (_set(POINTS, "D6", "参保人或就诊人"), "“知识点”第 6 行“检出逻辑”(D6)", "参保人或就诊人之一"),
        (_set(CODES, "A7", 3), "“知识点对应药品代码”第 7 行“对应知识点序号”(A7): 读到 '3'", "没有这个序号"),
        (_set(CODES, "A7", None), "“知识点”第 6 行“药品通用名”(B6): 读到 '乙丸'", "序号 2 没有列出代码"),
        (_set(CODES, "B7", "丙丸"), "“知识点对应药品代码”第 7 行“药品通用名”(B7): 读到 '丙丸'", "序号 2 的名称是 '乙丸'"),
        (_set(CODES, "C8", None), "“知识点”第 6 行“知识点对应药品代码数量”(F6)", "第 7、9 行列出 2 个代码"),
        (_set(CODES, "C7", None), "“知识点对应药品代码”第 7 行“药品代码”(C7): 读到空白", "请写代码"),
        (_set(CODES, "C8", CODE.format(7)), "“知识点对应药品代码”第 8 行“药品代码”(C8)", "在第 7 行已列出这个代码"),
        (_set(CODES, "C8", "XA01AAA"), "“知识点对应药品代码”第 8 行“药品代码”(C8): 读到 'XA01AAA'", "不是国家编码"),
        (_set(CODES, "C8", "XA01AAA008A001"), "“知识点对应药品代码”第 8 行“药品代码”(C8)", "整段受限的写前段加星号，如 XG04CBA088A001*"),
        (_set(CODES, "C8", "XA01AAA*"), "“知识点对应药品代码”第 8 行“药品代码”(C8): 读到 'XA01AAA*'", "不是国家编码"),
        (_published("D8", 3, CODE.format(8)), "“知识点对应药品代码”第 8 行“已公布代码数”(D8): 读到 '3'", "只在前段（带星号）的行填写"),
        (_published("D8", 0, "XA01AAA008A001*"), "“知识点对应药品代码”第 8 行“已公布代码数”(D8): 读到 '0'", "请写前段下已公布的编码数"),
        (_set(CODES, "C8", "2.50104E+12"), "“知识点对应药品代码”第 8 行“药品代码”(C8)", "补不回来"),
        (_set(CODES, "C8", 2501040000000), "“知识点对应药品代码”第 8 行“药品代码”(C8)", "补不回来"),
        (_set(CODES, "A2", "“药品儿童专用”知识点对应药品代码"), "“知识点对应药品代码”", "“药品儿童专用”的代码"),
        (_set(POINTS, "A2", "“药品限成人使用”规则对应知识点明细"), "“知识点”", "不在规则库里"),
        (_set(POINTS, "A2", None), "“知识点”", "看不出是哪条规则"),
        (_set(POINTS, "G4", "通用名"), "“知识点”第 4 行", "药品通用名(B)、通用名(G) 含义相同"),
        (_set(POINTS, "H5", "限二级医院"), "“知识点”", "H 列“”的表头不认识"),
        (_set(POINTS, "XFD1048576", "x"), "", "到单元格 XFD1048576 为止，区域超过"),
        (_set(POINTS, "A4", "第几"), "“知识点”", "最像表头的是第 4 行：认出“药品通用名”"),
        (lambda book: book.remove(book[CODES]), "“知识点”", "没有代码"),
        (lambda book: book.copy_worksheet(book[CODES]), "", "其余请删去"),
        (lambda book: book.create_sheet("说明").append(["见", CODE.format(1)]), "“说明”", "没有表头"),
    ],
)  # fmt: skip
def test_a_fault_names_its_cell_and_its_remedy(tmp_path: Path, edit: Edit, place: str, said: str) -> None:
    message = refusal(saved(drug_sex(edit), tmp_path))
    assert any(line.startswith("第三批.xlsx: ") and place in line and said in line for line in message.splitlines()), (
        message
    )


@pytest.mark.parametrize(
    ("edit", "place", "said"),
    [
        (_set(POINTS, "E5", 2501040040000), "第 5 行“项目代码”(E5): 读到 '2501040040000'", "'002501040040000'；请按原表改正，或加 --repair"),
        (_set(POINTS, "E5", "02501040040000"), "第 5 行“项目代码”(E5)", "'002501040040000'"),
        (_set(POINTS, "E7", 3), "第 7 行", "合计为 3，读到 2 项、2 个代码"),
        (_set(POINTS, "D5", "项目内涵"), "第 5 行“逻辑依据”(D5): 读到 '项目内涵'", "读不出任何限制"),
        (_set(POINTS, "A6", 1), "第 6 行“医疗服务项目名称”(B6): 读到 '项目2'", "同一序号 1"),
        (_set(POINTS, "F5", "限3岁以下"), "第 5 行“备注”(F5)", "与逻辑依据的“限6岁以下”不同"),
    ],
)  # fmt: skip
def test_a_fault_in_a_sheet_of_services(tmp_path: Path, edit: Edit, place: str, said: str) -> None:
    def spoil(book: Book) -> None:
        if "F5" in place:
            book[POINTS]["D5"] = "限6岁以下"
        edit(book)

    message = refusal(saved(services(spoil), tmp_path))
    assert f"第三批.xlsx: “知识点”{place}" in message
    assert said in message


def test_one_fault_is_told_once(tmp_path: Path) -> None:
    (only, total) = refusal(saved(services(_set(POINTS, "A6", "乙")), tmp_path)).splitlines()
    assert "“知识点”第 6 行“序号”(A6): 读到 '乙'；请写整数序号" in only
    assert "合计为 2，读到 1 项" in total


@pytest.mark.parametrize("code", ["2.50104E+12", 2501040000000])
def test_digits_that_were_rounded_away_are_not_repaired(tmp_path: Path, code: object) -> None:
    assert "补不回来" in refusal(saved(services(_set(POINTS, "E5", code)), tmp_path), repair=True)


def test_a_code_is_found_twice_also_when_one_of_them_is_repaired(tmp_path: Path) -> None:
    message = refusal(saved(services(_set(POINTS, "E5", "2501040040000、002501040040000")), tmp_path), repair=True)
    assert "已列出这个代码" in message


def test_the_same_workbook_twice(tmp_path: Path) -> None:
    path = saved(drug_sex(), tmp_path)
    (tmp_path / "副本.xlsx").write_bytes(path.read_bytes())
    assert "副本.xlsx: 与 第三批.xlsx 内容完全相同" in refusal(path, tmp_path / "副本.xlsx")
    assert "第三批.xlsx: 与 第三批.xlsx 内容完全相同" in refusal(path, path)
    other = saved(drug_sex(_set(POINTS, "A8", "说明：另一版。")), tmp_path, "另一版.xlsx")
    assert "另一版.xlsx: 与 第三批.xlsx 是同一批次的同一规则“药品区分性别使用”" in refusal(path, other)


def test_a_workbook_of_another_rule_under_the_wrong_name(tmp_path: Path) -> None:
    message = refusal(saved(drug_sex(), tmp_path, "第三批-3.药品儿童专用.xlsx"))
    assert "文件名说是“药品儿童专用”，标题说是“药品区分性别使用”" in message
    (workbook,) = read(saved(drug_sex(), tmp_path, "第三批-药品区分性别使用.xlsx"))
    assert workbook.rule == "药品区分性别使用"


def test_batch_and_day_are_asked_for_by_their_options(tmp_path: Path) -> None:
    path = saved(drug_sex(), tmp_path, "明细.xlsx")
    assert "明细.xlsx: 标题和文件名没有说是哪一批，请给出 --batch" in refusal(path, batch=None)
    with pytest.raises(KnowledgeError, match="--published 2025-05-23"):
        read_workbooks([path], batch="03", published=None, rules=RULES)
    two = saved(drug_sex(_set(POINTS, "A2", "第四批“药品区分性别使用”规则对应知识点明细")), tmp_path, "第三批.xlsx")
    assert "批次不一：03、04" in refusal(two, batch=None)


def test_the_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    first = saved(drug_sex(_set(POINTS, "C5", "?")), tmp_path, "一.xlsx")
    second = saved(services(_set(POINTS, "E5", "12")), tmp_path, "二.xlsx")
    lines = refusal(first, tmp_path / "无.xlsx", second).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["一.xlsx", "无.xlsx", "二.xlsx"]


def test_many_faults_of_one_kind_are_counted_after_the_first(tmp_path: Path) -> None:
    message = refusal(saved(services(basis=["儿童"] * 50), tmp_path))
    assert message.count("读不出任何限制") == 20
    assert "第 54 行“逻辑依据”(D54): 到此还有 30 行同样有误" in message


@pytest.mark.parametrize("claimed", [None, 10])
def test_a_workbook_that_unpacks_too_large_is_refused_whatever_it_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, claimed: int | None
) -> None:
    monkeypatch.setattr(xlsx_parts, "MAX_UNPACKED", 1 << 20)
    data = _replaced(
        _bytes(drug_sex()), _SHEET, lambda xml: xml.replace(b"<sheetData>", b" " * (2 << 20) + b"<sheetData>")
    )
    if claimed is not None:
        data = _claiming(data, claimed)
    (tmp_path / "弹.xlsx").write_bytes(data)
    assert "解压后超过 1 MB" in refusal(tmp_path / "弹.xlsx")


def _claiming(data: bytes, size: int) -> bytes:
    """The archive whose directory gives every part this unpacked size."""
    changed = bytearray(data)
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        changed[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(changed)


def test_limits_of_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(drug_sex(), tmp_path)
    monkeypatch.setattr(opening, "MAX_FILE", 1 << 10)
    assert "请拆成几个文件" in refusal(path)
    monkeypatch.setattr("checker.knowledge.sheets.items.MAX_ITEMS", 1)
    monkeypatch.setattr(opening, "MAX_FILE", 1 << 20)
    assert "有 2 个序号，超过 1" in refusal(path)
    (tmp_path / "多.csv").write_text("序号,药品名称,药品代码\n1,甲,X\n", encoding="utf-8")
    monkeypatch.setattr(opening, "MAX_CELLS", 5)
    assert "超过 5 个单元格" in refusal(tmp_path / "多.csv")


def test_rows_without_rule_beside_others_that_have_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "第三批.csv"
    path.write_text(
        "规则,序号,项目名称,逻辑依据,项目代码\n医疗服务项目儿童专用,1,甲,儿童专用项目,002501040040000\n"
        ",2,乙,儿童专用项目,002501040050000\n",
        encoding="utf-8",
    )
    assert "第三批.csv: 第 3 行“规则”(A3): 读到空白；同一张表有的行写了规则、有的没写" in refusal(path)


def test_the_day_is_the_one_that_was_given(tmp_path: Path) -> None:
    assert {item.published for item in read(saved(drug_sex(), tmp_path))[0].items} == {DAY}
