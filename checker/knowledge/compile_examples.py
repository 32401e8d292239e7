"""Compiles example.csv: for each family that points cover a published code within it, and the nearest published one that the point does not cover.

python -m checker.knowledge.compile_examples --codes CODES.csv --sources knowledge_base/sources
"""

from __future__ import annotations

import argparse
import bisect
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from checker.knowledge.cell_reader import Faults, read_csv
from checker.knowledge.codes import family_of
from checker.knowledge.example_text import COLUMNS, EXAMPLE_FILE, MATCH, NO_MATCH
from checker.knowledge.rows import PatternRow
from checker.knowledge.source import read_sources
from checker.model.errors import LiangkuError
from checker.model.whole_file import write_whole

_NEAR = 200
"""Among so many codes on either side of a family the nearest is looked for."""


def examples_of(patterns: Sequence[PatternRow], published: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield id, what is expected and code; `published` are codes in order, each once."""
    own: dict[str, list[PatternRow]] = defaultdict(list)
    for pattern in patterns:
        own[pattern.point_id].append(pattern)
    for pattern in patterns:
        if pattern.match == "family" and pattern.role == "item":
            at = bisect.bisect_left(published, pattern.code)
            if at < len(published) and published[at].startswith(pattern.code):
                yield pattern.point_id, MATCH, published[at]
            if (other := _nearest(pattern.code, own[pattern.point_id], published, at)) is not None:
                yield pattern.point_id, NO_MATCH, other


def _nearest(family: str, own: Sequence[PatternRow], published: Sequence[str], at: int) -> str | None:
    covered = {pattern.code for pattern in own}
    near = published[max(0, at - _NEAR) : at + _NEAR]
    others = [code for code in near if code not in covered and family_of(code) not in covered]
    return max(others, key=lambda code: (_alike(code, family), code), default=None)


def _alike(code: str, family: str) -> int:
    """With how many signs both begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(code, family, strict=False)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m checker.knowledge.compile_examples", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--codes", type=Path, required=True, help="published codes, one row each")
    parser.add_argument("--sources", type=Path, required=True, help="folder of the reviewed text")
    options = parser.parse_args(arguments)
    try:
        faults = Faults()
        published = sorted({cells.text("code") for cells in read_csv(options.codes, ["code"], faults, others=True)})
        faults.stop()
        rows = sorted(set(examples_of(read_sources(options.sources).patterns, published)))
    except LiangkuError as error:
        parser.exit(error.exit_code, f"{error}\n")
    lines = [",".join(COLUMNS), *(",".join(row) for row in rows)]
    write_whole(options.sources / EXAMPLE_FILE, "\n".join(lines) + "\n")
    print(f"{options.sources / EXAMPLE_FILE}: {len(rows)} examples")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
