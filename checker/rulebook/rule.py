"""A rule [规则] as data: what one rule file says, checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from checker.model import words
from checker.rulebook import names
from checker.shapes import BY_ID

if TYPE_CHECKING:
    from checker.rulebook.clause import Clause

LEVELS, STAGES, STATUSES = tuple(words.LEVELS), tuple(names.STAGES), tuple(names.STATUSES)
TIERS, TIER_GROUPS = tuple(names.TIERS), tuple(names.TIER_GROUPS)
PLACEHOLDERS = (
    "item_name", "item_code", "expected", "actual", "person", "reason", "point_id", "service_date", "rule_name",
)  # fmt: skip
"""What a message may name between braces."""
HEADINGS = {
    "zh": ("## 说明", "## 判定", "## 何时不判、何时可能误判", "## 如何处理", "## 依据"),
    "en": ("## What", "## How it is judged", "## When it is silent or wrong", "## What to do", "## Basis"),
}
"""The headings that the docs of every rule carry, in order."""
VERDICTS = ("violation", "undetermined", "exempt")
BARE_VERDICTS = ("clean", "not_in_force", "not_judged")
"""What a case expects when nothing is to be found: the limit is kept, no point is in force, or no input has what it takes."""
COMMON_POINT_COLUMNS = (
    "point_id", "item_name", "subject", "region", "region_of", "valid_from", "valid_to", "level_cap", "remark", "document", "batch",
    "published_codes", "source_rows",
)  # fmt: skip
"""What a case may say of its point beside the limits of its shape."""
EXEMPTION_COLUMNS = (
    "exemption_id", "effect", "reason", "reason_en", "evidence", "status", "diagnoses", "region", "region_of",
    "valid_from", "valid_to",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Param:
    """One number of a rule that a region may set otherwise, within `allowed` (both ends included)."""

    name: str
    value: int
    type: str
    unit: str
    meaning_zh: str
    meaning_en: str
    allowed: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Texts:
    """The messages of a rule in one language: templates with {placeholders}."""

    violation: str
    undetermined: str
    advice: str


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of a rule in both languages."""

    zh: Texts
    en: Texts


@dataclass(frozen=True, slots=True)
class Expect:
    """What a case expects of its finding; None is not compared."""

    verdict: str
    level: str | None = None
    reason_code: str | None = None
    exemption_id: str | None = None
    remarks: tuple[str, ...] | None = None
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class Other:
    """Another line beside the case's: what it says otherwise than the line in question, what its item is to the case's point (a role of the shape,
    '' where it is nothing to it), whether the item is the `same`, and the last digits that its code has otherwise.
    """

    line: tuple[tuple[str, str], ...]
    role: str
    same: bool
    ending: str


@dataclass(frozen=True, slots=True)
class Case:
    """One line, one point, at most one exemption, and the answer typed by hand; an empty text in them stands for NULL.

    `others` are other lines of its prescription, or of the item before and after.

    `expect` is an Expect, or one of BARE_VERDICTS where no finding may come.
    """

    name: str
    line: tuple[tuple[str, str], ...]
    point: tuple[tuple[str, str | int], ...]
    exemption: tuple[tuple[str, str | tuple[str, ...]], ...] | None
    diagnoses: tuple[str, ...]
    expect: Expect | str
    others: tuple[Other, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule file, checked."""

    id: str
    code: str | None
    version: int
    status: str
    since: date
    tier: str
    tier_group: str
    shape: str
    level: str
    stages: tuple[str, ...]
    name_zh: str
    name_en: str
    violated: Clause
    lower: Clause | None
    notice: Clause | None
    expected: Clause
    actual: Clause
    at_stake: Clause | None
    params: tuple[Param, ...]
    messages: Messages
    docs_zh: str
    docs_en: str
    cases: tuple[Case, ...]
    file: str
    hash: str

    @property
    def clauses(self) -> tuple[tuple[str, Clause], ...]:
        """The clauses that the rule has, by key path."""
        pairs = (
            ("clause.violated", self.violated),
            ("clause.lower", self.lower),
            ("clause.notice", self.notice),
            ("evidence.expected", self.expected),
            ("evidence.actual", self.actual),
            ("evidence.at_stake", self.at_stake),
        )
        return tuple((key, clause) for key, clause in pairs if clause is not None)

    @property
    def reads(self) -> tuple[str, ...]:
        """The facts of the shape that the verdict depends on, such as sex and age."""
        return BY_ID[self.shape].facts_in(self.violated.columns)

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The facts of the shape that any of its clauses reads: those of the verdict, of the level, and of what is said."""
        return BY_ID[self.shape].facts_in(frozenset[str]().union(*(clause.columns for _, clause in self.clauses)))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules of a folder by id; `hash` changes with every byte of them."""

    rules: tuple[Rule, ...]
    hash: str
