"""Which item a trace code, barcode, approval number or trade name stands for: said by somebody once, kept with who and when.

Nothing is overwritten: each change is a row of its own, so that everyone sees who said what, and can take it back. Standard library
only. The command line may write beside a running service.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from checker.model.errors import InputError
from checker.model.private_files import make_folder
from checker.service.database import open_for_reading, transaction
from checker.service.store import utc_now

FILE = "links.sqlite"
_EARLIER = "feedback.sqlite"
"""Where links of trace codes stood before they were of one kind with the others."""
_LAYOUT = 1
_APPLICATION = 0x6C676B6C
_WAIT = 5.0
_TABLES = (
    """CREATE TABLE link (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, item_code TEXT, item_name TEXT, at TEXT NOT NULL, operator TEXT,
        how TEXT NOT NULL, before INTEGER)""",
    "CREATE INDEX link_of_key ON link (kind, key)",
)
_COLUMNS = "id, kind, key, item_code, item_name, at, operator, how, before"


class Link(NamedTuple):
    """What somebody said of a key, or took back: then code and name are None.

    `how`: `confirmed` at the counter, `import` from a file, `undo`, or `earlier`, of before it was noted who. `before` is the row whose
    state an undo brings back.
    """

    id: int
    kind: str
    key: str
    item_code: str | None
    item_name: str | None
    at: str
    operator: str | None
    how: str
    before: int | None

    @property
    def is_set(self) -> bool:
        """Whether it names an item."""
        return self.item_code is not None or self.item_name is not None


class LinkTaken(Exception):
    """The key is linked to another item, and nobody confirmed that this is to be changed; `link` is that one."""

    def __init__(self, link: Link) -> None:
        super().__init__(link.key)
        self.link = link


class ItemLinks:
    """The links in the data folder of a service. Its methods may be called from any thread; a change is on disk when it returns."""

    def __init__(self, folder: Path) -> None:
        """Open them, or begin; links of an earlier version are taken over. Raises InputError where that cannot be done."""
        self._lock = threading.Lock()
        path = folder / FILE
        try:
            make_folder(folder)
            if not path.exists():
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            self._database = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
            self._prepare(path, folder / _EARLIER)
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                f"{path}：关联库无法打开（{error}），请检查位置和权限（the links cannot be opened）"
            ) from error

    def find(self, kind: str, key: str) -> Link | None:
        """The item of a key, if somebody said it."""
        with self._lock:
            last = self._last(kind, key)
        return last if last is not None and last.is_set else None

    def keep(
        self, kind: str, key: str, item_code: str | None, item_name: str | None, operator: str | None, *,
        replaces: int | None = None, how: str = "confirmed",
    ) -> Link:  # fmt: skip
        """Link a key to an item. Raises LinkTaken where it has another one and `replaces` is not the id of that one."""
        with self._lock, transaction(self._database):
            last = self._last(kind, key)
            if last is not None and last.is_set:
                if (last.item_code, last.item_name) == (item_code, item_name):
                    return last
                if replaces != last.id:
                    raise LinkTaken(last)
            return self._write(kind, key, item_code, item_name, operator, how, last.id if last else None)

    def undo(self, kind: str, key: str, operator: str | None, *, last: int) -> Link | None:
        """Bring back what was said of a key before; `last` is the id of what is taken back. Raises LinkTaken where that is not the last word."""
        with self._lock, transaction(self._database):
            found = self._last(kind, key)
            if found is None or not found.is_set:
                return None
            if found.id != last:
                raise LinkTaken(found)
            before = self._row(found.before)
            return self._write(
                kind, key, before and before.item_code, before and before.item_name, operator, "undo", before and before.before
            )  # fmt: skip

    def history(self, kind: str, key: str) -> list[Link]:
        """All that was said of a key, the newest first."""
        with self._lock:
            return self._rows("kind = ? AND key = ? ORDER BY id DESC", (kind, key))

    def all(self) -> list[Link]:
        """What holds now, by kind and key."""
        with self._lock:
            rows = self._rows("id IN (SELECT max(id) FROM link GROUP BY kind, key) ORDER BY kind, key", ())
        return [row for row in rows if row.is_set]

    def close(self) -> None:
        """Close them."""
        with self._lock:
            self._database.close()

    def _prepare(self, path: Path, earlier: Path) -> None:
        (application,) = self._database.execute("PRAGMA application_id").fetchone()
        (layout,) = self._database.execute("PRAGMA user_version").fetchone()
        if application == _APPLICATION and layout == _LAYOUT:
            return
        if application or self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise InputError(f"{path}：不是本版本的关联库（not the links of this version）")
        with transaction(self._database):
            for statement in _TABLES:
                self._database.execute(statement)
            for prefix, code, name in _earlier_links(earlier):
                self._write("trace", prefix, code, name, None, "earlier", None)
            self._database.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._database.execute(f"PRAGMA user_version = {_LAYOUT}")

    def _last(self, kind: str, key: str) -> Link | None:
        found = self._rows("kind = ? AND key = ? ORDER BY id DESC LIMIT 1", (kind, key))
        return found[0] if found else None

    def _row(self, number: int | None) -> Link | None:
        return None if number is None else self._rows("id = ?", (number,))[0]

    def _rows(self, condition: str, values: Sequence[object]) -> list[Link]:
        return [Link(*row) for row in self._database.execute(f"SELECT {_COLUMNS} FROM link WHERE {condition}", values)]

    def _write(
        self, kind: str, key: str, item_code: str | None, item_name: str | None, operator: str | None, how: str, before: int | None
    ) -> Link:  # fmt: skip
        values = (kind, key, item_code, item_name, utc_now(), operator, how, before)
        places = ", ".join("?" * len(values))
        done = self._database.execute(f"INSERT INTO link ({_COLUMNS.partition(', ')[2]}) VALUES ({places})", values)
        return Link(int(done.lastrowid or 0), *values)


def _earlier_links(path: Path) -> list[tuple[str, str | None, str | None]]:
    if not path.exists():
        return []
    with open_for_reading(path) as database:
        if not database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'trace'").fetchone()[0]:
            return []
        return database.execute("SELECT prefix, item_code, item_name FROM trace ORDER BY prefix").fetchall()
