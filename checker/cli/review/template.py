"""`liangku review template`: a sheet of findings to be decided."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import json_option, language_option
from checker.cli.output import print_json
from checker.cli.runs import opened
from checker.model.errors import ExitCode


@click.command("template")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.csv|.xlsx",
    help="写到哪个文件，已有的不覆盖（the file to write, never over an existing one）",
)
@json_option
@language_option
def command(folder: Path, out: Path, as_json: bool, lang: str) -> int:
    """列出还没有结论的违规疑点，供填写“审核结论”“退回金额”“理由”。DIR 是 liangku scan --out 的文件夹。

    The violations of a run that are not decided yet, to be filled in.

    \b
    例 Example:
      liangku review template found --out 审核.xlsx
    """
    from checker.audit.review_template import write_template
    from checker.report.review import print_template

    run = opened(folder)
    run.refuse_inside(out, "--out")
    findings = write_template(run, out, lang)
    if as_json:
        print_json({"file": str(out), "findings": findings})
    else:
        print_template(out, findings, lang)
    return ExitCode.CLEAR
