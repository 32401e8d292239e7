"""The second opinion: docs/judgment.md in plain Python, line by line, without SQL and without the package's own code.

It shares with the package only the table of headers (`checker.model.schema`), which the page names as the order in which
headers count. Where the page leaves room, the comment `# reading:` says what was taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from math import floor
from typing import Any

from checker.model.schema import DIAGNOSIS, HEADER, LINE, Column, Kind

Raw = Mapping[str, str | None]
"""One record as it stands in the file: header -> text."""

LEVELS = ("definite", "suspect", "notice")
CHILD_AGE = 14
CHILD_AGE_LENIENT = 18
WORD_BOUNDS = {
    "新生儿": (29, "day"),
    "婴儿": (1, "year"),
    "婴幼儿": (3, "year"),
    "儿童": (CHILD_AGE, "year"),
    "小儿": (CHILD_AGE, "year"),
}
"""The exclusive upper bound that a word sets: 0-28 days is "younger than 29 days"."""


@dataclass(frozen=True)
class Rule:
    """What this page must know of a rule: its level and whether it reads the sex or the age."""

    rule_id: str
    level: str
    reads: str
    fund_only: bool = False


RULES = {
    rule.rule_id: rule
    for rule in (
        Rule("drug-sex", "suspect", "sex"),
        Rule("service-sex", "suspect", "sex"),
        Rule("drug-child-only", "suspect", "age"),
        Rule("drug-child-limited", "definite", "age", fund_only=True),
        Rule("service-child-only", "suspect", "age"),
    )
}


@dataclass(frozen=True)
class Options:
    """What the command line adds to the data."""

    as_of: date | None = None
    region: str | None = None
    stage: str = "audit"


@dataclass(frozen=True)
class Finding:
    """One answer that is not clean."""

    file: str
    record: int
    rule_id: str
    point_id: str
    matched_by: str
    verdict: str
    level: str | None
    action: str | None
    expected: str | None
    actual: str | None
    reason_code: str | None
    exemption_id: str | None
    remarks: tuple[str, ...]
    quantity: Decimal | None
    amount: Decimal | None
    amount_in_scope: Decimal | None


@dataclass(frozen=True)
class Reject:
    """One record that is not judged because it cannot be read."""

    file: str
    record: int
    column: str | None
    why: str


@dataclass
class Result:
    """All answers for one extract."""

    read: int = 0
    judged: int = 0
    skipped: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("invalid", "context", "refund", "self_paid"), 0)
    )
    rejects: list[Reject] = field(default_factory=list)
    not_in_force: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RULES, 0))
    not_in_scope: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RULES, 0))
    fully_refunded: int = 0
    reuploaded: int = 0
    refunds_without_original: int = 0
    duplicates_removed: int = 0
    refund_duplicates_removed: int = 0
    findings: list[Finding] = field(default_factory=list)


# ------------------------------------------------------------------------------------------ 1. Reading


class UnreadableError(ValueError):
    """There is text, and it cannot be read as what the column holds."""


# reading: blanks are all of Unicode's white space (tab, no-break space, ideographic space), not only U+0020.
# Signs that nobody sees are those of Unicode's category "format".
_AROUND = "".join(
    chr(sign) for sign in (*range(0x3001), 0xFEFF) if chr(sign).isspace() or unicodedata.category(chr(sign)) == "Cf"
)
_NOTHING = {
    *(
        "",
        "-",
        "--",
        "---",
        "–",
        "—",
        "——",
        "－",
        "－－",
        "/",
        "／",
        "\\",
        "null",
        "(null)",
        "（null）",
        "<null>",
        "[null]",
        "\\n",
        "nil",
    ),
    *(
        "none",
        "undefined",
        "nan",
        "nat",
        "na",
        "n/a",
        "#n/a",
        "<na>",
        "空",
        "空值",
        "空白",
        "(空)",
        "（空）",
        "(空白)",
        "未填",
        "未填写",
    ),
    *("未录入", "未登记", "未提供", "缺失", "无数据"),
}
_UNKNOWN = {"无", "(无)", "（无）", "暂无", "不详", "不明", "未知"}
_FLAGS = (Kind.VALID, Kind.REFUND, Kind.BOOL, Kind.SELF_PAID)


def trimmed(text: str | None, kind: Kind = Kind.TEXT) -> str | None:
    """Return the text without what stands around it, or None for what stands for NULL in a column of the kind."""
    if text is None:
        return None
    text = text.strip(_AROUND)
    if text.startswith('="') and text.endswith('"') and len(text) > 2 and '"' not in text[2:-1]:
        text = text[2:-1]
    elif text.startswith("'"):
        text = text[1:-1] if text.count("'") == 2 and text.endswith("'") else text[1:]
    text = text.strip(_AROUND)
    return None if text.lower() in _NOTHING or (kind not in _FLAGS and text.lower() in _UNKNOWN) else text


def narrow(text: str) -> str:
    """Return full-width signs as the narrow ones."""
    return "".join(chr(ord(sign) - 0xFEE0) if 0xFF01 <= ord(sign) <= 0xFF5E else sign for sign in text)


@cache
def header_key(header: str) -> str:
    """Return a header as it is compared."""
    return unicodedata.normalize("NFKC", header.replace("\ufeff", "")).strip().lower()


NO_DAYS = {
    *(date(1, 1, 1), date(1753, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1)),
    *(date(2099, 12, 31), date(2999, 12, 31), date(9999, 12, 31)),
}
NO_DAY = re.compile(
    r"0|0000.*|0001-01-01.*|0{1,2}/0{1,2}/0000.*|1900([-/])0?1\1(00?)([ T].*)?|99991231[0-9]*|[^0-9]*-(62135596800000|62135625600000).*"
)
_DAYS = (
    r"(?P<y>[0-9]{4}) ?[-/.年] ?(?P<m>[0-9]{1,2}) ?[-/.月] ?(?P<d>[0-9]{1,2})(?: ?日)?",
    r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})",
    r"(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})",
    r"(?P<b>[A-Za-z]{3})[a-z]* (?P<d>[0-9]{1,2}),? (?P<y>[0-9]{4})",
    r"(?P<d>[0-9]{1,2})[- ](?P<b>[A-Za-z]{3})[a-z]*[- ](?P<y>[0-9]{4})",
)
_CLOCKS = (
    r"(?:(?P<early>上午|下午) ?)?(?P<H>[0-9]{1,2}):(?P<M>[0-9]{1,2})(?::(?P<S>[0-9]{1,2})(?:[.,](?P<f>[0-9]+))?)?(?: ?(?P<half>AM|PM))?",
    r"(?P<H>[0-9]{2})(?P<M>[0-9]{2})(?:(?P<S>[0-9]{2}))?",
)
_OFFSET = (
    r"(?: ?(?P<zone>Z|GMT|UTC|(?:GMT|UTC)?(?P<ahead>[+-][0-9]{1,2})(?::?(?P<past>[0-9]{2}))?))?"
    r"(?:[ (\[]+(?:CST|Asia/Shanghai|中国标准时间|China Standard Time)[)\]]?)?"
)
# reading: `T` and `Z` are upper case; an offset stands only after a clock.
_SPELLINGS = [re.compile(day) for day in _DAYS] + [
    re.compile(f"{day}(?:T| |(?<=日)){_CLOCKS[0]}{_OFFSET}") for day in _DAYS
] + [re.compile(f"{_DAYS[1]}[T ]?{_CLOCKS[1]}{_OFFSET}")]  # fmt: skip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read_time(text: str) -> datetime | None:
    """Return the wall clock of China that the text names; None for a day that programs write where they have none."""
    if NO_DAY.fullmatch(text):
        return None
    text = re.sub(r"[‐‑‒–—―−﹣]", "-", re.sub(r"\s+", " ", narrow(text)))
    moment = _read_moment(re.sub(r"^([0-9]+)\.0+$", r"\1", text))
    return None if moment.date() in NO_DAYS or moment == datetime(1970, 1, 1, 8) else moment


def _read_moment(text: str) -> datetime:
    if re.fullmatch(r"[1-9][0-9]{4}(\.[0-9]+)?", text):
        return datetime(1899, 12, 30) + timedelta(seconds=floor(Decimal(text) * 86400 + Decimal("0.5")))
    if re.fullmatch(r"1[0-9]{12}", text):
        return datetime(1970, 1, 1, 8) + timedelta(milliseconds=int(text))
    if re.fullmatch(r"1[0-8][0-9]{8}(\.[0-9]+)?|(1[0-8]|2[1-9]|[3-9].)[0-9]{7}", text):
        return datetime(1970, 1, 1, 8) + timedelta(seconds=int(text.split(".")[0]))
    # reading: whatever names the day of the week in front says nothing more; Db2 and Oracle write the clock with points.
    text = re.sub(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun),? ", "", text)
    text = re.sub(r"^([A-Z][a-z]{2}) ([0-9]{2}) ([0-9:]+ .*) ([0-9]{4})$", r"\1 \2 \4 \3", text)
    text = re.sub(r"^(.{10,11})[- ]([0-9]{2})\.([0-9]{2})\.([0-9]{2})", r"\1 \2:\3:\4", text)
    match = next((found for spelling in _SPELLINGS if (found := spelling.fullmatch(text))), None)
    if match is None:
        raise UnreadableError(text)
    said = {
        "H": None,
        "M": None,
        "S": None,
        "f": None,
        "half": None,
        "early": None,
        "zone": None,
        "ahead": None,
        "past": None,
        "b": None,
    } | match.groupdict()
    try:
        month = _MONTHS.index(said["b"].lower()) + 1 if said["b"] else int(said["m"])
        hour = int(said["H"] or 0)
        if half := said["half"] or said["early"]:
            if not 1 <= hour <= 12:
                raise UnreadableError(text)
            hour = hour % 12 + (12 if half in ("PM", "下午") else 0)
        # reading: a fraction may have any number of digits; past the sixth they are cut.
        micro = int((said["f"] or "0")[:6].ljust(6, "0"))
        moment = datetime(int(said["y"]), month, int(said["d"]), hour, int(said["M"] or 0), int(said["S"] or 0), micro)
        if said["zone"]:
            hours, minutes = said["ahead"] or "+0", int(said["past"] or 0)
            ahead = abs(int(hours)) * 60 + minutes
            moment += timedelta(minutes=480 + (ahead if hours[0] == "-" else -ahead))
    except (ValueError, OverflowError):
        raise UnreadableError(text) from None
    return moment


# reading: the digits of a number are ASCII; 1_000, inf and １２ are none.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")


_UNIT = (
    "[元圆块]整?|RMB|CNY|毫克|千克|公斤|毫升|小时|KG|MG|ML|G|L"
    "|[盒片粒支瓶袋包板贴丸枚个次人天日件套剂副付张管桶罐听条根组项台只米升克]"
)


def read_number(text: str) -> Decimal:
    """Return the exact number; accountants write one below zero in parentheses or with the sign or CR behind it."""
    text = re.sub(r"[‐‑‒–—―−﹣]", "-", re.sub(r"\s+", " ", narrow(text)).upper())
    # reading: a blank between digits groups them as a comma does, any other says nothing.
    text = re.sub(r"(?<=[0-9]) (?=[0-9])", ",", text).replace(" ", "")
    text = re.sub(r"^([-+(]*)(?:[￥¥]|RMB|CNY|人民币)", r"\1", text)
    text = re.sub(f"(?<=[0-9.)])(?:{_UNIT})$", "", text)
    if re.search("[0-9.]DR$", text):
        text = text[:-2]
    elif re.fullmatch("[^-]+CR", text):
        text = f"{text[:-2]}-"
    sign = ""
    if match := re.fullmatch(r"([+-]?)\((.+)\)", text):
        sign, text = "-", match[2] if not match[1] else "x"
    elif re.fullmatch(r"[^-]+-", text):
        sign, text = "-", text[:-1]
    if sign and text[:1] in "+-":
        raise UnreadableError(text)
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if not _NUMBER.fullmatch(text):
        raise UnreadableError(text)
    return Decimal(sign + text)


_AGE = re.compile(
    r"(?:(?P<y>[0-9]+)(?:周?岁|Y|年)零?)?(?:(?P<m>[0-9]+)(?:\.[0-9]+)?(?:个?月龄?|M)零?)?(?:(?P<d>[0-9]+)(?:\.[0-9]+)?(?:日龄?|天|D))?"
)


def read_age(text: str) -> tuple[str, int]:
    """Return completed years, months or days: the unit and how many."""
    text = re.sub(r"\s", "", narrow(text)).upper()
    text = re.sub(r"^(出生|生)后?", "", text)
    for english, letter in (("YEAR", "Y"), ("MONTH", "M"), ("DAY", "D")):
        text = re.sub(f"{english}S?(OLD)?", letter, text)
    text = re.sub("岁半$", "岁6月", "6月" if text == "半岁" else text)
    text = re.sub(r"(?<=[天日D])[0-9]+(个?小时|H)$", "", text)
    if match := re.fullmatch(r"([0-9]{1,2})(?:个?小时|H)([0-9]+分钟?)?", text):
        hours = int(match[1])
        if hours < 24 or (hours < 72 and not match[2]):
            return "day", hours // 24
    if re.fullmatch(r"[0-9]{1,3}分钟?", text):
        return "day", 0
    if match := re.fullmatch(r"(-?[0-9]+(?:\.[0-9]*)?)(?:周?岁|Y|年)?", text):
        # reading: "cut" is towards the past birthday, so -0.5 is -1 and impossible, not a newborn's 0.
        return "year", floor(Decimal(match[1]))
    match = _AGE.fullmatch(text)
    if match is None or not any(match.groups()):
        raise UnreadableError(text)
    months = 12 * int(match["y"] or 0) + int(match["m"] or 0)
    return ("day", int(match["d"])) if match["d"] and not months else ("month", months)


def _all(words: str, meaning: Any) -> dict[str, Any]:
    return dict.fromkeys(words.split(), meaning)


SEXES = {
    **_all("1 男 男性 男士 男孩 男童 男婴 ♂ m male", "male"),
    **_all("2 女 女性 女士 女孩 女童 女婴 ♀ f female", "female"),
    **_all("0 9 未知 未说明 未说明的性别 未说明性别 未知的性别 未知性别 不详 不明 不明确 不确定 unknown u", None),
}
_YES_NO = _all("1 true t y yes 是 √ ✓ ✔", True) | _all("0 false f n no 否 × ✗ ✘", False)
BOOLS = _YES_NO | {"有": True, "无": False}
VALID = (
    _YES_NO
    | _all("有效 正常 生效 valid", True)
    | _all(
        "无效 作废 已作废 撤销 已撤销 撤消 已撤消 取消 已取消 注销 已注销 删除 已删除 失效 已失效 invalid void", False
    )
    | _all("已冲销 已冲正 已红冲 已退费 已退款 已退货 已退药", False)
)
REFUND = (
    _YES_NO
    | _all(
        "正常 未退费 未退 未退款 未退货 未退药 未冲正 未红冲 未冲销 无退费 非退费 收费 已收费 正常收费 正常结算 正常交易 正交易 无",
        False,
    )
    | _all(
        "退费 已退费 退款 已退款 退 已退 退货 已退货 退药 已退药 退号 全退 全额退费 冲正 已冲正 红冲 已红冲 冲销 已冲销",
        True,
    )
    | _all("负记录 负交易 反交易", True)
)


def plain_word(text: str) -> str:
    """Return a word or code without blanks, leading zeros and decimals that are zero, in lower case."""
    word = re.sub(r"\.0+$", "", re.sub(r"\s", "", narrow(text)).lower())
    return re.sub(r"^0+(?=[0-9])", "", word)


def beside_its_code(word: str, words: Mapping[str, Any]) -> str:
    """Return the word of a code and its word side by side, where both say the same; else what was given."""
    match = re.fullmatch(r"([0129])[-_.:|、(]?([^0-9]+?)\)?", word) or re.fullmatch(
        r"([^0-9]+?)[-_.:|、(]?([0129])\)?", word
    )
    if match is None:
        return word
    code, name = sorted(match.groups())
    known = name in words and code in words and words[code] == words[name] and not name.isdigit()
    return name if known else word


# reading: sexes and flags are compared without regard to case (the page writes them in lower case, the contract names
# M/F).
def read_sex(text: str) -> str | None:
    """Return male, female or None for a sex that is said to be unknown."""
    word = beside_its_code(plain_word(text), SEXES)
    if word not in SEXES:
        raise UnreadableError(text)
    return SEXES[word]


def reads_words(words: Mapping[str, bool]) -> Callable[[str], bool]:
    """Return a reader of a yes or no; -1 is what some programs write for yes."""

    def read(text: str) -> bool:
        word = plain_word(text)
        word = beside_its_code("1" if word == "-1" else word, words)
        if word not in words:
            raise UnreadableError(text)
        return words[word]

    return read


_WHOLE_CODE = re.compile("X[A-Z0-9]{22}|Z[A-Z0-9]{19}|T[A-Z0-9]{9}|[0-9]{15}|C[A-Z0-9]{19}(?:[A-Z0-9]{7})?")


def read_item_code(text: str) -> str:
    """Return an item code as it is compared."""
    # reading: a whole code among signs and words is meant, but for another beside it, which has ten signs or more.
    for written in (narrow(text), re.sub(f"[{_AROUND}]", "", narrow(text))):
        first, *others = re.findall("[0-9A-Za-z]+", written) or [""]
        if _WHOLE_CODE.fullmatch(first.upper()) and written.upper() != first.upper():
            return first.upper() if all(len(other) < 10 for other in others) else f"?{written}"
    code = re.sub(r"[(（]自费[)）]$", "", re.sub(f"[{_AROUND}]", "", narrow(text)))
    return re.sub(r"^([0-9]+)\.0+$", r"\1", code.rstrip(";,")).upper()


CARE = {
    "11": "普通门诊 门诊 门诊统筹 普通门诊统筹",
    "12": "门诊挂号 挂号",
    "13": "急诊 门诊急诊 急诊门诊",
    "14": "门诊慢特病 门诊慢病 门诊特病 门诊慢性病 门诊特殊病 门诊特殊慢性病 门诊特殊疾病 门诊大病 大病门诊 慢特病 门慢 门特 门慢特",
    "21": "普通住院 住院",
    "22": "外伤住院",
    "23": "转外诊治住院 转外住院",
    "24": "急诊转住院 急诊住院",
    "28": "日间手术",
    "41": "定点药店购药 药店购药 药店 购药 定点药店 零售药店 零售药店购药 定点零售药店 定点零售药店购药 药房购药 药店零售 "
    "门诊统筹药店购药 双通道购药 双通道药店购药",
    "51": "生育门诊",
    "52": "生育住院",
    "53": "计划生育手术费 计划生育手术 计划生育",
    "71": "家庭病床",
}
OTHER_CARE = (("急诊",), ("住院",), ("日间",), ("慢", "特"), ("生育",), ("计划",), ("病床",), ("购药", "药店"))
CARE_OF = {word: code for code, words in CARE.items() for word in words.split()}


def read_care(text: str) -> str:
    """Return the code of a care type: a number of two to twelve digits, whatever stands behind it, or a word for one; any other word as it is."""
    # reading: what is longer than any word is cut, and none.
    if len(text) >= 200:
        return text[:201]
    word = re.sub(r"\s", "", narrow(text))
    if match := re.fullmatch(r"([1-9][0-9]{1,11})(\.0+|[^0-9.].*|\.[^0-9].*)?", word):
        return match[1]
    if remark := re.fullmatch(r"(.+?)\((.*)\)", word):
        word, said = remark.groups()
        others = [
            kind for kind in OTHER_CARE if any(part in said for part in kind) and not any(part in word for part in kind)
        ]
        if "门诊" in said and any(part in word for part in ("急诊", "住院", "日间", "病床")):
            others.append(("门诊",))
        # reading: a remark that speaks of other care leaves it open which is meant, but for purchases in a pharmacy, whatever they are for.
        if others and not any(part in word for part in ("购药", "药店", "药房")):
            return text
    return CARE_OF.get(word, text)


def read_capitals(text: str) -> str:
    """Return an ID number without what groups its digits and with its X, and all else in narrow capitals."""
    text = re.sub("^([0-9]{17})[×ХΧ]$", r"\1X", narrow(text).upper())
    sizes = [len(part) for part in re.split("[ -]", text)]
    joined = re.sub("[ -]", "", text)
    if re.fullmatch("[0-9]{17}[0-9X]", joined) and sizes in (
        [6, 8, 4],
        [6, 4, 4, 4],
        [6, 12],
        [10, 8],
        [10, 4, 4],
        [14, 4],
        [6, 4, 8],
        [4, 4, 4, 4, 2],
    ):
        return joined
    return joined if joined.isdigit() and sizes in ([6, 6, 3], [6, 9]) else text


READERS = {
    Kind.CARE: read_care,
    Kind.TEXT: lambda text: re.sub(r"^([+-]?[0-9]+)\.0+$", r"\1", text),
    Kind.CODE: read_item_code,
    Kind.SEX: read_sex,
    # reading: a date column takes every spelling of a time and keeps the day.
    Kind.DATE: lambda text: moment.date() if (moment := read_time(text)) else None,
    Kind.CAPITAL: read_capitals,
    Kind.TIME: read_time,
    Kind.AGE: read_age,
    Kind.NUMBER: read_number,
    Kind.VALID: reads_words(VALID),
    Kind.REFUND: reads_words(REFUND),
    Kind.BOOL: reads_words(BOOLS),
    Kind.SELF_PAID: reads_words(BOOLS | _all("自费 全自费", True) | _all("非自费 医保 公费", False)),
}


def read_diagnosis(text: str) -> str:
    """Return a diagnosis code, or several in one text, in narrow capitals."""
    return narrow(text).upper()


def first_text(row: Raw, headers: Sequence[str], kind: Kind) -> str | None:
    """Return the first non-empty value under these headers; the row's own are in the form of comparison.

    An unreadable value is not empty: it counts, and no later header is asked. A date that stands for none is empty.
    """
    for header in headers:
        if (text := trimmed(row.get(header_key(header)), kind)) is None:
            continue
        if kind in (Kind.TIME, Kind.DATE):
            try:
                if read_time(text) is None:
                    continue
            except UnreadableError:
                pass
        return text
    return None


class Source:
    """What one line, or all valid headers of one key taken together, says of its columns."""

    def __init__(self, rows: Iterable[Raw], table: Mapping[str, Column]) -> None:
        self.rows = tuple({header_key(header): text for header, text in row.items()} for row in rows)
        self.table = table
        self._read: dict[str, tuple[tuple[Any, ...], bool]] = {}

    def _column(self, name: str) -> tuple[tuple[Any, ...], bool]:
        if name not in self.table:
            return (), False
        if name not in self._read:
            known: list[Any] = []
            unreadable = False
            reader = read_diagnosis if name in ("code", "diagnosis_code") else READERS[self.table[name].kind]
            for row in self.rows:
                text = first_text(row, self.table[name].all_headers, self.table[name].kind)
                if text is None:
                    continue
                try:
                    value = reader(text)
                except UnreadableError:
                    unreadable = True
                    continue
                if value is not None and value not in known:
                    known.append(value)
            self._read[name] = tuple(known), unreadable
        return self._read[name]

    def known(self, name: str) -> tuple[Any, ...]:
        """Return all different values that are known."""
        return self._column(name)[0]

    def value(self, name: str) -> Any:
        """Return the one known value, or None where there is none or where the headers contradict each other."""
        known = self.known(name)
        return known[0] if len(known) == 1 else None

    def unreadable(self, name: str) -> bool:
        """Return whether some text of the column could not be read."""
        return self._column(name)[1]


def reversed_settlements(
    headers: Sequence[Raw] | None, staged: Sequence[Line], refunds: Sequence[Line], with_lines: set[str]
) -> tuple[dict[str, bool], set[str]]:
    """Return the settlements of staged lines that headers without lines reverse, and whether as a whole; and those that another's would.

    `staged` and `refunds` are the judged and refund lines of restricted items, duplicates among them; `with_lines` are the settlements
    that any line names.
    """
    groups: dict[str, list[Raw]] = defaultdict(list)
    named_by: dict[str, set[str]] = defaultdict(set)
    for row in headers or ():
        header = Source((row,), HEADER)
        key, original = header.value("settlement_id"), header.value("original_settlement_id")
        if header.value("valid_flag") is False or None in (key, original) or key == original:
            continue
        named_by[original].add(key)
        if not header.unreadable("valid_flag"):
            groups[key].append(row)
    totals = headers_by_key(headers, "settlement_id")
    charged: dict[str, dict[Any, Decimal]] = defaultdict(dict)
    for line in staged:
        same = line.line_id or (line.file, line.record)
        charged[line.settlement_id][same, line.code, line.time, line.quantity, line.amount] = line.amount or Decimal(0)
    own = {line.settlement_id for line in (*staged, *refunds)}
    reversals: dict[str, list[tuple[str, Decimal | None]]] = defaultdict(list)
    others: set[str] = set()
    for key, rows in groups.items():
        header = Source(
            [row for row in rows if Source((row,), HEADER).value("original_settlement_id") in charged], HEADER
        )
        amounts, original = header.known("settlement_amount"), header.value("original_settlement_id")
        is_reversal = header.value("refund_flag") is True or (amounts and max(amounts) < 0)
        if original is None or not is_reversal or key in own or named_by[key] - {original}:
            continue
        if is_of_another(header, totals.get(original), [line for line in staged if line.settlement_id == original]):
            others.add(original)
        else:
            # reading: a sum that is written and cannot be read, or written twice otherwise, tells of no whole reversal.
            unclear = len(amounts) > 1 or any(Source((row,), HEADER).unreadable("settlement_amount") for row in rows)
            reversals[original].append((key, Decimal(-1) if unclear else abs(amounts[0]) if amounts else None))
    found: dict[str, bool] = {}
    for original, by in reversals.items():
        back = (
            sum(amount for _, amount in by if amount is not None)
            if all(amount is not None for _, amount in by)
            else None
        )
        total = totals[original].value("settlement_amount") if original in totals else None
        unclear = any(amount == -1 for _, amount in by)
        too_little = back is not None and (back == 0 or back < sum(charged[original].values()))
        reaches = False if unclear or too_little else None if back is None or total is None else back >= abs(total)
        if reaches:
            found[original] = True
        elif not any(key in with_lines for key, _ in by):
            found[original] = reaches is None
    return found, others


def is_of_another(reversal: Source, original: Source | None, lines: Sequence[Line]) -> bool:
    """Return whether a reversal is of another patient or institution than the settlement that it names."""

    def of_original(name: str, of_line: Callable[[Line], str | None]) -> str | None:
        said = original.value(name) if original is not None else None
        found = {value for line in lines if (value := of_line(line)) is not None}
        return said if said is not None else found.pop() if len(found) == 1 else None

    def differ(one: str | None, other: str | None) -> bool:
        return None not in (one, other) and one != other

    patient = of_original("patient_id", lambda line: line.key("patient_id"))
    own = reversal.value("patient_id")
    if None not in (patient, own):
        another = patient != own
    else:
        number = original.value("patient_id_number") if original is not None else None
        numbers = {line.person_number for line in lines} - {None}
        known = one_person(number) if number is not None else numbers.pop() if len(numbers) == 1 else None
        another = differ(known, one_person(reversal.value("patient_id_number")))
    return another or differ(
        of_original("institution_id", lambda line: line.own.value("institution_id")), reversal.value("institution_id")
    )


def headers_by_key(rows: Iterable[Raw] | None, key: str) -> dict[str, Source]:
    """Return settlement or visit headers by their own key; those with valid_flag 0 are as if they were not there."""
    groups: dict[str, list[Raw]] = defaultdict(list)
    for row in rows or ():
        header = Source((row,), HEADER)
        if header.value("valid_flag") is False:
            continue
        if (found := header.value(key)) is not None:
            groups[found].append(row)
    return {found: Source(group, HEADER) for found, group in groups.items()}


# --------------------------------------------------------------------------------------- 2. The person


@dataclass(frozen=True)
class Age:
    """Completed years, months and days, each between two bounds that are equal when the birth date is known."""

    year: tuple[int, int]
    month: tuple[int, int]
    day: tuple[int, int]


@dataclass(frozen=True)
class Person:
    """One person as far as the line knows them."""

    sex: str | None = None
    sex_conflict: bool = False
    birth: date | None = None
    birth_conflict: bool = False
    age: tuple[str, int] | None = None
    given: bool = False


LOST = re.compile(r"[+-]?[0-9](\.[0-9]+[Ee]\+?|[Ee]\+)[0-9]{1,3}")
"""A key that a spreadsheet wrote as a number of few digits."""


def one_person(number: str | None) -> str | None:
    """Return what an ID number names its person by: the same for the one of 15 digits and the one of 18 that followed it."""
    if number is not None and has_right_check(number):
        return number[:17]
    if number is not None and len(number) == 15 and id_number_facts(number):
        return f"{number[:6]}19{number[6:]}"
    return number


def has_right_check(number: str) -> bool:
    """Return whether a number has 18 characters and the right check character, by ISO 7064 mod 11-2, whatever day it names."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return False
    remainder = 0
    for digit in number[:17]:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11] == number[17]


def id_number_facts(number: str | None) -> tuple[str, date] | None:
    """Return sex and birth date of a right ID number, by ISO 7064 mod 11-2; those of 15 digits have no check character."""
    if number is None or not re.fullmatch(r"[0-9]{17}[0-9X]|[0-9]{15}", number):
        return None
    day, sex = (number[6:14], number[16]) if len(number) == 18 else (f"19{number[6:12]}", number[14])
    try:
        born = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return None
    if len(number) == 18 and not has_right_check(number):
        return None
    return ("male" if int(sex) % 2 else "female"), born


def age_between(born: date, day: date) -> Age | None:
    """Return the age on a day, or None where it is negative or more than 130 years."""
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    days = (day - born).days
    if days < 0 or years > 130:
        return None
    return Age((years, years), (months, months), (days, days))


def age_on_record(unit: str, number: int) -> Age | None:
    """Return the age of someone of whom only completed years, months or days are known."""
    if not 0 <= number < {"year": 131, "month": 131 * 12, "day": 131 * 366}[unit]:
        return None
    if unit == "year":
        return Age((number, number), (12 * number, 12 * number + 11), (365 * number, 366 * number + 365))
    if unit == "month":
        return Age((number // 12, number // 12), (number, number), (max(30 * number - 2, 0), 31 * number + 30))
    return Age((number // 366, number // 365), (number // 31, (number + 2) // 30), (number, number))


DAY_ZERO = Age((0, 0), (0, 0), (0, 0))
PERSON_FIELDS = (
    "patient_sex",
    "patient_birth_date",
    "patient_age",
    "newborn_flag",
    "insured_sex",
    "insured_birth_date",
)
"""The fields that leave `person_unreadable`; a wrong ID number does not."""


class Line:
    """One readable line with its headers, and the facts that all rules share."""

    def __init__(
        self, file: str, record: int, row: Raw, settlements: dict[str, Source], visits: dict[str, Source]
    ) -> None:
        self.file = file
        self.record = record
        self.own = Source((row,), LINE)
        self.settlement_id = self.key("settlement_id")
        self.visit_id = self.key("visit_id")
        # reading: each table is asked for its own key only, and the keys are the line's own: a visit_id that only the
        # settlement header knows leads nowhere.
        self.settlement = settlements.get(self.settlement_id)
        self.visit = visits.get(self.visit_id)
        self.sources = tuple(source for source in (self.own, self.settlement, self.visit) if source)
        self.time: datetime | None = None
        self.time_fallback = False
        # reading: an id whose digits are lost is none.
        self.line_id = None if self.is_lost("line_id") else self.own.value("line_id")
        self.patient_id = self.key("patient_id")
        self.person_number = one_person(self.key("patient_id_number"))
        self.code = self.own.value("item_code")
        self.quantity = self.own.value("quantity")
        self.amount = self.own.value("amount")
        self.amount_in_scope = self.own.value("amount_in_scope")
        # reading: duplicates and refunds compare the line's own institution, visit and settlement. Where a header is
        # meant to help (refund_flag, original_settlement_id) the page says so.
        self.institution_id = self.own.value("institution_id")
        self.net: dict[str, Decimal | None] = {
            "quantity": self.quantity,
            "amount": self.amount,
            "amount_in_scope": self.amount_in_scope,
        }
        self.taken: dict[str, Decimal] = dict.fromkeys(self.net, Decimal(0))
        self.is_duplicate = False
        self.reversed: bool | None = None
        self.falsely_reversed = False
        self.neonatal = False
        self.is_reuploaded = False

    def is_lost(self, name: str) -> bool:
        """Return whether digits of a key are lost: it came as 1.23E+17, or an ID number is what fifteen digits leave of it."""
        text = self.own.value(name)
        if text is None or LOST.fullmatch(text):
            return text is not None
        if name != "patient_id_number" or not re.fullmatch(r"[0-9]{18}", text) or has_right_check(text):
            return False
        return text.endswith("000") or f"{float(f'{float(text):.14e}'):.0f}" == text

    def key(self, name: str) -> str | None:
        """Return a key of the line; one whose digits are lost is nobody else's."""
        text: str | None = self.own.value(name)
        return f"{text}\x1d{self.file}\x1d{self.record}" if self.is_lost(name) else text

    @property
    def stay(self) -> tuple[str, str] | None:
        """Return the visit, or where there is none the settlement."""
        if self.visit_id is not None:
            return "visit", self.visit_id
        return None if self.settlement_id is None else ("settlement", self.settlement_id)

    @property
    def is_pharmacy(self) -> bool:
        """Return whether the line is a purchase in a pharmacy."""
        # Headers of one key are compared by what their care means, and what they contradict each other in no other source settles.
        told = next((known for source in self.sources if (known := source.known("care_type"))), ())
        return bool(told) and all(re.fullmatch("41[0-9]{0,10}", care) for care in told)

    @property
    def headers_tell_of_insured(self) -> bool:
        """Return whether the person of the headers is the holder of the card: in a pharmacy, but where the line names the insured."""
        named = any(self.own.value(name) is not None for name in ("insured_sex", "insured_birth_date"))
        return self.is_pharmacy and not named

    @property
    def another_paid(self) -> bool:
        """Return whether another's account paid in a pharmacy."""
        return self.is_pharmacy and (self.first("mutual_aid_amount") or 0) > 0

    @property
    def settlement_flag_is_unclear(self) -> bool:
        """Return whether the settlement says something of refunds that nobody can read."""
        header = self.settlement
        return header is not None and not header.known("refund_flag") and header.unreadable("refund_flag")

    @property
    def settlement_may_be_void(self) -> bool:
        """Return whether each header of the settlement that is not void has a void flag that cannot be read."""
        return self.settlement is not None and all(
            Source((row,), HEADER).unreadable("valid_flag") for row in self.settlement.rows
        )

    def first(self, name: str, sources: Sequence[Source] | None = None) -> Any:
        """Return the first known value of line, settlement, visit.

        A value that cannot be read, or in which the headers of one key contradict each other, is no value, and the next
        source is asked.
        """
        sources = self.sources if sources is None else sources
        return next((found for source in sources if (found := source.value(name)) is not None), None)

    def read_time(self) -> Reject | None:
        """Set the service time, or say why there is none."""
        column = LINE["service_time"]
        (row,) = self.own.rows
        text = first_text(row, (column.name, *column.headers), Kind.TIME)
        if text is None:
            text = first_text(row, column.fallback, Kind.TIME)
            self.time_fallback = text is not None
        if text is None:
            return Reject(self.file, self.record, "service_time", "missing")
        try:
            self.time = read_time(text)
        except UnreadableError:
            return Reject(self.file, self.record, "service_time", "unreadable")
        return Reject(self.file, self.record, "service_time", "missing") if self.time is None else None

    def kind(self) -> str:
        """Return judged, or why the line is skipped."""
        if self.own.value("valid_flag") is False:
            return "invalid"
        # reading: is_context and paid_by_fund speak first; where they have no readable value, their national
        # opposites do.
        context = self.own.value("is_context")
        if context is None and (current := self.own.value("curr_drord_flag")) is not None:
            context = not current
        if context:
            return "context"
        refund_flag = self.own.value("refund_flag")
        if refund_flag is None and self.settlement is not None:
            refund_flag = self.settlement.value("refund_flag")
        if refund_flag or (self.quantity or 0) < 0 or (self.amount or 0) < 0:
            return "refund"
        paid = self.own.value("paid_by_fund")
        if paid is None and (own_account := self.own.value("self_paying_flag")) is not None:
            paid = not own_account
        return "self_paid" if paid is False else "judged"

    def patient(self) -> Person:
        """Return the patient, from all sources that speak of the patient."""
        return self._person((self.own,) if self.headers_tell_of_insured else self.sources)

    def _person(self, sources: Sequence[Source]) -> Person:
        """Return the person of whom these sources speak."""
        facts = id_number_facts(self.first("patient_id_number", sources))
        sexes = {sex for source in sources for sex in source.known("patient_sex")}
        births = {born for source in sources for born in source.known("patient_birth_date")}
        if facts:
            sexes.add(facts[0])
            births.add(facts[1])
        # reading: ages that contradict each other within the headers of one key are a value of the patient, but no
        # age.
        ages = [age for source in sources for age in source.known("patient_age")]
        return Person(
            sex=min(sexes) if len(sexes) == 1 else None,
            sex_conflict=len(sexes) > 1,
            birth=min(births) if len(births) == 1 else None,
            birth_conflict=len(births) > 1,
            age=self.first("patient_age", sources),
            given=bool(sexes or births or ages),
        )

    def insured(self) -> Person:
        """Return the insured, of whom the line speaks, or in a pharmacy the headers."""
        if self.headers_tell_of_insured:
            return self._person(self.sources[1:])
        sex, birth = self.own.value("insured_sex"), self.own.value("insured_birth_date")
        return Person(sex=sex, birth=birth, given=sex is not None or birth is not None)

    def place(self, of: str | None) -> str | None:
        """Return the insured's or the institution's place."""
        if of == "insured":
            return self.first("insured_region")
        # reading: the contract's order: digits 2-7 of the institution's code, where they are six digits, then the
        # column.
        # Care type, places and visit start are, like the age, the first known of line, settlement, visit.
        digits = (self.first("institution_id") or "")[1:7]
        return digits if re.fullmatch(r"[0-9]{6}", digits) else self.first("region")

    def in_scope(self) -> bool:
        """Return whether the fund may pay something of what is left of the line."""
        fen = Decimal("0.01")
        if self.amount is not None and abs(self.amount) < fen:
            return True
        left = self.net["amount_in_scope"]
        if left is not None:
            # Something in scope and all paid by the patient contradict each other: nobody knows.
            return abs(left) >= fen
        self_paid = self.own.value("full_self_paid_amount")
        return self_paid is None or self.amount is None or abs(self_paid - self.amount) >= fen

    def remarks(self) -> set[str]:
        """Return the remarks that every finding of the line carries."""
        found = set()
        if self.is_duplicate:
            found.add("duplicate")
        if any(self.taken.values()):
            found.add("partly_refunded")
        if self.is_reuploaded:
            found.add("reuploaded")
        if self.reversed is False:
            found.add("partly_reversed")
        if self.falsely_reversed:
            found.add("falsely_reversed")
        if self.time_fallback:
            found.add("service_time_fallback")
        if any(source.unreadable(name) for source in self.sources for name in PERSON_FIELDS):
            found.add("person_unreadable")
        return found


# ---------------------------------------------------------------------------------------- 3. The point


def covers(match: str, pattern: str, code: str | None) -> bool:
    """Return whether a code or family covers a code."""
    return code is not None and (code == pattern if match == "code" else code.startswith(pattern))


def in_force(row: Mapping[str, Any], day: date) -> bool:
    """Return whether a point or exemption is in force on a day; a missing end or beginning is open."""
    begins, ends = row.get("valid_from"), row.get("valid_to")
    return (begins is None or begins <= day) and (ends is None or day < ends)


def region_fits(row: Mapping[str, Any], line: Line, options: Options) -> bool:
    """Return whether a point or exemption is meant for the line's place."""
    if not row.get("region"):
        return True
    place = line.place(row.get("region_of")) or options.region
    return place is not None and place.startswith(row["region"])


class Knowledge:
    """Points with their patterns, and exemptions with their items."""

    def __init__(
        self,
        points: Iterable[Mapping[str, Any]],
        patterns: Iterable[Mapping[str, Any]],
        exemptions: Iterable[Mapping[str, Any]],
    ) -> None:
        self.points = {point["point_id"]: point for point in points}
        self.patterns = [pattern for pattern in patterns if self.points[pattern["point_id"]]["rule_id"] in RULES]
        self.exemptions = list(exemptions)
        self._by_code: dict[str | None, list[Mapping[str, Any]]] = {}

    def patterns_of(self, code: str | None) -> list[Mapping[str, Any]]:
        """Return the patterns that cover a code, of all rules, whether in force or not."""
        if code not in self._by_code:
            self._by_code[code] = [row for row in self.patterns if covers(row["match"], row["code"], code)]
        return self._by_code[code]

    def is_neonatal(self, code: str | None) -> bool:
        """Return whether a point limits the item to newborns, whether in force or not."""
        points = (self.points[pattern["point_id"]] for pattern in self.patterns_of(code))
        return any(
            point["age_word"] == "新生儿" or (point["age_max_unit"] == "day" and point["age_max"] <= 29)
            for point in points
        )

    def rules_of(self, code: str | None) -> set[str]:
        """Return the rules that have patterns for a code."""
        return {self.points[pattern["point_id"]]["rule_id"] for pattern in self.patterns_of(code)}

    def point_for(self, rule_id: str, line: Line, day: date, options: Options) -> tuple[Mapping[str, Any], str] | None:
        """Return the one point of a rule that judges the line, and by what it matched."""
        found = []
        for pattern in self.patterns_of(line.code):
            point = self.points[pattern["point_id"]]
            if point["rule_id"] == rule_id and in_force(point, day) and region_fits(point, line, options):
                begins = point["valid_from"].toordinal() if point["valid_from"] else 0
                local = bool(point.get("region"))
                order = (not local, pattern["match"] != "code", -len(pattern["code"]), -begins, point["point_id"])
                found.append((order, point, pattern["match"]))
        if not found:
            return None
        _, point, match = min(found, key=lambda entry: entry[0])
        return point, match


# --------------------------------------------------------------------------------------- 4. The clause


def any_of(*values: bool | None) -> bool | None:
    """Return the OR of three-valued logic."""
    if any(value is True for value in values):
        return True
    return None if any(value is None for value in values) else False


def younger(age: Age | None, bound: int, unit: str) -> bool | None:
    """Return whether the age is below the bound, None where the age cannot decide it."""
    if age is None:
        return None
    low, high = getattr(age, unit)
    if high < bound:
        return True
    return False if low >= bound else None


def not_younger(age: Age | None, bound: int, unit: str) -> bool | None:
    """Return whether the age is at or past the bound."""
    below = younger(age, bound, unit)
    return None if below is None else not below


def outside_window(point: Mapping[str, Any], age: Age | None) -> bool | None:
    """Return whether the age lies outside the point's window."""
    too_young: bool | None = False
    too_old: bool | None = False
    if point["age_min"] is not None:
        too_young = younger(age, point["age_min"], point["age_min_unit"])
    if point["age_max"] is not None:
        too_old = not_younger(age, point["age_max"], point["age_max_unit"])
    elif point["age_word"] is not None:
        too_old = not_younger(age, *WORD_BOUNDS[point["age_word"]])
    return any_of(too_young, too_old)


def within_lenient(point: Mapping[str, Any], age: Age | None) -> bool:
    """Return whether the age is past the strict bound of a child but not the lenient, and the word set the bound."""
    if point["age_max"] is not None or point["age_word"] not in ("儿童", "小儿"):
        return False
    return not_younger(age, CHILD_AGE, "year") is True and younger(age, CHILD_AGE_LENIENT, "year") is True


@dataclass(frozen=True)
class Decision:
    """What the clause says of one line and one point, before exemptions."""

    violated: bool | None
    reason: str | None
    person: Person
    age: Age | None


def decide(rule: Rule, point: Mapping[str, Any], line: Line, header_missing: bool) -> Decision:
    """Return the answer of the clause in the order of the page."""
    assert line.time is not None
    today = line.time.date()
    patient, insured = line.patient(), line.insured()

    record_birth = patient.birth if patient.given else insured.birth
    days = (today - record_birth).days if record_birth else None
    if line.first("newborn_flag") is True and not (days is not None and 0 <= days <= 28):
        violated = None if rule.reads == "sex" else outside_window(point, DAY_ZERO)
        # reading: an age window that does not include newborns is undetermined, though day 0 would be a violation of
        # it.
        if violated is not False:
            return Decision(None, "header_missing" if header_missing else "newborn", Person(), None)
        return Decision(False, None, Person(), DAY_ZERO)

    of_user = point["subject"] == "就诊人" or (point["subject"] != "参保人" and line.another_paid)
    if of_user and line.is_pharmacy and not patient.given and insured.given:
        return Decision(None, "header_missing" if header_missing else "patient_unknown", Person(), None)

    person = insured if insured.given and (point["subject"] == "参保人" or not patient.given) else patient
    age: Age | None = None
    impossible = False
    if person.birth is not None:
        age = age_between(person.birth, today)
        impossible = age is None
    elif person.age is not None and not person.birth_conflict:
        age = age_on_record(*person.age)
        impossible = age is None

    if rule.reads == "sex":
        violated = None if person.sex is None or point["sex"] is None else person.sex != point["sex"]
    else:
        violated = outside_window(point, age)
    if violated is not None:
        return Decision(violated, None, person, age)

    if header_missing:
        reason = "header_missing"
    elif rule.reads == "sex":
        reason = "other" if person.sex is not None else "sources_conflict" if person.sex_conflict else "sex_missing"
    elif impossible:
        reason = "birth_impossible"
    elif person.birth_conflict:
        reason = "sources_conflict"
    elif person.birth is None:
        reason = "birth_missing"
    else:
        reason = "other"
    return Decision(None, reason, person, age)


# --------------------------------------------------------------------------------------- 5. Exemptions


def plain_name(name: str | None) -> str | None:
    """Return a name after NFKC and without its parenthesised parts."""
    return None if name is None else re.sub(r"\([^()]*\)", "", unicodedata.normalize("NFKC", name)).strip()


def item_fits(items: Sequence[tuple[str, str]], line: Line, point: Mapping[str, Any]) -> bool:
    """Return whether an exemption is for the line's item; one without items is for all."""
    if not items:
        return True
    for match, value in items:
        if match == "name":
            if plain_name(value) == plain_name(point["item_name"]):
                return True
        elif covers(match, value, line.code):
            return True
    return False


@dataclass
class Diagnoses:
    """The codes on file, by settlement and by visit."""

    by_settlement: dict[str, set[str]]
    by_visit: dict[str, set[str]]

    @classmethod
    def of(cls, rows: Iterable[Raw] | None) -> Diagnoses:
        """Return the codes of the valid diagnosis records."""
        found = cls(defaultdict(set), defaultdict(set))
        for row in rows or ():
            source = Source((row,), DIAGNOSIS)
            code = source.value("code")
            if code is None or source.value("valid_flag") is False:
                continue
            if (key := source.value("settlement_id")) is not None:
                found.by_settlement[key].add(code)
            if (key := source.value("visit_id")) is not None:
                found.by_visit[key].add(code)
        return found

    def of_line(self, line: Line) -> set[str]:
        """Return the codes of the line's settlement and visit.

        reading: the diagnosis column of the line itself, of its settlement and of its visit header count as well, each
        for this line only.
        """
        codes = {code for source in line.sources for code in source.known("diagnosis_code")}
        return codes | self.by_settlement.get(line.settlement_id, set()) | self.by_visit.get(line.visit_id, set())


@dataclass(frozen=True)
class Exempted:
    """What the exemptions do to one line and one point."""

    exempting: str | None
    lowering: tuple[str, ...]
    possible: bool


def exempted(
    knowledge: Knowledge,
    rule: Rule,
    point: Mapping[str, Any],
    line: Line,
    diagnoses: set[str],
    violated: bool,
    day: date,
    options: Options,
) -> Exempted:
    """Return the exemptions that apply."""
    exempting, lowering, possible = [], [], False
    for row in knowledge.exemptions:
        fits = row["rule_id"] == rule.rule_id and in_force(row, day) and region_fits(row, line, options)
        if not fits or not item_fits(row["items"], line, point):
            continue
        # reading: a lowering exemption touches violations only, so it leaves no remark on an undetermined line either.
        if row["effect"] == "lower" and not violated:
            continue
        if row["diagnoses"]:
            if not diagnoses:
                possible = True
                continue
            # reading: prefixes are upper-cased like the codes; dots are kept on both sides.
            if not any(code.startswith(prefix.upper()) for code in diagnoses for prefix in row["diagnoses"]):
                continue
        (exempting if row["effect"] == "exempt" else lowering).append(row["exemption_id"])
    return Exempted(min(exempting, default=None), tuple(sorted(lowering)), possible)


def action_of(level: str | None, verdict: str, stage: str) -> str | None:
    """Return what the caller must do."""
    if verdict == "exempt":
        return None
    if verdict == "undetermined" or level == "notice":
        return "note"
    before = stage in ("prescribe", "dispense", "settle")
    if level == "definite":
        return "stop" if before else "recover"
    return "confirm" if before else "review"


SEX_WORDS = {"male": "男", "female": "女", None: "不明"}
UNIT_WORDS = {"year": "岁", "month": "个月", "day": "天"}


def window_words(point: Mapping[str, Any]) -> str:
    """Return the window that a point gives, in words."""
    least, unit, most, most_unit = (point[name] for name in ("age_min", "age_min_unit", "age_max", "age_max_unit"))
    if most is None:
        most, most_unit = WORD_BOUNDS.get(point["age_word"], (None, None))
    if most is None:
        return f"≥ {least} {UNIT_WORDS[unit]}"
    if least is None:
        return f"0–{most - 1} 天" if most_unit == "day" else f"< {most} {UNIT_WORDS[most_unit]}"
    if unit != most_unit:
        return f"≥ {least} {UNIT_WORDS[unit]}且 < {most} {UNIT_WORDS[most_unit]}"
    return f"{least} {UNIT_WORDS[unit]}" if most - least == 1 else f"{least}-{most - 1}{UNIT_WORDS[unit]}"


def age_words(age: Age | None) -> str:
    """Return the age of a person, in words."""
    if age is None:
        return "不明"
    (years, _), (months, most_months), (days, _) = age.year, age.month, age.day
    if months < most_months or years >= 2:
        return f"{years} 岁"
    return f"{months} 个月" if months >= 1 else f"{days} 天"


def judge(
    knowledge: Knowledge, rule: Rule, line: Line, diagnoses: set[str], header_missing: bool, day: date, options: Options
) -> Finding | None:
    """Return the finding of one line under one rule; the rule has a point for the line."""
    chosen = knowledge.point_for(rule.rule_id, line, day, options)
    assert chosen is not None
    point, matched_by = chosen
    decision = decide(rule, point, line, header_missing)
    if decision.violated is False:
        return None

    reason = decision.reason
    verdict = "violation" if decision.violated else "undetermined"
    near = line.neonatal or any(re.match(r"O8[0-4]|Z3[78]|P[0-9]", code) for code in diagnoses)
    if decision.violated and near and may_be_mother(decision):
        verdict, reason = "undetermined", "newborn"
    applied = exempted(knowledge, rule, point, line, diagnoses, verdict == "violation", day, options)
    remarks = line.remarks()
    only_insured = line.is_pharmacy and not line.patient().given and line.insured().given
    of_user = point["subject"] == "就诊人" or (point["subject"] != "参保人" and line.another_paid)
    if line.another_paid or (only_insured and not of_user):
        remarks.add("family_account")
    if point["remark"]:
        remarks.add(point["remark"])
    level, exemption_id = None, None
    # reading: an exempt finding has no reason, no level and none of the remarks that explain a level.
    if applied.exempting:
        verdict, exemption_id = "exempt", applied.exempting
    else:
        if applied.possible:
            # reading: a lowering exemption leaves this remark too.
            remarks.add("exemption_possible")
        if verdict == "violation":
            step = LEVELS.index(rule.level)
            if rule.reads == "age" and within_lenient(point, decision.age):
                step += 1
                remarks.add("lowered_lenient")
            if applied.lowering:
                step += len(applied.lowering)
                exemption_id = applied.lowering[0]
                remarks.add("lowered_exemption")
            if point["level_cap"]:
                step = max(step, LEVELS.index(point["level_cap"]))
            if rule.reads == "age" and stay_began_in_window(point, line, decision.person):
                step = max(step, LEVELS.index("notice"))
                remarks.add("stay_began_in_window")
            level = LEVELS[min(step, len(LEVELS) - 1)]

    return Finding(
        file=line.file,
        record=line.record,
        rule_id=rule.rule_id,
        point_id=point["point_id"],
        matched_by=matched_by,
        verdict=verdict,
        level=level,
        action=action_of(level, verdict, options.stage),
        expected=SEX_WORDS[point["sex"]] if rule.reads == "sex" else window_words(point),
        actual=SEX_WORDS[decision.person.sex] if rule.reads == "sex" else age_words(decision.age),
        reason_code=reason if verdict == "undetermined" else None,
        exemption_id=exemption_id,
        remarks=tuple(sorted(remarks)),
        quantity=line.net["quantity"],
        amount=line.net["amount"],
        amount_in_scope=line.net["amount_in_scope"],
    )


def may_be_mother(decision: Decision) -> bool:
    """Return whether the person judged may have given birth: of 9 to 64 years, and no man."""
    age = decision.age
    return decision.person.sex != "male" and age is not None and age.year[0] == age.year[1] and 9 <= age.year[0] <= 64


def stay_began_in_window(point: Mapping[str, Any], line: Line, person: Person) -> bool:
    """Return whether the window is 新生儿 and the person judged was 0-28 days old when the visit began.

    reading: the window is 新生儿 where the word sets the upper bound, that is, where the point's text gives none.
    """
    begins = line.first("visit_start")
    if point["age_word"] != "新生儿" or point["age_max"] is not None or begins is None or person.birth is None:
        return False
    return 0 <= (begins.date() - person.birth).days <= 28


# ------------------------------------------------------------------------------ 6. Duplicates, refunds


def without_duplicates(lines: Iterable[Line]) -> tuple[list[Line], int]:
    """Return the lines that count and how many were left out; a line that stands for others is marked."""
    lines = list(lines)
    kept: list[Line] = []
    first: dict[tuple[Any, ...], Line] = {}
    removed = 0
    nth = places_among_equals(line for line in lines if line.line_id is None)
    for line in lines:
        # reading: NULL equals NULL in institution, visit, quantity and amount, and 1 is 1.0.
        key = (
            line.institution_id, line.visit_id, line.settlement_id if line.visit_id is None else None,
            line.line_id, line.code, line.time, line.quantity, line.amount, *said_of_person(line),
        )  # fmt: skip
        if line.line_id is None:
            key = (*said(line), nth[id(line)])
        if key in first:
            first[key].is_duplicate = True
            removed += 1
            continue
        first[key] = line
        kept.append(line)
    return kept, removed


def reuploads(lines: Iterable[Line]) -> set[int]:
    """Return the lines (by identity) that others before them, under another number and in another upload, are; the first is marked."""
    alike: dict[tuple[Any, ...], list[Line]] = defaultdict(list)
    for line in lines:
        assert line.time is not None
        said = [
            line.key("patient_id"),
            line.own.value("patient_sex"),
            line.own.value("patient_birth_date"),
            line.key("patient_id_number"),
            line.own.value("patient_age"),
            line.own.value("insured_sex"),
            line.own.value("insured_birth_date"),
        ]
        doctor, order = line.own.value("prescriber"), line.own.value("prescription_id")
        whole = {"quantity": line.quantity, "amount": line.amount, "amount_in_scope": line.amount_in_scope} == line.net
        known = None not in (line.line_id, doctor, line.quantity, line.amount) and bool(line.stay or said[0])
        timed = not line.time_fallback and line.time.time() != datetime.min.time()
        if known and timed and whole and not (line.reversed or nothing_left(line)):
            place = (line.institution_id, line.visit_id, line.settlement_id if line.visit_id is None else None)
            alike[(*place, *said, doctor, order, line.code, line.time, line.quantity, line.amount)].append(line)
    left_out = set()
    for group in alike.values():
        by_settlement = all(line.settlement_id is not None for line in group)
        by_batch = all(line.own.value("charge_batch") is not None for line in group)
        uploads: dict[tuple[Any, ...], list[Line]] = defaultdict(list)
        for line in group:
            batch = line.own.value("charge_batch") if by_batch else None
            uploads[line.settlement_id if by_settlement else None, batch].append(line)
        for number in range(max(map(len, uploads.values()))):
            first, *others = sorted(
                (upload[number] for upload in uploads.values() if number < len(upload)),
                key=lambda each: (each.file, each.record),
            )
            first.is_reuploaded = bool(others)
            left_out |= {id(line) for line in others}
    return left_out


def said_of_person(line: Line) -> tuple[Any, ...]:
    """Return what tells whose line it is."""
    sex, birth = line.own.value("patient_sex"), line.own.value("patient_birth_date")
    age = line.own.value("patient_age")
    if age is not None:
        unit, number = age
        age = "-1" if number < 0 else f"{number}{ {'year': '', 'month': 'M', 'day': 'D'}[unit] }"
    insured = line.own.value("insured_sex"), line.own.value("insured_birth_date")
    return line.patient_id, sex, birth, line.person_number, age, *insured


def said(line: Line) -> tuple[Any, ...]:
    """Return what stands for a line without an id."""
    order = line.key("prescription_id")
    place = (line.institution_id, line.settlement_id, line.visit_id, order)
    return *place, line.code, line.time, line.quantity, line.amount, *said_of_person(line)


def in_order(line: Line) -> tuple[Any, ...]:
    """Return in which order lines without an id stand: by what they say, NULL last, and only then by file and record."""
    more = [line.own.value(name) for name in (
        "amount_in_scope", "newborn_flag", "visit_start", "diagnosis_code", "item_name",
    )]  # fmt: skip
    values = (value.split("\x1d")[0] if isinstance(value, str) else value for value in (*said(line), *more))
    return *((True, 0) if value is None else (False, value) for value in values), line.file, line.record


def places_among_equals(lines: Iterable[Line]) -> dict[int, int]:
    """Return for each line without an id which of the equal lines of its file it is.

    reading: where it names no visit, settlement, order or person, and no hour, equal lines of all files are counted together.
    """
    nth: dict[int, int] = {}
    counts: dict[tuple[Any, ...], int] = defaultdict(int)
    for line in sorted(lines, key=in_order):
        assert line.time is not None
        named = (line.visit_id, line.settlement_id, line.key("prescription_id"), line.patient_id, line.person_number)
        is_anyone = all(name is None for name in named) and line.time.time() == datetime.min.time()
        same = (None if is_anyone else line.file, *said(line))
        counts[same] += 1
        nth[id(line)] = counts[same]
    return nth


def net_refunds(originals: list[Line], refunds: list[Line]) -> int:
    """Take the refunds from their originals; return how many refunds found none."""
    ways: list[dict[tuple[Any, ...], list[Line]]] = [defaultdict(list) for _ in range(7)]
    for line in originals:
        for way, key in enumerate(original_keys(line)):
            if key is not None:
                ways[way][key].append(line)
    sums: list[dict[tuple[Any, ...], dict[str, Decimal]]] = [{} for _ in ways]
    some_refund_reaches: list[set[int]] = [set() for _ in ways]
    without = 0
    for refund in refunds:
        for way, key in enumerate(refund_keys(refund)):
            reached = [
                line
                for line in (ways[way].get(key, ()) if key is not None else ())
                if way == BY_SETTLEMENT or may_be_one_patient(refund, line)
            ]
            if way == ANY_SETTLEMENT and len({line.settlement_id for line in reached}) > 1:
                continue
            some_refund_reaches[way].update(map(id, reached))
            of_one_patient = {patient_of(line, way) for line in reached}
            for patient in of_one_patient:
                total = sums[way].setdefault((key, patient), dict.fromkeys(refund.net, Decimal(0)))
                for name, value in refund.net.items():
                    total[name] += abs(value or Decimal(0))
            if of_one_patient:
                break
        else:
            without += 1
    for way, totals in enumerate(sums):
        for (key, patient), total in totals.items():
            for line in sorted(ways[way][key], key=order_of_taking):
                if patient_of(line, way) == patient and id(line) in some_refund_reaches[way]:
                    take(line, total)
    return without


ANY_SETTLEMENT, BY_SETTLEMENT = 3, 4
"""The ways by a number that only one settlement has, and by the settlement that the refund's reverses."""


def patient_of(line: Line, way: int) -> str | None:
    """Return whose line it is; a settlement that is named as the original tells that by itself."""
    if way == BY_SETTLEMENT or (line.patient_id is None and line.person_number is None):
        return None
    return f"id {line.patient_id}" if line.patient_id is not None else f"number {line.person_number}"


def may_be_one_patient(refund: Line, line: Line) -> bool:
    """Return whether two lines may be one patient's: by the ids of patients, else by ID numbers."""
    if None not in (refund.patient_id, line.patient_id):
        return refund.patient_id == line.patient_id
    return None in (refund.person_number, line.person_number) or refund.person_number == line.person_number


# reading: the third way is two, refunds with a visit before refunds that only have a settlement, each from what the
# other left.
def original_keys(line: Line) -> tuple[tuple[Any, ...] | None, ...]:
    """Return under which names an original can be found, one for each way."""
    numbered = line.line_id is not None
    in_settlement = (line.institution_id, line.settlement_id, line.line_id)
    in_settlement = in_settlement if numbered and line.visit_id is None and line.settlement_id is not None else None
    return (
        (line.institution_id, line.visit_id, line.line_id) if numbered and line.visit_id is not None else None,
        in_settlement,
        in_settlement,
        (line.institution_id, line.line_id) if numbered and line.visit_id is None else None,
        (line.settlement_id, line.code) if line.settlement_id is not None else None,
        (line.institution_id, line.visit_id, line.code) if line.visit_id is not None else None,
        (line.institution_id, line.settlement_id, line.code) if line.settlement_id is not None else None,
    )


def refund_keys(refund: Line) -> tuple[tuple[Any, ...] | None, ...]:
    """Return by which names a refund looks for its originals, one for each way."""
    pointer = refund.key("original_line_id")
    settlement = refund.key("original_settlement_id")
    if settlement is None and refund.settlement is not None:
        settlement = refund.settlement.value("original_settlement_id")
    by_visit = by_settlement = None
    if refund.visit_id is not None:
        by_visit = (refund.institution_id, refund.visit_id, refund.code)
    elif refund.settlement_id is not None:
        by_settlement = (refund.institution_id, refund.settlement_id, refund.code)
    pointers: list[tuple[Any, ...] | None] = [None] * 4
    if pointer is not None and refund.visit_id is not None:
        pointers[0] = (refund.institution_id, refund.visit_id, pointer)
    elif pointer is not None:
        pointers[1:3] = [
            (refund.institution_id, key, pointer) if key is not None else None
            for key in (settlement, refund.settlement_id)
        ]
        pointers[3] = (refund.institution_id, pointer)
    return (
        *pointers,
        (settlement, refund.code) if settlement is not None else None,
        by_visit,
        by_settlement,
    )


def order_of_taking(line: Line) -> tuple[Any, ...]:
    """Return service time, line id; lines without one come last, in their own order; then file, record."""
    own = in_order(line) if line.line_id is None else ()
    return line.time, line.line_id is None, line.line_id or "", own, line.file, line.record


def take(line: Line, total: dict[str, Decimal]) -> None:
    """Take from one original what it has, until the sum is used up."""
    for name, wanted in total.items():
        has = line.net[name]
        if has is None:
            continue
        # reading: what is already below 0 (an amount in scope on a line charged) is 0 once a refund reaches for it.
        has = max(has, Decimal(0))
        taken = min(has, wanted)
        line.net[name] = has - taken
        line.taken[name] += taken
        total[name] -= taken


def nothing_left(line: Line) -> bool:
    """Return whether the refunds took the whole line."""
    if line.taken["quantity"]:
        return line.net["quantity"] == 0
    # reading: "no quantity could be netted" is: nothing was taken from this line's quantity, whatever the cause.
    return line.taken["amount"] > 0 and line.net["amount"] == 0


# ----------------------------------------------------------------------------------- The whole extract


def scan(
    files: Mapping[str, Sequence[Raw | None]],
    knowledge: Knowledge,
    *,
    settlements: Sequence[Raw] | None = None,
    visits: Sequence[Raw] | None = None,
    diagnoses: Sequence[Raw] | None = None,
    options: Options | None = None,
) -> Result:
    """Judge an extract: files by name, in the order of reading; a record that cannot be split into columns is None."""
    options = options or Options()
    result = Result()
    settlement_headers = headers_by_key(settlements, "settlement_id")
    visit_headers = headers_by_key(visits, "visit_id")
    on_file = Diagnoses.of(diagnoses)
    judged: list[Line] = []
    refunds: list[Line] = []
    with_lines: set[str] = set()
    for file, rows in files.items():
        for record, row in enumerate(rows, start=1):
            result.read += 1
            if row is None:
                result.rejects.append(Reject(file, record, None, "columns"))
                continue
            line = Line(file, record, row, settlement_headers, visit_headers)
            with_lines.add(line.settlement_id)
            reject = line.read_time()
            if reject is None and line.own.unreadable("quantity"):
                reject = Reject(file, record, "quantity", "unreadable")
            for flag in ("valid_flag", "refund_flag"):
                if reject is None and line.own.unreadable(flag):
                    reject = Reject(file, record, flag, "unreadable")
            if reject is None and line.own.value("refund_flag") is None and line.settlement_flag_is_unclear:
                reject = Reject(file, record, "refund_flag", "unreadable in the settlement")
            if reject is None and line.own.value("valid_flag") is None and line.settlement_may_be_void:
                reject = Reject(file, record, "valid_flag", "unreadable in the settlement")
            if reject is None and line.own.unreadable("amount") and line.quantity is None:
                reject = Reject(file, record, "amount", "unreadable without a quantity")
            if reject is not None:
                result.rejects.append(reject)
                continue
            kind = line.kind()
            if kind == "judged":
                result.judged += 1
                judged.append(line)
            else:
                result.skipped[kind] += 1
                if kind == "refund":
                    refunds.append(line)

    # reading: lines of restricted items are those whose code some pattern of some rule covers, in force or not;
    # refunds alike.
    staged = [line for line in judged if knowledge.patterns_of(line.code)]
    staged_refunds = [line for line in refunds if knowledge.patterns_of(line.code)]
    reversed_, by_others = reversed_settlements(settlements, staged, staged_refunds, with_lines)
    originals, result.duplicates_removed = without_duplicates(staged)
    refunds, result.refund_duplicates_removed = without_duplicates(staged_refunds)
    for line in originals:
        line.reversed = reversed_.get(line.settlement_id)
        line.falsely_reversed = line.settlement_id in by_others
        if line.reversed:
            line.net = {name: None if value is None else Decimal(0) for name, value in line.net.items()}
    result.refunds_without_original = net_refunds(originals, refunds)

    again = reuploads(originals)
    result.reuploaded = len(again)
    originals = [line for line in originals if id(line) not in again]
    neonatal: dict[Any, set[str]] = defaultdict(set)
    for line in originals:
        if not (line.reversed or nothing_left(line)) and knowledge.is_neonatal(line.code) and line.stay:
            neonatal[line.stay, line.first("institution_id")].add(line.code)
    for line in originals:
        line.neonatal = bool(line.stay and neonatal[line.stay, line.first("institution_id")] - {line.code})

    # reading: what is wholly refunded takes no part, and is counted whether it would have been a finding or not.
    for line in originals:
        assert line.time is not None
        if line.reversed or nothing_left(line):
            result.fully_refunded += 1
            continue
        day = options.as_of or line.time.date()
        given = settlements is not None or visits is not None
        header_missing = given and line.settlement is None and line.visit is None
        for rule_id in sorted(
            {knowledge.points[row["point_id"]]["rule_id"] for row in knowledge.patterns_of(line.code)}
        ):
            if knowledge.point_for(rule_id, line, day, options) is None:
                result.not_in_force[rule_id] += 1
                continue
            if RULES[rule_id].fund_only and not line.in_scope():
                result.not_in_scope[rule_id] += 1
                continue
            finding = judge(knowledge, RULES[rule_id], line, on_file.of_line(line), header_missing, day, options)
            if finding is not None:
                result.findings.append(finding)
    result.findings.sort(key=lambda finding: (finding.file, finding.record, finding.rule_id))
    return result
