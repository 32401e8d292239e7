"""The terms of the edition and of imported workbooks, held against what was read out of the published texts by hand."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from checker.knowledge.compile_rules import RULES, items_of
from checker.knowledge.import_request import ImportRequest
from checker.knowledge.importing import import_workbooks
from checker.knowledge.merge.covers import BY_FAMILY
from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.published import PublishedItem
from checker.knowledge.resolve import open_plan
from checker.knowledge.rows import PointRow
from checker.knowledge.sheets.known_rules import known_rules
from checker.knowledge.source import open_knowledge

SPEC = {spec.rule_id: spec for spec in RULES}
IMPORTED = {
    "11-batch03-药品限工伤保险.xlsx": ("drug-injury-insurance", "03", date(2025, 7, 30)),
    "11-batch03-药品限生育保险.xlsx": ("drug-maternity-insurance", "03", date(2025, 7, 30)),
    "11-batch04-药品限就医方式.xlsx": ("drug-visit-mode", "04", date(2025, 8, 8)),
    "11-batch05-药品限医疗机构级别.xlsx": ("drug-institution-level", "05", date(2025, 8, 14)),
    "11-batch10-超互联网医院药品支付范围.xlsx": ("drug-online", "10", date(2026, 4, 28)),
}


def facts(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / "facts" / name
    if not path.is_file():
        pytest.skip(f"{name} does not lie in ../shared/nhsa/facts beside this checkout")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def terms(rule_id: str, published: list[PublishedItem]) -> dict[tuple[str, str], dict[str, str | int]]:
    """What was read of each item, by batch and number."""
    spec = SPEC[rule_id]
    return {
        (batch, str(item.seq)): dict(item.limits.cells)
        for batch in spec.batches
        for item in items_of(spec, batch, published)
    }


def test_the_care_of_every_item_is_the_one_that_a_person_reads(
    published_folder: Path, published: list[PublishedItem]
) -> None:
    rows = facts(published_folder, "batch04_visit_mode.csv")
    assert len(rows) == 76
    assert terms("drug-visit-mode", published) == {
        (row["batch"], row["seq"]): {"care_groups": row["allowed_modes"]} for row in rows
    }


def test_the_level_of_every_item_is_the_one_that_a_person_reads(
    published_folder: Path, published: list[PublishedItem]
) -> None:
    rows = facts(published_folder, "batch05_levels.csv")
    assert len(rows) == 123
    expected: dict[tuple[str, str], dict[str, str | int]] = {}
    for row in rows:
        cells: dict[str, str | int] = {"min_rank": int(row["min_level"][0])}
        if row["min_level"] == "3_or_2_eye_specialty":
            cells["rank_case"] = "eye"
        elif row["first_prescription_only"] == "1":
            cells["rank_case"] = "first_prescription"
        expected[row["batch"], row["seq"]] = cells
    assert terms("drug-institution-level", published) == expected


def test_the_known_rules_read_the_limits_that_the_compiler_reads() -> None:
    known = known_rules(open_plan())
    assert {name: rule for name, rule in known.items() if rule.terms} == {
        spec.name: known[spec.name] for spec in RULES if spec.terms
    }
    assert {spec.name: (known[spec.name].code, known[spec.name].terms) for spec in RULES} == {
        spec.name: (spec.rule_code, spec.terms) for spec in RULES
    }


def without_source(point: PointRow) -> tuple[object, ...]:
    return (point.point_id, point.item_name, point.subject, point.valid_from, point.valid_to, dict(point.limits))


@pytest.mark.parametrize("name", IMPORTED)
def test_a_published_workbook_becomes_the_points_of_its_batch(
    published_folder: Path, published: list[PublishedItem], tmp_path: Path, name: str
) -> None:
    layouts = published_folder / "layouts"
    if not (layouts / name).is_file():
        pytest.skip(f"{name} does not lie in ../shared/nhsa/layouts beside this checkout")
    (told,) = (
        row for row in json.loads((layouts / "manifest.json").read_text(encoding="utf-8")) if row["file"] == name
    )
    rule_id, batch, day = IMPORTED[name]
    out = tmp_path / "kb"
    imported, _ = import_workbooks(
        ImportRequest([layouts / name], out, batch, day, expect=told["expect_codes"], cover=BY_FAMILY), open_plan()
    )
    (workbook,) = imported.workbooks
    assert (len(workbook.items), workbook.codes) == (told["expect_items"], told["expect_codes"])
    ours = {item.seq: item for item in items_of(SPEC[rule_id], batch, published)}
    assert {item.seq: (item.limits, item.codes, item.text) for item in workbook.items} == {
        seq: (item.limits, item.codes, item.text) for seq, item in ours.items()
    }
    assert sum(text.items for text in workbook.texts) == told["expect_items"]
    assert {text.text: dict(text.terms) for text in workbook.texts} == {
        item.text: dict(item.limits.cells) for item in ours.values()
    }
    points = open_knowledge(out).points
    assert {point.rule_id for point in points} == {rule_id}
    assert len(points) == told["expect_items"]
    assert all(point.limits["terms_text"] == ours[int(point.point_id[-4:])].text for point in points)


def test_the_update_onto_a_workbook_gives_the_points_of_the_edition(
    published_folder: Path, published: list[PublishedItem], built: Path, tmp_path: Path
) -> None:
    """The level's list as a workbook, then that of the update as a table of text, in the mode of the edition."""
    workbook = published_folder / "layouts" / "11-batch05-药品限医疗机构级别.xlsx"
    if not workbook.is_file():
        pytest.skip("the workbooks do not lie in ../shared/nhsa/layouts beside this checkout")
    plan, first, both = open_plan(), tmp_path / "first", tmp_path / "both"
    import_workbooks(ImportRequest([workbook], first, "05", date(2025, 8, 14), cover=BY_FAMILY), plan)
    update = tmp_path / "药品限医疗机构级别.csv"
    with update.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["序号", "药品通用名", "检出逻辑", "逻辑依据", "药品代码"])
        for item in items_of(SPEC["drug-institution-level"], "2026-01", published):
            out.writerow(
                [item.seq, item.item_name, "使用药品的医疗机构级别低于限定级别", item.text, " ".join(item.codes)]
            )
    request = ImportRequest(
        [update], both, "2026-01", date(2026, 1, 28), Mode.REPLACE, open_knowledge(first), cover=BY_FAMILY
    )
    import_workbooks(request, plan)
    ours = [without_source(point) for point in open_knowledge(both).points]
    assert ours == [
        without_source(point) for point in open_knowledge(built).points if point.rule_id == "drug-institution-level"
    ]
