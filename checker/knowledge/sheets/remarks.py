"""What a remark may say without setting a condition: that an item is new, where it stands, what it is, that somebody has looked at it.

Anything else may be a condition that no rule reads (需审批, 男女均可, 待明确): whoever signs the list off decides, not a list of words.
"""

from __future__ import annotations

import re

from checker.knowledge.sheets.headers import plain
from checker.shapes.item.age_words import BARRED, CAUTIONED, CHILD_WORDS, age_word_in, narrower_word
from checker.shapes.pair.texts import find_interval

REMOVAL_WORDS = (
    "删除|删去|停用|停止使用|停止执行|取消|移出|移除|调出|撤销|废止|作废|终止|失效|不再执行|不再限定|不再适用|"
    "(?<!暂)不执行|剔除|退出|退出目录|下线|删"
)
"""How an item is marked as removed, as a regular expression."""
LIKE_A_REMOVAL = re.compile(f"(?:{REMOVAL_WORDS})(?!妊娠|治疗|用药|者|期|后|前|术)")
"""What speaks of removal; 终止妊娠, 停用者 and 肌瘤剔除术 are words of medicine."""
KEPT = frozenset(
    {
        *("新增", "增加", "调入", "纳入", "调整", "修改", "变更", "更新", "保留", "不变", "无变化", "无", "有效", "正常", "启用", "已启用", "本次新增"),
        *("新增项目", "新增知识点", "新增编码", "新增药品"),
    }
)  # fmt: skip
"""Words of a change by which an item stays."""
_CALM = "[^,;。限仅只须需可不未待暂禁慎忌出删停移取撤废外孕除]*"
"""What stands around the name of a source, nothing that may be a condition or a mark of removal."""
_SOURCE = (
    f"{_CALM}(?:说明书|目录|公告|通知|文件|附件|批次|第[一二三四五六七八九十0-9]+批|来源|两库|知识点|项目内涵|医保发|医保办|号文|"
    f"[〔\\[]20[0-9]{{2}}[〕\\]]){_CALM}"
)
_KIND = (
    "[甲乙丙]类|西药|中成药|中药|中药饮片|化学药品?|生物制品|民族药|国谈药?品?|谈判药品?|集采(?:中选)?药?品?|国家集采|基药|基本药物|OTC|(?:非)?处方药|"
    "双通道(?:药品)?"
)
_FORM = (
    "(?:(?:口服|外用|注射|吸入|眼用|鼻用|阴道|直肠|舌下|局部)?(?:常释|缓释|控释|缓释控释|肠溶|分散|咀嚼|泡腾|干混悬)?"
    "(?:片|胶囊|颗粒|丸|散|膏|栓|液体|溶液|粉|注射|乳|凝胶|贴|喷雾|气雾|滴眼|滴丸|糖浆|合|糊|口服液)剂?(?:型)?|口服(?:常释|缓释控释)剂型)"
)
_AMOUNT = "[0-9.]+(?:mg|g|kg|ml|l|μg|ug|mcg|iu|u|万?单位|%|片|粒|支|袋|瓶|盒|贴|丸)(?:[*×/x:][0-9.]*(?:mg|g|ml|片|粒|支|袋|瓶|盒|贴|丸)?)*"
_DAY = "20[0-9]{2}年?(?:[-./]?[0-9]{1,2}(?:[-./月](?:[0-9]{1,2}日?)?)?)?(?:版|新增|调入|更新|公布|发布)?"
_SEEN = "已?(?:核对|核实|复核|审核|校对)(?:无误|过|通过)?|前段已核对|familychecked"
_MAKER = "[^,;。]{2,30}(?:公司|药厂|制药|集团|药业)"
_GROUND = "(?:用于|适应症[为:]?|治疗)[^,;。]{1,30}|[^,;。限仅只须需可不未待暂]{1,10}(?:用药|专科药)"
_PLAIN = re.compile("|".join((_SOURCE, _KIND, _FORM, _AMOUNT, _DAY, _SEEN, _MAKER, _GROUND, "[-—/]+")), re.IGNORECASE)
_CONDITION = re.compile(
    r"暂不|暂缓|暂停|仅|只限|限于|除外|不含|不包括|以外|[起后](?:开始)?(?:执行|施行|实施|生效)|[月日]起|执行至|[日月]止|试行|待定|待核|待查|另行|均可|也可|可用|"
    r"不限|不受|(?<!有)限.{0,12}(?:医院|医疗机构|级|住院|门诊|急诊|科|地区|[省市县])"
)
"""What sets a condition even beside words that are harmless alone (目录内仅限住院)."""
_READ = re.compile(rf"(?:老年人?|老人)?(?:患者)?(?:{CAUTIONED}|{BARRED})|限?(?:{CHILD_WORDS})(?:使用|专用|用药)?")
OF_ALL = re.compile(r"仅限|只限|暂不|暂缓|暂停|[起后](?:开始)?(?:执行|施行|实施|生效)|试行")
"""What says of a whole list when or where it holds."""


def sets_condition(text: str) -> bool:
    """Whether a text says when, where or for what else something holds.

    >>> sets_condition("仅限住院"), sets_condition("2026年7月1日起执行"), sets_condition("某某制药有限公司")
    (True, True, False)
    """
    return _CONDITION.search(plain(text)) is not None


def is_plain(text: str) -> bool:
    """Whether a remark, or each part of it, is known to set no condition, or is a word that is read; ages are looked for elsewhere.

    >>> is_plain("新增"), is_plain("药品说明书适应症"), is_plain("2025年目录；乙类"), is_plain("慎用")
    (True, True, True, True)
    >>> is_plain("需审批"), is_plain("男女均可"), is_plain("孕妇慎用"), is_plain("×"), is_plain("目录内仅限住院")
    (False, False, False, False, False)
    """
    said = plain(text)
    if _CONDITION.search(said):
        return False
    return find_interval(text) is not None or all(
        _is_plain_part(part) for part in re.split(r"[,;、。()]", said) if part
    )


def _is_plain_part(part: str) -> bool:
    return (
        part in KEPT
        or _READ.fullmatch(part) is not None
        or _PLAIN.fullmatch(part) is not None
        or age_word_in(part) is not None
        or bool(narrower_word(part))
    )
