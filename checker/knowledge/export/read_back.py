"""Every workbook is read again by the importer before anybody gets it: what would not read as the same points is taken out and named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from checker.knowledge.edition_text import EditionText
from checker.knowledge.export.lists import REMOVED, Draft, Unwritten, Why
from checker.knowledge.export.workbook import CODES, HEADER_ROW, POINTS, ListRow, workbook_of
from checker.knowledge.merge.edition import meet
from checker.knowledge.merge.meeting import PublishedList
from checker.knowledge.merge.merge_decisions import Mode
from checker.knowledge.rows import PatternRow, PointRow, by_point
from checker.knowledge.sheets.known_rules import KnownRules
from checker.knowledge.sheets.read import Workbook, read_workbooks
from checker.knowledge.source import Sources
from checker.model.errors import KnowledgeError

_PLACE = re.compile(f"“({POINTS}|{CODES})”(?:第 | [A-Z]+)([0-9]+)")
"""The first row of a fault, in words or as the address of a cell."""
_ROUNDS = 50
"""The importer names some twenty faults of a kind at once; what is still refused after so many rounds is not looked at row by row."""
_OTHERWISE: Why = ("写进清单再导入，限定或编码就不同了", "imported from a list they would limit something else")


def readable(draft: Draft, file: Path, known: KnownRules, unwritten: Unwritten) -> bytes | None:
    """Return the workbook of the list, or None where no row of it reads as its point; the rows that do not are taken out of the draft and noted.

    `file` is where it is written to be read, under the name that it will have.
    """
    rounds = 0
    while draft.rows:
        rounds += 1
        data = workbook_of(draft.rule.name_zh, draft.kind, [row for row, _ in draft.rows], draft.key.day)
        if all(entry.change == REMOVED for _, entry in draft.rows):
            # The importer takes no list of which nothing is left.
            return data
        file.write_bytes(data)
        try:
            (book,) = read_workbooks([file], batch=draft.key.batch, published=draft.key.day, rules=known)
        except KnowledgeError as error:
            wrong = _refused(draft, str(error), row_by_row=rounds <= _ROUNDS)
        else:
            wrong = {row.seq: _OTHERWISE for row in _differing(draft, book)}
        if not wrong:
            return data
        for row, entry in draft.rows:
            if row.seq in wrong:
                unwritten.add(entry.point, wrong[row.seq])
        draft.rows = [each for each in draft.rows if each[0].seq not in wrong]
    return None


def _refused(draft: Draft, told: str, *, row_by_row: bool) -> dict[int, Why]:
    """The items that the importer refuses, each with what it says; all of them where it names none, or not row by row."""
    numbers: dict[str, list[int]] = {POINTS: [row.seq for row, _ in draft.rows]}
    numbers[CODES] = [row.seq for row, _ in draft.rows for _ in row.codes]
    found: dict[int, Why] = {}
    for line in told.splitlines() if row_by_row else ():
        place = _PLACE.search(line)
        at = int(place[2]) - HEADER_ROW - 1 if place else -1
        if place and 0 <= at < len(numbers[place[1]]):
            _, _, said = line[place.end() :].partition(": ")
            found.setdefault(numbers[place[1]][at], _refusal(said.partition("；")[2] or said))
    if found:
        return found
    return {row.seq: _refusal(told.splitlines()[0]) for row, _ in draft.rows}


def _refusal(said: str) -> Why:
    return f"导入不了：{said}", f"no import takes them: {said}"


def _differing(draft: Draft, book: Workbook) -> list[ListRow]:
    """The rows that an import into an empty edition makes other points of."""
    key = draft.key
    published = PublishedList(key.rule_id, key.batch, key.day, book.items, region=key.region, region_of=key.region_of)
    met = meet(Sources.of(EditionText("", "", "", "", ()), (), ()), [published], Mode.PATCH).knowledge
    points = {point.point_id: point for point in met.points}
    codes = by_point(met.patterns)
    removed = {item.item_name for item in book.removed}
    return [
        row
        for row, entry in draft.rows
        if (
            row.cells["name"] not in removed
            if entry.change == REMOVED
            else _said(points.get(key.id_of(row.seq)), codes[key.id_of(row.seq)]) != _said(entry.point, entry.own)
        )
    ]


def _said(point: PointRow | None, own: Iterable[PatternRow]) -> tuple[Any, ...] | None:
    """What the point limits and covers, apart from its id and its evidence."""
    if point is None:
        return None
    limits = replace(point, point_id="", document="", source_rows="", superseded_by=None, published_codes=0)
    return limits, {replace(pattern, point_id="") for pattern in own}
