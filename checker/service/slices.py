"""A large request is judged a few prescriptions at a time, so that those who ask meanwhile have their turn."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from checker.ingest.prescription import Prescription
from checker.service.judge import Judge
from checker.service.library import Library

_FIRST, _MOST = 8, 512
_SHORT, _LONG = 0.02, 0.06
"""Seconds: a slice that takes less is followed by a larger one, after one that takes more comes a smaller."""
FINDING_BYTES = 1500
"""About what a finding takes in an answer."""


class TooMuch(Exception):
    """The answer would be larger than an answer may be."""


async def answer_in_slices(
    judge: Judge, prescriptions: Sequence[Prescription], language: str, *, until: float | None, most_bytes: int
) -> tuple[Library, list[dict[str, Any]]]:
    """As `Judge.answer`, until a moment of `time.perf_counter`. All answers come from one library: where it is replaced meanwhile, it begins anew.

    Raises TimeoutError past that moment, TooMuch, InputError, and whatever the engine raises.
    """
    while True:
        library, answers, size = judge.library, list[dict[str, Any]](), 0
        async for some in _slices(judge, prescriptions, language, until):
            if some[0] is not library and answers:
                break
            library = some[0]
            answers += some[1]
            size += sum(map(_size, some[1]))
            if size > most_bytes:
                raise TooMuch
        else:
            return library, answers


async def _slices(
    judge: Judge, prescriptions: Sequence[Prescription], language: str, until: float | None
) -> AsyncIterator[tuple[Library, list[dict[str, Any]]]]:
    start, number = 0, _FIRST
    while start < len(prescriptions):
        begin = time.perf_counter()
        left = None if until is None else until - begin
        if left is not None and left <= 0:
            raise TimeoutError
        yield await judge.answer(prescriptions[start : start + number], language, seconds=left)
        start += number
        took = time.perf_counter() - begin
        if took < _SHORT:
            number = min(2 * number, _MOST)
        elif took > _LONG:
            number = max(number // 2, 1)


def _size(answer: Mapping[str, Any]) -> int:
    """About how many bytes an answer will have."""
    return 500 + sum(_finding_size(finding) for finding in answer["findings"])


def _finding_size(finding: Mapping[str, Any]) -> int:
    related = finding["related_lines"]
    return FINDING_BYTES + sum(len(line) + 3 for line in related if line) if related else FINDING_BYTES
