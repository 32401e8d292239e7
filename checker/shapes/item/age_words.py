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
_OF_WARNINGS = re.compile(f"{CAUTIONED}|{BARRED}|不宜|不推荐|不适当|用药安全|安全用药|老年|高龄|老人")
_SAYS_FOR_WHOM = re.compile("^(?:仅|只)?限|^(?:仅|只)?(?:适用|可用|用于)|(?:使用|适用|可用|专用)[。.;]*$")
_NARROW = re.compile("(?:仅|只)?限?(?:于)?(新生儿|婴幼儿|婴儿)(?:患者|患儿|人群)?(?:使用|专用|适用)?")
_NAMES_NARROWER = re.compile("限[^,。;]{0,6}(?:新生儿|婴幼儿|婴儿)")
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


def is_of_warnings(rule: str) -> bool:
    """Whether the name of a rule says that its list names those who should not get the items, rather than those whom they are for.

    >>> is_of_warnings("老年人用药安全"), is_of_warnings("药品限儿童使用")
    (True, False)
    """
    return _OF_WARNINGS.search(rule) is not None


def says_for_whom(text: str) -> bool:
    """Whether a text of an age says by itself whom the item is for.

    >>> says_for_whom("限65岁以上使用"), says_for_whom("65岁以上")
    (True, False)
    """
    return _SAYS_FOR_WHOM.search("".join(unicodedata.normalize("NFKC", text).split())) is not None


def narrower_word(text: str) -> str | None:
    """Return the word of a text that names only the youngest: 限新生儿 under a list for children; "" where it names them beside more.

    >>> narrower_word("限新生儿"), narrower_word("限新生儿、婴儿"), narrower_word("药品说明书")
    ('新生儿', '', None)
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split()).rstrip("。;")
    if found := _NARROW.fullmatch(plain):
        return found[1]
    return "" if _NAMES_NARROWER.search(plain) else None
