"""Lines of bytes as columns: many lines are split, matched and put together again at once, outside the interpreter's lock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

UTF8 = (
    rb"[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
"""One character of UTF-8, as a pattern over bytes."""
GB18030 = rb"[\x00-\x80]|[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x81-\xfe][0-9][\x81-\xfe][0-9]"
"""One character of GB18030 (and of GBK and GB2312, which it holds)."""


def split(text: bytes) -> pa.Array[Any]:
    """The lines of a text whose last line ends with a line end, or not; without their ends."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.split_pattern(pa.array([text.removesuffix(b"\n")], pa.binary()), pattern=b"\n").flatten()


def join(lines: pa.Array[Any]) -> bytes:
    """The text of these lines, each with its end; nothing where there are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(lines):
        return b""
    joined: bytes = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), b"\n")[0].as_py()
    return joined + b"\n"


def those(lines: pa.Array[Any], mask: pa.Array[Any]) -> pa.Array[Any]:
    """The lines of a mask; where they are all of those from some line on, as of a file that is broken throughout, nothing is copied."""
    import pyarrow.compute as pc

    first = pc.index(mask, value=True).as_py()
    behind = mask.slice(max(first, 0))
    return lines.slice(first) if first >= 0 and pc.all(behind).as_py() else lines.filter(mask)


def places(mask: pa.Array[Any]) -> list[int]:
    """Where a mask is TRUE."""
    import pyarrow.compute as pc

    return list(pc.indices_nonzero(mask).to_pylist())


def mask(places: Iterable[int], length: int) -> pa.Array[Any]:
    """TRUE at these places."""
    import pyarrow as pa

    marks = bytearray(length)
    for place in places:
        marks[place] = 1
    return pa.Array.from_buffers(pa.int8(), length, [None, pa.py_buffer(bytes(marks))]).cast(pa.bool_())


def none_of(length: int) -> pa.Array[Any]:
    """FALSE everywhere."""
    import pyarrow as pa

    return pa.repeat(pa.scalar(value=False), length)


def behind(text: bytes, count: int) -> bytes:
    """What stands behind so many lines of a text."""
    return b"" if count == text.count(b"\n") else join(split(text).slice(count))


def matches(lines: pa.Array[Any], pattern: bytes) -> pa.Array[Any]:
    """Of each line, whether the pattern is found in it; in time that grows with its length alone (RE2)."""
    import pyarrow.compute as pc

    return pc.match_substring_regex(lines, pattern=pattern)


def consists_of(lines: pa.Array[Any], character: bytes) -> pa.Array[Any]:
    """Of each line, whether it consists of such characters."""
    return matches(lines, rb"\A(?:" + character + rb")*\z")


def matches_whole(text: bytes, pattern: bytes) -> bool:
    """Whether the pattern is found in the text, taken as one."""
    import pyarrow as pa

    return bool(matches(pa.array([text], pa.binary()), pattern)[0].as_py())


def is_utf8(text: bytes) -> bool:
    """Whether all of a text is UTF-8; nothing is copied."""
    import pyarrow as pa

    ends = len(text)
    offsets = pa.py_buffer((0).to_bytes(8, "little") + ends.to_bytes(8, "little"))
    try:
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
