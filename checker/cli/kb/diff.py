"""`liangku kb diff`: what two knowledge bases say differently."""

from __future__ import annotations

import click

from checker.cli.options import format_option, json_option, language_option, onto_option
from checker.cli.output import chosen_format
from checker.model.errors import ExitCode


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@onto_option
@click.option("--rule", metavar="ID", help="只比较这个规则（this rule only）")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="每张清单列出几个（how many entries a list shows）",
)
@click.option("--exit-code", is_flag=True, help="有不同则退出码为 1（exit with 1 where anything differs）")
@format_option("terminal", "markdown", "json")
@json_option
@language_option
def command(
    before: str,
    after: str,
    onto: str | None,
    rule: str | None,
    limit: int,
    exit_code: bool,
    form: str | None,
    as_json: bool,
    lang: str,
) -> int:
    """比较两个知识库：知识点、各规则覆盖的编码、豁免，各新增、删除、改动了哪些。

    A 和 B 是构建好的知识库、知识库的文本，或写 embedded 表示内置的。

    \b
    例 Examples:
      liangku kb diff embedded out/kb
      liangku kb diff knowledge_base/sources out/kb --rule drug-sex
      liangku kb diff embedded out/kb --format markdown
      liangku kb diff embedded 本地补充 --onto embedded
    """
    chosen = chosen_format(form, as_json=as_json)
    from checker.knowledge.diff.compare import diff_knowledge
    from checker.knowledge.layered import open_upon
    from checker.report.kb_diff import diff_json, diff_markdown, print_diff

    found = diff_knowledge(open_upon(before, onto), open_upon(after, onto), given=(before, after), rule=rule)
    if chosen == "json":
        for piece in diff_json(found):
            click.echo(piece, nl=False)
    elif chosen == "markdown":
        click.echo(diff_markdown(found, lang, shown=limit))
    else:
        print_diff(found, lang, shown=limit)
    return ExitCode.FINDINGS if exit_code and found.any_change else ExitCode.CLEAR
