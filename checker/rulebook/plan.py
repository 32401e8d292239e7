"""Compiled rules: what the engine and the messages need of a rulebook, cheap to load and safe to cache by the rules' hash."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.model.files import MANIFEST, read_once
from checker.rulebook.load import Layer, RuleFile, hash_with, read_files, read_rules, refuse_repeated
from checker.rulebook.names import STAGES
from checker.shapes import BY_ID

if TYPE_CHECKING:
    from checker.rulebook.params import ParamSetting
    from checker.rulebook.rule import Rule, Rulebook

PLAN_LAYOUT = 5
PLAN_FILE = "rules.plan.json"
LEVEL_RANK = {"notice": 1, "suspect": 2, "definite": 3}


@dataclass(frozen=True, slots=True)
class RulePlan:
    """One rule as the engine runs it. Clause texts are SQL regenerated from the checked tree, never the author's own text.

    `reads` are the facts of its shape that the verdict depends on, `looks_at` those that any clause reads. What a `shadow` rule finds is
    listed apart: the rule is on trial, or it stands for the points on trial of the rule of its id. A `deprecated` rule runs nowhere. One that
    is `absent` says of its points only which of them would have judged (see `absent_rule`). One that is `fund_only` concerns what the fund
    pays. `at_stake` gives the money at stake in ten-thousandths of a yuan, where that is not the line's or what its shape says. `params` are
    those that its shape reads.
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
    looks_at: tuple[str, ...]
    violated: str
    lower: str | None
    notice: str | None
    expected: str
    actual: str
    messages_zh: tuple[str, str, str]
    messages_en: tuple[str, str, str]
    shadow: bool = False
    deprecated: bool = False
    absent: str | None = None
    fund_only: bool = False
    at_stake: str | None = None
    params: Mapping[str, int] = field(default_factory=dict)

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

    def in_use(self) -> Plan:
        """The plan without deprecated rules."""
        return Plan(tuple(rule for rule in self.rules if not rule.deprecated), self.hash)

    def at_stage(self, stage: str) -> Plan:
        """The plan with the rules in use that apply at a stage (before, during, after)."""
        return Plan(tuple(rule for rule in self.in_use().rules if stage in rule.stages), self.hash)

    def without_shadow(self) -> Plan:
        """The plan without rules on trial: what the counter may speak of."""
        return Plan(tuple(rule for rule in self.rules if not rule.shadow), self.hash)

    def with_absent(self, absent: Mapping[str, str]) -> Plan:
        """The plan with a stand-in for each of these rules, by id, and why it does not judge."""
        return Plan(self.rules + tuple(_absent_rule(rule_id, why) for rule_id, why in absent.items()), self.hash)

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
    def each_point_numbers(self) -> tuple[int, ...]:
        """The numbers of the rules of which several points judge a line."""
        return tuple(number for number, rule in enumerate(self.rules) if BY_ID[rule.shape].each_point)

    @property
    def fund_only_numbers(self) -> tuple[int, ...]:
        """The numbers of the rules that concern only what the fund pays."""
        return tuple(number for number, rule in enumerate(self.rules) if rule.fund_only)

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
        looks_at=rule.looks_at,
        violated=rule.violated.sql,
        lower=rule.lower.sql if rule.lower else None,
        notice=rule.notice.sql if rule.notice else None,
        expected=rule.expected.sql,
        actual=rule.actual.sql,
        messages_zh=(zh.violation, zh.undetermined, zh.advice),
        messages_en=(en.violation, en.undetermined, en.advice),
        shadow=rule.status == "shadow",
        deprecated=rule.status == "deprecated",
        fund_only=rule.tier_group == "政策类",
        at_stake=rule.at_stake.sql if rule.at_stake else None,
        params={param.name: param.value for param in rule.params if param.name in BY_ID[rule.shape].params},
    )


def _absent_rule(rule_id: str, why: str) -> RulePlan:
    """Stands for a rule whose points are loaded and not judged: its clause is never decided."""
    return RulePlan(
        id=rule_id, code=None, version=0, name_zh=rule_id, name_en=rule_id, level="notice", stages=tuple(STAGES), shape="item",
        reads=(), looks_at=(), violated="CAST(NULL AS BOOLEAN)", lower=None, notice=None, expected="''", actual="''",
        messages_zh=("", "", ""), messages_en=("", "", ""), absent=why,
    )  # fmt: skip


def load_plan(layers: Sequence[Layer], *, cache: Path | None = None, params: Sequence[ParamSetting] = ()) -> Plan:
    """Load the rules of folders, one upon the other, as a plan; a rule takes the place of one of its id in an earlier folder.

    `cache` holds rules compiled earlier, each used only while its file is the same; `params` set parameters of the rules otherwise.
    Raises RuleError with every fault of every file, InputError for a parameter that no rule declares or allows.
    """
    files = read_files(layers)
    compiled = _read_cache(cache) if cache is not None and cache.is_file() and not params else {}
    changed: tuple[tuple[str, str, int], ...] = ()
    if fresh := [file for file in files if file.hash not in compiled]:
        made, changed = _compiled(fresh, params)
        compiled |= made
    plans = [compiled[file.hash] for file in files]
    refuse_repeated("rule_code", [(file, plan.code) for file, plan in zip(files, plans, strict=True)])
    return Plan(tuple(sorted(plans, key=lambda plan: plan.id)), hash_with(files, changed))


def write_embedded_plan(rules_folder: Path, out_file: Path) -> None:
    """Compile the embedded rules and keep them beside the built knowledge, so that the counter starts without the compiler.

    Raises InputError where the file cannot be written.
    """
    from checker.model.whole_file import write_whole

    compiled, _ = _compiled(read_files([Layer(rules_folder, embedded=True)]), ())
    document = {"layout": PLAN_LAYOUT, "rules": {file_hash: asdict(rule) for file_hash, rule in compiled.items()}}
    write_whole(out_file, json.dumps(document, ensure_ascii=False))


def _compiled(
    files: Sequence[RuleFile], params: Sequence[ParamSetting]
) -> tuple[dict[str, RulePlan], tuple[tuple[str, str, int], ...]]:
    """The rules of files by the hash of each, and what the parameters changed."""
    from checker.rulebook.clause import check_types
    from checker.shapes import BY_ID

    rules, changed = read_rules(files, params)
    for shape in dict.fromkeys(rule.shape for rule in rules):
        check_types([clause for rule in rules if rule.shape == shape for _, clause in rule.clauses], BY_ID[shape])
    return {rule.hash: _rule_plan(rule) for rule in rules}, changed


def _read_cache(cache: Path) -> dict[str, RulePlan]:
    """The rules compiled earlier, by the hash of their file."""
    document: dict[str, Any] = json.loads(read_once(cache, MANIFEST))
    if document.get("layout") != PLAN_LAYOUT:
        return {}
    return {file_hash: _rule_of(fields) for file_hash, fields in document["rules"].items()}


def _rule_of(fields: dict[str, Any]) -> RulePlan:
    lists = ("stages", "reads", "looks_at", "messages_zh", "messages_en")
    read: dict[str, Any] = {key: tuple(value) if key in lists else value for key, value in fields.items()}
    return RulePlan(**read)
