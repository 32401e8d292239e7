"""A JSON file as text of UTF-8: what is compressed, or of another encoding, is written anew."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from checker.ingest.archive import MAX_RATIO, RATIO_FROM
from checker.ingest.csv_text import TextFile
from checker.ingest.file_kinds import PACKED
from checker.model.errors import InputError

_CHUNK = 1 << 20
_NO_TEXT = re.compile("[\udc80-\udcff]")
SUBSTITUTE = "\x1a"
"""What stands for bytes that are no text: no JSON may hold it, so that their document is a reject and not another document."""


def as_utf8(place: Path, scratch: Path) -> Path:
    """The file itself where all of it is UTF-8, else `scratch`, to which its text is written.

    Raises InputError for what is damaged, of an encoding that is not read, or unpacks to an absurd size.
    """
    if _is_utf8(place):
        return place
    most = max(RATIO_FROM, MAX_RATIO * place.stat().st_size)
    with scratch.open("w", encoding="utf-8", newline="") as target:
        for text in _texts(TextFile(place)):
            target.write(_NO_TEXT.sub(SUBSTITUTE, text))
            if target.tell() > most:
                raise InputError(
                    f"{place}：解压后超过原来的 {MAX_RATIO} 倍，不像正常数据；如果确是数据，请自行解压后给出文件"
                    "（unpacks to an absurd size: unpack it yourself if it is data）"
                )
    return scratch


def _texts(file: TextFile) -> Iterator[str]:
    """The text of a file, piece by piece; bytes that are none as half characters."""
    decoder = None
    for chunk in file:
        # The encoding is known when the first character comes that is of one.
        if decoder is None and not chunk.isascii():
            decoder = codecs.getincrementaldecoder(file.inner)("surrogateescape")
        yield decoder.decode(chunk) if decoder else chunk.decode("ascii")
    if decoder:
        yield decoder.decode(b"", final=True)


def _is_utf8(place: Path) -> bool:
    """Whether a file can be read as it lies."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with place.open("rb") as stream:
        first = stream.read(_CHUNK)
        # UTF-16 has a zero in each of the first characters.
        if first.startswith(tuple(PACKED)) or b"\0" in first[:4]:
            return False
        try:
            decoder.decode(first)
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
