"""How a published age window [年龄范围] reads as min ≤ age < max."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from checker.model.numerals import FIGURES, counted
from checker.shapes.item.age_words import BARRED, CAUTIONED

_UNITS = {
    "周岁": "year", "岁": "year",
    "个月龄": "month", "月龄": "month", "个月": "month", "月": "month",
    "日龄": "day", "天": "day", "日": "day",
}  # fmt: skip
UNIT_DAYS = {"year": 365.2425, "month": 30.436875, "day": 1.0}
"""How many days a unit of age has on average: enough to order bounds of two units."""
_NUMBER = r"(\d{1,3})"
_UNIT = f"({'|'.join(_UNITS)})"
_AGE = _NUMBER + _UNIT
_AGE_AGAIN = r"\1"

_CLOSED = re.compile(rf"{_NUMBER}{_UNIT}?[-~至到]{_AGE}")
_HALF_OPEN = re.compile(rf"{_NUMBER}{_UNIT}?([-~至到])(.+)")
_FROM_SIGN = re.compile(rf"([≥>]){_AGE}(.*)")
_FROM_WORD = re.compile(rf"{_AGE}(及?以上)(.*)")
_TO_SIGN = re.compile(rf"(<|≤|不满|未满){_AGE}")
_TO_WORD = re.compile(rf"{_AGE}(及?以下)")
_WITHIN = re.compile(rf"{_NUMBER}(天|日)以?内")
_BARRED = re.compile(rf"(.+?)(?:的?(?:儿童|小儿|老年人|老年患者|患者|人群|者))?(?:{CAUTIONED}|{BARRED})")
_JOINT = re.compile(r"^[,、且至到~-]")
_NAMED_TWICE = re.compile(rf"({_AGE})及\1以(?=[上下])")
_INCLUDED = r"(?:(?:包含|包括|含)(?:本数|{age})?|及本数)"
_WITH = (
    re.compile(rf"({_AGE})\({_INCLUDED.replace('{age}', _AGE_AGAIN)}\)(以[上下])"),
    re.compile(rf"({_AGE})及?(以[上下])\({_INCLUDED.replace('{age}', _AGE_AGAIN)}\)"),
)
"""65岁(含)以上, 65岁以上(含65岁): the bound itself is meant."""
_WITHOUT = (
    re.compile(rf"({_AGE})\(不(?:含|包括)(?:本数|{_AGE_AGAIN})?\)以([上下])"),
    re.compile(rf"({_AGE})以([上下])\(不(?:含|包括)(?:本数|{_AGE_AGAIN})?\)"),
)
"""65岁(不含)以上: it is not."""
_IN_FIGURES = re.compile(rf"({FIGURES})(?={_UNIT}|[-~至到](?:{FIGURES}|[0-9]))")
_INCLUSIVE_FROM = ("≥", "以上", "及以上")
_INCLUSIVE_TO = ("≤", "及以下")

_MARKER = "\N{REPLACEMENT CHARACTER}"
_ONE_SIGN = str.maketrans(
    {
        **dict.fromkeys("≧⩾", "≥"),
        **dict.fromkeys("≦⩽", "≤"),
        **dict.fromkeys("—–―−‐‑", "-"),
        **dict.fromkeys("∼〜", "~"),
    }
)
_LIST_NUMBER = re.compile(rf"^(?:{_MARKER}|\([1-9]\d?\)|[1-9]\d?(?:[)、]|\.(?!5\D)))")
_BEFORE = re.compile(
    r"^(?:仅限于|仅限|限于|限|仅适用于|适用于|适用年龄|适用人群|仅用于|用于|儿童年龄|患者年龄|年龄)(?:为|是)?:?"
)
_AFTER = re.compile(r"(?:的?(?:儿童|小儿|患儿|患者|人群|者))?(?:使用|适用|可用)?[。.;,]*$")
_CALENDAR = re.compile(r"\d{2,4}年(?:\d{1,2}月(?:\d{1,2}日)?)?")
_MENTIONED = re.compile(r"岁|年龄|[月日周]龄|成人|成年|[\d一二三四五六七八九十两半]个?(?:月|天|日|周|星期)")

SHAPES = "2-11岁, 5岁至<12岁, >=3岁, 14岁以下 (< 14), 14岁及以下 (< 15), 6岁以上 or 6岁及以上 (>= 6), 28天以内 or 65岁以上慎用 (< 65)"


@dataclass(frozen=True, slots=True)
class AgeWindow:
    """Whole-unit bounds; `maximum` is exclusive, and a bound that the text does not give is NULL with its unit."""

    minimum: int | None
    minimum_unit: str | None
    maximum: int | None
    maximum_unit: str | None


@dataclass(frozen=True, slots=True)
class FoundWindow:
    """What a cell says of an age: `text` reads as `bounds`; not understood, it is the whole cell and `bounds` is NULL."""

    text: str
    bounds: AgeWindow | None


_Bound = tuple[int, str]


def read_window(text: str) -> AgeWindow | None:
    """Return the bounds of a published window, or None where its wording is not one of the known shapes.

    Source: the wordings of the first batch and its update; a closed range of whole years includes its last year. A bound
    counts completed units: 以下 is <, 及以下 is ≤, 以上 and 及以上 are ≥ (where a word leaves doubt, the wider window flags
    nobody wrongly). Days may be said with 以内, which includes the last one. Of 65岁以上慎用 the window is that of the others, below 65.

    >>> read_window("2-11岁")
    AgeWindow(minimum=2, minimum_unit='year', maximum=12, maximum_unit='year')
    >>> read_window(">=3岁")
    AgeWindow(minimum=3, minimum_unit='year', maximum=None, maximum_unit=None)
    >>> read_window("三岁以下"), read_window("65岁（不含）以上")
    (AgeWindow(minimum=None, minimum_unit=None, maximum=3, maximum_unit='year'), AgeWindow(minimum=66, minimum_unit='year', maximum=None, maximum_unit=None))
    >>> read_window("65岁以上慎用")
    AgeWindow(minimum=None, minimum_unit=None, maximum=65, maximum_unit='year')
    """
    if barred := _BARRED.fullmatch(_plain(text)):
        return _outside(read_window(barred[1]))
    plain = _NAMED_TWICE.sub(r"\1及以", _plain(text).replace(">=", "≥").replace("<=", "≤").translate(_ONE_SIGN))
    for pattern in _WITH:
        plain = pattern.sub(r"\1及\4", plain)
    for pattern in _WITHOUT:
        plain = pattern.sub(lambda found: f"{'>' if found[4] == '上' else '<'}{found[1]}", plain)
    if found := _CLOSED.fullmatch(plain):
        low, low_unit, high, high_unit = found.groups()
        return _window((int(low), _UNITS[low_unit or high_unit]), (int(high) + 1, _UNITS[high_unit]))
    if found := _WITHIN.fullmatch(plain):
        return _window(None, (int(found[1]) + 1, "day"))
    if (alone := _read_to(plain)) is not None:
        return _window(None, alone)
    if found := _FROM_SIGN.fullmatch(plain):
        sign, number, unit, rest = found.groups()
    elif found := _FROM_WORD.fullmatch(plain):
        number, unit, sign, rest = found.groups()
    else:
        return _read_half_open(plain)
    bound = (int(number) + (sign not in _INCLUSIVE_FROM), _UNITS[unit])
    if not rest:
        return _window(bound, None)
    upper = _read_to(_JOINT.sub("", rest))
    return None if upper is None else _window(bound, upper)


def find_window(cell: str) -> FoundWindow | None:
    """Return what a published cell says of an age, without list number, 限 and the people meant; NULL where it says nothing.

    1.5岁 may be the first of a list or a year and a half, and is therefore not understood.

    >>> find_window("（1）限６岁及以上儿童使用").text, find_window("1.1岁至14岁").text
    ('6岁及以上', '1岁至14岁')
    >>> find_window("药品说明书适应症"), find_window("限1.5岁至14岁").bounds
    (None, None)
    """
    plain = _plain(cell)
    text, before = plain, ""
    while text != before:
        before = text
        text = _BEFORE.sub("", _LIST_NUMBER.sub("", text))
    # 70岁以上不宜使用 ends with a word that may be cut off only where it says for whom the item is.
    for told in (text, _AFTER.sub("", text)):
        if (bounds := read_window(told)) is not None:
            return FoundWindow(told, bounds)
    if _MENTIONED.search(_CALENDAR.sub("", plain)):
        return FoundWindow(cell.strip(), None)
    return None


def _outside(barred: AgeWindow | None) -> AgeWindow | None:
    """Those who lie beside a window with one bound; beside one with two lie two windows, which nothing can say."""
    if barred is None or (barred.minimum is None) == (barred.maximum is None):
        return None
    if barred.minimum is not None:
        return AgeWindow(None, None, barred.minimum, barred.minimum_unit)
    return AgeWindow(barred.maximum, barred.maximum_unit, None, None)


def _plain(text: str) -> str:
    """NFKC without blanks, ages in Arabic figures; a number in a circle (①) counts a list and must not join the digits after it."""
    marked = "".join(_MARKER if unicodedata.category(character) == "No" else character for character in text)
    plain = "".join(unicodedata.normalize("NFKC", marked).split())
    return _IN_FIGURES.sub(lambda found: str(counted(found[1]) or found[1]), plain)


def _read_to(text: str) -> _Bound | None:
    if found := _TO_SIGN.fullmatch(text):
        sign, number, unit = found.groups()
    elif found := _TO_WORD.fullmatch(text):
        number, unit, sign = found.groups()
    else:
        return None
    return int(number) + (sign in _INCLUSIVE_TO), _UNITS[unit]


def _read_half_open(text: str) -> AgeWindow | None:
    found = _HALF_OPEN.fullmatch(text)
    if found is None:
        return None
    low, low_unit, joint, rest = found.groups()
    upper = _read_to(rest)
    # 2-11岁以下 says both that 11 is in and that it is out; 5至12岁以下 is how the lists write 5岁至<12岁.
    if upper is None or (joint in "-~" and rest[0].isdigit()):
        return None
    return _window((int(low), _UNITS[low_unit] if low_unit else upper[1]), upper)


def _window(low: _Bound | None, high: _Bound | None) -> AgeWindow | None:
    """The window, or None where no age could lie in it."""
    if low is not None and high is not None and low[0] * UNIT_DAYS[low[1]] >= high[0] * UNIT_DAYS[high[1]]:
        return None
    return AgeWindow(*(low or (None, None)), *(high or (None, None)))
