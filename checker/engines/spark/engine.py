"""The engine `spark`: a session, and jobs of one task a part."""

from __future__ import annotations

import os
import re
import shutil
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.engines.duckdb import SCAN_MEMORY, SCRATCH
from checker.engines.lines import Question
from checker.engines.spark.java import find_java
from checker.engines.spark.task import Task, answer
from checker.model import sqltext
from checker.model.errors import InputError, InternalError

if TYPE_CHECKING:
    import duckdb
    from pyspark import SparkContext

QUIET = {
    "spark.ui.showConsoleProgress": "false",
    "spark.ui.enabled": "false",
    "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties').as_uri()}",
}
"""What a session says nothing of unless somebody asks for it."""
_MASTER = re.compile(r"yarn|(spark|k8s)://.+|local(-cluster)?\[[0-9*, ]+\]|local")
_SETTING = re.compile(r"(spark\.[A-Za-z0-9_.\-]+)=(.*)", re.DOTALL)


class SparkEngine:
    """Spark's workers answer. They need this program, at the same version, and must see the inputs and the folder `work` under the same paths.

    A program that has a session has it used, whatever `master` and settings are given. `settings` are those of Spark, each "spark.name=value".
    Raises InputError where Spark is not installed, cannot be started, or a setting is none.
    """

    part_lines: int | None = 1_000_000

    def __init__(self, work: Path, master: str, settings: Sequence[str] = (), memory: str | None = None) -> None:
        self._work = work.absolute()
        for left in self._work.glob("asked-*"):
            # Of a scan that ended early: what it did is in its parts.
            shutil.rmtree(left, ignore_errors=True)
        self._memory = memory or SCAN_MEMORY
        self._asked = 0
        self._tasks = 0
        if not _MASTER.fullmatch(master):
            # Of an address that is none Java says so in the midst of its traces, and Python that Java has gone.
            raise InputError(
                f"--master {master}：不是 Spark 的地址，请写 yarn、spark://主机:端口、k8s://…、local[4]（no master of Spark: write one of these）"
            )
        self._context, self._own = _session(master, _read(settings))

    def ask(self, connection: duckdb.DuckDBPyConnection, questions: Sequence[Question]) -> list[str]:
        """Have the questions answered, all of one call side by side; the answers lie in files."""
        import duckdb
        from py4j.protocol import Py4JError, Py4JJavaError

        if not questions:
            return []
        self._asked += 1
        folder = self._work / f"asked-{self._asked}"
        folder.mkdir()
        relations = self._lay_out(connection, questions, folder)
        tasks = [
            Task(
                each.query, tuple(map(str, each.files)), relations, str(folder / f"answer-{number}.parquet"),
                self._memory,
            )
            for number, each in enumerate(questions)
        ]  # fmt: skip
        try:
            faults = self._context.parallelize(tasks, len(tasks)).map(answer).collect()
        except (Py4JJavaError, Py4JError) as error:
            raise InternalError(f"Spark 任务失败（the Spark job failed）：{_cause(error)}") from error
        self._tasks += len(tasks)
        for fault in faults:
            if fault is not None:
                raise duckdb.Error(fault)
        return [f"(SELECT * FROM {sqltext.parquet(Path(task.target))})" for task in tasks]

    def told(self) -> dict[str, Any]:
        """Spark, its version and master, DuckDB's version, and how many tasks there were."""
        import duckdb

        return {
            "name": "spark", "version": str(self._context.version), "master": str(self._context.master), "tasks": self._tasks,
            "duckdb": duckdb.__version__,
        }  # fmt: skip

    def close(self) -> None:
        """End the session, unless it was there before."""
        if self._own:
            self._context.stop()

    def _lay_out(
        self, connection: duckdb.DuckDBPyConnection, questions: Sequence[Question], folder: Path
    ) -> Mapping[str, str]:
        """Write the relations of the connection that the queries name to files that the workers read."""
        words = {word for each in questions for word in set(re.findall(r"\w+", each.query))}
        known = connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
        files = {name: folder / f"{name}.parquet" for (name,) in known if name in words}
        for name, file in files.items():
            connection.execute(f"COPY (FROM {sqltext.name(name)}) TO {sqltext.text(str(file))} {SCRATCH}")
        return {name: str(file) for name, file in files.items()}


def _read(settings: Sequence[str]) -> dict[str, str]:
    read: dict[str, str] = {}
    for setting in settings:
        found = _SETTING.fullmatch(setting)
        if not found:
            raise InputError(
                f"--spark-conf {setting}：请写成 spark.名称=值，如 spark.executor.memory=4g（write it as spark.NAME=VALUE）"
            )
        read[found[1]] = found[2]
    return read


def _session(master: str, settings: Mapping[str, str]) -> tuple[SparkContext, bool]:
    """The session of this program, or one of our own, and whether it is that."""
    try:
        with warnings.catch_warnings():
            # Of pandas, which is not used here.
            warnings.simplefilter("ignore", FutureWarning)
            from pyspark import SparkConf, SparkContext
    except ImportError:
        raise InputError(
            "--engine spark：没有安装 Spark，请运行 pip install 'liangku[spark]'（Spark is not installed: install the extra spark）"
        ) from None
    if SparkContext._active_spark_context is not None:
        return SparkContext._active_spark_context, False
    if home := find_java():
        os.environ["JAVA_HOME"] = home
    # Workers on this machine run what runs here; those of a cluster are told by the user where their Python is.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    conf = SparkConf().setMaster(master).setAppName("liangku")
    for name, value in {**QUIET, **settings}.items():
        conf.set(name, value)
    try:
        return SparkContext(conf=conf), True
    except Exception as error:
        raise InputError(
            f"--master {master}：Spark 无法启动，请检查地址和 Java（Spark cannot be started: check master and Java）：{_cause(error)}"
        ) from error


def _cause(error: Exception) -> str:
    """The one line of a failure that tells most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by:") or "Exception:" in line or "Error:" in line]
    return (causes or lines or [type(error).__name__])[-1][:300]
