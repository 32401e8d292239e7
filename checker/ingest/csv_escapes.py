r"""CSV whose quotes within values are written `\"`, as MySQL does (INTO OUTFILE, mysqldump --tab): told from its beginning, and read as doubled ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from checker.ingest import csv_lines
from checker.ingest.csv_dialect import LONGEST_RECORD, Dialect
from checker.ingest.csv_repair import Shape, has_columns

if TYPE_CHECKING:
    import pyarrow as pa

SIGN = rb"\""
_WIDE = rb"[\x81-\xfe](?:[0-9][\x81-\xfe][0-9]|[\x40-\x7e\x80-\xfe])"
"""A character of GB18030 of more bytes than one: the last may be a backslash, which then escapes nothing."""


def is_escaped(start: bytes, dialect: Dialect, inner: str) -> bool:
    r"""Whether a text of the encoding `inner`, which begins so below its header, escapes its quotes by a backslash.

    Some line must be a record only if they are; none may be one only if they are not (`"C:\"`), and no quote may be doubled.
    """
    import pyarrow.compute as pc

    end = start.rfind(b"\n") + 1 or len(start)
    if start.find(SIGN, 0, end) < 0 or dialect.byte != dialect.separator.encode():
        return False
    lines = csv_lines.split(start[:end])
    if inner == "gb18030":
        lines = pc.replace_substring_regex(lines, pattern=_WIDE, replacement=b"x")
    separator = re.escape(dialect.byte)
    bare = pc.replace_substring_regex(lines, pattern=rb"\\.", replacement=b"x")
    if pc.any(csv_lines.matches(bare, rb"[^" + separator + rb"]\"\"|\"\"[^" + separator + rb"]")).as_py():
        return False
    told = pc.match_substring(lines, pattern=SIGN)
    shape = Shape(len(dialect.headers), dialect.byte)
    escaped, plain = _are_records(bare.filter(told), shape), _are_records(lines.filter(told), shape)
    only_escaped, only_plain = (pc.any(pc.and_not(*pair)).as_py() for pair in ((escaped, plain), (plain, escaped)))
    return bool(only_escaped and not only_plain)


def _are_records(lines: pa.Array[Any], shape: Shape) -> pa.Array[Any]:
    """Of each line, whether it is a whole record where quotes are doubled, or none stands within a value."""
    import pyarrow.compute as pc

    return pc.and_(csv_lines.matches(lines, rb"\A" + shape.plain + rb"\z"), has_columns(lines, shape))


def with_doubled_quotes(chunks: Iterable[bytes], dialect: Dialect, inner: str) -> Iterator[bytes]:
    r"""The same text, by whole lines, with `""` for `\"`; `\\`, and a separator or line end behind a backslash, stand for themselves.

    What else stands behind a backslash stays: `\N` is no value.
    """
    escapes = re.compile(
        (_WIDE + rb"|" if inner == "gb18030" else b"") + rb"\\[\\\"\n" + re.escape(dialect.byte) + rb"]"
    )

    def unescaped(found: re.Match[bytes]) -> bytes:
        sign = found[0]
        return b'""' if sign == SIGN else sign[1:] if sign[:1] == b"\\" else sign

    held = b""
    for chunk in chunks:
        held += chunk
        end = held.rfind(b"\n") + 1
        # Of a line that is too long nothing is read.
        end = len(held) if not end and len(held) > LONGEST_RECORD else end
        if end:
            text, held = held[:end], held[end:]
            yield escapes.sub(unescaped, text) if b"\\" in text else text
    yield escapes.sub(unescaped, held)
