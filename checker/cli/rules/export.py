"""`liangku rules export`: the rule files that come with the program, to start one's own from."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import json_option, language_option
from checker.cli.output import print_json, say
from checker.model.errors import ExitCode


@click.command("export")
@click.argument("rule_ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="写到哪个文件夹（folder to write）"
)
@click.option("--force", is_flag=True, help="覆盖其中同名的规则文件（overwrite rule files of the same names）")
@json_option
@language_option
def command(rule_ids: tuple[str, ...], out: Path, force: bool, as_json: bool, lang: str) -> int:
    """写出内置的规则文件（TOML，连同用例），作为自己规则的起点；不写 ID 则全部写出。

    Write the embedded rule files with their cases, to start from; without ID all of them.

    改过的文件用 --rules FOLDER 加在内置规则之上，编号相同的替换内置的；先用 rules test 和 rules check 检查。

    \b
    例 Examples:
      liangku rules export drug-sex --out 我的规则
      liangku rules export --out 全部规则
    """
    from checker.rulebook.export import export_rules

    written = export_rules(rule_ids, out, force=force)
    if as_json:
        print_json({"out": str(out), "files": [path.name for path in written]})
        return ExitCode.CLEAR
    test = f"liangku rules test --rules {out}"
    if lang == "en":
        say(f"Written to {out}: {len(written)} rule files\nWhen you have changed them: {test}")
    else:
        say(f"已写入 {out}：{len(written)} 个规则文件\n改好之后：{test}")
    return ExitCode.CLEAR
