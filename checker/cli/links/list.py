"""`liangku links list`: what is linked, and the history of one key."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import data_option, json_option
from checker.cli.output import print_json, say
from checker.model.errors import ExitCode


@click.command("list")
@click.argument("text", metavar="[CODE_OR_NAME]", required=False)
@data_option
@json_option
def command(text: str | None, data: Path, as_json: bool) -> int:
    """列出现有的关联；给出一个码或商品名时，列出它的全部记录，最新的在前。

    What holds now; of one code or name all that was said of it, the newest first.
    """
    from contextlib import closing

    from checker.service.item_keys import read_key
    from checker.service.item_links import ItemLinks

    with closing(ItemLinks(data)) as links:
        found = links.history(*read_key(text)) if text else links.all()
    if as_json:
        print_json([link._asdict() for link in found])
        return ExitCode.CLEAR
    for link in found:
        item = " ".join(filter(None, (link.item_name, link.item_code))) or "—"
        say(f"{link.key}  {item}  {link.at}  {link.operator or '—'}  {link.how}")
    return ExitCode.CLEAR
