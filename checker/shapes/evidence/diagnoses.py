"""Which diagnoses an indication stands for: beginnings of ICD-10 codes, those too general to tell, and whether it is a chronic disease.

None of it is published: the lists name diseases in words. What is here is this project's own compilation, and points say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from checker.model.errors import KnowledgeError, both

_PREFIX = re.compile(r"[A-Z][0-9]{2}(?:\.[0-9A-Z]{1,6})?")
_RANGE = re.compile(r"([A-Z][0-9]{2})-([A-Z][0-9]{2})")
_LETTER = re.compile(r"[A-Z]")
_CATEGORY = 3

GENERAL = {
    "E14": ("E10", "E11"),
    "I64": ("I63",),
    "B19": ("B16", "B17", "B18"),
    "C80": tuple(f"C{number:02d}" for number in range(76)),
    "C85": ("C81", "C82", "C83", "C84", "C86"),
    "C95": ("C91", "C92", "C93", "C94"),
    "N19": ("N17", "N18"),
    "K27": ("K25", "K26"),
    "D64": ("D50", "D51", "D52", "D53", "D55", "D56", "D60", "D61"),
    "Z51": tuple(f"C{number:02d}" for number in range(98)),
    "O10": ("I10", "I11", "I12", "I13"),
    "O24": ("E10", "E11"),
    "O98": ("B15", "B16", "B17", "B18", "B20"),
    "O99": ("D50", "D56", "D66", "D67", "D69", "G35", "G70", "I27", "I42", "I48", "I50", "I63", "M32", "M45"),
}
"""Categories that do not say of which kind or where a disease is, and those whose indications they leave open: 糖尿病, 脑卒中, 病毒性肝炎, 恶性肿瘤,
淋巴瘤, 白血病, 肾衰竭, 消化性溃疡, 贫血; a stay for chemotherapy without the tumour (Z51), and a pregnancy with a disease (O10, O24, O98, O99)."""

_CHRONIC = (
    "A15-A19 结核病", "B18-B18 慢性病毒性肝炎", "B20-B24 艾滋病", "C00-C97 恶性肿瘤", "D00-D09 原位癌", "D37-D48 动态未定肿瘤及骨髓增殖性疾病",
    "D55-D61 溶血性与再生障碍性贫血", "D66-D69 血友病与血小板减少", "D80-D84 免疫缺陷", "E03-E05 甲状腺疾病", "E10-E14 糖尿病",
    "E20-E27 甲状旁腺、垂体与肾上腺疾病", "E34-E34 其他内分泌疾病", "E66-E66 肥胖", "E70-E79 遗传代谢病、血脂异常与高尿酸血症",
    "E83-E85 矿物质代谢病、囊性纤维化与淀粉样变",
    "F00-F03 痴呆", "F20-F39 精神分裂症与心境障碍", "F90-F90 注意缺陷多动障碍", "G10-G12 亨廷顿病与脊髓性肌萎缩", "G20-G24 帕金森病与肌张力障碍",
    "G30-G30 阿尔茨海默病", "G35-G37 多发性硬化等脱髓鞘病", "G40-G40 癫痫", "G70-G71 重症肌无力与肌病", "H35-H36 视网膜疾病", "H40-H40 青光眼",
    "I10-I15 高血压", "I20-I20 心绞痛", "I25-I25 慢性缺血性心脏病", "I27-I27 肺动脉高压", "I42-I42 心肌病", "I48-I48 心房颤动", "I50-I50 心力衰竭",
    "I69-I70 脑血管病后遗症与动脉粥样硬化", "I73-I73 周围血管病", "J41-J47 慢性支气管炎、慢阻肺、哮喘与支气管扩张", "J84-J84 间质性肺病",
    "K50-K51 炎症性肠病", "K70-K70 酒精性肝病", "K73-K74 慢性肝炎与肝硬化", "L20-L20 特应性皮炎", "L40-L40 银屑病", "L73-L73 化脓性汗腺炎",
    "L93-L93 红斑狼疮", "M05-M08 类风湿与幼年特发性关节炎", "M10-M10 痛风", "M15-M19 骨关节炎", "M30-M35 系统性结缔组织病", "M45-M46 脊柱关节炎",
    "M80-M81 骨质疏松", "N02-N05 慢性肾炎与肾病综合征", "N18-N18 慢性肾脏病", "N25-N25 肾性骨病与继发甲旁亢", "N40-N40 前列腺增生",
    "N80-N80 子宫内膜异位症", "Q20-Q28 先天性心脏与血管畸形", "Q85-Q85 神经纤维瘤病与结节性硬化", "T86-T86 移植器官的失败和排斥", "Z21-Z21 HIV 感染",
    "Z94-Z94 移植状态", "Z99-Z99 依赖透析",
)  # fmt: skip
"""Diseases that last: a diagnosis of the year before still tells that the patient has it. Ranges of categories, and what they are."""


def expanded(text: str) -> tuple[str, ...]:
    """Return the beginnings of codes that a list joined by | names, ranges written out and what a shorter one covers left out, sorted.

    Raises KnowledgeError for what is no code and for a range out of order, with what to write instead.

    >>> expanded("K21.0|K21|J12-J14")
    ('J12', 'J13', 'J14', 'K21')
    >>> expanded("T")[:2], len(expanded("C00-C97"))
    (('T00', 'T01'), 98)
    """
    found: set[str] = set()
    for part in text.split("|"):
        found.update(_written_out(part.strip().upper()))
    return tuple(sorted(prefix for prefix in found if prefix[:_CATEGORY] == prefix or prefix[:_CATEGORY] not in found))


def _written_out(part: str) -> Iterator[str]:
    if _PREFIX.fullmatch(part):
        yield part
    elif _LETTER.fullmatch(part):
        yield from (f"{part}{number:02d}" for number in range(100))
    elif (ends := _RANGE.fullmatch(part)) is None:
        raise KnowledgeError(
            both(
                f"其中 {part!r} 不是 ICD-10 编码的前段，请写如 E11、E11.3，或范围 C00-C97，以 | 相连",
                f"{part!r} is no beginning of an ICD-10 code; write such as E11 or E11.3, or a range C00-C97, joined by |",
            )
        )
    else:
        first, last = (ord(end[0]) * 100 + int(end[1:]) for end in ends.groups())
        if first > last:
            turned = f"{ends[2]}-{ends[1]}"
            raise KnowledgeError(
                both(f"其中范围 {part} 前后颠倒，请写成 {turned}", f"the range {part} is out of order; write {turned}")
            )
        yield from (f"{chr(number // 100)}{number % 100:02d}" for number in range(first, last + 1))


def unspecified(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Return the beginnings of codes that leave open whether they are among those of an indication.

    A category of which only four-character codes are asked for, and the general category of a group (GENERAL), unless they are asked for.

    >>> unspecified(["E11"]), unspecified(["E75.2"]), unspecified(["E10", "E11", "E14"])
    (('E14', 'O24'), ('E75',), ('O24',))
    """
    asked = set(prefixes)
    categories = {prefix[:_CATEGORY] for prefix in asked}
    general = {each for each, kinds in GENERAL.items() if categories.intersection(kinds)}
    return tuple(sorted((categories | general) - asked))


def is_chronic(prefixes: Iterable[str]) -> bool:
    """Whether any of these is a disease that lasts, so that diagnoses of the year before tell of it as well.

    >>> is_chronic(["I21", "E11"]), is_chronic(["I21"])
    (True, False)
    """
    return not _LASTING.isdisjoint(prefix[:_CATEGORY] for prefix in prefixes)


_LASTING = frozenset(category for line in _CHRONIC for category in expanded(line.partition(" ")[0]))
