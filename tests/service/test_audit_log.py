"""The audit log: what it holds, what survives a kill, and that every way of altering it shows."""

from __future__ import annotations

import json
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from checker.cli.main import run
from checker.model.errors import InputError
from checker.service.audit_files import records
from checker.service.audit_log import AuditLog
from checker.service.audit_verify import LISTED, verify
from tests.service.processes import acknowledged, unix_only


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of five records."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    for number in range(5):
        log.append("check", {"visit_id": f"V{number}", "item_name": "爱普列特片"})
    log.close()
    return path


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def problems(path: Path, expect: str | None = None) -> list[tuple[int, str]]:
    return [(problem.line, problem.what) for problem in verify(path, expect).problems]


def rehashed(line: bytes) -> bytes:
    """The line with the hash that its bytes now have, as a forger would write it."""
    hashed = line[: line.rindex(b',"hash":')]
    return hashed + b',"hash":"' + sha256(hashed).hexdigest().encode() + b'"}\n'


# ---- appending ----


def test_a_record_is_one_line_of_json_chained_to_the_one_before(path):
    first, second, *_ = map(json.loads, lines(path))
    assert list(second) == ["seq", "at", "kind", "visit_id", "item_name", "prev", "hash"]
    assert (first["seq"], first["prev"], second["seq"], second["prev"]) == (1, "0" * 64, 2, first["hash"])
    assert second["item_name"] == "爱普列特片"
    assert second["at"].endswith("Z")


def test_the_hash_is_that_of_the_bytes_before_it(path):
    line = lines(path)[2]
    assert rehashed(line) == line


def test_a_log_opened_again_goes_on_where_it_ended(path):
    log = AuditLog(path)
    assert (log.last_seq, log.append("check", {})) == (5, 6)
    log.close()
    assert (verify(path).is_sound, verify(path).last_hash) == (True, log.last_hash)


def test_encoded_fields_may_come_with_or_without_braces(tmp_path):
    log = AuditLog(tmp_path / "log")
    for fields in (b'{"a":1}', b'"a":1', b"{}", b""):
        log.append_encoded("check", fields)
    log.close()
    assert [record.get("a") for record in records(tmp_path / "log")] == [1, 1, None, None]
    assert verify(tmp_path / "log").is_sound


@pytest.mark.parametrize("name", ["seq", "at", "kind", "prev", "hash"])
def test_a_field_cannot_take_the_place_of_the_logs_own(path, name):
    log = AuditLog(path)
    with pytest.raises(ValueError, match="reserved"):
        log.append("check", {name: "x"})
    log.close()


def test_a_line_end_cannot_be_smuggled_in(path):
    log = AuditLog(path)
    with pytest.raises(ValueError, match="one line"):
        log.append_encoded("check", b'"a":1}\n{"seq":7')
    log.append("check", {"a": "one\ntwo"})
    log.close()
    assert verify(path).records == 6


def test_text_that_imitates_the_end_of_a_record_changes_nothing(path):
    log = AuditLog(path)
    log.append("check", {"a": f'","prev":"{"0" * 64}","hash":"{"0" * 64}"}}'})
    log.append("check", {})
    log.close()
    assert problems(path) == []


def test_half_a_surrogate_pair_is_kept_as_its_escape(path):
    log = AuditLog(path)
    log.append("check", {"a": "x\ud800"})
    log.close()
    assert verify(path).is_sound
    assert b"x\\ud800" in lines(path)[-1]


def test_threads_append_to_one_chain(path):
    log = AuditLog(path)
    threads = [threading.Thread(target=lambda: [log.append("check", {}) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert (verify(path).is_sound, verify(path).records) == (True, 805)


def test_records_after_a_number_are_read_in_order(path):
    assert [record["visit_id"] for record in records(path, after_seq=3)] == ["V3", "V4"]


def test_only_the_owner_may_read_it(path):
    assert path.stat().st_mode & 0o077 == 0


# ---- refusals ----


def test_a_second_writer_is_refused(path):
    log = AuditLog(path)
    with pytest.raises(InputError, match="另一个进程正在写"):
        AuditLog(path)
    log.close()
    AuditLog(path).close()


def test_a_folder_is_no_log(tmp_path):
    with pytest.raises(InputError, match="无法打开"):
        AuditLog(tmp_path)
    with pytest.raises(InputError, match="无法读取"):
        verify(tmp_path)
    with pytest.raises(InputError, match="无法读取"):
        list(records(tmp_path / "none"))


def test_a_log_whose_last_record_is_damaged_is_not_continued(path):
    path.write_bytes(path.read_bytes().replace(b"V4", b"V9"))
    with pytest.raises(InputError, match="audit-log verify"):
        AuditLog(path)


def test_another_file_is_not_continued_and_not_changed(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("one\ntwo\nthree")
    with pytest.raises(InputError, match="不是完好的审计记录"):
        AuditLog(other)
    assert other.read_text() == "one\ntwo\nthree"


# ---- kills and full disks ----


@unix_only
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path):
    path = tmp_path / "log"
    script = """
import os, sys
from checker.service.audit_log import AuditLog
log = AuditLog(sys.argv[1])
while True:
    os.write(1, b"%d\\n" % log.append("check", {"text": "x" * 2000}))
"""
    safe: set[int] = set()
    for _ in range(3):
        safe |= acknowledged(script, path, after=300)
        log = AuditLog(path)
        log.close()
        assert safe <= {record["seq"] for record in records(path)}
        assert verify(path).is_sound


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_an_unfinished_record_is_cut_off_and_said(path, kept):
    whole = lines(path)
    path.write_bytes(b"".join(whole[:4]) + whole[4][:kept])
    assert problems(path) == [(5, "unfinished")]
    log = AuditLog(path)
    log.close()
    cut = json.loads(lines(path)[-1])
    assert (cut["seq"], cut["kind"], cut["bytes"]) == (5, "cut", len(whole[4][:kept]))
    assert problems(path) == []


def test_an_unfinished_first_record_is_cut_off(tmp_path):
    (tmp_path / "log").write_bytes(b'{"seq":1,"at":')
    log = AuditLog(tmp_path / "log")
    log.close()
    assert [record["kind"] for record in records(tmp_path / "log")] == ["cut"]


def test_zeros_that_a_power_failure_left_are_cut_off(path):
    with path.open("ab") as file:
        file.write(bytes(200_000))
    AuditLog(path).close()
    assert verify(path).records == 6
    assert verify(path).is_sound


@unix_only
def test_a_record_that_the_disk_has_no_room_for_is_refused_whole_and_the_log_goes_on(path):
    import resource
    import signal

    log = AuditLog(path)
    size = path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, before[1]))
        with pytest.raises(OSError, match="File too large"):
            log.append("check", {"text": "x" * 500})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.stat().st_size == size
    assert log.append("check", {}) == 6
    log.close()
    assert verify(path).is_sound


# ---- tampering ----


def test_a_changed_record_shows(path):
    path.write_bytes(path.read_bytes().replace(b"V2", b"V9"))
    assert problems(path) == [(3, "changed")]


def test_a_changed_record_with_its_hash_made_anew_shows_at_the_next(path):
    whole = lines(path)
    whole[2] = rehashed(whole[2].replace(b"V2", b"V9"))
    path.write_bytes(b"".join(whole))
    assert problems(path) == [(4, "prev")]


def test_a_removed_record_shows(path):
    whole = lines(path)
    path.write_bytes(b"".join(whole[:2] + whole[3:]))
    (problem,) = verify(path).problems
    assert (problem.line, problem.what, problem.seq, problem.expected_seq) == (3, "gap", 4, 3)


def test_an_inserted_record_shows_even_with_right_hashes(path):
    whole = lines(path)
    prev = json.loads(whole[1])["hash"]
    forged = rehashed(whole[2].replace(b"V2", b"V9").replace(json.loads(whole[2])["prev"].encode(), prev.encode()))
    path.write_bytes(b"".join([*whole[:2], forged, *whole[2:]]))
    assert problems(path) == [(4, "order")]


def test_records_in_another_order_show(path):
    one, two, three, four, five = lines(path)
    path.write_bytes(one + three + two + four + five)
    assert problems(path) == [(2, "gap"), (3, "order"), (4, "gap")]


def test_a_head_cut_off_shows(path):
    path.write_bytes(b"".join(lines(path)[2:]))
    assert problems(path) == [(1, "head")]


def test_a_line_that_is_no_record_shows(path):
    whole = lines(path)
    path.write_bytes(b"".join([*whole[:2], b"\n", *whole[2:]]))
    assert problems(path) == [(3, "form")]


def test_a_tail_cut_off_shows_only_by_the_expected_hash(path):
    last = verify(path).last_hash
    path.write_bytes(b"".join(lines(path)[:-1]))
    assert problems(path) == []
    assert problems(path, expect=last) == [(4, "last")]


def test_every_single_byte_counts(path):
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        # A change in the last hash itself is one of its own record.
        assert not verify(path).is_sound, at


def test_many_problems_are_counted_but_not_all_held(tmp_path):
    (tmp_path / "log").write_bytes(b"x\n" * 5000)
    verified = verify(tmp_path / "log")
    assert (verified.problem_count, len(verified.problems)) == (5000, LISTED)


# ---- the command ----


def ask(capsys, *arguments: str | Path, lang: str = "zh") -> tuple[int, str, str]:
    code = run(["audit-log", "verify", *map(str, arguments), "--lang", lang])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_verify_of_a_sound_log_ends_with_0(path, capsys):
    code, out, err = ask(capsys, path)
    assert (code, err) == (0, "")
    assert "日志完好" in out
    assert verify(path).last_hash in out
    assert ask(capsys, path, "--expect", verify(path).last_hash.upper())[0] == 0


def test_verify_of_a_broken_log_ends_with_1_and_says_where(path, capsys):
    path.write_bytes(b"".join(lines(path)[:1] + lines(path)[3:]))
    code, out, _ = ask(capsys, path)
    assert code == 1
    assert "第 2 行：记录 2–3 缺失，其后是记录 4" in out
    assert "line 2: records 2–3 are missing before record 4" in ask(capsys, path, lang="en")[1]


def test_verify_as_json(path, capsys):
    path.write_bytes(path.read_bytes().replace(b"V2", b"V9"))
    code, out, _ = ask(capsys, path, "--json")
    document = json.loads(out)
    assert (code, document["sound"], document["records"]) == (1, False, 5)
    assert document["problems"] == [{"line": 3, "what": "changed", "seq": 3, "expected_seq": 3, "file": None}]


def test_verify_of_nothing_ends_with_2(tmp_path, path, capsys):
    code, out, err = ask(capsys, tmp_path / "none")
    assert (code, out) == (2, "")
    assert "无法读取" in err
    assert ask(capsys, path, "--expect", "abc")[0] == 2


def test_verify_reads_a_log_that_is_being_written(path, capsys):
    log = AuditLog(path)
    log.append("check", {})
    assert ask(capsys, path)[0] == 0
    log.close()
