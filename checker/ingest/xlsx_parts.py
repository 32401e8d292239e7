"""An xlsx workbook in parts: each worksheet as a row of small workbooks, so that a library that reads whole ones needs little memory."""

from __future__ import annotations

import contextlib
import errno
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import join, normpath
from xml.etree import ElementTree

from checker.ingest.archive import MAX_RATIO, RATIO_FROM, ZIP_FAULTS
from checker.ingest.columns import EXACT
from checker.ingest.xlsx_texts import SharedTexts
from checker.model.errors import InputError

PART = 32 << 20
"""Bytes of a worksheet's XML that go into one part: some six hundred thousand cells."""
LONGEST_ROW = 64 << 20
MOST_MERGES = 1_000_000
WIDEST_PART = 16 << 20
"""Cells in the rectangle that the filled cells of a part span: a reader takes memory for all of them."""
_SMALL = 16 << 20
_CHUNK = 1 << 20
_AREA = re.compile(rb'mergeCell [^>]*?ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')
_BEGIN = re.compile(rb"<((?:\w+:)?)sheetData(\s*/)?\s*>")
_FILLED = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"'][^>/]*>")
_OTHER_FORMS = frozenset(("xl/workbook.bin", "content.xml"))
_LONG = re.compile(rb"v>[0-9]{16}")
_LARGE = re.compile(
    rb"<((?:\w+:)?c)\b([^>]*)>(\s*<(?:\w+:)?v>)([0-9]{16,}(?:\.[0-9]*)?|[0-9](?:\.[0-9]+)?[eE]\+[0-9]{1,3})(?=</)"
)
_KIND = re.compile(rb"\s+t=[\"'](\w+)[\"']")
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s/>])([^>]*)")
_NUMBER = re.compile(rb"\br=[\"']([0-9]{1,7})[\"']")
_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    "{}</Relationships>"
)
_BOOK = (
    '<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    f'xmlns:r="{_OFFICE}"><workbookPr date1904="{{}}"/><sheets><sheet name="part" sheetId="1" r:id="sheet"/></sheets></workbook>'
)


@dataclass(frozen=True, slots=True)
class Area:
    """A merged range; rows count from 1, columns from 0."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Worksheet:
    """One worksheet: its name, whether people see it, and the member of the package that holds it, of `size` bytes."""

    name: str
    visible: bool
    member: str
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a worksheet as a workbook of their own. The first row of what is read from it is number `first` of the worksheet."""

    workbook: bytes
    first: int


class Package:
    """An open xlsx file. Raises InputError, told of `path`, where it is damaged or would unpack to an absurd size."""

    def __init__(self, path: Path, place: Path) -> None:
        self._path = path
        with self._faults_told():
            self._zip = zipfile.ZipFile(place)
            # Some programs write `\\` between folders, as Windows does.
            self._members = {entry.filename.replace("\\", "/").lower(): entry for entry in self._zip.infolist()}
            for entry in self._members.values():
                if entry.file_size > RATIO_FROM and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
                    raise InputError(
                        f"{path}：工作簿解压后 {entry.file_size:,} 字节，是压缩大小的 {MAX_RATIO} 倍以上，没有读取；请另存为 CSV"
                        "（unpacks to an absurd size: save it as CSV）"
                    )

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    @property
    def is_other(self) -> bool:
        """Whether it is a workbook of another form that comes as a package: .xlsb, or .ods."""
        return not _OTHER_FORMS.isdisjoint(self._members)

    @property
    def counts_from_1904(self) -> bool:
        """Whether the days of the workbook are counted from 1904, as on old Macs."""
        with self._faults_told():
            return any(
                _plain(each.tag) == "workbookPr" and each.attrib.get("date1904", "0") in ("1", "true", "on")
                for each in self._xml(self._book).iter()
            )

    def worksheets(self) -> tuple[Worksheet, ...]:
        """The worksheets in their order; charts and macros are none."""
        with self._faults_told():
            root = self._xml(self._book)
            targets = self._targets(self._book)
            found = []
            for sheet in root.iter():
                if _plain(sheet.tag) != "sheet":
                    continue
                relation = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
                kind, member = targets.get(relation, ("", ""))
                if kind.endswith("/worksheet") and member.lower() in self._members:
                    visible = sheet.attrib.get("state", "visible") == "visible"
                    size = self._members[member.lower()].file_size
                    found.append(Worksheet(sheet.attrib.get("name", ""), visible, member, size))
            return tuple(found)

    def merges(self, sheet: Worksheet) -> tuple[Area, ...]:
        """The merged ranges of a worksheet, which stand behind its rows."""
        with self._faults_told():
            behind = b""
            end = re.compile(rb"</(?:\w+:)?sheetData\s*>")
            held = b""
            for chunk in self._stream(sheet.member):
                if behind:
                    behind += chunk
                elif found := end.search(held + chunk):
                    behind = (held + chunk)[found.start() :]
                held = chunk[-64:]
            areas = [
                Area(int(top), column_index(left), int(bottom), column_index(right))
                for left, top, right, bottom in _AREA.findall(behind)
            ]
        if len(areas) > MOST_MERGES:
            raise InputError(
                f"{self._path}：工作表“{sheet.name}”有 {len(areas):,} 处合并单元格，请取消合并（too many merged cells: unmerge them）"
            )
        return tuple(areas)

    def parts(self, sheet: Worksheet) -> Iterator[Part]:
        """The rows of a worksheet, part by part; nothing where it has none."""
        with self._faults_told():
            template, shared = self._template(), self._member_of("sharedStrings")
            texts = SharedTexts(self._path, self._stream(shared) if shared else ())
            stream = self._stream(sheet.member)
            text = b""
            found = None
            for chunk in stream:
                text += chunk
                if found := _BEGIN.search(text):
                    break
                if len(text) > _SMALL:
                    raise zipfile.BadZipFile("no sheetData")
            if found is None or found[2]:
                return
            opening, prefix, text = text[: found.end()], found[1], text[found.end() :]
            row_end, closing = b"</" + prefix + b"row>", b"</" + prefix + b"sheetData></" + prefix + b"worksheet>"
            following = 1
            for rows in _whole_rows(text, stream, row_end, b"</" + prefix + b"sheetData"):
                self._refuse_scattered(sheet, rows)
                for piece in texts.pieces(sheet.name, rows, row_end):
                    if b"<" + prefix + b"row" in piece:
                        first, following = _row_numbers(piece, prefix, following)
                        yield _part(template, opening, _exact(piece), closing, prefix, first)

    def _refuse_scattered(self, sheet: Worksheet, rows: bytes) -> None:
        """Refuse cells so far apart that between them there would be no memory for nothing."""
        filled = _FILLED.findall(rows)
        if not filled:
            return
        numbers = {int(number) for _, number in filled}
        columns = {letters for letters, _ in filled}
        if (max(numbers) - min(numbers) + 2) * (max(map(column_index, columns)) + 1) > WIDEST_PART:
            far = max(columns, key=column_index).decode()
            raise InputError(
                f"{self._path}：工作表“{sheet.name}”的内容散布到 {far} 列、第 {max(numbers)} 行，中间大片空白，请删去多余的单元格后另存"
                "（its cells are scattered too far: delete those that do not belong）"
            )

    def _template(self) -> bytes:
        """A workbook without its sheet: texts and number formats of this one."""
        relations = [f'<Relationship Id="sheet" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>']
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
            for kind in ("sharedStrings", "styles"):
                if member := self._member_of(kind):
                    relations.append(f'<Relationship Id="{kind}" Type="{_OFFICE}/{kind}" Target="{kind}.xml"/>')
                    with copy.open(f"xl/{kind}.xml", "w", force_zip64=True) as target:
                        for chunk in self._stream(member):
                            target.write(chunk)
            copy.writestr("[Content_Types].xml", _TYPES)
            book = f'<Relationship Id="book" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
            copy.writestr("_rels/.rels", _RELATIONS.format(book))
            copy.writestr("xl/workbook.xml", _BOOK.format(int(self.counts_from_1904)))
            copy.writestr("xl/_rels/workbook.xml.rels", _RELATIONS.format("".join(relations)))
        return buffer.getvalue()

    def _member_of(self, kind: str) -> str:
        """The member that holds the texts or formats of the workbook; '' where there is none."""
        targets = self._targets(self._book).values()
        member = next((name for told, name in targets if told.endswith(f"/{kind}")), "")
        return member if member.lower() in self._members else ""

    @property
    def _book(self) -> str:
        """The member that lists the sheets."""
        if "[content_types].xml" not in self._members:
            raise zipfile.BadZipFile("no package")
        targets = self._targets("")
        return next((name for kind, name in targets.values() if kind.endswith("/officeDocument")), "xl/workbook.xml")

    def _targets(self, member: str) -> dict[str, tuple[str, str]]:
        """What a member names by relation: kind and member."""
        folder, _, name = member.rpartition("/")
        relations = join(folder, "_rels", f"{name}.rels")
        if relations.lower() not in self._members:
            return {}
        return {
            each.attrib.get("Id", ""): (
                each.attrib.get("Type", ""),
                normpath(join("/" + folder, each.attrib.get("Target", "").replace("\\", "/"))).lstrip("/"),
            )
            for each in self._xml(relations)
        }

    def _xml(self, member: str) -> ElementTree.Element:
        entry = self._members[member.lower()]
        if entry.file_size > _SMALL:
            raise zipfile.BadZipFile("too large")
        return ElementTree.fromstring(self._zip.read(entry))

    def _stream(self, member: str) -> Iterator[bytes]:
        with self._zip.open(self._members[member.lower()]) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    @contextlib.contextmanager
    def _faults_told(self) -> Iterator[None]:
        try:
            yield
        except (*ZIP_FAULTS, ElementTree.ParseError, KeyError, NotImplementedError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            raise InputError(
                f"{self._path}：工作簿不完整或已损坏，请重新传输，或用 Excel/WPS 打开后另存为 .xlsx（damaged or cut workbook: save it anew）"
            ) from error


def column_index(letters: bytes) -> int:
    """0 for A, 26 for AA.

    >>> column_index(b"A"), column_index(b"AA")
    (0, 26)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _exact(rows: bytes) -> bytes:
    """Rows in which numbers that are too large to be kept exactly stand as texts with an exponent: as keys they have lost digits,
    and a reader that writes them out would hide it."""
    if not (_LONG.search(rows) or b"E+" in rows or b"e+" in rows):
        return rows

    def spelt(found: re.Match[bytes]) -> bytes:
        cell, attributes, between, number = found.groups()
        kind = _KIND.search(attributes)
        if (kind and kind[1] != b"n") or float(number) < EXACT:
            return found[0]
        return b'<%s%s t="str">%s%.14E' % (cell, _KIND.sub(b"", attributes), between, float(number))

    return _LARGE.sub(spelt, rows)


def _whole_rows(text: bytes, stream: Iterator[bytes], row_end: bytes, sheet_end: bytes) -> Iterator[bytes]:
    """The rows of a sheet that begin in `text` and go on in the stream, by whole rows of about `PART` bytes."""
    for chunk in stream:
        text += chunk
        if len(text) < PART:
            continue
        cut = text.rfind(row_end) + len(row_end)
        if cut < len(row_end):
            if len(text) > LONGEST_ROW:
                raise zipfile.BadZipFile("row too long")
            continue
        yield text[:cut]
        text = text[cut:]
    yield text.partition(sheet_end)[0]


def _row_numbers(rows: bytes, prefix: bytes, following: int) -> tuple[int, int]:
    """The number of the first row and of the one behind the last; a row that tells none follows the one before, the first is then `following`."""
    told = [
        _NUMBER.search(row[1])
        for row in (_ROW.search(rows), _ROW.search(rows, rows.rfind(b"<" + prefix + b"row")))
        if row
    ]
    first = int(told[0][1]) if told[0] else following
    return first, int(told[1][1]) + 1 if told[1] else first + sum(1 for _ in _ROW.finditer(rows))


def _part(template: bytes, opening: bytes, rows: bytes, closing: bytes, prefix: bytes, first: int) -> Part:
    # A reader leaves empty rows and columns at the beginning out: a text in the row above, or in this one's place, keeps the count.
    anchor = b""
    if first > 1:
        row, cell, value = (prefix + name for name in (b"row", b"c", b"v"))
        place = str(first - 1).encode()
        anchor = b'<%b r="%b"><%b r="A%b" t="str"><%b>-</%b></%b></%b>' % (
            row,
            place,
            cell,
            place,
            value,
            value,
            cell,
            row,
        )
    buffer = io.BytesIO(template)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as workbook:
        workbook.writestr("xl/worksheets/sheet1.xml", opening + anchor + rows + closing)
    return Part(buffer.getvalue(), first)


def _plain(tag: str) -> str:
    return tag.rpartition("}")[2]
