"""Standing issues [存量问题]: those that a list names, or that the base of a change has as well; a change answers for what is new."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Set
from dataclasses import replace
from pathlib import Path

from checker.knowledge.cell_reader import Faults, read_csv
from checker.knowledge.checks.issue import Issue
from checker.knowledge.checks.registry import VALIDATORS
from checker.knowledge.checks.run import Checked
from checker.model.errors import both

_COLUMNS = ("check", "key", "column", "value")

Standing = tuple[str, str, str, str]
"""An issue wherever it stands: check, id of what stands there, column, value."""


def standing_of(issues: Iterable[Issue]) -> frozenset[Standing]:
    """The issues without their places, which change with every row that is added above."""
    return frozenset(map(_standing, issues))


def _standing(issue: Issue) -> Standing:
    return issue.validator, issue.place.key or "", issue.column or "", issue.value or ""


def apart(checked: Checked, known: Set[Standing]) -> Checked:
    """What was found with the known issues set apart: they make nothing fail."""
    if not known:
        return checked
    fresh = tuple(issue for issue in checked.issues if _standing(issue) not in known)
    return replace(checked, issues=fresh, standing=checked.standing + len(checked.issues) - len(fresh))


def read_baseline(path: Path) -> frozenset[Standing]:
    """Return the issues that a baseline file names: CSV with check, key, column and value.

    Raises KnowledgeError for what cannot be read, and for checks that there are not.
    """
    faults = Faults()
    known = {validator.id for validator in VALIDATORS}
    found = set()
    for cells in read_csv(path, _COLUMNS, faults):
        if cells.text("check") not in known:
            told = f"没有这个检查项；已有的是 {', '.join(sorted(known))}"
            cells.fault("check", both(told, f"no such check; known are {', '.join(sorted(known))}"))
        check, key, column, value = (cells.values[name] for name in _COLUMNS)
        found.add((check, key, column, value))
    faults.stop()
    return frozenset(found)


def baseline_text(issues: Iterable[Issue]) -> str:
    """The file that names these issues, sorted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(sorted(standing_of(issues)))
    return text.getvalue()
