"""The indicators on the terminal: those of all inputs together, what could not be computed, and what must be known to read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console
from rich.table import Table

from checker.indicators.run import PARQUET, IndicatorsResult
from checker.indicators.told import CARES, CAVEATS, GRAINS, SOURCES, unit_words
from checker.report.console import Words, safe, wide_console

if TYPE_CHECKING:
    from collections.abc import Mapping


def number(value: float | None, unit: str) -> str:
    """A value as it is shown; nothing where there is none."""
    if value is None:
        return "—"
    return f"{value:,.0f}" if unit == "count" else f"{value:,.2f}"


def read_indicators(result: IndicatorsResult) -> pl.DataFrame:
    """What the run wrote."""
    return pl.read_parquet(result.out / PARQUET)


def print_indicators(
    result: IndicatorsResult, xlsx: Path | None, language: str, console: Console | None = None
) -> None:
    """Print the indicators of all months and institutions together, and what of the inputs counted."""
    words = Words(wide_console(console), language)
    run = result.run
    _print_lines(words, run)
    words.console.print(_table(words, run, read_indicators(result)))
    for each in run["not_computed"]:
        column = safe(each["column"])
        words.say(
            f"没有算：{each['zh']}（缺 {column}）：{safe(each['why']['zh'])}",
            f"Not computed: {each['en']} (lacks {column}): {safe(each['why']['en'])}",
        )
    for each in run["not_split_by"]:
        if each["grain"] == "care":
            words.say(
                "没有医疗类别列（med_type），住院、门诊没有分开",
                "No column of the type of care (med_type): inpatients and outpatients are not told apart",
            )
        else:
            name = GRAINS[each["grain"]]
            words.say(
                f"没有按{name[0]}分：缺 {each['column']}", f"Not divided by {name[1]}: {each['column']} is lacking"
            )
    used = {key for each in run["indicators"] for key in each["caveats"]}
    for key, (chinese, english) in CAVEATS.items():
        if key in used:
            words.say(f"· {chinese}", f"· {english}")
    if run["suppressed"]:
        words.say(
            f"不足 {run['options']['min_cell']} 的 {run['suppressed']:,} 个格子没有显示（—）",
            f"{run['suppressed']:,} cells of fewer than {run['options']['min_cell']} are not shown (—)",
        )
    for gap in result.gaps:
        words.console.print(safe(gap.said), highlight=False)
    target = safe(str(result.out / PARQUET))
    words.say(f"{run['rows']:,} 行写入 {target}", f"{run['rows']:,} rows written to {target}")
    if xlsx is not None:
        words.say(f"工作簿：{safe(str(xlsx))}", f"Workbook: {safe(str(xlsx))}")


def _print_lines(words: Words, run: Mapping[str, Any]) -> None:
    lines, visits, classes = run["lines"], run["visits"], run["classes"]
    skipped = lines["skipped"]
    words.say(
        f"读入 {lines['read']:,} 行 = 使用 {lines['used']:,} + 跳过 {skipped['total']:,}（作废 {skipped['invalid']:,}、历史 {skipped['context']:,}、"
        f"重复 {skipped['duplicates']:,}）+ 无法读取 {lines['rejected']:,}",
        f"{lines['read']:,} lines read = {lines['used']:,} used + {skipped['total']:,} skipped (void {skipped['invalid']:,}, history "
        f"{skipped['context']:,}, duplicates {skipped['duplicates']:,}) + {lines['rejected']:,} rejected",
    )
    words.say(
        f"使用的行中退费 {lines['refunds']:,} 行，从金额里减去；自费 {lines['self_paid']:,} 行，计入费用；认不出费用类别 {classes['lines_of_no_class']:,} 行，"
        f"没有金额 {classes['lines_without_amount']:,} 行",
        f"Of the lines used {lines['refunds']:,} are refunds, which take off; {lines['self_paid']:,} self-paid, which count as cost; "
        f"{classes['lines_of_no_class']:,} are of no class of charges, {classes['lines_without_amount']:,} have no amount",
    )
    source = SOURCES[visits["costs_from"]]
    words.say(
        f"就诊 {visits['counted']:,} 次，费用来自{source[0]}；全部退费 {visits['wholly_refunded']:,} 次；没有结算 {visits['without_settlement']:,} 次；"
        f"不属于任何就诊 {visits['lines_without_visit']:,} 行",
        f"{visits['counted']:,} visits, costs from {source[1]}; {visits['wholly_refunded']:,} refunded as a whole; {visits['without_settlement']:,} "
        f"without settlement; {visits['lines_without_visit']:,} lines of no visit",
    )
    if visits["visits_file_joined"] is False:
        words.say(
            "就诊表没有用上：结算表里没有就诊号，无法对应",
            "The visits were not used: settlements without the visit id do not tell which is whose",
        )
    for each in run["unreadable"]:
        words.say(
            f"“{safe(each['header'])}”列有 {each['lines']:,} 个值认不出，例如“{safe(each['example'])}”",
            f"{each['lines']:,} values of {safe(each['header'])!r} cannot be read, such as {safe(each['example'])!r}",
        )


def _table(words: Words, run: Mapping[str, Any], rows: pl.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, title in enumerate(
        (words.text("指标", "indicator"), words.text("单位", "unit"), *(CARES[care][words.english] for care in CARES))
    ):
        table.add_column(title, justify="right" if place > 1 else "left")
    for cells in _rows(run, rows, words.english):
        table.add_row(*cells)
    return table


def _rows(run: Mapping[str, Any], rows: pl.DataFrame, english: int) -> Iterator[list[str]]:
    total = rows.filter((pl.col("grain") == "all") & pl.col("month").is_null() & pl.col("care").is_not_null())
    values = {(row["indicator"], row["care"]): row["value"] for row in total.iter_rows(named=True)}
    for each in run["indicators"]:
        yield [
            each["en"] if english else each["zh"],
            unit_words(each["unit"], each["numerator"])[english],
            *(number(values.get((each["id"], care)), each["unit"]) for care in CARES),
        ]
