"""One value at a time: what the counter reads from a message or an option, by the same words as the columns of a file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from checker.ingest.columns import (
    AGE_PATTERN,
    BLANKS,
    COMPACT_FORMATS,
    FALSE_WORDS,
    FEMALE_WORDS,
    GROUPED_PATTERN,
    MALE_WORDS,
    NUMBER_PATTERN,
    TIME_FORMATS,
    TRUE_WORDS,
    UNKNOWN_SEX_WORDS,
)
from checker.model.schema import NULL_WORDS

_FINE = re.compile(r"(\.[0-9]{6})[0-9]+$")
_OFFSET = re.compile(r"\s*(Z|[+-][0-9]{2}:?[0-9]{2})$")
_PLAIN_NUMBER = re.compile(r"[0-9]{1,14}(?:\.([0-9]{1,4}))?")
_PLAIN_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})?")
_NO_TIME = "日期应写作 2026-03-01，时间应写作 2026-03-01 10:30:00"


def clean(value: object) -> str | None:
    """Text of a value, trimmed; None for NULL words and for None."""
    if value is None:
        return None
    if type(value) is str:
        text = value.strip(BLANKS)
    else:
        text = (("true" if value else "false") if isinstance(value, bool) else str(value)).strip(BLANKS)
    # No word for nothing is longer than four characters.
    return None if len(text) < 5 and text.lower() in NULL_WORDS else text


def read_sex(text: str) -> str | None:
    """`male`, `female`, or None for unknown. Raises ValueError for any other word."""
    word = text.lower()
    if word in MALE_WORDS:
        return "male"
    if word in FEMALE_WORDS:
        return "female"
    if word in UNKNOWN_SEX_WORDS:
        return None
    raise ValueError("性别应为 男 或 女（也可写 M/F、1/2）")


def read_bool(text: str) -> bool:
    """A flag. Raises ValueError for any other word."""
    word = text.lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ValueError("应为 true 或 false")


def read_time(text: str) -> datetime:
    """A time on the wall clock; an offset is dropped. Raises ValueError."""
    # The usual form is read without strptime, which takes ten times as long.
    if _PLAIN_TIME.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(_NO_TIME) from None
    formats: Sequence[str] = TIME_FORMATS
    for pattern, form in COMPACT_FORMATS:
        if re.fullmatch(pattern, text):
            formats = (form,)
    if text.startswith("0000"):
        formats = ()
    bare = _FINE.sub(r"\1", _OFFSET.sub("", text)) if len(text) > 10 else text
    for form in formats:
        try:
            return datetime.strptime(bare, form)  # the wall clock is meant
        except ValueError:
            continue
    raise ValueError(_NO_TIME)


def read_date(text: str) -> date:
    """A date. Raises ValueError."""
    return read_time(text).date()


def read_age(text: str) -> int:
    """Completed years of a number with or without 岁; -1 for any below zero. Raises ValueError."""
    if not re.fullmatch(AGE_PATTERN, text) or len(text) > 20:
        raise ValueError("年龄应为数字（周岁）")
    if text.startswith("-") and re.search("[1-9]", text):
        return -1
    return int(re.findall("[0-9]+", text)[0])


def read_number(text: str) -> str:
    """A number as plain text with four decimals. Raises ValueError."""
    if usual := _PLAIN_NUMBER.fullmatch(text):
        decimals = usual[1]
        whole = (text if decimals is None else text[: -len(decimals) - 1]).lstrip("0") or "0"
        return f"{whole}.{(decimals or '').ljust(4, '0')}"
    plain = text.replace(",", "") if re.fullmatch(GROUPED_PATTERN, text) else text
    if not re.fullmatch(NUMBER_PATTERN, plain):
        raise ValueError("应为数字")
    number = Decimal(plain)
    if abs(number) >= 10**14:
        raise ValueError("应为不超过 14 位的数字")
    # Adding nothing makes a zero that had a sign a plain one.
    return f"{number.quantize(Decimal('0.0001'), ROUND_HALF_UP) + 0:.4f}"


def read_code(text: str) -> str:
    """An item code: NFKC, trimmed, upper-cased."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip().upper()
