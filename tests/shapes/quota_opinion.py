"""A second opinion on quotas, written anew from docs/judgment.md: what was used, in plain Python, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

SINCE = date(2024, 1, 1)
EPISODE, STAY, MONTHS, BED, HOURS, CARE, WINDOW = (
    f"00110901000000{n}" if n == 3 else f"0034020000{n}0000" for n in range(7)
)


class Point(NamedTuple):
    """A point: its rule, its code, and how much is paid for."""

    rule: str
    code: str
    kind: str
    most: int
    unit: str = "day"
    scope: str = ""
    window: int = 0


POINTS = (
    Point("drug-course", EPISODE, "course", 3, scope="episode"),
    Point("service-course", STAY, "course", 2, scope="stay"),
    Point("drug-course", MONTHS, "course", 2, "month", "episode"),
    Point("service-frequency", BED, "day", 1),
    Point("service-frequency", HOURS, "day", 24, "hour"),
    Point("service-frequency", CARE, "day", 1),
    Point("service-cycle", WINDOW, "window", 1, "time", window=14),
)


@dataclass
class Line:
    """One line as the file tells it, and what refunds leave of it."""

    cells: dict[str, str]
    left: Fraction = Fraction(1)

    @property
    def is_judged(self) -> bool:
        return self.cells.get("is_context") != "1" and self.cells.get("paid_by_fund") != "0"

    @property
    def counts(self) -> bool:
        return self.left > 0 and self.cells.get("paid_by_fund") != "0" and self.cells.get("amount_in_scope") != "0"

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.cells["service_time"])

    @property
    def day(self) -> date:
        return self.at.date()

    @property
    def quantity(self) -> Fraction:
        return Fraction(self.cells["quantity"]) * self.left

    @property
    def amount(self) -> Fraction:
        return Fraction(self.cells["amount"]) * self.left

    @property
    def visit(self) -> str:
        """The visit at the institution, else the settlement; '' where neither is told."""
        get = self.cells.get
        if not (get("visit_id") or get("settlement_id")):
            return ""
        own = f"v{get('visit_id')}" if get("visit_id") else f"s{get('settlement_id')}"
        return f"{own}@{get('institution_id', '')}"

    @property
    def stay(self) -> bool | None:
        care = self.cells.get("care_type", "")
        return None if not care else care == "21"

    def _day(self, name: str) -> date | None:
        return date.fromisoformat(self.cells[name]) if self.cells.get(name) else None

    @property
    def begin(self) -> date | None:
        return self._day("visit_start")

    @property
    def end(self) -> date | None:
        end = self._day("visit_end")
        return end if end and self.begin and end >= self.begin else None


Opinion = tuple[str, str | None, Fraction | None]
"""Verdict, level or reason, and what is at stake."""


def opinions(lines: Sequence[Line]) -> dict[str, Opinion]:
    """What there is to say of each line that is judged and not clean, by line id."""
    found: dict[str, Opinion] = {}
    for point in POINTS:
        own = [line for line in lines if line.cells["item_code"] == point.code]
        counted = [line for line in own if line.counts]
        judge = {"course": _course, "day": _day, "window": _window}[point.kind]
        for line in own:
            if line.is_judged and line.counts and line.day >= SINCE and (said := judge(point, line, counted)):
                found[line.cells["line_id"]] = said
    return found


def _before(line: Line, others: Iterable[Line]) -> list[Line]:
    """Those up to the line, itself included, in the order in which they count."""
    key = lambda one: (one.at, one.cells["line_id"] == "", one.cells["line_id"])  # noqa: E731
    return [other for other in others if key(other) <= key(line)]


def _course(point: Point, line: Line, counted: Sequence[Line]) -> Opinion | None:
    whole, at_stake = ("definite", "suspect") if point.rule == "drug-course" else ("suspect", "notice"), line.amount
    if point.scope == "stay":
        if not line.visit:
            return "undetermined", "visit_missing", line.amount
        mine = [
            each
            for each in counted
            if each.visit == line.visit and each.cells["patient_id"] == line.cells["patient_id"]
        ]
    else:
        if not line.cells["patient_id"]:
            return "undetermined", "patient_missing", line.amount
        mine = [each for each in counted if each.cells["patient_id"] == line.cells["patient_id"]]
    days = set()
    for each in mine:
        supply = int(Fraction(each.cells.get("days_supply") or 1)) if each.stay is False else 1
        days |= {each.day + timedelta(n) for n in range(max(1, min(supply, 400)))}
    course: list[date] = []
    for day in sorted(day for day in days if day <= line.day):
        if course and point.scope != "stay" and (day - course[-1]).days > 30:
            course = []
        course.append(day)
    if point.unit == "month":
        limit = _months_later(course[0], point.most)
        over = (line.day - limit).days + 1
    else:
        over = len(course) - point.most
    if over <= 0:
        return None
    return "violation", whole[over == 1], at_stake


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(1)).day
    return date(year, month, min(day.day, last))


def _day(point: Point, line: Line, counted: Sequence[Line]) -> Opinion | None:
    def in_stay(one: Line) -> bool:
        return one.stay is not False and bool(one.visit) and one.begin is not None and one.day >= one.begin

    patient = line.cells["patient_id"]
    if in_stay(line):
        mine = [
            each
            for each in counted
            if in_stay(each) and each.visit == line.visit and each.cells["patient_id"] == patient
        ]
        begin, end = line.begin, line.end
        assert begin is not None
        bed = point.code.startswith("0011090")
        whole = None if end is None else max(1, (end - begin).days) if bed else (end - begin).days + 1
        so_far = (line.day - begin).days + 1
        allowed = point.most * (min(so_far, whole) if bed and whole else so_far)
        total = sum(each.quantity for each in mine)
        over = sum(each.quantity for each in _before(line, mine)) - allowed
        if over <= 0:
            return None
        level = "definite" if whole and total > point.most * whole else "suspect"
        if bed and whole and total - point.most * whole == 1:
            level = "notice"
        return "violation", level, _stake(line, over)
    same = [
        each for each in counted
        if not in_stay(each) and each.day == line.day and each.cells["institution_id"] == line.cells["institution_id"]
    ]  # fmt: skip
    if patient:
        mine = [each for each in same if each.cells["patient_id"] == patient]
    elif line.visit:
        mine = [each for each in same if not each.cells["patient_id"] and each.visit == line.visit]
    else:
        mine = [line]
    over = sum(each.quantity for each in _before(line, mine)) - point.most
    if over > 0:
        return "violation", "suspect", _stake(line, over)
    return None if patient else ("undetermined", "patient_missing", line.amount)


def _window(point: Point, line: Line, counted: Sequence[Line]) -> Opinion | None:
    patient = line.cells["patient_id"]
    first = line.day - timedelta(point.window - 1)
    mine = (
        [each for each in counted if each.cells["patient_id"] == patient and first <= each.day] if patient else [line]
    )
    before = _before(line, mine)
    over = sum(each.quantity for each in before) - point.most
    own = (
        sum(each.quantity for each in before if each.cells["institution_id"] == line.cells["institution_id"])
        - point.most
    )
    if over > 0:
        return "violation", "definite" if own > 0 else "suspect", _stake(line, over)
    return None if patient else ("undetermined", "patient_missing", line.amount)


def _stake(line: Line, over: Fraction) -> Fraction:
    price = Fraction(line.cells.get("unit_price") or 0) or line.amount / line.quantity
    return min(line.amount, min(line.quantity, over) * price)
