"""Real database servers for tests: each in a folder of its own, on a free port, as somebody without privileges."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD, DATABASE = "auditor", "s3cret/@:#密", "city"
NOBODY = "nobody"
"""The user that a server runs as where the tests run as root, which servers refuse."""
PATIENCE = 30.0


@dataclass
class Server:
    """A server that listens on a port of this machine, with the database `city` and the user `auditor`, who may only read it."""

    scheme: str
    port: int
    process: subprocess.Popen[bytes]
    client: Sequence[str | Path]

    @property
    def url(self) -> str:
        """The database as a user names it, without the password."""
        return f"{self.scheme}://{USER}@127.0.0.1:{self.port}/{DATABASE}"

    def run(self, sql: str) -> str:
        """Run statements as the owner of the server; what they print."""
        done = subprocess.run([*self.client], input=sql.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's programs; None where they are missing."""
    # Debian keeps all but the clients out of the PATH.
    of_debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    return of_debian[-1] if of_debian else Path(found).parent if (found := shutil.which("initdb")) else None


def mariadb_programs() -> Path | None:
    """MariaDB's server, where the programs that make and ask one are there as well."""
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    return Path(found) if found and shutil.which("mariadb-install-db") and shutil.which("mariadb") else None


@contextlib.contextmanager
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of this machine's programs."""
    programs = postgres_programs()
    assert programs is not None
    with _folder() as folder:
        data, port = folder / "data", _free_port()
        _as_nobody(
            [programs / "initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        )
        rules = (
            f"local all owner trust\nhost all owner 127.0.0.1/32 trust\nhost all {USER} 127.0.0.1/32 scram-sha-256\n"
        )
        (data / "pg_hba.conf").write_text(rules, encoding="utf-8")
        settings = ("-p", str(port), "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
        client = (
            programs / "psql",
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-U",
            "owner",
        )
        with _served([programs / "postgres", "-D", data, *settings], folder) as process:
            server = Server("postgresql", port, process, (*client, "postgres"))
            _wait_for(server, "SELECT 1")
            server.run(f"CREATE DATABASE {DATABASE}; CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
            server.client = (*client, DATABASE)
            server.run(f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {USER}")
            yield server


@contextlib.contextmanager
def mariadb() -> Iterator[Server]:
    """A MariaDB server of this machine's programs."""
    with _folder() as folder:
        data, port = folder / "data", _free_port()
        made = (
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        )
        _as_nobody(["mariadb-install-db", *made])
        settings = (
            "--bind-address=127.0.0.1",
            f"--port={port}",
            f"--socket={folder / 'socket'}",
            f"--pid-file={folder / 'pid'}",
        )
        client = (
            "mariadb",
            "--no-defaults",
            "-N",
            "--default-character-set=utf8mb4",
            f"--socket={folder / 'socket'}",
            "-uroot",
        )
        with _served(
            [mariadb_programs() or "mariadbd", "--no-defaults", f"--datadir={data}", "--skip-name-resolve", *settings],
            folder,
        ) as process:
            server = Server("mariadb", port, process, client)
            _wait_for(server, "SELECT 1")
            server.run(
                f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4; CREATE USER {USER} IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON {DATABASE}.* TO {USER}"
            )
            server.client = (*client, DATABASE)
            yield server


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder that the server may write to; those of pytest are closed to all but their owner."""
    with tempfile.TemporaryDirectory(prefix="liangku-db-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            shutil.chown(name, NOBODY)
        yield Path(name)


def _nobody() -> str | None:
    return NOBODY if os.geteuid() == 0 else None


def _as_nobody(words: Sequence[str | Path]) -> None:
    done = subprocess.run([*words], user=_nobody(), capture_output=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@contextlib.contextmanager
def _served(words: Sequence[str | Path], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*words], user=_nobody(), stdout=log, stderr=log, cwd="/")
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT if "postgres" in str(words[0]) else signal.SIGTERM)
        process.wait(PATIENCE)


def _wait_for(server: Server, question: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            server.run(question)
            return
        except AssertionError:
            assert server.process.poll() is None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
