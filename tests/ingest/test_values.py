"""Values are read alike in a column and one at a time: every spelling by hand, then whatever comes of changing them at random."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pytest

from checker.ingest import values
from checker.ingest.value_sql import clean_text, clean_value, not_given, read_text
from checker.model.schema import Kind

NOON = datetime(2026, 3, 1, 10)
DAY = datetime(2026, 3, 1)
TIMES = {
    "2026-03-01 10:00:00": NOON,
    "2026-03-01T10:00:00": NOON,
    "2026-03-01": DAY,
    "2026/3/1 10:00": NOON,
    "2026-03-01 10:00:00.0": NOON,
    "1/3/2026 10:00:00": datetime(2026, 1, 3, 10),
    "2026/3/1 上午 10:00:00": NOON,
    "2026/3/1 上午10:00": NOON,
    "2026/3/1 10:00:00 下午": datetime(2026, 3, 1, 22),
    "2026/3/1 12:30 AM": datetime(2026, 3, 1, 0, 30),
    "2026.03.01": DAY,
    "2026. 3. 1": DAY,
    "Mar  1 2026 10:00AM": NOON,
    "Mar 1, 2026": DAY,
    "March 1, 2026 10:00 AM": NOON,
    "01-MAR-2026": DAY,
    "01-Mar-2026 10:00:00": NOON,
    "1 Mar 2026": DAY,
    "01-3月 -2026": DAY,
    "202603011000": NOON,
    "20260301 10:00:00": NOON,
    "20260301100000": NOON,
    "20260301": DAY,
    "20260301.0": DAY,
    "20260301T100000": NOON,
    "20260301T100000Z": datetime(2026, 3, 1, 18),
    "20260301100000123": NOON.replace(microsecond=123000),
    "46082": DAY,
    "46082.4166666667": NOON,
    "1772330400000": NOON,
    "1772330400000.0": NOON,
    "/Date(1772330400000+0800)/": NOON,
    "\\/Date(1772330400000)\\/": NOON,
    "-662716800000": datetime(1949, 1, 1),
    "2026-03-01 10:00:00,000": NOON,
    "２０２６－０３－０１": DAY,
    "'2026-03-01": DAY,
    '="2026-03-01"': DAY,
    "2026-03-01T02:00:00.000Z": NOON,
    "2026-03-01T02:00Z": NOON,
    "2026-03-01 02:00:00+00": NOON,
    "2026-03-01 10:00:00+08": NOON,
    "2026-03-01 10:00:00 +08:00": NOON,
    "2026-02-28 20:30:00-05:30": NOON,
    "2026-03-01T10:00:00.1234567+08:00": NOON.replace(microsecond=123456),
    "2026年3月1日": DAY,
    "2026年03月01日 10:00": NOON,
    "2026年3月1日10时00分00秒": NOON,
    "2026年3月1日 10时0分": NOON,
    "2026/3/1 星期日 10:00:00": NOON,
    "Sun Mar 01 10:00:00 CST 2026": NOON,
    "\ufeff2026-03-01\u200b": DAY,
    "2026-3-1 9:5:7": datetime(2026, 3, 1, 9, 5, 7),
    "1900-01-01": None,
    "1900-01-01 00:00:00.000": None,
    "1900/1/1": None,
    "1899-12-30": None,
    "1899-12-31": None,
    "0001-01-01": None,
    "0001/1/1 0:00:00": None,
    "9999-12-31 23:59:59": None,
    "0000-00-00 00:00:00": None,
    "00000000": None,
}
NO_TIMES = (
    "01-MAR-26",
    "26-3-1",
    "3/1/26",
    "2026-13-01",
    "2026-02-30",
    "2026-03-01 24:00:00",
    "2026-03-01 10:60",
    "13/1/2026",
    "202613011000",
    "2026",
    "2026-03",
    "2026-3-110:00",
    "abc",
    "46082,5",
    "1772330400",
    "2026-03-01 13:00 PM",
    "2026-03-01 0:30 AM",
    "2026-03-01+08:00",
    "10:00",
    "２０２６年",
    "2026-03-01 10:00:00 BC",
    "infinity",
)
NUMBERS = {
    "12": "12.0000",
    "12.5": "12.5000",
    "1,234.50": "1234.5000",
    "(35.50)": "-35.5000",
    "35.50-": "-35.5000",
    "－35.50": "-35.5000",
    "-￥35.50": "-35.5000",
    "￥-35.50": "-35.5000",
    "'-35.50": "-35.5000",
    "¥1,000": "1000.0000",
    "35.5元": "35.5000",
    "1.0": "1.0000",
    "1e2": "100.0000",
    "1.5E+2": "150.0000",
    ".5": "0.5000",
    "+3": "3.0000",
    "-0": "0.0000",
    "(1,234.5)": "-1234.5000",
    "３５．５": "35.5000",
    "35.50－": "-35.5000",
    '="35.5"': "35.5000",
    "0.00005": "0.0001",
    "1 234": "1234.0000",
    "RMB 12": "12.0000",
}
NO_NUMBERS = ("abc", "--5", "(-5)-", "1,23", "12,5", "5%", "1e400", "999999999999999", "(", "￥", "-(5)-", "1.2.3")
AGES = {
    "40": "40",
    "40岁": "40",
    "40周岁": "40",
    "40Y": "40",
    "40 岁": "40",
    "13.5": "13",
    "13.5岁": "13",
    "8月": "8M",
    "8个月": "8M",
    "6M": "6M",
    "6.5个月": "6M",
    "1个月12天": "1M",
    "15天": "15D",
    "15D": "15D",
    "28日龄": "28D",
    "2岁6月": "30M",
    "2岁6个月": "30M",
    "3岁零6个月": "42M",
    "1岁3个月12天": "15M",
    "2岁15天": "24M",
    "-1": "-1",
    "-0": "0",
    "０": "0",
    "4０岁": "40",
    "999999999999": "999999999",
    "007": "7",
}
NO_AGES = ("abc", "2-3岁", "岁", "6个月半", "1.5岁6月", "--1", "15天6月", "成人")
SEXES = {
    "1": "male",
    "男": "male",
    "M": "male",
    "男性": "male",
    "2": "female",
    "2.0": "female",
    "02": "female",
    "2-女": "female",
    "1男性": "male",
    "Ｆ": "female",
    "女 性": "female",
    "female": "female",
    "2.0000000000": "female",
    "0": None,
    "9": None,
    "未知": None,
    "未说明的性别": None,
    "9-未说明的性别": None,
    "不详": None,
}
NO_SEXES = ("X", "3", "1-女", "2男", "男女", "1.5", "女士吗")
CODES = {
    "XG04CBA088A001010101467": "XG04CBA088A001010101467",
    "xg04cba088a001010101467": "XG04CBA088A001010101467",
    "\u200bXG04CBA088A001010101467": "XG04CBA088A001010101467",
    "XG04CBA\u200b088A001010101467": "XG04CBA088A001010101467",
    "'002101030280000": "002101030280000",
    '="002101030280000"': "002101030280000",
    "110101.0": "110101",
    "XG04；": "XG04",
    "XG04;": "XG04",
    "XG04(自费)": "XG04",
    "ＸＧ０４": "XG04",
    " XG04 CB": "XG04CB",
    "330100001.0000000000": "330100001",
}
IDS = {
    "11010119900501008x": "11010119900501008X",
    "11010119900501008Ｘ": "11010119900501008X",
    "110101900501004": "110101900501004",
}
VALID = {
    "1": True,
    "1.0": True,
    "有效": True,
    "001": True,
    "0": False,
    "0.0": False,
    "无效": False,
    "作废": False,
    "已作废": False,
    "否": False,
    "-1": True,
    "true": True,
    "False": False,
}
REFUND = {"0": False, "1": True, "退费": True, "已退费": True, "1.0": True, "-1": True, "正常": False, "true": True}
NO_FLAGS = ("2", "?", "可能", "11", "有", "退?")
NULLS = (
    "",
    " ",
    "-",
    "--",
    "NULL",
    "null",
    "\\N",
    "None",
    "nan",
    "NaN",
    "NaT",
    "#N/A",
    "n/a",
    "(null)",
    "<NULL>",
    "'",
    '=""',
    "\u200b",
    " \\N\u3000",
)

CARES = {"41": "41", "定点药店购药": "41", " 药店购药（个人账户）": "41", "41-定点药店购药": "41", "41.0": "41", "普通门诊": "11", "住院": "21",
         "4101": "4101", "140104 门诊慢病": "140104", "计划生育手术费": "53"}  # fmt: skip
NO_CARES = ("1", "体检", "（药店）", "门诊41", "A1", "4100001")

READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.TIME: values.read_time,
    Kind.DATE: values.read_date,
    Kind.NUMBER: values.read_number,
    Kind.AGE: values.read_age,
    Kind.SEX: values.read_sex,
    Kind.CODE: values.read_code,
    Kind.CARE: values.read_care,
    Kind.CAPITAL: values.read_capitals,
    Kind.BOOL: values.read_bool,
    Kind.VALID: lambda text: values.read_bool(text, Kind.VALID),
    Kind.REFUND: lambda text: values.read_bool(text, Kind.REFUND),
}
KNOWN: dict[Kind, dict[str, Any]] = {
    Kind.TIME: TIMES,
    Kind.NUMBER: NUMBERS,
    Kind.AGE: AGES,
    Kind.SEX: SEXES,
    Kind.CODE: CODES,
    Kind.CARE: CARES,
    Kind.CAPITAL: IDS,
    Kind.VALID: VALID,
    Kind.REFUND: REFUND,
}
REFUSED: dict[Kind, tuple[str, ...]] = {
    Kind.TIME: NO_TIMES,
    Kind.NUMBER: NO_NUMBERS,
    Kind.AGE: NO_AGES,
    Kind.SEX: NO_SEXES,
    Kind.CARE: NO_CARES,
    Kind.VALID: NO_FLAGS,
    Kind.REFUND: NO_FLAGS,
    Kind.BOOL: ("退费", "2"),
}
UNREADABLE = "cannot be read"


def alone(text: str, kind: Kind) -> Any:
    """What the counter makes of a text: its value, None where there is none, UNREADABLE."""
    cleaned = values.clean(text)
    if cleaned is None:
        return None
    try:
        return READERS[kind](cleaned)
    except ValueError:
        return UNREADABLE


def in_columns(texts: list[str], kind: Kind) -> list[Any]:
    """What a scan makes of a column of texts."""
    cleaned = clean_text("raw") if kind in (Kind.CODE, Kind.CAPITAL) else clean_value("raw")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE given (place INTEGER, raw VARCHAR)")
        connection.executemany("INSERT INTO given VALUES (?, ?)", list(enumerate(texts)))
        rows = connection.execute(
            f"""SELECT text IS NULL, {read_text("text", kind)}, {not_given("text", kind)}
            FROM (SELECT place, {cleaned} AS text FROM given) ORDER BY place"""
        ).fetchall()
    return [
        None
        if is_null or nothing
        else UNREADABLE
        if value is None
        else f"{value:.4f}"
        if isinstance(value, Decimal)
        else value
        for is_null, value, nothing in rows
    ]


@pytest.mark.parametrize("kind", KNOWN)
def test_every_spelling_is_read_in_a_column_and_alone(kind):
    texts = list(KNOWN[kind])
    assert {text: alone(text, kind) for text in texts} == KNOWN[kind]
    assert dict(zip(texts, in_columns(texts, kind), strict=True)) == KNOWN[kind]


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_value_is_told_from_none(kind):
    texts = list(REFUSED[kind])
    assert [text for text in texts if alone(text, kind) != UNREADABLE] == []
    assert [text for text, found in zip(texts, in_columns(texts, kind), strict=True) if found != UNREADABLE] == []


@pytest.mark.parametrize("kind", READERS)
def test_null_words_are_nothing(kind):
    assert {alone(text, kind) for text in NULLS} == {None}
    assert set(in_columns(list(NULLS), kind)) == {None}


def test_a_date_is_the_day_of_its_time():
    texts = [text for text, moment in TIMES.items() if moment]
    days = [moment.date() for moment in TIMES.values() if moment]
    assert [alone(text, Kind.DATE) for text in texts] == days
    assert in_columns(texts, Kind.DATE) == days
    assert isinstance(days[0], date)


SIGNS = "0123456789-/.: ,()'=\"TZ+年月日岁天个上午下AMPN￥元％－０１\u200b\u3000男女未"


@pytest.mark.parametrize("kind", READERS)
def test_whatever_is_written_is_read_alike(kind):
    rng = Random(kind.value)
    known = [*KNOWN.get(kind, TIMES), *REFUSED.get(kind, ()), *NULLS]

    def changed() -> str:
        text = rng.choice(known)
        for _ in range(rng.choice((1, 1, 2, 3))):
            place = rng.randrange(len(text) + 1)
            text = text[:place] + rng.choice(("", rng.choice(SIGNS))) + text[place + rng.choice((0, 1)) :]
        return text

    texts = sorted({changed() for _ in range(1500)})
    differing = {
        text: (one, other)
        for text, one, other in zip(texts, (alone(text, kind) for text in texts), in_columns(texts, kind), strict=True)
        if one != other
    }
    assert differing == {}
