"""The text behind a CSV header becomes blocks of whole records, each with its number in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checker.ingest import csv_lines
from checker.ingest.csv_dialect import LONGEST_RECORD, Dialect
from checker.ingest.csv_repair import Reject, Shape, repair, shown
from checker.ingest.csv_text import TextFile, to_utf8
from checker.model.words import ENCODING_NAMES, RECORD_FAULTS

if TYPE_CHECKING:
    import pyarrow as pa


_BLANK_LINES = re.compile(rb"\n{2,}")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records as text of an encoding, each of which any reader of CSV takes for one, and their numbers; and those not read.

    UTF-8 is whole; GB18030 may hold bytes that are no text.
    """

    text: bytes
    encoding: str
    numbers: pa.Array[Any]
    rejects: Sequence[Reject]


class Cutter:
    """Cuts a text into blocks. `records` counts what was found, read or not; `lines` the lines of the file passed so far."""

    def __init__(self, dialect: Dialect, source: TextFile) -> None:
        self.shape = Shape(len(dialect.headers), dialect.byte)
        self.records = 0
        self.lines = dialect.body_line - 1
        self._dialect = dialect
        self._source = source
        self._plain = rb"\A(?:" + self.shape.plain + rb"\n)*\z"

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[Block]:
        """The records of a text that comes in chunks, in order; the rows of notes first, as records that are none."""
        if self._dialect.notes:
            yield self._notes()
        held, too_long = b"", False
        for chunk in chunks:
            begin = 0
            if too_long:
                begin = chunk.find(b"\n") + 1
                too_long = not begin
                if too_long:
                    continue
            end = chunk.rfind(b"\n") + 1
            if end > begin:
                block, rest = self._block(held + memoryview(chunk)[begin:end], final=False)
                held = rest + chunk[end:]
                yield block
                continue
            held += chunk[begin:]
            if len(held) > LONGEST_RECORD:
                yield self._rejected(RECORD_FAULTS["long"], held)
                held, too_long = b"", True
        if held:
            yield self._block(held.removesuffix(b"\n") + b"\n", final=True)[0]

    def _block(self, lines: bytes, *, final: bool) -> tuple[Block, bytes]:
        """The records of these lines, and those of the lines that may be the beginning of one that goes on."""
        import pyarrow as pa

        text, encoding = lines, self._source.inner
        if encoding == "gb18030" and not self._dialect.stands_alone:
            text, encoding = to_utf8(text), "utf-8"
        if (separator := self._dialect.separator.encode()) != self.shape.separator:
            text = text.replace(separator, self.shape.separator)
        if not self._is_plain(text, encoding):
            told = repair(
                text, self.shape, inner=encoding, encoding=ENCODING_NAMES[self._source.encoding],
                record=self.records + 1, line=self.lines + 1, longest=LONGEST_RECORD, final=final,
            )  # fmt: skip
            self.records += told.records
            self.lines += told.lines
            return Block(told.text, encoding, told.numbers, told.rejects), csv_lines.behind(lines, told.lines)
        records = text.count(b"\n")
        self.lines += records
        if text.startswith(b"\n") or csv_lines.matches_whole(text, rb"\n\n"):
            text = _BLANK_LINES.sub(b"\n", text).removeprefix(b"\n")
            records = text.count(b"\n")
        first = self.records + 1
        self.records += records
        return Block(text, encoding, pa.array(range(first, self.records + 1), pa.int64()), ()), b""

    def _is_plain(self, text: bytes, encoding: str) -> bool:
        """Whether each line is text (of UTF-8), and stands for itself: no quote goes on over its end."""
        if b"\0" in text or (encoding == "utf-8" and not csv_lines.is_utf8(text)):
            return False
        return b'"' not in text or csv_lines.matches_whole(text, self._plain)

    def _notes(self) -> Block:
        import pyarrow as pa

        rejects = [
            Reject(number, shown(note.encode()), RECORD_FAULTS["note"])
            for number, note in enumerate(self._dialect.notes, 1)
        ]
        self.records += len(rejects)
        return Block(b"", "utf-8", pa.array([], pa.int64()), rejects)

    def _rejected(self, why: str, text: bytes) -> Block:
        import pyarrow as pa

        self.records += 1
        self.lines += 1
        return Block(
            b"", "utf-8", pa.array([], pa.int64()), [Reject(self.records, shown(text[:1000], self._source.inner), why)]
        )
