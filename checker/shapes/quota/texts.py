"""How a published text reads as a quota: 支付不超过14天 is a course of 14 days, 评定间隔时间不短于14天 is once within 14 days.

A text is understood only where it says one thing: two numbers of days that differ, zero, a unit that nobody knows, or days of a year are not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from checker.model.numerals import counted

Quota = Mapping[str, str | int]
"""The cells of a row of quotas, by name."""

_NUMBER = r"(?P<number>[0-9]{1,4}|[一二两三四五六七八九十]{1,3})"
_MOST = rf"(?:不超过|不得超过|最多支付|最长支付|至多支付|限支付)(?:[:])?{_NUMBER}(?P<unit>天|日|周|个?月|年)"
_COURSE = re.compile(_MOST)
_PER = re.compile(
    r"每[0-9一二两三四五六七八九十]{0,3}个?(?:自然|医保|医疗|结算|保险|参保)?(?:年|季|月|周|天|日)|[0-9一二两三四五六七八九十]{1,3}个?(?:年|月|周|天|日)度?以?内"
    r"|年内|年度|当年|全年|终身|终生|一生|/[0-9]{0,3}(?:年|季|个?月|周|日|天|次)"
)
"""A span within which days are counted: 每年支付不超过30天 is no course of 30 days."""
_STAY = re.compile("(?:单次|一次|每次)住院")
_SPAN = "时间跨度"
_APART = re.compile(
    rf"间隔(?:时间)?(?:不短于|不少于|不低于|不小于|不得短于|不得少于|≥|>=){_NUMBER}(?P<unit>天|日|周|个?月|年)"
)
_EVERY = re.compile(
    r"每(?P<number>[0-9]{1,4}|[一二两三四五六七八九十]{1,3})?(?P<unit>天|日|周|个?月|年)(?:内)?(?:最多|不超过|限)?(?:支付|收取|使用)?(?:不超过)?(?P<most>[0-9]{1,4}|[一二两三四五六七八九十]{1,3})次"
)
_WITHIN = re.compile(
    rf"{_NUMBER}(?P<unit>天|日|周|个?月|年)内?(?:最多|不超过|限)(?:支付|收取|使用)?(?P<most>[0-9]{{1,4}}|[一二两三四五六七八九十]{{1,3}})次"
)
_DAYS = {"天": 1, "日": 1, "周": 7, "月": 30, "年": 365}
_A_DAY = re.compile(
    r"(?:每[日天](?:最多|不超过|限)?(?:支付|收取)?|≤|<=)?(?P<most>[0-9]{1,4}|[一二两三四五六七八九十]{1,3})(?P<unit>次|小时)(?:[/每][日天])?"
)
_FOR_A_DAY = re.compile(r"(?P<most>[0-9]{1,4})/(?P<unit>日|天|小时)")
_UNITS = {"日": (1, "day"), "天": (1, "day"), "小时": (24, "hour"), "时": (24, "hour")}
_LONGEST = 2_000
"""Characters of a text that is read."""


def read_quota(kind: str, text: str, logic: str = "") -> Quota | None:
    """Return what a published text says of a quota of the kind (course, day, window), or None where nothing plain is said.

    `logic` is the published 检出逻辑, which tells whether a year is counted in days of use or from the first of them.

    >>> dict(read_quota("course", "单次住院支付不超过3天。"))
    {'quota': 'course', 'quota_most': 3, 'quota_unit': 'day', 'course_scope': 'stay'}
    >>> dict(read_quota("day", "小时"))
    {'quota': 'day', 'quota_most': 24, 'quota_unit': 'hour'}
    >>> dict(read_quota("day", "1/日"))
    {'quota': 'day', 'quota_most': 1, 'quota_unit': 'day'}
    >>> dict(read_quota("window", "两次评定间隔时间不短于14天。"))
    {'quota': 'window', 'quota_most': 1, 'quota_unit': 'time', 'window_days': 14}
    >>> read_quota("course", "支付不超过0天")
    >>> read_quota("course", "每年支付不超过30天")
    """
    if len(text) > _LONGEST:
        return None
    return _READERS[kind]("".join(unicodedata.normalize("NFKC", text).split()), logic)


def window_of(most: int, days: int) -> Quota:
    """The cells of so many times within so many days."""
    return {"quota": "window", "quota_most": most, "quota_unit": "time", "window_days": days}


def _course(text: str, logic: str) -> Quota | None:
    said = {(counted(found["number"]), found["unit"][-1]) for found in _COURSE.finditer(text)}
    if len(said) != 1 or _PER.search(_EVERY.sub("", text)):
        return None
    number, unit = said.pop()
    if not number:
        return None
    if unit == "月":
        most, in_unit = number, "month"
    elif unit == "年" and (not logic or _SPAN in logic):
        most, in_unit = number * 12, "month"
    else:
        most, in_unit = number * _DAYS[unit], "day"
    scope = "stay" if _STAY.search(text) else "episode"
    return {"quota": "course", "quota_most": most, "quota_unit": in_unit, "course_scope": scope}


def _day(text: str, logic: str) -> Quota | None:
    if text in _UNITS:
        most, unit = _UNITS[text]
        return {"quota": "day", "quota_most": most, "quota_unit": unit}
    if found := _FOR_A_DAY.fullmatch(text):
        most, unit = counted(found["most"]), _UNITS[found["unit"]][1]
        unit = "time" if unit == "day" and most > 1 else unit
        return {"quota": "day", "quota_most": most, "quota_unit": unit} if most else None
    found = _A_DAY.fullmatch(text)
    most = counted(found["most"]) if found else 0
    if not found or not most:
        return None
    return {"quota": "day", "quota_most": most, "quota_unit": "hour" if found["unit"] == "小时" else "time"}


def _window(text: str, logic: str) -> Quota | None:
    said = {(1, counted(found["number"]) * _DAYS[found["unit"][-1]]) for found in _APART.finditer(text)}
    for pattern in (_EVERY, _WITHIN):
        said |= {
            (counted(found["most"]), counted(found["number"] or "1") * _DAYS[found["unit"][-1]])
            for found in pattern.finditer(text)
        }
    if len(said) != 1:
        return None
    most, days = said.pop()
    return window_of(most, days) if most and days else None


_READERS: dict[str, Callable[[str, str], Quota | None]] = {"course": _course, "day": _day, "window": _window}
