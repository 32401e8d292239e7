"""The text of the embedded knowledge base with the points of one rule: read, built and loaded in a tenth of the time."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from checker.knowledge.build import build
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


@functools.cache
def one_rule_kb() -> Path:
    """The same, built; it lies there until the tests end. A scan that is not about judging is done a fifth sooner with it."""
    folder = Path(tempfile.mkdtemp(prefix="liangku-one-rule-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    build(one_rule_text(folder / "text"), folder / "kb")
    return folder / "kb"


@functools.cache
def one_rule_rules() -> Path:
    """A folder with that rule alone; it lies there until the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="liangku-one-rule-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in (f"{RULE}.toml", "framework.csv"):
        shutil.copy(ROOT / "rules" / name, folder)
    return folder
