"""Compiling the embedded edition's points and patterns from the published facts: the first batch with its update, and batch 11.

    python -m checker.knowledge.compile_batch --points FILE --codes FILE --out knowledge_base/sources

Two lists of each rule meet one after the other (`merge`), drug points covering families: the first batch meets nothing, the
update meets what the first batch made, in the mode that the rule's tier calls for (knowledge_base/README.md says why). Items of
all other batches and rules only tell which families hold an item that the rule does not limit alike.

Batch 11 lists decoction pieces [中药饮片] in two rules: those not paid alone become a point each, those never paid are codes in the
role `listed` of one more point of the same rule, as no other list meets them.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from checker.knowledge.frames import csv_text, frame_of, point_tables
from checker.knowledge.merge.covers import BY_CODE, BY_FAMILY, Cover, Limit, codes_by_family, limits_of
from checker.knowledge.merge.families import Mixed, as_said, known_items, mixed_families
from checker.knowledge.merge.meeting import Entry, PublishedList
from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.merge.points import Merged, merge
from checker.knowledge.merge.rows import Rows, begun, with_sources
from checker.knowledge.point_text import PATTERN_FILE
from checker.knowledge.published import PublishedItem, read_published
from checker.knowledge.rows import PatternRow, PointRow
from checker.model.errors import KnowledgeError, LiangkuError
from checker.model.whole_file import write_whole

FIRST_BATCH = "01"
UPDATE = "2026-01"
BATCHES = (FIRST_BATCH, UPDATE)


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One rule of the first batch: our id, the published name and code, and how the update meets it."""

    rule_id: str
    name: str
    rule_code: str
    mode: Mode


RULES = (
    RuleSpec("drug-sex", "药品区分性别使用", "GZ10000301004000", Mode.DEMOTE),
    RuleSpec("service-sex", "医疗服务项目区分性别使用", "GZ10000302004000", Mode.PATCH),
    RuleSpec("drug-child-only", "药品儿童专用", "GZ10000301002000", Mode.DEMOTE),
    RuleSpec("drug-child-limited", "药品限儿童使用", "GZ10000101007000", Mode.REPLACE),
    RuleSpec("service-child-only", "医疗服务项目儿童专用", "GZ10000302003000", Mode.PATCH),
)


PIECES = RuleSpec("herb-single", "中药饮片单方使用不予支付", "GZ10000101004000", Mode.PATCH)
NEVER_PAID = RuleSpec("herb-single", "中药饮片单复方均不予支付", "GZ10000101003000", Mode.PATCH)
PIECES_BATCH = "11"
_BESIDE: Limit = frozenset({("companions", "herb_piece")})
_LISTED_NAME = "单复方均不予支付的饮片"


@dataclass(frozen=True, slots=True)
class Compiled:
    """The points and their patterns, sorted."""

    points: tuple[PointRow, ...]
    patterns: tuple[PatternRow, ...]


def compile_edition(published: Sequence[PublishedItem]) -> Compiled:
    """Return the rows that the published items of all batches make of the five rules.

    Raises KnowledgeError for limits that cannot be read, a rule whose published code is another, or a list of several days.
    """
    points: dict[str, PointRow] = {}
    patterns: dict[str, list[PatternRow]] = {}
    for spec in RULES:
        mixed = _mixed(spec, published)
        own: dict[str, PointRow] = {}
        earlier: dict[str, set[str]] = defaultdict(set)
        for batch in BATCHES:
            items = tuple(item for item in published if (item.rule, item.batch) == (spec.name, batch))
            if not items:
                continue
            covered = [pattern for point_id in own for pattern in patterns[point_id]]
            merged = merge(list(own.values()), covered, _list(spec, batch, items), spec.mode, mixed, earlier=earlier)
            own.update((point.point_id, point) for point in merged.points)
            patterns.update(_by_point(merged))
            for item in items:
                for family, codes in codes_by_family(item).items():
                    earlier[family] |= codes
        points.update(own)
    for point, own_patterns in _pieces(published):
        points[point.point_id], patterns[point.point_id] = point, own_patterns
    return Compiled(
        tuple(points[point_id] for point_id in sorted(points)),
        tuple(row for point_id in sorted(points) for row in patterns[point_id]),
    )


def _pieces(published: Sequence[PublishedItem]) -> Iterator[Rows]:
    """Yield a point for each piece that is not paid alone, and one that lists those never paid, which clear no prescription either."""
    stem = f"{PIECES.rule_id}-{PIECES_BATCH}"
    for spec in (PIECES, NEVER_PAID):
        items = tuple(item for item in published if (item.rule, item.batch) == (spec.name, PIECES_BATCH))
        if items and spec is PIECES:
            of = _list(spec, PIECES_BATCH, items)
            yield from (_piece(f"{stem}-{item.seq:04d}", item.item_name, "item", [item], of) for item in items)
        elif items:
            yield _piece(f"{stem}-listed", _LISTED_NAME, "listed", items, _list(spec, PIECES_BATCH, items))


def _piece(point_id: str, name: str, role: str, items: Sequence[PublishedItem], published: PublishedList) -> Rows:
    codes = sorted(code for item in items for code in item.codes)
    entries = [Entry(0, items[0], _BESIDE, Cover(BY_CODE, code), frozenset({code})) for code in codes]
    point, patterns = begun(entries, point_id, published)
    named = replace(with_sources(point, items[1:]), item_name=name)
    return named, [replace(pattern, role=role) for pattern in patterns]


def _mixed(spec: RuleSpec, published: Sequence[PublishedItem]) -> Mixed:
    """The families that hold an item which the rule does not limit alike on the day of either list; both give exact codes there."""
    lists = {batch: [item for item in published if (item.rule, item.batch) == (spec.name, batch)] for batch in BATCHES}
    known = {batch: list(known_items(items, limits_of(items))) for batch, items in lists.items()}
    listed = {id(item) for items in lists.values() for item in items}
    others = list(known_items([item for item in published if id(item) not in listed]))
    return {
        family: names
        for batch, other in (BATCHES, BATCHES[::-1])
        for family, names in mixed_families([*as_said(known[batch], known[other]), *others]).items()
    }


def _list(spec: RuleSpec, batch: str, items: tuple[PublishedItem, ...]) -> PublishedList:
    for item in items:
        if item.rule_code != spec.rule_code:
            raise KnowledgeError(f"{item.source_row}: found rule_code {item.rule_code!r}; expected {spec.rule_code}")
    days = {item.published for item in items}
    if len(days) > 1:
        raise KnowledgeError(f"{batch}/{spec.name}: found {len(days)} dates of publication; expected one")
    return PublishedList(spec.rule_id, batch, days.pop(), items, cover=BY_FAMILY)


def _by_point(merged: Merged) -> dict[str, list[PatternRow]]:
    found: dict[str, list[PatternRow]] = defaultdict(list)
    for pattern in merged.patterns:
        found[pattern.point_id].append(pattern)
    return found


def write_compiled(compiled: Compiled, out: Path) -> None:
    """Write point.csv, the tables of limits and pattern.csv into the folder; each file is whole or as it was.

    Raises InputError where the folder cannot be written.
    """
    for name, table in point_tables(frame_of(compiled.points, PointRow)).items():
        write_whole(out / f"{name}.csv", csv_text(table))
    write_whole(out / PATTERN_FILE, csv_text(frame_of(compiled.patterns, PatternRow)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m checker.knowledge.compile_batch", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--points", type=Path, required=True, help="published items, one row each")
    parser.add_argument("--codes", type=Path, required=True, help="published codes, one row each")
    parser.add_argument("--out", type=Path, required=True, help="folder of the reviewed text")
    options = parser.parse_args(arguments)
    try:
        compiled = compile_edition(read_published(options.points, options.codes))
        write_compiled(compiled, options.out)
    except LiangkuError as error:
        parser.exit(error.exit_code, f"{error}\n")
    print(f"{options.out}: {len(compiled.points)} points, {len(compiled.patterns)} patterns")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
