"""What was found among the inputs and is not read, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from checker.ingest.personal import shown_headers
from checker.model.errors import both
from checker.model.words import MAY_BE_DATA, NOT_READ

HEADERS_SHOWN = 12
"""So many headers of a file are shown where a needed one is missing."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file, folder or part of a file that is not read, and why: a key of NOT_READ, and the sentence that says more where there is one."""

    path: Path
    reason: str
    detail: str = ""
    header_row: int = 0
    headers: tuple[str, ...] = ()
    """Of what has no known header the row that looks like one, and its cells."""

    @property
    def may_be_data(self) -> bool:
        """True where something that may be data was not read: the run is then incomplete."""
        return self.reason in MAY_BE_DATA

    def said(self) -> str:
        """The path and the reason in both languages."""
        if self.detail:
            return self.detail
        chinese, english = NOT_READ[self.reason]
        if self.headers:
            shown = "、".join(shown_headers(self.headers[:HEADERS_SHOWN]))
            chinese += (
                f"，第 {self.header_row} 行像是表头（{shown}），是的话请用 --map 列名=表头 指定，如 --map item_code=…"
            )
            english += f"; row {self.header_row} looks like one: name its headers with --map COLUMN=HEADER"
        return both(f"{self.path}：{chinese}", english)
