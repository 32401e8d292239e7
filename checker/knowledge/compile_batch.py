"""Compiling the embedded edition's points and patterns from the published facts of the first batch and its update.

    python -m checker.knowledge.compile_batch --points FILE --codes FILE --out knowledge_base/sources

How facts become rows (knowledge_base/README.md says it in words):

* A **cover** is what one pattern covers: the family of a drug code, or the exact code itself for a service and for a
  drug whose family also holds a published code of another item (of any batch and rule).
* Fates are decided for each cover of a rule. Only in the first batch: as the rule's `Absent` says. In both with
  equal limits: one continuous point, under the first batch's item. In both with other limits: the first batch's point
  ends and the update's begins. Only in the update: it begins with the update.
* One published item becomes one row for each fate that its covers meet. `<rule>-<batch>-<number>` is the row that
  stays at full level (or, where none stays, the one that ends); `b` is what goes on at `notice`, `c` what
  ends beside a row that stays. The letters mean fates, so that an id never depends on the order of rows.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from pathlib import Path

from checker.errors import KnowledgeError, LiangkuError
from checker.knowledge.codes import family_of
from checker.knowledge.names import item_key
from checker.knowledge.point_text import PATTERN_FILE, POINT_FILE, csv_text
from checker.knowledge.published import Limits, PublishedItem, read_published
from checker.knowledge.rows import PatternRow, PointRow
from checker.knowledge.windows import SHAPES, AgeWindow, read_window

FIRST_BATCH = "01"
UPDATE = "2026-01"
NOT_LISTED = "not_in_2026_list"
"""The remark of a point that the update does not list and no notice withdraws."""

_DOCUMENTS = {
    FIRST_BATCH: "国家医疗保障局公布的智能监管“两库”第一批规则与知识点",
    UPDATE: "国家医疗保障局公布的智能监管“两库”2026年1月更新",
}
_SEXES = {"男": "male", "女": "female", None: None}


class Absent(Enum):
    """What becomes of a first-batch cover that the update does not list."""

    ENDS = "ends"
    DEMOTED = "demoted"
    STAYS = "stays"


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """One rule of the first batch: our id, the published name and code, and what absence from the update means."""

    rule_id: str
    name: str
    rule_code: str
    absent: Absent


RULES = (
    RuleSpec("drug-sex", "药品区分性别使用", "GZ10000301004000", Absent.DEMOTED),
    RuleSpec("service-sex", "医疗服务项目区分性别使用", "GZ10000302004000", Absent.STAYS),
    RuleSpec("drug-child-only", "药品儿童专用", "GZ10000301002000", Absent.DEMOTED),
    RuleSpec("drug-child-limited", "药品限儿童使用", "GZ10000101007000", Absent.ENDS),
    RuleSpec("service-child-only", "医疗服务项目儿童专用", "GZ10000302003000", Absent.STAYS),
)


@dataclass(frozen=True, slots=True, order=True)
class Cover:
    """One family or exact code."""

    match: str
    code: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """The rows of point.csv and pattern.csv, sorted."""

    points: tuple[PointRow, ...]
    patterns: tuple[PatternRow, ...]


class _Fate(Enum):
    OPEN = ""
    CLOSED = "c"
    DEMOTED = "b"


def compile_edition(published: Sequence[PublishedItem]) -> Compiled:
    """Return the rows that the published items of all batches make of the five rules.

    Items of other batches and rules only tell which families hold more than one item. Raises KnowledgeError for limits
    that cannot be read, or a rule whose published code is another.
    """
    mixed = mixed_families(published)
    points: list[PointRow] = []
    patterns: list[PatternRow] = []
    for spec in RULES:
        items = [item for item in published if item.rule == spec.name and item.batch in _DOCUMENTS]
        for point, own in _rule_rows(spec, items, mixed):
            points.append(point)
            patterns.extend(own)
    return Compiled(
        tuple(sorted(points, key=lambda row: row.point_id)),
        tuple(sorted(patterns, key=lambda row: (row.point_id, row.role, row.match, row.code))),
    )


def mixed_families(published: Iterable[PublishedItem]) -> frozenset[str]:
    """Return the families in which codes of more than one item are published, whatever the batch or rule."""
    names: dict[str, set[str]] = defaultdict(set)
    for item in published:
        for code in item.codes:
            if family := family_of(code):
                names[family].add(item_key(item.item_name))
    return frozenset(family for family, items in names.items() if len(items) > 1)


def covers(item: PublishedItem, mixed: frozenset[str]) -> dict[Cover, frozenset[str]]:
    """Return what the item covers, each with the published codes that it stands for."""
    found: dict[Cover, set[str]] = defaultdict(set)
    for code in item.codes:
        family = family_of(code)
        found[Cover("code", code) if family is None or family in mixed else Cover("family", family)].add(code)
    return {cover: frozenset(codes) for cover, codes in found.items()}


@dataclass(slots=True)
class _Part:
    """The covers of one published item that share a fate, with the codes of each and the items that they stand in."""

    codes: dict[Cover, frozenset[str]]
    sources: list[PublishedItem]


def _rule_rows(
    spec: RuleSpec, items: Sequence[PublishedItem], mixed: frozenset[str]
) -> Iterator[tuple[PointRow, list[PatternRow]]]:
    first = [(item, covers(item, mixed)) for item in items if item.batch == FIRST_BATCH]
    update = [(item, covers(item, mixed)) for item in items if item.batch == UPDATE]
    changed = {item.published for item, _ in update}
    for item in items:
        if item.rule_code != spec.rule_code:
            raise KnowledgeError(f"{item.source_row}: found rule_code {item.rule_code!r}; expected {spec.rule_code}")
    if len(changed) > 1:
        raise KnowledgeError(f"{UPDATE}/{spec.name}: found {len(changed)} dates of publication; expected one")
    kept = {(cover, item.limits) for item, own in update for cover in own}
    listed = {cover for _, own in update for cover in own}
    relisted = _relisted(first, update)
    begun = {(cover, item.limits) for item, own in first for cover in own}
    for item, own in first:
        parts: dict[_Fate, _Part] = {}
        for cover in sorted(own):
            codes, sources = own[cover], [item]
            if again := relisted.get((cover, item)):
                fate, codes, sources = _Fate.OPEN, codes | again.codes[cover], [item, *again.sources]
            elif (cover, item.limits) in kept or not update:
                fate = _Fate.OPEN
            elif cover in listed:
                fate = _Fate.CLOSED
            else:
                fate = {Absent.STAYS: _Fate.OPEN, Absent.ENDS: _Fate.CLOSED, Absent.DEMOTED: _Fate.DEMOTED}[spec.absent]
            part = parts.setdefault(fate, _Part({}, []))
            part.codes[cover] = codes
            part.sources.extend(source for source in sources if source not in part.sources)
        yield from _first_rows(spec, item, parts, next(iter(changed), None))
    for item, own in update:
        new = {cover: codes for cover, codes in own.items() if (cover, item.limits) not in begun}
        if new:
            yield _row(spec, item, _Part(new, [item]), "", item.published, None)


def _relisted(
    first: Sequence[tuple[PublishedItem, dict[Cover, frozenset[str]]]],
    update: Sequence[tuple[PublishedItem, dict[Cover, frozenset[str]]]],
) -> dict[tuple[Cover, PublishedItem], _Part]:
    """Return, for each first-batch cover with equal limits in the update, the update's items and its added codes.

    Where a cover stands in several items, an item of the update goes with the first-batch item of the same published
    name, else of the same item, else the one with the smallest number; a code is counted where it was published first.
    """
    holders: dict[tuple[Cover, Limits], list[PublishedItem]] = defaultdict(list)
    known: dict[tuple[Cover, Limits], set[str]] = defaultdict(set)
    for item, own in first:
        for cover, codes in own.items():
            holders[cover, item.limits].append(item)
            known[cover, item.limits] |= codes
    found: dict[tuple[Cover, PublishedItem], _Part] = {}
    for item, own in update:
        for cover, codes in own.items():
            candidates = holders.get((cover, item.limits))
            if not candidates:
                continue
            holder = min(
                candidates,
                key=lambda held: (
                    held.item_name != item.item_name,
                    item_key(held.item_name) != item_key(item.item_name),
                    held.seq,
                ),
            )
            part = found.setdefault((cover, holder), _Part({cover: frozenset()}, []))
            part.codes[cover] |= codes - known[cover, item.limits]
            part.sources.append(item)
    return found


def _first_rows(
    spec: RuleSpec, item: PublishedItem, parts: dict[_Fate, _Part], changed: date | None
) -> Iterator[tuple[PointRow, list[PatternRow]]]:
    closing = _joined(part for fate, part in parts.items() if fate is not _Fate.OPEN)
    if _Fate.OPEN in parts:
        yield _row(spec, item, parts[_Fate.OPEN], "", item.published, None)
    if closing is not None:
        yield _row(spec, item, closing, "c" if _Fate.OPEN in parts else "", item.published, changed)
    if _Fate.DEMOTED in parts:
        assert changed is not None
        row, patterns = _row(spec, item, parts[_Fate.DEMOTED], "b", changed, None)
        yield replace(row, level_cap="notice", remark=NOT_LISTED), patterns


def _joined(parts: Iterable[_Part]) -> _Part | None:
    joined = _Part({}, [])
    for part in parts:
        joined.codes.update(part.codes)
        joined.sources.extend(source for source in part.sources if source not in joined.sources)
    return joined if joined.codes else None


def _row(
    spec: RuleSpec, item: PublishedItem, part: _Part, letter: str, valid_from: date, valid_to: date | None
) -> tuple[PointRow, list[PatternRow]]:
    limits = item.limits
    if limits.sex not in _SEXES:
        raise KnowledgeError(f"{item.source_row}: found limit_sex {limits.sex!r}; write 男 or 女")
    window = AgeWindow(None, None, None, None)
    if limits.age_text is not None:
        read = read_window(limits.age_text)
        if read is None:
            raise KnowledgeError(f"{item.source_row}: found limit_age_window {limits.age_text!r}; write {SHAPES}")
        window = read
    sources = sorted(part.sources, key=lambda source: (source.published, source.seq))
    point_id = f"{spec.rule_id}-{item.batch}-{item.seq:04d}{letter}"
    point = PointRow(
        point_id=point_id,
        rule_id=spec.rule_id,
        item_name=item.item_name,
        sex=_SEXES[limits.sex],
        age_word=limits.age_word,
        age_text=limits.age_text,
        age_min=window.minimum,
        age_min_unit=window.minimum_unit,
        age_max=window.maximum,
        age_max_unit=window.maximum_unit,
        subject=limits.subject,
        region=None,
        region_of=None,
        valid_from=valid_from,
        valid_to=valid_to,
        level_cap=None,
        remark=None,
        document="；".join(dict.fromkeys(f"{_DOCUMENTS[source.batch]}（{source.published}）" for source in sources)),
        batch=item.batch,
        published_codes=sum(len(codes) for codes in part.codes.values()),
        source_rows="; ".join(source.source_row for source in sources),
    )
    patterns = [
        PatternRow(point_id, "item", cover.match, cover.code, len(codes)) for cover, codes in part.codes.items()
    ]
    return point, patterns


def write_compiled(compiled: Compiled, out: Path) -> None:
    """Write point.csv and pattern.csv into the folder; each file is whole or as it was.

    Raises KnowledgeError where the folder cannot be written.
    """
    texts = {POINT_FILE: csv_text(compiled.points, PointRow), PATTERN_FILE: csv_text(compiled.patterns, PatternRow)}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            unfinished = out / f".{name}.tmp"
            unfinished.write_text(text, encoding="utf-8", newline="\n")
            unfinished.replace(out / name)
    except OSError as error:
        raise KnowledgeError(f"{out}: cannot be written ({error.strerror}); name a folder of yours") from error


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
