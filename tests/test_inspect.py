"""`liangku inspect` and layouts: what a look at the beginnings of inputs tells, and what a layout makes of it."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow.parquet as pq
import pytest

from checker.ingest import csv_text
from checker.ingest.gather import Beginning, gather
from checker.ingest.layout import read_layout
from checker.model.errors import InputError
from checker.scan import inspection
from tests.commands import ROOT, Done, liangku

MALE_ONLY = "XG04CBA088A001010101467"
NAME, ID_NUMBER, PHONE = "欧阳震华", "110101199005010048", "13800138000"
HEADER = ("费用明细流水号", "费用发生日期", "国标代码", "数量", "金额", "性别", "出生日期")
NATIONAL = ROOT / "data" / "samples" / "national"


def row(line: object, time: str = "2026-03-01 10:00:00") -> tuple[object, ...]:
    return (line, time, MALE_ONLY, 1, 35.5, "女", "1990-05-01")


def csv_file(path: Path, *lines: tuple[object, ...], header: tuple[str, ...] = HEADER, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(",".join(map(str, cells)) + "\n" for cells in (header, *lines)).encode(encoding))
    return path


def workbook(path: Path, **sheets: list[tuple[object, ...]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append(cells)
    book.save(path)
    return path


def looked(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    done = liangku("inspect", *arguments, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["would_run"] == (code == 0)
    return document


def shown(*arguments: str | Path, code: int = 0, lang: str = "zh") -> Done:
    done = liangku("inspect", *arguments, "--lang", lang)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def scanned(out: Path, *arguments: str | Path, code: int = 1) -> Done:
    done = liangku("scan", *arguments, "--out", out, "--lang", "zh")
    assert done.returncode == code, done.stdout + done.stderr
    return done


def fed(document: dict[str, Any], place: int = 0) -> dict[str, tuple[str, str]]:
    """Of a table the first header of each column, and why."""
    return {each["column"]: (each["header"], each["why"]) for each in reversed(document["tables"][place]["columns"])}


# ---- what was detected ----


def test_a_csv_file_is_told_with_form_columns_and_lines(tmp_path):
    lines = [row("1"), row("2", "someday"), ("3", "2026-03-01"), (*row("4")[:3], -1, -35.5, "女", "1990-05-01")]
    path = csv_file(tmp_path / "三月.csv", *lines, encoding="gb18030")
    told = looked(path)
    (file,) = told["files"]
    assert (file["csv"]["encoding"], file["csv"]["separator"], file["csv"]["header_row"]) == ("gb18030", ",", 1)
    assert (file["lines"], file["rejects"], file["share"]) == (4, 1, 1.0)
    assert fed(told)["patient_sex"] == ("性别", "known")
    counted = told["lines"]
    assert (counted["read"], counted["judged"], counted["skipped"]["refund"]) == (4, 1, 1)
    assert {key: count for key, count in counted["rejected"].items() if count} == {"record": 1, "service_time": 1}
    assert (counted["codes"]["national"], counted["restricted"]) == (3, 3)
    assert counted["persons"]["lines"] == {"rows": 3, "with_sex": 3, "with_birth": 3, "found": None}
    assert [each["why"] for each in told["incomplete"]] == ["rejects"]
    assert list(tmp_path.iterdir()) == [path]


def test_lines_find_their_settlements(tmp_path):
    told = looked(
        NATIONAL / "fee_list_d.parquet", "--settlements", NATIONAL / "setl_d.parquet", "--diagnoses", NATIONAL / "setl_list_diag_d.parquet",
    )  # fmt: skip
    lines, settlements, _ = told["files"]
    assert (lines["lines"], lines["share"], settlements["share"]) == (10_000, 0.5, 1.0)
    assert lines["writer"].startswith("Polars")
    persons = told["lines"]["persons"]
    assert persons["lines"]["found"] > 9_900
    assert persons["lines"]["with_sex"] > 9_800
    assert told["estimate"]["lines"] == 20_000
    assert told["missing"] == []
    assert [(each["column"], each["header"]) for each in told["tables"][0]["columns"] if each["column"] == "item_code"] == [
        ("item_code", "med_list_codg"), ("item_code", "hilist_code"),
    ]  # fmt: skip


def test_without_settlements_it_says_what_is_missing_for_which_rule_and_how_to_give_it():
    lines = NATIONAL / "fee_list_d.parquet"
    told = looked(lines, code=2)
    sex = next(each for each in told["missing"] if each["name"] == "性别")
    assert sex["rules"] == ["drug-sex", "service-age", "service-sex"]
    assert sex["how"][:3] == ["--settlements FILE", "--visits FILE", "--map patient_sex=表头"]
    assert shown(lines, code=2).stderr == liangku("scan", lines, "--out", "none").stderr


def test_no_more_than_the_beginning_of_any_form_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(inspection, "BEGINNING", Beginning(records=100, files=5))
    monkeypatch.setattr(csv_text, "CHUNK", 4096)
    monkeypatch.setattr("checker.ingest.archive.BEGINNING", 8192)
    monkeypatch.setattr("checker.ingest.xlsx_parts.PART", 4096)
    monkeypatch.setattr("checker.ingest.xlsx_parts._CHUNK", 4096)
    monkeypatch.setattr("checker.ingest.workbook.PART", 4096)
    lines = [row(number) for number in range(2_000)]
    folder = tmp_path / "in"
    csv_file(folder / "a.csv", *lines)
    (folder / "a.jsonl").write_text("\n".join(json.dumps(dict(zip(HEADER, each, strict=True))) for each in lines))
    pl.DataFrame(lines, HEADER, orient="row").write_parquet(folder / "a.parquet")
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "a.csv", "a.csv")
    workbook(folder / "a.xlsx", 明细=[HEADER, *lines])
    told = looked(folder)
    assert len(told["files"]) == 5
    for file in told["files"]:
        assert 100 <= file["lines"] < 1_500, file
        assert 1_500 < file["lines"] / file["share"] < 4_000, file
    assert told["lines"]["judged"] == sum(file["lines"] for file in told["files"])
    assert not told["whole"]


def test_alike_files_are_one_table_and_only_some_of_very_many_are_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(inspection, "BEGINNING", Beginning(records=100, files=3))
    for number in range(7):
        csv_file(tmp_path / "in" / f"{number}.csv", row(number))
    told = looked(tmp_path / "in")
    assert [Path(path).name for path in told["tables"][0]["paths"]] == ["0.csv", "2.csv", "4.csv"]
    assert told["unopened"] == {"lines": 4}
    assert told["estimate"]["lines"] == 7
    assert "另有 4 个文件这次没有打开" in shown(tmp_path / "in").stdout


def test_what_of_a_folder_is_not_read_is_named(tmp_path):
    csv_file(tmp_path / "in" / "a.csv", row("1"))
    csv_file(tmp_path / "in" / "b.csv", ("甲", "乙"), header=("产品", "类别"))
    (tmp_path / "in" / "说明.txt").write_text("本目录为三月数据", encoding="utf-8")
    (tmp_path / "in" / "_SUCCESS").touch()
    told = looked(tmp_path / "in")
    assert {Path(each["path"]).name: each["reason"] for each in told["passed_over"]} == {
        "_SUCCESS": "hidden", "b.csv": "no_known_header", "说明.txt": "no_known_header",
    }  # fmt: skip
    assert [(Path(each["path"]).name, each["why"]) for each in told["incomplete"]] == [
        ("b.csv", "not_read"), ("说明.txt", "not_read"),
    ]  # fmt: skip
    assert "退出码 4" in shown(tmp_path / "in").stdout


def test_tables_of_other_kinds_among_the_lines_are_told_apart():
    run = shown(NATIONAL, code=2)
    advice = next(line for line in run.stdout.splitlines() if "liangku inspect" in line)
    told = {option: f"{option} {(NATIONAL / name)}" in advice for option, name in (
        ("--settlements", "setl_d.parquet"), ("--visits", "mdtrt_d.parquet"), ("--diagnoses", "setl_list_diag_d.parquet"),
    )}  # fmt: skip
    assert set(told.values()) == {True}, advice
    assert f"inspect {NATIONAL / 'fee_list_d.parquet'} " in advice


def test_what_headers_hold_does_not_steer_the_terminal(tmp_path):
    path = csv_file(tmp_path / "a.csv", (*row("1"), "x"), header=(*HEADER, "[bold]\x1b[31m红"))
    assert "[bold]\ufffd[31m红" in shown(path, "--map", "item_name=无", code=2).stdout


# ---- headers that nothing recognises ----

SHEET = [
    ("某某医院 2026 年 3 月费用明细",), ("制表：李小龙",),
    ("住院号", "患者姓名", "证号", "药品编号", "药品", "开药日", "性 别(必填)", "生辰", "效期"),
    *[("ZY1", NAME, ID_NUMBER, MALE_ONLY, "爱普列特片", "2026-03-01 10:00", "女", f"198{year}-05-01", "2028-01-01") for year in (4, 6, 9)],
]  # fmt: skip


def test_unknown_headers_get_suggestions_that_are_never_taken(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 三月=SHEET)
    told = looked(path, code=2)
    (table,) = told["tables"]
    near = {each["header"]: each.get("near") for each in table["unused"]}
    assert near["药品编号"] == "item_code"
    assert near["开药日"] == "service_time"
    assert near["证号"] == "patient_id_number"
    assert near["性 别(必填)"] == "patient_sex"
    assert (near["生辰"], near["效期"]) == ("patient_birth_date", None)
    assert fed(told) == {"visit_id": ("住院号", "known")}
    run = shown(path, code=2)
    assert "表头在第 3 行" in run.stdout
    assert "--map item_code=药品编号" in run.stdout
    assert run.stderr == liangku("scan", path, "--out", tmp_path / "out").stderr


@pytest.mark.parametrize(
    ("header", "near"),
    [
        ("开单医师备注", None),
        ("开方医师电话", None),
        ("开单医师签名", None),
        ("开单的医师", "prescriber"),
        ("数量说明", None),
    ],
)
def test_a_remark_on_something_is_not_that_thing(tmp_path, header, near):
    path = csv_file(tmp_path / "a.csv", (*row("1"), "复诊"), header=(*HEADER, header))
    (table,) = looked(path)["tables"]
    assert {each["header"]: each.get("near") for each in table["unused"]} == {header: near}


def test_a_local_code_that_is_a_national_one_is_told(tmp_path):
    path = csv_file(tmp_path / "a.csv", row("1"), header=(*HEADER[:2], "项目代码", *HEADER[3:]))
    run = shown(path, code=2)
    assert "用作 local_item_code：项目代码" in run.stdout
    assert "--map item_code=项目代码" in run.stdout


def test_following_its_advice_leads_to_findings(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 三月=SHEET)
    advice = next(line for line in reversed(shown(path, code=2).stdout.splitlines()) if "liangku inspect" in line)
    words = [word.strip("'") for word in advice.split("liangku inspect", 1)[1].split(" --map ")]
    maps = [word for each in words[1:] for word in ("--map", each.strip().strip("'"))]
    told = looked(path, *maps)
    assert fed(told)["item_code"] == ("药品编号", "map")
    scanned(tmp_path / "out", path, *maps)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_header_of_which_nothing_is_known_is_said(tmp_path, kind):
    sheet = [("某某医院三月明细",), ("药品编号", "药品", "开药日"), (MALE_ONLY, "爱普列特片", "2026-03-01")]
    path = tmp_path / f"a.{kind}"
    if kind == "xlsx":
        workbook(path, 三月=sheet)
    else:
        csv_file(path, *sheet[1:], header=sheet[0])
    run = shown(path, code=2)
    assert "药品编号" in run.stdout
    assert "--map item_code=药品编号" in run.stdout
    assert "药品编号、药品、开药日" in run.stderr
    assert run.stderr == liangku("scan", path, "--out", tmp_path / "out").stderr
    assert (
        looked(path, "--map", "item_code=药品编号", "--map", "service_time=开药日", "--map", "patient_sex=药品")[
            "lines"
        ]["judged"]
        == 1
    )


def test_who_a_person_is_stays_hidden(tmp_path):
    header = (*HEADER, "身份证号", "姓名", "电话", "备注", "顾问", "开单医生", "人员编号")
    private = (ID_NUMBER, NAME, PHONE, f"{ID_NUMBER} 本人", NAME, NAME, "PSN7")
    path = csv_file(tmp_path / "a.csv", (*row("1"), *private), header=header)
    for told in (shown(path).stdout, liangku("inspect", path, "--json").stdout):
        assert not [each for each in (*private[:3], "PSN7") if each in told]
        assert "女" in told


def test_both_languages_say_the_same_and_json_stands_alone(tmp_path):
    path = csv_file(tmp_path / "a.csv", row("1"))
    zh, en = shown(path).stdout, shown(path, lang="en").stdout
    assert "可以扫描" in zh
    assert "A scan would run" in en
    assert not re.search(r"[\u4e00-\u9fff]{3}", re.sub("|".join(HEADER), "", en))
    done = liangku("inspect", path, "--json")
    assert (json.loads(done.stdout)["refused"], done.stderr) == ([], "")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 100, b"PK\x03\x04", b"a,a\n1,2\n", "费用发生日期,国标代码,性别\n".encode(), b"\x81\x20\xff" * 40],
)
def test_what_a_scan_refuses_is_refused_with_the_same_sentence(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    told = liangku("inspect", tmp_path / "a.csv")
    assert told.returncode == 2
    assert told.stderr == liangku("scan", tmp_path / "a.csv", "--out", tmp_path / "out").stderr


@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_page_is_the_files_fault(tmp_path, packed):
    path = tmp_path / "a.parquet"
    pl.DataFrame([row(number) for number in range(3_000)], HEADER, orient="row").write_parquet(path)
    content = bytearray(path.read_bytes())
    codes = pq.read_metadata(path).row_group(0).column(HEADER.index("国标代码"))
    start = codes.dictionary_page_offset or codes.data_page_offset
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)
    if packed:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.write(path, "a.parquet")
        path = tmp_path / "a.zip"
    told = shown(path, code=2).stderr
    assert "a.parquet：" in told
    assert "请重新导出" in told
    assert told == scanned(tmp_path / "out", path, code=2).stderr


# ---- layouts ----


def saved(tmp_path: Path, path: Path, *arguments: str | Path) -> Path:
    shown(path, *arguments, "--save", tmp_path / "layout.toml")
    return tmp_path / "layout.toml"


def found(out: Path) -> list[tuple[object, ...]]:
    return pl.read_parquet(out / "findings.parquet").sort("finding_id").rows()


def test_a_scan_with_a_saved_layout_finds_what_it_finds_without(tmp_path):
    maps = ("--map", "item_code=药品编号", "--map", "service_time=开药日", "--map", "patient_id_number=证号")
    path = workbook(tmp_path / "a.xlsx", 三月=SHEET, 说明=[("本表由某某系统导出",)])
    layout = saved(tmp_path, path, *maps)
    assert 'item_code = "药品编号"' in layout.read_text(encoding="utf-8")
    scanned(tmp_path / "maps", path, *maps, code=4)
    # The layout leaves the sheet of notes out, so that nothing is open.
    scanned(tmp_path / "layout", path, "--layout", layout)
    assert found(tmp_path / "layout") == found(tmp_path / "maps")
    run = json.loads((tmp_path / "layout" / "run.json").read_text(encoding="utf-8"))
    assert run["options"]["layout"] == str(layout)
    assert [each["reason"] for each in run["passed_over"]] == ["left_out"]
    told = looked(path, "--layout", layout)
    assert fed(told)["item_code"] == ("药品编号", "layout")


def test_the_layout_of_the_national_tables_changes_nothing(tmp_path):
    tables = {
        "lines": "fee_list_d", "settlements": "setl_d", "visits": "mdtrt_d", "diagnoses": "setl_list_diag_d",
    }  # fmt: skip
    inputs = {role: [NATIONAL / f"{name}.parquet"] for role, name in tables.items()}
    options = [word for role in (*tables,)[1:] for word in (f"--{role}", *inputs[role])]
    layout = saved(tmp_path, *inputs["lines"], *options)
    assert 'item_code = ["med_list_codg", "hilist_code"]' in layout.read_text(encoding="utf-8")
    (tmp_path / "spill").mkdir()
    plain, by_layout = (gather(inputs, (), tmp_path, layout=each) for each in (None, layout))
    for role in tables:
        (before,), (after,) = getattr(plain, role), getattr(by_layout, role)
        assert (before.map.found, before.map.fallback) == (after.map.found, after.map.fallback)
        assert set(after.map.named.values()) == {"layout"}


def test_map_comes_before_the_layout(tmp_path):
    path = csv_file(tmp_path / "a.csv", (*row("1"), "男"), header=(*HEADER, "另一性别"))
    layout = saved(tmp_path, path)
    scanned(tmp_path / "out", path, "--layout", layout)
    scanned(tmp_path / "mapped", path, "--layout", layout, "--map", "patient_sex=另一性别", code=0)


def test_a_fallback_stays_one(tmp_path):
    """A line without a time of its own keeps the remark that says whence it came."""
    path = csv_file(tmp_path / "a.csv", (*row("1", ""), "2026-03-01 09:00:00"), header=(*HEADER, "adm_date"))
    layout = saved(tmp_path, path)
    scanned(tmp_path / "out", path, "--layout", layout)
    (remarks,) = pl.read_parquet(tmp_path / "out" / "findings.parquet")["remarks"].to_list()
    assert "service_time_fallback" in remarks


def test_a_refused_input_still_gives_a_layout_to_fill_in(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 三月=SHEET)
    layout = tmp_path / "layout.toml"
    shown(path, "--save", layout, code=2)
    text = layout.read_text(encoding="utf-8")
    layout.write_text(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    scanned(tmp_path / "out", path, "--layout", layout)
    told = liangku("inspect", path, "--save", layout)
    assert told.returncode == 2
    assert "文件已经有了" in told.stderr


GOOD = 'layout = 1\n[lines.columns]\nitem_code = "国标代码"\n'
REFUSED = {
    "no TOML": ("layout = ", "不是有效的 TOML"),
    "another form": ("layout = 2", "layout = 1"),
    "no number": ("[lines.columns]", "layout = 1"),
    "an unknown key": (GOOD + "[line]\n", "是不是 lines"),
    "an unknown key of a role": (GOOD + "[lines.column]\n", "columns"),
    "an unknown column": (GOOD.replace("item_code", "item_cod"), "是不是 item_code"),
    "a column of another role": (GOOD + '[visits.columns]\nquantity = "数量"\n', "visits.columns.quantity"),
    "a number": (GOOD.replace('"国标代码"', "3"), "lines.columns.item_code"),
    "an empty list": (GOOD.replace('"国标代码"', "[]"), "lines.columns.item_code"),
    "no table": ("layout = 1\nlines = 3", "[lines]"),
    "much too large": ("#" * (1 << 20) + "\n" + GOOD, "超过 1 MB"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_no_layout_is_refused(tmp_path, fault):
    text, says = REFUSED[fault]
    (tmp_path / "l.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(says)) as refused:
        read_layout(tmp_path / "l.toml")
    assert "l.toml" in str(refused.value)


def test_a_header_of_the_layout_that_a_file_lacks_is_told_with_the_file(tmp_path):
    path, layout = csv_file(tmp_path / "a.csv", row("1")), tmp_path / "l.toml"
    layout.write_text(GOOD.replace("国标代码", "药品代码"), encoding="utf-8")
    done = scanned(tmp_path / "out", path, "--layout", layout, code=2)
    assert "a.csv：没有表头“药品代码”" in done.stderr
    assert "l.toml 写明 lines.columns.item_code" in done.stderr
    assert shown(path, "--layout", layout, code=2).stderr == done.stderr
    # Of several headers for a column each must be of some file.
    layout.write_text(GOOD.replace('"国标代码"', '["国标代码", "药品代码"]'), encoding="utf-8")
    done = scanned(tmp_path / "out", path, "--layout", layout, code=2)
    assert "a.csv：" in done.stderr
    assert "l.toml 写明 lines.columns.item_code 用表头“药品代码”" in done.stderr
    assert f"文件中的表头：{'、'.join(HEADER)}；" in done.stderr
    assert shown(path, "--layout", layout, code=2).stderr == done.stderr
    other = csv_file(tmp_path / "b.csv", row("2"), header=("费用明细流水号", "费用发生日期", "药品代码", *HEADER[3:]))
    scanned(tmp_path / "both", path, other, "--layout", layout)
    assert "none.toml：无法打开" in scanned(tmp_path / "out", path, "--layout", tmp_path / "none.toml", code=2).stderr
