"""The careful reading of lines that do not plainly stand for a record each: quoted line ends, quotes that never close, broken text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from checker.ingest import csv_lines
from checker.ingest.csv_rejects import reject_table, shown
from checker.ingest.csv_text import is_foreign
from checker.model.words import RECORD_FAULTS

if TYPE_CHECKING:
    import pyarrow as pa


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


@dataclass(frozen=True, slots=True)
class Records:
    """The records of some lines: the text of those that may be whole, with their numbers, and the others; `count` of both."""

    text: bytes
    numbers: pa.Array[Any]
    rejects: pa.Table
    count: int


def repair(text: bytes, shape: Shape, *, inner: str, encoding: str, line: int) -> Records:
    """Read a text of whole lines of the encoding `inner`, on line `line` of the file and below, whose own encoding is called
    `encoding`. Records are counted from 1.

    A quote that opens a value and does not close it on its line goes on over the next lines only where these give one whole
    record and are none themselves; else it costs its own line, and no other.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    lines = csv_lines.split(text)
    zero = pc.greater(pc.count_substring(lines, pattern=b"\0"), 0) if b"\0" in text else csv_lines.none_of(len(lines))
    broken = pc.or_(zero, _is_no_text(text, lines, inner))
    unclosed, folded, _ = _open_quotes(lines, broken, shape, longest=0)
    given = pc.greater(pc.binary_length(lines), 0)
    within, open_ = csv_lines.mask(folded, len(lines)), csv_lines.mask(unclosed, len(lines))
    lost = pc.or_(broken, open_)
    starts = pc.and_not(given, within)
    number = pc.cumulative_sum(pc.cast(starts, pa.int64()))
    return Records(
        csv_lines.join(lines.filter(pc.and_not(pc.or_(given, within), lost))),
        number.filter(pc.and_not(starts, lost)),
        reject_table(
            number.filter(lost),
            shown(csv_lines.those(lines, lost), inner),
            _whys(open_, zero, encoding, line).filter(lost),
        ),
        pc.sum(pc.cast(starts, pa.int64()), min_count=0).as_py(),
    )


def _whys(unclosed: pa.Array[Any], zero: pa.Array[Any], encoding: str, line: int) -> pa.Array[Any]:
    """Of each line why it is no record, where it is none; of a quote the line of the file."""
    import pyarrow as pa
    import pyarrow.compute as pc

    before, after = RECORD_FAULTS["quote"].split("{line}")
    places = pa.array(range(line, line + len(unclosed)), pa.int64()).cast(pa.string())
    quote = pc.binary_join_element_wise(before, places, after, "")
    other = pc.if_else(zero, RECORD_FAULTS["zero"], RECORD_FAULTS["encoding"].format(encoding=encoding))
    return pc.if_else(unclosed, quote, other)


def settled(text: bytes, shape: Shape, *, inner: str, longest: int) -> int:
    """How many lines of a text that goes on can be told apart by themselves: those behind may be the beginning of a record.

    These are no longer than `longest` bytes together.
    """
    lines = csv_lines.split(text)
    return _open_quotes(lines, _is_no_text(text, lines, inner), shape, longest)[2]


def settled_behind(text: bytes, shape: Shape, *, inner: str, longest: int) -> int | None:
    """The same of whole lines that begin anywhere, even within a record; None where they do not tell by themselves.

    No record goes from a line with an odd number of quotes beyond the next one: where such two are none, the second begins one.
    """
    import pyarrow.compute as pc

    lines = csv_lines.split(text)
    broken = _is_no_text(text, lines, inner)
    odd = _odd(pc.count_substring(lines, pattern=b'"'))
    fits = _fitting(lines, odd, range(len(odd) - 1), broken, shape)
    start = next((place for place, fit in zip(odd[1:], fits, strict=False) if not fit), None)
    if start is None:
        return None
    return start + _open_quotes(lines.slice(start), broken.slice(start), shape, longest)[2]


def _is_no_text(text: bytes, lines: pa.Array[Any], encoding: str) -> pa.Array[Any]:
    """Of each line, whether it is not of the encoding."""
    import pyarrow.compute as pc

    if encoding == "gb18030":
        return pc.or_(pc.invert(csv_lines.consists_of(lines, csv_lines.GB18030)), is_foreign(lines))
    if csv_lines.is_utf8(text):
        return csv_lines.none_of(len(lines))
    return pc.invert(csv_lines.consists_of(lines, csv_lines.UTF8))


def _open_quotes(
    lines: pa.Array[Any], broken: pa.Array[Any], shape: Shape, longest: int
) -> tuple[list[int], list[int], int]:
    """The lines with a quote that never closes, the lines that go on within a record, and how many lines are told apart so far:
    all but those, at most `longest` bytes, that may go on behind the last one.
    """
    import pyarrow.compute as pc

    quotes = pc.count_substring(lines, pattern=b'"')
    odd = _odd(quotes)
    bare = pc.equal(quotes, 0)
    plain = pc.indices_nonzero(bare)
    right = pc.equal(pc.count_substring(lines.take(plain), pattern=shape.separator), shape.columns - 1)
    whole = plain.filter(right).to_pylist()
    quoted = pc.indices_nonzero(pc.invert(bare))
    told = csv_lines.those(lines, pc.invert(bare))
    closed = _closed(told, pc.equal(quotes.filter(pc.invert(bare)), 1), shape)
    whole = sorted([*whole, *quoted.filter(closed).filter(has_columns(told.filter(closed), shape)).to_pylist()])
    opening = quoted.filter(pc.and_not(pc.invert(closed), broken.take(quoted))).to_pylist()
    # Over a line that is a record none goes: where odd lines are rare, few pairs are left.
    near = [
        place
        for place, (first, last) in enumerate(pairwise(odd))
        if (after := bisect_right(whole, first)) == len(whole) or whole[after] >= last
    ]
    fits = _fitting(lines, odd, near, broken, shape)
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
            if record == len(lines) and 0 < _size(lines, place) <= longest:
                return unclosed, folded, place
            unclosed.append(place)
            continue
        last = odd[at]
        # A last line that is a record itself is one, but behind a quote that opens the first value it always looks like one.
        if fits[at - 1] and (record > last or (record == last and lines[place].as_py().startswith(b'"'))):
            folded.extend(range(place + 1, last + 1))
            free = last + 1
        else:
            unclosed.append(place)
    return unclosed, folded, len(lines)


def _closed(lines: pa.Array[Any], single: pa.Array[Any], shape: Shape) -> pa.Array[Any]:
    """Of lines with quotes, whether each quote that opens a value closes it; a `single` one does not, and its place tells that it opens one."""
    import pyarrow.compute as pc

    opens = rb"(?:\A|" + re.escape(shape.separator) + rb")\""
    closed = pc.invert(csv_lines.matches(csv_lines.those(lines, single), opens))
    others = csv_lines.matches(csv_lines.those(lines, pc.invert(single)), rb"\A" + shape.plain + rb"\z")
    return pc.replace_with_mask(pc.replace_with_mask(single, single, closed), pc.invert(single), others)


def _odd(quotes: pa.Array[Any]) -> list[int]:
    """The lines with an odd number of quotes."""
    import pyarrow.compute as pc

    return csv_lines.places(pc.equal(pc.bit_wise_and(quotes, 1), 1))


def _fitting(
    lines: pa.Array[Any], odd: Sequence[int], asked: Sequence[int], broken: pa.Array[Any], shape: Shape
) -> Sequence[bool]:
    """Of each of the `odd` lines, whether it gives one whole record together with all up to the next one; only those `asked` may."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not asked:
        return [False] * len(odd)
    # The last line begins within quotes: cheaper than the whole record, its first one tells nearly always that it closes no value.
    closes = rb"\A(?:[^\"]|\"\")*\"(?:" + re.escape(shape.separator) + rb"|\z)"
    behind = csv_lines.mask([odd[place + 1] for place in asked], len(lines))
    may_close = csv_lines.matches(csv_lines.those(lines, behind), closes).to_pylist()
    asked = [place for place, may in zip(asked, may_close, strict=True) if may]
    if not asked:
        return [False] * len(odd)
    between = pa.ListArray.from_arrays(pa.array(odd, pa.int32()), lines).take(pa.array(asked, pa.int32()))
    firsts, lasts = (pa.array([odd[place + further] for place in asked]) for further in (0, 1))
    before = pc.binary_join(between, b"\n")
    together = pc.binary_join_element_wise(before, lines.take(lasts), pa.scalar(b"\n", pa.binary()))
    count = pc.cumulative_sum(pc.cast(broken, pa.int64()))
    same = pc.equal(count.take(firsts), count.take(lasts))
    fit = pc.and_(csv_lines.matches(together, rb"\A" + shape.folded + rb"\z"), same)
    right = has_columns(together.filter(fit), shape)
    places = {asked[place] for place in pc.indices_nonzero(fit).filter(right).to_pylist()}
    return [place in places for place in range(len(odd))]


def has_columns(records: pa.Array[Any], shape: Shape) -> pa.Array[Any]:
    """Of each record, whether it has as many columns as it should; what stands within quotes does not count."""
    import pyarrow.compute as pc

    bare = pc.replace_substring_regex(records, pattern=rb'"(?:[^"]|"")*"', replacement=b"")
    return pc.equal(pc.count_substring(bare, pattern=shape.separator), shape.columns - 1)


def _size(lines: pa.Array[Any], place: int) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.binary_length(lines.slice(place)), min_count=0).as_py())
