"""The desk of the service: a request is judged, recorded and answered; what could not be judged gets a ticket and is judged later."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from checker.ingest.prescription import Prescription
from checker.model.errors import InputError
from checker.precheck.conclusion import concluded
from checker.service import answer_record
from checker.service.answer_record import AnswerRecord
from checker.service.audit_log import AuditLog, records
from checker.service.judge import Judge
from checker.service.library import Library
from checker.service.metrics import Metrics
from checker.service.settings import Settings
from checker.service.staff import is_second
from checker.service.store import Feedback, Shown, Store, Ticket, utc_now
from checker.service.ticket_json import read_prescriptions, write_prescriptions

_LOG = logging.getLogger("liangku.serve")
_TICKETS_AT_ONCE = 50
_COLLECTED_AFTER = 20_000
_TICKET_SECONDS = 5.0
_SHOWN_SECONDS = 0.02
_encode = msgspec.json.Encoder().encode


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
        settings.data.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.metrics = Metrics()
        self.audit = AuditLog(settings.data / "audit.jsonl")
        self.store = Store(settings.data / "feedback.sqlite")
        self._take_in_missing()
        self._acknowledged = set(self.store.acknowledged())
        self.judge = Judge(Library.open(settings), seconds=settings.limits.time_ms / 1000)
        self._say_edition()
        # What was loaded stays: the collector need not go through it again and again, nor come after every few requests.
        gc.freeze()
        gc.set_threshold(_COLLECTED_AFTER, 20, 50)
        self._writer = ThreadPoolExecutor(1, "store")
        self._opener = ThreadPoolExecutor(1, "open")
        self._shown: list[Shown] = []
        self._stuck: set[str] = set()
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
        self, prescriptions: Sequence[Prescription], *, channel: str, language: str = "zh", seconds: float | None = None
    ) -> Reviewed | NotReviewed:
        """Judge prescriptions; past the time limit (or the seconds given) or on a failure inside, keep them under a ticket."""
        start = time.perf_counter()
        try:
            library, answers = await self.judge.answer(prescriptions, language, seconds=seconds)
        except InputError:
            raise
        except TimeoutError:
            return await self._not_reviewed(prescriptions, channel, "timeout", start)
        except Exception as error:
            _LOG.error("judging failed: %s", type(error).__name__, exc_info=error)
            return await self._not_reviewed(prescriptions, channel, "failure", start)
        return self._reviewed(library, answers, channel, start)

    def _reviewed(self, library: Library, answers: list[dict[str, Any]], channel: str, start: float) -> Reviewed:
        acknowledged = self._without_acknowledged(answers) if self._acknowledged else ((),) * len(answers)
        outcome = "clear"
        for answer in answers:
            if answer["verdict"] != "clear" and outcome != "violation":
                outcome = answer["verdict"]
        self.metrics.answered(channel, outcome, time.perf_counter() - start)
        return Reviewed(answers, acknowledged, library)

    def record(
        self, reviewed: Reviewed, prescriptions: Sequence[Prescription], shown: Sequence[tuple[str, Mapping[str, Any]]],
        *, channel: str, **more: Any,
    ) -> None:  # fmt: skip
        """Write an answer into the audit log, with the ids under which its findings are shown, before it goes out.

        `more` are further members of an `AnswerRecord`.
        """
        first = prescriptions[0]
        facts, told = first.facts, answer_record.shown_findings(shown)
        lines = sum([answer["checked_lines"] for answer in reviewed.answers])
        if any(reviewed.acknowledged):
            more["acknowledged"] = [finding_id for each in reviewed.acknowledged for finding_id in each]
        record = AnswerRecord(
            channel, first.stage, facts.get("institution_id"), facts.get("visit_id"), lines=lines, shown=told,
            **reviewed.library.stamp, **more,
        )  # fmt: skip
        seq = self.audit.append_encoded("answer", _encode(record))
        if told:
            for entry in told:
                self.metrics.finding(entry.rule_id or "unknown_code", entry.verdict, entry.level)
            self._shown += answer_record.rows(record, utc_now(), seq)
            if self._writing is None:
                self._writing = asyncio.get_running_loop().create_task(self._write_shown())

    async def take_feedback(self, rows: Sequence[Feedback]) -> list[str]:
        """Keep feedback; it is on disk when this returns. The ids that were never shown here are returned."""
        await self.flush()
        known = await self._in_writer(self.store.shown, [row.finding_id for row in rows])
        if self.settings.two_person:
            for row in rows:
                shown = known.get(row.finding_id)
                definite = shown is not None and shown.level == "definite"
                if (
                    definite
                    and row.decision == "continue"
                    and row.channel == "native"
                    and not is_second(row.operator, row.second_operator)
                ):
                    raise InputError(
                        "second_operator：明确违规的项目要继续，须写明操作员，并由另一人确认（a definite finding needs operator and a second person）"
                    )
        await self._in_writer(self.store.record_feedback, rows)
        for row in rows:
            self.metrics.feedback(row.decision)
            shown = known.get(row.finding_id)
            if shown is not None and shown.visit_id:
                key = (
                    shown.institution_id,
                    shown.visit_id,
                    shown.item_code,
                    shown.rule_id,
                    shown.point_id,
                    shown.level,
                )
                (self._acknowledged.add if row.decision == "continue" else self._acknowledged.discard)(key)
        self.audit.append_encoded(
            "feedback",
            _encode(
                {
                    "channel": rows[0].channel,
                    "feedback": [[row.finding_id, row.decision, row.reason_code] for row in rows],
                }
            ),
        )
        return [row.finding_id for row in rows if row.finding_id not in known]

    async def reload(self) -> dict[str, Any]:
        """Open rules and knowledge again and use them from the next query on; where they do not load, nothing changes.

        Raises KnowledgeError or RuleError.
        """
        async with self._reloading:
            try:
                library = await asyncio.get_running_loop().run_in_executor(self._opener, Library.open, self.settings)
            except Exception as error:
                self.metrics.reloaded("failed")
                self.audit.append("reload", {"outcome": "failed", "error": type(error).__name__})
                _LOG.error("reload failed, the edition in use stays: %s", error)
                raise
            await self.judge.replace(library)
            self._stuck.clear()
            self.metrics.reloaded("done")
            self._say_edition()
            document = library.knowledge()
            self.audit.append(
                "reload", {"outcome": "done", "kb": document["version"], "kb_hash": document["hash"][:16]}
            )
            _LOG.info("reloaded: knowledge %s, rules %s", document["version"], document["rules"]["hash"][:12])
            return document

    async def judge_tickets(self) -> int:
        """Judge what lies open under tickets; the number of tickets judged."""
        # Those that failed again must not keep others waiting; they are tried anew with other knowledge, or after a start.
        tickets = await self._in_writer(self.store.open_tickets, _TICKETS_AT_ONCE + len(self._stuck))
        self.metrics.open_tickets = len(tickets)
        judged = 0
        for ticket in tickets:
            if ticket.ticket in self._stuck:
                continue
            prescriptions = read_prescriptions(ticket.document or "[]")
            try:
                library, answers = await self.judge.answer(prescriptions, "zh")
            except Exception as error:
                _LOG.warning("ticket %s stays open: %s", ticket.ticket, type(error).__name__)
                self._stuck.add(ticket.ticket)
                continue
            shown = [(finding["finding_id"], finding) for answer in answers for finding in answer["findings"]]
            reviewed = Reviewed(answers, ((),) * len(answers), library)
            self.record(reviewed, prescriptions, shown, channel=ticket.channel, ticket=ticket.ticket)
            text = json.dumps(answers, ensure_ascii=False)
            await self._in_writer(self.store.judge_ticket, ticket.ticket, text, utc_now())
            judged += 1
        return judged

    async def keep_judging_tickets(self) -> None:
        """Look after tickets until cancelled; write the audit log through to the disk on the way."""
        while True:
            await self.judge_tickets()
            await self._in_writer(self.audit.sync)
            await asyncio.sleep(_TICKET_SECONDS)

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
        await self.flush()
        self.audit.append("stop", {})
        self.judge.close()
        self._opener.shutdown()
        self._writer.shutdown()
        self.library.close()
        self.store.close()
        self.audit.close()

    async def _not_reviewed(
        self, prescriptions: Sequence[Prescription], channel: str, reason: str, start: float
    ) -> NotReviewed:
        key = f"T{datetime.now(UTC):%Y%m%d%H%M%S}{secrets.token_hex(5)}"
        self.metrics.ticket(reason)
        self.metrics.answered(channel, "not_reviewed", time.perf_counter() - start)
        try:
            await self._in_writer(
                self.store.open_ticket, Ticket(key, utc_now(), reason, channel, write_prescriptions(prescriptions))
            )
            self.audit.append("not_reviewed", {"channel": channel, "ticket": key, "reason": reason})
        except Exception as error:
            # The answer still says that nothing was reviewed.
            _LOG.error("no ticket could be kept: %s", type(error).__name__, exc_info=error)
            return NotReviewed(None, reason)
        return NotReviewed(key, reason)

    def _without_acknowledged(self, answers: Sequence[dict[str, Any]]) -> tuple[tuple[str, ...], ...]:
        taken_out: list[tuple[str, ...]] = []
        for answer in answers:
            kept: list[dict[str, Any]] = []
            left_out: list[str] = []
            for finding in answer["findings"]:
                key = (
                    finding["institution_id"], finding["visit_id"], finding["item_code"], finding["rule_id"], finding["point_id"],
                    finding["level"],
                )  # fmt: skip
                if finding["visit_id"] and key in self._acknowledged:
                    left_out.append(finding["finding_id"])
                else:
                    kept.append(finding)
            if len(kept) < len(answer["findings"]):
                answer.update({"findings": kept, **concluded(kept)})
                self.metrics.acknowledged(len(left_out))
            taken_out.append(tuple(left_out))
        return tuple(taken_out)

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

    def _take_in_missing(self) -> None:
        """Take into the store what the audit log has and the store lost when the process was killed."""
        rows: list[Shown] = []
        for record in records(self.settings.data / "audit.jsonl", self.store.last_seq()):
            if record["kind"] == "answer":
                rows += answer_record.rows_of(record)
        if rows:
            self.store.record_shown(rows, rows[-1].seq)

    def _say_edition(self) -> None:
        self.metrics.edition(self.library.precheck.version, self.library.precheck.plan.hash)
