"""What became of the findings shown: how often they were followed, which points look wrong, what repeats and what was never answered.

Standard library only. SQL counts, so that only the rows of the report reach Python; days and months are those of China (UTC+8).
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from checker.model.wilson import interval, lower_bound
from checker.service.database import open_for_reading
from checker.service.reasons import RULE_WRONG

WRONG_SHARE = 0.1
"""A point looks wrong where more than this share of its answers says so: by the lower bound of its interval, 3 of 10 answers."""
_CHINA = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What is asked: findings first shown from `since` to `until`, both included; when a point counts as looking wrong; rows of a list."""

    database: Path
    since: date | None = None
    until: date | None = None
    min_answers: int = 10
    threshold: float = 0.5
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """Findings shown and what was decided last about them."""

    shown: int
    showings: int
    answered: int
    continued: int
    changed: int

    @property
    def unanswered(self) -> int:
        """Findings that nobody answered."""
        return self.shown - self.answered

    @property
    def override_rate(self) -> float | None:
        """The share of answers that were to continue."""
        return self.continued / self.answered if self.answered else None

    @property
    def override_interval(self) -> tuple[float, float] | None:
        """Its 95 % Wilson interval."""
        return interval(self.continued, self.answered)

    @property
    def compliance_rate(self) -> float | None:
        """The share of answers that were to change [事前提醒遵从率]."""
        return self.changed / self.answered if self.answered else None

    @property
    def compliance_interval(self) -> tuple[float, float] | None:
        """Its 95 % Wilson interval."""
        return interval(self.changed, self.answered)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often a reason was given to continue; without a code where the caller's system sent only text or none."""

    code: str | None
    count: int


@dataclass(frozen=True, slots=True)
class PointRow:
    """A knowledge point with what became of its findings."""

    rule_id: str
    point_id: str | None
    item_name: str | None
    tally: Tally
    reasons: tuple[ReasonCount, ...]
    said_wrong: int


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one institution, month or level."""

    key: str | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class Repeat:
    """An item that one rule flagged more than once in the same visit: in how many visits, and how often beyond the first time."""

    rule_id: str
    item_code: str | None
    item_name: str | None
    visits: int
    again: int


@dataclass(frozen=True, slots=True)
class Tickets:
    """Requests that were not judged in time; `late_findings` of those judged later found something."""

    open: int
    judged: int
    late_findings: int


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """The whole report. Lists hold at most `limit` rows; the counts beside them count all."""

    request: ReportRequest
    total: Tally
    reasons: tuple[ReasonCount, ...]
    suspicious_count: int
    suspicious: tuple[PointRow, ...]
    point_count: int
    points: tuple[PointRow, ...]
    by_level: tuple[Group, ...]
    institution_count: int
    by_institution: tuple[Group, ...]
    by_month: tuple[Group, ...]
    repeated_alerts: int
    repeated_again: int
    repeats: tuple[Repeat, ...]
    shown_after_acknowledgement: int
    tickets: Tickets
    feedback_never_shown: int


# An exempt finding is no alert: nobody is asked to do anything about it. Nor is what says that nothing was reviewed.
_ALERTS = """CREATE TEMP TABLE alert AS
    SELECT finding_id, visit_id, institution_id, item_code, item_name, rule_id, point_id, level, times, first_at, last_at,
        decision, coalesce(given, '') AS given, answered_at
    FROM shown LEFT JOIN (
        SELECT finding_id, decision, reason_code AS given, at AS answered_at, max(id) FROM feedback GROUP BY finding_id
    ) USING (finding_id)
    WHERE verdict <> 'exempt' AND rule_id <> 'not_reviewed' AND first_at >= ? AND first_at < ?"""
_TALLY = """count(*) AS shown, coalesce(sum(times), 0) AS showings, count(decision) AS answered,
    count(CASE WHEN decision = 'continue' THEN 1 END) AS continued, count(CASE WHEN decision = 'change' THEN 1 END) AS changed"""
_POINTS = f"""CREATE TEMP TABLE tallied AS
    SELECT counted.*, lower_bound(continued, answered) AS override_low, lower_bound(said_wrong, answered) AS wrong_low, reasons
    FROM (
        SELECT rule_id, point_id, max(item_name) AS item_name, {_TALLY},
            count(CASE WHEN decision = 'continue' AND given = '{RULE_WRONG}' THEN 1 END) AS said_wrong
        FROM alert GROUP BY rule_id, point_id
    ) AS counted LEFT JOIN (
        SELECT rule_id, point_id, json_group_array(json_array(given, given_times)) AS reasons FROM (
            SELECT rule_id, point_id, given, count(*) AS given_times FROM alert WHERE decision = 'continue'
            GROUP BY rule_id, point_id, given
        ) GROUP BY rule_id, point_id
    ) AS given ON given.rule_id = counted.rule_id AND given.point_id IS counted.point_id"""
_POINT_ROW = "SELECT rule_id, point_id, item_name, shown, showings, answered, continued, changed, reasons, said_wrong FROM tallied"
_LOOKS_WRONG = "answered >= :min_answers AND (override_low > :threshold OR wrong_low > :wrong_share)"
_REPEATED = """CREATE TEMP TABLE repeated AS
    SELECT rule_id, item_code, max(item_name) AS item_name, sum(times) - 1 AS again FROM alert WHERE visit_id IS NOT NULL
    GROUP BY institution_id, visit_id, item_code, rule_id HAVING sum(times) > 1"""
# The answer may hold several answers, one a person; only what their findings say counts.
_TICKETS = """SELECT count(CASE WHEN status = 'open' THEN 1 END), count(CASE WHEN status = 'judged' THEN 1 END),
    count(CASE WHEN status = 'judged' AND json_valid(answer) AND EXISTS (
        SELECT 1 FROM json_tree(answer)
        WHERE key = 'verdict' AND path LIKE '%findings[%]' AND atom IN ('violation', 'undetermined')
    ) THEN 1 END)
    FROM ticket WHERE at >= ? AND at < ?"""


def feedback_report(request: ReportRequest) -> FeedbackReport:
    """Count what the database holds, as it is at one moment. Raises InputError where it cannot be read."""
    with open_for_reading(request.database) as connection:
        return _Reader(connection, request).report()


class _Reader:
    def __init__(self, connection: sqlite3.Connection, request: ReportRequest) -> None:
        self._connection = connection
        self._request = request
        self._limit = (request.limit,)
        self._period = _period(request.since, request.until)
        connection.create_function("lower_bound", 2, lower_bound, deterministic=True)
        connection.execute(_ALERTS, self._period)
        connection.execute(_POINTS)
        connection.execute(_REPEATED)

    def report(self) -> FeedbackReport:
        looks_wrong = {
            "min_answers": self._request.min_answers, "threshold": self._request.threshold, "wrong_share": WRONG_SHARE,
            "limit": self._request.limit,
        }  # fmt: skip
        suspicious = self._connection.execute(
            # Two lines of evidence add up: that the finding is overridden, and that the point is said to be wrong.
            f"{_POINT_ROW} WHERE {_LOOKS_WRONG} ORDER BY override_low + wrong_low DESC, answered DESC, point_id LIMIT :limit",
            looks_wrong,
        )
        points = self._connection.execute(f"{_POINT_ROW} ORDER BY shown DESC, rule_id, point_id LIMIT ?", self._limit)
        repeats = self._connection.execute(
            """SELECT rule_id, item_code, max(item_name), count(*), sum(again) FROM repeated GROUP BY rule_id, item_code
            ORDER BY 5 DESC, 1, 2 LIMIT ?""",
            self._limit,
        )
        return FeedbackReport(
            request=self._request,
            total=Tally(*self._row(f"SELECT {_TALLY} FROM alert")),
            reasons=_reasons(self._row(
                "SELECT json_group_array(json_array(given, n)) FROM (SELECT given, count(*) AS n FROM alert WHERE decision = 'continue' GROUP BY given)"
            )[0]),
            suspicious_count=self._row(f"SELECT count(*) FROM tallied WHERE {_LOOKS_WRONG}", looks_wrong)[0],
            suspicious=tuple(_point(*row) for row in suspicious),
            point_count=self._row("SELECT count(*) FROM tallied")[0],
            points=tuple(_point(*row) for row in points),
            by_level=self._groups("coalesce(level, 'undetermined')", "instr('definite suspect notice undetermined', key)"),
            institution_count=self._row("SELECT count(*) FROM (SELECT DISTINCT institution_id FROM alert)")[0],
            by_institution=self._groups("institution_id", "shown DESC, key", self._request.limit),
            by_month=self._groups("strftime('%Y-%m', first_at, '+8 hours')", "key"),
            repeated_alerts=self._row("SELECT count(*) FROM repeated")[0],
            repeated_again=self._row("SELECT coalesce(sum(again), 0) FROM repeated")[0],
            repeats=tuple(Repeat(*row) for row in repeats),
            shown_after_acknowledgement=self._row(
                "SELECT count(*) FROM alert WHERE decision = 'continue' AND visit_id IS NOT NULL AND last_at > answered_at"
            )[0],
            tickets=Tickets(*self._row(_TICKETS, self._period)),
            feedback_never_shown=self._row(
                """SELECT count(DISTINCT finding_id) FROM feedback
                WHERE at >= ? AND at < ? AND finding_id NOT IN (SELECT finding_id FROM shown)""",
                self._period,
            )[0],
        )  # fmt: skip

    def _row(self, sql: str, values: tuple[str, ...] | dict[str, int | float] = ()) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._connection.execute(sql, values).fetchone()
        return row

    def _groups(self, key: str, order: str, limit: int = -1) -> tuple[Group, ...]:
        rows = self._connection.execute(
            f"SELECT {key} AS key, {_TALLY} FROM alert GROUP BY 1 ORDER BY {order} LIMIT ?", (limit,)
        )
        return tuple(Group(name, Tally(*tally)) for name, *tally in rows)


def _point(
    rule_id: str, point_id: str | None, item_name: str | None, shown: int, showings: int, answered: int, continued: int,
    changed: int, reasons: str | None, said_wrong: int,
) -> PointRow:  # fmt: skip
    tally = Tally(shown, showings, answered, continued, changed)
    return PointRow(rule_id, point_id, item_name, tally, _reasons(reasons), said_wrong)


def _reasons(counted: str | None) -> tuple[ReasonCount, ...]:
    """Reasons with their counts, written as a JSON array of pairs; the most frequent first."""
    counts = [ReasonCount(code or None, count) for code, count in json.loads(counted or "[]")]
    return tuple(sorted(counts, key=lambda each: (-each.count, each.code or "")))


def _period(since: date | None, until: date | None) -> tuple[str, str]:
    """From when and before when, as texts that sort so among times in UTC; the first and last day of the calendar are no bounds."""
    start = _midnight(since) if since and since > date.min else ""
    end = _midnight(until + timedelta(days=1)) if until and until < date.max else "9999"
    return start, end


def _midnight(day: date) -> str:
    """When a day begins in China, in UTC; without Z it sorts before all times of that second."""
    return (datetime(day.year, day.month, day.day) - _CHINA).isoformat()
