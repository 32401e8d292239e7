"""`liangku review import`: decisions out of a sheet that was filled in."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import json_option, language_option
from checker.cli.output import print_json
from checker.cli.runs import opened
from checker.model.errors import ExitCode


@click.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--by", default="", metavar="NAME", help="是谁审核的，留在记录里（who decided, kept on record）")
@click.option("--replace", is_flag=True, help="已有结论的，也按文件更改（change what was decided otherwise before）")
@json_option
@language_option
def command(folder: Path, file: Path, by: str, replace: bool, as_json: bool, lang: str) -> int:
    """从 CSV 或 Excel 导入审核结论：属实、不属实、已退回（写退回金额）；留空的还没有结论。有一处错误就全部不导入。

    Takes in decisions, all or none: confirmed, refuted, refunded (with its amount); empty rows are not decided yet.

    \b
    例 Example:
      liangku review import found 审核.xlsx --by 李审核
    """
    from dataclasses import asdict

    from checker.audit.review_import import import_decisions
    from checker.report.review import print_imported

    done = import_decisions(opened(folder), file, by=by, replace=replace)
    if as_json:
        print_json(asdict(done))
    else:
        print_imported(done, lang)
    return ExitCode.CLEAR
