"""Queries that only read: one statement that selects, told from the words outside texts, names and comments."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from checker.ingest.database.url import Database
from checker.model.errors import InputError

DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "sqlserver": "tsql", "oracle": "oracle", "sqlite": "sqlite"}
BEGINNINGS = ("SELECT", "WITH", "VALUES", "TABLE", "(")
WRITING = frozenset(("INSERT", "UPDATE", "DELETE", "MERGE", "INTO"))
OF_SQL_SERVER = frozenset((
    "ALTER", "BACKUP", "BULK", "CREATE", "DBCC", "DECLARE", "DENY", "DROP", "EXEC", "EXECUTE", "GRANT", "KILL", "RECONFIGURE", "RESTORE",
    "REVOKE", "SET", "SHUTDOWN", "TRUNCATE", "USE", "WAITFOR",
))  # fmt: skip
"""Words that begin another statement; SQL Server needs no semicolon between two."""
_EXECUTED = ("/*!", "/*M!", "/*m!")
"""Comments that MySQL and MariaDB execute."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a database for the tables of one role; `number` counts the queries of the role from 1."""

    database: Database
    sql: str
    role: str
    number: int = 1

    @property
    def path(self) -> Path:
        """What its rows are told to come from, such as `postgresql:db.example.org/city#lines`."""
        scheme = "" if self.database.kind == "sqlite" else f"{self.database.scheme}:"
        return Path(f"{scheme}{self.database.place}#{self.role}{f'-{self.number}' if self.number > 1 else ''}")

    @property
    def sha256(self) -> str:
        """The hash of the query as it was given."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def only_selects(query: Query) -> str:
    """The one statement of a query, without what ends it. Raises InputError where it may write, or is more than one."""
    from sqlglot import tokenize
    from sqlglot.errors import TokenError

    kind = query.database.kind
    try:
        tokens = tokenize(query.sql, read=DIALECTS[kind])
    except TokenError as error:
        raise _refused(query, "查询里有引号或注释没有结束", "a quote or comment is not closed") from error
    if kind == "mysql" and any(sign in query.sql for sign in _EXECUTED):
        raise _refused(query, "查询含有会被执行的注释 /*! … */", "a comment that MySQL executes")
    end = next(
        (place for place, token in enumerate(tokens) if token.text == ";" and _is_bare(query, token)), len(tokens)
    )
    if any(token.text != ";" for token in tokens[end:]):
        raise _refused(query, "查询里有几条语句", "several statements")
    statement = tokens[:end]
    if not statement or statement[0].text.upper() not in BEGINNINGS:
        raise _refused(query, "这不是查询语句，应以 SELECT 或 WITH 开头", "not a query: begin with SELECT or WITH")
    refused = WRITING | (OF_SQL_SERVER if kind == "sqlserver" else frozenset())
    for token, following in zip(statement, [*statement[1:], None], strict=True):
        word = token.text.upper()
        # MySQL has a function of that name.
        is_function = word == "INSERT" and following is not None and following.text == "("
        if word in refused and not is_function and _is_bare(query, token):
            raise _refused(
                query,
                f"查询含有会写入或加锁的 {word}；它若是列名，请加引号",
                f"{word} writes or locks; quote it if it is a column",
            )
    return query.sql if end == len(tokens) else query.sql[: tokens[end].start]


def _is_bare(query: Query, token: object) -> bool:
    """Whether a token is a word or sign of SQL itself, neither a text nor a quoted name."""
    start, end, text = (getattr(token, name) for name in ("start", "end", "text"))
    return bool(query.sql[start : end + 1] == text)


def _refused(query: Query, chinese: str, english: str) -> InputError:
    return InputError(
        f"{query.path}：{chinese}；只执行一条读取数据的查询（{english}: only one query that reads is run）"
    )
