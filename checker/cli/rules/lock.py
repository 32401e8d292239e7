"""`liangku rules lock`: versions and content of the rules, kept in lock.json so that no change goes without a new version."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import json_option, language_option, rules_folder_option
from checker.cli.output import print_json
from checker.cli.rules.shared import load, print_faults, writable_rules
from checker.model.errors import ExitCode, Fault, RuleError


@click.command("lock")
@rules_folder_option
@click.option(
    "--retire", metavar="ID", help="停用一条已删除的规则，编号不再使用（retire the id of a rule that was removed）"
)
@click.option("--reason", metavar="TEXT", default="", help="停用的原因（why it is retired）")
@click.option(
    "--check", is_flag=True, help="只核对，不写；不一致则退出码为 1（write nothing, fail where the lock does not fit）"
)
@json_option
@language_option
def command(rules_folder: Path | None, retire: str | None, reason: str, check: bool, as_json: bool, lang: str) -> int:
    """锁定规则：把每条规则的版本和内容写进 lock.json；内容改了而版本没有升高的，不写并说明。

    Lock the rules: version and content of each go into lock.json. Content that changed without a higher version is refused.
    What counts is everything that can change a finding: not the docs, not the cases. A rule whose cases cannot be read, or are missing, is not locked.

    \b
    退出码 Exit codes: 0 一致或已写好 fits or written · 1 --check 发现不一致 does not fit · 2 版本没有升高等 refused

    \b
    例 Examples:
      liangku rules lock --check
      liangku rules lock --retire drug-old --reason "并入 drug-new"
    """
    from checker.proof.cases import check_cases
    from checker.rulebook import lock as rulelock
    from checker.rulebook.fill import unfilled
    from checker.rulebook.tables import read_tables

    if check and retire is not None:
        raise click.UsageError(
            "--check 不写任何东西，不能与 --retire 同用（--check writes nothing: leave --retire out）"
        )
    if reason and retire is None:
        raise click.UsageError("--reason 是停用的原因，请同时给出 --retire（--reason belongs to --retire）")
    place = writable_rules(rules_folder)
    rulebook, _, _ = load(place)
    lock, now = rulelock.read_lock(place), rulelock.current_rules(place)
    english = lang == "en"
    if check:
        absent = Fault(
            str(place / rulelock.LOCK_FILE),
            "",
            "还没有锁定，请运行 liangku rules lock（no lock yet: run `liangku rules lock`）",
        )
        faults = (absent,) if lock is None else rulelock.compare(lock, now).all
        told = f"{len(now)} rules, {len(faults)} faults" if english else f"规则 {len(now)} 条，不一致 {len(faults)} 处"
        print_faults(faults, told, as_json=as_json)
        return ExitCode.FINDINGS if faults else ExitCode.CLEAR
    lock = lock or rulelock.Lock({}, {})
    if retire is not None:
        lock = rulelock.retire(lock, now, retire, reason)
    if faults := (*rulelock.compare(lock, now).broken, *unfilled(read_tables(place))):
        raise RuleError(faults)
    check_cases(rulebook)
    renewed = rulelock.Lock(now, lock.retired)
    path = rulelock.write_lock(renewed, place)
    changed = sorted(rule_id for rule_id in now if lock.rules.get(rule_id) != now[rule_id])
    if as_json:
        print_json({"out": str(path), "rules": len(now), "changed": changed, "retired": sorted(renewed.retired)})
        return ExitCode.CLEAR
    if english:
        click.echo(f"Written: {path} ({len(now)} rules, {len(changed)} locked anew; {len(renewed.retired)} retired)")
    else:
        click.echo(f"已写入：{path}（规则 {len(now)} 条，新锁定 {len(changed)} 条；停用 {len(renewed.retired)} 条）")
    for rule_id in changed:
        click.echo(f"    {rule_id} {now[rule_id].version}")
    return ExitCode.CLEAR
