"""The page docs/coverage.md: what of the published framework of rules [规则库] works here, with how many points and codes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from checker.knowledge.edition import open_edition
from checker.knowledge.manifest import MANIFEST_FILE, RuleCount
from checker.model.embedded import embedded_edition_folder
from checker.model.errors import InputError
from checker.rulebook.docs import MARK, Page
from checker.rulebook.rule import Rule, Rulebook

FRAMEWORK = "framework.csv"
"""The published rules, one a row, beside the rule files: number, class, group, name, rule_code, batches with points."""
PAGE = "coverage.md"
_STATES = {
    "stable": ("可用", "works"),
    "preview": ("试行", "preview"),
    "shadow": ("影子", "shadow"),
    "deprecated": ("停用", "deprecated"),
    "published": ("知识点已公布，尚未实现", "points published, not built yet"),
    "": ("未公布知识点", "no points published"),
}
_HEAD = """# 覆盖范围 Coverage

国家医保局 2025 年公布的智能监管规则框架有 {total} 条规则，下表说明每条在这里的情况。可用 {works} 条。知识点和编码是内置知识库里的行数和公布的编码数。

The framework of 2025 names {total} rules; here is the state of each. {works} work. Points and codes are the rows of the embedded knowledge
base and the published codes that they cover.

| | 规则 Rule | 编码 Code | 类别 Class | 批次 Batches | 状态 State | 规则编号 Id | 知识点 Points | 编码数 Codes |
|---|---|---|---|---|---|---|---|---|
"""
_BESIDE = """
框架之外的规则 Rules beside the framework: {rules}。
"""


class Published(NamedTuple):
    """One rule of the framework."""

    number: int
    group_class: str
    group: str
    name: str
    rule_code: str
    batches: tuple[str, ...]


def own_coverage(folder: Path, rulebook: Rulebook) -> tuple[Page, ...]:
    """The page of the rules that come with the program, by the framework in their folder and the embedded knowledge base; none in a tree without these."""
    if not ((folder / FRAMEWORK).is_file() and (embedded_edition_folder() / MANIFEST_FILE).is_file()):
        return ()
    counts = {count.rule_id: count for count in open_edition(embedded_edition_folder(), embedded=True).manifest.rules}
    return (coverage_page(read_framework(folder / FRAMEWORK), rulebook.rules, counts),)


def read_framework(file: Path) -> tuple[Published, ...]:
    """The rules of the framework. Raises InputError where the file is not as it should be."""
    try:
        rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
        return tuple(
            Published(
                int(row["number"]),
                row["class"],
                row["group"],
                row["name"],
                row["rule_code"],
                tuple(row["batches"].split()),
            )
            for row in rows
        )
    except (OSError, KeyError, ValueError, AttributeError) as error:
        raise InputError(f"{file}：无法读取规则框架（the framework cannot be read: {error}）") from error


def coverage_page(framework: Sequence[Published], rules: Sequence[Rule], counts: Mapping[str, RuleCount]) -> Page:
    """The page: a row for each rule of the framework, told by its published name."""
    by_name = {rule.name_zh: rule for rule in rules}
    rows = [_row(each, by_name.get(each.name), counts) for each in framework]
    works = sum(rule.status == "stable" for each in framework if (rule := by_name.get(each.name)))
    beside = sorted(by_name.keys() - {each.name for each in framework})
    text = _HEAD.format(total=len(framework), works=works) + "\n".join(rows) + "\n"
    return Page(PAGE, f"{MARK}\n\n{text}" + (_BESIDE.format(rules="、".join(beside)) if beside else ""))


def _row(published: Published, rule: Rule | None, counts: Mapping[str, RuleCount]) -> str:
    state = rule.status if rule is not None else "published" if published.batches else ""
    link, points, codes = "", "", ""
    if rule is not None:
        link = f"[{rule.id}](rules/{rule.id}.md)"
        count = counts.get(rule.id)
        points, codes = (f"{count.points:,}", f"{count.published_codes:,}") if count else ("0", "0")
    cells = (
        str(published.number), published.name, published.rule_code or "–", f"{published.group_class} · {published.group}",
        " ".join(published.batches) or "–", " ".join(_STATES[state]), link or "–", points or "–", codes or "–",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"
