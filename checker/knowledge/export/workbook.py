"""A list as an xlsx workbook in the layout in which the insurer publishes it; every cell is text, so that none is a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from checker.knowledge.codes import WHOLE, is_family
from checker.knowledge.export.cells import PAIR_KIND, Cells, columns_of
from checker.model.errors import InputError, both

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

POINTS, CODES = "知识点", "知识点对应药品代码"
HEADER_ROW = 3
"""Rows from 0: the title stands in the first, the header in the third."""
_HEADERS = {
    "seq": "序号", "sex": "限定性别", "logic": "检出逻辑", "basis": "逻辑依据", "days": "限制天数", "most": "上限数量", "unit": "单位",
    "window": "周期", "interval": "时间间隔", "group": "同一切口组", "count": "知识点对应药品代码数量", "note": "备注", "change": "变更类型",
    "container_name": "项目A名称", "container_code": "项目A代码",
}  # fmt: skip
_WIDTHS = {
    "seq": 6,
    "name": 30,
    "container_name": 30,
    "logic": 30,
    "basis": 40,
    "code": 26,
    "container_code": 26,
    "note": 20,
}
_USUAL_WIDTH = 14
NO_LIBRARY = both(
    "写工作簿需要附加组件，请运行 pip install 'liangku[sheets]'，或只用 --flat 写 CSV",
    "workbooks need an extra: install liangku[sheets], or write CSV only with --flat",
)


@dataclass(frozen=True, slots=True)
class ListRow:
    """One item of a list: its number, its cells, the codes that are limited (families without their star), how many codes of a family are
    published, and the codes of what contains it."""

    seq: int
    cells: Cells
    codes: tuple[str, ...]
    family_codes: tuple[tuple[str, int], ...] = ()
    containers: tuple[str, ...] = ()


def workbook_of(rule: str, kind: str, rows: Sequence[ListRow], day: date) -> bytes:
    """Return the workbook of a list; equal lists give equal bytes. Raises InputError where the library that writes it is not installed.

    Codes of drugs stand on a sheet of their own; those of services, which are digits, in a column.
    """
    try:
        from xlsxwriter import Workbook
    except ImportError as error:
        raise InputError(NO_LIBRARY) from error
    services = kind == PAIR_KIND or all(code.isdigit() for row in rows for code in row.codes)
    changes = any("change" in row.cells for row in rows)
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(day.year, day.month, day.day)})
        bold = book.add_format({"bold": True})
        names = [
            "seq",
            *(("container_name", "container_code") if kind == PAIR_KIND else ()),
            "name",
            *(() if kind != PAIR_KIND else ("code",)),
            *columns_of(kind, rule),
            *(() if kind == PAIR_KIND else ("code",) if services else ("count",)),
            "note",
            *(("change",) if changes else ()),
        ]
        headers = [_header(name, kind, services=services) for name in names]
        if len({row.cells["name"] for row in rows}) < len(rows):
            # Where items share a name, a reader may take 序号 for the numbers of codes.
            headers[0] = "知识点序号"
        total = sum(len(row.codes) for row in rows)
        body = [[_cell(row, name) for name in names] for row in rows]
        at = names.index("code" if services else "count")
        body.append(["合计", *[""] * (at - 1), str(total), *[""] * (len(names) - at - 1)])
        sheet = book.add_worksheet(POINTS)
        _write(sheet, f"“{rule}”规则对应知识点明细", headers, body, bold)
        for column, name in enumerate(names):
            sheet.set_column(column, column, _WIDTHS.get(name, _USUAL_WIDTH))
        if not services:
            listed = book.add_worksheet(CODES)
            families = any(row.family_codes for row in rows)
            code_headers = ["对应知识点序号", headers[1], "药品代码", *(["已公布代码数"] if families else [])]
            _write(listed, f"“{rule}”知识点对应药品代码", code_headers, list(_code_rows(rows, families=families)), bold)
            listed.set_column(0, 0, _USUAL_WIDTH)
            listed.set_column(1, 2, _WIDTHS["name"])
    return file.getvalue()


def _header(name: str, kind: str, *, services: bool) -> str:
    if kind == PAIR_KIND and name in ("name", "code"):
        return {"name": "项目B名称", "code": "项目B代码"}[name]
    if name == "name":
        return "手术项目名称" if kind == "incision" else "医疗服务项目名称" if services else "药品通用名"
    return "项目代码" if name == "code" else _HEADERS[name]


def _cell(row: ListRow, name: str) -> str:
    if name == "seq":
        return str(row.seq)
    if name == "code":
        return "、".join(row.codes)
    if name == "container_code":
        return "、".join(row.containers)
    return str(len(row.codes)) if name == "count" else row.cells.get(name, "")


def _code_rows(rows: Iterable[ListRow], *, families: bool) -> Iterable[list[str]]:
    for row in rows:
        counts = dict(row.family_codes)
        for number, code in enumerate(row.codes):
            head = ["", ""] if number else [str(row.seq), row.cells["name"]]
            told = f"{code}{WHOLE}" if is_family(code) else code
            yield [*head, told, *([str(counts.get(code, ""))] if families else [])]


def _write(sheet: Worksheet, title: str, headers: Sequence[str], body: Sequence[Sequence[str]], bold: object) -> None:
    # `write_string` alone: `write` would take texts for formulas, links and numbers.
    sheet.write_string(0, 0, title, bold)
    for column, header in enumerate(headers):
        sheet.write_string(HEADER_ROW - 1, column, header, bold)
    for row, cells in enumerate(body, HEADER_ROW):
        for column, text in enumerate(cells):
            if text:
                sheet.write_string(row, column, text)
    sheet.freeze_panes(HEADER_ROW, 0)
