"""Values are read alike in a column and one at a time: every spelling by hand, then whatever comes of changing them at random."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import polars as pl
import pytest

from checker.ingest import usual, values
from checker.ingest.columns import Header, first_text, is_given, read_headers, unreadable
from checker.ingest.provincial import read_provincial
from checker.ingest.spellings import FLAG_KINDS
from checker.ingest.usual import usual_way
from checker.ingest.value_sql import NOT_READ, clean_text, clean_value, not_given, read_text
from checker.model.schema import Kind
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from tests.one_rule import one_rule_kb

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
    "1772330400": NOON,
    "1772330400.25": NOON,
    "631123200": datetime(1990, 1, 1),
    "-662716800": datetime(1949, 1, 1),
    "1772330400000000": NOON,
    "1772330400000000000": NOON,
    "2026-03-01 02:00:00 GMT": NOON,
    "2026-03-01 10:00:00 GMT+8": NOON,
    "2026-03-01 10:00:00 UTC+08:00": NOON,
    "2026-03-01 10:00:00+8:00": NOON,
    "2026-03-01 07:30:00+530": NOON,
    "2026-03-01 10:00:00 CST": NOON,
    "2026-03-01T10:00:00+08:00[Asia/Shanghai]": NOON,
    "2026-03-01T02:00:00Z[UTC]": NOON,
    "Sun Mar 01 2026 10:00:00 GMT+0800 (中国标准时间)": NOON,
    "Sun Mar 01 2026 10:00:00 GMT+0800 (China Standard Time)": NOON,
    "Sun, 01 Mar 2026 02:00:00 GMT": NOON,
    "Sunday, March 1, 2026 10:00 AM": NOON,
    "Sun Mar 01 10:00:00 GMT+08:00 2026": NOON,
    "Sun Mar 01 02:00:00 UTC 2026": NOON,
    "Sun Mar  1 10:00:00 2026": NOON,
    "2026-03-01-10.00.00.000000": NOON,
    "01-MAR-2026 10.00.00.000000 AM": NOON,
    "01-3月 -2026 10.00.00 上午": NOON,
    "2026年3月1日10时": NOON,
    "2026-03-01（星期日）10:00": NOON,
    "2026−03−01": DAY,
    "2026—03—01": DAY,
    "\u202a2026-03-01\u202c": DAY,
    "'2026-03-01'": DAY,
    "1900/1/0": None,
    "1900-01-00 00:00:00": None,
    "0/0/0000": None,
    "0": None,
    "1753-01-01 00:00:00": None,
    "2099-12-31": None,
    "2999-12-31": None,
    "99991231235959": None,
    "/Date(-62135596800000)/": None,
    "/Date(-62135596800000+0800)/": None,
    "0001-01-01T00:00:00+08:05": None,
    "1900-01-01T00:00:00.000Z": None,
    "1970-01-01 08:00:00": None,
    "1970-01-01T00:00:00Z": None,
    "1970-01-01": datetime(1970, 1, 1),
    "1970-01-01 00:00:00": datetime(1970, 1, 1),
    "2099-12-30": datetime(2099, 12, 30),
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
    "2026030110",
    "199005010",
    "01-3月-26",
    "01-MAR-26 10.00.00.000000 AM",
    "2026-03-01 10:00:00 EST",
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
    "￥ 1 234.50": "1234.5000",
    "−35.50": "-35.5000",
    "—35.50": "-35.5000",
    "35.50CR": "-35.5000",
    "35.50DR": "35.5000",
    "人民币35.5元整": "35.5000",
    "(35.50)元": "-35.5000",
    "2盒": "2.0000",
    "-2 盒": "-2.0000",
    "10片": "10.0000",
    "0.5支": "0.5000",
    "15克": "15.0000",
    "10ml": "10.0000",
}
NO_NUMBERS = (
    "abc", "--5", "(-5)-", "1,23", "12,5", "5%", "1e400", "999999999999999", "(", "￥", "-(5)-", "1.2.3", "35,50", "35.5 0", "1 2", "35元5", "2盒10片",
    "10片/盒",
    "半盒", "1/2", "2-3", "-5CR", "盒", "$5",
)  # fmt: skip
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
    "0岁0月15天": "15D",
    "0岁": "0",
    "3岁半": "42M",
    "半岁": "6M",
    "3小时": "0D",
    "出生3小时": "0D",
    "36小时": "1D",
    "48H": "2D",
    "30分钟": "0D",
    "3天2小时": "3D",
    "40 years": "40",
    "6 months": "6M",
    "15 days old": "15D",
}
NO_AGES = (
    "abc", "2-3岁", "岁", "6个月半", "1.5岁6月", "--1", "15天6月", "成人", "10岁以上", "≥60", "3周", "80小时", "出生",
)  # fmt: skip
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
    "男童": "male",
    "女婴": "female",
    "♀": "female",
    "女(2)": "female",
    "1（男）": "male",
    "男1": "male",
    "未说明性别": None,
    "unknown": None,
}
NO_SEXES = ("X", "3", "5", "1-女", "2男", "男2", "男女", "男/女", "1.5", "女士吗")
CODES = {
    "XG04CBA088A001010101467": "XG04CBA088A001010101467",
    "xg04cba088a001010101467": "XG04CBA088A001010101467",
    "\u200bXG04CBA088A001010101467": "XG04CBA088A001010101467",
    "XG04CBA\u200b088A001010101467": "XG04CBA088A001010101467",
    "'002101030280000": "002101030280000",
    '="002101030280000"': "002101030280000",
    '=" 002101030280000\u3000"': "002101030280000",
    "' 002101030280000 '": "002101030280000",
    "110101.0": "110101",
    "XG04；": "XG04",
    "XG04;": "XG04",
    "XG04(自费)": "XG04",
    "ＸＧ０４": "XG04",
    " XG04 CB": "XG04CB",
    "330100001.0000000000": "330100001",
    "XG04CBA088A001010101467-爱普列特片": "XG04CBA088A001010101467",
    "xg04cba088a001010101467 爱普列特片 5mg": "XG04CBA088A001010101467",
    "XG04CBA088A001010101467【自费】": "XG04CBA088A001010101467",
    "XG04CBA088A001010101467（备注）；": "XG04CBA088A001010101467",
    "（自费）XG04CBA088A001010101467": "XG04CBA088A001010101467",
    '"XG04CBA088A001010101467"': "XG04CBA088A001010101467",
    "`XG04 CBA088A 001010101467*": "XG04CBA088A001010101467",
    "\u202aXG04CBA088A001010101467\u202c": "XG04CBA088A001010101467",
    "002501040040000-1": "002501040040000",
    "002501040040000.0": "002501040040000",
    # Of two codes nobody knows which is meant, and nothing is cut off a code that is too long.
    "XG04CBA088A001010101467/XN05CDM084X001010102000": "?XG04CBA088A001010101467/XN05CDM084X001010102000",
    "XG04CBA088A001010101467;T001700123": "?XG04CBA088A001010101467;T001700123",
    "XG04CBA088A001010101467 XN05CDM084X001010102000": "?XG04CBA088A001010101467XN05CDM084X001010102000",
    "XG04CBA088A0010101014671": "XG04CBA088A0010101014671",
}
IDS = {
    "11010119900501008x": "11010119900501008X",
    "11010119900501008Ｘ": "11010119900501008X",
    "110101900501004": "110101900501004",
    "110101 19900501 008x": "11010119900501008X",
    "110101-1990-0501-008X": "11010119900501008X",
    "1101 0119 9005 0100 8X": "11010119900501008X",
    "11010119900501008×": "11010119900501008X",
    "110101 900501 004": "110101900501004",
    "110101********008X": "110101********008X",
    "N40.x00": "N40.X00",
    "E12 345-678": "E12 345-678",
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
    "√": True,
    "×": False,
    "1-有效": True,
    "有效(1)": True,
    "0|作废": False,
    "已取消": False,
    "已冲销": False,
    "已退费": False,
}
NO_VALID = ("冲正", "负记录", "1-无效", "0有效", "无", "未知", "不详")
REFUND = {
    "0": False, "1": True, "退费": True, "已退费": True, "1.0": True, "-1": True, "正常": False, "true": True, "01": True, "退药": True, "已冲销": True,
    "负记录": True, "1-退费": True, "0-正常": False, "未冲销": False, "无": False, "✓": True,
}  # fmt: skip
NO_FLAGS = ("2", "?", "可能", "11", "有", "退?")
NO_REFUND = ("1-正常", "0-退费", "部分退费", "撤销", "未知")
NULLS = (
    "",
    " ",
    "' '",
    "'\u3000'",
    "'\u00a0\u200b'",
    '=" "',
    "' NULL '",
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
    "' '",
    "'\u3000\u00a0'",
    '=" "',
    "\u200b",
    " \\N\u3000",
    "'NULL'",
    "NA",
    "undefined",
    "—",
    "／",
    "空",
    "未填",
    "（空）",
    "（null）",
)
UNKNOWN = ("无", "不详", "未知", " 暂无 ", "（无）")

CARES = {"41": "41", "定点药店购药": "41", " 药店购药（个人账户）": "41", "41-定点药店购药": "41", "41.0": "41", "普通门诊": "11", "住院": "21",
         "4101": "4101", "41A": "41", "4101-1": "4101", "41/药店": "41", "41-Pharmacy": "41", "410101001": "410101001", "41.药店": "41",
         "140104 门诊慢病": "140104", "计划生育手术费": "53", "门诊（统筹）": "11", "药店购药(慢特病)": "41", "大病门诊": "14",
         "住院(住院)": "21", "急诊（急诊留观）": "13",
         # What nobody knows stands as it is written: a province may know it.
         **{word: word for word in ("急诊(非)", "药店(非药店)", "急诊(否)", "门诊(急诊)",
             "急诊（门诊）", "住院(生育)", "门急诊", "1", "体检", "（药店）", "门诊41", "A1", "41.5",
                                    "4100000000001", "0101", "\x00", "\x1b[31m", "张三", "x'; DROP TABLE line; --")},
         " 门诊两病 ": "门诊两病", "1.0": "1", "体检" * 5_000: ("体检" * 5_000)[:201], "41" + "病" * 300: "41" + "病" * 199}  # fmt: skip

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
    Kind.SELF_PAID: lambda text: values.read_bool(text, Kind.SELF_PAID),
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
    Kind.SELF_PAID: {"自费": True, "1-自费": True, "医保": False, "非自费": False, "是": True, "0": False},
    Kind.BOOL: {"有": True, "无": False, "1-是": True, "否(0)": False, "√": True},
}
REFUSED: dict[Kind, tuple[str, ...]] = {
    Kind.TIME: NO_TIMES,
    Kind.NUMBER: NO_NUMBERS,
    Kind.AGE: NO_AGES,
    Kind.SEX: NO_SEXES,
    Kind.VALID: (*NO_FLAGS, *NO_VALID),
    Kind.REFUND: (*NO_FLAGS, *NO_REFUND),
    Kind.SELF_PAID: ("部分自费", "1-医保", "未知"),
    Kind.BOOL: ("退费", "自费", "2", "1否", "未知"),
}
UNREADABLE = "cannot be read"


def alone(text: str, kind: Kind) -> Any:
    """What the counter makes of a text: its value, None where there is none, UNREADABLE."""
    cleaned = values.clean(text, is_flag=kind in FLAG_KINDS)
    if cleaned is None:
        return None
    try:
        return READERS[kind](cleaned)
    except ValueError:
        return UNREADABLE


def in_columns(texts: list[str], kind: Kind) -> list[Any]:
    """What a scan makes of a column of texts."""
    cleaned = clean_text("raw") if kind in NOT_READ else clean_value("raw", kind)
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


def test_no_word_that_nobody_knows_is_that_of_a_pharmacy():
    texts = list(CARES)
    national = read_provincial()
    alike = [text for text in texts if national.is_pharmacy(alone(text, Kind.CARE))]
    assert alike == [text for text in texts if CARES[text] in ("41", "4101", "410101001")]
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT text, {read_text('text', Kind.CARE)} FROM (SELECT unnest(?::VARCHAR[]) AS text)",
            [[text.strip() for text in texts if "\0" not in text]],
        ).fetchall()
    assert sorted(text for text, read in rows if national.is_pharmacy(read)) == sorted(text.strip() for text in alike)


@pytest.mark.parametrize("kind", READERS)
def test_null_words_are_nothing(kind):
    nulls = [*NULLS] if kind in FLAG_KINDS else [*NULLS, *UNKNOWN]
    assert {alone(text, kind) for text in nulls} == {None}
    assert set(in_columns(nulls, kind)) == {None}


def test_a_date_is_the_day_of_its_time():
    texts = [text for text, moment in TIMES.items() if moment]
    days = [moment.date() for moment in TIMES.values() if moment]
    assert [alone(text, Kind.DATE) for text in texts] == days
    assert in_columns(texts, Kind.DATE) == days
    assert isinstance(days[0], date)


SIGNS = "0123456789-−/.: ,()'=\"TZ+年月日岁天个上午下AMPN￥元％－０１\u200b\u3000男女未无盒时半1XGMT"


def written(kind: Kind) -> list[str]:
    """Values of a kind, others, and NULL words, changed at random."""
    rng = Random(kind.value)
    known = [*KNOWN.get(kind, TIMES), *REFUSED.get(kind, ()), *NULLS]

    def changed() -> str:
        text = rng.choice(known)
        for _ in range(rng.choice((1, 1, 2, 3))):
            place = rng.randrange(len(text) + 1)
            text = text[:place] + rng.choice(("", rng.choice(SIGNS))) + text[place + rng.choice((0, 1)) :]
        return text

    return sorted({changed() for _ in range(1500)})


@pytest.mark.parametrize("kind", READERS)
def test_whatever_is_written_is_read_alike(kind):
    texts = written(kind)
    differing = {
        text: (one, other)
        for text, one, other in zip(texts, (alone(text, kind) for text in texts), in_columns(texts, kind), strict=True)
        if one != other
    }
    assert differing == {}


@pytest.mark.parametrize("kind", [*READERS, Kind.TEXT])
def test_what_is_written_as_usual_is_read_alike_by_short_and_long_sql(kind):
    """Of a small table that is written as usual nothing else is asked for: what is found in it must not depend on that."""
    texts = {*written(kind if kind in READERS else Kind.CODE), *KNOWN.get(kind, ()), *NULLS, *UNKNOWN}
    alone_usual = {text: way for text in texts if (way := usual_way([text], kind))}
    nulls = sorted(text for text, way in alone_usual.items() if way.nulls)
    values_ = sorted(alone_usual.keys() - nulls)
    assert values_
    for some in zip(nulls[::3], nulls[1::3], nulls[2::3], strict=False):
        way = usual_way([*values_, *some], kind)
        assert way is not None
        long, short = Header("raw", "VARCHAR"), Header("raw", "VARCHAR", usual={kind: way})
        of_both = [
            f"[{', '.join(f'CAST({ask([header], kind)} AS VARCHAR)' for ask in (first_text, read_headers, is_given, unreadable))}]"
            for header in (long, short)
        ]
        with duckdb.connect() as connection:
            rows = connection.execute(
                f"SELECT raw, {', '.join(of_both)} FROM (SELECT unnest(?::VARCHAR[]) AS raw UNION ALL SELECT NULL)",
                [[*values_, *some]],
            ).fetchall()
        assert [row for row in rows if row[1] != row[2]] == []


def test_a_column_with_a_long_value_is_read_by_the_long_sql(tmp_path: Path) -> None:
    """Long values are not looked at beforehand, so that nothing is known of their column."""
    names = [f" {'药' * usual.LONG} ", "爱普列特片"]
    lines = {
        "item_code": ["XG04CBA088A001010101467"] * 2, "item_name": names, "patient_sex": ["女"] * 2, "quantity": ["1"] * 2,
        "patient_birth_date": ["1990-01-01"] * 2, "service_time": ["2026-03-01", "2026-03-02"], "amount": ["10"] * 2,
    }  # fmt: skip
    pl.DataFrame(lines).write_parquet(tmp_path / "lines.parquet")
    scan(ScanRequest([tmp_path / "lines.parquet"], tmp_path / "out", kb=[one_rule_kb()]))
    found = pl.read_parquet(tmp_path / "out" / "findings.parquet")
    assert sorted(found["item_name"]) == sorted(name.strip() for name in names)
