"""Large JSON files and workbooks: no line is lost, and memory does not grow with the file."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import openpyxl
import pytest

from tests.shared_texts import share_texts

ROOT = Path(__file__).parents[1]
MEMORY_CEILING_MB, JSON_CEILING_MB = 600, 420
MALE_ONLY = "XG04CBA088A001010101467"
JSON_ROWS, SHEET_ROWS = 300_000, 200_000
"""More lines of JSON than a scan keeps in memory. They take some 340 MB; with their text held as a whole it would be 450 MB."""
ROWS = f"""SELECT 'L' || range AS line_id, '2026-03-01 10:00:00' AS fee_ocur_time, '{MALE_ONLY}' AS med_list_codg, 1 AS cnt, 35.5 AS amount,
    CASE WHEN range % 1000 = 0 THEN '2' ELSE '1' END AS gend, 'V' || range // 5 AS mdtrt_id, repeat('某', 20) || range AS remark
    FROM range({JSON_ROWS})"""
HEADER = ("line_id", "fee_ocur_time", "med_list_codg", "cnt", "amount", "gend", "mdtrt_id", "a", "b", "c", "d", "e")


@pytest.fixture(scope="module")
def array(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("json") / "lines.json"
    duckdb.sql(f"COPY ({ROWS}) TO '{path}' (FORMAT json, ARRAY true)")
    return path


def scanned(path: Path, out: Path) -> dict[str, object]:
    # A process counts the memory of the one that starts it as its own peak: a shell is small, a run of all tests is not.
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-m", "checker.cli.main", "scan", path, "--out", out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    return json.loads((out / "run.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("form", ["array", "lines", "wrapped"])
def test_json(array: Path, tmp_path: Path, form: str) -> None:
    path = array
    if form == "lines":
        path = tmp_path / "lines.jsonl"
        duckdb.sql(f"COPY ({ROWS}) TO '{path}' (FORMAT json)")
    if form == "wrapped":
        path = tmp_path / "lines.json"
        path.write_bytes(b'{"code": 0, "data": {"list": ' + array.read_bytes() + b', "total": 1}}')
    run = scanned(path, tmp_path / "out")
    assert run["lines"]["read"] == JSON_ROWS
    assert run["findings"]["violations"]["lines"] == JSON_ROWS // 1000
    assert run["peak_memory_mb"] is None or run["peak_memory_mb"] <= JSON_CEILING_MB


def sheet_rows() -> Iterator[str]:
    """The XML of rows such as Excel writes, every text in its cell."""

    def text(place: str, value: str) -> str:
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'

    yield '<row r="1">' + "".join(text(f"{chr(65 + n)}1", name) for n, name in enumerate(HEADER)) + "</row>"
    for row in range(2, SHEET_ROWS + 2):
        sex = "2" if row % 1000 == 0 else "1"
        cells = (f"L{row}", "2026-03-01 10:00:00", MALE_ONLY, "1", "35.5", sex, f"V{row // 5}", *(f"甲乙丙{row}",) * 5)
        yield f'<row r="{row}">' + "".join(text(f"{chr(65 + n)}{row}", cell) for n, cell in enumerate(cells)) + "</row>"


def test_workbook(tmp_path: Path) -> None:
    empty, path = tmp_path / "empty.xlsx", tmp_path / "lines.xlsx"
    openpyxl.Workbook().save(empty)
    with zipfile.ZipFile(empty) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name in source.namelist():
            content = source.read(name)
            if name.startswith("xl/worksheets/"):
                before, _, after = content.decode().partition("<sheetData")
                with target.open(name, "w") as sheet:
                    sheet.write(f"{before}<sheetData>".encode())
                    sheet.writelines(row.encode() for row in sheet_rows())
                    sheet.write(f"</sheetData>{after.partition('>')[2].removeprefix('</sheetData>')}".encode())
            else:
                target.writestr(name, content)
    run = scanned(path, tmp_path / "out")
    assert run["lines"]["read"] == SHEET_ROWS
    assert run["findings"]["violations"]["lines"] == SHEET_ROWS // 1000
    assert run["peak_memory_mb"] is None or run["peak_memory_mb"] <= MEMORY_CEILING_MB


def test_a_workbook_of_which_a_few_bytes_stand_for_much_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    for row in range(1_400):
        sex = "2" if row < 10 else "1"
        sheet.append((f"L{row}", "2026-03-01 10:00:00", MALE_ONLY, 1, 35.5, sex, f"V{row}", *("长",) * 5))
    path = tmp_path / "lines.xlsx"
    book.save(path)
    # Long only where it stands once: written into each cell it would be some 700 MB.
    share_texts(path, instead={"长": "长" * 32_000})
    assert path.stat().st_size < 1 << 20
    run = scanned(path, tmp_path / "out")
    assert run["lines"]["read"] == 1_400
    assert run["findings"]["violations"]["lines"] == 10
    assert run["peak_memory_mb"] is None or run["peak_memory_mb"] <= MEMORY_CEILING_MB
