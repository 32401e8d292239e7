"""`liangku kb impact`: what other knowledge, rules or parameters would change in given data, before they are put to use."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.change.impact_findings import SAMPLE
from checker.cli.database_options import database_options, read_all_queries
from checker.cli.limit_options import FINDINGS, limit_options
from checker.cli.options import (
    format_option,
    header_options,
    json_option,
    knowledge_options,
    language_option,
    onto_option,
)
from checker.cli.output import chosen_format, print_json
from checker.cli.stop import stoppable
from checker.cli.variadic import ManyClaims
from checker.model.errors import ExitCode

if TYPE_CHECKING:
    from checker.change.limits import Limits


@click.command("impact", cls=ManyClaims)
@click.argument("before", metavar="A")
@click.argument("after", metavar="[B]", required=False)
@onto_option
@click.option(
    "--claims",
    multiple=True,
    metavar="DATA...",
    help="明细数据，与 scan 的 INPUT 相同，可给多个（lines as for scan; one or more）",
)
@header_options
@database_options
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="只在 B 一边改规则参数，如 child_age=16 或 drug-child-only.child_age=16（set a parameter, on side B only）",
)
@limit_options(*FINDINGS)
@click.option(
    "--sample",
    type=click.IntRange(0, 1_000_000),
    default=SAMPLE,
    show_default=True,
    help="每种变化列出几行（sample lines of each kind）",
)
@click.option(
    "--work", type=click.Path(path_type=Path), help="临时文件放在哪里，默认系统临时文件夹（where scratch files go）"
)
@format_option("terminal", "markdown", "json")
@knowledge_options
@json_option
@language_option
def command(
    before: str, after: str | None, onto: str | None, claims: tuple[str, ...], settlements: tuple[str, ...], visits: tuple[str, ...],
    diagnoses: tuple[str, ...], database_url: str | None, query: tuple[str, ...], settlements_query: tuple[str, ...],
    visits_query: tuple[str, ...], diagnoses_query: tuple[str, ...], maps: tuple[str, ...], params: tuple[str, ...], limits: Limits,
    sample: int, work: Path | None, form: str | None, kb: tuple[Path, ...], crosswalk: tuple[Path, ...], rules: tuple[Path, ...],
    only_rules: bool, region: str | None, as_of: date | None, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """换一个知识库、一套规则或一个参数，给定数据中会新增、消失、改变哪些疑点。

    A 和 B 同是知识库（构建好的、文本的文件夹，或写 embedded 表示内置的），或同是规则文件夹。
    每一边把数据扫描一次，再逐行比较；结果中没有姓名和证件号码。

    \b
    例 Examples:
      liangku kb impact embedded out/kb --claims 明细.parquet --max-new-share 1%
      liangku kb impact embedded 本地补充 --onto embedded --claims 明细.parquet
      liangku kb impact embedded --param child_age=16 --claims 明细.parquet
      liangku kb impact rules 我的规则 --claims data/*.parquet --settlements setl_d.parquet
      liangku kb impact embedded out/kb --from @库地址.txt --query "SELECT * FROM fee_list_d"
    """
    from checker.change.impact import ImpactRequest, impact
    from checker.report.impact import impact_document, impact_markdown, print_impact
    from checker.report.progress import Bar
    from checker.rulebook.params import parse_params

    asked = read_all_queries(
        claims, database_url, query, settlements_query, visits_query, diagnoses_query, name="--claims"
    )
    chosen = chosen_format(form, as_json=as_json)
    request = ImpactRequest(
        before=before, after=after, onto=onto, claims=(*claims, *asked["lines"]), settlements=(*settlements, *asked["settlements"]),
        visits=(*visits, *asked["visits"]), diagnoses=(*diagnoses, *asked["diagnoses"]), maps=maps, kb=kb, crosswalk=crosswalk, rules=rules,
        only_rules=only_rules, params=parse_params(params), as_of=as_of, region=region, language=lang, limits=limits,
        sample=sample, work=work,
    )  # fmt: skip
    with stoppable(), Bar(lang) as bar:
        result = impact(request, bar)
    if chosen == "json":
        print_json(impact_document(result))
    elif chosen == "markdown":
        click.echo(impact_markdown(result, lang), nl=False)
    else:
        print_impact(result, lang)
    return ExitCode.FINDINGS if result.exceeded else ExitCode.CLEAR
