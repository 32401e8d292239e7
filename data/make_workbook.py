"""Writes the sample workbook: a made-up supplement in the shape in which the insurer publishes, for trying `liangku kb import`.

    python data/make_workbook.py

The same text gives the same bytes: a workbook is a zip archive, and the times in it are fixed.
"""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook

TARGET = Path(__file__).parent / "samples" / "workbooks" / "示例-药品限儿童使用.xlsx"
WRITTEN = datetime(2026, 3, 1)
SUBJECT = "参保人年龄超出儿童年龄限制"
ITEMS = (
    ("注射用人生长激素", "限2-15岁", ("XH01ACR108B001010100578", "XH01ACR108B001010199901")),
    ("波生坦分散片", "限3-12岁", ("XC02KXB144A006010103973", "XC02KXB144A006010199902")),
    ("盐酸可乐定缓释片", "限6-16岁", ("XN06BAK062A010010180923", "XN06BAK062A010010280923")),
)
"""Items, windows and codes: one new item, one listed as before with a further pack, one with another window. Codes ending in 99901 and 99902 do not exist."""
NOTES = "说明：本表为试用本程序而虚构，不是任何机构公布的知识点。"


def make() -> bytes:
    """The workbook: the points on the first sheet, their codes on the second, the item written once above its codes."""
    book = Workbook()
    points = book.active
    assert points is not None
    points.title = "知识点"
    points["A2"] = "“药品限儿童使用”规则对应知识点明细"
    points.merge_cells("A2:F2")
    heads = ("序号", "药品通用名", "检出逻辑", "逻辑依据", "知识点对应药品代码数量", "备注")
    for column, head in enumerate(heads, 1):
        points.cell(4, column, head)
    codes = book.create_sheet("知识点对应药品代码")
    codes["A2"] = "“药品限儿童使用”知识点对应药品代码"
    codes.merge_cells("A2:C2")
    for column, head in enumerate(("对应知识点序号", "药品通用名", "药品代码"), 1):
        codes.cell(4, column, head)
    line = 5
    for number, (name, window, listed) in enumerate(ITEMS, 1):
        for column, value in enumerate((number, name, SUBJECT, window, len(listed)), 1):
            points.cell(4 + number, column, value)
        for place, code in enumerate(listed):
            if place == 0:
                codes.cell(line, 1, number)
                codes.cell(line, 2, name)
            codes.cell(line, 3, code)
            line += 1
    total = 5 + len(ITEMS)
    points.cell(total, 1, "合计")
    points.cell(total, 5, sum(len(listed) for _, _, listed in ITEMS))
    points.cell(total + 1, 1, NOTES)
    book.properties.created = book.properties.modified = WRITTEN
    out = io.BytesIO()
    book.save(out)
    return with_fixed_times(out.getvalue())


def with_fixed_times(archive: bytes) -> bytes:
    """The same workbook, all times in it fixed."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            text = source.read(name)
            if name == "docProps/core.xml":
                # openpyxl writes the time of saving, whatever the properties say.
                start, middle, end = text.partition(b"<dcterms:modified")
                text = start + middle + end[: end.index(b">") + 1] + b"2026-03-01T00:00:00Z" + end[end.index(b"</") :]
            target.writestr(zipfile.ZipInfo(name, WRITTEN.timetuple()[:6]), text, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(make())
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
