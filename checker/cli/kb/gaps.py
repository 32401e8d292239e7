"""`liangku kb gaps`: codes in given data that no point of a rule covers although they stand near restricted ones of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.database_options import database_option, query_option, read_all_queries
from checker.cli.options import crosswalk_option, json_option, kb_option, language_option, map_option
from checker.cli.output import print_json
from checker.cli.variadic import ManyClaims
from checker.model.errors import ExitCode

if TYPE_CHECKING:
    from checker.change.gaps import Gap, Gaps

SHOWN = 50
"""How many gaps are printed where --limit does not say; --json has them all then."""
POINTS_SHOWN = 2
WAYS = {"family": ("同前段", "family"), "name": ("同名", "name"), "generic": ("同成分", "generic")}
TITLES = (
    ("编码", "Code"), ("数据中的名称", "Name in the data"), ("关系", "Near"), ("相近的知识点", "Nearest points"), ("行数", "Lines"),
    ("人数", "Patients"), ("机构", "Institutions"), ("金额（元）", "Yuan"), ("首日", "First day"), ("末日", "Last day"),
)  # fmt: skip


@click.command("gaps", cls=ManyClaims)
@click.option(
    "--claims",
    multiple=True,
    metavar="DATA...",
    help="明细数据，与 scan 的 INPUT 相同，可给多个（lines as for scan; one or more）",
)
@query_option("lines")
@database_option
@map_option
@kb_option
@crosswalk_option
@click.option(
    "--sort", type=click.Choice(["yuan", "lines"]), default="yuan", show_default=True, help="按金额还是行数排（order）"
)
@click.option(
    "--min-lines",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="少于这么多行的编码不列（leave out rarer codes）",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help=f"最多列几个，默认 {SHOWN}，--json 默认全部（how many are listed）"
)
@click.option(
    "--propose",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="把建议的编码对照写成 CSV，核对后交给 kb crosswalk（write proposed rows of a crosswalk, to be signed off）",
)
@json_option
@language_option
def command(
    claims: tuple[str, ...], query: tuple[str, ...], database_url: str | None, maps: tuple[str, ...], kb: tuple[Path, ...],
    crosswalk: tuple[Path, ...], sort: str, min_lines: int, limit: int | None, propose: Path | None, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """找出知识库可能漏掉的编码：数据中有、知识点未覆盖，但与受限项目同前段、同成分或同名。

    列出的只是待核对的候选：同一前段里可能有不受限的其他项目（如普通片与分散片）。
    地方编码与有知识点的服务项目同名的，建议补入编码对照表，用 --propose 写出，由人核对。

    \b
    例 Examples:
      liangku kb gaps --claims data/*.parquet
      liangku kb gaps --claims 明细.csv --kb out/kb --min-lines 10 --json
      liangku kb gaps --claims 明细.csv --propose 待核对.csv
      liangku kb gaps --from @库地址.txt --query "SELECT * FROM fee_list_d"
    """
    from checker.change.crosswalk_proposals import need_free, write_proposals
    from checker.change.gaps import GapsRequest, find_gaps

    if propose is not None:
        need_free(propose)
    asked = read_all_queries(claims, database_url, query, name="--claims")
    found = find_gaps(GapsRequest((*claims, *asked["lines"]), maps, kb, min_lines, sort, crosswalk))
    if propose is not None:
        write_proposals(found.proposals, propose)
    if as_json:
        print_json(found.to_dict(limit))
    else:
        _print(found, SHOWN if limit is None else limit, propose, english=lang == "en")
    return ExitCode.CLEAR


def _print(found: Gaps, limit: int, propose: Path | None, *, english: bool) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from checker.report.console import wide_console

    console = wide_console()
    if found.gaps:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for number, titles in enumerate(TITLES):
            right, whole = 4 <= number <= 7, number == 0 or number >= 4
            table.add_column(titles[english], justify="right" if right else "left", overflow="fold", no_wrap=whole)
        for gap in found.gaps[:limit]:
            table.add_row(*map(escape, _cells(gap, english=english)))
        console.print(table)
    for line in (*_notes(found, limit, english=english), *_proposed(found, propose, english=english)):
        console.print(line, markup=False, soft_wrap=True)


def _proposed(found: Gaps, written: Path | None, *, english: bool) -> Iterator[str]:
    if not found.proposals and written is None:
        return
    rows, codes = len(found.proposals), len({each.local_code for each in found.proposals})
    if english:
        where = f"written to {written}" if written else "--propose FILE writes them"
        yield f"{codes:,} local codes bear the name of a service with points: {rows:,} rows of a crosswalk to sign off, {where}"
    else:
        where = f"已写入 {written}" if written else "用 --propose FILE 写出"
        yield f"{codes:,} 个地方编码与有知识点的服务项目同名：建议编码对照 {rows:,} 行，须由人核对，{where}"


def _cells(gap: Gap, *, english: bool) -> Iterator[str]:
    comma = ", " if english else "、"
    yield gap.code
    yield comma.join(gap.names)
    yield comma.join(WAYS[way][english] for way in gap.near) + (" ※" if gap.several_items else "")
    told = [f"{point.item_name} {point.point_id}" for point in gap.points[:POINTS_SHOWN]]
    more = len(gap.points) - POINTS_SHOWN
    yield "\n".join([*told, *([f"+{more}"] if more > 0 else [])])
    yield from (f"{gap.lines:,}", f"{gap.patients:,}", f"{gap.institutions:,}", f"{gap.amount:,.2f}")
    yield from (str(gap.first_day), str(gap.last_day))


def _notes(found: Gaps, limit: int, *, english: bool) -> Iterator[str]:
    def say(chinese: str, told: str) -> str:
        return told if english else chinese

    gaps = len(found.gaps)
    yield say(
        f"读入 {found.read:,} 行 = 查看 {found.judged:,} + 跳过 {found.skipped:,} + 无法读取 {found.rejected:,}；"
        f"{found.codes:,} 个编码，{gaps:,} 个可能是缺口（知识库 {found.knowledge_version}）",
        f"{found.read:,} lines read = {found.judged:,} looked at + {found.skipped:,} skipped + {found.rejected:,} rejected; "
        f"{found.codes:,} codes, {gaps:,} of them possible gaps (knowledge {found.knowledge_version})",
    )
    for each in found.incomplete:
        yield say(f"没有读 {each}", f"Not read: {each}")
    if gaps > limit:
        yield say(
            f"只列出前 {limit:,} 个，其余见 --limit 或 --json", f"The first {limit:,} are listed; see --limit or --json"
        )
    if gaps:
        yield say(
            "缺口只是待核对的候选，不是结论：同前段或同成分的编码可能是不受限的其他项目。金额未扣除退费和重复上传。",
            "A gap is a candidate to review, no verdict: a code of the same family or substance may be another item without limit. "
            "Refunds and repeated uploads are not taken off.",
        )
    if any(gap.several_items for gap in found.gaps):
        yield say(
            "※ 已知这个前段里有几个不同的项目，先核对名称和剂型再补充。",
            "※ This family is known to hold several items: compare name and form before adding it.",
        )
