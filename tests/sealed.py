"""The manifest of a knowledge base whose tables a test wrote by hand: its hashes are made to agree with them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb

from checker.knowledge.content import content_of
from checker.knowledge.tables import CROSSWALK, POINT, KnowledgeTable, select_crosswalk, select_points


def seal(folder: Path) -> None:
    """Write the sha256 of each table and the hash of all rows into the manifest."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for name, entry in manifest["files"].items():
        entry["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()

    def place(file: str) -> str:
        return "'" + str(folder / file).replace("'", "''") + "'"

    def rows(table: KnowledgeTable) -> str:
        if table is POINT:
            return select_points(manifest["files"], place, limits_within=False)
        if table is CROSSWALK:
            return select_crosswalk(manifest["files"], place)
        return table.read.format(path=place(table.file))

    with duckdb.connect() as con:
        manifest["content_hash"] = content_of(con, rows).hash
    path.write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")
