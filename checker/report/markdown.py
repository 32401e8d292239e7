"""Pieces of Markdown documents: text that stands as it is, tables, fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence


def plain(text: str) -> str:
    """Text that markdown and the HTML in it take as it stands, on one line, also within a table."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, entity)
    for sign in ("\\", "|", "`", "*", "[", "]"):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table; cells are Markdown, such as `plain` gives."""
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def fenced(kind: str, lines: Sequence[str]) -> Iterator[str]:
    """The lines as a block of code, behind a fence that none of them can close."""
    fence = "`" * max([3, *(len(run) + 1 for line in lines for run in re.findall("`+", line))])
    yield f"{fence}{kind}"
    yield from lines
    yield fence
