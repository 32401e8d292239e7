"""What `kb search` finds, in which order, and how little it loads for it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from checker.knowledge.build import build
from checker.knowledge.edition import Edition, open_edition
from checker.knowledge.search import Found, search
from checker.model.errors import InputError
from tests.knowledge.small_kb import SERVICE, code, more, point

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 3, 1)


def find(edition: Edition, text: str, limit: int = 20) -> Found:
    return search([edition], text, limit=limit, day=DAY)


@pytest.mark.parametrize(
    "text",
    [
        "爱普列特片", "普列特", "apltp", "aplt", "APLTP", "ａｐｌｔｐ", "aipuliete", "ai pu lie te", "ai'pu'lie'te", "XG04CBA088",
        "xg04cba088a001010101467", "XG04CBA088A001999999999", "drug-sex-01-0003", "DRUG-SEX-01-0003", " 爱普列特 ",
    ],
)  # fmt: skip
def test_one_item_by_name_spelling_code_and_id(edition: Edition, text: str) -> None:
    found = find(edition, text)
    assert [(hit.item_name, hit.rule_id, hit.point_id) for hit in found.hits] == [
        ("爱普列特片", "drug-sex", "drug-sex-01-0003")
    ]
    assert (found.items, found.hits[0].in_force, found.hits[0].limits["sex"]) == (1, True, "male")


def test_the_best_come_first(tmp_path: Path) -> None:
    points = [
        point("a1", "drug-sex", "爱普列特片复方", sex="male"),
        point("a2", "drug-sex", "新爱普列特片", sex="male"),
        point("a3", "drug-sex", "爱普列特片丸", sex="male", valid_to="2025-12-01"),
    ]
    patterns = [code(row["point_id"], f"XG04CBA08{number}A001010101467") for number, row in enumerate(points)]
    build(more(points, patterns).write(tmp_path / "text"), tmp_path / "built")
    found = find(open_edition(tmp_path / "built"), "爱普列特片")
    assert [(hit.point_id, hit.how) for hit in found.hits] == [
        ("p1", "exact"), ("a1", "starts"), ("a3", "starts"), ("a2", "contains"),
    ]  # fmt: skip
    assert [hit.in_force for hit in found.hits] == [True, True, False, True]


def test_an_item_stands_once_with_its_point_in_force(edition: Edition) -> None:
    (hit,) = find(edition, "枸橼酸西地那非片").hits
    assert (hit.point_id, hit.level_cap, hit.published_codes) == ("drug-sex-01-0360b", "notice", 382)
    earlier = search([edition], "枸橼酸西地那非片", limit=5, day=date(2025, 12, 1))
    assert [each.point_id for each in earlier.hits] == ["drug-sex-01-0360"]
    # Who asks for an id is shown that point, ended or not.
    (ended,) = find(edition, "drug-sex-01-0360").hits
    assert (ended.point_id, ended.in_force) == ("drug-sex-01-0360", False)


def test_one_item_under_two_rules_stands_twice(edition: Edition) -> None:
    found = find(edition, "003111000010000")
    assert {(hit.rule_id, hit.item_name) for hit in found.hits} == {
        ("service-child-only", "小儿包茎气囊导管扩张术"),
        ("service-sex", "小儿包茎气囊导管扩张术"),
    }


def test_parenthesised_parts_and_letters_within_names_are_found(edition: Edition) -> None:
    assert [hit.item_name for hit in find(edition, "千金止带丸（水丸）").hits] == ["千金止带丸(水丸)"]
    assert "千金止带丸(水丸)" in [hit.item_name for hit in find(edition, "水丸").hits]
    assert "前列腺素E1乳膏" in [hit.item_name for hit in find(edition, "e1乳").hits]
    scans = [hit.item_name for hit in find(edition, "b超").hits]
    assert scans[0].startswith("B超")
    assert all("B超" in name for name in scans)


def test_the_limit_cuts_the_list_and_not_the_count(edition: Edition) -> None:
    found = find(edition, "小儿", limit=3)
    assert len(found.hits) == 3
    assert found.items > 200


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("爱普特列片", "爱普列特片"),
        ("apltx", "爱普列特片"),
        ("XG04CBA09", "爱普列特片"),
        ("drug-sexx-01-0003", "drug-sex-01-0003"),
    ],
)
def test_what_lies_near_is_named_where_nothing_is_found(edition: Edition, text: str, near: str) -> None:
    found = find(edition, text)
    assert (found.hits, found.items) == ((), 0)
    assert near in found.nearest


def test_nothing_is_near_nonsense_and_punctuation_is_no_text(edition: Edition) -> None:
    assert find(edition, "qqqq").nearest == ()
    for text in ("", "  ", "。", "%_'"):
        with pytest.raises(InputError, match="拼音"):
            find(edition, text)
    for text in ("爱%片", "a_l", "'; DROP TABLE kb_point; --a"):
        assert find(edition, text).hits == ()


def test_layers_are_searched_as_one(edition: Edition, tmp_path: Path) -> None:
    points = [
        point("drug-sex-01-0003", "drug-sex", "爱普列特片", sex="male", valid_to="2026-02-01"),
        point("local-1", "service-sex", "爱普检查", sex="male"),
    ]
    patterns = [code("drug-sex-01-0003", "XG04CBA088A001010101467"), code("local-1", SERVICE)]
    local = more(points, patterns)
    build(local.write(tmp_path / "text"), tmp_path / "built")
    layers = [edition, open_edition(tmp_path / "built")]
    found = search(layers, "爱普", limit=9, day=DAY)
    ids = {hit.point_id: hit.in_force for hit in found.hits}
    assert ids == {"p1": True, "local-1": True}
    (replaced,) = search(layers, "drug-sex-01-0003", limit=9, day=DAY).hits
    assert replaced.valid_to == date(2026, 2, 1)


def test_a_search_loads_neither_polars_nor_a_dictionary_of_pinyin() -> None:
    script = (
        "import sys; from checker.cli.main import run; code = run(['kb', 'search', 'apltp', '--json']); "
        "assert code == 0; print(sorted({'polars', 'pypinyin', 'sqlglot', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
