"""One line of the audit log, taken apart by its bytes: number, time, kind and hashes, and whether its own hash is right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

NO_HASH = "0" * 64
"""What the first record holds as the hash of the one before it."""
LONGEST = 1 << 26
"""Bytes of the longest record, so that a reader need not hold more."""
RESERVED = frozenset({"seq", "at", "kind", "prev", "hash"})
"""The names in a record that are the log's own."""

_RECORD = re.compile(
    rb'(\{"seq":([1-9][0-9]{0,17}),"at":"([0-9T:.Z-]{20,32})","kind":"([A-Za-z0-9_]{1,64})".*,"prev":"([0-9a-f]{64})"),"hash":"([0-9a-f]{64})"\}\n',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Record:
    """What the chain needs of a record; `is_sound` where the bytes have the hash that the line states."""

    seq: int
    at: str
    kind: str
    prev: str
    hash: str
    is_sound: bool


def read_record(line: bytes) -> Record | None:
    """Take a line with its line end apart; None where it has not the form of a record."""
    found = _RECORD.fullmatch(line)
    if found is None:
        return None
    hashed, seq, *texts = found.groups()
    at, kind, prev, own = (text.decode("ascii") for text in texts)
    return Record(int(seq), at, kind, prev, own, sha256(hashed).hexdigest() == own)
