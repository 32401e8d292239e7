"""The indicators as an Excel workbook: one sheet a grain, the months of the total as charts, and a sheet of what each number means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from checker.indicators.run import IndicatorsResult
from checker.indicators.told import CARES, CAVEATS, GRAINS, INSURANCES, LEVELS, NOTES, unit_words
from checker.model.errors import InputError, both
from checker.model.shown import shown
from checker.model.whole_file import whole_book
from checker.report.indicators import read_indicators

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

NO_LIBRARY = "写工作簿需要附加组件，请运行：pip install 'liangku[sheets]'（writing workbooks needs the extra: pip install 'liangku[sheets]'）"
MOST_ROWS = 1_000_000
"""A sheet holds no more rows; what is beyond is only in indicators.parquet, which the workbook says."""
_CHARTS = (
    ("cost_per_visit", "column"),
    ("visits", "column"),
    ("drug_share", "line"),
    ("fund_share", "line"),
    ("length_of_stay", "line"),
    ("readmission_rate", "line"),
)
"""What is drawn over the months, and how."""
_HEADS = (
    ("indicator", "指标", 26), ("code", "国家编号", 20), ("care", "就医方式", 10), ("place", "", 24), ("month", "月份", 10), ("numerator", "分子", 16),
    ("denominator", "分母", 16), ("value", "值", 14), ("unit", "单位", 8), ("previous", "上月", 14), ("change", "环比（%）", 12), ("note", "说明", 24),
)  # fmt: skip
_ENGLISH = {
    "indicator": "indicator", "code": "national code", "care": "care", "month": "month", "numerator": "numerator", "denominator": "denominator",
    "value": "value", "unit": "unit", "previous": "month before", "change": "change (%)", "note": "note",
}  # fmt: skip


def check_target(path: Path, *, force: bool) -> None:
    """Raise InputError, before anything is computed, where no workbook can be written to `path`."""
    try:
        import xlsxwriter  # noqa: F401
    except ImportError as error:
        raise InputError(NO_LIBRARY) from error
    if path.suffix.lower() != ".xlsx":
        raise InputError(both(f"--xlsx {path}：文件名应以 .xlsx 结尾", "the name must end in .xlsx"))
    if path.exists() and (not force or not path.is_file()):
        raise InputError(
            both(
                f"--xlsx {path}：文件已存在，请换一个名称，或用 --force 覆盖",
                "it exists: choose another name, or --force",
            )
        )


def write_workbook(result: IndicatorsResult, path: Path, language: str) -> None:
    """Write the workbook beside or over `path`, whole or not at all."""
    with whole_book(path, in_order=False) as book:
        _Sheets(book, result, int(language == "en")).write()


class _Sheets:
    """The sheets of one workbook in one language (`english`: 1 where it is English)."""

    def __init__(self, book: Workbook, result: IndicatorsResult, english: int) -> None:
        self.book, self.run, self.english = book, result.run, english
        self.rows = read_indicators(result)
        self.names = {
            each["id"]: each["en" if english else "zh"]
            for each in (*result.run["indicators"], *result.run["not_computed"])
        }
        self.numerators = {each["id"]: each["numerator"] for each in result.run["indicators"]}
        self.bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.text = book.add_format({"num_format": "@"})
        self.formats = {
            "count": book.add_format({"num_format": "#,##0"}),
            "": book.add_format({"num_format": "#,##0.00"}),
        }

    def write(self) -> None:
        """Write all of them."""
        self._charts()
        for grain in GRAINS:
            rows = self.rows.filter((pl.col("grain") == grain) & pl.col("care").is_not_null())
            if not rows.is_empty():
                self._grain(grain, rows)
        self._meanings()

    def _unit(self, indicator: str, unit: str) -> str:
        return unit_words(unit, self.numerators.get(indicator, "visits"))[self.english]

    def _charts(self) -> None:
        """The sheet of charts stands first, and a sheet of their numbers behind all others."""
        sheet = self.book.add_worksheet(("图表", "charts")[self.english])
        months = self.rows.filter((pl.col("grain") == "all") & pl.col("month").is_not_null())
        data, place, drawn = None, 0, 0
        for indicator, kind in _CHARTS:
            rows = months.filter(pl.col("indicator") == indicator)
            if rows.is_empty():
                continue
            table = rows.pivot("care", index="month", values="value", aggregate_function="first").sort("month")
            cares = [care for care in CARES if care in table.columns]
            if data is None:
                data = self.book.add_worksheet(("图表数据", "chart data")[self.english])
            name = self.names[indicator]
            data.write_row(place, 0, [name, *(CARES[care][self.english] for care in cares)], self.bold)
            for down, row in enumerate(table.iter_rows(named=True), place + 1):
                data.write_string(down, 0, row["month"], self.text)
                for across, care in enumerate(cares, 1):
                    if row[care] is not None:
                        data.write_number(down, across, row[care])
            chart = self.book.add_chart({"type": kind})
            assert chart is not None
            last = place + table.height
            for across, _ in enumerate(cares, 1):
                chart.add_series({
                    "name": [data.name, place, across], "categories": [data.name, place + 1, 0, last, 0],
                    "values": [data.name, place + 1, across, last, across], **({"marker": {"type": "circle"}} if kind == "line" else {}),
                })  # fmt: skip
            unit = next(each["unit"] for each in self.run["indicators"] if each["id"] == indicator)
            chart.set_title({"name": name})
            chart.set_y_axis({"name": self._unit(indicator, unit), "min": 0})
            chart.set_size({"width": 620, "height": 320})
            sheet.insert_chart(drawn // 2 * 17, drawn % 2 * 10, chart)
            place, drawn = last + 2, drawn + 1
        if data is not None:
            data.set_column(0, 0, 24)

    def _grain(self, grain: str, rows: pl.DataFrame) -> None:
        sheet = self.book.add_worksheet(GRAINS[grain][self.english])
        columns = [
            (name, _ENGLISH.get(name, "") if self.english else title, width)
            for name, title, width in _HEADS
            if name != "place" or grain != "all"
        ]
        titles = [GRAINS[grain][self.english] if name == "place" else title for name, title, _ in columns]
        _head(sheet, titles, [width for _, _, width in columns], self.bold)
        shown_rows = rows.head(MOST_ROWS)
        for down, row in enumerate(shown_rows.iter_rows(named=True), 1):
            self._row(sheet, down, row, grain, [name for name, _, _ in columns])
        sheet.autofilter(0, 0, shown_rows.height, len(columns) - 1)
        if rows.height > MOST_ROWS:
            sheet.write_string(
                MOST_ROWS + 1,
                0,
                both("行数太多，其余见 indicators.parquet", "too many rows: the others are in indicators.parquet"),
            )

    def _row(self, sheet: Worksheet, down: int, row: dict[str, Any], grain: str, columns: Sequence[str]) -> None:
        place = row.get(grain) or ""
        words = (
            LEVELS if grain == "level" else INSURANCES if grain == "insurance" else {"unknown": INSURANCES["unknown"]}
        )
        texts = {
            "indicator": self.names[row["indicator"]],
            "code": row["code"] or "",
            "care": CARES[row["care"]][self.english],
            "place": words[place][self.english] if place in words else shown(place),
            "month": row["month"] or ("全部", "all")[self.english],
            "unit": self._unit(row["indicator"], row["unit"]),
            "note": NOTES[row["note"]][self.english] if row["note"] in NOTES else "",
        }
        for across, name in enumerate(columns):
            if name in texts:
                # Written as text: codes keep their zeros, and no value becomes a formula.
                sheet.write_string(down, across, texts[name], self.text)
            elif row[name] is not None:
                sheet.write_number(
                    down,
                    across,
                    row[name],
                    self.formats.get(row["unit"] if name in ("value", "previous") else "", self.formats[""]),
                )

    def _meanings(self) -> None:
        sheet = self.book.add_worksheet(("口径", "meanings")[self.english])
        titles = (
            ("指标", "国家编号", "分子", "分母", "来源", "说明"),
            ("indicator", "national code", "numerator", "denominator", "source", "caveats"),
        )[self.english]
        _head(sheet, titles, [26, 20, 18, 18, 14, 120], self.bold)
        down = 0
        for down, each in enumerate(self.run["indicators"], 1):
            caveats = "\n".join(CAVEATS[key][self.english] for key in each["caveats"])
            cells = (
                self.names[each["id"]],
                each["code"] or "",
                each["numerator"],
                each["denominator"] or "",
                each["source"],
                caveats,
            )
            for across, cell in enumerate(cells):
                sheet.write_string(down, across, cell, self.text)
        language = "en" if self.english else "zh"
        for below, each in enumerate(self.run["not_computed"], down + 1):
            lacking = ("没有算，缺 ", "not computed, lacks ")[self.english] + each["column"]
            for across, cell in enumerate(
                (self.names[each["id"]], each["code"] or "", "", "", lacking, each["why"][language])
            ):
                sheet.write_string(below, across, cell, self.text)


def _head(sheet: Worksheet, titles: Sequence[str], widths: Sequence[int], bold: Any) -> None:
    sheet.write_row(0, 0, titles, bold)
    sheet.freeze_panes(1, 0)
    for across, width in enumerate(widths):
        sheet.set_column(across, across, width)
