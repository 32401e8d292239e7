"""The checks of a knowledge base: each finds its fault, and is silent about what only looks like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from checker.knowledge.build import build
from checker.knowledge.cell_reader import Faults
from checker.knowledge.checks.issue import Issue
from checker.knowledge.checks.layers import read_layer
from checker.knowledge.checks.registry import VALIDATORS
from checker.knowledge.checks.run import Checked, check_knowledge
from checker.knowledge.checks.validator import Validator
from checker.knowledge.example_text import read_examples
from checker.knowledge.frames import family_column
from checker.knowledge.resolve import open_plan
from checker.knowledge.source import read_sources
from checker.model.errors import InputError
from tests.knowledge.small_kb import (
    DRUG,
    EXEMPTION,
    PATTERNS,
    POINT_COLUMNS,
    POINTS,
    SERVICE,
    Kb,
    changed,
    code,
    exemption,
    family,
    more,
    point,
)

DAY = date(2026, 3, 1)
RULES = open_plan().rules
P3_CODE = "ZA01BAX0510010100001"
OTHER = "XG04CBA088A001010101999"


@dataclass(frozen=True)
class Example:
    """What a check finds: the place of its one issue, and a knowledge base that is close to it and sound."""

    bad: Kb
    file: str
    row: int | None
    key: str | None
    column: str
    good: Kb = Kb()  # noqa: RUF009


def without(point_id: str, rows: Sequence[dict[str, str]] = PATTERNS) -> list[dict[str, str]]:
    return [dict(row) for row in rows if row["point_id"] != point_id]


EXAMPLES: dict[str, list[Example]] = {
    "columns": [
        Example(Kb(point_columns=POINT_COLUMNS[:-3]), "point.csv", 1, None, "",
                Kb(point_columns=POINT_COLUMNS[:-2])),
    ],
    "value": [
        Example(changed("p1", sex="x"), "item.csv", 2, "p1", "sex"),
        Example(Kb(exemptions=EXEMPTION.replace('"lower"', '"weaken"')), "exemption.toml", 2, "e1", "effect"),
    ],
    "unsafe-text": [
        Example(changed("p1", item_name="=HYPERLINK(1)"), "point.csv", 2, "p1", "item_name", changed("p1", item_name="爱普列特片（<14岁）")),
        Example(changed("p1", item_name="爱普列特\u202e片"), "point.csv", 2, "p1", "item_name"),
        Example(changed("p1", remark="<img src=x>"), "point.csv", 2, "p1", "remark", changed("p1", remark="<14岁")),
    ],
    "code-shape": [
        Example(more(patterns=[code("p1", OTHER[:-1])]), "pattern.csv", 7, "p1", "code", more(patterns=[code("p1", OTHER)])),
        Example(more(patterns=[family("p1", OTHER)]), "pattern.csv", 7, "p1", "code"),
        Example(more(patterns=[code("p1", "XG04CBA088A00101010146Ａ")]), "pattern.csv", 7, "p1", "code"),
    ],
    "reference": [
        Example(more(patterns=[code("p9", OTHER)]), "pattern.csv", 7, "p9", "point_id"),
        Example(Kb(patterns=without("p1")), "point.csv", 2, "p1", "point_id"),
        Example(changed("p1", superseded_by="p9"), "point.csv", 2, "p1", "superseded_by",
                changed("p1", superseded_by="p2", valid_to="2026-01-28")),
    ],
    "duplicate-pattern": [
        Example(more(patterns=[family("p1", "XG04CBA088A001")]), "pattern.csv", 7, "p1", "code"),
    ],
    "age-bounds": [
        Example(changed("p4", age_max="14"), "item.csv", 5, "p4", "age_text"),
        Example(changed("p4", age_text="12-3岁", age_min="12", age_max="4"), "item.csv", 5, "p4", "age_max"),
        Example(changed("p4", age_text="3岁至30个月", age_max="30", age_max_unit="month"), "point.csv", 5, "p4", "age_min",
                changed("p4", age_text="3岁至40个月", age_max="41", age_max_unit="month")),
        Example(changed("p4", age_text=">=18岁", age_min="18", age_max="", age_max_unit=""), "point.csv", 5, "p4", "age_min",
                changed("p4", age_text=">=3岁", age_max="", age_max_unit="")),
    ],
    "validity": [
        Example(changed("p1", valid_to="2025-05-23"), "point.csv", 2, "p1", "valid_to", changed("p1", valid_to="2025-05-24")),
    ],
    "far-date": [
        Example(changed("p1", valid_from="2015-05-23"), "point.csv", 2, "p1", "valid_from", changed("p1", valid_from="2017-05-23")),
        Example(changed("p1", valid_from="2062-05-23"), "point.csv", 2, "p1", "valid_from", changed("p1", valid_from="2027-01-01")),
        Example(changed("p1", valid_to="2099-12-31"), "point.csv", 2, "p1", "valid_to", changed("p1", valid_to="2030-12-31")),
        Example(Kb(exemptions=EXEMPTION + "valid_to = 2062-01-28\n"), "exemption.toml", 2, "e1", "valid_to"),
    ],
    "unknown-region": [
        Example(changed("p1", region="73", region_of="insured"), "point.csv", 2, "p1", "region", changed("p1", region="37", region_of="insured")),
        Example(more(exemptions=exemption("e2", "drug-sex", stands_by="true", region='"90"', region_of='"insured"')), "exemption.toml", 13, "e2", "region"),
    ],
    "blanket-exemption": [
        Example(more(exemptions=exemption("e2", "drug-sex")), "exemption.toml", 13, "e2", "items",
                more(exemptions=exemption("e2", "drug-sex", diagnoses='["J00"]') + exemption("e3", "drug-sex", effect='"lower"'))),
    ],
    "missing-evidence": [
        Example(changed("p1", source_rows=""), "point.csv", 2, "p1", "source_rows"),
        Example(changed("p1", document=" "), "point.csv", 2, "p1", "document"),
        Example(changed("p1", document="（见附件1）"), "point.csv", 2, "p1", "document", changed("p1", document="公告（见附件1）")),
        Example(more(exemptions=exemption("e2", "drug-sex", diagnoses='["J00"]', evidence='"同上"')), "exemption.toml", 13, "e2", "evidence",
                more(exemptions=exemption("e2", "drug-sex", diagnoses='["J00"]', evidence='"同上述公告"'))),
    ],
    "no-limit": [Example(changed("p1", sex=""), "item.csv", 2, "p1", "sex")],
    "example": [
        Example(Kb(examples=f"p1,match,{P3_CODE}"), "example.csv", 2, "p1", "code", Kb(examples=f"p1,match,{OTHER}\np3,match,{P3_CODE}")),
        Example(Kb(examples=f"p1,no_match,{OTHER}"), "example.csv", 2, "p1", "code", Kb(examples=f"p1,no_match,{P3_CODE}")),
        Example(Kb(examples=f"p9,match,{OTHER}"), "example.csv", 2, "p9", "id"),
        Example(Kb(examples=f"e1,match,{P3_CODE}"), "example.csv", 2, "e1", "code"),
    ],
    "unknown-rule": [
        Example(changed("p1", rule_id="drug-sexx"), "point.csv", 2, "p1", "rule_id"),
        Example(more(exemptions=exemption("e2", "no-rule", stands_by="true")), "exemption.toml", 13, "e2", "rule"),
    ],
    "other-shape": [Example(changed("p1", sex="", companions="herb_piece"), "point.csv", 2, "p1", "rule_id")],
    "other-kind": [
        Example(more(patterns=[code("p1", SERVICE)]), "pattern.csv", 7, "p1", "code", more(patterns=[code("p1", OTHER)])),
        Example(more(patterns=[code("p5", P3_CODE)]), "pattern.csv", 7, "p5", "code"),
    ],
    "unread-point": [
        Example(changed("p3", rule_id="drug-sex"), "point.csv", 4, "p3", "sex"),
        Example(changed("p1", rule_id="drug-child-only"), "point.csv", 2, "p1", "age_word"),
    ],
    "unread-limit": [
        Example(changed("p1", age_word="儿童"), "point.csv", 2, "p1", "age_word"),
        Example(changed("p3", sex="female"), "point.csv", 4, "p3", "sex"),
    ],
    "both-sexes": [
        Example(more([point("p6", "drug-sex", "爱普列特片", sex="female")], [family("p6", "XG04CBA088A001")]),
                "point.csv", 2, "p1", "sex",
                more([point("p6", "drug-sex", "爱普列特片", sex="male")], [family("p6", "XG04CBA088A001")])),
        Example(more([point("p6", "service-sex", "爱普列特片", sex="female")], [code("p6", OTHER)]), "point.csv", 2, "p1", "sex",
                more([point("p6", "service-sex", "爱普列特片", sex="female", region="37", region_of="insured", status="shadow")],
                     [code("p6", OTHER)])),
        Example(more([point("p6", "service-sex", "别的", sex="female", region="37", region_of="insured")], [code("p6", SERVICE)]),
                "point.csv", 6, "p5", "sex",
                more([point("p6", "service-sex", "别的", sex="female", valid_from="2025-01-01", valid_to="2025-05-23")],
                     [code("p6", SERVICE)])),
    ],
    "superseded-by": [
        Example(changed("p1", superseded_by="p2"), "point.csv", 2, "p1", "superseded_by",
                changed("p1", superseded_by="p2", valid_to="2026-01-28")),
        Example(changed("p1", superseded_by="p1", valid_to="2026-01-28"), "point.csv", 2, "p1", "superseded_by"),
        Example(changed("p1", superseded_by="p3", valid_to="2026-01-28"), "point.csv", 2, "p1", "superseded_by"),
        Example(more([point("p6", "drug-sex", "x", sex="male", valid_to="2026-01-28", superseded_by="p7"),
                      point("p7", "drug-sex", "y", sex="male", valid_to="2025-12-01")],
                     [code("p6", OTHER), code("p7", OTHER.replace("999", "998"))]), "point.csv", 7, "p6", "superseded_by"),
    ],
    "duplicate-point": [
        Example(more([point("p1", "drug-sex", "别的", sex="male")]), "point.csv", 7, "p1", "point_id"),
        Example(more([point("p6", "drug-sex", "爱普列特片", sex="male", batch="02")], [family("p6", "XG04CBA088A001")]),
                "point.csv", 7, "p6", "item_name",
                more([point("p6", "drug-sex", "爱普列特片", sex="male", valid_from="2026-01-28"),
                      point("p7", "drug-sex", "爱普列特片", sex="male", valid_to="2026-01-28")],
                     [code("p6", OTHER), code("p7", OTHER)])),
        Example(more([point("p6", "drug-sex", "爱普列特片（薄膜衣）", sex="male")], [family("p6", "XG04CBA088A001")]),
                "point.csv", 7, "p6", "item_name"),
    ],
    "limits-overlap": [
        Example(more([point("p6", "drug-child-only", "小儿清热颗粒", age_word="新生儿")], [code("p6", P3_CODE)]),
                "point.csv", 7, "p6", "item_name",
                more([point("p6", "drug-child-limited", "小儿清热颗粒", age_word="新生儿")], [code("p6", P3_CODE)])),
        Example(more([point("p6", "drug-child-only", "小儿清热颗粒", age_word="新生儿"), point("p7", "drug-child-only", "小儿清热颗粒", age_word="儿童")],
                     [code("p6", OTHER), family("p7", OTHER[:14])]), "point.csv", 7, "p6", "item_name",
                more([point("p6", "drug-child-only", "小儿清热颗粒", age_word="儿童"), point("p7", "drug-child-only", "小儿清热颗粒", age_word="儿童")],
                     [code("p6", OTHER), family("p7", OTHER[:14])])),
    ],
    "validity-gap": [
        Example(more([point("p6", "drug-sex", "甲", sex="male", valid_from="2024-01-01", valid_to="2025-01-01")],
                     [family("p6", "XG04CBA088A001")]), "point.csv", 2, "p1", "valid_from",
                more([point("p6", "drug-sex", "甲", sex="male", valid_from="2024-01-01", valid_to="2025-05-23")],
                     [family("p6", "XG04CBA088A001")])),
    ],
    "name-and-limit": [
        Example(changed("p2", sex="male"), "point.csv", 3, "p2", "sex", changed("p2", item_name="二至丸（女贞子）", sex="male")),
        Example(changed("p5", sex="female"), "point.csv", 6, "p5", "sex", changed("p5", item_name="前列腺素E1乳膏", sex="female")),
        Example(changed("p3", age_text=">=18岁", age_min="18", age_min_unit="year"), "point.csv", 4, "p3", "age_min",
                changed("p3", age_text=">=3岁", age_min="3", age_min_unit="year")),
        Example(changed("p3", item_name="成人退热颗粒"), "point.csv", 4, "p3", "age_word", changed("p3", item_name="成人小儿通用颗粒")),
    ],
    "family-of-another": [
        Example(more([point("p6", "drug-child-only", "爱普列特胶囊", age_word="儿童")], [code("p6", OTHER)]),
                "point.csv", 2, "p1", "code",
                more([point("p6", "drug-child-only", "爱普列特片（小儿用）", age_word="儿童")], [code("p6", OTHER)])),
        Example(more([point("p6", "drug-sex", "爱普列特胶囊", sex="female")], [code("p6", OTHER)]), "point.csv", 2, "p1", "code",
                more([point("p6", "drug-sex", "爱普列特胶囊", sex="male")], [code("p6", OTHER)])),
        Example(more([point("p6", "drug-child-only", "爱普列特胶囊", age_word="儿童"), point("p7", "drug-child-only", "爱普列特片", age_word="儿童")],
                     [code("p6", OTHER), code("p7", DRUG)]), "point.csv", 2, "p1", "code",
                more([point("p6", "drug-child-only", "爱普列特胶囊", age_word="儿童"), point("p7", "drug-child-only", "爱普列特片", age_word="儿童"),
                      point("p8", "drug-sex", "爱普列特胶囊", sex="male", batch="02")],
                     [code("p6", OTHER), code("p7", DRUG), code("p8", OTHER)])),
        Example(more([point("p6", "drug-sex", "爱普列特胶囊", sex="male", status="shadow")], [code("p6", OTHER)]), "point.csv", 2, "p1", "code"),
        Example(more([point("p6", "drug-sex", "爱普列特胶囊", sex="male", region="37", region_of="insured")], [code("p6", OTHER)]),
                "point.csv", 2, "p1", "code"),
    ],
    "name-of-another": [
        Example(more([point("p6", "drug-sex", "甲睾酮片", sex="male")], [family("p6", "XH01ACR108X999")]),
                "point.csv", 7, "p6", "code",
                more([point("p6", "drug-sex", "人生长激素喷雾", sex="male")], [family("p6", "XH01ACR108X999")])),
    ],
    "unrelated-names": [
        Example(more([point("p6", "drug-sex", "甲睾酮片", sex="male")], [code("p6", "ZA01BAX0510010100002")]),
                "point.csv", 4, "p3", "code",
                more([point("p6", "drug-sex", "清热消炎片", sex="male")], [code("p6", "ZA01BAX0510010100002")])),
    ],
    "two-families": [
        Example(more(patterns=[code("p1", "XL02BBA326A001010102180")]), "point.csv", 2, "p1", "code",
                more(patterns=[code("p1", "XG04CBA088A017010101467")])),
        Example(more([point("p6", "drug-child-only", "小儿清热颗粒", age_word="新生儿")], [code("p6", "ZA01BAX0999010100001")]),
                "point.csv", 4, "p3", "code",
                more([point("p6", "drug-child-only", "小儿清热颗粒", age_word="儿童", subject="参保人")],
                     [code("p6", "ZA01BAX0999010100001")])),
    ],
    "wholly-exempt": [
        Example(more(exemptions=exemption("e2", "drug-child-only", items='[{match="name", value="小儿清热颗粒（无糖）"}]')),
                "point.csv", 4, "p3", "point_id",
                more(exemptions=exemption("e2", "drug-child-only", items='[{match="name", value="小儿清热颗粒"}]', diagnoses='["J00"]'))),
        Example(more(exemptions=exemption("e2", "drug-sex", items='[{match="family", value="XG04CBA088A001"}]')),
                "point.csv", 2, "p1", "point_id",
                more(exemptions=exemption("e2", "drug-sex", items=f'[{{match="code", value="{OTHER}"}}]'))),
        Example(more(exemptions=exemption("e2", "service-sex")), "point.csv", 6, "p5", "point_id",
                more(exemptions=exemption("e2", "service-sex", region='"37"', region_of='"insured"')
                     + exemption("e3", "service-sex", valid_to="2027-01-01") + exemption("e4", "service-sex", effect='"lower"'))),
    ],
    "expired-exemption": [
        Example(Kb(exemptions=EXEMPTION + "valid_to = 2026-01-28\n"), "exemption.toml", 2, "e1", "valid_to",
                Kb(exemptions=EXEMPTION + "valid_to = 2026-03-02\n")),
    ],
    "local-code-covered": [
        Example(Kb(crosswalk=f"{SERVICE},甲,{DRUG},,,依据\nL1,,{DRUG},,,依据"), "crosswalk.csv", 2, SERVICE, "local_code",
                Kb(crosswalk=f"L1,甲,{SERVICE},,,依据")),
    ],
    "crosswalk-without-point": [
        Example(Kb(crosswalk=f"L1,,{SERVICE},,,依据\nL2,,002501040049999,,,依据\nL3,,002501040049999,,,依据"), "crosswalk.csv", 3, "L2",
                "national_code", Kb(crosswalk=f"L1,,{OTHER},,,依据")),
    ],
    "unneeded-exemption": [
        Example(more(exemptions=exemption("e2", "drug-sex", stands_by="true", items='[{match="name", value="坦索罗辛"}]')),
                "exemption.toml", 13, "e2", "items",
                more(exemptions=exemption("e2", "drug-sex", items=f'[{{match="code", value="{OTHER}"}}]'))),
    ],
}  # fmt: skip
"""For every check what it must find, and what it must leave alone."""


def checked(folder: Path, **options: object) -> Checked:
    return check_knowledge([read_layer(folder)], RULES, DAY, **options)  # type: ignore[arg-type]


OF_LAYERS = "override"
"""The check that only finds something in layers: the test of a supplement on top of its base has its example."""
CASES = [
    (validator, number)
    for validator in VALIDATORS
    if validator.id != OF_LAYERS
    for number in range(len(EXAMPLES.get(validator.id, [None])))
]


@pytest.mark.parametrize(("validator", "number"), CASES, ids=[f"{each.id}-{number}" for each, number in CASES])
def test_a_check_finds_its_fault_and_nothing_near_it(validator: Validator, number: int, tmp_path: Path) -> None:
    assert validator.id in EXAMPLES, "a check needs an example that fails and one that passes"
    example = EXAMPLES[validator.id][number]
    found = checked(example.bad.write(tmp_path / "bad"), only=[validator.id]).issues
    places = [(issue.place.file, issue.place.row, issue.place.key, issue.column or "") for issue in found]
    assert (f"{tmp_path}/bad/{example.file}", example.row, example.key, example.column) in places
    assert len(places) == 1
    assert checked(example.good.write(tmp_path / "good"), only=[validator.id]).issues == ()


def test_ids_are_unique_and_every_text_is_in_both_languages() -> None:
    assert len({validator.id for validator in VALIDATORS}) == len(VALIDATORS)
    for validator in VALIDATORS:
        for said in (validator.title, validator.hint):
            assert not said.zh.isascii()
            assert said.en
            assert all(ord(letter) < 0x3000 for letter in said.en.replace("岁", "")), validator.id


def test_the_sound_knowledge_base_has_no_issue(tmp_path: Path) -> None:
    assert checked(Kb().write(tmp_path)).issues == ()


def told(issues: Sequence[Issue]) -> list[tuple[str, str, str | None]]:
    return [(issue.validator, issue.severity, issue.place.key) for issue in issues]


def test_the_embedded_edition_has_no_error_and_one_warning_that_its_publication_deserves(source_folder: Path) -> None:
    found = checked(source_folder)
    assert (found.count("error"), found.count("warning")) == (0, 1)
    families = sorted(each for each in told(found.issues) if each[0] == "two-families")
    # 当归调经颗粒 is published with codes of 内科用药 (ZA09) and 妇科用药 (ZD01). Of the others, each family is an item of its own in one list,
    # which differs from the next in parentheses only.
    assert families == [
        ("two-families", "info", "drug-indication-12-0007"),
        ("two-families", "info", "drug-indication-13-0012"),
        ("two-families", "warning", "drug-sex-01-0247b"),
    ]
    assert told(found.issues)[-1] == ("unneeded-exemption", "info", "drug-sex-tamsulosin")
    twice = [issue for issue in found.issues if issue.validator == "duplicate-point"]
    assert {issue.severity for issue in twice} == {"info"}
    # Families in rows of one item each, and in rows of items that are limited alike (such as morphine as sulphate and as hydrochloride).
    assert len({issue.message.en.split()[1] for issue in twice}) == 30


def test_a_built_knowledge_base_has_the_same_issues_without_rows(tmp_path: Path) -> None:
    bad = more(
        [point("p6", "drug-sex", "爱普列特片", sex="female"), point("p7", "drug-child-only", "妇科千金片", age_word="新生儿")],
        [family("p6", "XG04CBA088A001"), code("p7", P3_CODE)],
        exemption("e2", "drug-sex", stands_by="true", items='[{match="name", value="坦索罗辛"}]'),
    )  # fmt: skip
    build(bad.write(tmp_path / "text"), tmp_path / "built")
    text, built = checked(tmp_path / "text"), checked(tmp_path / "built")
    assert {issue.validator for issue in text.issues} >= {"both-sexes", "limits-overlap", "unneeded-exemption"}
    assert told(text.issues) == told(built.issues)
    assert {issue.place.row for issue in built.issues} == {None}
    assert {Path(issue.place.file).name for issue in built.issues} == {"point.parquet", "exemption.parquet"}


def test_a_fault_of_reading_does_not_keep_the_other_checks_from_the_other_rows(tmp_path: Path) -> None:
    bad = changed("p1", sex="x")
    points = [*bad.points, point("p6", "service-sex", "前列腺按摩", sex="female")]
    found = checked(Kb(points, [*PATTERNS, code("p6", SERVICE)]).write(tmp_path))
    assert ("value", "error", "p1") in told(found.issues)
    assert ("both-sexes", "error", "p5") in told(found.issues)
    # The faulty row is not misread: its point is neither without limit nor unread.
    assert {name for name, _, key in told(found.issues) if key == "p1"} == {"value"}


def test_a_broken_header_is_told_alone(tmp_path: Path) -> None:
    found = checked(Kb(point_columns=POINT_COLUMNS[:-3]).write(tmp_path))
    assert [(issue.validator, issue.place.row) for issue in found.issues] == [("columns", 1)]
    assert "source_rows" in found.issues[0].message.en


def test_a_supplement_is_checked_on_top_of_its_base(tmp_path: Path) -> None:
    base = Kb().write(tmp_path / "base")
    local = Kb(
        [point("x1", "drug-sex", "爱普列特片", sex="male", region="37", region_of="insured"), POINTS[2] | {"sex": "female"}],
        [family("x1", "XG04CBA088A001"), PATTERNS[2]],
        "",
    ).write(tmp_path / "local")  # fmt: skip
    alone = checked(local)
    assert told(alone.issues) == [("unread-limit", "warning", "p3")]
    layers = [read_layer(base), read_layer(local)]
    together = check_knowledge(layers, RULES, DAY)
    assert together.points == len(POINTS) + 1
    assert told(together.issues) == [
        ("duplicate-point", "warning", "x1"),
        ("unread-limit", "warning", "p3"),
        ("override", "info", "p3"),
    ]
    assert together.issues[1].place.file.endswith("local/point.csv")


def test_a_regional_point_that_differs_is_worth_knowing_only(tmp_path: Path) -> None:
    local = point("p6", "drug-child-only", "小儿清热颗粒", age_word="新生儿", region="37", region_of="insured")
    found = checked(more([local], [code("p6", P3_CODE)]).write(tmp_path))
    assert told(found.issues) == [("limits-overlap", "info", "p6")]
    assert "由 p6 判断" in found.issues[0].message.zh


def test_a_code_in_another_items_family_is_judged_by_its_own_point_within_one_rule(tmp_path: Path) -> None:
    capsules = point("p6", "drug-sex", "爱普列特胶囊", sex="female")
    found = checked(more([capsules], [code("p6", OTHER)]).write(tmp_path / "one"))
    assert told(found.issues) == [("family-of-another", "error", "p1")]
    found = checked(more([capsules | {"rule_id": "service-sex"}], [code("p6", OTHER)]).write(tmp_path / "two"))
    assert ("both-sexes", "error", "p1") in told(found.issues)


def test_each_family_of_this_checkout_has_an_example_within_it_and_one_beside_it() -> None:
    sources = Path(__file__).parents[2] / "knowledge_base" / "sources"
    examples = read_examples(sources, Faults()).with_columns(family_column(pl.col("code")).alias("family"))
    families = read_sources(sources).pattern.filter(pl.col("match") == "family").select(id="point_id", family="code")
    within = examples.filter(pl.col("expect") == "match")
    assert families.join(within, on=["id", "family"], how="anti").is_empty()
    beside = examples.filter(pl.col("expect") == "no_match")
    assert families.join(beside, on="id", how="anti").is_empty()


def test_a_family_whose_other_item_somebody_has_looked_at_is_told_and_no_error(tmp_path: Path) -> None:
    capsules = point("p6", "drug-child-only", "爱普列特胶囊", age_word="儿童")
    points = [row | {"remark": "前段已核对：胶囊同样限男性"} if row["point_id"] == "p1" else row for row in POINTS]
    found = checked(
        Kb(points=[*points, capsules], patterns=[*PATTERNS, code("p6", OTHER)]).write(tmp_path),
        only=["family-of-another"],
    )
    assert told(found.issues) == [("family-of-another", "info", "p1")]


def test_two_items_that_different_rules_limit_by_one_family_are_both_told(tmp_path: Path) -> None:
    capsules = point("p6", "drug-child-only", "爱普列特胶囊", age_word="儿童")
    found = checked(more([capsules], [family("p6", "XG04CBA088A001")]).write(tmp_path), only=["family-of-another"])
    assert [key for _, _, key in told(found.issues)] == ["p1", "p6"]


def test_a_gap_that_a_family_or_the_whole_country_covers_is_none(tmp_path: Path) -> None:
    place = {"region": "37", "region_of": "insured"}
    first, later = {"valid_to": "2026-01-01"}, {"valid_from": "2026-02-01"}
    points = [
        point("p6", "drug-sex", "爱普列特片", sex="male", **first), point("p7", "drug-sex", "爱普列特片", sex="male", **later),
        point("p8", "service-sex", "前列腺按摩", sex="male", **place, **first),
        point("p9", "service-sex", "前列腺按摩", sex="male", **place, **later),
    ]  # fmt: skip
    codes = [code("p6", OTHER), code("p7", OTHER), code("p8", SERVICE), code("p9", SERVICE)]
    assert checked(more(points, codes).write(tmp_path / "covered"), only=["validity-gap"]).issues == ()
    alone = Kb(points, codes, "").write(tmp_path / "alone")
    assert [key for _, _, key in told(checked(alone, only=["validity-gap"]).issues)] == ["p7", "p9"]


def test_an_ended_exemption_that_another_follows_is_history(tmp_path: Path) -> None:
    ended = EXEMPTION + "valid_to = 2026-01-28\n"
    follows = EXEMPTION.replace('"e1"', '"e2"').replace("valid_from = 2025-05-23", "valid_from = 2026-01-28")
    assert checked(Kb(exemptions=ended + follows).write(tmp_path)).issues == ()


def test_one_code_under_thousands_of_points_stays_cheap(tmp_path: Path) -> None:
    points = [point(f"n{number:04}", "service-sex", f"项目{number}", sex="male") for number in range(2000)]
    patterns = [code(row["point_id"], SERVICE) for row in points]
    found = checked(Kb(points, patterns, "").write(tmp_path), only=["duplicate-point", "both-sexes"])
    named = {issue.place.key for issue in found.issues}
    assert named == {row["point_id"] for row in points[1:]}
    assert len(found.issues) < 8 * len(points)


def test_an_unknown_check_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no-such.*both-sexes"):
        checked(Kb().write(tmp_path), skip=["no-such"])


def test_only_and_skip_choose_the_checks(tmp_path: Path) -> None:
    folder = changed("p1", sex="x").write(tmp_path)
    assert [each.id for each in checked(folder, only=["value", "reference"]).validators] == ["value", "reference"]
    skipped = checked(folder, skip=["value"])
    assert len(skipped.validators) == len(VALIDATORS) - 1
    assert skipped.issues == ()
