"""`liangku profile values`: the values of given data, and which of them the profile does not know."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.database_options import database_option, query_option, read_all_queries
from checker.cli.options import json_option, language_option, layout_option, map_option, profile_option
from checker.cli.output import print_json
from checker.cli.stop import stoppable
from checker.model.errors import ExitCode


@click.command("values")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@click.option("--settlements", multiple=True, metavar="FILE", help="结算表 setl_d（settlement headers）")
@click.option("--visits", multiple=True, metavar="FILE", help="就诊表 mdtrt_d（visit headers）")
@database_option
@query_option("lines")
@query_option("settlements")
@query_option("visits")
@map_option
@layout_option
@profile_option
@json_option
@language_option
def command(
    inputs: tuple[str, ...], settlements: tuple[str, ...], visits: tuple[str, ...], database_url: str | None, query: tuple[str, ...],
    settlements_query: tuple[str, ...], visits_query: tuple[str, ...], maps: tuple[str, ...], layout: Path | None, profile: Path | None,
    as_json: bool, lang: str,
) -> int:  # fmt: skip
    """列出数据中医疗类别、险种、机构等级、支付地点的每个取值、行数和归入的组。

    认不出的值在判断时按“不知道”处理；最后给出一段 TOML，整理后存为省级配置，用 --profile 给出。
    全部认得时退出码为 0，有认不出的为 1。

    \b
    例 Examples:
      liangku profile values 费用明细.csv --settlements setl_d.parquet
      liangku profile values 费用明细.csv --profile 本省.toml --json
    """
    from checker.report.profile_values import print_values
    from checker.scan.profile_snippet import snippet
    from checker.scan.profile_values import find_values
    from checker.scan.request import ScanRequest

    asked = read_all_queries(inputs, database_url, query, settlements_query, visits_query)
    request = ScanRequest(
        inputs=(*inputs, *asked["lines"]), out=Path(), settlements=(*settlements, *asked["settlements"]),
        visits=(*visits, *asked["visits"]), maps=maps, layout=layout, language=lang, profile=profile,
    )  # fmt: skip
    with stoppable():
        found = find_values(request)
    if as_json:
        print_json(found.to_dict() | {"snippet": snippet(found)})
    else:
        print_values(found, lang)
    if found.incomplete:
        return ExitCode.INCOMPLETE
    return ExitCode.FINDINGS if found.has_unknown else ExitCode.CLEAR
