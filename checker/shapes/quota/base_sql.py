"""The SQL behind the shape `quota`: running totals of what was used, by course, by day or stay, and within a window of days.

Each is worked out over `use` once, by windows over the lines in the order of their time, and joined to the candidates by line: nothing is line × line.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from checker.model import sqltext

PARTS = ("course", "day", "window")
"""The ways in which a quota counts."""
GAP = 30
"""A course goes on while so many days lie between two days of use, where its rule has no parameter `gap`."""
_MOST_DAYS = 400
"""So many days a line covers at most, whatever supply it tells of."""
BEDS = "0011090"
"""The service codes of beds, which are counted on the first day and not on the last."""
_IN_ORDER = "ORDER BY moment, line_id NULLS LAST, line_no"
_COURSE = {
    "course_day": "BIGINT", "course_since": "VARCHAR", "days_over": "BIGINT", "course_line": "VARCHAR",
}  # fmt: skip
"""What is told of a line by its course."""
_TOTAL = {
    "running": "DECIMAL(38, 4)", "allowed": "BIGINT", "over": "DECIMAL(38, 4)", "price": "DOUBLE", "counted": "DECIMAL(18, 4)", "net": "DECIMAL(18, 4)",
    "in_stay": "BOOLEAN", "possible": "BIGINT", "total": "DECIMAL(38, 4)", "is_bed": "BOOLEAN", "of_day": "DECIMAL(38, 4)",
    "own_over": "DECIMAL(38, 4)", "line_before": "VARCHAR",
}  # fmt: skip
"""What is told of a line by what was used so far, of a day or stay, or within a window."""


def asked_parts(limits: Mapping[str, Any]) -> frozenset[str]:
    """What a point with these limits asks of `quota_base`: the way in which it counts."""
    quota = limits.get("quota")
    return frozenset() if quota is None else frozenset({quota})


def quota_base(candidates: str, parts: Collection[str]) -> str:
    """SQL of the candidates with what was used of their points so far; what the fund does not pay counts for nothing, and is over nothing."""
    tables = [make() for part, make in (("course", _courses), ("day", _days), ("window", _windows)) if part in parts]
    course, total, joins = sqltext.nulls(_COURSE), sqltext.nulls(_TOTAL), []
    open_course = "FALSE AS days_open, FALSE AS lacks_visit"
    counts, lacks = ["FALSE"], []
    if "course" in parts:
        course = ", ".join(f"k.{name}" for name in _COURSE)
        open_course = "coalesce(k.days_open, FALSE) AS days_open, coalesce(k.lacks_visit, FALSE) AS lacks_visit"
        counts.append("k.line_no IS NOT NULL")
        lacks.append("k.lacks_patient")
        joins.append("LEFT JOIN course_line k ON k.together = s.together AND k.line_no = s.line_no")
    if totals := [f"FROM {part}_line" for part in ("day", "window") if part in parts]:
        lines = " UNION ALL BY NAME ".join((*totals, f"SELECT {total} WHERE FALSE"))
        total = ", ".join(f"t.{name}" for name in _TOTAL)
        counts.append("t.line_no IS NOT NULL")
        lacks.append("t.lacks_patient")
        joins.append(f"LEFT JOIN ({lines}) t ON t.together = s.together AND t.line_no = s.line_no")
    return f"""WITH subject AS MATERIALIZED ({candidates}),
      asked AS (SELECT together, any_value(quota) AS quota, any_value(quota_most) AS most, any_value(quota_unit) AS unit,
          any_value(window_days) AS window_days, any_value(course_scope) AS course_scope, coalesce(any_value(gap), {GAP}) AS gap
        FROM subject WHERE quota IS NOT NULL GROUP BY together),
      used AS MATERIALIZED (
        SELECT together, quota, most, unit, window_days, course_scope, gap, line_no, line_id, item_code, patient, visit, institution, quantity, amount,
          unit_price, days_supply, is_stay, use."at" AS moment, CAST(moment AS DATE) AS day, begins, CASE WHEN ends >= begins THEN ends END AS ends
        FROM use JOIN asked USING (together) WHERE is_paid IS DISTINCT FROM FALSE){"".join(f", {table}" for table in tables)}
      SELECT s.*, {" OR ".join(counts)} AS counts, {course}, {open_course}, {total}, coalesce({", ".join((*lacks, "FALSE"))}) AS lacks_patient
      FROM subject s {" ".join(joins)}"""


def _courses() -> str:
    """`course_line`: the day of the course on which a line lies, counted from the first day in the data.

    A line covers days on end, so that only the days on which lines begin are looked at: all that began before one and go on cover it
    without a hole, and of what they cover only the days before it have passed.
    """
    whose = "CASE WHEN course_scope = 'stay' THEN visit || chr(31) || coalesce(patient, '') ELSE patient END"
    return f"""course_use AS (
        SELECT together, most, unit, course_scope, gap, line_no, line_id, moment, day, is_stay, days_supply, {whose} AS whose,
          CASE WHEN is_stay IS FALSE THEN greatest(1, least(coalesce(days_supply, 1), {_MOST_DAYS})) ELSE 1 END AS days
        FROM used WHERE quota = 'course'),
      started AS (
        SELECT together, whose, course_scope, gap, day, max(day + CAST(days AS INTEGER) - 1) AS last FROM course_use WHERE whose IS NOT NULL GROUP BY ALL),
      after AS (
        SELECT *, coalesce(max(last) OVER (PARTITION BY together, whose ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), day - gap - 1) AS before
        FROM started),
      episode AS (
        SELECT *, count(*) FILTER (coalesce(course_scope <> 'stay' AND day - before > gap, FALSE)) OVER one AS episode, sum(days_more) OVER one AS days_passed
        FROM (SELECT *, greatest(0, last - greatest(before, day - 1)) AS days_more FROM after)
        WINDOW one AS (PARTITION BY together, whose ORDER BY day ROWS UNBOUNDED PRECEDING)),
      begun AS (
        SELECT together, whose, episode, min(day) AS since, min(days_passed - days_more) AS passed_before FROM episode GROUP BY ALL),
      numbered AS (
        SELECT e.together, e.whose, day, e.episode, since,
          CAST(1 + days_passed - passed_before - days_more - greatest(0, before - day + 1) AS BIGINT) AS course_day
        FROM episode e JOIN begun b ON b.together = e.together AND b.whose = e.whose AND b.episode = e.episode),
      course_met AS (SELECT c.*, n.episode, n.course_day, n.since FROM course_use c LEFT JOIN numbered n USING (together, whose, day)),
      course_head AS (
        SELECT together, whose, episode, arg_min(line_id, (moment, line_id)) FILTER (day = since) AS course_line,
          bool_or(is_stay IS FALSE AND days_supply IS NULL) AS days_open
        FROM course_met WHERE whose IS NOT NULL GROUP BY ALL),
      course_line AS (
        SELECT c.together, c.line_no, c.course_day, CAST(c.since AS VARCHAR) AS course_since, h.days_open,
          CASE WHEN c.day > c.since THEN h.course_line END AS course_line,
          CASE c.unit WHEN 'month' THEN date_diff('day', CAST(c.since + to_months(CAST(c.most AS INTEGER)) AS DATE), c.day) + 1 ELSE c.course_day - c.most END
            AS days_over,
          c.whose IS NULL AND c.course_scope IS DISTINCT FROM 'stay' AS lacks_patient, c.whose IS NULL AND c.course_scope = 'stay' AS lacks_visit
        FROM course_met c LEFT JOIN course_head h USING (together, whose, episode))"""


def _days() -> str:
    """`day_line`: the quantity of a code on a patient's day, or of an inpatient stay whose begin is known up to the line."""
    return f"""stay AS (
        SELECT visit, min(begins) AS begins, max(ends) AS ends FROM used WHERE quota = 'day' AND visit IS NOT NULL AND begins IS NOT NULL GROUP BY visit),
      told AS (
        SELECT together, most, line_no, line_id, item_code, patient, u.visit, institution, moment, day, quantity, amount, unit_price, is_stay,
          coalesce(u.begins, s.begins) AS begins, coalesce(u.ends, s.ends) AS ends
        FROM used u LEFT JOIN stay s ON s.visit = u.visit WHERE quota = 'day'),
      day_use AS (
        SELECT * EXCLUDE (begins, ends, is_stay), coalesce(is_stay, TRUE) AND visit IS NOT NULL AND coalesce(day >= begins, FALSE) AS in_stay,
          starts_with(item_code, '{BEDS}') AS is_bed, day - begins + 1 AS day_no,
          CASE WHEN is_bed AND ends > begins THEN ends - begins ELSE ends - begins + 1 END AS stay_days
        FROM told),
      day_whose AS MATERIALIZED (
        SELECT *, CASE WHEN in_stay THEN 'v' || visit || chr(31) || coalesce(patient, '')
            ELSE coalesce('p' || patient, 'v' || visit, 'l' || line_no) END AS whose,
          CASE WHEN NOT in_stay THEN day END AS on_day, CASE WHEN NOT in_stay THEN institution END AS at_institution FROM day_use),
      day_total AS (
        SELECT together, item_code, whose, at_institution, on_day, sum(quantity) AS total FROM day_whose GROUP BY ALL),
      day_sum AS (
        SELECT together, item_code, whose, institution, day, sum(quantity) AS of_day FROM day_whose GROUP BY ALL),
      day_counted AS (
        SELECT u.*, total, of_day,
          sum(quantity) OVER (PARTITION BY u.together, u.item_code, u.whose, u.at_institution, u.on_day {_IN_ORDER} ROWS UNBOUNDED PRECEDING) AS running,
          most * CASE WHEN NOT in_stay THEN 1 WHEN is_bed THEN least(day_no, coalesce(stay_days, day_no)) ELSE day_no END AS allowed
        FROM day_whose u
        JOIN day_total t ON t.together = u.together AND t.item_code = u.item_code AND t.whose = u.whose
          AND t.at_institution IS NOT DISTINCT FROM u.at_institution AND t.on_day IS NOT DISTINCT FROM u.on_day
        JOIN day_sum d ON d.together = u.together AND d.item_code = u.item_code AND d.whose = u.whose
          AND d.institution IS NOT DISTINCT FROM u.institution AND d.day IS NOT DISTINCT FROM u.day),
      day_line AS (
        SELECT together, line_no, running, allowed, running - allowed AS over, coalesce(nullif(unit_price, 0), amount / quantity) AS price,
          quantity AS counted, amount AS net, in_stay, is_bed, of_day, CASE WHEN in_stay THEN most * stay_days END AS possible, total,
          NOT in_stay AND patient IS NULL AS lacks_patient
        FROM day_counted)"""


def _windows() -> str:
    """`window_line`: the quantity within the days up to a line, of all institutions and of its own.

    It is what there was so far without what there was before these days: both are told by lines in one order, so that they are sorted once.
    """
    so_far = "ORDER BY day_number, moment, line_id NULLS LAST, line_no ROWS UNBOUNDED PRECEDING"
    before = "ORDER BY day_number RANGE BETWEEN UNBOUNDED PRECEDING AND window_days PRECEDING"
    in_order = "ORDER BY day_number, moment, line_id NULLS LAST, line_no"
    return f"""window_counted AS (
        SELECT *, sum(quantity) OVER (of_patient {so_far}) - coalesce(sum(quantity) OVER (of_patient {before}), 0) AS running,
          sum(quantity) OVER (of_institution {so_far}) - coalesce(sum(quantity) OVER (of_institution {before}), 0) AS own,
          lag(line_id) OVER (of_patient {in_order}) AS before, lag(day) OVER (of_patient {in_order}) AS day_before
        FROM (SELECT together, most, window_days, line_no, line_id, patient, institution, moment, day, quantity, amount, unit_price,
            coalesce('p' || patient, 'l' || line_no) AS whose, day - DATE '1970-01-01' AS day_number FROM used WHERE quota = 'window')
        WINDOW of_patient AS (PARTITION BY together, whose), of_institution AS (PARTITION BY together, whose, institution)),
      window_line AS (
        SELECT together, line_no, running, most AS allowed, running - most AS over, own - most AS own_over,
          coalesce(nullif(unit_price, 0), amount / quantity) AS price, quantity AS counted, amount AS net, FALSE AS in_stay,
          CASE WHEN day - day_before < window_days THEN before END AS line_before, patient IS NULL AS lacks_patient
        FROM window_counted)"""
