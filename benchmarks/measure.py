"""Run one whole process and take its wall clock and peak memory; say what machine this is. Standard library only.

A child's peak counts from the memory of the process that starts it, so the harness itself stays small and imports no
data library.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("duckdb", "pandas", "pyarrow", "zen-engine", "rule-engine", "liangku")


@dataclass(frozen=True, slots=True)
class Taken:
    """One run of one process."""

    seconds: float
    peak_mb: float
    output: str


@dataclass(slots=True)
class Runs:
    """All runs of one contestant; `failure` says why there is none."""

    taken: list[Taken] = field(default_factory=list)
    failure: str | None = None

    @property
    def seconds(self) -> float:
        """The median wall clock."""
        return statistics.median(t.seconds for t in self.taken)

    @property
    def spread(self) -> tuple[float, float]:
        """The fastest and the slowest."""
        return min(t.seconds for t in self.taken), max(t.seconds for t in self.taken)

    @property
    def peak_mb(self) -> float:
        """The largest peak of all runs."""
        return max(t.peak_mb for t in self.taken)


class Failed(Exception):
    """A process ended with a code that does not mean success; the text is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, which exit codes mean success, and what it writes.

    `output` is removed before each run and `result` must be there after it: an exit code alone proves no work, as 1
    means "findings" to the product and "no such module" to Python.
    """

    words: list[str]
    accepted: tuple[int, ...] = (0,)
    output: Path | None = None
    result: Path | None = None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def run(command: Command) -> Taken:
    """Run a command to its end; raise `Failed` where its exit code or its result says that it did not succeed."""
    if command.output:
        _remove(command.output)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command.words, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output, errors = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if process.returncode not in command.accepted or (command.result and not command.result.exists()):
        said = (errors.strip() or output.strip()).splitlines()
        raise Failed(f"exit code {process.returncode}: {said[-1] if said else 'nothing said'}")
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Taken(seconds, kilobytes / 1024, output)


def alternate(commands: dict[str, Command], repeat: int) -> dict[str, Runs]:
    """Run every command `repeat` times, in turn, so that a busy moment of the machine hits all alike."""
    runs = {name: Runs() for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            if runs[name].failure is None:
                try:
                    runs[name].taken.append(run(command))
                except Failed as failed:
                    runs[name].failure = str(failed)
    return runs


def warm_cache(files: list[str]) -> None:
    """Read the files once, so that the first contestant does not pay for the disk alone."""
    for name in files:
        with Path(name).open("rb") as file:
            while file.read(1 << 24):
                pass


def machine() -> dict[str, str]:
    """Return the machine and the versions as rows of a table."""
    model = platform.processor() or "unknown"
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = named[0] if named else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "Date": time.strftime("%Y-%m-%d"),
        "Processor": f"{model}, {os.cpu_count()} cores",
        "Memory": f"{memory:.0f} GB",
        "System": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "Versions": ", ".join(versions),
        "Load when started": f"{os.getloadavg()[0]:.2f}",
    }
