"""Headers to canonical columns: which header of a source feeds which column, and the SQL expression that reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from checker.ingest.personal import shown_headers
from checker.ingest.spellings import CHINA
from checker.ingest.value_sql import (
    MAY_FAIL,
    NOT_READ,
    NUMBER_TYPE,
    SQL_TYPES,
    USUAL,
    clean_text,
    clean_value,
    given_time,
    in_calendar,
    not_given,
    read_text,
    read_usual,
)
from checker.model import sqltext
from checker.model.errors import InputError
from checker.model.schema import Column, Kind, normal_header

FLOATS = {"DOUBLE": 1 << 53, "FLOAT": 1 << 24}
"""Floats, and below which number every whole one has a float of its own."""
EXACT = FLOATS["DOUBLE"]
INSTANT, UNTOLD = "INT96 INSTANT", "INT96"
"""Types of times in the old form of Parquet (INT96): instants in UTC, or nobody knows whether."""


@dataclass(frozen=True, slots=True)
class Usual:
    """All texts of a header are written as a kind in the usual way (checker.ingest.usual): the words that occur, of kinds that are words, and
    those that stand for NULL.
    """

    words: frozenset[str] = frozenset()
    nulls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """One header of a source as it stands in the file, with its DuckDB type; `clean` where its texts are cleaned already.

    `usual` are the kinds as which all its texts are written in the usual way.
    """

    text: str
    type: str
    clean: bool = False
    usual: Mapping[Kind, Usual] = field(default_factory=dict, compare=False)

    @property
    def is_text(self) -> bool:
        """True where values arrive as text and need reading."""
        return self.type.upper() in ("VARCHAR", "JSON")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The headers that somebody named for a column, in the order in which they count: by `map` (--map) or in a `layout`."""

    headers: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class HeaderMap:
    """The headers of one source that feed each canonical column, in the order in which they count; `named` are the columns of which
    somebody said which they are, and how (see Chosen).
    """

    columns: Mapping[str, Column]
    found: Mapping[str, tuple[Header, ...]]
    fallback: Mapping[str, tuple[Header, ...]]
    named: Mapping[str, str] = field(default_factory=dict)

    def has(self, column: str) -> bool:
        """True where some header feeds the column."""
        return bool(self.found.get(column) or self.fallback.get(column))


def map_headers(
    headers: Sequence[Header], columns: Mapping[str, Column], forced: Mapping[str, Chosen], *, source: str
) -> HeaderMap:
    """Find the headers that feed each column. `forced` maps a column to the headers that were named for it.

    Raises InputError where the same header stands twice.
    """
    by_name: dict[str, Header] = {}
    for place, header in enumerate(headers):
        key = normal_header(header.text)
        if key in by_name:
            told = shown_headers(each.text for each in headers)[place]
            raise InputError(f"{source}：表头“{told}”出现了两次，请只保留一列（header appears twice: keep one）")
        by_name[key] = header
    found: dict[str, tuple[Header, ...]] = {}
    fallback: dict[str, tuple[Header, ...]] = {}
    named: dict[str, str] = {}
    for column in columns.values():
        chosen = forced.get(column.name)
        if chosen and (present := _present(by_name, chosen.headers)):
            named[column.name] = chosen.by
            found[column.name] = present
            # A layout tells what was found, the fallback left out; who writes --map means this header and no other.
            others = _present(by_name, column.fallback) if chosen.by == "layout" else ()
            fallback[column.name] = tuple(header for header in others if header not in present)
            continue
        found[column.name] = _present(by_name, (column.name, *column.headers))
        fallback[column.name] = _present(by_name, column.fallback)
    return HeaderMap(columns, found, fallback, named)


def parse_map_options(options: Iterable[str], columns: Mapping[str, Column]) -> dict[str, Chosen]:
    """Read `--map COLUMN=HEADER` options.

    Raises InputError for an unknown column, a missing `=`, or two options for one column.
    """
    forced: dict[str, Chosen] = {}
    for option in options:
        column, equals, header = option.partition("=")
        column = column.strip()
        if not equals or not header.strip():
            raise InputError(
                f"--map {option}：写法应为 --map 列名=表头，例如 --map item_code=药品编码（write COLUMN=HEADER）"
            )
        if column not in columns:
            near = get_close_matches(column, list(columns), 3, 0.4)
            hint = (
                f"，是否指 {'、'.join(near)}"
                if near
                else "，常用的列：item_code、service_time、patient_sex、patient_birth_date、quantity、amount"
            )
            raise InputError(f"--map {option}：没有名为“{column}”的列{hint}（unknown column）")
        if column in forced:
            raise InputError(
                f"--map：列 {column} 指定了两次（{forced[column].headers[0]}、{header}），请只保留一个（mapped twice）"
            )
        forced[column] = Chosen((header.strip(),), "map")
    return forced


def _present(by_name: Mapping[str, Header], names: Iterable[str]) -> tuple[Header, ...]:
    return tuple(dict.fromkeys(by_name[key] for text in names if (key := normal_header(text)) in by_name))


# ------------------------------------------------------------------------------------------------ expressions


def raw_text(header: Header, kind: Kind) -> str:
    """SQL for the cleaned text of a header that holds values of a kind; NULL words to NULL."""
    value = sqltext.name(header.text)
    if header.clean:
        return value
    if kind in header.usual:
        given = [f"{value} <> {sqltext.text(word)}" for word in header.usual[kind].nulls]
        return f"CASE WHEN {' AND '.join(given)} THEN {value} END" if given else value
    if header.is_text:
        return clean_text(value) if kind in NOT_READ else clean_value(value, kind)
    # Floats and wide decimals stand for whole numbers where a column has NULLs, or came from Oracle.
    if header.type.upper() in FLOATS:
        # Of greater ones the last digits are none that anybody wrote.
        return (
            f"CASE WHEN {value} = floor({value}) THEN CASE WHEN abs({value}) < {FLOATS[header.type.upper()]} THEN printf('%.0f', {_typed(header)}) "
            f"ELSE {inexact_text(_typed(header))} END ELSE CAST({_typed(header)} AS VARCHAR) END"
        )
    return f"regexp_replace(CAST({value} AS VARCHAR), '\\.0+$', '')"


def inexact_text(number: str) -> str:
    """SQL of a number of which digits may be lost, as spreadsheets write it: 1.23e+17."""
    return f"regexp_replace(printf('%.15e', {number}), '\\.?0*e', 'e')"


def _typed(header: Header) -> str:
    """SQL of a value that is no text; what is not a number is none."""
    value = sqltext.name(header.text)
    if header.type == INSTANT:
        return f"({value} + INTERVAL {CHINA} HOUR)"
    return f"CASE WHEN NOT isnan({value}) THEN {value} END" if header.type.upper() in FLOATS else value


def _is_time(header: Header) -> bool:
    return header.type == INSTANT or header.type.upper().startswith(("TIMESTAMP", "DATE"))


def first_text(headers: Sequence[Header], kind: Kind) -> str:
    """SQL for the first non-empty cleaned text among headers that hold values of a kind; NULL where there are none."""
    if not headers:
        return "CAST(NULL AS VARCHAR)"
    texts = [raw_text(header, kind) for header in headers]
    if len(texts) > 1 and kind in (Kind.TIME, Kind.DATE):
        # A date that stands for none must not take the place of one that is given in the next column.
        texts = [
            text if kind in header.usual else f"CASE WHEN NOT {not_given(text, kind)} THEN {text} END"
            for header, text in zip(headers, texts, strict=True)
        ]
    return f"coalesce({', '.join(texts)})" if len(texts) > 1 else texts[0]


def usual_words(headers: Sequence[Header], kind: Kind) -> frozenset[str] | None:
    """Where all texts of the headers are written in the usual way, those that occur, of words; else None."""
    if not headers or not all(kind in header.usual for header in headers):
        return None
    return frozenset().union(*(header.usual[kind].words for header in headers))


def plain_text(headers: Sequence[Header], kind: Kind) -> str:
    """SQL for the first non-empty cleaned text; the usual codes of the kind pass without being cleaned."""
    if len(headers) != 1 or not headers[0].is_text or kind not in USUAL or kind in headers[0].usual:
        return first_text(headers, kind)
    raw = sqltext.name(headers[0].text)
    return f"CASE WHEN {raw} IN ({sqltext.texts(USUAL[kind])}) THEN {raw} ELSE {first_text(headers, kind)} END"


def is_given(headers: Sequence[Header], kind: Kind) -> str:
    """SQL boolean: some header has a value; a date that stands for none is none."""
    is_date = kind in (Kind.TIME, Kind.DATE)
    if len(headers) == 1 and not headers[0].is_text:
        value = _typed(headers[0])
        return (
            f"({value} IS NOT NULL)" if not is_date else f"({value} IS NOT NULL AND NOT {_stands_for_none(headers[0])})"
        )
    value = first_text(headers, kind)
    is_date &= usual_words(headers, kind) is None
    return f"({value} IS NOT NULL AND NOT {not_given(value, kind)})" if is_date else f"({value} IS NOT NULL)"


def _stands_for_none(header: Header) -> str:
    """SQL boolean: a value that is no text is a date that stands for none."""
    if _is_time(header):
        return f"({_in_calendar(header)} AND ({_read_typed(header, Kind.TIME)}) IS NULL)"
    return not_given(raw_text(header, Kind.TIME), Kind.TIME)


def read_column(mapping: HeaderMap, name: str) -> str:
    """SQL that reads a canonical column of its kind from the first non-empty header; NULL where it cannot be read."""
    headers = mapping.found.get(name, ())
    return read_headers(headers, mapping.columns[name].kind)


def read_headers(headers: Sequence[Header], kind: Kind) -> str:
    """SQL that reads the first non-empty of the headers as `kind`; unreadable text gives NULL."""
    if not headers:
        return f"CAST(NULL AS {SQL_TYPES[kind]})"
    if (
        len(headers) == 1
        and not headers[0].is_text
        and kind in (Kind.TIME, Kind.DATE, Kind.NUMBER, Kind.AGE, Kind.BOOL)
    ):
        return _read_typed(headers[0], kind)
    if (words := usual_words(headers, kind)) is not None:
        return read_usual(first_text(headers, kind), kind, words)
    slow = read_text(first_text(headers, kind), kind)
    if len(headers) != 1 or not headers[0].is_text or kind not in USUAL:
        return slow
    raw = sqltext.name(headers[0].text)
    usual = " ".join(f"WHEN {raw} = '{code}' THEN {meaning}" for code, meaning in USUAL[kind].items())
    return f"CASE WHEN {raw} IS NULL THEN NULL {usual} ELSE {slow} END"


def unreadable(headers: Sequence[Header], kind: Kind) -> str:
    """SQL boolean: the first non-empty value is present but cannot be read as `kind`."""
    if not headers or kind in NOT_READ:
        return "FALSE"
    if len(headers) == 1 and not headers[0].is_text:
        value = _typed(headers[0])
        if kind in (Kind.TIME, Kind.DATE) and _is_time(headers[0]):
            return f"({value} IS NOT NULL AND NOT {_in_calendar(headers[0])})"
        if kind is Kind.NUMBER and always_fits(headers[0].type):
            return "FALSE"
        return f"({value} IS NOT NULL AND ({read_headers(headers, kind)}) IS NULL AND NOT {not_given(raw_text(headers[0], kind), kind)})"
    source = first_text(headers, kind)
    if usual_words(headers, kind) is not None:
        return f"({source} IS NOT NULL AND ({read_headers(headers, kind)}) IS NULL)" if kind in MAY_FAIL else "FALSE"
    slow = f"({source} IS NOT NULL AND ({read_text(source, kind)}) IS NULL AND NOT {not_given(source, kind)})"
    if len(headers) != 1 or kind not in USUAL:
        return slow
    raw = sqltext.name(headers[0].text)
    return f"CASE WHEN {raw} IS NULL OR {raw} IN ({sqltext.texts(USUAL[kind])}) THEN FALSE ELSE {slow} END"


def may_be_odd(headers: Sequence[Header], kind: Kind) -> str:
    """SQL boolean, told by the columns' statistics: a value may be spelt otherwise than nearly all are."""
    if len(headers) != 1 or not headers[0].is_text or kind not in USUAL:
        return "TRUE"
    raw = sqltext.name(headers[0].text)
    return f"({raw} IS NOT NULL AND {raw} NOT IN ({sqltext.texts(USUAL[kind])}))"


def _read_typed(header: Header, kind: Kind) -> str:
    value = _typed(header)
    kind_of_type = header.type.upper()
    if kind in (Kind.TIME, Kind.DATE):
        if not _is_time(header):
            return read_text(raw_text(header, kind), kind)
        given = given_time(f"TRY_CAST({_wall_clock(header)} AS TIMESTAMP)")
        return given if kind is Kind.TIME else f"CAST({given} AS DATE)"
    if kind is Kind.NUMBER:
        return f"{'' if always_fits(header.type) else 'TRY_'}CAST({value} AS {NUMBER_TYPE})"
    if kind is Kind.AGE and kind_of_type != "BOOLEAN":
        return f"CASE WHEN {value} < 0 THEN '-1' ELSE CAST(TRY_CAST(floor({value}) AS BIGINT) AS VARCHAR) END"
    if kind_of_type == "BOOLEAN" and kind is not Kind.AGE:
        return value
    return read_text(raw_text(header, kind), kind)


def _wall_clock(header: Header) -> str:
    """SQL of a date or time as the clock in China showed it."""
    if header.type.upper().startswith("TIMESTAMP WITH TIME ZONE"):
        # An instant without a wall clock: China has one time zone. Of instants beyond all calendars there is no clock.
        some = f"{_typed(header)} BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00+00' AND TIMESTAMPTZ '9999-12-31 23:59:59+00'"
        return f"CASE WHEN {some} THEN timezone('Asia/Shanghai', {_typed(header)}) END"
    return _typed(header)


def _in_calendar(header: Header) -> str:
    """SQL boolean: a date or time is of the years 1 to 9999; others, and infinity, are what broken programs write."""
    if header.type.upper() == "DATE":
        return f"({_typed(header)} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31')"
    return f"coalesce({in_calendar(f'TRY_CAST({_wall_clock(header)} AS TIMESTAMP)')}, FALSE)"


def always_fits(type_: str) -> bool:
    """True where every value of a DuckDB type is a number of NUMBER_TYPE."""
    upper = type_.upper()
    if upper in ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"):
        return True
    if not upper.startswith("DECIMAL("):
        return False
    width, _, scale = upper.removeprefix("DECIMAL(").rstrip(")").partition(",")
    return int(width) - int(scale) <= 14
