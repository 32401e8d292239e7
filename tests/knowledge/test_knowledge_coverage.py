"""What the committed edition covers, held against every published code."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

import pytest

from checker.knowledge.compile_batch import RULES
from checker.knowledge.names import item_key
from checker.knowledge.published import Limits, PublishedItem
from checker.knowledge.rows import PointRow
from checker.knowledge.source import Sources

FIRST_DAY, DAY_BEFORE, UPDATE_DAY = date(2025, 5, 23), date(2026, 1, 27), date(2026, 1, 28)
RULE_OF = {spec.name: spec.rule_id for spec in RULES}


class Lookup:
    """The points that apply to a code of a rule on a day."""

    def __init__(self, sources: Sources) -> None:
        self.point = {point.point_id: point for point in sources.points}
        self.by_pattern: dict[tuple[str, str, str], list[PointRow]] = defaultdict(list)
        for pattern in sources.patterns:
            point = self.point[pattern.point_id]
            self.by_pattern[point.rule_id, pattern.match, pattern.code].append(point)

    def covering(self, rule_id: str, code: str) -> list[PointRow]:
        keys = [("code", code), ("family", code[:14]), ("family", code[:11])]
        return [point for match, part in keys for point in self.by_pattern.get((rule_id, match, part), [])]

    def applying(self, rule_id: str, code: str, day: date) -> list[PointRow]:
        return [
            point
            for point in self.covering(rule_id, code)
            if point.valid_from <= day and (point.valid_to is None or day < point.valid_to)
        ]


@pytest.fixture(scope="module")
def lookup(sources: Sources) -> Lookup:
    return Lookup(sources)


def codes_of(published: list[PublishedItem], batch: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for item in published:
        if item.batch == batch and item.rule in RULE_OF:
            found[RULE_OF[item.rule]].update(item.codes)
    return found


def test_every_first_batch_code_is_covered_from_the_first_day(published: list[PublishedItem], lookup: Lookup) -> None:
    first = codes_of(published, "01")
    assert {rule: len(codes) for rule, codes in first.items()} == {
        "drug-sex": 6472,
        "service-sex": 390,
        "drug-child-only": 4370,
        "drug-child-limited": 28,
        "service-child-only": 30,
    }
    missing = [code for rule, codes in first.items() for code in codes if not lookup.applying(rule, code, FIRST_DAY)]
    assert missing == []


def test_every_code_of_the_update_is_covered_at_full_level(published: list[PublishedItem], lookup: Lookup) -> None:
    update = codes_of(published, "2026-01")
    assert {rule: len(codes) for rule, codes in update.items()} == {
        "drug-sex": 2558,
        "drug-child-only": 2057,
        "drug-child-limited": 37,
    }
    for rule, codes in update.items():
        for code in codes:
            applying = lookup.applying(rule, code, UPDATE_DAY)
            assert applying, code
            assert {point.level_cap for point in applying} == {None}, code


def test_a_drug_code_of_another_item_is_covered_only_where_the_rule_limits_it_alike(
    published: list[PublishedItem], lookup: Lookup
) -> None:
    names: dict[str, set[str]] = defaultdict(set)
    limits: dict[tuple[str, str], set[Limits]] = defaultdict(set)
    for item in published:
        for code in item.codes:
            if code[0] in "XZ":
                names[code].add(item_key(item.item_name))
                if item.rule in RULE_OF:
                    limits[RULE_OF[item.rule], code].add(item.limits)
    foreign = {
        (code, point.item_name, point.rule_id): limits[rule, code]
        == {
            Limits(
                {"male": "男", "female": "女"}.get(point.limits.get("sex") or ""),
                point.limits.get("age_word"),
                point.limits.get("age_text"),
                point.subject,
            )
        }
        for code, own in names.items()
        for rule in RULE_OF.values()
        for point in lookup.covering(rule, code)
        if item_key(point.item_name) not in own
    }
    assert [key for key, alike in foreign.items() if not alike] == []
    assert {rule: len({code[:14] for code, _, each in foreign if each == rule and code[0] == "X"}) for rule in RULE_OF.values()} == {
        "drug-sex": 5, "drug-child-only": 0, "drug-child-limited": 0, "service-sex": 0, "service-child-only": 0,
    }  # fmt: skip
    assert {code[:11] for code, _, _ in foreign if code[0] == "Z"} == {"ZA01BAX0512", "ZA06DAX0489"}


def test_on_any_day_the_points_of_one_code_agree(published: list[PublishedItem], lookup: Lookup) -> None:
    for batch in ("01", "2026-01"):
        for rule, codes in codes_of(published, batch).items():
            for code in codes:
                for day in (FIRST_DAY, DAY_BEFORE, UPDATE_DAY):
                    found = {
                        (
                            point.limits.get("sex"),
                            point.limits.get("age_word"),
                            point.limits.get("age_text"),
                            point.subject,
                            point.level_cap,
                        )
                        for point in lookup.applying(rule, code, day)
                    }
                    assert len(found) <= 1, (rule, code, day)


def test_a_code_that_the_update_does_not_list_fares_as_its_rule_says(
    published: list[PublishedItem], lookup: Lookup
) -> None:
    first, update = codes_of(published, "01"), codes_of(published, "2026-01")
    families = {rule: {code[: 14 if code[0] == "X" else 11] for code in codes} for rule, codes in update.items()}
    fates: dict[str, Counter[str]] = defaultdict(Counter)
    for rule, codes in first.items():
        for code in codes - update.get(rule, set()):
            if code[: 14 if code[0] == "X" else 11] in families.get(rule, set()):
                continue
            applying = lookup.applying(rule, code, UPDATE_DAY)
            assert lookup.applying(rule, code, DAY_BEFORE)
            fates[rule].update({f"{point.level_cap}" for point in applying} or {"ended"})
    assert {rule: set(counter) for rule, counter in fates.items()} == {
        "drug-sex": {"notice"},
        "drug-child-only": {"notice"},
        "drug-child-limited": {"ended"},
        "service-sex": {"None"},
        "service-child-only": {"None"},
    }


def test_what_begins_with_the_update_was_not_covered_before(sources: Sources, lookup: Lookup) -> None:
    begun = {point.point_id for point in sources.points if point.batch == "2026-01"}
    for pattern in sources.patterns:
        if pattern.point_id in begun:
            point = lookup.point[pattern.point_id]
            assert point.valid_from == UPDATE_DAY
            code = pattern.code.ljust(23 if pattern.code[0] == "X" else 20, "0")
            assert lookup.applying(point.rule_id, code, DAY_BEFORE) == []


def test_the_published_counts_add_up(published: list[PublishedItem], sources: Sources) -> None:
    counted: dict[str, int] = defaultdict(int)
    for point in sources.points:
        if point.remark is None:
            counted[point.rule_id] += point.published_codes
    first, update = codes_of(published, "01"), codes_of(published, "2026-01")
    pieces = {
        code for item in published if item.batch == "11" and item.rule.startswith("中药饮片") for code in item.codes
    }
    both = {rule: len(codes | update.get(rule, set())) for rule, codes in first.items()}
    assert (counted, len(pieces)) == ({**both, "herb-single": 153}, 153)
