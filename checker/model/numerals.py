"""Numbers in Arabic or Chinese figures."""

from __future__ import annotations

_DIGITS = "一二三四五六七八九"
FIGURES = f"[{_DIGITS}两十]{{1,3}}"
"""Chinese figures up to 99, as a regular expression."""


def in_figures(number: int) -> str:
    """A number from 1 to 99 in Chinese figures.

    >>> in_figures(2), in_figures(12), in_figures(65)
    ('二', '十二', '六十五')
    """
    tens, ones = divmod(number, 10)
    ten = ("" if tens == 1 else _DIGITS[tens - 1]) + "十" if tens else ""
    return ten + (_DIGITS[ones - 1] if ones else "")


def counted(number: str) -> int:
    """A number in Arabic or Chinese figures, up to 99 in the latter; 0 where it is none.

    >>> counted("14"), counted("两"), counted("十二"), counted("六十五"), counted("十十")
    (14, 2, 12, 65, 0)
    """
    if number.isascii():
        return int(number)
    tens, ten, ones = number.replace("两", "二").rpartition("十")
    if len(tens) > 1 or len(ones) > 1:
        return 0
    return (_DIGITS.find(tens) + 1 if tens else 1 if ten else 0) * 10 + (_DIGITS.find(ones) + 1 if ones else 0)
