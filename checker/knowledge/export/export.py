"""An edition, or what it limits otherwise than another, written as workbooks in the published layout and as one flat table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from checker.knowledge.export.flat import FlatRow, flat_rows, flat_text
from checker.knowledge.export.lists import REMOVED, Draft, Entry, Unwritten, drafts
from checker.knowledge.export.read_back import readable
from checker.knowledge.export.since import Side, changed_points
from checker.knowledge.export.summary import Exported, NotWritten, WrittenBook
from checker.knowledge.merge.rows import CONTAINER
from checker.knowledge.published import is_known_batch
from checker.knowledge.rows import PatternRow, by_point
from checker.knowledge.sheets.known_rules import known_rules
from checker.knowledge.source import Sources
from checker.model.errors import InputError
from checker.model.nearest import nearest
from checker.model.out_folder import OutFolder
from checker.model.whole_file import write_whole
from checker.rulebook.plan import Plan

_TENS = ("", "十")
_DIGITS = " 一二三四五六七八九"
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_NOT_IN_NAMES = re.compile(r"[^\w.（）()+-]")


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What to write where: of the rules and batches that are named, or of all; `since` leaves what it limits alike out."""

    knowledge: Sources
    out: Path | None
    flat: Path | None
    rules: Sequence[str] = ()
    batches: Sequence[str] = ()
    since: Sources | None = None
    force: bool = False


def export_edition(request: ExportRequest, plan: Plan) -> Exported:
    """Write what is asked for and say what was written; where a difference is asked for and there is none, nothing is.

    Raises InputError, and nothing is written: for a rule or batch that the edition does not have, for points none of which can stand in a
    workbook where only workbooks are asked for, for a folder or file that may not be written over.
    """
    flat = request.flat
    if flat is not None and flat.exists() and not (request.force and flat.is_file()):
        raise InputError(
            f"--flat {flat}：已有这个文件，不会覆盖；请换一个文件名，或加 --force（a file stands there: name another, or use --force）"
        )
    entries, table = _told(request)
    if not table:
        return Exported(0, 0, (), (), 0)
    rules = {rule.id: rule for rule in plan.rules}
    text = "" if flat is None else flat_text(table, rules, changes=request.since is not None)
    if request.out is None:
        if flat is not None:
            write_whole(flat, text)
        return _exported(entries, [], Unwritten(), table)
    with OutFolder(request.out, force=request.force) as folder:
        unwritten = Unwritten()
        books = list(_workbooks(entries, plan, folder.work, unwritten))
        exported = _exported(entries, books, unwritten, table if flat is not None else ())
        if not books and flat is None:
            told = "".join(
                f"\n  {each.rule_id} {each.batch}：{each.reason}（{each.reason_en}）" for each in exported.not_written
            )
            raise InputError(
                f"--out {request.out}：没有一个知识点能写成工作簿，没有写任何文件；可用 --flat 写成 CSV（no point can stand in a workbook: write "
                f"them with --flat）{told}"
            )  # fmt: skip
        for _, name, data in books:
            (folder.result / name).write_bytes(data)
        if flat is not None:
            write_whole(flat, text)
        folder.commit({"export": exported.to_dict()})
    return exported


def _told(request: ExportRequest) -> tuple[list[Entry], list[FlatRow]]:
    """What is to be told, as entries of lists and as rows of the flat table."""
    sides = (request.knowledge, *((request.since,) if request.since else ()))
    _check_named("--rule", request.rules, {rule for side in sides for rule in side.point["rule_id"]})
    _check_named("--batch", request.batches, {batch for side in sides for batch in side.point["batch"]})
    after = _side(request.knowledge, request)
    entries: list[Entry] = []
    table: list[FlatRow] = []
    if request.since is None:
        for point in after.points:
            own = after.patterns[point.point_id]
            entries.append(Entry(point, own))
            table += flat_rows(point, own, None)
        if not entries:
            raise InputError(
                "--rule、--batch：知识库中没有同时属于这些规则和批次的知识点（no point is of these rules and these batches）"
                if request.rules and request.batches
                else "知识库没有知识点，没有可写的（the edition has no points: nothing to write）"
            )
        return entries, table
    before = _side(request.since, request)
    day = date.fromisoformat(max(side.edition.published for side in sides))
    for changed in changed_points(before, after, day):
        point = changed.point
        # A point that is gone has its patterns in the earlier edition only.
        own = (before if changed.change == REMOVED else after).patterns[point.point_id]
        within = [pattern for pattern in own if pattern.role == CONTAINER]
        table += flat_rows(point, own, changed.codes)
        if changed.change != REMOVED:
            entries.append(Entry(point, own, changed.change))
        elif gone := [pattern for pattern in changed.codes if pattern not in changed.elsewhere]:
            # A list takes back only what nothing limits any more: an import refuses the rest.
            entries.append(Entry(point, (*within, *gone), REMOVED))
    return entries, table


def _side(knowledge: Sources, request: ExportRequest) -> Side:
    patterns: dict[str, tuple[PatternRow, ...]] = {
        point_id: tuple(own) for point_id, own in by_point(knowledge.patterns).items()
    }
    points = tuple(
        point
        for point in knowledge.points
        if (not request.rules or point.rule_id in request.rules)
        and (not request.batches or point.batch in request.batches)
    )
    return Side(points, patterns)


def _check_named(option: str, named: Iterable[str], known: set[str]) -> None:
    for each in named:
        if each not in known:
            chinese, english = nearest(each, sorted(known))
            raise InputError(f"{option} {each}：知识库中没有，{chinese}（not in the edition; {english}）")


def _workbooks(
    entries: Iterable[Entry], plan: Plan, work: Path, unwritten: Unwritten
) -> Iterator[tuple[Draft, str, bytes]]:
    """The workbooks with their names, each read back by the importer."""
    known = known_rules(plan)
    lists = drafts(entries, plan, unwritten)
    alone = Counter((draft.key.rule_id, draft.key.batch) for draft in lists)
    for draft in lists:
        name = _name(draft, several=alone[draft.key.rule_id, draft.key.batch] > 1)
        data = readable(draft, work / name, known, unwritten)
        if data is not None:
            yield draft, name, data


def _name(draft: Draft, *, several: bool) -> str:
    """The name of a workbook: batch and rule, and the place and the day where they tell it from another."""
    key = draft.key
    parts = [batch_words(key.batch), draft.rule.name_zh]
    if key.region is not None:
        parts.append(f"{key.region}{'参保地' if key.region_of == 'insured' else '就医地'}")
    if several:
        parts.append(key.day.isoformat())
    return f"{_NOT_IN_NAMES.sub('_', '-'.join(parts))}.xlsx"


def batch_words(batch: str) -> str:
    """How the insurer names a batch, where it is one of its own.

    >>> batch_words("01"), batch_words("12"), batch_words("2026-01"), batch_words("local-01")
    ('第一批', '第十二批', '2026年1月更新', 'local-01')
    """
    if not is_known_batch(batch):
        return batch
    if month := _MONTH.fullmatch(batch):
        return f"{month[1]}年{int(month[2])}月更新"
    return f"第{_TENS[int(batch[0])]}{_DIGITS[int(batch[1])].strip()}批"


def _exported(
    entries: Sequence[Entry], books: Iterable[tuple[Draft, str, bytes]], unwritten: Unwritten, table: Sequence[FlatRow]
) -> Exported:
    return Exported(
        points=len({entry.point.point_id for entry in entries}),
        codes=sum(pattern.role != CONTAINER for entry in entries for pattern in entry.own),
        workbooks=tuple(_written(draft, name) for draft, name, _ in books),
        not_written=tuple(
            NotWritten(rule, batch, *why, tuple(ids)) for (rule, batch, why), ids in sorted(unwritten.points.items())
        ),
        flat_rows=len(table),
    )


def _written(draft: Draft, name: str) -> WrittenBook:
    key = draft.key
    changes: Mapping[str, int] = Counter(entry.change for _, entry in draft.rows if entry.change)
    return WrittenBook(
        file=name,
        rule_id=key.rule_id,
        rule=draft.rule.name_zh,
        batch=key.batch,
        published=key.day,
        region=key.region,
        region_of=key.region_of,
        points=len(draft.rows),
        codes=sum(len(row.codes) for row, _ in draft.rows),
        changes=dict(changes),
    )
