"""Compiled rules: what the engine and the messages need of a rulebook, cheap to load and safe to cache by the rules' hash."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from checker.rulebook.params import ParamSetting
    from checker.rulebook.rule import Rule, Rulebook

PLAN_LAYOUT = 2
PLAN_FILE = "rules.plan.json"
LEVEL_RANK = {"notice": 1, "suspect": 2, "definite": 3}


@dataclass(frozen=True, slots=True)
class RulePlan:
    """One rule as the engine runs it. Clause texts are SQL regenerated from the checked tree, never the author's own text.

    `reads` are the facts of its shape that the verdict depends on. What a `shadow` rule finds is listed apart: the rule is on trial, or it
    stands for the points on trial of the rule of its id.
    """

    id: str
    code: str | None
    version: int
    name_zh: str
    name_en: str
    level: str
    stages: tuple[str, ...]
    shape: str
    reads: tuple[str, ...]
    violated: str
    lower: str | None
    notice: str | None
    expected: str
    actual: str
    messages_zh: tuple[str, str, str]
    messages_en: tuple[str, str, str]
    shadow: bool = False

    def name(self, language: str) -> str:
        """The rule's name in a language."""
        return self.name_zh if language == "zh" else self.name_en

    def messages(self, language: str) -> tuple[str, str, str]:
        """The templates for a violation, an undetermined line, and the advice, in a language."""
        return self.messages_zh if language == "zh" else self.messages_en


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules of one run, numbered by their place, and the hash of the files they come from."""

    rules: tuple[RulePlan, ...]
    hash: str

    def only(self, ids: Collection[str]) -> Plan:
        """The plan with the rules of these ids."""
        return Plan(tuple(rule for rule in self.rules if rule.id in ids), self.hash)

    def at_stage(self, stage: str) -> Plan:
        """The plan with the rules that apply at a stage (before, during, after)."""
        return Plan(tuple(rule for rule in self.rules if stage in rule.stages), self.hash)

    def without_shadow(self) -> Plan:
        """The plan without rules on trial: what the counter may speak of."""
        return Plan(tuple(rule for rule in self.rules if not rule.shadow), self.hash)

    def with_twins(self, ids: Collection[str]) -> Plan:
        """The plan with a shadow twin of each rule of these ids that is not on trial itself.

        A twin has a number of its own, so that the points judged under it never take a line from the rule's other points.
        """
        twins = tuple(replace(rule, shadow=True) for rule in self.rules if rule.id in ids and not rule.shadow)
        return Plan(self.rules + twins, self.hash) if twins else self

    def numbers_of(self, shape: str) -> tuple[int, ...]:
        """The numbers of the rules of a shape."""
        return tuple(number for number, rule in enumerate(self.rules) if rule.shape == shape)

    @property
    def shadow_numbers(self) -> tuple[int, ...]:
        """The numbers of the shadow rules."""
        return tuple(number for number, rule in enumerate(self.rules) if rule.shadow)


def plan_of(rulebook: Rulebook) -> Plan:
    """Compile a checked rulebook."""
    return Plan(tuple(_rule_plan(rule) for rule in rulebook.rules), rulebook.hash)


def _rule_plan(rule: Rule) -> RulePlan:
    zh, en = rule.messages.zh, rule.messages.en
    return RulePlan(
        id=rule.id,
        code=rule.code,
        version=rule.version,
        name_zh=rule.name_zh,
        name_en=rule.name_en,
        level=rule.level,
        stages=rule.stages,
        shape=rule.shape,
        reads=rule.reads,
        violated=rule.violated.sql,
        lower=rule.lower.sql if rule.lower else None,
        notice=rule.notice.sql if rule.notice else None,
        expected=rule.expected.sql,
        actual=rule.actual.sql,
        messages_zh=(zh.violation, zh.undetermined, zh.advice),
        messages_en=(en.violation, en.undetermined, en.advice),
        shadow=rule.status == "shadow",
    )


def load_plan(
    rules_folder: Path, *, embedded: bool = False, cache: Path | None = None, params: Sequence[ParamSetting] = ()
) -> Plan:
    """Load the rules of a folder as a plan; `cache` holds one made earlier, used only while the rule files are the same.

    `params` set parameters of the rules otherwise. Raises RuleError with every fault of every file, InputError for a parameter
    that no rule declares or allows.
    """
    from checker.rulebook.load import hash_rules, load_rules

    if cache is not None and cache.is_file() and not params:
        cached = _read_cache(cache, hash_rules(rules_folder, embedded=embedded))
        if cached is not None:
            return cached
    from checker.rulebook.clause import check_types
    from checker.shapes import BY_ID

    rulebook = load_rules(rules_folder, embedded=embedded, params=params)
    for rule in rulebook.rules:
        check_types([clause for _, clause in rule.clauses], BY_ID[rule.shape])
    return plan_of(rulebook)


def write_embedded_plan(rules_folder: Path, out_file: Path) -> None:
    """Compile the embedded rules and keep the plan beside the built knowledge, so that the counter starts without the compiler.

    Raises InputError where the file cannot be written.
    """
    from checker.model.whole_file import write_whole

    plan = load_plan(rules_folder, embedded=True)
    text = json.dumps(
        {"layout": PLAN_LAYOUT, "hash": plan.hash, "rules": [asdict(rule) for rule in plan.rules]}, ensure_ascii=False
    )
    write_whole(out_file, text)


def _read_cache(cache: Path, expected_hash: str) -> Plan | None:
    document: dict[str, Any] = json.loads(cache.read_text(encoding="utf-8"))
    if document.get("layout") != PLAN_LAYOUT or document.get("hash") != expected_hash:
        return None
    return Plan(tuple(_rule_of(rule) for rule in document["rules"]), expected_hash)


def _rule_of(fields: dict[str, Any]) -> RulePlan:
    lists = ("stages", "reads", "messages_zh", "messages_en")
    read: dict[str, Any] = {key: tuple(value) if key in lists else value for key, value in fields.items()}
    return RulePlan(**read)
