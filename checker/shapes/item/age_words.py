"""The words for an age that a published text says alone: 儿童专用项目, 限法定就业年龄段患者."""

from __future__ import annotations

import re
import unicodedata

CHILD_WORDS = "新生儿|婴幼儿|婴儿|儿童|小儿"
_FOR_CHILDREN = re.compile(rf"({CHILD_WORDS})专用(?:项目)?")
_OF_WORKING_AGE = re.compile(r"限?(法定就业年龄)(?:段|段内|内)?(?:的?(?:患者|参保人员?|人员|人群))?(?:使用)?")


def age_word_in(text: str) -> str | None:
    """Return the age word of a text that says nothing else, or None.

    >>> age_word_in("婴幼儿专用项目"), age_word_in("限法定就业年龄段患者。"), age_word_in("儿童")
    ('婴幼儿', '法定就业年龄', None)
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split()).rstrip("。;")
    found = _FOR_CHILDREN.fullmatch(plain) or _OF_WORKING_AGE.fullmatch(plain)
    return found[1] if found else None
