"""How long a scan may take: from the sizes of the files, what is known of each form, and what the look at the beginnings took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from checker.ingest.file_kinds import PACKINGS
from checker.ingest.gather import Gathered

START = 1.0
"""Seconds that every scan takes."""
FILES = 250
"""Files that are opened in a second."""
LINES = 4_000_000
"""Lines that are judged in a second, on two processors."""
BYTES = {"csv": 60e6, "jsonl": 25e6, "json": 15e6, "xlsx": 4e6, "zip": 10e6, "parquet": 1e9}
"""Bytes of a file of each kind that are read in a second, on two processors; measured on files of some hundred MB."""
PACKED = 5
"""So many times the bytes of a compressed text are read."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many lines the files hold, and between how many seconds and how many a scan of them may take. Nothing of it is sure."""

    lines: int
    least: float
    most: float


def estimate_scan(files: Gathered, sizes: Mapping[Path, int]) -> Estimate:
    """Estimate from what was looked at."""
    lines = sum(each.rows_in_all for each in files.files if each.role == "lines")
    rows = sum(each.rows_in_all for each in files.files)
    share: dict[Path, list[float]] = {}
    kinds: dict[Path, str] = {}
    for each in files.files:
        if each.file.on_disk not in sizes:
            continue
        share.setdefault(each.file.on_disk, []).append(each.share)
        kinds[each.file.on_disk] = _kind(each.file.on_disk.suffix.lower(), each.file.kind)
    least = most = 0.0
    for path, size in sizes.items():
        read = sum(share[path]) / len(share[path])
        known = size * (PACKED if path.suffix.lower() in PACKINGS else 1) / BYTES[kinds[path]]
        least += known
        # A look at a small part says little: it is mostly the start that it takes.
        most += max(known, min(files.seconds.get(path, 0.0) / max(read, 1e-9), 4 * known))
    opened = len(sizes)
    factor = 1 + sum(map(len, files.unopened.values())) / max(opened, 1)
    judging = rows * factor / LINES + len(files.files) * factor / FILES
    return Estimate(round(lines * factor), START + least * factor + judging, START + most * factor + 2 * judging)


def _kind(suffix: str, inner: str) -> str:
    """The kind of a file on disk; `inner` is that of what is in it."""
    return "zip" if suffix == ".zip" else inner
