"""`liangku rules new`: a rule file to fill in, with cases that fail until it is."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import language_option, rules_folder_option
from checker.cli.rules.shared import writable_rules
from checker.model.errors import ExitCode
from checker.shapes import BY_ID


@click.command("new")
@click.argument("rule_id", metavar="ID")
@click.option("--name-zh", metavar="TEXT", help="中文名（name in Chinese）")
@click.option("--name-en", metavar="TEXT", help="英文名（name in English）")
@click.option("--code", metavar="GZ…", help="国家规则编码，没有就不写（national code, if there is one）")
@click.option(
    "--like",
    metavar="RULE",
    help="沿用这条规则的级别、子句和参数（start from this rule's level, clauses and parameters）",
)
@click.option(
    "--shape",
    type=click.Choice([*BY_ID]),
    help="知识点的形态，默认 item；有 --like 时随它（shape of its points; default: item, or that of --like）",
)
@rules_folder_option
@language_option
def command(
    rule_id: str,
    name_zh: str | None,
    name_en: str | None,
    code: str | None,
    like: str | None,
    shape: str | None,
    rules_folder: Path | None,
    lang: str,
) -> int:
    """新建规则 ID.toml：键都写齐，要填写的地方都有标记，每个用例都不通过，直到你写好。

    Begin the rule ID.toml: all keys, a mark wherever you have to write, and cases that fail until you have.

    \b
    例 Examples:
      liangku rules new drug-child-banned --name-zh 药品儿童禁用 --like drug-child-only
      liangku rules new my-rule --rules 我的规则
      liangku rules new service-weekly --shape quota
    """
    from checker.model.embedded import embedded_rules_folder
    from checker.rulebook.scaffold import NewRule, scaffold

    place = writable_rules(rules_folder)
    own = like is not None and (place / f"{like}.toml").is_file()
    path = scaffold(
        NewRule(rule_id, name_zh, name_en, code, like, shape), place, place if own else embedded_rules_folder()
    )
    test = f"liangku rules test {rule_id}" + (f" --rules {place}" if rules_folder else "")
    if lang == "en":
        click.echo(f"Written: {path}\nFill in every place that is marked, then: {test}")
    else:
        click.echo(f"已写入：{path}\n把有标记的地方逐处写好，再运行：{test}")
    return ExitCode.CLEAR
