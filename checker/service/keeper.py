"""What goes on beside the answers for as long as the service lives: late judgments, the log on disk, and deleting what has expired."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from checker.ingest.prescription import Prescription
from checker.model.china_time import china_today
from checker.service.audit_anchor import write_anchor
from checker.service.audit_expiry import expire
from checker.service.books import Books, Reviewed
from checker.service.metrics import Metrics
from checker.service.pseudonyms import Pseudonyms
from checker.service.settings import Keep, Settings
from checker.service.store import Expired, Store, Ticket, utc_now
from checker.service.ticket_json import read_prescriptions

_LOG = logging.getLogger("liangku.serve")
_TICKETS_AT_ONCE = 50
_TICKET_SECONDS, _SYNC_SECONDS, _EXPIRY_SECONDS, _ANCHOR_SECONDS = 5.0, 2.0, 3600.0, 60.0
_LONGEST_PAUSE = 600.0


@dataclass(slots=True)
class Chore:
    """One thing that is done again and again, and how it went last: `error` is the kind of failure, None where it went well."""

    name: str
    seconds: float
    do: Callable[[], Awaitable[object]]
    done_at: float = 0.0
    error: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether it went well, and not too long ago."""
        return self.error is None and time.monotonic() - self.done_at < 3 * self.seconds + 60


class Keeper:
    """Does its chores, each in a task of its own, until it is stopped; one that fails is logged and done again."""

    def __init__(
        self,
        books: Books,
        metrics: Metrics,
        settings: Settings,
        judge: Callable[[Sequence[Prescription]], Awaitable[Reviewed]],
    ) -> None:
        self._books, self._metrics, self._settings, self._judge = books, metrics, settings, judge
        self._thread = ThreadPoolExecutor(1, "keep")
        self._tasks: list[asyncio.Task[None]] = []
        self._waits: dict[str, tuple[float, float]] = {}
        self._broken: set[str] = set()
        self._anchored, self._anchored_at = 0, 0.0
        now = time.monotonic()
        self.chores = tuple(
            Chore(name, seconds, do, now)
            for name, seconds, do in (
                ("tickets", _TICKET_SECONDS, self.judge_tickets),
                ("sync", _SYNC_SECONDS, self.sync),
                ("expiry", _EXPIRY_SECONDS, self.expire),
            )
        )

    def start(self) -> None:
        """Begin, in the running loop."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep(chore)) for chore in self.chores]

    async def stop(self) -> None:
        """End what is under way."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._thread.shutdown()

    def try_all_again(self) -> None:
        """Judge with other knowledge what could not be judged."""
        self._broken.clear()
        self._waits.clear()

    async def judge_tickets(self) -> int:
        """Judge what lies open under tickets; the number of tickets judged."""
        books, now = self._books, time.monotonic()
        # Those that failed must not keep others waiting.
        held_back = self._broken | {ticket for ticket, (until, _) in self._waits.items() if until > now}
        tickets = await books.in_store(books.store.open_tickets, _TICKETS_AT_ONCE + len(held_back))
        self._metrics.open_tickets = len(tickets)
        judged = 0
        for ticket in tickets:
            if ticket.ticket not in held_back:
                judged += await self._judge_ticket(ticket)
        return judged

    async def _judge_ticket(self, ticket: Ticket) -> bool:
        books = self._books
        try:
            prescriptions = read_prescriptions(ticket.document or "[]")
            reviewed = await self._judge(prescriptions)
        except TimeoutError:
            # The judge was busy, or it takes long: the ticket waits, longer each time, and is tried again.
            _, pause = self._waits.get(ticket.ticket, (0.0, _TICKET_SECONDS / 2))
            pause = min(2 * pause, _LONGEST_PAUSE)
            self._waits[ticket.ticket] = (time.monotonic() + pause, pause)
            return False
        except Exception as error:
            _LOG.warning("ticket %s stays open: %s", ticket.ticket, type(error).__name__)
            self._broken.add(ticket.ticket)
            return False
        self._waits.pop(ticket.ticket, None)
        shown = [(finding["finding_id"], finding) for answer in reviewed.answers for finding in answer["findings"]]
        books.record(reviewed, prescriptions, shown, channel=ticket.channel, ticket=ticket.ticket)
        text = json.dumps(
            [_without_person(answer, books.pseudonyms) for answer in reviewed.answers], ensure_ascii=False
        )
        await books.in_store(books.store.judge_ticket, ticket.ticket, text, utc_now())
        return True

    async def sync(self) -> None:
        """Write the log through to the disk, and keep how far it reaches in the store and in the file of anchors."""
        books = self._books
        await books.flush()
        await self._in_thread(books.audit.look)
        if books.unwritten is not None:
            # Whether there is room again shows only by writing.
            books.write("resumed", {})
        seq, digest = await self._in_thread(books.audit.sync)
        if not seq or seq == self._anchored:
            return
        await books.in_store(books.store.keep_anchor, seq, digest)
        self._anchored = seq
        file = self._settings.audit_anchor
        if file is not None and time.monotonic() - self._anchored_at >= _ANCHOR_SECONDS:
            await self._in_thread(write_anchor, file, seq, digest, utc_now())
            self._anchored_at = time.monotonic()

    async def expire(self) -> None:
        """Delete what was kept long enough."""
        books, keep, now = self._books, self._settings.keep, datetime.now(UTC)
        books.acknowledged.forget((china_today() - timedelta(days=keep.shown_days or 36500)).isoformat())
        shown = tickets = unjudged = 0
        while True:
            deleted = await books.in_store(_expire_store, books.store, keep, now)
            shown, tickets, unjudged = shown + deleted.shown, tickets + deleted.tickets, unjudged + deleted.unjudged
            if not any(deleted):
                break
        if shown or tickets or unjudged:
            books.write("expired_store", {"shown": shown, "tickets": tickets, "unjudged": unjudged})
        await self._in_thread(_expire_log, books, keep, now)

    async def _keep(self, chore: Chore) -> None:
        while True:
            try:
                await chore.do()
            except Exception as error:
                if chore.error is None:
                    _LOG.error("%s failed, and is tried again: %s", chore.name, type(error).__name__, exc_info=error)
                chore.error = type(error).__name__
                self._metrics.failed(chore.name)
            else:
                chore.done_at, chore.error = time.monotonic(), None
            await asyncio.sleep(chore.seconds if chore.error is None else min(chore.seconds, _TICKET_SECONDS))

    async def _in_thread(self, call: Any, *values: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *values)


def _expire_store(store: Store, keep: Keep, now: datetime) -> Expired:
    return store.expire(
        shown_before=_before(now, keep.shown_days), tickets_before=_before(now, keep.ticket_days), most_bytes=keep.store_bytes
    )  # fmt: skip


def _expire_log(books: Books, keep: Keep, now: datetime) -> int:
    return expire(
        books.audit,
        books.audit_path,
        days=keep.audit_days,
        most_bytes=keep.audit_bytes,
        now=now,
        key=books.audit_key,
    )


def _before(now: datetime, days: int) -> str:
    return f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%S}" if days else ""


def _without_person(answer: dict[str, Any], pseudonyms: Pseudonyms) -> dict[str, Any]:
    """A late answer as it is kept: what was found, and not about whom; who asked knows the ticket."""
    findings = [
        finding
        | {
            "patient_id": None,
            "visit_id": pseudonyms.number(finding["visit_id"]),
            "settlement_id": pseudonyms.number(finding["settlement_id"]),
        }
        for finding in answer["findings"]
    ]
    return answer | {"findings": findings}
