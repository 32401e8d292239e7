"""What differs between two rulebooks, part by part, and whether it can change what they find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from checker.rulebook.rule import Case, Param, Rule, Rulebook

JUDGING = ("clause.violated", "clause.lower", "clause.notice")
"""The clauses that decide on a finding and its level; those of the evidence only word it."""
_PLAIN = (
    ("version", "version"), ("status", "status"), ("since", "since"), ("rule_code", "code"), ("tier", "tier"), ("tier_group", "tier_group"),
    ("shape", "shape"), ("level", "level"), ("stages", "stages"), ("name.zh", "name_zh"), ("name.en", "name_en"),
)  # fmt: skip
"""Key in the rule file and attribute of the rule, in the order of a rule file."""
_JUDGING_KEYS = ("shape", "level", "stages")


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One part of a rule that differs: its key path in the rule file, its value before and after as text (None: absent).

    `judgment`: it can change which lines are found, at which level or stage; else it changes words or numbers about the rule.
    """

    part: str
    old: str | None
    new: str | None
    judgment: bool


@dataclass(frozen=True, slots=True)
class CaseChanges:
    """The names of the cases that came, went, and stand with other content."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleBrief:
    """A rule that only one side has."""

    rule_id: str
    name_zh: str
    name_en: str
    version: int
    level: str
    status: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that both sides have and that differs; `docs` names the languages whose documentation differs."""

    rule_id: str
    name_zh: str
    name_en: str
    changes: tuple[KeyChange, ...]
    cases: CaseChanges
    docs: tuple[str, ...]

    @property
    def judgment_changed(self) -> bool:
        """Whether it can find other lines, or at other levels or stages, than before."""
        return any(change.judgment for change in self.changes)


@dataclass(frozen=True, slots=True)
class RulesDiff:
    """All that differs between two rulebooks, by rule id; `old_hash` and `new_hash` are those of the rulebooks."""

    old_hash: str
    new_hash: str
    added: tuple[RuleBrief, ...]
    removed: tuple[RuleBrief, ...]
    changed: tuple[RuleChange, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs but, at most, comments and the layout of the files."""
        return not (self.added or self.removed or self.changed)

    @property
    def judgment_changed(self) -> bool:
        """Whether other findings can come of the new rules than of the old ones."""
        return bool(self.added or self.removed) or any(rule.judgment_changed for rule in self.changed)

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as JSON values."""
        return {
            "empty": self.empty,
            "judgment_changed": self.judgment_changed,
            "old_hash": self.old_hash,
            "new_hash": self.new_hash,
            "added": [asdict(rule) for rule in self.added],
            "removed": [asdict(rule) for rule in self.removed],
            "changed": [{**asdict(rule), "judgment_changed": rule.judgment_changed} for rule in self.changed],
        }


def diff_rules(a: Rulebook, b: Rulebook) -> RulesDiff:
    """Return what differs between the rules of `a`, the old ones, and of `b`, the new ones."""
    old, new = ({rule.id: rule for rule in book.rules} for book in (a, b))
    both = (_rule_change(old[rule_id], new[rule_id]) for rule_id in sorted(old.keys() & new.keys()))
    return RulesDiff(
        a.hash,
        b.hash,
        tuple(_brief(new[rule_id]) for rule_id in sorted(new.keys() - old.keys())),
        tuple(_brief(old[rule_id]) for rule_id in sorted(old.keys() - new.keys())),
        tuple(rule for rule in both if rule.changes or rule.docs or any(asdict(rule.cases).values())),
    )


def _brief(rule: Rule) -> RuleBrief:
    return RuleBrief(rule.id, rule.name_zh, rule.name_en, rule.version, rule.level, rule.status)


def _rule_change(old: Rule, new: Rule) -> RuleChange:
    docs = tuple(key for key in ("zh", "en") if getattr(old, f"docs_{key}") != getattr(new, f"docs_{key}"))
    changes = (*_plain(old, new), *_clauses(old, new), *_params(old, new), *_messages(old, new))
    return RuleChange(new.id, new.name_zh, new.name_en, changes, _cases(old, new), docs)


def _plain(old: Rule, new: Rule) -> Iterator[KeyChange]:
    for key, attribute in _PLAIN:
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before != after:
            judgment = key in _JUDGING_KEYS or (key == "status" and "shadow" in (before, after))
            yield KeyChange(key, _text(before), _text(after), judgment)


def _clauses(old: Rule, new: Rule) -> Iterator[KeyChange]:
    """The clauses whose text differs; where the checked SQL is the same, only its layout or spelling did."""
    before, after = dict(old.clauses), dict(new.clauses)
    for key in dict.fromkeys((*before, *after)):
        one, other = before.get(key), after.get(key)
        texts = [clause.text.strip() if clause else None for clause in (one, other)]
        if texts[0] != texts[1]:
            same = one is not None and other is not None and one.sql == other.sql
            yield KeyChange(key, texts[0], texts[1], key in JUDGING and not same)


def _params(old: Rule, new: Rule) -> Iterator[KeyChange]:
    """The parameters, each field by itself; a value judges where a judging clause uses it."""
    judging = {name for rule in (old, new) for key, clause in rule.clauses if key in JUDGING for name in clause.params}
    before, after = ({param.name: param for param in rule.params} for rule in (old, new))
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            yield KeyChange(f"params.{name}", _param(one), _param(other), name in judging)
            continue
        for field in fields(Param):
            values = getattr(one, field.name), getattr(other, field.name)
            if values[0] != values[1]:
                judgment = field.name == "value" and name in judging
                yield KeyChange(f"params.{name}.{field.name}", _text(values[0]), _text(values[1]), judgment)


def _param(param: Param | None) -> str | None:
    return f"{param.value} {param.unit} [{_text(param.allowed)}]" if param else None


def _messages(old: Rule, new: Rule) -> Iterator[KeyChange]:
    for language in ("zh", "en"):
        before: Mapping[str, str] = asdict(getattr(old.messages, language))
        after: Mapping[str, str] = asdict(getattr(new.messages, language))
        for key, text in before.items():
            if text != after[key]:
                yield KeyChange(f"message.{language}.{key}", text, after[key], False)


def _cases(old: Rule, new: Rule) -> CaseChanges:
    before, after = ({case.name: case for case in rule.cases} for rule in (old, new))
    return CaseChanges(
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
        tuple(name for name, case in after.items() if name in before and _content(before[name]) != _content(case)),
    )


def _content(case: Case) -> tuple[object, ...]:
    """A case without the order of its cells."""
    exemption = None if case.exemption is None else sorted(case.exemption)
    return (sorted(case.line), sorted(case.point), exemption, case.diagnoses, case.expect)


def _text(value: object) -> str | None:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return None if value is None else str(value)
