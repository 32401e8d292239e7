"""How a published list meets points: on lists small enough to be seen, and on random chains of lists against plain statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from checker.knowledge.edition_text import EditionText
from checker.knowledge.merge.coverage import ExactFamily, LostCover, TakenFamily
from checker.knowledge.merge.covers import BY_CODE, BY_FAMILY
from checker.knowledge.merge.edition import meet
from checker.knowledge.merge.families import exact_among_families, mixed_for
from checker.knowledge.merge.meeting import PublishedList
from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.merge.points import KeptCode, ListChange, Merged, Tally, merge
from checker.knowledge.published import Limits, PublishedItem
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.source import Sources
from checker.model.errors import KnowledgeError

MAY, JANUARY, JULY = date(2025, 5, 23), date(2026, 1, 28), date(2026, 7, 1)
DAYS = {"01": MAY, "2026-01": JANUARY, "2026-07": JULY}
A1, A2, A3, B1, C1 = (
    "XG04CBA088A001010101467",
    "XG04CBA088A001010201467",
    "XG04CBA088A001010301467",
    "XG04CBB099A001010101467",
    "XG04CBC077A001010101467",
)
"""Three codes of one family, and two of others."""
A, B, C = A1[:14], B1[:14], C1[:14]
SERVICE = "002501040040000"


def item(
    batch: str, seq: int, name: str, *codes: str, sex: str | None = "男", text: str | None = None, rule: str = "药品"
) -> PublishedItem:
    day = DAYS[batch]
    limits = Limits(sex, None, text, None)
    return PublishedItem(
        batch, day, rule, None, seq, name, limits, codes, f"公告 {batch}（{day}）", f"{batch}/{rule}/{seq}"
    )


class Edition:
    """Points and patterns, and lists that meet them one after the other."""

    def __init__(self, points: Iterable[PointRow] = (), patterns: Iterable[PatternRow] = ()) -> None:
        self.points = {point.point_id: point for point in points}
        self.patterns: dict[str, list[PatternRow]] = {}
        self._put(patterns)

    def meet(
        self,
        mode: Mode,
        *items: PublishedItem,
        cover: str = BY_CODE,
        rule_id: str = "drug",
        region: str | None = None,
        unread: tuple[PublishedItem, ...] = (),
        also: Iterable[PublishedItem] = (),
    ) -> ListChange:
        published = PublishedList(
            rule_id,
            (*items, *unread)[0].batch,
            (*items, *unread)[0].published,
            items,
            cover,
            region,
            "insured" if region else None,
            unread,
        )
        others = PublishedList("another", published.batch, published.day, tuple(also))
        merged = merge(
            list(self.points.values()),
            [pattern for own in self.patterns.values() for pattern in own],
            published,
            mode,
            mixed_for(published, [published, others], self.sources()),
        )
        self.last: Merged = merged
        self.points.update((point.point_id, point) for point in merged.points)
        self._put(merged.patterns)
        return merged.change

    def _put(self, patterns: Iterable[PatternRow]) -> None:
        fresh: dict[str, list[PatternRow]] = {}
        for pattern in patterns:
            fresh.setdefault(pattern.point_id, []).append(pattern)
        self.patterns.update(fresh)

    def sources(self) -> Sources:
        head = EditionText("small", "1", "2025-05-23", "2025-05-23", ())
        return Sources.of(head, self.points.values(), [row for own in self.patterns.values() for row in own])

    def rows(self) -> list[tuple[str, date, date | None, str | None, str | None, list[str]]]:
        """Id, days, cap, what follows, codes; sorted by id."""
        return [
            (
                point_id,
                point.valid_from,
                point.valid_to,
                point.level_cap,
                point.superseded_by,
                [pattern.code for pattern in self.patterns[point_id]],
            )
            for point_id, point in sorted(self.points.items())
        ]

    def says(self, code: str, day: date) -> set[tuple[str | None, str | None, str | None]]:
        """Sex, window and cap of the points that cover the code on the day."""
        return {
            (point.limits.get("sex"), point.limits.get("age_text"), point.level_cap)
            for point_id, point in self.points.items()
            if point.valid_from <= day and (point.valid_to is None or day < point.valid_to)
            if any(code.startswith(pattern.code) for pattern in self.patterns[point_id])
        }


def test_a_first_list_covers_its_exact_codes_from_its_day() -> None:
    edition = Edition()
    change = edition.meet(Mode.PATCH, item("01", 3, "甲片", A1, A2), item("01", 12, "乙片", B1))
    assert edition.rows() == [
        ("drug-01-0003", MAY, None, None, None, [A1, A2]),
        ("drug-01-0012", MAY, None, None, None, [B1]),
    ]
    assert edition.points["drug-01-0003"].published_codes == 2
    assert (change.items, change.codes, change.new) == (2, 3, Tally(2, 3))


UNLISTED = {
    Mode.REPLACE: [("drug-01-0001", MAY, JANUARY, None, None, [A1])],
    Mode.PATCH: [("drug-01-0001", MAY, None, None, None, [A1])],
    Mode.DEMOTE: [
        ("drug-01-0001", MAY, JANUARY, None, "drug-01-0001b", [A1]),
        ("drug-01-0001b", JANUARY, None, "notice", None, [A1]),
    ],
}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("cover", [BY_CODE, BY_FAMILY])
def test_what_a_list_does_not_name_fares_as_the_mode_says(mode: Mode, cover: str) -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), cover=cover)
    change = edition.meet(mode, item("2026-01", 1, "乙片", B1), cover=cover)
    shown = {A1: A, B1: B} if cover == BY_FAMILY else {A1: A1, B1: B1}
    expected = [(*row[:5], [shown[code] for code in row[5]]) for row in UNLISTED[mode]]
    assert edition.rows() == [*expected, ("drug-2026-01-0001", JANUARY, None, None, None, [shown[B1]])]
    tallies = {Mode.REPLACE: change.ended, Mode.PATCH: change.kept, Mode.DEMOTE: change.demoted}
    assert [tallies.pop(mode), *tallies.values()] == [Tally(1, 1), Tally(0, 0), Tally(0, 0)]
    if mode is Mode.DEMOTE:
        assert edition.points["drug-01-0001b"].remark == "not_in_2026_list"


@pytest.mark.parametrize("mode", list(Mode))
def test_what_is_listed_with_equal_limits_goes_on_and_names_both_lists(mode: Mode) -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 3, "甲片", A1, A2))
    change = edition.meet(mode, item("2026-01", 7, "甲片（薄膜衣）", A1, A2))
    assert edition.rows() == [("drug-01-0003", MAY, None, None, None, [A1, A2])]
    point = edition.points["drug-01-0003"]
    assert point.source_rows == "01/药品/3; 2026-01/药品/7"
    assert point.document == "公告 01（2025-05-23）；公告 2026-01（2026-01-28）"
    assert (change.went_on, change.new) == (Tally(1, 2), Tally(0, 0))


def test_windows_in_other_words_are_equal_limits() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, sex=None, text="2-11岁"))
    edition.meet(Mode.REPLACE, item("2026-01", 1, "甲片", A1, sex=None, text="2岁至11岁"))
    assert edition.rows() == [("drug-01-0001", MAY, None, None, None, [A1])]


@pytest.mark.parametrize("mode", list(Mode))
def test_other_limits_end_the_old_point_and_name_the_new_one(mode: Mode) -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1))
    change = edition.meet(mode, item("2026-01", 1, "甲片", A1, sex="女"))
    assert edition.rows() == [
        ("drug-01-0001", MAY, JANUARY, None, "drug-2026-01-0001", [A1]),
        ("drug-2026-01-0001", JANUARY, None, None, None, [A1]),
    ]
    assert (change.changed, change.new, change.ended) == (Tally(1, 1), Tally(1, 0), Tally(0, 0))


def test_parts_with_different_successors_become_rows_of_their_own() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 9, "甲片", A1, B1, C1, SERVICE))
    edition.meet(Mode.REPLACE, item("2026-01", 1, "甲片", A1), item("2026-01", 2, "甲片", B1, sex="女"),
                 item("2026-01", 3, "甲片", C1, sex=None, text="2-11岁"))  # fmt: skip
    assert edition.rows() == [
        ("drug-01-0009", MAY, None, None, None, [A1]),
        ("drug-01-0009c", MAY, JANUARY, None, None, [SERVICE]),
        ("drug-01-0009c-2026-01", MAY, JANUARY, None, "drug-2026-01-0002", [B1]),
        ("drug-01-0009c-2026-01.2", MAY, JANUARY, None, "drug-2026-01-0003", [C1]),
        ("drug-2026-01-0002", JANUARY, None, None, None, [B1]),
        ("drug-2026-01-0003", JANUARY, None, None, None, [C1]),
    ]
    assert edition.points["drug-01-0009"].published_codes == 1


@pytest.mark.parametrize("mode", list(Mode))
def test_a_code_left_out_beside_one_of_its_family_stays_and_is_named(mode: Mode) -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, A2))
    change = edition.meet(mode, item("2026-01", 1, "甲片", A1))
    assert edition.rows() == [("drug-01-0001", MAY, None, None, None, [A1, A2])]
    assert change.kept_by_family == (KeptCode("drug-01-0001", "甲片", A2),)


def test_in_a_family_of_two_items_each_code_is_listed_for_itself() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, A2))
    change = edition.meet(Mode.REPLACE, item("2026-01", 1, "甲片", A1), also=[item("2026-01", 1, "乙分散片", A3)])
    assert edition.rows() == [
        ("drug-01-0001", MAY, None, None, None, [A1]),
        ("drug-01-0001c", MAY, JANUARY, None, None, [A2]),
    ]
    assert change.kept_by_family == ()


def test_services_are_listed_by_exact_code() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "精液检查", SERVICE, "002501040050000"))
    edition.meet(Mode.REPLACE, item("2026-01", 1, "精液检查", SERVICE))
    assert edition.says(SERVICE, JULY)
    assert not edition.says("002501040050000", JULY)


def test_exact_codes_within_a_family_in_force_go_on_under_the_family() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), cover=BY_FAMILY)
    edition.meet(Mode.REPLACE, item("2026-01", 1, "甲片", A1, A2))
    (row,) = edition.rows()
    assert row == ("drug-01-0001", MAY, None, None, None, [A])
    assert edition.points["drug-01-0001"].published_codes == 2


def test_a_family_pattern_stands_for_its_own_item_where_one_that_is_limited_otherwise_joins_the_family() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), cover=BY_FAMILY)
    other = item("2026-01", 2, "乙分散片", A2, sex="女")
    change = edition.meet(Mode.REPLACE, item("2026-01", 1, "甲片", A1), other, cover=BY_FAMILY)
    assert edition.rows() == [
        ("drug-01-0001", MAY, None, None, None, [A]),
        ("drug-2026-01-0002", JANUARY, None, None, None, [A2]),
    ]
    assert change.exact_families == (ExactFamily(A, "乙分散片", "drug-2026-01-0002", ("甲片",)),)


@pytest.mark.parametrize("cover", [BY_CODE, BY_FAMILY])
def test_an_item_that_is_limited_alike_joins_the_family(cover: str) -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), cover=BY_FAMILY)
    change = edition.meet(Mode.REPLACE, item("2026-01", 2, "乙分散片", A2), cover=cover)
    assert edition.rows() == [("drug-01-0001", MAY, None, None, None, [A])]
    assert edition.points["drug-01-0001"].source_rows == "01/药品/1; 2026-01/药品/2"
    assert (change.exact_families, change.lost_coverage) == ((), ())


@pytest.mark.parametrize("mode", list(Mode))
def test_one_code_with_other_limits_takes_over_the_whole_family(mode: Mode) -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, A2), cover=BY_FAMILY)
    change = edition.meet(mode, item("2026-01", 4, "甲片", A1, sex="女"))
    assert edition.rows() == [
        ("drug-01-0001", MAY, JANUARY, None, "drug-2026-01-0004", [A]),
        ("drug-2026-01-0004", JANUARY, None, None, None, [A]),
    ]
    assert [edition.says(code, JANUARY) for code in (A1, A2, A3)] == [{("female", None, None)}] * 3
    assert change.taken_families == (TakenFamily(A, "甲片", "drug-01-0001", "drug-2026-01-0004", 1, 2),)
    assert change.lost_coverage == ()


def test_a_family_at_notice_is_listed_whole_by_one_of_its_codes() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, A2), cover=BY_FAMILY)
    edition.meet(Mode.DEMOTE, item("2026-01", 1, "乙片", B1))
    edition.meet(Mode.PATCH, item("2026-07", 1, "甲片", A1))
    assert edition.says(A3, JULY) == {("male", None, None)}


def test_a_family_on_trial_is_not_taken_for_one_in_force() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), cover=BY_FAMILY)
    trial = replace(edition.points["drug-01-0001"], status="shadow")
    edition = Edition([trial], edition.patterns["drug-01-0001"])
    edition.meet(Mode.PATCH, item("2026-01", 1, "甲片", A1))
    assert [row[5] for row in edition.rows()] == [[A], [A1]]


def test_codes_that_only_a_family_covered_are_told_where_other_items_leave_exact_codes_alone() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, A2), cover=BY_FAMILY)
    unlimited = item("2026-01", 1, "乙分散片", A3, rule="别的")
    change = edition.meet(Mode.PATCH, item("2026-01", 1, "甲片", A1, sex="女"), also=[unlimited])
    assert edition.rows() == [
        ("drug-01-0001", MAY, JANUARY, None, "drug-2026-01-0001", [A]),
        ("drug-2026-01-0001", JANUARY, None, None, None, [A1]),
    ]
    assert change.lost_coverage == (LostCover("drug-01-0001", "甲片", "family", A, 2),)
    assert change.exact_families == (ExactFamily(A, "甲片", "drug-2026-01-0001", ("乙分散片",)),)
    assert change.taken_families == ()


def test_what_another_point_of_the_family_still_covers_is_not_lost() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), item("01", 2, "乙分散片", A2), cover=BY_FAMILY)
    assert [row[5] for row in edition.rows()] == [[A], [A]]
    change = edition.meet(Mode.PATCH, item("2026-01", 1, "甲片", A1, sex="女"))
    assert edition.says(A2, JANUARY) == {("male", None, None)}
    assert edition.says(A1, JANUARY) == {("male", None, None), ("female", None, None)}
    assert change.lost_coverage == ()


def test_a_family_that_one_list_limits_in_two_ways_is_given_by_exact_codes() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), item("01", 2, "甲片", A2, sex="女"), cover=BY_FAMILY)
    assert [row[5] for row in edition.rows()] == [[A1], [A2]]


def test_a_family_in_force_is_kept_for_an_item_whose_window_is_not_read() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, A2), cover=BY_FAMILY)
    edition.meet(
        Mode.REPLACE, item("2026-01", 1, "甲片", A1, sex="女"), unread=(item("2026-01", 2, "甲片", A2, text="若干岁"),)
    )
    assert edition.rows() == [
        ("drug-01-0001", MAY, None, None, None, [A]),
        ("drug-2026-01-0001", JANUARY, None, None, None, [A1]),
    ]


@pytest.mark.parametrize(
    ("status", "valid_to", "region", "whole"),
    [
        ("active", None, None, True), ("shadow", None, None, False), ("active", JANUARY, None, False),
        ("active", None, "3708", False),
    ],
)  # fmt: skip
def test_only_what_the_rule_limits_in_force_and_in_place_is_limited_alike(
    status: str, valid_to: date | None, region: str | None, whole: bool
) -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "乙分散片", A2), region=region)
    ((point_id, point),) = edition.points.items()
    edition = Edition([replace(point, status=status, valid_to=valid_to)], edition.patterns[point_id])
    change = edition.meet(Mode.PATCH, item("2026-01", 1, "甲片", A1), cover=BY_FAMILY)
    assert (edition.patterns["drug-2026-01-0001"][0].code == A) == whole
    assert [exact.others for exact in change.exact_families] == ([] if whole else [("乙分散片",)])


def test_exact_codes_among_families_show_a_family_of_several_items() -> None:
    edition = Edition()
    unlimited = item("01", 1, "乙分散片", A3, rule="别的")
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), item("01", 2, "丙片", B1), cover=BY_FAMILY, also=[unlimited])
    known = edition.sources()
    assert exact_among_families(known.point, known.pattern).to_list() == [A]
    edition.meet(Mode.PATCH, item("2026-01", 1, "丙片", B1, sex="女"), item("2026-01", 2, "丁片", C1))
    known = edition.sources()
    assert [row[5] for row in edition.rows()] == [[A1], [B], [B], [C1]]
    assert exact_among_families(known.point, known.pattern).to_list() == [A]


def test_a_family_of_the_list_begins_beside_the_exact_codes_that_go_on() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1))
    change = edition.meet(Mode.REPLACE, item("2026-01", 1, "甲片", A1, A2), cover=BY_FAMILY)
    assert edition.rows() == [
        ("drug-01-0001", MAY, None, None, None, [A1]),
        ("drug-2026-01-0001", JANUARY, None, None, None, [A]),
    ]
    assert (change.went_on.codes, change.new.codes) == (1, 1)


def test_three_lists_and_no_id_is_given_twice() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, B1, C1))
    edition.meet(Mode.DEMOTE, item("2026-01", 1, "甲片", A1, B1))
    edition.meet(Mode.DEMOTE, item("2026-07", 1, "甲片", A1, C1))
    assert edition.rows() == [
        ("drug-01-0001", MAY, None, None, None, [A1]),
        ("drug-01-0001b", JANUARY, JULY, "notice", "drug-2026-07-0001", [C1]),
        ("drug-01-0001b-2026-07", JULY, None, "notice", None, [B1]),
        ("drug-01-0001c", MAY, JANUARY, None, "drug-01-0001b", [C1]),
        ("drug-01-0001c-2026-07", MAY, JULY, None, "drug-01-0001b-2026-07", [B1]),
        ("drug-2026-07-0001", JULY, None, None, None, [C1]),
    ]


def test_two_workbooks_that_number_alike_get_ids_of_their_own() -> None:
    edition = Edition()
    other = replace(item("01", 1, "乙片", B1), source_row="第二册/1")
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), other)
    edition.meet(Mode.PATCH, replace(item("01", 1, "丙片", C1), source_row="第三册/1"))
    names = {point_id: point.item_name for point_id, point in edition.points.items()}
    assert names == {"drug-01-0001": "甲片", "drug-01-0001.2": "乙片", "drug-01-0001.3": "丙片"}


def test_what_is_at_notice_is_not_lowered_again_and_replace_ends_it() -> None:
    lists = item("01", 1, "甲片", A1), item("2026-01", 1, "乙片", B1), item("2026-07", 1, "乙片", B1)
    for mode, still in ((Mode.DEMOTE, True), (Mode.PATCH, True), (Mode.REPLACE, False)):
        edition = Edition()
        edition.meet(Mode.PATCH, lists[0])
        edition.meet(Mode.DEMOTE, lists[1])
        edition.meet(mode, lists[2])
        assert sorted(edition.points) == ["drug-01-0001", "drug-01-0001b", "drug-2026-01-0001"]
        assert edition.says(A1, JULY) == ({("male", None, "notice")} if still else set())


def test_a_region_touches_its_own_points_only() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1))
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, sex="女"), region="3708")
    edition.meet(Mode.REPLACE, item("2026-01", 1, "乙片", B1), region="3708")
    assert edition.rows() == [
        ("3708-drug-01-0001", MAY, JANUARY, None, None, [A1]),
        ("3708-drug-2026-01-0001", JANUARY, None, None, None, [B1]),
        ("drug-01-0001", MAY, None, None, None, [A1]),
    ]
    begun = edition.points["3708-drug-2026-01-0001"]
    assert (begun.region, begun.region_of) == ("3708", "insured")


def test_other_rules_points_in_trial_and_ended_points_are_left_as_they_are() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), rule_id="other")
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), item("01", 2, "乙片", B1))
    trial = replace(edition.points["drug-01-0001"], status="shadow")
    ended = replace(edition.points["drug-01-0002"], valid_to=date(2025, 12, 1))
    edition = Edition(
        [edition.points["other-01-0001"], trial, ended], [row for own in edition.patterns.values() for row in own]
    )
    edition.meet(Mode.REPLACE, item("2026-01", 1, "丙片", C1))
    assert [point.point_id for point in edition.last.points] == ["drug-2026-01-0001"]
    edition.meet(Mode.REPLACE, item("2026-07", 1, "甲片", A1), item("2026-07", 2, "丙片", C1))
    assert edition.points["drug-01-0001"].superseded_by == "drug-2026-07-0001"


def test_a_point_with_a_set_end_that_is_listed_again_is_followed_by_one_without() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1))
    ending = replace(edition.points["drug-01-0001"], valid_to=date(2026, 12, 31))
    edition = Edition([ending], edition.patterns["drug-01-0001"])
    edition.meet(Mode.PATCH, item("2026-01", 1, "甲片", A1))
    assert edition.rows() == [
        ("drug-01-0001", MAY, JANUARY, None, "drug-2026-01-0001", [A1]),
        ("drug-2026-01-0001", JANUARY, None, None, None, [A1]),
    ]


@pytest.mark.parametrize("mode", list(Mode))
def test_the_same_list_again_changes_nothing(mode: Mode) -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1, B1), item("01", 2, "丙片", C1))
    update = item("2026-01", 1, "甲片", A1, A2), item("2026-01", 2, "丙片", C1, sex="女")
    edition.meet(mode, *update)
    edition.meet(mode, *update)
    assert (edition.last.points, edition.last.patterns) == ((), ())


def test_an_earlier_list_than_the_last_is_refused() -> None:
    for later in (item("2026-07", 1, "甲片", A1), item("2026-07", 1, "乙片", B1)):
        edition = Edition()
        edition.meet(Mode.PATCH, item("01", 1, "甲片", A1))
        edition.meet(Mode.PATCH, later)
        with pytest.raises(KnowledgeError, match="晚于 2026-01-28 公布的清单"):
            edition.meet(Mode.REPLACE, item("2026-01", 1, "甲片", A1))


def test_what_began_on_the_day_of_the_list_cannot_be_ended_by_it() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1))
    with pytest.raises(KnowledgeError, match="drug-01-0001 甲片 自 2025-05-23 起有效"):
        edition.meet(Mode.REPLACE, replace(item("01", 1, "乙片", B1), source_row="第二册/1"))


@pytest.mark.parametrize("mode", list(Mode))
def test_what_an_unread_item_names_stays_as_it_is(mode: Mode) -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1), item("01", 2, "乙片", B1))
    edition.meet(mode, item("2026-01", 2, "乙片", B1), unread=(item("2026-01", 1, "甲片", A2, text="若干岁"),))
    assert [row for row in edition.rows() if A1 in row[5]] == [("drug-01-0001", MAY, None, None, None, [A1])]


def test_every_unreadable_limit_is_named() -> None:
    wrong = item("01", 1, "甲片", A1, text="若干岁"), item("01", 2, "乙片", B1, sex="不详")
    with pytest.raises(KnowledgeError) as caught:
        Edition().meet(Mode.PATCH, *wrong)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["01/药品/1", "01/药品/2"]


# ------------------------------------------------------------------------- Random chains of lists

NAMES = ("甲片", "甲片（Ⅱ）", "乙片", "丙片")
CODES = [
    *(f"X{family:05d}AAA001A{pack:08d}".ljust(23, "0") for family in range(4) for pack in range(3)),
    *(f"00250104{number:02d}00000" for number in range(3)),
]
"""Packs of four families of drugs, and services."""


def random_list(rng: Random, batch: str) -> list[PublishedItem]:
    codes = rng.sample(CODES, rng.randint(1, 8))
    items = []
    for seq in range(1, rng.randint(1, 4) + 1):
        own, codes = codes[: (cut := rng.randint(1, 4))], codes[cut:]
        if own:
            sex = rng.choice(("男", "男", "女"))
            items.append(item(batch, seq, rng.choice(NAMES), *sorted(own), sex=sex))
    return items


@pytest.mark.parametrize("seed", range(150))
def test_a_list_rules_from_its_day_and_never_before(seed: int) -> None:
    rng = Random(seed)
    edition = Edition()
    first_seen: dict[str, tuple[str, date, str]] = {}
    for batch, day in DAYS.items():
        items = random_list(rng, batch)
        days = [day - timedelta(days=back) for back in (1, 100, 300)]
        before = {(code, when): edition.says(code, when) for code in CODES for when in days}
        mode, cover = rng.choice(list(Mode)), rng.choice((BY_CODE, BY_FAMILY))
        change = edition.meet(mode, *items, cover=cover)
        assert before == {(code, when): edition.says(code, when) for code in CODES for when in days}
        for listed in items:
            for code in listed.codes:
                assert ("male" if listed.limits.sex == "男" else "female", None, None) in edition.says(code, day)
        kept = {kept.code for kept in change.kept_by_family}
        for code in CODES:
            if (
                mode is Mode.REPLACE
                and cover == BY_CODE
                and not any(row[5] and code[:14] in row[5] for row in edition.rows())
            ):
                listed_codes = {code for listed in items for code in listed.codes}
                assert bool(edition.says(code, day)) == (code in listed_codes or code in kept)
        for point_id, point in edition.points.items():
            seen = (point.item_name, point.valid_from, point.batch)
            assert first_seen.setdefault(point_id, seen) == seen
            assert point.superseded_by is None or edition.points[point.superseded_by].valid_from <= (
                point.valid_to or MAY
            )
            assert edition.patterns[point_id]
            assert point.published_codes == sum(pattern.published_codes for pattern in edition.patterns[point_id])
        assert change.new.codes + change.went_on.codes + change.changed.codes == change.codes


@pytest.mark.parametrize("seed", range(40))
def test_a_whole_edition_fares_as_its_points_do_one_by_one(seed: int) -> None:
    rng = Random(seed)
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", SERVICE), rule_id="other")
    for batch, day in DAYS.items():
        items, mode, cover = random_list(rng, batch), rng.choice(list(Mode)), rng.choice((BY_CODE, BY_FAMILY))
        unread = tuple(items[3:])
        if rng.random() < 0.3 and edition.points:
            chosen = rng.choice(sorted(edition.points))
            altered = rng.choice(({"status": "shadow"}, {"level_cap": "notice"}, {"valid_to": date(2027, 1, 1)}))
            edition.points[chosen] = replace(edition.points[chosen], **altered)
        before = edition.sources()
        met = meet(before, [PublishedList("drug", batch, day, tuple(items[:3]), cover, unread=unread)], mode)
        change = edition.meet(mode, *items[:3], cover=cover, unread=unread)
        after = edition.sources()
        assert (met.knowledge.points, met.knowledge.patterns) == (after.points, after.patterns)
        assert met.changes == (change,)
        assert met.altered == (before.points != after.points or before.patterns != after.patterns)


def test_a_whole_edition_refuses_what_its_points_refuse_though_the_list_names_none_of_them() -> None:
    edition = Edition()
    edition.meet(Mode.PATCH, item("01", 1, "甲片", A1))
    same_day = PublishedList("drug", "01", MAY, (item("01", 1, "乙片", B1),))
    with pytest.raises(KnowledgeError, match="drug-01-0001 甲片 自 2025-05-23 起有效"):
        meet(edition.sources(), [same_day], Mode.REPLACE)
    edition.meet(Mode.PATCH, item("2026-07", 1, "甲片", A1))
    with pytest.raises(KnowledgeError, match="晚于 2026-01-28 公布的清单，如 drug-01-0001"):
        meet(
            edition.sources(),
            [PublishedList("drug", "2026-01", JANUARY, (item("2026-01", 1, "乙片", B1),))],
            Mode.PATCH,
        )
