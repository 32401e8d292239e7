"""What a check of a knowledge base is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from checker.knowledge.checks.check_input import CheckInput
from checker.knowledge.checks.issue import Found, Issue, Said


@dataclass(frozen=True, slots=True)
class Validator:
    """One check: its id (kebab-case, never changed), how grave its issues are, what it is called, how to mend, and its search."""

    id: str
    severity: str
    title: Said
    hint: Said
    find: Callable[[CheckInput], Iterable[Found]]

    def issues(self, checked: CheckInput) -> list[Issue]:
        """Return everything that the check finds, in the order in which it stands in the files."""
        return [
            Issue(self.id, found.severity or self.severity, found.place, found.column, found.value, found.message)
            for found in self.find(checked)
        ]
