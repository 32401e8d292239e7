"""How a published text reads as terms: 限急诊或住院患者 is the care emergency|inpatient.

A text may say more than the terms (a disease, a course): what is left of it is not judged here. It is understood only where what it says of the
terms is plain: a text that says them twice and otherwise, takes something away (不予支付, 以外), lets others pass (不限, 或定点药店) or names a level
that is not 及以上 is not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from checker.model.words import CARE_GROUPS, INSURANCE_GROUPS, RANKS

Terms = Mapping[str, str | int]
"""The cells of a row of terms, by name."""

_NOT = re.compile("不予|不得|不支付|不可|不能|除外|以外|之外|禁止")
_FREES = re.compile(
    "不限|不受|不分|不论|无论|无需|无须|不必|不要求|均可|也可|亦可|都可|(?<!者)除外|以外|之外|药店|药房|诊所|卫生[院室所]|社区"
)
"""Words by which a text lets pass others than those whom it names."""
_WEAKENS_BEFORE = re.compile("建议|推荐|原则上|优先|鼓励|无|(?:非|不|或者?|和|及|与|、|/)(?:限于?|由|在|需|须)*$")
_WEAKENS_AFTER = re.compile("^(?:或|和|及|与|、|/|以及|也|亦)|优先|报销|比例|%|为宜|为主|含|包括")
"""What stands before or behind a level, within its part of the sentence, where it is not the level alone that decides."""
_PART_ENDS = re.compile("[,。;:\n]")
_AMBIGUOUS = "门诊"
"""Whether it means the chronic and the urgent too is not plain: a list must say 普通门诊, 门诊慢特病, 急诊."""
_CARE = {words[0]: group for group, words in CARE_GROUPS.items() if words[0] != _AMBIGUOUS}
_CARE |= {"普通门诊": "outpatient", "门诊慢性病": "chronic", "门诊特殊病": "chronic", "门诊特慢病": "chronic"}
_ONE_CARE = "|".join(sorted(_CARE, key=len, reverse=True))
_CARE_WORD = re.compile(_ONE_CARE)
_ANY_CARE = re.compile(f"{_ONE_CARE}|{_AMBIGUOUS}|门急诊|出院")
_CARE_LIST = rf"(?:{_ONE_CARE})(?:(?:、|或者|或|和|及|/)(?:{_ONE_CARE}))*"
_CARE_TOLD = re.compile(
    rf"(?<![非除未门])(?:限)?(?P<care>{_CARE_LIST})(?:的?(?:患者|病人|参保人员?)|期间|时)?(?:方[可予](?:以)?支付|可以?支付|支付|使用)?(?=[,。;\n]|$)"
)
_INSURANCE = {
    words[0].removesuffix("保险"): group
    for group, words in INSURANCE_GROUPS.items()
    if group in ("injury", "maternity")
}
_INSURANCE_TOLD = re.compile(rf"限(?:于|由)?({'|'.join(_INSURANCE)})保险")
_INSURANCE_WORD = re.compile(r"([\u4e00-\u9fff]{2})保险")
_RANKS = {words[0]: rank for rank, words in RANKS.items()}
_PLACE = "(?:定点)?(?:医疗机构|医院)"
_EYE = re.compile("三级(?:综合)?医院眼科或(?:者)?二级(?:及)?以上眼科专科(?:医院)?")
_FROM_RANK = re.compile(rf"({'|'.join(_RANKS)})(?:及|或)?(?:其)?以上{_PLACE}")
_TOP_RANK = re.compile(rf"限(?:于)?(三级){_PLACE}(?!眼科)")
_RANK_WORD = re.compile(rf"(?:{'|'.join(_RANKS)})(?:以|及|医|专|综|甲|乙|定)|首次处方|首诊")
_FIRST = re.compile("首次处方时?(?:需|须|应)?(?:由)?$")
_OF_EYES = re.compile("首次处方时?病眼[^,。;]*视力")
_BARS_ONLINE = re.compile("互联网(?:诊疗|医院|就诊)[^。;\n]*(?:不得开具|不得使用|不予支付|不得支付|不支付)")
_SOME_ONLINE = re.compile("除|以外|之外|非互联网|复诊|首诊|可(?:以|予)?支付")
_NEVER = re.compile("不得纳入(?:医保|医疗保险|基本医疗保险)?基金支付范围|均不予支付")
_IN_A_CASE = re.compile("单独|单味|单方|时|的情况|仅|限|除")
_LONGEST = 2_000
"""Characters of a text that is read; published ones have a few hundred."""


def read_terms(text: str, limits: Iterable[str]) -> Terms | None:
    """Return what a published text says of these limits (names of the shape's), or None where it says nothing of them that is understood.

    >>> dict(read_terms("限急诊或住院患者。", ["care_groups"]))
    {'care_groups': 'emergency|inpatient'}
    >>> dict(read_terms("首次处方时需由二级及以上医疗机构专科医师开具处方。", ["min_rank"]))
    {'min_rank': 2, 'rank_case': 'first_prescription'}
    >>> read_terms("门诊不予支付", ["care_groups"])
    >>> read_terms("二级及以上医疗机构或定点药店", ["min_rank"])
    """
    if len(text) > _LONGEST:
        return None
    plain = "\n".join("".join(line.split()) for line in unicodedata.normalize("NFKC", text).splitlines())
    found: dict[str, str | int] = {}
    for reader in dict.fromkeys(_READERS[limit] for limit in limits if limit in _READERS):
        read = reader(plain)
        if read is None:
            return None
        found.update(read)
    return found or None


def speaks_of_terms(text: str) -> bool:
    """Whether a remark says something of care, levels, insurance or exceptions, so that a text beside it may not be all.

    >>> speaks_of_terms("急诊也可"), speaks_of_terms("2025年目录")
    (True, False)
    """
    plain = "".join(unicodedata.normalize("NFKC", text[:_LONGEST]).split())
    return any(pattern.search(plain) for pattern in (_FREES, _ANY_CARE, _FROM_RANK, _RANK_WORD, _INSURANCE_TOLD, _NOT))


def _care(text: str) -> Terms | None:
    told = list(_CARE_TOLD.finditer(text))
    said = {frozenset(_CARE[word] for word in _CARE_WORD.findall(each["care"])) for each in told}
    # Care that is named beside: 单次住院, 非住院, 门诊不予支付.
    others = _ANY_CARE.search(_CARE_TOLD.sub("", text)) or _FREES.search(text)
    if len(said) != 1 or others or any(_takes_away(text, each) for each in told):
        return None
    return {"care_groups": "|".join(sorted(said.pop()))}


def _insurance(text: str) -> Terms | None:
    told = _INSURANCE_TOLD.findall(text)
    if (
        len(set(told)) != 1
        or set(_INSURANCE_WORD.findall(text)) != set(told)
        or _NOT.search(text)
        or _FREES.search(text)
    ):
        return None
    return {"insurance": _INSURANCE[told[0]]}


def _rank(text: str) -> Terms | None:
    if _EYE.search(text):
        rest = _OF_EYES.sub("", _EYE.sub("", text))
        return None if _RANK_WORD.search(rest) or _FREES.search(text) else {"min_rank": 3, "rank_case": "eye"}
    told = [*_FROM_RANK.finditer(text), *_TOP_RANK.finditer(text)]
    ranks = {_RANKS[each[1]] for each in told}
    first = {_FIRST.search(text[: each.start()]) is not None for each in told}
    others = _FREES.search(text) or any(_weakens(text, each) for each in told)
    if len(ranks) != 1 or len(first) != 1 or others or any(_takes_away(text, each) for each in told):
        return None
    rest = _TOP_RANK.sub("", _FROM_RANK.sub("", text))
    if True in first:
        rest = rest.replace("首次处方", "", len(told))
    if _RANK_WORD.search(rest):
        return None
    return {"min_rank": ranks.pop(), **({"rank_case": "first_prescription"} if True in first else {})}


def _channel(text: str) -> Terms | None:
    return {"barred_channel": "online"} if _BARS_ONLINE.search(text) and not _SOME_ONLINE.search(text) else None


def _never(text: str) -> Terms | None:
    found = _NEVER.search(text)
    return (
        {"never_paid": "yes"} if found and not _IN_A_CASE.search(text[: found.start()].replace("单复方", "")) else None
    )


def _weakens(text: str, told: re.Match[str]) -> bool:
    before = _PART_ENDS.split(text[: told.start(1)])[-1]
    return bool(_WEAKENS_BEFORE.search(before) or _WEAKENS_AFTER.search(_PART_ENDS.split(text[told.end() :])[0]))


def _takes_away(text: str, told: re.Match[str]) -> bool:
    """Whether the part of the sentence that tells the terms, or what stands before them in it, takes something away: 除住院患者以外."""
    start = max((end.end() for end in _PART_ENDS.finditer(text, 0, told.start())), default=0)
    end = _PART_ENDS.search(text, told.end())
    return (
        "除" in text[start : told.start()]
        or _NOT.search(text, told.start(), end.start() if end else len(text)) is not None
    )


_READERS: dict[str, Callable[[str], Terms | None]] = {
    "insurance": _insurance,
    "care_groups": _care,
    "min_rank": _rank,
    "rank_case": _rank,
    "barred_channel": _channel,
    "never_paid": _never,
}
"""By which reader a limit is read; the level and its case are read together."""
