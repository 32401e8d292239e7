"""`liangku rules diff`: what differs between two folders of rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, language_option
from checker.cli.output import print_json
from checker.cli.rules.shared import console, load
from checker.model.embedded import EMBEDDED
from checker.model.errors import ExitCode, Fault, RuleError

if TYPE_CHECKING:
    from checker.rulebook.rule import Rulebook


@click.command("diff")
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
    help="输出的形式（how it is written）",
)
@click.option("--exit-code", "exits", is_flag=True, help="有不同则退出码为 1（end with 1 where anything differs）")
@json_option
@language_option
def command(old: str, new: str, shape: str, exits: bool, as_json: bool, lang: str) -> int:
    """比较两个规则文件夹 A（旧）和 B（新）；embedded 指自带的规则。

    Compare the rules of folder A, the old ones, with those of B; the word `embedded` stands for the rules of the program.
    Says of each difference whether findings can change or only words.

    \b
    退出码 Exit codes: 0 比较完成 compared · 1 有不同且用了 --exit-code differences · 2 规则文件有误 broken rule files

    \b
    例 Examples:
      liangku rules diff embedded 我的规则
      liangku rules diff 旧规则 rules --format markdown
    """
    from checker.rulebook.diff import diff_rules

    diff = diff_rules(*_load(old, new))
    if as_json or shape == "json":
        print_json({"a": old, "b": new, **diff.to_dict()})
    else:
        from checker.report.rules_diff import markdown, print_diff

        if shape == "markdown":
            click.echo(markdown(diff, lang), nl=False)
        else:
            print_diff(diff, lang, console())
    return ExitCode.FINDINGS if exits and not diff.empty else ExitCode.CLEAR


def _load(*words: str) -> list[Rulebook]:
    """The rulebooks of the two sides; RuleError names the side of every fault of both."""
    faults, books = [], []
    for word in words:
        try:
            books.append(load(None if word == EMBEDDED else Path(word))[0])
        except RuleError as error:
            faults += [Fault(_place(word, fault.file), fault.key, fault.message) for fault in error.faults]
    if faults:
        raise RuleError(faults)
    return books


def _place(word: str, file: str) -> str:
    return file if file == word else f"{word}/{file}"
