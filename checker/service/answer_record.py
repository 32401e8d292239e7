"""What the audit log says of an answer, and the rows that the store keeps of the findings in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from checker.service.pseudonyms import without_numbers
from checker.service.store import Shown


class About(NamedTuple):
    """Where, when and about whom a finding was shown, without anything that names a person."""

    institution_id: str | None
    visit_id: str | None
    person: str | None
    day: str | None


class ShownFinding(msgspec.Struct, gc=False):
    """A finding as it was shown; `id` is the one under which it was. Institution and visit stand only where they are not those of the record."""

    id: str
    item_code: str | None
    item_name: str | None
    rule_id: str | None
    point_id: str | None
    verdict: str
    level: str | None
    reason_code: str | None
    amount: float | None
    kb_version: str | None
    person: str | None = None
    day: str | None = None
    institution_id: str | msgspec.UnsetType | None = msgspec.UNSET
    visit_id: str | msgspec.UnsetType | None = msgspec.UNSET


class AnswerRecord(msgspec.Struct):
    """The members of a record of kind `answer`, in order; those from `acknowledged` on stand only where the answer has them."""

    channel: str
    stage: str | None
    institution_id: str | None
    visit_id: str | None
    kb: str
    kb_hash: str
    rules: str
    lines: int
    shown: list[ShownFinding]
    acknowledged: list[str] | msgspec.UnsetType = msgspec.UNSET
    ticket: str | msgspec.UnsetType = msgspec.UNSET
    infno: str | msgspec.UnsetType = msgspec.UNSET
    context: int | msgspec.UnsetType = msgspec.UNSET
    omitted: list[str] | msgspec.UnsetType = msgspec.UNSET
    notes: Any = msgspec.UNSET


class _Stored(msgspec.Struct):
    """What the store needs of a record in the log, whichever version wrote it."""

    channel: str
    stage: str | None
    institution_id: str | None
    visit_id: str | None
    shown: list[ShownFinding]


def shown_findings(
    shown: Sequence[tuple[str, Mapping[str, Any]]], first: About, about: Callable[[Mapping[str, Any]], About]
) -> list[ShownFinding]:
    """Findings, each after the id under which it is shown. `first` is what the record itself says."""
    told = []
    for key, finding in shown:
        where = about(finding)
        entry = ShownFinding(
            key, finding["item_code"], without_numbers(finding["item_name"]), finding["rule_id"], finding["point_id"],
            finding["verdict"], finding["level"], finding["reason_code"], finding["amount"], finding["kb_version"],
            where.person, where.day,
        )  # fmt: skip
        if where[:2] != first[:2]:
            entry.institution_id, entry.visit_id = where[:2]
        told.append(entry)
    return told


def rows(record: AnswerRecord | _Stored, at: str, seq: int) -> Iterator[Shown]:
    """The rows of the store, for the record of this number."""
    for each in record.shown:
        institution = record.institution_id if each.institution_id is msgspec.UNSET else each.institution_id
        visit = record.visit_id if each.visit_id is msgspec.UNSET else each.visit_id
        yield Shown(
            each.id, at, record.stage, visit, None, institution, each.item_code, each.item_name,
            each.rule_id or "unknown_code", each.point_id, each.verdict, each.level, each.reason_code, each.amount,
            each.kb_version, record.channel, seq, each.person, each.day,
        )  # fmt: skip


def rows_of(record: Mapping[str, Any]) -> Iterator[Shown]:
    """The rows of the store, from a record as it stands in the log."""
    return rows(msgspec.convert(record, _Stored), record["at"], record["seq"])
