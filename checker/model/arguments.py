"""What a Python program gives as arguments: one path or several, a day, a word among few."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from checker.model.errors import InputError

Paths = str | Path | Sequence[str | Path]
"""One path, or several."""


def paths(given: Paths) -> tuple[Path, ...]:
    """The paths of an argument.

    >>> len(paths("a")), len(paths(["a", Path("b")]))
    (1, 2)
    """
    return (Path(given),) if isinstance(given, str | Path) else tuple(map(Path, given))


def path(given: str | Path | None) -> Path | None:
    """The path of an argument that may be left out."""
    return None if given is None else Path(given)


def day(given: date | None) -> date | None:
    """The day of an argument that may be left out; of a time its day."""
    return given.date() if isinstance(given, datetime) else given


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
    found = _MEMORY.fullmatch(given)
    if not found or float(found[1]) * _UNITS[found[2].upper()] < LEAST_MEGABYTES:
        raise InputError(
            f"“{given}”不是内存大小，请写成 2GB、800MB 这样，至少 {LEAST_MEGABYTES}MB（write 2GB or 800MB, no less than {LEAST_MEGABYTES}MB）"
        )
    return f"{found[1]}{found[2]}"


def at_least_one(name: str, given: int | None) -> int | None:
    """The number of an argument that may be left out. Raises InputError where it is less than one."""
    if given is not None and given < 1:
        raise InputError(f"{name}={given}：至少为 1（one or more）")
    return given
