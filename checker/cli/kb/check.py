"""`liangku kb check`: small checks of a knowledge base, each with an id, a severity and a hint."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import Day, format_option, json_option, language_option, rules_option
from checker.cli.output import chosen_format
from checker.model.china_time import china_today
from checker.model.errors import ExitCode, LiangkuError

if TYPE_CHECKING:
    from checker.knowledge.checks.layers import Layer
    from checker.knowledge.checks.run import Checked

FORMATS = ("terminal", "json", "junit", "sarif", "github", "gitlab", "markdown")


@click.command("check")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--kb",
    multiple=True,
    type=click.Path(path_type=Path),
    help="先叠放的知识库（文本或构建好的），可多次给出，DIR 叠在最上面（knowledge below DIR; repeat to layer）",
)
@rules_option
@click.option("--only", multiple=True, metavar="ID", help="只做这些检查，可多次给出（only these checks）")
@click.option("--skip", multiple=True, metavar="ID", help="不做这些检查，可多次给出（leave out these checks）")
@click.option("--as-of", type=Day(), help="以这一天为准看是否到期，默认今天（the day that decides what has ended）")
@click.option("--strict", is_flag=True, help="有警告也算不通过（warnings fail too）")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="存量问题清单：其中列出的不再报告（issues known already, as --write-baseline writes them）",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="把现有的问题写成存量问题清单（write what is found as a baseline）",
)
@click.option("--all", "every", is_flag=True, help="全部列出，不只每项前 20 处（list every issue）")
@format_option(*FORMATS)
@json_option
@language_option
def command(
    folder: Path | None, kb: tuple[Path, ...], rules: tuple[Path, ...], only_rules: bool, only: tuple[str, ...],
    skip: tuple[str, ...], as_of: date | None, strict: bool, baseline: Path | None, write_baseline: Path | None,
    every: bool, form: str | None, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """检查知识库：编码、规则、性别、年龄、有效期、名称、豁免是否自相矛盾。

    DIR 是知识库的文本或构建好的文件夹；不给时检查当前文件夹的文本（或其中的 knowledge_base/sources），都没有时检查内置知识库。

    \b
    退出码 Exit codes: 0 没有错误 no error · 1 有错误（--strict 时警告也算）errors found · 2 文件无法读取 unreadable

    \b
    例 Examples:
      liangku kb check
      liangku kb check 我的知识 --kb knowledge_base/sources
      liangku kb check --only both-sexes --only duplicate-point
      liangku kb check knowledge_base/sources --format github
    """
    chosen = chosen_format(form, as_json=as_json)
    from checker.knowledge.checks.run import check_knowledge
    from checker.knowledge.checks.standing import apart, baseline_text, read_baseline
    from checker.knowledge.resolve import open_plan
    from checker.model.whole_file import write_whole

    plan = open_plan(rules, only_rules=only_rules)
    known = frozenset() if baseline is None else read_baseline(baseline)
    try:
        found = check_knowledge(_layers(folder, kb), plan.rules, as_of or china_today(), only=only, skip=skip)
    except LiangkuError as error:
        _print_fault(error, chosen)
        raise
    checked = apart(found, known)
    if write_baseline is not None:
        write_whole(write_baseline, baseline_text(found.issues))
    _print(checked, chosen, lang, strict=strict, every=every)
    return ExitCode.FINDINGS if checked.fails(strict=strict) else ExitCode.CLEAR


def _layers(folder: Path | None, kb: tuple[Path, ...]) -> list[Layer]:
    from checker.knowledge.checks.layers import built_layer, given_layer, read_layer
    from checker.knowledge.edition import open_edition
    from checker.knowledge.source import text_here
    from checker.model.embedded import embedded_edition_folder

    layers = [given_layer(path) for path in kb]
    if folder is not None:
        return [*layers, read_layer(folder)]
    if layers:
        return layers
    embedded = embedded_edition_folder()
    sources = text_here() or embedded.parent / "sources"
    if sources.is_dir():
        return [read_layer(sources)]
    return [built_layer(open_edition(embedded, embedded=True))]


def _print_fault(error: LiangkuError, form: str) -> None:
    """Tell where the change is looked at that a file of it cannot be read."""
    from checker.report import issue_formats

    faults = {"github": issue_formats.fault_github, "gitlab": issue_formats.fault_gitlab}
    if form in faults:
        click.echo(faults[form](error))


def _print(checked: Checked, form: str, lang: str, *, strict: bool, every: bool) -> None:
    from checker.report import issue_formats
    from checker.report.issues import SHOWN, issues_markdown, print_issues

    shown = None if every else SHOWN
    if form == "terminal":
        print_issues(checked, lang, shown=shown)
    elif form == "markdown":
        click.echo(issues_markdown(checked, lang, shown=shown))
    elif form in ("json", "sarif"):
        json_pieces = (
            issue_formats.issues_json(checked, strict=strict)
            if form == "json"
            else issue_formats.issues_sarif(checked, lang)
        )
        for piece in json_pieces:
            click.echo(piece, nl=False)
    elif form == "gitlab":
        click.echo("".join(issue_formats.issues_gitlab(checked, lang)), nl=False)
    elif form == "junit":
        click.echo(issue_formats.issues_junit(checked, lang, strict=strict))
    elif told := issue_formats.issues_github(checked, lang):
        click.echo(told)
