"""`liangku staff remove`: take a person out."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import data_option
from checker.cli.output import say
from checker.model.errors import ExitCode, InputError


@click.command("remove")
@click.argument("name", metavar="NAME")
@data_option
def command(name: str, data: Path) -> int:
    """删除一个人；服务立即不再认。

    Takes a person out; a running service no longer knows it.
    """
    from checker.service.staff import Staff

    if not Staff(data).remove(name):
        raise InputError(f"没有登记“{name}”（no such name）")
    say(f"已删除：{name}（removed: {name}）")
    return ExitCode.CLEAR
