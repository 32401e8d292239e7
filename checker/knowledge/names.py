"""When two published item names mean the same item."""

from __future__ import annotations

import re
import unicodedata

_PARENTHESISED = re.compile(r"\([^()]*\)")


def item_key(name: str) -> str:
    """Return what is compared of an item name [项目名称]: NFKC, without parenthesised parts, trimmed.

    A name that stands wholly in parentheses keeps them.

    >>> item_key("千金止带丸（水丸）") == item_key("千金止带丸")
    True
    >>> item_key("氯喹那多-普罗雌烯阴道片") == item_key("氯喹那多/普罗雌烯阴道片")
    False
    """
    full = unicodedata.normalize("NFKC", name).strip()
    key = full
    while (shorter := _PARENTHESISED.sub("", key)) != key:
        key = shorter
    return key.strip() or full
