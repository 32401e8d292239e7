"""The command and its workbook, opened again by another library."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from tests.commands import liangku
from tests.indicators.tables import LINE, STAY, numbered, write


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    rows = [
        {
            "mdtrt_id": f"M{n}",
            "psn_no": f"P{n}",
            "fixmedins_code": code,
            "fee_ocur_time": f"2026-0{1 + n % 2}-05 08:00:00",
        }
        for n, code in enumerate(("0012", "0012", "=1+1", "0012"))
    ]
    return write(tmp_path, "lines", LINE, numbered(rows))


def test_the_workbook(tmp_path: Path, lines: Path) -> None:
    book = tmp_path / "指标.xlsx"
    done = liangku("indicators", lines, "--out", tmp_path / "out", "--xlsx", book, "--lang", "zh")
    assert done.returncode == 0, done.stderr
    opened = openpyxl.load_workbook(book)
    assert opened.sheetnames == ["图表", "图表数据", "合计", "机构等级", "险种", "机构", "口径"]
    charts = opened["图表"]._charts
    assert {type(chart).__name__ for chart in charts} == {"BarChart", "LineChart"}
    sheet = opened["机构"]
    rows = pl.read_parquet(tmp_path / "out" / "indicators.parquet").filter(
        (pl.col("grain") == "institution") & pl.col("care").is_not_null()
    )
    assert (sheet.freeze_panes, sheet.max_row) == ("A2", rows.height + 1)
    assert sheet.auto_filter.ref == f"A1:L{rows.height + 1}"
    heads = [each.value for each in sheet[1]]
    codes = {row[heads.index("机构")].value: row[heads.index("机构")].data_type for row in sheet.iter_rows(min_row=2)}
    # Codes keep their zeros, and what looks like a formula is a text.
    assert codes == {"0012": "s", "=1+1": "s"}
    told = [
        (row[heads.index("月份")].value, row[heads.index("值")].value)
        for row in sheet.iter_rows(min_row=2)
        if row[0].value == "医疗费用总额"
        and row[heads.index("机构")].value == "0012"
        and row[heads.index("就医方式")].value == "全部"
    ]
    assert told == [("全部", 300), ("2026-01", 100), ("2026-02", 200)]
    units = {row[0].value: row[heads.index("单位")].value for row in sheet.iter_rows(min_row=2)}
    assert (units["就诊人次"], units["就诊人数"], units["人均就诊次数"], units["次均费用"]) == (
        "人次",
        "人",
        "次",
        "元",
    )
    meanings = [[cell.value for cell in row] for row in opened["口径"].iter_rows(min_row=2)]
    assert ["药费占比", "ZB10000205001000"] in [row[:2] for row in meanings]
    assert any(row[4] and "settlement_fund_paid" in row[4] for row in meanings)


def test_what_the_terminal_says(tmp_path: Path, lines: Path) -> None:
    said = liangku("indicators", lines, "--out", tmp_path / "out", "--lang", "en").stdout
    assert "4 lines read = 4 used + 0 skipped" in said
    assert "Not computed: Length of stay (lacks visit_end)" in said
    told = liangku("indicators", lines, "--out", tmp_path / "out", "--force", "--json")
    assert json.loads(told.stdout)["visits"]["counted"] == 4


def test_a_workbook_that_is_there_is_not_written_over(tmp_path: Path, lines: Path) -> None:
    book = tmp_path / "book.xlsx"
    book.write_text("mine")
    done = liangku("indicators", lines, "--out", tmp_path / "out", "--xlsx", book)
    assert done.returncode == 2
    assert "文件已存在" in done.stderr
    assert not (tmp_path / "out").exists()
    assert liangku("indicators", lines, "--out", tmp_path / "out", "--xlsx", tmp_path / "book.csv").returncode == 2
    assert liangku("indicators", lines, "--out", tmp_path / "out", "--xlsx", book, "--force").returncode == 0


def test_csv_and_chinese_headers(tmp_path: Path) -> None:
    file = tmp_path / "住院.csv"
    file.write_text(
        "机构编码,住院号,身份证号,国标代码,数量,金额,费用发生日期,收费项目类别,入院日期,出院日期,医疗类别\n"
        "H1,1,110101199003070010,XJ01CAA040E001010199999,1,30.00,2026-01-03,西药费,2026-01-02,2026-01-06,住院\n"
        "H1,1,110101199003070010,,1,70.00,2026-01-04,检查费,2026-01-02,2026-01-06,住院\n",
        encoding="utf-8",
    )
    done = liangku("indicators", file, "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    rows = pl.read_parquet(tmp_path / "out" / "indicators.parquet").filter(
        pl.col("month").is_null() & (pl.col("care") == "inpatient")
    )
    values = dict(rows.filter(pl.col("grain") == "all").select("indicator", "value").iter_rows())
    assert (values["drug_share"], values["examination_share"], values["length_of_stay"]) == (30.0, 70.0, 4.0)


def test_visits_alone_are_no_visits(tmp_path: Path, lines: Path) -> None:
    stays = write(
        tmp_path, "stays", STAY, [{"mdtrt_id": "M9", "psn_no": "P9", "begntime": "2026-01-01", "endtime": "2026-01-03"}]
    )
    done = liangku("indicators", lines, "--visits", stays, "--out", tmp_path / "out", "--json")
    assert json.loads(done.stdout)["visits"]["counted"] == 4
