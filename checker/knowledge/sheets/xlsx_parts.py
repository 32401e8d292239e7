"""What the XML of an xlsx file says that a reader of its values hides: merged cells, formulas, error values, real sizes."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from posixpath import join, normpath
from xml.parsers import expat

from checker.knowledge.sheets.xlsx_texts import KINDS, MAX_TEXTS, SharedTexts, StruckRuns, TextsInCells, is_struck
from checker.model.errors import KnowledgeError

MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes of XML that one workbook may unpack to; a million rows of three columns are 140 MB."""
MAX_RATIO, RATIO_FROM = 100, 32 * 1024 * 1024
"""XML that unpacks to more than so many times the file, and to more than so many bytes, is a bomb; workbooks of codes unpack to a dozen times."""
MAX_CELLS = 1 << 23
"""Cells in the rectangles that the values of a workbook's sheets span: as many as all rows that a sheet may have, eight columns wide."""
_CHUNK = 1 << 20
_STYLES = "xl/styles.xml"
_OTHER_STYLES = ("fills", "borders", "cellStyleXfs", "cellStyles", "dxfs", "numFmts")
_AREA = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)(?::\$?([A-Z]{1,3})\$?(\d+))?")

DAMAGED = "文件不完整或已损坏，请重新下载，或用 Excel/WPS 打开后另存为 .xlsx (truncated or damaged: fetch it again, or save it anew as .xlsx)"


@dataclass(frozen=True, slots=True)
class Area:
    """A merged range; rows and columns count from 1, `text` is its address such as A5:B7."""

    text: str
    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One worksheet as its XML has it; `filled`: some cell has a value; `formulas`, `errors` and `struck` (through, or `partly` so) are addresses
    of cells, `comments` what is pinned to some, `hidden` are rows, and a whole sheet may be so (`is_hidden`)."""

    name: str
    filled: bool
    merges: tuple[Area, ...]
    formulas: tuple[str, ...]
    errors: tuple[str, ...]
    struck: tuple[str, ...] = ()
    hidden: tuple[int, ...] = ()
    is_hidden: bool = False
    partly: tuple[str, ...] = ()
    comments: tuple[tuple[str, str], ...] = ()


def survey(data: bytes) -> tuple[SheetPart, ...]:
    """Return the worksheets of an xlsx file in their order, having unpacked every XML part once, never to disk.

    Raises KnowledgeError, without the file's name, for what is damaged, locked, another kind of document or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _Package(archive, len(data)).sheets()
    except (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, ValueError, LookupError) as error:
        raise KnowledgeError(DAMAGED) from error


def column_number(letters: str) -> int:
    """Return 1 for A, 27 for AA.

    >>> column_number("A"), column_number("AA"), column_number("XFD")
    (1, 27, 16384)
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Return A for 1, AA for 27.

    >>> column_letters(1), column_letters(27), column_letters(16384)
    ('A', 'AA', 'XFD')
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


class _Package:
    """The parts of one archive; whatever is unpacked counts against one limit, by what it really unpacks to."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self._most = min(MAX_UNPACKED, max(RATIO_FROM, MAX_RATIO * size))
        # Some programs write `\\` between folders, as Windows does; Excel opens it.
        self._parts = {info.filename.replace("\\", "/"): info for info in archive.infolist()}
        self._unpacked = 0
        self._hidden: set[str] = set()

    def sheets(self) -> tuple[SheetPart, ...]:
        if any(info.flag_bits & 1 for info in self._parts.values()):
            raise KnowledgeError("压缩包有密码，请去掉密码后再试 (the archive has a password: remove it)")
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in self._parts.values()):
            raise KnowledgeError(DAMAGED)
        if "xl/workbook.bin" in self._parts:
            raise KnowledgeError("是 .xlsb 二进制工作簿，请另存为 .xlsx (an xlsb workbook: save it as .xlsx)")
        if "xl/workbook.xml" not in self._parts:
            raise KnowledgeError("不是 Excel 工作簿，请给出 .xlsx 或 .csv (not a workbook: give .xlsx or .csv)")
        named = self._named_sheets()
        styles = _Styles()
        if _STYLES in self._parts:
            self._feed(_STYLES, styles.start)
        shared: list[int] = []
        struck: dict[str, bool] = {}
        for part in self._parts:
            if part.endswith((".xml", ".rels")) and part not in (*named.values(), _STYLES):
                texts = SharedTexts()
                self._feed(part, texts.start, texts.text)
                texts.settle()
                if texts.lengths:
                    shared, struck = texts.lengths, texts.struck
        found = []
        spanned = values = 0
        for name, part in named.items():
            if part not in self._parts:
                raise KnowledgeError(DAMAGED)
            reader = _SheetReader(name, MAX_CELLS - spanned, styles.struck, struck)
            self._feed(part, reader.start, reader.text if struck or not shared else None)
            found.append(replace(reader.part(), is_hidden=name in self._hidden, comments=self._comments(part)))
            spanned += reader.spanned()
            values += reader.values
        if values * max(shared, default=0) > MAX_TEXTS:
            self._refuse_repeated(shared, [*named.values()])
        return tuple(found)

    def _comments(self, sheet: str) -> tuple[tuple[str, str], ...]:
        """What is pinned to cells of a sheet, old comments and threads: address and text."""
        folder, _, file = sheet.rpartition("/")
        relations = f"{folder}/_rels/{file}.rels"
        targets: list[str] = []

        def relation(name: str, attributes: dict[str, str]) -> None:
            if name.endswith("}Relationship") and "omment" in attributes.get("Type", ""):
                target = attributes.get("Target", "")
                targets.append(target[1:] if target.startswith("/") else normpath(join(folder, target)))

        if relations in self._parts:
            self._feed(relations, relation)
        comments = _Comments()
        for target in targets:
            if target in self._parts:
                self._feed(target, comments.start, comments.text)
        return tuple((address, "".join(texts).strip()) for address, texts in comments.found)

    def _refuse_repeated(self, lengths: list[int], sheets: list[str]) -> None:
        """Refuse long texts that so many cells share that no memory holds them: sheets are read once more for it."""
        self._unpacked = 0
        uses = TextsInCells(lengths)
        for part in sheets:
            self._feed(part, uses.start, uses.text)
        uses.settle()

    def _named_sheets(self) -> dict[str, str]:
        targets: dict[str, str] = {}
        named: dict[str, str] = {}

        def relation(name: str, attributes: dict[str, str]) -> None:
            if name.endswith("}Relationship"):
                target = attributes.get("Target", "")
                targets[attributes.get("Id", "")] = (
                    target[1:] if target.startswith("/") else normpath(join("xl", target))
                )

        def sheet(name: str, attributes: dict[str, str]) -> None:
            if KINDS.get(name) == "sheet":
                relation_id = next((value for key, value in attributes.items() if key.endswith("}id")), "")
                named[attributes.get("name", "")] = targets.get(relation_id, "")
                if attributes.get("state", "visible") != "visible":
                    self._hidden.add(attributes.get("name", ""))

        if "xl/_rels/workbook.xml.rels" in self._parts:
            self._feed("xl/_rels/workbook.xml.rels", relation)
        self._feed("xl/workbook.xml", sheet)
        return named

    def _feed(
        self, part: str, start: Callable[[str, dict[str, str]], None], text: Callable[[str], None] | None = None
    ) -> None:
        info = self._parts[part]
        # The size that the archive claims would cut the part short; its true end decides, and its check sum with it.
        info.file_size = MAX_UNPACKED + 1
        parser = expat.ParserCreate(namespace_separator="}")
        parser.StartElementHandler = start
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        with self._archive.open(info) as stream:
            while chunk := stream.read(_CHUNK):
                self._unpacked += len(chunk)
                if self._unpacked > self._most:
                    raise KnowledgeError(
                        f"解压后超过 {self._most >> 20} MB，不予读取；请拆成几个工作簿 (unpacks to more than {self._most >> 20} MB: split it)"
                    )
                parser.Parse(chunk)
        parser.Parse(b"", True)


def _refuse_doctype(*_: object) -> None:
    raise KnowledgeError("XML 中有 DOCTYPE，不予读取；请另存为 .xlsx (its XML has a DOCTYPE: save it anew as .xlsx)")


class _Comments:
    """Follows comments: what each says, and of which cell."""

    def __init__(self) -> None:
        self.found: list[tuple[str, list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition("}")[2] in ("comment", "threadedComment"):
            self.found.append((attributes.get("ref", ""), []))

    def text(self, text: str) -> None:
        if self.found:
            self.found[-1][1].append(text)


class _Styles:
    """Follows the styles: `struck` are the numbers of those whose text is struck through."""

    def __init__(self) -> None:
        self.struck: set[str] = set()
        self._fonts: list[bool] = []
        self._within = ""
        self._formats = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = KINDS.get(name)
        if kind in ("fonts", "cellXfs"):
            self._within = kind
        elif kind is None and name.rpartition("}")[2] in _OTHER_STYLES:
            self._within = ""
        elif kind == "font" and self._within == "fonts":
            self._fonts.append(False)
        elif kind == "strike" and self._within == "fonts" and self._fonts:
            self._fonts[-1] = is_struck(attributes)
        elif kind == "xf" and self._within == "cellXfs":
            font = int(attributes.get("fontId", "0"))
            if font < len(self._fonts) and self._fonts[font]:
                self.struck.add(str(self._formats))
            self._formats += 1


class _SheetReader:
    """Follows one worksheet's XML; `start` is called for each element."""

    def __init__(self, name: str, cells_left: int, struck_styles: set[str], struck_texts: dict[str, bool]) -> None:
        self._name = name
        self._cells_left = cells_left
        self._struck_styles = struck_styles
        self._struck_texts = struck_texts
        self._is_struck = self._shares = self._within = False
        self._number = ""
        self._runs = StruckRuns()
        self._struck: list[str] = []
        self._partly: list[str] = []
        self._hidden: list[int] = []
        self.values = 0
        self._row = self._column = 0
        self._address = ""
        self._first_row = self._last_row = self._first_column = self._last_column = 0
        self._column_of: dict[str, int] = {}
        self._merges: list[Area] = []
        self._formulas: list[str] = []
        self._errors: list[str] = []

    def part(self) -> SheetPart:
        self._settle()
        filled = self._first_row > 0
        return SheetPart(
            self._name,
            filled,
            tuple(self._merges),
            tuple(self._formulas),
            tuple(self._errors),
            tuple(self._struck),
            tuple(self._hidden),
            partly=tuple(self._partly),
        )

    def spanned(self) -> int:
        """The cells of the rectangle from the first value to the last; a reader of values holds all of them."""
        if not self._first_row:
            return 0
        return (self._last_row - self._first_row + 1) * (self._last_column - self._first_column + 1)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        kind = KINDS.get(name)
        self._within = kind == "v" and self._shares
        if kind == "c":
            self._settle()
            self._cell(attributes)
        elif kind in ("v", "is"):
            self._value()
        elif kind in ("r", "strike", "t"):
            self._runs.start(kind, attributes)
        elif kind == "row":
            self._row = int(attributes["r"]) if "r" in attributes else self._row + 1
            self._column = 0
            if attributes.get("hidden") in ("1", "true"):
                self._hidden.append(self._row)
        elif kind == "f":
            self._formulas.append(self._address)
        elif kind == "mergeCell" and (area := _area(attributes.get("ref", ""))) is not None:
            self._merges.append(area)

    def text(self, text: str) -> None:
        """Some text of a cell: the number of one that cells share, or its own."""
        if self._within:
            self._number += text
        else:
            self._runs.text(text)

    def _settle(self) -> None:
        """Note whether the text of the last cell is struck through, where its runs say so."""
        whole = self._struck_texts.get(self._number.strip())
        if self._runs.struck:
            whole = not self._runs.plain
        if whole is not None and not self._is_struck:
            (self._struck if whole else self._partly).append(self._address)

    def _cell(self, attributes: dict[str, str]) -> None:
        address = attributes.get("r")
        if address is None:
            self._column += 1
            address = f"{column_letters(self._column)}{self._row}"
        else:
            letters = address.rstrip("0123456789")
            column = self._column_of.get(letters)
            if column is None:
                column = self._column_of[letters] = column_number(letters)
            self._column = column
            self._row = int(address[len(letters) :])
        self._address = address
        self._is_struck = attributes.get("s") in self._struck_styles
        self._shares, self._number, self._runs = attributes.get("t") == "s", "", StruckRuns()
        if attributes.get("t") == "e":
            self._errors.append(address)

    def _value(self) -> None:
        row, column = self._row, self._column
        self.values += 1
        if self._is_struck:
            self._struck.append(self._address)
        if not self._first_row:
            self._first_row = self._last_row = row
            self._first_column = self._last_column = column
        # Nothing obliges a file to keep its rows and cells in order.
        if row > self._last_row:
            self._last_row = row
        elif row < self._first_row:
            self._first_row = row
        if column > self._last_column:
            self._last_column = column
        elif column < self._first_column:
            self._first_column = column
        if self.spanned() > self._cells_left:
            raise KnowledgeError(
                f"工作表“{self._name}”到单元格 {self._address} 为止，区域超过 {MAX_CELLS:,} 个单元格；请删去远处的内容，或拆成几个工作簿"
                f" (the sheets span more than {MAX_CELLS:,} cells by {self._address}: delete what stands far away, or split it)"
            )


def _area(text: str) -> Area | None:
    found = _AREA.fullmatch(text)
    if found is None:
        return None
    left, top, right, bottom = found.groups()
    return Area(text, int(top), int(bottom or top), column_number(left), column_number(right or left))
