"""`liangku report`: workbooks that people open: what they say, what they hide, and what they refuse."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from checker.audit.deadline import deadline
from checker.model.words import CLASS_MEANINGS, CLASSES, CLUSTER_KINDS, CLUSTER_MEANINGS
from checker.report.workbook.sheet import LONGEST_CELL
from tests.audit.runs import change_findings, sample_run
from tests.commands import liangku


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the samples, some lines with what an institution's sheet may hold."""
    return sample_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def file(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook of the run."""
    file = tmp_path_factory.mktemp("book") / "报告.xlsx"
    done = liangku("report", run, "--xlsx", file)
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture(scope="module")
def book(file: Path) -> openpyxl.Workbook:
    """The same, its formulas as they are written."""
    return openpyxl.load_workbook(file)


@pytest.fixture(scope="module")
def values(file: Path) -> openpyxl.Workbook:
    """The same, in place of its formulas the values beside them."""
    return openpyxl.load_workbook(file, data_only=True)


@pytest.fixture(scope="module")
def institutions(run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder with a workbook for each institution, and what the command said of it."""
    folder = tmp_path_factory.mktemp("institutions") / "out"
    done = liangku("report", run, "--by", "institution", "--out", folder, "--from", "2026-09-28", "--json")
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)["institutions"]


@pytest.fixture(scope="module")
def odd(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Worksheet:
    """The findings of a run with values that spreadsheets do not hold, or take for something else."""
    folder = tmp_path_factory.mktemp("odd")
    shutil.copytree(run, folder / "run")
    change_findings(
        folder / "run",
        {
            "item_name": "'=cmd|'' /c calc''!A1'",
            "department": "repeat('长', 40000)",
            "prescriber": "repeat(chr(131083), 40000)",
            "local_item_name": "'内' || chr(8238) || '外'",
            "service_time": "TIMESTAMP '1850-01-02 03:04:05'",
        },
        only="source_record % 20 = 0",
    )
    assert liangku("report", folder / "run", "--xlsx", folder / "a.xlsx").returncode == 0
    return openpyxl.load_workbook(folder / "a.xlsx")["疑点明细"]


def rows(sheet: Worksheet, head: int) -> list[dict[str, object]]:
    """The rows of a sheet by their headings, which stand in row `head`."""
    titles = [cell.value for cell in sheet[head]]
    return [dict(zip(titles, (cell.value for cell in row), strict=True)) for row in sheet.iter_rows(min_row=head + 1)]


def test_sheets_stand_in_the_order_in_which_they_are_read(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == [
        "总览", "按规则", "按机构", "按科室", "按医生", "按项目", "按月", "聚集", "数据质量", "疑点明细", "主动退回清单", "无法判断", "豁免", "方法",
    ]  # fmt: skip


def test_the_overview_adds_up(book: openpyxl.Workbook, run: Path) -> None:
    told = {str(row[0].value).strip(): row[1].value for row in book["总览"].iter_rows()}
    assert told["读入明细（行）"] == told["判断"] + told["跳过"] + told["无法读取"]
    lines = pl.read_parquet(run / "findings.parquet").filter(pl.col("verdict") == "violation").group_by("source_file", "source_record").agg(
        pl.col("amount_at_stake").max(), pl.col("class").is_null().any().alias("left")
    )  # fmt: skip
    assert told["违规疑点（行）"] == lines.height
    assert told["违规疑点涉及金额（元，每行只计一次）"] == pytest.approx(float(lines["amount_at_stake"].sum()))


def test_every_violation_is_a_row_and_its_codes_are_text(book: openpyxl.Workbook, run: Path) -> None:
    findings = pl.read_parquet(run / "findings.parquet").filter(pl.col("verdict") == "violation")
    told = rows(book["疑点明细"], 3)
    assert {row["疑点编号"] for row in told} == set(findings["finding_id"])
    for row in told:
        assert isinstance(row["医保编码"], str)
        assert isinstance(row["费用发生时间"], datetime)
        assert row["级别" if "级别" in row else "程度"] in ("明确违规", "可疑", "提示")
    assert book["疑点明细"].freeze_panes == "A4"
    assert book["疑点明细"].auto_filter.ref.startswith("A3:")


def test_rankings_are_of_what_is_left_per_ten_thousand_lines(book: openpyxl.Workbook, run: Path) -> None:
    findings = pl.read_parquet(run / "findings.parquet").filter(
        (pl.col("verdict") == "violation") & pl.col("class").is_null()
    )
    of = pl.read_parquet(run / "denominators.parquet").filter(pl.col("by") == "institution")
    for row in rows(book["按机构"], 3):
        lines = (
            findings.filter(pl.col("institution_id") == row["机构编码"])
            .select("source_file", "source_record")
            .n_unique()
        )
        assert row["其中待核实（行）"] == lines
        covered = of.filter(pl.col("institution_id") == row["机构编码"])["lines"].item()
        assert row["每万行待核实疑点"] == pytest.approx(10_000 * lines / covered)


def test_the_refund_list_sums_by_formula_with_the_value_beside_it(
    book: openpyxl.Workbook, values: openpyxl.Workbook
) -> None:
    formulas, told = (each["主动退回清单"] for each in (book, values))
    head = [cell.value for cell in formulas[4]]
    place = head.index("拟退回金额（元）")
    assert str(formulas[3][place].value).startswith("=SUBTOTAL(109,")
    wanted = sum(float(row["拟退回金额（元）"] or 0) for row in rows(told, 4))  # type: ignore[arg-type]
    assert told[3][place].value == pytest.approx(wanted)
    assert wanted > 0
    assert {row["程度"] for row in rows(told, 4) if row["拟退回金额（元）"]} == {"明确违规"}


def test_persons_are_masked_unless_they_are_asked_for(run: Path, book: openpyxl.Workbook, tmp_path: Path) -> None:
    assert "人员编号" not in [cell.value for cell in book["疑点明细"][3]]
    assert any("代码" in str(row[1].value) for row in book["方法"].iter_rows())
    assert liangku("report", run, "--xlsx", tmp_path / "a.xlsx", "--show-identities").returncode == 0
    shown = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert "人员编号" in [cell.value for cell in shown["疑点明细"][3]]
    assert any("请勿外传" in str(row[1].value) for row in shown["方法"].iter_rows())


LINE = ("source_file", "source_record")


def of_lines(run: Path, *keys: str) -> pl.DataFrame:
    """Each violating line once for each of the groups by `keys`: whether it is left, whose it is, and its money."""
    return (
        pl.read_parquet(run / "findings.parquet")
        .filter(pl.col("verdict") == "violation")
        .group_by(*keys, *LINE)
        .agg(
            pl.col("class").is_null().any().alias("left"),
            pl.col("person_hash").first(),
            pl.col("amount_at_stake").filter(pl.col("class").is_null()).max().alias("stake"),
        )
    )


def test_counts_of_few_persons_are_hidden_on_request(run: Path, tmp_path: Path) -> None:
    assert liangku("report", run, "--xlsx", tmp_path / "a.xlsx", "--min-cell", "5").returncode == 0
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    hidden = 0
    for sheet, key, title in (("按项目", "item_code", "医保编码"), ("按规则", "rule_name", "规则")):
        lines = of_lines(run, key)
        for row in rows(book[sheet], 3):
            own = lines.filter(pl.col(key) == row[title])
            left, explained = own.filter("left"), own.filter(~pl.col("left"))
            few = [part.height > 0 and part["person_hash"].drop_nulls().n_unique() < 5 for part in (left, explained)]
            told = ("其中待核实（行）", "人数", "待核实涉及金额（元）")
            assert {row[name] is None for name in told} == {few[0]}, row
            assert (row["其中另有原因（行）"] is None) == few[1], row
            # The sum of both would tell the one that is not told.
            assert (row["违规疑点（行）"] is None) == any(few), row
            hidden += any(few)
    assert hidden > 5
    unclear = (
        pl.read_parquet(run / "findings.parquet")
        .filter(pl.col("verdict") == "undetermined")
        .group_by("institution_id")
        .agg(pl.col("person_hash").n_unique())
    )
    for row in rows(book["按机构"], 3):
        persons = unclear.filter(pl.col("institution_id") == row["机构编码"])["person_hash"]
        assert (row["无法判断（行）"] is None) == (0 < persons.sum() < 5)


def test_money_of_a_line_hit_by_two_rules_counts_once(run: Path, book: openpyxl.Workbook, tmp_path: Path) -> None:
    lines = of_lines(run, "institution_id")
    findings = pl.read_parquet(run / "findings.parquet").filter(
        (pl.col("verdict") == "violation") & pl.col("class").is_null()
    )
    assert findings["amount_at_stake"].sum() > lines["stake"].sum(), "no line of the samples is hit twice"
    told = {row["机构编码"]: row["待核实涉及金额（元）"] for row in rows(book["按机构"], 3)}
    for (institution,), own in lines.group_by("institution_id"):
        assert told[institution] == pytest.approx(float(own["stake"].sum() or 0))
    overview = {str(row[0].value): row[1].value for row in book["总览"].iter_rows(max_row=6)}
    assert sum(told.values()) == pytest.approx(overview["　其中待核实"])  # type: ignore[arg-type]
    definite = findings.filter(pl.col("level") == "definite").group_by(*LINE).agg(pl.col("amount_at_stake").max())
    refunds = [float(row["拟退回金额（元）"] or 0) for row in rows(book["主动退回清单"], 4)]  # type: ignore[arg-type]
    assert sum(refunds) == pytest.approx(float(definite["amount_at_stake"].sum()))


def test_months_without_findings_are_told_and_compared_with_the_one_before(run: Path, book: openpyxl.Workbook) -> None:
    told = rows(book["按月"], 3)
    of = pl.read_parquet(run / "denominators.parquet").filter(pl.col("by") == "month")
    assert [row["月份"] for row in told] == sorted(of["month"])
    assert any(row["其中待核实（行）"] == 0 for row in told)
    for before, row in pairwise(told):
        assert row["上月待核实（行）"] == before["其中待核实（行）"]


def test_what_institutions_send_is_text_and_never_a_formula_and_long_texts_are_cut(odd: Worksheet) -> None:
    for row in odd.iter_rows(min_row=4):
        assert {cell.data_type for cell in row} <= {"s", "n", "d", "inlineStr"}
    first = rows(odd, 3)[0]
    assert first["项目名称"] == "=cmd|' /c calc'!A1"
    assert len(str(first["科室"])) <= LONGEST_CELL
    assert str(first["科室"]).endswith("（已截断）")
    assert chr(8238) not in str(first["院内名称"])


def test_what_spreadsheets_do_not_hold_is_text_that_they_do(odd: Worksheet) -> None:
    first = rows(odd, 3)[0]
    assert first["费用发生时间"] == "1850-01-02 03:04:05"
    # Each of the rare signs is two of what a cell holds 32,767 of.
    assert str(first["医生"]).endswith("（已截断）")
    assert len(str(first["医生"])) < LONGEST_CELL / 2 + 10


def test_each_institution_gets_its_own_and_nothing_of_others(
    run: Path, institutions: tuple[Path, dict[str, Any]]
) -> None:
    folder, told = institutions
    # 1 to 7 October are holidays, and 10 October, a Saturday, is worked.
    assert (told["deadline"], told["holidays_known"]) == ("2026-10-16", True)
    findings = pl.read_parquet(run / "findings.parquet").filter(pl.col("verdict").is_in(["violation", "undetermined"]))
    assert {each["institution_id"] for each in told["workbooks"]} == set(findings["institution_id"])
    assert {file.name for file in folder.iterdir()} == {each["file"] for each in told["workbooks"]} | {"run.json"}
    each = told["workbooks"][0]
    book = openpyxl.load_workbook(folder / each["file"])
    answers = rows(book["疑点与申诉"], 4)
    own = findings.filter((pl.col("institution_id") == each["institution_id"]) & (pl.col("verdict") == "violation"))
    assert {row["疑点编号"] for row in answers} == set(own["finding_id"])
    assert {row["申诉意见"] for row in answers} == {None}
    assert {row["申诉截止日"] for row in answers} == {datetime(2026, 10, 16)}
    assert all(row["依据"] for row in answers)


def test_an_institution_too_large_for_memory_gets_the_same(
    run: Path, institutions: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(folder: Path) -> dict[str, list[tuple[object, ...]]]:
        return {
            f"{file.name} {sheet.title}": [*sheet.iter_rows(values_only=True)]
            for file in sorted(folder.glob("*.xlsx"))
            for sheet in openpyxl.load_workbook(file)
        }

    monkeypatch.setattr("checker.audit.run_folder.HELD_FINDINGS", 0)
    done = liangku("report", run, "--by", "institution", "--out", tmp_path / "viewed", "--from", "2026-09-28")
    assert done.returncode == 0, done.stderr
    assert held(tmp_path / "viewed") == held(institutions[0])


def test_institutions_of_odd_names_get_files_of_their_own(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    change_findings(
        folder,
        {
            "institution_id": "CASE source_record % 4 WHEN 0 THEN '../a' WHEN 1 THEN '.._a' WHEN 2 THEN NULL ELSE repeat('x', 300) END",
            "institution_name": "'../../etc'",
        },
    )
    done = liangku("report", folder, "--by", "institution", "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    names = {each["file"] for each in json.loads(done.stdout)["institutions"]["workbooks"]}
    assert len(names) == 4
    assert all("/" not in name and not name.startswith(".") and len(name) <= 70 for name in names)


def test_a_sample_is_drawn_by_stratum_and_is_the_same_for_one_seed(run: Path, tmp_path: Path) -> None:
    def draw(name: str, *further: str) -> list[object]:
        done = liangku("report", run, "--sample", "20", "--xlsx", tmp_path / name, *further)
        assert done.returncode == 0, done.stderr
        assert "种子" in done.stdout
        return [row["疑点编号"] for row in rows(openpyxl.load_workbook(tmp_path / name)["抽样核查"], 3)]

    first = draw("a.xlsx", "--seed", "7")
    assert first == draw("b.xlsx", "--seed", "7")
    assert first != draw("c.xlsx", "--seed", "8")
    findings = pl.read_parquet(run / "findings.parquet").filter(
        (pl.col("verdict") == "violation") & pl.col("class").is_null()
    )
    drawn = findings.filter(pl.col("finding_id").is_in(first))
    assert drawn.height == 20
    for rule, count in findings.group_by("rule_id").len().rows():
        assert abs(drawn.filter(pl.col("rule_id") == rule).height - 20 * count / findings.height) <= 1


@pytest.mark.parametrize(("totals", "head"), [(("refund",), 4), ((), 3)])
def test_more_findings_than_a_sheet_holds_go_on_upon_the_next(
    run: Path, tmp_path: Path, totals: tuple[str, ...], head: int
) -> None:
    from xlsxwriter import Workbook

    from checker.audit.run_folder import open_run
    from checker.audit.tables import report_tables
    from checker.report.workbook.sheet import Styles, write_table

    table = report_tables(language="zh")["answer"]
    connection = open_run(run).connect()
    with Workbook(tmp_path / "a.xlsx", {"constant_memory": True}) as book:
        count = write_table(book, Styles.of(book), connection, table, english=False, totals=totals, most_rows=50 + head)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx", data_only=True)
    assert book.sheetnames == [
        f"疑点与申诉{'' if number == 1 else f' {number}'}" for number in range(1, -(-count // 50) + 1)
    ]
    assert {sheet.auto_filter.ref.rpartition(":")[2][2:] for sheet in [*book][:-1]} == {str(50 + head)}
    told = [row for sheet in book for row in rows(sheet, head)]
    assert len({row["疑点编号"] for row in told}) == len(told) == count


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "run.json").unlink(), "没有 run.json"),
        (lambda folder: (folder / "run.json").write_text("[]"), "不是扫描的结果"),
        (lambda folder: (folder / "clusters.parquet").unlink(), "结果不完整"),
        (lambda folder: (folder / "quality.parquet").write_bytes(b"PAR1"), "扫描之后被改动过"),
        (lambda folder: (folder / "run.json").write_text("[" * 100_000), "无法读取"),
        (lambda folder: _without(folder, "results"), "由旧版本生成"),
        (lambda folder: _without(folder, "engine"), "engine.name 不是本版本"),
        (lambda folder: _without(folder, "not_judged"), "not_judged 不是本版本"),
        (lambda folder: _without_column(folder), "由别的版本生成"),
    ],
)  # fmt: skip
def test_a_run_that_is_incomplete_altered_or_of_another_version_is_refused(
    run: Path, tmp_path: Path, damage, words: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    damage(folder)
    done = liangku("report", folder, "--xlsx", tmp_path / "a.xlsx")
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "a.xlsx").exists()


def _without(folder: Path, key: str) -> None:
    document = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    del document[key]
    (folder / "run.json").write_text(json.dumps(document), encoding="utf-8")


def _without_column(folder: Path) -> None:
    change_findings(folder, {}, without="class")


@pytest.mark.parametrize(
    ("option", "file", "words"),
    [
        ("--xlsx", "{run}/findings.parquet", "以 .xlsx 结尾"),
        ("--xlsx", "{run}/a.xlsx", "不能写进扫描结果的文件夹"),
        ("--html", "{run}/../a.csv", "以 .html 结尾"),
        ("--xlsx", "{run}/../none/a.xlsx", "文件夹不存在"),
    ],
)
def test_places_that_hold_something_else_are_refused(run: Path, option: str, file: str, words: str) -> None:
    before = {each.name: each.stat().st_size for each in run.iterdir()}
    done = liangku("report", run, option, file.format(run=run))
    assert done.returncode == 2
    assert words in done.stderr
    assert {each.name: each.stat().st_size for each in run.iterdir()} == before


@pytest.mark.parametrize(
    "asked",
    [
        ("report", "{run}", "--by", "institution", "--out", "{run}", "--force"),
        ("review", "template", "{run}", "--out", "{run}/a.csv"),
    ],
)
def test_nothing_is_written_into_the_folder_of_a_run(run: Path, tmp_path: Path, asked: tuple[str, ...]) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    done = liangku(*(each.format(run=folder) for each in asked))
    assert done.returncode == 2
    assert "结果" in done.stderr
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == {
        each.name: each.read_bytes() for each in run.iterdir()
    }


def test_a_line_that_two_rules_hit_is_refunded_once(run: Path, values: openpyxl.Workbook, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    change_findings(folder, {"finding_id": "finding_id || i", "rule_id": "rule_id || i"}, times=2)
    assert liangku("report", folder, "--xlsx", tmp_path / "a.xlsx").returncode == 0
    told = [book["主动退回清单"] for book in (values, openpyxl.load_workbook(tmp_path / "a.xlsx", data_only=True))]
    place = [cell.value for cell in told[0][4]].index("拟退回金额（元）")
    assert told[1].max_row - 4 == 2 * (told[0].max_row - 4)
    assert told[0][3][place].value == told[1][3][place].value > 0


def test_usage_that_cannot_be_meant_is_refused(run: Path, tmp_path: Path) -> None:
    assert liangku("report", run).returncode == 2
    assert liangku("report", run, "--by", "institution").returncode == 2
    assert liangku("report", run, "--sample", "3", "--by", "institution", "--out", tmp_path / "o").returncode == 2
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    assert liangku("report", run, "--by", "institution", "--out", tmp_path / "full", "--force").returncode == 2


@pytest.mark.parametrize(
    ("start", "days", "until", "known"),
    [
        (date(2026, 2, 13), 1, date(2026, 2, 14), True),  # a Saturday that is worked before the Spring Festival
        (date(2026, 2, 14), 1, date(2026, 2, 24), True),
        (date(2030, 1, 4), 1, date(2030, 1, 7), False),
    ],
)  # fmt: skip
def test_deadlines_skip_holidays_and_say_where_these_are_not_known(
    start: date, days: int, until: date, known: bool
) -> None:
    assert deadline(start, days) == (until, known)


def test_it_is_english_where_that_is_asked_for(run: Path, tmp_path: Path) -> None:
    assert liangku("report", run, "--xlsx", tmp_path / "a.xlsx", "--lang", "en").returncode == 0
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames[:3] == ["Overview", "By rule", "By institution"]
    assert "Item code" in [cell.value for cell in book["Findings"][3]]
    # The scan worded its findings in Chinese, which is said where they are English otherwise.
    told = {str(row[0].value).strip(): str(row[1].value) for row in book["Overview"].iter_rows()}
    assert "in Chinese; scan again with --lang en" in told["Note: the words of findings"]
    meanings = {row[0].value: row[1].value for row in book["Method"].iter_rows()}
    for name, meaning in (*CLASS_MEANINGS.items(), *CLUSTER_MEANINGS.items()):
        assert meanings[{**CLASSES, **CLUSTER_KINDS}[name][1]] == meaning[1]
