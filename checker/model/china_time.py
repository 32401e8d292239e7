"""What time it is where the rules hold: in China, whatever the zone of this machine."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
"""China has one time and no summer time; the zone's own name is unknown where a system brings no zone data."""


def china_now() -> datetime:
    """Now, as clocks in China show it, without a zone."""
    return datetime.now(CHINA).replace(tzinfo=None)


def china_today() -> date:
    """Today in China."""
    return datetime.now(CHINA).date()
