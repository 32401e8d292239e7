"""What a rule expected and what it found, as typed values that no language touches, and the one place that puts them into words.

?                        not known
sex:male                 or sex:female
age:35 year              a person's age in years, months or days
age_in:2 year..12 year   an age window from the first (inclusive) to the second (exclusive); either may be left out
pieces:outside           what stands beside a decoction piece: one outside the lists; alone; listed:2, the other two all on the lists
insurance:basic          a group of insurances (checker.model.words.INSURANCE_GROUPS)
care:inpatient           a group of care, or several joined by | (CARE_GROUPS)
rank:2                   the rank of an institution; rank:1:first, of one where nothing earlier is on file
rank_from:2              that rank and above; rank_from:2:first, for the first prescription; rank_from:3:eye, or an eye hospital of rank 2
channel:online           how the patient saw the doctor; or offline
spoken_for:fits          what diagnoses and earlier drugs say for an item (SPOKEN_FOR)
payment:none             whether the fund pays: none, charged (it was charged to the fund), unknown
apart:day:NAME           not charged beside the item NAME (which may be left out) within an interval (INTERVALS)
beside:visit             how that item was charged beside it (BESIDE)
amount:60000             an amount in fen
price_below:120000       less than a price in fen
price_most:50:120000     at most so many percent of it
quota:course:14:day      how much is paid for: of a course, quota:day:24:hour, quota:window:1:time:14 (within 14 days)
course:16:2026-03-01     the 16th day of a course that began on that day
used:3:2                 so much was used so far, where so much was the most
used_stay:9:7            the same of an inpatient stay
text:…                   a rule's own words, told as they stand; so is whatever has none of these forms
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from checker.model.words import (
    AGE_UNITS,
    BESIDE,
    CARE_GROUPS,
    CHANNELS,
    CONTAINER,
    INSURANCE_GROUPS,
    INTERVALS,
    NOT_KNOWN,
    PAYMENTS,
    PIECES,
    QUOTA_UNITS,
    RANKS,
    RANKS_FROM,
    SEXES,
    SEXES_OF_PEOPLE,
    SPOKEN_FOR,
    care_words,
    quota_words,
)

UNKNOWN = "?"
_NAMED = {
    "insurance": INSURANCE_GROUPS,
    "channel": CHANNELS,
    "payment": PAYMENTS,
    "beside": BESIDE,
    "spoken_for": SPOKEN_FOR,
}
KINDS = (
    "sex",
    "age",
    "age_in",
    "pieces",
    "care",
    "rank",
    "rank_from",
    "apart",
    "amount",
    "price_below",
    "price_most",
    "quota",
    "course",
    "used",
    "used_stay",
    *_NAMED,
    "text",
)
"""What stands before the colon."""
TYPED = rf"^(\?$|({'|'.join(KINDS[:-1])}):)"
"""Regular expression of the values that need this module for their words; other texts are words already."""
TEXT = "text:"

_AGE = r"([0-9]+) (year|month|day)"
_READ_AGE = re.compile(f"age:{_AGE}")
_READ_PRICE = re.compile("(amount|price_below|price_most:([0-9]+)):([0-9]+)")
_READ_WINDOW = re.compile(rf"age_in:(?:{_AGE})?\.\.(?:{_AGE})?")
_ANY_AGE = (("不限年龄", "any age"), ("不限年龄", "of any age"))


class Words(NamedTuple):
    """A value in a language: `short` in a column or list, `phrase` within a sentence.

    A phrase that begins with a number brings the space that sets it off from the Chinese before it.
    """

    short: str | None
    phrase: str


class _Bound(NamedTuple):
    number: int
    unit: str


@functools.lru_cache(4096)
def worded(value: str | None, language: str) -> Words:
    """The words of a typed value in Chinese (`zh`) or English (`en`); none of what a rule does not give.

    >>> worded("age_in:2 year..12 year", "zh"), worded("age_in:..29 day", "en")
    (Words(short='2-11岁', phrase=' 2 至 11 岁'), Words(short='0–28 days', phrase='within 28 days of birth'))
    """
    english = language == "en"
    if value is None:
        return Words(None, "")
    if value == UNKNOWN:
        return Words(NOT_KNOWN[english], NOT_KNOWN[english])
    kind, _, told = value.partition(":")
    if kind == "sex" and told in SEXES:
        return Words(SEXES[told][english], SEXES_OF_PEOPLE[told][english])
    if found := _READ_AGE.fullmatch(value):
        age = _counted(_Bound(int(found[1]), found[2]), language)
        return Words(age, age if english else f" {age}")
    if found := _READ_WINDOW.fullmatch(value):
        low, high = _bound(found[1], found[2]), _bound(found[3], found[4])
        return _WINDOWS[language](low, high)
    what, _, count = told.partition(":")
    if kind == "pieces" and what in PIECES:
        short, phrase = (said[english].format(count) for said in PIECES[what])
        return Words(short, phrase)
    if kind in _NAMED and told in _NAMED[kind]:
        named = _NAMED[kind][told][english]
        return Words(named, named)
    if kind == "care" and all(group in CARE_GROUPS for group in told.split("|")):
        care = care_words(told, english=english)
        return Words(care, care)
    if kind in ("rank", "rank_from") and what in ("1", "2", "3"):
        rank = RANKS[int(what)][english]
        told_so = RANKS_FROM[count if kind == "rank_from" else f"of {count}"][english].format(rank)
        return Words(told_so, told_so)
    if kind == "apart" and what in INTERVALS:
        apart = (
            f"not charged beside {count or CONTAINER[1]} {INTERVALS[what][1]}"
            if english
            else f"{INTERVALS[what][0]}不与{f'“{count}”' if count else CONTAINER[0]}同时收取"
        )
        return Words(apart, apart)
    if found := _READ_PRICE.fullmatch(value):
        return _price(found[1], found[2], int(found[3]), english=english)
    if kind in ("quota", "course", "used", "used_stay") and (
        counted := _quantity(kind, told.split(":"), english=english)
    ):
        return counted
    text = value.removeprefix(TEXT)
    return Words(text, text)


def _price(kind: str, percent: str | None, fen: int, *, english: bool) -> Words:
    """An amount, or the most that may be charged."""
    told = f"{fen / 100:.2f} yuan" if english else f"{fen / 100:.2f} 元"
    if percent:
        most = f"{fen * int(percent) / 10_000:.2f}"
        if english:
            return Words(f"≤ {most} yuan ({percent} % of {told})", f"at most {most} yuan ({percent} % of {told})")
        return Words(f"≤ {most} 元（{told}的 {percent}%）", f"不超过 {most} 元（{told}的 {percent}%）")
    if kind == "price_below":
        return Words(f"< {told}", f"below {told}" if english else f"低于 {told}")
    return Words(told, told if english else f" {told}")


_SOME = re.compile(r"[0-9]+(\.[0-9]+)?")


def _quantity(kind: str, parts: list[str], *, english: bool) -> Words | None:
    """How much is paid for, or was used; None for what has not this form."""
    if kind == "quota":
        if len(parts) < 3 or parts[2] not in QUOTA_UNITS or not all(map(str.isdecimal, (parts[1], *parts[3:]))):
            return None
        said = quota_words(
            parts[0], int(parts[1]), parts[2], int(parts[3]) if len(parts) > 3 else None, english=english
        )
        return Words(said, said)
    if kind == "course" and len(parts) == 2 and parts[0].isdecimal():
        told = f"day {parts[0]} since {parts[1]}" if english else f"第 {parts[0]} 天（自 {parts[1]} 起）"
        return Words(told, told)
    if len(parts) != 2 or not all(map(_SOME.fullmatch, parts)):
        return None
    used, most = parts
    if kind == "used_stay":
        told = (
            f"{used} so far in the stay, where {most} may be" if english else f"本次住院已计 {used}，到当天最多 {most}"
        )
    else:
        told = f"{used} charged" if english else f"已计 {used}"
    return Words(told, told)


def _bound(number: str | None, unit: str | None) -> _Bound | None:
    return _Bound(int(number), unit) if number and unit else None


def _counted(bound: _Bound, language: str) -> str:
    """An age as a number of units: 35 岁, 1 year."""
    number, unit = bound
    if language == "zh":
        return f"{number} {AGE_UNITS[unit][0]}"
    return f"{number} {AGE_UNITS[unit][1].removesuffix('s') if number == 1 else AGE_UNITS[unit][1]}"


def _last(low: _Bound | None, high: _Bound) -> int | None:
    """The last whole unit within the window, where both bounds count the same one; of days also where there is no lower bound."""
    same = high.unit == "day" if low is None else low.unit == high.unit
    return high.number - 1 if same else None


def _chinese(low: _Bound | None, high: _Bound | None) -> Words:
    least, most = (_counted(bound, "zh") if bound else "" for bound in (low, high))
    if high is None:
        return Words(f"≥ {least}", f" {least}及以上") if low else Words(_ANY_AGE[0][0], _ANY_AGE[1][0])
    last, unit = _last(low, high), AGE_UNITS[high.unit][0]
    if low is None:
        return (
            Words(f"< {most}", f" {most}以下") if last is None else Words(f"0–{last} {unit}", f"出生 {last} {unit}以内")
        )
    if last is None:
        return Words(f"≥ {least}且 < {most}", f"满 {least}、不满 {most}")
    if last <= low.number:
        return Words(least, f" {least}")
    return Words(f"{low.number}-{last}{unit}", f" {low.number} 至 {last} {unit}")


def _english(low: _Bound | None, high: _Bound | None) -> Words:
    least, most = (_counted(bound, "en") if bound else "" for bound in (low, high))
    if high is None:
        return Words(f"≥ {least}", f"aged {_bare(low)} or older") if low else Words(_ANY_AGE[0][1], _ANY_AGE[1][1])
    last = _last(low, high)
    if low is None:
        if last is None:
            return Words(f"< {most}", f"under {_bare(high)}")
        counted = _counted(_Bound(last, high.unit), "en")
        return Words(f"0–{counted}", f"within {counted} of birth")
    if last is None:
        return Words(f"≥ {least} and < {most}", f"aged at least {least} and under {most}")
    if last <= low.number:
        return Words(least, f"aged {_bare(low)}")
    end = _Bound(last, high.unit)
    return Words(f"{low.number}-{_counted(end, 'en')}", f"aged {low.number} to {_bare(end)}")


def _bare(bound: _Bound) -> str:
    """An age as English says it of people: years need no unit."""
    return str(bound.number) if bound.unit == "year" else _counted(bound, "en")


_WINDOWS: dict[str, Callable[[_Bound | None, _Bound | None], Words]] = {"zh": _chinese, "en": _english}
