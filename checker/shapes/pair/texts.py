"""How the published words for an interval read: 单日 is day, 单次就诊 is visit."""

from __future__ import annotations

import re
import unicodedata

INTERVALS = {
    "day": ("单日", "同日", "同一日", "同一天", "当日"),
    "visit": ("单次就诊", "同次就诊", "同一次就诊", "单次住院"),
    "six_hours": ("6小时", "6小时内", "六小时", "六小时内"),
    "one_hour": ("同一小时", "1小时", "1小时内", "一小时", "一小时内"),
}
_MEANT = {word: interval for interval, words in INTERVALS.items() for word in words}


_WORD = re.compile("|".join(sorted(_MEANT, key=lambda word: (-len(word), word))))


def find_interval(text: str) -> str | None:
    """Return the interval that a longer text names, or None where it names none, or two that differ.

    >>> find_interval("项目A和项目B单日同时收费"), find_interval("项目A和项目B同时收费")
    ('day', None)
    """
    found = {_MEANT[word] for word in _WORD.findall("".join(unicodedata.normalize("NFKC", text).split()))}
    return found.pop() if len(found) == 1 else None


def read_interval(text: str) -> str | None:
    """Return the interval that published words name, or None for words that nobody knows.

    >>> read_interval("６小时"), read_interval("单次就诊"), read_interval("每季度")
    ('six_hours', 'visit', None)
    """
    return _MEANT.get("".join(unicodedata.normalize("NFKC", text).split()))
