"""Judging for many at once: requests that wait together share one query, against one library; what may take long has a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from checker.ingest.prescription import Prescription
from checker.service.library import Library

_LINES_TOGETHER = 2000
_LINES_ON_LOOP = 100
"""So few take a few milliseconds, and handing them to the thread would make every request wait longer than they do."""


class Waiting(NamedTuple):
    """One request's prescriptions, and where its answers go."""

    prescriptions: Sequence[Prescription]
    language: str
    answers: asyncio.Future[tuple[Library, list[dict[str, Any]]]]


class Judge:
    """Hands waiting requests to the library in use. Answers of one request come from one library, which is returned with them."""

    def __init__(self, library: Library, *, seconds: float) -> None:
        self.library = library
        self._seconds = seconds
        self._waiting: deque[Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, "judge")
        self._pump: asyncio.Task[None] | None = None

    async def answer(
        self, prescriptions: Sequence[Prescription], language: str, *, seconds: float | None = None
    ) -> tuple[Library, list[dict[str, Any]]]:
        """Answer a request. Raises TimeoutError past the limit or the seconds given, and whatever the engine raises."""
        # Names that mean no item, or several, are refused before anybody waits.
        for each in prescriptions:
            self.library.precheck.named(each)
        loop = asyncio.get_running_loop()
        answers: asyncio.Future[tuple[Library, list[dict[str, Any]]]] = loop.create_future()
        waiting = Waiting(prescriptions, language, answers)
        self._waiting.append(waiting)
        if self._pump is None:
            self._pump = loop.create_task(self._run())
        limit = loop.time() + (self._seconds if seconds is None else min(seconds, self._seconds))
        late = loop.call_at(limit, _give, waiting, TimeoutError())
        try:
            answered = await answers
        finally:
            late.cancel()
        # Whoever asked has given up on what was found after the limit, before the timer had its turn.
        if loop.time() >= limit:
            raise TimeoutError
        return answered

    async def replace(self, library: Library) -> None:
        """Judge by another library from the next query on; the one before is closed once nobody uses it."""
        before, self.library = self.library, library
        # The thread takes this up after the query that runs now.
        await asyncio.get_running_loop().run_in_executor(self._thread, before.close)

    def close(self) -> None:
        """Finish the query that runs, and end the thread."""
        self._thread.shutdown()

    async def _run(self) -> None:
        try:
            while self._waiting:
                # Who is being read by now shares the query: a second one costs more than the moment until nobody more comes.
                known = 0
                while known < len(self._waiting) < _LINES_TOGETHER:
                    known = len(self._waiting)
                    await asyncio.sleep(0)
                await self._judge(self._take())
        finally:
            self._pump = None

    def _take(self) -> list[Waiting]:
        taken: list[Waiting] = []
        lines = 0
        while self._waiting and (not taken or lines < _LINES_TOGETHER):
            waiting = self._waiting.popleft()
            if not waiting.answers.done():
                taken.append(waiting)
                lines += sum(len(each.items) for each in waiting.prescriptions)
        return taken

    async def _judge(self, taken: Sequence[Waiting]) -> None:
        if not taken:
            return
        library = self.library
        try:
            answered = await self._answered(library, taken)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if len(taken) == 1 or isinstance(error, TimeoutError):
                for waiting in taken:
                    _give(waiting, error)
                return
            # One request must not spoil the answers of those that happened to wait with it.
            for waiting in taken:
                await self._judge([waiting])
            return
        for waiting, answers in zip(taken, answered, strict=True):
            _give(waiting, (library, answers))

    async def _answered(self, library: Library, taken: Sequence[Waiting]) -> list[list[dict[str, Any]]]:
        prescriptions = [each for waiting in taken for each in waiting.prescriptions]
        languages = [waiting.language for waiting in taken for _ in waiting.prescriptions]
        if sum(len(each.items) for each in prescriptions) <= _LINES_ON_LOOP:
            return _handed_out(_answers(library, prescriptions, languages), taken)
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._thread, _answers, library, prescriptions, languages)
        limit = loop.call_later(self._seconds, library.precheck.connection.interrupt)
        try:
            return _handed_out(await running, taken)
        except Exception as error:
            import duckdb

            if isinstance(error, duckdb.InterruptException):
                raise TimeoutError from error
            raise
        finally:
            limit.cancel()


def _answers(library: Library, prescriptions: Sequence[Prescription], languages: Sequence[str]) -> list[dict[str, Any]]:
    # Points have other numbers in each edition, and the edition may have changed since the request was taken.
    named = [library.precheck.named(each) for each in prescriptions]
    return library.precheck.answer_together(named, languages=languages)


def _handed_out(answers: Sequence[dict[str, Any]], taken: Sequence[Waiting]) -> list[list[dict[str, Any]]]:
    """The answers by the request that they are for."""
    each = iter(answers)
    return [[next(each) for _ in waiting.prescriptions] for waiting in taken]


def _give(waiting: Waiting, outcome: tuple[Library, list[dict[str, Any]]] | Exception) -> None:
    # Who waited may have given up meanwhile.
    with contextlib.suppress(asyncio.InvalidStateError):
        if isinstance(outcome, Exception):
            waiting.answers.set_exception(outcome)
        else:
            waiting.answers.set_result(outcome)
