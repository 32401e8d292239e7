"""`liangku indicators`: the national statistics and those of a monthly release, from settlement lines."""

from __future__ import annotations

from pathlib import Path

import click

from checker.cli.options import (
    header_options,
    json_option,
    language_option,
    layout_option,
    profile_option,
)
from checker.cli.output import print_json
from checker.cli.stop import stoppable
from checker.model.errors import ExitCode


@click.command("indicators")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="结果文件夹，应为空或不存在（folder for the results）"
)
@header_options
@layout_option
@profile_option
@click.option(
    "--xlsx",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="另写一个带图表的 Excel 工作簿（also write a workbook with charts）",
)
@click.option(
    "--min-cell",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="不足 N 人（人次）的格子不显示（cells of fewer than N persons or visits are not shown）",
)
@click.option("--force", is_flag=True, help="覆盖上一次的结果和工作簿（replace the last results and the workbook）")
@json_option
@language_option
def command(
    inputs: tuple[str, ...], out: Path, settlements: tuple[str, ...], visits: tuple[str, ...], diagnoses: tuple[str, ...], maps: tuple[str, ...],
    layout: Path | None, profile: Path | None, xlsx: Path | None, min_cell: int, force: bool, as_json: bool, lang: str,
) -> int:  # fmt: skip
    """统计指标：国家八项统计指标，以及按月发布的费用和就诊指标，按机构等级、险种、机构分。

    INPUT 是与 liangku scan 相同的明细。费用以结算表（有医疗费总额列时）为准，没有的按明细算。
    结果写入 --out：indicators.parquet（每行一个指标、一个格子）、rejects.parquet（无法读取的行）、run.json（计数、口径、缺什么）。
    缺列的指标不算，并说明缺哪一列、怎样给。写工作簿需要附加组件：pip install 'liangku[sheets]'。

    \b
    例 Examples:
      liangku indicators fee_list_d.parquet --settlements setl_d.parquet --visits mdtrt_d.parquet \\
              --diagnoses setl_list_diag_d.parquet --out 指标 --xlsx 指标.xlsx --min-cell 10
    """
    from checker.indicators.run import IndicatorsRequest, compute
    from checker.report.indicators import print_indicators
    from checker.report.indicators_workbook import check_target, write_workbook

    if xlsx is not None:
        check_target(xlsx, force=force)
    request = IndicatorsRequest(
        inputs=inputs, out=out, settlements=settlements, visits=visits, diagnoses=diagnoses, maps=maps, layout=layout, profile=profile,
        min_cell=min_cell, force=force, language=lang,
    )  # fmt: skip
    with stoppable():
        result = compute(request)
        if xlsx is not None:
            write_workbook(result, xlsx, lang)
    if as_json:
        print_json(result.run)
    else:
        print_indicators(result, xlsx, lang)
    return ExitCode.INCOMPLETE if result.gaps else ExitCode.CLEAR
