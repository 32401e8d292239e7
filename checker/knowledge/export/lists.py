"""Which points of a knowledge base stand together in a published list, and which no list can say."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from checker.knowledge.export.cells import cells_of, kind_of
from checker.knowledge.export.workbook import ListRow
from checker.knowledge.importing import BATCH
from checker.knowledge.merge.covers import BY_FAMILY
from checker.knowledge.merge.rows import CONTAINER
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.sheets.known_rules import known_rules
from checker.rulebook.plan import Plan, RulePlan

Why = tuple[str, str]
"""A reason in Chinese and in English."""
REMOVED = "删除"
"""What marks an item that is taken back."""

NO_RULE: Why = (
    "规则库里没有这条规则，不知道它公布的名称",
    "the rule is in no rule file, so that its published name is not known",
)
FROM_TERMS: Why = (
    "诊断由适应症用语的对照表（--terms）得出，清单里没有",
    "their diagnoses come from a file of terms (--terms) and stand in no list",
)
NOT_READ: Why = ("导入不读这类规则的清单", "lists of rules of this shape are not imported")
BAD_BATCH: Why = ("批次的写法导入不了", "the batch is written as no import takes it")
ENDS: Why = ("有终止日期，清单里写不出", "they have an end, which no list says")
CAPPED: Why = ("最高等级有限制，清单里写不出", "their level is capped, which no list says")


@dataclass(frozen=True, slots=True)
class ListKey:
    """What the points of one list have in common: rule, batch, the day from which they hold, and the place."""

    rule_id: str
    batch: str
    day: date
    region: str | None
    region_of: str | None

    @property
    def place(self) -> str:
        """What stands before the ids of its points."""
        return f"{self.region}-" if self.region else ""

    def id_of(self, number: int) -> str:
        """The id that an import gives to the item of this number."""
        return f"{self.place}{self.rule_id}-{self.batch}-{number:04d}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A point with the patterns that are told of it, and what became of it, empty where all of an edition is told."""

    point: PointRow
    own: tuple[PatternRow, ...]
    change: str = ""


@dataclass(slots=True)
class Draft:
    """A list to be written: its rows with what each says."""

    key: ListKey
    rule: RulePlan
    kind: str
    rows: list[tuple[ListRow, Entry]] = field(default_factory=list)


@dataclass(slots=True)
class Unwritten:
    """The points that stand in no workbook, by rule, batch and reason."""

    points: dict[tuple[str, str, Why], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, point: PointRow, why: Why) -> None:
        """Note a point and why it is in no workbook."""
        self.points[point.rule_id, point.batch, why].append(point.point_id)


def drafts(entries: Iterable[Entry], plan: Plan, unwritten: Unwritten) -> list[Draft]:
    """Return the lists in which these points may stand, in the order of rule, batch, day and place; what cannot stand in one is noted."""
    rules = {rule.id: rule for rule in plan.rules}
    known = known_rules(plan)
    kinds = {rule.id: kind_of(rule, known[rule.name_zh]) for rule in plan.rules}
    found: dict[ListKey, list[Entry]] = defaultdict(list)
    for entry in entries:
        point = entry.point
        why = _why_not(entry, rules, kinds)
        if why is None:
            found[ListKey(point.rule_id, point.batch, point.valid_from, point.region, point.region_of)].append(entry)
        else:
            unwritten.add(point, why)
    lists = []
    for key in sorted(found, key=lambda key: (key.rule_id, key.batch, key.day, key.region or "", key.region_of or "")):
        draft = Draft(key, rules[key.rule_id], kinds[key.rule_id] or "")
        draft.rows = [(_row(number, entry, draft), entry) for number, entry in _numbered(key, found[key])]
        lists.append(draft)
    return lists


def _row(number: int, entry: Entry, draft: Draft) -> ListRow:
    items = [pattern for pattern in entry.own if pattern.role != CONTAINER]
    cells = cells_of(entry.point, draft.kind, draft.rule.name_zh)
    return ListRow(
        number,
        {**cells, "change": entry.change} if entry.change else cells,
        tuple(sorted(pattern.code for pattern in items)),
        tuple(sorted((pattern.code, pattern.published_codes) for pattern in items if pattern.match == BY_FAMILY)),
        tuple(sorted(pattern.code for pattern in entry.own if pattern.role == CONTAINER)),
    )


def _why_not(entry: Entry, rules: Mapping[str, RulePlan], kinds: Mapping[str, str | None]) -> Why | None:
    point = entry.point
    if point.rule_id not in rules:
        return NO_RULE
    if kinds[point.rule_id] is None:
        return FROM_TERMS if "indications" in point.limits else NOT_READ
    if not BATCH.fullmatch(point.batch):
        return BAD_BATCH
    if entry.change == REMOVED:
        return None
    if point.valid_to is not None:
        return ENDS
    return CAPPED if point.level_cap is not None else None


def _numbered(key: ListKey, entries: Iterable[Entry]) -> list[tuple[int, Entry]]:
    """The entries with their numbers in the list, by which the import gives them their ids again; one whose id says none gets the next free."""
    own = re.compile(rf"{re.escape(key.place + key.rule_id)}-{re.escape(key.batch)}-([0-9]{{4,9}})")
    numbers: dict[int, Entry] = {}
    others = []
    # What is taken back needs no id again.
    for entry in sorted(entries, key=lambda entry: (entry.change == REMOVED, entry.point.point_id)):
        said = own.fullmatch(entry.point.point_id)
        number = int(said[1]) if said else 0
        if said and key.id_of(number) == entry.point.point_id and number not in numbers:
            numbers[number] = entry
        else:
            others.append(entry)
    first = max(numbers, default=0) + 1
    return sorted({**numbers, **dict(enumerate(others, first))}.items())
