"""`liangku rules test`: the cases written in the rules, run through the engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, language_option, rules_folder_option
from checker.cli.output import print_json
from checker.cli.rules.shared import chosen_rules, load, mark
from checker.model.errors import ExitCode

if TYPE_CHECKING:
    from checker.proof.cases import CaseResult


@click.command("test")
@click.argument("rule_ids", nargs=-1, metavar="[RULE]...")
@rules_folder_option
@json_option
@language_option
def command(rule_ids: tuple[str, ...], rules_folder: Path | None, as_json: bool, lang: str) -> int:
    """用真正的引擎运行规则自带的用例；不写 RULE 则运行全部。

    Run the cases written in the rules through the engine; without RULE all of them.

    \b
    退出码 Exit codes: 0 全部通过 all pass · 1 有用例不通过 some fail · 2 规则文件有误 broken rule files

    \b
    例 Examples:
      liangku rules test
      liangku rules test drug-sex --rules 我的规则
    """
    from checker.proof.cases import run_cases

    rulebook, _, embedded = load(rules_folder)
    chosen = chosen_rules(rulebook, rule_ids)
    results = run_cases(rulebook, [rule.id for rule in chosen], embedded=embedded)
    by_rule = {rule.id: [result for result in results if result.rule_id == rule.id] for rule in chosen}
    passed = all(result.passed for result in results)
    if as_json:
        print_json({"passed": passed, "rules": [_tested(rule_id, own) for rule_id, own in by_rule.items()]})
    else:
        for rule_id, own in by_rule.items():
            for text in _told(rule_id, own, lang):
                click.echo(text)
    return ExitCode.CLEAR if passed else ExitCode.FINDINGS


def _tested(rule_id: str, results: Sequence[CaseResult]) -> dict[str, object]:
    failed = [result for result in results if not result.passed]
    told = [{"name": each.name, "difference": [asdict(field) for field in each.difference]} for each in failed]
    return {"rule_id": rule_id, "cases": len(results), "passed": len(results) - len(failed), "failed": told}


def _told(rule_id: str, results: Sequence[CaseResult], lang: str) -> Iterable[str]:
    failed = [result for result in results if not result.passed]
    words = "cases pass" if lang == "en" else "个用例通过"
    yield f"{mark(not failed)} {rule_id}: {len(results) - len(failed)}/{len(results)} {words}"
    for result in failed:
        yield f"    {rule_id}::{result.name}"
        for each in result.difference:
            yield f"        {each.text(lang)}"
