"""Web pages and XML under the names of workbooks, as many hospital systems write them: their tables as the sheets a spreadsheet shows."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from checker.ingest.merged_cells import ROW
from checker.ingest.xlsx_parts import WIDEST_PART, Area
from checker.model.errors import InputError

if TYPE_CHECKING:
    import polars as pl

MOST = 512 << 20
"""A larger text is not read: it would stand in memory whole."""
_WIDEST, _HIGHEST = 16_384, 1_048_576
_PAGE = "网页"
_TOKEN = re.compile(
    r"<!--.*?-->|<(?:script|style)\b.*?</(?:script|style)\s*>|<(?P<end>/?)(?P<tag>table|tr|td|th|br)\b(?P<told>[^>]*)>|<[!?/a-z][^>]*>|(?P<text>[^<]+|<)",
    re.IGNORECASE | re.DOTALL,
)
_SPAN = re.compile(r"\b(row|col)span\s*=\s*[\"']?\s*(\d{1,7})", re.IGNORECASE)
_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_SPREADSHEET = "{urn:schemas-microsoft-com:office:spreadsheet}"
_EXCEL = "{urn:schemas-microsoft-com:office:excel}"

Sheet = tuple[str, bool, Sequence[Area], "pl.DataFrame"]


def read_markup(path: Path, place: Path) -> Iterator[Sheet]:
    """The sheets of a page or of an XML workbook, which is told as `path`: name, whether people see it, merged ranges, and its cells.

    The tables of a page are one sheet, one below the other, as spreadsheet programs show them. Raises InputError where there is none.
    """
    if place.stat().st_size > MOST:
        raise InputError(
            f"{path}：网页或 XML 文本超过 {MOST >> 20} MB，请导出为 CSV（a web page or XML this large is not read: export CSV）"
        )
    text = _text(path, place.read_bytes())
    if "Workbook" in text[:4096] and "office:spreadsheet" in text[:4096]:
        sheets = [*_of_xml(path, text)]
    else:
        grid = _of_page(path, text)
        sheets = [(_PAGE, True, grid.areas, grid.frame())] if grid.rows else []
    if not sheets:
        raise InputError(
            f"{path}：是网页（HTML）或 XML 文本，里面没有表格，请导出为 CSV 或 .xlsx（a web page or XML without a table: export CSV or .xlsx）"
        )
    yield from sheets


class _Grid:
    """Rows and merged ranges of a sheet as they come; a cell takes the next place that no cell above reaches into.

    Of each column `_taken` is the last row into which a cell above reaches. A few bytes may ask for any amount of cells: too many are refused.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: list[dict[int, str]] = []
        self.areas: list[Area] = []
        self._taken: dict[int, int] = {}
        self._reached = self._width = 0
        self._next = 0

    def start_row(self, number: int | None = None) -> None:
        """Begin the next row, or that of this number (from 1)."""
        self.rows += ({} for _ in range(max(min(number or 0, _HIGHEST) - len(self.rows), 1)))
        self._next = 0

    def add(self, text: str, down: int = 1, across: int = 1, place: int | None = None) -> None:
        """Add a cell that reaches over so many rows and columns."""
        top = len(self.rows)
        left = self._next if place is None else min(place, _WIDEST - 1)
        while self._taken.get(left, 0) >= top:
            left += 1
        right, bottom = min(left + max(across, 1), _WIDEST) - 1, min(top + max(down, 1), _HIGHEST) - 1
        self.rows[-1][left] = text
        self._next = right + 1
        self._width = max(self._width, left + 1)
        self._reached += (right - left + 1) * (bottom > top)
        if self._reached > WIDEST_PART or top * self._width > WIDEST_PART:
            raise self._scattered()
        if bottom > top or right > left:
            self.areas.append(Area(top, left, bottom, right))
            if bottom > top:
                self._taken.update(dict.fromkeys(range(left, right + 1), bottom))

    def end_table(self) -> None:
        """Nothing reaches beyond the table that it stands in."""
        self._taken.clear()

    def _scattered(self) -> InputError:
        return InputError(
            f"{self._path}：表格太大，超过 {WIDEST_PART:,} 格，或内容散布太远，请删去多余的单元格，或导出为 CSV"
            "（its cells are too many or scattered too far: delete those that do not belong, or export CSV）"
        )

    def frame(self) -> pl.DataFrame:
        """The cells, columns named by their index, with the numbers of the rows."""
        import polars as pl

        if len(self.rows) * self._width > WIDEST_PART:
            raise self._scattered()
        columns = {str(place): [row.get(place) or None for row in self.rows] for place in range(self._width)}
        return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String), strict=True).with_row_index(ROW, 1)


def _of_page(path: Path, text: str) -> _Grid:
    grid = _Grid(path)
    depth = 0
    cell: list[str] | None = None
    span: Mapping[str, int] = {}
    for token in _TOKEN.finditer(text):
        tag = (token["tag"] or "").lower()
        if tag in ("table", "tr", "td", "th"):
            if cell is not None:
                grid.add(_told(cell), span.get("row", 1), span.get("col", 1))
                cell = None
            if tag == "table":
                depth += -1 if token["end"] else 1
                grid.end_table()
            elif tag == "tr" and not token["end"]:
                grid.start_row()
            elif tag in ("td", "th") and not token["end"] and grid.rows:
                cell, span = [], {name.lower(): int(number) for name, number in _SPAN.findall(token["told"])}
        elif cell is not None and (tag == "br" or token["text"]):
            cell.append(token["text"] or " ")
    if depth > 0:
        raise InputError(
            f"{path}：网页不完整，表格没有结束，请重新导出（a cut web page, its table does not end: export it again）"
        )
    return grid


def _told(cell: Sequence[str]) -> str:
    return " ".join(html.unescape("".join(cell)).split())


def _text(path: Path, data: bytes) -> str:
    """The text of a page; what it says of its encoding itself is often wrong."""
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(
        f"{path}：文件不是 UTF-8、GB18030 或 UTF-16 编码，请另存为 UTF-8 后再试（neither UTF-8, GB18030 nor UTF-16: save it as UTF-8）"
    )


def _of_xml(path: Path, text: str) -> Iterator[Sheet]:
    """The sheets of an XML workbook of Excel 2003."""
    try:
        # The parser knows no GBK, of which the declaration may speak.
        root = ElementTree.fromstring(_DECLARATION.sub("", text, count=1))
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(
            f"{path}：XML 不完整或已损坏，请用 Excel/WPS 打开后另存为 .xlsx（damaged or cut XML: save it as .xlsx）"
        ) from error
    for sheet in root.iter(f"{_SPREADSHEET}Worksheet"):
        grid = _Grid(path)
        for row in sheet.iterfind(f"{_SPREADSHEET}Table/{_SPREADSHEET}Row"):
            grid.start_row(_number(row, "Index"))
            for cell in row.iterfind(f"{_SPREADSHEET}Cell"):
                place = _number(cell, "Index")
                text = "".join("".join(told.itertext()) for told in cell.iterfind(f"{_SPREADSHEET}Data"))
                down, across = ((_number(cell, name) or 0) + 1 for name in ("MergeDown", "MergeAcross"))
                grid.add(text, down, across, None if place is None else place - 1)
        hidden = (sheet.findtext(f"{_EXCEL}WorksheetOptions/{_EXCEL}Visible") or "").endswith("Hidden")
        yield sheet.get(f"{_SPREADSHEET}Name") or "-", not hidden, grid.areas, grid.frame()


def _number(element: ElementTree.Element, name: str) -> int | None:
    told = element.get(f"{_SPREADSHEET}{name}")
    return int(told) if told and told.isdecimal() else None
