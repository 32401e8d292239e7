"""Remarks that points have of their own: that a list of some year no longer names them, and that their diagnoses are our own compilation."""

from __future__ import annotations

import re
from datetime import date

OWN_COMPILATION = "own_compilation"
"""The remark of a point whose diagnoses this project compiled from published words."""
_NOT_LISTED = re.compile(r"not_in_([0-9]{4})_list")


def not_listed(day: date) -> str:
    """The remark of a point that the list published on a day does not name again and no notice withdraws."""
    return f"not_in_{day.year}_list"


def year_not_listed(remark: str) -> str | None:
    """The year whose list no longer names the point; None where the remark says something else.

    >>> year_not_listed("not_in_2026_list"), year_not_listed("duplicate")
    ('2026', None)
    """
    found = _NOT_LISTED.fullmatch(remark)
    return found[1] if found else None
