"""The text of the embedded knowledge base with the points of one rule: read, built and loaded in a tenth of the time."""

from __future__ import annotations

from pathlib import Path

from tests.commands import ROOT

SOURCES = ROOT / "knowledge_base" / "sources"
RULE = "drug-sex"


def one_rule_text(folder: Path) -> Path:
    """Write the text into a folder that is not there, and return it."""
    folder.mkdir(parents=True)
    for path in SOURCES.iterdir():
        # A test that takes a point away would have to take its examples away as well.
        if path.name == "example.csv":
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            header, *rows = text.splitlines(keepends=True)
            text = "".join((header, *(row for row in rows if row.startswith(f"{RULE}-"))))
        elif path.name == "exemption.toml":
            head, *each = text.split("[[exemption]]")
            text = "[[exemption]]".join([head, *(one for one in each if f'rule = "{RULE}"' in one)])
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder
