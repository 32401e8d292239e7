"""Lines as a hospital writes them, scanned; what the tests of this folder look at."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from tests.commands import liangku

WOMEN, WOMEN_NAME = "002501040140000", "阴道分泌物检查"
SHEET = ("流水号", "机构编码", "机构名称", "住院号", "人员编号", "性别", "出生日期", "医疗类别", "费用发生日期", "国标代码", "国标名称", "项目代码",
         "医院项目名称", "数量", "金额", "开单科室", "开单医生", "诊断编码", "原费用流水号")  # fmt: skip
Row = dict[str, object]


class Sheet:
    """Lines as a hospital writes them, each of its own visit and person unless said otherwise."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, **cells: object) -> str:
        """Add a line; returns its number."""
        number = f"L{len(self.rows) + 1:05d}"
        usual: Row = {
            "流水号": number, "机构编码": "H39010100001", "机构名称": "甲医院", "住院号": f"V{number}", "人员编号": f"P{number}", "性别": "女",
            "出生日期": "1985-03-04", "医疗类别": "11", "费用发生日期": datetime(2026, 2, 1, 9) + timedelta(hours=7 * len(self.rows) % 500),
            "国标代码": "332502039010000", "国标名称": "凝血功能常规检查", "项目代码": "", "医院项目名称": "", "数量": 1, "金额": 20, "开单科室": "内科",
            "开单医生": f"医生{len(self.rows) % 5}", "诊断编码": "", "原费用流水号": "",
        }  # fmt: skip
        self.rows.append(usual | {"项目代码": f"L{cells.get('国标代码', usual['国标代码'])}"} | cells)
        return number

    def scan(self, folder: Path, *further: str) -> Run:
        """Write and scan them."""
        file = folder / "明细.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(
                stream, dict.fromkeys(name for row in (dict.fromkeys(SHEET), *self.rows) for name in row), restval=""
            )
            writer.writeheader()
            writer.writerows(self.rows)
        out = folder / "out"
        done = liangku("scan", file, "--out", out, "--person-key", folder / "person.key", *further)
        assert done.returncode in (0, 1), done.stderr
        return Run(out, done.stdout)


class Run:
    """The results of a scan."""

    def __init__(self, folder: Path, said: str) -> None:
        self.folder, self.said = folder, said
        self.document = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        self.findings, self.clusters, self.quality, self.denominators = (
            pl.read_parquet(folder / f"{name}.parquet") for name in ("findings", "clusters", "quality", "denominators")
        )

    def classes(self) -> dict[str, str | None]:
        """The class of each line's finding."""
        return dict(self.findings.select("line_id", "class").iter_rows())


def elsewhere(sheet: Sheet, lines: int = 60) -> None:
    """Other institutions that charge the women's item to women."""
    for place in range(lines):
        sheet.add(
            机构编码=f"H3901010{1000 + place % 3}",
            机构名称=f"乙医院{place % 3}",
            国标代码=WOMEN,
            国标名称=WOMEN_NAME,
            医院项目名称=WOMEN_NAME,
        )


def codes(rule: str, condition: str, count: int) -> list[str]:
    """The first codes of items that a rule of the embedded knowledge limits."""
    built = Path(__file__).resolve().parents[2] / "knowledge_base" / "built"
    found = duckdb.sql(
        f"""SELECT DISTINCT code FROM '{built}/point.parquet' JOIN '{built}/pattern.parquet' USING (point_id) JOIN '{built}/item.parquet' USING (point_id)
        WHERE rule_id = '{rule}' AND match = 'code' AND {condition} AND valid_to IS NULL ORDER BY code LIMIT {count}"""
    ).fetchall()
    return [code for (code,) in found]
