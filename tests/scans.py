"""The scans that comparisons make, kept for a file of tests: the same lines are judged with the same knowledge again and again, for seconds each time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from unittest import mock

import checker.change.impact
from checker.ingest.database.query import Query
from checker.ingest.in_memory import InMemory
from checker.model.embedded import embedded_edition_folder, embedded_rules_folder
from checker.scan.progress import Progress
from checker.scan.request import ScanRequest, ScanResult
from checker.scan.scan import scan

_KEY = "kept"
"""By it all scans that are kept call persons, as the two of one comparison must."""
_FIELDS = [field.name for field in fields(ScanRequest)]


class KeptScans:
    """Scans that were made, with their results in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, ScanResult] = {}

    @contextmanager
    def used(self) -> Iterator[None]:
        """While it lasts, `kb impact` and `kb ci` do not scan again what was scanned with equal knowledge and rules."""
        with mock.patch.object(checker.change.impact, "scan", self._scan):
            yield

    def _scan(self, request: ScanRequest, progress: Progress | None = None) -> ScanResult:
        if any(isinstance(given, Query | InMemory) or not Path(given).exists() for given in request.all_inputs):
            # What a pattern, a database or a table in memory holds is not looked at here.
            return scan(request, progress)
        name = hashlib.sha256(_told(request).encode()).hexdigest()
        if name not in self._made:
            self._made[name] = scan(replace(request, out=self._folder / name, person_key=_KEY), progress)
        return self._made[name]


def _told(request: ScanRequest) -> str:
    """All that the result of a scan depends on: what is asked, and what stands in the files, wherever knowledge and rules lie."""
    files = (request.all_paths, request.kb, request.rules, request.crosswalk)
    home = (embedded_rules_folder(), embedded_edition_folder())
    plain = replace(request, out=Path(), kb=(), rules=(), person_key=None)
    # A list and a tuple of the same ask the same.
    asked = [list(value) if isinstance(value, tuple) else value for value in map(plain.__getattribute__, _FIELDS)]
    return repr((asked, *map(_contents, files), _contents(home)))


def _contents(paths: Sequence[str | Path]) -> list[list[tuple[str, str]] | str]:
    """What stands in each file, or in those of each folder; the word for the embedded knowledge stands for itself."""
    found: list[list[tuple[str, str]] | str] = []
    for path in map(Path, paths):
        within = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        told = [
            (str(file.relative_to(path)), hashlib.sha256(file.read_bytes()).hexdigest())
            for file in within
            if file.is_file()
        ]
        found.append(told or str(path))
    return found
