"""Writes SQL from named expressions: what is known beforehand is put in, what is used once stands where it is used.

DuckDB carries no constant from one SELECT into the next, and each SELECT of a chain costs time for every column it carries. Both
matter where few rows are judged often: so the chain is kept short here, before the engine sees it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from sys import intern

NULL, TRUE, FALSE = "NULL", "TRUE", "FALSE"
_WORD = re.compile(r"'(?:[^']|'')*'|(?<![.\w])[a-z_]\w*")


def every(*terms: str) -> str:
    """SQL of `a AND b …`."""
    if FALSE in terms:
        return FALSE
    return _joined(" AND ", [term for term in terms if term != TRUE], TRUE)


def some(*terms: str) -> str:
    """SQL of `a OR b …`."""
    if TRUE in terms:
        return TRUE
    return _joined(" OR ", [term for term in terms if term != FALSE], FALSE)


def negated(term: str) -> str:
    """SQL of `NOT a`."""
    return {TRUE: FALSE, FALSE: TRUE, NULL: NULL}.get(term, f"(NOT {term})")


def first(*terms: str) -> str:
    """SQL of the first term that is not NULL."""
    left = list(dict.fromkeys(term for term in terms if term != NULL))
    return _called("coalesce", left)


def lowest(*terms: str) -> str:
    """SQL of the least term, NULL left out."""
    return _called("least", [term for term in terms if term != NULL])


def highest(*terms: str) -> str:
    """SQL of the greatest term, NULL left out."""
    return _called("greatest", [term for term in terms if term != NULL])


def holds(term: str, *needed: str) -> str:
    """SQL of a comparison that is FALSE, not NULL, where one of the values it needs is NULL."""
    return FALSE if NULL in needed else f"coalesce({term}, FALSE)"


def choose(*arms: tuple[str, str], otherwise: str) -> str:
    """SQL of `CASE WHEN condition THEN value … ELSE otherwise END`."""
    left: list[tuple[str, str]] = []
    for condition, value in arms:
        if condition == TRUE:
            otherwise = value
            break
        if condition not in (FALSE, NULL):
            left.append((condition, value))
    while left and left[-1][1] == otherwise:
        left.pop()
    if not left:
        return otherwise
    return f"CASE {' '.join(f'WHEN {condition} THEN {value}' for condition, value in left)} ELSE {otherwise} END"


def _joined(operator: str, terms: Sequence[str], nothing: str) -> str:
    if not terms:
        return nothing
    return terms[0] if len(terms) == 1 else f"({operator.join(terms)})"


def _called(function: str, terms: Sequence[str]) -> str:
    if not terms:
        return NULL
    return terms[0] if len(terms) == 1 else f"{function}({', '.join(terms)})"


class Steps:
    """Named expressions over the columns of a source, each over the source's columns and the names before it.

    `filled` says of columns whether they have a value in every row (True) or in none (False; the source need not have them);
    `types` gives the SQL types of columns and names that may turn out to be NULL throughout.
    """

    def __init__(self, filled: Mapping[str, bool], types: Mapping[str, str]) -> None:
        self._filled = filled
        self._types = types
        self._given: dict[str, str] = {}
        self._named: dict[str, str] = {}
        self._same: dict[str, str] = {}
        self._kept = self._condition = ""

    def __getitem__(self, name: str) -> str:
        """What stands for a column or name in an expression: NULL, TRUE, FALSE, another name, or itself."""
        if name in self._given:
            return self._given[name]
        return NULL if self._filled.get(name) is False else name

    def known(self, *names: str) -> str:
        """SQL that tells whether any of these columns or names has a value."""
        terms = []
        for name in dict.fromkeys(names):
            if self._filled.get(name):
                return TRUE
            if name != NULL:
                terms.append(f"{name} IS NOT NULL")
        return some(*terms)

    def is_named(self, name: str) -> bool:
        """Whether an expression has this name already."""
        return name in self._given

    def let(self, name: str, expression: str) -> str:
        """Name an expression; return what stands for it: itself where it is no more than a constant or another name."""
        plain = expression in (NULL, TRUE, FALSE) or re.fullmatch(r"[a-z_]\w*", expression) is not None
        stand = expression if plain else self._same.setdefault(expression, name)
        self._given[name] = stand
        if stand == name:
            self._named[name] = expression
        return stand

    def keep(self, name: str, condition: str) -> None:
        """Leave out the rows where the name just given fails `condition`, before anything named from here on is worked out."""
        self._kept, self._condition = name, condition

    def select(self, source: str, outputs: Sequence[str]) -> str:
        """SQL of the source's columns, the named expressions `outputs`, and what was needed on the way."""
        columns = self._columns([self[name] for name in outputs])
        others = [name for name in outputs if self[name] != name]
        turn = self._turns(columns, {self[name] for name in others})
        steps: dict[int, list[str]] = {0: [f"{self._typed(name)} AS {name}" for name in others]}
        for name, expression in columns.items():
            steps.setdefault(turn[name], []).append(f"{expression} AS {name}")
        query = source
        for number, step in sorted(steps.items()):
            query = f"SELECT {', '.join(['*', *step])} FROM ({query})"
            if number == turn.get(self._kept):
                query = f"SELECT * FROM ({query}) WHERE {self._kept} {self._condition}"
        return query

    def _columns(self, ends: Sequence[str]) -> dict[str, str]:
        """The expressions that become columns: outputs, and what is used more than once; others stand where they are used."""
        expressions = {name: _replaced(expression, self._typed) for name, expression in self._named.items()}
        uses = dict.fromkeys(expressions, 0) | dict.fromkeys((*ends, self._kept), 2)
        for name in reversed(expressions):
            for word in _words(expressions[name]) if uses[name] else ():
                uses[word] = uses.get(word, 0) + 1

        def put_in(word: str) -> str:
            return f"({expressions[word]})" if word in expressions and uses[word] == 1 else word

        for name, expression in expressions.items():
            expressions[name] = _replaced(expression, put_in)
        return {name: expression for name, expression in expressions.items() if uses[name] > 1}

    def _turns(self, columns: dict[str, str], named_last: Collection[str]) -> dict[str, int]:
        """When each column is worked out, the last at 0: as late as those that need it allow, `keep` before all named after it.

        `named_last` are columns that get a further name at 0.
        """
        turn: dict[str, int] = {}
        users: dict[str, list[str]] = {name: [] for name in columns}
        for name, expression in columns.items():
            for word in _words(expression):
                if word in users:
                    users[word].append(name)
        for name in reversed(columns):
            after = [turn[user] for user in users[name]] + ([0] if name in named_last else [])
            if name == self._kept:
                after += turn.values()
            turn[name] = min(after, default=1) - 1
        return turn

    def _typed(self, word: str) -> str:
        stand = self[word]
        return f"CAST(NULL AS {self._types[word]})" if stand == NULL and word in self._types else stand


def _replaced(expression: str, by: Callable[[str], str]) -> str:
    texts, words = _parts(expression)
    put = {word: instead for word in frozenset(words) if (instead := by(word)) != word}
    if not put:
        return expression
    told = chain.from_iterable((text, put.get(word, word)) for text, word in zip(texts, words, strict=False))
    return "".join((*told, texts[-1]))


def _words(expression: str) -> Sequence[str]:
    return _parts(expression)[1]


# The statements of a plan have most of their expressions in common.
@lru_cache(maxsize=2048)
def _parts(expression: str) -> tuple[Sequence[str], Sequence[str]]:
    """The texts before, between and behind the words of an expression, and these words; what is quoted is no word."""
    texts, words, start = [], [], 0
    for found in _WORD.finditer(expression):
        if not found[0].startswith("'"):
            texts.append(expression[start : found.start()])
            words.append(intern(found[0]))
            start = found.end()
    return (*texts, expression[start:]), tuple(words)
