"""`liangku kb build`: the reviewed text of a knowledge base becomes a folder that `--kb` opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, language_option, onto_option
from checker.cli.output import print_json
from checker.model.embedded import embedded_edition_folder, embedded_rules_folder
from checker.model.errors import ExitCode, InputError

if TYPE_CHECKING:
    from checker.knowledge.manifest import Manifest

_TITLES = (
    ("规则", "Rule"),
    ("知识点", "Points"),
    ("药品码前段", "Families"),
    ("编码", "Codes"),
    ("覆盖公布编码", "Published codes"),
)


@click.command("build")
@click.option(
    "--sources",
    type=click.Path(path_type=Path),
    help="知识库的文本（point.csv、pattern.csv 等），默认是当前文件夹的，或其中 knowledge_base/sources 的（text sources; default: those here）",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="写到哪个文件夹；默认源码仓库的 knowledge_base/built（where to write）",
)
@onto_option
@json_option
@language_option
def command(sources: Path | None, out: Path | None, onto: str | None, as_json: bool, lang: str) -> int:
    """检查知识库的文本，构建成 Parquet；同样的文本总是得到同样的文件。

    \b
    例 Examples:
      liangku kb build
      liangku kb build --sources 我的知识 --out 我的知识库
      liangku kb build --sources 本地补充 --onto embedded --out 全部
    """
    from checker.knowledge.build import build, build_rows
    from checker.knowledge.layered import layered
    from checker.knowledge.source import open_given, read_sources, text_here

    embedded = embedded_edition_folder()
    own_sources = embedded.parent / "sources"
    text = sources or text_here() or own_sources
    if text is own_sources and not own_sources.is_dir():
        raise InputError(
            "--sources：程序是安装的，没有知识库的文本可构建；请用 --sources 指定含 point.csv 的文件夹"
            "（installed without a checkout: name the sources with --sources）"
        )
    if out is None and text.resolve() != own_sources.resolve():
        raise click.UsageError(f"{text}：请用 --out 指定写到哪个文件夹（name the folder to write to）")
    target = out or embedded
    if onto is None:
        manifest = build(text, target)
    elif out is None:
        raise click.UsageError("--onto：请用 --out 指定写到哪个文件夹（name the folder to write to）")
    else:
        manifest = build_rows(layered(open_given(onto), read_sources(text)), target)
    if target.resolve() == embedded.resolve():
        from checker.rulebook.plan import PLAN_FILE, write_embedded_plan

        write_embedded_plan(embedded_rules_folder(), target / PLAN_FILE)
    if as_json:
        from checker.knowledge.manifest import manifest_text

        document = {"out": str(target), **json.loads(manifest_text(manifest))}
        print_json(document)
    else:
        _print_build(manifest, target, lang)
    return ExitCode.CLEAR


def _print_build(manifest: Manifest, out: Path, language: str) -> None:
    from rich import box
    from rich.table import Table

    from checker.report.console import SafeConsole

    english = language == "en"
    console = SafeConsole(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, titles in enumerate(_TITLES):
        table.add_column(titles[english], justify="right" if number else "left")
    for rule in manifest.rules:
        counts = (rule.points, rule.families, rule.codes, rule.published_codes)
        table.add_row(rule.rule_id, *(f"{count:,}" for count in counts))
    console.print(table)
    rows = ("、", ", ")[english].join(f"{entry.name} {entry.rows:,}" for entry in manifest.files)
    edition = f"{manifest.name} {manifest.version}"
    for chinese, told in (
        (f"表的行数：{rows}", f"Rows of the tables: {rows}"),
        (
            f"版本：{edition}（公布至 {manifest.published}）",
            f"Edition: {edition} (published up to {manifest.published})",
        ),
        (f"内容哈希：{manifest.content_hash}", f"Content hash: {manifest.content_hash}"),
        (f"已写入：{out}", f"Written to: {out}"),
    ):
        console.print(told if english else chinese, markup=False, soft_wrap=True)
