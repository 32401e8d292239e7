"""Whether a sheet without a header may go on where another ends: a table that was split says so by its size, or by the sheets' names."""

from __future__ import annotations

import re

_SHEET_ROWS = frozenset({65_536, 1_048_576})
"""How many rows a sheet of .xls and of .xlsx holds."""
_ROUND = 10_000
"""Programs that split a table put a multiple of so many lines on each sheet."""
_NUMBER = re.compile(r"[\s_\-.]*(?:[(（]\s*[0-9]+\s*[)）]|[0-9]+|[（(]?[一二三四五六七八九十]+[)）]?)$")


def may_go_on(name: str, before: str, *, last_row: int, lines: int) -> bool:
    """Whether the sheet `name` may hold more of the sheet `before`, which ends in `last_row` and has so many lines below its header.

    A sheet of another name behind one that is not full may hold anything of the same columns, such as what was cancelled.
    """
    return (
        last_row in _SHEET_ROWS
        or (lines > 0 and lines % _ROUND == 0)
        or name.startswith("续")
        or _stem(name) == _stem(before)
    )


def _stem(name: str) -> str:
    """A sheet's name without the number behind it: 明细, 明细2 and 明细 (3) are one."""
    return _NUMBER.sub("", name.strip()) or name
