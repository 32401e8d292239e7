"""Where the header of a sheet stands: one row, or a row of groups with a second below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from checker.knowledge.sheets.headers import HEADERS, HeaderWords, plain, word_of

WITHIN = 40
"""A header is looked for in so many rows."""
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its spreadsheet letters and its header as written; `name` is ours, empty where the header is not known or to be skipped.

    `known` says whether the header word is declared.
    """

    name: str
    letters: str
    header: str
    known: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """The columns, the first and the last row of their header."""

    columns: tuple[Column, ...]
    first: int
    last: int


_Row = tuple[int, tuple[str, ...]]


def find_header(cells: pl.DataFrame, words: HeaderWords) -> Header | None:
    """Return the first header of the sheet: one that has 序号 and a name or code, or a name and a code.

    A row whose groups stand above the words of a second (限定条件 above 性别 and 年龄) is read together with that; where both rows have a
    word, that of the second counts, or the two in one (项目A above 名称).
    """
    letters = cells.columns[1:]
    for upper, lower in _rows(cells):
        single = _columns(letters, upper[1], words)
        if lower is not None and _goes_on(upper[1], lower[1], words):
            both = _columns(letters, _grouped(upper[1], lower[1], words), words)
            if _is_header(both):
                return Header(both, upper[0], lower[0])
        if _is_header(single):
            return Header(single, upper[0], upper[0])
    return None


def looks_like_header(cells: pl.DataFrame, words: HeaderWords) -> bool:
    """Whether a row may be a header that is not known in full: it has the word of a name or a code and another."""
    for (_, texts), _ in _rows(cells):
        known = {words.get(word_of(text)) for text in texts if text} - {None, ""}
        if known & {"name", "code"} and len(known) > 1:
            return True
    return False


def nearest_row(cells: pl.DataFrame, words: HeaderWords) -> str:
    """What row came nearest to a header, which of its words are known and which not, in a sentence; empty where none has a known word."""
    told = [
        (
            [text for text in texts if words.get(word_of(text))],
            [text for text in texts if text and word_of(text) not in words],
            row,
        )
        for row, texts in (upper for upper, _ in _rows(cells))
    ]
    known, unknown, row = max(told, key=lambda each: len(each[0]), default=([], [], 0))
    if not known:
        return ""
    others = f"，不认识{_quoted(unknown)}" if unknown else ""
    return (
        f"最像表头的是第 {row} 行：认出{_quoted(known)}{others}；不认识的表头可用 --column 表头=列 说明，如 --column 本位码=code"
        f" (row {row} comes nearest; name its other headers with --column HEADER=COLUMN)。"
    )


def asked_words() -> str:
    """The header words under which names and codes are found, in a sentence."""
    return f"名称的写法：{_quoted(HEADERS['name'], None)}；代码的写法：{_quoted(HEADERS['code'], None)}。"


def _quoted(texts: Sequence[str], most: int | None = _SHOWN) -> str:
    shown = "".join(f"“{text[:20]}”" for text in texts[:most])
    return f"{shown}等" if most is not None and len(texts) > most else shown


def _rows(cells: pl.DataFrame) -> Iterator[tuple[_Row, _Row | None]]:
    """The rows within which a header is looked for, each with that below it."""
    found = [
        (row, tuple(plain(value or "") for value in values)) for row, *values in cells.head(WITHIN + 1).iter_rows()
    ]
    yield from zip(found[:WITHIN], [*found[1:], None][:WITHIN], strict=True)


def _columns(letters: Iterable[str], texts: Iterable[str], words: HeaderWords) -> tuple[Column, ...]:
    pairs = zip(letters, texts, strict=True)
    return tuple(Column(words.get(word_of(text), ""), letter, text, word_of(text) in words) for letter, text in pairs)


def _is_header(columns: Iterable[Column]) -> bool:
    names = {column.name for column in columns}
    return bool(names & {"name", "code"}) and ("seq" in names or {"name", "code"} <= names)


def _goes_on(upper: Sequence[str], lower: Sequence[str], words: HeaderWords) -> bool:
    """Whether the lower row is a second row of a header: what it says are header words, and the upper says something where it is blank."""
    said = [text for text in lower if text]
    known = [text for text in said if word_of(text) in words]
    beside = any(word_of(above) in words for above, text in zip(upper, lower, strict=True) if not text)
    grouped = _joined(upper, lower, words) != tuple(text or above for above, text in zip(upper, lower, strict=True))
    return bool(said) and (beside or grouped) and (2 * len(known) >= len(said) or grouped)


def _joined(upper: Sequence[str], lower: Sequence[str], words: HeaderWords) -> tuple[str, ...]:
    """One text for each column; a group stands above the columns to its right up to the next text."""
    found = []
    group = ""
    for above, text in zip(upper, lower, strict=True):
        group = above or (group if text else "")
        found.append(f"{group}{text}" if text and word_of(f"{group}{text}") in words else text or above)
    return tuple(found)


def _grouped(upper: Sequence[str], lower: Sequence[str], words: HeaderWords) -> tuple[str, ...]:
    """As `_joined`; what is not known bears its group (限制条件其他), which may say that it limits."""
    found = []
    group = ""
    for above, text, joined in zip(upper, lower, _joined(upper, lower, words), strict=True):
        group = (above or group) if text else ""
        found.append(f"{group}{text}" if text and joined == text and word_of(text) not in words else joined)
    return tuple(found)
