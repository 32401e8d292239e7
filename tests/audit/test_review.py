"""What became of findings: the sheet, what is taken in from it and what is refused, how it is counted, and how it goes on to the next run."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from checker.audit.decisions import file_of
from checker.knowledge.cell_reader import Faults
from checker.knowledge.exemption_text import read_exemptions
from checker.model.folder_lock import FolderLock
from checker.model.wilson import interval
from checker.model.words import REVIEW_COLUMNS
from tests.audit.runs import sample_run
from tests.commands import ROOT, Done, liangku

POINT = "drug-sex-01-0080"
"""A point with dozens of findings in the samples."""
HEADERS = [said[0] for said in REVIEW_COLUMNS.values()]
Row = dict[str, str]


def scan(out: Path, *more: str | Path) -> None:
    done = liangku("scan", *more, "--out", out, "--max-rejects", "50%", "--lang", "zh")
    assert done.returncode in (0, 1), done.stderr


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_run(tmp_path_factory.mktemp("scanned"))


@pytest.fixture
def run(scanned: Path, tmp_path: Path) -> Path:
    """A run about which nothing is decided yet."""
    return Path(shutil.copytree(scanned, tmp_path / "run"))


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A month, and a later run that holds it and more."""
    folder = tmp_path_factory.mktemp("months")
    month = ROOT / "data/samples/months/2026-03.zip"
    scan(folder / "march", month)
    scan(folder / "quarter", month, ROOT / "data/samples/pharmacy/sales.csv")
    return folder / "march", folder / "quarter"


def findings(run: Path, verdict: str = "violation") -> list[dict[str, object]]:
    return pl.read_parquet(run / "findings.parquet").filter(pl.col("verdict") == verdict).to_dicts()


def sheet(
    run: Path,
    rows: Sequence[Mapping[str, object]],
    header: Sequence[str] = ("疑点编号", "审核结论", "退回金额（元）", "理由"),
) -> Path:
    file = run.parent / "filled.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.DictWriter(stream, header, restval="")
        writer.writeheader()
        writer.writerows(rows)  # type: ignore[arg-type]
    return file


def decided(finding: object, decision: str, amount: object = "", reason: str = "") -> dict[str, object]:
    return {"疑点编号": finding, "审核结论": decision, "退回金额（元）": amount, "理由": reason}


def take_in(run: Path, *rows: Mapping[str, object], more: Sequence[str] = ()) -> Done:
    return liangku("review", "import", run, sheet(run, rows), "--lang", "zh", *more)


def kept(run: Path) -> dict[str, Row]:
    with file_of(run).open(encoding="utf-8-sig", newline="") as stream:
        return {row["finding_id"]: row for row in csv.DictReader(stream)}


def shown(run: Path, *more: str) -> dict[str, object]:
    done = liangku("review", "show", run, "--json", *more)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


# ------------------------------------------------------------------------------------------------ the sheet


def read_csv_sheet(file: Path) -> list[list[str]]:
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    return list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines()))


def read_workbook(file: Path) -> list[list[str]]:
    cells = [list(row) for row in openpyxl.load_workbook(file).active.iter_rows()]
    assert {cell.data_type for row in cells for cell in row if cell.value is not None} == {"s"}
    return [[cell.value or "" for cell in row] for row in cells]


@pytest.mark.parametrize(("name", "read"), [("t.csv", read_csv_sheet), ("t.xlsx", read_workbook)])
def test_the_sheet_holds_the_violations_that_nobody_decided(
    run: Path, name: str, read: Callable[[Path], list[list[str]]]
) -> None:
    known = findings(run)
    first = known[0]["finding_id"]
    assert take_in(run, decided(first, "属实")).returncode == 0
    out = run.parent / name
    assert liangku("review", "template", run, "--out", out, "--lang", "zh").returncode == 0
    assert os.name == "nt" or out.stat().st_mode & 0o777 == 0o600
    header, *rows = read(out)
    assert header == HEADERS
    assert {row[0] for row in rows} == {each["finding_id"] for each in known} - {first}
    assert all(row[10:13] == ["", "", ""] for row in rows)
    by_id = {each["finding_id"]: each for each in known}
    for row in rows:
        finding = by_id[row[0]]
        assert row[8] == (finding["person_hash"] or "")
        assert finding["patient_id"] not in row


def test_a_sheet_that_is_there_is_not_written_over(run: Path) -> None:
    out = run.parent / "t.csv"
    out.write_text("filled in", encoding="utf-8")
    done = liangku("review", "template", run, "--out", out)
    assert done.returncode == 2
    assert out.read_text(encoding="utf-8") == "filled in"


def test_a_name_that_a_spreadsheet_would_run_is_made_plain_in_the_sheet(tmp_path: Path) -> None:
    lines = tmp_path / "lines.csv"
    lines.write_text(
        "流水号,药店名称,销售时间,国家医保编码,药品名称,数量,金额,性别\n"
        "1,=1+1<b>,2026-03-01,XG04CBA088A001010101467,爱普列特片,1,10,女\n",
        encoding="utf-8",
    )
    scan(tmp_path / "run", lines)
    for name in ("t.csv", "t.xlsx"):
        out = tmp_path / name
        assert liangku("review", "template", tmp_path / "run", "--out", out, "--lang", "zh").returncode == 0
        # What is written is read again, whatever names the input had.
        done = liangku("review", "import", tmp_path / "run", out, "--lang", "zh")
        assert done.returncode == 0, done.stderr
        assert "没有填结论 1" in done.stdout
    assert read_csv_sheet(tmp_path / "t.csv")[1][1] == "'=1+1＜b>"
    assert read_workbook(tmp_path / "t.xlsx")[1][1] == "=1+1＜b>"


# ------------------------------------------------------------------------------------------------ taking in


def test_decisions_are_kept_beside_the_run_and_nothing_in_it_changes(run: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    one, two, three = (each["finding_id"] for each in findings(run)[:3])
    stake = findings(run)[1]["amount"]
    done = take_in(
        run,
        decided(one, "不属实", reason="=性别登记有误"),
        decided(two, " Refunded ", stake),
        decided(three, ""),
        more=["--by", "=李审核"],
    )
    assert done.returncode == 0, done.stderr
    assert "新增 2，更改 0，原已如此 0；没有填结论 1" in done.stdout
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert file_of(run) == run.parent / "run.review.csv"
    assert os.name == "nt" or file_of(run).stat().st_mode & 0o777 == 0o600
    assert {(row["decision"], row["by"]) for row in kept(run).values()} == {
        ("refuted", "'=李审核"),
        ("refunded", "'=李审核"),
    }
    assert float(kept(run)[str(two)]["amount"]) == float(stake)  # type: ignore[arg-type]
    assert (
        "新增 0，更改 0，原已如此 2"
        in liangku("review", "import", run, run.parent / "filled.csv", "--lang", "zh").stdout
    )


def test_a_workbook_is_taken_in(run: Path) -> None:
    out = run.parent / "t.xlsx"
    assert liangku("review", "template", run, "--out", out, "--lang", "en").returncode == 0
    book = openpyxl.load_workbook(out)
    page = book.active
    page["K2"], page["L2"], page["K3"], page["M3"] = "已退回", 0.01, "refuted", "性别登记有误"
    book.create_sheet("说明")["A1"] = "填写说明"
    book.save(out)
    done = liangku("review", "import", run, out, "--lang", "zh")
    assert done.returncode == 0, done.stderr
    assert "没有读取的工作表：说明" in done.stdout
    assert kept(run)[page["A2"].value]["amount"] == "0.01"
    assert kept(run)[page["A3"].value]["reason"] == "性别登记有误"


def test_merged_cells_are_refused_for_only_the_first_has_a_value(run: Path) -> None:
    out = run.parent / "t.xlsx"
    assert liangku("review", "template", run, "--out", out, "--lang", "zh").returncode == 0
    book = openpyxl.load_workbook(out)
    book.active["K2"] = "属实"
    book.active.merge_cells("K2:K4")
    book.save(out)
    done = liangku("review", "import", run, out)
    assert done.returncode == 2
    assert "“审核” K2:K4" in done.stderr
    assert not file_of(run).exists()


def test_a_refund_of_a_line_without_amount_is_taken_in_and_told(quarter: tuple[Path, Path], tmp_path: Path) -> None:
    run = Path(shutil.copytree(quarter[1], tmp_path / "run"))
    finding = next(each["finding_id"] for each in findings(run) if each["amount"] is None)
    done = take_in(run, decided(finding, "已退回", "１２.５"))
    assert "1 个退回金额无法核对" in done.stdout
    assert kept(run)[str(finding)]["amount"] == "12.50"
    total = shown(run)["total"]
    assert (total["no_amount"], total["refunded_yuan"]) == (1, "12.50")  # type: ignore[index]


def test_every_fault_is_named_with_its_place_and_nothing_is_taken_in(run: Path) -> None:
    known = [each["finding_id"] for each in findings(run)]
    undetermined = findings(run, "undetermined")[0]["finding_id"]
    done = take_in(
        run,
        decided(known[0], "属实"),
        decided(known[1], "可能"),
        decided(known[2], "已退回", "99999"),
        decided(known[3], "已退回", "两百"),
        decided(known[4], "已退回", "-5"),
        decided(known[5], "已退回"),
        decided(known[6], "属实", "5"),
        decided("0" * 32, "属实"),
        decided(undetermined, "属实"),
        decided(known[0], "不属实"),
        decided("", "属实"),
        decided(known[7], "", "5"),
        decided("110101199005010048", "属实"),
        decided(known[8], "属实", "NaN"),
        decided(known[9], "已退回", "-inf"),
        decided(known[10], "", "nan"),
    )
    assert done.returncode == 2
    told = done.stderr.splitlines()
    for place, value, remedy in (
        ("第 3 行“审核结论”(B3)", "可能", "请写属实、不属实或已退回"),
        ("第 4 行“退回金额(元)”(C4)", "99999", "请写不超过它的金额"),
        ("第 5 行“退回金额(元)”(C5)", "两百", "如 128.50"),
        ("第 6 行“退回金额(元)”(C6)", "-5", "大于 0"),
        ("第 7 行“退回金额(元)”(C7)", "没有填", "请写退回的金额"),
        ("第 8 行“退回金额(元)”(C8)", "5", "只有已退回才写金额"),
        ("第 9 行“疑点编号”(A9)", "0" * 32, "这次扫描里没有这个疑点"),
        ("第 10 行“疑点编号”(A10)", str(undetermined), "这一条是“无法判断”"),
        ("第 11 行“审核结论”(B11)", "不属实", "与第 2 行对同一疑点的结论不同"),
        ("第 12 行“疑点编号”(A12)", "没有填", "请写疑点编号"),
        ("第 13 行“审核结论”(B13)", "没有填", "却有金额或理由"),
        ("第 14 行“疑点编号”(A14)", "110101********0048", "没有这个疑点"),
        ("第 15 行“退回金额(元)”(C15)", "NaN", "只有已退回才写金额"),
        ("第 16 行“退回金额(元)”(C16)", "-inf", "如 128.50"),
        ("第 17 行“审核结论”(B17)", "没有填", "却有金额或理由"),
    ):
        assert any(place in line and value in line and remedy in line for line in told), (place, told)
    assert len(told) == 15
    assert not file_of(run).exists()


def test_of_many_faults_twenty_are_told_and_the_rest_counted(run: Path) -> None:
    done = take_in(run, *(decided(each["finding_id"], "?") for each in findings(run)[:25]))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 21
    assert "另有 5 处" in done.stderr


def test_the_same_twice_is_once(run: Path) -> None:
    finding = findings(run)[0]["finding_id"]
    assert take_in(run, decided(finding, "属实"), decided(finding, "confirmed")).returncode == 0
    assert len(kept(run)) == 1


def test_what_was_decided_otherwise_changes_only_where_it_is_asked_for(run: Path) -> None:
    one, two = (each["finding_id"] for each in findings(run)[:2])
    assert take_in(run, decided(one, "属实"), more=["--by", "张"]).returncode == 0
    before = file_of(run).read_bytes()
    done = take_in(run, decided(one, "不属实"), decided(two, "属实"))
    assert done.returncode == 2
    assert "已有结论“属实”" in done.stderr
    assert "--replace" in done.stderr
    assert file_of(run).read_bytes() == before
    done = take_in(run, decided(one, "不属实"), decided(two, "属实"), more=["--replace"])
    assert "新增 1，更改 1" in done.stdout
    assert kept(run)[str(one)]["decision"] == "refuted"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("编号,结论\n1,属实\n", "没有表头"),
        ("疑点编号,审核结论,审核结论\n1,属实,属实\n", "含义相同"),
        ("", "空文件"),
    ],
)
def test_a_sheet_without_its_columns_is_refused(run: Path, text: str, said: str) -> None:
    file = run.parent / "filled.csv"
    file.write_text(text, encoding="utf-8")
    done = liangku("review", "import", run, file)
    assert done.returncode == 2
    assert said in done.stderr


def test_two_commands_do_not_write_at_once(run: Path) -> None:
    lock = FolderLock(run.parent / ".run.review.csv.lock")
    assert lock.take()
    try:
        done = take_in(run, decided(findings(run)[0]["finding_id"], "属实"))
    finally:
        lock.release()
    assert done.returncode == 2
    assert "另一个命令正在写" in done.stderr
    assert not file_of(run).exists()


def test_decisions_that_were_spoilt_by_hand_are_told_by_row_and_column(run: Path) -> None:
    finding = findings(run)[0]["finding_id"]
    assert take_in(run, decided(finding, "属实")).returncode == 0
    file = file_of(run)
    file.write_text(file.read_text(encoding="utf-8").replace("confirmed", "maybe"), encoding="utf-8")
    done = liangku("review", "show", run)
    assert done.returncode == 2
    assert "run.review.csv: row 2, column decision" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows gives no symbolic links to everybody")
def test_decisions_are_found_whatever_way_leads_to_the_run(run: Path) -> None:
    assert take_in(run, decided(findings(run)[0]["finding_id"], "属实")).returncode == 0
    way = run.parent / "latest"
    way.symlink_to(run, target_is_directory=True)
    assert shown(way)["total"]["decided"] == 1  # type: ignore[index]


def test_a_run_that_was_altered_is_refused(run: Path) -> None:
    (run / "findings.parquet").write_bytes(b"PAR1")
    assert liangku("review", "show", run).returncode == 2


# ------------------------------------------------------------------------------------------------ counting


def test_decided_findings_are_counted_with_how_often_they_were_right(run: Path) -> None:
    of_point = [each for each in findings(run) if each["point_id"] == POINT]
    rows = [decided(each["finding_id"], "不属实") for each in of_point[:6]]
    rows += [decided(each["finding_id"], "属实") for each in of_point[6:8]]
    rows += [decided(each["finding_id"], "已退回", "1.5") for each in of_point[8:9]]
    assert take_in(run, *rows).returncode == 0
    told = shown(run, "--by", "point", "--limit", "1000")
    group = next(each for each in told["groups"]["groups"] if each["key"] == POINT)  # type: ignore[index]
    low, high = interval(3, 9) or (0, 0)
    assert group == {
        "key": POINT, "name": of_point[0]["item_name"], "found": len(of_point), "decided": 9, "confirmed": 2, "refuted": 6, "refunded": 1,
        "undecided": len(of_point) - 9, "upheld_yuan": str(sum(each["amount_at_stake"] for each in of_point[6:9])), "no_amount": 0,  # type: ignore[misc]
        "refunded_yuan": "1.50", "precision": 3 / 9, "precision_interval": [low, high],
    }  # fmt: skip
    total = told["total"]
    assert total == {
        **{name: group[name] for name in total},
        "found": len(findings(run)),
        "undecided": len(findings(run)) - 9,
    }  # type: ignore[attr-defined]
    assert not told["proposals"]
    for by in ("rule", "institution"):
        assert sum(each["decided"] for each in shown(run, "--by", by, "--limit", "1000")["groups"]["groups"]) == 9  # type: ignore[index]


def test_a_line_that_two_rules_hit_counts_its_money_once(run: Path) -> None:
    lines = pl.read_parquet(run / "findings.parquet").filter(pl.col("verdict") == "violation")
    both = lines.filter(pl.len().over("source_file", "source_record") > 1).sort("source_record").head(2).to_dicts()
    assert both[0]["source_record"] == both[1]["source_record"]
    assert take_in(run, *(decided(each["finding_id"], "已退回", "1") for each in both)).returncode == 0
    total = shown(run)["total"]
    assert (total["refunded"], total["refunded_yuan"]) == (2, "1.00")  # type: ignore[index]
    assert float(total["upheld_yuan"]) == max(float(each["amount_at_stake"]) for each in both)  # type: ignore[index]


def test_of_a_point_that_is_mostly_refuted_an_exemption_is_proposed_that_can_be_read(run: Path) -> None:
    of_point = [each for each in findings(run) if each["point_id"] == POINT]
    assert take_in(run, *(decided(each["finding_id"], "不属实") for each in of_point[:9])).returncode == 0
    assert not shown(run)["proposals"]
    assert take_in(run, *(decided(each["finding_id"], "不属实") for each in of_point[9:12])).returncode == 0
    (proposal,) = shown(run)["proposals"]  # type: ignore[misc]
    assert (proposal["point_id"], proposal["decided"], proposal["refuted"]) == (POINT, 12, 12)
    folder = run.parent / "own"
    folder.mkdir()
    (folder / "exemption.toml").write_text(proposal["text"], encoding="utf-8")
    faults = Faults()
    points, patterns = (
        pl.read_parquet(ROOT / f"knowledge_base/built/{table}.parquet") for table in ("point", "pattern")
    )
    (exemption,), items = read_exemptions(folder, points, patterns, faults)
    assert not faults.found
    assert (exemption.status, exemption.effect, exemption.rule_id) == ("proposed", "lower", "drug-sex")
    assert {item.value for item in items} == {each["item_code"] for each in of_point[:12]}
    assert exemption.valid_from > max(each["service_time"] for each in of_point[:12]).date()  # type: ignore[attr-defined]
    printed = liangku("review", "show", run, "--lang", "zh").stdout
    assert "拟议的豁免（proposed）" in printed
    of_one = len({each["institution_id"] for each in of_point[:12]}) == 1
    assert ("不属实的都来自一家机构" in printed) is of_one is (proposal["institutions"] == 1)
    assert proposal["text"].rstrip() in printed


def test_before_anything_is_decided_nothing_is_said_of_precision(run: Path) -> None:
    assert shown(run)["total"]["precision"] is None  # type: ignore[index]
    assert "还没有审核结论" in liangku("review", "show", run, "--lang", "zh").stdout


# ------------------------------------------------------------------------------------------------ the next run


@pytest.fixture
def two(quarter: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    march, later = (Path(shutil.copytree(each, tmp_path / each.name)) for each in quarter)
    return march, later


def test_decisions_go_on_by_finding(two: tuple[Path, Path]) -> None:
    march, later = two
    one, other, _ = (each["finding_id"] for each in findings(march))
    assert (
        take_in(
            march, decided(one, "属实", reason="已核对"), decided(other, "已退回", "0.5"), more=["--by", "李"]
        ).returncode
        == 0
    )
    done = json.loads(liangku("review", "carry", march, later, "--json").stdout)
    assert {name: done[name] for name in ("carried", "replaced", "same", "kept", "gone", "gone_decided", "outside")} == {
        "carried": 2, "replaced": 0, "same": 0, "kept": 0, "gone": 0, "gone_decided": 0, "outside": 0}  # fmt: skip
    assert done["new"] == len(findings(later)) - 3
    assert done["undecided"] == len(findings(later)) - 2
    assert kept(later) == kept(march)
    assert "新扫描的期间更长：旧 2026-03，" in liangku("review", "carry", march, later, "--lang", "zh").stdout


def test_what_the_next_run_decided_otherwise_stays_unless_it_shall_be_replaced(two: tuple[Path, Path]) -> None:
    march, later = two
    finding = findings(march)[0]["finding_id"]
    assert take_in(march, decided(finding, "属实")).returncode == 0
    assert take_in(later, decided(finding, "不属实")).returncode == 0
    done = liangku("review", "carry", march, later, "--lang", "zh")
    assert done.returncode == 0
    assert "1 个在新扫描中已有不同的结论，没有改" in done.stdout
    assert kept(later)[str(finding)]["decision"] == "refuted"
    assert "按旧结论更改 1" in liangku("review", "carry", march, later, "--replace", "--lang", "zh").stdout
    assert kept(later)[str(finding)]["decision"] == "confirmed"


def test_findings_that_are_gone_are_told_and_periods_that_overlap_only_partly(two: tuple[Path, Path]) -> None:
    march, later = two
    decided_ones = [each["finding_id"] for each in findings(later)]
    assert take_in(later, *(decided(each, "属实") for each in decided_ones)).returncode == 0
    done = json.loads(liangku("review", "carry", later, march, "--json").stdout)
    outside = sum(f"{each['service_time']:%Y-%m}" != "2026-03" for each in findings(later))
    assert (done["carried"], done["gone_decided"], done["outside"]) == (3, len(decided_ones) - 3, outside)
    told = liangku("review", "carry", later, march, "--lang", "zh").stdout.replace("\n", "")
    assert "两次扫描的期间只有部分重叠" in told
    assert f"其中已有结论 {len(decided_ones) - 3} 个" in told
    assert len(kept(later)) == len(decided_ones)


def test_after_the_month_was_scanned_again_what_was_decided_holds_and_what_is_gone_is_told(
    two: tuple[Path, Path],
) -> None:
    march, _ = two
    finding = findings(march)[0]["finding_id"]
    assert take_in(march, decided(finding, "属实")).returncode == 0
    scan(march, ROOT / "data/samples/months/2026-03.zip", "--force")
    told = shown(march)
    assert (told["total"]["decided"], told["gone"]) == (1, 0)  # type: ignore[index]
    shutil.rmtree(march)
    lines = march.parent / "other.csv"
    lines.write_text(
        "流水号,销售时间,国家医保编码,数量,金额,性别\n1,2026-04-01,XG04CBA088A001010101467,1,10,女\n", encoding="utf-8"
    )
    scan(march, lines)
    told = shown(march)
    assert (told["total"]["decided"], told["gone"]) == (0, 1)  # type: ignore[index]
    assert "1 个结论，所说的疑点不在这次扫描里" in liangku("review", "show", march, "--lang", "zh").stdout


@pytest.mark.parametrize("same", [True, False])
def test_there_must_be_two_runs_and_something_to_carry(two: tuple[Path, Path], same: bool) -> None:
    march, later = two
    done = liangku("review", "carry", march, march if same else later)
    assert done.returncode == 2
    assert ("同一个文件夹" if same else "还没有审核结论") in done.stderr
