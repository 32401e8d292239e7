"""A knowledge base is opened only whole and unaltered, and several are layered."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from checker.knowledge.build import build
from checker.knowledge.edition import Edition, load_into, open_edition
from checker.model.embedded import embedded_edition_folder, embedded_rules_folder
from checker.model.errors import ExitCode, KnowledgeError

from .conftest import SmallSources


@pytest.fixture
def folder(small: SmallSources, tmp_path: Path) -> Path:
    build(small.folder, tmp_path / "built")
    return tmp_path / "built"


def count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return len(con.table(table).fetchall())


def test_a_sound_folder_opens(folder: Path) -> None:
    edition = open_edition(folder)
    assert (edition.name, edition.version, edition.folder) == ("small", "1", folder)
    assert edition.content_hash == edition.manifest.content_hash


def test_a_missing_folder_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"nowhere：.*no knowledge base is here; make one with `liangku kb build`"):
        open_edition(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "file", ["point.parquet", "item.parquet", "pattern.parquet", "exemption.parquet", "exemption_item.parquet"]
)
def test_a_missing_table_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(KnowledgeError, match=f"{file}：.*the file is missing; build the knowledge base again"):
        open_edition(folder)


@pytest.mark.parametrize(
    "file", ["point.parquet", "item.parquet", "pattern.parquet", "exemption.parquet", "exemption_item.parquet"]
)
def test_an_altered_table_is_refused(folder: Path, file: str) -> None:
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(KnowledgeError, match=f"{file}：.*the file was altered after the build"):
        open_edition(folder)


def test_a_missing_manifest_is_named(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    with pytest.raises(KnowledgeError, match=r"manifest\.json：.*the manifest is missing; name a folder"):
        open_edition(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is not JSON"),
        ("[]", "it has no key layout"),
        ('{"layout": 1}', "its layout is 1, and this program reads layouts 2 and 3"),
        ('{"layout": 3}', "a key is missing or of the wrong kind"),
        pytest.param("[" * 100_000, "it is not JSON", id="too deep"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_told_why(folder: Path, text: str, message: str) -> None:
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=message):
        open_edition(folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("version", "", "its key version holds '', not text"),
        ("version", "\ud800", "its key version holds .*, not text"),
        ("content_hash", "abc", "its key content_hash holds 'abc', not a sha256"),
        ("files", {}, r"the manifest does not list point\.parquet"),
        ("files", [], "a key is missing or of the wrong kind"),
        ("rules", {"drug-sex": {"points": -1}}, "its key points holds -1, not a count"),
    ],
)
def test_a_wrong_key_of_the_manifest_is_named(folder: Path, key: str, value: object, message: str) -> None:
    path = folder / "manifest.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document[key] = value
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=message):
        open_edition(folder)


def test_a_fault_of_the_embedded_edition_is_the_programs_own_failure(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError) as given:
        open_edition(tmp_path / "nowhere")
    with pytest.raises(KnowledgeError) as embedded:
        open_edition(tmp_path / "nowhere", embedded=True)
    assert (given.value.exit_code, embedded.value.exit_code) == (ExitCode.BAD_INPUT, ExitCode.FAILURE)


def test_in_a_checkout_the_embedded_folders_are_the_checkouts() -> None:
    root = Path(__file__).resolve().parents[2]
    assert embedded_edition_folder() == root / "knowledge_base" / "built"
    assert embedded_rules_folder() == root / "rules"


def test_opening_needs_the_standard_library_only() -> None:
    script = (
        "import sys, checker.knowledge.edition\n"
        "print(sorted({'duckdb', 'polars', 'pyarrow', 'sqlglot', 'tomllib', 'csv'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


def test_one_edition_loads_as_it_is(edition: Edition) -> None:
    with duckdb.connect() as con:
        load_into(con, [edition])
        for table in ("point", "pattern", "exemption", "exemption_item"):
            assert count(con, f"kb_{table}") == edition.manifest.rows(table)


def test_a_later_editions_point_replaces_the_earlier_one_with_its_patterns(
    folder: Path, small: SmallSources, tmp_path: Path
) -> None:
    small.spoil("point.csv", "p2,child", "p3,child")
    small.spoil("pattern.csv", "p2,item", "p3,item")
    small.spoil("point.csv", "male", "female")
    small.spoil("pattern.csv", "family,XG04CBA088A001", "family,XG04CBA088A002")
    small.spoil("exemption.toml", "lower", "exempt")
    build(small.folder, tmp_path / "later")
    with duckdb.connect() as con:
        load_into(con, [open_edition(folder), open_edition(tmp_path / "later")])
        points = con.execute("SELECT point_id, sex FROM kb_point ORDER BY point_id").fetchall()
        codes = con.execute("SELECT code FROM kb_pattern WHERE point_id = 'p1'").fetchall()
        exemptions = con.execute("SELECT exemption_id, effect FROM kb_exemption").fetchall()
        assert points == [("p1", "female"), ("p2", None), ("p3", None)]
        assert codes == [("XG04CBA088A002",)]
        assert exemptions == [("e1", "exempt")]
        assert count(con, "kb_exemption_item") == 1


def test_a_folder_name_with_wildcards_reads_that_folder(small: SmallSources, tmp_path: Path) -> None:
    build(small.folder, tmp_path / "kb[1]*'x")
    with duckdb.connect() as con:
        load_into(con, [open_edition(tmp_path / "kb[1]*'x")])
        assert count(con, "kb_point") == 2


def test_tables_without_the_columns_are_refused(folder: Path) -> None:
    path = folder / "point.parquet"
    duckdb.values([1]).project("1 AS point_id").write_parquet(str(path))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["point.parquet"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with (
        duckdb.connect() as con,
        pytest.raises(KnowledgeError, match=r"point\.parquet does not have the columns of layout 3"),
    ):
        load_into(con, [open_edition(folder)])


def test_tables_in_each_others_place_are_told_in_words(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    one, other = folder / "pattern.parquet", folder / "exemption.parquet"
    held = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(held)
    files = manifest["files"]
    files[one.name]["sha256"], files[other.name]["sha256"] = files[other.name]["sha256"], files[one.name]["sha256"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        open_edition(folder)
    told = str(caught.value)
    assert told.startswith(f"{folder}：pattern.parquet 不是格式版本 3 的这张表")
    assert "kb build" in told
    assert "Error" not in told
