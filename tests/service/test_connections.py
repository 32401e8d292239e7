"""What a connection may cost before anybody knows who asks: the head of a request is limited in bytes, lines and time."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.service.calls import call, woman
from tests.service.serving import Server, lean

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


@contextlib.contextmanager
def wire(server: Server) -> Iterator[socket.socket]:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        yield connection


def status(connection: socket.socket) -> int:
    """The status that comes back; 0 where the connection ends without one."""
    with contextlib.suppress(ConnectionError):
        told = connection.recv(64)
        return int(told.split()[1]) if told else 0
    return 0


def sent(server: Server, *parts: bytes) -> int:
    with wire(server) as connection:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
        return status(connection)


def test_a_head_of_usual_size_is_read_however_it_comes_in(server: Server) -> None:
    head = HEAD + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n"
    assert sent(server, head) == 200
    with wire(server) as connection:
        for at in range(0, len(head), 997):
            connection.sendall(head[at : at + 997])
            time.sleep(0.001)
        assert status(connection) == 200


def test_a_body_far_longer_than_a_head_may_be_is_read(server: Server) -> None:
    body = json.dumps(woman(lines=woman()["lines"] * 1500)).encode()
    head = (
        b"POST /v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r"
        % len(body)
    )
    assert len(body) > 100_000
    # The last byte of the head comes with the body.
    with wire(server) as connection:
        connection.sendall(head)
        time.sleep(0.05)
        connection.sendall(b"\n" + body)
        assert status(connection) == 200


def test_requests_that_come_together_are_answered_one_after_another(server: Server) -> None:
    with wire(server) as connection:
        connection.sendall((HEAD + b"\r\n") * 2000)
        told = b""
        while told.count(b"HTTP/1.1 200") < 2000:
            part = connection.recv(1 << 16)
            assert part, told[-200:]
            told += part


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (HEAD + b"".join(b"X-%d: 1\r\n" % number for number in range(100)) + b"\r\n", 431),
        (HEAD + b"X-A: " + b"a" * 40_000 + b"\r\n\r\n", 431),
    ],
    ids=["address", "lines", "bytes"],
)
def test_a_head_beyond_its_limits_is_refused(server: Server, head: bytes, expected: int) -> None:
    assert sent(server, head) == expected


def test_a_head_without_end_is_not_taken_in(server: Server) -> None:
    taken = 0
    with wire(server) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(HEAD + b"X-A: ")
        for _ in range(400):
            connection.sendall(b"a" * 65536)
            taken += 1
    assert taken < 300
    assert call(server.url, "/health").status == 200


def test_who_sends_no_head_in_time_is_let_go_and_keeps_nobody_out(tmp_path: Path) -> None:
    with lean(tmp_path, "[limits]\nconnections = 50\nhead_seconds = 1.5\n") as server:
        place = urlsplit(server.url)
        idle = [socket.create_connection((place.hostname, place.port), timeout=20) for _ in range(100)]
        for connection in idle:
            connection.sendall(HEAD + b"\r\n")
            assert status(connection) == 200
        # Those that are only kept open make room for whoever comes.
        assert call(server.url, "/health").status == 200
        half = []
        for _ in range(120):
            connection = socket.create_connection((place.hostname, place.port), timeout=20)
            connection.sendall(HEAD)
            half.append(connection)
        assert call(server.url, "/health").status == 200
        assert call(server.url, "/v1/check", woman()).document["verdict"] == "violation"
        begin = time.monotonic()
        # The first were let go to make room, the others because their time is over.
        assert {status(connection) for connection in half} == {0, 408}
        assert time.monotonic() - begin < 5
        for connection in (*half, *idle):
            connection.close()
