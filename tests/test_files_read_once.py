"""Rules, knowledge, settings and lists are read once, from regular files within bounds; what was hashed is what is used."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from checker.engines.duckdb import connect_locked
from checker.knowledge.build import build, content_hash
from checker.knowledge.edition import load_into, open_edition
from checker.knowledge.resolve import knowledge_files, open_editions
from checker.knowledge.sheets import xlsx_texts
from checker.knowledge.source import read_sources
from checker.model.embedded import embedded_rules_folder
from checker.model.errors import InputError, KnowledgeError
from checker.model.files import RULE_FILE
from checker.model.held import HeldFiles
from checker.rulebook.load import load_rules
from checker.service.national.profile import read_profile
from checker.service.settings import Settings, read_settings
from tests.knowledge.small_kb import Kb, code, exemption, more, point
from tests.knowledge.workbooks import drug_sex, refusal, saved
from tests.sealed import seal

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes and devices of Unix")
ROOT = Path(__file__).resolve().parents[1]
MOST = 1 << 31
"""Bytes that a process may take that is given a bomb."""


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def plug(path: Path) -> None:
    # The path of a socket may have a hundred bytes.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(before)


def large(path: Path) -> None:
    path.write_bytes(b"# " + b"a" * RULE_FILE + b"\n")


KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (pipe, "not a regular file"), "device": (device, "not a regular file"), "socket": (plug, "not a regular file"),
    "folder": (Path.mkdir, "not a regular file"), "large": (large, "larger than 1 MB"),
}  # fmt: skip


def rules(path: Path) -> object:
    return load_rules(path.parent)


def settings(path: Path) -> object:
    return read_settings(path, {})


def sources(path: Path) -> object:
    return read_sources(path.parent)


def edition(path: Path) -> object:
    return open_edition(path.parent)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read", [rules, settings, read_profile])
def test_what_is_no_file_or_too_large_is_refused_in_one_sentence(
    read: Callable[[Path], object], kind: str, tmp_path: Path
) -> None:
    make, said = KINDS[kind]
    path = tmp_path / "x.toml"
    make(path)
    with pytest.raises(InputError) as error:
        read(path)
    assert f"{path.name}" in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("make", [pipe, device, plug])
@pytest.mark.parametrize(
    ("name", "read"),
    [("point.csv", sources), ("exemption.toml", sources), ("manifest.json", edition), ("pattern.parquet", edition)],
)
def test_so_is_each_file_of_a_knowledge_base(
    name: str, read: Callable[[Path], object], make: Callable[[Path], None], tmp_path: Path
) -> None:
    Kb().write(tmp_path / "text")
    if read is edition:
        build(tmp_path / "text", tmp_path / "built")
    path = tmp_path / ("built" if read is edition else "text") / name
    path.unlink(missing_ok=True)
    make(path)
    with pytest.raises(KnowledgeError, match=rf"{name}[：:] .*not a regular file|{name}：.*not a regular file"):
        read(path)


def test_a_link_to_a_file_is_read_as_the_file(tmp_path: Path) -> None:
    for rule in embedded_rules_folder().glob("*.toml"):
        (tmp_path / rule.name).symlink_to(rule)
    assert load_rules(tmp_path).hash == load_rules(embedded_rules_folder()).hash


DEEP = {
    "a dotted key": ".".join("a" * 40_000) + " = 1",
    "a dotted key of quotes": '"a" . ' * 20_000 + "a = 1",
    "a table": f"[{'.'.join('a' * 40_000)}]",
    "an inline table": "x = {a = 1, " + "b." * 40_000 + "c = 1}",
    "arrays": "x = " + "[" * 80_000,
    "inline tables": "x = " + "{a = " * 20_000,
    "a number": "x = " + "1" * 80_000,
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_a_short_text_of_endless_depth_is_refused_at_once(text: str, tmp_path: Path) -> None:
    """The parser of the library takes gigabytes for some of them: what is given here ends in a process with less."""
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "checker.cli.main", "rules", "list", "--rules", str(tmp_path)],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST)),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "x.toml: 不是有效的 TOML" in done.stderr
    assert "Traceback" not in done.stderr


# ---- what was verified is what is used ----


def points_of(folder: Path, swap: Callable[[], object]) -> tuple[str, list[tuple[str, ...]]]:
    """The hash of an edition and the points that a connection gets of it, its files having been swapped in between."""
    (opened,) = open_editions([folder])
    swap()
    with connect_locked(readable=knowledge_files([opened])) as con:
        load_into(con, [opened])
        return opened.content_hash, con.execute("SELECT point_id, item_name FROM kb_point ORDER BY ALL").fetchall()


def test_what_is_put_in_the_place_of_an_edition_after_it_was_verified_is_not_used(tmp_path: Path) -> None:
    first, other = tmp_path / "first", tmp_path / "other"
    build(Kb().write(tmp_path / "a"), first)
    build(
        more([point("q1", "drug-sex", "别的片", sex="male")], [code("q1", "XG04CBA088A001010101468")]).write(
            tmp_path / "b"
        ),
        other,
    )
    told = points_of(first, lambda: None)

    def swap() -> None:
        shutil.rmtree(first)
        shutil.copytree(other, first)

    assert points_of(first, swap) == told
    assert points_of(first, lambda: None) != told

    def block() -> None:
        (first / "point.parquet").unlink()
        pipe(first / "point.parquet")

    assert ("q1", "别的片") in points_of(first, block)[1]


NASTY = ('引"号', "逗,号", "换\n行", " 边 ", "'", "ー，。")


def test_the_hash_of_what_was_loaded_is_the_hash_of_the_text(tmp_path: Path) -> None:
    """The engine writes rows as text exactly as polars does."""
    rows = [
        point(f"n{number}", "drug-sex", f"甲{text}片", sex="male", remark=text) for number, text in enumerate(NASTY)
    ]
    kb = more(rows, [code(row["point_id"], f"XG04CBA088A0010101{number:05d}") for number, row in enumerate(rows)])
    build(kb.write(tmp_path / "text"), tmp_path / "built")
    assert open_edition(tmp_path / "built").content_hash == content_hash(read_sources(tmp_path / "text"))


def altered(folder: Path, table: str, change: str) -> None:
    """Rewrite a table of an edition, its manifest agreeing with the new file."""
    path = folder / f"{table}.parquet"
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE t AS FROM '{path}'")
        con.execute(change)
        con.table("t").write_parquet(str(path))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"][path.name]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("point", "UPDATE t SET valid_to = DATE '2025-06-01' WHERE point_id = 'p1'"),
        ("item", "UPDATE t SET sex = 'female' WHERE point_id = 'p1'"),
        ("pattern", "DELETE FROM t WHERE point_id = 'p1'"),
        ("exemption", "UPDATE t SET effect = 'exempt'"),
        ("exemption_item", "DELETE FROM t"),
    ],
)
def test_a_content_hash_is_not_believed(table: str, change: str, tmp_path: Path) -> None:
    build(Kb().write(tmp_path / "text"), tmp_path / "built")
    altered(tmp_path / "built", table, change)
    with pytest.raises(KnowledgeError, match=r"manifest\.json：content_hash 与各表的内容不符"):
        open_edition(tmp_path / "built")


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("point", "UPDATE t SET valid_to = valid_from"),
        ("point", "UPDATE t SET valid_from = NULL"),
        ("point", "UPDATE t SET rule_id = ''"),
        ("pattern", "UPDATE t SET role = 'listed'"),
        ("pattern", "DELETE FROM t"),
    ],
)
def test_an_edition_whose_points_can_judge_nothing_is_refused(table: str, change: str, tmp_path: Path) -> None:
    folder = tmp_path / "built"
    build(Kb().write(tmp_path / "text"), folder)
    altered(folder, table, change)
    seal(folder)
    with pytest.raises(KnowledgeError, match="没有一个可用的知识点"):
        open_edition(folder)


def test_a_layer_of_exemptions_alone_needs_points_before_it(tmp_path: Path) -> None:
    build(Kb().write(tmp_path / "text"), tmp_path / "base")
    text = Kb((), (), exemption("e1", "drug-sex", stands_by="true")).write(tmp_path / "exemptions")
    for name in ("point.csv", "item.csv"):
        header = (tmp_path / "text" / name).read_text(encoding="utf-8").partition("\n")[0]
        (text / name).write_text(f"{header}\n", encoding="utf-8")
    build(text, tmp_path / "layer")
    assert len(open_editions([tmp_path / "base", tmp_path / "layer"])) == 2
    with pytest.raises(KnowledgeError, match="exemptions or a crosswalk alone judge nothing"):
        open_editions([tmp_path / "layer"])


def test_a_service_keeps_what_it_has_where_a_rule_became_a_pipe(tmp_path: Path) -> None:
    """What opens an edition comes back with a refusal, at once; the service goes on with the one in use (test_reload)."""
    from checker.service.library import Library

    shutil.copytree(embedded_rules_folder(), tmp_path / "rules")
    given = Settings(rules=(tmp_path / "rules",), only_rules=True)
    Library.open(given).close()
    (tmp_path / "rules" / "drug-sex.toml").unlink()
    pipe(tmp_path / "rules" / "drug-sex.toml")
    with pytest.raises(InputError, match=r"drug-sex\.toml.*not a regular file"):
        Library.open(given)


# ---- workbooks ----


def with_text(path: Path, text: bytes, cells: int) -> Path:
    """A workbook one text of which so many cells share."""
    changed = path.with_name("弹.xlsx")
    shared = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>%s</t></si></sst>' % text
    rows = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row) for row in range(1, cells + 1))
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
        % rows
    )
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, sheet if info.filename.startswith("xl/worksheets/sheet") else old.read(info))
        new.writestr("xl/sharedStrings.xml", shared)
    return changed


def test_a_workbook_of_one_giant_text_is_refused_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(drug_sex(), tmp_path)
    giant = with_text(path, b"a" * (12 << 20), 300)
    assert giant.stat().st_size < 64 << 10
    assert "有一个单元格的文字超过 32,767 个字符" in refusal(giant)
    assert "解压后超过 32 MB" in refusal(with_text(path, b"<!--%s-->" % (b"a" * (40 << 20)), 1))
    monkeypatch.setattr(xlsx_texts, "MAX_TEXTS", 1 << 20)
    monkeypatch.setattr("checker.knowledge.sheets.xlsx_parts.MAX_TEXTS", 1 << 20)
    assert "各单元格的文字合计超过 1 MB" in refusal(with_text(path, b"a" * 32_000, 100))


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_is_held_is_readable_until_it_is_let_go(
    in_memory: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In memory where the system can, in a folder of the owner alone elsewhere."""
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    held = HeldFiles({"a.parquet": b"one", "b.parquet": b""})
    path = held.path("a.parquet")
    assert [each.read_bytes() for each in held.paths] == [b"one", b""]
    made = list(tmp_path.iterdir())
    assert [folder.stat().st_mode & 0o777 for folder in made] == ([] if path.is_relative_to("/proc") else [0o700])
    del held
    gc.collect()
    assert not path.exists()
    assert list(tmp_path.iterdir()) == []
