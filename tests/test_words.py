"""What people read: typed values in both languages, sentences without symbols, names as they are, one catalogue."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from oracle_data import KnowledgeRows, pattern, point, write_knowledge

from checker.judge.evidence import Notices, sources
from checker.model.remarks import not_listed
from checker.model.template import read_template
from checker.model.typed_value import worded
from checker.model.words import REASONS, REMARKS, catalogue, remark_words
from checker.precheck.counter import Precheck
from checker.scan.request import ScanRequest
from checker.scan.scan import scan
from checker.shapes import REASONS as REASONS_OF_SHAPES

ROOT = Path(__file__).resolve().parents[1]
DRUG = "XG04CBA088A001010101467"

VALUES = [
    # value, then short and phrase in Chinese, then in English
    ("?", "不明", "不明", "unknown", "unknown"),
    ("sex:male", "男", "男性", "male", "male"),
    ("sex:female", "女", "女性", "female", "female"),
    ("age:35 year", "35 岁", " 35 岁", "35 years", "35 years"),
    ("age:1 year", "1 岁", " 1 岁", "1 year", "1 year"),
    ("age:7 month", "7 个月", " 7 个月", "7 months", "7 months"),
    ("age:0 day", "0 天", " 0 天", "0 days", "0 days"),
    ("age_in:..14 year", "< 14 岁", " 14 岁以下", "< 14 years", "under 14"),
    ("age_in:..1 year", "< 1 岁", " 1 岁以下", "< 1 year", "under 1"),
    ("age_in:..18 month", "< 18 个月", " 18 个月以下", "< 18 months", "under 18 months"),
    ("age_in:..29 day", "0–28 天", "出生 28 天以内", "0–28 days", "within 28 days of birth"),
    ("age_in:3 year..", "≥ 3 岁", " 3 岁及以上", "≥ 3 years", "aged 3 or older"),
    ("age_in:1 month..", "≥ 1 个月", " 1 个月及以上", "≥ 1 month", "aged 1 month or older"),
    ("age_in:2 year..12 year", "2-11岁", " 2 至 11 岁", "2-11 years", "aged 2 to 11"),
    ("age_in:1 month..19 month", "1-18个月", " 1 至 18 个月", "1-18 months", "aged 1 to 18 months"),
    ("age_in:2 year..3 year", "2 岁", " 2 岁", "2 years", "aged 2"),
    (
        "age_in:6 month..3 year", "≥ 6 个月且 < 3 岁", "满 6 个月、不满 3 岁",
        "≥ 6 months and < 3 years", "aged at least 6 months and under 3 years",
    ),
    ("age_in:..", "不限年龄", "不限年龄", "any age", "of any age"),
    ("text:女贞子 5 岁", "女贞子 5 岁", "女贞子 5 岁", "女贞子 5 岁", "女贞子 5 岁"),
    ("女贞子 5 岁", "女贞子 5 岁", "女贞子 5 岁", "女贞子 5 岁", "女贞子 5 岁"),
    ("age:five year", "age:five year", "age:five year", "age:five year", "age:five year"),
    (None, None, "", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("value", "zh", "zh_phrase", "en", "en_phrase"), VALUES, ids=[str(row[0]) for row in VALUES])
def test_a_typed_value_in_words(value: str | None, zh: str, zh_phrase: str, en: str, en_phrase: str) -> None:
    assert (worded(value, "zh"), worded(value, "en")) == ((zh, zh_phrase), (en, en_phrase))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{item_name}限{expected}使用。", "女贞子'}{expected}限%使用。"),
        ("{{{item_name}}} 'x'", "{女贞子'}{expected}} 'x'"),
        ("{{}}", "{}"),
        ("", ""),
    ],
)
def test_a_template_says_the_same_as_text_and_as_sql(text: str, filled: str) -> None:
    values = {"item_name": "女贞子'}{expected}", "expected": "%"}
    template = read_template(text)
    assert template.fill(values) == filled
    sql = template.sql({"item_name": "a", "expected": "b"})
    row = duckdb.execute(f"SELECT {sql} FROM (SELECT $1 AS a, $2 AS b)", list(values.values())).fetchall()[0]
    assert row == (filled,)


# ---- sentences, in a scan and at the counter ----

LIMITS: dict[str, dict[str, Any]] = {
    "drug-sex": {"sex": "male"},
    "service-sex": {"sex": "male"},
    "drug-child-only": {"age_word": "儿童"},
    "drug-child-limited": {"age_word": "儿童", "age_text": "2-11岁", "age_min": 2, "age_min_unit": "year", "age_max": 12, "age_max_unit": "year"},
    "service-child-only": {"age_word": "新生儿"},
}  # fmt: skip
SAID = {
    "drug-sex": (
        ("女贞子限男性使用，患者登记的性别为女性。", "女贞子 is for male patients only; the patient's recorded sex is female."),
        ("女贞子限男性使用，无法判断患者是否符合：没有性别信息。",
         "女贞子 is for male patients only; whether the patient qualifies cannot be determined (sex not known)."),
    ),
    "service-sex": (
        ("女贞子限男性患者，患者登记的性别为女性。", "女贞子 is for male patients only; the patient's recorded sex is female."),
        ("女贞子限男性患者，无法判断患者是否符合：没有性别信息。",
         "女贞子 is for male patients only; whether the patient qualifies cannot be determined (sex not known)."),
    ),
    "drug-child-only": (
        ("女贞子是儿童专用药，限 14 岁以下患者使用；患者在 2026-03-01 的年龄为 35 岁。",
         "女贞子 is a children's medicine for patients under 14 only; the patient's age on 2026-03-01 was 35 years."),
        ("女贞子是儿童专用药，限 14 岁以下患者使用；无法判断患者的年龄是否符合：没有足够的年龄信息。",
         "女贞子 is a children's medicine for patients under 14 only; whether the patient's age qualifies cannot be determined (age not known well enough)."),
    ),
    "drug-child-limited": (
        ("女贞子仅限 2 至 11 岁患者使用时由医保基金支付，患者在 2026-03-01 的年龄为 35 岁。",
         "The fund covers 女贞子 only for patients aged 2 to 11; the patient's age on 2026-03-01 was 35 years."),
        ("女贞子仅限 2 至 11 岁患者使用时由医保基金支付，无法判断患者的年龄是否符合：没有足够的年龄信息。",
         "The fund covers 女贞子 only for patients aged 2 to 11; whether the patient's age qualifies cannot be determined (age not known well enough)."),
    ),
    "service-child-only": (
        ("女贞子是儿童专用项目，限出生 28 天以内患者；患者在 2026-03-01 的年龄为 35 岁。",
         "女贞子 is a children's service for patients within 28 days of birth only; the patient's age on 2026-03-01 was 35 years."),
        ("女贞子是儿童专用项目，限出生 28 天以内患者；无法判断患者的年龄是否符合：没有足够的年龄信息。",
         "女贞子 is a children's service for patients within 28 days of birth only; whether the patient's age qualifies cannot be determined "
         "(age not known well enough)."),
    ),
}  # fmt: skip
"""What is said of a violation and of what cannot be judged, Chinese and English."""
SHORT = {
    "drug-sex": (("男", "女"), ("male", "female")),
    "service-sex": (("男", "女"), ("male", "female")),
    "drug-child-only": (("< 14 岁", "35 岁"), ("< 14 years", "35 years")),
    "drug-child-limited": (("2-11岁", "35 岁"), ("2-11 years", "35 years")),
    "service-child-only": (("0–28 天", "35 岁"), ("0–28 days", "35 years")),
}
UNKNOWN = ("不明", "unknown")


def found(
    tmp_path: Path, persons: Sequence[dict[str, str]], *, language: str, codes: Sequence[str] = (DRUG,), **more: Any
) -> list[dict[str, Any]]:
    """The findings of a scan and those of the counter for a line of each person and code, of items named 女贞子."""
    item = {"item_name": "女贞子", "service_time": "2026-03-01"}
    with (tmp_path / "lines.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(
            stream, ("line_id", "item_code", *item, *dict.fromkeys(name for person in persons for name in person))
        )
        writer.writeheader()
        for number, person in enumerate(persons):
            writer.writerows({"line_id": f"{number}-{code}", "item_code": code, **item, **person} for code in codes)
    out = tmp_path / "out"
    scan(ScanRequest([tmp_path / "lines.csv"], out, kb=[tmp_path / "kb"], stage="settle", language=language, **more))
    findings = pl.read_parquet(out / "findings.parquet").to_dicts()
    counter = Precheck.open(kb=[tmp_path / "kb"], language=language, **more)
    for person in persons:
        patient = {name.removeprefix("patient_"): value for name, value in person.items()}
        lines = [{"item_code": code, "item_name": "女贞子"} for code in codes]
        findings += counter.check({"service_time": "2026-03-01", "patient": patient, "lines": lines})["findings"]
    return findings


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_finding_is_a_sentence_and_names_stay_as_they_are(tmp_path: Path, language: str) -> None:
    """Of each rule, where the person is known and where not: of one only the sex is known, of the other only when they were born."""
    codes = {rule: f"{DRUG[:-1]}{number}" for number, rule in enumerate(LIMITS)}
    points = [point(f"P-{rule}", rule, item_name="女贞子", **LIMITS[rule]) for rule in LIMITS]
    patterns = [pattern(f"P-{rule}", "code", code) for rule, code in codes.items()]
    write_knowledge(KnowledgeRows(points, patterns, []), tmp_path / "kb")
    english = language == "en"
    findings = found(
        tmp_path,
        [{"patient_sex": "女"}, {"patient_birth_date": "1990-05-01"}],
        language=language,
        codes=[*codes.values()],
    )
    for rule in LIMITS:
        own = [finding for finding in findings if finding["rule_id"] == rule]
        expected, actual = SHORT[rule][english]
        told = [(finding["message"], finding["expected"], finding["actual"]) for finding in own]
        known = (SAID[rule][False][english], expected, actual)
        unknown = (SAID[rule][True][english], expected, UNKNOWN[english])
        # The scan's and the counter's.
        assert sorted(told) == sorted([known, unknown] * 2)
        assert {finding["item_name"] for finding in own} == {"女贞子"}
    assert len(findings) == 4 * len(LIMITS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_words_of_a_rules_own_and_braces_reach_scan_and_counter_as_they_stand(tmp_path: Path, language: str) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    text = (ROOT / "rules" / "drug-sex.toml").read_text(encoding="utf-8")
    for old, new in (
        ("\"coalesce('sex:' || point_sex, '?')\"", "\"'text:女贞子 5 岁'\""),
        ("\"coalesce('sex:' || person_sex, '?')\"", "\"'女 7 天'\""),
        ('violation = "', 'violation = "{{{expected}}} {actual} '),
    ):
        assert old in text
        text = text.replace(old, new)
    (rules / "drug-sex.toml").write_text(text, encoding="utf-8")
    write_knowledge(
        KnowledgeRows([point("P1", "drug-sex", sex="male")], [pattern("P1", "code", DRUG)], []), tmp_path / "kb"
    )
    for finding in found(tmp_path, [{"patient_sex": "女"}], language=language, rules=[rules]):
        assert (finding["expected"], finding["actual"]) == ("女贞子 5 岁", "女 7 天")
        assert finding["message"].startswith("{女贞子 5 岁} 女 7 天 女贞子")


# ---- evidence and catalogue ----


@pytest.mark.parametrize(
    ("document", "batch", "rows", "zh", "en"),
    [
        ("文件甲；文件乙", "01", "01/药品儿童专用/3; 2026-01/药品儿童专用/4",
         ["文件甲", "文件乙", "批次 01《药品儿童专用》第 3 行", "批次 2026-01《药品儿童专用》第 4 行"],
         ["文件甲", "文件乙", "batch 01, 药品儿童专用, row 3", "batch 2026-01, 药品儿童专用, row 4"]),
        ("文件", "local-1", "表.xlsx：“知识点”第 5 行；“代码”第 6 行",
         ["文件", "批次 local-1", "表.xlsx：“知识点”第 5 行", "“代码”第 6 行"],
         ["文件", "batch local-1", "表.xlsx：“知识点”第 5 行", "“代码”第 6 行"]),
        ("文件", "s", "01/a/b/7; 表.xlsx", ["文件", "批次 s", "批次 01《a/b》第 7 行", "表.xlsx"], ["文件", "batch s", "batch 01, a/b, row 7", "表.xlsx"]),
    ],
    ids=["lists", "a workbook", "both"],
)  # fmt: skip
def test_evidence_names_documents_batch_and_rows(
    document: str, batch: str, rows: str, zh: list[str], en: list[str]
) -> None:
    for language, told in (("zh", zh), ("en", en)):
        assert sources(Notices().told(document, batch, rows, language, date(2026, 3, 1))) == told


def test_evidence_names_only_what_was_published_by_the_day() -> None:
    notices = Notices({"01": date(2025, 5, 23), "2026-01": date(2026, 1, 28)})
    point = ("清单（2025-05-23）；更新（2026-01-28）", "01", "01/药品/3; 2026-01/药品/4")
    for day, told in (
        (date(2026, 1, 27), ["清单（2025-05-23）", "批次 01《药品》第 3 行"]),
        (
            date(2026, 1, 28),
            ["清单（2025-05-23）", "更新（2026-01-28）", "批次 01《药品》第 3 行", "批次 2026-01《药品》第 4 行"],
        ),
        # A point that some other ground put in force before its notice still says where it stands.
        (date(2025, 5, 22), ["清单（2025-05-23）", "批次 01"]),
    ):
        assert sources(notices.told(*point, "zh", day)) == told
    assert notices.edges([point[0], "通知（2026-05-11）"]) == [date(2025, 5, 23), date(2026, 1, 28), date(2026, 5, 11)]


def test_every_code_has_words_in_both_languages() -> None:
    words = catalogue()
    assert {*words["reason"]} == {*REASONS} == {*REASONS_OF_SHAPES, "unknown_code", "rule_missing"}
    for kind, entries in words.items():
        for code, said in entries.items():
            assert said["zh"], (kind, code)
            assert not re.search("[\u4e00-\u9fff]", said["en"] or "女"), (kind, code)
    assert all("2031" in said for said in remark_words(not_listed(date(2031, 1, 1))))
    assert remark_words("院内限制") == ("院内限制", "院内限制")
    assert words["remark"].keys() == REMARKS.keys()
