"""`liangku links undo`: take the last change of one key back."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import data_option
from checker.cli.output import say
from checker.model.errors import ExitCode, InputError


@click.command("undo")
@click.argument("text", metavar="CODE_OR_NAME")
@data_option
@click.option(
    "--by",
    "operator",
    required=True,
    metavar="NAME",
    help="是谁取消的，留在记录里（who takes it back, kept on record）",
)
def command(text: str, data: Path, operator: str) -> int:
    """取消一个码或商品名最近一次的更改，恢复到它之前的样子；记录仍然保留。

    Brings back what was said before the last change; the record of it stays.
    """
    from contextlib import closing

    from checker.service.item_keys import read_key
    from checker.service.item_links import ItemLinks, LinkTaken

    with closing(ItemLinks(data)) as links:
        kind, key = read_key(text)
        last = links.find(kind, key)
        try:
            link = last and links.undo(kind, key, operator, last=last.id)
        except LinkTaken:
            raise InputError("刚刚被别人改了，请重新查看（somebody changed it just now: look again）") from None
    if not link:
        raise InputError("没有可以取消的关联（nothing to take back）")
    item = " ".join(filter(None, (link.item_name, link.item_code)))
    say(f"{key}：{item or '不再关联'}（{item or 'not linked any more'}）")
    return ExitCode.CLEAR
