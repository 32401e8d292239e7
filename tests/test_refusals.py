"""What the program refuses: exit code 2, one sentence on stderr with place and remedy, and nothing written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checker.model import files
from tests.commands import ROOT, Done, command, liangku, liangku_process

MALE_ONLY = "XG04CBA088A001010101467"
HEADER = "费用明细流水号,费用发生日期,国标代码,项目名称,数量,金额,性别,出生日期"
RESULTS = [
    "clusters.parquet", "denominators.parquet", "findings.parquet", "quality.parquet", "rejects.parquet", "run.json", "shadow.parquet",
]  # fmt: skip
"""The files that a scan leaves."""
GOOD = f"L1,2026-03-01 10:00:00,{MALE_ONLY},爱普列特片,1,35.5,女,1990-05-01"
NAME, ID_NUMBER = "欧阳震华", "110101199005010048"
OPENINGS = ("错误（error）：", "用法有误（usage）：")


def listing(folder: Path) -> list[tuple[str, int]]:
    """Every file and folder below, with its time of change: what a refusal must leave as it is."""
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))


def assert_refused(run: Done, *says: str, code: int = 2) -> None:
    lines = run.stderr.strip().splitlines()
    sentences = [line for line in lines if not line.startswith("Usage: ")]
    assert run.returncode == code, run.stderr
    assert run.stdout == ""
    assert len(sentences) == 1, run.stderr
    assert sentences[0].startswith(OPENINGS)
    assert "Traceback" not in run.stderr
    assert "\ufffd" not in run.stderr
    assert [part for part in says if part not in run.stderr] == [], run.stderr


@pytest.fixture
def scan(tmp_path) -> Callable[..., Done]:
    """Run a scan into `out`; when it is refused, nothing in the folder may have changed."""

    def run(*arguments: str | Path) -> Done:
        before = listing(tmp_path)
        done = liangku("scan", *arguments, "--out", tmp_path / "out")
        if done.returncode in (2, 3):
            assert listing(tmp_path) == before, "a refusal left something behind"
        return done

    return run


def csv_file(folder: Path, *lines: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path = folder / "lines.csv"
    path.write_bytes("\n".join((header, *lines, "")).encode(encoding))
    return path


# ---- files that cannot be read ----


def test_no_such_file(scan, tmp_path):
    assert_refused(scan(tmp_path / "nosuch.csv"), "nosuch.csv", "请检查路径")


def test_pattern_without_match(scan, tmp_path):
    assert_refused(scan(tmp_path / "*.csv"), "*.csv", "没有文件符合")


def test_folder_without_readable_file(scan, tmp_path):
    (tmp_path / "in").mkdir()
    assert_refused(scan(tmp_path / "in"), "没有可读的文件", ".parquet")


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet", "empty.json"])
def test_empty_file(scan, tmp_path, name):
    (tmp_path / name).touch()
    assert_refused(scan(tmp_path / name), name, "文件是空的", "请重新导出")


def test_blank_file(scan, tmp_path):
    (tmp_path / "blank.csv").write_text("\n\n \n")
    assert_refused(scan(tmp_path / "blank.csv"), "blank.csv", "文件是空的")


def test_header_without_lines(scan, tmp_path):
    assert_refused(scan(csv_file(tmp_path)), "lines.csv", "没有明细行")


def test_unsupported_file_type(scan, tmp_path):
    (tmp_path / "lines.docx").write_bytes(b"PK\x03\x04")
    assert_refused(scan(tmp_path / "lines.docx"), "lines.docx", "不支持的文件类型", "CSV、JSON、Excel")


def test_text_named_parquet(scan, tmp_path):
    (tmp_path / "lines.parquet").write_text(f"{HEADER}\n{GOOD}\n", encoding="utf-8")
    assert_refused(scan(tmp_path / "lines.parquet"), "lines.parquet", "不是 Parquet 文件", "请检查扩展名")


def test_truncated_parquet(scan, tmp_path):
    whole = (ROOT / "data" / "samples" / "national" / "fee_list_d.parquet").read_bytes()
    (tmp_path / "lines.parquet").write_bytes(whole[: len(whole) // 2])
    assert_refused(scan(tmp_path / "lines.parquet"), "lines.parquet", "损坏或不完整", "请重新导出")


@pytest.mark.parametrize("text", ['[{"a": 1}', "not json", "[1, 2]"])
def test_broken_json(scan, tmp_path, text):
    (tmp_path / "lines.json").write_text(text)
    assert_refused(scan(tmp_path / "lines.json"), "lines.json")


# ---- columns ----


def test_needed_column_missing_names_the_headers_that_would_do(scan, tmp_path):
    header = HEADER.replace("国标代码", "药品编码")
    run = scan(csv_file(tmp_path, GOOD, header=header))
    assert_refused(run, "item_code", "med_list_codg", "国标代码", "药品编码", "--map item_code=")


def test_time_column_missing(scan, tmp_path):
    header = HEADER.replace("费用发生日期", "日子")
    assert_refused(scan(csv_file(tmp_path, GOOD, header=header)), "service_time", "fee_ocur_time", "费用发生日期")


def test_the_same_header_twice_in_csv(scan, tmp_path):
    header = HEADER.replace("金额", " 数量")
    assert_refused(scan(csv_file(tmp_path, GOOD, header=header)), "数量", "出现了两次", "只保留一列")


def test_the_same_header_twice_in_parquet(scan, tmp_path):
    columns = {"费用发生日期": "2026-03-01", "国标代码": MALE_ONLY, "数量": "1", "性别": "女"}
    arrays = [pa.array([value]) for value in columns.values()]
    table = pa.Table.from_arrays([*arrays, pa.array(["2"])], names=[*columns, "数量"])
    pq.write_table(table, tmp_path / "lines.parquet")
    assert_refused(scan(tmp_path / "lines.parquet"), "lines.parquet", "数量", "出现了两次")


def test_no_person_column_names_settlements(scan, tmp_path):
    header = HEADER.replace("性别", "甲").replace("出生日期", "乙")
    assert_refused(scan(csv_file(tmp_path, GOOD, header=header)), "--settlements", "性别", "--map")


MAPS = {
    "unknown column": (["nosuch=国标代码"], ["nosuch"]),
    "near an existing column": (["itemcode=国标代码"], ["itemcode", "item_code"]),
    "twice one column": (["item_code=国标代码", "item_code=项目名称"], ["item_code"]),
    "a header that no input has": (["item_code=药品代码"], ["药品代码", "没有表头"]),
    "no equals sign": (["item_code"], ["item_code"]),
}


@pytest.mark.parametrize("name", MAPS)
def test_map(scan, tmp_path, name):
    maps, says = MAPS[name]
    options = [part for each in maps for part in ("--map", each)]
    assert_refused(scan(csv_file(tmp_path, GOOD), *options), "--map", *says)


# ---- lines ----


def test_unreadable_time_and_quantity_go_to_the_rejects_and_the_scan_goes_on(scan, tmp_path):
    bad_time = f"L2,明天,{MALE_ONLY},爱普列特片,1,35.5,女,1990-05-01"
    bad_quantity = f"L3,2026-03-01,{MALE_ONLY},爱普列特片,一盒,35.5,女,1990-05-01"
    source = csv_file(tmp_path, GOOD, bad_time, bad_quantity)
    run = scan(source)
    assert run.returncode == 4, run.stderr
    rejects = pl.read_parquet(tmp_path / "out" / "rejects.parquet").sort("record")
    assert rejects.columns == ["file", "record", "column", "value", "why"]
    assert rejects.select("file", "record", "column", "value").rows() == [
        (str(source), 2, "费用发生日期", "明天"),
        (str(source), 3, "数量", "一盒"),
    ]
    assert all(rejects["why"])
    lines = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["lines"]
    assert (lines["read"], lines["judged"], lines["rejected"]["total"]) == (3, 1, 2)


def test_rejects_alone_do_not_make_a_finding(scan, tmp_path):
    ordinary = "L1,2026-03-01,XJ01CAA040E001010199999,阿莫西林胶囊,1,35.5,女,1990-05-01"
    run = scan(csv_file(tmp_path, ordinary, ordinary.replace("2026-03-01", "?")), "--max-rejects", "50%")
    assert run.returncode == 0, run.stderr


def test_no_line_can_be_judged(scan, tmp_path):
    run = scan(csv_file(tmp_path, GOOD.replace("2026-03-01 10:00:00", "明天")))
    assert_refused(run, "读入 1 行", "费用发生日期", "请检查")


def test_only_codes_of_no_national_shape(scan, tmp_path):
    run = scan(csv_file(tmp_path, GOOD.replace(MALE_ONLY, "YP00123")))
    assert_refused(run, "国家医保编码", "YP00123", "--map item_code=")


def test_as_of_before_the_first_point(scan, tmp_path):
    assert_refused(scan(csv_file(tmp_path, GOOD), "--as-of", "2025-05-22"), "2025-05-22", "2025-05-23")
    asked = ("check", "--item", MALE_ONLY, "--sex", "F", "--as-of")
    assert_refused(liangku(*asked, "2025-05-22"), "2025-05-22", "2025-05-23")
    assert liangku(*asked, "2025-05-23").returncode == 1


def test_as_of_is_no_date(scan, tmp_path):
    assert_refused(scan(csv_file(tmp_path, GOOD), "--as-of", "明天"), "--as-of", "2026-03-01")
    assert_refused(liangku("check", "--item", MALE_ONLY, "--as-of", "2026-13-01"), "--as-of", "2026-03-01")


# ---- the folder of results ----


def test_out_is_not_empty(scan, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert_refused(scan(csv_file(tmp_path, GOOD)), "out", "不是空的", "--force")


def test_out_is_a_file(scan, tmp_path):
    (tmp_path / "out").write_text("mine")
    assert_refused(scan(csv_file(tmp_path, GOOD)), "out", "这是一个文件")


def test_force_deletes_only_the_files_of_the_last_run(scan, tmp_path):
    source = csv_file(tmp_path, GOOD)
    assert scan(source, "--csv").returncode == 1
    assert (tmp_path / "out" / "findings.csv").is_file()
    assert_refused(scan(source), "--force")
    assert scan(source, "--force").returncode == 1
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == RESULTS
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert_refused(scan(source, "--force"), "mine.txt", "不会删除")


def test_force_does_not_trust_a_run_json_that_names_other_places(scan, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "precious.txt").write_text("mine")
    (tmp_path / "out" / "run.json").write_text(json.dumps({"files": ["run.json", "../precious.txt"]}))
    assert scan(csv_file(tmp_path, GOOD), "--force").returncode == 1
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_killed_scan_leaves_no_half_result(tmp_path):
    clean = GOOD.replace("女", "男")
    lines = (clean.replace("L1", f"L{number}", 1) for number in range(1, 400_000))
    source = csv_file(tmp_path, GOOD, *lines)
    out = tmp_path / "out"
    with subprocess.Popen(command("scan", source, "--out", out), cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        give_up = time.monotonic() + 60
        while not list(tmp_path.glob(".out.partial-*/work/*.parquet")) and process.poll() is None:
            assert time.monotonic() < give_up, "the scan never began to work"
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL, "the scan ended before it could be killed"
    assert not out.exists()
    run = liangku("scan", source, "--out", out, "--json")
    assert run.returncode == 1, run.stderr
    assert json.loads(run.stdout)["lines"]["judged"] == 400_000
    assert sorted(path.name for path in out.iterdir()) == RESULTS


# ---- knowledge and rules ----


@pytest.fixture
def knowledge(tmp_path) -> Path:
    """A copy of the embedded knowledge base."""
    return Path(shutil.copytree(ROOT / "knowledge_base" / "built", tmp_path / "kb"))


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def remove_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def remove_table(folder: Path) -> None:
    (folder / "pattern.parquet").unlink()


def alter_one_byte(folder: Path) -> None:
    content = bytearray((folder / "point.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "point.parquet").write_bytes(content)


def change_layout(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "layout": 99}), encoding="utf-8")


def break_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{", encoding="utf-8")


SPOILED_KNOWLEDGE = {
    remove_folder: ("kb", "liangku kb build"),
    remove_manifest: ("manifest.json", "liangku kb build"),
    remove_table: ("pattern.parquet", "build the knowledge base again"),
    alter_one_byte: ("point.parquet", "altered", "build it again"),
    change_layout: ("manifest.json", "99", "layouts 2 and 3"),
    break_manifest: ("manifest.json", "not JSON"),
}


@pytest.mark.parametrize("spoil", SPOILED_KNOWLEDGE, ids=lambda spoil: spoil.__name__)
def test_knowledge_that_cannot_be_used(scan, knowledge, tmp_path, spoil):
    spoil(knowledge)
    says = SPOILED_KNOWLEDGE[spoil]
    assert_refused(scan(csv_file(tmp_path, GOOD), "--kb", knowledge), *says)
    assert_refused(liangku("check", "--item", MALE_ONLY, "--kb", knowledge), *says)
    assert_refused(liangku("kb", "show", MALE_ONLY, "--kb", knowledge), *says)


CLAUSE = 'violated = "person_sex <> point_sex"'
SPOILED_RULES = {
    "unknown key": (CLAUSE, f'{CLAUSE}\nvoilated = "true"', ("clause.voilated", "unknown key")),
    "undeclared column": (
        CLAUSE,
        'violated = "person_sexx <> point_sex"',
        ("clause.violated", "person_sexx", "person_sex"),
    ),
    "subquery": (CLAUSE, 'violated = "person_sex = (select max(sex) from point)"', ("clause.violated", "not allowed")),
    "read_csv": (CLAUSE, "violated = \"read_csv('/etc/passwd') is null\"", ("clause.violated", "not allowed")),
    "placeholder": ("{person}登记的性别为{actual}。", "{who}登记的性别为{actual}。", ("message.zh.violation", "{who}")),
    "not TOML": (CLAUSE, "violated = ", ("drug-sex.toml", "TOML")),
}


@pytest.mark.parametrize("name", SPOILED_RULES)
def test_rule_file_that_does_not_load(scan, tmp_path, name):
    rules = Path(shutil.copytree(ROOT / "rules", tmp_path / "rules"))
    old, new, says = SPOILED_RULES[name]
    text = (rules / "drug-sex.toml").read_text(encoding="utf-8")
    assert old in text
    (rules / "drug-sex.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    assert_refused(scan(csv_file(tmp_path, GOOD), "--rules", rules), "drug-sex.toml", *says)
    assert_refused(liangku("check", "--item", MALE_ONLY, "--rules", rules), "drug-sex.toml", *says)


def test_rules_folder_that_is_not_there(scan, tmp_path):
    assert_refused(scan(csv_file(tmp_path, GOOD), "--rules", tmp_path / "nosuch"), "nosuch")


def test_unknown_rule():
    assert_refused(liangku("rules", "show", "nosuch"), "nosuch", "drug-sex")


def test_unknown_point():
    assert_refused(liangku("kb", "show", "nosuch"), "nosuch")
    assert_refused(liangku("kb", "show", "爱普列特"), "爱普列特片")


def test_sources_that_do_not_build(tmp_path):
    sources = Path(shutil.copytree(ROOT / "knowledge_base" / "sources", tmp_path / "sources"))
    text = (sources / "point.csv").read_text(encoding="utf-8")
    (sources / "point.csv").write_text(text.replace(",2025-05-23,", ",2025-05-32,", 1), encoding="utf-8")
    before = listing(tmp_path)
    assert_refused(liangku("kb", "build", "--sources", sources, "--out", tmp_path / "built"), "point.csv", "2025-05-32")
    assert_refused(liangku("kb", "build", "--sources", tmp_path / "nosuch", "--out", tmp_path / "built"), "nosuch")
    assert_refused(liangku("kb", "build", "--sources", sources), "--out")
    assert listing(tmp_path) == before


def test_build_keeps_a_folder_of_other_files(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    run = liangku("kb", "build", "--sources", ROOT / "knowledge_base" / "sources", "--out", tmp_path)
    assert_refused(run, "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# ---- prescriptions ----

LINE = {"item_code": MALE_ONLY}
PRESCRIPTIONS = {
    "no object": (1, ["JSON 对象"]),
    "no lines": ({}, ["lines"]),
    "lines empty": ({"lines": []}, ["lines"]),
    "lines no array": ({"lines": {"item_code": "x"}}, ["lines"]),
    "a line is no object": ({"lines": [LINE, "x"]}, ["lines[1]"]),
    "quantity": ({"lines": [LINE, {**LINE, "quantity": "一盒"}]}, ["lines[1].quantity", "应为数字"]),
    "a value is a list": ({"lines": [{"item_code": ["x"]}]}, ["lines[0].item_code"]),
    "service time": ({"service_time": "明天", "lines": [LINE]}, ["service_time", "2026-03-01"]),
    "patient": ({"patient": "P1", "lines": [LINE]}, ["patient"]),
    "patient's sex": ({"patient": {"sex": "X"}, "lines": [LINE]}, ["patient.sex", "男 或 女"]),
    "patient's age": ({"patient": {"age": "小"}, "lines": [LINE]}, ["patient.age", "周岁"]),
    "insured's birth date": ({"insured": {"birth_date": "1990-13-45"}, "lines": [LINE]}, ["insured.birth_date"]),
    "diagnoses": ({"diagnoses": "N40", "lines": [LINE]}, ["diagnoses", "N40.x00"]),
    "stage": ({"stage": "later", "lines": [LINE]}, ["stage", "dispense"]),
    "empty array": ([], ["至少一张"]),
}


@pytest.mark.parametrize("name", PRESCRIPTIONS)
def test_prescription(tmp_path, name):
    document, says = PRESCRIPTIONS[name]
    path = tmp_path / "rx.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    assert_refused(liangku("check", path), "rx.json", *says)


FILES: dict[str, tuple[bytes, Sequence[str]]] = {
    "broken": (b'{"lines": [\n{]}', ["第 2 行", "JSON"]),
    "deep": (b"[" * 200_000, ["嵌套太深"]),
    "empty": (b" \n", ["是空的"]),
    "no text": (b'{"lines": [{"item_name": "\xff\xff"}]}', ["UTF-8"]),
    "half of utf-16": ('{"lines": []}'.encode("utf-16")[:-1], ["UTF-8"]),
}


@pytest.mark.parametrize("name", FILES)
def test_prescription_file(tmp_path, name):
    content, says = FILES[name]
    (tmp_path / "rx.json").write_bytes(content)
    assert_refused(liangku("check", tmp_path / "rx.json"), "rx.json", *says)
    assert_refused(liangku("check", "-", stdin=content), "stdin", *says)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device here")
def test_what_never_ends_is_not_read_to_the_end(monkeypatch):
    monkeypatch.setattr(files, "PRESCRIPTIONS", 1 << 20)
    assert_refused(liangku("check", "/dev/zero"), "/dev/zero", "超过 1 MB")
    assert_refused(liangku("check", "-", stdin=b"[" * ((1 << 20) + 1)), "stdin", "超过 1 MB")


OPTIONS = {
    "nothing": ([], ["--item", "liangku check"]),
    "no item": (["--sex", "男"], ["--item"]),
    "file and options": (["rx.json", "--sex", "男", "--newborn"], ["--sex", "--newborn"]),
    "birth and age": (["--item", MALE_ONLY, "--birth", "1990-01-01", "--age", "3"], ["--birth", "--age"]),
    "age and ID number": (
        ["--item", MALE_ONLY, "--age", "3", "--id-number", ID_NUMBER[:-1] + "7"],
        ["--age", "--id-number"],
    ),
    "sex": (["--item", MALE_ONLY, "--sex", "X"], ["--sex", "男 或 女"]),
    "birth": (["--item", MALE_ONLY, "--birth", "1990-13-01"], ["--birth", "2026-03-01"]),
    "age": (["--item", MALE_ONLY, "--age", "小"], ["--age", "周岁"]),
    "impossible age": (["--item", MALE_ONLY, "--age", "200"], ["--age", "130"]),
    "negative age": (["--item", MALE_ONLY, "--age", "-1"], ["--age", "130"]),
    "check character": (["--item", MALE_ONLY, "--id-number", ID_NUMBER], ["--id-number", "校验码"]),
    "ID number too short": (["--item", MALE_ONLY, "--id-number", ID_NUMBER[:-1]], ["--id-number", "18 位"]),
    "ID number without date": (["--item", MALE_ONLY, "--id-number", "110101199013010047"], ["--id-number", "不是日期"]),
    "blank": (["--item", MALE_ONLY, "--birth", ""], ["--birth", "是空的"]),
    "stage": (["--item", MALE_ONLY, "--stage", "later"], ["--stage", "dispense"]),
    "no such file": (["nosuch.json"], ["nosuch.json", "--item"]),
    "folder": (["rules"], ["rules", "文件夹"]),
    "code of no shape": (["--item", "XG04CBA088"], ["XG04CBA088", "X 23 位"]),
    "several items": (["--item", "小儿七"], ["小儿七珍丸", "国家医保编码"]),
    "no such item": (["--item", "没有这个药"], ["没有这个药", "国家医保编码"]),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_check(name):
    arguments, says = OPTIONS[name]
    assert_refused(liangku("check", *arguments), *says)


# ---- what must never be said ----


@pytest.mark.parametrize(
    "option", ["--id-number", "--birth", "--age", "--sex", "--insured-sex", "--insured-birth", "--on"]
)
@pytest.mark.parametrize("value", [ID_NUMBER, NAME])
def test_options_never_repeat_a_person(option, value):
    run = liangku("check", "--item", MALE_ONLY, option, value)
    assert_refused(run, option)
    assert value not in run.stderr


@pytest.mark.parametrize("group", ["patient", "insured"])
@pytest.mark.parametrize("key", ["sex", "birth_date"])
@pytest.mark.parametrize("value", [ID_NUMBER, NAME])
def test_prescriptions_never_repeat_a_person(group, key, value):
    document = {group: {key: value}, "lines": [LINE]}
    run = liangku("check", "-", stdin=json.dumps(document).encode())
    assert_refused(run, f"{group}.{key}")
    assert value not in run.stderr


def test_scans_never_repeat_a_person(scan, tmp_path):
    header = f"{HEADER},姓名,身份证号,人员编号"
    bad = f"L2,2026-03-01,{MALE_ONLY},爱普列特片,1,35.5,{NAME},{ID_NUMBER},{NAME},{ID_NUMBER}"
    run = scan(
        csv_file(tmp_path, f"{GOOD},{NAME},{ID_NUMBER},{NAME}", f"{bad},{NAME}", f"{bad},{NAME},{NAME}", header=header)
    )
    assert run.returncode == 4, run.stderr
    assert NAME not in run.stderr + run.stdout
    assert ID_NUMBER not in run.stderr + run.stdout


# ---- words and names that no file of ours can hold ----


@pytest.mark.parametrize(
    "arguments",
    [
        ("kb", "show", "甲片"), ("kb", "search", "甲片"), ("rules", "new", "my-rule", "--name-zh", "甲片"), ("scan", "明细.csv"),
        ("kb", "import", "第三批.xlsx", "--batch", "03", "--published", "2026-03-01"),
    ],
)  # fmt: skip
def test_arguments_that_are_not_utf_8(tmp_path, arguments):
    typed = [os.fsdecode(each.encode("gbk")) for each in arguments]
    place = {"scan": ["--out", tmp_path / "out"], "rules": ["--rules", tmp_path / "rules"], "kb": []}[arguments[0]]
    place = ["--out", tmp_path / "out"] if "import" in arguments else place
    run = liangku_process(*typed, *place, cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert "不是 UTF-8 文字" in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("kb", "diff", "embedded", "x" * 300), ("kb", "ci", "--base", "x" * 300), ("rules", "diff", "embedded", "x" * 300),
        ("rules", "new", "x" * 300, "--rules", "."), ("rules", "new", "my-rule", "--rules", "x" * 300),
        ("kb", "build", "--sources", str(ROOT / "knowledge_base/sources"), "--out", "x" * 300),
    ],
)  # fmt: skip
def test_names_that_are_too_long(tmp_path, arguments):
    (tmp_path / "rules").mkdir()
    run = liangku(*arguments, cwd=tmp_path)
    assert_refused(run, "File name too long")
    assert [path.name for path in tmp_path.iterdir()] == ["rules"]
