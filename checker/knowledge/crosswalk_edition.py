"""A crosswalk that was read from files as a layer of knowledge: it is loaded, layered and hashed as every edition is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from checker.knowledge.build import content_hash, write_tables
from checker.knowledge.edition import Edition, open_edition
from checker.knowledge.edition_text import EditionText
from checker.knowledge.manifest import Notice
from checker.knowledge.source import Sources

NAME = "crosswalk"
_HASH_SHOWN = 12


def sources_of_crosswalk(
    frame: pl.DataFrame, day: str, *, name: str = NAME, version: str = "", notice: Notice | None = None
) -> Sources:
    """A knowledge base of nothing but a crosswalk, published on a day; without a version it is called after what it says."""
    notices = () if notice is None else (notice,)
    unnamed = Sources.of(EditionText(name, "", day, day, notices), (), (), crosswalk=frame)
    version = version or f"{NAME}-{content_hash(unnamed)[:_HASH_SHOWN]}"
    return Sources.of(EditionText(name, version, day, day, notices), (), (), crosswalk=frame)


def edition_of(frame: pl.DataFrame, day: str) -> Edition:
    """The same as an opened edition, held in memory; nothing is left on disk. Raises KnowledgeError as `open_edition` does."""
    with tempfile.TemporaryDirectory(prefix="liangku-crosswalk-") as folder:
        write_tables(sources_of_crosswalk(frame, day), Path(folder))
        return open_edition(Path(folder))
