r"""Compiling the embedded edition's points and patterns from the published facts: the batches of the rules in `compile_rules`.

    python -m checker.knowledge.compile_batch --points FILE --codes FILE --pairs FILE --windows FILE --indications FILE \
        --out knowledge_base/sources

The lists of each rule meet one after the other (`merge`), drug points covering families: its first batch meets nothing, the
update meets what that made, in the mode that the rule's tier calls for (knowledge_base/README.md says why). Items of
all other batches and rules only tell which families hold an item that the rule does not limit alike. What the published tables do not say, files of
facts do: which code of a pair is a part of the other, windows, and the diagnoses of indications. A rule whose facts are not given is left out, and told.

Batch 11 lists decoction pieces [中药饮片] in two rules. For herb-single, those not paid alone become a point each, and those never paid are
codes in the role `listed` of one more point, as no other list meets them; for herb-never-paid, each of the latter is a point of its own.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from checker.knowledge.compile_rules import LISTED_PIECES, PIECES, PIECES_BATCH, RULES, RuleSpec, items_of
from checker.knowledge.compiled_facts import CompiledFacts, read_facts
from checker.knowledge.frames import csv_text, frame_of, point_tables
from checker.knowledge.merge.covers import BY_CODE, BY_FAMILY, Cover, Limit, codes_by_family, limits_of
from checker.knowledge.merge.families import KnownItem, Mixed, as_said, known_items, mixed_families
from checker.knowledge.merge.meeting import Entry, PublishedList
from checker.knowledge.merge.points import merge
from checker.knowledge.merge.rows import Rows, begun, with_sources
from checker.knowledge.point_text import PATTERN_FILE
from checker.knowledge.published import PublishedItem, read_published
from checker.knowledge.rows import PatternRow, PointRow, by_point
from checker.model.errors import KnowledgeError, LiangkuError
from checker.model.whole_file import write_whole

_BESIDE: Limit = frozenset({("companions", "herb_piece")})
_LISTED_NAME = "单复方均不予支付的饮片"


@dataclass(frozen=True, slots=True)
class Compiled:
    """The points and their patterns, sorted, and the rules that were left out for want of facts."""

    points: tuple[PointRow, ...]
    patterns: tuple[PatternRow, ...]
    left_out: tuple[RuleSpec, ...]


def compile_edition(published: Sequence[PublishedItem], facts: CompiledFacts | None = None) -> Compiled:
    """Return the rows that the published items of all batches make of the rules.

    Raises KnowledgeError for limits that cannot be read, a rule whose published code is another, or a list of several days.
    """
    points: dict[str, PointRow] = {}
    patterns: dict[str, list[PatternRow]] = {}
    given = facts or CompiledFacts()
    left_out = tuple(spec for spec in RULES if spec.facts and getattr(given, spec.facts) is None)
    for spec in RULES:
        if spec in left_out:
            continue
        lists = {batch: items for batch in spec.batches if (items := items_of(spec, batch, published, given))}
        mixed = _mixed(lists, published)
        own: dict[str, PointRow] = {}
        earlier: dict[str, set[str]] = defaultdict(set)
        for batch, items in lists.items():
            covered = [pattern for point_id in own for pattern in patterns[point_id]]
            merged = merge(list(own.values()), covered, _list(spec, batch, items), spec.mode, mixed, earlier=earlier)
            own.update((point.point_id, point) for point in merged.points)
            patterns.update(by_point(merged.patterns))
            for item in items:
                for family, codes in codes_by_family(item).items():
                    earlier[family] |= codes
        points.update(own)
    for point, own_patterns in _pieces(published):
        points[point.point_id], patterns[point.point_id] = point, own_patterns
    return Compiled(
        tuple(points[point_id] for point_id in sorted(points)),
        tuple(row for point_id in sorted(points) for row in patterns[point_id]),
        left_out,
    )


def _pieces(published: Sequence[PublishedItem]) -> Iterator[Rows]:
    """Yield a point for each piece that is not paid alone, and one that lists those never paid, which clear no prescription either."""
    stem = f"{PIECES.rule_id}-{PIECES_BATCH}"
    for spec in (PIECES, LISTED_PIECES):
        items = items_of(spec, PIECES_BATCH, published)
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


def _mixed(lists: Mapping[str, Sequence[PublishedItem]], published: Sequence[PublishedItem]) -> Mixed:
    """The families that hold an item which the rule does not limit alike on the day of any of its lists; all give exact codes there."""
    known = {batch: list(known_items(items, limits_of(items))) for batch, items in lists.items()}
    listed = {item.source_row for items in lists.values() for item in items}
    others = list(known_items([item for item in published if item.source_row not in listed]))
    found: dict[str, tuple[str, ...]] = {}
    for batch, said in known.items():
        before: list[KnownItem] = [each for other, items in known.items() if other != batch for each in items]
        found |= mixed_families([*as_said(said, before), *others])
    return found


def _list(spec: RuleSpec, batch: str, items: tuple[PublishedItem, ...]) -> PublishedList:
    for item in items:
        if item.rule_code != spec.rule_code:
            raise KnowledgeError(f"{item.source_row}: found rule_code {item.rule_code!r}; expected {spec.rule_code}")
    days = {item.published for item in items}
    if len(days) > 1:
        raise KnowledgeError(f"{batch}/{spec.name}: found {len(days)} dates of publication; expected one")
    return PublishedList(spec.rule_id, batch, days.pop(), items, cover=BY_FAMILY)


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
    parser.add_argument(
        "--pairs", type=Path, help="which code of each published pair is a part of the other, and within what"
    )
    parser.add_argument("--windows", type=Path, help="quantities within days of the published items")
    parser.add_argument(
        "--indications", type=Path, help="the diagnoses of published indications, compiled by this project"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the reviewed text")
    options = parser.parse_args(arguments)
    try:
        facts = read_facts(options.pairs, options.windows, options.indications)
        compiled = compile_edition(read_published(options.points, options.codes), facts)
        write_compiled(compiled, options.out)
    except LiangkuError as error:
        parser.exit(error.exit_code, f"{error}\n")
    print(f"{options.out}: {len(compiled.points)} points, {len(compiled.patterns)} patterns")
    for spec in compiled.left_out:
        print(f"{spec.rule_id}: left out, give --{spec.facts}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
