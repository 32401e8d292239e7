"""The audit log: records appended to one file, each holding the hash of the one before it, whole on disk or cut off at the next start.

A record is one line of JSON: `{"seq":N,"at":"…","kind":"…",…,"prev":"…","hash":"…"}`. `hash` is the sha256 of the bytes of the line
before `,"hash":`, `prev` the hash of the record before, 64 zeros in the first. With a key it is an HMAC of the same bytes, called `mac`.
When a month ends or the file is large it is renamed, and the chain goes on in a new one (audit_files.py). Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from checker.model.errors import InputError, why
from checker.model.folder_lock import FolderLock
from checker.model.private_files import for_owner_alone, make_folder
from checker.service.audit_files import finished_files, finished_path, first_record, last_line, month_of
from checker.service.audit_record import LONGEST, NO_HASH, RESERVED, Record, read_record, write_record

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
_LOOK_NS = 100_000_000
"""So often a log that is written looks whether its file is still there."""
_IS_WINDOWS = sys.platform == "win32"


class AuditLog:
    """One log, open for appending. Its methods may be called from any thread; a second writer is refused.

    `displaced` says since when the file is no longer what this process wrote: it was moved, deleted, shortened or written by others.
    """

    def __init__(
        self, path: Path | str, *, key: bytes | None = None, largest: int = 0, known: tuple[int, str] | None = None
    ) -> None:
        """Open the log, or make it, and go on from its last whole record.

        `largest`: bytes at which a file is finished (0: none). `known`: a number and hash that the log must have reached, from elsewhere;
        where it is shorter, it goes on after that number, and a record of kind `short` says so. What a killed process left of an
        unfinished record is cut off, and a record of kind `cut` says how many bytes that was. Raises InputError where the file cannot be
        opened, another process writes it, or its last record is not one of this log.
        """
        self._path, self._key, self._largest = Path(path), key, largest
        self._lock = threading.Lock()
        self._seq, self._hash = 0, NO_HASH.encode()
        self._first_seq, self._month = 0, ""
        self._unfinished = False
        self._second, self._told, self._now_month = 0, b"", ""
        self._before: list[int] = []
        self._file, self._size, self._place = -1, 0, (0, 0)
        self._looked = 0
        self.displaced: str | None = None
        try:
            make_folder(self._path.parent)
            self._holder = FolderLock(self._path.with_name(f"{self._path.name}.lock"))
            with for_owner_alone():
                is_held = self._holder.take()
            if not is_held:
                raise InputError(
                    f"{self._path}：另一个进程正在写这份审计日志，请先停止它，或换一个文件"
                    "（another process writes this audit log: stop it, or name another file）"
                )
            try:
                self._open()
                self._continue(known)
            except BaseException:
                if self._file >= 0:
                    os.close(self._file)
                self._holder.release()
                raise
        except OSError as error:
            raise InputError(
                f"{self._path}：审计日志无法打开（{why(error)}），请检查位置和权限（the audit log cannot be opened: check the place）"
            ) from error

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

        The names `seq`, `at`, `kind`, `prev`, `hash` and `mac` must not be among them.
        """
        return self._append(kind, fields[1:-1] if fields[:1] == b"{" else fields)

    def sync(self) -> tuple[int, str]:
        """Wait until all that was appended is on disk; the number and hash of the last record that surely is."""
        with self._lock:
            reached = self._seq, self.last_hash
            before, self._before = self._before, []
            # A file of its own, since the one that is written may be finished meanwhile.
            file = os.dup(self._file) if self._file >= 0 else -1
        for each in (*before, file):
            if each >= 0:
                try:
                    os.fsync(each)
                finally:
                    os.close(each)
        return reached

    def close(self) -> None:
        """Write what is pending to disk and let another process append."""
        self.sync()
        with self._lock:
            os.close(self._file)
            self._holder.release()

    def look(self) -> None:
        """See to it that the file is still the one that was written."""
        with self._lock:
            self._check_place()

    def _append(self, kind: str, members: bytes) -> int:
        if b"\n" in members or len(members) > LONGEST - 1024:
            raise ValueError(f"a record is one line of at most {LONGEST - 1024:,} bytes")
        with self._lock:
            if self._unfinished:
                self._cut(self._size)
            if time.monotonic_ns() - self._looked > _LOOK_NS:
                self._check_place()
            return self._put(kind, members)

    def _put(self, kind: str, members: bytes) -> int:
        seq, now = self._seq + 1, self._now()
        if self._size and (self._now_month != self._month or (self._largest and self._size >= self._largest)):
            self._finish()
        line, own = write_record(seq, now, kind, members, self._hash, self._key)
        if not self._size:
            self._first_seq, self._month = seq, self._now_month
        self._write(line)
        self._seq, self._hash = seq, own
        return seq

    def _now(self) -> bytes:
        """The time in UTC to the millisecond; a second is put into words once."""
        second, millisecond = divmod(time.time_ns() // 1_000_000, 1000)
        if second != self._second:
            told = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second, self._told, self._now_month = second, told.encode(), month_of(f"{told}Z")
        return b"%b.%03dZ" % (self._told, millisecond)

    def _write(self, line: bytes) -> None:
        """Write a whole line, or nothing of it."""
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
            raise OSError(errno.ENOSPC, f"audit log: {written} of {len(line)} bytes written")

    def _cut(self, size: int) -> None:
        os.ftruncate(self._file, size)
        self._unfinished = False

    def _open(self) -> None:
        """Open the file at the path of the log, or make it."""
        is_new = not self._path.exists()
        self._file = os.open(self._path, _FLAGS, 0o600)
        state = os.fstat(self._file)
        self._size, self._place = state.st_size, (state.st_dev, state.st_ino)
        if is_new:
            _sync_folder(self._path.parent)

    def _finish(self) -> None:
        """Rename the file, and go on in a new one. Where that name is taken, the file only becomes longer."""
        target = finished_path(self._path, self._month, self._first_seq)
        if target.exists():
            return
        self._let_go()
        try:
            self._path.rename(target)
        finally:
            self._open()

    def _let_go(self) -> None:
        if self._file >= 0:
            if _IS_WINDOWS:  # no open file can be renamed there
                os.fsync(self._file)
                os.close(self._file)
            else:
                self._before.append(self._file)
            self._file = -1

    def _check_place(self) -> None:
        """Notice that the file was moved, deleted, shortened or written by others, and say so in a record that goes on with the chain."""
        self._looked, found = time.monotonic_ns(), -1
        with contextlib.suppress(FileNotFoundError):
            state = self._path.stat()
            if (state.st_dev, state.st_ino) == self._place and self._file >= 0:
                if state.st_size == self._size:
                    return
                found = state.st_size
        size = self._size
        if found < 0:
            self._let_go()
            self._open()
            if self._size and self._last_hash_there() != self.last_hash:
                os.close(self._file)
                self._file = -1
                self.displaced = self.displaced or self._now().decode()
                raise OSError(errno.EEXIST, "audit log: another file stands in its place")
        else:
            self._size = found
        if self._size != size or found < 0:
            self.displaced = self.displaced or self._now().decode()
            if self._size:
                # What stands there may end within a line.
                unfinished, _ = last_line(self._path)
                if unfinished:
                    self._size -= unfinished
                    self._cut(self._size)
            self._put("displaced", b'"expected_bytes":%d,"found_bytes":%d' % (size, max(found, 0)))

    def _last_hash_there(self) -> str | None:
        last = read_record(last_line(self._path)[1], self._key)
        return last.hash if last else None

    def _continue(self, known: tuple[int, str] | None) -> None:
        """Find the last whole record, in this file or the one before it, and cut off what follows it."""
        unfinished, line = last_line(self._path)
        finished = finished_files(self._path)
        if line:
            last = self._go_on_from(self._path, line)
            first = first_record(self._path) or last
            self._first_seq, self._month = first.seq, month_of(first.at)
        elif finished:
            self._go_on_from(finished[-1].path, last_line(finished[-1].path)[1])
        if unfinished:
            self._size -= unfinished
            self._cut(self._size)
        reached = self._seq
        if known is not None and known[0] > reached:
            self._seq, self._hash = known[0], known[1].encode()
        if unfinished:
            self.append("cut", {"bytes": unfinished})
        if known is not None and known[0] > reached:
            self.append("short", {"found": reached, "expected": known[0]})

    def _go_on_from(self, path: Path, line: bytes) -> Record:
        last = read_record(line, self._key)
        if last is not None and last.is_sound is None:
            raise InputError(
                f"{path}：这份审计日志带密钥，请给出 audit_key_file 或 LIANGKU_AUDIT_KEY（the log is keyed: give its key）"
            )
        if last is None or not last.is_sound:
            raise InputError(
                f"{path}：最后一条记录不是完好的审计记录，请用 liangku audit-log verify 检查，移走此文件后再启动"
                "（the last record is damaged: verify the log, and move it away before starting）"
            )
        self._seq, self._hash = last.seq, last.hash.encode()
        return last


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file survive a power failure, where folders can be synced."""
    if not _IS_WINDOWS:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
