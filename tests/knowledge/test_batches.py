"""Every published batch in the edition: each row is a point or has a reason, and what texts say is what people compiled."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from checker.knowledge.compile_rules import LISTED_PIECES, RULES, items_of
from checker.knowledge.compiled_facts import CompiledFacts
from checker.knowledge.merge.rows import SOURCE_MARK
from checker.knowledge.published import PublishedItem
from checker.knowledge.source import Sources

SPEC = {spec.rule_id: spec for spec in RULES}
ALSO_LISTED = f"{LISTED_PIECES.batches[0]}/{LISTED_PIECES.name}/"
"""The pieces that are never paid are points of one rule and listed by another."""


def facts(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / "facts" / name
    if not path.is_file():
        pytest.skip(f"{name} does not lie in ../shared/nhsa/facts beside this checkout")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_published_row_is_the_source_of_a_point_and_every_code_is_covered(
    published: list[PublishedItem], sources: Sources
) -> None:
    assert (len(published), sum(len(item.codes) for item in published)) == (3898, 30264)
    named = {row: point for point in sources.points for row in point.source_rows.split(SOURCE_MARK)}
    assert [item.source_row for item in published if item.source_row not in named] == []
    assert {row for row in named if not row.startswith(ALSO_LISTED)} <= {item.source_row for item in published}
    rules = {point.point_id: point.rule_id for point in sources.points}
    covered = {(rules[row.point_id], row.code) for row in sources.patterns}
    rule_of = {spec.name: spec.rule_id for spec in RULES} | {"中药饮片单方使用不予支付": "herb-single"}
    missing = [
        (item.source_row, code)
        for item in published
        for code in item.codes
        if not {(rule_of[item.rule], part) for part in (code, code[:14], code[:11])} & covered
    ]
    assert missing == []


def test_courses_are_those_that_a_person_reads(published_folder: Path, published: list[PublishedItem]) -> None:
    rows = facts(published_folder, "batch06_course.csv")
    read = {
        (batch, str(item.seq)): dict(item.limits.cells)
        for batch in SPEC["drug-course"].batches
        for item in items_of(SPEC["drug-course"], batch, published)
    }
    assert read == {
        (row["batch"], row["seq"]): {
            "quota": "course", "quota_most": int(row["limit_number"]), "quota_unit": "month" if row["limit_unit"] == "个月" else "day",
            "course_scope": "stay" if row["scope"] == "single_stay" else "episode",
        }
        for row in rows
    }  # fmt: skip


def test_quantities_of_services_are_those_that_a_person_reads(
    published_folder: Path, published: list[PublishedItem], compiled_facts: CompiledFacts
) -> None:
    rows = {(row["rule"], int(row["seq"])): row for row in facts(published_folder, "batch08_limits.csv")}
    counts: Counter[str] = Counter()
    for rule in ("service-course", "service-frequency", "service-cycle"):
        for item in items_of(SPEC[rule], "08", published, compiled_facts):
            row, cells = rows[item.rule, item.seq], dict(item.limits.cells)
            counts[rule] += 1
            assert ([row["code"]], int(row["max_qty"])) == (list(item.codes), cells["quota_most"])
            unit = "day" if row["unit"] == "day_of_use" else row["unit"]
            assert (unit, row["window_n"] if rule == "service-cycle" else "") == (
                cells["quota_unit"],
                str(cells.get("window_days", "")),
            )
    assert counts == {"service-course": 11, "service-frequency": 67, "service-cycle": 14}


def test_groups_of_operations_and_pairs_are_the_published_ones(published_folder: Path, sources: Sources) -> None:
    codes: dict[tuple[str, str], list[str]] = {}
    for row in sources.patterns:
        codes.setdefault((row.point_id, row.role), []).append(row.code)
    groups = [
        (point.limits["incision_group"], codes[point.point_id, "item"])
        for point in sources.points
        if point.rule_id == "surgery-discount"
    ]
    rows = facts(published_folder, "batch02_groups.csv")
    assert sorted(groups) == sorted((row["incision_group"], [row["code"]]) for row in rows)
    intervals = {"day": "单日", "visit": "单次就诊", "six_hours": "6小时", "one_hour": "同一小时"}
    pairs = [
        (
            *codes[point.point_id, "container"],
            *codes[point.point_id, "item"],
            intervals[str(point.limits["pair_interval"])],
        )
        for point in sources.points
        if point.rule_id == "service-pair"
    ]
    assert sorted(pairs) == sorted(
        (row["a_code"], row["b_code"], row["interval"]) for row in facts(published_folder, "batch07_pairs.csv")
    )


def test_the_class_of_a_second_line_drug_is_that_of_its_codes(sources: Sources) -> None:
    first = {row.point_id: row.code[:4] for row in sources.patterns}
    points = [point for point in sources.points if point.rule_id == "drug-second-line"]
    assert len(points) == 110
    for point in points:
        own = first[point.point_id]
        assert point.limits["drug_class"] == ("XL01|XL02|XL04" if own in ("XL01", "XL02", "XL04") else own)
        assert str(point.limits["to_check"]).startswith("一线药品使用无效或不能耐受的证据")


def test_indications_are_marked_as_our_own_and_what_diagnoses_do_not_tell_is_on_trial(sources: Sources) -> None:
    points = {point.point_id: point for point in sources.points if point.rule_id == "drug-indication"}
    assert len(points) == 510
    assert {point.remark for point in points.values()} == {"own_compilation"}
    assert Counter(point.status for point in points.values()) == {"active": 476, "shadow": 34}
    assert all(len(prefix) >= 3 for point in points.values() for prefix in str(point.limits["indications"]).split("|"))
    liraglutide, chemotherapy = points["drug-indication-12-0026"], points["drug-indication-12-0002"]
    assert (liraglutide.limits["indications"], liraglutide.limits["unspecified"]) == ("E11", "E14|O24")
    assert (liraglutide.limits["is_chronic"], liraglutide.valid_from) == ("yes", date(2026, 5, 23))
    # 放化疗 alone names no disease.
    assert chemotherapy.status == "shadow"
    # HIV 阴性 is no indication: Castleman's disease is.
    assert "D47.7" in str(points["drug-indication-17-0216"].limits["indications"]).split("|")


def test_no_code_is_in_two_rows_of_indications_that_say_otherwise(sources: Sources) -> None:
    """So that no merge has to unite two indications of one drug: rows that share a family or code are limited alike."""
    limits: dict[str, set[object]] = {}
    indications = {
        point.point_id: point.limits["indications"] for point in sources.points if point.rule_id == "drug-indication"
    }
    for row in sources.patterns:
        if row.point_id in indications:
            limits.setdefault(row.code, set()).add(indications[row.point_id])
    assert [code for code, said in limits.items() if len(said) > 1] == []
