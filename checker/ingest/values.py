"""One value at a time: what the counter reads from a message or an option, by the same spellings as the columns of a file."""

from __future__ import annotations

import functools
import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from checker.ingest.spellings import (
    AGES,
    BLANKS,
    CAPITALS,
    CARE_CODE,
    CARES,
    CHINA,
    CODED,
    CODES,
    EPOCH,
    GROUPED,
    LONGEST_AGE,
    LONGEST_NULL_WORD,
    LONGEST_WORD,
    MONTHS_AND_DAYS,
    NO_DAY,
    NUMBER,
    NUMBERS,
    OFFSET,
    PLACEHOLDERS,
    SCIENTIFIC,
    SERIAL,
    TICKS,
    TIME_FORMS,
    TIME_SHAPE,
    TIMES,
    TRIMMED,
    UNKNOWN_SEXES,
    USUAL_TIME,
    WHOLE,
    WORDS,
    YEARS,
    narrow,
    rewrite,
)
from checker.model.schema import NULL_WORDS, UNKNOWN_WORDS, Kind

_PLAIN_NUMBER = re.compile(r"[0-9]{1,14}(?:\.([0-9]{1,4}))?")
_USUAL_TIME = re.compile(USUAL_TIME)
_NO_TIME = "日期应写作 2026-03-01，时间应写作 2026-03-01 10:30:00"
_NO_DAYS = frozenset(date.fromisoformat(day) for day in PLACEHOLDERS)
_EPOCH = datetime.fromisoformat(EPOCH)
_SERIAL_FROM, _TICKS_FROM = datetime(1899, 12, 30), datetime(1970, 1, 1, CHINA)
_MEANINGS = {kind: {word: meaning for words, meaning in listed for word in words} for kind, listed in WORDS.items()}
_NULLS_OF_FLAGS = frozenset(NULL_WORDS)
_NULLS = _NULLS_OF_FLAGS | frozenset(UNKNOWN_WORDS)
_AROUND = frozenset(f"{BLANKS}'=")
"""How a value begins that has something around it."""
_SHORTEST_ID_NUMBER = 15


def clean(value: object, *, is_flag: bool = False) -> str | None:
    """Text of a value without what stands around it; None for NULL words and for None. Of a flag fewer words are NULL."""
    if value is None:
        return None
    if type(value) is str:
        if len(value) > LONGEST_NULL_WORD and value.isascii() and value.isalnum():
            # Letters and digits alone: nothing stands around them.
            return value
        if value and value[0] not in _AROUND and value[-1] not in BLANKS:
            text = value
        else:
            text = rewrite(value, (TRIMMED,)) if len(value) < LONGEST_WORD else value.strip(BLANKS)
        if "." in text:
            text = rewrite(text, (WHOLE,))
    else:
        text = ("true" if value else "false") if isinstance(value, bool) else rewrite(str(value), (WHOLE,))
    return None if len(text) <= LONGEST_NULL_WORD and text.lower() in (_NULLS_OF_FLAGS if is_flag else _NULLS) else text


def is_bare(text: str, *, is_flag: bool = False) -> bool:
    """Whether a text is a value as it stands: nothing is around it, and it is no NULL word. Of a flag fewer words are NULL."""
    return text != "" and text[0] not in _AROUND and text[-1] not in BLANKS and not is_null_word(text, is_flag=is_flag)


def is_null_word(text: str, *, is_flag: bool = False) -> bool:
    """Whether a text, with nothing around it, stands for NULL."""
    return len(text) <= LONGEST_NULL_WORD and text.lower() in (_NULLS_OF_FLAGS if is_flag else _NULLS)


def read_sex(text: str) -> str | None:
    """`male`, `female`, or None for unknown. Raises ValueError for any other word."""
    word = _word(text, Kind.SEX)
    if word in UNKNOWN_SEXES:
        return None
    return str(_meaning(word, Kind.SEX, "性别应为 男 或 女（也可写 M/F、1/2）"))


def read_bool(text: str, kind: Kind = Kind.BOOL) -> bool:
    """A flag of one of FLAG_KINDS, each with words of its own. Raises ValueError for any other word."""
    return bool(_meaning(_word(text, kind), kind, "应为 true 或 false"))


def read_care(text: str) -> str:
    """The code of a care type, which may be given in words. Any other word passes as it stands, a longer text cut: a province may know it."""
    spelt = _word(text, Kind.CARE)
    if _pattern(CARE_CODE).fullmatch(spelt):
        return spelt
    return str(_MEANINGS[Kind.CARE].get(spelt, text[: LONGEST_WORD + 1]))


def read_time(text: str) -> datetime | None:
    """A time on the wall clock of China; None where it stands for none, such as 9999-12-31. Raises ValueError."""
    if _pattern(NO_DAY).fullmatch(text):
        return None
    found = _moment(text)
    return None if found.date() in _NO_DAYS or found == _EPOCH else found


def read_date(text: str) -> date | None:
    """A date, likewise. Raises ValueError."""
    found = read_time(text)
    return None if found is None else found.date()


def read_age(text: str) -> str:
    """Completed years as a number, of months or days with M or D behind it; -1 for any below zero. Raises ValueError."""
    spelt = rewrite(narrow(text).upper(), AGES) if len(text) < LONGEST_WORD else text
    if years := _pattern(YEARS).fullmatch(spelt):
        return "-1" if re.search("^-.*[1-9]", spelt) else str(int(years[1][:LONGEST_AGE]))
    parts = _pattern(MONTHS_AND_DAYS).fullmatch(spelt)
    if parts is None or not any(parts.groups()):
        raise ValueError("年龄应为周岁，或写明 岁、月、天")
    year, month, day = (int((part or "0")[:LONGEST_AGE]) for part in parts.groups())
    months = year * 12 + month
    return f"{day}D" if parts[3] and not months else f"{months}M"


def read_number(text: str) -> str:
    """A number as plain text with four decimals. Raises ValueError."""
    if usual := _PLAIN_NUMBER.fullmatch(text):
        decimals = usual[1]
        whole = (text if decimals is None else text[: -len(decimals) - 1]).lstrip("0") or "0"
        return f"{whole}.{(decimals or '').ljust(4, '0')}"
    plain = rewrite(narrow(text).upper(), NUMBERS) if len(text) < LONGEST_WORD else text
    if _pattern(GROUPED).fullmatch(plain):
        plain = plain.replace(",", "")
    if not _pattern(NUMBER).fullmatch(plain):
        raise ValueError("应为数字")
    number = Decimal(plain)
    if abs(number) >= 10**14:
        raise ValueError("应为不超过 14 位的数字")
    # Adding nothing makes a zero that had a sign a plain one.
    return f"{number.quantize(Decimal('0.0001'), ROUND_HALF_UP) + 0:.4f}"


def read_code(text: str) -> str:
    """An item code without what hangs on it, in capitals."""
    return text.upper() if text.isascii() and text.isalnum() else rewrite(narrow(text), CODES).upper()


def read_capitals(text: str) -> str:
    """An identity number or a code of a diagnosis in narrow capitals."""
    spelt = narrow(text).upper()
    # What is rewritten are ID numbers, and the shortest has fifteen digits.
    return rewrite(spelt, CAPITALS) if len(spelt) >= _SHORTEST_ID_NUMBER else spelt


def has_lost_digits(text: str) -> bool:
    """Whether a key or code came as a number of few digits, such as 1.23457E+17."""
    return _pattern(SCIENTIFIC).fullmatch(text) is not None


def _word(text: str, kind: Kind) -> str:
    if text in _MEANINGS[kind]:
        return text
    rewritings = CARES if kind is Kind.CARE else CODED
    return rewrite(narrow(text), rewritings).lower() if len(text) < LONGEST_WORD else text


def _meaning(word: str, kind: Kind, fault: str) -> str | bool:
    try:
        return _MEANINGS[kind][word]
    except KeyError:
        raise ValueError(fault) from None


def _moment(text: str) -> datetime:
    try:
        if _USUAL_TIME.fullmatch(text):
            return datetime.fromisoformat(text)
        if len(text) >= LONGEST_WORD:
            raise ValueError
        return _spelt_moment(rewrite(narrow(text).upper(), TIMES))
    except (ValueError, OverflowError):
        raise ValueError(_NO_TIME) from None


def _spelt_moment(text: str) -> datetime:
    if _pattern(SERIAL).fullmatch(text):
        # Halves of a second are rounded away from zero, as SQL does.
        return _SERIAL_FROM + timedelta(seconds=int(float(text) * 86400 + 0.5))
    if _pattern(TICKS).fullmatch(text):
        return _TICKS_FROM + timedelta(milliseconds=int(text))
    zone = _pattern(OFFSET).search(text)
    if zone is None:
        return _local(text)
    hours = int(zone[2] or 0)
    minutes = int(f"{zone[2][0]}{zone[3]}") if zone[3] else 0
    return _local(zone[1]) + timedelta(hours=CHINA - hours, minutes=-minutes)


def _local(text: str) -> datetime:
    if _pattern(TIME_SHAPE).fullmatch(text):
        for form in TIME_FORMS:
            try:
                return datetime.strptime(text, form)  # the wall clock is meant
            except ValueError:
                continue
    raise ValueError


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)
