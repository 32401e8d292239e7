"""What a misspelt word may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> tuple[str, str]:
    """Return a hint that names the nearest known word, or all of them, in Chinese and in English.

    >>> nearest("levle", ["level", "tier"])
    ('是不是 level？', 'did you mean `level`?')
    >>> nearest("x", ["level", "tier"])
    ('已有的是 level, tier', 'known are level, tier')
    """
    words = list(known)
    close = get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f"是不是 {close[0]}？", f"did you mean `{close[0]}`?"
    return f"已有的是 {', '.join(words) or '（无）'}", f"known are {', '.join(words) or 'none'}"
