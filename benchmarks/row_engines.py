"""The same judgment by engines that take one line at a time: `python -m benchmarks.row_engines ENGINE FILE --out FILE`.

Two ways to give them the knowledge. *lookup*: Python finds the points of a line's code in a dictionary and the engine
judges each pair of line and point; the kindest way for the engine, as it never sees the lines without a point. *rules*:
every pattern is a rule of the engine, and every line meets all of them. Reading the file and computing the age are
Python's in both. Prints the seconds from the first row taken to the last finding kept, without start-up, reading the
file and loading the knowledge.
"""

from __future__ import annotations

import argparse
import json
import time
from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.knowledge import LEVELS, Point, load
from benchmarks.shared import KNOWLEDGE, LINE, PERSON, RENAMED

Facts = dict[str, Any]
Judge = Callable[[Facts], Iterable[tuple[Point, str]]]
"""One line's facts in, the points that are violated or undetermined out."""

CLAUSES = (
    ("undetermined", "of_age == false and (mothers or sex == '')"),
    ("violation", "of_age == false and sex != point_sex"),
    ("undetermined", "of_age and mothers and has_minimum"),
    ("undetermined", "of_age and mothers == false and months < 0"),
    (
        "violation",
        "of_age and mothers == false and "
        "(months < min_months or days < min_days or months >= max_months or days >= max_days)",
    ),
)
"""The first that holds decides. An unknown sex is '', an unknown age -1: neither engine has SQL's NULL."""

OUTPUT = [
    *RENAMED.values(),
    "rule_id",
    "rule_code",
    "point_id",
    "matched_by",
    "verdict",
    "level",
    "action",
    "reason_code",
    "scope",
]


def _ordinal(day: date) -> int:
    return day.toordinal()


def _limits(point: Point) -> Facts:
    return {
        "point_sex": point.sex or "", "of_age": point.has_age,
        "has_minimum": point.min_months > 0 or point.min_days > 0,
        "min_months": point.min_months, "min_days": point.min_days,
        "max_months": point.max_months, "max_days": point.max_days,
    }  # fmt: skip


class Lookup:
    """The points of a code: exact ones, then families by length of prefix."""

    def __init__(self, points: list[Point]) -> None:
        self._exact: dict[str, list[Point]] = {}
        self._family: dict[int, dict[str, list[Point]]] = {}
        self._lengths: list[int] = []
        for point in points:
            if point.matched_by == "code":
                self._exact.setdefault(point.pattern, []).append(point)
                continue
            length = len(point.pattern)
            if length not in self._family:
                self._family[length] = {}
                insort(self._lengths, length)
            self._family[length].setdefault(point.pattern, []).append(point)

    def of(self, code: str, day: date) -> Iterator[Point]:
        """Yield the points in force that cover the code, one a rule, the most exact first."""
        found = list(self._exact.get(code, ()))
        for length in reversed(self._lengths):
            found += self._family[length].get(code[:length], ())
        seen: set[str] = set()
        for point in found:
            if point.valid_from <= day < point.valid_to and point.rule_id not in seen:
                seen.add(point.rule_id)
                yield point


def _zen_table(rows: Iterable[tuple[str, str]], collect: bool) -> Any:
    """Return a decision whose table holds one condition a row and gives back the row's word."""
    import zen

    table = {
        "hitPolicy": "collect" if collect else "first",
        "inputs": [{"id": "c", "name": "condition"}],
        "outputs": [{"id": "o", "name": "outcome", "field": "outcome"}],
        "rules": [{"_id": str(n), "c": condition, "o": json.dumps(word)} for n, (word, condition) in enumerate(rows)],
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
        {"id": "t", "type": "decisionTableNode", "name": "t", "position": {"x": 1, "y": 0}, "content": table},
        {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 2, "y": 0}},
    ]
    edges = [
        {"id": "a", "type": "edge", "sourceId": "in", "targetId": "t"},
        {"id": "b", "type": "edge", "sourceId": "t", "targetId": "out"},
    ]
    return zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"'{value}'" if isinstance(value, str) else str(value)


def _rule_conditions(points: list[Point], begins: str) -> Iterator[tuple[Point, str, str]]:
    """Yield one condition for each pattern and clause that can concern it, limits written in as numbers."""
    for point in points:
        where = f"code == '{point.pattern}'" if point.matched_by == "code" else begins.format(point.pattern)
        where += f" and day >= {_ordinal(point.valid_from)} and day < {_ordinal(point.valid_to)}"
        for verdict, clause in CLAUSES[2:] if point.has_age else CLAUSES[:2]:
            for name, value in _limits(point).items():
                clause = clause.replace(name, _literal(value))
            yield point, verdict, f"{where} and {clause}"


def zen_lookup(points: list[Point]) -> Judge:
    """zen-engine judges pairs of line and point."""
    table, lookup = _zen_table(CLAUSES, collect=False), Lookup(points)

    def judge(facts: Facts) -> Iterator[tuple[Point, str]]:
        for point in lookup.of(facts["code"], facts["date"]):
            given = {name: value for name, value in facts.items() if name != "date"} | _limits(point)
            outcome = table.evaluate(given)["result"]
            if outcome:
                yield point, outcome["outcome"]

    return judge


def zen_rules(points: list[Point]) -> Judge:
    """zen-engine holds every pattern as rows of one decision table."""
    conditions = list(_rule_conditions(points, "startsWith(code, '{}')"))
    table = _zen_table([(str(n), condition) for n, (_, _, condition) in enumerate(conditions)], collect=True)

    def judge(facts: Facts) -> Iterator[tuple[Point, str]]:
        held = table.evaluate({name: value for name, value in facts.items() if name != "date"})["result"]
        yield from _firsts(conditions[int(row["outcome"])][:2] for row in held)

    return judge


def rule_engine_lookup(points: list[Point]) -> Judge:
    """rule-engine judges pairs of line and point."""
    import rule_engine

    clauses, lookup = [(verdict, rule_engine.Rule(clause)) for verdict, clause in CLAUSES], Lookup(points)

    def judge(facts: Facts) -> Iterator[tuple[Point, str]]:
        for point in lookup.of(facts["code"], facts["date"]):
            given = facts | _limits(point)
            verdict = next((verdict for verdict, rule in clauses if rule.matches(given)), None)
            if verdict:
                yield point, verdict

    return judge


def rule_engine_rules(points: list[Point]) -> Judge:
    """rule-engine holds every pattern as rules."""
    import rule_engine

    rules = [
        (point, verdict, rule_engine.Rule(condition))
        for point, verdict, condition in _rule_conditions(points, "code.starts_with('{}')")
    ]

    def judge(facts: Facts) -> Iterator[tuple[Point, str]]:
        yield from _firsts((point, verdict) for point, verdict, rule in rules if rule.matches(facts))

    return judge


def _firsts(held: Iterable[tuple[Point, str]]) -> Iterator[tuple[Point, str]]:
    """Yield one point a rule, the most exact; of one point the first clause."""
    seen: set[str] = set()
    for point, verdict in sorted(held, key=lambda h: (h[0].matched_by, -len(h[0].pattern))):
        if point.rule_id not in seen:
            seen.add(point.rule_id)
            yield point, verdict


ENGINES: dict[tuple[str, str], Callable[[list[Point]], Judge]] = {
    ("zen-engine", "lookup"): zen_lookup,
    ("zen-engine", "rules"): zen_rules,
    ("rule-engine", "lookup"): rule_engine_lookup,
    ("rule-engine", "rules"): rule_engine_rules,
}


def _facts(row: Facts) -> Facts:
    day, birth = row["fee_ocur_time"].date(), row["brdy"]
    days = months = -1
    if birth is not None and birth <= day:
        days = (day - birth).days
        months = 12 * (day.year - birth.year) + day.month - birth.month - (day.day < birth.day)
        if months >= 131 * 12:
            days = months = -1
    return {
        "code": row["med_list_codg"], "day": _ordinal(day), "date": day, "months": months, "days": days,
        "sex": {"1": "male", "2": "female"}.get(row["gend"], ""),
        "mothers": row["nwb_flag"] == "1" and not 0 <= days <= 28,
    }  # fmt: skip


def _finding(row: Facts, facts: Facts, point: Point, verdict: str) -> Facts:
    level = reason = None
    if verdict == "violation" and not point.exempt:
        weight = point.weight - (point.has_age and point.lenient and 168 <= facts["months"] < 216)
        level = LEVELS[min(weight, point.cap)]
    elif verdict == "violation":
        reason = None
    elif facts["mothers"]:
        reason = "newborn"
    elif not point.has_age:
        reason = "sex_missing"
    else:
        reason = "birth_missing" if row["brdy"] is None else "birth_impossible"
    action = {"definite": "recover", "suspect": "review"}.get(level or "", "note")
    own = {new: row[old] for old, new in RENAMED.items()}
    return own | {
        "rule_id": point.rule_id, "rule_code": point.rule_code,
        "point_id": point.point_id, "matched_by": point.matched_by,
        "verdict": "exempt" if point.exempt else verdict, "level": level,
        "action": action, "reason_code": reason, "scope": "line",
    }  # fmt: skip


def run(engine: str, way: str, file: str, out: str, limit: int = 20_000, knowledge: Path = KNOWLEDGE) -> dict[str, Any]:
    """Judge the first `limit` lines of a flat file; return lines, findings and the seconds of the loop."""
    judge = ENGINES[engine, way](load(knowledge))
    first = next(pq.ParquetFile(file).iter_batches(batch_size=limit, columns=LINE + PERSON))
    start = time.perf_counter()
    found = []
    for row in first.to_pylist():
        if row["vali_flag"] != "1" or row["cnt"] < 0 or row["det_item_fee_sumamt"] < 0 or row["refd_setl_flag"] == "1":
            continue
        facts = _facts(row)
        found += [_finding(row, facts, point, verdict) for point, verdict in judge(facts)]
    seconds = time.perf_counter() - start
    pq.write_table(pa.Table.from_pylist(found) if found else pa.table({name: [] for name in OUTPUT}), out)
    return {"lines": first.num_rows, "findings": len(found), "seconds": seconds}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=("zen-engine", "rule-engine"))
    parser.add_argument("file")
    parser.add_argument("--points", choices=("lookup", "rules"), default="lookup")
    parser.add_argument("--limit", type=int, default=20_000)
    parser.add_argument("--out", required=True)
    parser.add_argument("--kb", type=Path, default=KNOWLEDGE)
    args = parser.parse_args()
    print(json.dumps(run(args.engine, args.points, args.file, args.out, args.limit, args.kb)))


if __name__ == "__main__":
    main()
