"""The built Parquet equals the sources, twice over, and replaces nothing that is not its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from checker.knowledge.build import build, content_hash, write_edition
from checker.knowledge.edition import Edition, open_edition
from checker.knowledge.manifest import read_manifest
from checker.knowledge.rows import POINT_COMMON
from checker.knowledge.source import Sources, read_sources, sources_of
from checker.model.errors import KnowledgeError

from .conftest import SmallSources

LATER = ("companion.parquet", "terms.parquet", "quota.parquet", "pair.parquet", "evidence.parquet")
"""The limits of shapes that a knowledge base need not have."""
FILES = [
    "exemption.parquet",
    "exemption_item.parquet",
    "item.parquet",
    "manifest.json",
    "name.parquet",
    "pattern.parquet",
    "point.parquet",
]
RULES_OF = {
    "item": ("drug-sex", "service-sex", "drug-child-only", "drug-child-limited", "service-child-only", "service-age"),
    "companion": ("herb-single",),
    "terms": (
        "drug-injury-insurance", "drug-maternity-insurance", "drug-visit-mode", "drug-institution-level", "drug-online", "herb-never-paid",
    ),
    "quota": ("drug-course", "service-course", "service-frequency", "service-cycle"),
    "pair": ("service-pair", "surgery-discount"),
    "evidence": ("drug-second-line", "drug-indication"),
}  # fmt: skip
"""Which table holds the limits of which rules."""


@pytest.mark.parametrize(
    ("file", "attribute"),
    [
        ("pattern.parquet", "patterns"),
        ("exemption.parquet", "exemptions"),
        ("exemption_item.parquet", "exemption_items"),
    ],
)
def test_the_parquet_files_equal_the_sources(built: Path, sources: Sources, file: str, attribute: str) -> None:
    rows: tuple[Any, ...] = getattr(sources, attribute)
    table = duckdb.read_parquet(str(built / file))
    assert table.columns == [column.name for column in fields(rows[0])]
    found = [tuple(tuple(cell) if isinstance(cell, list) else cell for cell in row) for row in table.fetchall()]
    assert found == [astuple(row) for row in rows]


def test_the_tables_of_points_equal_the_sources(built: Path, sources: Sources) -> None:
    point = duckdb.read_parquet(str(built / "point.parquet"))
    assert tuple(point.columns) == POINT_COMMON
    assert point.fetchall() == [row.values()[: len(POINT_COMMON)] for row in sources.points]
    for name, rules in RULES_OF.items():
        table = duckdb.read_parquet(str(built / f"{name}.parquet"))
        assert {row[0]: dict(zip(table.columns[1:], row[1:], strict=True)) for row in table.fetchall()} == {
            row.point_id: {limit: row.limits.get(limit) for limit in table.columns[1:]}
            for row in sources.points
            if row.rule_id in rules
        }
    assert {row.rule_id for row in sources.points} == {rule for rules in RULES_OF.values() for rule in rules}


def test_the_types_of_the_columns(built: Path) -> None:
    tables = [duckdb.read_parquet(str(built / f"{name}.parquet")) for name in ("point", "item")]
    types = {name: str(kind) for table in tables for name, kind in zip(table.columns, table.types, strict=True)}
    assert {name for name, kind in types.items() if kind == "INTEGER"} == {"age_min", "age_max", "published_codes"}
    assert {name for name, kind in types.items() if kind == "DATE"} == {"valid_from", "valid_to"}
    exemption = duckdb.read_parquet(str(built / "exemption.parquet"))
    assert str(exemption.types[exemption.columns.index("diagnoses")]) == "VARCHAR[]"


def test_the_manifest_counts_what_was_built(built: Path, sources: Sources) -> None:
    manifest = read_manifest((built / "manifest.json").read_text(encoding="utf-8"))
    assert manifest.rows("point") == len(sources.points)
    assert manifest.rows("pattern") == len(sources.patterns)
    assert {rule.rule_id: rule.published_codes for rule in manifest.rules} == {
        "drug-child-limited": 45,
        "drug-child-only": 4441,
        "drug-course": 1173,
        "drug-indication": 5064,
        "drug-second-line": 601,
        "drug-sex": 6590,
        "drug-injury-insurance": 95,
        "drug-institution-level": 979,
        "drug-maternity-insurance": 30,
        "drug-online": 232,
        "drug-visit-mode": 807,
        "herb-never-paid": 37,
        "herb-single": 116,
        "service-age": 1,
        "service-child-only": 30,
        "service-course": 11,
        "service-cycle": 14,
        "service-frequency": 67,
        "service-pair": 900,
        "service-sex": 390,
        "surgery-discount": 368,
    }
    assert [notice.batch for notice in manifest.notices] == [
        "01", "02", "03", "04", "05", "06", "07", "08", "2026-01", "09", "10", "11", "12", "13", "14", "15", "16", "17",
    ]  # fmt: skip


def test_equal_sources_give_equal_bytes(source_folder: Path, built: Path, tmp_path: Path) -> None:
    build(source_folder, tmp_path / "again")
    assert sorted(path.name for path in (tmp_path / "again").iterdir()) == sorted([*LATER, *FILES])
    for name in (*LATER, *FILES):
        assert (tmp_path / "again" / name).read_bytes() == (built / name).read_bytes()


def test_the_order_of_source_rows_does_not_matter(small: SmallSources) -> None:
    before = content_hash(read_sources(small.folder))
    path = small.folder / "point.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *rows[::-1]]), encoding="utf-8")
    assert content_hash(read_sources(small.folder)) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("point.csv", "male", "female"),
        ("pattern.csv", "XG04CBA088A001,4", "XG04CBA088A001,5"),
        ("exemption.toml", "I27.0", "I27.2"),
        ("exemption.toml", "爱普列特片（男）", "爱普列特片"),
    ],
)
def test_a_changed_fact_changes_the_content_hash(small: SmallSources, file: str, old: str, new: str) -> None:
    before = content_hash(read_sources(small.folder))
    small.spoil(file, old, new)
    assert content_hash(read_sources(small.folder)) != before


def test_a_build_replaces_an_earlier_build_whole(small: SmallSources, tmp_path: Path) -> None:
    build(small.folder, tmp_path / "out")
    (tmp_path / "out" / "rules.plan.json").write_text("{}", encoding="utf-8")
    build(small.folder, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "sources"]


def test_a_folder_with_other_files_is_left_alone(small: SmallSources, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "diary.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"out：里面有 diary\.txt.*it holds diary\.txt, .*; name an empty folder"):
        build(small.folder, out)
    assert [path.name for path in out.iterdir()] == ["diary.txt"]


def test_what_somebody_keeps_where_the_program_keeps_its_text_is_left_alone(
    small: SmallSources, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "sources").mkdir(parents=True)
    (out / "sources" / "diary.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"it holds sources/diary\.txt, "):
        write_edition(read_sources(small.folder), out, {})
    assert (out / "sources" / "diary.txt").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in out.iterdir()) == ["sources"]


def test_behind_a_link_the_folder_is_replaced_and_the_link_stays(small: SmallSources, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    build(small.folder, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in (tmp_path / "real").iterdir()) == [*FILES]


def test_the_next_build_clears_what_a_killed_one_left(small: SmallSources, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".out.partial-{gone.pid}-abc" / "fresh").mkdir(parents=True)
    busy = tmp_path / f".out.partial-{os.getppid()}-abc"
    busy.mkdir()
    (tmp_path / "diary").mkdir()
    build(small.folder, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [busy.name, "diary", "out", "sources"]


def test_what_a_build_killed_between_its_renames_took_away_comes_back(small: SmallSources, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    old = tmp_path / f".out.partial-{gone.pid}-abc" / "old"
    build(small.folder, old)
    (old / "diary.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"it holds diary\.txt"):
        build(small.folder, tmp_path / "out")
    assert (tmp_path / "out" / "diary.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "sources"]


def test_faulty_sources_leave_the_earlier_build_as_it_was(small: SmallSources, tmp_path: Path) -> None:
    build(small.folder, tmp_path / "out")
    before = (tmp_path / "out" / "point.parquet").read_bytes()
    small.spoil("point.csv", "male", "x")
    with pytest.raises(KnowledgeError):
        build(small.folder, tmp_path / "out")
    assert (tmp_path / "out" / "point.parquet").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "sources"]


def test_a_file_in_the_place_of_the_folder_is_named(small: SmallSources, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="a file stands there; name a folder"):
        build(small.folder, tmp_path / "out")


def test_a_knowledge_base_without_exemptions_builds(small: SmallSources, tmp_path: Path) -> None:
    (small.folder / "exemption.toml").write_text("", encoding="utf-8")
    manifest = build(small.folder, tmp_path / "out")
    assert (manifest.rows("exemption"), manifest.rows("exemption_item")) == (0, 0)


def test_an_edition_made_by_the_program_is_built_again_from_its_own_text(edition: Edition, tmp_path: Path) -> None:
    made = write_edition(sources_of([edition]), tmp_path / "made", {"import.json": "{}\n"})
    again = build(tmp_path / "made" / "sources", tmp_path / "again")
    assert made == again
    assert made.content_hash == edition.content_hash == open_edition(tmp_path / "made").content_hash
    assert (tmp_path / "made" / "import.json").read_text(encoding="utf-8") == "{}\n"


def test_names_are_spelt_for_those_who_type_no_chinese(built: Path) -> None:
    names = {row["item_name"]: row for row in pl.read_parquet(built / "name.parquet").iter_rows(named=True)}
    assert names["重组人干扰素α2b阴道泡腾胶囊"]["initials"] == "czrgrs2bydptjn"
    assert names["千金止带丸(水丸)"] == {
        "item_name": "千金止带丸(水丸)",
        "item_key": "千金止带丸",
        "pinyin": "qianjinzhidaiwanshuiwan",
        "initials": "qjzdwsw",
    }
