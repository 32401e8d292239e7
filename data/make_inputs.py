"""Writes two small inputs of the kinds that auditors get: a hospital's sheet, and a month of two CSV files in GB18030, zipped.

    python data/make_inputs.py

The same text gives the same files. Of every 40 lines one is a violation, of women a drug for men only.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator

from make_samples import SAMPLES, id_number, read_items
from make_workbook import WRITTEN, with_fixed_times
from openpyxl import Workbook

SHEET, MONTH = SAMPLES / "hospital" / "住院费用明细.xlsx", SAMPLES / "months" / "2026-03.zip"
LINES = 120
EVERY = 40
"""One line of so many is a plant."""
MEN_ONLY = "XG04CBA088A001010101467"
SHEET_HEADER = (
    "住院流水号",
    "处方号",
    "药品编号",
    "药品",
    "发药数",
    "金额（元）",
    "发药时间",
    "性别",
    "身份证号",
    "开单医师",
)
MONTH_HEADER = (
    "费用明细流水号", "就诊号", "处方号", "计费时间", "国家医保代码", "医保目录名称", "计费数量", "总金额", "患者性别", "出生年月日", "开单科室", "开单医师",
)  # fmt: skip
"""The sheet has two headers that nothing recognises, the month none."""


def lines() -> Iterator[tuple[int, str, str, str, int, str, str, str]]:
    """Line by line: number, code, name, price, quantity, time, sex and birth date."""
    items = {item.code: item for item in read_items(SAMPLES / "plan").values()}
    ordinary = [item for item in items.values() if item.used_as == "ordinary"]
    for number in range(LINES):
        planted = number % EVERY == EVERY - 1
        item = items[MEN_ONLY] if planted else ordinary[number * 7 % len(ordinary)]
        sex = "女" if planted or number % 2 else "男"
        time = f"2026-03-{number // 4 % 28 + 1:02d} {8 + number % 9:02d}:{number * 13 % 60:02d}:00"
        yield (
            number,
            item.code,
            item.name,
            str(item.price),
            1 + number % 3,
            time,
            sex,
            f"{1950 + number % 50}-0{1 + number % 9}-15",
        )


def sheet() -> bytes:
    """The workbook: a title, a remark and the header above the lines, a total below; a second sheet says where it comes from."""
    book = Workbook()
    table = book.active
    assert table is not None
    table.title = "三月"
    table.append(["示例市第一人民医院 2026 年 3 月住院费用明细"])
    table.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(SHEET_HEADER))
    table.append(["本表为试用本程序而虚构"])
    table.append(SHEET_HEADER)
    total = 0.0
    for number, code, name, price, quantity, time, sex, birth in lines():
        amount = round(float(price) * quantity, 2)
        total += amount
        person = id_number(birth, "1" if sex == "男" else "2", number)
        table.append(
            [
                f"ZY{number // 3:05d}",
                f"CF{number // 2:05d}",
                code,
                name,
                quantity,
                amount,
                time,
                sex,
                person,
                f"医师{number % 5}",
            ]
        )
    table.append(["合计", None, None, None, None, round(total, 2)])
    book.create_sheet("说明").append(["由医院信息系统导出"])
    book.properties.created = book.properties.modified = WRITTEN
    out = io.BytesIO()
    book.save(out)
    return with_fixed_times(out.getvalue())


def month() -> bytes:
    """The archive: the lines of outpatients and those of inpatients, in GB18030."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for place, name in enumerate(("门诊明细.csv", "住院明细.csv")):
            text = io.StringIO()
            writer = csv.writer(text)
            writer.writerow(MONTH_HEADER)
            for number, code, item, price, quantity, time, sex, birth in lines():
                if number % 2 == place:
                    keys = (f"M{number:05d}", f"JZ{number // 3:05d}", f"CF{number // 2:05d}")
                    amount = f"{float(price) * quantity:.2f}"
                    writer.writerow(
                        (*keys, time, code, item, quantity, amount, sex, birth, "内科", f"医师{number % 5}")
                    )
            member = zipfile.ZipInfo(name, WRITTEN.timetuple()[:6])
            archive.writestr(member, text.getvalue().encode("gb18030"), zipfile.ZIP_DEFLATED)
    return out.getvalue()


if __name__ == "__main__":
    for target, content in ((SHEET, sheet()), (MONTH, month())):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        print(f"{target.name}: {len(content)} bytes")
