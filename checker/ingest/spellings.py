"""How values are spelt [写法]: the one list of words and rewritings by which text is read, in SQL over columns and one at a time alike.

A rewriting is a pattern and what stands in its place. All patterns keep to what RE2 and Python's `re` understand in the same way: ASCII
classes, no looking around. After them a value has its usual form, or it cannot be read.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from checker.model import sqltext
from checker.model.schema import CODE_LIKE, NULL_WORDS, UNKNOWN_WORDS, Kind

Rewritings = Sequence[tuple[str, str]]

BLANKS = (
    " \t\r\n\u3000\u00a0\u00ad\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f"
    "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""What is taken off both ends of a value: blanks, and signs that nobody sees."""
_BLANK = f"[{BLANKS}]"
TRIMMED = (
    rf'(?s)^{_BLANK}*(?:="{_BLANK}*([^"]*?){_BLANK}*"|\'{_BLANK}*([^\']*?){_BLANK}*\'|\'?{_BLANK}*(.*?)){_BLANK}*$',
    r"\1\2\3",
)
"""A value without the quotes of SQL and blanks around it and within them, and without what spreadsheets put before a number to keep it text: `'` and `="…"`."""
WHOLE = (r"^([+-]?[0-9]+)\.0+$", r"\1")
"""A whole number as floats and DECIMAL columns write it: `1.0` is 1."""
FLAG_KINDS = frozenset({Kind.BOOL, Kind.VALID, Kind.REFUND, Kind.SELF_PAID})
"""Kinds of which it is not harmless that nobody knows them: the UNKNOWN_WORDS are no NULL there."""
LONGEST_WORD = 200
"""Characters of a number, a time or a word: nothing longer is one."""
LONGEST_NULL_WORD = max(len(word) for word in (*NULL_WORDS, *UNKNOWN_WORDS))
_DASHES = ("[\u2010-\u2015\u2212\ufe63]", "-")
"""Other dashes, and the minus sign, as a hyphen."""

_WIDE = "".join(map(chr, range(0xFF01, 0xFF5F)))
_NARROW = "".join(map(chr, range(0x21, 0x7F)))
_NARROWED = str.maketrans(_WIDE, _NARROW)

USUAL_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?"
_TICKS = "(?:1[0-8]|2[1-9]|[3-9][0-9])"
"""How a number of units since 1970 begins that is no year."""
TIMES: Rewritings = (
    (f"{_BLANK}+", " "),
    _DASHES,
    # .NET writes /Date(milliseconds+offset)/, floats a trailing .0.
    (r"^\\?/DATE\((-?[0-9]+)(?:[+-][0-9]{4})?\)\\?/$", r"\1"),
    WHOLE,
    # Seconds, micro- and nanoseconds since 1970 as milliseconds.
    (rf"^(1[0-8][0-9]{{8}}|{_TICKS}[0-9]{{7}}|-[0-9]{{9,10}})(?:\.[0-9]+)?$", r"\1.000"),
    (r"^(-?[0-9]{9,10})\.(000)$", r"\1\2"),
    (r"^(1[0-8][0-9]{11})[0-9]{3}(?:[0-9]{3})?$", r"\1"),
    (r" ?\(?(?:星期|周)[一二三四五六日天]\)? ?", " "),
    (r"^(?:MON|TUES?|WED(?:NES)?|THU(?:RS)?|FRI|SAT(?:UR)?|SUN)(?:DAY)?,? ", ""),
    # The zone's name: China's, behind an offset or alone, or again behind a Z.
    (r"[ \[(]+(?:CST|ASIA/SHANGHAI|中国标准时间|CHINA STANDARD TIME)[\])]?$", ""),
    (r"Z\[[A-Z/]+\]$", "Z"),
    # Java: MAR 01 10:00:00 CST 2026. Oracle and SQL Server: 01-MAR-2026, 01-3月-2026, MAR  1 2026 10:00AM.
    (r"^([A-Z]{3}) ([0-9]{1,2}) ([0-9:]+)(?: CST| ((?:UTC|GMT)?(?:[+-][0-9:]+)?))? ([0-9]{4})$", r"\2-\1-\5 \3\4"),
    (r"^([0-9]{1,2})[- ]([A-Z]{3})[A-Z]*[- ,]+([0-9]{4})(?: |$)", r"\1-\2-\3 "),
    (r"^([A-Z]{3})[A-Z]*\.? ([0-9]{1,2}),? ([0-9]{4})(?: |$)", r"\2-\1-\3 "),
    (r"^([0-9]{1,2})-([0-9]{1,2})月 ?-([0-9]{4})(?: |$)", r"\3-\2-\1 "),
    # The culture of .NET that knows none writes month, day, year.
    (r"^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})(?: |$)", r"\3-\1-\2 "),
    # Db2: 2026-03-01-10.00.00.000000.
    (r"^([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{2}\.[0-9]{2}\.[0-9]{2})", r"\1 \2"),
    (r"^([0-9]{4}) ?[-/.年] ?([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2})(?: ?日 ?|T| |$)", r"\1-\2-\3 "),
    (r"^([0-9]{4})([0-9]{2})([0-9]{2})(?:[T ]([0-9]{1,2}:)|$)", r"\1-\2-\3 \4"),
    (r"^((?:19|20)[0-9]{2})(0[1-9]|1[0-2])([0-2][0-9]|3[01])[T ]?([01][0-9]|2[0-3])([0-5][0-9])(?:([0-5][0-9])([0-9]{3})?)?"
     r"(Z|[+-][0-9]{2}:?[0-9]{2})?$", r"\1-\2-\3 \4:\5:\6.\7\8"),
    (r"( [0-9]{1,2})\.([0-9]{2})\.([0-9]{2})(\.| |$)", r"\1:\2:\3\4"),
    (r"([0-9]) ?[时点] ?([0-9])", r"\1:\2"),
    (r"([0-9]) ?[时点]$", r"\1:00"),
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
OFFSET = r"^(.*:[0-9.]+) ?(?:Z|(?:UTC|GMT)?([+-][0-9]{1,2})(?::?([0-9]{2}))?|UTC|GMT)$"
"""A time with its offset from UTC in hours and minutes: it becomes the wall clock of China, eight hours ahead of it."""
CHINA = 8
SERIAL = r"[1-9][0-9]{4}(?:\.[0-9]+)?"
"""Days since 1899-12-30, as spreadsheets count."""
TICKS = rf"-[0-9]{{11,13}}|[1-9][0-9]{{10}}|{_TICKS}[0-9]{{10}}|[1-9][0-9]{{12}}"
"""Milliseconds since 1970 in UTC; twelve digits that begin as a year does were meant as a time, and are none."""
NO_DAY = r"0|0000.*|0001-01-01.*|0?0/0?0/0000.*|1900[-/]0?1[-/]0?0(?:[ T].*)?|99991231[0-9]*|[^0-9]*-62135(?:5968|6256)00000.*"
"""What stands for no date, much of it in no calendar, as MySQL, Excel and .NET write it."""
PLACEHOLDERS = (
    "0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "2099-12-31", "2999-12-31", "9999-12-31",
)  # fmt: skip
"""Days, in their order, that programs write where they have none: not given."""
FIRST_DAY, LAST_DAY = "1900-01-02", "2099-12-30"
"""Between them no day is a placeholder."""
NO_PERSON = "0*1?|[0-]+|9{4,}|1234567?8?9?0?|[Xx*?]+|散客|散户|现金|自费|身份不明|匿名|无名氏?|测试.*|临时.*|其他|其它"
"""What is written for the id of a person who has none, beside the words for NULL: a line is kept as it names its person, but nothing is concluded
from two lines that name the same."""
EPOCH = "1970-01-01 08:00:00"
"""Zero seconds since 1970 on the clock of China: likewise. The day alone is somebody's birthday."""

NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([E][+-]?[0-9]{1,3})?"
GROUPED = r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?"
_UNITS = "(?:元|圆|块)整?|RMB|CNY|[盒片粒支瓶袋包板贴丸枚个次人天日件套剂副付张管桶罐听条根组项台只米升克]|毫克|千克|公斤|毫升|小时|KG|MG|ML|G|L"
NUMBERS: Rewritings = (
    (f"{_BLANK}+", " "),
    _DASHES,
    ("([^0-9]) ", r"\1"),
    (" ([^0-9])", r"\1"),
    # What is left of the blanks stands between digits, as commas do.
    (" ", ","),
    (r"^([-+(]*)(?:[￥¥]|RMB|CNY|人民币)", r"\1"),
    (rf"([0-9.)])(?:{_UNITS})$", r"\1"),
    (r"^([+-]?)\((.+)\)$", r"\1-\2"),
    (r"^([^-]+)(?:-|CR)$", r"-\1"),
    (r"([0-9.])DR$", r"\1"),
)
"""From an amount as accountants write it, in capitals, or a quantity with its unit, to a plain number."""

AGES: Rewritings = (
    (f"{_BLANK}+", ""),
    _DASHES,
    (r"^(?:出生|生)后?", ""),
    (r"YEARS?(?:OLD)?", "Y"),
    (r"MONTHS?(?:OLD)?", "M"),
    (r"DAYS?(?:OLD)?", "D"),
    (r"岁半$", "岁6月"),
    (r"^半岁$", "6月"),
    # Hours and minutes: the day has not ended; some are written up to three days.
    (r"([天日D])[0-9]+(?:个?小时|H)$", r"\1"),
    (r"^(?:[0-9]|1[0-9]|2[0-3])(?:个?小时|H)(?:[0-9]+分钟?)?$|^[0-9]{1,3}分钟?$", "0D"),
    (r"^(?:2[4-9]|3[0-9]|4[0-7])(?:个?小时|H)$", "1D"),
    (r"^(?:4[89]|5[0-9]|6[0-9]|7[01])(?:个?小时|H)$", "2D"),
)
YEARS = r"(-?[0-9]+)(?:\.[0-9]*)?(?:周?岁|Y|年)?"
MONTHS_AND_DAYS = (
    r"(?:([0-9]+)(?:周?岁|Y|年)零?)?(?:([0-9]+)(?:\.[0-9]+)?(?:个?月龄?|M)零?)?(?:([0-9]+)(?:\.[0-9]+)?(?:日龄?|天|D))?"
)
"""An age in completed years, or in years, months and days."""
LONGEST_AGE = 9
"""So many digits of an age are read: no more are needed to know that it is impossible."""
# Ten letters or digits behind a code may be another: then nobody knows which is meant, and the value begins as no code does.
_HUNG = (rf"(?i)^[^0-9A-Z]*({CODE_LIKE})(?:[^0-9A-Z][0-9A-Z]{{0,9}})*$", r"\1")
_SEVERAL = (rf"(?i)^([^?0-9A-Z]*(?:{CODE_LIKE})[^0-9A-Z].*[0-9A-Z]{{10}}.*)$", r"?\1")
CODES: Rewritings = (
    _HUNG,
    _SEVERAL,
    (f"{_BLANK}+|[(（]自费[)）]$", ""),
    (r"[;,]+$", ""),
    WHOLE,
    _HUNG,
    _SEVERAL,
)
"""An item code without what hangs on it: a name, a remark, signs around it."""
CAPITALS: Rewritings = (
    (r"^([0-9]{17})[×ХΧ]$", r"\1X"),
    (r"^([0-9]{6})[ -]?([0-9]{4})[ -]?([0-9]{4})[ -]?([0-9]{3}[0-9X])$", r"\1\2\3\4"),
    (r"^([0-9]{4})[ -]([0-9]{4})[ -]([0-9]{4})[ -]([0-9]{4})[ -]([0-9][0-9X])$", r"\1\2\3\4\5"),
    (r"^([0-9]{6})[ -]([0-9]{6})[ -]?([0-9]{3})$", r"\1\2\3"),
)
"""An ID number in groups, or with a sign that looks like its X."""

SCIENTIFIC = r"[+-]?[0-9](?:\.[0-9]+[Ee]\+?[0-9]{1,3}|[Ee]\+[0-9]{1,3})"
"""A key or code that a spreadsheet wrote as a number of few digits: the others are lost."""

CARES: Rewritings = (
    (f"{_BLANK}+", ""),
    WHOLE,
    (r"^([1-9][0-9]{1,11})(?:[^0-9.]|\.[^0-9]).*$", r"\1"),
    # One that denies or doubts the word is kept, too.
    (
        r"^(.+)\(((?:非|不是|不属于)(?:[^()]*(?:诊|院|购药|药店|药房|病|手术|计划|床)[^()]*)?|[否不]|不[详明]|[未待]定|待[^()]*|拟[^()]*|存疑|\?)\)$",
        r"\1|\2",
    ),
    # A remark of the same care, or of a pharmacy's purchase, says no more; one that speaks of other care is kept, and makes it unknown.
    (r"^(.*急诊.*)\([^()]*急诊[^()]*\)$", r"\1"),
    (r"^(.*住院.*)\((?:普通)?住院\)$", r"\1"),
    (r"^(.*[慢特].*)\([^()]*[慢特][^()]*\)$", r"\1"),
    (r"^(.*(?:购药|药店|药房).*)\(.*\)$", r"\1"),
    (r"^(.+)\(([^()]*(?:急诊|住院|日间|慢|特|生育|计划|病床|购药|药店)[^()]*)\)$", r"\1|\2"),
    (r"^(.*(?:急诊|住院|日间|病床).*)\(([^()]*门诊[^()]*)\)$", r"\1|\2"),
    (r"^(.+)\(.*\)$", r"\1"),
)
"""A care type without what stands behind the code, and without what is said of it in brackets, unless that is other care or takes it back:
门诊(急诊), 急诊(非)."""
CARE_CODE = "[1-9][0-9]{1,11}"
"""A national code of a care type, or one of a province, which has more digits."""

MALE_WORDS = ("1", "男", "男性", "男士", "男孩", "男童", "男婴", "♂", "m", "male")
FEMALE_WORDS = ("2", "女", "女性", "女士", "女孩", "女童", "女婴", "♀", "f", "female")
UNKNOWN_SEX_WORDS = (
    "0", "9", "未知", "未说明", "未说明的性别", "未说明性别", "未知的性别", "未知性别", "不详", "不明", "不明确", "不确定", "unknown", "u",
)  # fmt: skip
TRUE_WORDS = ("1", "true", "t", "y", "yes", "是", "√", "✓", "✔")
FALSE_WORDS = ("0", "false", "f", "n", "no", "否", "×", "✗", "✘")
BOOL_WORDS, NO_WORDS = (*TRUE_WORDS, "有"), (*FALSE_WORDS, "无")
VALID_WORDS = (*TRUE_WORDS, "有效", "正常", "生效", "valid")
VOID_WORDS = (
    *FALSE_WORDS, "无效", "作废", "已作废", "撤销", "已撤销", "撤消", "已撤消", "取消", "已取消", "注销", "已注销", "删除", "已删除", "失效", "已失效",
    "已冲销", "已冲正", "已红冲", "已退费", "已退款", "已退货", "已退药", "invalid", "void",
)  # fmt: skip
REFUND_WORDS = (
    *TRUE_WORDS, "退费", "已退费", "退款", "已退款", "退", "已退", "退货", "已退货", "退药", "已退药", "退号", "全退", "全额退费", "冲正", "已冲正",
    "红冲", "已红冲", "冲销", "已冲销", "负记录", "负交易", "反交易",
)  # fmt: skip
KEPT_WORDS = (
    *NO_WORDS, "正常", "未退费", "未退", "未退款", "未退货", "未退药", "未冲正", "未红冲", "未冲销", "无退费", "非退费", "收费", "已收费", "正常收费",
    "正常结算", "正常交易", "正交易",
)  # fmt: skip
SELF_PAID_WORDS, COVERED_WORDS = (*BOOL_WORDS, "自费", "全自费"), (*NO_WORDS, "非自费", "医保", "公费")


def _with_code(code: str, words: Sequence[str]) -> Sequence[str]:
    return (*words, *(f"{code}|{word}" for word in words))


CODED: Rewritings = (
    (f"{_BLANK}+", ""),
    WHOLE,
    (r"^0+([0-9])", r"\1"),
    (r"^-1$", "1"),
    (r"^([0129])[-_.:|、(]?([^-_.:|、()0-9]+)\)?$", r"\1|\2"),
    (r"^([^-_.:|、()0-9]+)[-_.:|、(]?([0129])\)?$", r"\2|\1"),
)
"""Sexes and flags: codes without leading zeros and decimals, and beside their word with a bar between."""
CARE_WORDS: dict[str, Sequence[str]] = {
    "11": ("普通门诊", "门诊", "门诊统筹", "普通门诊统筹"),
    "12": ("门诊挂号", "挂号"),
    "13": ("急诊", "门诊急诊", "急诊门诊"),
    "14": (
        "门诊慢特病", "门诊慢病", "门诊特病", "门诊慢性病", "门诊特殊病", "门诊特殊慢性病", "门诊特殊疾病", "门诊大病", "大病门诊", "慢特病", "门慢",
        "门特", "门慢特",
    ),
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
    Kind.SEX: ((_with_code("1", MALE_WORDS), "male"), (_with_code("2", FEMALE_WORDS), "female")),
    Kind.BOOL: ((_with_code("1", BOOL_WORDS), True), (_with_code("0", NO_WORDS), False)),
    Kind.VALID: ((_with_code("1", VALID_WORDS), True), (_with_code("0", VOID_WORDS), False)),
    Kind.REFUND: ((_with_code("1", REFUND_WORDS), True), (_with_code("0", KEPT_WORDS), False)),
    Kind.CARE: tuple((words, code) for code, words in CARE_WORDS.items()),
    Kind.SELF_PAID: ((_with_code("1", SELF_PAID_WORDS), True), (_with_code("0", COVERED_WORDS), False)),
}
"""What the words of a kind mean, alone or with a code that says the same."""
UNKNOWN_SEXES = (*_with_code("0", UNKNOWN_SEX_WORDS), *_with_code("9", UNKNOWN_SEX_WORDS))


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
