"""Spot checks of the committed edition: windows, subjects, validity, exemptions, as the publications say them."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from checker.knowledge.names import item_key
from checker.knowledge.rows import PointRow
from checker.knowledge.source import Sources

MAY, JANUARY, MAY_2026 = date(2025, 5, 23), date(2026, 1, 28), date(2026, 5, 11)


@pytest.fixture(scope="module")
def point(sources: Sources) -> dict[str, PointRow]:
    return {row.point_id: row for row in sources.points}


@pytest.mark.parametrize(
    ("point_id", "name", "text", "low", "high"),
    [
        ("drug-child-limited-01-0006", "复方聚乙二醇(3350)电解质散", "2-11岁", 2, 12),
        ("drug-child-limited-01-0007", "波生坦分散片", "3-12岁", 3, 13),
        ("drug-child-limited-01-0008", "玛巴洛沙韦干混悬剂", "5岁至<12岁", 5, 12),
        ("drug-child-limited-01-0009", "硫酸氢司美替尼胶囊", ">=3岁", 3, None),
        ("drug-child-limited-01-0010", "盐酸可乐定缓释片", "6-17岁", 6, 18),
        ("drug-child-limited-01-0011", "孟鲁司特钠口溶膜", "1-14岁", 1, 15),
    ],
)
def test_the_published_windows(
    point: dict[str, PointRow], point_id: str, name: str, text: str, low: int, high: int | None
) -> None:
    row = point[point_id]
    assert (
        row.item_name,
        row.limits.get("age_word"),
        row.limits.get("age_text"),
        row.limits.get("age_min"),
        row.limits.get("age_max"),
    ) == (name, "儿童", text, low, high)
    assert (row.limits.get("age_min_unit"), row.limits.get("age_max_unit")) == (
        "year",
        None if high is None else "year",
    )


def test_the_subjects_of_child_drugs_and_services(sources: Sources) -> None:
    first = [row for row in sources.points if row.batch == "01" and row.point_id[-1].isdigit()]
    assert Counter(row.subject for row in first if row.rule_id == "drug-child-only") == {"就诊人": 174, "参保人": 97}
    assert {row.subject for row in first if row.rule_id in ("drug-child-limited", "service-child-only")} == {"参保人"}
    assert {row.subject for row in first if row.rule_id in ("drug-sex", "service-sex")} == {None}


def test_the_words_of_child_services(sources: Sources) -> None:
    words = Counter(row.limits.get("age_word") for row in sources.points if row.rule_id == "service-child-only")
    assert words == {"新生儿": 18, "儿童": 10, "婴幼儿": 2}


def test_a_policy_point_that_the_update_does_not_list_ends(point: dict[str, PointRow]) -> None:
    row = point["drug-child-limited-01-0006"]
    assert (row.valid_from, row.valid_to, row.level_cap, row.remark) == (MAY, JANUARY, None, None)
    assert "drug-child-limited-01-0006b" not in point


def test_a_reasonable_use_point_that_the_update_does_not_list_goes_on_at_notice(point: dict[str, PointRow]) -> None:
    full, capped = point["drug-sex-01-0360"], point["drug-sex-01-0360b"]
    assert full.item_name == capped.item_name == "枸橼酸西地那非片"
    assert (full.valid_from, full.valid_to, full.level_cap, full.remark) == (MAY, JANUARY, None, None)
    assert (capped.valid_from, capped.valid_to, capped.level_cap) == (JANUARY, None, "notice")
    assert capped.remark == "not_in_2026_list"


def test_a_relisted_point_is_continuous(point: dict[str, PointRow]) -> None:
    row = point["drug-sex-01-0003"]
    assert (row.item_name, row.limits.get("sex"), row.valid_from, row.valid_to) == ("爱普列特片", "male", MAY, None)
    assert row.source_rows == "01/药品区分性别使用/3; 2026-01/药品区分性别使用/3"


def test_one_item_with_a_relisted_and_an_unlisted_family_is_two_rows(sources: Sources) -> None:
    patterns = {
        row.point_id: row.code for row in sources.patterns if row.point_id.startswith("drug-child-limited-01-0004")
    }
    assert patterns == {
        "drug-child-limited-01-0004": "XL04ADT002N001",
        "drug-child-limited-01-0004c": "XD11AXT002N001",
    }


def test_the_family_of_another_item_is_left_to_exact_codes(sources: Sources) -> None:
    bosentan = [row for row in sources.patterns if row.code.startswith("XC02KXB144A001")]
    assert {row.match for row in bosentan} == {"code"}
    dispersible, ordinary = "drug-child-limited-01-0007", "drug-indication-14-0006"
    assert {row.point_id for row in bosentan} == {dispersible, ordinary}
    own = {key: {row.code for row in bosentan if row.point_id == key} for key in (dispersible, ordinary)}
    assert (len(own[dispersible]), len(own[ordinary]), own[dispersible] & own[ordinary]) == (1, 7, set())


def test_services_are_in_force_without_end(sources: Sources) -> None:
    services = [row for row in sources.points if row.rule_id.startswith("service-")]
    assert {(row.rule_id, row.valid_from, row.valid_to, row.level_cap) for row in services} == {
        ("service-sex", MAY, None, None),
        ("service-child-only", MAY, None, None),
        ("service-age", date(2026, 1, 6), None, None),
        ("service-course", date(2026, 1, 6), None, None),
        ("service-cycle", date(2026, 1, 6), None, None),
        ("service-frequency", date(2026, 1, 6), None, None),
        ("service-pair", date(2025, 12, 12), None, None),
    }


def test_the_footnote_of_the_service_sex_rule_is_official_and_its_icd_reading_ours(sources: Sources) -> None:
    row = next(row for row in sources.exemptions if row.exemption_id == "service-sex-indeterminate")
    assert (row.rule_id, row.effect, row.status) == ("service-sex", "exempt", "official")
    assert row.reason == "性别不清、两性畸形、染色体异常、性发育异常人群不纳入此规则范畴"
    assert set(row.diagnoses or ()) == {"Q56", "E25", "E34.5", *(f"Q9{digit}" for digit in range(10))}
    assert "并非官方" in row.evidence
    assert not [item for item in sources.exemption_items if item.exemption_id == row.exemption_id]


def test_only_tamsulosin_stands_by(sources: Sources) -> None:
    names = {(row.rule_id, item_key(row.item_name)) for row in sources.points}
    rule_of = {row.exemption_id: row.rule_id for row in sources.exemptions}
    idle = {
        item.exemption_id
        for item in sources.exemption_items
        if item.match == "name" and (rule_of[item.exemption_id], item_key(item.value)) not in names
    }
    assert idle == {"drug-sex-tamsulosin"}


@pytest.mark.parametrize(
    ("exemption_id", "diagnoses", "names"),
    [
        ("drug-sex-pulmonary-hypertension", {"I27.0", "I27.2", "P29.3"}, ("西地那非", "他达拉非")),
        ("drug-sex-breast-cancer-men", {"C50"}, ("阿那曲唑", "依西美坦", "托瑞米芬")),
        ("service-child-only-delivery-stay", {"O80", "O81", "O82", "O83", "O84", "Z37", "Z38"}, ("新生儿",)),
        ("service-sex-semen-of-husband", {"N97", "Z31"}, ("精子", "精液", "精浆")),
    ],
)
def test_a_proposal_lowers_and_names_every_point_that_it_means(
    sources: Sources, exemption_id: str, diagnoses: set[str], names: tuple[str, ...]
) -> None:
    row = next(row for row in sources.exemptions if row.exemption_id == exemption_id)
    assert (row.effect, row.status, set(row.diagnoses or ())) == ("lower", "proposed", diagnoses)
    assert "非官方" in row.evidence
    meant = {
        point.point_id
        for point in sources.points
        if point.rule_id == row.rule_id and any(name in point.item_name for name in names)
    }
    items = {(item.match, item.value) for item in sources.exemption_items if item.exemption_id == exemption_id}
    code_of = {pattern.point_id: pattern.code for pattern in sources.patterns}
    named = {
        point.point_id
        for point in sources.points
        if point.rule_id == row.rule_id
        and (("name", point.item_name) in items or ("code", code_of[point.point_id]) in items)
    }
    assert named == meant


def test_the_pieces_of_batch_11_are_those_that_were_published(published_folder: Path, sources: Sources) -> None:
    with (published_folder / "facts" / "batch11_herbs.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    alone = {(row["code"], row["name"]) for row in rows if row["mode"] == "single"}
    never = {row["code"] for row in rows if row["mode"] != "single"}
    points = {row.point_id: row for row in sources.points if row.rule_id == "herb-single"}
    patterns = [row for row in sources.patterns if row.point_id in points]
    assert (len(alone), len(never), len(points), len(patterns)) == (116, 37, 117, 153)
    assert {(row.code, points[row.point_id].item_name) for row in patterns if row.role == "item"} == alone
    listed = [row for row in patterns if row.role == "listed"]
    assert ({row.code for row in listed}, {row.point_id for row in listed}) == (never, {"herb-single-11-listed"})


def test_the_pieces_of_batch_11_as_they_are_published(point: dict[str, PointRow]) -> None:
    clove, listed = point["herb-single-11-0001"], point["herb-single-11-listed"]
    assert (clove.item_name, clove.published_codes, clove.source_rows) == ("丁香", 1, "11/中药饮片单方使用不予支付/1")
    assert (clove.valid_from, clove.valid_to, clove.batch, clove.limits["companions"]) == (
        MAY_2026,
        None,
        "11",
        "herb_piece",
    )
    assert (listed.item_name, listed.published_codes, listed.valid_from) == ("单复方均不予支付的饮片", 37, MAY_2026)
    assert listed.source_rows.startswith("11/中药饮片单复方均不予支付/1; 11/中药饮片单复方均不予支付/2; ")
    assert listed.document == clove.document == "国家医疗保障局公布的智能监管“两库”第十一批规则与知识点（2026-05-11）"
