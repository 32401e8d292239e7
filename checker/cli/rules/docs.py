"""`liangku rules docs`: the pages of the rules, written or held against what stands there."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import json_option, language_option, rules_folder_option
from checker.cli.output import print_json
from checker.cli.rules.shared import checkout_rules, load, print_faults
from checker.model.errors import ExitCode, InputError


@click.command("docs")
@rules_folder_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="写到哪个文件夹；自带的规则默认写到源码的 docs/rules（where to write; the checkout's own rules: docs/rules）",
)
@click.option(
    "--check", is_flag=True, help="只核对，不写；有过期的页则退出码为 1（write nothing, fail where a page is stale）"
)
@json_option
@language_option
def command(rules_folder: Path | None, out: Path | None, check: bool, as_json: bool, lang: str) -> int:
    """生成规则说明页：每条规则中英文各一页，另有目录和覆盖范围（docs/coverage.md）；规则不在了的页会删去。

    Write the pages of the rules, one in each language, their index, and what of the published framework works (docs/coverage.md); pages of rules
    that are gone are removed.

    \b
    退出码 Exit codes: 0 已是最新或已写好 up to date or written · 1 --check 发现过期 stale · 2 输入有误 bad input

    \b
    例 Examples:
      liangku rules docs --check
      liangku rules docs --rules 我的规则 --out 说明
    """
    from checker.proof.coverage import own_coverage
    from checker.rulebook.docs import compose, stale, write

    own = checkout_rules()
    rulebook, place, _ = load(rules_folder)
    if out is None and (own is None or place.resolve() != own.resolve()):
        raise InputError("--out：请指定说明页写到哪个文件夹（name the folder of the pages with --out）")
    target = out or place.resolve().parent / "docs" / "rules"
    pages = compose(rulebook)
    # What works of the published framework is told of the program's own rules only.
    beside = own_coverage(place, rulebook) if out is None else ()
    total = len(pages) + len(beside)
    english = lang == "en"
    if check:
        faults = (*stale(pages, target), *(stale(beside, target.parent) if beside else ()))
        told = f"{total} pages, {len(faults)} stale" if english else f"说明页 {total} 页，不一致 {len(faults)} 处"
        print_faults(faults, told, as_json=as_json)
        return ExitCode.FINDINGS if faults else ExitCode.CLEAR
    changed = (*write(pages, target), *(write(beside, target.parent) if beside else ()))
    if as_json:
        print_json({"out": str(target), "pages": total, "changed": [path.name for path in changed]})
        return ExitCode.CLEAR
    click.echo(
        f"Pages in {target}: {total}, written or removed: {len(changed)}"
        if english
        else f"{target}：共 {total} 页，写入或删去 {len(changed)} 页"
    )
    for path in changed:
        click.echo(f"    {path.name}")
    return ExitCode.CLEAR
