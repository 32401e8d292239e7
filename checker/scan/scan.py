"""A scan [事后审核]: files in, findings on disk, counts that add up, nothing half-written."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import FEW_ROWS, SCAN_MEMORY, connect_locked, register
from checker.engines.lines import HERE, LineEngine
from checker.engines.names import SPARK
from checker.ingest.gather import Gathered, gather
from checker.ingest.parts import Parts
from checker.ingest.provincial import read_provincial
from checker.judge.points import load_points, refuse_too_early
from checker.knowledge.edition import Edition
from checker.knowledge.resolve import knowledge_files, open_editions, open_plan, read_crosswalks
from checker.model.errors import InputError, InternalError, LiangkuError
from checker.model.journal import AnotherRunError, Journal
from checker.model.out_folder import OutFolder, WrittenMeanwhileError
from checker.model.private_files import for_owner_alone
from checker.rulebook.plan import Plan
from checker.scan.engine_fault import damage_of, explain, may_be_resumed, may_be_set_aside
from checker.scan.progress import Progress, Silent
from checker.scan.request import ScanRequest, ScanResult
from checker.scan.run_record import journal_document, name_results
from checker.scan.stages import Stages

if TYPE_CHECKING:
    import duckdb


def scan(request: ScanRequest, progress: Progress | None = None, plan: Plan | None = None) -> ScanResult:
    """Judge every line of the inputs and write findings, rejects and run.json to `request.out`.

    `plan` are rules at hand, in place of those that the request names.
    Raises InputError (nothing is written) for inputs that cannot be judged, InternalError where the engine fails.
    """
    started = time.monotonic()
    tell = progress or Silent()
    # Of what is no file nobody can tell later whether it is still the same.
    of_files = len(request.all_paths) == len(request.all_inputs)
    if request.resume and not of_files:
        raise InputError(
            "--resume：只能接着扫描文件，数据库和内存里的表请重新扫描（only files can be taken up again: scan anew）"
        )
    crosswalk = read_crosswalks(request.crosswalk)
    editions = open_editions(request.kb, crosswalk)
    provincial = read_provincial(request.profile)
    rules = plan or open_plan(request.rules, only_rules=request.only_rules, params=request.params)
    with (
        for_owner_alone(),
        OutFolder(request.out, force=request.force, scratch=request.temp_dir, resume=request.resume) as out,
        contextlib.ExitStack() as held,
    ):
        # What is done of a long scan is kept where it ends early.
        out.keep = True
        journal = Journal(
            out.work, journal_document(request, editions, rules, provincial, crosswalk), resume=request.resume
        )
        engine = held.enter_context(contextlib.closing(open_engine(request, out.work)))
        aside: dict[Path, str] = {}
        while True:
            tell.step("read", None)
            files = None
            try:
                parts = Parts(out.work, journal, request.part_lines if of_files else None, tell.at)
                files = gather(
                    {
                        "lines": request.inputs,
                        "settlements": request.settlements,
                        "visits": request.visits,
                        "diagnoses": request.diagnoses,
                    },
                    request.maps,
                    out.work,
                    layout=request.layout,
                    parts=parts,
                    aside=aside,
                    engine=engine,
                )
                with contextlib.closing(_connect(request, files, editions, out)) as connection:
                    loaded = load_points(
                        connection, editions, rules, stage="after" if request.stage == "audit" else "during"
                    )
                    refuse_too_early(connection, request.as_of)
                    result = Stages(connection, request, loaded, files, out, parts, provincial, tell, crosswalk).go(
                        started
                    )
                result = replace(result, run={**result.run, "results": name_results(out.result)})
                out.commit(result.run)
                return result
            except (_engine_error(), OSError) as error:
                damage = damage_of(error, files)
                if not may_be_set_aside(damage, files):
                    told = explain(error, files, request.all_paths, out.places, damage)
                    if told is error:
                        raise
                    raise (may_be_resumed(told) if journal.holds_parts else told) from error
                aside |= damage
            except LiangkuError as error:
                # What was refused would be refused again, but for an input that is away, and a folder written to meanwhile.
                out.keep = journal.taken_up or isinstance(
                    error, AnotherRunError | WrittenMeanwhileError | InternalError
                )
                raise


def open_engine(request: ScanRequest, work: Path) -> LineEngine:
    """The engine that a scan asks for; `work` is its folder of scratch. Raises InputError where it cannot be used."""
    if request.engine != SPARK:
        if request.master is not None or request.spark_conf:
            raise InputError(
                "--master 和 --spark-conf 只用于 --engine spark，请加上 --engine spark，或去掉它们（only for --engine spark: add it, or leave them out）"
            )
        return HERE
    from checker.engines.spark.engine import SparkEngine

    return SparkEngine(work, request.master or "local[*]", request.spark_conf, request.memory_limit)


def _engine_error() -> type[Exception]:
    import duckdb

    return duckdb.Error


def _connect(
    request: ScanRequest, files: Gathered, editions: Sequence[Edition], out: OutFolder
) -> duckdb.DuckDBPyConnection:
    connection = connect_locked(
        readable=[*files.readable, *knowledge_files(editions)],
        folders=[out.work.absolute(), out.result.absolute()],
        spill=out.work.absolute() / "spill",
        memory=request.memory_limit or SCAN_MEMORY,
        threads=request.threads,
        few=sum(each.rows for each in files.files) <= FEW_ROWS,
    )
    for name, table in files.registered.items():
        register(connection, name, table)
    return connection
