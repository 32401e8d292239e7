"""`liangku links import`: links out of a CSV file."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import data_option
from checker.model.errors import ExitCode


@click.command("import")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@data_option
@click.option(
    "--by", "operator", required=True, metavar="NAME", help="是谁导入的，留在记录里（who imports it, kept on record）"
)
@click.option(
    "--replace", is_flag=True, help="现在对应别的项目的，也按文件更改（change those that name other items now）"
)
def command(file: Path, data: Path, operator: str, replace: bool) -> int:
    """从 CSV 导入关联。第一行是列名：key（条码、追溯码、批准文号或商品名）、item_code（国家医保编码）、item_name（项目名称）。

    有一处错误就全部不导入。服务运行时也可以导入，立即生效。

    Takes in links, all or none; a running service knows them at once. Columns: key, item_code, item_name.

    \b
    例 Example:
      liangku links import 商品资料.csv --data liangku-data --by 张药师
    """
    from contextlib import closing

    from checker.service.item_links import ItemLinks
    from checker.service.link_import import import_links

    with closing(ItemLinks(data)) as links:
        done = import_links(links, file, operator=operator, replace=replace)
    click.echo(
        f"新增 {done.new}，更改 {done.changed}，原已如此 {done.same}（new {done.new}, changed {done.changed}, as before {done.same}）"
    )
    return ExitCode.CLEAR
