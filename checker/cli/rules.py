"""`liangku rules`: list the rules, show one, run their cases, check them through every stage."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from checker.cli.options import json_option, language_option
from checker.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from checker.cases import CaseResult
    from checker.rulebook import Rule, Rulebook

F = TypeVar("F", bound=Callable[..., Any])
_PIPE_WIDTH = 120
"""How wide tables are written where no terminal says how wide it is."""
_STAGES = {"parse": "解析", "compile": "编译子句", "explain": "引擎计划", "cases": "用例"}
_TIERS = {"合理使用": "rational use", "政策限定": "policy limit"}
_TIER_GROUPS = {"政策类": "policy", "管理类": "management", "医疗类": "medical"}
_LIST_TITLES = {
    "zh": ("编号", "国家编码", "名称", "类别", "级别", "状态", "版本"),
    "en": ("Id", "National code", "Name", "Tier", "Level", "Status", "Version"),
}


def _rules_option(command: F) -> F:
    return click.option(
        "--rules", "folder", type=click.Path(path_type=Path), help="规则文件夹，默认用内置规则（folder of rule files）"
    )(command)


@click.group("rules")
def command() -> None:
    """规则：列出、查看、测试、检查。

    The rules: list them, show one, run their cases, check them.
    """


@command.command("list")
@_rules_option
@json_option
@language_option
def list_(folder: Path | None, as_json: bool, lang: str) -> int:
    """列出规则：编号、国家编码、名称、类别、级别、状态、版本。

    List the rules: id, national code, name, tier, level, status, version.
    """
    rulebook, _, _ = _load(folder)
    if as_json:
        _print_json({"hash": rulebook.hash, "rules": [_summary(rule) for rule in rulebook.rules]})
        return ExitCode.CLEAR
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in _LIST_TITLES[lang]:
        table.add_column(title, no_wrap=title not in ("名称", "Name"), overflow="fold")
    for rule in rulebook.rules:
        name, tier = (rule.name_en, _TIERS[rule.tier]) if lang == "en" else (rule.name_zh, rule.tier)
        level, version = _level(rule.level, lang), str(rule.version)
        table.add_row(*_plain((rule.id, rule.code or "–", name, tier, level, rule.status, version)))
    _console().print(table)
    return ExitCode.CLEAR


@command.command("show")
@click.argument("rule_id", metavar="RULE")
@_rules_option
@language_option
def show(rule_id: str, folder: Path | None, lang: str) -> int:
    """查看一条规则的全部内容：定义、参数、判定子句、消息、说明。

    Show everything of one rule: definition, parameters, clauses, messages, documentation.

    \b
    例 Example:
      liangku rules show drug-sex
    """
    rulebook, _, _ = _load(folder)
    (rule,) = _chosen(rulebook, [rule_id])
    _print_rule(rule, lang, _console())
    return ExitCode.CLEAR


@command.command("test")
@click.argument("rule_ids", nargs=-1, metavar="[RULE]...")
@_rules_option
@json_option
@language_option
def test(rule_ids: tuple[str, ...], folder: Path | None, as_json: bool, lang: str) -> int:
    """用真正的引擎运行规则自带的用例；不写 RULE 则运行全部。

    Run the cases written in the rules through the engine; without RULE all of them.

    \b
    退出码 Exit codes: 0 全部通过 all pass · 1 有用例不通过 some fail · 2 规则文件有误 broken rule files

    \b
    例 Examples:
      liangku rules test
      liangku rules test drug-sex --rules 我的规则
    """
    from checker.cases import run_cases

    rulebook, place, embedded = _load(folder)
    chosen = _chosen(rulebook, rule_ids)
    results = run_cases(place, rulebook, [rule.id for rule in chosen], embedded=embedded)
    by_rule = {rule.id: [result for result in results if result.rule_id == rule.id] for rule in chosen}
    passed = all(result.passed for result in results)
    if as_json:
        _print_json({"passed": passed, "rules": [_tested(rule_id, own) for rule_id, own in by_rule.items()]})
    else:
        for rule_id, own in by_rule.items():
            for text in _told(rule_id, own, lang):
                click.echo(text)
    return ExitCode.CLEAR if passed else ExitCode.FINDINGS


@command.command("check")
@_rules_option
@json_option
@language_option
def check(folder: Path | None, as_json: bool, lang: str) -> int:
    """检查全部规则：解析、编译子句、引擎计划（EXPLAIN）、用例，各阶段计数。

    Check every rule: parse, compile its clauses, EXPLAIN its SELECT, run its cases; each stage is counted.

    \b
    退出码 Exit codes: 0 全部通过 all pass · 1 有不通过 some fail · 2 规则文件有误 broken rule files
    """
    from checker.cases import prove

    rulebook, place, embedded = _load(folder)
    stages = prove(place, rulebook, embedded=embedded)
    passed = all(stage.passed == stage.total for stage in stages)
    if as_json:
        document = {"passed": passed, "rules": [rule.id for rule in rulebook.rules]}
        _print_json({**document, "stages": [asdict(stage) for stage in stages]})
    else:
        for stage in stages:
            name = stage.name if lang == "en" else f"{_STAGES[stage.name]}（{stage.name}）"
            click.echo(f"{_mark(stage.passed == stage.total)} {name}: {stage.passed}/{stage.total}")
            for fault in stage.faults:
                click.echo(f"    {fault}")
    return ExitCode.CLEAR if passed else ExitCode.FINDINGS


def _load(folder: Path | None) -> tuple[Rulebook, Path, bool]:
    """The rulebook, its folder, and whether it is the one that came with the program."""
    from checker.knowledge.edition import embedded_rules_folder
    from checker.rulebook import load_rules

    if folder is not None:
        return load_rules(folder), folder, False
    return load_rules(embedded_rules_folder(), embedded=True), embedded_rules_folder(), True


def _chosen(rulebook: Rulebook, ids: Sequence[str]) -> tuple[Rule, ...]:
    """The rules of these ids, all where none is named; InputError for an id that no rule has."""
    from checker.errors import InputError

    known = [rule.id for rule in rulebook.rules]
    unknown = [rule_id for rule_id in ids if rule_id not in known]
    if unknown:
        raise InputError(f"没有规则“{'、'.join(unknown)}”（no such rule），已有的规则（known）：{', '.join(known)}")
    return tuple(rule for rule in rulebook.rules if not ids or rule.id in ids)


def _summary(rule: Rule) -> dict[str, object]:
    return {
        "rule_id": rule.id, "rule_code": rule.code, "name": {"zh": rule.name_zh, "en": rule.name_en}, "tier": rule.tier,
        "tier_group": rule.tier_group, "level": rule.level, "status": rule.status, "version": rule.version,
        "since": rule.since.isoformat(), "stages": list(rule.stages), "cases": len(rule.cases), "hash": rule.hash,
    }  # fmt: skip


def _tested(rule_id: str, results: Sequence[CaseResult]) -> dict[str, object]:
    failed = [result for result in results if not result.passed]
    told = [{"name": each.name, "difference": [asdict(field) for field in each.difference]} for each in failed]
    return {"rule_id": rule_id, "cases": len(results), "passed": len(results) - len(failed), "failed": told}


def _told(rule_id: str, results: Sequence[CaseResult], lang: str) -> Iterable[str]:
    failed = [result for result in results if not result.passed]
    words = "cases pass" if lang == "en" else "个用例通过"
    yield f"{_mark(not failed)} {rule_id}: {len(results) - len(failed)}/{len(results)} {words}"
    for result in failed:
        yield f"    {rule_id}::{result.name}"
        for each in result.difference:
            if lang == "en":
                yield f"        {each}"
            else:
                yield f"        {each.field}：用例要求 {each.expected}，引擎给出 {each.found}"


def _print_rule(rule: Rule, lang: str, console: Console) -> None:
    from rich import box
    from rich.markdown import Markdown
    from rich.table import Table

    english = lang == "en"
    name, messages, docs = (
        (rule.name_en, rule.messages.en, rule.docs_en) if english else (rule.name_zh, rule.messages.zh, rule.docs_zh)
    )

    tier = f"{_TIERS[rule.tier]} ({_TIER_GROUPS[rule.tier_group]})" if english else f"{rule.tier}（{rule.tier_group}）"

    def heading(chinese: str, english_text: str) -> None:
        console.print(f"\n[bold]{english_text if english else chinese}[/bold]")

    def rows(pairs: Iterable[tuple[str, str, str]]) -> None:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for chinese, english_text, value in pairs:
            table.add_row(*_plain((english_text if english else chinese, value)))
        console.print(table)

    console.print(*_plain((f"{rule.id}  {name}",)), style="bold")
    rows((
        ("国家编码", "National code", rule.code or "–"),
        ("类别", "Tier", tier),
        ("级别", "Level", _level(rule.level, lang)),
        ("环节", "Stages", ", ".join(_stage(stage, lang) for stage in rule.stages)),
        ("状态", "Status", f"{rule.status}, {'since' if english else '自'} {rule.since}"),
        ("版本", "Version", str(rule.version)),
        ("对象", "Shape", rule.shape),
        ("文件", "File", f"{rule.file}  sha256 {rule.hash[:16]}"),
    ))  # fmt: skip
    heading("判定子句", "Clauses")
    for key, clause in rule.clauses:
        console.print(*_plain((f"{key} =",)))
        console.print(*_plain(("\n".join(f"    {text}" for text in clause.text.strip().splitlines()),)), style="cyan")
    heading("参数", "Parameters")
    if rule.params:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title in ("Name", "Value", "Allowed", "Meaning") if english else ("名称", "值", "允许范围", "含义"):
            table.add_column(title, overflow="fold")
        for param in rule.params:
            low, high = param.allowed
            meaning = param.meaning_en if english else param.meaning_zh
            table.add_row(*_plain((f":{param.name}", f"{param.value} {param.unit}", f"{low}–{high}", meaning)))
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
        console.print(*_plain((f"  {case.name} → {expect.strip()}",)))
    console.print()
    console.print(Markdown(docs.strip()))


def _level(level: str, lang: str) -> str:
    from checker.report.terminal import LEVELS

    return level if lang == "en" else f"{LEVELS[level][0]} {level}"


def _stage(stage: str, lang: str) -> str:
    return stage if lang == "en" else {"before": "事前", "during": "事中", "after": "事后"}[stage]


def _mark(good: bool) -> str:
    return "✓" if good else "✗"


def _plain(texts: Iterable[str]) -> list[Any]:
    """Texts of a rule as they stand, without rich reading markup into them."""
    from rich.text import Text

    return [Text(text) for text in texts]


def _console() -> Console:
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPE_WIDTH)


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
