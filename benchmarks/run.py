"""Run all contestants on the same data and write docs/benchmarks.md: `python -m benchmarks.run`.

Every contestant is a process of its own, measured from start to end; they take turns, the median counts.
`--lines 200000 --grow 0` is a quick look at whether everything works.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import page
from benchmarks.measure import Command, Failed, Runs, alternate, machine, run, warm_cache
from benchmarks.results import Results

ROW_LINES = 20_000
ROW_ENGINES = (
    ("zen-engine", "lookup", ROW_LINES),
    ("rule-engine", "lookup", ROW_LINES),
    ("zen-engine", "rules", 2_000),
    ("rule-engine", "rules", 200),
)
"""Engine, how it gets the knowledge, lines: fewer where every pattern is a rule and a line takes up to 0.1 seconds."""


def _module(name: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", name, *map(str, arguments)]


def _note(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Harness:
    """The run: where things are, and what is measured in which order."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._data: Path = args.data
        self._out: Path = args.data / "out"
        self._without: list[str] = args.without
        self._given = ["--kb", str(args.kb)] if args.kb else []
        self.results = Results(args.lines, args.grow, machine())

    def _generate(self, lines: int, shape: str) -> dict[str, Any]:
        _note(f"data: {lines:,} lines, {shape}")
        words = _module(
            "benchmarks.generate", "--lines", str(lines), "--shape", shape, "--data", self._data, *self._given
        )
        made = run(Command(words))
        described: dict[str, Any] = json.loads(made.output)
        return described

    def _contestants(self, data: dict[str, Any], names: tuple[str, ...]) -> dict[str, Command]:
        files, held = data["line_files"], []
        if data["settlements"]:
            held = ["--settlements", data["settlements"]]
        held = [*files, *held, *self._given]
        bare, pandas, product = (self._out / name for name in ("bare.parquet", "pandas.parquet", "liangku"))
        scan = _module("checker.cli.main", "scan", *held, "--out", product, "--force")
        commands = {
            "bare": Command(_module("benchmarks.bare", *held, "--out", bare), output=bare, result=bare),
            "liangku": Command(scan, accepted=(0, 1), output=product, result=product / "run.json"),
            "pandas": Command(_module("benchmarks.with_pandas", *held, "--out", pandas), output=pandas, result=pandas),
        }
        return {name: commands[name] for name in names if name not in self._without}

    def _compare(self, name: str, other: Path, files: list[str], *extra: str) -> None:
        try:
            words = _module("benchmarks.compare", self._out / "bare.parquet", other, "--lines", *files, *extra)
            said = run(Command(words))
        except Failed as failed:
            self.results.checks[name] = {"failure": str(failed)}
        else:
            self.results.checks[name] = json.loads(said.output)

    def scans(self, lines: int, shape: str, label: str, names: tuple[str, ...], repeat: int) -> None:
        """Measure the contestants on one data set and compare what they found."""
        data = self._generate(lines, shape)
        files: list[str] = data["line_files"]
        self._out.mkdir(parents=True, exist_ok=True)
        self.results.sizes[label] = data["bytes"]
        warm_cache([*files, *([data["settlements"]] if data["settlements"] else [])])
        _note(f"{label}: {', '.join(names)}, {repeat} times")
        runs = alternate(self._contestants(data, names), repeat)
        self.results.scans[label] = runs
        if runs["bare"].failure:
            return
        if "liangku" in runs and not runs["liangku"].failure:
            self._compare(f"{label} liangku", self._out / "liangku", files, "--netting")
        if "pandas" in runs and not runs["pandas"].failure:
            self._compare(f"{label} pandas", self._out / "pandas.parquet", files)
        if label == "flat":
            self._row_engines(files, repeat)

    def _row_engines(self, files: list[str], repeat: int) -> None:
        for engine, way, limit in ROW_ENGINES:
            if engine in self._without:
                continue
            name, out = f"{engine} {way}", self._out / f"{engine}-{way}.parquet"
            _note(f"{name}: {limit:,} lines")
            arguments = ["--points", way, "--limit", str(limit), "--out", str(out), *self._given]
            words = _module("benchmarks.row_engines", engine, files[0], *arguments)
            runs = alternate({name: Command(words, output=out, result=out)}, repeat if limit == ROW_LINES else 1)
            self.results.rows |= runs
            if not runs[name].failure:
                answers = [json.loads(taken.output) for taken in runs[name].taken]
                seconds = statistics.median(answer["seconds"] for answer in answers)
                self.results.row_answers[name] = answers[0] | {"seconds": seconds}
                self._compare(name, out, files, "--first", str(limit))

    def counter(self, repeat: int) -> None:
        """Measure one check, cold as a command and warm within a process."""
        _note("counter checks")
        check = _module(
            "checker.cli.main", "check", "--item", "XG04CBA088A001010101467", "--sex", "女",
            "--birth", "1990-05-01", "--on", "2026-03-01", *self._given,
        )  # fmt: skip
        commands = {"import duckdb": Command([sys.executable, "-c", "import duckdb"])}
        try:
            answer = json.loads(run(Command([*check, "--json"], accepted=(1,))).output)
            if answer["verdict"] != "violation":
                raise Failed(f"the example is a violation, the answer says {answer['verdict']}")
            commands["liangku check"] = Command(check, accepted=(1,))
            self.results.counter = alternate(commands, repeat)
        except (Failed, ValueError, KeyError) as failed:
            said = str(failed) if isinstance(failed, Failed) else "no answer in JSON"
            self.results.counter = alternate(commands, repeat) | {"liangku check": Runs(failure=said)}
        try:
            self.results.warm = json.loads(run(Command(_module("benchmarks.counter"))).output)
        except Failed as failed:
            self.results.warm = str(failed)

    def clean(self) -> None:
        """Remove what the contestants wrote; the generated data stays."""
        shutil.rmtree(self._out, ignore_errors=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=20_000_000)
    parser.add_argument("--grow", type=int, default=100_000_000, help="lines of the large run; 0: none")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--grow-repeat", type=int, default=1)
    parser.add_argument("--counter-repeat", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"))
    parser.add_argument("--data", type=Path, default=Path("benchmarks/data"))
    parser.add_argument("--kb", type=Path, help="another knowledge base, for data and contestants")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="NAME",
        help="leave out liangku, pandas, zen-engine or rule-engine",
    )
    args = parser.parse_args()
    harness = Harness(args)
    for shape in ("flat", "national"):
        harness.scans(args.lines, shape, shape, ("bare", "liangku", "pandas"), args.repeat)
    harness.counter(args.counter_repeat)
    if args.grow:
        for shape in ("flat", "national"):
            harness.scans(args.grow, shape, f"{shape}-grow", ("bare", "liangku"), args.grow_repeat)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(page.write(harness.results), encoding="utf-8")
    harness.clean()
    _note(f"written: {args.out}")


if __name__ == "__main__":
    main()
