"""The mark of what a new rule's author has still to write, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from checker.model.errors import Fault, both
from checker.rulebook.rule import Case
from checker.rulebook.tables import RuleTable

FILL = "【待填 fill in】"
"""Stands in every text of a scaffold that its author has to write: no case that holds it passes, nor any rule."""


def unfilled(tables: tuple[RuleTable, ...]) -> tuple[Fault, ...]:
    """Return a fault for every text of the rule files that still holds the mark."""
    return tuple(
        Fault(
            each.file,
            place,
            both(
                f"还没有写好，请写好并删去标记：{_marked(text)}",
                "write it and remove the mark",
            ),
        )
        for each in tables
        for place, text in each.texts()
        if FILL in text
    )


def blanks(case: Case) -> Iterator[tuple[str, str]]:
    """Every text of a case that holds the mark but its name, with its key, such as `line.service_time`."""
    cells = [(f"line.{key}", value) for key, value in case.line]
    cells += [(f"point.{key}", str(value)) for key, value in case.point]
    cells += [(f"exemption.{key}", _joined(value)) for key, value in case.exemption or ()]
    cells += [("diagnoses", value) for value in case.diagnoses]
    if not isinstance(case.expect, str):
        cells += [(f"expect.{key}", str(value)) for key, value in asdict(case.expect).items()]
    yield from ((key, value) for key, value in cells if FILL in value)


def _marked(text: str) -> str:
    """The lines of a text that hold the mark."""
    return " / ".join(line.strip() for line in text.splitlines() if FILL in line)


def _joined(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
