"""The audit log: records appended to one file, each holding the hash of the one before it, whole on disk or cut off at the next start.

A record is one line of JSON: `{"seq":N,"at":"…","kind":"…",…,"prev":"…","hash":"…"}`. `hash` is the sha256 of the bytes of the line
before `,"hash":`, `prev` the hash of the record before, 64 zeros in the first. Standard library only.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from checker.model.errors import InputError
from checker.service.audit_record import LONGEST, NO_HASH, RESERVED, read_record

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_BLOCK = 1 << 16
_LOCKED_BYTE = 1 << 40
"""Where Windows locks: far behind what is written, since it keeps others from reading what is locked."""


class AuditLog:
    """One log, open for appending. Its methods may be called from any thread; a second writer is refused."""

    def __init__(self, path: Path | str) -> None:
        """Open the log, or make it, and go on from its last whole record.

        What a killed process left of an unfinished record is cut off, and a record of kind `cut` says how many bytes that was. Raises
        InputError where the file cannot be opened, another process writes it, or its last record is not one of this log.
        """
        self._path = Path(path)
        self._lock = threading.Lock()
        self._seq = 0
        self._hash = NO_HASH.encode()
        self._unfinished = False
        self._second, self._told = 0, b""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self._path.exists()
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._file = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise InputError(
                f"{self._path}：审计日志无法打开（{error.strerror}），请检查位置和权限（the audit log cannot be opened: check the place）"
            ) from error
        try:
            self._take()
            self._size = os.fstat(self._file).st_size
            self._continue()
            if is_new:
                _sync_folder(self._path.parent)
        except BaseException:
            os.close(self._file)
            raise

    @property
    def last_seq(self) -> int:
        """The number of the last record; 0 in an empty log."""
        return self._seq

    @property
    def last_hash(self) -> str:
        """The hash of the last record: kept elsewhere, it shows whether records are cut off at the end."""
        return self._hash.decode()

    def append(self, kind: str, fields: Mapping[str, object]) -> int:
        """Append a record and return its number. It survives the end of this process; `sync` makes it survive a power failure."""
        if not RESERVED.isdisjoint(fields):
            raise ValueError(f"reserved names among the fields: {sorted(RESERVED.intersection(fields))}")
        # Half a surrogate pair, which JSON may bring, stays the escape that it was.
        return self._append(kind, _encode(fields).encode(errors="backslashreplace")[1:-1])

    def append_encoded(self, kind: str, fields: bytes) -> int:
        """Append a record whose fields are JSON already: an object on one line, with or without its braces.

        The names `seq`, `at`, `kind`, `prev` and `hash` must not be among them.
        """
        return self._append(kind, fields[1:-1] if fields[:1] == b"{" else fields)

    def sync(self) -> None:
        """Wait until all that was appended is on disk."""
        os.fsync(self._file)

    def close(self) -> None:
        """Write what is pending to disk and let another process append."""
        with self._lock:
            os.fsync(self._file)
            os.close(self._file)

    def _append(self, kind: str, members: bytes) -> int:
        if b"\n" in members or len(members) > LONGEST - 1024:
            raise ValueError(f"a record is one line of at most {LONGEST - 1024:,} bytes")
        with self._lock:
            seq = self._seq + 1
            comma = b"," if members else b""
            hashed = b'{"seq":%d,"at":"%b","kind":"%b"%b%b,"prev":"%b"' % (
                seq, self._now(), _word(kind), comma, members, self._hash
            )  # fmt: skip
            own = sha256(hashed).hexdigest().encode()
            self._write(b'%b,"hash":"%b"}\n' % (hashed, own))
            self._seq, self._hash = seq, own
            return seq

    def _now(self) -> bytes:
        """The time in UTC to the millisecond; a second is put into words once."""
        second, millisecond = divmod(time.time_ns() // 1_000_000, 1000)
        if second != self._second:
            self._second, self._told = (
                second,
                datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode(),
            )
        return b"%b.%03dZ" % (self._told, millisecond)

    def _write(self, line: bytes) -> None:
        """Write a whole line, or nothing of it."""
        if self._unfinished:
            self._cut(self._size)
        written = 0
        try:
            written = os.write(self._file, line)
            if written < len(line):
                # The disk is full: writing the rest says so, or finishes the line where room was made meanwhile.
                written += os.write(self._file, line[written:])
        finally:
            if written == len(line):
                self._size += written
            else:
                self._unfinished = True
                with contextlib.suppress(OSError):
                    # Tried again before the next record.
                    self._cut(self._size)
        if written != len(line):
            raise OSError(f"audit log: {written} of {len(line)} bytes written")

    def _cut(self, size: int) -> None:
        os.ftruncate(self._file, size)
        self._unfinished = False

    def _take(self) -> None:
        try:
            if sys.platform == "win32":
                os.lseek(self._file, _LOCKED_BYTE, os.SEEK_SET)
                msvcrt.locking(self._file, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{self._path}：另一个进程正在写这份审计日志，请先停止它，或换一个文件（another process writes this audit log: stop it, or name another file）"
            ) from error

    def _continue(self) -> None:
        """Find the last whole record, and cut off what follows it."""
        unfinished, line = self._tail()
        if line:
            last = read_record(line)
            if last is None or not last.is_sound:
                raise InputError(
                    f"{self._path}：最后一条记录不是完好的审计记录，请用 liangku audit-log verify 检查，移走此文件后再启动"
                    "（the last record is damaged: verify the log, and move it away before starting）"
                )
            self._seq, self._hash = last.seq, last.hash.encode()
        if unfinished:
            self._cut(self._size - unfinished)
            self._size -= unfinished
            self.append("cut", {"bytes": unfinished})

    def _tail(self) -> tuple[int, bytes]:
        """How many bytes follow the last line end, and the line that ends with it; an empty line where there is none."""
        tail, start = b"", self._size
        while start and tail.count(b"\n") < 2:
            if len(tail) > 2 * LONGEST:
                raise InputError(
                    f"{self._path}：不是审计日志（行太长），请换一个文件（not an audit log, its lines are too long: name another file）"
                )
            length = min(_BLOCK, start)
            start -= length
            os.lseek(self._file, start, os.SEEK_SET)
            tail = os.read(self._file, length) + tail
        end = tail.rfind(b"\n") + 1
        return len(tail) - end, tail[tail.rfind(b"\n", 0, max(end - 1, 0)) + 1 : end]


@functools.cache
def _word(kind: str) -> bytes:
    if not (kind.isascii() and kind.isidentifier()):
        raise ValueError(f"a kind is one ASCII word, not {kind!r}")
    return kind.encode()


def records(path: Path | str, after_seq: int = 0) -> Iterator[dict[str, Any]]:
    """The records after that number, in the order of the file; what is unfinished at the end is left out.

    Raises InputError where the file cannot be read or a line is not a record.
    """
    try:
        with Path(path).open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    # The number stands first: what was taken in before need not be parsed.
                    if int(line[len(b'{"seq":') : line.index(b",")]) > after_seq:
                        yield json.loads(line)
                except ValueError as error:
                    raise InputError(
                        f"{path}：第 {number} 行不是审计记录，请用 liangku audit-log verify 检查（line {number} is no audit record: verify the log）"
                    ) from error
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path | str, error: OSError) -> InputError:
    """The refusal of a log that cannot be read."""
    return InputError(
        f"{path}：审计日志无法读取（{error.strerror}），请检查路径和权限（the audit log cannot be read: check the path）"
    )


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file survive a power failure, where folders can be synced."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
