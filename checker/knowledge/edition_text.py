"""The reviewed text of an edition: edition.toml, its name, version and the notices that its facts come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from checker.knowledge.cell_reader import Faults
from checker.knowledge.manifest import Notice
from checker.knowledge.toml_text import quoted, read_toml, record_cells
from checker.model.errors import both

EDITION_FILE = "edition.toml"
TEXT_LAYOUT = 1
"""The layout of the text; columns that came later may be absent."""


@dataclass(frozen=True, slots=True)
class EditionText:
    """What edition.toml says: the name and version of the edition and the notices that its facts come from."""

    name: str
    version: str
    published: str
    compiled: str
    notices: tuple[Notice, ...]


def read_edition(folder: Path, faults: Faults) -> EditionText:
    """Return what the folder's edition.toml says; what is wrong is noted in `faults`.

    Raises KnowledgeError for a file that cannot be read at all.
    """
    source = read_toml(folder / EDITION_FILE, ("layout", "name", "version", "published", "compiled", "notice"), faults)
    file, document = source.file, source.keys
    scalars = {key: value for key, value in document.items() if key not in ("layout", "notice")}
    if document.get("layout") != TEXT_LAYOUT:
        layout = document.get("layout")
        told = both(f"写的是 {layout!r}，请写 {TEXT_LAYOUT}", f"found {layout!r}; write {TEXT_LAYOUT}")
        faults.add(file, "layout", told)
    cells = record_cells(file, "the head", scalars, ("name", "version", "published", "compiled"), faults)
    assert cells is not None
    notices = []
    listed = document.get("notice", [])
    if not isinstance(listed, list) or not listed:
        told = both(
            "一份公告也没有，请为每份作为依据的公告写一个 [[notice]]",
            "found none; write a [[notice]] for each public notice that facts come from",
        )
        faults.add(file, "notice", told)
        listed = []
    for number, entry in enumerate(listed, 1):
        place = f"notice {number}"
        notice = record_cells(file, place, entry, ("batch", "published", "title", "publisher", "link"), faults)
        if notice is not None:
            notices.append(
                Notice(
                    notice.text("batch"),
                    notice.day("published").isoformat(),
                    notice.text("title"),
                    notice.text("publisher"),
                    notice.optional("link"),
                )
            )
    return EditionText(
        cells.text("name"),
        cells.text("version"),
        cells.day("published").isoformat(),
        cells.day("compiled").isoformat(),
        tuple(notices),
    )


def edition_text(edition: EditionText) -> str:
    """The text of edition.toml that says the same."""
    lines = [f"layout = {TEXT_LAYOUT}", f"name = {quoted(edition.name)}", f"version = {quoted(edition.version)}"]
    lines += [f"published = {edition.published}", f"compiled = {edition.compiled}"]
    for notice in edition.notices:
        lines += ["", "[[notice]]", f"batch = {quoted(notice.batch)}", f"published = {notice.published}"]
        lines += [f"publisher = {quoted(notice.publisher)}", f"title = {quoted(notice.title)}"]
        lines += [f"link = {quoted(notice.link)}"] if notice.link else []
    return "\n".join(lines) + "\n"
