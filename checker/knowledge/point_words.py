"""A point's limit, days and level in words of one language; every command that names them says them alike.

Standard library only: a look-up pays for this module's import.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from checker.knowledge.rows import PointRow
from checker.model.words import AGE_UNITS, LEVELS, remark_words


@dataclass(frozen=True, slots=True)
class LimitCells:
    """The cells of a point that say whom it limits, in the order of its columns."""

    sex: str | None
    age_word: str | None
    age_text: str | None
    age_min: int | None
    age_min_unit: str | None
    age_max: int | None
    age_max_unit: str | None
    subject: str | None
    companions: str | None


LIMIT_COLUMNS = (
    "sex", "age_word", "age_text", "age_min", "age_min_unit", "age_max", "age_max_unit", "subject", "companions",
)  # fmt: skip
"""The columns of LimitCells."""


class PointWords:
    """Says what the cells of a point mean, in Chinese or in English."""

    def __init__(self, language: str) -> None:
        self.english = language == "en"

    def say(self, chinese: str, english: str) -> str:
        """The text of this language."""
        return english if self.english else chinese

    def limit(self, limits: PointRow | LimitCells) -> str:
        """Whom the point limits, without the person whose age or sex counts; empty where there is no limit."""
        parts = []
        if limits.sex:
            parts.append(self.say("限男性", "male only") if limits.sex == "male" else self.say("限女性", "female only"))
        if limits.age_word:
            parts.append(limits.age_word)
        if limits.age_text:
            parts.append(self.say(f"原文“{limits.age_text}”", f"in its words “{limits.age_text}”"))
        if limits.age_min is not None or limits.age_max is not None:
            parts.append(self.window(limits.age_min, limits.age_min_unit, limits.age_max, limits.age_max_unit))
        if limits.companions:
            parts.append(self.say("同方须有名单外饮片", "beside a piece outside the lists only"))
        return self.say("，", ", ").join(parts)

    def limit_and_subject(self, limits: PointRow | LimitCells) -> str:
        """Whom the point limits, and whose age or sex counts where the point says so."""
        told = self.limit(limits)
        return self.beside(told, self.subject(limits)) if limits.subject else told

    def window(self, low: int | None, low_unit: str | None, high: int | None, high_unit: str | None) -> str:
        """The ages of a window, of which one bound may be missing: 2 岁 ≤ 年龄 < 12 岁."""
        at_least = f"{low} {self.unit(low_unit)} ≤ " if low is not None else ""
        below = f" < {high} {self.unit(high_unit)}" if high is not None else ""
        return f"{at_least}{self.say('年龄', 'age')}{below}"

    def subject(self, limits: PointRow | LimitCells) -> str:
        """Whose age or sex counts."""
        words = {"参保人": self.say("参保人", "the insured"), "就诊人": self.say("就诊人", "the patient")}
        return words.get(limits.subject or "", self.say("患者", "the patient"))

    def unit(self, unit: str | None) -> str:
        """The unit of an age."""
        return self.say(*AGE_UNITS[unit]) if unit in AGE_UNITS else ""

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
