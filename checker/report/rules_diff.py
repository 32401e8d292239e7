"""The difference between two rulebooks as text: Markdown for a summary, a table for the terminal."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from checker.model.markdown import fenced, plain, table
from checker.rulebook.diff import CaseChanges, KeyChange, RuleBrief, RuleChange, RulesDiff
from checker.rulebook.names import MESSAGES

_SHORT = 40
"""Up to how many characters a value stands in a table; longer ones are compared line by line beneath it."""
_NAMES = {
    "version": ("版本", "version"), "status": ("状态", "status"), "since": ("起始日期", "since"), "rule_code": ("国家编码", "national code"),
    "tier": ("类别", "tier"), "tier_group": ("大类", "tier group"), "shape": ("对象", "shape"), "level": ("级别", "level"),
    "stages": ("环节", "stages"), "name.zh": ("中文名", "Chinese name"), "name.en": ("英文名", "English name"),
    "clause.violated": ("违规条件", "violation clause"), "clause.lower": ("降级条件", "lowering clause"),
    "clause.notice": ("提示条件", "notice clause"), "evidence.expected": ("应为", "expected"), "evidence.actual": ("实为", "actual"),
}  # fmt: skip
_FIELDS = {
    "value": ("值", "value"), "type": ("类型", "type"), "unit": ("单位", "unit"), "allowed": ("允许范围", "allowed"),
    "meaning_zh": ("中文含义", "meaning in Chinese"), "meaning_en": ("英文含义", "meaning in English"),
}  # fmt: skip


def markdown(diff: RulesDiff, language: str = "zh") -> str:
    """Return the difference as Markdown, headings from `##`, `zh` or `en`; it ends with a line end."""
    return "\n".join(_Words(language).markdown(diff)) + "\n"


def print_diff(diff: RulesDiff, language: str, console: Console) -> None:
    """Print the difference as a table; long clauses and messages line by line."""
    words = _Words(language)
    console.print(Text(words.conclusion(diff), style="bold"), soft_wrap=True)
    for sign, rules in (("+", diff.added), ("-", diff.removed)):
        for rule in rules:
            console.print(Text(f"{sign} {words.brief(rule)}", style="green" if sign == "+" else "red"))
    for changed in diff.changed:
        console.print()
        console.print(
            Text(f"~ {changed.rule_id}  {words.name(changed)}  {words.effect(changed.judgment_changed)}", style="bold")
        )
        if short := [change for change in changed.changes if _is_short(change)]:
            shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
            for title in words.titles:
                shown.add_column(title, overflow="fold")
            for change in short:
                shown.add_row(*map(Text, words.row(change)))
            console.print(shown)
        for change in changed.changes:
            if not _is_short(change):
                console.print(Text(f"{words.part(change.part)} ({change.part})  {words.effect(change.judgment)}"))
                for line in _line_diff(change):
                    console.print(
                        Text(f"    {line}", style={"+": "green", "-": "red"}.get(line[:1], "dim")), soft_wrap=True
                    )
        for told in words.rest(changed):
            console.print(Text(told), soft_wrap=True)


class _Words:
    def __init__(self, language: str) -> None:
        self._english = int(language == "en")
        self.titles = self._say("部分|旧|新|影响", "Part|Old|New|Effect").split("|")

    def _say(self, chinese: str, english: str) -> str:
        return english if self._english else chinese

    def markdown(self, diff: RulesDiff) -> Iterator[str]:
        yield f"## {self._say('规则的变化', 'Rules: what changed')}"
        yield ""
        yield self.conclusion(diff)
        for titles, rules in ((("新增", "Added"), diff.added), (("删除", "Removed"), diff.removed)):
            if rules:
                yield ""
                yield f"### {titles[self._english]}"
                yield ""
                yield from (f"- {plain(self.brief(rule))}" for rule in rules)
        for changed in diff.changed:
            yield from self._rule(changed)

    def _rule(self, changed: RuleChange) -> Iterator[str]:
        yield ""
        yield f"### `{changed.rule_id}` {plain(self.name(changed))}"
        yield ""
        yield f"**{self.effect(changed.judgment_changed)}**"
        if short := [change for change in changed.changes if _is_short(change)]:
            yield ""
            yield from table(self.titles, [[*map(plain, self.row(change))] for change in short])
        for change in changed.changes:
            if not _is_short(change):
                yield ""
                yield f"{self.part(change.part)} `{change.part}`{self._say('，', ', ')}{self.effect(change.judgment)}{self._say('：', ':')}"
                yield ""
                yield from fenced("diff", _line_diff(change))
        for told in self.rest(changed):
            yield ""
            yield plain(told)

    def conclusion(self, diff: RulesDiff) -> str:
        if diff.empty:
            return self._say("规则没有变化。", "No rule differs.")
        counts = len(diff.added), len(diff.removed), len(diff.changed)
        told = self._say(
            "新增 {} 条，删除 {} 条，修改 {} 条规则。", "{} rules added, {} removed, {} changed. "
        ).format(*counts)  # fmt: skip
        return told + self._say(
            "判断有变，疑点可能不同。" if diff.judgment_changed else "判断不变，疑点不会增减。",
            "Judgment changed: findings may differ."
            if diff.judgment_changed
            else "Only words changed: findings stay the same.",
        )

    def effect(self, judgment: bool) -> str:
        return self._say("判断有变", "judgment changed") if judgment else self._say("只改文字", "only words")

    def name(self, rule: RuleBrief | RuleChange) -> str:
        return rule.name_en if self._english else rule.name_zh

    def brief(self, rule: RuleBrief) -> str:
        said = (
            f"版本 {rule.version}，{rule.level}，{rule.status}",
            f"version {rule.version}, {rule.level}, {rule.status}",
        )
        return f"{rule.rule_id} {self.name(rule)}{self._say('（', ' (')}{said[self._english]}{self._say('）', ')')}"

    def part(self, part: str) -> str:
        """A key path in words."""
        if part in _NAMES:
            return _NAMES[part][self._english]
        kind, _, rest = part.partition(".")
        name, _, field = rest.partition(".")
        if kind == "params":
            told = f"{self._say('参数', 'parameter')} {name}"
            return f"{told} {_FIELDS[field][self._english]}" if field in _FIELDS else told
        language = self._say({"zh": "中文", "en": "英文"}[name], {"zh": "Chinese", "en": "English"}[name])
        return self._say(f"{language}消息：{MESSAGES[field][0]}", f"{language} message, {MESSAGES[field][1].lower()}")

    def row(self, change: KeyChange) -> tuple[str, str, str, str]:
        none = self._say("无", "none")
        old, new = (none if value is None else value for value in (change.old, change.new))
        return self.part(change.part), old, new, self.effect(change.judgment)

    def rest(self, changed: RuleChange) -> Iterator[str]:
        """What differs besides the parts: cases and documentation."""
        if told := "; ".join(self._cases(changed.cases)):
            yield self._say(f"用例：{told.replace('; ', '；')}", f"Cases: {told}")
        if changed.docs:
            yield self._say("说明改了：", "Documentation changed: ") + self._say("、", ", ").join(changed.docs)

    def _cases(self, cases: CaseChanges) -> Iterator[str]:
        for words, names in (
            (("新增 {}", "{} added"), cases.added),
            (("删除 {}", "{} removed"), cases.removed),
            (("修改 {}", "{} changed"), cases.changed),
        ):
            if names:
                yield f"{words[self._english].format(len(names))} ({', '.join(names)})"


def _is_short(change: KeyChange) -> bool:
    return all(value is None or (len(value) <= _SHORT and "\n" not in value) for value in (change.old, change.new))


def _line_diff(change: KeyChange) -> Sequence[str]:
    """Both values line by line: what went, what came, and what stayed between."""
    old, new = (value.splitlines() if value is not None else [] for value in (change.old, change.new))
    return [line for line in difflib.ndiff(old, new) if not line.startswith("?")]
