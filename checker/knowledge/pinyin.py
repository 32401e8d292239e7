"""Item names as they are typed without Chinese: full pinyin [拼音] and initials [拼音首字母], letters and digits only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

_HAN = re.compile(r"[\u3400-\u9fff]+")
_TYPED = re.compile(r"[^a-z0-9\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name's pinyin without tones, and the first letter of each syllable; Latin letters and digits stand as they are."""

    pinyin: str
    initials: str


def spellings(names: Iterable[str]) -> dict[str, Spelling]:
    """Return the spelling of each name.

    >>> spellings(["爱普列特片"])["爱普列特片"]
    Spelling(pinyin='aipulietepian', initials='apltp')
    """
    return {name: _spelled(name) for name in names}


@cache
def _spelled(name: str) -> Spelling:
    """The spelling of a name; two editions that are compared have nearly all of their names in common."""
    plain = _TYPED.sub("", unicodedata.normalize("NFKC", name).lower())
    return Spelling(
        _HAN.sub(lambda found: "".join(_syllables(found[0])), plain),
        _HAN.sub(lambda found: "".join(syllable[:1] for syllable in _syllables(found[0])), plain),
    )


@cache
def _syllables(part: str) -> tuple[str, ...]:
    """The syllables of a part in Chinese; what several names share, or several editions, is looked up once."""
    from pypinyin import lazy_pinyin  # its dictionaries take time to load, and only building needs them

    return tuple(lazy_pinyin(part))
