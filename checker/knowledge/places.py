"""Places by their names: 浙江省, 杭州市 and 杭州市西湖区 are 33, 3301 and 330106. The names are those of python-stdnum."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from checker.knowledge.codes import PROVINCES, place_code

_CORPS = "66"
_SHORT = re.compile(r"(?:特别行政区|(?:壮族|回族|维吾尔)?自治区|省|市)$")
_NOW = re.compile(r"(?:\[\d{4}-\]|^)([^\[\],]+)$")
"""The name that holds today behind former ones: [1983-1999]忻州地区,[2000-]忻州市."""
_TRADITIONAL = str.maketrans("別區門", "别区门")
_NO_PLACE = frozenset({"市辖区", "县", "市区"})
_COUNTIES = range(1, 100)


def place_named(text: str) -> str | None:
    """Return the digits by which a place of this name and all within it begin, or None where no place or more than one is called so.

    Provinces and the cities, prefectures and leagues below them go by their names alone, with or without 省 and 市; districts and counties
    behind the name of what they lie in.

    >>> place_named("浙江"), place_named("浙江省杭州市"), place_named("杭州市西湖区"), place_named("西湖区")
    ('33', '3301', '330106', None)
    """
    found = {code for name, code in _places() if name == text}
    if len(found) == 1:
        return found.pop()
    for above, code in sorted(_places(), key=lambda place: -len(place[0])):
        if rest := text.removeprefix(above) if text.startswith(above) else "":
            within = {county for name, county in _counties(code) if name == rest}
            if not within and (place := place_named(rest)) is not None and place != code and place.startswith(code):
                within = {place}
            if len(within) == 1:
                return within.pop()
    return None


@lru_cache(maxsize=1)
def _places() -> tuple[tuple[str, str], ...]:
    """Names and codes of provinces and what is right below them, short names too."""
    found = [("新疆生产建设兵团", _CORPS), ("兵团", _CORPS)]
    for province in sorted(PROVINCES - {_CORPS}):
        found += _named(f"{province}0000")
        for number in _COUNTIES:
            found += _named(f"{province}{number:02d}00")
            # Cities that a province governs without a prefecture between.
            found += _named(f"{province}90{number:02d}")
    return tuple(found)


@lru_cache(maxsize=256)
def _counties(code: str) -> tuple[tuple[str, str], ...]:
    """Names and codes of the districts and counties within a prefecture or a province."""
    cities = (
        [code]
        if len(code) == len("3301")
        else [f"{code}{number:02d}" for number in _COUNTIES]
        if len(code) == len("33")
        else []
    )
    return tuple(place for city in cities for number in _COUNTIES for place in _named(f"{city}{number:02d}"))


def _named(code: str) -> Iterator[tuple[str, str]]:
    from stdnum import numdb

    told = numdb.get("cn/loc").info(code)
    if len(told) != 2 or "county" not in told[1][1]:
        return
    name = _NOW.search(told[1][1]["county"])
    place = place_code(code)
    if name is None or name[1] in _NO_PLACE or place is None:
        return
    full = name[1].translate(_TRADITIONAL)
    yield full, place
    if (short := _SHORT.sub("", full)) != full and len(short) > 1:
        yield short, place
