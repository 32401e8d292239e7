"""What a Python program gives as arguments: one path or several, a day, a word among few."""

from __future__ import annotations

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
