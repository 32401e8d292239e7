"""What a scan gives a Python program: counts as attributes, findings as Arrow, Polars or pandas, and run.json as it stands."""

from __future__ import annotations

import contextlib
import shutil
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from checker.ingest.completeness import Gap
from checker.judge.unknown_value import UnknownValue
from checker.model.errors import InputError
from checker.scan.not_judged import NotJudged
from checker.scan.request import ScanResult
from checker.scan.summary import Measure, Summary

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


@dataclass(frozen=True, slots=True)
class RuleCount:
    """The findings of a rule that have one verdict: distinct lines and patients, and the net yuan of the lines."""

    rule_id: str
    verdict: str
    measure: Measure


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Run:
    """The results of a scan, in `folder`. A folder of its own is removed when the run is closed, or no longer used.

    `read` lines are `judged`, `skipped` (by why) or `rejected` (by why): the three add up. `by_rule` and `summary` count the findings. `not_judged`
    says what no rule looked at for want of a column, `unknown_values` which values lines could not be judged for, `incomplete` why
    the run does not speak of all that was given. `document` is run.json, as docs/findings.md explains it.
    """

    folder: Path
    read: int
    judged: int
    skipped: Mapping[str, int]
    rejected: Mapping[str, int]
    summary: Summary = field(repr=False)
    not_judged: tuple[NotJudged, ...] = field(repr=False)
    unknown_values: tuple[UnknownValue, ...] = field(repr=False)
    incomplete: tuple[Gap, ...]
    document: Mapping[str, Any] = field(repr=False)
    _finalizer: weakref.finalize[..., Any] | None = field(default=None, repr=False)

    @property
    def by_rule(self) -> tuple[RuleCount, ...]:
        """The findings by rule and verdict."""
        return tuple(RuleCount(str(group.key[0]), str(group.key[1]), group.measure) for group in self.summary.by_rule)

    @property
    def found(self) -> bool:
        """Whether a violation or an undetermined line was found: where the command ends with 1."""
        return self.summary.found

    @property
    def is_complete(self) -> bool:
        """Whether it speaks of all that was given: else the command ends with 4."""
        return not self.incomplete

    @property
    def findings_file(self) -> Path:
        """findings.parquet, columns as in docs/findings.md. Raises InputError where the run is closed."""
        return self._file("findings.parquet")

    def findings(self) -> pyarrow.Table:
        """The findings, one row a line and rule. Raises InputError where the run is closed."""
        return _read(self.findings_file)

    def findings_polars(self) -> polars.LazyFrame:
        """The same as a lazy frame of Polars, read as it is needed: collect it before the run is closed."""
        import polars

        return polars.scan_parquet(self.findings_file)

    def findings_pandas(self) -> pandas.DataFrame:
        """The same as a frame of pandas, which must be installed."""
        frame: pandas.DataFrame = self.findings().to_pandas()
        return frame

    def rejects(self) -> pyarrow.Table:
        """The lines that could not be read: where they stand, and why."""
        return _read(self._file("rejects.parquet"))

    def close(self) -> None:
        """Remove the folder if it is the run's own; results that were asked for with `out` stay."""
        if self._finalizer is not None:
            self._finalizer()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _file(self, name: str) -> Path:
        file = self.folder / name
        if not file.is_file():
            raise InputError(
                f"{file}：文件不在了；没有给出 out 的结果在 close() 之后删除，要保留请给出 out"
                "（not there any more: results without out= are removed with the run; give out= to keep them）"
            )
        return file


def run_of(result: ScanResult, *, own: Path | None) -> Run:
    """The run of a scan; `own` is the folder to remove with it."""
    census = result.census
    run = Run(
        result.out, census.read, census.judged, dict(census.skipped), dict(census.rejected), result.summary, tuple(result.not_judged),
        tuple(result.unknown_values), tuple(result.gaps), result.run,
    )  # fmt: skip
    if own is not None:
        # The one thing that is set after it was made: what removes the folder must know of the run, not hold it.
        object.__setattr__(run, "_finalizer", weakref.finalize(run, shutil.rmtree, own, ignore_errors=True))
    return run


def _read(file: Path) -> pyarrow.Table:
    from pyarrow import parquet

    with contextlib.closing(parquet.ParquetFile(file)) as opened:
        return opened.read()
