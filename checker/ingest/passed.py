"""What was found among the inputs and is not read, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from checker.model.words import MAY_BE_DATA, NOT_READ


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file, folder or part of a file that is not read, and why: a key of NOT_READ, and the sentence that says more where there is one."""

    path: Path
    reason: str
    detail: str = ""

    @property
    def may_be_data(self) -> bool:
        """True where something that may be data was not read: the run is then incomplete."""
        return self.reason in MAY_BE_DATA

    def said(self) -> str:
        """The path and the reason in both languages."""
        if self.detail:
            return self.detail
        chinese, english = NOT_READ[self.reason]
        return f"{self.path}：{chinese}（{english}）"
