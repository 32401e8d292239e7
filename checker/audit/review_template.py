"""The sheet in which findings are decided: one row a finding that nobody decided yet, and empty cells for what is decided."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from checker.audit.decisions import read_decisions
from checker.audit.review_findings import violations
from checker.audit.run_folder import RunFolder
from checker.model.errors import InputError, both
from checker.model.id_number import without_id_numbers
from checker.model.private_files import for_owner_alone
from checker.model.shown import TAG, no_formula, shown
from checker.model.whole_file import whole_book, write_whole
from checker.model.words import CLASSES, DECISIONS, REVIEW_COLUMNS

_NO_LIBRARY = both(
    "写工作簿需要附加组件，请运行 pip install 'liangku[sheets]'，或把文件名改为 .csv",
    "workbooks need an extra: install liangku[sheets], or name a .csv file",
)
_ROWS_MOST = 500_000
"""What is read again in one sheet, and what a spreadsheet holds."""
_WIDTHS = {"finding_id": 24, "institution": 28, "item": 28, "rule": 20, "reason": 40, "class": 28}
_USUAL_WIDTH = 14


def write_template(run: RunFolder, file: Path, language: str) -> int:
    """Write the sheet, as the end of the file's name says, and return how many findings it has.

    Raises InputError where the file cannot be written, is there already, or is to be of another kind.
    """
    kind = file.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise InputError(f"--out {file}：" + both("文件名请以 .csv 或 .xlsx 结尾", "name a .csv or .xlsx file"))
    if file.exists():
        # Somebody may have filled it in meanwhile.
        raise InputError(
            f"--out {file}：" + both("已有这个文件，不会覆盖，请换一个名称", "it exists: choose another name")
        )
    decided = read_decisions(run.folder)
    findings = violations(run).filter(~pl.col("finding_id").is_in([*decided]))
    if findings.height > _ROWS_MOST:
        raise InputError(
            f"--out {file}："
            + both(
                f"有 {findings.height:,} 个疑点，一张表最多 {_ROWS_MOST:,} 个，请分批扫描后再审核",
                f"{findings.height:,} findings, a sheet takes {_ROWS_MOST:,}: scan in parts",
            )
        )
    headers = [said[language == "en"] for said in REVIEW_COLUMNS.values()]
    with for_owner_alone():
        write = _write_csv if kind == ".csv" else _write_workbook
        write(file, headers, _rows(findings, language), language)
    return findings.height


def _rows(findings: pl.DataFrame, language: str) -> Iterator[list[str]]:
    for row in findings.sort("institution_id", "rule_id", "service_time", "finding_id", nulls_last=True).iter_rows(
        named=True
    ):
        stake = row["amount_at_stake"]
        told = {
            "finding_id": row["finding_id"],
            "institution": row["institution_name"] or row["institution_id"],
            "line": row["line_id"],
            "item": row["item_name"] or row["item_code"],
            "day": row["service_time"] and f"{row['service_time']:%Y-%m-%d}",
            "rule": row["rule_name"],
            "expected": row["expected"],
            "actual": row["actual"],
            "person": row["person_hash"],
            "class": CLASSES[row["class"]][language == "en"] if row["class"] in CLASSES else row["class"],
            "cluster": row["cluster_id"],
            "amount_at_stake": None if stake is None else f"{stake:.2f}",
        }
        # A tag would have the sheet refused when it is read again.
        yield [re.sub(f"<(?={TAG[1:]})", "＜", without_id_numbers(told.get(name) or "")) for name in REVIEW_COLUMNS]


def _write_csv(file: Path, headers: Sequence[str], rows: Iterator[list[str]], _: str) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows([no_formula(cell) for cell in row] for row in rows)
    write_whole(file, f"\ufeff{stream.getvalue()}")


def _write_workbook(file: Path, headers: Sequence[str], rows: Iterator[list[str]], language: str) -> None:
    try:
        with whole_book(file) as book:
            sheet = book.add_worksheet("审核" if language != "en" else "Review")
            bold = book.add_format({"bold": True})
            for column, name in enumerate(REVIEW_COLUMNS):
                sheet.set_column(column, column, _WIDTHS.get(name, _USUAL_WIDTH))
            # `write_string` alone: `write` would take texts for numbers.
            for column, header in enumerate(headers):
                sheet.write_string(0, column, header, bold)
            last = 0
            for last, cells in enumerate(rows, 1):
                for column, text in enumerate(cells):
                    if text:
                        sheet.write_string(last, column, shown(text))
            at = list(REVIEW_COLUMNS).index("decision")
            words = [said[language == "en"] for said in DECISIONS.values()]
            sheet.data_validation(1, at, max(last, 1), at, {"validate": "list", "source": words})
            sheet.freeze_panes(1, 0)
    except ImportError as error:
        raise InputError(_NO_LIBRARY) from error
