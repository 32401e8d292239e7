"""A value for whose sake lines are undetermined, because the profile does not know it: told with where to write it."""

from __future__ import annotations

from typing import Any, NamedTuple

from checker.ingest.provincial import KINDS
from checker.model.shown import shown
from checker.model.words import unknown_value_words


class UnknownValue(NamedTuple):
    """A value of a column as it may be shown, how many lines some rule could not judge for it, and what to write into the profile (see `shown_value`)."""

    column: str
    value: str
    lines: int
    key: str | None

    @property
    def profile_key(self) -> str:
        """The table of a profile that says what such values mean."""
        return KINDS[self.column]

    def how(self, language: str) -> str:
        """What to do about it."""
        words = unknown_value_words(self.column, shown(self.value), self.profile_key, is_word=self.key is not None)
        return words[language == "en"]

    def to_plain(self, language: str) -> dict[str, Any]:
        """As run.json holds it."""
        told = {"column": self.column, "value": self.value, "lines": self.lines, "profile_key": self.profile_key}
        return told | {"key": self.key, "how": self.how(language)}
