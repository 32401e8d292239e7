"""Put what was measured into one Markdown page: a table a section, then the limits and whether they are met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.measure import Runs
from benchmarks.results import Results

FULL_LINES = 20_000_000
FULL_GROW = 100_000_000
BUSY = 1.3
"""Slowest over fastest run of one contestant from which the page warns."""

_CONTESTANTS = {
    "bare": "DuckDB query by hand",
    "liangku": "`liangku scan`",
    "pandas": "pandas",
}
_WAYS = {"lookup": "points found by a Python dictionary", "rules": "every pattern is a rule"}


@dataclass(frozen=True, slots=True)
class Limit:
    """A promise: what is measured against what. `value` is None where it was not measured."""

    what: str
    limit: str
    value: float | None
    bound: float
    unit: str


def _table(header: str, rows: Iterable[str]) -> list[str]:
    columns = header.split("|")
    rule = "|".join("---" if n == 0 else "---:" for n in range(len(columns)))
    return [f"| {' | '.join(c.strip() for c in columns)} |", f"|{rule}|", *rows, ""]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _measured(scans: dict[str, Runs], name: str) -> Runs | None:
    runs = scans.get(name)
    return runs if runs and runs.taken and runs.failure is None else None


def _ratio(one: Runs | None, other: Runs | None) -> float | None:
    return one.seconds / other.seconds if one and other else None


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _agreement(check: dict[str, object] | None) -> str:
    if check is None:
        return "–"
    if "failure" in check:
        return f"not compared: {check['failure']}"
    aside = f", {check['left_out']:,} left out" if check["left_out"] else ""
    if check["equal"]:
        return f"equal ({check['compared']:,}{aside})"
    return f"DIFFERENT: {check['missing']:,} missing, {check['extra']:,} extra of {check['compared']:,}{aside}"


def _scan_table(results: Results, label: str, lines: int) -> list[str]:
    scans = results.scans[label]
    bare = _measured(scans, "bare")
    rows = []
    for name, runs in scans.items():
        if runs.failure or not runs.taken:
            rows.append(_row(_CONTESTANTS[name], f"not run: {runs.failure}", "", "", "", "", ""))
            continue
        ratio = _ratio(runs, bare)
        low, high = runs.spread
        found = "reference" if name == "bare" else _agreement(results.checks.get(f"{label} {name}"))
        rows.append(
            _row(
                _CONTESTANTS[name], f"{runs.seconds:.2f} s", f"{low:.2f}–{high:.2f}",
                f"{lines / runs.seconds / 1e6:.2f} M",
                f"{ratio:.2f}" if ratio else "–", f"{runs.peak_mb:,.0f} MB", found,
            )
        )  # fmt: skip
    return _table(
        "contestant | median | fastest–slowest | lines a second | × bare | peak memory | violations and undetermined",
        rows,
    )


def _row_engine_table(results: Results) -> list[str]:
    bare = _measured(results.scans.get("flat", {}), "bare")
    rows = []
    for name, runs in results.rows.items():
        engine, way = name.rsplit(" ", 1)
        answer = results.row_answers.get(name)
        if answer is None:
            rows.append(_row(engine, _WAYS[way], f"not run: {runs.failure}", "", "", "", "", ""))
            continue
        rate = answer["lines"] / answer["seconds"]
        ratio = f"{results.lines / rate / bare.seconds:,.0f}" if bare else "–"
        rows.append(
            _row(
                engine, _WAYS[way], f"{answer['lines']:,}", f"{answer['seconds']:.2f} s", f"{rate:,.0f}",
                f"{_duration(results.lines / rate)} (× {ratio})", f"{runs.peak_mb:,.0f} MB",
                _agreement(results.checks.get(name)),
            )
        )  # fmt: skip
    extrapolated = f"{results.lines:,} lines, extrapolated (× bare)"
    return _table(
        f"engine | knowledge | lines measured | time | lines a second | {extrapolated} | peak memory | findings", rows
    )


def _growth_table(results: Results) -> list[str]:
    rows = []
    for shape in ("flat", "national"):
        for name in ("bare", "liangku"):
            small = _measured(results.scans.get(shape, {}), name)
            large = _measured(results.scans.get(f"{shape}-grow", {}), name)
            if small and large:
                rows.append(
                    _row(
                        f"{_CONTESTANTS[name]}, {shape}", f"{small.seconds:.2f} s", f"{large.seconds:.2f} s",
                        f"{large.seconds / small.seconds:.2f}", f"{small.peak_mb:,.0f} MB", f"{large.peak_mb:,.0f} MB",
                    )
                )  # fmt: skip
    times = results.grow / results.lines
    few, many = f"{results.lines:,} lines", f"{results.grow:,} lines"
    header = f"contestant | {few} | {many} | time × (lines × {times:g}) | peak, {few} | peak, {many}"
    return _table(header, rows)


def _counter_table(results: Results) -> list[str]:
    rows = []
    bare = _measured(results.counter, "import duckdb")
    for name, runs in results.counter.items():
        if runs.failure:
            rows.append(_row(f"`{name}`", f"not run: {runs.failure}", "", "", ""))
            continue
        ratio = _ratio(runs, bare)
        low, high = runs.spread
        cells = (
            f"{runs.seconds * 1000:.0f} ms",
            f"{low * 1000:.0f}–{high * 1000:.0f} ms",
            f"{ratio:.2f}" if ratio else "–",
        )
        rows.append(_row(f"`{name}`", *cells, f"{runs.peak_mb:,.0f} MB"))
    return _table("cold, a process of its own | median | fastest–slowest | × import | peak memory", rows)


def _agreeing(results: Results, label: str) -> Runs | None:
    """Return the product's runs where it found what the query by hand finds."""
    check = results.checks.get(f"{label} liangku", {})
    return _measured(results.scans.get(label, {}), "liangku") if check.get("equal") else None


def _limits(results: Results) -> Iterator[Limit]:
    for shape, bound in (("flat", 1.4), ("national", 1.7)):
        product, large = _agreeing(results, shape), _agreeing(results, f"{shape}-grow")
        bare = _measured(results.scans.get(shape, {}), "bare")
        yield Limit(f"scan, {shape}: time", f"≤ {bound} × bare", _ratio(product, bare), bound, "×")
        yield Limit(f"scan, {shape}: peak memory", "≤ 700 MB", product.peak_mb if product else None, 700, "MB")
        few, many = f"{results.lines:,}", f"{results.grow or FULL_GROW:,}"
        more = large.peak_mb / product.peak_mb if product and large else None
        yield Limit(
            f"scan, {shape}: peak memory at {many} lines",
            f"≤ 1.2 × that at {few}",
            more,
            1.2,
            "×",
        )
        yield Limit(
            f"scan, {shape}: time at {many} lines",
            f"≤ 5.5 × that at {few}",
            _ratio(large, product),
            5.5,
            "×",
        )
    cold = _ratio(_measured(results.counter, "liangku check"), _measured(results.counter, "import duckdb"))
    yield Limit("check, cold", "≤ 2.5 × `import duckdb`", cold, 2.5, "×")
    warm = results.warm["p50"] if isinstance(results.warm, dict) else None
    yield Limit("check, warm, 5 lines, median", "≤ 1.5 ms", warm, 1.5, "ms")


def _limit_table(results: Results) -> list[str]:
    rows = []
    for limit in _limits(results):
        if limit.value is None:
            rows.append(_row(limit.what, limit.limit, "–", "not measured"))
            continue
        value = f"{limit.value:,.0f} MB" if limit.unit == "MB" else f"{limit.value:.2f} {limit.unit}"
        rows.append(_row(limit.what, limit.limit, value, "met" if limit.value <= limit.bound else "**not met**"))
    return _table("what | limit | measured | ", rows)


_MEASURED = (
    "- **Data**: {lines:,} generated fee lines with a fixed salt, about 60,000 item codes, 3 % of the lines of "
    "a restricted item, about 4 % of those a violation; 8 lines a settlement, 500 institutions, one year; 1 % "
    "refunds, 0.1 % duplicates, 0.4 % invalid lines, some persons without sex or birth date. *Flat*: the "
    "person stands on the line. *National*: `fee_list_d` without a person and `setl_d` with one row a "
    "settlement. Parquet, row groups of 1,000,000, about what Spark and pyarrow write. Files: {sizes}.",
    "- **Row groups matter**: in the small groups that DuckDB writes (122,880) 60,000 codes no longer fit a dictionary, and counting "
    "them costs more. What a scan takes there stands in [scale](scale.md).",
    "- **Contestants**: whole processes from start to end, taking turns on the same files, which were read "
    "once before. Time is the wall clock, memory the largest resident set of any of the runs. The median time counts.",
    "- **The DuckDB query by hand** (`benchmarks/bare.py`) is the measure: the same join and verdict for these "
    "five rules and these files, and the same columns without the evidence in words. It uses the faster of two "
    "shapes of the join, found beforehand. It does not look for unreadable "
    "values, duplicates, refunds or contradictions.",
    "- **`liangku scan`** runs as a user runs it: all rules, not five, and after the findings what is handed on with them: the case around each, "
    "clusters, data quality, and what all is counted against. Compared are the findings of the five.",
    "- **pandas** (`benchmarks/with_pandas.py`) reads the needed columns as Arrow, keeps the limited codes, "
    "merges and judges by whole columns.",
    "- **Findings are compared** with the query by hand by line, rule, verdict and level. For `liangku scan` "
    "the lines of an item given back within the same visit are left out (counted in the table), because it "
    "takes refunds off and the query does not; so are lines that it doubts because of a birth in the visit. A duplicate line is one line. "
    "A time counts against a limit only where the findings agree.",
)
_ROWS = (
    "Measured on the first lines of the flat file; **the time for all lines is extrapolated** from the lines a "
    "second, without start-up and reading. With the dictionary the engine sees only lines that have a point, "
    "so that most of the work is Python's. Where every pattern is a rule, "
    "every line meets every rule, and fewer lines are measured."
)


def _notes(results: Results) -> list[str]:
    if results.lines < FULL_LINES:
        return [
            f"> **Small run: {results.lines:,} lines.** Starting a process and reading the knowledge weigh "
            f"more here than the lines do; the limits are meant for {FULL_LINES:,} lines. "
            "Read nothing into the ratios.",
            "",
        ]
    if results.grow != FULL_GROW:
        said = f"has {results.grow:,} lines instead of {FULL_GROW:,}" if results.grow else "was left out"
        return [f"> **Part of the run:** the large data set {said}.", ""]
    return []


def _busy(results: Results) -> list[str]:
    """Return a warning where equal runs took unequal times: something else ran on the machine."""
    runs = [runs for scans in results.scans.values() for runs in scans.values() if runs.taken]
    worst = max((runs.spread[1] / runs.spread[0] for runs in runs), default=1.0)
    if worst < BUSY:
        return []
    return [
        f"> **Not a quiet machine:** the slowest run of one contestant took {worst:.1f} times as long as its fastest. "
        "Ratios of this page are only as good as that; findings and memory are not touched by it.",
        "",
    ]


def _growth(results: Results) -> list[str]:
    page = ["## Growth", "", *_growth_table(results)]
    for shape in ("flat", "national"):
        label = f"{shape}-grow"
        if label in results.scans:
            page += [f"{shape.capitalize()}, {results.grow:,} lines:", "", *_scan_table(results, label, results.grow)]
    return page


def _counter(results: Results) -> list[str]:
    page = [
        "## At the counter",
        "",
        "One item and one person as a command, beside a Python that only imports DuckDB:",
        "",
    ]
    page += _counter_table(results)
    warm = results.warm
    if isinstance(warm, str):
        return [*page, f"Warm: not run: {warm}", ""]
    said = f"{warm['repetitions']:,.0f} times: median {warm['p50']:.2f} ms, 99th percentile {warm['p99']:.2f} ms."
    return [*page, f"Warm, in one process, a prescription of 5 lines to the full answer as JSON text, {said}", ""]


def write(results: Results) -> str:
    """Return the page."""
    usual = results.lines == FULL_LINES and results.grow == FULL_GROW
    options = "" if usual else f" --lines {results.lines} --grow {results.grow}"
    sizes = ", ".join(f"{label} {size / 1e6:,.0f} MB" for label, size in results.sizes.items())
    page = ["# Benchmarks", "", f"Written by `python -m benchmarks.run{options}`; not edited by hand.", ""]
    page += [*_notes(results), *_busy(results), "## Machine", ""]
    page += _table("what | ", (_row(name, value) for name, value in results.machine.items()))
    page += ["## What is measured", "", *(text.format(lines=results.lines, sizes=sizes) for text in _MEASURED), ""]
    for shape, title in (("flat", "Flat"), ("national", "National: fee_list_d and setl_d")):
        if shape in results.scans:
            page += [f"## {title}, {results.lines:,} lines", "", *_scan_table(results, shape, results.lines)]
    if results.rows:
        page += ["## Engines that take one line at a time", "", _ROWS, "", *_row_engine_table(results)]
    if results.grow:
        page += _growth(results)
    page += [*_counter(results), "## Limits", "", *_limit_table(results)]
    return "\n".join(page).rstrip() + "\n"
