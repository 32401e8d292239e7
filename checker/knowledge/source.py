"""A whole knowledge base as validated rows, be it given as reviewed text, as a built folder, or as the word for the embedded one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.crosswalk import CROSSWALK_FILE, SCHEMA, empty_crosswalk, sorted_crosswalk
from checker.knowledge.crosswalk_text import read_crosswalk_text
from checker.knowledge.edition import Edition, load_into, open_edition
from checker.knowledge.edition_text import EDITION_FILE, EditionText, read_edition
from checker.knowledge.example_text import EXAMPLE_FILE, read_examples
from checker.knowledge.exemption_text import EXEMPTION_FILE, read_exemptions
from checker.knowledge.frames import PATTERN_KEY, POINT_KEY, frame_of, rows_of, schema_of
from checker.knowledge.limit_text import LIMIT_FILES
from checker.knowledge.manifest import MANIFEST_FILE, Manifest
from checker.knowledge.point_text import PATTERN_FILE, POINT_FILE, read_points
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow, PatternRow, PointRow
from checker.model.embedded import EMBEDDED, embedded_edition_folder
from checker.model.errors import KnowledgeError, both

TEXT_FILES = (POINT_FILE, *LIMIT_FILES, PATTERN_FILE, EXEMPTION_FILE, CROSSWALK_FILE, EXAMPLE_FILE, EDITION_FILE)
"""The files of a knowledge base as text."""


@dataclass(frozen=True)
class Sources:
    """A whole knowledge base as validated rows, each table sorted by its key.

    `point` and `pattern` are frames with the columns of PointRow and PatternRow; `points` and `patterns` are the same as rows. The crosswalk has
    the columns of checker.knowledge.crosswalk.SCHEMA.
    """

    edition: EditionText
    point: pl.DataFrame
    pattern: pl.DataFrame
    exemptions: tuple[ExemptionRow, ...]
    exemption_items: tuple[ExemptionItemRow, ...]
    crosswalk: pl.DataFrame = field(default_factory=empty_crosswalk)

    @classmethod
    def of(
        cls,
        edition: EditionText,
        points: Iterable[PointRow],
        patterns: Iterable[PatternRow],
        exemptions: Iterable[ExemptionRow] = (),
        exemption_items: Iterable[ExemptionItemRow] = (),
        crosswalk: pl.DataFrame | None = None,
    ) -> Self:
        """A knowledge base of rows in any order."""
        return cls(
            edition,
            frame_of(points, PointRow),
            frame_of(patterns, PatternRow),
            tuple(sorted(exemptions, key=lambda row: row.exemption_id)),
            tuple(sorted(exemption_items, key=lambda item: (item.exemption_id, item.match, item.value))),
            empty_crosswalk() if crosswalk is None else sorted_crosswalk(crosswalk),
        )

    @cached_property
    def points(self) -> tuple[PointRow, ...]:
        """The points as rows."""
        return rows_of(self.point, PointRow)

    @cached_property
    def patterns(self) -> tuple[PatternRow, ...]:
        """The patterns as rows."""
        return rows_of(self.pattern, PatternRow)


@dataclass(frozen=True, slots=True)
class Reading:
    """Text as it was read: what could be typed, and every fault; `point`, `pattern`, `crosswalk` and `examples` also say the `row` of the file.

    `limit_places` has the `file`, `row` and `point_id` of each row of a limit table.
    """

    edition: EditionText
    point: pl.DataFrame
    pattern: pl.DataFrame
    limit_places: pl.DataFrame
    exemptions: tuple[ExemptionRow, ...]
    exemption_items: tuple[ExemptionItemRow, ...]
    crosswalk: pl.DataFrame
    examples: pl.DataFrame
    faults: Faults


def read_text_folder(folder: Path) -> Reading:
    """Read the folder's text, with all its faults. Raises KnowledgeError for a folder or file that cannot be read at all."""
    if not folder.is_dir():
        listed = ", ".join((POINT_FILE, PATTERN_FILE, EXEMPTION_FILE, EDITION_FILE))
        told = both(f"没有这个文件夹，请给出含 {listed} 的文件夹", f"no such folder; name one with {listed}")
        raise KnowledgeError(f"{folder}: {told}")
    faults = Faults()
    edition = read_edition(folder, faults)
    point, pattern, limit_places = read_points(folder, faults)
    exemptions, items = read_exemptions(folder, point, pattern, faults)
    crosswalk = read_crosswalk_text(folder, faults)
    examples = read_examples(folder, faults)
    return Reading(edition, point, pattern, limit_places, exemptions, items, crosswalk, examples, faults)


def read_sources(folder: Path) -> Sources:
    """Return the knowledge base that the folder's text describes.

    Raises KnowledgeError that carries every fault found, one sentence each, with file, row, column, value and remedy.
    """
    return sources_read(read_text_folder(folder))


def sources_read(read: Reading) -> Sources:
    """Return the knowledge base that text describes which was read. Raises KnowledgeError that carries every fault found in it."""
    read.faults.stop()
    return Sources(
        read.edition,
        read.point.drop("row").sort(POINT_KEY),
        read.pattern.drop("row").sort(PATTERN_KEY),
        read.exemptions,
        read.exemption_items,
        sorted_crosswalk(read.crosswalk),
    )


def sources_of(editions: Sequence[Edition]) -> Sources:
    """Return the rows of built editions, layered as a scan layers them; name, version and notices tell of all of them."""
    import duckdb

    with duckdb.connect() as con:
        load_into(con, editions)
        point = con.table("kb_point").select(*schema_of(PointRow)).pl()
        pattern = con.table("kb_pattern").select(*schema_of(PatternRow)).pl()
        exemptions = [exemption_of(row) for row in con.execute("FROM kb_exemption ORDER BY exemption_id").fetchall()]
        crosswalk = con.table("kb_crosswalk").select(*SCHEMA).pl()
        items = [ExemptionItemRow(*row) for row in con.execute("FROM kb_exemption_item ORDER BY ALL").fetchall()]
    return Sources(
        edition_of_all([edition.manifest for edition in editions]),
        point.sort(POINT_KEY),
        pattern.sort(PATTERN_KEY),
        tuple(exemptions),
        tuple(items),
        sorted_crosswalk(crosswalk),
    )


def edition_of_all(layers: Sequence[Manifest] | Sequence[EditionText]) -> EditionText:
    """The name, version and notices of layers taken together, base first."""
    return EditionText(
        "+".join(layer.name for layer in layers),
        "+".join(layer.version for layer in layers),
        max(layer.published for layer in layers),
        max(layer.compiled for layer in layers),
        tuple(dict.fromkeys(notice for layer in layers for notice in layer.notices)),
    )


def holds_text(folder: Path) -> bool:
    """Whether the folder holds a knowledge base as text: some of the text's files, and no manifest of a built one."""
    return not (folder / MANIFEST_FILE).is_file() and any((folder / name).is_file() for name in TEXT_FILES)


def text_here() -> Path | None:
    """The text that whoever names none means: that of the working folder, or of knowledge_base/sources in it; None where neither is there."""
    return next((place for place in (Path(), Path("knowledge_base/sources")) if holds_text(place)), None)


def open_knowledge(folder: Path) -> Sources:
    """Return the rows of a knowledge base, be it built or text. Raises KnowledgeError for a folder that is neither."""
    return read_sources(folder) if holds_text(folder) else sources_of([open_edition(folder)])


def open_given(given: str) -> Sources:
    """Return the rows of what was named: a folder as `open_knowledge` takes it, or the word `embedded`. Raises as it does."""
    if given == EMBEDDED:
        return sources_of([open_edition(embedded_edition_folder(), embedded=True)])
    return open_knowledge(Path(given))


def exemption_of(row: Sequence[Any]) -> ExemptionRow:
    """An exemption of a row of its table, its list of diagnoses a tuple."""
    read = ExemptionRow(*row)
    return replace(read, diagnoses=None if read.diagnoses is None else tuple(read.diagnoses))
