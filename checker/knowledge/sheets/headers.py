"""Under which header words the columns of a published list are found: one declared table, and what a caller adds to it with --column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from checker.model.errors import InputError

HEADERS = {
    "seq": ("序号", "编号", "项目序号", "知识点序号", "对应知识点序号", "知识点编号"),
    "name": (
        *("通用名", "通用名称", "药品", "药品名称", "药品名", "药名", "药品通用名", "药品通用名称", "医保通用名", "医保药品名称", "目录名称"),
        *("注册名称", "药品注册名称", "产品名称", "品名", "品种", "品种名称"),
        *("项目", "项目名称", "医疗服务项目", "医疗服务项目名称", "服务项目名称", "诊疗项目名称", "医疗服务价格项目名称", "知识点名称"),
        *("项目B名称", "B项目名称", "项目B", "手术项目名称", "手术名称"),
    ),
    "sex": ("限定性别", "性别", "性别限定", "性别限制", "限制性别", "适用性别", "使用性别", "限用性别", "限性别", "性别要求"),
    "logic": ("检出逻辑", "检查逻辑", "审核逻辑"),
    "basis": (
        *("逻辑依据", "年龄", "年龄限制", "年龄限定", "限定年龄", "限制年龄", "限年龄", "适用年龄", "使用年龄", "年龄范围", "年龄要求", "适用人群"),
        *("限定人群", "限制人群"),
    ),
    "count": (
        *("知识点对应药品代码数量", "知识点对应项目代码数量", "知识点对应代码数量"),
        *("药品代码数量", "项目代码数量", "代码数量", "编码数量", "代码数", "编码数", "数量"),
    ),
    "code": (
        *("代码", "编码", "药品代码", "药品编码", "药品医保代码", "药品医保编码", "医保药品代码", "医保药品编码"),
        *("国家药品代码", "国家药品编码", "国家医保药品代码", "国家医保药品编码", "药品统一代码", "药品统一编码", "医保统一编码"),
        *("项目代码", "项目编码", "医疗服务项目代码", "医疗服务项目编码", "国家项目代码", "国家项目编码", "国家医保项目代码", "国家医保项目编码"),
        *("医保代码", "医保编码", "国家医保代码", "国家医保编码", "国家代码", "国家编码", "国家码", "医保码", "国家统一编码"),
        *("医保目录编码", "医保目录代码", "目录编码", "目录代码", "药品目录编码", "药品目录代码", "国家目录编码", "国家医保目录编码"),
        *("项目B代码", "B项目代码", "项目B编码", "B项目编码", "手术项目代码"),
    ),
    "published": ("已公布代码数", "已公布编码数"),
    "container_name": ("项目A名称", "A项目名称", "项目A"),
    "container_code": ("项目A代码", "A项目代码", "项目A编码", "A项目编码"),
    "interval": ("时间间隔", "间隔", "间隔时间", "时间范围", "限定时间", "限定时间范围", "收费间隔"),
    "most": ("上限数量", "数量上限", "最大数量", "最多数量", "限定数量", "限定次数", "限定频次", "频次", "频次上限"),
    "unit": ("单位", "数量单位", "计价单位", "频次单位"),
    "window": ("周期", "限定周期", "设定周期", "周期天数", "间隔天数"),
    "days": ("天数", "限制天数", "限定天数", "支付天数", "最多支付天数", "疗程", "限定疗程", "支付疗程"),
    "group": ("组别", "分组", "手术组", "手术分组", "切口组", "同一切口组", "同一切口手术组", "同切口手术组"),
    "indication": ("适应症", "限定适应症", "限定支付适应症", "支付范围", "限定支付范围", "医保支付范围", "支付限定"),
    "note": ("备注", "备注说明", "备注信息", "说明"),
    "change": ("变更类型", "变更情况", "变更", "变动类型", "变动情况", "调整类型", "调整情况", "操作类型", "变更标识", "状态"),
    "rule": ("规则", "规则名称", "所属规则", "对应规则"),
    "region": ("地区", "区域", "统筹区", "统筹地区", "适用地区", "适用区域", "执行地区", "行政区划", "行政区划代码", "区划代码", "统筹区编码", "统筹区代码"),
    "begins": (
        *("生效日期", "生效时间", "执行日期", "执行时间", "实施日期", "实施时间", "启用日期", "启用时间", "开始日期", "起始日期", "开始执行日期"),
        *("有效期起", "起效日期"),
    ),
    "ends": (
        *("失效日期", "失效时间", "终止日期", "终止时间", "停用日期", "截止日期", "结束日期", "有效期止", "有效期至"),
    ),
}  # fmt: skip
"""Our names of a sheet's columns, and the header words under which they are found."""

IGNORED = ""
"""The name of a column that nobody reads."""
SKIP = "skip"
"""What a caller writes for a column that need not be read."""
_LIKE_A_LIMIT = re.compile(
    r"限|禁|慎|忌|条件|要求|范围|规定|除外|不含|排除|适用|适应|支付|报销|比例|人群|年龄|岁|性别|孕|级别|等级|科室|科别|险种|门诊|住院|诊断|疾病|剂量|用量|次数|"
    r"频次|疗程|周期|说明|备注|注意|依据|日期|时间|有效|状态|变更|调整|删除|启用|停用|纳入|处理|意见|操作|标记|标识|程度|模式|口径|管理|方式|是否|结论|审核"
)
_IN_PARENTHESES = re.compile(r"\([^()]*\)")
_TURNS_ROUND = re.compile(r"\([^()]*(?:禁|忌|慎|不|非|除外|排除|例外)[^()]*\)")
"""What makes a header mean those who should not get the item."""

HeaderWords = Mapping[str, str]
"""Our name of a column by the word that stands in its header, in one spelling."""


def plain(text: str) -> str:
    """The text after NFKC, without blanks: how headers, titles and words are compared."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def word_of(header: str) -> str:
    """A header in the spelling in which words are looked up: 限定性别（男/女）： is 限定性别, but 性别（禁用） stays what it is.

    >>> word_of("限定性别（男/女）："), word_of("性别（禁用）")
    ('限定性别', '性别(禁用)')
    """
    said = plain(header)
    return said if _TURNS_ROUND.search(said) else _IN_PARENTHESES.sub("", said).strip("*:#")


KNOWN: HeaderWords = {word: column for column, words in HEADERS.items() for word in words}
"""The declared words."""


def header_words(given: Iterable[str]) -> HeaderWords:
    """Return the declared words and those that a caller adds as 表头=列, where the column is one of ours, a word of it, or `skip`.

    Raises InputError for what is no such pair, an unknown column, or a header given twice.
    """
    added: dict[str, str] = {}
    for pair in given:
        header, sign, column = pair.rpartition("=")
        word, wanted = word_of(header), plain(column)
        name = IGNORED if wanted == SKIP else wanted if wanted in HEADERS else KNOWN.get(wanted)
        if not sign or not word:
            raise InputError(
                f"--column {pair}：请写 表头=列，如 药品本位码=code（write HEADER=COLUMN, such as 药品本位码=code）"
            )
        if name is None:
            known = [SKIP, *HEADERS]
            raise InputError(
                f"--column {pair}：没有“{column}”这一列；可写：{'、'.join(known)}（no such column; write one of these）"
            )
        if added.setdefault(word, name) != name:
            raise InputError(f"--column：表头“{header}”给了两次，请只给一次（the header is given twice: give it once）")
    return {**KNOWN, **added}


def added_words(words: HeaderWords) -> frozenset[str]:
    """The words that a caller added or gave another meaning."""
    return frozenset(word for word, column in words.items() if KNOWN.get(word) != column)


def is_like_a_limit(header: str) -> bool:
    """Whether what stands under an unknown header may limit the items, so that leaving it unread would be a guess."""
    return not header or _LIKE_A_LIMIT.search(header) is not None
