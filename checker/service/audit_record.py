"""One line of the audit log, made and taken apart by its bytes: number, time, kind and hashes, and whether its own hash is right."""

from __future__ import annotations

import functools
import hmac
import re
from dataclasses import dataclass
from hashlib import sha256

NO_HASH = "0" * 64
"""What the first record holds as the hash of the one before it."""
LONGEST = 1 << 26
"""Bytes of the longest record, so that a reader need not hold more."""
RESERVED = frozenset({"seq", "at", "kind", "prev", "hash", "mac"})
"""The names in a record that are the log's own."""

_RECORD = re.compile(
    rb'(\{"seq":([1-9][0-9]{0,17}),"at":"([0-9T:.Z-]{20,32})","kind":"([A-Za-z0-9_]{1,64})".*,"prev":"([0-9a-f]{64})"),"(hash|mac)":"([0-9a-f]{64})"\}\n',
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Record:
    """What the chain needs of a record; `is_sound` where the bytes have the hash that the line states, None where that takes a key not given.

    `is_keyed`: the hash is one that only who has the key can make.
    """

    seq: int
    at: str
    kind: str
    prev: str
    hash: str
    is_keyed: bool
    is_sound: bool | None


def write_record(seq: int, at: bytes, kind: str, members: bytes, prev: bytes, key: bytes | None) -> tuple[bytes, bytes]:
    """The line of a record and its hash; with a key the hash is an HMAC and is called `mac`."""
    comma = b"," if members else b""
    hashed = b'{"seq":%d,"at":"%b","kind":"%b"%b%b,"prev":"%b"' % (seq, at, _word(kind), comma, members, prev)
    own = _digest(hashed, key).encode()
    return b'%b,"%b":"%b"}\n' % (hashed, b"hash" if key is None else b"mac", own), own


def read_record(line: bytes, key: bytes | None = None) -> Record | None:
    """Take a line with its line end apart; None where it has not the form of a record."""
    found = _RECORD.fullmatch(line)
    if found is None:
        return None
    hashed, seq, *texts = found.groups()
    at, kind, prev, name, own = (text.decode("ascii") for text in texts)
    is_keyed = name == "mac"
    is_sound = None
    if not is_keyed or key is not None:
        is_sound = hmac.compare_digest(_digest(hashed, key if is_keyed else None), own)
    return Record(int(seq), at, kind, prev, own, is_keyed, is_sound)


def _digest(hashed: bytes, key: bytes | None) -> str:
    return (sha256(hashed).digest() if key is None else hmac.digest(key, hashed, "sha256")).hex()


@functools.cache
def _word(kind: str) -> bytes:
    if not (kind.isascii() and kind.isidentifier()):
        raise ValueError(f"a kind is one ASCII word, not {kind!r}")
    return kind.encode()
