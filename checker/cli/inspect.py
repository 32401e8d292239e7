"""`liangku inspect`: what a scan would make of inputs, before it is made."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import click

from checker.cli.database_options import database_options, read_all_queries
from checker.cli.options import (
    crosswalk_option,
    header_options,
    json_option,
    kb_option,
    language_option,
    layout_option,
    rules_option,
)
from checker.cli.output import print_json
from checker.cli.rejects_option import max_rejects_option
from checker.cli.stop import stoppable
from checker.model.errors import ExitCode, InputError


@click.command("inspect")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@header_options
@database_options
@layout_option
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="把识别结果写成布局文件（TOML），可手工修改，再用 --layout 给出（write a layout that --layout takes）",
)
@max_rejects_option
@kb_option
@crosswalk_option
@rules_option
@json_option
@language_option
def command(
    inputs: tuple[str, ...], settlements: tuple[str, ...], visits: tuple[str, ...], diagnoses: tuple[str, ...],
    database_url: str | None, query: tuple[str, ...], settlements_query: tuple[str, ...], visits_query: tuple[str, ...],
    diagnoses_query: tuple[str, ...], maps: tuple[str, ...], layout: Path | None, save: Path | None, max_rejects: Decimal,
    kb: tuple[Path, ...], crosswalk: tuple[Path, ...], rules: tuple[Path, ...], only_rules: bool,
    as_json: bool, lang: str,
) -> int:  # fmt: skip
    """扫描之前先看一遍：认出了什么、每列用哪个表头、还缺什么、要多久。

    只看每个文件的开头，很快；不写结果。可以扫描时退出码为 0，不能扫描时为 2，并说明原因和改法。

    \b
    例 Examples:
      liangku inspect 费用明细.xlsx
      liangku inspect 费用明细.xlsx --map item_code=药品编号 --save 布局.toml
      liangku scan 费用明细.xlsx --layout 布局.toml --out 结果
      liangku inspect --from postgresql://audit@10.0.0.5/city --query "SELECT * FROM fee_list_d"
    """
    from checker.report.inspection import print_inspection
    from checker.scan.inspect_document import document
    from checker.scan.inspect_layout import save_layout
    from checker.scan.inspection import inspect
    from checker.scan.request import ScanRequest

    asked = read_all_queries(inputs, database_url, query, settlements_query, visits_query, diagnoses_query)
    request = ScanRequest(
        inputs=(*inputs, *asked["lines"]), out=Path(), settlements=(*settlements, *asked["settlements"]), visits=(*visits, *asked["visits"]),
        diagnoses=(*diagnoses, *asked["diagnoses"]), maps=maps, layout=layout, kb=kb, crosswalk=crosswalk, rules=rules, only_rules=only_rules, language=lang,
        max_rejects=float(max_rejects),
    )  # fmt: skip
    with stoppable():
        found = inspect(request)
    if save:
        save_layout(save, found)
    if as_json:
        print_json(document(found, lang))
    else:
        print_inspection(found, request, save)
    if found.refusals:
        raise InputError(found.refusals[0])
    return ExitCode.CLEAR
