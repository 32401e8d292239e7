"""A made-up further shape: what adding one takes is its folder (here this file) and its name in SHAPES."""

from __future__ import annotations

from checker.shapes.base import Fact, Limit, Shape

MADE_UP = Shape(
    id="made_up",
    zh="明细与另一项目",
    en="a line and another item",
    scope="day",
    roles={"item": ("受限的项目", "the item that is limited")},
    limits=(
        Limit("partner", str, "另一项目的分类", "the class of the other item", ("imaging", "nursing"), fact="partner"),
        Limit("most", int, "最多次数", "how often at most", fact="partner"),
    ),
    facts={"partner": Fact("另一项目", "the other item")},
    columns=(),
    reasons=("other",),
    name=lambda steps: None,
    why=lambda steps, reads: "'other'",
    say=lambda limits, english: [f"with {limits['partner']}"] if limits.get("partner") else [],
)
