"""What `kb show` finds by point id, by code and by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checker.knowledge.build import build
from checker.knowledge.edition import Edition, open_edition
from checker.knowledge.show import PointCard, describe_point
from checker.model.errors import InputError
from tests.knowledge.small_kb import Kb, code, exemption, more, point


def ids(cards: list[PointCard]) -> list[str]:
    return [card.point.point_id for card in cards]


def test_a_point_id_shows_that_point_with_its_whole_history(edition: Edition) -> None:
    (card,) = describe_point([edition], "drug-sex-01-0360b")
    assert card.point.item_name == "枸橼酸西地那非片"
    assert [pattern.code for pattern in card.patterns] == ["XG04BEX006A001"]
    assert card.patterns[0].published_codes == 382
    assert [row.point_id for row in card.history] == ["drug-sex-01-0360", "drug-sex-01-0360b"]
    assert [entry.exemption.exemption_id for entry in card.exemptions] == ["drug-sex-pulmonary-hypertension"]


def test_a_code_shows_the_points_that_cover_it_by_family_or_exactly(edition: Edition) -> None:
    assert ids(describe_point([edition], "xg04cba088a001999999999")) == ["drug-sex-01-0003"]
    assert ids(describe_point([edition], "002501040040000")) == ["service-sex-01-0015"]
    assert ids(describe_point([edition], "003111000010000")) == ["service-child-only-01-0005", "service-sex-01-0059"]


def test_a_family_shows_its_points(edition: Edition) -> None:
    assert ids(describe_point([edition], "XG04CBA088A001")) == ["drug-sex-01-0003"]


def test_a_name_shows_all_its_points_and_both_widths_are_one(edition: Edition) -> None:
    assert ids(describe_point([edition], " 复方聚乙二醇（3350）电解质散 ")) == ["drug-child-limited-01-0006"]
    assert ids(describe_point([edition], "波生坦分散片")) == [
        "drug-child-limited-01-0007",
        "drug-child-limited-2026-01-0001",
        "drug-indication-14-0005",
    ]


def test_an_exemption_for_the_whole_rule_concerns_its_points(edition: Edition) -> None:
    (card,) = describe_point([edition], "精液常规检查")
    assert [entry.exemption.exemption_id for entry in card.exemptions] == [
        "service-sex-indeterminate",
        "service-sex-semen-of-husband",
    ]
    assert card.exemptions[0].items == ()


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("西地那非", "枸橼酸西地那非片"),
        ("drug-sex-01-00003", "drug-sex-01-0003"),
        ("爱普列特胶囊", "爱普列特片"),
        ("XG04CBA088A009010101467", "爱普列特片"),
    ],
)
def test_nothing_found_names_what_lies_nearest(edition: Edition, text: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"相近的有：.*{nearest}"):
        describe_point([edition], text)


def test_nothing_near_says_what_to_give(edition: Edition) -> None:
    with pytest.raises(InputError, match=r"wwww.*请给出完整的项目名称"):
        describe_point([edition], "wwww")


def test_a_card_is_json(edition: Edition) -> None:
    (card,) = describe_point([edition], "drug-sex-01-0360")
    document = json.loads(json.dumps(card.to_dict(), ensure_ascii=False))
    assert document["point"]["valid_to"] == "2026-01-28"
    assert document["exemptions"][0]["exemption"]["diagnoses"] == ["I27.0", "I27.2", "P29.3"]


def test_history_follows_superseded_by_both_ways_and_shared_codes(tmp_path: Path) -> None:
    follows = {"sex": "male", "valid_to": "2025-12-01"}
    points = [
        point("c1", "drug-sex", "甲片", superseded_by="c2", **follows),
        point("c2", "drug-sex", "乙片", superseded_by="c3", valid_from="2025-12-01", sex="male", valid_to="2026-01-28"),
        point("c3", "drug-sex", "丙片", sex="male", valid_from="2026-01-28", status="shadow", level_cap="notice"),
        point("d1", "drug-sex", "丁片", sex="male", valid_from="2024-01-01", valid_to="2025-01-01"),
        point("d2", "drug-child-only", "丁片", age_word="儿童"),
    ]
    patterns = [
        code("c1", "XG04CBA088A017010101401"), code("c2", "XG04CBA088A017010101402"), code("c3", "XG04CBA088A017010101403"),
        code("d1", "XG04CBA088A017010101403"), code("d2", "XG04CBA088A017010101403"),
    ]  # fmt: skip
    build(more(points, patterns).write(tmp_path / "text"), tmp_path / "built")
    edition = open_edition(tmp_path / "built")
    for asked, expected in (
        ("c1", ["c1", "c2", "c3"]),
        ("c2", ["c1", "c2", "c3"]),
        ("c3", ["d1", "c1", "c2", "c3"]),
        ("d1", ["d1", "c3"]),
    ):
        (card,) = describe_point([edition], asked)
        assert [row.point_id for row in card.history] == expected


def test_a_circle_of_points_that_follow_each_other_ends(tmp_path: Path) -> None:
    points = [
        point("c1", "drug-sex", "甲片", sex="male", valid_to="2025-12-01", superseded_by="c2"),
        point("c2", "drug-sex", "乙片", sex="male", valid_to="2025-12-01", superseded_by="c1"),
    ]
    patterns = [code("c1", "XG04CBA088A017010101401"), code("c2", "XG04CBA088A017010101402")]
    build(more(points, patterns).write(tmp_path / "text"), tmp_path / "built")
    (card,) = describe_point([open_edition(tmp_path / "built")], "c1")
    assert [row.point_id for row in card.history] == ["c1", "c2"]


def test_a_later_layer_takes_the_place_of_a_point_with_its_codes_and_exemptions(
    edition: Edition, tmp_path: Path
) -> None:
    changed = point("drug-sex-01-0360b", "drug-sex", "枸橼酸西地那非片", sex="male", level_cap="suspect")
    exempt = exemption(
        "drug-sex-pulmonary-hypertension", "drug-sex", stands_by="true", items='[{match="name", value="无"}]'
    )
    local = Kb([changed], [code("drug-sex-01-0360b", "XG04BEX006A001010100111")], exempt)
    build(local.write(tmp_path / "text"), tmp_path / "built")
    (card,) = describe_point([edition, open_edition(tmp_path / "built")], "drug-sex-01-0360b")
    assert card.point.level_cap == "suspect"
    assert [(row.match, row.code) for row in card.patterns] == [("code", "XG04BEX006A001010100111")]
    assert card.exemptions == ()
    (alone,) = describe_point([edition], "drug-sex-01-0360b")
    assert [row.match for row in alone.patterns] == ["family"]


def test_nothing_found_points_to_the_search(edition: Edition) -> None:
    with pytest.raises(InputError, match="liangku kb search 西地那非"):
        describe_point([edition], "西地那非")
