"""What the service remembers, and keeps when it is killed: findings shown, feedback on them, and tickets.

Standard library only. Feedback and tickets are on disk when the call returns. Findings shown are written many at a time and
survive the end of the process, not a power failure: the audit log has them, and `last_seq` says from which record on they are missing.
"""

from __future__ import annotations

import functools
import itertools
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from checker.service.database import open_for_writing, transaction


class Shown(NamedTuple):
    """A finding as it was shown; `at` is in UTC with Z, `seq` the number of the audit record that holds it.

    `person` is a pseudonym, `day` that of the service; rows that an older version wrote have neither.
    """

    finding_id: str
    at: str
    stage: str | None
    visit_id: str | None
    patient_id: str | None
    institution_id: str | None
    item_code: str | None
    item_name: str | None
    rule_id: str
    point_id: str | None
    verdict: str
    level: str | None
    reason_code: str | None
    amount: float | None
    kb_version: str | None
    channel: str
    seq: int
    person: str | None = None
    day: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody decided about a finding: `continue`, with a reason, or `change`."""

    finding_id: str
    at: str
    decision: str
    reason_code: str | None
    reason: str | None
    operator: str | None
    second_operator: str | None
    channel: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that was not judged in time, to be judged later; `document` is gone once it is.

    `institutions` is a JSON array of those that it named, "" where a prescription named none; None in a ticket of an earlier layout.
    """

    ticket: str
    at: str
    reason: str
    channel: str
    document: str | None
    status: str = "open"
    answer: str | None = None
    judged_at: str | None = None
    institutions: str | None = None


class Expired(NamedTuple):
    """How much was deleted because it was kept long enough; `unjudged` are tickets that never were."""

    shown: int
    tickets: int
    unjudged: int


def utc_now() -> str:
    """The moment as the rows of the store say it: ISO text in UTC, with Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_FEEDBACK = tuple(Feedback.__dataclass_fields__)
_TICKET = tuple(Ticket.__dataclass_fields__)
_feedback_values, _ticket_values = attrgetter(*_FEEDBACK), attrgetter(*_TICKET)
_SHOWN_COLUMNS = ", ".join(name if name != "at" else "last_at" for name in Shown._fields)
_SHOWN_AT_ONCE = 200
_EXPIRED_AT_ONCE = 2000
_DECISIONS = f"""SELECT {", ".join(f"s.{name}" for name in _SHOWN_COLUMNS.split(", "))}, {", ".join(f"f.{name}" for name in _FEEDBACK)}
    FROM feedback f JOIN shown s USING (finding_id) WHERE s.visit_id IS NOT NULL AND s.person IS NOT NULL ORDER BY f.id"""


class Store:
    """The database of one service. Its methods may be called from any thread; another process may read it meanwhile."""

    def __init__(self, path: Path | str) -> None:
        """Open the database, or make it. Raises InputError where that cannot be done."""
        self._path = Path(path)
        self._durable, self._fast = open_for_writing(self._path)
        self._lock = threading.Lock()

    def record_shown(self, rows: Sequence[Shown], last_seq: int) -> None:
        """Take in the findings of the audit records up to `last_seq`: all of them and that number, or nothing."""
        with self._lock, transaction(self._fast):
            for start in range(0, len(rows), _SHOWN_AT_ONCE):
                some = rows[start : start + _SHOWN_AT_ONCE]
                self._fast.execute(_record_shown(len(some)), [value for row in some for value in (*row, row.at)])
            self._fast.execute("UPDATE progress SET last_seq = ?", (last_seq,))

    def last_seq(self) -> int:
        """The last audit record whose findings were taken in; 0 before the first."""
        with self._lock:
            return int(self._fast.execute("SELECT last_seq FROM progress").fetchone()[0])

    def shown(self, finding_ids: Iterable[str]) -> dict[str, Shown]:
        """Those of these findings that were shown, as they were shown last."""
        with self._lock:
            rows = self._fast.execute(
                f"SELECT {_SHOWN_COLUMNS} FROM shown WHERE finding_id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(finding_ids)),),
            ).fetchall()
        return {row[0]: Shown(*row) for row in rows}

    def record_feedback(self, rows: Sequence[Feedback]) -> None:
        """Keep all of these answers, in this order, on disk when it returns."""
        with self._lock, transaction(self._durable):
            self._durable.executemany(
                f"INSERT INTO feedback ({', '.join(_FEEDBACK)}) VALUES ({_marks(_FEEDBACK)})",
                map(_feedback_values, rows),
            )

    def decisions(self) -> Iterator[tuple[Shown, Feedback]]:
        """All that was decided about findings of some visit, in the order in which it was."""
        with self._lock:
            rows = self._fast.execute(_DECISIONS).fetchall()
        width = len(Shown._fields)
        for row in rows:
            yield Shown(*row[:width]), Feedback(*row[width:])

    def keep_anchor(self, seq: int, digest: str) -> None:
        """Keep how far the audit log reaches on disk, so that it shows where it is shorter one day."""
        with self._lock, transaction(self._fast):
            self._fast.execute("REPLACE INTO anchor VALUES (1, ?, ?)", (seq, digest))

    def anchor(self) -> tuple[int, str] | None:
        """The last number and hash of the audit log that were kept here."""
        with self._lock:
            row = self._fast.execute("SELECT seq, hash FROM anchor").fetchone()
        return (int(row[0]), str(row[1])) if row else None

    def open_ticket(self, ticket: Ticket) -> None:
        """Keep a ticket, on disk when it returns."""
        with self._lock, transaction(self._durable):
            self._durable.execute(
                f"INSERT INTO ticket ({', '.join(_TICKET)}) VALUES ({_marks(_TICKET)})", _ticket_values(ticket)
            )

    def ticket(self, ticket_id: str) -> Ticket | None:
        """The ticket of this name, if there is one."""
        found = self._tickets("ticket = ?", ticket_id)
        return found[0] if found else None

    def open_tickets(self, limit: int) -> list[Ticket]:
        """The tickets not judged yet, the oldest first, at most so many."""
        return self._tickets("status = 'open' ORDER BY at, ticket LIMIT ?", limit)

    def judge_ticket(self, ticket_id: str, answer: str, at: str) -> bool:
        """Keep the late answer and erase the document; False where no open ticket has this name."""
        with self._lock, transaction(self._durable):
            done = self._durable.execute(
                "UPDATE ticket SET status = 'judged', document = NULL, answer = ?, judged_at = ? WHERE ticket = ? AND status = 'open'",
                (answer, at, ticket_id),
            )
            return done.rowcount == 1

    def expire(self, *, shown_before: str, tickets_before: str, most_bytes: int) -> Expired:
        """Delete some of what is older than these times, with the feedback on it, or of the oldest beyond so many bytes (0: any number).

        Called again until it deletes nothing more: others have their turn between.
        """
        with self._lock, transaction(self._fast):
            is_too_much = bool(most_bytes) and self._bytes_used() > most_bytes
            ids = list(itertools.islice(self._oldest(None if is_too_much else shown_before), _EXPIRED_AT_ONCE))
            for table in ("feedback", "shown"):
                self._fast.execute(
                    f"DELETE FROM {table} WHERE finding_id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
                )
            tickets = self._fast.execute(
                f"""DELETE FROM ticket WHERE ticket IN (SELECT ticket FROM ticket WHERE at < ? LIMIT {_EXPIRED_AT_ONCE})
                RETURNING status""",
                (tickets_before,),
            ).fetchall()
        unjudged = sum(1 for (status,) in tickets if status == "open")
        return Expired(len(ids), len(tickets) - unjudged, unjudged)

    def bytes_used(self) -> int:
        """How much of the database file holds something: what was deleted leaves room for what comes."""
        with self._lock:
            return self._bytes_used()

    def close(self) -> None:
        """Close the database; what was written is folded into its file."""
        with self._lock:
            self._fast.close()
            self._durable.close()

    def _oldest(self, before: str | None) -> Iterator[str]:
        """The findings shown last before that time, or all, the oldest first. They lie in the order in which they were shown first, so that
        nobody need look at those that are younger.
        """
        rows = self._fast.execute("SELECT finding_id, first_at, last_at FROM shown ORDER BY rowid")
        for finding_id, first_at, last_at in rows:
            if before is not None and first_at >= before:
                break
            if before is None or last_at < before:
                yield finding_id
        rows.close()

    def _bytes_used(self) -> int:
        pages, free, size = (
            int(self._fast.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def _tickets(self, condition: str, value: str | int) -> list[Ticket]:
        with self._lock:
            rows = self._durable.execute(
                f"SELECT {', '.join(_TICKET)} FROM ticket WHERE {condition}", (value,)
            ).fetchall()
        return [Ticket(*row) for row in rows]


@functools.lru_cache(_SHOWN_AT_ONCE)
def _record_shown(rows: int) -> str:
    """SQL that takes in so many findings by one statement: between two of them the thread would have to wait for its turn.

    A finding shown again counts once more, and is told as it was shown last.
    """
    told = ", ".join(f"{name} = excluded.{name}" for name in _SHOWN_COLUMNS.split(", ")[1:])
    return f"""INSERT INTO shown ({_SHOWN_COLUMNS}, first_at, times)
        VALUES {", ".join([f"({_marks(Shown._fields)}, ?, 1)"] * rows)}
        ON CONFLICT (finding_id) DO UPDATE SET times = times + 1, {told}"""


def _marks(names: Sequence[str]) -> str:
    return ", ".join("?" * len(names))
