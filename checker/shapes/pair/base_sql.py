"""The SQL behind the shape `pair`: what stands beside a line of its patient and visit, and what further operations cost elsewhere.

It works over `use` once, by keys. What an item is a part of (a container) is counted up by the keys under which it may meet the item, then the item
looks there; times within hours of each other are found by nearest times. So nothing is line × line, however many lines a patient has.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from checker.model import sqltext

PARTS = ("beside", "hours", "operations")
"""What stands beside a line by day or visit, the same by hours as well, and further operations through one incision."""
REACH = {"six_hours": 6, "one_hour": 1}
"""The intervals that are counted in hours."""
_ALL_DAYS = "DATE '1970-01-01'"
"""Stands for the day of what is counted by visit."""
NAMED, NAMED_OF_MORE = 200, 20
"""So many related lines a finding names; where there are more than these, so many stand for them."""
MOST_FEN = 20_000_000
"""The largest amount that clauses see, 200,000 yuan: no operation costs as much, and a hundred times that is still a whole number of clauses."""

_ARMS = " ".join(f"WHEN '{name}' THEN INTERVAL {hours} HOUR" for name, hours in REACH.items())
_HOURS = f"CASE pair_interval {_ARMS} END"
_FIRST = f"arg_min(line_id, line_no, {NAMED}) FILTER (line_id IS NOT NULL)"
_NAMED = f"list_slice({_FIRST}, 1, CASE WHEN count(*) > {NAMED} THEN {NAMED_OF_MORE} ELSE {NAMED} END) AS named"
_AMOUNTS = dict.fromkeys(("operation_amount", "reference_amount", "line_amount", "line_reference"), "BIGINT")
_KEY = "together, kind, place, person"
"""Where lines meet: those of a visit and its patient, of a patient at an institution, or (where the patient is not known) of an institution."""


def asked_parts(limits: Mapping[str, Any]) -> frozenset[str]:
    """What a point with these limits asks of `pair_base`."""
    asked = {"operations"} if limits.get("incision_group") is not None else set()
    if (interval := limits.get("pair_interval")) is not None:
        asked |= {"beside", "hours"} if interval in REACH else {"beside"}
    return frozenset(asked)


def pair_base(candidates: str, parts: Collection[str]) -> str:
    """SQL of the candidates with what stands beside them (`found`), what further operations cost (`operated`), and the lines that show it, `beside`."""
    tables, joins = [f"subject AS MATERIALIZED ({candidates})"], []
    found = "FALSE AS in_visit, FALSE AS of_patient, FALSE AS only_by_date"
    operated, named = f"FALSE AS is_further, FALSE AS is_unplaced, {sqltext.nulls(_AMOUNTS)}", []
    if "beside" in parts:
        with_hours = "hours" in parts
        tables += [
            _lines(),
            _meetings(with_hours=with_hours),
            *([_hours()] if with_hours else []),
            _found(with_hours=with_hours),
        ]
        joins += [
            "LEFT JOIN found f ON f.together = s.together AND f.line_no = s.line_no",
            "LEFT JOIN meeting_named n ON n.meeting = f.meeting",
        ]
        found = """f.line_no IS NOT NULL AND f.in_visit AS in_visit, f.line_no IS NOT NULL AND f.of_patient AS of_patient,
        coalesce(f.only_by_date, FALSE) AS only_by_date"""
        named.append("n.named")
    if "operations" in parts:
        tables.append(_operations())
        joins += [
            "LEFT JOIN operated o ON o.together = s.together AND o.line_no = s.line_no",
            "LEFT JOIN operation_named w ON w.together = o.together AND w.visit = o.visit AND w.day = o.day AND w.operation = o.main",
        ]
        amounts = ", ".join(f"o.{name}" for name in _AMOUNTS)
        operated = f"o.line_no IS NOT NULL AND o.is_further AS is_further, coalesce(o.is_unplaced, FALSE) AS is_unplaced, {amounts}"
        named.append("w.named")
    return f"""WITH {", ".join(tables)}
      SELECT s.*, {found}, coalesce({", ".join((*named, "CAST(NULL AS VARCHAR[])"))}) AS beside, {operated}
      FROM subject s {" ".join(joins)}"""


def _lines() -> str:
    """The lines of the pairs that are asked about, and what stands beside what."""
    return """asked AS (SELECT DISTINCT together, pair_interval FROM subject WHERE pair_interval IS NOT NULL),
      used AS MATERIALIZED (
        SELECT together, pair_interval, role, line_no, line_id, item_code, patient, visit, coalesce(institution, '') AS institution, use."at" AS moment,
          CAST(moment AS DATE) AS day, pair_interval IN ('six_hours', 'one_hour') AS by_hours, moment = CAST(day AS TIMESTAMP) AS is_date,
          is_judged
        FROM use JOIN asked USING (together) WHERE is_paid IS DISTINCT FROM FALSE),
      container AS (SELECT *, CAST(NULL AS BOOLEAN) AS visit_open FROM used WHERE role = 'container'),
      item AS (SELECT *, visit IS NULL AND pair_interval = 'visit' AS visit_open FROM used WHERE role = 'item' AND is_judged),
      doubtful AS (SELECT DISTINCT together FROM item WHERE patient IS NULL)"""


def _keyed(lines: str, *kinds: tuple[str, str, str, str]) -> str:
    """SQL of lines under each kind of key: kind, place, person, and for which lines."""
    return " UNION ALL ".join(
        f"SELECT *, '{kind}' AS kind, {place} AS place, {person} AS person FROM {lines} WHERE {where}"
        for kind, place, person, where in kinds
    )


def _meetings(*, with_hours: bool) -> str:
    """`place_of`: containers under the keys by which lines meet them; `look_at`: items under those where they look."""
    visit, known, unknown = "visit IS NOT NULL", "patient IS NOT NULL", "patient IS NULL"
    doubtful = "together IN (SELECT together FROM doubtful)"
    places = _keyed(
        "container",
        ("patient", "institution", "patient", known),
        ("visit", "visit", "patient", f"{visit} AND {known}"),
        ("visit_of_unknown", "visit", "''", f"{visit} AND {unknown}"),
        ("visit_of_any", "visit", "''", f"{visit} AND {doubtful}"),
        ("institution", "institution", "''", doubtful),
    )
    looks = _keyed(
        "item",
        ("patient", "institution", "patient", known),
        ("visit", "visit", "patient", f"{visit} AND {known}"),
        ("visit_of_unknown", "visit", "''", f"{visit} AND {known}"),
        ("visit_of_any", "visit", "''", f"{visit} AND {unknown}"),
        ("institution", "institution", "''", unknown),
    )
    on = f"CASE WHEN pair_interval = 'visit' THEN {_ALL_DAYS} ELSE day END AS on_day"
    by_time, meetings = "", "FROM by_day"
    if with_hours:
        meetings += " UNION ALL FROM by_time"
        by_time = f"""by_time AS (
        SELECT {_KEY}, item_code, CAST(NULL AS DATE) AS on_day, FALSE AS is_date, moment, FALSE AS visit_open, {_NAMED}
        FROM place_of WHERE by_hours AND NOT is_date GROUP BY ALL),"""
    return f"""place_of AS MATERIALIZED ({places}),
      look_at AS MATERIALIZED ({looks}),
      by_day AS (
        SELECT {_KEY}, item_code, {on}, by_hours AND is_date AS is_date, CAST(NULL AS TIMESTAMP) AS moment, bool_or(visit IS NULL) AS visit_open,
          {_NAMED}
        FROM place_of GROUP BY ALL),
      {by_time}
      meeting_named AS MATERIALIZED (SELECT *, row_number() OVER () AS meeting FROM ({meetings}))"""


def _hours() -> str:
    """`near`: of the containers of each code the last one before or at an item's time, and the first one after it."""
    # An ASOF join would do, but where few items are expected the engine compares each with each.
    last = "last_value(other IGNORE NULLS)"
    return f"""timed AS (
        SELECT l.{_KEY.replace(", ", ", l.")}, l.moment, c.item_code AS other_code, l.pair_interval, l.line_no, NULL AS other FROM look_at l
        JOIN (SELECT DISTINCT together, item_code FROM container) c ON c.together = l.together AND c.item_code <> l.item_code
        WHERE by_hours AND NOT is_date
        UNION ALL
        SELECT {_KEY}, moment, item_code, NULL, NULL, {{'meeting': meeting, 'moment': moment}} FROM meeting_named WHERE moment IS NOT NULL),
      beside_time AS (
        SELECT *, {last} OVER (PARTITION BY {_KEY}, other_code ORDER BY moment, line_no NULLS FIRST ROWS UNBOUNDED PRECEDING) AS before,
          {last} OVER (PARTITION BY {_KEY}, other_code ORDER BY moment DESC, line_no NULLS LAST ROWS UNBOUNDED PRECEDING) AS after
        FROM timed),
      near AS (
        SELECT together, line_no, kind, pair_interval, other_code, moment, other.meeting AS meeting, other.moment AS other_moment
        FROM (SELECT * EXCLUDE (other), unnest([before, after]) AS other FROM beside_time WHERE line_no IS NOT NULL)
        WHERE other.moment BETWEEN moment - {_HOURS} AND moment + {_HOURS})"""


def _found(*, with_hours: bool) -> str:
    """`found`: one row an item line that meets something.

    in_visit, of_patient: a container stands within the interval in the same visit, or of the same patient; NULL where that cannot be told.
    only_by_date: it does so by dates only, a time of day being unknown. meeting: where the lines of the closest one are named.
    """
    way = """CASE WHEN starts_with(l.kind, 'visit') THEN 1 WHEN l.kind = 'institution' OR l.pair_interval = 'visit' THEN 3 ELSE 2 END AS way"""
    by_hours = (
        f"""UNION ALL
        SELECT together, line_no, {way}, pair_interval, FALSE, abs(epoch_us(moment) - epoch_us(other_moment)), other_moment > moment, kind, other_code,
          FALSE, meeting
        FROM near l"""
        if with_hours
        else ""
    )
    closest = "way, by_date, distance, is_after, kind, other_code, is_date"
    return f"""met AS (
        SELECT l.together, l.line_no, {way}, l.pair_interval, l.by_hours AS by_date, 0 AS distance, FALSE AS is_after, l.kind, m.item_code AS other_code,
          m.is_date, m.meeting
        FROM look_at l JOIN meeting_named m ON m.together = l.together AND m.kind = l.kind AND m.place = l.place AND m.person = l.person
          AND m.on_day = CASE WHEN l.pair_interval = 'visit' THEN {_ALL_DAYS} ELSE l.day END AND m.item_code <> l.item_code
        WHERE CASE WHEN l.by_hours THEN l.is_date OR m.is_date
          WHEN l.pair_interval = 'visit' AND l.kind IN ('patient', 'institution') THEN l.visit_open OR (m.visit_open AND l.kind = 'patient')
          ELSE TRUE END {by_hours}),
      found AS (
        SELECT together, line_no,
          CASE WHEN bool_or(way = 1) THEN TRUE WHEN NOT (bool_or(way = 3) AND any_value(pair_interval) = 'visit') THEN FALSE END AS in_visit,
          CASE WHEN bool_or(way < 3) THEN TRUE WHEN any_value(pair_interval) = 'visit' THEN FALSE END AS of_patient,
          coalesce(bool_and(by_date) FILTER (way < 3), FALSE) AS only_by_date,
          arg_min(meeting, row({closest})) FILTER (way < 3) AS meeting
        FROM met GROUP BY together, line_no)"""


def _operations() -> str:
    """`operated`: one row a line of an operation with others of its group: is it a further one, what it costs, and what it costs elsewhere.

    Codes that are equal in their first 11 digits are one operation; surcharges (the last two digits are not 00) are none. is_further is NULL where
    amounts that are not known might make it the main one. is_unplaced: the visit is not known, and there is another operation that may be of it.
    """
    return f"""grouped AS MATERIALIZED (
        SELECT together, line_no, line_id, item_code, left(item_code, 11) AS operation, patient, visit, coalesce(institution, '') AS institution,
          CAST(use."at" AS DATE) AS day, amount,
          coalesce(nullif(unit_price, 0), amount / quantity) AS unit_price, price_limit,
          is_paid IS DISTINCT FROM FALSE AND right(item_code, 2) = '00' AS counts, is_judged
        FROM use WHERE together IN (SELECT together FROM subject WHERE incision_group IS NOT NULL)),
      price AS (
        SELECT institution, item_code, arg_max({{'visit': visit, 'day': day, 'price': price}}, price, 2) AS dearest
        FROM (SELECT institution, item_code, visit, day, max(unit_price) AS price FROM grouped WHERE unit_price > 0 GROUP BY ALL)
        GROUP BY ALL),
      charged AS (
        SELECT together, institution, visit, day, operation, item_code, CASE WHEN count(*) = count(amount) THEN sum(amount) END AS amount,
          max(price_limit) FILTER (price_limit > 0) AS price_limit
        FROM grouped WHERE counts AND visit IS NOT NULL GROUP BY ALL),
      priced AS (
        SELECT c.*, coalesce(
          CASE WHEN dearest[1].visit IS NOT DISTINCT FROM visit AND dearest[1].day = day THEN dearest[2].price ELSE dearest[1].price END,
          price_limit) AS reference
        FROM charged c LEFT JOIN price USING (institution, item_code)),
      operation AS (
        SELECT together, visit, day, operation, CASE WHEN count(*) = count(amount) THEN sum(amount) END AS amount,
          CASE WHEN count(*) = count(reference) THEN sum(reference) END AS reference
        FROM priced GROUP BY ALL),
      ranked AS (
        SELECT o.*, count > 1 AS has_others, count > known AS is_open, main FROM operation o
        JOIN (
          SELECT together, visit, day, count(*) AS count, count(amount) AS known, arg_min(operation, row(amount IS NULL, -amount, operation)) AS main
          FROM operation GROUP BY ALL) m ON m.together = o.together AND m.visit = o.visit AND m.day = o.day),
      operation_named AS (
        SELECT together, visit, day, operation, {_NAMED} FROM grouped WHERE counts AND visit IS NOT NULL GROUP BY ALL),
      unplaced AS (
        SELECT together, institution, person, day, min(operation) AS first_operation, max(operation) AS last_operation
        FROM (
          SELECT together, institution, unnest([patient, '']) AS person, day, operation FROM grouped
          WHERE counts AND EXISTS (FROM grouped WHERE visit IS NULL))
        WHERE person IS NOT NULL GROUP BY ALL),
      operated AS (
        SELECT g.together, g.line_no, r.visit, r.day, r.main,
          coalesce(u.first_operation <> g.operation OR u.last_operation <> g.operation, FALSE) AS is_unplaced,
          CASE WHEN is_unplaced THEN NULL WHEN NOT coalesce(has_others, FALSE) OR (r.main = r.operation AND NOT is_open) THEN FALSE
            WHEN r.amount IS NULL OR r.main = r.operation THEN NULL ELSE TRUE END AS is_further,
          {_fen("r.amount")} AS operation_amount, {_fen("r.reference")} AS reference_amount, {_fen("g.amount")} AS line_amount,
          {_fen("CAST(r.reference AS DOUBLE) * CAST(g.amount AS DOUBLE) / nullif(CAST(r.amount AS DOUBLE), 0)")} AS line_reference
        FROM grouped g
        LEFT JOIN ranked r ON r.together = g.together AND r.visit = g.visit AND r.day = g.day AND r.operation = g.operation
        LEFT JOIN unplaced u ON g.visit IS NULL AND u.together = g.together AND u.institution = g.institution AND u.day = g.day
          AND u.person = coalesce(g.patient, '')
        WHERE counts AND is_judged)"""


def _fen(yuan: str) -> str:
    """SQL of an amount as clauses see it, in whole fen."""
    # Not least: it leaves out what is not known.
    return f"CAST(round(CASE WHEN {yuan} > {MOST_FEN // 100} THEN {MOST_FEN // 100} ELSE {yuan} END * 100) AS BIGINT)"
