"""A point's limit, days and level in words of one language; every command that names them says them alike.

Standard library only: a look-up pays for this module's import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from checker.knowledge.rows import PointRow
from checker.model.words import LEVELS, remark_words
from checker.shapes import LIMIT_NAMES, SHAPES
from checker.shapes.terms import TERMS

LIMIT_COLUMNS = (*LIMIT_NAMES, "subject")
"""The columns that say whom a point limits."""
Limits = Mapping[str, Any]
"""The cells of a point that say whom it limits, by name; NULL ones may be left out."""


def limits_of(values: Iterable[Any]) -> Limits:
    """The limits of a point from its values of LIMIT_COLUMNS."""
    return dict(zip(LIMIT_COLUMNS, values, strict=True))


class PointWords:
    """Says what the cells of a point mean, in Chinese or in English."""

    def __init__(self, language: str) -> None:
        self.english = language == "en"

    def say(self, chinese: str, english: str) -> str:
        """The text of this language."""
        return english if self.english else chinese

    def limit(self, limits: PointRow | Limits) -> str:
        """Whom the point limits, without the person whose age or sex counts; empty where there is no limit."""
        cells = _cells(limits)
        return self.say("，", ", ").join(told for shape in SHAPES for told in shape.say(cells, self.english))

    def limit_and_subject(self, limits: PointRow | Limits) -> str:
        """Whom the point limits, and whose age or sex counts where the point says so."""
        told = self.limit(limits)
        return self.beside(told, self.subject(limits)) if _cells(limits)["subject"] else told

    def subject(self, limits: PointRow | Limits) -> str:
        """Whose age or sex counts."""
        words = {"参保人": self.say("参保人", "the insured"), "就诊人": self.say("就诊人", "the patient")}
        return words.get(_cells(limits)["subject"] or "", self.say("患者", "the patient"))

    def is_of_payment(self, limits: PointRow | Limits) -> bool:
        """Whether the point limits the terms of payment, whoever the patient is."""
        cells = _cells(limits)
        return any(cells.get(limit.name) is not None for limit in TERMS.limits)

    def period(self, valid_from: date, valid_to: date | None) -> str:
        """From when, and before when, something is in force."""
        if valid_to is None:
            return self.say(f"{valid_from} 起", f"from {valid_from}")
        return self.say(f"{valid_from} 起，{valid_to} 之前", f"from {valid_from}, before {valid_to}")

    def level(self, level: str) -> str:
        """A level, or the word itself where it is none."""
        return self.say(*LEVELS[level]) if level in LEVELS else level

    def remark(self, remark: str) -> str:
        """A remark in words, or as it stands."""
        return self.say(*remark_words(remark))

    def beside(self, told: str, more: str) -> str:
        """Text with something in parentheses beside it."""
        return self.say(f"{told}（{more}）", f"{told} ({more})") if told else more


def _cells(limits: PointRow | Limits) -> Limits:
    return {**limits.limits, "subject": limits.subject} if isinstance(limits, PointRow) else limits
