"""The embedded database of the service: its layout, and how it is opened for writing and for reading beside a writer.

Standard library only: the feedback report reads it without the service installed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from checker.model.errors import InputError, why
from checker.model.private_files import make_folder

LAYOUT = 3
"""The layout that this program writes, kept in `PRAGMA user_version`."""
_READABLE = (1, 2, LAYOUT)
"""Layouts that are read as they lie; one that is older than ours is brought up to it when the service opens it."""
_APPLICATION = 0x6C676B75
"""Marks the file as ours ("lgku") in `PRAGMA application_id`, so that another program's database is not written into."""
_WAIT = 5.0
"""Seconds to wait for another process's transaction."""
_LOG_BYTES = 16 << 20
"""So much of the write-ahead log stays on disk when it was folded into the database."""

_TABLES = (
    """CREATE TABLE shown (
        finding_id TEXT PRIMARY KEY, first_at TEXT NOT NULL, last_at TEXT NOT NULL, times INTEGER NOT NULL, stage TEXT, visit_id TEXT,
        patient_id TEXT, institution_id TEXT, item_code TEXT, item_name TEXT, rule_id TEXT NOT NULL, point_id TEXT, verdict TEXT NOT NULL,
        level TEXT, reason_code TEXT, amount REAL, kb_version TEXT, channel TEXT NOT NULL, seq INTEGER NOT NULL, person TEXT, day TEXT)""",
    """CREATE TABLE feedback (
        id INTEGER PRIMARY KEY, finding_id TEXT NOT NULL, at TEXT NOT NULL, decision TEXT NOT NULL, reason_code TEXT, reason TEXT,
        operator TEXT, second_operator TEXT, channel TEXT NOT NULL)""",
    "CREATE INDEX feedback_of_finding ON feedback (finding_id)",
    """CREATE TABLE ticket (
        ticket TEXT PRIMARY KEY, at TEXT NOT NULL, reason TEXT NOT NULL, channel TEXT NOT NULL, document TEXT, status TEXT NOT NULL,
        answer TEXT, judged_at TEXT, institutions TEXT)""",
    "CREATE INDEX ticket_open ON ticket (at) WHERE status = 'open'",
    # Links of an earlier version, which checker.service.item_links takes over.
    "CREATE TABLE trace (prefix TEXT PRIMARY KEY, item_code TEXT, item_name TEXT)",
    "CREATE TABLE progress (only INTEGER PRIMARY KEY CHECK (only = 1), last_seq INTEGER NOT NULL)",
    "INSERT INTO progress VALUES (1, 0)",
    "CREATE TABLE anchor (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)",
)
_RAISED = {
    1: (
        "ALTER TABLE shown ADD COLUMN person TEXT",
        "ALTER TABLE shown ADD COLUMN day TEXT",
        "CREATE TABLE anchor (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)",
    ),
    2: ("ALTER TABLE ticket ADD COLUMN institutions TEXT",),
}
"""What brings a layout to the next."""


def open_for_writing(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Open the database, made where it is absent: a connection whose commits reach the disk, and one whose commits survive the process only.

    Raises InputError where it cannot be opened, belongs to another program, or has a layout that this program does not know.
    """
    opened: list[sqlite3.Connection] = []
    try:
        make_folder(path.parent)
        # It holds who was asked about; SQLite gives the files beside it the same mode. A file that is there is never opened beside SQLite: closing
        # it would drop all locks that this process has on it, and another program would then take the write-ahead log away.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        for synchronous in ("FULL", "NORMAL"):
            connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
            opened.append(connection)
            if synchronous == "FULL":
                _prepare(connection, path)
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute("PRAGMA foreign_keys = OFF")
            # What is erased is overwritten, not only forgotten.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
    except (OSError, sqlite3.Error, InputError) as error:
        for connection in opened:
            connection.close()
        raise _refusal(path, error) from error
    durable, fast = opened
    return durable, fast


@contextlib.contextmanager
def open_for_reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the database to read one unchanging state of it, while the service may be writing.

    Raises InputError where it cannot be opened, belongs to another program, or has a layout that this program does not know.
    """
    try:
        # A folder or a missing file would read "unable to open"; the system says it better. Asked without opening it, for the locks' sake.
        path.stat()
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=_WAIT,
            isolation_level=None,
            check_same_thread=False,
        )
    except (OSError, sqlite3.Error) as error:
        raise _refusal(path, error) from error
    with contextlib.closing(connection):
        try:
            if not _is_ours(connection, path):
                raise _foreign(path)
            connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise _refusal(path, error) from error
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            if "malformed" not in str(error):
                raise
            raise InputError(
                f"{path}：数据库已损坏，请从备份恢复（the database is damaged: restore it from a backup）"
            ) from error


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have ended it already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _is_ours(connection, path):
        _raise_layout(connection)
        return
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise InputError(
            f"{path}：所在的磁盘不支持 WAL 日志，请放在本机磁盘上（no write-ahead log there: use a local disk）"
        )
    with transaction(connection):
        if _is_ours(connection, path):  # another process was faster
            return
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {LAYOUT}")


def _raise_layout(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        for before in range(layout, LAYOUT):
            for statement in _RAISED[before]:
                connection.execute(statement)
        if layout < LAYOUT:
            connection.execute(f"PRAGMA user_version = {LAYOUT}")


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there; False for an empty database."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise _foreign(path)
        return False
    if layout not in _READABLE:
        raise InputError(
            f"{path}：数据库的格式版本是 {layout}，本程序只认识 {LAYOUT}，请换用写出它的程序版本"
            f"（layout {layout} is unknown here: use the version of the program that wrote it）"
        )
    return True


def _foreign(path: Path) -> InputError:
    return InputError(
        f"{path}：不是两库服务的数据库，请指定服务写出的数据库文件（not a database of this service: name the file that it writes）"
    )


def _refusal(path: Path, error: Exception) -> InputError:
    if isinstance(error, InputError):
        return error
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        return _foreign(path)
    said = why(error) if isinstance(error, OSError) else str(error)
    return InputError(
        f"{path}：数据库无法打开（{said}），请检查位置和权限（the database cannot be opened: check the place and its permissions）"
    )
