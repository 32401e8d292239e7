"""The options of what a long scan runs on and may use, and of taking one up again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from checker.engines.names import DUCKDB, ENGINES
from checker.ingest.parts import MOST_THREADS, PART_LINES
from checker.model.arguments import memory
from checker.model.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])


class Memory(click.ParamType[str]):
    """An amount of memory, such as 2GB, as DuckDB takes it."""

    name = "memory"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return memory(value) or ""
        except InputError as error:
            self.fail(str(error), param, ctx)


def resource_options(command: F) -> F:
    """Add the options to a command."""
    folder = click.Path(path_type=Path, file_okay=False)
    options = (
        click.option("--resume", is_flag=True, help="接着扫描上次中断的（take up a scan into this folder that was interrupted）"),
        click.option(
            "--engine", type=click.Choice(ENGINES), default=DUCKDB, show_default=True,
            help="在本机用 DuckDB，或用 Spark 集群读明细（DuckDB here, or workers of Spark）",
        ),
        click.option("--master", help="Spark 的地址，如 yarn、k8s://…，默认 local[*]（master of Spark）"),
        click.option("--spark-conf", multiple=True, metavar="spark.NAME=VALUE", help="Spark 的设置，可以写多个（a setting of Spark, repeatable）"),
        click.option("--threads", type=click.IntRange(1, MOST_THREADS), help="用几个线程，默认与处理器核数相同，最多 8（threads of the engine）"),
        click.option("--memory-limit", type=Memory(), help="引擎可用的内存，如 2GB，默认 420MB（memory of the engine）"),
        click.option("--temp-dir", type=folder, help="临时文件放在哪里，默认在 --out 旁边（where scratch files go）"),
        click.option(
            "--part-lines", type=click.IntRange(min=1), default=PART_LINES, show_default=True, metavar="N",
            help="每扫描多少行记一次进度，供 --resume 接着做（lines after which progress is kept）",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command
