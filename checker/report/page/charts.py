"""The charts of a page, drawn when it is written: Vega-Lite, as SVG, so that the page needs no program for them."""

from __future__ import annotations

from typing import Any

from checker.audit.columns import COLUMNS
from checker.model.shown import shown
from checker.model.words import Said

_LEFT, _EXPLAINED = "#b3261e", "#9aa5b1"
_WIDTH = 420
MOST_BARS = 15
"""Institutions, items and the like that a chart shows, the first of its table."""
Rows = list[tuple[Any, ...]]


def chart(title: Said, names: list[str], counts: list[tuple[int, int]], *, english: bool, along: bool) -> str:
    """SVG of bars, one a name: what is left to be looked at, and with another cause; `along` time they stand upright, else they lie.

    Raises ImportError where the library that draws is not installed.
    """
    import vl_convert

    left, explained = (COLUMNS[name].said[english] for name in ("left", "explained"))
    values = [
        {"name": name, "what": what, "lines": count}
        for name, (of_left, of_explained) in zip(names, counts, strict=True)
        for what, count in ((left, of_left), (explained, of_explained))
    ]
    named = {"field": "name", "type": "ordinal", "sort": None, "title": None, "axis": {"labelLimit": 180}}
    counted = {"field": "lines", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}}
    spec = {
        "title": title[english],
        "width": _WIDTH,
        **({"height": 220} if along else {"height": {"step": 20}}),
        "data": {"values": values},
        "mark": "bar",
        "encoding": {
            "x": named if along else counted,
            "y": counted if along else named,
            "color": {
                "field": "what", "type": "nominal", "title": None, "scale": {"domain": [left, explained], "range": [_LEFT, _EXPLAINED]},
                "legend": {"orient": "bottom"},
            },
            "order": {"field": "what"},
        },
        "config": {"font": "system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif", "view": {"stroke": None}},
    }  # fmt: skip
    return str(vl_convert.vegalite_to_svg(spec))


def charts(tables: dict[str, Rows], *, english: bool) -> list[tuple[Said, str]]:
    """The charts of a run's tables (months, rules, institutions, items), each with what it says."""
    drawn = []
    for title, id_, name, places in (
        (("按月：待核实与另有原因（行）", "By month: left, and with another cause (lines)"), "by_month", 0, "month"),
        (("按规则（行）", "By rule (lines)"), "by_rule", 0, "rule"),
        (
            ("按机构：每万行最多的（行）", "By institution: those of the highest rate (lines)"),
            "by_institution",
            1,
            "institution",
        ),
        (("按项目：每万行最多的（行）", "By item: those of the highest rate (lines)"), "by_item", 1, "item"),
    ):
        rows = tables[id_] if places == "month" else tables[id_][:MOST_BARS]
        if rows:
            names = _told_apart([(row[name], row[0]) for row in rows])
            counts = [_counts(row, places) for row in rows]
            drawn.append((title, chart(title, names, counts, english=english, along=places == "month")))
    return drawn


def _told_apart(rows: list[tuple[Any, Any]]) -> list[str]:
    """The names of bars as they may be shown; those that several share have their codes behind them, or one bar would be the sum of all."""
    names = [shown(str(name or code or "—")) for name, code in rows]
    return [
        f"{name} {shown(str(code))}" if names.count(name) > 1 else name
        for name, (_, code) in zip(names, rows, strict=True)
    ]


def _counts(row: tuple[Any, ...], places: str) -> tuple[int, int]:
    """Lines that are left, and with another cause, of a row of a table."""
    if places == "month":
        violations, left = row[2], row[3]
        return int(left or 0), 0 if violations is None or left is None else int(violations - left)
    explained, left = (row[2], row[3]) if places == "rule" else (row[4], row[5])
    return int(left or 0), int(explained or 0)
