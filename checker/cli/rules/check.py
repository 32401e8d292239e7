"""`liangku rules check`: every rule through all stages, from parsing to the lock and the pages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from checker.cli.options import json_option, language_option, rules_folder_option
from checker.cli.output import print_json, say
from checker.cli.rules.shared import load, mark
from checker.model.errors import ExitCode

_STAGES = {
    "parse": "解析", "compile": "编译子句", "explain": "引擎计划", "cases": "用例", "complete": "填写完整", "lock": "版本锁定",
    "docs": "说明页",
}  # fmt: skip


@click.command("check")
@rules_folder_option
@json_option
@language_option
def command(rules_folder: Path | None, as_json: bool, lang: str) -> int:
    """检查全部规则：解析、编译子句、引擎计划（EXPLAIN）、用例、填写完整，有 lock.json 的核对版本锁定，各阶段计数。

    Check every rule: parse, compile its clauses, EXPLAIN its SELECT, run its cases, look for places left to fill in, hold it against
    the folder's lock.json; of the checkout's own rules also the pages in docs/rules. Each stage is counted.

    \b
    退出码 Exit codes: 0 全部通过 all pass · 1 有不通过 some fail · 2 规则文件有误 broken rule files
    """
    from checker.proof.stages import every_stage

    rulebook, place, embedded = load(rules_folder)
    stages = every_stage(place, rulebook, embedded=embedded)
    passed = all(stage.passed == stage.total for stage in stages)
    if as_json:
        document = {"passed": passed, "rules": [rule.id for rule in rulebook.rules]}
        print_json({**document, "stages": [asdict(stage) for stage in stages]})
    else:
        for stage in stages:
            name = stage.name if lang == "en" else f"{_STAGES[stage.name]}（{stage.name}）"
            click.echo(f"{mark(stage.passed == stage.total)} {name}: {stage.passed}/{stage.total}")
            for fault in stage.faults:
                say(f"    {fault}")
    return ExitCode.CLEAR if passed else ExitCode.FINDINGS
