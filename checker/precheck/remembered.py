"""What the clauses said, remembered: a question that brings nothing new is not put to the engine again.

An answer is a function of what its statement reads, and of nothing else: so it is kept under the values of just those columns. Where one
of them is a birth date and the rest comes often, the engine is asked for all birth dates of some years at once, and the answers are kept
as runs of dates: that takes it no longer than one question or two. Nothing is judged here. Of persons nothing is kept but the values that
a clause read; who brings an ID number is asked about anew each time.
"""

from __future__ import annotations

import functools
import itertools
import operator
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date
from typing import Any, Final, NamedTuple

from checker.precheck.point_index import Kind
from checker.precheck.prepared_queries import FACT_NAMES, YEARS, Answer, Candidate, Shape, Statements

UNKNOWN: Final = Answer("unknown", None, None, None, None, "", "", False, ())
"""Stands where nothing is remembered; None is the answer of a point that is not in force."""

_ENTRIES_KEPT, _WAYS_KEPT, _MET_KEPT = 10_000, 2_000, 10_000
_LONGEST = 500
"""Characters that the texts of a question may have to be remembered: who sends a long one must not fill the memory."""
_OFTEN = 3
"""From how many times on a question that comes with other birth dates is asked for many of them."""
_AT_ONCE = 4
_BIRTHS = ("line_birth", "insured_birth_date")
_ONLY_WITH = {
    "insured_region": ("point_region", "exemptions.region"), "region": ("point_region", "exemptions.region"),
    "care_type": ("subject",), "diagnoses": ("exemptions.diagnoses",),
}  # fmt: skip
"""Facts that are brought only where the point fills one of these columns."""


class Way(NamedTuple):
    """How questions of a kind that bring certain facts are remembered: under which values, and for which birth date if any."""

    number: int
    facts: tuple[str, ...]
    shape: Shape
    is_kept: bool
    pick: Callable[[Mapping[str, Any]], object]
    birth: str | None
    by_code: bool


class Births(NamedTuple):
    """Answers by birth date: runs of days that begin at `starts`, counted from the day with the ordinal `base`."""

    base: int
    starts: list[int]
    answers: list[Answer | None]


class Facts(NamedTuple):
    """What a prescription brings: the names of the facts there are, in the order of FACT_NAMES, and the facts.

    `said` has the answers that were found for it by the number of the kind, where they hold for every item.
    """

    names: tuple[str, ...]
    given: Mapping[str, Any]
    said: dict[int, Answer | None]


class Asked(NamedTuple):
    """A question: the kind of its point, what the prescription brings, the item's code."""

    kind: Kind
    facts: Facts
    item_code: str | None


def facts_of(given: Mapping[str, Any]) -> Facts:
    """The facts as they are asked with; others may be among those given."""
    return Facts(_in_order(tuple(given)), given, {})


@functools.lru_cache(1024)
def _in_order(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([name for name in FACT_NAMES if name in given])


class Remembered:
    """The answers that statements gave. `find` may be called beside the one thread that calls `answer`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._ways: dict[tuple[int, tuple[str, ...]], Way] = {}
        self._answers: dict[object, Answer | None] = {}
        self._births: dict[object, Births] = {}
        self._met: Counter[object] = Counter()
        self._numbers = itertools.count()

    def find(self, kind: Kind, facts: Facts, item_code: str | None) -> Answer | None:
        """What is remembered of a question, or UNKNOWN."""
        answer = facts.said.get(kind.number, UNKNOWN)
        if answer is not UNKNOWN:
            return answer
        way = self._ways.get((kind.number, facts.names))
        if way is None or not way.is_kept:
            return UNKNOWN
        key = _key(way, facts, item_code)
        if way.birth is None:
            answer = self._answers.get(key, UNKNOWN)
        else:
            born: date = facts.given[way.birth]
            held = self._births.get((key, born.year // YEARS))
            if held is not None:
                answer = held.answers[bisect_right(held.starts, born.toordinal() - held.base) - 1]
        if answer is not UNKNOWN and not way.by_code:
            facts.said[kind.number] = answer
        return answer

    def answer(self, asked: Sequence[Asked]) -> list[Answer | None]:
        """Answer questions from what is remembered, or else by the engine."""
        self._ask_for_births(asked)
        answers = [self.find(*question) for question in asked]
        unknown = [number for number, answer in enumerate(answers) if answer is UNKNOWN]
        ways = [self._way(asked[number]) for number in unknown]
        candidates = [candidate(asked[number], way.facts) for number, way in zip(unknown, ways, strict=True)]
        found = self._statements.judge_together(candidates)
        for number, way, answer in zip(unknown, ways, found, strict=True):
            answers[number] = answer
            if way.is_kept and way.birth is None and _size(key := _key(way, *asked[number][1:])) <= _LONGEST:
                _keep(self._answers, key, answer)
        return answers

    def _ask_for_births(self, asked: Sequence[Asked]) -> None:
        """Ask for the birth dates of some years where only the birth date is new too often; few in a call, so that nobody waits long."""
        times = 0
        for question in asked:
            if times == _AT_ONCE or self.find(*question) is not UNKNOWN:
                continue
            way = self._way(question)
            if way.birth is None or not way.is_kept:
                continue
            key = _key(way, question.facts, question.item_code)
            if _size(key) > _LONGEST:
                continue
            if len(self._met) > _MET_KEPT:
                self._met.clear()
            self._met[key] += 1
            if self._met[key] >= _OFTEN:
                given = question.facts.given
                years = given[way.birth].year // YEARS
                first = date(max(years * YEARS, 1), 1, 1)
                born = question._replace(facts=facts_of({**given, way.birth: first}))
                runs = self._statements.judge_births(way.shape, candidate(born, way.facts), way.birth)
                _keep(self._births, (key, years), _births(first.toordinal(), runs))
                times += 1

    def _way(self, asked: Asked) -> Way:
        names = asked.facts.names
        way = self._ways.get((asked.kind.number, names))
        if way is None:
            if len(self._ways) >= _WAYS_KEPT:
                self._ways.clear()
            facts = facts_for(asked.kind.filled, names)
            shape = self._statements.shape_of(candidate(asked, facts))
            reads = self._statements.read_by(shape)
            birth = next((name for name in _BIRTHS if name in facts and name in reads), None)
            by = [name for name in facts if name in reads and name != birth]
            way = Way(
                next(self._numbers), facts, shape, "id_number" not in reads, operator.itemgetter(*by) if by else _nothing,
                birth, "item_code" in reads,
            )  # fmt: skip
            self._ways[asked.kind.number, names] = way
        return way


def candidate(asked: Asked, facts: tuple[str, ...]) -> Candidate:
    """The question as statements take it, with these of its facts."""
    return Candidate(asked.kind, facts, asked.facts.given, asked.item_code)


def facts_for(filled: Set[str], names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the facts that a clause can look at for points that fill these columns."""
    return tuple(name for name in names if name not in _ONLY_WITH or not filled.isdisjoint(_ONLY_WITH[name]))


def _key(way: Way, facts: Facts, item_code: str | None) -> object:
    return way.number, item_code if way.by_code else None, way.pick(facts.given)


def _size(value: object) -> int:
    """The characters of all texts in a value."""
    return len(value) if isinstance(value, str) else sum(map(_size, value)) if isinstance(value, tuple) else 0


def _keep(held: dict[object, Any], key: object, value: object) -> None:
    if len(held) >= _ENTRIES_KEPT:
        held.pop(next(iter(held)))
    held[key] = value


def _births(base: int, runs: Sequence[tuple[int, int, Answer]]) -> Births:
    """Runs as they are kept, with those between them that have no answer."""
    starts, end = [0], 0
    kept: list[Answer | None] = [None]
    for first, last, answer in runs:
        if first == end:
            starts[-1:], kept[-1:] = [first], [answer]
        else:
            starts.append(first)
            kept.append(answer)
        starts.append(last + 1)
        kept.append(None)
        end = last + 1
    return Births(base, starts, kept)


def _nothing(_: Mapping[str, Any]) -> object:
    return None
