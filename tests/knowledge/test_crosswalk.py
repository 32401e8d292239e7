"""A crosswalk from files as hospitals keep them: what is read, what is refused with its place, and what becomes of it as knowledge."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from openpyxl import Workbook

from checker.cli.main import run
from checker.knowledge.build import build
from checker.knowledge.edition import open_edition
from checker.knowledge.resolve import open_editions, read_crosswalks
from checker.knowledge.sheets.crosswalk import Crosswalk, read_crosswalk
from checker.knowledge.source import open_knowledge, read_sources, sources_of
from checker.model.errors import KnowledgeError
from tests.knowledge.small_kb import CROSSWALK_COLUMNS, DRUG, SERVICE, Kb

HEADER = "地方编码,地方名称,国家编码,开始日期,结束日期,依据"
OTHER = "002501040050000"


def file(folder: Path, *rows: str, header: str = HEADER, name: str = "对照.csv", encoding: str = "utf-8") -> Path:
    """A CSV file of rows."""
    path = folder / name
    path.write_bytes("\n".join((header, *rows)).encode(encoding))
    return path


def read(*paths: Path) -> list[tuple[object, ...]]:
    """The rows of some files."""
    return read_crosswalk(paths).frame.rows()


def refusal(*paths: Path) -> str:
    """What is said when files are refused; they must be."""
    with pytest.raises(KnowledgeError) as caught:
        read_crosswalk(paths)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_of_every_form_is_read(encoding: str, separator: str, tmp_path: Path) -> None:
    header = separator.join(("*院内编码", "院内名称", "国家医保编码", "生效日期", "失效日期", "备注"))
    row = separator.join((" h-01 ", "精液检查", f'="{SERVICE}"', "2026/1/1", "20270101", "省文"))
    path = file(tmp_path, row, header=f"某院编码对照表\n{header}", encoding=encoding)
    assert read(path) == [("H-01", "精液检查", SERVICE, date(2026, 1, 1), date(2027, 1, 1), "省文")]


def test_a_workbook_is_read_with_dates_as_dates_and_codes_as_text(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["省编码", "医保编码", "开始日期", "结束日期"])
    sheet.append(["S1", SERVICE, date(2026, 1, 1), date(9999, 12, 31)])
    sheet.append(["S1", OTHER, None, None])
    book.save(tmp_path / "对照.xlsx")
    found = read_crosswalk([tmp_path / "对照.xlsx"])
    assert found.frame.rows() == [
        ("S1", None, SERVICE, date(2026, 1, 1), None, "对照.xlsx“Sheet”"),
        ("S1", None, OTHER, None, None, "对照.xlsx“Sheet”"),
    ]
    assert found.files[0].rows == 2
    assert len(found.files[0].sha256) == 64


@pytest.mark.parametrize(
    ("row", "where", "what"),
    [
        ("1.23457E+14,,002501040040000,,,", "第 2 行“地方编码”(A2)", "digits were rounded away"),
        ("L1,,2.50104E+12,,,", "第 2 行“国家编码”(C2)", "digits were rounded away"),
        ("L1,,2501040040000,,,", "第 2 行“国家编码”(C2)", "it may be 002501040040000"),
        ("L1,,25010400X,,,", "第 2 行“国家编码”(C2)", "write a full national code"),
        ('"=HYPERLINK(""http://x"")",,002501040040000,,,', "(A2)", "not as codes are read"),
        ("+L1,,002501040040000,,,", "(A2)", "not as codes are read"),
        (f"{'L' * 65},,002501040040000,,,", "(A2)", "not as codes are read"),
        (",,002501040040000,,,", "第 2 行“地方编码”(A2)", "no local code"),
        ("L1,=1+1,002501040040000,,,", "“地方名称”(B2)", "as a formula begins"),
        ("L1,,002501040040000,,,@SUM(A1)", "“依据”(F2)", "as a formula begins"),
        ("L1,,002501040040000,2026-02-30,,", "第 2 行“开始日期”(D2)", "no date"),
        ("L1,,002501040040000,,07/01/2026,", "第 2 行“结束日期”(E2)", "write 2026-07-01 or 2026-01-07"),
        ("L1,,002501040040000,2026-03-01,2026-03-01,", "第 2 行“结束日期”(E2)", "not after its beginning"),
        ("L1\x1b[31m,,002501040040000,,,", "A2", "control characters"),
        ('L1,"x,002501040040000,,,', "第 2 行", "is not CSV"),
    ],
)  # fmt: skip
def test_what_a_row_may_not_hold_is_told_with_its_place(row: str, where: str, what: str, tmp_path: Path) -> None:
    said = refusal(file(tmp_path, row))
    assert said.startswith("对照.csv: ")
    assert where in said
    assert what in said


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("编码,名称", "no header row with a local code and a national code"),
        ("地方编码,本地编码,国家编码", "地方编码(A)、本地编码(B) 含义相同"),
        ("地方编码,国家编码,有效期至", "write the day after under 失效日期"),
        ("地方编码,国家编码", "nothing stands below the header"),
    ],
)
def test_a_header_that_is_not_clear_is_refused(header: str, what: str, tmp_path: Path) -> None:
    rows = () if "below" in what else (f"L1,{SERVICE},2026-01-01",)
    assert what in refusal(file(tmp_path, *rows, header=header))


def test_formula_cells_and_merged_cells_of_a_workbook_are_refused(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    for row in (["地方编码", "国家编码"], ["L1", '=CONCAT("0025","01040040000")'], ["L2", SERVICE], [None, OTHER]):
        sheet.append(row)
    book.save(tmp_path / "公式.xlsx")
    assert "“Sheet” B2: 是公式" in refusal(tmp_path / "公式.xlsx")
    sheet["B2"] = SERVICE
    sheet.merge_cells("A3:A4")
    book.save(tmp_path / "合并.xlsx")
    assert "“Sheet” A3:A4: 是合并单元格" in refusal(tmp_path / "合并.xlsx")


def test_one_pair_on_overlapping_days_is_refused_and_on_days_in_a_row_it_is_not(tmp_path: Path) -> None:
    overlapping = file(tmp_path, f"L1,,{SERVICE},,2026-02-01,", f"L1,,{SERVICE},2026-01-01,,", name="一.csv")
    assert "一.csv: 第 3 行: L1 → 002501040040000 与第 2 行日期重叠" in refusal(overlapping)
    first = file(tmp_path, f"L1,,{SERVICE},,2026-01-01,", name="二.csv")
    second = file(tmp_path, f"L1,,{SERVICE},2025-12-31,,", name="三.csv")
    assert "三.csv: 第 2 行: L1 → 002501040040000 与二.csv：第 2 行日期重叠" in refusal(first, second)
    assert len(read(first, file(tmp_path, f"L1,,{SERVICE},2026-01-01,,", name="四.csv"))) == 2


def test_what_maps_nothing_or_comes_twice_is_left_out_and_counted(tmp_path: Path) -> None:
    found = read_crosswalk([
        file(tmp_path, "L1,甲,,,,", "L2,,--,,,", f"L3,,{SERVICE},,,依据", f"L3,,{SERVICE},,,再次", f"{DRUG},,{DRUG},,,")
    ])  # fmt: skip
    assert found.frame.rows() == [("L3", None, SERVICE, None, None, "依据")]
    told = "\n".join(found.notes)
    for said in ("2 rows have no national code", "1 rows repeat earlier ones", "1 rows have one code twice"):
        assert said in told


def test_columns_that_are_not_read_are_said(tmp_path: Path) -> None:
    header = "项目名称,院内名称,地方编码,国家编码,单价,说明,依据"
    found = read_crosswalk([file(tmp_path, f"国家的,院内的,L1,{SERVICE},3.5,说明的,依据的", header=header)])
    assert found.frame.select("local_name", "basis").rows() == [("国家的", "依据的")]
    told = "".join(found.notes)
    assert all(f"“{name}”列没有读取" in told for name in ("院内名称", "单价", "说明"))


def test_a_hundred_thousand_rows_are_read_and_loaded(tmp_path: Path) -> None:
    rows = (f"L{number:06d},,{number:015d},2026-01-01,,省文" for number in range(100_000))
    crosswalk = read_crosswalks([file(tmp_path, *rows)])
    assert crosswalk is not None
    *_, edition = open_editions([], crosswalk)
    assert edition.manifest.rows("crosswalk") == 100_000
    assert edition.points == 0


def imported(folder: Path, *rows: str) -> Path:
    """An edition of nothing but these rows."""
    out = folder / "对照"
    assert run(["kb", "crosswalk", str(file(folder, *rows)), "--out", str(out), "--published", "2026-03-01"]) == 0
    return out


def test_an_imported_layer_builds_again_from_its_text_and_lies_on_others(tmp_path: Path) -> None:
    out = imported(tmp_path, f"L1,甲,{SERVICE},,,依据", f"L1,甲,{DRUG},2026-01-01,,依据", f"L2,,{SERVICE},,,")
    assert sorted(path.name for path in (out / "sources").iterdir()) == [
        "crosswalk.csv", "edition.toml", "exemption.toml", "pattern.csv", "point.csv",
    ]  # fmt: skip
    again = build(out / "sources", tmp_path / "again")
    assert again.content_hash == open_edition(out).content_hash
    assert (out / "crosswalk.parquet").read_bytes() == (tmp_path / "again" / "crosswalk.parquet").read_bytes()
    base = build(Kb(crosswalk=f"L1,,{OTHER},,,省\nL9,,{OTHER},,,省").write(tmp_path / "text"), tmp_path / "base")
    assert base.rows("crosswalk") == 2
    layered = sources_of(open_editions([tmp_path / "base", out])).crosswalk
    assert layered.select("local_code", "national_code").rows() == [
        ("L1", SERVICE), ("L1", DRUG), ("L2", SERVICE), ("L9", OTHER),
    ]  # fmt: skip
    with pytest.raises(KnowledgeError, match="a crosswalk alone judge nothing"):
        open_editions([out])


def test_an_edition_without_a_crosswalk_is_as_it_was(tmp_path: Path) -> None:
    plain = build(Kb().write(tmp_path / "text"), tmp_path / "plain")
    mapped = build(Kb(crosswalk=f"L1,,{SERVICE},,,依据").write(tmp_path / "mapped"), tmp_path / "kb")
    assert "crosswalk.parquet" not in [entry.name for entry in plain.files]
    assert plain.content_hash != mapped.content_hash
    assert sources_of([open_edition(tmp_path / "plain")]).crosswalk.is_empty()
    # Its rows are part of what the manifest vouches for.
    changed = pl.read_parquet(tmp_path / "kb" / "crosswalk.parquet").with_columns(local_code=pl.lit("L2"))
    changed.write_parquet(tmp_path / "kb" / "crosswalk.parquet")
    with pytest.raises(KnowledgeError, match="altered after the build"):
        open_edition(tmp_path / "kb")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("l1,,002501040040000,,,依据", "row 2, column local_code"),
        ("L1,,0025,,,依据", "row 2, column national_code"),
        (f"{DRUG},,{DRUG},,,依据", "remove the row"),
        ("L1,,002501040040000,2026-01-01,2026-01-01,依据", "row 2, column valid_to"),
        ("L1,,002501040040000,,,", "row 2, column basis"),
        (f"L1,,{SERVICE},,,依据\nL1,,{SERVICE},,,依据", "row 2 says the same"),
        (f"L1,,{SERVICE},,,依据\nL1,,{SERVICE},2026-01-01,,依据", "row 2 has the same pair"),
    ],
)
def test_reviewed_text_is_held_to_the_same_grammar(row: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError) as caught:
        read_sources(Kb(crosswalk=row).write(tmp_path))
    assert what in str(caught.value)


def test_nothing_is_written_where_something_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for row in ("L1,,0025,,,", "L1,甲,,,,"):
        assert run(["kb", "crosswalk", str(file(tmp_path, row)), "--out", str(tmp_path / "out")]) == 2
        assert not (tmp_path / "out").exists()
    assert "nothing to import" in capsys.readouterr().err


def test_the_command_says_what_leads_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, "L1,,002599999999999,,,依据", f"{SERVICE},,{DRUG},,,依据", f"L2,,{DRUG},,,依据")
    assert run(["kb", "crosswalk", str(path), "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["local_codes"], told["without_points"], told["covered"]) == (3, 3, 1, 1)
    assert (told["without_points_named"], told["covered_named"]) == (["002599999999999"], [SERVICE])
    assert [warning.rpartition("（")[2][:20] for warning in told["warnings"]] == [
        "the crosswalk leads ",
        "1 local codes of the",
    ]


def test_diff_and_show_know_local_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, rows in (
        ("a", f"L1,,{SERVICE},,,旧\nL2,,{SERVICE},,,旧"),
        ("b", f"L1,甲,{SERVICE},2026-01-01,,新\nL3,,{SERVICE},,,新"),
    ):
        build(Kb(crosswalk=rows).write(tmp_path / f"{name}-text"), tmp_path / name)
    assert run(["kb", "diff", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == 0
    pairs = json.loads(capsys.readouterr().out)["crosswalk"]
    assert [(pair["kind"], pair["local_code"]) for pair in pairs] == [
        ("changed", "L1"),
        ("removed", "L2"),
        ("added", "L3"),
    ]
    assert run(["kb", "diff", str(tmp_path / "a"), str(tmp_path / "b"), "--lang", "en", "--exit-code"]) == 1
    shown = capsys.readouterr().out
    assert "Crosswalk: changed 1" in shown
    assert "before: any day (旧)" in shown
    assert "after: from 2026-01-01 (新)" in shown
    assert run(["kb", "show", "l1", "--kb", str(tmp_path / "b"), "--json"]) == 0
    (card,) = json.loads(capsys.readouterr().out)["points"]
    assert card["point"]["point_id"] == "p5"
    assert [row["local_code"] for row in card["crosswalk"]] == ["L1", "L3"]


def test_a_crosswalk_survives_the_way_through_text(tmp_path: Path) -> None:
    rows = f"L1,甲,{SERVICE},2026-01-01,2027-01-01,依据"
    folder = Kb(crosswalk=rows).write(tmp_path / "text")
    assert (folder / "crosswalk.csv").read_text(encoding="utf-8") == f"{CROSSWALK_COLUMNS}\n{rows}\n"
    build(folder, tmp_path / "kb")
    assert open_knowledge(tmp_path / "kb").crosswalk.rows() == open_knowledge(folder).crosswalk.rows()
    assert isinstance(read_crosswalks([folder / "crosswalk.csv"]), Crosswalk)
