"""What was acknowledged is there after SIGKILL whatever other programs do, and what cannot be kept is never said to be."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands import liangku
from tests.service import messages
from tests.service.calls import BEFORE, FEEDBACK, call, found, woman
from tests.service.processes import unix_only
from tests.service.serving import ROOT, Server, lean

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are set on Linux")


def acknowledge(server: Server, number: int) -> str:
    """Show a finding in a visit of its own and go on in spite of it; its id, once that was acknowledged."""
    document = woman(visit_id=f"V{number}", institution_id="H1")
    finding_id = str(found(call(server.url, "/v1/check", document).document)["finding_id"])
    given = {"finding_id": finding_id, "decision": "continue", "reason_code": "verified_person"}
    assert call(server.url, "/v1/feedback", given).document == {"accepted": 1, "unknown": []}
    return finding_id


def kept(server: Server) -> set[str]:
    with sqlite3.connect(server.data / "feedback.sqlite") as database:
        return {row[0] for row in database.execute("SELECT finding_id FROM feedback")}


def health(server: Server) -> dict[str, Any]:
    return dict(call(server.url, "/health").document)


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def verify(log: Path, *options: str) -> tuple[int, str]:
    ended = liangku("audit-log", "verify", log, "--lang", "en", *options)
    return ended.returncode, ended.stdout


def sqlite_backup(database: Path) -> None:
    copy = database.with_name("copy.sqlite")
    copy.unlink(missing_ok=True)
    if shutil.which("sqlite3"):
        subprocess.run(["sqlite3", str(database), f".backup {copy}"], check=True)
    else:
        script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))"
        subprocess.run([sys.executable, "-c", script, str(database), str(copy)], check=True)
    with sqlite3.connect(copy) as opened:
        assert opened.execute("SELECT count(*) FROM feedback").fetchone()[0] > 0


def plain_select(database: Path) -> None:
    script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(c.execute('SELECT count(*) FROM feedback').fetchone()); c.close()"
    subprocess.run([sys.executable, "-c", script, str(database)], check=True, capture_output=True)


def report(database: Path) -> None:
    command = [sys.executable, "-m", "checker.cli.main", "feedback", "report", str(database), "--json"]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)


@unix_only
def test_what_was_acknowledged_survives_a_kill_after_others_have_read_the_database(tmp_path: Path) -> None:
    with lean(tmp_path) as server:
        database = server.data / "feedback.sqlite"
        ids = []
        others = dict(zip(range(3, 24, 4), (sqlite_backup, plain_select, report) * 2, strict=True))
        for number in range(25):
            ids.append(acknowledge(server, number))
            if beside := others.get(number):
                beside(database)
                # Whoever closes the database last takes the log away, unless it sees that the service holds it.
                assert database.with_name("feedback.sqlite-wal").exists(), beside
        server.process.kill()
        assert server.process.wait() == -signal.SIGKILL
        assert kept(server) == set(ids)
    with lean(tmp_path) as server:
        assert kept(server) == set(ids)
        again = call(server.url, "/v1/check", woman(visit_id="V24", institution_id="H1")).document
        assert again["acknowledged"] == [ids[24]]


@unix_only
def test_a_database_that_another_program_holds_stops_nothing_for_good(tmp_path: Path) -> None:
    with lean(tmp_path) as server:
        finding_id = acknowledge(server, 1)
        given = {"finding_id": finding_id, "decision": "continue", "reason_code": "verified_person"}
        holder = sqlite3.connect(server.data / "feedback.sqlite", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            begin = time.monotonic()
            assert call(server.url, "/v1/feedback", given).refusal == (503, "not_kept")
            # Answers go on meanwhile, and the log says what the store does not know yet.
            assert call(server.url, "/v1/check", woman(visit_id="V2")).document["reviewed"] is True
            until(lambda: health(server)["checks"]["keeper"]["failed"] != {})
            assert call(server.url, "/health").status == 503
            assert time.monotonic() - begin > 5
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        until(lambda: health(server)["status"] == "ok")
        assert call(server.url, "/v1/feedback", given).document["accepted"] == 1
        metrics = call(server.url, "/metrics").body.decode()
        assert 'liangku_failures_total{chore="sync"}' in metrics
        assert 'liangku_healthy{check="keeper"} 1.0' in metrics
        with sqlite3.connect(server.data / "feedback.sqlite") as database:
            until(lambda: database.execute("SELECT count(*) FROM shown WHERE visit_id = 'V2'").fetchone()[0] == 1)


@linux_only
def test_where_the_disk_is_full_nothing_counts_as_reviewed(tmp_path: Path) -> None:
    import resource

    with lean(tmp_path) as server:
        finding_id = acknowledge(server, 1)
        pid, log = server.process.pid, server.data / "audit.jsonl"
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 10, before[1]))
        answer = call(server.url, "/v1/check", woman(visit_id="V2"))
        assert (answer.status, answer.document["reviewed"], answer.document["verdict"]) == (200, False, "undetermined")
        (result,) = call(server.url, BEFORE, messages.message()).document["output"]["result"]
        assert result["rule_id"] == "not_reviewed"
        given = {"finding_id": finding_id, "decision": "continue", "reason_code": "verified_person"}
        assert call(server.url, "/v1/feedback", given).refusal == (503, "not_kept")
        national = messages.feedback({"warn_rslt_id": finding_id, "dspo_way": "2"})
        assert call(server.url, FEEDBACK, national).document["infcode"] == -1
        told = call(server.url, "/health")
        assert (told.status, told.document["status"], told.document["checks"]["log"]["error"]) == (
            503,
            "failing",
            "EFBIG",
        )
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        until(lambda: health(server)["status"] == "ok")
        assert call(server.url, "/v1/check", woman(visit_id="V2")).document["reviewed"] is True
        assert call(server.url, "/v1/feedback", given).document["accepted"] == 1
    assert verify(log)[0] == 0


def test_too_little_room_is_told_before_it_is_none(tmp_path: Path) -> None:
    with lean(tmp_path, f"[keep]\nfree_bytes = {1 << 60}\n") as server:
        told = call(server.url, "/health")
    assert (told.status, told.document["checks"]["disk"]["ok"]) == (503, False)


@unix_only
@pytest.mark.parametrize("how", ["moved", "deleted", "emptied"])
def test_a_log_that_others_take_away_is_noticed(tmp_path: Path, how: str) -> None:
    with lean(tmp_path) as server:
        log = server.data / "audit.jsonl"
        for number in range(3):
            acknowledge(server, number)
        until(lambda: health(server)["checks"]["log"]["records"] >= 7)
        if how == "moved":
            log.rename(log.with_name("elsewhere.jsonl"))
        elif how == "deleted":
            log.unlink()
        else:
            log.write_bytes(b"")
        until(lambda: health(server)["checks"]["log"]["ok"] is False)
        finding_id = acknowledge(server, 9)
        told = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        assert told[0]["kind"] == "displaced"
        assert any(finding_id in json.dumps(record) for record in told)
    assert verify(log)[0] == 1
    if how == "moved":
        # What was moved is its first part: put back as such it is one chain again.
        whole = log.with_name("elsewhere.jsonl").read_bytes() + log.read_bytes()
        log.write_bytes(whole)
        assert verify(log)[0] == 0


@unix_only
def test_a_log_cut_short_between_two_starts_is_not_sound(tmp_path: Path) -> None:
    with lean(tmp_path) as server:
        log = server.data / "audit.jsonl"
        for number in range(5):
            acknowledge(server, number)
    lines = log.read_bytes().splitlines(keepends=True)
    assert verify(log)[0] == 0
    log.write_bytes(b"".join(lines[:4]))
    code, told = verify(log)
    assert (code, "ends with record 4, but had reached record" in told) == (1, True)
    with lean(tmp_path) as server:
        finding_id = acknowledge(server, 9)
        server.process.kill()
        server.process.wait()
    # It goes on after the number that it had reached, so that nothing new is taken for what was there.
    (short,) = [json.loads(line) for line in log.read_bytes().splitlines() if b'"kind":"short"' in line]
    assert (short["found"], short["expected"] == len(lines), short["seq"]) == (4, True, len(lines) + 1)
    assert verify(log)[0] == 1
    with lean(tmp_path) as server:
        assert finding_id in kept(server)
        shown = call(server.url, "/v1/check", woman(visit_id="V9", institution_id="H1")).document
        assert shown["acknowledged"] == [finding_id]


@unix_only
def test_a_log_written_anew_shows_by_its_key_and_by_anchors_elsewhere(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("a key of thirty-two characters ok")
    with lean(tmp_path, 'audit_key_file = "key"\naudit_anchor = "anchors.txt"\n') as server:
        log, anchors = server.data / "audit.jsonl", tmp_path / "anchors.txt"
        for number in range(3):
            acknowledge(server, number)
        until(anchors.exists)
    assert verify(log, "--key-file", str(key), "--anchors", str(anchors))[0] == 0
    code, told = verify(log)
    assert (code, "the records are keyed" in told) == (1, True)
    other = tmp_path / "other"
    other.write_text("another key of thirty-two letters")
    assert verify(log, "--key-file", str(other))[0] == 1
    # Somebody without the key writes all of it anew, with hashes that fit.
    log.write_bytes(forged(log.read_bytes()))
    (server.data / "feedback.sqlite").unlink()
    assert verify(log)[0] == 0
    code, told = verify(log, "--key-file", str(key))
    assert (code, "has not the key" in told) == (1, True)
    code, told = verify(log, "--anchors", str(anchors))
    assert (code, "has not the hash that was kept elsewhere" in told) == (1, True)


def forged(log: bytes) -> bytes:
    from checker.service.audit_record import NO_HASH, write_record

    lines, prev = [], NO_HASH.encode()
    for line in log.splitlines():
        held = json.loads(line)
        seq, at, kind = held.pop("seq"), held.pop("at").encode(), held.pop("kind")
        members = json.dumps({name: value for name, value in held.items() if name not in ("prev", "mac")}).encode()[
            1:-1
        ]
        written, prev = write_record(seq, at, kind, members.replace(b"V1", b"V7"), prev, None)
        lines.append(written)
    return b"".join(lines)
