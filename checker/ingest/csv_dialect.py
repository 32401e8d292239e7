"""How a CSV file is written: which row is its header, and which separator yields headers that are known."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from checker.ingest.csv_text import TextFile, spoil_utf8
from checker.ingest.personal import shown_headers
from checker.ingest.sources import EmptyFileError, own_header
from checker.model.errors import InputError
from checker.model.schema import normal_header
from checker.model.words import ENCODING_NAMES

HEADER_ROWS = 30
"""The header is looked for in so many rows."""
LONGEST_RECORD = 16_000_000
"""No record and no header is longer, in bytes."""
MOST_COLUMNS = 20_000
LONG_ROW = 1 << 16
"""In longer rows only the usual separators are tried."""
USUAL_SEPARATORS = (",", "\t", ";", "|")
RECORD = "__record"
"""Our own name of the number of a record."""
NO_HEADER = "(无表头"
"""How the name of a column begins that has none."""
STAND_IN = "\x1f"
"""The separator that takes the place of one that is longer than a byte."""
_OTHER_SEPARATORS = re.compile(r"[^\w\s\"'()（）]{1,3}|[\x00-\x08\x0b\x0c\x0e-\x1f]| ")
_QUALIFIED = re.compile(r"(?:[A-Za-z_]\w*\.)+(?=[^\d\s])", re.ASCII)
_RULED = re.compile(r"-{2,}( +-{2,})+ *")
_WORD, _VALUE = re.compile(r"[^\W\d_]"), re.compile(r"\d{4}|^[\d.,\s]+$")
"""What makes a cell a word, and what a value."""
_TYPE_WORD = re.compile(
    r"(n?(var)?char2?|string|text|date(time)?|timestamp|int(eger)?|bigint|smallint|number|numeric|decimal|double|float|bool(ean)?"
    r"|字符(型|串)?|文本|日期(时间)?型?|数字|数值型?|整数型?|小数)\s*([(（][\d\s,]*[)）])?"
    r"|[ymdhs]{1,4}([-/年月日时分秒: ]+[ymdhs]{1,4})+[日秒]?|(必|选|非必)填",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. `notes` are rows that stand right under the header and say what its columns are; `row` counts from 1."""

    separator: str
    headers: tuple[str, ...]
    row: int
    notes: tuple[str, ...]
    body_line: int
    """The number of the first line behind header and notes, from 1."""

    @property
    def stands_alone(self) -> bool:
        """Whether the separator is one byte that is part of no character of GB18030."""
        return self.separator == self.byte.decode() and self.byte < b"\x40" and not self.byte.isdigit()

    @property
    def byte(self) -> bytes:
        """The separator within the text that is read."""
        return self.separator.encode() if len(self.separator.encode()) == 1 else STAND_IN.encode()


def find_dialect(text: TextFile, chunks: Iterator[bytes], known: Set[str]) -> tuple[Dialect, bytes]:
    """Find the header within the first rows; return how the file is written and the text behind header and notes that is read already.

    `known` are the headers that somebody asks for, as they are compared. Raises InputError where there is no header that can be read.
    """
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) > LONGEST_RECORD or start.count(b"\n") > 2 * HEADER_ROWS:
            break
    raw, lines = _decoded_lines(text, start)
    row, last, separator, headers = _best(text.path, lines, known)
    if len(headers) > MOST_COLUMNS:
        raise InputError(
            f"{text.path}：第 {row + 1} 行读作表头有 {len(headers):,} 列，最多 {MOST_COLUMNS:,} 列，请只导出需要的列"
            f"（the header in line {row + 1} has {len(headers):,} columns: export the needed ones only）"
        )
    notes = _notes(lines[last + 1 :], separator, known)
    behind = last + 1 + len(notes)
    if separator == " " and any(map(_RULED.fullmatch, lines[behind : behind + 1])):
        raise InputError(
            f'{text.path}：各列按固定宽度排列，没有分隔符（sqlcmd、SSMS、SQL*Plus 的报表），无法可靠地分列，请导出为 CSV，如 sqlcmd -s "," -W'
            '（columns of fixed width without separators: export CSV, such as by sqlcmd -s "," -W）'
        )
    headers = _as_wide_as(lines[behind:], separator, headers)
    size = sum(len(line) + 1 for line in raw[:behind])
    dialect = Dialect(separator, distinct_headers(text.path, headers, known), row + 1, tuple(notes), behind + 1)
    return dialect, start[size:]


def _decoded_lines(text: TextFile, start: bytes) -> tuple[list[bytes], list[str]]:
    """The first lines, as bytes and as text: as many as can be header or notes."""
    path, name = text.path, ENCODING_NAMES[text.encoding]
    if not start.strip():
        raise EmptyFileError(f"{path}：文件是空的，请重新导出（the file is empty: export it again）")
    raw = start.split(b"\n", 2 * HEADER_ROWS)[: 2 * HEADER_ROWS]
    lines: list[str] = []
    for number, line in enumerate(raw, 1):
        if len(line) > LONGEST_RECORD:
            raise InputError(
                f"{path}：第 {number} 行超过 {LONGEST_RECORD // 10**6} MB，找不到表头，请检查换行后重新导出"
                f"（line {number} is longer than any header: check the line ends）"
            )
        try:
            lines.append((spoil_utf8(line) if text.inner == "gb18030" else line).decode(text.inner))
        except UnicodeDecodeError:
            if lines:
                break
            raise InputError(
                f"{path}：第 {number} 行不是 {name} 文字，而后面的行是，请统一另存为 UTF-8 后再试"
                f"（line {number} is not {name} as the lines below: save all as UTF-8）"
            ) from None
    return raw, lines


def _best(path: Path, lines: Sequence[str], known: Set[str]) -> tuple[int, int, str, list[str]]:
    """The row (and its last line), separator and cells with the most known headers; of several the first, and the fewest cells."""
    found: tuple[int, int, int, str, list[str]] | None = None
    for number, line in enumerate(lines[:HEADER_ROWS]):
        of_row = found
        others = sorted(set(_OTHER_SEPARATORS.findall(line)) - set(USUAL_SEPARATORS)) if len(line) < LONG_ROW else []
        for separator in (*USUAL_SEPARATORS, *others):
            if separator not in line:
                continue
            # Nearly all rows below the header cannot have more cells that are known.
            if of_row and found is of_row and '"' not in line and line.count(separator) < of_row[0]:
                continue
            last, cells = _cells(lines, number, separator)
            score = len({normal_header(cell) for cell in set(cells)} & known)
            fewer = found is not of_row and found is not None and score == found[0] and len(cells) < len(found[4])
            if score and (found is None or score > found[0] or fewer):
                found = (score, number, last, separator, cells)
    return found[1:] if found else _guessed(path, lines)


def _guessed(path: Path, lines: Sequence[str]) -> tuple[int, int, str, list[str]]:
    """The row that looks most like a header, where none is known: whoever asks for headers tells which are missing."""
    separator = max(USUAL_SEPARATORS, key="\n".join(lines[:HEADER_ROWS]).count)
    rows = [_cells(lines, number, separator)[1] for number in range(len(lines[:HEADER_ROWS]))]
    first = next(number for number, line in enumerate(lines) if line.strip())
    number = likely_header(rows)
    too_long = next((number for number, row in enumerate(rows) if not row and lines[number].strip()), None)
    # What stands below a row that may be the header is none.
    number = first if number is None else number if too_long is None else min(number, too_long)
    last, cells = _cells(lines, number, separator)
    if not cells:
        raise InputError(
            f"{path}：第 {number + 1} 行读作表头有一格太长，请检查表头后重新导出（a cell of the header is too long: check the header）"
        )
    return number, last, separator, cells


def _cells(lines: Sequence[str], number: int, separator: str) -> tuple[int, list[str]]:
    """The cells of the record that begins on a line, and its last line; no cells where one is too long to be a header."""
    last, record = number, lines[number]
    while record.count('"') % 2 and last + 1 < len(lines) and last < number + 10:
        last += 1
        record += "\n" + lines[last]
    if record.count('"') % 2:
        last, record = number, lines[number]
    if len(separator) > 1 or len(separator.encode()) > 1:
        record, separator = record.replace(separator, STAND_IN), STAND_IN
    try:
        cells = next(csv.reader([record], delimiter=separator))
    except csv.Error:
        return number, []
    return last, _unqualified([cell.strip() for cell in cells])


def _unqualified(cells: list[str]) -> list[str]:
    """Headers without the names of tables where each has one: Hive writes `fee_list_d.setl_id`."""
    given = [cell for cell in cells if cell]
    if len(given) < 2 or not all(map(_QUALIFIED.match, given)):
        return cells
    return [_QUALIFIED.sub("", cell) for cell in cells]


def _as_wide_as(lines: Sequence[str], separator: str, headers: list[str]) -> list[str]:
    """The headers, where most rows end with one separator more or fewer than they do: with a column without a name more or fewer."""
    rows = [_cells(lines, number, separator)[1] for number, line in enumerate(lines[:HEADER_ROWS]) if line]
    more = sum(len(row) == len(headers) + 1 and not row[-1] for row in rows)
    fewer = sum(len(row) == len(headers) - 1 for row in rows)
    if 2 * more > len(rows):
        return [*headers, ""]
    return headers[:-1] if 2 * fewer > len(rows) and not headers[-1] else headers


def _notes(lines: Sequence[str], separator: str, known: Set[str]) -> list[str]:
    """The rows right under the header that are a second header, or say of which type or form its columns are."""
    notes: list[str] = []
    for number, line in enumerate(lines[:HEADER_ROWS]):
        last, cells = _cells(lines, number, separator)
        given = [cell for cell in cells if cell]
        second = sum(normal_header(cell) in known for cell in given) > 1
        typed = len(given) > 1 and all(_TYPE_WORD.fullmatch(cell) for cell in given)
        if last > number or not (second or typed):
            break
        notes.append(line)
    return notes


def likely_header(rows: Sequence[Sequence[str | None]]) -> int | None:
    """The row with the most cells that are words, the first of several: a title has few, and of values many are numbers and dates."""
    words = [len({cell for cell in row if cell and _WORD.search(cell) and not _VALUE.search(cell)}) for row in rows]
    return words.index(max(words)) if any(words) else None


def distinct_headers(path: Path, headers: Sequence[str], known: Set[str]) -> tuple[str, ...]:
    """The headers as columns of their own: one without a name gets its place, and so does one that stands there already and nobody
    asks for. Raises InputError where one of the `known` stands twice.
    """
    seen: set[str] = set()
    named: list[str] = []
    for number, header in enumerate(headers, 1):
        key = normal_header(header)
        if key in seen and key in known:
            told = shown_headers(headers)[number - 1]
            raise InputError(f"{path}：表头“{told}”出现了两次，请只保留一列（header appears twice: keep one）")
        named.append(
            f"{header} (第 {number} 列)" if key in seen else own_header(header) if key else f"{NO_HEADER} {number})"
        )
        seen.add(normal_header(named[-1]))
    return tuple(named)
