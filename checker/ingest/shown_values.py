"""Values of inputs as they may be shown on a screen: who a person is stays hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable

SHOWN, LONGEST = 3, 24
"""So many values of a column are shown, and so many characters of each."""
HIDDEN_COLUMNS = frozenset(("patient_id", "patient_id_number", "prescriber"))
"""Columns that name a person."""
_PERSONAL = re.compile(
    r"姓名|身份证|证件|电话|手机|联系|住址|地址|医生|医师|药师|护士|患者$|病人$|参保人$|顾客|会员|购药人|经办人|操作员|人员$|社保卡|医保卡|卡号"
    r"|certno|(?<!medins_list_)(?<!hilist_)(psn|patn?|dr|emp|oper|opter|crter|coner)_?(name|no)|^name$|^tel|phone|mobile|addr|idcard|id_no"
)
_NUMBER = re.compile(
    r"(?<!\d)(\d{17}[\dXx]|[1-9]\d{7}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}|1[3-9]\d{9})(?!\d)", re.ASCII
)
"""An ID number of today or of old, or a mobile number."""
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛"
    "阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤欧"
)
_NAME = re.compile(f"[{_SURNAMES}][\u4e00-\u9fff·]{{1,3}}")


def shown(column: str | None, header: str, values: Iterable[str]) -> tuple[str, ...]:
    """The first distinct values of a column as they may be shown, of those that name a person their length; `column` is what its header
    feeds, if anything.

    >>> shown("item_name", "项目名称", ["爱普列特片", "爱普列特片"])
    ('爱普列特片',)
    >>> shown(None, "备注", ["王小明", "110101199005010048"])
    ('＊＊＊', '＊＊＊')
    """
    distinct = [value for value in dict.fromkeys(values) if value][: SHOWN * 20]
    if column in HIDDEN_COLUMNS or _PERSONAL.search(header.lower()):
        return tuple(dict.fromkeys(f"＊＊＊({len(value)})" for value in distinct))[:SHOWN]
    # What nobody has recognised may be anything, names of persons too.
    if column is None and any(_NAME.fullmatch(value) for value in distinct):
        return tuple("＊＊＊" for _ in distinct[:SHOWN])
    if column != "item_code":
        distinct = [_NUMBER.sub("＊＊＊", value) for value in distinct]
    return tuple(_short(value) for value in distinct[:SHOWN])


def shown_header(header: str) -> str:
    """A header as it may be shown: where a file has none, the first line stands in its place."""
    return "＊＊＊" if _NUMBER.search(header) else header.strip()


def _short(value: str) -> str:
    plain = "".join(sign if sign.isprintable() else " " for sign in value).strip()
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"
