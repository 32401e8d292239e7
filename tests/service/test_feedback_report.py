"""The feedback report: rates and their intervals, points that look wrong, repeats, tickets; and its command."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from checker.cli.main import run
from checker.model.wilson import interval
from checker.service.feedback_report import FeedbackReport, ReportRequest, feedback_report
from checker.service.store import Feedback, Shown, Store, Ticket


class Counter:
    """A store that is filled finding by finding."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store(path)
        self._next = 0

    def show(
        self, count: int = 1, *, point: str | None = "drug-sex-01-0003", item: str = "爱普列特片", at: str = "2026-03-01T02:00:00.000Z",
        visit: str | None = None, place: str = "H1", level: str | None = "suspect", verdict: str = "violation", rule: str = "drug-sex", ids: Iterable[str] = (),
    ) -> list[str]:  # fmt: skip
        ids = list(ids) or [f"f{self._next + number}" for number in range(count)]
        self._next += count
        rows = [
            Shown(
                each, at, "dispense", visit or f"V{each}", "P1", place, "X1", item, rule, point, verdict, level, None, 35.5,
                "2026-01", "native", 1,
            )
            for each in ids
        ]  # fmt: skip
        self.store.record_shown(rows, 1)
        return ids

    def answer(
        self, ids: Iterable[str], decision: str, reason: str | None = None, at: str = "2026-03-01T02:05:00.000Z"
    ) -> None:
        self.store.record_feedback([Feedback(each, at, decision, reason, None, None, None, "native") for each in ids])

    def proceed(self, ids: Iterable[str], reason: str | None = "verified_person", **more: str) -> None:
        self.answer(ids, "continue", reason, **more)

    def change(self, ids: Iterable[str]) -> None:
        self.answer(ids, "change")

    def report(self, **asked: object) -> FeedbackReport:
        return feedback_report(ReportRequest(self.path, **asked))  # type: ignore[arg-type]


@pytest.fixture
def counter(tmp_path):
    counter = Counter(tmp_path / "liangku.db")
    yield counter
    counter.store.close()


def test_what_says_that_nothing_was_reviewed_is_no_alert(counter):
    counter.proceed(counter.show(2, rule="not_reviewed", point=None, level=None, verdict="undetermined"))
    counter.change(counter.show())
    report = counter.report()
    assert (report.total.shown, report.total.compliance_rate, report.point_count) == (1, 1.0, 1)


# ---- rates ----


def test_compliance_is_the_share_of_answers_that_were_to_change(counter):
    ids = counter.show(10)
    counter.change(ids[:6])
    counter.proceed(ids[6:8])
    total = counter.report().total
    assert (total.shown, total.answered, total.changed, total.continued, total.unanswered) == (10, 8, 6, 2, 2)
    assert (total.compliance_rate, total.override_rate) == (0.75, 0.25)


def test_the_interval_is_that_of_wilson():
    # 8 of 10, worked out by hand with z = 1.96: (0.49, 0.94).
    low, high = interval(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert interval(0, 0) is None
    assert interval(0, 20)[0] == 0.0
    assert interval(20, 20)[1] == 1.0
    assert math.isclose(interval(3, 10)[0], 1 - interval(7, 10)[1])


def test_the_last_answer_counts(counter):
    ids = counter.show(1)
    counter.proceed(ids)
    counter.change(ids)
    assert (counter.report().total.continued, counter.report().total.changed) == (0, 1)


def test_an_exempt_finding_is_no_alert(counter):
    counter.show(3, verdict="exempt", level=None)
    assert counter.report().total.shown == 0


def test_an_empty_database_has_no_rates(counter):
    report = counter.report()
    assert (report.total.shown, report.total.compliance_rate, report.points, report.by_month) == (0, None, (), ())


def test_rates_by_institution_month_and_level(counter):
    counter.change(counter.show(2, place="H1", level="definite"))
    counter.proceed(counter.show(1, place="H2", at="2026-02-10T02:00:00Z"))
    counter.show(1, place="H2", verdict="undetermined", level=None)
    report = counter.report()
    rows = [
        [(group.key, group.tally.shown, group.tally.compliance_rate) for group in groups]
        for groups in (report.by_institution, report.by_month, report.by_level)
    ]
    assert rows == [
        [("H1", 2, 1.0), ("H2", 2, 0.0)],
        [("2026-02", 1, 0.0), ("2026-03", 3, 1.0)],
        [("definite", 2, 1.0), ("suspect", 1, 0.0), ("undetermined", 1, None)],
    ]


def test_days_and_months_are_those_of_china(counter):
    counter.show(1, at="2026-02-28T15:59:59.999Z")
    counter.show(1, at="2026-02-28T16:00:00Z")
    assert [(group.key, group.tally.shown) for group in counter.report().by_month] == [("2026-02", 1), ("2026-03", 1)]
    assert counter.report(since=date(2026, 3, 1)).total.shown == 1
    assert counter.report(until=date(2026, 2, 28)).total.shown == 1
    assert counter.report(since=date(2026, 2, 28), until=date(2026, 3, 1)).total.shown == 2


def test_the_first_and_last_day_of_the_calendar_are_no_bounds(counter):
    counter.show(1)
    assert counter.report(since=date.min, until=date.max).total.shown == 1


# ---- points ----


def test_reasons_are_counted_by_point_and_overall(counter):
    ids = counter.show(5)
    counter.proceed(ids[:2], "rule_wrong")
    counter.proceed(ids[2:3], "emergency")
    counter.proceed(ids[3:], None)
    report = counter.report()
    expected = [(None, 2), ("rule_wrong", 2), ("emergency", 1)]
    assert [(each.code, each.count) for each in report.reasons] == expected
    assert [(each.code, each.count) for each in report.points[0].reasons] == expected
    assert report.points[0].said_wrong == 2


def test_points_that_are_mostly_overridden_look_wrong_the_most_suspicious_first(counter):
    counter.proceed(counter.show(20, point="tamsulosin"), "rule_wrong")
    counter.proceed(counter.show(20, point="overridden"))
    ids = counter.show(40, point="in-order")
    counter.change(ids[:30])
    counter.proceed(ids[30:])
    counter.proceed(counter.show(3, point="too-few"))
    report = counter.report()
    assert [row.point_id for row in report.suspicious] == ["tamsulosin", "overridden"]
    assert report.suspicious_count == 2


def test_few_answers_are_not_enough_however_clear(counter):
    counter.proceed(counter.show(9))
    assert counter.report().suspicious == ()
    assert len(counter.report(min_answers=9).suspicious) == 1


def test_the_lower_bound_counts_and_not_the_rate(counter):
    ids = counter.show(10)
    counter.proceed(ids[:7])
    counter.change(ids[7:])
    # 7 of 10: the lower bound is 0.397.
    assert counter.report(threshold=0.5).suspicious == ()
    assert len(counter.report(threshold=0.39).suspicious) == 1


def test_a_point_said_to_be_wrong_looks_wrong_even_where_it_is_mostly_followed(counter):
    ids = counter.show(20)
    counter.change(ids[:14])
    counter.proceed(ids[14:], "rule_wrong")
    assert len(counter.report().suspicious) == 1


def test_findings_without_a_point_are_one_row_of_their_rule(counter):
    counter.proceed(counter.show(2, point=None))
    (row,) = counter.report().points
    assert (row.rule_id, row.point_id, row.tally.continued, row.reasons[0].count) == ("drug-sex", None, 2, 2)


def test_lists_are_cut_and_their_length_told(counter):
    for number in range(5):
        counter.show(5 - number, point=f"p{number}", place=f"H{number}")
    report = counter.report(limit=2)
    assert [row.point_id for row in report.points] == ["p0", "p1"]
    assert (report.point_count, len(report.by_institution), report.institution_count) == (5, 2, 5)


# ---- repeats, tickets, strays ----


def test_an_alert_repeated_in_one_visit_is_counted_whatever_its_finding_id(counter):
    counter.show(ids=["a"], visit="V1")
    counter.show(ids=["a"], visit="V1")
    counter.show(ids=["b"], visit="V1")
    counter.show(ids=["c"], visit="V2")
    report = counter.report()
    assert (report.repeated_alerts, report.repeated_again) == (1, 2)
    assert [(row.rule_id, row.item_code, row.visits, row.again) for row in report.repeats] == [("drug-sex", "X1", 1, 2)]
    assert report.total.showings == 4


def test_a_finding_shown_again_after_it_was_acknowledged_is_told(counter):
    ids = counter.show(ids=["a"], at="2026-03-01T02:00:00Z")
    counter.proceed(ids, at="2026-03-01T02:05:00Z")
    assert counter.report().shown_after_acknowledgement == 0
    counter.show(ids=["a"], at="2026-03-01T02:10:00Z")
    assert counter.report().shown_after_acknowledgement == 1


def test_tickets_judged_late_are_told_with_those_that_found_something(counter):
    found = '{"verdict":"violation","findings":[{"verdict":"violation"}]}'
    several = '{"answers":[{"verdict":"clear","findings":[]},{"verdict":"undetermined","findings":[{"verdict":"undetermined"}]}]}'
    exempt = '{"verdict":"clear","findings":[{"verdict":"exempt"}]}'
    for number, judged in enumerate((found, several, exempt, None)):
        counter.store.open_ticket(Ticket(f"T{number}", "2026-03-01T02:00:00Z", "timeout", "native", "{}"))
        if judged:
            counter.store.judge_ticket(f"T{number}", judged, "2026-03-01T03:00:00Z")
    tickets = counter.report().tickets
    assert (tickets.open, tickets.judged, tickets.late_findings) == (1, 3, 2)


def test_feedback_on_findings_never_shown_is_told_and_counts_in_no_rate(counter):
    counter.proceed(["stray", "stray", "other"])
    report = counter.report()
    assert (report.feedback_never_shown, report.total.answered) == (2, 0)


# ---- the command ----


@pytest.fixture
def ask(capsys, monkeypatch):
    """Run the command; return its exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "140")

    def ask(*arguments: str | Path, lang: str = "zh") -> tuple[int, str, str]:
        code = run(["feedback", "report", *map(str, arguments), "--lang", lang])
        told = capsys.readouterr()
        return code, told.out, told.err

    return ask


def test_the_report_in_words_while_the_service_has_the_database_open(counter, ask):
    counter.proceed(counter.show(20), "rule_wrong")
    counter.change(counter.show(20, point="drug-sex-01-0004", item="非那雄胺片"))
    code, out, err = ask(counter.path)
    assert (code, err) == (0, "")
    assert out.startswith("事前提醒遵从率 50.0%（95 % 区间 35.2%–64.8%）\n")
    wrong, points = out.split("\n知识点 ")
    assert "爱普列特片" in wrong
    assert "非那雄胺片" not in wrong
    assert "非那雄胺片" in points
    assert "知识点或规则有误 20" in out
    assert "Points that look wrong" in ask(counter.path, lang="en")[1]


def test_the_report_of_an_empty_database_in_words(counter, ask):
    code, out, _ = ask(counter.path)
    assert code == 0
    assert "还没有答复" in out
    assert "没有看来有误的知识点" in out


def test_the_report_as_json(counter, ask):
    counter.proceed(counter.show(20), "rule_wrong")
    code, out, err = ask(counter.path, "--json", "--since", "2026-03-01", "--threshold", "0.8", "--min-answers", "5")
    document = json.loads(out)
    assert (code, err, document["since"], document["threshold"], document["min_answers"]) == (
        0,
        "",
        "2026-03-01",
        0.8,
        5,
    )
    (point,) = document["suspicious"]["points"]
    assert (point["point_id"], point["override_rate"], point["reasons"]) == (
        "drug-sex-01-0003", 1.0, [{"code": "rule_wrong", "count": 20}],
    )  # fmt: skip
    assert document["by_month"][0]["month"] == "2026-03"


def test_bad_input_ends_with_2_and_one_sentence(counter, tmp_path, ask):
    code, out, err = ask(tmp_path / "none.db")
    assert (code, out) == (2, "")
    assert "无法打开" in err
    assert ask(counter.path, "--since", "2026-03-02", "--until", "2026-03-01")[0] == 2
    assert ask(counter.path, "--threshold", "2")[0] == 2


def test_a_damaged_database_is_told(counter, ask):
    counter.show(2000)
    counter.store.close()
    content = bytearray(counter.path.read_bytes())
    content[8192:-4096] = b"\xff" * len(content[8192:-4096])
    counter.path.write_bytes(content)
    code, _, err = ask(counter.path)
    assert code == 2
    assert "数据库已损坏" in err
