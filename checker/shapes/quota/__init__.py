"""The shape `quota`: a line and running totals of its point: days of a course, quantity of a day or stay, quantity within a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from checker.model.sql_builder import FALSE, NULL, Steps, choose, every, holds, negated, some
from checker.model.words import quota_words
from checker.shapes.base import Column, Fact, Limit, Shape, missing_sql, name_nobody
from checker.shapes.quota.base_sql import PARTS, asked_parts, quota_base
from checker.shapes.uses import USE

_PATIENT = ("patient_id", "patient_id_number")
_MOST_OVER = 1_000_000


def _name(steps: Steps) -> None:
    steps.let("service_date", "CAST(service_time AS DATE)")
    name_nobody(steps)
    of_course = holds("quota = 'course'", steps["quota"])
    of_stay = holds("course_scope = 'stay'", steps["course_scope"])
    # What was told may be less than there was: that it is too much is certain, that it is not only where all is told.
    untold = FALSE if steps["history_told"] == NULL else "NOT history_told"
    steps.let(
        "lacks_history",
        every(untold, some(every(of_course, negated(of_stay)), holds("quota = 'window'", steps["quota"]))),
    )
    open_end = some("lacks_patient", "lacks_visit", "lacks_history")
    steps.let(
        "course_days_over",
        f"CASE WHEN counts AND NOT (days_over <= 0 AND {open_end}) THEN days_over WHEN NOT counts THEN 0 END",
    )
    steps.let("is_over", f"CASE WHEN NOT counts THEN FALSE WHEN over > 0 THEN TRUE WHEN NOT {open_end} THEN FALSE END")
    steps.let("own_is_over", "own_over > 0")
    steps.let("stay_is_over", "total > possible")
    steps.let("one_day_over", "coalesce(is_bed AND total - possible = 1, FALSE)")
    steps.let("used_so_far", _number("running"))
    steps.let("allowed_so_far", _number("allowed"))
    steps.let("is_of_stay", "coalesce(in_stay, FALSE)")
    steps.let(
        "at_stake", "CASE WHEN over > 0 THEN CAST(least(net, least(counted, over) * price) AS DECIMAL(18, 4)) END"
    )
    steps.let("related_lines", "list_filter([course_line, line_before], lambda l: l IS NOT NULL)")
    steps.let("finding_scope", choose(
        (some(every(of_course, of_stay), "is_of_stay"), "'visit'"), (holds("quota = 'day'", steps["quota"]), "'day'"), otherwise="'patient'"
    ))  # fmt: skip
    steps.let(
        "own_remarks",
        "list_filter([CASE WHEN course_day IS NOT NULL THEN 'counted_from_data' END, CASE WHEN days_open THEN 'days_not_given' END, "
        "CASE WHEN is_of_stay AND of_day > quota_most THEN 'posted_in_bulk' END], lambda r: r IS NOT NULL)",
    )


def _number(column: str) -> str:
    """SQL of a quantity as people write it."""
    return f"rtrim(rtrim(CAST(CAST({column} AS DECIMAL(18, 4)) AS VARCHAR), '0'), '.')"


def _why(steps: Steps, reads: Callable[[str], str]) -> str:
    """What is missing: whose line it is, of which visit, or what came before."""
    return choose(
        ("lacks_patient", missing_sql(steps, "patient", "patient_missing")),
        ("lacks_visit", missing_sql(steps, "visit", "visit_missing")),
        ("lacks_history", "'history_missing'"),
        otherwise="'other'",
    )


def _say(limits: Mapping[str, Any], english: bool) -> Iterator[str]:
    if limits.get("quota") and limits.get("quota_most") is not None:
        yield quota_words(
            limits["quota"],
            int(limits["quota_most"]),
            limits.get("quota_unit") or "time",
            limits.get("window_days"),
            english=english,
        )


QUOTA = Shape(
    id="quota",
    zh="明细与累计用量",
    en="a line and what was used of its point so far",
    scope="patient",
    judges="line",
    roles={"item": ("受限的项目", "the item that is limited")},
    limits=(
        Limit(
            "quota", str, "按什么累计：course 疗程、day 每日、window 一段时间",
            "what is counted: course, days of use; day, quantity a day; window, quantity within days", ("course", "day", "window"), fact="patient",
        ),
        Limit("quota_most", int, "最多多少", "how much at most", fact="patient", unit_of="quota_unit"),
        Limit(
            "quota_unit", str, "最多的单位：day 天、month 月、hour 小时、time 次", "the unit of the most: day, month, hour, time",
            ("day", "month", "hour", "time"), fact="patient",
        ),
        Limit("window_days", int, "一段时间的天数", "how many days the window has", fact="patient"),
        Limit(
            "course_scope", str, "疗程的范围：stay 单次住院、episode 一个病程", "what a course lies within: stay, episode", ("stay", "episode"),
            fact="visit", steers=True,
        ),
        Limit("quota_text", str, "公布的原文", "the text as published", wording=True),
    ),
    facts={
        "patient": Fact(
            "患者的其他明细", "other lines of the patient", line="patient_id", point="quota", missing="patient_missing", told_by=_PATIENT, key="patient",
        ),
        "visit": Fact(
            "同一就诊的其他明细", "other lines of the visit", line="visit_id", point="course_scope", missing="visit_missing",
            told_by=("visit_id", "settlement_id"), key="visit",
        ),
        "history": Fact(
            "此前的明细", "earlier lines", line="patient_id", point="quota", missing="history_missing", told_by=_PATIENT, key="history",
        ),
    },
    columns=(
        Column("quota", str, "按什么累计：course、day、window", "what is counted: course, day, window", limits=("quota",)),
        Column("quota_most", int, "最多多少", "how much at most", limits=("quota_most",), most=10_000),
        Column("quota_unit", str, "单位：day、month、hour、time", "the unit: day, month, hour, time", limits=("quota_unit",)),
        Column("window_days", int, "一段时间的天数", "the days of the window", limits=("window_days",), most=10_000),
        Column("course_day", int, "疗程的第几个用药日，从数据中第一次使用算起", "the day of use within the course, from the first one in the data",
            "patient", ("quota", "course_scope"), most=_MOST_OVER),
        Column("course_since", str, "疗程的第一天（年-月-日）", "the first day of the course (ISO)", "patient", ("quota", "course_scope")),
        Column(
            "course_days_over", int, "超过疗程的天数，0 及以下没有超过；说不清时为空",
            "how many days it lies past the course, 0 and below where it does not; NULL where that cannot be told", "history",
            ("quota", "quota_most", "quota_unit", "course_scope"), least=-_MOST_OVER, most=_MOST_OVER,
        ),
        Column("is_over", bool, "累计数量超过最多的；说不清时为空",
            "the quantity so far is over the most; NULL where that cannot be told", "history", ("quota", "quota_most")),
        Column("own_is_over", bool, "只看本机构也超过", "it is over at its own institution alone", "patient"),
        Column("is_of_stay", bool, "按住院累计：住院且入院日期已知", "counted over an inpatient stay whose begin is known", "visit"),
        Column("stay_is_over", bool, "整个住院的总量超过可能的总量；不知道出院日期时为空",
            "the total of the stay is more than can be; NULL without its end", "visit"),
        Column("one_day_over", bool, "床位费正好多一天", "of beds: exactly one day more", "visit"),
        Column("used_so_far", str, "到这一行为止的数量", "the quantity up to the line", "patient"),
        Column("allowed_so_far", str, "到这一天为止最多的数量", "the most up to that day", "patient"),
    ),
    lowered="lowered_quota",
    noticed="one_bed_day_over",
    case_code="009{:08d}0000",
    reasons=("header_missing", "patient_missing", "visit_missing", "history_missing", "other"),
    line_columns=("history_told",),
    params=("gap",),
    together="CASE WHEN quota IS NOT NULL THEN point_id END",
    relations={"use": USE},
    base=quota_base,
    parts=PARTS,
    asks=asked_parts,
    name=_name,
    why=_why,
    say=_say,
)  # fmt: skip
"""How much of an item is paid for: so many days, so many a day, so many within a time."""
