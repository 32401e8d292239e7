"""The real server as a process of its own, on a free port, with its data in a folder of the test."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.one_rule import one_rule_kb, one_rule_rules

ROOT = Path(__file__).parents[2]
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers: where, its data, and its process."""

    url: str
    data: Path
    process: subprocess.Popen[bytes]


_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.count(20_000 + _WORKER % 4 * 3_000 + os.getpid() % 2_000)
"""Ports of this worker alone, below those that the system hands out, so that a server that stops may start again on its own."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable: the count has no end")


@contextlib.contextmanager
def serving(folder: Path, settings: str = "", *, port: int | None = None) -> Iterator[Server]:
    """Start `liangku serve` with settings (TOML) and data in a folder, wait until it is ready, stop it in the end."""
    port = port or free_port()
    file, log = folder / "serve.toml", folder / "serve.log"
    file.write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", "checker.cli.main", "serve", "--port", str(port), "--data", str(folder / "data")]
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--config", str(file)], stdout=out, stderr=out, cwd=ROOT)
    server = Server(f"http://127.0.0.1:{port}", folder / "data", process)
    try:
        _wait_for(server, log)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


def lean(folder: Path, settings: str = "", *, port: int | None = None) -> contextlib.AbstractContextManager[Server]:
    """The same with the points and the clauses of one rule, which is ready in half the time: for tests of all that is not judging."""
    own = f'kb = "{one_rule_kb()}"\nrules = "{one_rule_rules()}"\nonly_rules = true\n'
    return serving(folder, own + settings, port=port)


def _wait_for(server: Server, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
        try:
            urllib.request.urlopen(f"{server.url}/health", timeout=2).close()
            return
        except urllib.error.HTTPError as answer:
            # It is there, though something that it looks after is not well.
            if answer.code == 503:
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the server is not ready after {_SECONDS} s")
