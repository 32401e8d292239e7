"""What a check finds: how grave, where, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING, INFO = "error", "warning", "info"
SEVERITIES = (ERROR, WARNING, INFO)
"""Worst first. An error judges wrongly or cannot be judged by; a warning wants a person's look; info is worth knowing."""


@dataclass(frozen=True, slots=True)
class Said:
    """One text in both languages."""

    zh: str
    en: str

    def text(self, language: str) -> str:
        """The text of a language."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the file, its line (1 is the first; NULL where there is none), and the id of what stands there."""

    file: str
    row: int | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a validator found; `severity` is given where it is not the validator's own."""

    place: Place
    message: Said
    column: str | None = None
    value: str | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding of `kb check`: which validator, how grave, where, and what."""

    validator: str
    severity: str
    place: Place
    column: str | None
    value: str | None
    message: Said
