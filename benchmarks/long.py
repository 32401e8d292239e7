"""Long scans: what the journal costs, and what many files cost: `python -m benchmarks.long`.

The same lines lie in few and in many files of DuckDB's own row groups. `no parts` keeps nothing of what is done; `parts` keeps it, so that a scan that is
killed can be taken up. Whole processes, taking turns, medians.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.measure import Command, alternate, run, warm_cache
from benchmarks.shared_files import in_files


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--few", type=int, default=8)
    parser.add_argument("--many", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    args = parser.parse_args()
    module = [sys.executable, "-m"]
    given = ["--lines", str(args.lines), "--data", str(args.data)]
    made = json.loads(run(Command([*module, "benchmarks.generate", *given])).output)["line_files"]
    few, many = (in_files(made, args.data / f"files-{args.lines}-{number}", number) for number in (args.few, args.many))
    warm_cache([*few, *many])
    out = args.data / "long"
    bare, whole = out / "bare.parquet", str(10 * args.lines)
    out.mkdir(parents=True, exist_ok=True)

    def scan(name: str, files: list[str], *options: str) -> Command:
        words = [*module, "checker.cli.main", "scan", *files, "--out", str(out / name), "--force", *options]
        return Command(words, accepted=(0, 1), result=out / name / "run.json")

    commands = {
        "bare": Command([*module, "benchmarks.bare", *few, "--out", str(bare)], output=bare, result=bare),
        "no parts": scan("whole", few, "--part-lines", whole),
        "parts": scan("parts", few),
        "many files": scan("many", many),
    }
    runs = alternate(commands, args.repeat)
    for name, other in (("bare", "bare"), ("no parts", "bare"), ("parts", "no parts"), ("many files", "parts")):
        taken = runs[name]
        ratio = taken.failure or f"{taken.seconds:.2f} s, × {taken.seconds / runs[other].seconds:.2f} of {other}"
        print(f"{name}: {ratio}")


if __name__ == "__main__":
    main()
