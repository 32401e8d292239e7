"""Age windows in published cells: what is understood, how, and that nothing else is guessed."""

from __future__ import annotations

import pytest

from checker.shapes.item.windows import AgeWindow, FoundWindow, find_window, read_window

_Bound = tuple[int, str] | None


def _window(low: _Bound, high: _Bound) -> AgeWindow:
    return AgeWindow(*(low or (None, None)), *(high or (None, None)))


@pytest.mark.parametrize(
    ("cell", "text", "low", "high"),
    [
        ("限2-11岁", "2-11岁", (2, "year"), (12, "year")),
        ("限3-12岁", "3-12岁", (3, "year"), (13, "year")),
        ("限5岁至<12岁", "5岁至<12岁", (5, "year"), (12, "year")),
        ("限>=3岁", ">=3岁", (3, "year"), None),
        ("≥3岁", "≥3岁", (3, "year"), None),
        (">6岁", ">6岁", (7, "year"), None),
        ("1岁至14岁", "1岁至14岁", (1, "year"), (15, "year")),
        ("14岁以下", "14岁以下", None, (14, "year")),
        ("14岁及以下", "14岁及以下", None, (15, "year")),
        ("≤14岁", "≤14岁", None, (15, "year")),
        ("<18岁", "<18岁", None, (18, "year")),
        ("不满3周岁", "不满3周岁", None, (3, "year")),
        ("6岁以上", "6岁以上", (6, "year"), None),
        ("6岁及以上", "6岁及以上", (6, "year"), None),
        ("3岁及3岁以上", "3岁及3岁以上", (3, "year"), None),
        ("6岁及以上，12岁以下", "6岁及以上,12岁以下", (6, "year"), (12, "year")),
        ("5至12岁以下", "5至12岁以下", (5, "year"), (12, "year")),
        ("2岁至<18岁儿童", "2岁至<18岁", (2, "year"), (18, "year")),
        ("6个月-5岁", "6个月-5岁", (6, "month"), (6, "year")),
        ("6月至3岁", "6月至3岁", (6, "month"), (4, "year")),
        ("≥12月龄且<18岁", "≥12月龄且<18岁", (12, "month"), (18, "year")),
        ("28天以内", "28天以内", None, (29, "day")),
        ("0-28天", "0-28天", (0, "day"), (29, "day")),
        ("1.1岁至14岁", "1岁至14岁", (1, "year"), (15, "year")),
        ("（1）6岁以上", "6岁以上", (6, "year"), None),
        ("①6岁及以上", "6岁及以上", (6, "year"), None),
        ("限：1.50岁以上", "50岁以上", (50, "year"), None),
        ("2、仅限于１４岁以下儿童使用。", "14岁以下", None, (14, "year")),
        ("适用于 2 ～ 11 岁的患儿", "2~11岁", (2, "year"), (12, "year")),
        ("2—11岁", "2—11岁", (2, "year"), (12, "year")),
        ("2－11岁", "2-11岁", (2, "year"), (12, "year")),
        ("十四岁以下", "14岁以下", None, (14, "year")),
        ("限六个月以上", "6个月以上", (6, "month"), None),
        ("三至十二岁", "3至12岁", (3, "year"), (13, "year")),
        ("3岁以下（含3岁）", "3岁以下(含3岁)", None, (4, "year")),
        ("65岁（含）以上", "65岁(含)以上", (65, "year"), None),
        ("65岁（不含）以上", "65岁(不含)以上", (66, "year"), None),
    ],
)
def test_what_a_cell_says_of_an_age(cell: str, text: str, low: _Bound, high: _Bound) -> None:
    assert find_window(cell) == FoundWindow(text, _window(low, high))
    assert read_window(text) == _window(low, high)


@pytest.mark.parametrize(
    "cell",
    [
        "1.5岁以上",
        "0.5岁以上",
        "2-11岁以下",
        "14-2岁",
        "一岁半以下",
        "3岁（含）至12岁（不含）",
        "2-11岁；14-17岁",
        "不适用于3岁以下",
        "限成人和6岁及以上儿童患者的二线治疗",
        "支付不超过14天",
        "药品说明书（6岁以上）",
        "3岁以内",
        "4周以内",
        "限成人",
    ],
)
def test_an_age_that_is_not_understood_is_told_and_not_guessed(cell: str) -> None:
    assert find_window(cell) == FoundWindow(cell, None)


@pytest.mark.parametrize(
    "cell", ["药品说明书适应症", "项目内涵", "新生儿专用项目", "2026年1月更新", "见2025年5月23日公告", ""]
)
def test_a_cell_without_an_age_is_no_window(cell: str) -> None:
    assert find_window(cell) is None


@pytest.mark.parametrize(
    ("cell", "window"),
    [
        ("65岁以上慎用", (None, 65)),
        ("70岁及以上患者不宜使用", (None, 70)),
        ("3岁以下禁用", (3, None)),
        ("65岁（含）以上慎用", (None, 65)),
        ("六十五岁以上（含）的老年人慎用", (None, 65)),
        ("限2-11岁慎用", None),
        ("成人慎用", None),
    ],
)
def test_a_warning_leaves_those_beside_it(cell: str, window: tuple[int | None, int | None] | None) -> None:
    found = find_window(cell)
    assert found is not None
    bounds = found.bounds
    assert (None if bounds is None else (bounds.minimum, bounds.maximum)) == window
