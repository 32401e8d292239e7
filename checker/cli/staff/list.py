"""`liangku staff list`: the names."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import data_option
from checker.cli.output import say
from checker.model.errors import ExitCode


@click.command("list")
@data_option
def command(data: Path) -> int:
    """列出登记的姓名或工号。

    The names of those who may confirm.
    """
    from checker.service.staff import Staff

    for member in Staff(data).members:
        say(member.name)
    return ExitCode.CLEAR
