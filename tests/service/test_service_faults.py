"""Nothing that goes wrong turns into a clear answer, and nothing that was answered or acknowledged is lost."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checker.service.settings import new_key
from tests.commands import liangku
from tests.service import messages
from tests.service.calls import BEFORE, MALE_ONLY, Answer, call, found, woman
from tests.service.processes import unix_only
from tests.service.serving import ROOT, Server, free_port, lean, serving

from oracle_data import KnowledgeRows, pattern, point, write_knowledge  # isort: skip
from sealed import seal  # isort: skip

NAME, ID_NUMBER = "褚某某", "110101199005010047"
SOUND = "XG04CBA088A001010101468"
NO_TIME = "[limits]\ntime_ms = 0.001\n"


def serve(*options: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `liangku serve` where it is expected to end by itself."""
    command = [sys.executable, "-m", "checker.cli.main", "serve", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)


def verified(log: Path) -> int:
    """The exit code with which the audit log is verified."""
    return liangku("audit-log", "verify", log).returncode


def records(server: Server) -> list[dict[str, Any]]:
    """The audit log."""
    return [json.loads(line) for line in (server.data / "audit.jsonl").read_text("utf-8").splitlines()]


def judged(server: Server, ticket: str) -> dict[str, Any]:
    """The ticket, once it was judged."""
    for _ in range(150):
        told = call(server.url, f"/v1/tickets/{ticket}").document
        if told["status"] == "judged":
            return dict(told)
        time.sleep(0.1)
    raise AssertionError(told)


# ---- not reviewed ----


def test_past_the_time_limit_nothing_counts_as_reviewed_until_it_was_judged_later(tmp_path: Path) -> None:
    named = woman(patient={"id_number": ID_NUMBER}, lines=[{"by_name": True, "item_name": "爱普列特片"}])
    with lean(tmp_path, NO_TIME) as server:
        answer = call(server.url, "/v1/check", woman()).document
        assert (answer["verdict"], answer["reviewed"], answer["findings"]) == ("undetermined", False, [])
        assert call(server.url, f"/v1/tickets/{answer['ticket']}").document["status"] == "open"
        (result,) = call(server.url, BEFORE, messages.message()).document["output"]["result"]
        of_named = call(server.url, "/v1/check", named).document["ticket"]
    with lean(tmp_path) as server:
        assert judged(server, answer["ticket"])["answers"][0]["verdict"] == "violation"
        assert judged(server, result["jr_id"])["answers"][0]["verdict"] == "violation"
        # An item that was named and an identity number are judged later too.
        finding = found(judged(server, of_named)["answers"][0])
        kept = {record.get("ticket") for record in records(server) if record["kind"] == "answer"}
    assert (finding["rule_id"], finding["verdict"], finding["actual"]) == ("drug-sex", "violation", "女")
    assert kept == {answer["ticket"], result["jr_id"], of_named}


def test_a_province_may_ask_for_an_earlier_answer(tmp_path: Path) -> None:
    """The limit of its profile counts for its messages, and for nothing else."""
    (tmp_path / "own.toml").write_text('name = "own"\ntime_limit_ms = 1\n', encoding="utf-8")
    with lean(tmp_path, 'profile = "own.toml"\n') as server:
        (result,) = call(server.url, BEFORE, messages.message()).document["output"]["result"]
        assert result["rule_id"] == "not_reviewed"
        assert judged(server, result["jr_id"])["answers"][0]["verdict"] == "violation"
        assert call(server.url, "/v1/check", woman()).document["verdict"] == "violation"


def test_a_ticket_that_never_was_is_not_found(server: Server) -> None:
    assert call(server.url, "/v1/tickets/T1").refusal == (404, "not_found")


def test_where_judging_fails_only_that_request_is_not_reviewed(tmp_path: Path) -> None:
    write_spoilt_knowledge(tmp_path / "kb")
    spoilt, sound = woman(), woman(SOUND)
    with serving(tmp_path, 'kb = "kb"\n') as server, ThreadPoolExecutor(16) as pool:
        sent = [spoilt if number % 4 == 0 else sound for number in range(64)]
        answers = list(pool.map(lambda document: call(server.url, "/v1/check", document).document, sent))
        log = (tmp_path / "serve.log").read_text(encoding="utf-8")
    for document, answer in zip(sent, answers, strict=True):
        expected = ("undetermined", False) if document is spoilt else ("violation", True)
        assert (answer["verdict"], answer["reviewed"]) == expected
    assert "judging failed: TypeError" in log


def write_spoilt_knowledge(folder: Path) -> None:
    """Write two points, and take its name from one: no clause of a rule can raise, but a finding without a name cannot be told."""
    points = [point("P1", "drug-sex", sex="male"), point("P2", "drug-sex", sex="male")]
    write_knowledge(KnowledgeRows(points, [pattern("P1", "code", MALE_ONLY), pattern("P2", "code", SOUND)]), folder)
    file = folder / "point.parquet"
    table = pq.read_table(file)
    place = table.schema.get_field_index("item_name")
    pq.write_table(table.set_column(place, table.schema.field(place), [pa.array([None, "样例"])]), file)
    seal(folder)


# ---- limits ----


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        ({"body": b" " * 2000}, (413, "too_large")),
        ({"body": b"[" * 9 + b"]" * 9}, (400, "bad_input")),
        ({"body": b"[" * 900 + b"]" * 900}, (400, "bad_input")),
        ({"document": woman(lines=[{}] * 4)}, (400, "bad_input")),
        ({"body": b""}, (400, "bad_input")),
        ({"body": b"{"}, (400, "bad_input")),
        ({"body": b'"\xff"'}, (400, "bad_input")),
        ({"body": b"{}", "headers": {"Content-Type": "text/plain"}}, (415, "unsupported_media_type")),
    ],
    ids=["large", "deep", "very-deep", "lines", "empty", "broken", "not-utf-8", "no-json"],
)
def test_what_is_beyond_a_limit_is_refused(limited: Server, sent: Any, refusal: Any) -> None:
    assert call(limited.url, "/v1/check", **sent).refusal == refusal
    assert call(limited.url, "/v1/check", woman()).document["verdict"] == "violation"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server that takes little, and waits for a body for a second."""
    limits = "[limits]\nbody_bytes = 1900\nbody_seconds = 1\ndepth = 8\nlines = 3\n"
    with lean(tmp_path_factory.mktemp("limited"), limits) as running:
        yield running


def test_a_body_that_comes_too_slowly_is_not_waited_for(limited: Server) -> None:
    place = urlsplit(limited.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as wire:
        wire.sendall(
            b"POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        begun = time.monotonic()
        head = wire.recv(100)
    assert head.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun < 10


def test_a_body_without_a_length_is_not_read_beyond_the_limit(limited: Server) -> None:
    place = urlsplit(limited.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as wire:
        wire.sendall(
            b"POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        wire.sendall(b"3e8\r\n" + b" " * 1000 + b"\r\n" + b"3e8\r\n" + b" " * 1000 + b"\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 413")


def test_too_many_requests_are_told_to_wait(tmp_path: Path) -> None:
    with lean(tmp_path, "[limits]\nrate = 0.5\nburst = 5\n") as server:
        statuses = [call(server.url, "/v1/rules").status for _ in range(8)]
        refused = call(server.url, "/v1/rules")
        assert call(server.url, "/health").status == 200
    assert statuses[:5] == [200] * 5
    assert statuses[6:] == [429, 429]
    assert (refused.refusal, refused.headers["retry-after"]) == ((429, "rate_limited"), "1")


# ---- who may ask ----


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with two keys, and those keys: one to check, one to administer. It has a name beyond this machine."""
    (checks, first), (both, second) = new_key("checks"), new_key("both")
    settings = 'hosts = ["counter.hospital"]\n' + first + "\n" + second.replace('["check"]', '["check", "admin"]')
    with lean(tmp_path_factory.mktemp("keyed"), settings) as running:
        yield running, checks, both


def test_with_keys_nothing_is_answered_without_one(keyed: Any) -> None:
    server, checks, _ = keyed
    for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": f"Basic {checks}"}, {"Authorization": "Bearer "}):
        answer = call(server.url, "/v1/check", woman(), headers=headers)
        assert answer.refusal == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    for path in ("/metrics", "/v1/ledger", "/v1/tickets/T1"):
        assert call(server.url, path).status == 401
    assert call(server.url, "/health").status == 200


def test_either_header_brings_the_key(keyed: Any) -> None:
    server, checks, _ = keyed
    for headers in (
        {"X-API-Key": checks},
        {"Authorization": f"Bearer {checks}"},
        {"authorization": f"bearer {checks}"},
    ):
        assert call(server.url, "/v1/check", woman(), headers=headers).status == 200


def test_only_a_key_for_it_administers(keyed: Any) -> None:
    server, checks, both = keyed
    assert call(server.url, "/admin/reload", method="POST", headers={"X-API-Key": checks}).refusal == (403, "forbidden")
    assert call(server.url, "/admin/reload", method="POST", headers={"X-API-Key": both}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1:8330"])
def test_another_host_name_is_refused(server: Server, host: str) -> None:
    for path in ("/", "/v1/ledger"):
        assert call(server.url, path, headers={"Host": host}).refusal == (403, "forbidden")
    assert call(server.url, "/health", headers={"Host": host}).status == 200


def test_a_host_name_of_the_settings_is_known(keyed: Any) -> None:
    server, checks, _ = keyed
    assert call(server.url, "/health", headers={"Host": "counter.hospital:8330"}).status == 200
    asked = {"Host": "counter.hospital:8330", "X-API-Key": checks}
    assert call(server.url, "/v1/check", woman(), headers=asked).status == 200


@pytest.mark.parametrize("setting", ['hosts = ["counter.hospital"]', "tls_elsewhere = true"])
def test_a_proxy_before_it_lets_nobody_in_without_a_key(tmp_path: Path, setting: str) -> None:
    (tmp_path / "serve.toml").write_text(setting + "\n", encoding="utf-8")
    ended = serve("--port", free_port(), "--config", tmp_path / "serve.toml", "--data", tmp_path / "data")
    assert (ended.returncode, "[[key]]" in ended.stderr, "tls_cert" in ended.stderr) == (2, True, False)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_what_a_proxy_handed_on_is_refused_where_there_are_no_keys(server: Server, header: str) -> None:
    for path in ("/v1/check", "/admin/reload"):
        answer = call(server.url, path, woman(), headers={header: "10.0.0.9"})
        assert answer.refusal == (403, "forbidden")


def test_who_was_refused_and_who_reloaded_is_written_down(tmp_path: Path) -> None:
    clerk, lines = new_key("门诊")
    admin, more = new_key("信息科")
    more = more.replace('["check"]', '["admin"]')
    with lean(tmp_path, f"{lines}\n{more}\n") as server:
        for _ in range(50):
            assert call(server.url, "/admin/reload", {}).refusal == (401, "unauthorized")
        assert call(server.url, "/admin/reload", {}, headers={"X-API-Key": clerk}).refusal == (403, "forbidden")
        assert call(server.url, "/admin/reload", {}, headers={"X-API-Key": admin}).status == 200
    log = (tmp_path / "serve.log").read_text(encoding="utf-8")
    assert log.count("refused (unauthorized): no key at 127.0.0.1") == 1
    assert log.count("refused (forbidden): 门诊 at 127.0.0.1") == 1
    (reload,) = [record for record in records(server) if record["kind"] == "reload"]
    assert (reload["outcome"], reload["by"]) == ("done", "信息科 at 127.0.0.1")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://127.0.0.1:1"])
def test_a_page_from_elsewhere_is_refused(server: Server, origin: str) -> None:
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    assert call(server.url, "/v1/check", woman(), headers=headers).refusal == (403, "forbidden")
    answer = call(server.url, BEFORE, messages.message(), headers=headers)
    assert (answer.status, answer.document["infcode"], answer.document["output"]) == (200, -1, None)


def test_the_own_page_may_ask_and_no_header_lets_others_read(server: Server) -> None:
    answer = call(server.url, "/v1/check", woman(), headers={"Origin": server.url})
    assert answer.status == 200
    asked_before = call(server.url, "/v1/check", method="OPTIONS", headers={"Origin": server.url})
    assert asked_before.status == 405
    for each in (answer, asked_before):
        assert not [name for name in each.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", ["/", "/ledger", "/static/counter.js"])
def test_pages_allow_nothing_from_elsewhere_and_nothing_inline(server: Server, path: str) -> None:
    headers = call(server.url, path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")


@pytest.mark.parametrize(
    "path", ["/static/index.html", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/v2", "/static/"]
)
def test_no_other_file_is_given_out(server: Server, path: str) -> None:
    assert call(server.url, path).refusal == (404, "not_found")


def test_other_machines_are_not_listened_to_without_keys_and_tls(tmp_path: Path) -> None:
    ended = serve("--host", "0.0.0.0", "--port", free_port(), "--data", tmp_path / "data")
    assert (ended.returncode, "[[key]]" in ended.stderr, "tls_cert" in ended.stderr) == (2, True, True)
    _, key = new_key("a")
    (tmp_path / "serve.toml").write_text(key, encoding="utf-8")
    ended = serve("--host", "0.0.0.0", "--port", free_port(), "--config", tmp_path / "serve.toml")
    assert (ended.returncode, "[[key]]" in ended.stderr, "tls_cert" in ended.stderr) == (2, False, True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the certificate is made by openssl")
def test_with_a_certificate_and_keys_it_listens_to_other_machines_by_tls(tmp_path: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run([*made, *names], check=True, capture_output=True)
    key, lines = new_key("a")
    settings = 'tls_cert = "cert.pem"\ntls_key = "key.pem"\nhosts = ["127.0.0.1"]\n'
    (tmp_path / "serve.toml").write_text(settings + lines, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "checker.cli.main", "serve", "--host", "0.0.0.0", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--config", str(tmp_path / "serve.toml"), "--data", str(tmp_path / "data")], cwd=ROOT, stderr=subprocess.DEVNULL
    )  # fmt: skip
    try:
        context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        answer = _once_there(f"https://127.0.0.1:{port}", context, {"X-API-Key": key})
    finally:
        process.terminate()
        process.wait(30)
    assert (answer.status, answer.document["verdict"]) == (200, "violation")


def _once_there(url: str, context: ssl.SSLContext, headers: dict[str, str]) -> Answer:
    for _ in range(300):
        try:
            return call(url, "/v1/check", woman(), headers=headers, context=context)
        except ConnectionError:
            time.sleep(0.1)
    raise AssertionError("the server is not there")


# ---- ends ----


@unix_only
def test_a_server_that_is_asked_to_end_answers_what_it_has_and_ends_well(tmp_path: Path) -> None:
    document = json.dumps(woman()).encode()
    with lean(tmp_path) as server:
        place = urlsplit(server.url)
        with socket.create_connection((place.hostname, place.port), timeout=20) as wire:
            head = f"POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(document)}\r\n\r\n"
            wire.sendall(head.encode() + document[:20])
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            wire.sendall(document[20:])
            assert wire.recv(20).startswith(b"HTTP/1.1 200")
        code = server.process.wait(30)
    assert records(server)[-1]["kind"] == "stop"
    assert verified(server.data / "audit.jsonl") == 0
    assert code == 0


@unix_only
def test_a_server_that_is_killed_loses_nothing_that_it_answered(tmp_path: Path) -> None:
    answered: list[str] = []
    acknowledged: list[str] = []
    stop = threading.Event()

    def person(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            try:
                document = woman(visit_id=f"V{number}-{count}")
                finding_id = found(call(server.url, "/v1/check", document).document)["finding_id"]
                answered.append(finding_id)
                given = {"finding_id": finding_id, "decision": "continue", "reason_code": "verified_person"}
                if call(server.url, "/v1/feedback", given).document["unknown"] == []:
                    acknowledged.append(finding_id)
            except (OSError, HTTPException, json.JSONDecodeError):
                return

    with lean(tmp_path) as server:
        persons = [threading.Thread(target=person, args=(number,)) for number in range(8)]
        for each in persons:
            each.start()
        time.sleep(1 + random.random())
        server.process.kill()
        stop.set()
        for each in persons:
            each.join()
    assert server.process.wait() == -signal.SIGKILL
    assert len(acknowledged) > 20
    with lean(tmp_path) as server:
        assert call(server.url, "/v1/check", woman()).document["verdict"] == "violation"
    log = {shown["id"] for record in records(server) if record["kind"] == "answer" for shown in record["shown"]}
    assert set(answered) <= log
    with sqlite3.connect(server.data / "feedback.sqlite") as database:
        kept = {row[0] for row in database.execute("SELECT finding_id FROM feedback")}
        shown = {row[0] for row in database.execute("SELECT finding_id FROM shown")}
    assert set(acknowledged) <= kept
    assert set(answered) <= shown
    assert verified(server.data / "audit.jsonl") == 0


def test_no_name_and_no_id_number_is_written_anywhere(tmp_path: Path) -> None:
    whole = messages.message(messages.patient(patn_name=NAME, certno=ID_NUMBER), opter_name=NAME)
    native = woman(patient={"name": NAME, "id_number": ID_NUMBER, "sex": "F"})
    wrong = woman(patient={"sex": NAME}), woman(patient={"birth_date": ID_NUMBER})
    for settings in ("", NO_TIME):
        with lean(tmp_path, settings) as server:
            assert call(server.url, "/v1/check", native).status == 200
            assert call(server.url, BEFORE, whole).document["output"]["result"]
            assert [call(server.url, "/v1/check", document).status for document in wrong] == [400, 400]
            assert call(server.url, "/v1/check", body=f'{{"patient": "{NAME}{ID_NUMBER}"'.encode()).status == 400
            _holds_nobody(tmp_path)
        _holds_nobody(tmp_path)
        shutil.copy(tmp_path / "serve.log", tmp_path / f"{len(settings)}.log")
    _holds_nobody(tmp_path)


def _holds_nobody(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"audit.jsonl", "feedback.sqlite", "serve.log"} <= {path.name for path in files}
    for path in files:
        held = path.read_bytes()
        for secret in (NAME, ID_NUMBER):
            for encoded in (secret.encode(), json.dumps(secret)[1:-1].encode()):
                assert encoded not in held, (path.name, secret)
