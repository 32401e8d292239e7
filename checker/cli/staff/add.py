"""`liangku staff add`: take in a person, or change the PIN."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from checker.cli.options import data_option
from checker.cli.output import say
from checker.model.errors import ExitCode


@click.command("add")
@click.argument("name", metavar="NAME")
@data_option
@click.option("--pin-stdin", is_flag=True, help="从标准输入读 PIN，供脚本使用（read the PIN from stdin, for scripts）")
def command(name: str, data: Path, pin_stdin: bool) -> int:
    """登记一个人的姓名或工号和 PIN；已有的人改 PIN。PIN 只保存慢哈希，谁也看不到；服务立即认得。

    Takes in a name and a PIN, of which only a slow hash is kept. A running service knows it at once.

    \b
    例 Example:
      liangku staff add 李药师 --data liangku-data
    """
    from checker.service.staff import Staff

    pin = sys.stdin.readline().strip() if pin_stdin else click.prompt("PIN", hide_input=True, confirmation_prompt=True)
    Staff(data).add(name, pin)
    say(f"已登记：{name}（added: {name}）")
    return ExitCode.CLEAR
