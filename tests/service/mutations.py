"""Random damage to messages: one or a few places of a JSON document, or a few bytes of its text; and what messages come wrapped in."""

from __future__ import annotations

import copy
import gzip
import json
import random
import zlib
from typing import Any
from urllib.parse import quote_from_bytes
from xml.sax.saxutils import escape

_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**40, -(10**40), 0.1, -0.0, 1e308, 5e-324, "", " ", "-", "--", "null", "NULL",
    "0", "1", "2", "9", "-1", "1e400", "NaN", "Infinity", "００", "①", "男", "女", "未知", "F", "true", "false", [], {}, [[]], [{}], [None],
    {"": None}, {"a": {"b": [1, "x"]}}, "2026-03-01", "2026-03-01 10:00:00", "2026-02-30", "0000-00-00", "9999-12-31 23:59:59",
    "0001-01-01", "2026-03-01T10:00:00+08:00", "20260301", "20260301101010", "1772330400000", "12345678901234567890", "\u0000",
    "a\u0000b", "'", '"', "\\", "'; DROP TABLE line; --", "{}", "[]", "%s%n", "\u202e", "\ufeff", "😀", "é" * 200, "药" * 5000, "9" * 5000,
    "XG04CBA088A001010101467", "xg04cba088a001010101467 ", "X" * 23, "Z" * 20, "370800", "3101", "3102", "3103", "1.2.3", "１２", "+3", "1,000",
)  # fmt: skip
_BYTES = (
    b"\x00",
    b"\xff",
    b"\xfe\xff",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b"\\u",
    b"\\ud800",
    b",",
    b":",
    b"-",
    b"1e999",
    b"\xe8\x8d",
)


def damaged(document: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A copy of the document with one to three places changed."""
    changed = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        holders = [each for each in _holders(changed) if each]
        if not holders:
            break
        holder = chance.choice(holders)
        place: Any = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        _change(holder, place, chance)
    return changed


def damaged_bytes(text: bytes, chance: random.Random) -> bytes:
    """The bytes with something cut off, put in, doubled or overwritten."""
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.choice((1, 1, 2, 16, 400)))
    kind = chance.randrange(5)
    if kind == 0:
        return text[:start]
    if kind == 1:
        return text[:start] + text[end:]
    if kind == 2:
        return text[:end] + text[start:]
    if kind == 3:
        return text[:start] + chance.choice(_BYTES) + text[start:]
    return text[:start] + chance.randbytes(end - start) + text[end:]


def written(document: object, chance: random.Random) -> bytes:
    """The document as bytes, with its Chinese escaped or not."""
    return json.dumps(document, ensure_ascii=chance.random() < 0.3).encode()


def wrapped(text: bytes, kind: str, chance: random.Random) -> tuple[bytes, dict[str, str]]:
    """A text as some program might send it, and the headers with it; mostly as it is. `kind` is a content type for JSON."""
    headers = {"Content-Type": kind} if kind else {}
    way = chance.randrange(12)
    if way == 0:
        text = text.decode("utf-8", "replace").encode("gb18030")
    elif way == 1:
        text, headers = (
            b"data=" + quote_from_bytes(text).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
    elif way in (2, 3):
        version, name = chance.choice(_SOAP)
        inner = escape(text.decode("utf-8", "replace")).encode(chance.choice(("utf-8", "gb18030")))
        text = b'<s:Envelope xmlns:s="%b"><s:Body><call xmlns="urn:x"><data>%b</data></call></s:Body></s:Envelope>' % (
            version,
            inner,
        )
        headers = {"Content-Type": chance.choice((name, f"{name}; charset=gbk", "application/xml"))}
    if way < 4 and chance.random() < 0.3:
        text = damaged_bytes(text, chance)
    if way in (3, 4, 5):
        coding = chance.choice(("gzip", "gzip", "deflate"))
        text = (gzip if coding == "gzip" else zlib).compress(text)
        if chance.random() < 0.3:
            text = damaged_bytes(text, chance)
        headers["Content-Encoding"] = (
            coding if chance.random() < 0.9 else chance.choice(("br", "gzip, gzip", "identity", "é"))
        )
    return text, headers


_SOAP = (
    (b"http://schemas.xmlsoap.org/soap/envelope/", "text/xml"),
    (b"http://www.w3.org/2003/05/soap-envelope", "application/soap+xml"),
)


def _holders(node: Any) -> list[Any]:
    found, left = [], [node]
    while left:
        each = left.pop()
        if isinstance(each, dict | list):
            found.append(each)
            left += each.values() if isinstance(each, dict) else each
    return found


def _change(holder: Any, place: Any, chance: random.Random) -> None:
    kind = chance.randrange(8)
    value = holder[place]
    if kind <= 2:
        holder[place] = copy.deepcopy(chance.choice(_ODD))
    elif kind == 3:
        del holder[place]
    elif kind == 4:
        holder[place] = [value] if chance.random() < 0.5 else {"value": value}
    elif kind == 5 and isinstance(value, list):
        holder[place] = copy.deepcopy(value * chance.choice((0, 2, 3, 20)))
    elif kind == 5 and isinstance(value, str):
        holder[place] = value[: chance.randrange(len(value) + 1)] + chance.choice(("", "x", "\u3000", value, "9" * 400))
    elif kind == 6:
        holder[place] = json.loads("[" * 40 + "]" * 40)
    elif isinstance(holder, dict):
        holder[chance.choice((str(place).upper(), f"{place} ", "", "\u0000", "data", "input"))] = holder.pop(place)
    else:
        holder.insert(place, copy.deepcopy(chance.choice(_ODD)))
