"""How published texts of second-line drugs and indications read: the class of a drug by its codes, and what claims do not show and people check."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ONE_CLASS = ("XL01", "XL02", "XL04")
"""Cytostatics, hormones and immunosuppressants against tumours: one class of drugs."""
_CLASS_LENGTH = 4
_SECOND_LINE = "一线药品使用无效或不能耐受的证据"
_PART_ENDS = re.compile(r"[;；。]|(?<=[:：;；。])[0-9]{1,2}\.(?![0-9])")
_EARLIER = re.compile(
    "既往|此前|失败|应答|耐受|二线|三线|不佳|无效|欠佳|效果|进展|难治|难以控制|无法|耐药|下降低于|接受过|治疗后|仍|后的维持|复发|一线治疗|不良"
)
_LEAD = re.compile("^(?:限)?(?:以下情况方可支付)?[:：]?|^[0-9]{1,2}\\.(?![0-9])")
_BARE = re.compile("^(?:二线|三线)(?:用药|使用|治疗)?$")

CONDITIONS = {
    "age": "年龄",
    "prior_therapy": "此前的治疗",
    "stage_severity": "分期或严重程度",
    "lab_value": "检验结果",
    "biomarker": "基因或标志物检测",
    "evidence": "确诊证据",
    "combination": "联合用药",
    "time_window": "发病时间或病程",
    "setting": "使用场合（抢救、手术、住院等）",
}
"""What a text may ask for that claims do not show, by the words of the compilation."""


def drug_class(codes: Iterable[str]) -> str:
    """Return the class of drugs with these codes: their first four characters, joined by |; those against tumours are one.

    >>> drug_class(["XL01EDA001A001010102180"]), drug_class(["XA02BCA001A001010102180"])
    ('XL01|XL02|XL04', 'XA02')
    """
    found = {code[:_CLASS_LENGTH] for code in codes}
    if not found.isdisjoint(_ONE_CLASS):
        found.update(_ONE_CLASS)
    return "|".join(sorted(found))


def earlier_therapy(text: str) -> str:
    """Return what a pharmacist must verify of a drug of the second line: evidence of earlier treatment, and how the text puts it.

    >>> earlier_therapy("限二线用药。")
    '一线药品使用无效或不能耐受的证据'
    >>> earlier_therapy("限常规治疗无效的多发性硬化患者。")
    '一线药品使用无效或不能耐受的证据：常规治疗无效的多发性硬化患者'
    """
    parts = [_LEAD.sub("", _LEAD.sub("", part)) for part in _PART_ENDS.split("".join(text.split()))]
    told = [part for part in parts if _EARLIER.search(part) and not _BARE.match(part)]
    return f"{_SECOND_LINE}：{'；'.join(told)}" if told else _SECOND_LINE


def to_check(conditions: Iterable[str]) -> str | None:
    """Return what people check, in words, or None where there is nothing; conditions are keys of CONDITIONS.

    >>> to_check(["age", "biomarker"])
    '年龄、基因或标志物检测'
    """
    return "、".join(CONDITIONS[each] for each in conditions) or None
