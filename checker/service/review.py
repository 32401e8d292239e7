"""The desk of the service: a request is judged, recorded and answered; what could not be judged gets a ticket and is judged later."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from checker.ingest.prescription import Prescription
from checker.model.errors import InputError
from checker.model.private_files import make_folder
from checker.precheck.counter import worst_verdict
from checker.service import answer_record
from checker.service.acknowledged import Acknowledgements
from checker.service.answer_record import About, AnswerRecord
from checker.service.audit_anchor import read_key
from checker.service.audit_files import records
from checker.service.audit_log import AuditLog
from checker.service.audit_record import NO_HASH
from checker.service.judge import Judge
from checker.service.keeper import Keeper
from checker.service.library import Library
from checker.service.metrics import Metrics
from checker.service.pseudonyms import Pseudonyms, without_numbers
from checker.service.settings import Settings
from checker.service.slices import TooMuch, answer_in_slices
from checker.service.store import Feedback, Shown, Store, Ticket, utc_now
from checker.service.ticket_json import write_prescriptions

_LOG = logging.getLogger("liangku.serve")
_COLLECTED_AFTER = 20_000
_SHOWN_SECONDS = 0.02
_KEPT_SECONDS = 1.0
"""So long an answer that was not reviewed waits for its ticket: the store may be held by another program."""
_ON_LOOP_BYTES = 32 * 1024
"""What is longer is read and written in a thread, so that others do not wait for it."""
_encode = msgspec.json.Encoder().encode
_Value = TypeVar("_Value")


class NotKept(Exception):
    """What was sent could not be written down, and so does not hold."""


class Reviewed(NamedTuple):
    """Answers of one library, one for each prescription; `acknowledged` has the ids of what was taken out of each, as its visit knows it."""

    answers: list[dict[str, Any]]
    acknowledged: tuple[tuple[str, ...], ...]
    library: Library


class NotReviewed(NamedTuple):
    """No judgment in time: the ticket under which it follows (None where not even that could be kept), and why."""

    ticket: str | None
    reason: str


class Desk:
    """What lives as long as the service: the judge, what is remembered, the audit log, the counts."""

    def __init__(self, settings: Settings) -> None:
        make_folder(settings.data)
        self.settings = settings
        self.metrics = Metrics()
        self.audit_path, self.audit_key = settings.data / "audit.jsonl", read_key(settings.audit_key_file)
        self.pseudonyms = Pseudonyms.open(settings.data / "person.key")
        self.store = Store(settings.data / "feedback.sqlite")
        self.audit = AuditLog(
            self.audit_path, key=self.audit_key, largest=settings.keep.audit_file_bytes, known=self._known()
        )
        self.unwritten: str | None = None
        """Why the last record could not be written, until one can."""
        self._take_in_missing()
        self.acknowledged = Acknowledgements(two_person=settings.two_person)
        for shown, row in self.store.decisions():
            self.acknowledged.take(shown, row)
        self.judge = Judge(Library.open(settings), seconds=settings.limits.time_ms / 1000)
        self._say_edition()
        # What was loaded stays: the collector need not go through it again and again, nor come after every few requests.
        gc.freeze()
        gc.set_threshold(_COLLECTED_AFTER, 20, 50)
        self._writer = ThreadPoolExecutor(1, "store")
        self._opener = ThreadPoolExecutor(1, "open")
        self._reader = ThreadPoolExecutor(2, "read")
        self._shown: list[Shown] = []
        self.keeper = Keeper(self)
        self._writing: asyncio.Task[None] | None = None
        self._reloading = asyncio.Lock()
        self._serial = secrets.randbelow(10**9)

    @property
    def library(self) -> Library:
        """The rules and knowledge in use."""
        return self.judge.library

    def next_serial(self) -> int:
        """A number that no other answer of this service has."""
        self._serial += 1
        return self._serial

    async def review(
        self, prescriptions: Sequence[Prescription], *, channel: str, language: str = "zh", until: float | None = None
    ) -> Reviewed | NotReviewed:
        """Judge prescriptions; past the time limit (or the moment given) or on a failure inside, keep them under a ticket.

        Raises TooMuch where the answer would be larger than an answer may be, InputError.
        """
        start = time.perf_counter()
        until = min(until or float("inf"), start + self.settings.limits.time_ms / 1000)
        try:
            if len(prescriptions) == 1:
                library, answers = await self.judge.answer(prescriptions, language, seconds=until - start)
            else:
                library, answers = await self._in_slices(prescriptions, language, until)
        except (InputError, TooMuch):
            raise
        except TimeoutError:
            return await self._not_reviewed(prescriptions, channel, "timeout", start)
        except Exception as error:
            _LOG.error("judging failed: %s", type(error).__name__, exc_info=error)
            return await self._not_reviewed(prescriptions, channel, "failure", start)
        reviewed = self._reviewed(library, answers, prescriptions)
        self._count(reviewed, channel, start)
        return reviewed

    async def judged_later(self, prescriptions: Sequence[Prescription]) -> Reviewed:
        """Judge what lay under a ticket, however long it takes. Raises TimeoutError where the judge has no time."""
        library, answers = await self._in_slices(prescriptions, "zh", None, most_bytes=1 << 40)
        return Reviewed(answers, ((),) * len(answers), library)

    async def not_answered(self, prescriptions: Sequence[Prescription], *, channel: str, reason: str) -> NotReviewed:
        """What was judged, but could not be recorded or written out in time, was not reviewed: keep it under a ticket."""
        return await self._not_reviewed(prescriptions, channel, reason, time.perf_counter())

    async def aside(self, size: int, call: Callable[..., _Value], *values: Any, until: float) -> _Value:
        """Read or write what has so many bytes: what is short at once, else in a thread. Raises TimeoutError past that moment."""
        if size <= _ON_LOOP_BYTES:
            return call(*values)
        async with asyncio.timeout(until - time.perf_counter()):
            return await asyncio.get_running_loop().run_in_executor(self._reader, lambda: call(*values))

    def write(self, kind: str, fields: Mapping[str, object]) -> int:
        """Append a record to the audit log. Raises OSError where the disk has no room."""
        return self._written(self.audit.append, kind, fields)

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

    async def _in_slices(
        self, prescriptions: Sequence[Prescription], language: str, until: float | None, most_bytes: int | None = None
    ) -> tuple[Library, list[dict[str, Any]]]:
        return await answer_in_slices(
            self.judge, prescriptions, language, until=until, most_bytes=most_bytes or self.settings.limits.answer_bytes
        )

    def _reviewed(
        self, library: Library, answers: list[dict[str, Any]], prescriptions: Sequence[Prescription]
    ) -> Reviewed:
        if not self.acknowledged or not any(answer["findings"] for answer in answers):
            return Reviewed(answers, ((),) * len(answers), library)
        persons = [self.pseudonyms.person(each.facts) for each in prescriptions]
        parted = self.acknowledged.leave_out(zip(answers, persons, strict=True), self.pseudonyms)
        for answer, (kept, left_out) in zip(answers, parted, strict=True):
            if left_out:
                answer["findings"] = kept
                answer["verdict"] = worst_verdict(kept)
                self.metrics.acknowledged(len(left_out))
        return Reviewed(answers, tuple(left_out for _, left_out in parted), library)

    def _count(self, reviewed: Reviewed, channel: str, start: float) -> None:
        outcome = "clear"
        for answer in reviewed.answers:
            if answer["verdict"] != "clear" and outcome != "violation":
                outcome = answer["verdict"]
        self.metrics.answered(channel, outcome, time.perf_counter() - start)

    def record(
        self, reviewed: Reviewed, prescriptions: Sequence[Prescription], shown: Sequence[tuple[str, Mapping[str, Any]]],
        *, channel: str, **more: Any,
    ) -> None:  # fmt: skip
        """Write an answer into the audit log, with the ids under which its findings are shown, before it goes out.

        `more` are further members of an `AnswerRecord`. Raises OSError where the disk has no room: then it must not go out.
        """
        first = prescriptions[0]
        where = self._about(first, None)
        told = answer_record.shown_findings(shown, where, self._abouts(reviewed, prescriptions)) if shown else []
        lines = sum([answer["checked_lines"] for answer in reviewed.answers])
        if any(reviewed.acknowledged):
            more["acknowledged"] = [finding_id for each in reviewed.acknowledged for finding_id in each]
        if "notes" in more:
            more["notes"] = [without_numbers(note) for note in more["notes"]]
        record = AnswerRecord(
            channel, first.stage, where.institution_id, where.visit_id, lines=lines, shown=told, **reviewed.library.stamp, **more,
        )  # fmt: skip
        seq = self._written(self.audit.append_encoded, "answer", _encode(record))
        if told:
            for entry in told:
                self.metrics.finding(entry.rule_id or "unknown_code", entry.verdict, entry.level)
            self._shown += answer_record.rows(record, utc_now(), seq)
            if self._writing is None:
                self._writing = asyncio.get_running_loop().create_task(self._write_shown())

    async def take_feedback(self, rows: Sequence[Feedback]) -> list[str]:
        """Keep feedback; it is on disk when this returns. The ids that were never shown here are returned: they are not kept.

        Raises InputError where a second person is needed, NotKept where it could not be written.
        """
        try:
            await self.flush()
            known = await self._in_writer(self.store.shown, [row.finding_id for row in rows])
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
                await self._in_writer(self.store.record_feedback, kept)
        except (OSError, sqlite3.Error) as error:
            _LOG.error("feedback could not be kept: %s", type(error).__name__, exc_info=error)
            raise NotKept from error
        for row in taken:
            self.metrics.feedback(row.decision)
            self.acknowledged.take(known[row.finding_id], row)
        return [row.finding_id for row in rows if row.finding_id not in known]

    async def reload(self, by: str) -> dict[str, Any]:
        """Open rules and knowledge again and use them from the next query on; where they do not load, nothing changes. `by` is who asked.

        Raises KnowledgeError or RuleError.
        """
        async with self._reloading:
            try:
                library = await asyncio.get_running_loop().run_in_executor(self._opener, Library.open, self.settings)
            except Exception as error:
                self.metrics.reloaded("failed")
                self.write("reload", {"outcome": "failed", "by": by, "error": type(error).__name__})
                _LOG.error("reload failed, the edition in use stays: %s", error)
                raise
            await self.judge.replace(library)
            self.keeper.try_all_again()
            self.metrics.reloaded("done")
            self._say_edition()
            document = library.knowledge()
            self.write(
                "reload", {"outcome": "done", "by": by, "kb": document["version"], "kb_hash": document["hash"][:16]}
            )
            _LOG.info("reloaded by %s: knowledge %s, rules %s", by, document["version"], document["rules"]["hash"][:12])
            return document

    async def in_store(self, call: Any, *values: Any) -> Any:
        """Run a call of the store in its thread."""
        return await self._in_writer(call, *values)

    async def flush(self) -> None:
        """Wait until the findings shown so far are in the store."""
        rows, self._shown = self._shown, []
        if not rows:
            return
        try:
            await self._in_writer(self.store.record_shown, rows, rows[-1].seq)
        except BaseException:
            self._shown = rows + self._shown
            raise

    async def close(self) -> None:
        """Finish what was begun, and close everything."""
        if self._writing is not None:
            self._writing.cancel()
        await self.keeper.stop()
        with contextlib.suppress(OSError, sqlite3.Error):
            # What is not in the store is taken in from the log at the next start.
            await self.flush()
        with contextlib.suppress(OSError):
            self.write("stop", {})
        self.judge.close()
        self._opener.shutdown()
        self._reader.shutdown(wait=False, cancel_futures=True)
        self._writer.shutdown()
        self.library.close()
        with contextlib.suppress(OSError, sqlite3.Error):
            self.store.keep_anchor(*self.audit.sync())
        self.store.close()
        self.audit.close()

    async def _not_reviewed(
        self, prescriptions: Sequence[Prescription], channel: str, reason: str, start: float
    ) -> NotReviewed:
        key = f"T{datetime.now(UTC):%Y%m%d%H%M%S}{secrets.token_hex(5)}"
        self.metrics.ticket(reason)
        self.metrics.answered(channel, "not_reviewed", time.perf_counter() - start)
        try:
            ticket = Ticket(key, utc_now(), reason, channel, write_prescriptions(prescriptions))
            async with asyncio.timeout(_KEPT_SECONDS):
                await self._in_writer(self.store.open_ticket, ticket)
            self.write("not_reviewed", {"channel": channel, "ticket": key, "reason": reason})
        except Exception as error:
            # The answer still says that nothing was reviewed.
            _LOG.error("no ticket could be kept: %s", type(error).__name__, exc_info=error)
            return NotReviewed(None, reason)
        return NotReviewed(key, reason)

    def _about(self, prescription: Prescription, finding: Mapping[str, Any] | None) -> About:
        facts, number = prescription.facts, self.pseudonyms.number
        day = prescription.service_time.date().isoformat()
        person = self.pseudonyms.person(facts) if finding is not None else None
        return About(number(facts.get("institution_id")), number(facts.get("visit_id")), person, day)

    def _abouts(
        self, reviewed: Reviewed, prescriptions: Sequence[Prescription]
    ) -> Callable[[Mapping[str, Any]], About]:
        """What is told of where and about whom each finding of an answer is."""
        known: dict[int, About] = {}
        for answer, prescription in zip(reviewed.answers, prescriptions, strict=True):
            if answer["findings"]:
                about = self._about(prescription, answer["findings"][0])
                known.update((id(finding), about) for finding in answer["findings"])
        return lambda finding: known[id(finding)]

    async def _write_shown(self) -> None:
        """Take into the store what was shown in a while: many rows at once cost little more than one."""
        await asyncio.sleep(_SHOWN_SECONDS)
        self._writing = None
        try:
            await self.flush()
        except Exception as error:
            # They are tried again with the next, and after a start from the audit log.
            _LOG.error("findings shown are not in the store yet: %s", type(error).__name__, exc_info=error)

    async def _in_writer(self, call: Any, *values: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._writer, call, *values)

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
        if rows:
            self.store.record_shown(rows, rows[-1].seq)

    def _say_edition(self) -> None:
        self.metrics.edition(self.library.precheck.version, self.library.precheck.plan.hash)


def _without_persons(row: Feedback) -> Feedback:
    """Feedback as it is kept: words may hold anything."""
    return replace(
        row,
        reason=without_numbers(row.reason),
        operator=without_numbers(row.operator),
        second_operator=without_numbers(row.second_operator),
    )
