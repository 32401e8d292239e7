"""The session that docs/serve.md shows is what happens: the service runs, curl asks, the page shows the answers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.service.serving import free_port

pytest.importorskip("starlette", reason="the extra [serve] is not installed")
ROOT = Path(__file__).resolve().parents[2]
CUT = "…"


def session() -> list[tuple[str, list[str]]]:
    """The commands of the blocks marked as a session, with the lines shown below each."""
    page = (ROOT / "docs/serve.md").read_text(encoding="utf-8")
    steps: list[tuple[str, list[str]]] = []
    for block in re.findall(r"<!-- session:.*?-->\n```console\n(.*?)```", page, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
    return steps


def fits(shown: list[str], printed: list[str]) -> bool:
    """Whether the lines printed are those shown; `…` stands for any text within a line, and alone for any lines."""
    if shown and shown[-1] == CUT:
        shown, printed = shown[:-1], printed[: len(shown) - 1]
    if len(shown) != len(printed):
        return False
    return all(
        re.fullmatch(".*".join(re.escape(part) for part in line.split(CUT)), told)
        for line, told in zip(shown, printed, strict=True)
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_session_of_the_page_happens(tmp_path: Path) -> None:
    """From the first request to the report, on a free port."""
    shutil.copytree(ROOT / "data/samples/requests", tmp_path / "data/samples/requests")
    port = str(free_port())
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "liangku").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m checker.cli.main "$@"\n')
    (folder / "liangku").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1", "PYTHONUTF8": "1",
    }  # fmt: skip
    (start, nothing), *steps = session()
    assert start.startswith("liangku serve")
    assert start.endswith(" &")
    assert nothing == []
    assert len(steps) >= 5
    words = start.removesuffix(" &").replace("8330", port).split()
    server = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                    break
            time.sleep(0.05)
        for command, shown in steps:
            done = subprocess.run(
                ["sh", "-c", command.replace("8330", port)],
                cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=60,
            )  # fmt: skip
            printed = [line.rstrip() for line in done.stdout.splitlines()]
            assert fits(shown, printed), f"{command}\n{done.stdout}\n{done.stderr}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
