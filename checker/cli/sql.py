"""`liangku sql`: the query that the rules compile to, for those who judge in a warehouse of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, language_option, rules_option, stage_option
from checker.cli.output import print_json
from checker.engines.names import ENGINES, SPARK_SETTINGS
from checker.model.errors import ExitCode, InputError, both
from checker.model.words import QUERY_RELATIONS

if TYPE_CHECKING:
    from checker.rulebook.plan import Plan


@click.command("sql")
@click.option(
    "--rule",
    "rule_ids",
    multiple=True,
    metavar="ID",
    help="只要这些规则，可多次给出；默认全部（only these rules; repeat）",
)
@click.option(
    "--engine", type=click.Choice(ENGINES), default=ENGINES[0], show_default=True, help="给哪个引擎（for which engine）"
)
@stage_option
@rules_option
@json_option
@language_option
def command(
    rule_ids: tuple[str, ...],
    engine: str,
    stage: str,
    rules: tuple[Path, ...],
    only_rules: bool,
    as_json: bool,
    lang: str,
) -> int:
    """打印规则编译出的查询，给在自己的数据仓库里判断的人。

    The query that the rules compile to, as a scan runs it: from lines × points (the relation `candidate`) to verdicts. The comment above it
    names the relations that it reads, with their columns.

    \b
    例 Examples:
      liangku sql --rule drug-sex > drug-sex.sql
      liangku sql --rule drug-visit-mode --engine spark
    """
    from checker.engines.dialects import NotInEngineError, laid_out
    from checker.judge.rules_query import rules_query
    from checker.knowledge.resolve import open_plan
    from checker.rulebook.plan import Plan

    used = open_plan(rules, only_rules=only_rules).at_stage("after" if stage == "audit" else "during").without_shadow()
    known = [rule.id for rule in used.rules]
    if unknown := [each for each in rule_ids if each not in known]:
        raise InputError(f"没有规则“{'、'.join(unknown)}”（no such rule），这个阶段的规则（known）：{', '.join(known)}")
    plan = Plan(tuple(rule for rule in used.rules if not rule_ids or rule.id in rule_ids), used.hash)
    if not plan.rules:
        raise InputError("没有规则可以编译（no rules to compile）")
    query = rules_query(plan, stage="after" if stage == "audit" else "before")
    try:
        sql = laid_out(query.sql, engine)
    except NotInEngineError:
        raise _refused(plan, engine) from None
    if as_json:
        told = {"engine": engine, "stage": stage, "rules": [rule.id for rule in plan.rules], "rules_hash": plan.hash}
        print_json(told | {"relations": {name: dict(columns) for name, columns in query.relations.items()}, "sql": sql})
        return ExitCode.CLEAR
    # As it stands: a sign shown otherwise would make another query of it.
    click.echo("\n".join((*_head(engine, query.relations, [rule.id for rule in plan.rules], lang), sql)))
    return ExitCode.CLEAR


def _refused(plan: Plan, engine: str) -> InputError:
    """The error of rules that an engine has no words for: which of them, and what it lacks."""
    from checker.engines.dialects import NotInEngineError, laid_out
    from checker.judge.rules_query import rules_query

    faults = []
    for shape in dict.fromkeys(rule.shape for rule in plan.rules):
        own = replace(plan, rules=tuple(rule for rule in plan.rules if rule.shape == shape))
        try:
            laid_out(rules_query(own, stage="after").sql, engine)
        except NotInEngineError as error:
            faults.append(f"{', '.join(rule.id for rule in own.rules)}: {error}")
    told = both(
        f"这些规则用到 {engine} 没有的写法，没有打印查询；请用 --rule 选其他规则，或用 --engine duckdb",
        f"{engine} has no equal of what these rules use, nothing was printed: choose other rules by --rule, or --engine duckdb",
    )
    return InputError("\n".join((f"{told}：", *faults)))


def _head(engine: str, relations: Mapping[str, Mapping[str, str]], rules: list[str], lang: str) -> Iterator[str]:
    """The comment above the query."""
    english = lang == "en"
    yield f"-- {'Rules' if english else '规则'} ({engine}): {', '.join(rules)}"
    if engine == "spark":
        yield f"-- {'Before it' if english else '先执行'}:"
        yield from (f"--   SET {name} = {value};" for name, value in SPARK_SETTINGS.items())
    yield "-- " + (
        "It reads these relations; types are those of DuckDB:"
        if english
        else "查询读取以下关系，类型为 DuckDB 的写法："
    )
    for name, columns in relations.items():
        yield f"--   {name}: {QUERY_RELATIONS[name][english]}"
        for column, type_ in columns.items():
            yield f"--     {column} {type_}"
