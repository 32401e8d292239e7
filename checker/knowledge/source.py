"""The reviewed text of a whole knowledge base, as validated rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from checker.errors import KnowledgeError
from checker.knowledge.cells import Faults
from checker.knowledge.edition_text import EDITION_FILE, EditionText, read_edition
from checker.knowledge.exemption_text import EXEMPTION_FILE, read_exemptions
from checker.knowledge.point_text import PATTERN_FILE, POINT_FILE, read_points
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow, PatternRow, PointRow


@dataclass(frozen=True, slots=True)
class Sources:
    """A whole knowledge base as validated rows, each table sorted by its key."""

    edition: EditionText
    points: tuple[PointRow, ...]
    patterns: tuple[PatternRow, ...]
    exemptions: tuple[ExemptionRow, ...]
    exemption_items: tuple[ExemptionItemRow, ...]


def read_sources(folder: Path) -> Sources:
    """Return the knowledge base that the folder's text describes.

    Raises KnowledgeError that carries every fault found, one sentence each, with file, row, column, value and remedy.
    """
    if not folder.is_dir():
        files = ", ".join((POINT_FILE, PATTERN_FILE, EXEMPTION_FILE, EDITION_FILE))
        raise KnowledgeError(f"{folder}: no such folder; name one with {files}")
    faults = Faults()
    edition = read_edition(folder, faults)
    points, patterns = read_points(folder, faults)
    exemptions, items = read_exemptions(folder, points, patterns, faults)
    faults.stop()
    return Sources(edition, points, patterns, exemptions, items)
