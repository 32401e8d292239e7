"""Days and places that no notice has: far off, or of no province."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from checker.knowledge.checks.check_input import CheckInput, place_of
from checker.knowledge.checks.issue import Found, Place, Said
from checker.knowledge.codes import PROVINCES

_FIRST = date(2016, 1, 1)
"""No list of the insurance is older: the national administration is of 2018, and lists before it were local ones."""
_BEGINS_WITHIN = timedelta(days=5 * 366)
_ENDS_WITHIN = timedelta(days=20 * 366)


def far_date(checked: CheckInput) -> Iterator[Found]:
    """Points and exemptions that begin long ago or in many years, or end in decades."""
    bounds = {"valid_from": (_FIRST, checked.day + _BEGINS_WITHIN), "valid_to": (_FIRST, checked.day + _ENDS_WITHIN)}
    for column, (first, last) in bounds.items():
        for row in checked.point.filter(~pl.col(column).is_between(first, last)).iter_rows(named=True):
            yield _far(place_of(row), column, row[column])
        for each in checked.layer.exemptions:
            day: date | None = getattr(each, column)
            if day is not None and not first <= day <= last:
                yield _far(checked.layer.exemption_places[each.exemption_id], column, day)


def unknown_region(checked: CheckInput) -> Iterator[Found]:
    """Points and exemptions of a place whose code no province has."""
    strange = pl.col("region").is_not_null() & ~pl.col("region").str.head(2).is_in(sorted(PROVINCES))
    for row in checked.point.filter(strange).iter_rows(named=True):
        yield _nowhere(place_of(row), row["region"])
    for each in checked.layer.exemptions:
        if each.region is not None and each.region[:2] not in PROVINCES:
            yield _nowhere(checked.layer.exemption_places[each.exemption_id], each.region)


def _far(place: Place, column: str, day: date) -> Found:
    said = Said(
        f"{day} 离现在太远，像是抄错了{'；没有终止日期请留空' if column == 'valid_to' else ''}",
        f"{day} is far off and looks mistyped{'; leave it empty where there is no end' if column == 'valid_to' else ''}",
    )
    return Found(place, said, column, str(day))


def _nowhere(place: Place, region: str) -> Found:
    said = Said(f"没有以 {region[:2]} 开头的行政区划代码", f"no place code begins with {region[:2]}")
    return Found(place, said, "region", region)
