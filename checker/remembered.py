"""What the clauses said, remembered: a question that brings nothing new is not put to the engine again.

An answer is a function of what its statement reads, and of nothing else: so it is kept under the values of just those columns. Where a
birth date is one of them, answers lie in a calendar for the year of birth, which one query fills once it is asked for more than one day:
the engine answers for a year of birthdays in little more time than for one. Nothing is judged here. Of persons nothing is kept but the
values that a clause read; who brings an ID number is asked about anew each time.
"""

from __future__ import annotations

import calendar
import functools
import itertools
import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from checker.pointindex import Kind
from checker.statements import Answer, Candidate, Shape, Statements

UNKNOWN: Final = Answer("unknown", None, None, None, None, "", "", False, ())
"""Stands where nothing is remembered; None is the answer of a point that is not in force."""

_ENTRIES_KEPT, _WAYS_KEPT, _ANSWERS_KEPT = 10_000, 2_000, 20_000
_USUAL_FROM = 20
"""How often a shape has to come before a statement is made for it, which takes some milliseconds."""
_BIRTHS = ("line_birth", "insured_birth_date")
_CALENDAR = 12 * 31
_ONLY_WITH = {
    "insured_region": ("point_region", "exemptions.region"), "region": ("point_region", "exemptions.region"),
    "care_type": ("subject",), "diagnoses": ("exemptions.diagnoses",),
}  # fmt: skip
"""Facts that are brought only where the point fills one of these columns."""


class Way(NamedTuple):
    """How questions of a kind that bring certain facts are remembered: under which values, and by whose birthday if any."""

    number: int
    facts: tuple[str, ...]
    shape: Shape
    is_kept: bool
    pick: Callable[[Mapping[str, Any]], object]
    birth: str | None
    by_code: bool


class Asked(NamedTuple):
    """A question: the kind of its point, the names of the facts there are, in the order of FACT_NAMES, the facts, the item's code."""

    kind: Kind
    names: tuple[str, ...]
    given: Mapping[str, Any]
    item_code: str | None


class Remembered:
    """The answers that statements gave. `find` may be called beside the one thread that calls `answer`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._ways: dict[tuple[int, tuple[str, ...]], Way] = {}
        self._held: dict[object, list[Answer | None]] = {}
        self._same: dict[Answer, Answer] = {}
        self._met: Counter[Shape] = Counter()
        self._numbers = itertools.count()

    def find(self, asked: Asked) -> Answer | None:
        """What is remembered of a question, or UNKNOWN."""
        way = self._ways.get((asked.kind.number, asked.names))
        if way is None or not way.is_kept:
            return UNKNOWN
        key, place = _place(way, asked)
        held = self._held.get(key)
        return UNKNOWN if held is None else held[place]

    def answer(self, asked: Sequence[Asked]) -> list[Answer | None]:
        """Answer questions from what is remembered, or else by the engine."""
        self._fill_years(asked)
        answers = [self.find(question) for question in asked]
        unknown = [number for number, answer in enumerate(answers) if answer is UNKNOWN]
        ways = [self._way(asked[number]) for number in unknown]
        candidates = [candidate(asked[number], way.facts) for number, way in zip(unknown, ways, strict=True)]
        found = self._statements.judge_together(candidates)
        for number, way, answer in zip(unknown, ways, found, strict=True):
            answers[number] = answer
            if way.is_kept:
                key, place = _place(way, asked[number])
                self._entry(key, way)[place] = self._kept(answer)
        return answers

    def _fill_years(self, asked: Sequence[Asked]) -> None:
        """Ask for a year of birthdays wherever a calendar was begun that has not the day of a question."""
        wanted: dict[tuple[Shape, str], dict[object, tuple[int, Candidate]]] = {}
        for question in asked:
            if self.find(question) is not UNKNOWN:
                continue
            way = self._way(question)
            if not way.is_kept or way.birth is None:
                continue
            key, _ = _place(way, question)
            if key in self._held and self._is_usual(way.shape):
                year = question.given[way.birth].year
                born = {**question.given, way.birth: date(year, 1, 1)}
                wanted.setdefault((way.shape, way.birth), {})[key] = (
                    year,
                    candidate(question._replace(given=born), way.facts),
                )
        for (shape, birth), years in wanted.items():
            answered = self._statements.judge_years(shape, [each for _, each in years.values()], birth)
            for (key, (year, _)), answers in zip(years.items(), answered, strict=True):
                days = self._held[key]
                # Of a year that is no leap year the last answer is for the next.
                for place, answer in zip(_places(calendar.isleap(year)), answers, strict=False):
                    days[place] = self._kept(answer)

    def _is_usual(self, shape: Shape) -> bool:
        if len(self._met) > _WAYS_KEPT:
            self._met.clear()
        self._met[shape] += 1
        return self._met[shape] >= _USUAL_FROM

    def _way(self, asked: Asked) -> Way:
        way = self._ways.get((asked.kind.number, asked.names))
        if way is None:
            if len(self._ways) >= _WAYS_KEPT:
                self._ways.clear()
            facts = facts_for(asked.kind.filled, asked.names)
            shape = self._statements.shape_of(candidate(asked, facts))
            reads = self._statements.read_by(shape)
            birth = next((name for name in _BIRTHS if name in facts and name in reads), None)
            by = [name for name in facts if name in reads and name != birth]
            way = Way(
                next(self._numbers), facts, shape, "id_number" not in reads, operator.itemgetter(*by) if by else _nothing,
                birth, "item_code" in reads,
            )  # fmt: skip
            self._ways[asked.kind.number, asked.names] = way
        return way

    def _entry(self, key: object, way: Way) -> list[Answer | None]:
        entry = self._held.get(key)
        if entry is None:
            if len(self._held) >= _ENTRIES_KEPT:
                self._held.pop(next(iter(self._held)))
            entry = self._held[key] = [UNKNOWN] * (1 if way.birth is None else _CALENDAR)
        return entry

    def _kept(self, answer: Answer | None) -> Answer | None:
        """The same answer, held once."""
        if answer is None:
            return None
        if len(self._same) >= _ANSWERS_KEPT:
            self._same.clear()
        return self._same.setdefault(answer, answer)


def candidate(asked: Asked, facts: tuple[str, ...]) -> Candidate:
    """The question as statements take it, with these of its facts."""
    return Candidate(asked.kind, facts, asked.given, asked.item_code)


def facts_for(filled: Set[str], names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the facts that a clause can look at for points that fill these columns."""
    return tuple(name for name in names if name not in _ONLY_WITH or not filled.isdisjoint(_ONLY_WITH[name]))


def _place(way: Way, asked: Asked) -> tuple[object, int]:
    given = asked.given
    code = asked.item_code if way.by_code else None
    if way.birth is None:
        return (way.number, code, way.pick(given)), 0
    born: date = given[way.birth]
    return (way.number, code, way.pick(given), born.year), born.month * 31 + born.day - 32


@functools.cache
def _places(is_leap: bool) -> list[int]:
    """Where the days of a year lie in its calendar, one after another."""
    first = date(2000 if is_leap else 2001, 1, 1)
    days = [first + timedelta(number) for number in range(366 if is_leap else 365)]
    return [day.month * 31 + day.day - 32 for day in days]


def _nothing(_: Mapping[str, Any]) -> object:
    return None
