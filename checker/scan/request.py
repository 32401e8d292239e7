"""What a scan is asked for, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from checker.engines.names import DUCKDB
from checker.ingest.completeness import Gap
from checker.ingest.gather import Input, paths_of
from checker.ingest.netting import Netted
from checker.ingest.parts import PART_LINES
from checker.ingest.relations import Census
from checker.ingest.unreadable import Unreadable
from checker.judge.unknown_value import UnknownValue
from checker.rulebook.params import ParamSetting
from checker.scan.not_judged import NotJudged
from checker.scan.shadow import Shadow
from checker.scan.summary import Summary

MAX_REJECTS = 0.01
"""The share of a file's lines that may be rejected before a result counts as incomplete."""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan and where to put the findings; paths as given by the caller.

    `stage` is settle or audit; `language` is zh or en; without `kb` the embedded knowledge base is used, and the files of `crosswalk`
    lie on it. `rules` lie on the embedded
    ones, in order, or with `only_rules` on nothing. `layout` says, as `maps` do, which header feeds which column. `params` set
    parameters of the rules otherwise. `max_rejects` is the share of a file's lines that may be rejected. With `partition_by` (month or
    institution) findings are written once more in folders. With `repair` item codes get
    back the leading zeros that they lost. `profile` says what the values of a province mean: a name or a file.
    `threads` and `memory_limit` (as DuckDB takes it, such as 2GB) are what the engine may use, and scratch lies in `temp_dir`. Of a scan that ends
    early every `part_lines` lines are kept, and with `resume` they are taken up.
    With the engine spark it is workers of its `master` that read lines, with settings `spark_conf` ("spark.name=value").
    Scans of one `person_key` call a person whom only an ID number names the same. With a `hash_key` findings tell the case around them, persons by
    hashes of that key, and clusters, data quality and denominators are written besides.
    """

    inputs: Sequence[Input]
    out: Path
    settlements: Sequence[Input] = ()
    visits: Sequence[Input] = ()
    diagnoses: Sequence[Input] = ()
    maps: Sequence[str] = ()
    layout: Path | None = None
    csv: bool = False
    partition_by: str | None = None
    as_of: date | None = None
    kb: Sequence[Path] = ()
    crosswalk: Sequence[Path] = ()
    rules: Sequence[Path] = ()
    only_rules: bool = False
    region: str | None = None
    stage: str = "audit"
    force: bool = False
    language: str = "zh"
    params: Sequence[ParamSetting] = ()
    max_rejects: float = MAX_REJECTS
    repair: bool = False
    profile: Path | None = None
    threads: int | None = None
    memory_limit: str | None = None
    temp_dir: Path | None = None
    resume: bool = False
    engine: str = DUCKDB
    master: str | None = None
    spark_conf: Sequence[str] = ()
    part_lines: int = PART_LINES
    person_key: str | None = field(default=None, repr=False)
    hash_key: bytes | None = field(default=None, repr=False)

    @property
    def all_paths(self) -> list[str | Path]:
        """The inputs of all roles that are no queries, as given."""
        return paths_of(self.all_inputs)

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        """The inputs of all roles."""
        return (*self.inputs, *self.settlements, *self.visits, *self.diagnoses)


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan found; `shadow` is what points and rules on trial found, apart from all else; `not_judged` what no rule looked at;
    `unknown_values` are those for which lines could not be judged; `gaps` say why it does not speak of all that was given; `lost_keys` are the
    columns of keys that cannot be read; `run` is what run.json holds.
    """

    out: Path
    summary: Summary
    census: Census
    netted: Netted
    not_in_force: Mapping[str, int]
    not_in_scope: Mapping[str, int]
    shadow: Shadow
    not_judged: Sequence[NotJudged]
    unknown_values: Sequence[UnknownValue]
    gaps: Sequence[Gap]
    lost_keys: Sequence[Unreadable]
    run: Mapping[str, Any] = field(repr=False)
