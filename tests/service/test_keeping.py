"""What is kept is kept as long as it should be, in files that turn over; and the chain of the log goes on over all of them."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checker.cli.main import run
from checker.model.errors import InputError
from checker.service import audit_log
from checker.service.audit_expiry import expire
from checker.service.audit_files import all_files, finished_files, records
from checker.service.audit_log import AuditLog
from checker.service.audit_record import NO_HASH
from checker.service.audit_verify import verify
from checker.service.store import Feedback, Shown, Store, Ticket
from tests.service.calls import call, found, woman
from tests.service.serving import lean

PER_HOUR = int(os.environ.get("LIANGKU_DAY_PER_HOUR", "600"))
START = datetime(2026, 10, 30, 15, 0, tzinfo=UTC)
FIELDS = {"channel": "native", "shown": [{"id": "f" * 32, "item_name": "爱普列特片"}], "text": "x" * 300}


class Clock:
    """The clock of the log, which the tests set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START
        monkeypatch.setattr(audit_log.time, "time_ns", lambda: int(self.now.timestamp() * 1000) * 1_000_000)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def filled(path: Path, clock: Clock, *, records: int, step: timedelta, **options: Any) -> AuditLog:
    log = AuditLog(path, **options)
    for _ in range(records):
        log.append("answer", FIELDS)
        clock.now += step
    return log


# ---- files that turn over ----


def test_a_file_is_finished_by_month_in_china_and_by_size_and_the_chain_goes_on(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path, clock, records=100, step=timedelta(minutes=30), largest=20_000)
    log.close()
    names = [each.name for each in all_files(path)]
    months = [each.month for each in finished_files(path)]
    assert len(names) == 4
    # November begins in China at 16:00 UTC of 31 October.
    assert (months, names[0], names[-1]) == (
        ["202610", "202610", "202611"],
        "audit-202610-000000000001.jsonl",
        "audit.jsonl",
    )
    assert max(each.stat().st_size for each in all_files(path)) < 21_000
    assert {each.stat().st_mode & 0o077 for each in all_files(path)} == {0}
    told = verify(path)
    assert (told.is_sound, told.records, told.files) == (True, 100, 4)
    assert [record["seq"] for record in records(path)] == list(range(1, 101))
    assert [record["seq"] for record in records(path, after_seq=97)] == [98, 99, 100]


def test_a_log_opened_again_goes_on_in_the_file_or_after_those_finished(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "audit.jsonl"
    filled(path, clock, records=30, step=timedelta(days=1)).close()
    filled(path, clock, records=30, step=timedelta(days=1)).close()
    path.rename(tmp_path / "audit-209912-000000000099.jsonl")
    # The process was killed between finishing a file and making the next.
    (tmp_path / "audit-209912-000000000099.jsonl").rename(tmp_path / "audit-202612-000000000034.jsonl")
    filled(path, clock, records=3, step=timedelta(days=1)).close()
    assert (verify(path).is_sound, verify(path).records) == (True, 63)


def test_a_finished_part_is_not_taken_for_the_whole(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "audit.jsonl"
    filled(path, clock, records=60, step=timedelta(days=1)).close()
    part = finished_files(path)[0].path
    assert run(["audit-log", "verify", str(part)]) == 2
    assert str(path) in capsys.readouterr().err
    assert run(["audit-log", "verify", str(path), "--lang", "en"]) == 0
    assert "3 files, one chain" in capsys.readouterr().out


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_finished_file_that_is_missing_or_changed_shows(tmp_path: Path, clock: Clock, which: int) -> None:
    path = tmp_path / "audit.jsonl"
    filled(path, clock, records=120, step=timedelta(days=1)).close()
    file = finished_files(path)[which].path
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"xxx", b"xyx", 1))
    (problem,) = verify(path).problems
    assert (problem.what, problem.file) == ("changed", file.name)
    file.unlink()
    assert [each.what for each in verify(path).problems] == (["head"] if which == 0 else ["gap"])


# ---- what has expired ----


def test_what_has_expired_is_deleted_and_the_chain_says_so(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path, clock, records=200, step=timedelta(days=1))
    before = [each.first_seq for each in finished_files(path)]
    assert expire(log, path, days=90, most_bytes=0, now=clock.now) == 4
    assert expire(log, path, days=90, most_bytes=0, now=clock.now) == 0
    told = verify(path)
    assert (told.is_sound, told.expired_seq, told.first_at is not None) == (
        True,
        finished_files(path)[0].first_seq - 1,
        True,
    )
    assert finished_files(path)[0].first_seq == before[4]
    log.append("answer", FIELDS)
    log.close()
    AuditLog(path).close()
    assert verify(path).is_sound
    # One file more than the log says is one too many.
    finished_files(path)[0].path.unlink()
    assert [each.what for each in verify(path).problems] == ["head"]


def test_the_oldest_go_beyond_the_bytes_allowed(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path, clock, records=300, step=timedelta(minutes=1), largest=20_000)
    assert expire(log, path, days=0, most_bytes=50_000, now=clock.now) > 0
    assert sum(each.path.stat().st_size for each in finished_files(path)) <= 50_000
    log.close()
    assert verify(path).is_sound


def test_a_damaged_file_does_not_expire(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path, clock, records=200, step=timedelta(days=1))
    first = finished_files(path)[0].path
    first.write_bytes(first.read_bytes()[:-10])
    with pytest.raises(InputError, match="不能按期删除"):
        expire(log, path, days=90, most_bytes=0, now=clock.now)
    assert first.exists()
    log.close()


def test_a_head_cut_off_is_not_excused_by_a_record_about_another(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "audit.jsonl"
    log = filled(path, clock, records=100, step=timedelta(days=1))
    first = finished_files(path)[0]
    log.append("expired", {"first": 1, "last": finished_files(path)[1].first_seq - 1, "last_hash": NO_HASH})
    log.close()
    first.path.unlink()
    assert [each.what for each in verify(path).problems] == ["head"]


def shown(number: int, at: str) -> Shown:
    return Shown(
        f"f{number:032d}", at, "dispense", f"V{number}", None, "H1", "XG04CBA088A001010101467", "爱普列特片", "drug-sex", "p1",
        "violation", "suspect", None, 35.5, "2026-01", "native", number, "who", at[:10],
    )  # fmt: skip


def expired(store: Store, **limits: Any) -> list[int]:
    total = [0, 0, 0]
    while any(some := store.expire(**({"shown_before": "", "tickets_before": "", "most_bytes": 0} | limits))):
        total = [one + other for one, other in zip(total, some, strict=True)]
    return total


def test_what_the_store_holds_expires_with_what_was_decided_about_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "feedback.sqlite")
    store.record_shown(
        [shown(number, f"2026-{number // 417 + 1:02d}-01T00:00:00.000Z") for number in range(5000)], 5000
    )
    store.record_feedback(
        [
            Feedback(f"f{number:032d}", "2026-01-01T00:00:00Z", "change", None, None, None, None, "native")
            for number in range(0, 5000, 209)
        ]
    )
    for number, at in enumerate(("2026-01-01T00:00:00Z", "2026-12-01T00:00:00Z")):
        store.open_ticket(Ticket(f"T{number}", at, "timeout", "native", "{}"))
    assert expired(store, shown_before="2026-07-01", tickets_before="2026-07-01") == [2502, 0, 1]
    assert (len(list(store.decisions())), store.ticket("T0"), store.ticket("T1") is not None) == (12, None, True)
    assert expired(store, shown_before="2026-07-01", tickets_before="2026-07-01") == [0, 0, 0]
    store.close()


def test_the_store_stays_below_its_bytes(tmp_path: Path) -> None:
    store = Store(tmp_path / "feedback.sqlite")
    for part in range(10):
        rows = [shown(part * 5000 + number, f"2026-01-{part + 1:02d}T00:00:00.000Z") for number in range(5000)]
        store.record_shown(rows, rows[-1].seq)
        expired(store, most_bytes=4_000_000)
        assert store.bytes_used() <= 4_000_000
    assert store.shown([shown(49_999, "")[0]])
    store.close()
    assert (tmp_path / "feedback.sqlite").stat().st_size < 9_000_000


# ---- a day ----


def test_a_day_of_traffic_leaves_a_whole_chain_and_a_bounded_disk(tmp_path: Path, clock: Clock) -> None:
    """24 hours of an answer every six seconds (LIANGKU_DAY_PER_HOUR: more), with restarts, a turn of the month, and expiry every hour."""
    path, largest, most = tmp_path / "audit.jsonl", 170 * PER_HOUR, 1300 * PER_HOUR
    store = Store(tmp_path / "feedback.sqlite")
    clock.now = datetime(2026, 10, 31, 4, 0, tzinfo=UTC)
    log, biggest, begun = AuditLog(path, largest=largest), 0, time.process_time()
    for hour in range(24):
        rows = []
        for number in range(PER_HOUR):
            seq = log.append("answer", FIELDS)
            rows.append(shown(hour * PER_HOUR + number, f"{clock.now:%Y-%m-%dT%H:%M:%S.000Z}")._replace(seq=seq))
            clock.now += timedelta(hours=1) / PER_HOUR
        store.record_shown(rows, rows[-1].seq)
        store.keep_anchor(*log.sync())
        expire(log, path, days=0, most_bytes=most, now=clock.now)
        expired(store, most_bytes=3500 * PER_HOUR)
        biggest = max(biggest, sum(each.stat().st_size for each in tmp_path.iterdir() if each.name.startswith("audit")))
        if hour % 8 == 7:
            log.close()
            log = AuditLog(path, largest=largest, known=store.anchor())
    log.close()
    reached = store.last_seq()
    store.close()
    told = verify(path, reached=reached)
    assert (told.is_sound, told.last_seq >= 24 * PER_HOUR, told.expired_seq > 0) == (True, True, True)
    assert {each.month for each in finished_files(path)} <= {"202610", "202611"}
    assert biggest < most + 3 * largest + PER_HOUR * 700
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < most + 2 * largest + 14_000 * PER_HOUR
    assert time.process_time() - begun < PER_HOUR / 60


def test_the_service_turns_its_log_over_and_deletes_what_has_expired(tmp_path: Path) -> None:
    settings = "[keep]\naudit_file_bytes = 3000\naudit_bytes = 6000\nshown_days = 400\n"
    for _ in range(2):
        with lean(tmp_path, settings) as server:
            for number in range(25):
                found(call(server.url, "/v1/check", woman(visit_id=f"V{number}")).document)
    path = server.data / "audit.jsonl"
    assert (verify(path).is_sound, verify(path).expired_seq > 0) == (True, True)
    assert json.loads(path.read_text("utf-8").splitlines()[-1])["kind"] == "stop"
    assert {each.stat().st_mode & 0o077 for each in [server.data, *server.data.iterdir()]} == {0}
