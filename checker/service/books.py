"""What the service writes down: the audit log and the store, and what was acknowledged, which is read from them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import logging
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from checker.ingest.prescription import Prescription
from checker.model.errors import InputError
from checker.model.private_files import make_folder
from checker.service import answer_record
from checker.service.acknowledged import Acknowledgements
from checker.service.answer_record import About, AnswerRecord
from checker.service.audit_anchor import read_key
from checker.service.audit_files import records
from checker.service.audit_log import AuditLog
from checker.service.audit_record import NO_HASH
from checker.service.library import Library
from checker.service.metrics import Metrics
from checker.service.pseudonyms import Pseudonyms, without_numbers
from checker.service.settings import Settings
from checker.service.store import Feedback, Shown, Store, utc_now

_LOG = logging.getLogger("liangku.serve")
_SHOWN_SECONDS = 0.02
_TAKEN_IN_AT_ONCE = 10_000
_encode = msgspec.json.Encoder().encode


class NotKept(Exception):
    """What was sent could not be written down, and so does not hold."""


class Reviewed(NamedTuple):
    """Answers of one library, one for each prescription; `acknowledged` has the ids of what was taken out of each, as its visit knows it."""

    answers: list[dict[str, Any]]
    acknowledged: tuple[tuple[str, ...], ...]
    library: Library


class Books:
    """All of it, open for as long as the service lives. `unwritten` says why the last record could not be written, until one can."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        make_folder(settings.data)
        self._metrics = metrics
        self.audit_path, self.audit_key = settings.data / "audit.jsonl", read_key(settings.audit_key_file)
        self.pseudonyms = Pseudonyms.open(settings.data / "person.key")
        # There are few of them, and each comes again and again.
        self._institution = functools.lru_cache(1024)(self.pseudonyms.number)
        self.store = Store(settings.data / "feedback.sqlite")
        self.audit = AuditLog(
            self.audit_path, key=self.audit_key, largest=settings.keep.audit_file_bytes, known=self._known()
        )
        self.unwritten: str | None = None
        self._take_in_missing()
        self.acknowledged = Acknowledgements(two_person=settings.two_person)
        for shown, row in self.store.decisions():
            self.acknowledged.take(shown, row)
        self._writer = ThreadPoolExecutor(1, "store")
        self._shown: list[Shown] = []
        self._writing: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()

    def write(self, kind: str, fields: Mapping[str, object]) -> int:
        """Append a record to the audit log. Raises OSError where the disk has no room."""
        return self._written(self.audit.append, kind, fields)

    def record(
        self, reviewed: Reviewed, prescriptions: Sequence[Prescription], shown: Sequence[tuple[str, Mapping[str, Any]]],
        *, channel: str, institution_id: str | None = None, **more: Any,
    ) -> None:  # fmt: skip
        """Write an answer into the audit log, with the ids under which its findings are shown, before it goes out.

        `institution_id` is whose request it was, where there is no prescription to say so. `more` are further members of an `AnswerRecord`.
        Raises OSError where the disk has no room: then it must not go out.
        """
        stage = prescriptions[0].stage if prescriptions else None
        where = (
            self._about(prescriptions[0], None)
            if prescriptions
            else About(self._institution(institution_id), None, None, None)
        )
        told = answer_record.shown_findings(shown, where, self._abouts(reviewed, prescriptions, where)) if shown else []
        lines = sum([answer["checked_lines"] for answer in reviewed.answers])
        if any(reviewed.acknowledged):
            more["acknowledged"] = [finding_id for each in reviewed.acknowledged for finding_id in each]
        if "notes" in more:
            more["notes"] = [without_numbers(note) for note in more["notes"]]
        record = AnswerRecord(
            channel, stage, where.institution_id, where.visit_id, lines=lines, shown=told, **reviewed.library.stamp, **more,
        )  # fmt: skip
        seq = self._written(self.audit.append_encoded, "answer", _encode(record))
        if told:
            for entry in told:
                self._metrics.finding(entry.rule_id or "unknown_code", entry.verdict, entry.level)
            self._shown += answer_record.rows(record, utc_now(), seq)
            if self._writing is None:
                self._writing = asyncio.get_running_loop().create_task(self._write_shown())

    async def take_feedback(self, rows: Sequence[Feedback], allowed: Collection[str] = ()) -> list[str]:
        """Keep feedback; it is on disk when this returns. The ids that were never shown here are returned: they are not kept. `allowed` are the
        institutions that who sends it speaks for, where not for all: what was shown to others was not shown to it.

        Raises InputError where a second person is needed, NotKept where it could not be written.
        """
        try:
            await self.flush()
            known = await self.in_store(self.store.shown, [row.finding_id for row in rows])
            if allowed:
                kept_as = {self._institution(each) for each in allowed}
                known = {key: shown for key, shown in known.items() if shown.institution_id in kept_as}
            taken = [row for row in rows if row.finding_id in known]
            if any(
                row.channel == "native" and self.acknowledged.lacks_second(known[row.finding_id], row) for row in taken
            ):
                raise InputError(
                    "second_operator：明确违规的项目要继续，须由另一人确认（a definite finding needs a second person's confirmation）"
                )
            kept = [_without_persons(row) for row in taken]
            if kept:
                told = [
                    [r.finding_id, r.decision, r.reason_code, r.operator, r.second_operator, r.reason] for r in kept
                ]
                self.write("feedback", {"channel": kept[0].channel, "feedback": told})
                await self.in_store(self.store.record_feedback, kept)
        except (OSError, sqlite3.Error) as error:
            _LOG.error("feedback could not be kept: %s", type(error).__name__, exc_info=error)
            raise NotKept from error
        for row in taken:
            self._metrics.feedback(row.decision)
            self.acknowledged.take(known[row.finding_id], row)
        return [row.finding_id for row in rows if row.finding_id not in known]

    async def in_store(self, call: Any, *values: Any) -> Any:
        """Run a call of the store in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, call, *values)

    async def flush(self) -> None:
        """Wait until the findings shown so far are in the store."""
        # One after the other: the store counts up to which record it has them all.
        async with self._flushing:
            rows, self._shown = self._shown, []
            if not rows:
                return
            try:
                await self.in_store(self.store.record_shown, rows, rows[-1].seq)
            except BaseException:
                self._shown = rows + self._shown
                raise

    async def close(self) -> None:
        """Write what is pending, and close everything."""
        if self._writing is not None:
            self._writing.cancel()
        with contextlib.suppress(OSError, sqlite3.Error):
            # What is not in the store is taken in from the log at the next start.
            await self.flush()
        with contextlib.suppress(OSError):
            self.write("stop", {})
        self._writer.shutdown()
        with contextlib.suppress(OSError, sqlite3.Error):
            self.store.keep_anchor(*self.audit.sync())
        self.store.close()
        self.audit.close()

    def _written(self, append: Callable[[str, Any], int], kind: str, fields: Any) -> int:
        try:
            seq = append(kind, fields)
        except OSError as error:
            if self.unwritten is None:
                _LOG.error("the audit log cannot be written: %s", errno.errorcode.get(error.errno or 0, "OSError"))
            self.unwritten = errno.errorcode.get(error.errno or 0, "OSError")
            raise
        self.unwritten = None
        return seq

    def _about(self, prescription: Prescription, finding: Mapping[str, Any] | None) -> About:
        facts = prescription.facts
        day = prescription.service_time.date().isoformat()
        person = self.pseudonyms.person(facts) if finding is not None else None
        return About(
            self._institution(facts.get("institution_id")), self.pseudonyms.number(facts.get("visit_id")), person, day
        )

    def _abouts(
        self, reviewed: Reviewed, prescriptions: Sequence[Prescription], where: About
    ) -> Callable[[Mapping[str, Any]], About]:
        """What is told of where and about whom each finding of an answer is; `where` holds for what is no single finding."""
        known: dict[int, About] = {}
        for answer, prescription in zip(reviewed.answers, prescriptions, strict=True):
            if answer["findings"]:
                about = self._about(prescription, answer["findings"][0])
                known.update((id(finding), about) for finding in answer["findings"])
        return lambda finding: known.get(id(finding), where)

    async def _write_shown(self) -> None:
        """Take into the store what was shown in a while: many rows at once cost little more than one."""
        try:
            while self._shown:
                await asyncio.sleep(_SHOWN_SECONDS)
                await self.flush()
        except Exception as error:
            # They are tried again with the next, and after a start from the audit log.
            _LOG.error("findings shown are not in the store yet: %s", type(error).__name__, exc_info=error)
        finally:
            self._writing = None

    def _known(self) -> tuple[int, str] | None:
        """How far the audit log had come, as the store knows it."""
        last, anchor = self.store.last_seq(), self.store.anchor()
        if anchor is not None and anchor[0] >= last:
            return anchor
        return (last, NO_HASH) if last else None

    def _take_in_missing(self) -> None:
        """Take into the store what the audit log has and the store lost when the process was killed."""
        rows: list[Shown] = []
        for record in records(self.audit_path, self.store.last_seq()):
            if record["kind"] == "answer":
                rows += answer_record.rows_of(record)
            if len(rows) >= _TAKEN_IN_AT_ONCE:
                self.store.record_shown(rows, rows[-1].seq)
                rows = []
        if rows:
            self.store.record_shown(rows, rows[-1].seq)


def _without_persons(row: Feedback) -> Feedback:
    """Feedback as it is kept: words may hold anything."""
    return replace(
        row,
        reason=without_numbers(row.reason),
        operator=without_numbers(row.operator),
        second_operator=without_numbers(row.second_operator),
    )
