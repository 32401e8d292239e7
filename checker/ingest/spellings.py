"""How values are spelt [写法]: the one list of words and rewritings by which text is read, in SQL over columns and one at a time alike.

A rewriting is a pattern and what stands in its place. All patterns keep to what RE2 and Python's `re` understand in the same way: ASCII
classes, no looking around. After them a value has its usual form, or it cannot be read.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from checker.model import sqltext
from checker.model.schema import NULL_WORDS, Kind

Rewritings = Sequence[tuple[str, str]]

BLANKS = " \t\r\n\u3000\u00a0\u200b\u200c\u200d\u2060\ufeff"
"""What is taken off both ends of a value: blanks, and signs that nobody sees."""
_BLANK = f"[{BLANKS}]"
TRIMMED = (rf'(?s)^{_BLANK}*(?:="([^"]*)"|\'?(.*?)){_BLANK}*$', r"\1\2")
"""A value without blanks around it, and without what spreadsheets put before a number to keep it text: `'` and `="…"`."""
WHOLE = (r"^([+-]?[0-9]+)\.0+$", r"\1")
"""A whole number as floats and DECIMAL columns write it: `1.0` is 1."""
LONGEST_NULL_WORD = max(len(word) for word in NULL_WORDS)

_WIDE = "".join(map(chr, range(0xFF01, 0xFF5F)))
_NARROW = "".join(map(chr, range(0x21, 0x7F)))
_NARROWED = str.maketrans(_WIDE, _NARROW)

USUAL_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?"
TIMES: Rewritings = (
    (f"{_BLANK}+", " "),
    # .NET writes /Date(milliseconds+offset)/, floats a trailing .0.
    (r"^\\?/DATE\((-?[0-9]+)(?:[+-][0-9]{4})?\)\\?/$", r"\1"),
    WHOLE,
    (r" ?(?:星期|周)[一二三四五六日天] ?", " "),
    # Java: SUN MAR 01 10:00:00 CST 2026. Oracle and SQL Server: 01-MAR-2026, 01-3月-2026, MAR  1 2026 10:00AM.
    (r"^[A-Z]{3} ([A-Z]{3}) ([0-9]{1,2}) ([0-9:]+) CST ([0-9]{4})$", r"\2-\1-\4 \3"),
    (r"^([0-9]{1,2})[- ]([A-Z]{3})[A-Z]*[- ,]+([0-9]{4})(?: |$)", r"\1-\2-\3 "),
    (r"^([A-Z]{3})[A-Z]*\.? ([0-9]{1,2}),? ([0-9]{4})(?: |$)", r"\2-\1-\3 "),
    (r"^([0-9]{1,2})-([0-9]{1,2})月 ?-([0-9]{4})(?: |$)", r"\3-\2-\1 "),
    # The culture of .NET that knows none writes month, day, year.
    (r"^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})(?: |$)", r"\3-\1-\2 "),
    (r"^([0-9]{4}) ?[-/.年] ?([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2})(?: ?日 ?|T| |$)", r"\1-\2-\3 "),
    (r"^([0-9]{4})([0-9]{2})([0-9]{2})(?:[T ]([0-9]{1,2}:)|$)", r"\1-\2-\3 \4"),
    (r"^((?:19|20)[0-9]{2})(0[1-9]|1[0-2])([0-2][0-9]|3[01])[T ]?([01][0-9]|2[0-3])([0-5][0-9])(?:([0-5][0-9])([0-9]{3})?)?"
     r"(Z|[+-][0-9]{2}:?[0-9]{2})?$", r"\1-\2-\3 \4:\5:\6.\7\8"),
    (r"([0-9]) ?[时点] ?([0-9])", r"\1:\2"),
    (r"([0-9]) ?分 ?([0-9])", r"\1:\2"),
    (r"(:[0-9]+) ?[分秒]", r"\1"),
    (r" ?(AM|PM|上午|下午) ?([0-9:.,]+)$", r" \2 \1"),
    (r" ?(?:AM|上午)$", " AM"),
    (r" ?(?:PM|下午)$", " PM"),
    (r"(:[0-9]{1,2}:[0-9]{1,2})[,:]([0-9]+)", r"\1.\2"),
    # A fraction finer than a microsecond is cut; what stands for no seconds goes.
    (r"(\.[0-9]{6})[0-9]+", r"\1"),
    (r"[:.]+(Z|[+-][0-9:]+)?$", r"\1"),
    (r" $", ""),
)  # fmt: skip
"""From a spelling of a date or time, in capitals, to one of TIME_FORMS, a number (SERIAL, TICKS), or one of them with an OFFSET."""
TIME_SHAPE = r"(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}-[A-Z]{3}-[0-9]{4})(?: .*)?"
TIME_FORMS = tuple(
    f"{day}{time}"
    for day in ("%Y-%m-%d", "%d-%b-%Y")
    for time in (" %H:%M:%S", "", " %H:%M", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p", " %I:%M:%S.%f %p")
)
OFFSET = r"^(.*:[0-9.]+) ?(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)$"
"""A time with its offset from UTC: it becomes the wall clock of China, eight hours ahead of it."""
CHINA = 8
SERIAL = r"[1-9][0-9]{4}(?:\.[0-9]+)?"
"""Days since 1899-12-30, as spreadsheets count."""
TICKS = r"-[0-9]{11,13}|[1-9][0-9]{10}|(?:1[0-8]|2[1-9]|[3-9][0-9])[0-9]{10}|[1-9][0-9]{12}"
"""Milliseconds since 1970 in UTC; twelve digits that begin as a year does were meant as a time, and are none."""
NO_DAY = "0000"
"""How a value begins that stands for no date, as MySQL writes it."""
PLACEHOLDERS = ("0001-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "9999-12-31")
"""Days, in their order, that programs write where they have none: not given."""

NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([E][+-]?[0-9]{1,3})?"
GROUPED = r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?"
NUMBERS: Rewritings = (
    (f"[￥¥元{BLANKS}]|RMB|CNY", ""),
    (r"^([+-]?)\((.+)\)$", r"\1-\2"),
    (r"^([^-]+)-$", r"-\1"),
)
"""From an amount as accountants write it, in capitals, to a plain number."""

_CODED: Rewritings = ((f"{_BLANK}+", ""), WHOLE, (r"^0+([0-9])", r"\1"))
FLAGS: Rewritings = (*_CODED, (r"^-1$", "1"))
SEXES: Rewritings = (*_CODED, (r"^(?:1[-.:|、]?(男.*)|2[-.:|、]?(女.*)|[09][-.:|、]?([未不].*))$", r"\1\2\3"))
"""Codes with leading zeros and decimals; those of a sex also with their word behind them, where it says the same."""
YEARS = r"(-?[0-9]+)(?:\.[0-9]*)?(?:周?岁|Y|年)?"
MONTHS_AND_DAYS = (
    r"(?:([0-9]+)(?:周?岁|Y|年)零?)?(?:([0-9]+)(?:\.[0-9]+)?(?:个?月龄?|M)零?)?(?:([0-9]+)(?:\.[0-9]+)?(?:日龄?|天|D))?"
)
"""An age in completed years, or in years, months and days."""
LONGEST_AGE = 9
"""So many digits of an age are read: no more are needed to know that it is impossible."""
CODES: Rewritings = (
    (f"{_BLANK}+|[(（]自费[)）]$", ""),
    (r"[;,]+$", ""),
    WHOLE,
)
"""An item code without what hangs on it."""

SCIENTIFIC = r"[+-]?[0-9](?:\.[0-9]+[Ee]\+?[0-9]{1,3}|[Ee]\+[0-9]{1,3})"
"""A key or code that a spreadsheet wrote as a number of few digits: the others are lost."""

CARES: Rewritings = (
    (f"{_BLANK}+", ""),
    WHOLE,
    (r"^([1-9][0-9]{1,5})[-.:|、_]?[^\x00-\x7F].*$", r"\1"),
    (r"^(.+)\(.*\)$", r"\1"),
)
"""A care type without its word behind the code, and without what is said of it in brackets."""
CARE_CODE = "[1-9][0-9]{1,5}"
"""A national code of a care type, or one of a province, which has more digits."""

MALE_WORDS = ("1", "男", "男性", "m", "male")
FEMALE_WORDS = ("2", "女", "女性", "f", "female")
UNKNOWN_SEX_WORDS = ("0", "9", "未知", "未说明", "未说明的性别", "未知的性别", "不详")
TRUE_WORDS = ("1", "true", "t", "y", "yes", "是")
FALSE_WORDS = ("0", "false", "f", "n", "no", "否")
VALID_WORDS = (*TRUE_WORDS, "有效", "正常")
VOID_WORDS = (*FALSE_WORDS, "无效", "作废", "已作废", "撤销", "已撤销", "注销", "已注销", "删除", "已删除")
REFUND_WORDS = (
    *TRUE_WORDS,
    "退费",
    "已退费",
    "退款",
    "已退款",
    "退",
    "退货",
    "已退货",
    "冲正",
    "已冲正",
    "红冲",
    "已红冲",
)
KEPT_WORDS = (*FALSE_WORDS, "正常", "未退费", "未退", "收费", "正常结算")
CARE_WORDS: dict[str, Sequence[str]] = {
    "11": ("普通门诊", "门诊", "门诊统筹", "普通门诊统筹", "门急诊"),
    "12": ("门诊挂号", "挂号"),
    "13": ("急诊", "门诊急诊", "急诊门诊"),
    "14": ("门诊慢特病", "门诊慢病", "门诊特病", "门诊慢性病", "门诊特殊病", "门诊特殊慢性病", "门诊特殊疾病", "门诊大病", "慢特病", "门慢", "门特", "门慢特"),
    "21": ("普通住院", "住院"),
    "22": ("外伤住院",),
    "23": ("转外诊治住院", "转外住院"),
    "24": ("急诊转住院", "急诊住院"),
    "28": ("日间手术",),
    "41": (
        "定点药店购药", "药店购药", "药店", "购药", "定点药店", "零售药店", "零售药店购药", "定点零售药店", "定点零售药店购药", "药房购药", "药店零售",
        "门诊统筹药店购药", "双通道购药", "双通道药店购药",
    ),
    "51": ("生育门诊",),
    "52": ("生育住院",),
    "53": ("计划生育手术费", "计划生育手术", "计划生育"),
    "71": ("家庭病床",),
}  # fmt: skip
"""The national codes of care types [医疗类别], and their words."""
WORDS: dict[Kind, tuple[tuple[Sequence[str], str | bool], ...]] = {
    Kind.SEX: ((MALE_WORDS, "male"), (FEMALE_WORDS, "female")),
    Kind.BOOL: ((TRUE_WORDS, True), (FALSE_WORDS, False)),
    Kind.VALID: ((VALID_WORDS, True), (VOID_WORDS, False)),
    Kind.REFUND: ((REFUND_WORDS, True), (KEPT_WORDS, False)),
    Kind.CARE: tuple((words, code) for code, words in CARE_WORDS.items()),
}
"""What the words of a kind mean."""


def rewrite(text: str, rewritings: Rewritings) -> str:
    """The text after all rewritings, one after the other."""
    for pattern, replacement in rewritings:
        text = _compiled(pattern).sub(replacement, text)
    return text


def rewritten(value: str, rewritings: Rewritings) -> str:
    """SQL of the same."""
    for pattern, replacement in rewritings:
        value = f"regexp_replace({value}, {sqltext.text(pattern)}, {sqltext.text(replacement)}, 'g')"
    return value


def narrow(text: str) -> str:
    """Full-width letters, digits and signs as the narrow ones that they stand for."""
    return text if text.isascii() else text.translate(_NARROWED)


def narrowed(value: str) -> str:
    """SQL of the same."""
    return f"translate({value}, {sqltext.text(_WIDE)}, {sqltext.text(_NARROW)})"


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # RE2 knows `\s` of ASCII alone.
    return re.compile(pattern, re.ASCII)
