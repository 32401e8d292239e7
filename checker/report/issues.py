"""What `kb check` found, for readers: on the terminal, and as markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.padding import Padding
from rich.text import Text

from checker.knowledge.checks.issue import SEVERITIES, Issue
from checker.knowledge.checks.run import Checked
from checker.knowledge.checks.validator import Validator
from checker.model.markdown import code, plain, table
from checker.report.console import wide_console

SHOWN = 20
"""How many issues of one check are printed."""
SEVERITY_WORDS = {
    "error": ("错误", "error", "✗", "bold red"),
    "warning": ("警告", "warning", "!", "yellow"),
    "info": ("提示", "info", "·", "blue"),
}


def print_issues(checked: Checked, language: str, *, shown: int | None = SHOWN) -> None:
    """Print the issues, worst first, check by check; at most `shown` of each check, NULL for all."""
    console = wide_console()
    for indent, line in _Report(checked, language, shown).lines():
        if console.is_terminal:
            # A long line goes on below its own beginning.
            console.print(Padding(line, (0, 0, 0, indent), expand=False))
        else:
            console.print(Text(" " * indent).append(line), soft_wrap=True)


def issues_markdown(checked: Checked, language: str, *, shown: int | None = SHOWN) -> str:
    """The same as markdown, fit for a pull request: a table of counts, and one folded list a check."""
    report = _Report(checked, language, shown)
    say = report.say
    lines = [f"### {say('知识库检查', 'Check of the knowledge base')}", "", plain(report.totals()), ""]
    groups = list(report.groups())
    if groups:
        titles = (say("检查项", "check"), say("级别", "severity"), say("问题数", "issues"))
        rows = [
            (
                f"`{validator.id}` {plain(validator.title.text(language))}",
                SEVERITY_WORDS[severity][report.english],
                f"{len(issues):,}",
            )
            for severity, validator, issues in groups
        ]
        lines += [*table(titles, rows, numbers=1), ""]
    for severity, validator, issues in groups:
        word = SEVERITY_WORDS[severity][report.english]
        opened = " open" if severity != "info" else ""
        head = f"{word} <code>{validator.id}</code> {plain(validator.title.text(language))} ({len(issues):,})"
        lines += [f"<details{opened}><summary>{head}</summary>", ""]
        for issue in issues[:shown]:
            where = " ".join(code(part) for part in report.where(issue))
            lines.append(f"- {where}{say('：', ': ')}{plain(issue.message.text(language))}")
        if more := report.more(len(issues), say("完整列表见 --format json", "all are in --format json")):
            lines.append(f"- {more}")
        lines += ["", plain(f"{say('怎么改：', 'To mend: ')}{validator.hint.text(language)}"), "", "</details>", ""]
    return "\n".join(lines)


class _Report:
    """The issues grouped and put into words of one language."""

    def __init__(self, checked: Checked, language: str, shown: int | None) -> None:
        self._checked = checked
        self._language = language
        self._shown = shown
        self.english = int(language == "en")

    def say(self, chinese: str, english: str) -> str:
        """The text of this language."""
        return english if self.english else chinese

    def groups(self) -> Iterator[tuple[str, Validator, Sequence[Issue]]]:
        """The issues of each severity and check, worst first."""
        for severity in SEVERITIES:
            for validator in self._checked.validators:
                issues = [
                    issue
                    for issue in self._checked.issues
                    if issue.validator == validator.id and issue.severity == severity
                ]
                if issues:
                    yield severity, validator, issues

    def lines(self) -> Iterator[tuple[int, Text]]:
        """The report for a terminal: how far each line is indented, and the line."""
        for severity, validator, issues in self.groups():
            chinese, english, sign, style = SEVERITY_WORDS[severity]
            head = f"{sign} {self.say(chinese, english)}  {validator.title.text(self._language)}"
            yield 0, Text.assemble((head, style), (f"  {validator.id}  {len(issues):,}", "dim"))
            for issue in issues[: self._shown]:
                yield 2, Text("  ".join(self.where(issue)), style="cyan")
                yield 4, Text(issue.message.text(self._language))
            if more := self.more(len(issues), self.say("用 --all 全部列出", "see --all")):
                yield 2, Text(more, style="dim")
            yield 2, Text(f"{self.say('怎么改：', 'To mend: ')}{validator.hint.text(self._language)}", style="dim")
            yield 0, Text()
        yield 0, Text(self.totals())

    def more(self, count: int, remedy: str) -> str:
        """That some are left out, and how to see them; empty where none is."""
        left = 0 if self._shown is None else count - self._shown
        return self.say(f"……另有 {left:,} 处，{remedy}", f"… {left:,} more, {remedy}") if left > 0 else ""

    def where(self, issue: Issue) -> Iterator[str]:
        """The place, the id of what stands there, and the cell."""
        place = issue.place
        yield f"{place.file}:{place.row}" if place.row else place.file
        if place.key:
            yield place.key
        if issue.column:
            yield f"{issue.column}={issue.value}" if issue.value is not None else issue.column

    def totals(self) -> str:
        """What was checked, and how many issues there are."""
        checked = self._checked
        clean = len(checked.validators) - len({issue.validator for issue in checked.issues})
        counts = self.say("，", ", ").join(
            f"{SEVERITY_WORDS[severity][self.english]} {checked.count(severity):,}" for severity in SEVERITIES
        )
        standing_zh = f"，另有存量问题 {checked.standing:,}" if checked.standing else ""
        standing_en = f", standing {checked.standing:,}" if checked.standing else ""
        return self.say(
            f"{'、'.join(checked.names)}：{checked.points:,} 个知识点、{checked.patterns:,} 个编码、{checked.exemptions:,} 条豁免；"
            f"{len(checked.validators)} 项检查中 {clean} 项没有问题；{counts}{standing_zh}（以 {checked.day} 为准）",
            f"{', '.join(checked.names)}: {checked.points:,} points, {checked.patterns:,} patterns, {checked.exemptions:,} exemptions; "
            f"{clean} of {len(checked.validators)} checks found nothing; {counts}{standing_en} (as of {checked.day})",
        )
