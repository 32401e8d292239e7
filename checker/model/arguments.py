"""What a Python program gives as arguments: one path or several, a day, a word among few."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from checker.model.errors import InputError

Paths = str | Path | Sequence[str | Path]
"""One path, or several."""


def _wrong(name: str, given: object, wanted: str) -> InputError:
    return InputError(f"{name}={given!r}：{wanted}")


def paths(given: Paths | None) -> tuple[Path, ...]:
    """The paths of an argument.

    >>> len(paths("a")), len(paths(["a", Path("b")])), len(paths(None))
    (1, 2, 0)
    """
    if given is None:
        return ()
    return (Path(given),) if isinstance(given, str | Path) else tuple(map(Path, given))


def path(given: str | Path | None) -> Path | None:
    """The path of an argument that may be left out."""
    return None if given is None else Path(given)


def day(given: date | str | None) -> date | None:
    """The day of an argument that may be left out; of a time its day. Raises InputError where it is none.

    >>> day("2026-03-01")
    datetime.date(2026, 3, 1)
    """
    if isinstance(given, str):
        try:
            return date.fromisoformat(given)
        except ValueError:
            raise _wrong("as_of", given, "应为日期，如 date(2026, 3, 1)（a date）") from None
    if given is not None and not isinstance(given, date):
        raise _wrong("as_of", given, "应为日期，如 date(2026, 3, 1)（a date）")
    return given.date() if isinstance(given, datetime) else given


def text(name: str, given: str | None) -> str | None:
    """The text of an argument that may be left out. Raises InputError where it is none."""
    if given is not None and not isinstance(given, str):
        raise _wrong(name, given, "应为文字，请加引号（a text: put it in quotes）")
    return given


def share(name: str, given: float) -> float:
    """A share from 0 to 1. Raises InputError where it is none."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        raise _wrong(name, given, "应为 0 到 1 之间的数（a number from 0 to 1）")
    return float(given)


def one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    """The word of an argument. Raises InputError where it is none of those allowed."""
    if value not in allowed:
        raise InputError(f"{name}={value!r}：应为 {'、'.join(allowed)} 之一（one of {', '.join(allowed)}）")
    return value


LEAST_MEGABYTES = 256
_UNITS = {"MB": 1.0, "GB": 1000.0, "MIB": 1.048576, "GIB": 1073.741824}
_MEMORY = re.compile(r"\s*([0-9]{1,6}(?:\.[0-9]{1,2})?)\s*(MB|GB|MiB|GiB)\s*", re.IGNORECASE | re.ASCII)


def memory(given: str | None) -> str | None:
    """The memory of an argument that may be left out, as DuckDB takes it. Raises InputError where it is none, or too little to work with.

    >>> memory(" 2 gb ")
    '2gb'
    """
    if given is None:
        return None
    found = _MEMORY.fullmatch(given) if isinstance(given, str) else None
    if not found or float(found[1]) * _UNITS[found[2].upper()] < LEAST_MEGABYTES:
        raise InputError(
            f"“{given}”不是内存大小，请写成 2GB、800MB 这样，至少 {LEAST_MEGABYTES}MB（write 2GB or 800MB, no less than {LEAST_MEGABYTES}MB）"
        )
    return f"{found[1]}{found[2]}"


def whole_number(name: str, given: int | None, most: int = sys.maxsize) -> int | None:
    """The number of an argument that may be left out. Raises InputError where it is no whole number from 1 to `most`."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        upto = f" 到 {most}" if most < sys.maxsize else " 以上"
        raise _wrong(
            name, given, f"应为 1{upto}的整数（a whole number from 1{'' if most == sys.maxsize else f' to {most}'}）"
        )
    return given
