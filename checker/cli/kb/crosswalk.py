"""`liangku kb crosswalk`: files of local and national codes in, a layer of knowledge out."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from checker.cli.options import Day, json_option, kb_option, language_option
from checker.cli.output import print_json
from checker.model.errors import ExitCode, halves
from checker.model.shown import shown


@click.command("crosswalk")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="写到哪个文件夹（folder to write）")
@kb_option
@click.option("--published", type=Day(), help="对照表的日期，默认今天（day of the crosswalk, default today）")
@click.option("--publisher", help="由谁编制，默认本单位（who made it）")
@click.option("--title", help="对照表的名称，写入依据，默认用文件名（what it is called, default the files）")
@click.option("--name", help="知识库的名称（name of the edition）")
@click.option("--version", help="知识库的版本，默认由内容得出（version, default by its content）")
@json_option
@language_option
def command(
    files: tuple[Path, ...], out: Path, kb: tuple[Path, ...], published: date | None, publisher: str | None, title: str | None,
    name: str | None, version: str | None, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """导入编码对照表，写成只有对照表的知识库，用 --kb 叠在有知识点的知识库之上。

    FILE 是 CSV 或 Excel：地方编码（或院内编码、省编码……）、国家编码，可有名称、开始日期、结束日期、依据；结束日期是不再有效的第一天。
    一个地方编码可对照几个国家编码，各写一行。只用一次时不必导入，直接用 --crosswalk FILE。

    \b
    例 Examples:
      liangku kb crosswalk 对照表.xlsx --out 对照
      liangku kb crosswalk 省对照.csv 院内对照.csv --kb out/kb --out 对照 --publisher 某某医院
    """
    from checker.knowledge.crosswalk_import import PUBLISHER, CrosswalkRequest, import_crosswalk
    from checker.model.china_time import china_today

    request = CrosswalkRequest(files, out, published or china_today(), kb, publisher or PUBLISHER, title, name, version)
    imported = import_crosswalk(request)
    if as_json:
        print_json({"out": str(out), **imported.to_dict()})
        return ExitCode.CLEAR
    english = lang == "en"
    for each in imported.crosswalk.files:
        click.echo(shown(f"{each.path}: {each.rows:,} rows" if english else f"{each.path}：{each.rows:,} 行"))
    for told in imported.warnings:
        click.echo(f"! {shown(halves(told)[english])}")
    rows, codes = imported.use.rows, imported.use.local_codes
    edition = f"{imported.manifest.name} {imported.manifest.version}"
    if english:
        click.echo(f"Written to: {shown(str(out))} ({shown(edition)}): {rows:,} rows of {codes:,} local codes")
    else:
        click.echo(f"已写入：{shown(str(out))}（{shown(edition)}），{codes:,} 个地方编码，共 {rows:,} 行")
    return ExitCode.CLEAR
