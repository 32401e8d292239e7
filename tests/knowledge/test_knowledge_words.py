"""Names, codes and windows: the small readings that everything else rests on."""

from __future__ import annotations

import pytest

from checker.knowledge import codes, names
from checker.shapes.item.windows import AgeWindow, read_window


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("2-11岁", AgeWindow(2, "year", 12, "year")),
        ("1-14岁", AgeWindow(1, "year", 15, "year")),
        ("5岁至<12岁", AgeWindow(5, "year", 12, "year")),
        (">=3岁", AgeWindow(3, "year", None, None)),
        ("6-24个月", AgeWindow(6, "month", 25, "month")),
        ("儿童可用", None),
        ("2-11岁以下", None),
        ("限2-11岁", None),
    ],
)
def test_a_published_window_reads_as_half_open_bounds(text: str, window: AgeWindow | None) -> None:
    assert read_window(text) == window


def test_nested_parentheses_of_both_widths_do_not_make_another_item() -> None:
    assert names.item_key("甲（乙(丙)丁）片") == names.item_key("甲片")


def test_a_name_wholly_in_parentheses_stays_itself() -> None:
    assert names.item_key("(甲)") == "(甲)"


@pytest.mark.parametrize(
    "text",
    [
        "XG04CBA088A00101010146",
        "xg04cba088a001010101467",
        "00250104004000",
        "２５０１０４００４００００００",
        "ZD03AAA004301010016X9",
        "",
    ],
)
def test_what_is_no_national_code(text: str) -> None:
    assert not codes.is_code(text)


@pytest.mark.parametrize(
    "text", ["T001700001", "C0101011000100000001", "C01010110001000000010000001", "ZD03AAA0043010100166"]
)
def test_what_is_a_national_code(text: str) -> None:
    assert codes.is_code(text)
