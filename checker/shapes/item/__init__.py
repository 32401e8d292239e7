"""The shape `item`: one line and one point that covers its item; the point limits for whom the item may be used or paid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from checker.model.sql_builder import Steps
from checker.shapes import person
from checker.shapes.base import Column, Limit, Shape
from checker.shapes.item.words import say

if TYPE_CHECKING:
    import polars as pl

_MOST = 2**31 - 1
_UNITS = ("year", "month", "day")


def _name(steps: Steps) -> None:
    person.name_person(steps)
    steps.let("is_insured", steps["judges_insured"])
    person.name_age(steps)
    person.name_mother(steps)


def _faults(cells: pl.DataFrame) -> Iterator[tuple[str, str, pl.Expr, str]]:
    # Polars takes longer to load than the counter may.
    from checker.shapes.item.window_cells import window_faults

    return window_faults(cells)


ITEM = Shape(
    id="item",
    zh="明细与知识点",
    en="a line and a point",
    scope="line",
    roles={"item": ("受限的项目", "the item that is limited")},
    limits=(
        Limit("sex", str, "限定的性别", "the sex to which the item is limited", ("male", "female"), "point_sex", "sex"),
        Limit(
            "age_word", str, "公布的年龄用词：新生儿、婴儿、婴幼儿、儿童、小儿、法定就业年龄、老年人",
            "the word for the age: 新生儿, 婴儿, 婴幼儿, 儿童, 小儿, 法定就业年龄 or 老年人",
            ("新生儿", "婴儿", "婴幼儿", "儿童", "小儿", "法定就业年龄", "老年人"), fact="age",
        ),
        Limit("age_text", str, "公布的年龄范围，如 2-11岁", "the age window as published, such as 2-11岁", fact="age", wording=True),
        Limit("age_min", int, "年龄下限（含）", "lower bound of the age", fact="age", part_of="age_text"),
        Limit("age_min_unit", str, "下限的单位", "its unit", _UNITS, fact="age", unit_of="age_min"),
        Limit("age_max", int, "年龄上限（不含）", "upper bound of the age, exclusive", fact="age", above="age_min", part_of="age_text"),
        Limit("age_max_unit", str, "上限的单位", "its unit", _UNITS, fact="age", unit_of="age_max"),
    ),
    facts=person.FACTS,
    columns=(
        *person.COLUMNS,
        Column("point_sex", str, "知识点限定的性别：male、female", "the sex of the point: male, female", limits=("sex",)),
        Column("age_word", str, "知识点的年龄用词", "the point's word for the age", limits=("age_word",)),
        Column("age_text", str, "知识点写明的年龄范围", "the point's age window as published", limits=("age_text",)),
        Column("age_min", int, "写明的下限（含）", "lower bound of the text", limits=("age_min",), most=_MOST),
        Column("age_min_unit", str, "下限的单位：year、month、day", "its unit: year, month, day", limits=("age_min_unit",)),
        Column("age_max", int, "写明的上限（不含）", "upper bound of the text, exclusive", limits=("age_max",), most=_MOST),
        Column("age_max_unit", str, "上限的单位：year、month、day", "its unit: year, month, day", limits=("age_max_unit",)),
        Column(
            "has_age_max", bool, "知识点写明了年龄上限", "the point's text gives an upper bound",
            limits=("age_max", "age_max_unit"),
        ),
        Column(
            "under_age_min", bool, "低于写明的下限；没有写明的为假", "below the text's lower bound; false where there is none", "age",
            ("age_min", "age_min_unit"),
        ),
        Column(
            "over_age_max", bool, "达到或超过写明的上限；没有写明的为假", "at or past the text's upper bound; false where there is none", "age",
            ("age_max", "age_max_unit"),
        ),
    ),
    reasons=person.REASONS,
    name=_name,
    why=person.why_undetermined,
    doubt="newborn_doubt",
    say=say,
    faults=_faults,
)  # fmt: skip
"""Sex, age, and whatever else one line and one point decide between them."""
