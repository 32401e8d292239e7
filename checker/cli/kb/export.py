"""`liangku kb export`: an edition, or what it limits otherwise than another, as workbooks in the published layout and as one CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, language_option, rules_option
from checker.cli.output import print_json, say
from checker.model.errors import ExitCode

if TYPE_CHECKING:
    from checker.knowledge.export.summary import Exported, WrittenBook

NAMED = 3
"""How many points of a reason are named; --json has all of them."""


@click.command("export")
@click.option(
    "--kb",
    default="embedded",
    show_default=True,
    metavar="DIR",
    help="写哪个知识库：文件夹，或 embedded（内置）（the edition, or embedded）",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="工作簿写到哪个文件夹，每个批次和规则一个（folder for the workbooks, one a batch and rule）",
)
@click.option(
    "--flat",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="写成一张 CSV，每个编码一行，供 HIS 使用（one CSV, a row a code）",
)
@click.option("--rule", multiple=True, metavar="ID", help="只写这个规则，可多次给出（this rule only; repeat）")
@click.option(
    "--batch", multiple=True, metavar="BATCH", help="只写这个批次，可多次给出（points of this batch only; repeat）"
)
@click.option(
    "--since",
    metavar="DIR",
    help="只写与这个知识库不同的，注明新增、修改、删除（only what differs from this edition, or from embedded）",
)
@click.option(
    "--force",
    is_flag=True,
    help="覆盖上一次导出的文件夹和 CSV（overwrite the folder and the CSV of an earlier export）",
)
@rules_option
@json_option
@language_option
def command(
    kb: str, out: Path | None, flat: Path | None, rule: tuple[str, ...], batch: tuple[str, ...], since: str | None, force: bool,
    rules: tuple[Path, ...], only_rules: bool, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """把知识库写成公布时那样的知识点明细表（--out），或写成一张 CSV（--flat）。

    写出的工作簿用 kb import 导入，得到同样的知识点、限定和编码；写不进清单的知识点逐条说明，只在 CSV 里。豁免和编码对照表不写。
    写工作簿需要附加组件：pip install 'liangku[sheets]'。

    \b
    例 Examples:
      liangku kb export --out 清单 --rule drug-sex
      liangku kb export --kb out/kb --flat 知识点.csv
      liangku kb export --kb out/kb --since embedded --out 变更 --flat 变更.csv
    """
    if out is None and flat is None:
        raise click.UsageError(
            "请用 --out 写工作簿，或用 --flat 写 CSV，也可以都写（name a folder with --out, a file with --flat, or both）"
        )
    from checker.knowledge.export.export import ExportRequest, export_edition
    from checker.knowledge.resolve import open_plan
    from checker.knowledge.source import open_given

    plan = open_plan(rules, only_rules=only_rules)
    knowledge = open_given(kb)
    earlier = None if since is None else open_given(since)
    exported = export_edition(ExportRequest(knowledge, out, flat, rule, batch, earlier, force), plan)
    edition = {"name": knowledge.edition.name, "version": knowledge.edition.version}
    if as_json:
        places = {"out": None if out is None else str(out), "flat": None if flat is None else str(flat)}
        print_json({"knowledge": edition, "since": since, **places, **exported.to_dict()})
        return ExitCode.CLEAR
    for line in _lines(exported, out, flat, f"{edition['name']} {edition['version']}", since, english=lang == "en"):
        say(line)
    return ExitCode.CLEAR


def _lines(
    exported: Exported, out: Path | None, flat: Path | None, edition: str, since: str | None, *, english: bool
) -> Iterator[str]:
    from checker.knowledge.export.lists import REMOVED

    if not exported.points:
        yield "Nothing differs: nothing was written." if english else "没有不同，没有写任何文件。"
        return
    points, codes = exported.points, exported.codes
    yield (
        f"{edition}: {points:,} points, {codes:,} codes and families"
        if english
        else f"{edition}：{points:,} 个知识点，{codes:,} 个编码和前段"
    )
    for book in exported.workbooks:
        changes = ("; " if english else "；") + "，".join(f"{kind} {count}" for kind, count in book.changes.items())
        counts = (
            f"{book.points:,} points, {book.codes:,} codes"
            if english
            else f"{book.points:,} 个知识点，{book.codes:,} 个编码"
        )
        yield f"  {book.file}  {counts}{changes if book.changes else ''}"
    if exported.not_written:
        yield "Not written as a workbook:" if english else "没有写成工作簿："
    for each in exported.not_written:
        first = ", ".join(each.point_ids[:NAMED]) + (" …" if len(each.point_ids) > NAMED else "")
        told = each.reason_en if english else each.reason
        count = f"{len(each.point_ids):,} points" if english else f"{len(each.point_ids):,} 个"
        yield f"  {each.rule_id} {each.batch}  {count}  {told}  {first}"
    if exported.not_written and flat is None:
        yield "  --flat FILE writes these too" if english else "  用 --flat FILE 可以写出这些"
    if out is not None and exported.workbooks:
        yield f"Written to: {out}" if english else f"已写入：{out}"
    if flat is not None:
        yield (
            f"Written: {flat} ({exported.flat_rows:,} rows)"
            if english
            else f"已写入：{flat}（{exported.flat_rows:,} 行）"
        )
    if out is not None and exported.workbooks:
        yield "To import them again:" if english else "再导入："
        yield from _imports(exported.workbooks, out, since)
        if any(REMOVED in book.changes for book in exported.workbooks):
            yield (
                "  Items marked 删除 end nothing: give their points a valid_to first, or the import stops"
                if english
                else "  标“删除”的项目不会使知识点终止：请先给这些知识点写 valid_to，否则导入会停下"
            )


def _imports(books: tuple[WrittenBook, ...], out: Path, since: str | None) -> Iterator[str]:
    """The commands that import the workbooks again, one a batch, day and place, in the order of the days, each onto what came before."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for book in books:
        key = (book.published.isoformat(), book.batch, book.region or "", book.region_of or "")
        groups.setdefault(key, []).append(book.file)
    onto = since
    for number, ((day, batch, region, region_of), files) in enumerate(sorted(groups.items()), 1):
        place = f" --region {region} --region-of {region_of}" if region else ""
        beginning = files[0].partition("-")[0] if len(files) > 1 else ""
        alike = [book.file for book in books if book.file.startswith(f"{beginning}-")]
        told = [f"{out / beginning}-*.xlsx"] if beginning and alike == files else [str(out / file) for file in files]
        base = f" --onto {onto} --mode patch" if onto is not None else ""
        onto = f"DIR{number}"
        yield f"  liangku kb import {' '.join(told)} --batch {batch} --published {day}{place}{base} --out {onto}"
