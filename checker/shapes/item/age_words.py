"""The words for an age that a published text says alone: 儿童专用项目, 限法定就业年龄段患者, 老年人慎用."""

from __future__ import annotations

import re
import unicodedata

CHILD_WORDS = "新生儿|婴幼儿|婴儿|儿童|小儿"
CHILD_ENDS = {"新生儿": 29.0, "婴儿": 366.0, "婴幼儿": 3 * 366.0, "儿童": 18 * 365.0, "小儿": 18 * 365.0}
"""The days by which the widest reading of each word has ended."""
_FOR_CHILDREN = re.compile(rf"({CHILD_WORDS})专用(?:项目)?")
OLD = "老年人"
CAUTIONED = "慎用|不推荐使用|不建议使用"
"""How a text says that care is asked of those whom it names: a notice."""
BARRED = "禁用|忌用|不宜使用|不得使用|避免使用"
"""How it says that those whom it names get none of it."""
_NOT_FOR_THE_OLD = re.compile(rf"(?:老年人|老年患者|老人|老年)(?:患者)?(?:{CAUTIONED}|{BARRED})")
_WARNS = re.compile(rf"(?:{CAUTIONED}|{BARRED})[。.;]*$")
_CAUTION = re.compile(rf"(?:{CAUTIONED})[。.;]*$")
_OF_WORKING_AGE = re.compile(r"限?(法定就业年龄)(?:段|段内|内)?(?:的?(?:患者|参保人员?|人员|人群))?(?:使用)?")


def age_word_in(text: str) -> str | None:
    """Return the age word of a text that says nothing else, or None.

    >>> age_word_in("婴幼儿专用项目"), age_word_in("限法定就业年龄段患者。"), age_word_in("老年人慎用"), age_word_in("儿童")
    ('婴幼儿', '法定就业年龄', '老年人', None)
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split()).rstrip("。;")
    found = _FOR_CHILDREN.fullmatch(plain) or _OF_WORKING_AGE.fullmatch(plain)
    if _NOT_FOR_THE_OLD.fullmatch(plain):
        return OLD
    return found[1] if found else None


def warns(text: str) -> bool:
    """Whether a text says who should not get the item, or with care only, rather than whom it is for."""
    return _WARNS.search("".join(unicodedata.normalize("NFKC", text).split())) is not None


def is_caution(text: str) -> bool:
    """Whether a text asks for care and forbids nothing.

    >>> is_caution("65岁以上慎用。"), is_caution("65岁以上禁用")
    (True, False)
    """
    return _CAUTION.search("".join(unicodedata.normalize("NFKC", text).split())) is not None
