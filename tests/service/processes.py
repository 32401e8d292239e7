"""A process that is killed with SIGKILL while it writes, and what it had acknowledged until then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

unix_only = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")


def acknowledged(script: str, *arguments: str | Path, after: int) -> set[int]:
    """Run a script that prints each number once it is safe; kill it after so many, and return the numbers it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    printed += process.stdout.read().splitlines(keepends=True)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    return {int(line) for line in printed if line.endswith(b"\n")}
