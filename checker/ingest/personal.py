"""What may name a person wherever it stands: ID numbers and mobile numbers, of which only the ends are shown, and names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

HIDDEN = "＊＊＊"
"""What stands in the place of a name."""
LONGEST_EXAMPLE = 40
"""Characters of a value that a sentence gives as an example."""
_DIGITS = re.compile(r"(?<!\d)(?<!\d\.)\d(?:[ \u3000-]?\d){9,}[XxＸｘ]?")
"""Where such a number may stand: digits, wide ones too, that blanks or hyphens may part, and no decimals."""
_PARTS = re.compile("[ \u3000-]")
_DAY = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_ID_NUMBER = re.compile(
    rf"[0-9]{{17}}[0-9X]|[1-9][0-9]{{7}}{_DAY}[0-9]{{3}}|[1-9][0-9]{{5}}(?:19|20)[0-9]{{2}}{_DAY}[0-9]{{2,3}}"
)
"""Of today, of old, and one of today of which the end is lost."""
_PART = r"[ \u3000./／．_\-—–‑－−‒，：:、年月日号]"
_PARTED_DAY = rf"{_PART}{{0,3}}(?:0[1-9]|1[0-2]){_PART}{{0,3}}(?:0[1-9]|[12]\d|3[01]){_PART}{{0,3}}"
_PARTED = re.compile(rf"(?<![\d.])(\d{{6}}){_PART}{{0,3}}(?:19|20)\d{{2}}{_PARTED_DAY}(\d{{3}}[\dXxＸｘ])(?!\d)")
"""An ID number of today whose parts (place, year, month, day, the rest) points, slashes, hyphens or blanks part."""
_PARTED_OLD = re.compile(
    rf"(?<![\d.])(?=\d{{6}}{_PART}|\d{{12}}{_PART})([1-9]\d{{5}}){_PART}{{0,3}}\d{{2}}{_PARTED_DAY}(\d{{3}})(?!\d|\.\d)"
)
"""One of old, of 15 digits, parted at least behind its place or its birth date."""
_MOBILE = re.compile("(?:(?:00)?86)?1[3-9][0-9]{9}")
_BETWEEN = rf"(?:{_PART}|[()（）]){{1,3}}"
_PARTED_MOBILE = re.compile(
    rf"(?<![\d.])((?:(?:\+|00)?86{_BETWEEN}?)?1[3-9]\d)"
    rf"(?:{_BETWEEN}\d{{4}}{_BETWEEN}|{_BETWEEN}\d{{3}}{_BETWEEN}\d|(?![.．,，]){_BETWEEN}\d{{4}}|\d{_BETWEEN}\d{{3}}{_BETWEEN}|\d{{4}}(?![.．]){_BETWEEN})"
    r"(\d{4})(?!\d|\.\d)"
)
"""A mobile number whose parts points, slashes, hyphens or blanks part: 3-4-4, 3-3-5, 3-8, 4-3-4 or 7-4 digits."""
_CUT = re.compile(
    rf"(\d\.\d{{3}})(?:\d\d(?:19|20)\d\d{_DAY}\d*(?=[Ee]\+?17)|\d{{4}}{_DAY}\d*(?=[Ee]\+?14))([Ee]\+?1[47])(?!\d)"
)
"""An ID number as a spreadsheet writes it, 1.10101199005010E+17."""
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛"
    "阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤欧"
)
_SURNAME = f"(?:司马|上官|诸葛|慕容|司徒|皇甫|尉迟|公孙|令狐|夏侯|端木|欧阳|[{_SURNAMES}])"
_NAME = re.compile(
    f"(?!.*[额价量号码数]){_SURNAME}(?:[\u4e00-\u9fff·]{{1,3}}|(?:[ \u3000]{{1,3}}[\u4e00-\u9fff]){{1,2}}|[ \u3000]{{1,3}}[\u4e00-\u9fff]{{2}})"
)
"""Of one word, or of the surname and the given name apart."""
_TOLD_NAME = re.compile(
    "(姓名[ \u3000]*[:：=][ \u3000]*)(?:[A-Za-z]+(?: [A-Za-z]+){0,2}|[^\\s,，;；。、|/]{1,20}(?:[ \u3000][\u4e00-\u9fff]{1,2}(?!\\w)){0,2})"
    "|((?:患者|病人|患儿|参保人|就诊人|联系人)(?:姓名)?[ \u3000]*[:：=]?[ \u3000]*)"
    f"{_SURNAME}[ \u3000]{{0,3}}(?:(?![额价量号码数病症炎痛疸压血热药])[\u4e00-\u9fff]){{1,2}}"
)
"""What a text itself calls somebody's name: whatever stands behind 姓名 and a colon, and behind 患者 what may be a name."""
_NO_HEADER = re.compile(r"[\d.,:/ -]+")
"""What stands in a row of values and in no row of headers: a number, a day, a time."""


def masked(text: str) -> str:
    """A text in which of ID numbers and mobile numbers only the ends stand, and no name that the text calls one.

    >>> masked("证件 110101199005010048"), masked("110101 19900501 0048"), masked("13800138000")
    ('证件 110101********0048', '110101********0048', '138****8000')
    >>> masked("1.10101199005010E+17"), masked("2026-03-01 10:00:00"), masked("002501040040000")
    ('1.101…E+17', '2026-03-01 10:00:00', '002501040040000')
    >>> masked("110101/19900501/0048"), masked("110101.1990.05.01.004X"), masked("2026/03/01 10:00")
    ('110101********0048', '110101********004X', '2026/03/01 10:00')
    >>> masked("138/0013/8000"), masked("138.0013.8000"), masked("+86 138-00138000"), masked("138.00138000"), masked("158.00 1500.00")
    ('138****8000', '138****8000', '+86 138****8000', '138.00138000', '158.00 1500.00')
    >>> masked("患者：欧阳 娜娜，女"), masked("病人 张  伟")
    ('患者：＊＊＊，女', '病人 ＊＊＊')
    >>> masked("110101/900501/004"), masked("患者张伟，女"), masked("姓名：阿依古丽 34岁"), masked("患者高血压")
    ('110101******004', '患者＊＊＊，女', '姓名：＊＊＊ 34岁', '患者高血压')
    """
    return _TOLD_NAME.sub(lambda found: f"{found[1] or found[2]}{HIDDEN}", _masked_numbers(text))


def _masked_numbers(text: str) -> str:
    text = _PARTED_OLD.sub(r"\1******\2", _PARTED.sub(r"\1********\2", text))
    text = _PARTED_MOBILE.sub(r"\1****\2", text)
    return _CUT.sub(r"\1…\2", _DIGITS.sub(_ends, text))


def _ends(found: re.Match[str]) -> str:
    number = unicodedata.normalize("NFKC", _PARTS.sub("", found[0])).upper()
    if _ID_NUMBER.fullmatch(number):
        return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"
    if _MOBILE.fullmatch(number):
        return f"{number[:3]}****{number[-4:]}"
    # Several numbers may stand side by side.
    return found[0] if not _PARTS.search(found[0]) else re.sub(r"\d{10,}[XxＸｘ]?", _ends, found[0])


def is_name(text: str) -> bool:
    """Whether a text may be the name of a person, and nothing else."""
    return _NAME.fullmatch(text) is not None


def example(value: object) -> str:
    """A value as a sentence may give it for an example: whatever column it stands in, it may have slipped there from another one."""
    text = str(value)
    return HIDDEN if is_name(text) else masked(text)[:LONGEST_EXAMPLE]


def shown_headers(headers: Iterable[str]) -> tuple[str, ...]:
    """Headers as they may be shown. Where a file has none, a line stands in their place: its numbers tell, and its names are hidden."""
    told: Sequence[str] = [header.strip() for header in headers]
    is_line = any(_NO_HEADER.fullmatch(header) or _masked_numbers(header) != header for header in told)
    # A header may be 患者常住地.
    return tuple((example(header) if is_line else _masked_numbers(header)) for header in told)
