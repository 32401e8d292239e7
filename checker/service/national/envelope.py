"""The envelope of every national answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from checker.service.national.profile import Profile

ERROR_MOST = 200
"""How many characters err_msg may have."""

_NOWHERE = "000000"


def write_envelope(
    area: object,
    profile: Profile,
    *,
    output: dict[str, Any] | None,
    error: str | None,
    received: datetime,
    now: datetime,
    serial: int,
) -> dict[str, Any]:
    """The answer around an output, or around an error where one is given. `area` is the place that the request names."""
    infcode = 0 if error is None else -1
    return {
        "infcode": str(infcode) if profile.infcode_as_text else infcode,
        "inf_refmsgid": f"{_area(area)}{now:%Y%m%d%H%M%S}{serial % 10**10:010d}",
        "refmsg_time": _milliseconds(received),
        "respond_time": _milliseconds(now),
        "err_msg": profile.err_msg_when_ok if error is None else cut(error, ERROR_MOST),
        "output": output,
    }


def write_error(
    document: object, message: str, profile: Profile, *, received: datetime, now: datetime, serial: int
) -> dict[str, Any]:
    """The answer to a request that cannot be read: what was wrong and what to write instead."""
    names = profile.fields["mdtrtarea_admvs"]
    found = (document.get(name) for name in names) if isinstance(document, dict) else ()
    area = next((value for value in found if value is not None), None)
    return write_envelope(area, profile, output=None, error=message, received=received, now=now, serial=serial)


def cut(text: str, most: int) -> str:
    """The text, shortened to so many characters.

    >>> cut("违规内容", 3)
    '违规…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _area(area: object) -> str:
    text = str(area) if isinstance(area, str | int) else ""
    return text if len(text) == 6 and text.isascii() and text.isdigit() else _NOWHERE


def _milliseconds(time: datetime) -> str:
    return f"{time:%Y%m%d%H%M%S}{time.microsecond // 1000:03d}"
