"""How long `liangku kb impact` takes against one scan of the same lines: `python -m benchmarks.impact --lines 10000000`.

Both are processes of their own, in turn, on generated data; the ratio of their medians counts, since other work on the machine hits
both alike.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from benchmarks.generate import DATA
from benchmarks.measure import Command, alternate, run, warm_cache

PARAM = "child_age=12"
"""What side B of the comparison sets otherwise."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--shape", choices=("flat", "national"), default="national")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--data", type=Path, default=DATA)
    args = parser.parse_args()
    wanted = ["--lines", str(args.lines), "--shape", args.shape, "--data", str(args.data)]
    # A process of its own, as a child's peak memory counts from that of the process which starts it.
    data = json.loads(run(Command([sys.executable, "-m", "benchmarks.generate", *wanted])).output)
    lines: list[str] = data["line_files"]
    headers = ["--settlements", data["settlements"]] if data["settlements"] else []
    warm_cache([*lines, *headers[1:]])
    out = args.data / "out-impact"
    liangku = [sys.executable, "-m", "checker.cli.main"]
    commands = {
        "scan": Command(
            [*liangku, "scan", *lines, *headers, "--out", str(out), "--force"],
            accepted=(0, 1),
            output=out,
            result=out / "run.json",
        ),
        "impact": Command(
            [*liangku, "kb", "impact", "embedded", "--param", PARAM, "--json", *headers, "--claims", *lines]
        ),
    }
    runs = alternate(commands, args.repeat)
    shutil.rmtree(out, ignore_errors=True)
    for name, taken in runs.items():
        if taken.failure:
            sys.exit(f"{name}: {taken.failure}")
    found = json.loads(runs["impact"].taken[-1].output)
    print(
        json.dumps(
            {
                "lines": found["read"],
                "scan_seconds": round(runs["scan"].seconds, 2),
                "impact_seconds": round(runs["impact"].seconds, 2),
                "ratio": round(runs["impact"].seconds / runs["scan"].seconds, 2),
                "scan_peak_mb": round(runs["scan"].peak_mb),
                "impact_peak_mb": round(runs["impact"].peak_mb),
                "flagged_before": found["before"]["flagged"]["lines"],
                "newly_flagged": found["new"]["extent"]["lines"],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
