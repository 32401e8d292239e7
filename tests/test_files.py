"""Which files a scan reads: each file under an input is read, or named with the reason, and the exit code tells what may be missing."""

from __future__ import annotations

import bz2
import errno
import gzip
import json
import lzma
import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import duckdb
import polars as pl
import pytest

from checker.ingest import relations, walk
from tests.commands import Done, liangku, liangku_process
from tests.one_rule import one_rule_kb

MALE_ONLY = "XG04CBA088A001010101467"
COLUMNS = ("line_id", "fee_ocur_time", "med_list_codg", "cnt", "gend")
HEADER = ",".join(COLUMNS)


def row(line: str, sex: str = "女") -> tuple[str, ...]:
    return (line, "2026-03-01 10:00:00", MALE_ONLY, "1", sex)


def csv_file(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((header, *(",".join(row(line)) for line in lines), "")), encoding="utf-8")
    return path


def parquet_file(path: Path, *lines: str, leave_out: str = "", **further: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame([row(line) for line in lines], schema=COLUMNS, orient="row")
    frame = frame.with_columns(**{name: pl.lit(value) for name, value in further.items()})
    frame.drop(leave_out.split()).write_parquet(path)
    return path


WRITERS = {"csv": csv_file, "parquet": parquet_file}


def scanned(out: Path, *arguments: str | Path, code: int = 1) -> Done:
    done = liangku("scan", *arguments, "--kb", one_rule_kb(), "--out", out, "--lang", "zh")
    assert done.returncode == code, done.stdout + done.stderr
    return done


def found(out: Path) -> list[str]:
    return sorted(pl.read_parquet(out / "findings.parquet", glob=False)["line_id"])


def run(out: Path) -> dict[str, object]:
    return json.loads((out / "run.json").read_text(encoding="utf-8"))


def passed_over(out: Path, root: Path) -> Mapping[str, str]:
    """Why what was not read, by its path below the root."""
    return {str(Path(each["path"]).relative_to(root)): each["reason"] for each in run(out)["passed_over"]}


# ---- names ----


def test_signs_of_patterns_in_names_are_names(tmp_path):
    """A file that exists is itself: its neighbours, which the name would fit as a pattern, are read once or not at all."""
    names = {"a[1]": "a1", "b*": "bb", "c?": "cc", "d'e": "de", "[f]*?": "fgh"}
    odd, plain = ([f"{name}.{kind}" for name in some for kind in WRITERS] for some in (names, names.values()))
    for name in (*odd, *plain):
        WRITERS[name.rpartition(".")[2]](tmp_path / "in" / name, name)
    scanned(tmp_path / "odd", *(tmp_path / "in" / name for name in odd))
    assert found(tmp_path / "odd") == sorted(odd)
    scanned(tmp_path / "all", tmp_path / "in")
    assert found(tmp_path / "all") == sorted([*odd, *plain])
    assert [each["lines"] for each in run(tmp_path / "all")["inputs"]] == [1] * 20


def test_a_pattern_still_means_files(tmp_path):
    for name in ("2026-01", "2026-02", "2025-12"):
        csv_file(tmp_path / "in" / f"{name}.csv", name)
    scanned(tmp_path / "out", tmp_path / "in" / "2026-*.csv")
    assert found(tmp_path / "out") == ["2026-01", "2026-02"]


def test_a_pattern_that_means_folders_reads_their_files(tmp_path):
    csv_file(tmp_path / "in" / "2026-01" / "a.csv", "in a folder")
    csv_file(tmp_path / "in" / "2026-02.csv", "beside it")
    scanned(tmp_path / "out", tmp_path / "in" / "2026-*")
    assert found(tmp_path / "out") == ["beside it", "in a folder"]


@pytest.mark.parametrize("place", ["out[1]", "year=2026/out", "a*b/out"])
def test_results_and_scratch_may_lie_under_any_name(tmp_path, place):
    (tmp_path / "out1").mkdir()
    scanned(tmp_path / place, csv_file(tmp_path / "lines.csv", "one", "two"))
    assert found(tmp_path / place) == ["one", "two"]
    assert list((tmp_path / "out1").iterdir()) == []


def test_a_pattern_as_out_touches_no_other_folder(tmp_path):
    others = tmp_path / ".other.partial-999999"
    others.mkdir()
    source = csv_file(tmp_path / "in" / "lines.csv", "one")
    scanned(tmp_path / "*", source)
    scanned(tmp_path / "?ther", source)
    assert others.is_dir()


OWN = ("file_row_number", "FILE_INDEX", "filename", "__record", "__fault", "__text", "__ordinal")


def test_no_column_of_a_file_takes_the_place_of_our_own(tmp_path):
    """With a column of the reader's own names every line once counted as the same line."""
    files = {f"of {name}.{kind}": name for name in OWN for kind in WRITERS}
    lines = [(file, place) for file in sorted(files) for place in range(1, 6)]
    for file, name in files.items():
        path = tmp_path / "in" / file
        parquet_file(path, *(f"{file} {place}" for place in range(1, 6)), **{name: 7})
        if path.suffix == ".csv":
            pl.read_parquet(path).write_csv(path)
    scanned(tmp_path / "out", tmp_path / "in")
    told = pl.read_parquet(tmp_path / "out" / "findings.parquet").sort("source_file", "source_record")
    assert told.select("line_id", "source_record").rows() == [(f"{file} {place}", place) for file, place in lines]
    assert [Path(file).name for file in told["source_file"]] == [file for file, _ in lines]


def test_such_a_column_can_still_be_mapped(tmp_path):
    path = csv_file(tmp_path / "lines.csv", "one", header=HEADER.replace("line_id", "__record"))
    scanned(tmp_path / "out", path, "--map", "line_id=__record")
    assert found(tmp_path / "out") == ["one"]


# ---- folders ----


def test_scratch_and_marks_of_others_are_no_data(tmp_path):
    root = tmp_path / "in"
    parquet_file(root / "part-0.parquet", "right")
    for place in ("_temporary/0/part-0.parquet", ".hive-staging_1/part-0.parquet", "_impala_insert_staging/a.parquet",
                  "._part-0.parquet", ".part-0.parquet.crc", "_SUCCESS"):  # fmt: skip
        parquet_file(root / place, "wrong")
    done = scanned(tmp_path / "out", root)
    assert found(tmp_path / "out") == ["right"]
    assert set(passed_over(tmp_path / "out", root)) == {
        "_temporary", ".hive-staging_1", "_impala_insert_staging", "._part-0.parquet", ".part-0.parquet.crc", "_SUCCESS",
    }  # fmt: skip
    assert set(passed_over(tmp_path / "out", root).values()) == {"hidden"}
    assert "_SUCCESS" in done.stdout


def test_only_what_stands_below_the_input_counts_as_scratch(tmp_path):
    csv_file(tmp_path / "_in" / ".hidden" / "lines.csv", "one")
    scanned(tmp_path / "folder", tmp_path / "_in" / ".hidden")
    scanned(tmp_path / "file", csv_file(tmp_path / "_lines.csv", "one"))
    assert (found(tmp_path / "folder"), found(tmp_path / "file")) == (["one"], ["one"])


def test_what_may_be_data_makes_the_result_incomplete(tmp_path):
    root = tmp_path / "in"
    csv_file(root / "2026-01.csv", "one")
    (root / "2026-02.orc").write_bytes(b"ORC and more")
    (root / "说明.txt").write_text("一月的数据\n二月的数据另给\n", encoding="utf-8")
    (root / "说明.docx").write_bytes(b"PK")
    (root / "科室汇总.csv").write_text("科室,费用发生日期,金额\n内科,2026-01-31,71\n", encoding="utf-8")
    (root / "gone.csv").symlink_to(root / "nowhere.csv")
    done = scanned(tmp_path / "out", root, code=4)
    assert found(tmp_path / "out") == ["one"]
    reasons = {
        "2026-02.orc": "unknown_kind",
        "说明.docx": "unknown_kind",
        "说明.txt": "no_known_header",
        "科室汇总.csv": "unfit_headers",
        "gone.csv": "unreadable",
    }
    assert passed_over(tmp_path / "out", root) == reasons
    assert "结果不完整" in done.stdout
    assert "缺少“item_code”列" in done.stdout
    assert all(name in done.stdout for name in reasons)
    assert {gap["why"] for gap in run(tmp_path / "out")["incomplete"]} == {"not_read"}
    assert run(tmp_path / "out")["lines"]["read"] == 1


def test_files_of_the_system_are_told_and_no_data(tmp_path):
    names = ("desktop.ini", "Thumbs.db", "~$明细.xlsx", "$RECYCLE.BIN/a.csv", "@eaDir/a.csv")
    csv_file(tmp_path / "in" / "lines.csv", "one")
    for name in names:
        path = tmp_path / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    scanned(tmp_path / "out", tmp_path / "in")
    assert passed_over(tmp_path / "out", tmp_path / "in") == {name.partition("/")[0]: "of_the_system" for name in names}
    assert found(tmp_path / "out") == ["one"]


EMPTY = {
    "a.csv": b"\xef\xbb\xbf", "b.txt": b"\n\n", "c.csv.gz": gzip.compress(b""), "d.json": b"[]", "e.jsonl": b"\n",
    "f.json": b'{"code": 0, "data": {"list": [], "total": 0}}', "g.ok": b"",
}  # fmt: skip


def test_what_holds_nothing_is_empty_however_it_is_written(tmp_path):
    root = tmp_path / "in"
    csv_file(root / "lines.csv", "one")
    for name, content in EMPTY.items():
        (root / name).write_bytes(content)
    scanned(tmp_path / "out", root)
    assert passed_over(tmp_path / "out", root) == dict.fromkeys(EMPTY, "empty")
    assert "d.json" in scanned(tmp_path / "alone", root / "d.json", code=2).stderr


def test_empty_parts_are_told_within_a_folder(tmp_path):
    root = tmp_path / "in"
    csv_file(root / "part-0.csv", "one")
    csv_file(root / "part-1.csv")
    parquet_file(root / "part-2.parquet")
    (root / "part-3.csv").touch()
    scanned(tmp_path / "out", root)
    reasons = {"part-1.csv": "header_only", "part-2.parquet": "header_only", "part-3.csv": "empty"}
    assert passed_over(tmp_path / "out", root) == reasons


def test_an_empty_part_given_by_itself_is_an_error(tmp_path):
    whole, empty = csv_file(tmp_path / "a.csv", "one"), csv_file(tmp_path / "b.csv")
    done = scanned(tmp_path / "out", whole, empty, code=2)
    assert "b.csv" in done.stderr
    assert "没有明细行" in done.stderr


def test_the_results_of_an_earlier_scan_are_no_data(tmp_path):
    root = tmp_path / "in"
    csv_file(root / "lines.csv", "one")
    scanned(root / "结果", root / "lines.csv", "--csv")
    parquet_file(root / "结果" / "more.parquet", "two")
    scanned(tmp_path / "out", root)
    assert found(tmp_path / "out") == ["one", "two"]
    assert passed_over(tmp_path / "out", root) == {"结果": "own_results"}


def test_a_file_reached_twice_is_read_once_and_told(tmp_path):
    path = csv_file(tmp_path / "in" / "lines.csv", "one")
    (tmp_path / "in" / "same.csv").symlink_to(path)
    scanned(tmp_path / "out", tmp_path / "in", path)
    assert run(tmp_path / "out")["lines"]["read"] == 1
    assert [each["reason"] for each in run(tmp_path / "out")["passed_over"]] == ["repeated", "repeated"]


def test_linked_folders_are_read_and_circles_end(tmp_path):
    csv_file(tmp_path / "elsewhere" / "lines.csv", "one")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "in")
    scanned(tmp_path / "out", tmp_path / "in")
    assert found(tmp_path / "out") == ["one"]
    assert passed_over(tmp_path / "out", tmp_path / "in") == {"link/back": "repeated"}


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    csv_file(tmp_path / "in" / "a.csv", "one")
    csv_file(tmp_path / "in" / "locked" / "b.csv", "two")
    listed = Path.iterdir

    def iterdir(folder: Path):
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(walk.Path, "iterdir", iterdir)
    scanned(tmp_path / "out", tmp_path / "in", code=4)
    assert passed_over(tmp_path / "out", tmp_path / "in") == {"locked": "unreadable"}
    done = scanned(tmp_path / "alone", tmp_path / "in" / "locked", code=2)
    assert "locked" in done.stderr
    assert "Permission denied" in done.stderr


def test_a_name_that_is_not_utf_8_is_told(tmp_path):
    csv_file(tmp_path / "in" / "a.csv", "one")
    csv_file(Path(os.fsdecode(os.fsencode(tmp_path / "in") + "/明细.csv".encode("gbk"))), "two")
    done = scanned(tmp_path / "out", tmp_path / "in", code=4)
    assert {Path(each["path"]).name: each["reason"] for each in run(tmp_path / "out")["passed_over"]} == {
        "明细.csv": "name"
    }
    assert "请改名" in done.stdout


def test_a_pipe_is_refused_without_being_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    assert "不是普通文件" in scanned(tmp_path / "out", tmp_path / "pipe.csv", code=2).stderr


def test_parquet_without_a_suffix_is_parquet(tmp_path):
    parquet_file(tmp_path / "in" / "000000_0", "one")
    scanned(tmp_path / "out", tmp_path / "in")
    assert found(tmp_path / "out") == ["one"]


LINES = "\n".join((HEADER, ",".join(row("one")), ""))
OBJECT = json.dumps(dict(zip(COLUMNS, row("one"), strict=True)), ensure_ascii=False)
UNDER_OTHER_NAMES = {
    "明细": LINES, "part-00000": LINES, "a.dat": LINES.replace(",", "\x01"), "a.dat.bz2": bz2.compress(LINES.encode()), "b.csv": OBJECT,
    "a.csv.xz": lzma.compress(LINES.encode()), "a.jsonl.xz": lzma.compress(f"{OBJECT}\n".encode()),
    "c.txt": f"[{OBJECT}]", "d.jsonl": f"[\n{OBJECT}\n]", "e.ndjson": f"{OBJECT},\n", "f": OBJECT,
}  # fmt: skip


def test_what_a_file_is_its_beginning_tells(tmp_path):
    """Lines and objects under the names of others, and under none; in a folder and each by itself."""
    root = tmp_path / "in"
    for name, content in UNDER_OTHER_NAMES.items():
        path = root / name.replace(".", "-") / name
        path.parent.mkdir(parents=True)
        text = content if isinstance(content, bytes) else content.replace("one", name).encode()
        path.write_bytes(text)
    csv_file(root / "g.lst", "left")
    scanned(tmp_path / "out", root, code=4)
    assert found(tmp_path / "out") == sorted({*UNDER_OTHER_NAMES, "one"} - {"a.dat.bz2", "a.csv.xz", "a.jsonl.xz"})
    assert passed_over(tmp_path / "out", root) == {"g.lst": "unknown_kind"}
    scanned(tmp_path / "alone", root / "g.lst")
    assert found(tmp_path / "alone") == ["left"]


def test_a_header_that_begins_like_some_other_form_is_a_header(tmp_path):
    names = ("PKID", "ORCD", "PARENT_ID", "ARROW1")
    for name in names:
        path = csv_file(tmp_path / "in" / f"{name}.csv", name)
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join((f"{name},{header}", *(f"7,{line}" for line in lines), "")), encoding="utf-8")
    scanned(tmp_path / "out", tmp_path / "in")
    assert found(tmp_path / "out") == sorted(names)


ADVISED = {
    "a.rar": (b"Rar!", "解压"), "a.tar.gz": (gzip.compress(b"x"), "解压"), "a.csv": (b"7z\xbc\xaf", "解压"),
    "000000_0": (b"ORC", "Parquet"), "a.avro": (b"Obj\x01", "Parquet"), "a.txt": (b"-- dump\nINSERT INTO `fee` VALUES (1);\n", "--from"),
    "a.numbers": (b"x", ".xlsx"), "a.parquet.tmp": (b"PAR1", "还没有写完"), "a.dat": (b"PK\x03\x04", "扩展名"),
}  # fmt: skip


@pytest.fixture(scope="module")
def not_read(tmp_path_factory):
    """What is said of each of these files, which lie in one folder beside a sound one."""
    folder = tmp_path_factory.mktemp("advised")
    csv_file(folder / "in" / "lines.csv", "one")
    for name, (content, _) in ADVISED.items():
        (folder / "in" / name).write_bytes(content)
    scanned(folder / "out", folder / "in", code=4)
    return {Path(each["path"]).name: each["detail"] for each in run(folder / "out")["passed_over"]}


@pytest.mark.parametrize("name", ADVISED)
def test_what_is_not_read_is_named_with_what_to_do(not_read, name):
    assert not_read.keys() == ADVISED.keys()
    assert name in not_read[name]
    assert ADVISED[name][1] in not_read[name]


def test_a_folder_of_nothing_readable_names_what_is_there(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "lines.orc").write_bytes(b"x")
    done = scanned(tmp_path / "out", tmp_path / "in", code=2)
    assert "lines.orc" in done.stderr
    assert "没有可读的文件" in done.stderr


def test_run_json_tells_of_each_file_what_was_read(tmp_path):
    root = tmp_path / "in"
    csv_file(root / "a.csv", "one", "two")
    (root / "b.csv").write_text(
        f"{HEADER.replace('gend', '性别')}\n3,someday,{MALE_ONLY},1,女\n4,x\n", encoding="utf-8"
    )
    parquet_file(root / "c.parquet", "five")
    scanned(tmp_path / "out", root, code=4)
    told = {Path(each["path"]).name: each for each in run(tmp_path / "out")["inputs"]}
    assert {name: (each["kind"], each["lines"], each["rejects"]) for name, each in told.items()} == {
        "a.csv": ("csv", 2, 0), "b.csv": ("csv", 2, 2), "c.parquet": ("parquet", 1, 0),
    }  # fmt: skip
    assert told["a.csv"]["columns"] == {
        "line_id": ["line_id"], "service_time": ["fee_ocur_time"], "item_code": ["med_list_codg"], "quantity": ["cnt"],
        "patient_sex": ["gend"],
    }  # fmt: skip
    assert told["b.csv"]["columns"]["patient_sex"] == ["性别"]


DAMAGED = {
    "a.parquet": b"PAR1 and no more", "b.parquet": b"text", "c.json": b'[{"a": 1}', "d.csv.gz": b"\x1f\x8b and no more",
    "e.xlsx": b"PK and no more", "f.zip": b"PK and no more", "g.xls": b"<html>", "h.csv": b"cnt,b,cnt\n1,2,3\n",
}  # fmt: skip


def test_damaged_files_are_told_within_a_folder_and_refused_by_themselves(tmp_path):
    root = tmp_path / "in"
    csv_file(root / "lines.csv", "one")
    for name, content in DAMAGED.items():
        (root / name).write_bytes(content)
    done = scanned(tmp_path / "out", root, code=4)
    assert found(tmp_path / "out") == ["one"]
    assert passed_over(tmp_path / "out", root) == dict.fromkeys(DAMAGED, "damaged")
    assert run(tmp_path / "out")["lines"]["read"] == 1
    for name in DAMAGED:
        assert f"{root / name}：" in done.stdout.replace("\n", "")
        assert name in scanned(tmp_path / "alone", root / name, code=2).stderr


# ---- partitions ----


def test_columns_in_the_names_of_folders_count(tmp_path):
    """Whoever partitions by sex has no sex in the files: two women of three are found."""
    root = tmp_path / "in"
    for sex, lines in (("1", ["man"]), ("2", ["woman", "another"])):
        folder = root / "year=2026" / f"gend={sex}"
        parquet_file(folder / "a.parquet", *(f"{line} of Parquet" for line in lines), leave_out="gend")
        rows = [",".join(row(f"{line} of CSV")[:-1]) for line in lines]
        (folder / "a.csv").write_text("\n".join([HEADER.removesuffix(",gend"), *rows, ""]), encoding="utf-8")
    scanned(tmp_path / "out", root)
    assert found(tmp_path / "out") == ["another of CSV", "another of Parquet", "woman of CSV", "woman of Parquet"]
    assert [each["columns"]["patient_sex"] for each in run(tmp_path / "out")["inputs"]] == [["gend"]] * 4


def test_partitions_may_be_empty_escaped_or_of_other_keys(tmp_path):
    root = tmp_path / "in"
    for folder, line in (
        ("gend=%E5%A5%B3", "escaped"),
        ("gend=__HIVE_DEFAULT_PARTITION__", "nothing"),
        ("性别=女", "chinese"),
    ):
        parquet_file(root / folder / "a.parquet", line, leave_out="gend", brdy="1990-01-01")
    scanned(tmp_path / "out", root)
    told = pl.read_parquet(tmp_path / "out" / "findings.parquet").sort("line_id")
    assert told.select("line_id", "verdict").rows() == [
        ("chinese", "violation"), ("escaped", "violation"), ("nothing", "undetermined"),
    ]  # fmt: skip


def test_the_folders_right_above_an_input_count(tmp_path):
    """A shell that resolves the pattern gives the files themselves."""
    for sex in ("1", "2"):
        parquet_file(tmp_path / "in" / f"gend={sex}" / "year=2026" / "a.parquet", sex, leave_out="gend")
    scanned(tmp_path / "files", *sorted((tmp_path / "in").rglob("*.parquet")))
    scanned(tmp_path / "folder", tmp_path / "in" / "gend=2" / "year=2026")
    assert [found(tmp_path / out) for out in ("files", "folder")] == [["2"], ["2"]]


def test_a_column_of_the_file_counts_before_one_of_its_folder(tmp_path):
    parquet_file(tmp_path / "in" / "gend=1" / "a.parquet", "woman")
    scanned(tmp_path / "out", tmp_path / "in")
    assert found(tmp_path / "out") == ["woman"]


def test_the_item_code_may_stand_in_the_folder(tmp_path):
    for number in (1, 2):
        parquet_file(
            tmp_path / "in" / f"med_list_codg={MALE_ONLY}" / f"{number}.parquet", str(number), leave_out="med_list_codg"
        )
    scanned(tmp_path / "out", tmp_path / "in")
    assert found(tmp_path / "out") == ["1", "2"]


# ---- Delta ----


def delta_table(folder: Path, *versions: list[dict[str, object]]) -> Path:
    log = folder / "_delta_log"
    log.mkdir(parents=True)
    for number, actions in enumerate(versions):
        text = "".join(json.dumps(action) + "\n" for action in actions)
        (log / f"{number:020}.json").write_text(text, encoding="utf-8")
    return folder


def added(path: str, **further: object) -> dict[str, object]:
    return {"add": {"path": path, "partitionValues": {}, "size": 1, **further}}


def test_a_delta_table_is_what_its_log_lists(tmp_path):
    table = delta_table(
        tmp_path / "t", [added("a.parquet"), added("b%20c.parquet")],
        [{"remove": {"path": "a.parquet"}}, added("gend=2/d.parquet", partitionValues={"gend": "2"}), added("x=1/_day=2/e.parquet")],
    )  # fmt: skip
    for name in ("a", "b c", "never"):
        parquet_file(table / f"{name}.parquet", name)
    parquet_file(table / "gend=2" / "d.parquet", "d", leave_out="gend")
    # A column may begin with what else hides a folder.
    parquet_file(table / "x=1" / "_day=2" / "e.parquet", "e")
    scanned(tmp_path / "out", table)
    assert found(tmp_path / "out") == ["b c", "d", "e"]
    assert passed_over(tmp_path / "out", table) == {
        "_delta_log": "hidden", "a.parquet": "superseded", "never.parquet": "superseded",
    }  # fmt: skip


def test_a_delta_table_is_read_from_its_checkpoint(tmp_path):
    table = delta_table(tmp_path / "t", [])
    (table / "_delta_log" / f"{0:020}.json").unlink()
    rows = [added(name, partitionValues={"year": "2026"}) for name in ("a.parquet", "b.parquet")]
    pl.DataFrame(rows).write_parquet(table / "_delta_log" / f"{4:020}.checkpoint.parquet")
    text = json.dumps({"remove": {"path": "b.parquet"}})
    (table / "_delta_log" / f"{5:020}.json").write_text(text, encoding="utf-8")
    for name in ("a", "b"):
        parquet_file(table / f"{name}.parquet", name)
    scanned(tmp_path / "out", table)
    assert found(tmp_path / "out") == ["a"]


def test_however_it_is_reached_a_delta_table_is_its_latest_version(tmp_path):
    versions = [[added("a.parquet")], [{"remove": {"path": "a.parquet"}}, added("x/b.parquet")]]
    table = delta_table(tmp_path / "lake" / "t", *versions)
    for name in ("a", "x/b", "x/c"):
        parquet_file(table / f"{name}.parquet", name)
    for number, given in enumerate(
        (table / "x", table / "**" / "*.parquet", tmp_path / "lake", table / "x" / "b.parquet")
    ):
        scanned(tmp_path / f"out{number}", given)
        assert found(tmp_path / f"out{number}") == ["x/b"]
    assert "最新版本" in scanned(tmp_path / "out", table / "a.parquet", code=2).stderr


@pytest.mark.parametrize("mark", ["metadata/v1.metadata.json", ".hoodie/hoodie.properties"])
def test_tables_of_other_lakes_are_refused(tmp_path, mark):
    parquet_file(tmp_path / "t" / "data" / "a.parquet", "one")
    (tmp_path / "t" / mark).parent.mkdir()
    (tmp_path / "t" / mark).write_text("{}", encoding="utf-8")
    for given in (tmp_path, tmp_path / "t" / "data", tmp_path / "t" / "data" / "a.parquet"):
        assert "另存为普通 Parquet" in scanned(tmp_path / "out", given, code=2).stderr


BEYOND = {
    "deletion vectors": [added("a.parquet", deletionVector={"storageType": "u"})],
    "mapped names": [{"metaData": {"configuration": {"delta.columnMapping.mode": "name"}}}, added("a.parquet")],
    "files elsewhere": [added("s3://bucket/a.parquet")],
    "a file that is not there": [added("nowhere.parquet")],
    "no action": ["add"],
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_delta_table_that_takes_more_than_its_log_is_refused(tmp_path, name):
    table = delta_table(tmp_path / "t", BEYOND[name])
    parquet_file(table / "a.parquet", "a")
    done = scanned(tmp_path / "out", table, code=2)
    assert "Delta" in done.stderr
    assert "Parquet" in done.stderr


# ---- shares ----


def test_rejects_beyond_the_share_make_the_result_incomplete(tmp_path):
    lines = [",".join(row(str(number))) for number in range(200)]
    lines[:2] = [line.replace("2026-03-01", "someday") for line in lines[:2]]
    path = tmp_path / "lines.csv"
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    scanned(tmp_path / "at the share", path)
    done = scanned(tmp_path / "beyond", path, "--max-rejects", "0.9%", code=4)
    assert [gap["why"] for gap in run(tmp_path / "beyond")["incomplete"]] == ["rejects"]
    assert "200 行中 2 行无法读取" in done.stdout
    assert "--max-rejects" in scanned(tmp_path / "no share", path, "--max-rejects", "2", code=2).stderr


def test_the_share_is_that_of_each_file(tmp_path):
    csv_file(tmp_path / "in" / "a.csv", *map(str, range(500)))
    (tmp_path / "in" / "b.csv").write_text(
        f"{HEADER}\n{','.join(row('x'))}\ny,never,{MALE_ONLY},1,女\n", encoding="utf-8"
    )
    scanned(tmp_path / "out", tmp_path / "in", code=4)
    assert [Path(gap["path"]).name for gap in run(tmp_path / "out")["incomplete"]] == ["b.csv"]


def test_a_file_of_which_nearly_nothing_could_be_judged_is_told(tmp_path):
    csv_file(tmp_path / "in" / "a.csv", *map(str, range(10)))
    path = csv_file(tmp_path / "in" / "b.csv", *map(str, range(10)))
    path.write_text(path.read_text(encoding="utf-8").replace(MALE_ONLY, "YP001"), encoding="utf-8")
    scanned(tmp_path / "out", tmp_path / "in", code=4)
    gaps = run(tmp_path / "out")["incomplete"]
    assert [(Path(gap["path"]).name, gap["why"]) for gap in gaps] == [("b.csv", "no_codes")]


def test_settlements_that_are_rejected_count_as_well(tmp_path):
    lines = csv_file(tmp_path / "lines.csv", "one", header=HEADER.replace("line_id", "setl_id"))
    (tmp_path / "setl.csv").write_text("setl_id,gend\none,2\nbroken\n", encoding="utf-8")
    scanned(tmp_path / "out", lines, "--settlements", tmp_path / "setl.csv", code=4)
    assert [Path(gap["path"]).name for gap in run(tmp_path / "out")["incomplete"]] == ["setl.csv"]


@pytest.fixture
def during_the_census(monkeypatch):
    """Have something happen on the connection when the lines have been opened and are about to be counted."""
    census = relations.take_census

    def happen(event):
        def take_census(connection, files, **options):
            event(connection)
            return census(connection, files, **options)

        monkeypatch.setattr(relations, "take_census", take_census)

    return happen


def test_a_file_that_changes_during_the_scan_is_told(tmp_path, during_the_census):
    path = csv_file(tmp_path / "lines.csv", "one")
    during_the_census(lambda _: path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8"))
    done = scanned(tmp_path / "out", path, code=4)
    assert [gap["why"] for gap in run(tmp_path / "out")["incomplete"]] == ["changed"]
    assert "扫描期间文件有变化" in done.stdout


# ---- one at a time, and an orderly end ----


def test_of_two_scans_into_one_folder_the_second_is_refused(tmp_path, during_the_census):
    path = csv_file(tmp_path / "lines.csv", "one")
    refused = []
    during_the_census(lambda _: refused.append(liangku_process("scan", path, "--out", tmp_path / "out")))
    scanned(tmp_path / "out", path)
    assert [done.returncode for done in refused] == [2]
    assert "另一个命令正在写这个文件夹" in refused[0].stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["lines.csv", "out"]


def test_what_appears_in_the_folder_meanwhile_is_kept(tmp_path, during_the_census):
    path = csv_file(tmp_path / "lines.csv", "one")
    during_the_census(lambda _: csv_file(tmp_path / "out" / "mine.csv"))
    assert "out" in scanned(tmp_path / "out", path, code=2).stderr
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["mine.csv"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_query_at_once_and_leaves_nothing(tmp_path, during_the_census, number, code):
    path = csv_file(tmp_path / "lines.csv", "one")

    def work(connection):
        threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
        connection.execute("SELECT sum(a.range * b.range) FROM range(100000000) a, range(1000) b")

    during_the_census(work)
    started = time.monotonic()
    done = scanned(tmp_path / "out", path, code=code)
    assert time.monotonic() - started < 5
    assert "Traceback" not in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["lines.csv"]


def test_scratch_of_a_killed_run_is_removed_by_the_next(tmp_path):
    left = tmp_path / f".out.partial-{os.getpid()}9"
    (left / "work").mkdir(parents=True)
    scanned(tmp_path / "out", csv_file(tmp_path / "lines.csv", "one"))
    assert not left.exists()


# ---- what breaks while it is read ----


def broken_page(path: Path) -> Path:
    frame = pl.DataFrame([row(str(number)) for number in range(3000)], schema=COLUMNS, orient="row")
    frame.write_parquet(path, compression="uncompressed", use_pyarrow=True, pyarrow_options={"use_dictionary": False})
    content = bytearray(path.read_bytes())
    # The lengths of the first texts: whoever reads them runs beyond the page.
    content[40:400] = bytes(byte ^ 0xFF for byte in content[40:400])
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("role", ["lines", "settlements"])
def test_a_broken_page_names_its_file(tmp_path, role):
    whole = csv_file(tmp_path / "whole.csv", "1")
    broken = broken_page(tmp_path / "broken.parquet")
    given = [whole, broken] if role == "lines" else [whole, "--settlements", broken, "--map", "settlement_id=line_id"]
    done = scanned(tmp_path / "out", *given, code=2)
    assert "broken.parquet" in done.stderr
    assert "重新导出" in done.stderr


def test_a_time_out_of_range_names_its_file(tmp_path):
    frame = pl.DataFrame([row("1")], schema=COLUMNS, orient="row").with_columns(
        fee_ocur_time=pl.Series([2**62], dtype=pl.Int64).cast(pl.Datetime("ms"))
    )
    frame.write_parquet(tmp_path / "far.parquet")
    assert "far.parquet" in scanned(tmp_path / "out", tmp_path / "far.parquet", code=2).stderr


def test_a_full_disk_names_the_folder_and_the_bytes(tmp_path, during_the_census):
    path = csv_file(tmp_path / "lines.csv", "1")

    def fill(_):
        raise duckdb.IOException('Could not write file "x": No space left on device')

    during_the_census(fill)
    done = scanned(tmp_path / "out", path, code=2)
    assert "磁盘空间不够" in done.stderr
    assert str(tmp_path) in done.stderr
    assert f"{3 * path.stat().st_size:,} 字节" in done.stderr


def test_a_disk_that_keeps_no_large_files_is_named(tmp_path, during_the_census):
    def fill(_):
        raise OSError(errno.EFBIG, "File too large")

    during_the_census(fill)
    assert f"{tmp_path}：" in scanned(tmp_path / "out", csv_file(tmp_path / "lines.csv", "1"), code=2).stderr


def test_a_file_that_vanishes_during_the_scan_is_told(tmp_path, during_the_census):
    path = parquet_file(tmp_path / "lines.parquet", "1")
    during_the_census(lambda _: path.unlink())
    assert "lines.parquet" in scanned(tmp_path / "out", path, code=2).stderr
