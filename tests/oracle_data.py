"""Invented extracts with hostile values, and small knowledge bases that judge them; all follow from a seed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from oracle import RULES, Options
from sealed import seal

from checker.knowledge.manifest import LAYOUT, MANIFEST_FILE, FileEntry, Manifest, manifest_text
from checker.knowledge.names import item_key
from checker.shapes.item import ITEM

Row = dict[str, str | None]

# -------------------------------------------------------------------------------------- Knowledge rows


def point(point_id: str, rule_id: str, **values: Any) -> dict[str, Any]:
    """Return a point row, without limits but for those given."""
    row: dict[str, Any] = {
        "point_id": point_id,
        "rule_id": rule_id,
        "item_name": "样例",
        "sex": None,
        "age_word": None,
        "age_text": None,
        "age_min": None,
        "age_min_unit": None,
        "age_max": None,
        "age_max_unit": None,
        "subject": None,
        "region": None,
        "region_of": None,
        "valid_from": date(2025, 5, 23),
        "valid_to": None,
        "level_cap": None,
        "remark": None,
        "document": "invented",
        "batch": "invented",
        "published_codes": 1,
        "source_rows": "invented/1",
        "status": "active",
        "superseded_by": None,
    }
    return row | values


def pattern(point_id: str, match: str, code: str) -> dict[str, Any]:
    """Return a pattern row."""
    return {"point_id": point_id, "role": "item", "match": match, "code": code, "published_codes": 1}


def exemption(exemption_id: str, rule_id: str, effect: str, **values: Any) -> dict[str, Any]:
    """Return an exemption with its items, for all items and diagnoses but for what is given."""
    row: dict[str, Any] = {
        "exemption_id": exemption_id,
        "rule_id": rule_id,
        "effect": effect,
        "reason": "样例",
        "reason_en": "invented",
        "evidence": "invented",
        "status": "proposed",
        "diagnoses": None,
        "region": None,
        "region_of": None,
        "valid_from": date(2025, 5, 23),
        "valid_to": None,
        "items": [],
    }
    return row | values


@dataclass
class KnowledgeRows:
    """The rows of one invented knowledge base."""

    points: list[dict[str, Any]]
    patterns: list[dict[str, Any]]
    exemptions: list[dict[str, Any]] = field(default_factory=list)


X_FAMILIES = ("XA01AAA001A001", "XA01AAA001B002", "XG04CBA088A001", "XL02BBB014A001", "XR05CBC900X012")
Z_FAMILIES = ("ZA01AAA0001", "ZD03AAA0043")
SHORT_FAMILIES = ("XA01AAA001", "XG04CBA", "ZA01A")
SERVICES = ("002503020010000", "002503020010001", "003106040010000", "001204000020100")
SERVICE_FAMILIES = ("002503020", "0031")
NAMES = ("甲药片", "乙颗粒（儿童装）", "丙口服液", "丁检查(加收)")
REGIONS = ("37", "3708", "370811", "11")
DIAGNOSIS_PREFIXES = (("I27.0",), ("E30", "N40.X00"), ("Q99.1", "I27"))
EDGES = (date(2024, 2, 29), date(2025, 5, 23), date(2026, 1, 28), date(2026, 3, 1))


def family_codes(family: str) -> list[str]:
    """Return a few full codes that begin with the family."""
    length = 23 if family[0] == "X" else 20 if family[0] == "Z" else 15
    room = length - len(family)
    return [family + tail[:room].ljust(room, "0") for tail in ("010101467", "010101468", "020203000", "A10199")]


def window(rng: Random) -> dict[str, Any]:
    """Return the age limits of a point: a word, a text window in any unit, or both."""
    words = ("新生儿", "新生儿", "婴儿", "婴幼儿", "儿童", "小儿")
    texts: tuple[dict[str, Any], ...] = (
        {"age_text": "2-11岁", "age_min": 2, "age_min_unit": "year", "age_max": 12, "age_max_unit": "year"},
        {"age_text": "5岁至<12岁", "age_min": 5, "age_min_unit": "year", "age_max": 12, "age_max_unit": "year"},
        {"age_text": "6月-3岁", "age_min": 6, "age_min_unit": "month", "age_max": 3, "age_max_unit": "year"},
        {"age_text": "1-23月", "age_min": 1, "age_min_unit": "month", "age_max": 24, "age_max_unit": "month"},
        {"age_text": "28天-6岁", "age_min": 28, "age_min_unit": "day", "age_max": 6, "age_max_unit": "year"},
        {"age_text": "<28天", "age_max": 28, "age_max_unit": "day"},
        {"age_text": "18岁以下", "age_max": 18, "age_max_unit": "year"},
        {"age_text": "36月以下", "age_max": 36, "age_max_unit": "month"},
        {"age_text": ">=3岁", "age_min": 3, "age_min_unit": "year"},
        {"age_text": "1月以上", "age_min": 1, "age_min_unit": "month"},
    )
    if rng.random() < 0.55:
        return {"age_word": rng.choice(words)}
    text = rng.choice(texts)
    open_above = "age_max" not in text
    word = rng.choice(("儿童", "小儿")) if open_above or rng.random() < 0.5 else None
    if rng.random() < 0.15:
        word = "新生儿" if "天" in text["age_text"] else None
    return {"age_word": word, **text}


def validity(rng: Random) -> dict[str, Any]:
    """Return a span of days that begins, and may end, on one of the edges."""
    begins = rng.choice(EDGES[:3])
    ends = rng.choice((None, None, None, *(edge for edge in EDGES if edge > begins)))
    return {"valid_from": begins, "valid_to": ends}


def place(rng: Random) -> dict[str, Any]:
    """Return for which region a row is meant, mostly for all."""
    if rng.random() < 0.75:
        return {}
    return {"region": rng.choice(REGIONS), "region_of": rng.choice(("insured", "institution"))}


def knowledge(rng: Random) -> KnowledgeRows:
    """Return about 35 points, some on the same codes, and a dozen exemptions."""
    rows = KnowledgeRows([], [])
    for rule in RULES.values():
        service = rule.rule_id.startswith("service")
        for number in range(7):
            point_id = f"{rule.rule_id}-{number:02}"
            limits = {"sex": rng.choice(("male", "female"))} if rule.reads == "sex" else window(rng)
            rows.points.append(
                point(
                    point_id,
                    rule.rule_id,
                    item_name=rng.choice(NAMES),
                    subject=rng.choice((None, None, None, "参保人", "就诊人")),
                    level_cap=rng.choice((None, None, None, None, "notice", "suspect")),
                    remark=rng.choice((None, None, None, "not_in_2026_list")),
                    **limits,
                    **validity(rng),
                    **place(rng),
                )
            )
            chosen = set()
            for _ in range(rng.choice((1, 1, 2, 3))):
                chosen.add(service_pattern(rng) if service else drug_pattern(rng))
            rows.patterns.extend(pattern(point_id, match, code) for match, code in sorted(chosen))
    for number in range(12):
        rule = rng.choice(list(RULES.values()))
        rows.exemptions.append(
            exemption(
                f"E{number:02}",
                rule.rule_id,
                rng.choice(("exempt", "lower")),
                diagnoses=list(rng.choice(DIAGNOSIS_PREFIXES)) if rng.random() < 0.6 else None,
                items=exemption_items(rng, rule.rule_id.startswith("service")),
                **validity(rng),
                **place(rng),
            )
        )
    return rows


def drug_pattern(rng: Random) -> tuple[str, str]:
    """Return a family, a shorter prefix, or an exact code."""
    family = rng.choice(X_FAMILIES + X_FAMILIES + Z_FAMILIES)
    return rng.choice(
        (
            ("family", family),
            ("family", family),
            ("code", rng.choice(family_codes(family))),
            ("family", rng.choice(SHORT_FAMILIES)),
        )
    )


def service_pattern(rng: Random) -> tuple[str, str]:
    """Return mostly an exact code."""
    return ("family", rng.choice(SERVICE_FAMILIES)) if rng.random() < 0.15 else ("code", rng.choice(SERVICES))


def exemption_items(rng: Random, service: bool) -> list[tuple[str, str]]:
    """Return no item, which means all, or one or two by code, family or name."""
    choices = [
        ("name", "甲药片"),
        ("name", "乙颗粒"),
        service_pattern(rng) if service else drug_pattern(rng),
        service_pattern(rng) if service else drug_pattern(rng),
    ]
    return sorted(set(rng.sample(choices, rng.choice((0, 1, 1, 2)))))


# ----------------------------------------------------------------------------------- Hostile spellings

NULLS = (
    "",
    "",
    "",
    "-",
    "--",
    "null",
    "NULL",
    " - ",
    " ",
    "\\N",
    "None",
    "nan",
    "NaT",
    "#N/A",
    "(null)",
    "\u200b",
    "—",
    "／",
    "空",
    "未填",
    "'NULL'",
    "undefined",
)
UNKNOWN = ("无", "不详", "（无）", "未知")


def spell_sex(rng: Random, sex: str | None) -> str:
    """Write a sex in one of its spellings, rarely as rubbish."""
    if rng.random() < 0.03:
        return rng.choice(("X", "3", "5", "male?", "1-女", "男女", "男2"))
    if sex is None:
        return rng.choice(("0", "9", "未知", "未说明", "未说明的性别", "9.0", "不明", "9-未说明性别", *UNKNOWN, *NULLS))
    if sex == "male":
        return rng.choice(
            ("1", "1", "男", "男性", "m", "M", "male", "Male", " 男 ", "01", "1.0", "1-男", "Ｍ", "男童", "男(1)", "♂")
        )
    return rng.choice(
        (
            "2",
            "2",
            "女",
            "女性",
            "f",
            "F",
            "female",
            "FEMALE",
            " 女 ",
            "02",
            "2.0000",
            "2女性",
            "女 性",
            "女婴",
            "女2",
            "2（女）",
        )
    )


def spell_date(rng: Random, day: date | None) -> str:
    """Write a day in one of its spellings, rarely as rubbish."""
    if rng.random() < 0.03:
        return rng.choice(
            ("1990-13-45", "2026-02-30", "出生", "1990", "20261301", "90.01.01", "2025-02-29", "1990-01", "01-MAR-26")
        )
    if day is None:
        return rng.choice((*NULLS, *UNKNOWN, *PLACEHOLDERS))
    return rng.choice(
        (
            f"{day:%Y-%m-%d}",
            f"{day:%Y.%m.%d}",
            f"{day:%d-%b-%Y}",
            f"{day.month}/{day.day}/{day.year} 0:00:00",
            f"'{day:%Y-%m-%d}",
            str((day - date(1899, 12, 30)).days) if day.year > 1927 else f"{day:%Y%m%d}.0",
            f"{datetime.combine(day, time(0)) - timedelta(hours=8):%Y-%m-%dT%H:%M:%S}.000Z",
            "".join(chr(ord(sign) + 0xFEE0) for sign in f"{day:%Y-%m-%d}"),
            f"{day:%Y-%m-%d}",
            f"{day:%Y/%m/%d}",
            f"{day:%Y%m%d}",
            f"{day.year}年{day.month}月{day.day}日",
            f"{day.year}/{day.month}/{day.day}",
            f"{day.year}-{day.month}-{day.day}",
            f"{day:%Y-%m-%d} 00:00:00",
            f"{day:%Y-%m-%d}T23:30:00+08:00",
            f"{day:%a %b %d %Y} 00:00:00 GMT+0800 (中国标准时间)",
            f"{day:%Y−%m−%d}",
            f"'{day:%Y-%m-%d}'",
            f" {day:%Y-%m-%d} ",
        )
    )


PLACEHOLDERS = (
    "1900-01-01",
    "1899-12-30 00:00:00",
    "0001/1/1",
    "9999-12-31",
    "0000-00-00",
    "1900/1/0",
    "1753-01-01",
    "2099-12-31 00:00:00",
    "1970-01-01T00:00:00Z",
    "/Date(-62135596800000)/",
    "0",
)


def spell_time(rng: Random, moment: datetime) -> str:
    """Write a time in one of its spellings; some of them forget the clock or the seconds."""
    return rng.choice(
        (
            f"{moment:%Y-%m-%d %H:%M:%S}",
            f"{moment:%Y-%m-%d %H:%M:%S}",
            f"{moment:%Y-%m-%dT%H:%M:%S}",
            f"{moment:%Y-%m-%d %H:%M}",
            f"{moment:%Y-%m-%d}",
            f"{moment:%Y/%m/%d %H:%M:%S}",
            f"{moment:%Y/%m/%d}",
            f"{moment:%Y%m%d}",
            f"{moment:%Y%m%d%H%M%S}",
            f"{moment.year}年{moment.month}月{moment.day}日",
            f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}",
            f"{moment.year}/{moment.month}/{moment.day} {moment.hour}:{moment:%M}",
            f"{moment:%Y/%m/%dT%H:%M}+0800",
            f"{moment:%Y-%m-%d %H:%M:%S}.1234567",
            f"{moment:%Y-%m-%d %H:%M:%S}.125",
            f"{moment:%Y-%m-%dT%H:%M:%S}Z",
            f"{moment.year}/{moment.month}/{moment.day} {'上午' if moment.hour < 12 else '下午'} {moment:%I:%M:%S}",
            f"{moment:%b %d %Y %I:%M%p}",
            f"{moment:%Y%m%d %H:%M:%S}",
            f"{moment:%Y%m%d%H%M}",
            f"{moment:%Y-%m-%d %H:%M:%S},125",
            f"{moment:%Y-%m-%d %H:%M:%S}+08",
            f"{int((moment - datetime(1970, 1, 1, 8)).total_seconds() * 1000)}",
            f"{(moment - datetime(1899, 12, 30)) / timedelta(days=1):.7f}",
            f"{moment:%Y-%m-%dT%H:%M:%S}.5-11:00",
            f" {moment:%Y-%m-%d %H:%M}+08:00 ",
            f"{int((moment - datetime(1970, 1, 1, 8)).total_seconds())}",
            f"{moment:%Y-%m-%d-%H.%M.%S}.000000",
            f"{moment:%d-%b-%Y %I.%M.%S}.000000 {moment:%p}",
            f"{moment:%Y-%m-%d %H:%M:%S} GMT+8",
            f"{moment:%a %b %d %H:%M:%S} CST {moment:%Y}",
            f"{moment - timedelta(hours=8):%a, %d %b %Y %H:%M:%S} GMT",
            f"{moment:%Y-%m-%d %H:%M:%S}+08:00[Asia/Shanghai]",
        )
    )


BAD_TIMES = (
    "2026-02-30",
    "2026-13-01 10:00:00",
    "2026-03-01 25:00:00",
    "昨天",
    "01-MAR-26",
    "2026-03-01 24:00:00",
    "1900-01-01",
    "2026-03",
    "2026-03-01 10",
    "2026-03-01 10:61",
    "20260229",
    "2026-03/01",
)
BAD_NUMBERS = (
    "abc",
    "一",
    "2盒5片",
    "35.5 0",
    "3元5",
    "半盒",
    "35,50",
    "1..2",
    "inf",
    "0x10",
    "1_000",
    "-(1)-",
    "--5",
    "1,2,3",
    "12,34",
    "1,234,5",
)


def spell_age(rng: Random, years: int) -> str:
    """Write an age in one of its spellings, rarely as rubbish or an impossible one."""
    if rng.random() < 0.12:
        return rng.choice(
            (
                "abc",
                "3个月",
                "2月",
                "30天",
                "15D",
                "13岁11个月",
                "13岁半",
                "0岁0月15天",
                "出生3小时",
                "40小时",
                "3 years",
                "10岁以上",
                "3周",
                "1岁零2月",
                "6M",
                "-1",
                "-0.5",
                "131",
                "130",
                "130.9",
                "二",
                "岁",
                "0.9",
                "13.99岁",
            )
        )
    return rng.choice(
        (
            str(years),
            str(years),
            f"{years}岁",
            f"{years}.5",
            f"{years}.0",
            f" {years} 岁 ",
            f"0{years}",
            f"{years}周岁",
            f"{years}Y",
        )
    )


def spell_bool(rng: Random, value: bool) -> str:
    """Write a yes or no in one of its spellings, rarely as rubbish."""
    if rng.random() < 0.03:
        return rng.choice(("2", "x", "11", "是的", "未知", "1-否"))
    return rng.choice(
        ("1", "true", "T", "y", "YES", "是", " 1 ", "1.0", "-1", "√", "1-是")
        if value
        else ("0", "false", "F", "n", "No", "否", "0.0", "×", "否(0)")
    )


def spell_flag(rng: Random, value: bool) -> str:
    """Write a flag, padded with zeros or as a word."""
    if rng.random() < 0.03:
        return rng.choice(("2", "x", "9"))
    return rng.choice(("1", "001", "01", "1", "是", "true") if value else ("0", "000", "00", "0", "否", "F"))


def spell_number(rng: Random, text: str | None) -> str | None:
    """Write a number now and then as accountants and spreadsheets do."""
    if text is None or rng.random() < 0.8 or not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        return text
    size = text.lstrip("-")
    if text[0] == "-":
        return rng.choice(
            (
                f"({size})",
                f"{size}-",
                f"－{size}",
                f"-￥{size}",
                f"'-{size}",
                f"−{size}",
                f"{size}CR",
                f"-{size}元",
                f"-{size} 盒",
            )
        )
    return rng.choice(
        (
            f"￥{size}",
            f"{size}元",
            f"'{size}",
            f"{size}盒",
            f"人民币{size}元整",
            "".join(chr(ord(sign) + 0xFEE0) for sign in size),
        )
    )


def spell_code(rng: Random, code: str) -> str:
    """Write a code padded, in lower case or in full width."""
    chance = rng.random()
    if chance < 0.80:
        return code
    if chance < 0.86:
        return code.lower()
    if chance < 0.88:
        return rng.choice(
            (f"{code}-爱普列特片 5mg", f"{code}【自费】", f"国家码：{code}", f'"{code}"', f"{code}/XN05CDM084X001")
        )
    if chance < 0.93:
        return f"  {code}\t" if rng.random() < 0.5 else f"{code} "
    return "".join(chr(ord(sign) + 0xFEE0) for sign in (code if rng.random() < 0.7 else code.lower()))


def id_number(rng: Random, sex: str, born: date) -> str:
    """Return an ID number, now and then a wrong one."""
    chance = rng.random()
    day = f"{born:%Y%m%d}" if chance > 0.04 else "19900230"
    body = f"370811{day}{rng.randrange(100):02}{rng.choice('13579' if sex == 'male' else '02468')}"
    total = sum(int(digit) * weight for digit, weight in zip(body, ID_WEIGHTS, strict=True))
    check = "10X98765432"[total % 11]
    if chance > 0.96:
        check = "0123456789"[(int(check) + 1) % 10] if check != "X" else "0"
    elif chance > 0.94:
        return body
    elif chance > 0.92:
        return "370811" + body[8:17]
    elif chance > 0.91:
        return "".join(chr(ord(sign) + 0xFEE0) for sign in body + check)
    elif chance > 0.90:
        return "A" + body[1:] + check
    return (body + check).lower() if chance < 0.5 else body + check


ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


# ---------------------------------------------------------------------------------- Persons and visits


def years_before(day: date, years: int) -> date:
    """Return the same day of an earlier year, 1 March for 29 February."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 3, 1)


def birth_near_an_edge(rng: Random, day: date) -> date:
    """Return a birth date that makes the age on the day hard to judge."""
    chance = rng.random()
    slip = timedelta(days=rng.choice((-1, 0, 0, 1)))
    if chance < 0.45:
        return years_before(day, rng.choice((1, 2, 3, 3, 5, 6, 11, 12, 13, 14, 14, 14, 18, 18))) + slip
    if chance < 0.60:
        return day - timedelta(days=rng.choice((0, 1, 27, 28, 28, 29, 29, 30, 31, 59, 183, 364, 365, 366)))
    if chance < 0.68:
        month = rng.choice((1, 6, 6, 23, 24, 35, 36))
        back = (day.year * 12 + day.month - 1) - month
        return date(back // 12, back % 12 + 1, min(day.day, 28)) + slip
    if chance < 0.74:
        return rng.choice((date(2008, 2, 29), date(2012, 2, 29), date(2024, 2, 29), date(2020, 2, 29)))
    if chance < 0.78:
        return day + timedelta(days=rng.choice((1, 2, 400)))
    if chance < 0.82:
        return years_before(day, rng.choice((130, 131, 131, 200))) + slip
    return date(1930, 1, 1) + timedelta(days=rng.randrange(95 * 365))


def service_day(rng: Random) -> date:
    """Return a day that is mostly at an edge of validity or at the end of February."""
    chance = rng.random()
    if chance < 0.5:
        return rng.choice(EDGES) + timedelta(days=rng.choice((-1, 0, 1)))
    if chance < 0.65:
        return rng.choice((date(2026, 2, 28), date(2026, 3, 1), date(2028, 2, 28), date(2028, 2, 29), date(2027, 3, 1)))
    return date(2025, 5, 1) + timedelta(days=rng.randrange(500))


@dataclass
class Stay:
    """One visit with its settlement, and what is true of it before anyone writes it down."""

    visit_id: str | None
    settlement_id: str | None
    sex: str
    born: date
    day: date
    start: datetime
    institution: str | None
    insured_region: str | None
    care_type: str
    newborn: bool | None
    insured: tuple[str, date] | None
    tells: set[str]
    """Which sources tell of the person: line, settlement, visit, id, age, nobody else."""


def stay(rng: Random, number: int) -> Stay:
    """Return an invented visit."""
    day = service_day(rng)
    born = birth_near_an_edge(rng, day)
    start = day - timedelta(days=rng.choice((0, 0, 1, 3, 20, 40)))
    if rng.random() < 0.15:
        born = day - timedelta(days=rng.randrange(60))
        start = born + timedelta(days=rng.choice((-1, 0, 1, 28, 28, 29)))
    pharmacy = rng.random() < 0.2
    insured = rng.random() < (0.8 if pharmacy else 0.12)
    tells = set(rng.choice((["line"], ["line"], ["settlement"], ["visit"], ["line", "visit"], ["id"], ["age"], [])))
    if rng.random() < 0.1:
        tells |= {"line", "settlement", "visit", "id", "age"}
    if pharmacy and insured and rng.random() < 0.6:
        tells = set()
    if pharmacy and rng.random() < 0.4:
        # As the national tables have it: the headers tell of the holder of the card, and nobody of the patient.
        insured, tells = False, {"settlement", "visit"}
    return Stay(
        visit_id=None if rng.random() < 0.1 else f"V{number}",
        settlement_id=None if rng.random() < 0.1 else f"S{number}",
        sex=rng.choice(("male", "female")),
        born=born,
        day=day,
        start=datetime.combine(start, time(8, 30)),
        institution=rng.choice(("H37080000001", "H37081100002", "P11010000003", "H11", None, "H370800")),
        insured_region=rng.choice(("370800", "370811", "110101", None, "3708")),
        care_type="41" if pharmacy else rng.choice(("11", "21", "14", "2101")),
        newborn=rng.choice((True, False)) if rng.random() < 0.18 else None,
        insured=(rng.choice(("male", "female")), birth_near_an_edge(rng, day)) if insured else None,
        tells=tells,
    )


# ---------------------------------------------------------------------------------------------- Sheets

HEADERS: dict[str, tuple[str, ...]] = {
    "line_id": ("bkkp_sn", "明细序号", "LINE_ID"),
    "original_line_id": ("init_feedetl_sn", "原费用流水号"),
    "settlement_id": ("setl_id", "结算ID"),
    "visit_id": ("mdtrt_id", "就诊ID", "住院号"),
    "prescription_id": ("rx_drord_no", "处方号"),
    "patient_sex": ("gend", "性别", "Patient_Sex"),
    "patient_birth_date": ("brdy", "出生日期"),
    "patient_age": ("age", "年龄"),
    "patient_id_number": ("certno", "身份证号"),
    "newborn_flag": ("nwb_flag", "新生儿标志"),
    "insured_sex": ("参保人性别", "insured_sex"),
    "insured_birth_date": ("参保人出生日期",),
    "service_time": ("fee_ocur_time", "费用发生时间", "结算日期"),
    "item_code": ("med_list_codg", "国标代码", "ＨＩＬＩＳＴ_code"),
    "item_name": ("hilist_name", "项目名称"),
    "quantity": ("cnt", "数量"),
    "amount": ("det_item_fee_sumamt", "金额"),
    "amount_in_scope": ("inscp_amt", "医保范围金额"),
    "full_self_paid_amount": ("fulamt_ownpay_amt", "全自费金额"),
    "patient_id": ("psn_no", "人员编号"),
    "institution_id": ("fixmedins_code", "机构编码"),
    "care_type": ("med_type", "医疗类别"),
    "insured_region": ("insu_admdvs", "参保地区划"),
    "region": ("medins_admdvs", "就医地区划"),
    "valid_flag": ("vali_flag", "有效标志"),
    "refund_flag": ("refd_setl_flag", "退费标志"),
    "original_settlement_id": ("init_setl_id", "原结算ID"),
    "visit_start": ("begntime", "入院日期"),
    "diagnosis_code": ("dscg_maindiag_code", "疾病编码ICD"),
    "mutual_aid_amount": ("acct_mulaid_pay", "账户共济支付金额"),
    "prescriber": ("bilg_dr_name", "开单医生"),
    "charge_batch": ("chrg_bchno", "收费批次号"),
    "settlement_amount": ("medfee_sumamt", "医疗总费用"),
    "paid_by_fund": ("医保支付标志", "paid_by_fund"),
    "self_paying_flag": ("自费标志",),
    "is_context": ("历史医嘱",),
    "curr_drord_flag": ("本次处方标志",),
    "code": ("diag_code", "诊断编码"),
    "admission": ("adm_date",),
    "inf": ("inf_time",),
}
"""Under which headers a generated sheet writes a column; `admission` and `inf` are the service time's fallbacks."""


class Sheet:
    """A table that grows row by row under headers chosen once."""

    def __init__(self, rng: Random, columns: Sequence[str], noise: float = 0.0) -> None:
        self.rng = rng
        self.noise = noise
        self.used: dict[str, list[str]] = {}
        for column in columns:
            headers = HEADERS[column]
            several = noise > 0 and len(headers) > 1 and rng.random() < 0.25
            self.used[column] = rng.sample(headers, 2 if several else 1)
        self.headers = [header for headers in self.used.values() for header in headers]
        rng.shuffle(self.headers)
        self.rows: list[Row | None] = []

    def add(self, values: dict[str, str | None]) -> Row:
        """Write a record; where a column has two headers, either one or both may hold text."""
        row: Row = {header: self.nothing() for header in self.headers}
        for column, headers in self.used.items():
            text = values.get(column)
            if text is None:
                continue
            chosen = self.rng.choice(headers)
            row[chosen] = text
            for other in headers:
                if other != chosen and self.rng.random() < self.noise:
                    row[other] = self.rng.choice((text, "1", "2", "x"))
        self.rows.append(row)
        return row

    def nothing(self) -> str | None:
        """Return one of the words for NULL."""
        return self.rng.choice(NULLS) if self.rng.random() < 0.2 else ""


# -------------------------------------------------------------------------------------------- Extracts


@dataclass
class Extract:
    """All that one run reads."""

    knowledge: KnowledgeRows
    files: dict[str, list[Row | None]]
    headers: list[str]
    settlements: list[Row] | None
    visits: list[Row] | None
    diagnoses: list[Row] | None
    options: Options
    encoding: str

    @property
    def arguments(self) -> list[str]:
        """Return the options of the command line, without the files."""
        found = ["--stage", self.options.stage]
        if self.options.as_of:
            found += ["--as-of", self.options.as_of.isoformat()]
        if self.options.region:
            found += ["--region", self.options.region]
        return found


def person_values(rng: Random, visit: Stay, source: str) -> dict[str, str | None]:
    """Return what one source says of the patient; now and then it contradicts the others or is rubbish."""
    told: dict[str, str | None] = {}
    tells = source in visit.tells or rng.random() < 0.06
    sex, born = visit.sex, visit.born
    if rng.random() < 0.04:
        sex = "male" if sex == "female" else "female"
    if rng.random() < 0.04:
        born = born + timedelta(days=rng.choice((1, 365, 5000)))
    if tells and rng.random() < 0.93:
        told["patient_sex"] = spell_sex(rng, sex if rng.random() < 0.95 else None)
    if tells and rng.random() < 0.93:
        told["patient_birth_date"] = spell_date(rng, born if rng.random() < 0.97 else None)
    years = (visit.day - visit.born).days // 365
    if (source == "line" and "age" in visit.tells) or rng.random() < 0.02:
        told["patient_age"] = spell_age(rng, years)
        if rng.random() < 0.8:
            told["patient_sex"] = spell_sex(rng, sex)
    if "id" in visit.tells and (source == "line" or rng.random() < 0.2):
        told["patient_id_number"] = id_number(rng, sex, born)
    if visit.newborn is not None and rng.random() < 0.5:
        told["newborn_flag"] = spell_bool(rng, visit.newborn)
    return told


PERSON = ("patient_sex", "patient_birth_date", "patient_age", "patient_id_number", "newborn_flag")
LINE_COLUMNS = (
    "line_id",
    "original_line_id",
    "settlement_id",
    "visit_id",
    *PERSON,
    "insured_sex",
    "insured_birth_date",
    "service_time",
    "item_code",
    "item_name",
    "quantity",
    "amount",
    "amount_in_scope",
    "institution_id",
    "care_type",
    "insured_region",
    "region",
    "valid_flag",
    "refund_flag",
    "original_settlement_id",
    "visit_start",
    "diagnosis_code",
    "paid_by_fund",
    "self_paying_flag",
    "is_context",
    "curr_drord_flag",
    "admission",
    "inf",
    "patient_id",
    "mutual_aid_amount",
    "full_self_paid_amount",
    "prescriber",
    "prescription_id",
    "charge_batch",
)
HEADER_COLUMNS = (
    "settlement_id",
    "visit_id",
    *PERSON,
    "institution_id",
    "care_type",
    "insured_region",
    "region",
    "valid_flag",
    "refund_flag",
    "original_settlement_id",
    "visit_start",
    "diagnosis_code",
    "mutual_aid_amount",
    "settlement_amount",
)


def item_codes(rng: Random, rows: KnowledgeRows) -> Callable[[], str | None]:
    """Return a picker of codes: mostly covered by a pattern, else one sign off, of no shape, or none."""
    covered: list[str] = []
    for row in rows.patterns:
        covered += [row["code"]] if row["match"] == "code" else family_codes(row["code"])
    odd = ["XA01AAA001A001", "国产代码", "12345", "X" * 23, "010000000000001", "330000000000001", "C02" * 9, "'; DROP"]

    def pick() -> str | None:
        chance = rng.random()
        if chance < 0.02:
            return None
        if chance < 0.06:
            return rng.choice(odd)
        code = rng.choice(covered)
        if chance < 0.10:
            spot = rng.randrange(len(code))
            code = code[:spot] + ("9" if code[spot] != "9" else "8") + code[spot + 1 :]
        elif chance < 0.12:
            code = code[:-1] if rng.random() < 0.5 else code + "0"
        return spell_code(rng, code)

    return pick


def extract(seed: int, lines: int = 2000) -> Extract:
    """Return the extract of a seed, with about this many lines."""
    rng = Random(seed)
    rows = knowledge(rng)
    columns = [name for name in LINE_COLUMNS if name in ALWAYS or rng.random() < 0.85]
    if seed % 3 == 1:
        # As hospitals' sheets are, which have no line ids.
        columns.remove("line_id")
    sheet = Sheet(rng, columns, noise=0.1)
    pick_code = item_codes(rng, rows)
    visits = [stay(rng, number) for number in range(max(1, lines // 4))]

    written: list[dict[str, str | None]] = []
    for number in range(int(lines * 0.78)):
        visit = rng.choice(visits)
        written.append(line_values(rng, visit, number, pick_code))
    for _ in range(int(lines * 0.14)):
        written.append(refund_of(rng, rng.choice(written), len(written)))
    for _ in range(int(lines * 0.08)):
        written.append(copy_of(rng, rng.choice(written)))
    order = sorted(range(len(written)), key=lambda place: place + rng.randrange(lines // 2 + 1))
    for place in order:
        spelt = {
            name: spell_number(rng, written[place].get(name)) for name in ("quantity", "amount", "amount_in_scope")
        }
        sheet.add(written[place] | {name: text for name, text in spelt.items() if text is not None})

    parquet = rng.random() < 0.3
    if not parquet:
        for place, text in enumerate(sheet.rows):
            if rng.random() < 0.004:
                sheet.rows[place] = None
            elif text and rng.random() < 0.01 and "hilist_name" in text:
                text["hilist_name"] = rng.choice(('甲,"乙"', "甲\n乙", "甲;乙\t丙"))
    kind = "parquet" if parquet else "csv"
    cut = len(sheet.rows) if rng.random() < 0.6 else rng.randrange(len(sheet.rows))
    files = {f"a.{kind}": sheet.rows[:cut], f"b.{kind}": sheet.rows[cut:]}
    if seed % 2:
        # Some of it is given twice, in another order.
        files[f"c.{kind}"] = rng.sample(sheet.rows[:cut], len(sheet.rows[:cut]) // 3)
    return Extract(
        knowledge=rows,
        files={name: part for name, part in files.items() if part},
        headers=sheet.headers,
        settlements=header_sheet(rng, visits, "settlement") if rng.random() < 0.75 else None,
        visits=header_sheet(rng, visits, "visit") if rng.random() < 0.75 else None,
        diagnoses=diagnosis_sheet(rng, visits) if rng.random() < 0.8 else None,
        options=Options(
            as_of=max(EDGES[0], rng.choice(EDGES) + timedelta(days=rng.choice((-1, 0))))
            if rng.random() < 0.25
            else None,
            region=rng.choice(("370811", "110101")) if rng.random() < 0.5 else None,
            stage=rng.choice(("audit", "audit", "settle")),
        ),
        encoding="parquet" if parquet else rng.choice(("utf-8", "utf-8", "utf-8-sig")),
    )


ALWAYS = {"line_id", "settlement_id", "visit_id", "patient_sex", "service_time", "item_code", "quantity", "amount"}


def line_values(rng: Random, visit: Stay, number: int, pick_code: Callable[[], str | None]) -> dict[str, str | None]:
    """Return one charged line of a visit."""
    moment = datetime.combine(visit.day, rng.choice((time(0), time(10, 5), time(23, 59, 59))))
    quantity = rng.choice(("1", "2", "3", "0.5", "10", "1.000", " 4 ", "0", "1e1", "+2", ".5", "1,234"))
    values: dict[str, str | None] = {
        # Where there is no visit, numbers begin anew with each settlement.
        "line_id": (f"L{number % 3 if visit.visit_id is None else number}") if rng.random() < 0.93 else None,
        "settlement_id": visit.settlement_id,
        "visit_id": visit.visit_id,
        "service_time": spell_time(rng, moment),
        "item_code": pick_code(),
        "item_name": rng.choice(("甲药片", "乙颗粒", "丙")),
        "quantity": quantity if rng.random() < 0.96 else None,
        "amount": rng.choice(("12.50", "35.5", "100", "0.01", "0", "8.1234", "1,234.50"))
        if rng.random() < 0.96
        else None,
        "amount_in_scope": rng.choice(("10.00", "35.5", "0")) if rng.random() < 0.7 else None,
        "institution_id": visit.institution,
        "patient_id": f"P{visit.visit_id}" if rng.random() < 0.8 else None,
        **person_values(rng, visit, "line"),
    }
    chance = rng.random()
    if chance < 0.02:
        values["service_time"] = rng.choice(BAD_TIMES)
    elif chance < 0.06:
        values["service_time"] = None
    if rng.random() < 0.1 or values["service_time"] is None:
        values["admission"] = spell_time(rng, visit.start) if rng.random() < 0.8 else rng.choice((None, *BAD_TIMES))
    if rng.random() < 0.05 or values["service_time"] is None:
        values["inf"] = spell_time(rng, moment) if rng.random() < 0.8 else None
    if rng.random() < 0.015:
        values["quantity"] = rng.choice(BAD_NUMBERS)
    if rng.random() < 0.01:
        values["amount"] = rng.choice(BAD_NUMBERS)
    if rng.random() < 0.02:
        values[rng.choice(("line_id", "visit_id", "settlement_id", "patient_id"))] = rng.choice(
            ("1.23457E+17", "3e+15")
        )
    if rng.random() < 0.5:
        values["prescription_id"] = rng.choice(("R1", "R2", "3.1E+14"))
    if rng.random() < 0.02:
        values["quantity"] = "-1"
    if rng.random() < 0.01:
        values["amount"] = "-5.00"
    if visit.insured and rng.random() < 0.97:
        if rng.random() < 0.95:
            values["insured_sex"] = spell_sex(rng, visit.insured[0])
        if rng.random() < 0.95:
            values["insured_birth_date"] = spell_date(rng, visit.insured[1])
    if rng.random() < 0.7:
        values["care_type"] = spell_care(rng, visit.care_type)
        values["insured_region"] = visit.insured_region
    if rng.random() < 0.8:
        values["prescriber"] = rng.choice(("甲医生", "乙医生"))
        values["charge_batch"] = rng.choice((None, "B1", "B2", "B3"))
        values["prescription_id"] = rng.choice((None, None, "RX1"))
    if rng.random() < 0.15:
        values["full_self_paid_amount"] = values["amount"] if rng.random() < 0.6 else rng.choice(("0", "5.00", "x"))
    if visit.care_type == "41" and rng.random() < 0.1:
        values["mutual_aid_amount"] = rng.choice(("3", "0"))
    if rng.random() < 0.2:
        values["region"] = rng.choice(("370800", "110101"))
    if rng.random() < 0.3:
        values["visit_start"] = spell_time(rng, visit.start)
    if rng.random() < 0.08:
        values["diagnosis_code"] = spell_code(rng, rng.choice(DIAGNOSES))
    for flag, share in (("valid_flag", 0.9), ("paid_by_fund", 0.9), ("curr_drord_flag", 0.9)):
        if rng.random() < 0.25:
            values[flag] = (
                spell_flag(rng, rng.random() < share) if flag == "valid_flag" else spell_bool(rng, rng.random() < share)
            )
    for flag, share in (("refund_flag", 0.05), ("self_paying_flag", 0.1), ("is_context", 0.1)):
        if rng.random() < 0.25:
            values[flag] = (
                spell_flag(rng, rng.random() < share)
                if flag == "refund_flag"
                else spell_bool(rng, rng.random() < share)
            )
    return values


def refund_of(rng: Random, original: dict[str, str | None], number: int) -> dict[str, str | None]:
    """Return a line that takes another back, by one of the ways, wholly, partly or for more than there is."""
    values = dict(original)
    values["line_id"] = f"R{number}" if rng.random() < 0.9 else None
    factor = rng.choice((1.0, 1.0, 1.0, 0.5, 0.4, 3.0))
    for name in ("quantity", "amount", "amount_in_scope"):
        try:
            values[name] = f"{-factor * float(original.get(name) or ''):.4f}"
        except ValueError:
            values[name] = None
    if values["quantity"] in ("nan", "-nan", "inf", "-inf"):
        values["quantity"] = "-1"
    if values["amount"] in ("nan", "-nan", "inf", "-inf"):
        values["amount"] = None
    taken_back = any((values[name] or "").strip("-0.") and values[name][:1] == "-" for name in ("quantity", "amount"))
    if not taken_back or rng.random() < 0.3:
        for name in ("quantity", "amount", "amount_in_scope"):
            values[name] = (values[name] or "").lstrip("-") or None
        values["refund_flag"] = rng.choice(("1", "001"))
    chance = rng.random()
    if chance < 0.35:
        values["original_line_id"] = original.get("line_id") if rng.random() < 0.9 else "L-none"
        if rng.random() < 0.2:
            values["item_code"] = "XZ99ZZZ999Z999010101000"
        if rng.random() < 0.3:
            values["visit_id"] = None
        if rng.random() < 0.15:
            values["original_settlement_id"] = original.get("settlement_id")
            values["settlement_id"] = f"RS{number}"
    elif chance < 0.6:
        values["original_settlement_id"] = original.get("settlement_id")
        values["settlement_id"] = f"RS{number}"
        if rng.random() < 0.5:
            values["visit_id"] = None
    elif chance < 0.9:
        if rng.random() < 0.25:
            values["visit_id"] = None
    else:
        values[rng.choice(("institution_id", "visit_id", "settlement_id", "item_code"))] = None
    if rng.random() < 0.1:
        values["original_line_id"] = "L-none"
    if rng.random() < 0.15:
        values["patient_id"] = rng.choice((None, "P-other"))
    return values


def copy_of(rng: Random, original: dict[str, str | None]) -> dict[str, str | None]:
    """Return a line that is, or only nearly is, written twice."""
    values = dict(original)
    if rng.random() < 0.4:
        # Uploaded again, or two boxes in one upload.
        values["line_id"] = f"{original.get('line_id') or 'L'}-again" if rng.random() < 0.9 else None
        other = rng.choice(
            ("settlement_id", "charge_batch", "charge_batch", "prescription_id", "prescriber", "line_id")
        )
        values[other] = f"{original.get(other) or other}x" if rng.random() < 0.85 else None
        return values
    chance = rng.random()
    if chance < 0.2 and values.get("item_code"):
        values["item_code"] = f" {values['item_code']} "
    elif chance < 0.3 and values.get("quantity") in ("1", "2", "3"):
        values["quantity"] = f"{values['quantity']}.00"
    elif chance < 0.4:
        values["patient_sex"] = rng.choice(("1", "2"))
    elif chance < 0.6:
        name = rng.choice(("quantity", "amount", "visit_id", "institution_id", "item_code", "line_id", "service_time"))
        values[name] = {"quantity": "7", "amount": "7", "service_time": "2026-03-02"}.get(name)
    return values


def total_of(visit: Stay) -> str:
    """Return what a settlement comes to, the same however often it is asked."""
    return f"{visit.born.toordinal() % 900 + 20}.50"


def reversal_of(rng: Random, visit: Stay, number: int) -> dict[str, str | None]:
    """Return a header that reverses a settlement, in whole or in part, now and then one that has lines or tells too little."""
    total = total_of(visit)
    return {
        "settlement_id": rng.choice(
            (f"RV{number}", f"RV{number}", f"RV{number}", f"RS{number}", visit.settlement_id, f"S{number}")
        ),
        "visit_id": visit.visit_id,
        "original_settlement_id": visit.settlement_id,
        "refund_flag": rng.choice(("1", "001", "退费", "1", None, "0", "x")),
        "settlement_amount": rng.choice((f"-{total}", f"-{total}", f"({total})", total, "-3.00", "-300", "x", None)),
        "valid_flag": rng.choice((None, None, "1", "0")),
        "institution_id": rng.choice((None, visit.institution, visit.institution, "H99999999999")),
        "patient_id": rng.choice((None, None, None, f"AN{number}")),
    }


DIAGNOSES = (
    "I27.000",
    "I27.0",
    "I27",
    "I27.1",
    "i27.0x1",
    "E30.100",
    "N40.x00",
    "N40.X00",
    "Q99.100x001",
    "Z00.000",
    "O80.000",
    "P07.300",
)


def spell_care(rng: Random, code: str) -> str:
    """Return a care type, now and then in words, or in one that nobody knows."""
    words = {
        "41": ("定点药店购药", "41 药店购药", "药店（个账）"),
        "11": ("普通门诊",),
        "21": ("住院",),
        "14": ("门诊慢特病",),
    }
    return rng.choice((*words.get(code, (code,)), "其他情况")) if rng.random() < 0.15 else code


def header_sheet(rng: Random, visits: Sequence[Stay], source: str) -> list[Row]:
    """Return settlement or visit headers: most, some twice, some contradicting, some not valid."""
    sheet = Sheet(rng, [name for name in HEADER_COLUMNS if rng.random() < 0.9 or name.endswith("_id")], noise=0.05)
    for visit in visits:
        if rng.random() < 0.1:
            continue
        for turn in range(rng.choice((1, 1, 1, 1, 2, 2, 3))):
            values: dict[str, str | None] = {
                "settlement_id": visit.settlement_id,
                "visit_id": visit.visit_id,
                "institution_id": visit.institution if rng.random() < 0.5 else None,
                **person_values(rng, visit, source),
            }
            if rng.random() < 0.6:
                values["care_type"] = spell_care(rng, visit.care_type)
                values["insured_region"] = visit.insured_region
            if rng.random() < 0.4:
                values["visit_start"] = spell_time(rng, visit.start)
            if rng.random() < 0.1:
                values["diagnosis_code"] = rng.choice(DIAGNOSES) if turn == 0 else None
            if rng.random() < 0.7:
                values["settlement_amount"] = total_of(visit)
            if visit.care_type == "41" and rng.random() < 0.3:
                values["mutual_aid_amount"] = rng.choice(("12.50", "0", "0.00", "x", "1,000"))
            if rng.random() < 0.2:
                values["valid_flag"] = "作废?" if rng.random() < 0.1 else spell_flag(rng, rng.random() < 0.6)
            if rng.random() < 0.05:
                values["refund_flag"] = spell_flag(rng, rng.random() < 0.3)
            sheet.add(values)
    if source == "settlement":
        for number, visit in enumerate(rng.sample(list(visits), len(visits) // 12)):
            sheet.add(reversal_of(rng, visit, number))
            if rng.random() < 0.1:
                flag = rng.choice((None, "1", "0", "作废?"))
                sheet.add({"settlement_id": f"RR{number}", "original_settlement_id": f"RV{number}", "valid_flag": flag})
    for row in rng.sample(range(1000), 5):
        sheet.add(
            {
                f"{source}_id": f"RS{row}",
                "refund_flag": "1",
                "original_settlement_id": f"S{row % 50}",
                "patient_sex": "1",
            }
        )
    rng.shuffle(sheet.rows)
    return [row for row in sheet.rows if row is not None]


def diagnosis_sheet(rng: Random, visits: Iterable[Stay]) -> list[Row]:
    """Return diagnoses of some of the visits, by visit, by settlement or by both."""
    sheet = Sheet(rng, ("settlement_id", "visit_id", "code", "valid_flag"))
    for visit in visits:
        if rng.random() < 0.4:
            continue
        for _ in range(rng.choice((1, 1, 2, 4))):
            by = rng.choice(("both", "visit", "settlement"))
            sheet.add(
                {
                    "settlement_id": visit.settlement_id if by != "visit" else None,
                    "visit_id": visit.visit_id if by != "settlement" else None,
                    "code": spell_code(rng, rng.choice(DIAGNOSES)) if rng.random() < 0.9 else None,
                    "valid_flag": spell_flag(rng, rng.random() < 0.8) if rng.random() < 0.2 else None,
                }
            )
    return [row for row in sheet.rows if row is not None]


# --------------------------------------------------------------------------------------------- Writing


def write_csv(rows: Sequence[Row | None], headers: Sequence[str], path: Path, encoding: str) -> None:
    """Write records; None becomes a record with one field too many or too few."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n" if len(rows) % 2 else "\n")
    writer.writerow(headers)
    for number, row in enumerate(rows):
        if row is None:
            writer.writerow(["1"] * (len(headers) + (2 if number % 2 else -2)))
        else:
            writer.writerow([row[header] for header in headers])
    path.write_bytes(text.getvalue().encode(encoding))


def write_parquet(rows: Sequence[Row | None], headers: Sequence[str], path: Path) -> None:
    """Write records as columns of text."""
    columns = {header: pa.array([row[header] for row in rows if row is not None], pa.string()) for header in headers}
    pq.write_table(pa.table(columns), path, row_group_size=700)


@dataclass
class Written:
    """Where an extract lies."""

    inputs: list[Path]
    settlements: Path | None
    visits: Path | None
    diagnoses: Path | None
    knowledge: Path


def write(made: Extract, folder: Path) -> Written:
    """Write the files of an extract into a folder."""

    def one(name: str, rows: Sequence[Row | None] | None, headers: Sequence[str] | None = None) -> Path | None:
        if rows is None:
            return None
        headers = headers or list(rows[0] or {})
        if made.encoding == "parquet":
            write_parquet(rows, headers, folder / f"{name}.parquet")
            return folder / f"{name}.parquet"
        write_csv(rows, headers, folder / f"{name}.csv", made.encoding)
        return folder / f"{name}.csv"

    inputs = [one(Path(name).stem, rows, made.headers) for name, rows in made.files.items()]
    write_knowledge(made.knowledge, folder / "kb")
    return Written(
        inputs=[path for path in inputs if path is not None],
        settlements=one("settlements", made.settlements),
        visits=one("visits", made.visits),
        diagnoses=one("diagnoses", made.diagnoses),
        knowledge=folder / "kb",
    )


_DATE_COLUMNS = {"valid_from", "valid_to"}
_INT_COLUMNS = {"age_min", "age_max", "published_codes"}


def write_knowledge(rows: KnowledgeRows, folder: Path) -> None:
    """Write a knowledge base as `liangku kb build` lays it out."""
    folder.mkdir(parents=True)
    exemptions = [{name: value for name, value in row.items() if name != "items"} for row in rows.exemptions]
    items = [
        {"exemption_id": row["exemption_id"], "match": match, "value": value}
        for row in rows.exemptions
        for match, value in row["items"]
    ]
    names = [
        {"item_name": name, "item_key": item_key(name), "pinyin": "", "initials": ""}
        for name in sorted({row["item_name"] for row in rows.points})
    ]
    limits = [limit.name for limit in ITEM.limits]
    tables = {
        "point": (rows.points, [name for name in point("", "") if name not in limits]),
        "item": (rows.points, ["point_id", *limits]),
        "pattern": (rows.patterns, list(pattern("", "", ""))),
        "exemption": (exemptions, [name for name in exemption("", "", "") if name != "items"]),
        "exemption_item": (items, ["exemption_id", "match", "value"]),
        "name": (names, ["item_name", "item_key", "pinyin", "initials"]),
    }
    files = []
    for name, (records, columns) in tables.items():
        path = folder / f"{name}.parquet"
        arrays = {column: pa.array([record[column] for record in records], _type_of(column)) for column in columns}
        pq.write_table(pa.table(arrays), path)
        files.append(FileEntry(path.name, "", len(records)))
    manifest = Manifest(
        layout=LAYOUT,
        name="invented",
        version="0",
        published="2026-01-28",
        compiled="2026-01-28",
        content_hash="",
        notices=(),
        rules=(),
        files=tuple(files),
    )
    (folder / MANIFEST_FILE).write_text(manifest_text(manifest), encoding="utf-8")
    seal(folder)


def _type_of(column: str) -> pa.DataType:
    if column in _DATE_COLUMNS:
        return pa.date32()
    if column in _INT_COLUMNS:
        return pa.int32()
    return pa.list_(pa.string()) if column == "diagnoses" else pa.string()
