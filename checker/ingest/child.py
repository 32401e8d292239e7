"""Processes of their own, for files that may make their reader ask for any amount of memory or time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MEMORY = 6 << 30
"""The address space of the process; the libraries take a good part of it."""
SECONDS = 600


def run_child(module: str, *paths: Path) -> None:
    """Run a module of this package, which calls `limit_memory` first, with the paths as its arguments.

    Raises ValueError where it fails, with the end of what it said, or takes longer than SECONDS.
    """
    package = str(Path(__file__).parents[2])
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *(path.resolve() for path in paths)],
            env={**os.environ, "PYTHONPATH": package}, capture_output=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ValueError(str(error)) from error
    if done.returncode:
        raise ValueError(done.stderr.decode("utf-8", "replace")[-200:])


def limit_memory() -> None:
    """Hold this process to MEMORY, where the system can."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
