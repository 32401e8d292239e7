"""`checker.scan` of an Arrow table in memory beside the bare query over the same table: `python -m benchmarks.in_memory`.

Each contestant is a process that loads the table, does its work some times and tells the median time and by how much its memory rose above
that with the table loaded: what rises less than the table is large has not copied it. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.005
MB = 1 << 20


def resident_mb() -> float:
    """Resident memory of this process now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / MB


@contextmanager
def watched() -> Iterator[list[float]]:
    """A list whose one number is, afterwards, by how many MB memory rose at most meanwhile."""
    before, risen, done = resident_mb(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(POLL_SECONDS):
            risen[0] = max(risen[0], resident_mb() - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield risen
    finally:
        done.set()
        thread.join()


def _bare(files: list[str]) -> Callable[[], int]:
    from benchmarks import bare

    table, folder = loaded(files), tempfile.TemporaryDirectory()
    return lambda: bare.run_table(table, str(Path(folder.name) / "bare.parquet"))


def _liangku(files: list[str]) -> Callable[[], int]:
    import checker

    table = loaded(files)

    def scan() -> int:
        with checker.scan(table) as run:
            return run.summary.findings

    return scan


def loaded(files: list[str]) -> Any:
    """The lines of files as an Arrow table."""
    import pyarrow as pa
    from pyarrow import parquet

    return pa.concat_tables([parquet.read_table(file) for file in files])


CONTESTANTS = {"bare": _bare, "liangku": _liangku}


def measure(name: str, files: list[str], repeat: int) -> dict[str, Any]:
    """One contestant in this process: seconds of the first time, the median of the others, memory, findings."""
    table = loaded(files)
    work, size, rows = CONTESTANTS[name](files), table.nbytes / MB, table.num_rows
    del table
    taken = []
    with watched() as risen:
        for _ in range(repeat + 1):
            started = time.perf_counter()
            found = work()
            taken.append(time.perf_counter() - started)
    return {
        "lines": rows, "table_mb": round(size), "first": round(taken[0], 3), "seconds": round(statistics.median(taken[1:]), 3),
        "risen_mb": round(risen[0]), "findings": found,
    }  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--one", choices=CONTESTANTS, help="only this one, in this process")
    args = parser.parse_args()
    words = ["-m", "benchmarks.generate", "--lines", str(args.lines), "--shape", "flat", "--data", str(args.data)]
    files = json.loads(_run(words))["line_files"]
    if args.one:
        print(json.dumps(measure(args.one, files, args.repeat)))
        return
    given = [word for name in ("lines", "repeat", "data") for word in (f"--{name}", str(getattr(args, name)))]
    told = {name: json.loads(_run(["-m", "benchmarks.in_memory", "--one", name, *given])) for name in CONTESTANTS}
    ratio = told["liangku"]["seconds"] / told["bare"]["seconds"]
    print(
        json.dumps(
            told | {"ratio": round(ratio, 2), "beyond": round(told["liangku"]["seconds"] - told["bare"]["seconds"], 3)}
        )
    )


def _run(words: list[str]) -> str:
    return subprocess.run([sys.executable, *words], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
