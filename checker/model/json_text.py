"""What readers of JSON take as they please: an object in which a key stands twice is refused, and a number that loses digits says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from checker.model.errors import InputError

_SPACED = re.compile(rb'"\s+:')
_EXPONENT = re.compile(r"[eE]\+?[0-9]")
_EXACT = 1 << 53
"""Below it every whole number has a float of its own."""


class Inexact(float):
    """A number with an exponent, or a point in one of sixteen digits and more: as a key it is nobody else's, for digits of it may be lost."""


def read_float(text: str) -> float:
    """A number of JSON with a point or an exponent, for `json.loads(parse_float=…)` and msgspec's `float_hook`."""
    value = float(text)
    is_exact = -_EXACT < value < _EXACT and not (("e" in text or "E" in text) and _EXPONENT.search(text))
    return value if is_exact else Inexact(value)


def doubled_key(key: str) -> str:
    """The sentence on a key that stands twice, without its place."""
    return f"JSON 对象中的键“{key[:40]}”出现了两次，请只保留一个（a key stands twice in an object: keep one）"


def distinct(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object, for `json.loads(object_pairs_hook=…)`. Raises InputError where a key stands twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InputError(doubled_key(key))
        found[key] = value
    return found


def refuse_doubled(body: bytes, document: object) -> None:
    """Refuse the bytes that were read as `document` where one of its objects has a key twice. Raises InputError.

    They are read a second time only where more keys may stand in the bytes than in the document.
    """
    if body.count(b'":') != _keys(document) or _SPACED.search(body):
        # Numbers are not what is looked at, and may be longer than Python reads.
        json.loads(body, object_pairs_hook=distinct, parse_int=str, parse_float=str)


def _keys(document: object) -> int:
    count = 0
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if type(each) is dict:
            count += len(each)
            waiting += each.values()
        elif type(each) is list:
            waiting += each
    return count
