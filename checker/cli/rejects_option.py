"""--max-rejects of scan and inspect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from checker.cli.options import Share
from checker.scan.request import MAX_REJECTS

F = TypeVar("F", bound=Callable[..., Any])


def max_rejects_option(command: F) -> F:
    """--max-rejects: how much of a file may be rejected, as `max_rejects`."""
    return click.option(
        "--max-rejects",
        type=Share(),
        default=f"{MAX_REJECTS:.0%}",
        show_default=True,
        help="一个文件中无法读取的行最多占多少，超过时退出码为 4（share of a file's lines that may be rejected before the exit code is 4）",
    )(command)
