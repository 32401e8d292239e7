"""The careful reading of lines that do not plainly stand for a record each: quoted line ends, quotes that never close, broken text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.ingest import csv_lines
from checker.ingest.csv_text import is_foreign
from checker.model.words import RECORD_FAULTS

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 200
"""So many characters of a broken record are shown."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a record of a file must be: so many columns, with this byte between them."""

    columns: int
    separator: bytes

    @property
    def plain(self) -> bytes:
        """The pattern of a record on one line, in which each quote that opens a value closes it."""
        return self._pattern(rb"[^\"\n]|\"\"")

    @property
    def folded(self) -> bytes:
        """The pattern of a record that may go on over several lines, within quotes."""
        return self._pattern(rb"[^\"]|\"\"")

    def _pattern(self, within: bytes) -> bytes:
        separator = re.escape(self.separator)
        value = rb"(?:\"(?:" + within + rb")*\"|[^\"\n" + separator + rb"][^\n" + separator + rb"]*)?"
        return value + rb"(?:" + separator + value + rb")*"


class Reject(NamedTuple):
    """A record that is not read: its number in the file, from 1, its beginning, and why (Chinese, as all of rejects.parquet).

    Where one column alone is broken that is named, and the value is its own.
    """

    record: int
    value: str
    why: str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Repaired:
    """Lines read carefully: the text of the records that may be whole, their numbers, the others, how many all are on how many lines.

    The lines behind these may be the beginning of a record that goes on.
    """

    text: bytes
    numbers: pa.Array[Any]
    rejects: Sequence[Reject]
    records: int
    lines: int


def repair(
    text: bytes, shape: Shape, *, inner: str, encoding: str, record: int, line: int, longest: int, final: bool
) -> Repaired:
    """Read a text of whole lines of the encoding `inner`, its first record being number `record` on line `line` of the file, whose
    own encoding is called `encoding`.

    A quote that opens a value and does not close it on its line goes on over the next lines only where these give one whole
    record and are none themselves; else it costs its own line, and no other. Nothing is left over when the text is `final`, or when
    what would be is longer than `longest` bytes.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    lines = csv_lines.split(text)
    zero = _all_false(len(lines))
    if b"\0" in text:
        zero = pc.greater(pc.count_substring(lines, pattern=b"\0"), 0)
    broken = pc.or_(zero, _is_no_text(text, lines, inner))
    unclosed, folded, end = _open_quotes(lines, broken, shape, longest, final=final)
    used, broken = lines.slice(0, end), broken.slice(0, end)
    given = pc.greater(pc.binary_length(used), 0)
    within, open_ = _mask(folded, end), _mask(unclosed, end)
    lost = pc.or_(broken, open_)
    starts = pc.and_not(given, within)
    number = pc.add(pc.cumulative_sum(pc.cast(starts, pa.int64())), record - 1)
    whys = {
        True: RECORD_FAULTS["quote"],
        False: RECORD_FAULTS["encoding"].format(encoding=encoding),
        None: RECORD_FAULTS["zero"],
    }
    kinds = pc.if_else(zero.slice(0, end), None, open_)
    rejects = [
        Reject(place, shown(value, inner), whys[kind].format(line=line + at))
        for place, value, kind, at in zip(
            *(column.filter(lost).to_pylist() for column in (number, pc.binary_slice(used, 0, 4 * SHOWN), kinds)),
            _places(lost),
            strict=True,
        )
    ]
    return Repaired(
        csv_lines.join(used.filter(pc.and_not(pc.or_(given, within), lost))),
        number.filter(pc.and_not(starts, lost)),
        rejects,
        pc.sum(pc.cast(starts, pa.int64()), min_count=0).as_py(),
        end,
    )


def shown(value: bytes, encoding: str = "utf-8") -> str:
    """The beginning of a broken record."""
    return value.decode(encoding, "replace").strip("\r\n")[:SHOWN]


def _is_no_text(text: bytes, lines: pa.Array[Any], encoding: str) -> pa.Array[Any]:
    """Of each line, whether it is not of the encoding."""
    import pyarrow.compute as pc

    if encoding == "gb18030":
        return pc.or_(pc.invert(csv_lines.consists_of(lines, csv_lines.GB18030)), is_foreign(lines))
    if csv_lines.is_utf8(text):
        return _all_false(len(lines))
    return pc.invert(csv_lines.consists_of(lines, csv_lines.UTF8))


def _open_quotes(
    lines: pa.Array[Any], broken: pa.Array[Any], shape: Shape, longest: int, *, final: bool
) -> tuple[list[int], list[int], int]:
    """The lines with a quote that never closes, the lines that go on within a record, and how many lines are told apart so far."""
    import pyarrow.compute as pc

    quotes = pc.count_substring(lines, pattern=b'"')
    odd = _places(pc.equal(pc.bit_wise_and(quotes, 1), 1))
    bare = pc.equal(quotes, 0)
    whole = _places(pc.and_(bare, pc.equal(pc.count_substring(lines, pattern=shape.separator), shape.columns - 1)))
    quoted = pc.indices_nonzero(pc.invert(bare))
    told = lines.take(quoted)
    closed = csv_lines.matches(told, rb"\A" + shape.plain + rb"\z")
    whole = sorted([*whole, *quoted.filter(pc.and_(closed, _has_columns(told, shape))).to_pylist()])
    opening = quoted.filter(pc.and_not(pc.invert(closed), broken.take(quoted))).to_pylist()
    fits = _fitting(lines, odd, broken, shape)
    unclosed: list[int] = []
    folded: list[int] = []
    free = 0
    for place in opening:
        if place < free:
            continue
        at = bisect_right(odd, place)
        if not at or odd[at - 1] != place:
            unclosed.append(place)
            continue
        next_whole = bisect_right(whole, place)
        record = whole[next_whole] if next_whole < len(whole) else len(lines)
        if at == len(odd):
            if record == len(lines) and not final and _size(lines, place) <= longest:
                return unclosed, folded, place
            unclosed.append(place)
            continue
        # A last line that is a record itself is one, but behind a quote that opens the first value it always looks like one.
        last = odd[at]
        first_value = lines[place].as_py().startswith(b'"')
        if fits[at - 1] and (record > last or (record == last and first_value)):
            folded.extend(range(place + 1, last + 1))
            free = last + 1
        else:
            unclosed.append(place)
    return unclosed, folded, len(lines)


def _fitting(lines: pa.Array[Any], odd: Sequence[int], broken: pa.Array[Any], shape: Shape) -> Sequence[bool]:
    """Of each line with an odd number of quotes, whether it gives one whole record together with all up to the next such line."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(odd) < 2:
        return []
    before = pc.binary_join(pa.ListArray.from_arrays(pa.array(odd, pa.int32()), lines), b"\n")
    last = lines.take(pa.array(odd[1:]))
    together = pc.binary_join_element_wise(before, last, pa.scalar(b"\n", pa.binary()))
    fit = pc.and_(csv_lines.matches(together, rb"\A" + shape.folded + rb"\z"), _has_columns(together, shape))
    count = pc.cumulative_sum(pc.cast(broken, pa.int64()))
    same = pc.equal(count.take(pa.array(odd[:-1])), count.take(pa.array(odd[1:])))
    return list(pc.and_(fit, same).to_pylist())


def _has_columns(records: pa.Array[Any], shape: Shape) -> pa.Array[Any]:
    """Of each record, whether it has as many columns as it should; what stands within quotes does not count."""
    import pyarrow.compute as pc

    bare = pc.replace_substring_regex(records, pattern=rb'"(?:[^"]|"")*"', replacement=b"")
    return pc.equal(pc.count_substring(bare, pattern=shape.separator), shape.columns - 1)


def _size(lines: pa.Array[Any], place: int) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.binary_length(lines.slice(place)), min_count=0).as_py())


def _places(mask: pa.Array[Any]) -> list[int]:
    import pyarrow.compute as pc

    return list(pc.indices_nonzero(mask).to_pylist())


def _mask(places: Sequence[int], length: int) -> pa.Array[Any]:
    """TRUE at these places, which rise."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not places:
        return _all_false(length)
    return pc.is_in(pa.array(range(length), pa.int64()), pa.array(places, pa.int64()))


def _all_false(length: int) -> pa.Array[Any]:
    import pyarrow as pa

    return pa.repeat(pa.scalar(value=False), length)
