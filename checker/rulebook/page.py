"""The page of a rule in one language: what it finds and by which numbers, with its cases as examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checker.model.markdown import fenced, plain, table
from checker.model.words import LEVELS
from checker.rulebook.case_words import in_words
from checker.rulebook.names import (
    CLAUSES,
    MESSAGES,
    STAGES,
    STATUSES,
    TIER_GROUPS,
    TIERS,
)
from checker.rulebook.rule import Rule
from checker.shapes import BY_ID

INDEX = "README.md"
"""The page that lists all others."""


def page_name(rule_id: str, language: str) -> str:
    """The file of a rule's page.

    >>> page_name("drug-sex", "zh"), page_name("drug-sex", "en")
    ('drug-sex.md', 'drug-sex.en.md')
    """
    return f"{rule_id}.en.md" if language == "en" else f"{rule_id}.md"


def rule_page(rule: Rule, language: str) -> str:
    """Return the page of a rule as Markdown, `zh` or `en`."""
    return "\n".join(_Page(rule, language).lines()) + "\n"


def index_page(rules: Sequence[Rule]) -> str:
    """Return the page that lists the rules, in both languages, with links to their pages."""
    titles = (
        "编号 Id",
        "名称",
        "Name",
        "国家编码 National code",
        "类别 Tier",
        "级别 Level",
        "状态 Status",
        "版本 Version",
    )
    rows = [
        (
            f"`{rule.id}`",
            f"[{plain(rule.name_zh)}]({page_name(rule.id, 'zh')})",
            f"[{plain(rule.name_en)}]({page_name(rule.id, 'en')})",
            plain(rule.code or "–"),
            f"{rule.tier} {TIERS[rule.tier]}",
            f"{LEVELS[rule.level][0]} {rule.level}",
            f"{STATUSES[rule.status][0]} {rule.status}",
            str(rule.version),
        )
        for rule in rules
    ]
    lines = [
        "# 规则 Rules",
        "",
        "每条规则一页：查什么、怎样判、何时不判、参数、例子。由规则文件生成。",
        "",
        "One page a rule: what it finds, how it judges, when it is silent, its numbers and examples. Made from the rule files.",
        "",
        *table(titles, rows),
    ]
    return "\n".join(lines) + "\n"


class _Page:
    def __init__(self, rule: Rule, language: str) -> None:
        self._rule = rule
        self._language = language
        self._english = int(language == "en")

    def lines(self) -> Iterator[str]:
        rule, english = self._rule, self._english
        other = page_name(rule.id, "zh" if english else "en")
        yield f"# {plain(rule.name_en if english else rule.name_zh)}"
        yield ""
        yield f"[{self._say('全部规则', 'All rules')}]({INDEX}) · [{self._say('English', '中文')}]({other})"
        yield ""
        yield from table(self._say("项目 内容", "Key Value").split(" "), self._identity())
        yield ""
        yield (rule.docs_en if english else rule.docs_zh).strip()
        yield from self._section(("例子", "Examples"), self._examples())
        yield from self._section(("参数", "Parameters"), self._params())
        yield from self._section(("消息", "Messages"), self._messages())
        yield from self._section(("判定子句", "Clauses"), self._clauses())
        yield from self._section(("用到的信息", "What it reads"), self._reads())

    def _say(self, chinese: str, english: str) -> str:
        return english if self._english else chinese

    def _section(self, titles: tuple[str, str], body: Iterator[str]) -> Iterator[str]:
        yield ""
        yield f"## {titles[self._english]}"
        yield ""
        yield from body

    def _identity(self) -> list[tuple[str, str]]:
        rule, english = self._rule, self._english
        tier = (
            f"{TIERS[rule.tier]} ({TIER_GROUPS[rule.tier_group]})" if english else f"{rule.tier}（{rule.tier_group}）"
        )
        stages = self._say("、", ", ").join(STAGES[stage][english] for stage in rule.stages)
        level = rule.level if english else f"{LEVELS[rule.level][0]}（{rule.level}）"
        return [
            (self._say("编号", "Id"), f"`{rule.id}`"),
            (self._say("国家编码", "National code"), plain(rule.code or self._say("无", "none"))),
            (self._say("类别", "Tier"), tier),
            (self._say("级别", "Level"), level),
            (self._say("环节", "Stages"), stages),
            (self._say("状态", "Status"), STATUSES[rule.status][english]),
            (self._say("版本", "Version"), self._say(f"{rule.version}，规则始于 {rule.since}", f"{rule.version}; the rule began on {rule.since}")),
        ]  # fmt: skip

    def _examples(self) -> Iterator[str]:
        yield self._say(
            "这些是规则自带的用例，每次检查都在引擎上运行：这样的明细，遇到这样的知识点，得到这样的结果。",
            "These are the rule's own cases, run on the engine at every check: such a line, met by such a point, gets such an answer.",
        )
        yield ""
        cases = [in_words(case, self._language) for case in self._rule.cases]
        if self._english:
            rows = [[case.name, case.line, case.point, case.answer] for case in cases]
        else:  # the names are in English
            rows = [[case.line, case.point, case.answer] for case in cases]
        titles = self._say("明细 知识点 结果", "Case Line Point Answer").split(" ")
        yield from table(titles, [[*map(plain, row)] for row in rows])

    def _params(self) -> Iterator[str]:
        if not self._rule.params:
            yield self._say("没有。", "None.")
            return
        titles = ("Name", "Value", "Allowed", "Meaning") if self._english else ("名称", "值", "允许范围", "含义")
        yield from table(titles, [
            (f"`{each.name}`", plain(f"{each.value} {each.unit}"), f"{each.allowed[0]}–{each.allowed[1]}",
             plain(each.meaning_en if self._english else each.meaning_zh))
            for each in self._rule.params
        ])  # fmt: skip

    def _messages(self) -> Iterator[str]:
        texts = self._rule.messages.en if self._english else self._rule.messages.zh
        yield from table(
            self._say("情形 文字", "When Text").split(" "),
            [(words[self._english], plain(getattr(texts, key))) for key, words in MESSAGES.items()],
        )

    def _clauses(self) -> Iterator[str]:
        yield self._say(
            "真为违规，假为合规，空值（NULL）为无法判断；`:名称` 是参数。",
            "True is a violation, false is clean, NULL is undetermined; `:name` is a parameter.",
        )
        for key, clause in self._rule.clauses:
            yield ""
            yield f"`{key}`{self._say('，', ', ')}{CLAUSES[key][self._english]}{self._say('：', ':')}"
            yield ""
            yield from fenced("sql", clause.text.strip().splitlines())

    def _reads(self) -> Iterator[str]:
        columns = frozenset[str]().union(*(clause.columns for _, clause in self._rule.clauses))
        shape = BY_ID[self._rule.shape]
        limits = {limit for column in shape.columns if column.name in columns for limit in column.limits}
        yield (
            self._say("明细：", "Of the line: ")
            + self._say("；", "; ").join(shape.facts[fact].told(self._english == 1) for fact in shape.facts_in(columns))
            + self._say("。", ".")
        )
        yield ""
        yield self._say("知识点的限制（列）：", "Limits of a knowledge point (columns):")
        yield ""
        yield from table(
            self._say("列 含义", "Column Meaning").split(" "),
            [(f"`{limit.name}`", self._say(limit.zh, limit.en)) for limit in shape.limits if limit.name in limits],
        )
