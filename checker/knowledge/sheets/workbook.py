"""Opening one file of published rows: an xlsx workbook or a CSV file becomes sheets of text cells, or is refused with a reason."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from checker.ingest.csv_dialect import USUAL_SEPARATORS
from checker.ingest.old_workbook import read_old
from checker.knowledge.cell_reader import Faults
from checker.knowledge.sheets.old_looks import survey_old
from checker.knowledge.sheets.xlsx_parts import DAMAGED, MAX_CELLS, Area, SheetPart, column_letters, survey
from checker.model.errors import KnowledgeError
from checker.model.files import WORKBOOK, TooLargeError, UnfitFileError, read_once
from checker.model.shown import TAG

MAX_FILE = WORKBOOK
ROW = "row"
"""The column of a sheet's frame that holds row numbers; the others bear the letters of the spreadsheet's columns."""
_NAMED_AT_MOST = 5
_SEPARATED = 20
"""By so many lines it is told what separates the cells."""
_ZIP = b"PK"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UNSAFE = r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|" + TAG
"""Control characters other than blanks and line breaks, signs that turn the order of what is read, and tags; blanks without width are mended in codes."""
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!|\?xml|html|head|meta|table|body|style|div)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; a CSV file is one sheet without name.

    `cells` has the column `row`, the row number that a person sees, and one text column for each spreadsheet column, named
    by its letters; rows without any text are left out, cells without text are NULL. `struck` are the addresses of cells whose text is
    struck through, `hidden` the rows that a person does not see, as a whole sheet may be (`is_hidden`), `comments` are pinned to cells; of an old
    workbook [.xls] it may be that only the cells can be read, and none of these (`looks_unseen`).
    """

    name: str
    cells: pl.DataFrame
    merges: tuple[Area, ...]
    struck: tuple[str, ...] = ()
    hidden: tuple[int, ...] = ()
    is_hidden: bool = False
    comments: tuple[tuple[str, str], ...] = ()
    looks_unseen: bool = False


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file's name, the sha256 of its bytes, and the sheets in which anything is written."""

    file: str
    sha256: str
    sheets: tuple[Sheet, ...]


def open_workbook(path: Path, faults: Faults, *, any_form: bool = False) -> OpenedFile | None:
    """Return the sheets of an xlsx, xls or CSV file, or None after noting why it cannot be read.

    What a file is, its bytes say and not its name. Refused: a missing, empty or too large file; a workbook that has a
    password or is truncated; a web page or another kind of document under a workbook's name; formulas
    and error values (the saved result of a formula may be stale); control characters; a sheet without anything in it. Of a CSV file
    of `any_form` the separator may be another than the comma, and it may be in UTF-16, as spreadsheets save text.
    """
    try:
        data = read_once(path, MAX_FILE)
        before = len(faults.found)
        sheets = _sheets(path, data, faults, any_form=any_form)
        for sheet in sheets:
            _refuse_control_characters(faults, path.name, sheet)
        if len(faults.found) > before:
            return None
        if not any(sheet.cells.height for sheet in sheets):
            raise KnowledgeError("是空的，没有任何内容 (empty: nothing is written in it)")
    except TooLargeError:
        told = f"大于 {MAX_FILE >> 20} MB，请拆成几个文件 (larger than {MAX_FILE >> 20} MB: split it)"
        faults.add(path.name, "", told)
    except (UnfitFileError, KnowledgeError) as error:
        faults.add(path.name, "", str(error))
    else:
        written = tuple(sheet for sheet in sheets if sheet.cells.height)
        return OpenedFile(path.name, hashlib.sha256(data).hexdigest(), written)
    return None


def _sheets(path: Path, data: bytes, faults: Faults, *, any_form: bool) -> tuple[Sheet, ...]:
    if not data:
        raise KnowledgeError("是空文件，0 字节 (an empty file of 0 bytes)")
    if data.startswith(_ZIP):
        return _xlsx(path.name, data, faults)
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise KnowledgeError("有打开密码，请去掉密码后另存为 .xlsx (has a password: save it without one as .xlsx)")
        return _old(path.name, data, faults)
    if _MARKUP.match(data):
        raise KnowledgeError(
            "其实是网页（HTML）或 XML 文本，请用 Excel/WPS 打开后另存为 .xlsx (a web page or XML under a workbook's name: save it as .xlsx)"
        )
    if path.suffix.lower() not in (".csv", ".txt") or (b"\0" in data and _wide(data) is None):
        raise KnowledgeError(
            "不是 Excel 工作簿，也不是 CSV，请给出 .xlsx 或 .csv (neither a workbook nor CSV: give .xlsx or .csv)"
        )
    return (Sheet("", _csv(data, any_form=any_form), ()),)


def _old(file: str, data: bytes, faults: Faults) -> tuple[Sheet, ...]:
    """The sheets of a workbook of the old format: one library reads the cells, another how they look."""
    with tempfile.TemporaryDirectory(prefix="liangku-xls-") as folder:
        place = Path(folder) / "workbook.xls"
        place.write_bytes(data)
        try:
            read = [each for each in read_old(place, Path(folder) / "sheets") if each[2].width]
        except ValueError as error:
            raise KnowledgeError(DAMAGED) from error
        if sum(frame.height * frame.width for _, _, frame in read) > MAX_CELLS:
            raise KnowledgeError(
                f"超过 {MAX_CELLS:,} 个单元格，请拆成几个文件 (more than {MAX_CELLS:,} cells: split it)"
            )
        try:
            parts = {part.name: part for part in survey_old(place, Path(folder) / "looks.json")}
        except ValueError:
            # The cells are there all the same; whoever imports them is told what was not seen.
            parts = {}
    for part in parts.values():
        _refuse_unfit(faults, file, part)
    sheets = []
    for name, visible, frame in read:
        cells = frame.rename(lambda index: column_letters(int(index) + 1))
        if name in parts:
            sheets.append(_sheet(cells, parts[name]))
        else:
            sheets.append(Sheet(name, _numbered(cells), (), is_hidden=not visible, looks_unseen=True))
    return tuple(sheets)


def _xlsx(file: str, data: bytes, faults: Faults) -> tuple[Sheet, ...]:
    parts = survey(data)
    for part in parts:
        _refuse_unfit(faults, file, part)
    try:
        reader = fastexcel.read_excel(data)
        return tuple(_sheet(_cells(reader, part.name), part) for part in parts if part.filled)
    except fastexcel.FastExcelError as error:
        raise KnowledgeError(DAMAGED) from error


def _refuse_unfit(faults: Faults, file: str, part: SheetPart) -> None:
    """Refuse cells that do not say for certain what holds."""
    _refuse_cells(faults, file, part.name, part.formulas, "是公式，请改为“粘贴为数值”", "a formula: paste its value")
    errors = tuple(address for address in part.errors if address not in part.formulas)
    _refuse_cells(
        faults, file, part.name, errors, "是错误值（如 #N/A），请改正", "an error value such as #N/A: mend it"
    )
    _refuse_cells(
        faults, file, part.name, part.partly, "只有一部分文字画了删除线，请把要删的文字删去",
        "only a part of its text is struck through: delete that part",
    )  # fmt: skip


def _refuse_cells(faults: Faults, file: str, sheet: str, cells: Sequence[str], what: str, english: str) -> None:
    if cells:
        more = f" 等 {len(cells)} 处" if len(cells) > _NAMED_AT_MOST else ""
        place = f"“{sheet}” " if sheet else ""
        faults.add(file, f"{place}{'、'.join(cells[:_NAMED_AT_MOST])}{more}", f"{what} ({english})")


def _refuse_control_characters(faults: Faults, file: str, sheet: Sheet) -> None:
    """Refuse what no eye sees, a terminal obeys or a browser runs: it would go into every report of the item."""
    found = [
        f"{letters}{row}"
        for letters in sheet.cells.columns[1:]
        for row in sheet.cells.filter(pl.col(letters).str.contains(_UNSAFE))[ROW]
    ]
    _refuse_cells(
        faults,
        file,
        sheet.name,
        found,
        "含有看不见的控制字符、改变书写方向的字符或 HTML 标记，请删去",
        "control characters, signs that turn the direction of writing, or HTML tags: remove them",
    )


def _cells(reader: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    # skip_rows=0: without it leading empty rows are dropped, and every row number after them is wrong.
    sheet = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    frame = sheet.to_polars()
    frame.columns = [column_letters(column.absolute_index + 1) for column in sheet.selected_columns]
    return frame


def _sheet(cells: pl.DataFrame, part: SheetPart) -> Sheet:
    return Sheet(
        part.name,
        _numbered(cells),
        part.merges,
        part.struck,
        part.hidden,
        is_hidden=part.is_hidden,
        comments=part.comments,
    )


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with row numbers and without blank rows and columns; a cell of blanks is NULL."""
    text = pl.all().str.strip_chars()
    blank = frame.select(pl.when(text != "").then(pl.all())).with_row_index(ROW, 1)
    kept = [name for name in frame.columns if blank[name].null_count() < blank.height]
    return blank.filter(pl.any_horizontal(pl.col(*kept).is_not_null())) if kept else blank.clear()


def _csv(data: bytes, *, any_form: bool) -> pl.DataFrame:
    """The records of a CSV file in UTF-8 or GB18030; a record is a row, also where a quoted cell has line breaks."""
    if _wide(data) is not None and not any_form:
        raise KnowledgeError("编码是 UTF-16，请另存为 UTF-8 的 CSV (this is UTF-16: save it as CSV UTF-8)")
    columns: list[list[str | None]] = []
    rows = cells = 0
    text = _decoded(data)
    separator = max(USUAL_SEPARATORS, key="".join(text.splitlines()[:_SEPARATED]).count) if any_form else ","
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            columns.extend([None] * rows for _ in range(len(record) - len(columns)))
            for index, column in enumerate(columns):
                column.append(record[index] if index < len(record) else None)
            rows += 1
            cells += len(columns)
            if cells > MAX_CELLS:
                raise KnowledgeError(
                    f"超过 {MAX_CELLS:,} 个单元格，请拆成几个文件 (more than {MAX_CELLS:,} cells: split it)"
                )
    except csv.Error as error:
        raise KnowledgeError(
            f"第 {rows + 1} 行不是合格的 CSV（{error}），请检查引号 (row {rows + 1} is not CSV: mend its quotes)"
        ) from error
    frame = pl.DataFrame(
        {column_letters(index): pl.Series(values, dtype=pl.String) for index, values in enumerate(columns, 1)}
    )
    return _numbered(frame)


def _wide(data: bytes) -> str | None:
    """The name of UTF-16 where the bytes are in it: by their mark, or without one by where the zeros of digits and separators stand."""
    if data.startswith(_UTF_16):
        return "utf-16"
    if b"\0" not in data or len(data) % 2:
        return None
    first, second = data[0::2].count(0), data[1::2].count(0)
    # A document of another kind has zeros anywhere.
    return "utf-16-le" if second > 4 * first else "utf-16-be" if first > 4 * second else None


def _decoded(data: bytes) -> str:
    if (wide := _wide(data)) is not None:
        try:
            return data.decode(wide)
        except UnicodeDecodeError as error:
            raise KnowledgeError(
                f"第 {error.start} 字节不是 UTF-16，请另存为 UTF-8 的 CSV (not UTF-16: save it as CSV UTF-8)"
            ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as utf_8:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError:
            raise KnowledgeError(
                f"第 {utf_8.start} 字节既不是 UTF-8 也不是 GB18030，请另存为 UTF-8 的 CSV (neither UTF-8 nor GB18030: save it as CSV UTF-8)"
            ) from utf_8
