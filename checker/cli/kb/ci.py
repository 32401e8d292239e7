"""`liangku kb ci`: check, difference and impact of a change in one summary, for a pull request."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.limit_options import FINDINGS, KNOWLEDGE, limit_options
from checker.cli.options import Day, header_options, json_option, language_option, onto_option
from checker.cli.output import print_json
from checker.cli.stop import stoppable
from checker.cli.variadic import ManyClaims
from checker.model.errors import ExitCode, InputError, LiangkuError

if TYPE_CHECKING:
    from checker.change.limits import Limits


@click.command("ci", cls=ManyClaims)
@click.option(
    "--base", required=True, metavar="REF_OR_DIR", help="对照：git 版本，或同样布局的文件夹（git revision or folder）"
)
@click.option(
    "--sources",
    type=click.Path(path_type=Path),
    default=Path("knowledge_base/sources"),
    show_default=True,
    help="知识库的文本（text of the knowledge base）",
)
@onto_option
@click.option(
    "--rules",
    "rules_folder",
    type=click.Path(path_type=Path),
    default=Path("rules"),
    show_default=True,
    help="规则文件夹，加在内置规则之上，没有则只用内置规则（folder of rule files, on top of the embedded ones）",
)
@click.option("--only-rules", is_flag=True, help="不用内置规则（leave the embedded rules out）")
@click.option(
    "--claims",
    multiple=True,
    metavar="DATA...",
    help="明细数据，默认 data/samples（lines as for scan; default: data/samples）",
)
@header_options
@limit_options(
    *FINDINGS, *KNOWLEDGE, max_deleted_points=0, max_deleted_codes=0, max_edited_points=0, max_reused_ids=0, max_ended_points=0,
    max_ended_share="50%", max_relaxed_points=0, max_widened_exemptions=0, max_deleted_exemptions=0,
)  # fmt: skip
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="存量问题清单，kb check --write-baseline 写出；对照版本已有的本来就不算（issues known already; those of the base never count）",
)
@click.option(
    "--strict",
    multiple=True,
    metavar="ID",
    help="这项检查的警告也算不通过，可多次给出（warnings of this check fail too）",
)
@click.option(
    "--as-of", "day", type=Day(), help="豁免是否到期按这一天，默认今天（day on which exemptions count; default: today）"
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="把 Markdown 写入文件，而不是屏幕（write the summary to a file）"
)
@json_option
@language_option
def command(
    base: str, sources: Path, onto: str | None, rules_folder: Path, only_rules: bool, claims: tuple[str, ...],
    settlements: tuple[str, ...], visits: tuple[str, ...],
    diagnoses: tuple[str, ...], maps: tuple[str, ...], limits: Limits, baseline: Path | None, strict: tuple[str, ...],
    day: date | None, out: Path | None, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """检查一次变更：知识点检查、规则检查、与对照版本的差异、在明细数据上的影响，写成一份 Markdown。

    \b
    退出码 Exit codes: 0 可以合并 fit to merge · 1 有错误或超过上限 errors, or a limit exceeded · 2 输入有误 bad input

    \b
    例 Examples:
      liangku kb ci --base main
      liangku kb ci --base origin/main --max-new-share 1% --out summary.md
      liangku kb ci --base origin/main --sources 本地补充 --onto embedded
    """
    from checker.change.ci import CiRequest, run_ci
    from checker.model.whole_file import write_whole
    from checker.report.ci import ci_document, ci_markdown, fault_markdown
    from checker.report.progress import Bar

    given = click.get_current_context().get_parameter_source("sources")
    if given is not click.core.ParameterSource.DEFAULT and rules_folder.is_dir() and not sources.is_dir():
        # The rules alone would pass; where neither is there, that is told of both.
        raise InputError(f"--sources {sources}：没有这个文件夹，请核对路径（no such folder: name the right one）")
    request = CiRequest(
        base=base, sources=sources, rules=rules_folder, only_rules=only_rules, claims=claims, settlements=settlements, visits=visits, diagnoses=diagnoses,
        maps=maps, limits=limits, day=day, language=lang, baseline=baseline, strict=strict, onto=onto,
    )  # fmt: skip
    try:
        with stoppable(), Bar(lang) as bar:
            report = run_ci(request, bar)
    except LiangkuError as error:
        # Who looks at the page of the run finds there why there is no report.
        if out is not None:
            write_whole(out, fault_markdown(error, lang))
        raise
    text = ci_markdown(report, lang)
    if out is not None:
        write_whole(out, text)
    if as_json:
        print_json(ci_document(report))
    elif out is None:
        click.echo(text, nl=False)
    else:
        click.echo(next(line for line in text.splitlines() if line.startswith("**")).replace("**", ""))
    return ExitCode.FINDINGS if report.failed else ExitCode.CLEAR
