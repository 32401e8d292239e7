"""`liangku rules list`: the rules in a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, language_option, rules_folder_option
from checker.cli.output import print_json
from checker.cli.rules.shared import console, level_text, load, plain
from checker.model.errors import ExitCode
from checker.rulebook.names import TIERS

if TYPE_CHECKING:
    from checker.rulebook.rule import Rule


_TITLES = {
    "zh": ("编号", "国家编码", "名称", "类别", "级别", "状态", "版本"),
    "en": ("Id", "National code", "Name", "Tier", "Level", "Status", "Version"),
}


@click.command("list")
@rules_folder_option
@json_option
@language_option
def command(rules_folder: Path | None, as_json: bool, lang: str) -> int:
    """列出规则：编号、国家编码、名称、类别、级别、状态、版本。

    List the rules: id, national code, name, tier, level, status, version.
    """
    rulebook, _, _ = load(rules_folder)
    if as_json:
        print_json({"hash": rulebook.hash, "rules": [_summary(rule) for rule in rulebook.rules]})
        return ExitCode.CLEAR
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in _TITLES[lang]:
        table.add_column(title, no_wrap=title not in ("名称", "Name"), overflow="fold")
    for rule in rulebook.rules:
        name, tier = (rule.name_en, TIERS[rule.tier]) if lang == "en" else (rule.name_zh, rule.tier)
        level, version = level_text(rule.level, lang), str(rule.version)
        table.add_row(*plain((rule.id, rule.code or "–", name, tier, level, rule.status, version)))
    console().print(table)
    return ExitCode.CLEAR


def _summary(rule: Rule) -> dict[str, object]:
    return {
        "rule_id": rule.id, "rule_code": rule.code, "name": {"zh": rule.name_zh, "en": rule.name_en}, "tier": rule.tier,
        "tier_group": rule.tier_group, "level": rule.level, "status": rule.status, "version": rule.version,
        "since": rule.since.isoformat(), "stages": list(rule.stages), "cases": len(rule.cases), "hash": rule.hash,
    }  # fmt: skip
