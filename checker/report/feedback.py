"""What became of the findings shown: on the terminal, and as the plain document of `--json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from checker.model.wilson import CONFIDENCE
from checker.model.words import ICONS, LEVELS, VERDICTS
from checker.report.console import wide_console
from checker.service.feedback_report import WRONG_SHARE, FeedbackReport, Group, PointRow, ReasonCount, Tally
from checker.service.reasons import REASON_BY_CODE

_LEVELS = LEVELS | {"undetermined": VERDICTS["undetermined"]}
_TALLY = (
    ("提示", "Shown"), ("已答复", "Answered"), ("继续", "Continued"), ("改正", "Changed"), ("遵从率", "Compliance"),
    ("95 % 区间", "95 % interval"),
)  # fmt: skip


def plain_report(report: FeedbackReport) -> dict[str, Any]:
    """The report as one JSON document."""
    asked = report.request
    return {
        "since": asked.since and asked.since.isoformat(),
        "until": asked.until and asked.until.isoformat(),
        "min_answers": asked.min_answers,
        "threshold": asked.threshold,
        "wrong_share": WRONG_SHARE,
        "confidence": CONFIDENCE,
        "limit": asked.limit,
        "total": _plain_tally(report.total),
        "reasons": _plain_reasons(report.reasons),
        "suspicious": {"total": report.suspicious_count, "points": [_plain_point(row) for row in report.suspicious]},
        "points": {"total": report.point_count, "points": [_plain_point(row) for row in report.points]},
        "by_level": [{"level": group.key, **_plain_tally(group.tally)} for group in report.by_level],
        "by_institution": {
            "total": report.institution_count,
            "institutions": [{"institution_id": group.key, **_plain_tally(group.tally)} for group in report.by_institution],
        },
        "by_month": [{"month": group.key, **_plain_tally(group.tally)} for group in report.by_month],
        "repeats": {
            "alerts": report.repeated_alerts,
            "again": report.repeated_again,
            "shown_after_acknowledgement": report.shown_after_acknowledgement,
            "items": [
                {"rule_id": row.rule_id, "item_code": row.item_code, "item_name": row.item_name, "visits": row.visits, "again": row.again}
                for row in report.repeats
            ],
        },
        "unanswered": report.total.unanswered,
        "tickets": {
            "open": report.tickets.open,
            "judged": report.tickets.judged,
            "late_findings": report.tickets.late_findings,
        },
        "feedback_never_shown": report.feedback_never_shown,
    }  # fmt: skip


def print_report(report: FeedbackReport, language: str, console: Console | None = None) -> None:
    """Print the report, in Chinese or in English."""
    _Writer(language, wide_console(console)).write(report)


def _plain_tally(tally: Tally) -> dict[str, Any]:
    return {
        "shown": tally.shown, "showings": tally.showings, "answered": tally.answered, "unanswered": tally.unanswered,
        "continued": tally.continued, "changed": tally.changed,
        "override_rate": tally.override_rate, "override_interval": tally.override_interval,
        "compliance_rate": tally.compliance_rate, "compliance_interval": tally.compliance_interval,
    }  # fmt: skip


def _plain_point(row: PointRow) -> dict[str, Any]:
    return {
        "rule_id": row.rule_id, "point_id": row.point_id, "item_name": row.item_name, **_plain_tally(row.tally),
        "said_wrong": row.said_wrong, "reasons": _plain_reasons(row.reasons),
    }  # fmt: skip


def _plain_reasons(reasons: Sequence[ReasonCount]) -> list[dict[str, Any]]:
    return [{"code": reason.code, "count": reason.count} for reason in reasons]


class _Writer:
    def __init__(self, language: str, console: Console) -> None:
        self._english = int(language == "en")
        self._console = console

    def write(self, report: FeedbackReport) -> None:
        self._conclusion(report)
        self._points(
            self._say("可能有误的知识点，最可疑的在前", "Points that look wrong, the most suspicious first"),
            report.suspicious,
            report.suspicious_count,
        )
        self._points(self._say("知识点", "Points"), report.points, report.point_count)
        kinds = [(group.key or "undetermined", group.tally) for group in report.by_level]
        levels = [Group(f"{ICONS[kind]} {_LEVELS[kind][self._english]}", tally) for kind, tally in kinds]
        self._groups(self._say("级别", "Level"), levels)
        self._groups(self._say("机构", "Institution"), report.by_institution, report.institution_count)
        self._groups(self._say("月份", "Month"), report.by_month)
        self._repeats(report)
        self._rest(report)

    def _say(self, chinese: str, english: str) -> str:
        return english if self._english else chinese

    def _line(self, chinese: str, english: str, style: str = "") -> None:
        self._console.print(Text(self._say(chinese, english), style=style), soft_wrap=True)

    def _conclusion(self, report: FeedbackReport) -> None:
        asked, total = report.request, report.total
        if asked.since or asked.until:
            first, last = asked.since or "…", asked.until or "…"
            self._line(f"首次提示于 {first} 至 {last}（北京时间）", f"First shown {first} to {last} (China time)")
        rate = self._rate(total.compliance_rate, total.compliance_interval)
        self._line(f"事前提醒遵从率 {rate}", f"Compliance with what was shown: {rate}", "bold")
        self._line(
            f"提示疑点 {total.shown:,} 个（{total.showings:,} 次），已答复 {total.answered:,} 个：改正 {total.changed:,}，继续 {total.continued:,}；"
            f"从未答复 {total.unanswered:,} 个",
            f"{total.shown:,} finding(s) shown ({total.showings:,} showings), {total.answered:,} answered: {total.changed:,} changed, "
            f"{total.continued:,} continued; {total.unanswered:,} never answered",
        )
        if report.reasons:
            told = self._say("；", "; ").join(f"{self._reason(each)} {each.count:,}" for each in report.reasons)
            self._line(f"继续的理由：{told}", f"Reasons to continue: {told}")
        if not report.suspicious:
            self._line(
                f"没有看来有误的知识点（至少 {asked.min_answers} 次答复，继续率区间下限高于 {asked.threshold:.0%}）",
                f"No point looks wrong (at least {asked.min_answers} answers, lower bound of the override rate above {asked.threshold:.0%})",
            )

    def _points(self, title: str, rows: Sequence[PointRow], total: int) -> None:
        titles = (
            ("知识点", "Point"), ("项目", "Item"), ("规则", "Rule"), ("提示", "Shown"), ("已答复", "Answered"), ("继续", "Continued"),
            ("继续率", "Override"), ("95 % 区间", "95 % interval"), ("理由", "Reasons"),
        )  # fmt: skip
        cells = (
            (
                row.point_id or "–", row.item_name or "–", row.rule_id, f"{row.tally.shown:,}", f"{row.tally.answered:,}",
                f"{row.tally.continued:,}", _percent(row.tally.override_rate), _bounds(row.tally.override_interval),
                "\n".join(f"{self._reason(each)} {each.count:,}" for each in row.reasons),
            )
            for row in rows
        )  # fmt: skip
        self._table(title, titles, cells, left=(0, 1, 2, 8), shown=len(rows), total=total)

    def _groups(self, title: str, groups: Sequence[Group], total: int | None = None) -> None:
        cells = (
            (
                group.key or "–", f"{group.tally.shown:,}", f"{group.tally.answered:,}", f"{group.tally.continued:,}",
                f"{group.tally.changed:,}", _percent(group.tally.compliance_rate), _bounds(group.tally.compliance_interval),
            )
            for group in groups
        )  # fmt: skip
        shown = len(groups)
        self._table(
            None, ((title, title), *_TALLY), cells, left=(0,), shown=shown, total=shown if total is None else total
        )

    def _repeats(self, report: FeedbackReport) -> None:
        self._console.print()
        self._line(
            f"重复提醒：同一次就诊、同一项目、同一规则提示多于一次的 {report.repeated_alerts:,} 个，多提示 {report.repeated_again:,} 次；"
            f"确认之后又提示的 {report.shown_after_acknowledgement:,} 个",
            f"Repeated alerts: {report.repeated_alerts:,} shown more than once for one visit, item and rule, {report.repeated_again:,} "
            f"showings too many; {report.shown_after_acknowledgement:,} finding(s) shown again after they were acknowledged",
        )
        titles = (("项目", "Item"), ("规则", "Rule"), ("就诊", "Visits"), ("多提示", "Again"))
        cells = (
            (row.item_name or row.item_code or "–", row.rule_id, f"{row.visits:,}", f"{row.again:,}")
            for row in report.repeats
        )
        shown = len(report.repeats)
        self._table(None, titles, cells, left=(0, 1), shown=shown, total=shown)

    def _rest(self, report: FeedbackReport) -> None:
        tickets = report.tickets
        self._line(
            f"未及时判断的请求：待补判 {tickets.open:,} 个；已补判 {tickets.judged:,} 个，其中有疑点 {tickets.late_findings:,} 个",
            f"Requests not judged in time: {tickets.open:,} open; {tickets.judged:,} judged later, {tickets.late_findings:,} of them with findings",
        )
        if report.feedback_never_shown:
            self._line(
                f"答复了从未提示过的疑点：{report.feedback_never_shown:,} 个，请检查接口（关联的疑点编号不对）",
                f"Feedback on {report.feedback_never_shown:,} finding(s) never shown here: check the caller's finding ids",
                "yellow",
            )

    def _table(
        self, title: str | None, titles: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]], *,
        left: Sequence[int], shown: int, total: int,
    ) -> None:  # fmt: skip
        if not shown:
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
        for number, words in enumerate(titles):
            table.add_column(
                words[self._english],
                justify="left" if number in left else "right",
                overflow="fold",
                no_wrap=number not in (1, 8),
            )
        for row in rows:
            table.add_row(*map(Text, row))
        self._console.print()
        self._console.print(table)
        if shown < total:
            self._line(
                f"共 {total:,} 行，列出前 {shown:,} 行（--limit）", f"{total:,} rows, the first {shown:,} (see --limit)"
            )

    def _reason(self, reason: ReasonCount) -> str:
        if reason.code is None:
            return self._say("未编码的理由", "reason without a code")
        known = REASON_BY_CODE.get(reason.code)
        return self._say(known.zh, known.en) if known else reason.code

    def _rate(self, rate: float | None, bounds: tuple[float, float] | None) -> str:
        if rate is None:
            return self._say("–（还没有答复）", "– (no answer yet)")
        return f"{_percent(rate)}{self._say('（95 % 区间 ', ' (95 % interval ')}{_bounds(bounds)}{self._say('）', ')')}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _bounds(bounds: tuple[float, float] | None) -> str:
    return "–" if bounds is None else f"{bounds[0]:.1%}–{bounds[1]:.1%}"
