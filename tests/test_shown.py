"""What comes from outside may not steer a terminal, turn the order of what is read, or run in a spreadsheet, wherever it is shown."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from checker.model import sqltext
from checker.model.shown import FORMULA, INVISIBLE_SQL, shown
from checker.report.console import SafeConsole, safe

ROOT = Path(__file__).resolve().parents[1]
DECEIVING = {
    "colour": ("甲\x1b[31m片", "甲�[31m片"), "title": ("甲\x1b]0;名\x07片", "甲�]0;名�片"), "link": ("\x1b]8;;x\x07甲", "�]8;;x�甲"),
    "C1": ("甲\x9b2J片", "甲�2J片"), "bell": ("甲\x07片", "甲�片"), "bidi": ("甲\u202e片\u2066", "甲�片�"), "mark": ("\u200f甲\u061c", "�甲�"),
    "zero width": ("甲\u200b\ufeff片", "甲��片"), "tag": ("甲\U000e0041片", "甲�片"), "half": ("甲\ud800片", "甲�片"),
    "lines": ("甲\r\n片\t乙", "甲 片 乙"), "filler": ("甲\u3164片", "甲�片"),
}  # fmt: skip
PLAIN = (
    "小儿退热口服液（片）",
    "全角　空格",
    "维生素Ａ＋Ｄ，１００％",
    "β-内酰胺、α₁",
    "ئۇيغۇر",
    "བཀྲ་ཤིས",
    "𠮷野",
    "葛\U000e0100",
    "〇—…·《》",
)


@pytest.mark.parametrize(("text", "said"), DECEIVING.values(), ids=DECEIVING)
def test_what_steers_hides_or_turns_is_replaced(text: str, said: str) -> None:
    assert shown(text) == said


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_is_left_alone(text: str) -> None:
    assert (shown(text), safe(text)) == (text, text)
    with duckdb.connect() as con:
        row = con.execute(f"SELECT regexp_matches(?, {sqltext.text(INVISIBLE_SQL)})", [text]).fetchone()
    assert row == (False,)


def test_the_engine_finds_the_same_signs() -> None:
    signs = [chr(number) for number in (*range(1, 0xD800), *range(0xE000, 0x10000), 0xE0001, 0xE0041, 0xE0100, 0x20BB7)]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE signs AS SELECT unnest(?) AS sign", [signs])
        rows = con.execute(
            f"SELECT sign FROM signs WHERE regexp_matches(sign, {sqltext.text(INVISIBLE_SQL)})"
        ).fetchall()
    assert {sign for (sign,) in rows} == {sign for sign in signs if shown(sign, lines=True) != sign}


def test_all_that_is_printed_comes_through(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = SafeConsole(width=60, force_terminal=False)
    table = Table("甲\x1b[2J")
    table.add_row("乙\u202e")
    for each in ("丙\x1b]0;x\x07", Text("丁\u2067"), table):
        console.print(each)
    out = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\u202e", "\u2067"} & set(out)
    assert all(word in out for word in "甲乙丙丁")


@pytest.mark.parametrize(
    ("text", "is_run"),
    [
        ("=1+1", True), ("＝1+1", True), ("＋1", True), ("－1", True), ("＠A1", True), ("@A1", True), ("\ufeff=1", True), (" =1", True),
        ("\u3000=1", True), ("\u200b-1", True), ("\t1", True), ("\r1", True), ("丙-丁", False), ("（=）", False), ("１００", False), ("", False),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_is_known(text: str, is_run: bool) -> None:
    with duckdb.connect() as con:
        row = con.execute(f"SELECT regexp_matches(?, {sqltext.text(FORMULA)})", [text]).fetchone()
    assert row == (is_run,)


NAME = "＝cmd\u202e片\x1b[31m"


def liangku(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "checker.cli.main", *words], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )


def test_an_answer_and_a_refusal_show_no_such_sign(tmp_path: Path) -> None:
    sale = {
        "patient": {"sex": "female", "age": 40},
        "lines": [{"item_code": "XG04CBA088A001010101467", "item_name": NAME}],
    }
    file = tmp_path / "sale.json"
    file.write_text(json.dumps(sale), encoding="utf-8")
    for told in (
        liangku("check", str(file)),
        liangku("check", str(file), "--json"),
        liangku("check", str(tmp_path / NAME)),
    ):
        assert not {"\x1b", "\u202e"} & {*told.stdout, *told.stderr}
        assert "�" in told.stdout + told.stderr


def test_findings_for_a_spreadsheet_run_nothing(tmp_path: Path) -> None:
    lines = tmp_path / "lines.csv"
    with lines.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["费用发生日期", "国标代码", "国标名称", "性别", "年龄", "科室"])
        writer.writerow(["2026-03-01", "XG04CBA088A001010101467", NAME, "女", "40", "\ufeff=1+1"])
    done = liangku("scan", str(lines), "--out", str(tmp_path / "out"), "--csv")
    assert done.returncode == 1, done.stderr
    with (tmp_path / "out" / "findings.csv").open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["item_name"] == "'＝cmd�片�[31m"
    assert not {"\x1b", "\u202e"} & set("".join(row.values()))
