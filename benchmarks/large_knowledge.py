"""What a knowledge base of 250,000 points costs: check, build, search, and a scan against one with the embedded edition.

    python -m benchmarks.large_knowledge --points 250000 --lines 10000000

The points beyond those of the embedded edition are invented, each with a name and an exact code of its own that no line has:
what is measured is the size of the knowledge, not more findings. Every command is a process of its own; medians count.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
from multiprocessing import Process
from pathlib import Path

from benchmarks.generate import DATA
from benchmarks.measure import Command, Runs, alternate, run, warm_cache
from checker.shapes import SHAPES

SOURCES = Path("knowledge_base/sources")
LIANGKU = [sys.executable, "-m", "checker.cli.main"]


def write_text(folder: Path, points: int) -> None:
    """Write the text of the embedded edition, and invented points after it until there are so many."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("exemption.toml", "edition.toml", *(shape.limit_file for shape in SHAPES)):
        shutil.copyfile(SOURCES / name, folder / name)
    rows, items, patterns = (_rows(SOURCES / name) for name in ("point.csv", "item.csv", "pattern.csv"))
    limits = {row["point_id"]: row for row in items}
    models = [
        row for row in rows if row["rule_id"].startswith("drug") and row["point_id"] in limits and not row["valid_to"]
    ]
    for number in range(points - len(rows)):
        model = models[number % len(models)]
        point_id = f"{model['rule_id']}-invented-{number:06d}"
        rows.append(
            {**model, "point_id": point_id, "item_name": f"{model['item_name']}{number}", "published_codes": "1"}
        )
        items.append({**limits[model["point_id"]], "point_id": point_id})
        code = f"XZ{number // 1000 % 100:02d}AA{chr(65 + number // 100_000 % 26)}{number % 1000:03d}A001{number:09d}"
        patterns.append({"point_id": point_id, "role": "item", "match": "code", "code": code, "published_codes": "1"})
    for name, table in (("point.csv", rows), ("item.csv", items), ("pattern.csv", patterns)):
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=250_000)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA)
    args = parser.parse_args()
    work = args.data / "large-knowledge"
    text, built, out = work / "text", work / "built", work / "out"
    # Processes of their own, as a child's peak memory counts from that of the process which starts it.
    writer = Process(target=write_text, args=(text, args.points))
    writer.start()
    writer.join()
    wanted = ["--lines", str(args.lines), "--shape", "flat", "--data", str(args.data)]
    lines = json.loads(run(Command([sys.executable, "-m", "benchmarks.generate", *wanted])).output)["line_files"]
    warm_cache(lines)

    def scan(knowledge: list[str]) -> Command:
        words = [*LIANGKU, "scan", *lines, *knowledge, "--out", str(out), "--json"]
        return Command(words, accepted=(0, 1), output=out, result=out / "run.json")

    size = f"{args.points:,} points"
    commands = {
        f"build, {size}": Command([*LIANGKU, "kb", "build", "--sources", str(text), "--out", str(built)], output=built),
        f"check of the text, {size}": Command([*LIANGKU, "kb", "check", str(text)]),
        f"check of the built, {size}": Command([*LIANGKU, "kb", "check", str(built)]),
        f"search by initials, {size}": Command([*LIANGKU, "kb", "search", "apltp", "--kb", str(built)]),
        f"search by code, {size}": Command([*LIANGKU, "kb", "search", "XG04CBA", "--kb", str(built)]),
        "scan, embedded edition": scan([]),
        f"scan, {size}": scan(["--kb", str(built)]),
    }
    runs = alternate(commands, args.repeat)
    shutil.rmtree(work)
    for name, taken in runs.items():
        if taken.failure:
            sys.exit(f"{name}: {taken.failure}")
    print(table(runs))
    small, large = runs["scan, embedded edition"], runs[f"scan, {size}"]
    print(f"\n{args.lines:,} lines: {large.seconds / small.seconds:.2f} times the scan with the embedded edition")


def table(runs: dict[str, Runs]) -> str:
    """The figures as a Markdown table."""
    rows = ["| command | seconds | MB |", "|---|---:|---:|"]
    rows += [f"| {name} | {taken.seconds:.2f} | {taken.peak_mb:.0f} |" for name, taken in runs.items()]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
