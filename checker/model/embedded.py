"""Where the rules and the knowledge lie that came with the program: in the wheel, else in the checkout."""

from __future__ import annotations

from pathlib import Path

EMBEDDED = "embedded"
"""The word for what came with the program, its knowledge or its rules, where a folder could be named instead."""

_PACKAGE = Path(__file__).resolve().parents[1]


def embedded_edition_folder() -> Path:
    """Return the folder of the knowledge base that comes with the program: the wheel's, else the checkout's."""
    packed = _PACKAGE / "_embedded" / "knowledge_base"
    return packed if packed.is_dir() else _PACKAGE.parent / "knowledge_base" / "built"


def embedded_rules_folder() -> Path:
    """Return the folder of the rule files that come with the program: the wheel's, else the checkout's."""
    packed = _PACKAGE / "_embedded" / "rules"
    return packed if packed.is_dir() else _PACKAGE.parent / "rules"
