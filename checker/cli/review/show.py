"""`liangku review show`: what was decided, and how often findings were right."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import json_option, language_option
from checker.cli.output import print_json
from checker.cli.runs import opened
from checker.model.errors import ExitCode


@click.command("show")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--by",
    type=click.Choice(["rule", "point", "institution"]),
    default="rule",
    show_default=True,
    help="按规则、知识点或机构列出（list by rule, point or institution）",
)
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="最多几行（rows of the list）"
)
@json_option
@language_option
def command(folder: Path, by: str, limit: int, as_json: bool, lang: str) -> int:
    """审核到哪一步：属实、不属实、已退回各多少，查准率，还剩多少；多数不属实的知识点，给出拟议的豁免。

    How far the review is, and exemptions proposed for points that were mostly refuted.

    \b
    例 Examples:
      liangku review show found
      liangku review show found --by institution --json
    """
    from checker.audit.review_tally import review
    from checker.report.review import plain_review, print_review

    told = review(opened(folder), by)
    if as_json:
        print_json(plain_review(told, limit))
    else:
        print_review(told, limit, lang)
    return ExitCode.CLEAR
