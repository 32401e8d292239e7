"""Pieces of Markdown documents: text that stands as it is, tables, fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from checker.model.shown import shown


def plain(text: str) -> str:
    """Text that markdown and the HTML in it take as it stands, on one line, also within a table."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, entity)
    for sign in ("\\", "|", "`", "*", "[", "]"):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(shown(text).split())


def code(text: str) -> str:
    """Text on one line as code, behind a fence that nothing in it can close."""
    line = " ".join(shown(text).split())
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    blank = " " if "`" in line else ""
    return f"{fence}{blank}{line}{blank}{fence}"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> Iterator[str]:
    """The lines of a table, whose last `numbers` columns are numbers; cells are Markdown, such as `plain` gives."""
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * (len(titles) - numbers)}{'---:|' * numbers}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def fenced(kind: str, lines: Sequence[str]) -> Iterator[str]:
    """The lines as a block of code, behind a fence that none of them can close."""
    fence = "`" * max([3, *(len(run) + 1 for line in lines for run in re.findall("`+", line))])
    yield f"{fence}{kind}"
    yield from lines
    yield fence
