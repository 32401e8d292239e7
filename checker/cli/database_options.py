"""The options by which a database is asked for lines, settlements, visits and diagnoses."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from checker.ingest.database.query import Query
from checker.ingest.database.url import PASSWORD_VARIABLE, URL_VARIABLE, read_text, read_url

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = {
    "lines": "--query",
    "settlements": "--settlements-query",
    "visits": "--visits-query",
    "diagnoses": "--diagnoses-query",
}
"""The option that asks for the tables of each role."""


_TOLD = {
    "lines": "明细（lines）",
    "settlements": "结算（settlement headers）",
    "visits": "就诊（visit headers）",
    "diagnoses": "诊断（diagnoses）",
}


def query_option(role: str) -> Callable[[F], F]:
    """The option that asks the database for the tables of a role."""
    return click.option(
        OPTIONS[role],
        multiple=True,
        metavar="SQL",
        help=f"从 --from 的数据库查询{_TOLD[role]}；@FILE 从文件读取查询（or read it from a file）",
    )


def database_option(command: F) -> F:
    """--from, as `database_url`."""
    return click.option(
        "--from", "database_url", metavar="URL",
        help="数据库 postgresql://、mysql://、sqlserver://、oracle://用户@主机/库，或 SQLite 文件；@FILE 从文件读取地址，不写则用环境变量 "
        f"{URL_VARIABLE}，密码放在 {PASSWORD_VARIABLE}（a database to ask; its password belongs into {PASSWORD_VARIABLE}）",
    )(command)  # fmt: skip


def database_options(command: F) -> F:
    """--from and the queries, as `database_url`, `query`, `settlements_query`, `visits_query`, `diagnoses_query`."""
    for role in reversed(OPTIONS):
        command = query_option(role)(command)
    return database_option(command)


def read_queries(database_url: str | None, given: dict[str, Sequence[str]]) -> dict[str, tuple[Query, ...]]:
    """The queries of each role, given as the options say them.

    Raises InputError where there is none for a database, or no database for one. Warns of a password on the command line.
    """
    if not any(given.values()):
        if database_url:
            raise click.UsageError(
                f"给了 --from，但没有查询，请用 {'、'.join(OPTIONS.values())} 说明查什么（--from without a query）"
            )
        return dict.fromkeys(OPTIONS, ())
    database = read_url(database_url, os.environ)
    if database_url and not database_url.startswith("@") and not database.bare:
        click.echo(
            f"注意（warning）：命令行里的密码会出现在进程列表和命令历史中，请改用环境变量 {PASSWORD_VARIABLE}"
            f"（a password on the command line is seen by others: use {PASSWORD_VARIABLE}）",
            err=True,
        )
    return {
        role: tuple(
            Query(database, read_text(OPTIONS[role], sql), role, number) for number, sql in enumerate(given[role], 1)
        )
        for role in OPTIONS
    }


def read_all_queries(
    inputs: Sequence[str], database_url: str | None, lines: Sequence[str], settlements: Sequence[str] = (),
    visits: Sequence[str] = (), diagnoses: Sequence[str] = (), *, name: str = "INPUT",
) -> dict[str, tuple[Query, ...]]:  # fmt: skip
    """The queries of each role beside the files `inputs`, which the command calls `name`. Raises as `read_queries` does, and where neither gives lines."""
    asked = read_queries(
        database_url, {"lines": lines, "settlements": settlements, "visits": visits, "diagnoses": diagnoses}
    )
    if not inputs and not asked["lines"]:
        raise click.UsageError(
            f"缺少 {name}：请给出明细文件，或用 --from 和 --query 从数据库读取（missing {name}: give files of lines, or --from and --query）"
        )
    return asked
