"""Importing a crosswalk [对照表]: files of hospitals and bureaus become a layer of knowledge that `--kb` opens upon others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from checker.engines.duckdb import connect_locked
from checker.knowledge.build import write_edition
from checker.knowledge.crosswalk_edition import NAME, edition_of, sources_of_crosswalk
from checker.knowledge.crosswalk_use import CrosswalkUse, crosswalk_in_use
from checker.knowledge.edition import load_into
from checker.knowledge.manifest import Manifest, Notice
from checker.knowledge.resolve import knowledge_files, open_editions
from checker.knowledge.sheets.crosswalk import Crosswalk, read_crosswalk
from checker.model.errors import InputError

PUBLISHER = "本单位"
"""Who answers for a crosswalk of which nobody says it."""


@dataclass(frozen=True, slots=True)
class CrosswalkRequest:
    """Which files to import, on which day, and what the edition is called; `kb` is the knowledge that it is held against."""

    files: Sequence[Path]
    out: Path
    day: date
    kb: Sequence[Path] = ()
    publisher: str = PUBLISHER
    title: str | None = None
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class ImportedCrosswalk:
    """What was read, how it meets the knowledge, and the edition that was written."""

    crosswalk: Crosswalk
    use: CrosswalkUse
    manifest: Manifest

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at, in both languages."""
        return (*self.crosswalk.notes, *self.use.warnings())

    def to_dict(self) -> dict[str, Any]:
        """As `--json` writes it."""
        knowledge = {"name": self.manifest.name, "version": self.manifest.version, "hash": self.manifest.content_hash}
        files = [{"path": each.path, "sha256": each.sha256, "rows": each.rows} for each in self.crosswalk.files]
        return {"knowledge": knowledge, "files": files, "warnings": list(self.warnings), **self.use.to_plain()}


def import_crosswalk(request: CrosswalkRequest) -> ImportedCrosswalk:
    """Read the files, write their rows to `request.out` as a knowledge base of nothing else, and say how they meet the knowledge.

    Raises KnowledgeError, and nothing is written, for what the files may not hold; InputError where no row maps anything.
    """
    crosswalk = read_crosswalk(request.files)
    if not crosswalk.frame.height:
        raise InputError(
            f"{request.files[0]}：没有一行有国家编码，没有可导入的对照（no row has a national code: nothing to import）"
        )
    day = request.day.isoformat()
    layers = (*open_editions(request.kb), edition_of(crosswalk.frame, day))
    with connect_locked(readable=knowledge_files(layers), threads=1) as con:
        load_into(con, layers)
        use = crosswalk_in_use(con)
    assert use is not None
    title = request.title or f"编码对照表（{'、'.join(path.name for path in request.files)}）"
    notice = Notice(NAME, day, title, request.publisher, None)
    sources = sources_of_crosswalk(
        crosswalk.frame, day, name=request.name or NAME, version=request.version or "", notice=notice
    )
    return ImportedCrosswalk(crosswalk, use, write_edition(sources, request.out, {}))
