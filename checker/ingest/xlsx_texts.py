"""The texts that the cells of an xlsx workbook share: a few bytes of a sheet may stand for any amount of text, so rows are handed on by what they stand for."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from checker.model.errors import InputError

STAND_FOR = 64 << 20
"""Bytes of text that the rows which are read at once may stand for: a reader holds them several times."""
MOST_MEMORY, EACH = 1 << 30, 32
"""About so much memory the texts of a workbook may take, each of them so much beside its own bytes."""
_END = re.compile(rb"</(?:\w+:)?si\s*>|<(?:\w+:)?si\s*/>")
_BESIDE, _DIGITS = b" \t\r\n+", 20
_VALUE = re.compile(rb"<(?:\w+:)?v\b[^>]*>([^<]*)<(!?)")


class SharedTexts:
    """How long each text is that cells share, in bytes of its XML. Raises InputError, told of `path`, where they are absurdly many or long."""

    def __init__(self, path: Path, chunks: Iterable[bytes]) -> None:
        self._path = path
        self._lengths = array("I")
        held, read = b"", 0
        for chunk in chunks:
            *ended, held = _END.split(held + chunk)
            self._lengths.extend(map(len, ended))
            read += len(chunk)
            if read + EACH * len(self._lengths) > MOST_MEMORY:
                raise InputError(
                    f"{path}：工作簿里的文本太多，超过 {MOST_MEMORY >> 20:,} MB，请另存为 CSV（its texts are too many: save it as CSV）"
                )
        self._longest = max(self._lengths, default=0)

    def pieces(self, sheet: str, rows: bytes, row_end: bytes) -> Iterator[bytes]:
        """The rows of the worksheet `sheet`, cut so that each piece stands for no more than `STAND_FOR`."""
        if self._longest * rows.count(b"</") // 2 <= STAND_FOR or self._weight(rows) <= STAND_FOR:
            yield rows
            return
        start = end = weight = 0
        while end < len(rows):
            place = rows.find(row_end, end)
            place = len(rows) if place < 0 else place + len(row_end)
            more = self._weight(rows[end:place])
            if more > STAND_FOR:
                raise InputError(
                    f"{self._path}：工作表“{sheet}”有一行的文本超过 {STAND_FOR >> 20} MB，不像正常数据，请删去后另存"
                    "（a row stands for too much text: delete it）"
                )
            if weight + more > STAND_FOR:
                yield rows[start:end]
                start, weight = end, 0
            weight, end = weight + more, place
        yield rows[start:]

    def _weight(self, rows: bytes) -> int:
        """No less than the bytes of the texts that some rows stand for: of a number nobody asks here whether it is one, or the place of a text."""
        lengths, count = self._lengths, len(self._lengths)
        weight = 0
        for value, is_odd in _VALUE.findall(rows):
            number = value.strip(_BESIDE)
            if number.isdigit() and len(number) < _DIGITS:
                place = int(number)
                weight += lengths[place] if place < count else 0
            elif is_odd or b"&" in value:
                weight += self._longest
        return weight
