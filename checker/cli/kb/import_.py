"""`liangku kb import`: published workbooks in, an edition out, with what changed and what there is to sign off."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from checker.cli.options import Day, json_option, language_option, rules_option
from checker.cli.output import print_json
from checker.model.errors import ExitCode, InputError


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="写到哪个文件夹（folder to write）")
@click.option("--batch", help="批次，如 01、2026-01，默认由标题或文件名得出（default: as title or file name say）")
@click.option(
    "--published", type=Day(), help="公布日期，知识点自这一天起有效（day of the notice, points hold from it）"
)
@click.option(
    "--onto",
    metavar="DIR",
    help="并入哪个知识库：文件夹，或 embedded（内置）；默认不并入（edition that the lists meet, or embedded; default: none）",
)
@click.option(
    "--mode",
    type=click.Choice(["replace", "patch", "demote"]),
    help="清单未再列出的：replace 终止，patch 保留，demote 保留但最高为提示（what is not listed again: ends, stays, or stays at notice）",
)
@click.option(
    "--expect", type=click.IntRange(min=0), metavar="N", help="应有多少个编码，不符则不导入（codes that must be read）"
)
@click.option(
    "--cover",
    type=click.Choice(["code", "family"]),
    default="code",
    show_default=True,
    help="药品按公布的编码还是按前段覆盖；原知识库已按前段覆盖的仍按前段（exact codes or families; families of --onto stay families）",
)
@click.option("--region", metavar="CODE", help="地方清单：行政区划代码前 2 至 6 位（a local list: place code）")
@click.option(
    "--region-of",
    type=click.Choice(["insured", "institution"]),
    help="该地区指参保地还是就医地（whose place: the insured's or the institution's）",
)
@click.option("--publisher", help="公布单位，默认国家医疗保障局（default: the national administration）")
@click.option("--title", help="公布的是什么，写入依据（what was published, for the evidence）")
@click.option("--name", help="知识库的名称（name of the edition）")
@click.option("--version", help="知识库的版本，默认原版本加批次（default: that of --onto and the batch）")
@click.option("--repair", is_flag=True, help="补回 Excel 丢掉的前导零（put back leading zeros that Excel took）")
@click.option(
    "--terms",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="适应症用语与诊断编码的对照表，CSV：term、icd_prefixes、confidence（terms of indications and their diagnoses）",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="HEADER=COLUMN",
    help="不认识的表头是哪一列，如 药品本位码=code，与限制无关的写 =skip；可重复（what stands under an unknown header; may be repeated）",
)
@click.option(
    "--status",
    type=click.Choice(["active", "shadow"]),
    default="active",
    show_default=True,
    help="知识点即时生效，还是先作影子试运行（points in force, or on trial until kb promote）",
)
@click.option(
    "--allow-unparsed",
    is_flag=True,
    help="略去年龄范围或适应症读不懂的项目（leave out items whose window or indication is not understood）",
)
@click.option(
    "--allow-lost-coverage",
    is_flag=True,
    help="段内有别的药时，允许原来整段受限的前段改为只限清单所列编码（let families shrink to the listed codes）",
)
@rules_option
@json_option
@language_option
def command(
    files: tuple[Path, ...], out: Path, batch: str | None, published: date | None, onto: str | None, mode: str | None,
    expect: int | None, cover: str, region: str | None, region_of: str | None, publisher: str | None, title: str | None,
    name: str | None, version: str | None, repair: bool, terms: Path | None, columns: tuple[str, ...], status: str,
    allow_unparsed: bool, allow_lost_coverage: bool,
    rules: tuple[Path, ...], only_rules: bool, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """导入公布的知识点明细表，写成 --kb 可直接使用的知识库。

    FILE 是医保局公布的工作簿（.xlsx、.xls）或同样各列的 CSV，可以有多个，属于同一批次。脚注只作说明，不成为知识点；有删除标记的项目不导入。

    \b
    例 Examples:
      liangku kb import 第一批-*.xlsx --batch 01 --published 2025-05-23 --expect 11290 --out 第一批
      liangku kb import 更新-*.xlsx --batch 2026-01 --published 2026-01-28 --onto 第一批 --mode replace --out 新版
    """
    from checker.knowledge.codes import place_code
    from checker.knowledge.import_report import report_of
    from checker.knowledge.import_request import ImportRequest
    from checker.knowledge.importing import import_workbooks
    from checker.knowledge.merge.merge_decisions import Mode
    from checker.knowledge.published import NATIONAL
    from checker.knowledge.resolve import open_plan
    from checker.knowledge.source import open_given
    from checker.report.imported import print_import

    if published is None:
        raise InputError(
            "--published：工作簿里没有公布日期，请给出，如 --published 2025-05-23（name the day of the notice）"
        )
    if region is not None and region_of is None:
        raise click.UsageError(
            "--region 和 --region-of 应一起给出（give --region and --region-of together, or neither）"
        )
    place = None if region is None else place_code(region)
    if region is not None and place is None:
        raise InputError(
            f"--region {region}：请写行政区划代码的前 2 至 6 位数字（write 2 to 6 digits of a place code）"
        )
    plan = open_plan(rules, only_rules=only_rules)
    request = ImportRequest(
        files=files, out=out, batch=batch, published=published, mode=Mode(mode) if mode else None, onto=None if onto is None else open_given(onto),
        expect=expect, cover=cover, region=place, region_of=region_of, publisher=publisher or NATIONAL, title=title, name=name, version=version,
        repair=repair, terms=terms, columns=columns, status=status, allow_unparsed=allow_unparsed, allow_lost_coverage=allow_lost_coverage,
    )  # fmt: skip
    imported, manifest = import_workbooks(request, plan)
    if as_json:
        knowledge = {"name": manifest.name, "version": manifest.version, "hash": manifest.content_hash}
        document = {"out": str(out), "knowledge": knowledge, **report_of(imported)}
        print_json(document)
    else:
        options = "".join(f" --rules {folder}" for folder in rules) + (" --only-rules" if only_rules else "")
        print_import(imported, manifest, out, {rule.id: rule.name(lang) for rule in plan.rules}, onto, options, lang)
    return ExitCode.CLEAR
