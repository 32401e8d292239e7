"""Verifies an audit log: reads it once, line by line, and tells which records were changed, removed, inserted or moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from checker.service.audit_log import unreadable
from checker.service.audit_record import LONGEST, NO_HASH, Record, read_record

LISTED = 1000
"""How many problems are told one by one; all are counted."""

What = Literal["form", "unfinished", "changed", "head", "gap", "order", "prev", "last"]
"""form: no record; unfinished: no line end; changed: the hash is not that of the bytes; head: the log does not begin with record 1;
gap: numbers are left out; order: a number that was there already; prev: the record before is not the one that stood there;
last: the log does not end with the hash expected."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a line: with the number of the record and the one that should stand there, where they differ."""

    line: int
    what: What
    seq: int | None = None
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a log holds and what is wrong with it; `problems` are the first of `problem_count`."""

    records: int
    first_at: str | None
    last_at: str | None
    last_seq: int
    last_hash: str
    problem_count: int
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem_count == 0


def verify(path: Path | str, expect: str | None = None) -> Verified:
    """Read a log and hold every record against its hash and against the record before it.

    The chain cannot show that records are missing at its end: `expect` is the hash with which the log must end, kept elsewhere. Raises
    InputError where the file cannot be read.
    """
    chain = _Chain()
    try:
        with Path(path).open("rb") as file:
            for line in _lines(file):
                chain.take(line)
    except OSError as error:
        raise unreadable(path, error) from error
    if expect is not None and expect.lower() != chain.hash:
        chain.tell("last")
    return Verified(
        chain.records, chain.first_at, chain.last_at, chain.seq, chain.hash, chain.problem_count, tuple(chain.problems)
    )  # fmt: skip


class _Chain:
    def __init__(self) -> None:
        self.records = self.line = self.seq = self.problem_count = 0
        self.first_at: str | None = None
        self.last_at: str | None = None
        self.hash = NO_HASH
        self.problems: list[Problem] = []

    def take(self, line: bytes) -> None:
        self.line += 1
        record = read_record(line)
        if record is None:
            self.tell("form" if line.endswith(b"\n") else "unfinished")
            return
        if what := self._wrong(record):
            self.tell(what, record.seq, self.seq + 1)
        # The chain goes on from what stands there, so that one deed is told once and not at every record after it.
        self.records += 1
        self.first_at, self.last_at = self.first_at or record.at, record.at
        self.seq, self.hash = record.seq, record.hash

    def tell(self, what: What, seq: int | None = None, expected: int | None = None) -> None:
        self.problem_count += 1
        if len(self.problems) < LISTED:
            self.problems.append(Problem(self.line, what, seq, expected))

    def _wrong(self, record: Record) -> What | None:
        if not record.is_sound:
            return "changed"
        if record.seq != self.seq + 1:
            if self.records == 0:
                return "head"
            return "gap" if record.seq > self.seq else "order"
        return None if record.prev == self.hash else "prev"


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines with their ends; one that is longer than any record comes in pieces, only the first of which is handed on."""
    goes_on = False
    while line := file.readline(LONGEST):
        if not goes_on:
            yield line
        goes_on = len(line) == LONGEST and not line.endswith(b"\n")
