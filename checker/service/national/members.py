"""Reading one member of a national message: text, number, time, date, flag, in every spelling seen in the wild."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from checker.ingest import values
from checker.ingest.columns import BLANKS, FALSE_WORDS, TRUE_WORDS
from checker.model.errors import InputError
from checker.model.schema import NULL_WORDS

PERSONAL = frozenset({"patn_name", "gend", "brdy", "age", "certno", "nwb_flag", "patn_id", "dspo_way_rea"})
"""Members whose value never stands in a message."""
PLACEHOLDERS = frozenset({date(1, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1), date(9999, 12, 31)})
"""Dates that programs write where they have none."""

_LONGEST = 4_000
_EMPTY = frozenset(NULL_WORDS)
_LONGEST_EMPTY = max(map(len, NULL_WORDS))
_FLAGS = {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False)}
_EPOCH = datetime(1970, 1, 1, 8)
"""The wall clock of China when the epoch began: milliseconds since then are told by it."""
_MILLISECONDS = re.compile(r"(?:\\?/Date\()?(-?[0-9]{12,13})(?:[+-][0-9]{4}\)\\?/|\)\\?/)?")
_DOTNET = re.compile(
    r"([0-9]{1,4})/([0-9]{1,2})/([0-9]{1,4})(?: (?:(上午|下午) ?)?([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?: ?(AM|PM|上午|下午))?)?"
)
_WEEKDAY = re.compile(r"\s*(?:星期|周)[一二三四五六日天]\s*")


def read_text(holder: dict[str, Any], names: Sequence[str], path: str) -> str | None:
    """The first of the names that holds a value, as trimmed text.

    Raises InputError for an array or object, and for text that no encoding can write.
    """
    for name in names:
        value = holder.get(name)
        if value is None:
            continue
        if value.__class__ is not str:
            value = _plain(value, name, path)
        value = value.strip(BLANKS)
        if len(value) <= _LONGEST_EMPTY and value.lower() in _EMPTY:
            continue
        if not value.isascii():
            _check_encodable(value, name, path)
        if len(value) > _LONGEST:
            raise InputError(f"{_at(path, name)} 有 {len(value)} 个字符，最多 {_LONGEST} 个（the value is too long）")
        return value
    return None


def read_number(text: str) -> str:
    """A number as plain text with four decimals, as `values.read_number` writes it. Raises ValueError."""
    whole, dot, decimals = text.partition(".")
    if (
        whole.isdigit()
        and text.isascii()
        and len(whole) <= 14
        and len(decimals) <= 4
        and (not dot or decimals.isdigit())
    ):
        return f"{whole.lstrip('0') or '0'}.{decimals:0<4}"
    return values.read_number(text)


def read_flag(text: str | None) -> bool | None:
    """A flag; None where there is none or it is no flag. Leading zeros are ignored."""
    if text is None:
        return None
    found = _FLAGS.get(text)
    return found if found is not None else _FLAGS.get(text.lower().lstrip("0") or "0")


def read_time(text: str) -> datetime | None:
    """A time on the wall clock; None for a placeholder such as 9999-12-31. Raises ValueError."""
    found = _moment(text)
    return None if found.date() in PLACEHOLDERS else found


def read_service_time(text: str) -> datetime | None:
    """The time of a service: as `read_time`, and None for years in which no service can have been."""
    found = read_time(text)
    return found if found is None or 2000 <= found.year < 2100 else None


def read_date(text: str) -> date | None:
    """A date; None for a placeholder. Raises ValueError."""
    found = read_time(text)
    return None if found is None else found.date()


def _moment(text: str) -> datetime:
    # The usual form needs neither patterns nor strptime; the places are tested because fromisoformat also reads weeks and offsets.
    if len(text) == 19 and text[4] == text[7] == "-" and text[13] == text[16] == ":" and text[10] in " T":
        return datetime.fromisoformat(text)
    if len(text) == 10 and text[4] == text[7] == "-":
        return datetime.fromisoformat(text)
    ticks = _MILLISECONDS.fullmatch(text)
    if ticks:
        return _since_epoch(int(ticks[1]))
    bare = _WEEKDAY.sub(" ", text).strip()
    try:
        return values.read_time(bare)
    except ValueError:
        written = _DOTNET.fullmatch(bare)
        if written is None:
            raise
    first, second, third, early, hour, minute, seconds, late = written.groups()
    # Four digits first are a year; last, the culture of .NET that knows none writes month, day, year.
    year, month, day = (first, second, third) if len(first) == 4 else (third, first, second)
    hours, half = int(hour or 0), early or late
    if half and not 1 <= hours <= 12:
        raise ValueError("上午、下午的钟点应为 1 至 12")
    if half:
        hours = hours % 12 + (12 if half in ("PM", "下午") else 0)
    if len(year) != 4:
        raise ValueError("年份应为四位")
    return datetime(int(year), int(month), int(day), hours, int(minute or 0), int(seconds or 0))


def _since_epoch(milliseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise ValueError("毫秒数超出范围") from None


def _plain(value: object, name: str, path: str) -> str:
    """The text of a number or truth value."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dict | list):
        raise InputError(f"{_at(path, name)} 应为单个值（a single value is expected here）")
    if isinstance(value, int) and value.bit_length() > 400:
        raise InputError(f"{_at(path, name)} 的数字过长（the number is too long）")
    return str(value)


def _check_encodable(value: str, name: str, path: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{_at(path, name)} 含有残缺的字符，请按 UTF-8 发送（the text holds half a character: send UTF-8）"
        ) from None


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def cannot_read(holder: dict[str, Any], names: Sequence[str], path: str, *, what: str, english: str) -> InputError:
    """The error for a member that holds something else than it should; the value of a personal member is not shown."""
    name = next((name for name in names if holder.get(name) not in (None, "", "-", "--")), names[0])
    shown = "" if PERSONAL.intersection(names) else f"“{str(holder.get(name)).strip()[:40]}”"
    return InputError(f"{_at(path, name)} 的值{shown}无法识别，{what}（{english}）")
