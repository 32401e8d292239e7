"""The text behind a CSV header is cut into blocks of whole records, and the records of a block are told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from checker.ingest import csv_lines
from checker.ingest.csv_dialect import LONGEST_RECORD, Dialect
from checker.ingest.csv_rejects import reject_schema, reject_table, shown
from checker.ingest.csv_repair import Records, Shape, repair, settled, settled_behind
from checker.ingest.csv_text import TextFile, to_utf8
from checker.model.words import ENCODING_NAMES, RECORD_FAULTS

BARRIER_LINES = 1000
"""So many lines at the end of a block are asked whether a record may go on over them."""
_TAIL_LINES = (50, BARRIER_LINES)
"""So many of them are asked together, the fewest first: they nearly always tell."""
LONGEST_SHOWN = 1000
"""So many bytes of a line that is too long are kept, to be shown."""
_BLANK_LINES = re.compile(rb"\n{2,}")


@dataclass(frozen=True, slots=True)
class Block:
    """So many lines of a file from line `line` on, as they lie, which no record goes beyond; `why` is of lines that are no records."""

    text: bytes
    encoding: str
    line: int
    lines: int
    why: str = ""


class Cutter:
    """Cuts a text into blocks, and tells the records of a block apart; the first from one thread, the second from many."""

    def __init__(self, dialect: Dialect, source: TextFile) -> None:
        self._dialect = dialect
        self._source = source
        self._line = dialect.body_line
        self._separator = dialect.separator.encode()
        self._shape = Shape(len(dialect.headers), dialect.byte)
        self._plain = rb"\A(?:" + self._shape.plain + rb"\n)*\z"

    def blocks(self, chunks: Iterable[bytes]) -> Iterator[Block]:
        """The lines of a text that comes in chunks, in order; the rows of notes first, as records that are none."""
        if self._dialect.notes:
            notes = "".join(f"{note}\n" for note in self._dialect.notes)
            yield Block(notes.encode(), "utf-8", self._line, len(self._dialect.notes), RECORD_FAULTS["note"])
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
                text = held + memoryview(chunk)[begin:end]
                cut = self._safe_end(text)
                if cut:
                    yield self._block(text[:cut])
                held = text[cut:] + chunk[end:]
                continue
            held += chunk[begin:]
            if len(held) > LONGEST_RECORD:
                yield Block(held[:LONGEST_SHOWN], self._source.inner, self._line, 1, RECORD_FAULTS["long"])
                self._line += 1
                held, too_long = b"", True
        if held:
            yield self._block(held.removesuffix(b"\n") + b"\n")

    def records(self, block: Block) -> tuple[Records, str]:
        """The records of a block, counted from 1, and the encoding of their text."""
        import pyarrow as pa

        if block.why:
            lines = csv_lines.split(block.text)
            numbers = pa.array(range(1, len(lines) + 1), pa.int64())
            rejects = reject_table(numbers, shown(lines, block.encoding), block.why)
            return Records(b"", numbers.slice(0, 0), rejects, len(lines)), block.encoding
        text, encoding = self._readable(block.text, block.encoding)
        if not self._is_plain(text, encoding):
            name = ENCODING_NAMES[self._source.encoding]
            return repair(text, self._shape, inner=encoding, encoding=name, line=block.line), encoding
        count = block.lines
        if text.startswith(b"\n") or csv_lines.matches_whole(text, rb"\n\n"):
            text = _BLANK_LINES.sub(b"\n", text).removeprefix(b"\n")
            count = text.count(b"\n")
        return Records(text, pa.array(range(1, count + 1), pa.int64()), reject_schema().empty_table(), count), encoding

    def _readable(self, text: bytes, encoding: str) -> tuple[bytes, str]:
        """The same lines with a separator of one byte that is part of no character, and their encoding."""
        if encoding == "gb18030" and not self._dialect.stands_alone:
            text, encoding = to_utf8(text), "utf-8"
        if self._separator != self._shape.separator:
            text = text.replace(self._separator, self._shape.separator)
        return text, encoding

    def _is_plain(self, text: bytes, encoding: str) -> bool:
        """Whether each line is text (of UTF-8), and stands for itself: no quote goes on over its end."""
        if b"\0" in text or (encoding == "utf-8" and not csv_lines.is_utf8(text)):
            return False
        return b'"' not in text or csv_lines.matches_whole(text, self._plain)

    def _safe_end(self, text: bytes) -> int:
        """Where a text of whole lines can be cut: no record goes on behind it."""
        if b'"' not in text:
            return len(text)
        # No record goes on over a line that is one and has no quote.
        end = len(text)
        tails: list[int] = []
        for number in range(1, BARRIER_LINES + 1):
            begin = text.rfind(b"\n", 0, max(end - 1, 0)) + 1
            line = text[begin:end]
            if b'"' not in line and line.count(self._separator) == self._shape.columns - 1:
                return end
            end = begin
            if number in _TAIL_LINES:
                tails.append(begin)
        for begin in tails:
            tail, encoding = self._readable(text[begin:], self._source.inner)
            told = settled_behind(tail, self._shape, inner=encoding, longest=LONGEST_RECORD)
            if told is not None:
                return len(text) - len(csv_lines.behind(text[begin:], told))
        readable, encoding = self._readable(text, self._source.inner)
        if self._is_plain(readable, encoding):
            return len(text)
        lines = settled(readable, self._shape, inner=encoding, longest=LONGEST_RECORD)
        return len(text) - len(csv_lines.behind(text, lines))

    def _block(self, text: bytes) -> Block:
        block = Block(text, self._source.inner, self._line, text.count(b"\n"))
        self._line += block.lines
        return block
