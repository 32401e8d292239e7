"""Headers to canonical columns: which header of a source feeds which column, and the SQL expression that reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from checker.model import sqltext
from checker.model.errors import InputError
from checker.model.schema import NULL_WORDS, Column, Kind, normal_header

BLANKS = " \t\r\n\u3000\u00a0"
TIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S.%f",
    "%Y/%m/%dT%H:%M:%S", "%Y/%m/%dT%H:%M:%S.%f", "%Y/%m/%dT%H:%M", "%Y年%m月%d日", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M",
)  # fmt: skip
COMPACT_FORMATS = (("[0-9]{14}", "%Y%m%d%H%M%S"), ("[0-9]{8}", "%Y%m%d"))
MALE_WORDS = ("1", "男", "男性", "m", "male")
FEMALE_WORDS = ("2", "女", "女性", "f", "female")
UNKNOWN_SEX_WORDS = ("0", "9", "未知", "未说明")
TRUE_WORDS = ("1", "true", "t", "y", "yes", "是")
FALSE_WORDS = ("0", "false", "f", "n", "no", "否")
NUMBER_TYPE = "DECIMAL(18, 4)"
SQL_TYPES = {
    Kind.TEXT: "VARCHAR", Kind.CODE: "VARCHAR", Kind.SEX: "VARCHAR", Kind.DATE: "DATE", Kind.TIME: "TIMESTAMP", Kind.AGE: "BIGINT",
    Kind.NUMBER: NUMBER_TYPE, Kind.FLAG: "BOOLEAN", Kind.BOOL: "BOOLEAN",
}  # fmt: skip
NUMBER_PATTERN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
GROUPED_PATTERN = r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?"
AGE_PATTERN = r"[+-]?[0-9]+(\.[0-9]+)?\s*岁?"
LONGEST_NULL_WORD = max(len(word) for word in NULL_WORDS)
USUAL = {
    Kind.SEX: {"1": "'male'", "2": "'female'", "0": "NULL", "9": "NULL"},
    Kind.BOOL: {"0": "FALSE", "1": "TRUE"},
    Kind.FLAG: {"0": "FALSE", "1": "TRUE"},
}
"""The codes of the national tables: told by one comparison, before any other spelling is tried."""


@dataclass(frozen=True, slots=True)
class Header:
    """One header of a source as it stands in the file, with its DuckDB type; `clean` where its texts are cleaned already."""

    text: str
    type: str
    clean: bool = False

    @property
    def is_text(self) -> bool:
        """True where values arrive as text and need reading."""
        return self.type.upper() in ("VARCHAR", "JSON")


@dataclass(frozen=True, slots=True)
class HeaderMap:
    """The headers of one source that feed each canonical column, in the order in which they count."""

    columns: Mapping[str, Column]
    found: Mapping[str, tuple[Header, ...]]
    fallback: Mapping[str, tuple[Header, ...]]

    def has(self, column: str) -> bool:
        """True where some header feeds the column."""
        return bool(self.found.get(column) or self.fallback.get(column))


def map_headers(
    headers: Sequence[Header], columns: Mapping[str, Column], forced: Mapping[str, str], *, source: str
) -> HeaderMap:
    """Find the headers that feed each column. `forced` maps a column to the header named by `--map`.

    Raises InputError where the same header stands twice.
    """
    by_name: dict[str, Header] = {}
    for header in headers:
        key = normal_header(header.text)
        if key in by_name:
            raise InputError(f"{source}：表头“{header.text}”出现了两次，请只保留一列（header appears twice: keep one）")
        by_name[key] = header
    found: dict[str, tuple[Header, ...]] = {}
    fallback: dict[str, tuple[Header, ...]] = {}
    for column in columns.values():
        if column.name in forced and normal_header(forced[column.name]) in by_name:
            found[column.name] = (by_name[normal_header(forced[column.name])],)
            continue
        found[column.name] = _present(by_name, (column.name, *column.headers))
        fallback[column.name] = _present(by_name, column.fallback)
    return HeaderMap(columns, found, fallback)


def parse_map_options(options: Iterable[str], columns: Mapping[str, Column]) -> dict[str, str]:
    """Read `--map COLUMN=HEADER` options.

    Raises InputError for an unknown column, a missing `=`, or two options for one column.
    """
    forced: dict[str, str] = {}
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
                f"--map：列 {column} 指定了两次（{forced[column]}、{header}），请只保留一个（mapped twice）"
            )
        forced[column] = header.strip()
    return forced


def _present(by_name: Mapping[str, Header], names: Iterable[str]) -> tuple[Header, ...]:
    return tuple(dict.fromkeys(by_name[key] for text in names if (key := normal_header(text)) in by_name))


# ------------------------------------------------------------------------------------------------ expressions


def raw_text(header: Header) -> str:
    """SQL for the cleaned text of a header: trimmed, NULL words to NULL."""
    value = sqltext.name(header.text)
    if header.clean:
        return value
    return clean_text(value) if header.is_text else f"CAST({value} AS VARCHAR)"


def clean_text(value: str) -> str:
    """SQL that trims the text column `value` and turns NULL words to NULL; plain values pass without being trimmed."""
    plain = " AND ".join(f"NOT contains({value}, {sqltext.text(blank)})" for blank in BLANKS)
    word = " AND ".join(f"{value} <> {sqltext.text(word)}" for word in NULL_WORDS if word != "null")
    trimmed = f"trim({value}, {sqltext.text(BLANKS)})"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL "
        f"WHEN {plain} AND (strlen({value}) > {LONGEST_NULL_WORD} OR ({word} AND lower({value}) <> 'null')) THEN {value} "
        f"WHEN lower({trimmed}) NOT IN ({sqltext.texts(NULL_WORDS)}) THEN {trimmed} END"
    )


def first_text(headers: Sequence[Header]) -> str:
    """SQL for the first non-empty cleaned text among headers; NULL where there are none."""
    if not headers:
        return "CAST(NULL AS VARCHAR)"
    return (
        f"coalesce({', '.join(raw_text(header) for header in headers)})" if len(headers) > 1 else raw_text(headers[0])
    )


def plain_text(headers: Sequence[Header], kind: Kind) -> str:
    """SQL for the first non-empty cleaned text; the usual codes of the kind pass without being cleaned."""
    if len(headers) != 1 or not headers[0].is_text or kind not in USUAL:
        return first_text(headers)
    raw = sqltext.name(headers[0].text)
    return f"CASE WHEN {raw} IN ({sqltext.texts(USUAL[kind])}) THEN {raw} ELSE {first_text(headers)} END"


def is_given(headers: Sequence[Header]) -> str:
    """SQL boolean: some header has a value."""
    value = sqltext.name(headers[0].text) if len(headers) == 1 and not headers[0].is_text else first_text(headers)
    return f"({value} IS NOT NULL)"


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
    slow = read_text(first_text(headers), kind)
    if len(headers) != 1 or not headers[0].is_text or kind not in USUAL:
        return slow
    raw = sqltext.name(headers[0].text)
    usual = " ".join(f"WHEN '{code}' THEN {meaning}" for code, meaning in USUAL[kind].items())
    return f"CASE {raw} {usual} ELSE {slow} END"


def unreadable(headers: Sequence[Header], kind: Kind) -> str:
    """SQL boolean: the first non-empty value is present but cannot be read as `kind`."""
    if not headers or kind in (Kind.TEXT, Kind.CODE):
        return "FALSE"
    if len(headers) == 1 and not headers[0].is_text:
        value = sqltext.name(headers[0].text)
        typed_unreadable = f"({value} IS NOT NULL AND ({_read_typed(headers[0], kind)}) IS NULL)"
        if kind in (Kind.TIME, Kind.DATE) and headers[0].type.upper().startswith(("TIMESTAMP", "DATE")):
            return "FALSE"
        if kind is Kind.NUMBER and always_fits(headers[0].type):
            return "FALSE"
        return typed_unreadable
    source = first_text(headers)
    known = f"lower({source}) IN ({sqltext.texts(UNKNOWN_SEX_WORDS)})" if kind is Kind.SEX else "FALSE"
    slow = f"({source} IS NOT NULL AND ({read_text(source, kind)}) IS NULL AND NOT {known})"
    if len(headers) != 1 or kind not in USUAL:
        return slow
    raw = sqltext.name(headers[0].text)
    return f"CASE WHEN {raw} IS NULL OR {raw} IN ({sqltext.texts(USUAL[kind])}) THEN FALSE ELSE {slow} END"


def read_text(source: str, kind: Kind) -> str:
    """SQL that reads cleaned text `source` as `kind`; NULL where it cannot be read."""
    if kind is Kind.TEXT:
        return source
    if kind is Kind.CODE:
        return f"upper({source})"
    if kind is Kind.SEX:
        return _match(f"lower({source})", (MALE_WORDS, "'male'"), (FEMALE_WORDS, "'female'"))
    if kind is Kind.BOOL:
        return _match(f"lower({source})", (TRUE_WORDS, "TRUE"), (FALSE_WORDS, "FALSE"))
    if kind is Kind.FLAG:
        bare = f"CASE WHEN ltrim({source}, '0') = '' THEN '0' ELSE lower(ltrim({source}, '0')) END"
        return _match(bare, (TRUE_WORDS, "TRUE"), (FALSE_WORDS, "FALSE"))
    if kind is Kind.NUMBER:
        return (
            f"CASE WHEN regexp_full_match({source}, '{NUMBER_PATTERN}') THEN TRY_CAST({source} AS {NUMBER_TYPE}) "
            f"WHEN regexp_full_match({source}, '{GROUPED_PATTERN}') THEN TRY_CAST(replace({source}, ',', '') AS {NUMBER_TYPE}) END"
        )
    if kind is Kind.AGE:
        # Below zero any age is impossible, so that its size does not matter.
        return (
            f"CASE WHEN NOT regexp_full_match({source}, '{AGE_PATTERN}') THEN NULL "
            f"WHEN regexp_matches({source}, '^-.*[1-9]') THEN -1 "
            f"ELSE TRY_CAST(regexp_extract({source}, '[0-9]+') AS BIGINT) END"
        )
    time = _read_time(source)
    return time if kind is Kind.TIME else f"CAST({time} AS DATE)"


def _match(value: str, *meanings: tuple[Sequence[str], str]) -> str:
    """SQL CASE over words: unlike a long IN list, which becomes a join of all rows, its arms are tried only where reached."""
    arms = " ".join(f"WHEN {sqltext.text(word)} THEN {meaning}" for words, meaning in meanings for word in words)
    return f"CASE {value} {arms} END"


def _read_time(source: str) -> str:
    # A fraction finer than a microsecond is cut, an offset dropped.
    local = f"regexp_replace(regexp_replace({source}, '\\s*(Z|[+-][0-9]{{2}}:?[0-9]{{2}})$', ''), '(\\.[0-9]{{6}})[0-9]+$', '\\1')"
    compact = " ".join(
        f"WHEN regexp_full_match({source}, '{pattern}') THEN try_strptime({source}, '{form}')"
        for pattern, form in COMPACT_FORMATS
    )
    return (
        f"CASE WHEN starts_with({source}, '0000') THEN NULL {compact} WHEN regexp_matches({source}, '^[0-9]{{4}}[-/年]') "
        f"THEN try_strptime(CASE WHEN length({source}) > 10 THEN {local} ELSE {source} END, "
        f"[{sqltext.texts(TIME_FORMATS)}]) END"
    )


def _read_typed(header: Header, kind: Kind) -> str:
    value = sqltext.name(header.text)
    kind_of_type = header.type.upper()
    if kind in (Kind.TIME, Kind.DATE):
        if kind_of_type.startswith("TIMESTAMP WITH TIME ZONE"):
            # An instant without a wall clock: China has one time zone.
            value = f"timezone('Asia/Shanghai', {value})"
        elif not kind_of_type.startswith(("TIMESTAMP", "DATE")):
            return read_text(f"CAST({value} AS VARCHAR)", kind)
        return f"CAST({value} AS {'TIMESTAMP' if kind is Kind.TIME else 'DATE'})"
    if kind is Kind.NUMBER:
        return f"{'' if always_fits(header.type) else 'TRY_'}CAST({value} AS {NUMBER_TYPE})"
    if kind is Kind.AGE:
        return f"TRY_CAST(floor({value}) AS BIGINT)"
    if kind_of_type == "BOOLEAN":
        return value
    return read_text(f"CAST({value} AS VARCHAR)", kind)


def always_fits(type_: str) -> bool:
    """True where every value of a DuckDB type is a number of NUMBER_TYPE."""
    upper = type_.upper()
    if upper in ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"):
        return True
    if not upper.startswith("DECIMAL("):
        return False
    width, _, scale = upper.removeprefix("DECIMAL(").rstrip(")").partition(",")
    return int(width) - int(scale) <= 14
