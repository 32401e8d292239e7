"""`liangku rules show`: everything of one rule."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import language_option, rules_folder_option
from checker.cli.rules.shared import (
    chosen_rules,
    console,
    level_text,
    load,
    plain,
    stage_text,
)
from checker.model.errors import ExitCode
from checker.rulebook.names import TIER_GROUPS, TIERS

if TYPE_CHECKING:
    from rich.console import Console

    from checker.rulebook.rule import Rule


@click.command("show")
@click.argument("rule_id", metavar="RULE")
@rules_folder_option
@language_option
def command(rule_id: str, rules_folder: Path | None, lang: str) -> int:
    """查看一条规则的全部内容：定义、参数、判定子句、消息、说明。

    Show everything of one rule: definition, parameters, clauses, messages, documentation.

    \b
    例 Example:
      liangku rules show drug-sex
    """
    rulebook, _, _ = load(rules_folder)
    (rule,) = chosen_rules(rulebook, [rule_id])
    _print_rule(rule, lang, console())
    return ExitCode.CLEAR


def _print_rule(rule: Rule, lang: str, console: Console) -> None:
    from rich import box
    from rich.markdown import Markdown
    from rich.table import Table

    english = lang == "en"
    name, messages, docs = (
        (rule.name_en, rule.messages.en, rule.docs_en) if english else (rule.name_zh, rule.messages.zh, rule.docs_zh)
    )

    tier = f"{TIERS[rule.tier]} ({TIER_GROUPS[rule.tier_group]})" if english else f"{rule.tier}（{rule.tier_group}）"

    def heading(chinese: str, english_text: str) -> None:
        console.print(f"\n[bold]{english_text if english else chinese}[/bold]")

    def rows(pairs: Iterable[tuple[str, str, str]]) -> None:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for chinese, english_text, value in pairs:
            table.add_row(*plain((english_text if english else chinese, value)))
        console.print(table)

    console.print(*plain((f"{rule.id}  {name}",)), style="bold")
    rows((
        ("国家编码", "National code", rule.code or "–"),
        ("类别", "Tier", tier),
        ("级别", "Level", level_text(rule.level, lang)),
        ("环节", "Stages", ", ".join(stage_text(stage, lang) for stage in rule.stages)),
        ("状态", "Status", f"{rule.status}, {'since' if english else '自'} {rule.since}"),
        ("版本", "Version", str(rule.version)),
        ("对象", "Shape", rule.shape),
        ("文件", "File", f"{rule.file}  sha256 {rule.hash[:16]}"),
    ))  # fmt: skip
    heading("判定子句", "Clauses")
    for key, clause in rule.clauses:
        console.print(*plain((f"{key} =",)))
        console.print(*plain(("\n".join(f"    {text}" for text in clause.text.strip().splitlines()),)), style="cyan")
    heading("参数", "Parameters")
    if rule.params:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title in ("Name", "Value", "Allowed", "Meaning") if english else ("名称", "值", "允许范围", "含义"):
            table.add_column(title, overflow="fold")
        for param in rule.params:
            low, high = param.allowed
            meaning = param.meaning_en if english else param.meaning_zh
            table.add_row(*plain((f":{param.name}", f"{param.value} {param.unit}", f"{low}–{high}", meaning)))
        console.print(table)
    else:
        console.print("none" if english else "无")
    heading("消息", "Messages")
    rows((
        ("违规", "Violation", messages.violation),
        ("无法判断", "Undetermined", messages.undetermined),
        ("建议", "Advice", messages.advice),
    ))  # fmt: skip
    heading(f"用例：{len(rule.cases)} 个", f"Cases: {len(rule.cases)}")
    for case in rule.cases:
        expect = case.expect if isinstance(case.expect, str) else f"{case.expect.verdict} {case.expect.level or ''}"
        console.print(*plain((f"  {case.name} → {expect.strip()}",)))
    console.print()
    console.print(Markdown(docs.strip()))
