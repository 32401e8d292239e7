"""Verifies an audit log: reads its files once, line by line, and tells which records were changed, removed, inserted or moved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from checker.service.audit_files import all_files, unreadable
from checker.service.audit_record import LONGEST, NO_HASH, Record, read_record

LISTED = 1000
"""How many problems are told one by one; all are counted."""
_TRIES = 3
EXPIRED = "expired"
"""The kind of a record that says up to where the log was deleted because it was kept long enough."""

What = Literal[
    "form", "unfinished", "changed", "head", "gap", "order", "prev", "last", "short", "anchor", "keyless", "unkeyed"
]
"""form: no record; unfinished: no line end; changed: the hash is not that of the bytes; head: the log does not begin with record 1, and no
record says that what came before had expired; gap: numbers are left out; order: a number that was there already; prev: the record before is
not the one that stood there; last: the log does not end with the hash expected; short: it ends before a number that it had reached;
anchor: a record has not the hash that was kept elsewhere; keyless: records need a key that was not given; unkeyed: records without
key follow on keyed ones, or a key was given and nothing is keyed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a line: with the number of the record and the one that should stand there, where they differ."""

    line: int
    what: What
    seq: int | None = None
    expected_seq: int | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What a log holds and what is wrong with it; `problems` are the first of `problem_count`.

    `files` were read; `expired_seq` is the last record that was deleted because it was kept long enough, `anchors` how many hashes kept
    elsewhere were compared, `keyed` whether the records have a key.
    """

    records: int
    first_at: str | None
    last_at: str | None
    last_seq: int
    last_hash: str
    problem_count: int
    problems: tuple[Problem, ...]
    files: int = 1
    expired_seq: int = 0
    anchors: int = 0
    keyed: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem_count == 0


def verify(
    path: Path | str,
    expect: str | None = None,
    *,
    key: bytes | None = None,
    reached: int = 0,
    anchors: Mapping[int, str] | None = None,
) -> Verified:
    """Read a log, its finished files first, and hold every record against its hash and against the record before it.

    The chain cannot show that records are missing at its end: `expect` is the hash with which the log must end, `reached` a number that it
    must have reached, `anchors` the hashes of some records, all kept elsewhere. Raises InputError where a file cannot be read.
    """
    for last_try in range(_TRIES):
        files = all_files(Path(path))
        chain = _Chain(key, anchors or {})
        for file in files:
            chain.open(file.name if len(files) > 1 else None)
            try:
                with file.open("rb") as opened:
                    for line in _lines(opened):
                        chain.take(line)
            except OSError as error:
                if last_try + 1 < _TRIES and all_files(Path(path)) != files:
                    break
                raise unreadable(file, error) from error
        # A file may have been finished, or deleted as expired, while the log was read.
        if all_files(Path(path)) == files:
            break
    return chain.verified(len(files), expect, reached)


class _Chain:
    def __init__(self, key: bytes | None, anchors: Mapping[int, str]) -> None:
        self._key, self._anchors = key, anchors
        self._records = self._line = self._seq = self._problem_count = self._compared = self._expired = 0
        self._first_at: str | None = None
        self._last_at: str | None = None
        self._hash = NO_HASH
        self._head: tuple[Problem, str] | None = None
        self._is_keyed = self._lacks_key = False
        self._file: str | None = None
        self._problems: list[Problem] = []

    def open(self, file: str | None) -> None:
        self._file, self._line = file, 0

    def take(self, line: bytes) -> None:
        self._line += 1
        record = read_record(line, self._key)
        if record is None:
            self._tell("form" if line.endswith(b"\n") else "unfinished")
            return
        if what := self._wrong(record):
            self._tell(what, record.seq, self._seq + 1)
        elif self._records == 0 and record.seq > 1:
            # Told only where no record further on says that it is as it should be.
            self._head = Problem(self._line, "head", record.seq, 1, self._file), record.prev
        elif record.kind == EXPIRED and self._head is not None and record.is_sound:
            self._excuse(line)
        if (anchor := self._anchors.get(record.seq)) is not None:
            self._compared += 1
            if anchor != record.hash:
                self._tell("anchor", record.seq)
        # The chain goes on from what stands there, so that one deed is told once and not at every record after it.
        self._records += 1
        self._first_at, self._last_at = self._first_at or record.at, record.at
        self._seq, self._hash, self._is_keyed = record.seq, record.hash, self._is_keyed or record.is_keyed

    def verified(self, files: int, expect: str | None, reached: int) -> Verified:
        if self._head is not None:
            self._problem_count += 1
            self._problems.insert(0, self._head[0])
        if expect is not None and expect.lower() != self._hash:
            self._tell("last")
        if self._seq < (most := max(reached, max(self._anchors, default=0))):
            self._tell("short", self._seq, most)
        if self._key is not None and not self._is_keyed:
            self._tell("unkeyed")
        return Verified(
            self._records, self._first_at, self._last_at, self._seq, self._hash, self._problem_count, tuple(self._problems), files,
            self._expired, self._compared, self._is_keyed,
        )  # fmt: skip

    def _tell(self, what: What, seq: int | None = None, expected: int | None = None) -> None:
        self._problem_count += 1
        if len(self._problems) < LISTED:
            self._problems.append(Problem(self._line, what, seq, expected, self._file))

    def _wrong(self, record: Record) -> What | None:
        if record.is_sound is None and not self._lacks_key:
            self._lacks_key = True
            return "keyless"
        if record.is_sound is False:
            return "changed"
        if self._is_keyed and not record.is_keyed:
            return "unkeyed"
        if self._records == 0:
            return None if record.seq > 1 or record.prev == NO_HASH else "prev"
        if record.seq != self._seq + 1:
            return "gap" if record.seq > self._seq else "order"
        return None if record.prev == self._hash else "prev"

    def _excuse(self, line: bytes) -> None:
        assert self._head is not None
        head, prev = self._head
        told = json.loads(line)
        if told.get("last") == (head.seq or 0) - 1 and told.get("last_hash") == prev:
            self._head, self._expired = None, told["last"]


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines with their ends; one that is longer than any record comes in pieces, only the first of which is handed on."""
    goes_on = False
    while line := file.readline(LONGEST):
        if not goes_on:
            yield line
        goes_on = len(line) == LONGEST and not line.endswith(b"\n")
