"""The store: what it remembers, what survives a kill, who may read it meanwhile, and what it refuses."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from checker.model.errors import InputError
from checker.service.database import open_for_reading
from checker.service.reasons import REASON_BY_CODE, REASONS
from checker.service.store import Feedback, Shown, Store, Ticket
from tests.service.processes import ROOT, acknowledged, unix_only


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "liangku.db"


@pytest.fixture
def store(path):
    store = Store(path)
    yield store
    store.close()


def shown(finding_id: str, *, at: str = "2026-03-01T02:00:00.000Z", visit_id: str | None = "V1", seq: int = 1) -> Shown:
    return Shown(
        finding_id, at, "dispense", visit_id, None, "H37080000001", "XG04CBA088A001010101467", "爱普列特片", "drug-sex",
        "drug-sex-01-0003", "violation", "suspect", None, 35.5, "2026-01", "native", seq, "p1",
        "2026-03-01",
    )  # fmt: skip


def answer(finding_id: str, decision: str = "continue") -> Feedback:
    reason = "verified_person" if decision == "continue" else None
    return Feedback(finding_id, "2026-03-01T02:01:00.000Z", decision, reason, None, "0102", None, "native")


def column(path: Path, sql: str) -> list[object]:
    with open_for_reading(path) as connection:
        return [row[0] for row in connection.execute(sql)]


# ---- findings shown ----


def test_findings_shown_are_found_again(store):
    store.record_shown([shown("a"), shown("b")], 7)
    assert store.shown(["b", "none"]) == {"b": shown("b")}
    assert store.last_seq() == 7


def test_a_finding_shown_again_is_counted_with_its_first_and_last_time(store, path):
    store.record_shown([shown("a", at="2026-03-01T02:00:00.000Z", seq=1)], 1)
    store.record_shown([shown("a", at="2026-03-01T03:00:00.000Z", seq=2)], 2)
    assert store.shown(["a"])["a"] == shown("a", at="2026-03-01T03:00:00.000Z", seq=2)
    assert column(path, "SELECT times || ' ' || first_at FROM shown") == ["2 2026-03-01T02:00:00.000Z"]


def test_a_batch_is_taken_in_whole_or_not_at_all(store):
    store.record_shown([shown("a")], 1)
    broken = Shown("c", None, *[None] * 15)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        store.record_shown([shown("b"), broken], 2)
    assert set(store.shown(["a", "b", "c"])) == {"a"}
    assert store.last_seq() == 1


def test_thousands_of_findings_are_looked_up_at_once(store):
    ids = [f"f{number}" for number in range(5000)]
    store.record_shown([shown(each) for each in ids], 1)
    assert len(store.shown(ids)) == 5000


# ---- feedback ----


def test_decisions_are_told_in_the_order_in_which_they_were_made(store):
    store.record_shown([shown("a"), shown("b"), shown("d", visit_id=None)], 1)
    given = [answer("a"), answer("b"), answer("b", "change"), answer("d"), answer("never-shown")]
    store.record_feedback(given)
    assert list(store.decisions()) == [(shown("a"), given[0]), (shown("b"), given[1]), (shown("b"), given[2])]


# ---- tickets and links ----


def test_a_ticket_is_open_until_it_is_judged_and_its_document_is_then_gone(store, path):
    store.open_ticket(Ticket("T2", "2026-03-01T03:00:00Z", "timeout", "native", '{"patient":"P-SECRET"}'))
    store.open_ticket(Ticket("T1", "2026-03-01T02:00:00Z", "timeout", "native", "{}"))
    assert [ticket.ticket for ticket in store.open_tickets(10)] == ["T1", "T2"]
    assert [ticket.ticket for ticket in store.open_tickets(1)] == ["T1"]
    assert store.judge_ticket("T2", '{"verdict":"clear"}', "2026-03-01T04:00:00Z")
    judged = store.ticket("T2")
    assert judged == Ticket(
        "T2", "2026-03-01T03:00:00Z", "timeout", "native", None, "judged", '{"verdict":"clear"}', "2026-03-01T04:00:00Z"
    )
    assert [ticket.ticket for ticket in store.open_tickets(10)] == ["T1"]
    store.close()
    assert b"P-SECRET" not in path.read_bytes()


def test_a_ticket_is_judged_once(store):
    store.open_ticket(Ticket("T1", "2026-03-01T02:00:00Z", "timeout", "native", "{}"))
    assert store.judge_ticket("T1", "{}", "2026-03-01T04:00:00Z")
    assert not store.judge_ticket("T1", "[]", "2026-03-01T05:00:00Z")
    assert not store.judge_ticket("T9", "{}", "2026-03-01T05:00:00Z")
    assert store.ticket("T9") is None


# ---- kills, readers, threads ----

RECORDING = """
import os, sys
from checker.service.store import Feedback, Shown, Store, Ticket
store = Store(sys.argv[1])
number = store.last_seq()
while True:
    number += 1
    at = "2026-03-01T02:00:00Z"
    row = Shown(f"f{number}", at, None, f"V{number}", *[None] * 4, "r", None, "violation", *[None] * 4, "native", number, "p", "d")
    store.record_shown([row], number)
    store.record_feedback([Feedback(f"f{number}", at, "continue", "other", None, None, None, "native")])
    store.open_ticket(Ticket(f"T{number}", at, "timeout", "native", "{}"))
    os.write(1, b"%d\\n" % number)
"""


@unix_only
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(path):
    # What the process had begun but not acknowledged may be there or not; the next one counts on after it.
    safe: set[int] = set()
    for _ in range(3):
        safe |= acknowledged(RECORDING, path, after=100)
        store = Store(path)
        assert store.last_seq() >= max(safe)
        assert {f"f{number}" for number in safe} <= set(store.shown(f"f{number}" for number in safe))
        assert {f"V{number}" for number in safe} <= {shown.visit_id for shown, _ in store.decisions()}
        assert {f"T{number}" for number in safe} <= {ticket.ticket for ticket in store.open_tickets(100_000)}
        store.close()
    assert column(path, "PRAGMA integrity_check") == ["ok"]


def test_another_process_reads_one_state_while_the_store_writes(store, path):
    store.record_shown([shown("a")], 1)
    script = """
import sys
from pathlib import Path
from checker.service.database import open_for_reading
with open_for_reading(Path(sys.argv[1])) as connection:
    for line in sys.stdin:
        print(connection.execute("SELECT count(*) FROM shown").fetchone()[0], flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as reader:
        assert reader.stdin
        assert reader.stdout

        def count() -> str:
            print(file=reader.stdin, flush=True)
            return reader.stdout.readline().strip()

        assert count() == "1"
        store.record_shown([shown("b")], 2)
        store.record_feedback([answer("b")])
        assert count() == "1"
        reader.stdin.close()
    assert column(path, "SELECT count(*) FROM shown") == [2]


def test_a_reader_cannot_write(store, path):
    with open_for_reading(path) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM shown")


def test_threads_may_share_the_store(store):
    def work(name: str) -> None:
        for number in range(50):
            store.record_shown([shown(f"{name}{number}")], number)
            store.record_feedback([answer(f"{name}{number}")])
            store.shown([f"{name}{number}"])

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.decisions())) == 200


def test_a_store_opened_again_remembers(store, path):
    store.record_shown([shown("a")], 3)
    store.close()
    again = Store(path)
    assert (again.last_seq(), set(again.shown(["a"]))) == (3, {"a"})
    again.close()


def test_only_the_owner_may_read_it(store, path):
    store.record_shown([shown("a")], 1)
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


# ---- layouts ----


def test_a_database_of_the_layout_before_is_read_as_it_lies_and_brought_up_when_it_is_opened(path):
    """What was acknowledged before a person and a day were kept holds for nobody; nothing is lost."""
    Store(path).close()
    with sqlite3.connect(path) as connection:
        for statement in (
            "DROP TABLE anchor", "ALTER TABLE shown DROP COLUMN person", "ALTER TABLE shown DROP COLUMN day",
            "ALTER TABLE ticket DROP COLUMN institutions", "PRAGMA user_version = 1",
            """INSERT INTO shown VALUES ('a', '2026-03-01T02:00:00Z', '2026-03-01T02:00:00Z', 1, 'dispense', 'V1', 'P1', 'H1', 'X', '甲', 'drug-sex',
            'p', 'violation', 'suspect', NULL, 35.5, 'k', 'native', 3)""",
            "INSERT INTO feedback VALUES (1, 'a', '2026-03-01T02:01:00Z', 'continue', 'other', NULL, NULL, NULL, 'native')",
            "UPDATE progress SET last_seq = 3",
        ):  # fmt: skip
            connection.execute(statement)
    connection.close()
    assert column(path, "SELECT times FROM shown") == [1]
    for reached in (3, 4):
        store = Store(path)
        assert (store.last_seq(), store.anchor(), list(store.decisions())) == (reached, None, [])
        assert store.shown(["a"])["a"].person is None
        assert store.ticket("T1") is None
        store.record_shown([shown("b", seq=4)], 4)
        store.close()
    assert column(path, "SELECT count(*) FROM feedback") == [1]


# ---- refusals ----


def test_a_newer_layout_is_refused(path):
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match="格式版本是 99"):
        Store(path)
    with pytest.raises(InputError, match="格式版本是 99"), open_for_reading(path):
        pass


def test_another_programs_database_is_refused_and_not_changed(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="不是两库服务的数据库"):
        Store(path)
    with pytest.raises(InputError, match="不是两库服务的数据库"), open_for_reading(path):
        pass
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(path):
    path.write_text("欢迎" * 1000)
    with pytest.raises(InputError, match="不是两库服务的数据库"):
        Store(path)
    with pytest.raises(InputError, match="不是两库服务的数据库"), open_for_reading(path):
        pass


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="无法打开"):
        Store(tmp_path / "file" / "liangku.db")
    with pytest.raises(InputError, match="无法打开"):
        Store(tmp_path)
    with pytest.raises(InputError, match="无法打开"), open_for_reading(tmp_path / "none.db"):
        pass
    assert not (tmp_path / "none.db").exists()


# ---- reasons ----


def test_every_reason_has_words_in_both_languages():
    assert list(REASON_BY_CODE) == [
        "verified_person", "verified_terms", "diagnosis_supports", "relative_use", "data_error", "rule_wrong", "emergency", "self_paid", "other",
    ]  # fmt: skip
    assert all(reason.zh and reason.en.isascii() for reason in REASONS)
