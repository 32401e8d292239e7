"""Building a knowledge base: validated text becomes Parquet files and their manifest."""

from __future__ import annotations

import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path

import duckdb
import polars as pl

from checker.knowledge.content import canonical_row
from checker.knowledge.crosswalk import CROSSWALK_FILE
from checker.knowledge.edition_text import EDITION_FILE, edition_text
from checker.knowledge.exemption_text import EXEMPTION_FILE, exemption_text
from checker.knowledge.frames import csv_text, point_tables
from checker.knowledge.limit_text import LIMIT_FILES
from checker.knowledge.manifest import LAYOUT, MANIFEST_FILE, FileEntry, Manifest, RuleCount, manifest_text
from checker.knowledge.names import item_key
from checker.knowledge.pinyin import spellings
from checker.knowledge.point_text import PATTERN_FILE
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow
from checker.knowledge.source import Sources, read_sources
from checker.knowledge.tables import (
    CROSSWALK,
    EXEMPTION,
    EXEMPTION_ITEM,
    LIMIT_TABLES,
    NAME,
    PATTERN,
    POINT,
    TABLES,
    WHERE_HELD,
    KnowledgeTable,
)
from checker.model.errors import KnowledgeError, why
from checker.model.out_folder import is_running
from checker.rulebook.plan import PLAN_FILE

TEXT_FOLDER = "sources"
"""Where an edition that `write_edition` wrote keeps its text."""
_BUILT_FILES = frozenset({*(table.file for table in (*TABLES, *WHERE_HELD)), MANIFEST_FILE, PLAN_FILE})
"""What may stand in a folder that a build replaces; the embedded edition's also holds the compiled rules."""


def build(sources: Path, out: Path) -> Manifest:
    """Build the knowledge base that the text of `sources` describes into the folder `out` and return its manifest.

    Equal sources give equal files. `out` is absent, empty or an earlier build, which the new one replaces whole;
    nothing is written before every check has passed. Raises KnowledgeError with every fault of the sources, or for an
    `out` that holds other files or cannot be written.
    """
    return build_rows(read_sources(sources), out)


def build_rows(knowledge: Sources, out: Path) -> Manifest:
    """Build a knowledge base whose text was read into the folder `out`, as `build` does."""
    return _write(knowledge, out, {})


def write_edition(knowledge: Sources, out: Path, extras: Mapping[str, str]) -> Manifest:
    """Write a knowledge base made by the program into the folder `out`: the tables, their text under `sources/`, and `extras`.

    `extras` are further files, name to text. Building the text again gives the same tables. `out` is absent, empty or an
    earlier edition with the same files; it is written whole or not at all. Raises KnowledgeError as `build` does.
    """
    texts = {
        **{f"{TEXT_FOLDER}/{name}.csv": csv_text(table) for name, table in point_tables(knowledge.point).items()},
        f"{TEXT_FOLDER}/{PATTERN_FILE}": csv_text(knowledge.pattern),
        f"{TEXT_FOLDER}/{EXEMPTION_FILE}": exemption_text(knowledge.exemptions, knowledge.exemption_items),
        f"{TEXT_FOLDER}/{EDITION_FILE}": edition_text(knowledge.edition),
    }
    if knowledge.crosswalk.height:
        texts[f"{TEXT_FOLDER}/{CROSSWALK_FILE}"] = csv_text(knowledge.crosswalk)
    return _write(knowledge, out, {**texts, **extras})


def _write(knowledge: Sources, out: Path, texts: Mapping[str, str]) -> Manifest:
    try:
        # Behind a link, the folder itself is replaced and the link stays.
        out = Path(os.path.realpath(out))
        _clear_abandoned(out)
        _check_out(out, texts)
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{_partial(out)}{os.getpid()}-", dir=out.parent) as work:
            fresh = Path(work) / "fresh"
            fresh.mkdir()
            for name, text in texts.items():
                (fresh / name).parent.mkdir(exist_ok=True)
                (fresh / name).write_text(text, encoding="utf-8", newline="\n")
            manifest = write_tables(knowledge, fresh)
            _replace(out, fresh, Path(work) / "old")
    except (OSError, duckdb.IOException) as error:
        reason = why(error) if isinstance(error, OSError) else str(error)
        raise KnowledgeError(
            f"{out}：无法写入（{reason}），请换一个有权限、有空间的文件夹（cannot be written: name a folder of yours with room）"
        ) from error
    return manifest


def content_hash(knowledge: Sources) -> str:
    """Return the sha256 over all rows as canonical text: it changes with the facts, not with their encoding."""
    digest = hashlib.sha256()
    held = {"crosswalk": knowledge.crosswalk} if knowledge.crosswalk.height else {}
    for name, frame in {**point_tables(knowledge.point), "pattern": knowledge.pattern, **held}.items():
        digest.update(f"{name}\n{csv_text(frame)}".encode())
    exemptions = [astuple(row) for row in knowledge.exemptions] + [astuple(row) for row in knowledge.exemption_items]
    for row in exemptions:
        digest.update(f"{canonical_row(row)}\n".encode())
    return digest.hexdigest()


def _check_out(out: Path, others_of_ours: Collection[str]) -> None:
    """Refuse a folder that holds any file, at any depth, that this kind of build does not write: it would be gone."""
    if not out.exists():
        return
    if not out.is_dir():
        raise KnowledgeError(f"{out}：这是一个文件，请给出文件夹（a file stands there; name a folder）")
    ours = {*_BUILT_FILES, *others_of_ours}
    if any(name.startswith(f"{TEXT_FOLDER}/") for name in ours):
        ours.update(f"{TEXT_FOLDER}/{name}" for name in (*LIMIT_FILES, CROSSWALK_FILE))
    folders = {str(Path(name).parent) for name in ours}
    for folder in sorted(folders):
        for entry in sorted((out / folder).iterdir()) if (out / folder).is_dir() else ():
            name = entry.relative_to(out).as_posix()
            if name not in (folders if entry.is_dir() else ours):
                raise KnowledgeError(
                    f"{out}：里面有 {name}，不属于知识库，不会覆盖；请换一个空文件夹"
                    f"（it holds {name}, which is not of a knowledge base; name an empty folder）"
                )


def _partial(out: Path) -> str:
    """How the folders begin that a build of `out` works in; the number of its process follows."""
    return f".{out.name}.partial-"


def _clear_abandoned(out: Path) -> None:
    """Remove what builds that were killed have left beside `out`; one that was killed between its renames gives `out` back."""
    for left in out.parent.glob(f"{glob.escape(_partial(out))}*"):
        if is_running(left.name.removeprefix(_partial(out)).partition("-")[0]):
            continue
        if not out.exists() and (left / "old").is_dir():
            (left / "old").rename(out)
        shutil.rmtree(left, ignore_errors=True)


def _replace(out: Path, fresh: Path, old: Path) -> None:
    if not out.exists():
        fresh.rename(out)
        return
    out.rename(old)
    try:
        fresh.rename(out)
    except OSError:
        old.rename(out)
        raise


def write_tables(knowledge: Sources, folder: Path) -> Manifest:
    """Write the Parquet files and the manifest of the rows into the existing folder and return the manifest."""
    points = point_tables(knowledge.point)
    frames = {
        POINT: points[POINT.name],
        **{table: points[table.name] for table in LIMIT_TABLES if table.name in points},
        PATTERN: knowledge.pattern,
        EXEMPTION: _frame(knowledge.exemptions, EXEMPTION),
        EXEMPTION_ITEM: _frame(knowledge.exemption_items, EXEMPTION_ITEM),
        NAME: _names(knowledge.point),
        **({CROSSWALK: knowledge.crosswalk} if knowledge.crosswalk.height else {}),
    }
    files = []
    with duckdb.connect(config={"threads": 1}) as con:
        for table, frame in frames.items():
            con.execute(table.create)
            con.register("rows", frame.to_arrow())
            con.execute(f"INSERT INTO {table.kb_table} SELECT * FROM rows")
            path = folder / table.file
            con.table(table.kb_table).order(table.key).write_parquet(str(path), compression="zstd")
            files.append(FileEntry(table.file, hashlib.sha256(path.read_bytes()).hexdigest(), frame.height))
    edition = knowledge.edition
    manifest = Manifest(
        layout=LAYOUT,
        name=edition.name,
        version=edition.version,
        published=edition.published,
        compiled=edition.compiled,
        content_hash=content_hash(knowledge),
        notices=edition.notices,
        rules=tuple(_rule_counts(knowledge.point, knowledge.pattern)),
        files=tuple(files),
    )
    (folder / MANIFEST_FILE).write_text(manifest_text(manifest), encoding="utf-8", newline="\n")
    return manifest


_TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "diagnoses": pl.List(pl.String),
    "valid_from": pl.Date,
    "valid_to": pl.Date,
}


def _frame(rows: Sequence[ExemptionRow] | Sequence[ExemptionItemRow], table: KnowledgeTable) -> pl.DataFrame:
    """The few rows of an exemption table; without any, a frame of its columns."""
    kind = ExemptionRow if table is EXEMPTION else ExemptionItemRow
    schema = {column.name: _TYPES.get(column.name, pl.String) for column in fields(kind)}
    values = [[list(cell) if isinstance(cell, tuple) else cell for cell in astuple(row)] for row in rows]
    return pl.DataFrame(values, schema=schema, orient="row")


def _names(point: pl.DataFrame) -> pl.DataFrame:
    names = point["item_name"].unique().sort().to_list()
    spelled = spellings(names)
    return pl.DataFrame(
        {
            "item_name": names,
            "item_key": [item_key(name) for name in names],
            "pinyin": [spelled[name].pinyin for name in names],
            "initials": [spelled[name].initials for name in names],
        },
        schema=dict.fromkeys(("item_name", "item_key", "pinyin", "initials"), pl.String),
    )


def _rule_counts(point: pl.DataFrame, pattern: pl.DataFrame) -> Iterable[RuleCount]:
    """Yield the counts of each rule, of limited items alone; the rows of one item's history count a pattern's published codes once."""
    rows = point.group_by("rule_id").len("points").sort("rule_id")
    covered = pattern.filter(pl.col("role") == "item").join(
        point.select("point_id", "rule_id", "item_name"), on="point_id"
    )
    items = covered.group_by("rule_id", "item_name", "match", "code").agg(pl.col("published_codes").max())
    published = items.group_by("rule_id").agg(pl.col("published_codes").sum())
    distinct = items.select("rule_id", "match", "code").unique()
    counts = distinct.group_by("rule_id").agg(
        (pl.col("match") == "family").sum().alias("families"), (pl.col("match") == "code").sum().alias("codes")
    )
    told = rows.join(counts, on="rule_id", how="left").join(published, on="rule_id", how="left").fill_null(0)
    columns = ("rule_id", "points", "families", "codes", "published_codes")
    yield from (RuleCount(*row) for row in told.sort("rule_id").select(columns).iter_rows())
