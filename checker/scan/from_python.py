"""`checker.scan`: the scan as a function of Python. Files, folders and patterns, or tables that the program holds, in; a `Run` out."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from checker.engines.names import ENGINES
from checker.ingest.gather import Input
from checker.ingest.in_memory import HandsOnArrow, InMemory, is_table
from checker.ingest.parts import MOST_THREADS, PART_LINES
from checker.model.arguments import Paths, day, memory, one_of, path, paths, share, text, whole_number
from checker.model.errors import InputError
from checker.model.secret_key import open_key
from checker.scan.partitions import PARTITIONS
from checker.scan.request import MAX_REJECTS, ScanRequest
from checker.scan.run import Run, run_of
from checker.scan.scan import scan as scan_request

if TYPE_CHECKING:
    import duckdb
    import polars

    Given: TypeAlias = str | Path | HandsOnArrow | polars.LazyFrame
    """A path, folder or pattern, or a table. (The types of pyarrow are not known to checkers of types: they pass.)"""

_STAGES, _LANGUAGES = ("audit", "settle"), ("zh", "en")


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a scan, so many seconds after the scan began: read, census, select, persons, judge, write.

    It begins where `unit` is empty; else it is the turn of `file`, and `done` of the `of` files or lines (`unit`) of the step are done.
    """

    name: str
    seconds: float
    file: str = ""
    done: int = 0
    of: int = 0
    unit: str = ""


def scan(
    lines: Given | Sequence[Given], *, settlements: Given | Sequence[Given] | None = None, visits: Given | Sequence[Given] | None = None,
    diagnoses: Given | Sequence[Given] | None = None, out: str | Path | None = None, force: bool = False,
    maps: Mapping[str, str] | Sequence[str] = (), layout: str | Path | None = None, profile: str | Path | None = None,
    region: str | None = None, as_of: date | None = None, stage: Literal["audit", "settle"] = "audit", kb: Paths = (),
    crosswalk: Paths = (), rules: Paths = (), only_rules: bool = False, repair: bool = False, max_rejects: float = MAX_REJECTS,
    person_key: str | Path | None = None, resume: bool = False, engine: Literal["duckdb", "spark"] = "duckdb",
    master: str | None = None, spark_conf: Mapping[str, str] | Sequence[str] = (), threads: int | None = None, memory_limit: str | None = None,
    temp_dir: str | Path | None = None, part_lines: int = PART_LINES, csv: bool = False,
    partition_by: Literal["month", "institution"] | None = None, language: Literal["zh", "en"] = "zh",
    progress: Callable[[Step], None] | None = None,
) -> Run:  # fmt: skip
    """Scan settlement lines for findings, as `liangku scan` does; the arguments are its options.

    `lines`, `settlements`, `visits` and `diagnoses` are each a path, folder or pattern, or a table: of pyarrow (Table, RecordBatch, RecordBatchReader,
    Dataset), Polars (DataFrame, LazyFrame), pandas, a relation of DuckDB, or whatever else hands on Arrow; or a list of such. Tables in
    memory are read where they lie; do not change them until the scan has ended. Readers, lazy frames, datasets and relations are written into
    the folder of work first, the columns that are read.
    `maps` says which header feeds which column: {"item_code": "药品编码"}. Without `out` the results lie in a temporary folder, which the run
    removes when it is closed or no longer used. `person_key` is the file of a key with which clusters, data quality and denominators are
    written besides. Of a scan of files that ends early every `part_lines` lines are kept, and `resume` goes on from there. `threads`, `memory_limit`
    (such as "2GB") and `temp_dir` say what the engine may use. `progress` is called when a step begins and when it is a file's turn; what it
    raises ends the scan. The engine spark has the workers of `master` read the lines, with the settings `spark_conf`.

    Raises InputError (nothing is written) for what cannot be judged, InternalError where the engine fails.
    """
    own = Path(tempfile.mkdtemp(prefix="liangku-")) if out is None else None
    try:
        request = ScanRequest(
            inputs=_inputs("lines", lines), out=own / "run" if own else Path(str(out)), settlements=_inputs("settlements", settlements),
            visits=_inputs("visits", visits), diagnoses=_inputs("diagnoses", diagnoses), maps=_pairs(maps), layout=path(layout), csv=csv,
            partition_by=None if partition_by is None else one_of("partition_by", partition_by, [*PARTITIONS]),
            as_of=day(as_of), kb=paths(kb), crosswalk=paths(crosswalk), rules=paths(rules),
            only_rules=only_rules, region=text("region", region), stage=one_of("stage", stage, _STAGES), force=force,
            language=one_of("language", language, _LANGUAGES),
            max_rejects=share("max_rejects", max_rejects), repair=repair,
            profile=path(profile), hash_key=open_key(Path(person_key)) if person_key is not None else None,
            resume=resume, engine=one_of("engine", engine, ENGINES), master=master, spark_conf=_pairs(spark_conf),
            threads=whole_number("threads", threads, MOST_THREADS), memory_limit=memory(memory_limit), temp_dir=path(temp_dir),
            part_lines=whole_number("part_lines", part_lines) or PART_LINES,
        )  # fmt: skip
        return run_of(scan_request(request, _Told(progress) if progress else None), own=own)
    except BaseException:
        if own:
            shutil.rmtree(own, ignore_errors=True)
        raise


class _Told:
    """Tells a function what the scan is doing."""

    def __init__(self, tell: Callable[[Step], None]) -> None:
        self._tell, self._started, self._step = tell, time.monotonic(), ""

    def step(self, name: str, connection: duckdb.DuckDBPyConnection | None) -> None:
        self._step = name
        self._tell(Step(name, time.monotonic() - self._started))

    def at(self, file: str, own: int, done: int, of: int, unit: str) -> None:
        self._tell(Step(self._step, time.monotonic() - self._started, file, done, of, unit))


def _inputs(role: str, given: Any) -> tuple[Input, ...]:
    """What was given for a role, as a scan takes it."""
    each = _each(given)
    if role == "lines" and not each:
        raise InputError("lines：没有给出明细，请给出文件或表（no lines: give files or tables）")
    return tuple(_numbered(role, each))


def _each(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [given]


def _numbered(role: str, given: Sequence[Any]) -> Iterator[Input]:
    number = 0
    for each in given:
        if isinstance(each, str | Path):
            yield each
        elif is_table(each):
            number += 1
            yield InMemory(each, role, number)
        else:
            type_ = type(each)
            raise InputError(
                f"{role}：{type_.__module__}.{type_.__qualname__} 不是路径，也不是可以读取的表；请给出路径，或 pyarrow、Polars、pandas、DuckDB 的表"
                "（neither a path nor a table: give a path, or a table of pyarrow, Polars, pandas or DuckDB）"
            )


def _pairs(given: Mapping[str, str] | Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, Mapping):
        return tuple(f"{name}={value}" for name, value in given.items())
    return (given,) if isinstance(given, str) else tuple(given)
