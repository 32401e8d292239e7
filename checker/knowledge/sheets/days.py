"""The days of lists and crosswalks: a claim may be read as most programs mean it, but a list of a wrong day judges every claim wrongly."""

from __future__ import annotations

import re
from datetime import date

from checker.ingest.spellings import narrow
from checker.ingest.values import read_date

_TWO_WAYS = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)")
_MONTHS = 12


def read_day(text: str, ask: str) -> date | None:
    """A day; None where the text stands for none, such as 9999-12-31.

    Raises ValueError: with `ask` where nothing reads it, and with both days where the month may stand before the day or behind it.

    >>> read_day("2026年7月1日", "?"), read_day("07/13/2026", "?"), read_day("7/7/2026", "?")
    (datetime.date(2026, 7, 1), datetime.date(2026, 7, 13), datetime.date(2026, 7, 7))
    """
    if found := _TWO_WAYS.search(narrow(text)):
        first, second, year = map(int, found.groups())
        if 0 < first <= _MONTHS and 0 < second <= _MONTHS and first != second:
            month_first, day_first = (
                f"{year:04}-{month:02}-{day:02}" for month, day in ((first, second), (second, first))
            )
            raise ValueError(
                f"月和日分不清，请写 {month_first} 或 {day_first} (month and day cannot be told apart: write {month_first} or {day_first})"
            )
    try:
        return read_date(text)
    except ValueError:
        raise ValueError(ask) from None
