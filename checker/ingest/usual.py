"""Small tables whose values are written as nearly all are: their columns are read without a word of SQL about other spellings.

All that a value may be spelt as is some thousand characters of SQL a column, and planning them costs far more than reading few lines. Of a
small table it is looked up beforehand which columns need it. What is then read is the same: each form here is the first that the long SQL
(checker.ingest.value_sql) takes, and leads to the same value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from checker.ingest import values
from checker.ingest.columns import Header, HeaderMap, Usual
from checker.ingest.spellings import CARE_CODE, EPOCH, FIRST_DAY, FLAG_KINDS, LAST_DAY, NUMBER, USUAL_TIME, WORDS
from checker.model import sqltext
from checker.model.schema import Kind

if TYPE_CHECKING:
    import duckdb

    from checker.ingest.gather import Gathered
    from checker.ingest.sources import Source

CELLS = 1_000_000
"""Tables of more values are read by the long SQL: to look at them would take longer than to plan it."""
FEW = 1_000
"""So many values of one column are looked at where nobody knows how many there are."""
LONG = 120
"""Columns with longer values (bytes) are read by the long SQL: all that is looked at is held in memory."""
NULLS = 3
"""So many words for NULL may stand in a column, each of which is compared."""


def of_small_tables(connection: duckdb.DuckDBPyConnection, files: Gathered) -> Gathered:
    """The files, the headers of small tables with the kinds as which all their values are written in the usual way."""

    rows = {each.file.path: each.rows for each in files.files}

    def told(sources: Sequence[Source]) -> tuple[Source, ...]:
        return tuple(
            _told(connection, source, sum(rows.get(path, CELLS) for path in source.table.origin)) for source in sources
        )

    return replace(
        files,
        lines=told(files.lines),
        settlements=told(files.settlements),
        visits=told(files.visits),
        diagnoses=told(files.diagnoses),
    )


def told_of_few(connection: duckdb.DuckDBPyConnection, header: Header, relation: str, kind: Kind) -> Header:
    """The same of one header of a relation (SQL) that has few rows."""
    rows = connection.execute(f"SELECT {sqltext.name(header.text)} FROM {relation} LIMIT {FEW + 1}").fetchall()
    way = usual_way((text for (text,) in rows if text is not None), kind) if len(rows) <= FEW else None
    return replace(header, usual={kind: way}) if way else header


def usual_way(texts: Iterable[str], kind: Kind) -> Usual | None:
    """What is known of texts that are all written as nearly all of the kind are, or stand for NULL; None where some are not."""
    found, is_usual = frozenset(texts), _IS_USUAL[kind]
    others = {text for text in found if not is_usual(text)}
    if len(others) > NULLS or not all(values.is_null_word(text, is_flag=kind in FLAG_KINDS) for text in others):
        return None
    words = found - others if kind in WORDS and kind is not Kind.CARE else frozenset[str]()
    return Usual(words, tuple(sorted(others)))


def _told(connection: duckdb.DuckDBPyConnection, source: Source, lines: int) -> Source:
    kinds: dict[str, set[Kind]] = {}
    for feeds in (source.map.found, source.map.fallback):
        for name, headers in feeds.items():
            for header in headers:
                if header.type.upper() == "VARCHAR":
                    kinds.setdefault(header.text, set()).add(source.map.columns[name].kind)
    if not 0 < lines * len(kinds) <= CELLS:
        return source
    # One row: of each column its values, and whether these are all.
    chosen = ", ".join(
        f"list(DISTINCT {name}) FILTER (strlen({name}) <= {LONG}), coalesce(max(strlen({name})) <= {LONG}, TRUE)"
        for name in map(sqltext.name, kinds)
    )
    row = connection.execute(f"SELECT {chosen} FROM {source.table.scan()}").fetchone()
    assert row is not None
    usual: dict[str, Mapping[Kind, Usual]] = {}
    for (text, asked), found, are_all in zip(kinds.items(), row[::2], row[1::2], strict=True):
        usual[text] = {kind: way for kind in asked if are_all and (way := usual_way(found or (), kind))}

    def told(feeds: Mapping[str, tuple[Header, ...]]) -> dict[str, tuple[Header, ...]]:
        return {
            name: tuple(replace(each, usual=usual.get(each.text, {})) for each in headers)
            for name, headers in feeds.items()
        }

    mapping: HeaderMap = replace(source.map, found=told(source.map.found), fallback=told(source.map.fallback))
    return replace(source, map=mapping)


def _full(pattern: str) -> Callable[[str], bool]:
    matches = re.compile(pattern, re.ASCII).fullmatch
    return lambda text: matches(text) is not None


_is_time, _is_whole = _full(USUAL_TIME), _full(r"[+-]?[0-9]+\.0+")


def _is_plain(text: str) -> bool:
    """A text that is no NULL word, with nothing to be taken off its ends."""
    return values.is_bare(text) and not _is_whole(text)


def _is_day(text: str) -> bool:
    return _is_time(text) and FIRST_DAY <= text[:10] <= LAST_DAY and not text.startswith(EPOCH[:10])


def _is_capital(text: str) -> bool:
    return text.isascii() and " " not in text and "-" not in text and _is_plain(text)


def _is_word(kind: Kind) -> Callable[[str], bool]:
    words = {word for listed, _ in WORDS[kind] for word in listed}
    return lambda text: text in words and values.is_bare(text, is_flag=kind in FLAG_KINDS)


_IS_USUAL: Mapping[Kind, Callable[[str], bool]] = {
    Kind.TEXT: _is_plain,
    Kind.CODE: lambda text: text.isascii() and text.isalnum() and values.is_bare(text),
    Kind.CAPITAL: _is_capital,
    Kind.CARE: _full(CARE_CODE),
    Kind.NUMBER: _full(NUMBER),
    Kind.AGE: _full("[0-9]{1,3}"),
    Kind.TIME: _is_day,
    Kind.DATE: _is_day,
    **{kind: _is_word(kind) for kind in WORDS if kind is not Kind.CARE},
}
