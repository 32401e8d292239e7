"""Building a knowledge base: validated text becomes four Parquet files and their manifest."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import date
from pathlib import Path

import duckdb

from checker.errors import KnowledgeError
from checker.knowledge.manifest import (
    LAYOUT,
    MANIFEST_FILE,
    FileEntry,
    Manifest,
    RuleCount,
    manifest_text,
)
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow, PatternRow, PointRow
from checker.knowledge.source import Sources, read_sources
from checker.knowledge.tables import (
    EXEMPTION,
    EXEMPTION_ITEM,
    PATTERN,
    POINT,
    TABLES,
    Table,
)
from checker.plan import PLAN_FILE

_Rows = Sequence[PointRow] | Sequence[PatternRow] | Sequence[ExemptionRow] | Sequence[ExemptionItemRow]
_BUILT_FILES = frozenset({*(table.file for table in TABLES), MANIFEST_FILE, PLAN_FILE})
"""What may stand in a folder that a build replaces; the embedded edition's also holds the compiled rules."""


def build(sources: Path, out: Path) -> Manifest:
    """Build the knowledge base that the text of `sources` describes into the folder `out` and return its manifest.

    Equal sources give equal files. `out` is absent, empty or an earlier build, which the new one replaces whole;
    nothing is written before every check has passed. Raises KnowledgeError with every fault of the sources, or for an
    `out` that holds other files or cannot be written.
    """
    knowledge = read_sources(sources)
    _check_out(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as work:
            fresh = Path(work) / "fresh"
            fresh.mkdir()
            manifest = write_tables(knowledge, fresh)
            _replace(out, fresh, Path(work) / "old")
    except (OSError, duckdb.IOException) as error:
        raise KnowledgeError(f"{out}: cannot be written ({error}); name a folder of yours with room") from error
    return manifest


def content_hash(knowledge: Sources) -> str:
    """Return the sha256 over all rows as canonical text: it changes with the facts, not with their encoding."""
    digest = hashlib.sha256()
    for table, rows in _tables(knowledge):
        for row in rows:
            line = json.dumps([table.name, *astuple(row)], ensure_ascii=False, separators=(",", ":"), default=_plain)
            digest.update(line.encode("utf-8") + b"\n")
    return digest.hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no canonical text for {value!r}")


def _tables(knowledge: Sources) -> tuple[tuple[Table, _Rows], ...]:
    return (
        (POINT, knowledge.points),
        (PATTERN, knowledge.patterns),
        (EXEMPTION, knowledge.exemptions),
        (EXEMPTION_ITEM, knowledge.exemption_items),
    )


def _check_out(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise KnowledgeError(f"{out}: a file stands there; name a folder")
    others = sorted(entry.name for entry in out.iterdir() if entry.name not in _BUILT_FILES)
    if others:
        raise KnowledgeError(f"{out}: it holds {others[0]}, which is not of a knowledge base; name an empty folder")


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
    files = []
    with duckdb.connect(config={"threads": 1}) as con:
        for table, rows in _tables(knowledge):
            con.execute(table.create)
            if rows:
                columns = zip(*(astuple(row) for row in rows), strict=True)
                con.execute(table.insert, [[_cell(value) for value in column] for column in columns])
            path = folder / table.file
            con.table(table.kb_table).order(table.key).write_parquet(str(path), compression="zstd")
            files.append(FileEntry(table.file, hashlib.sha256(path.read_bytes()).hexdigest(), len(rows)))
    edition = knowledge.edition
    manifest = Manifest(
        layout=LAYOUT,
        name=edition.name,
        version=edition.version,
        published=edition.published,
        compiled=edition.compiled,
        content_hash=content_hash(knowledge),
        notices=edition.notices,
        rules=tuple(_rule_counts(knowledge.points, knowledge.patterns)),
        files=tuple(files),
    )
    (folder / MANIFEST_FILE).write_text(manifest_text(manifest), encoding="utf-8", newline="\n")
    return manifest


def _cell(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _rule_counts(points: Sequence[PointRow], patterns: Sequence[PatternRow]) -> Iterable[RuleCount]:
    """Yield the counts of each rule; the rows of one item's history count a pattern's published codes once."""
    point_of = {point.point_id: point for point in points}
    rows: dict[str, int] = defaultdict(int)
    for point in points:
        rows[point.rule_id] += 1
    covered: dict[str, dict[tuple[str, str, str], int]] = defaultdict(dict)
    for pattern in patterns:
        point = point_of[pattern.point_id]
        own, key = covered[point.rule_id], (point.item_name, pattern.match, pattern.code)
        own[key] = max(own.get(key, 0), pattern.published_codes)
    for rule_id in sorted(rows):
        found = {(match, code) for _, match, code in covered[rule_id]}
        families = sum(match == "family" for match, _ in found)
        yield RuleCount(rule_id, rows[rule_id], families, len(found) - families, sum(covered[rule_id].values()))
