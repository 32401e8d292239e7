"""`liangku scan`: settlement lines in, findings on disk, a summary on the terminal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import click

from checker.cli.database_options import database_options, read_all_queries
from checker.cli.options import (
    header_options,
    json_option,
    knowledge_options,
    language_option,
    layout_option,
    profile_option,
    repair_option,
    stage_option,
)
from checker.cli.output import print_json
from checker.cli.person_key_option import person_key_option, read_person_key
from checker.cli.rejects_option import max_rejects_option
from checker.cli.resource_options import resource_options
from checker.cli.stop import stoppable
from checker.model.errors import ExitCode
from checker.report.progress import Bar
from checker.report.terminal import print_scan
from checker.scan.partitions import PARTITIONS
from checker.scan.request import ScanRequest
from checker.scan.scan import scan


@click.command("scan")
@click.argument("inputs", nargs=-1, metavar="[INPUT]...")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="结果文件夹，应为空或不存在（folder for the results）"
)
@header_options
@database_options
@layout_option
@click.option("--csv", "as_csv", is_flag=True, help="另写一份 findings.csv（also write findings.csv）")
@click.option(
    "--partition-by",
    type=click.Choice([*PARTITIONS]),
    help="另按月或按机构分文件夹写一份疑点（also write findings in folders by month or institution）",
)
@stage_option
@max_rejects_option
@profile_option
@repair_option
@person_key_option
@resource_options
@click.option("--force", is_flag=True, help="覆盖该文件夹中上一次的结果（replace the last results in that folder）")
@knowledge_options
@json_option
@language_option
def command(
    inputs: tuple[str, ...], out: Path, settlements: tuple[str, ...], visits: tuple[str, ...], diagnoses: tuple[str, ...],
    database_url: str | None, query: tuple[str, ...], settlements_query: tuple[str, ...], visits_query: tuple[str, ...],
    diagnoses_query: tuple[str, ...], maps: tuple[str, ...], layout: Path | None, as_csv: bool, partition_by: str | None, stage: str, max_rejects: Decimal,
    profile: Path | None, repair: bool, person_key: Path | None, force: bool, kb: tuple[Path, ...], crosswalk: tuple[Path, ...], rules: tuple[Path, ...],
    only_rules: bool, resume: bool, engine: str, master: str | None, spark_conf: tuple[str, ...],
    threads: int | None, memory_limit: str | None, temp_dir: Path | None, part_lines: int,
    region: str | None, as_of: date | None, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """扫描结算明细，找出违反规则的疑点。

    INPUT 是 Parquet、CSV、JSON、Excel 文件或它们的 ZIP 包，也可以是文件夹或通配符，可以有多个；
    明细在数据库里时用 --from 和 --query，文件和数据库可以混用。结果写入 --out：
    findings.parquet（疑点及证据）、rejects.parquet（无法读取的行）、run.json（计数与版本）。

    \b
    例 Examples:
      liangku scan 销售明细.csv --out 结果 --csv
      liangku scan fee_list_d.parquet --settlements setl_d.parquet --visits mdtrt_d.parquet \\
              --diagnoses setl_list_diag_d.parquet --out out
      liangku scan --from postgresql://audit@10.0.0.5/city --query "SELECT * FROM fee_list_d" \\
              --settlements-query "SELECT * FROM setl_d" --out out
    """
    asked = read_all_queries(inputs, database_url, query, settlements_query, visits_query, diagnoses_query)
    request = ScanRequest(
        inputs=(*inputs, *asked["lines"]), out=out, settlements=(*settlements, *asked["settlements"]),
        visits=(*visits, *asked["visits"]), diagnoses=(*diagnoses, *asked["diagnoses"]), maps=maps, layout=layout, csv=as_csv,
        partition_by=partition_by, as_of=as_of,
        kb=kb, crosswalk=crosswalk, rules=rules, only_rules=only_rules, region=region, stage=stage, force=force, language=lang,
        max_rejects=float(max_rejects), repair=repair, profile=profile, hash_key=read_person_key(person_key),
        resume=resume, engine=engine, master=master, spark_conf=spark_conf,
        threads=threads, memory_limit=memory_limit, temp_dir=temp_dir, part_lines=part_lines,
    )  # fmt: skip
    with stoppable(), Bar(lang) as bar:
        result = scan(request, bar)
    if as_json:
        print_json(result.run)
    else:
        print_scan(result, lang)
    if result.gaps:
        return ExitCode.INCOMPLETE
    return ExitCode.FINDINGS if result.summary.found else ExitCode.CLEAR
