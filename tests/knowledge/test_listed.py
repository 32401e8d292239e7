"""Codes in the role `listed` are of no limited item: only the point that lists them and the judgment of prescriptions know of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from checker.knowledge.build import build
from checker.knowledge.checks.layers import read_layer
from checker.knowledge.checks.run import check_knowledge
from checker.knowledge.diff.compare import diff_knowledge
from checker.knowledge.edition import Edition, open_edition
from checker.knowledge.resolve import open_plan
from checker.knowledge.search import search
from checker.knowledge.show import describe_point
from checker.knowledge.source import open_given
from checker.model.errors import InputError
from tests.knowledge.small_kb import Kb, code, more, point

PIECE, NEVER = "T000700200", "T000200537"
POINTS = (
    point("h1", "herb-single", "丁香", companions="herb_piece", batch="11"),
    point("h2", "herb-single", "单复方均不予支付的饮片", companions="herb_piece", batch="11"),
)


def listed(value: str) -> dict[str, str]:
    return {**code("h2", value), "role": "listed"}


# The list names the very code of a limited piece too: were it an item, the two points would meet.
PATTERNS = (code("h1", PIECE), listed(NEVER), listed(PIECE))


@pytest.fixture
def kb() -> Kb:
    return more(POINTS, PATTERNS)


@pytest.fixture
def built(kb: Kb, tmp_path: Path) -> Edition:
    build(kb.write(tmp_path / "text"), tmp_path / "built")
    return open_edition(tmp_path / "built")


def test_the_manifest_counts_limited_items(built: Edition) -> None:
    (rule,) = (rule for rule in built.manifest.rules if rule.rule_id == "herb-single")
    assert (rule.points, rule.families, rule.codes, rule.published_codes) == (2, 0, 1, 1)


def test_no_check_takes_a_listed_code_for_an_item(kb: Kb, tmp_path: Path) -> None:
    checked = check_knowledge([read_layer(kb.write(tmp_path / "text"))], open_plan().rules, date(2026, 6, 1))
    assert [issue for issue in checked.issues if issue.place.key in ("h1", "h2")] == []


def test_search_and_show_find_no_listed_code(built: Edition) -> None:
    assert [hit.point_id for hit in search([built], PIECE, limit=9, day=date(2026, 6, 1)).hits] == ["h1"]
    assert search([built], NEVER, limit=9, day=date(2026, 6, 1)).hits == ()
    (card,) = describe_point([built], PIECE)
    assert (card.point.point_id, [row.point_id for row in card.history]) == ("h1", ["h1"])
    with pytest.raises(InputError, match="no point covers this code"):
        describe_point([built], NEVER)
    (card,) = describe_point([built], "h2")
    assert [(pattern.role, pattern.code) for pattern in card.patterns] == [("listed", NEVER), ("listed", PIECE)]


def test_a_listed_code_more_changes_its_point_and_no_covered_code(kb: Kb, tmp_path: Path) -> None:
    sides = more(POINTS, PATTERNS[:2]).write(tmp_path / "before"), kb.write(tmp_path / "after")
    diff = diff_knowledge(*(open_given(str(side)) for side in sides))
    assert [(change.kind, change.point.point_id, change.codes_gained) for change in diff.points("changed")] == [
        ("changed", "h2", (PIECE,))
    ]
    assert diff.code.is_empty()
    assert [(rule.codes_before, rule.codes_after) for rule in diff.rules if rule.rule_id == "herb-single"] == [(1, 1)]
