"""A text file as a stream with line feeds, whatever its encoding, line ends and compression; told from its body."""

from __future__ import annotations

import codecs
import lzma
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.ingest import csv_lines
from checker.ingest.file_kinds import PACKED
from checker.ingest.sources import first_line
from checker.model.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 3 << 20
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_UTF32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_SIGNS = frozenset("µμ×°±·αβγδ²³÷")
"""Characters of two bytes in UTF-8 that stand in medical texts; any other such pair is rather one Chinese character of GB18030."""
_SAMPLE = 1 << 16
_CHINESE_PAIR = rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){2}"
_DOUBLE = re.compile(rb"[\x81-\xfe]([\x40-\x7e\x80-\xfe])")
_LOW_SHARE = 0.2
"""Big5 has a low second byte in four characters of ten, GB18030 in rare ones only."""


class TextFile:
    """The text of a file, chunk by chunk: iterate once, then `encoding`, `marked`, `compressed` and `line_end` tell what it was.
    `share` is how much of the file was read so far, from 0 to 1.

    UTF-16 becomes UTF-8; UTF-8 and GB18030 stay as they lie, for in both line ends, quotes and the usual separators are their own
    bytes and no part of another character. Nothing is checked: bytes that are no text go on as bytes that are no text.
    Raises InputError for a file that is damaged or of an encoding that is not read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.encoding = "utf-8"
        self.marked = False
        self.compressed: str | None = None
        self.line_end = "lf"
        self.share = 0.0

    @property
    def inner(self) -> str:
        """The encoding of the chunks."""
        return "gb18030" if self.encoding == "gb18030" else "utf-8"

    def __iter__(self) -> Iterator[bytes]:
        held = b""
        for number, chunk in enumerate(self._decoded()):
            text = held + chunk
            if number == 0:
                self.line_end = _line_end(text)
            # A carriage return at the end may be the first half of a line end.
            held = b"\r" if text.endswith(b"\r") else b""
            text = text[: len(text) - len(held)]
            yield text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text
        if held:
            yield b"\n"

    def _decoded(self) -> Iterator[bytes]:
        chunks = self._chunks()
        first = next(chunks, b"")
        if first.startswith(_UTF32):
            raise InputError(
                f"{self.path}：文件是 UTF-32 编码，请另存为 UTF-8 后再试（this is UTF-32: save it as UTF-8）"
            )
        for mark, encoding in MARKS:
            if first.startswith(mark):
                self.encoding, self.marked, first = encoding, True, first[len(mark) :]
                break
        else:
            self.encoding = _wide(self.path, first) or self.encoding
        everything = chain([first], chunks)
        return self._from_utf16(everything) if self.encoding.startswith("utf-16") else self._as_it_lies(everything)

    def _chunks(self) -> Iterator[bytes]:
        """The bytes of the file, those within where it is compressed."""
        size = max(self.path.stat().st_size, 1)
        with self.path.open("rb") as stream:
            start = stream.read(max(map(len, PACKED)))
            self.compressed = next((name for sign, name in PACKED.items() if start.startswith(sign)), None)
            if not self.compressed:
                stream.seek(0)
                while chunk := stream.read(CHUNK):
                    self.share = stream.tell() / size
                    yield chunk
                return
        import pyarrow as pa

        with (
            pa.OSFile(str(self.path)) as file,
            lzma.open(file) if self.compressed == "xz" else pa.CompressedInputStream(file, self.compressed) as unpacked,
        ):
            while chunk := _unpack(self.path, unpacked):
                self.share = file.tell() / size
                yield chunk

    def _from_utf16(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)("surrogatepass")
        for chunk in chunks:
            yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
        if decoder.getstate()[0]:
            yield b"\xff"

    def _as_it_lies(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        decided = self.marked
        for chunk in chunks:
            if not decided and not chunk.isascii():
                # The last line may be cut within a character, but at the end of the file. Of one long line the last quote is no half.
                end = chunk.rfind(b"\n") + 1 or chunk.rfind(b'"') + 1
                lines = chunk if len(chunk) < CHUNK else chunk[:end] or chunk
                if not lines.isascii():
                    self.encoding, decided = _body_encoding(self.path, lines), True
            yield chunk


def _unpack(path: Path, stream: pa.CompressedInputStream | lzma.LZMAFile) -> bytes:
    try:
        chunk: bytes = stream.read(CHUNK)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise InputError(
            f"{path}：压缩文件已损坏或不完整，请重新导出或重新传输（damaged or cut compressed file: {first_line(error)}）"
        ) from error
    return chunk


def _line_end(text: bytes) -> str:
    both = text.count(b"\r\n")
    counts = {"lf": text.count(b"\n") - both, "crlf": both, "cr": text.count(b"\r") - both}
    return max(counts, key=lambda kind: counts[kind])


def _wide(path: Path, first: bytes) -> str | None:
    """UTF-16 without a mark has a zero beside every ASCII character; other text has none."""
    half = len(first) // 2
    even, odd = first[0::2].count(0), first[1::2].count(0)
    if odd * 10 > half and even * 100 < half:
        return "utf-16-le"
    if even * 10 > half and odd * 100 < half:
        return "utf-16-be"
    if (even + odd) * 10 > len(first):
        raise InputError(
            f"{path}：文件里有大量空字符（NUL），不是文本文件，请重新导出为 UTF-8 的 CSV（full of NUL bytes, not a text file: export it again）"
        )
    return None


def _body_encoding(path: Path, text: bytes) -> str:
    """UTF-8 or GB18030, whichever more of the lines are that are not plain ASCII.

    Raises InputError for what is neither, and for Big5.
    """
    import pyarrow.compute as pc

    lines = csv_lines.split(text.replace(b"\r", b"\n"))
    lines = lines.filter(csv_lines.matches(lines, rb"[\x80-\xff]"))
    utf8, gb18030 = csv_lines.consists_of(lines, csv_lines.UTF8), csv_lines.consists_of(lines, csv_lines.GB18030)
    if max(_count(utf8), _count(gb18030)) * 2 < len(lines):
        raise InputError(
            f"{path}：文件不是 UTF-8、GB18030 或 UTF-16 编码，请另存为 UTF-8 后再试（neither UTF-8, GB18030 nor UTF-16: save it as UTF-8）"
        )
    # Much UTF-8 could be GB18030 as well, to read as rubbish; lines that can be one alone tell.
    surely_utf8, surely_gb18030 = _count(is_foreign(lines)), _count(pc.and_not(gb18030, utf8))
    if surely_utf8 > surely_gb18030 or (surely_utf8 == surely_gb18030 and _reads_as_utf8(text)):
        return "utf-8"
    sample = text[:_SAMPLE]
    seconds = _DOUBLE.findall(sample)
    if sum(second < b"\x80" for second in seconds) > _LOW_SHARE * len(seconds):
        shown = sample.partition(b"\n")[0].decode("big5", "replace").strip()[:40]
        raise InputError(
            f"{path}：文件编码像是 BIG5（第一行读作“{shown}”），请另存为 UTF-8 后再试（this file looks like BIG5: save it as UTF-8）"
        )
    return "gb18030"


def _count(mask: pa.Array[Any]) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(mask, min_count=0).as_py())


def _reads_as_utf8(text: bytes) -> bool:
    """Whether text that could be both has in UTF-8 the characters that one would expect."""
    shown = {sign for sign in text[:_SAMPLE].decode("utf-8", "ignore") if sign > "\x7f"}
    return any(sign >= "\u2e80" for sign in shown) or shown <= _SIGNS


def to_utf8(text: bytes) -> bytes:
    """Whole lines of GB18030 in UTF-8. What cannot be decoded passes as it is: it is no UTF-8 either."""
    return spoil_utf8(text).decode("gb18030", "surrogateescape").encode("utf-8", "surrogateescape")


def spoil_utf8(text: bytes) -> bytes:
    """The same lines of GB18030, but those that are UTF-8 with a byte that is neither: many of them would decode, to rubbish."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lines = csv_lines.split(text)
    strange = is_foreign(lines)
    if not pc.any(strange, min_count=0).as_py():
        return text
    end, nothing = (pa.scalar(value, pa.binary()) for value in (b"\xff", b""))
    return csv_lines.join(pc.if_else(strange, pc.binary_join_element_wise(lines, end, nothing), lines))


def is_foreign(values: pa.Array[Any]) -> pa.Array[Any]:
    """Of texts of a file of GB18030, whether each is rather UTF-8."""
    import pyarrow.compute as pc

    return pc.and_(csv_lines.matches(values, _CHINESE_PAIR), csv_lines.consists_of(values, csv_lines.UTF8))
