"""What `kb show` finds by point id, by code and by name."""

from __future__ import annotations

import json

import pytest

from checker.errors import InputError
from checker.knowledge.edition import Edition
from checker.knowledge.show import PointCard, describe_point


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
    with pytest.raises(InputError, match=r"zzzz.*请给出完整的项目名称"):
        describe_point([edition], "zzzz")


def test_a_card_is_json(edition: Edition) -> None:
    (card,) = describe_point([edition], "drug-sex-01-0360")
    document = json.loads(json.dumps(card.to_dict(), ensure_ascii=False))
    assert document["point"]["valid_to"] == "2026-01-28"
    assert document["exemptions"][0]["exemption"]["diagnoses"] == ["I27.0", "I27.2", "P29.3"]
