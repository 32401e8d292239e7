"""Stays, courses and operations charged as the rules want: a scan finds nothing. Each way of charging is a false alarm seen in the field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest

from checker.scan.request import ScanRequest
from checker.scan.scan import scan

BED, HOURS, TWICE_DAILY = "001109000030000", "003106030010000", "001201000100100"
"""A bed in intensive care (one a day), ventilation (24 hours a day), care of a tracheotomy (once a day)."""
COURSE, TRAINING, MEASURED = "XN07XXT050B002010199999", "003402000210000", "002503020030100"
"""14 days, 30 days, once in 15 days."""
CONTAINER, CONTAINED = "003110000100000", "003110000060000"
"""Haemoperfusion, and the dialysis that it contains on one day."""
LARGER, SMALLER = "003310050130000", "003310030080000"
"""Two operations of one group."""
Row = dict[str, object]


class Stay:
    """A stay of a number of days, and the lines charged in it."""

    def __init__(self, number: int, rng: Random) -> None:
        self.number, self.days = number, rng.randrange(2, 25)
        self.begin = datetime(2026, 2, 1, rng.randrange(1, 23), rng.randrange(60)) + timedelta(days=rng.randrange(60))
        self.end = (self.begin + timedelta(days=self.days)).replace(hour=rng.randrange(24))
        self.lines: list[Row] = []

    def charge(self, code: str, day: int, quantity: float = 1, *, hour: int = 23, **more: object) -> str:
        """Charge an item on a day of the stay (0 is that of the admission); returns the id of the line."""
        time = min((self.begin + timedelta(days=day)).replace(hour=hour, minute=30), self.end)
        line_id = f"L{self.number}-{len(self.lines)}"
        self.lines.append(
            {
                "bkkp_sn": line_id, "mdtrt_id": f"M{self.number}", "setl_id": f"S{self.number}", "psn_no": f"P{self.number}", "gend": "1",
                "brdy": "1968-03-02", "med_type": "21", "insutype": "310", "fixmedins_code": "H37080000001", "begntime": self.begin, "endtime": self.end,
                "fee_ocur_time": max(time, self.begin), "med_list_codg": code, "cnt": quantity, "pric": 100.0, "pric_uplmt_amt": 100.0,
                "det_item_fee_sumamt": quantity * 100.0, "inscp_amt": quantity * 100.0, "prd_days": None, "init_feedetl_sn": None, "vali_flag": "1",
            }
            | more
        )  # fmt: skip
        return line_id


def beds_counted_in_and_not_out(stay: Stay, rng: Random) -> None:
    for day in range(stay.days):
        stay.charge(BED, day)


def beds_counted_out_and_not_in(stay: Stay, rng: Random) -> None:
    for day in range(1, stay.days + 1):
        stay.charge(BED, day, hour=0)


def days_posted_together(stay: Stay, rng: Random) -> None:
    posted = 0
    for day in sorted({*rng.sample(range(stay.days + 1), min(3, stay.days)), stay.days}):
        stay.charge(HOURS, day, 24 * (day + 1 - posted))
        stay.charge(TWICE_DAILY, day, day + 1 - posted)
        posted = day + 1


def all_posted_at_discharge(stay: Stay, rng: Random) -> None:
    stay.charge(BED, stay.days, stay.days)
    stay.charge(HOURS, stay.days, 24 * (stay.days + 1))


def another_ward_from_some_day_on(stay: Stay, rng: Random) -> None:
    moved = rng.randrange(1, stay.days + 1)
    for day in range(moved):
        stay.charge(BED, day, bilg_dept_name="ICU")
    for day in range(moved, stay.days):
        stay.charge("001109000010200", day, bilg_dept_name="内科")


def charged_twice_and_taken_back(stay: Stay, rng: Random) -> None:
    for day in range(stay.days):
        stay.charge(BED, day)
        if rng.random() < 0.3:
            wrong = stay.charge(BED, day, hour=22)
            by_id = rng.random() < 0.5
            stay.charge(BED, min(day + rng.randrange(3), stay.days), -1, init_feedetl_sn=wrong if by_id else None)


def two_courses_with_a_pause(stay: Stay, rng: Random) -> None:
    outpatient: Row = {"med_type": "11", "begntime": None, "endtime": None}
    first = rng.randrange(1, 15)
    for start, days in ((0, first), (first + 31, 7), (first + 38, 7)):
        time = stay.begin + timedelta(days=start)
        stay.charge(COURSE, 0, days, **outpatient | {"fee_ocur_time": time, "prd_days": days})


def a_course_of_which_days_are_taken_back(stay: Stay, rng: Random) -> None:
    for day in range(min(stay.days, 14)):
        stay.charge(COURSE, day)
    for day in range(14, stay.days):
        stay.charge(COURSE, day, -1, hour=23, init_feedetl_sn=stay.charge(COURSE, day, hour=21))


def measured_again_when_it_may_be(stay: Stay, rng: Random) -> None:
    time = stay.begin
    for _ in range(4):
        stay.charge(MEASURED, 0, med_type="11", begntime=None, endtime=None, fee_ocur_time=time)
        time += timedelta(days=rng.randrange(15, 20))


def contained_on_other_days(stay: Stay, rng: Random) -> None:
    for day in range(stay.days):
        stay.charge(rng.choice((CONTAINER, CONTAINED)), day)


def contained_at_another_hospital(stay: Stay, rng: Random) -> None:
    stay.charge(CONTAINER, 1)
    other: Row = {"fixmedins_code": "H37080000002", "mdtrt_id": f"M{stay.number}-2", "setl_id": f"S{stay.number}-2"}
    stay.charge(CONTAINED, 1, **other)


def further_operations_at_less(stay: Stay, rng: Random) -> None:
    stay.charge(LARGER, 1, hour=10, pric=3000.0, det_item_fee_sumamt=3000.0)
    stay.charge(SMALLER, 1, hour=10, pric=50.0, det_item_fee_sumamt=50.0)
    stay.charge(SMALLER, 1, hour=10, mdtrt_id=f"M{stay.number}-alone", setl_id=f"S{stay.number}-alone")


def operations_on_other_days(stay: Stay, rng: Random) -> None:
    for day in range(min(stay.days, 3)):
        stay.charge((LARGER, SMALLER)[day % 2], day, hour=23)


IN_ORDER: tuple[Callable[[Stay, Random], None], ...] = (
    beds_counted_in_and_not_out, beds_counted_out_and_not_in, days_posted_together, all_posted_at_discharge, another_ward_from_some_day_on,
    charged_twice_and_taken_back, two_courses_with_a_pause, a_course_of_which_days_are_taken_back, measured_again_when_it_may_be,
    contained_on_other_days, contained_at_another_hospital, further_operations_at_less, operations_on_other_days,
)  # fmt: skip


@pytest.mark.parametrize("charging", IN_ORDER, ids=lambda each: each.__name__)
def test_what_is_charged_in_order_is_no_finding(charging: Callable[[Stay, Random], None], tmp_path: Path) -> None:
    rng = Random(charging.__name__)
    stays = [Stay(number, rng) for number in range(60)]
    for stay in stays:
        charging(stay, rng)
    lines = [line for stay in stays for line in stay.lines]
    pl.DataFrame(lines, infer_schema_length=None).write_parquet(tmp_path / "fee.parquet")
    result = scan(ScanRequest([tmp_path / "fee.parquet"], tmp_path / "out"))
    findings = pl.read_parquet(tmp_path / "out" / "findings.parquet")
    assert findings.select("line_id", "rule_id", "level", "reason_code", "actual", "remarks").to_dicts() == []
    assert result.census.read == len(lines)
    assert [each.rule_id for each in result.not_judged if each.lines] == []
