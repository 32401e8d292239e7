"""Values and their groups: what a code or a word means, by itself or by how it begins; what mixes two groups means nothing."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping

from checker.ingest import values
from checker.ingest.spellings import BLANKS, CARE_CODE, LONGEST_WORD

_REMEMBERED = 4096
_UNSEEN = (
    dict.fromkeys(map(ord, BLANKS))
    | str.maketrans("[{【〔〖「『", "(((((((")
    | str.maketrans("]}】〕〗」』", ")))))))")
)
_CONTAINED = re.compile(r"\([不已]?含[^()]*\)")
"""What is said to be contained, or not, does not change what the value is: 职工基本医疗保险(含生育)."""
_REMARK = re.compile(r"(.+?)\((.*)\)")
_WRAPPED = re.compile(r"\(([^()]*)\)")
_CODED = re.compile(r"([0-9]{1,4})([^0-9.].*)")
_AROUND = "-_|:/、.,()"
_SEVERAL = re.compile(r"以上|以下|[及或至/、,~]")
"""What tells that more than one is meant: 三级及以上."""
_CARE_CODE = re.compile(CARE_CODE)
_TAKEN_BACK = re.compile(r"[非否不无没未]|不是|没有|不[详明]|未[知定]|待.*|拟.*|存疑|[?×✗✘]+")
"""A remark that takes back what it stands beside: 工伤保险(非)."""
NOT_GRADED = re.compile("[未不无][定评分设]?(?:等[级次]?|级)")
"""What says that an institution of a level has no grade within it: 三级未定等."""
DOUBTED = re.compile(
    "[待未拟不否疑暂曾无?]|^原|非(?![营盈]利)|申[报请]|创建|筹|试[评行运点]|取消|撤|降|摘|参照|相当|视同"
)
"""What of a level says that it is not, not yet or no longer that of the institution: 三级待定."""


def normal(value: str | None) -> str | None:
    """A value as it is compared: NFKC, without blanks, small letters, round brackets; None for NULL words and for what is too long."""
    if value is None or len(value) > LONGEST_WORD or (text := values.clean(value)) is None:
        return None
    return unicodedata.normalize("NFKC", text).translate(_UNSEEN).lower() or None


def normal_care(value: str | None) -> str | None:
    """A care type likewise: the code where the value has one or is the word of one, as everywhere."""
    text = normal(value)
    return text and values.read_care(text)


class Groups:
    """The groups of one kind of value. `exact` and `begins` give the group of a whole value and of its beginning; `neutral` groups may
    stand beside any other. Of care types only a code of two digits or more has a beginning. `doubted`: words beside a value may say that it
    does not hold (DOUBTED).
    """

    def __init__(
        self,
        exact: Mapping[str, str],
        begins: Mapping[str, str],
        *,
        neutral: Collection[str] = (),
        care: bool = False,
        doubted: bool = False,
    ) -> None:
        self.exact, self.begins = dict(exact), dict(begins)
        self._neutral, self._care, self._doubted = frozenset(neutral), care, doubted
        self._normal = normal_care if care else normal
        self._lengths = sorted({len(begin) for begin in begins}, reverse=True)
        told = (*self.exact.items(), *self.begins.items())
        self._words = {word: group for word, group in told if len(word) > 1 and not word.isdigit()}
        self.of: Callable[[str | None], str | None] = functools.lru_cache(_REMEMBERED)(self._of)

    def _of(self, value: str | None) -> str | None:
        """The group of a value as it was read from the data; None where it is not known."""
        key = self._normal(value)
        return None if key is None else self._look(key)

    def _look(self, key: str) -> str | None:
        if key in self.exact:
            return self.exact[key]
        plain = _CONTAINED.sub("", key)
        if plain != key:
            return self._look(plain) if plain else None
        if wrapped := _WRAPPED.fullmatch(key):
            return self._look(wrapped[1]) if wrapped[1] else None
        if remark := _REMARK.fullmatch(key):
            group = self._look(remark[1])
            taken_back = _TAKEN_BACK.fullmatch(remark[2]) is not None
            return None if group is None or taken_back or self._is_another(remark[2], group) else group
        if (group := self._beginning(key)) or not (coded := _CODED.fullmatch(key)):
            return group
        return self._both(coded[1], coded[2].strip(_AROUND))

    def _beginning(self, key: str) -> str | None:
        is_code = not self._care or _CARE_CODE.fullmatch(key) is not None
        for length in self._lengths:
            begin = key[:length]
            if (group := self.begins.get(begin)) is not None and (is_code or not begin.isdigit()):
                return None if not key.isdigit() and self._is_another(key[length:], group) else group
        return None

    def _both(self, code: str, word: str) -> str | None:
        """The group of a code with its word behind it, which must not contradict each other."""
        if any(sign.isdigit() for sign in word):
            return None
        if self._is_doubted(word) and word not in self.exact:
            return None
        by_code = self.exact.get(code) or self._beginning(code)
        by_word = self._look(word) if word else None
        return None if by_code and by_word and by_code != by_word else by_code or by_word

    def _is_doubted(self, text: str) -> bool:
        return self._doubted and DOUBTED.search(NOT_GRADED.sub("", text)) is not None

    def _is_another(self, text: str, group: str) -> bool:
        """Whether a text beside a value of a group speaks of another group, or of several."""
        if _SEVERAL.search(text) or self._is_doubted(text):
            return True
        others = {found for word, found in self._words.items() if word in text}
        if text and (found := self.exact.get(text) or (self._beginning(text) if text.isdigit() else None)):
            others.add(found)
        return bool(others - self._neutral - {group})
