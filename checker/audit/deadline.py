"""Days until which an institution may answer: working days by the calendar of public holidays [法定节假日]."""

from __future__ import annotations

from datetime import date, timedelta

from checker.model.errors import InputError, both

NO_LIBRARY = both(
    "算工作日需要附加组件，请运行 pip install 'liangku[reports]'",
    "working days need an extra: install liangku[reports]",
)


def deadline(start: date, days: int) -> tuple[date, bool]:
    """The day on which the last of so many working days after `start` ends, and whether the holidays of all days between are known.

    The State Council announces the holidays of a year in the autumn before; of years that are not announced only weekends are known.
    Raises InputError where the library that knows the holidays is not installed.
    """
    try:
        from chinese_calendar import is_workday
    except ImportError as error:
        raise InputError(NO_LIBRARY) from error
    day, left, known = start, days, True
    while left > 0:
        day += timedelta(days=1)
        try:
            works = is_workday(day)
        except NotImplementedError:
            known, works = False, day.weekday() < 5
        left -= works
    return day, known
