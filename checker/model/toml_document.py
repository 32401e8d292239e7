"""TOML from outside: parsed within bounds of depth, so that a short text cannot take all memory or time."""

from __future__ import annotations

import re
import tomllib
from typing import Any

_DEEPEST = 16
"""Names joined by dots in one key; ours have three."""
_NAME = r"""(?:(?<![\w-])[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
# The parser keeps every beginning of a dotted key: 80 KB of `a.a.a` would take gigabytes.
_DEEP_KEY = re.compile(rf"""(?m)^[ \t]*+(?:\[[ \t]*+)*+(?:{_NAME}[ \t]*+\.[ \t]*+){{{_DEEPEST}}}""", re.ASCII)
_DEEP_INLINE = re.compile(rf"""[{{,][ \t]*+(?:{_NAME}[ \t]*+\.[ \t]*+){{{_DEEPEST}}}""", re.ASCII)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the document of a text, without its byte order mark.

    Raises tomllib.TOMLDecodeError where it is none, nested deeper than anything of ours, or holds a number that is too long.
    """
    text = text.removeprefix("\ufeff")
    for deep in (_DEEP_KEY, _DEEP_INLINE):
        if found := deep.search(text):
            line = text.count("\n", 0, found.end()) + 1
            raise tomllib.TOMLDecodeError(f"more than {_DEEPEST} names joined by dots (at line {line})")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError("nested too deeply") from None
    except ValueError as error:
        raise tomllib.TOMLDecodeError(str(error)) from None
