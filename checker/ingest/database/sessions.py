"""Sessions with databases: opened read-only, and what a query gives as record batches of Arrow, as they arrive.

Which library asks which database, and why, stands in docs/inputs.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from checker.ingest.database.rows import ROWS, batches_of_rows
from checker.ingest.database.url import Database
from checker.model.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

PATIENCE = 15
"""Seconds within which a server must answer a connection."""
_NAME = "liangku"
_BATCH_OPTION, _BATCH = "adbc.postgresql.batch_size_hint_bytes", str(1 << 19)
"""The bytes of a batch; several wait at a time."""
_MYSQL_PARAMETERS = ("ssl_ca", "ssl_cert", "ssl_key", "unix_socket")


class Session(Protocol):
    """A connection that reads. Whatever its library raises passes through."""

    version: str

    def read(self, sql: str) -> Iterator[pa.Schema | pa.RecordBatch]:
        """What a query gives: the schema first, then the batches."""

    def cancel(self) -> None:
        """End what another thread is reading, where the library can."""

    def close(self) -> None:
        """Leave; nothing is committed."""


def open_session(database: Database) -> Session:
    """Connect. Raises InputError where the library is missing or a part of the URL is not understood, else what the library raises."""
    return _OPENERS[database.kind](database)


# ------------------------------------------------------------------------------------------------ libraries that yield Arrow


class _PostgreSql:
    """PostgreSQL by ADBC, below its own DB-API, which loads data frame libraries that are of no use here."""

    def __init__(self, database: Database) -> None:
        import adbc_driver_manager
        import adbc_driver_postgresql

        words = {"connect_timeout": str(PATIENCE), "application_name": _NAME, **dict(database.parameters)}
        words |= {"host": database.host, "port": str(database.port or ""), "dbname": database.name}
        # Texts arrive in the encoding of the client, which may be another's by its environment.
        words |= {"user": database.user, "password": database.password, "client_encoding": "UTF8"}
        escaped = {key: value.replace("\\", "\\\\").replace("'", "\\'") for key, value in words.items() if value}
        self._server = adbc_driver_postgresql.connect(" ".join(f"{key}='{value}'" for key, value in escaped.items()))
        self._statement = adbc_driver_manager.AdbcStatement
        self._connection = adbc_driver_manager.AdbcConnection(self._server)
        self._connection.set_autocommit(False)
        # One view of the data for all queries of a scan.
        list(self.read("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        _, version = self.read("SELECT version()")
        self.version = str(version.column(0)[0])

    def read(self, sql: str) -> Iterator[pa.Schema | pa.RecordBatch]:
        import pyarrow as pa

        with closing(self._statement(self._connection)) as statement:
            statement.set_options(**{_BATCH_OPTION: _BATCH})
            statement.set_sql_query(sql)
            stream, _ = statement.execute_query()
            with pa.RecordBatchReader.from_stream(stream) as reader:
                yield reader.schema
                yield from reader

    def cancel(self) -> None:
        self._connection.cancel()

    def close(self) -> None:
        self._connection.close()
        self._server.close()


class _SqlServer:
    """SQL Server by Microsoft's own library."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        with closing(connection.cursor()) as cursor:
            cursor.execute("SELECT @@VERSION")
            self.version = str(cursor.fetchone()[0]).splitlines()[0]

    def read(self, sql: str) -> Iterator[pa.Schema | pa.RecordBatch]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(sql)
            reader = cursor.arrow_reader(ROWS)
            yield reader.schema
            yield from reader

    def cancel(self) -> None:
        """Nothing: closing the connection ends the query."""

    def close(self) -> None:
        self._connection.close()


def _sqlserver(database: Database) -> Session:
    import mssql_python

    words = {"Server": f"{database.host},{database.port or 1433}", "Database": database.name, "UID": database.user}
    words |= {"PWD": database.password, "ApplicationIntent": "ReadOnly", **dict(database.parameters)}
    text = "".join(f"{key}={{{value.replace('}', '}}')}}};" for key, value in words.items() if value)
    return _SqlServer(mssql_python.connect(text, autocommit=False, timeout=PATIENCE))


# ------------------------------------------------------------------------------------------------ libraries that yield rows


class _Rows:
    """A connection of a library that yields rows: each column becomes one of texts, as the server or Python writes its values."""

    def __init__(self, connection: Any, version: str, stop: Callable[[], None]) -> None:
        self._connection, self._stop = connection, stop
        self.version = version

    def read(self, sql: str) -> Iterator[pa.Schema | pa.RecordBatch]:
        # The cursor is not closed where the reading is broken off: it would read all the rest first.
        cursor = self._connection.cursor()
        cursor.arraysize = ROWS
        cursor.execute(sql)
        yield from batches_of_rows(cursor)
        cursor.close()

    def cancel(self) -> None:
        self._stop()

    def close(self) -> None:
        self._connection.close()


def _sqlite(database: Database) -> Session:
    import sqlite3

    # A thread asks, and another ends it.
    place = f"{Path(database.name).absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(place, uri=True, check_same_thread=False)
    return _Rows(connection, f"SQLite {sqlite3.sqlite_version}", connection.interrupt)


def _mysql(database: Database) -> Session:
    import pymysql
    from pymysql.converters import encoders
    from pymysql.cursors import SSCursor

    parameters = dict(database.parameters)
    if unknown := [key for key in parameters if key not in _MYSQL_PARAMETERS]:
        raise InputError(
            f"{database.shown}：不认识参数 {'、'.join(unknown)}，可用的有 {'、'.join(_MYSQL_PARAMETERS)}（unknown parameter of the URL）"
        )

    class Cursor(SSCursor):  # type: ignore[misc]  # the library tells no types
        """A cursor of which nobody hears, when it ends, that its connection was broken off."""

        def __del__(self) -> None:
            with suppress(Exception):
                self.close()

    def connect() -> Any:
        # Without decoders every value stays the text that the server wrote, such as 0000-00-00.
        return pymysql.connect(
            host=database.host, port=database.port or 3306, database=database.name or None, user=database.user or None,
            password=database.password.encode(), charset="utf8mb4", conv=dict(encoders), cursorclass=Cursor,
            connect_timeout=PATIENCE, program_name=_NAME, **parameters,
        )  # fmt: skip

    connection = connect()

    def stop() -> None:
        with closing(connect()) as other, other.cursor() as cursor:
            cursor.execute(f"KILL {int(connection.thread_id())}")

    with connection.cursor() as cursor:
        # What is kept as an instant (TIMESTAMP) is told by the clock of China.
        cursor.execute("SET SESSION time_zone = '+08:00'")
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        # One view of the data for all queries of a scan.
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        cursor.execute("SELECT version()")
        version = str(cursor.fetchall()[0][0])
    return _Rows(connection, version, stop)


def _oracle(database: Database) -> Session:
    import oracledb

    # A number without precision would else become a float, and a long key another key.
    oracledb.defaults.fetch_decimals = True
    connection = oracledb.connect(
        user=database.user or None, password=database.password or None, host=database.host, port=database.port or 1521,
        service_name=database.name, tcp_connect_timeout=PATIENCE, **dict(database.parameters),
    )  # fmt: skip
    with connection.cursor() as cursor:
        # The first statement of a transaction: no query of it writes, and all see one state of the data.
        cursor.execute("SET TRANSACTION READ ONLY")
    return _Rows(connection, f"Oracle {connection.version}", connection.cancel)


_OPENERS: dict[str, Callable[[Database], Session]] = {
    "postgresql": _PostgreSql, "sqlite": _sqlite, "sqlserver": _sqlserver, "mysql": _mysql, "oracle": _oracle,
}  # fmt: skip
