"""`liangku review carry`: decisions go on to the next run."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import json_option, language_option
from checker.cli.output import print_json
from checker.cli.runs import opened
from checker.model.errors import ExitCode


@click.command("carry")
@click.argument("old", metavar="OLD", type=click.Path(path_type=Path))
@click.argument("new", metavar="NEW", type=click.Path(path_type=Path))
@click.option(
    "--replace", is_flag=True, help="NEW 中已有不同结论的，也改成 OLD 的（change what NEW has decided otherwise）"
)
@json_option
@language_option
def command(old: Path, new: Path, replace: bool, as_json: bool, lang: str) -> int:
    """把 OLD 的审核结论按疑点编号带到 NEW；NEW 中已有的结论不改。

    Takes the decisions of one run over into the next, finding by finding; what NEW has decided stays.

    \b
    例 Example:
      liangku review carry 三月 四月
    """
    from checker.audit.review_carry import carry
    from checker.report.review import plain_carried, print_carried

    done = carry(opened(old), opened(new), replace=replace)
    if as_json:
        print_json(plain_carried(done))
    else:
        print_carried(done, lang)
    return ExitCode.CLEAR
