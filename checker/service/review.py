"""The desk of the service: a request is judged, recorded and answered; what could not be judged gets a ticket and is judged later."""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from checker.ingest.prescription import Prescription
from checker.model.errors import InputError
from checker.precheck.conclusion import concluded
from checker.service.books import Books, Reviewed
from checker.service.judge import Judge
from checker.service.keeper import Keeper
from checker.service.library import Library
from checker.service.metrics import Metrics
from checker.service.settings import Settings
from checker.service.slices import TooMuch, answer_in_slices
from checker.service.store import Ticket, utc_now
from checker.service.ticket_json import write_institutions, write_prescriptions

_LOG = logging.getLogger("liangku.serve")
_COLLECTED_AFTER = 20_000
_KEPT_SECONDS = 2.0
"""So long an answer that was not reviewed waits for its ticket: the store may be held by another program."""
_ON_LOOP_BYTES = 32 * 1024
"""What is longer is read and written in a thread, so that others do not wait for it."""
_Value = TypeVar("_Value")


class NotReviewed(NamedTuple):
    """No judgment in time: the ticket under which it follows (None where not even that could be kept), and why."""

    ticket: str | None
    reason: str


class Desk:
    """What lives as long as the service: the judge, what is remembered, the audit log, the counts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        # Where these do not load, no folder is made.
        library = Library.open(settings)
        self.books = Books(settings, self.metrics)
        self.judge = Judge(library, seconds=settings.limits.time_ms / 1000)
        self._say_edition()
        # What was loaded stays: the collector need not go through it again and again, nor come after every few requests.
        gc.freeze()
        gc.set_threshold(_COLLECTED_AFTER, 20, 50)
        self._opener = ThreadPoolExecutor(1, "open")
        self._reader = ThreadPoolExecutor(2, "read")
        self.keeper = Keeper(self.books, self.metrics, settings, self.judged_later)
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

    async def _in_slices(
        self, prescriptions: Sequence[Prescription], language: str, until: float | None, most_bytes: int | None = None
    ) -> tuple[Library, list[dict[str, Any]]]:
        return await answer_in_slices(
            self.judge, prescriptions, language, until=until, most_bytes=most_bytes or self.settings.limits.answer_bytes
        )

    def _reviewed(
        self, library: Library, answers: list[dict[str, Any]], prescriptions: Sequence[Prescription]
    ) -> Reviewed:
        if not self.books.acknowledged or not any(answer["findings"] for answer in answers):
            return Reviewed(answers, ((),) * len(answers), library)
        persons = [self.books.pseudonyms.person(each.facts) for each in prescriptions]
        parted = self.books.acknowledged.leave_out(zip(answers, persons, strict=True), self.books.pseudonyms)
        for answer, (kept, left_out) in zip(answers, parted, strict=True):
            if left_out:
                answer.update({"findings": kept, **concluded(kept, answer["checked_lines"])})
                self.metrics.acknowledged(len(left_out))
        return Reviewed(answers, tuple(left_out for _, left_out in parted), library)

    def _count(self, reviewed: Reviewed, channel: str, start: float) -> None:
        outcome = "clear"
        for answer in reviewed.answers:
            if answer["verdict"] != "clear" and outcome != "violation":
                outcome = answer["verdict"]
        self.metrics.answered(channel, outcome, time.perf_counter() - start)

    async def reload(self, by: str) -> dict[str, Any]:
        """Open rules and knowledge again and use them from the next query on; where they do not load, nothing changes. `by` is who asked.

        Raises KnowledgeError or RuleError.
        """
        async with self._reloading:
            try:
                library = await asyncio.get_running_loop().run_in_executor(self._opener, Library.open, self.settings)
            except Exception as error:
                self.metrics.reloaded("failed")
                self.books.write("reload", {"outcome": "failed", "by": by, "error": type(error).__name__})
                _LOG.error("reload failed, the edition in use stays: %s", error)
                raise
            await self.judge.replace(library)
            self.keeper.try_all_again()
            self.metrics.reloaded("done")
            self._say_edition()
            document = library.knowledge()
            self.books.write(
                "reload", {"outcome": "done", "by": by, "kb": document["version"], "kb_hash": document["hash"][:16]}
            )
            _LOG.info("reloaded by %s: knowledge %s, rules %s", by, document["version"], document["rules"]["hash"][:12])
            return document

    async def close(self) -> None:
        """Finish what was begun, and close everything."""
        await self.keeper.stop()
        await self.books.close()
        self.judge.close()
        self._opener.shutdown()
        self._reader.shutdown(wait=False, cancel_futures=True)
        self.library.close()

    async def _not_reviewed(
        self, prescriptions: Sequence[Prescription], channel: str, reason: str, start: float
    ) -> NotReviewed:
        key = f"T{datetime.now(UTC):%Y%m%d%H%M%S}{secrets.token_hex(5)}"
        self.metrics.ticket(reason)
        self.metrics.answered(channel, "not_reviewed", time.perf_counter() - start)
        try:
            ticket = Ticket(
                key,
                utc_now(),
                reason,
                channel,
                write_prescriptions(prescriptions),
                institutions=write_institutions(prescriptions),
            )
            async with asyncio.timeout(_KEPT_SECONDS):
                await self.books.in_store(self.books.store.open_ticket, ticket)
            self.books.write("not_reviewed", {"channel": channel, "ticket": key, "reason": reason})
        except Exception as error:
            # The answer still says that nothing was reviewed.
            _LOG.error("no ticket could be kept: %s", type(error).__name__, exc_info=error)
            return NotReviewed(None, reason)
        return NotReviewed(key, reason)

    def _say_edition(self) -> None:
        self.metrics.edition(self.library.precheck.version, self.library.precheck.plan.hash)
