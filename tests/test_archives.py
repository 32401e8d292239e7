"""ZIP archives as inputs: every member is read or named, under the name that its packer saw, and nothing absurd is unpacked."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from checker.ingest import archive
from tests.commands import Done, liangku
from tests.one_rule import one_rule_kb

MALE_ONLY = "XG04CBA088A001010101467"
HEADER = "line_id,fee_ocur_time,med_list_codg,cnt,gend"


def lines(*names: str) -> bytes:
    return "\n".join([HEADER, *(f"{name},2026-03-01,{MALE_ONLY},1,女" for name in names), ""]).encode()


def packed(path: Path, members: Mapping[str, bytes], *, encoding: str | None = None) -> Path:
    """An archive; with an encoding the names are written in it as old programs do, without saying which it is."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, content) in enumerate(members.items()):
            archive.writestr(name if encoding is None else f"@{number}".ljust(len(name.encode(encoding)), "@"), content)
    if encoding:
        content = path.read_bytes()
        for number, name in enumerate(members):
            raw = name.encode(encoding)
            content = content.replace(f"@{number}".ljust(len(raw), "@").encode(), raw)
        path.write_bytes(content)
    return path


def scanned(out: Path, *arguments: str | Path, code: int = 1) -> Done:
    done = liangku("scan", *arguments, "--kb", one_rule_kb(), "--out", out, "--lang", "zh")
    assert done.returncode == code, done.stdout + done.stderr
    return done


def found(out: Path) -> dict[str, str]:
    frame = pl.read_parquet(out / "findings.parquet")
    return dict(zip(frame["line_id"], (name.rpartition(".zip/")[2] for name in frame["source_file"]), strict=True))


def run(out: Path) -> dict[str, object]:
    return json.loads((out / "run.json").read_text(encoding="utf-8"))


def test_every_member_is_read_or_named(tmp_path):
    parquet = tmp_path / "p.parquet"
    pl.read_csv(lines("three"), infer_schema=False).write_parquet(parquet)
    document = {"line_id": "four", "fee_ocur_time": "2026-03-01", "med_list_codg": MALE_ONLY, "gend": "2"}
    path = packed(tmp_path / "month.zip", {
        "a.csv": lines("one", "two"), "in/b.parquet": parquet.read_bytes(), "in/c.json": json.dumps([document]).encode(),
        "gend=2/d.csv": lines("five").replace(b",gend", b"").replace(",1,女".encode(), b",1"),
        "__MACOSX/._a.csv": b"x", "说明.docx": b"x", "empty.csv": b"", "header.csv": lines(), "inner.zip": b"PK",
    })  # fmt: skip
    done = scanned(tmp_path / "out", path, code=4)
    assert found(tmp_path / "out") == {
        "one": "a.csv", "two": "a.csv", "three": "in/b.parquet", "four": "in/c.json", "five": "gend=2/d.csv",
    }  # fmt: skip
    document = run(tmp_path / "out")
    assert {Path(each["path"]).name: each["reason"] for each in document["passed_over"]} == {
        "._a.csv": "hidden", "说明.docx": "unknown_kind", "empty.csv": "empty", "header.csv": "header_only", "inner.zip": "nested",
    }  # fmt: skip
    assert {(each["archive"], each["lines"]) for each in document["inputs"]} == {(str(path), 2), (str(path), 1)}
    assert "month.zip/说明.docx" in done.stdout


@pytest.mark.parametrize("encoding", [None, "gbk", "utf-8"])
def test_names_are_those_that_the_packer_saw(tmp_path, encoding):
    """In GBK the second byte of some characters is a backslash, which Windows also puts between folders."""
    path = packed(tmp_path / "month.zip", {"三月\\僜明细.csv": lines("one")}, encoding=encoding)
    scanned(tmp_path / "out", path)
    assert found(tmp_path / "out") == {"one": "三月/僜明细.csv"}


def test_names_that_lead_elsewhere_write_nothing_there(tmp_path):
    path = packed(tmp_path / "month.zip", {"../../evil.csv": lines("one")})
    scanned(tmp_path / "in" / "out", path)
    assert found(tmp_path / "in" / "out") == {"one": "evil.csv"}
    assert not list(tmp_path.rglob("evil.csv"))


def test_a_member_that_is_broken_is_told_under_its_name(tmp_path):
    path = packed(tmp_path / "month.zip", {"a.csv": lines("one"), "b.parquet": b"PAR1 and no more"})
    done = scanned(tmp_path / "out", path, code=4)
    assert "month.zip/b.parquet：Parquet 文件已损坏" in done.stdout.replace("\n", "")
    assert ".partial-" not in done.stdout


def test_an_archive_without_data_is_refused(tmp_path):
    done = scanned(tmp_path / "out", packed(tmp_path / "month.zip", {"a.docx": b"x"}), code=2)
    assert "month.zip/a.docx" in done.stderr


def test_an_archive_with_a_password_is_refused(tmp_path):
    path = packed(tmp_path / "month.zip", {"a.csv": lines("one")})
    content = bytearray(path.read_bytes())
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        flags = content.index(sign) + place
        content[flags : flags + 2] = struct.pack("<H", 1)
    path.write_bytes(content)
    assert "有密码" in scanned(tmp_path / "out", path, code=2).stderr


def test_an_archive_that_unpacks_to_an_absurd_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FROM", 1 << 20)
    path = packed(tmp_path / "month.zip", {"a.csv": lines("one"), "bomb.csv": b"0" * (2 << 20)})
    assert "month.zip/bomb.csv" in scanned(tmp_path / "out", path, code=2).stderr


def test_a_size_that_is_a_lie_is_found(tmp_path):
    path = packed(tmp_path / "month.zip", {"a.csv": lines(*map(str, range(100)))})
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", 100)
    path.write_bytes(content)
    assert "已损坏" in scanned(tmp_path / "out", path, code=2).stderr


@pytest.mark.parametrize("cut", [10, 60, 100])
def test_a_cut_archive_is_refused(tmp_path, cut):
    path = packed(tmp_path / "month.zip", {"a.csv": lines("one")})
    path.write_bytes(path.read_bytes()[:cut])
    assert "month.zip" in scanned(tmp_path / "out", path, code=2).stderr


def test_two_members_of_one_name_are_refused(tmp_path):
    path = packed(tmp_path / "month.zip", {"a.csv": lines("one"), "b.csv": lines("two")})
    path.write_bytes(path.read_bytes().replace(b"b.csv", b"a.csv"))
    assert "同名" in scanned(tmp_path / "out", path, code=2).stderr


def test_an_archive_in_a_folder_is_one_of_its_files(tmp_path):
    (tmp_path / "in").mkdir()
    packed(tmp_path / "in" / "a.zip", {"a.csv": lines("one")})
    packed(tmp_path / "in" / "b.zip", {"a.csv": lines("two"), "b.csv": lines("three")})
    scanned(tmp_path / "out", tmp_path / "in")
    assert sorted(found(tmp_path / "out")) == ["one", "three", "two"]
