"""What the committed edition covers, held against every published code."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

import pytest

from checker.knowledge.codes import family_of
from checker.knowledge.compile_rules import RULES, items_of
from checker.knowledge.compiled_facts import CompiledFacts
from checker.knowledge.merge.covers import Limit, limit_of_point, limits_of
from checker.knowledge.names import item_key
from checker.knowledge.published import PublishedItem
from checker.knowledge.rows import PointRow
from checker.knowledge.source import Sources

FIRST_DAY, DAY_BEFORE, UPDATE_DAY, LAST_DAY = (
    date(2025, 5, 23), date(2026, 1, 27), date(2026, 1, 28), date(2026, 5, 11),
)  # fmt: skip
RULE_OF = {spec.name: spec.rule_id for spec in RULES}
LISTS = {
    ("drug-sex", "01"): (481, 6472),
    ("drug-sex", "2026-01"): (159, 2558),
    ("service-sex", "01"): (390, 390),
    ("drug-child-only", "01"): (271, 4370),
    ("drug-child-only", "2026-01"): (95, 2057),
    ("drug-child-limited", "01"): (11, 28),
    ("drug-child-limited", "2026-01"): (13, 37),
    ("service-child-only", "01"): (30, 30),
    ("drug-injury-insurance", "03"): (9, 85),
    ("drug-injury-insurance", "2026-01"): (9, 94),
    ("drug-maternity-insurance", "03"): (3, 27),
    ("drug-maternity-insurance", "2026-01"): (3, 30),
    ("drug-visit-mode", "04"): (35, 736),
    ("drug-visit-mode", "2026-01"): (41, 775),
    ("drug-institution-level", "05"): (61, 962),
    ("drug-institution-level", "2026-01"): (62, 975),
    ("service-age", "08"): (1, 1),
    ("drug-online", "10"): (22, 232),
    ("herb-never-paid", "11"): (37, 37),
    ("surgery-discount", "02"): (378, 368),
    ("drug-course", "06"): (30, 1147),
    ("drug-course", "2026-01"): (29, 1170),
    ("service-pair", "07"): (900, 385),
    ("service-course", "08"): (11, 11),
    ("service-frequency", "08"): (67, 67),
    ("service-cycle", "08"): (14, 14),
    ("drug-second-line", "09"): (110, 601),
    ("drug-indication", "12"): (57, 633),
    ("drug-indication", "13"): (66, 1296),
    ("drug-indication", "14"): (43, 1008),
    ("drug-indication", "15"): (34, 455),
    ("drug-indication", "16"): (82, 715),
    ("drug-indication", "17"): (228, 957),
}
"""Items and limited codes of every published list of the rules; of a pair only the code that is a part of the other."""
SEVERAL = {"service-pair", "surgery-discount"}
"""Rules of which points of one code stand beside each other."""


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


def test_every_published_list_is_covered_on_its_day_with_its_own_limits(
    published: list[PublishedItem], compiled_facts: CompiledFacts, lookup: Lookup
) -> None:
    counts = {}
    for spec in RULES:
        for batch in spec.batches:
            items = items_of(spec, batch, published, compiled_facts)
            if items:
                counts[spec.rule_id, batch] = (len(items), len({code for item in items for code in item.codes}))
            for item, limit in zip(items, limits_of(items), strict=True):
                for code in item.codes:
                    applying = lookup.applying(spec.rule_id, code, item.published)
                    said = {limit_of_point(point) for point in applying}
                    assert limit in said if spec.rule_id in SEVERAL else said == {limit}, (spec.rule_id, batch, code)
    assert counts == LISTS


def test_a_list_that_restates_what_was_replaced_ends_with_it(published: list[PublishedItem], lookup: Lookup) -> None:
    for rule, batch in (("drug-injury-insurance", "03"), ("drug-maternity-insurance", "03"),
                        ("drug-visit-mode", "04"), ("drug-institution-level", "05")):  # fmt: skip
        before, after = codes_of(published, batch)[rule], codes_of(published, "2026-01")[rule]
        families = {family_of(code) for code in after}
        gone = {code for code in before if family_of(code) not in families}
        assert gone == ({"XL03AXX234B003010102018"} if rule == "drug-injury-insurance" else set())
        for code in before:
            assert bool(lookup.applying(rule, code, UPDATE_DAY)) is (code not in gone), (rule, code)
            assert lookup.applying(rule, code, DAY_BEFORE), (rule, code)
        for code in after:
            assert bool(lookup.applying(rule, code, DAY_BEFORE)) is (
                family_of(code) in {family_of(each) for each in before}
            )


def test_every_code_of_the_update_is_covered_at_full_level(published: list[PublishedItem], lookup: Lookup) -> None:
    update = codes_of(published, "2026-01")
    assert {rule: len(codes) for rule, codes in update.items()} == {
        "drug-sex": 2558,
        "drug-child-only": 2057,
        "drug-child-limited": 37,
        "drug-injury-insurance": 94,
        "drug-maternity-insurance": 30,
        "drug-visit-mode": 775,
        "drug-institution-level": 975,
        "drug-course": 1170,
    }
    for rule, codes in update.items():
        for code in codes:
            applying = lookup.applying(rule, code, UPDATE_DAY)
            assert applying, code
            assert {point.level_cap for point in applying} == {None}, code


def test_a_drug_code_of_another_item_is_covered_only_where_the_rule_limits_it_alike(
    published: list[PublishedItem], compiled_facts: CompiledFacts, lookup: Lookup
) -> None:
    names: dict[str, set[str]] = defaultdict(set)
    limits: dict[tuple[str, str], set[Limit]] = defaultdict(set)
    of_item: dict[tuple[str, str, str], set[Limit]] = defaultdict(set)
    for item in published:
        for code in item.codes:
            if code[0] in "XZ":
                names[code].add(item_key(item.item_name))
    for spec in RULES:
        for batch in spec.batches:
            items = items_of(spec, batch, published, compiled_facts)
            for item, limit in zip(items, limits_of(items), strict=True):
                for code in item.codes:
                    limits[spec.rule_id, code].add(limit)
                    of_item[spec.rule_id, code[:14], item_key(item.item_name)].add(limit)
    foreign = {
        (code, point.item_name, point.rule_id): {limit_of_point(point)}
        # A code that only another rule lists is of an item that this one may limit by other codes of the family.
        in (limits[rule, code], *(of_item[rule, code[:14], name] for name in own))
        for code, own in names.items()
        for rule in RULE_OF.values()
        for point in lookup.covering(rule, code)
        if item_key(point.item_name) not in own
    }
    assert [key for key, alike in foreign.items() if not alike] == []
    assert {rule: len({code[:14] for code, _, each in foreign if each == rule and code[0] == "X"}) for rule in RULE_OF.values()} == {
        **dict.fromkeys(RULE_OF.values(), 0), "drug-sex": 5, "drug-online": 3, "drug-visit-mode": 1, "drug-course": 3,
        "drug-indication": 6,
    }  # fmt: skip
    assert {code[:11] for code, _, _ in foreign if code[0] == "Z"} == {"ZA01BAX0512", "ZA06DAX0489"}


def test_on_any_day_the_points_of_one_code_agree(published: list[PublishedItem], lookup: Lookup) -> None:
    for batch in {item.batch for item in published}:
        for rule, codes in codes_of(published, batch).items():
            for code in codes if rule not in SEVERAL else ():
                for day in (FIRST_DAY, DAY_BEFORE, UPDATE_DAY, LAST_DAY):
                    found = {
                        (limit_of_point(point), point.limits.get("age_text"), point.level_cap)
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
    # What goes on with other limits: 单次住院最多支付14天 of six injections became 单次最多支付14天.
    following = {point.superseded_by for point in sources.points if point.valid_to == UPDATE_DAY} & begun
    assert Counter(lookup.point[each].rule_id for each in following) == {"drug-course": 6}
    for pattern in sources.patterns:
        if pattern.point_id in begun:
            point = lookup.point[pattern.point_id]
            assert point.valid_from == UPDATE_DAY
            if point.point_id in following:
                continue
            code = pattern.code.ljust(23 if pattern.code[0] == "X" else 20, "0")
            assert lookup.applying(point.rule_id, code, DAY_BEFORE) == []


def test_the_published_counts_add_up(published: list[PublishedItem], sources: Sources) -> None:
    counted: dict[str, int] = defaultdict(int)
    by_id = {point.point_id: point for point in sources.points}
    for point in sources.points:
        follower = by_id.get(point.superseded_by or "", point)
        # What goes on at notice or with other limits is counted once.
        if point.rule_id not in SEVERAL and not point.level_cap and (follower is point or follower.level_cap):
            counted[point.rule_id] += point.published_codes
    listed: dict[str, set[str]] = defaultdict(set)
    for item in published:
        if item.rule in RULE_OF and RULE_OF[item.rule] not in SEVERAL:
            listed[RULE_OF[item.rule]].update(item.codes)
    pieces = {
        code for item in published if item.batch == "11" and item.rule.startswith("中药饮片") for code in item.codes
    }
    assert (counted, len(pieces)) == ({**{rule: len(codes) for rule, codes in listed.items()}, "herb-single": 153}, 153)
