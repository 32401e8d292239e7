"""Values of inputs as they may be shown on a screen: who a person is stays hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checker.ingest.personal import HIDDEN, is_name, masked
from checker.model.schema import normal_header

SHOWN, LONGEST = 3, 24
"""So many values of a column are shown, and so many characters of each."""
HIDDEN_COLUMNS = frozenset(("patient_id", "patient_id_number", "prescriber"))
"""Columns that name a person."""
OF_THINGS = frozenset(("item_name", "local_item_name", "institution_name", "department", "spec", "dose", "frequency"))
"""Columns whose texts name things, some of which begin as names of persons do: 白芍, 石膏."""
_PERSONAL = re.compile(
    r"姓名|身份证|证件|电话|手机|联系|住址|地址|医生|医师|药师|护士|患者$|病人$|[^本]人$|家属|客户|顾客|会员|操作员|收费员|录入员|人员$|社保卡|医保卡|卡号"
    r"|certno|(?<!medins_list_)(?<!hilist_)(psn|patn?|patient|dr|doctor|emp|oper|opter|crter|coner)_?(name|no)|^name$|^tel|phone|mobile|addr|idcard|id_no"
    r"|xm$|sfz|zjhm|lxdh|sjh"
)


def shown(column: str | None, header: str, values: Iterable[str]) -> tuple[str, ...]:
    """The first distinct values of a column as they may be shown, of those that name a person their length; `column` is what its header
    feeds, if anything.

    >>> shown("item_name", "项目名称", ["爱普列特片", "爱普列特片"])
    ('爱普列特片',)
    >>> shown(None, "备注", ["王小明", "张三"]), shown("patient_sex", "性别", ["女", "王小明", "110101199005010048"])
    (('＊＊＊', '＊＊＊'), ('女', '＊＊＊', '110101********0048'))
    """
    distinct = [value for value in dict.fromkeys(values) if value][: SHOWN * 20]
    if column in HIDDEN_COLUMNS or _PERSONAL.search(re.sub(r"\s", "", normal_header(header))):
        return tuple(dict.fromkeys(f"{HIDDEN}({len(value)})" for value in distinct))[:SHOWN]
    # What nobody has recognised may be anything, names of persons too.
    if column is None and any(map(is_name, distinct)):
        return tuple(HIDDEN for _ in distinct[:SHOWN])
    return tuple(
        HIDDEN if column not in OF_THINGS and is_name(value) else _short(masked(value)) for value in distinct[:SHOWN]
    )


def _short(value: str) -> str:
    plain = "".join(sign if sign.isprintable() else " " for sign in value).strip()
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"
