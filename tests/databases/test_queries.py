"""Which queries are run, how a database is named, and SQLite as an input: what needs no server."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from checker.ingest.database.query import Query, only_selects
from checker.ingest.database.rows import batches_of_rows
from checker.ingest.database.sessions import open_session
from checker.ingest.database.url import Database, read_url
from checker.model.errors import InputError
from tests.commands import Done, liangku
from tests.databases import month

CODE = "XG04CBA088A001010101467"
ROW = ("one", "2026-03-01 10:00:00", CODE, "女")
COLUMNS = "line_id, fee_ocur_time, med_list_codg, gend"


def database(path: Path, *rows: Sequence[object], columns: str = COLUMNS) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE fees ({columns})")
        connection.executemany(f"INSERT INTO fees VALUES ({', '.join('?' * len(columns.split(',')))})", rows)
    return path


def scanned(out: Path, *arguments: str | Path, code: int = 1, env: Mapping[str, str] | None = None) -> Done:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIANGKU_DB")}
    done = liangku("scan", *arguments, "--out", out, "--lang", "zh", env={**kept, **(env or {})})
    assert done.returncode == code, done.stdout + done.stderr
    assert out.exists() == (code != 2)
    return done


def found(out: Path) -> list[str]:
    return sorted(pl.read_parquet(out / "findings.parquet")["line_id"])


def test_the_same_month_gives_the_same_findings(tmp_path: Path) -> None:
    files = month.write(tmp_path)
    with closing(sqlite3.connect(tmp_path / "city.db")) as connection:
        connection.executescript("\n".join(month.statements()))
    others = ("settlements", "visits", "diagnoses")
    scanned(tmp_path / "files", files["lines"], *(word for role in others for word in (f"--{role}", files[role])))
    asked = (word for role in others for word in (f"--{role}-query", f"SELECT * FROM {month.TABLES[role]}"))
    query = ("--query", "SELECT * FROM fee_list_d ORDER BY place")
    scanned(tmp_path / "out", "--from", f"sqlite:{tmp_path / 'city.db'}", *query, *asked)
    frames = [pl.read_parquet(tmp_path / name / "findings.parquet").sort("finding_id") for name in ("out", "files")]
    assert_frame_equal(*(frame.drop("source_file") for frame in frames))
    assert frames[0].height > 100


# ---- SQLite ----


def test_run_json_tells_what_was_asked(tmp_path: Path) -> None:
    path = database(tmp_path / "city.db", ROW)
    before = path.read_bytes()
    (tmp_path / "lines.sql").write_text("\ufeffSELECT * FROM fees -- all of them\n;\n", encoding="utf-8")
    scanned(tmp_path / "out", "--from", path, "--query", f"@{tmp_path / 'lines.sql'}", "--query", "SELECT * FROM fees")
    told = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["inputs"]
    assert [each["path"] for each in told] == [f"{path}#lines", f"{path}#lines-2"]
    asked = told[0]["database"]
    assert datetime.fromisoformat(asked.pop("asked")).tzinfo is not None
    assert asked == {
        "url": f"sqlite:{path}", "server": f"SQLite {sqlite3.sqlite_version}", "query": "SELECT * FROM fees -- all of them\n;",
        "query_sha256": hashlib.sha256(b"SELECT * FROM fees -- all of them\n;").hexdigest(), "rows": 1,
    }  # fmt: skip
    assert (told[0]["role"], told[0]["kind"], told[0]["lines"], told[0]["rejects"]) == ("lines", "sqlite", 1, 0)
    assert path.read_bytes() == before


def test_a_column_may_hold_values_of_any_type(tmp_path: Path) -> None:
    """Nothing at first, then numbers, texts, bytes: the text of each is what counts."""
    rows = [(None, "2026-03-01", CODE, "男", None)] * 3000
    rows += [
        (20, "2026-03-01", CODE, 2, 1.5),
        ("b", 1772323200000, CODE.encode(), "女", "2"),
        (b"c", 20260301, CODE, 2.0, 3),
    ]
    path = database(tmp_path / "city.db", *rows, columns=f"{COLUMNS}, cnt")
    scanned(tmp_path / "out", "--from", path, "--query", "SELECT * FROM fees")
    told = pl.read_parquet(tmp_path / "out" / "findings.parquet").sort("source_record")
    assert told.select("line_id", "quantity", "source_record").rows() == [
        ("20", 1.5, 3001),
        ("b", 2, 3002),
        ("c", 3, 3003),
    ]


def test_lines_of_files_and_of_a_database_go_together(tmp_path: Path) -> None:
    path = database(tmp_path / "city.db", ROW)
    (tmp_path / "a.csv").write_text(f"{COLUMNS.replace(' ', '')}\ntwo,{','.join(ROW[1:])}\n", encoding="utf-8")
    scanned(
        tmp_path / "out", tmp_path / "a.csv", "--query", "SELECT * FROM fees", env={"LIANGKU_DB_URL": f"sqlite:{path}"}
    )
    assert found(tmp_path / "out") == ["one", "two"]


def test_a_session_of_sqlite_only_reads(tmp_path: Path) -> None:
    session = open_session(read_url(str(database(tmp_path / "city.db", ROW)), {}))
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        list(session.read("DELETE FROM fees"))
    session.close()


FAULTS = {
    "no table": ("SELECT * FROM nowhere", "没有这张表"),
    "no column": ("SELECT nope FROM fees", "没有这一列"),
    "no SQL": ("SELECT FROM", "检查写法"),
    "no rows": ("SELECT * FROM fees WHERE 0", "没有给出任何行"),
    "not UTF-8": ("SELECT *, CAST(x'C4D0' AS TEXT) AS age FROM fees", "不是 UTF-8"),
    "a column twice": ("SELECT gend, * FROM fees", "出现了两次"),
    "no needed column": ("SELECT line_id FROM fees", "item_code"),
    "a needed file": ("@nowhere.sql", "nowhere.sql"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_query_that_gives_no_lines_is_refused(tmp_path: Path, fault: str) -> None:
    query, words = FAULTS[fault]
    path = database(tmp_path / "city.db", ROW)
    done = scanned(tmp_path / "out", "--from", path, "--query", query, code=2)
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["city.db"]


def test_ctrl_c_ends_a_query_at_once(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) AS line_id FROM n"
    path = database(tmp_path / "city.db", ROW)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    done = liangku("scan", "--from", path, "--query", endless, "--out", tmp_path / "out")
    assert done.returncode == 130
    assert time.monotonic() - started < 4
    assert [each.name for each in tmp_path.iterdir()] == ["city.db"]


# ---- the URL ----

URLS = {
    "postgresql://audit:p%40ss@db.example.org:5433/city?sslmode=require": (
        "postgresql://audit:***@db.example.org:5433/city?sslmode=require",
        "p@ss",
    ),
    "postgres://audit@db/city": ("postgres://audit@db/city", "of the environment"),
    "MySQL+pymysql://audit:a:b@db/city?ssl_key=k&password=x": (
        "mysql://audit:***@db/city?ssl_key=k&password=***",
        "a:b",
    ),
    "mssql://sa@[::1]:1433/city": ("mssql://sa@[::1]:1433/city", "of the environment"),
    "oracle://db/ORCLPDB1": ("oracle://db/ORCLPDB1", "of the environment"),
}


@pytest.mark.parametrize("url", URLS)
def test_a_url_is_read_and_shown_without_its_password(url: str) -> None:
    told = read_url(url, {"LIANGKU_DB_PASSWORD": "of the environment"})
    assert (told.shown, told.password) == URLS[url]
    assert told.password not in f"{told!r} {told.shown}"
    assert told.without_secrets(f"failed for {told.password}") == "failed for ***"


@pytest.mark.parametrize(
    "url", ["mysql://u:s3/cret@db/c", "mysql://u:s3#cret@db/c", "mysql://u:s3?cret@db/c", "mysql://u:p@db:s3cret/c", "mysql:///s3cret",
            "mongodb://u:s3cret@db/c", "u:s3cret@db", "sqlite:s3cret.db", "postgresql:s3cret"],
)  # fmt: skip
def test_a_malformed_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(InputError) as refused:
        read_url(url, {})
    assert "s3" not in str(refused.value) or url.startswith("sqlite")
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_password_on_the_command_line_is_warned_of(tmp_path: Path) -> None:
    query = ("--query", "SELECT 1; SELECT 2")
    url = "postgresql://audit:s3cret@127.0.0.1:1/city"
    done = scanned(tmp_path / "out", "--from", url, *query, code=2)
    assert "LIANGKU_DB_PASSWORD" in done.stderr.splitlines()[0]
    assert "s3cret" not in done.stderr
    (tmp_path / "url.txt").write_text(f"{url}\n", encoding="utf-8")
    for given in (("--from", f"@{tmp_path / 'url.txt'}"), ()):
        done = scanned(tmp_path / "out", *given, *query, code=2, env={"LIANGKU_DB_URL": url})
        assert "warning" not in done.stderr
        assert "几条语句" in done.stderr


USAGE = {
    "neither": ((), "缺少 INPUT"),
    "no query": (("--from", "oracle://db/c"), "--query"),
    "no database": (("--query", "SELECT 1"), "LIANGKU_DB_URL"),
    "only settlements": (("--from", "oracle://db/c", "--settlements-query", "SELECT 1"), "缺少 INPUT"),
    "no such file": (("--from", "sqlite:///nowhere.db", "--query", "SELECT 1"), "nowhere.db"),
    "another file": (("--from", "sqlite:pyproject.toml", "--query", "SELECT 1"), "不是 SQLite"),
    "another parameter": (("--from", "mysql://db/c?charset=gbk", "--query", "SELECT 1"), "charset"),
    "nobody there": (("--from", "oracle://u:p@127.0.0.1:1/c", "--query", "SELECT 1"), "连接不上"),
}


@pytest.mark.parametrize("fault", USAGE)
def test_what_is_wrongly_given_is_told(tmp_path: Path, fault: str) -> None:
    given, words = USAGE[fault]
    assert words in scanned(tmp_path / "out", *given, code=2).stderr


@pytest.mark.parametrize(
    ("scheme", "library"), [("postgresql", "adbc_driver_postgresql"), ("mysql", "pymysql"), ("mssql", "mssql_python")]
)
def test_a_missing_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, library: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    done = scanned(tmp_path / "out", "--from", f"{scheme}://u@127.0.0.1:1/c", "--query", "SELECT 1", code=2)
    assert "pip install 'liangku[databases]'" in done.stderr


# ---- the query ----

RUN = {
    "mysql": ["SELECT 'a; DELETE' AS x;  -- end\n", "select `update`, insert(a, 1, 1, 'b'), replace(a, 'b', 'c') from t", "(select 1) union select 2"],
    "postgresql": ['WITH x AS (SELECT "delete" FROM t) SELECT $$; DROP$$ FROM x', "/* all */ TABLE fees", "VALUES (1)"],
    "sqlserver": ["SELECT [update] FROM t WHERE a = 'EXEC x'"],
    "oracle": ["SELECT /*+ PARALLEL(4) */ q'[it's; into]' FROM dual"],
}  # fmt: skip
REFUSED = {
    "mysql": ["DELETE FROM t", "SELECT 1; SELECT 2", "SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */", "", ";",
              "SELECT * FROM t FOR UPDATE", "CALL p()", "SET GLOBAL x = 1"],
    "postgresql": ["WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "SELECT 'a",
                   "SELECT * INTO t2 FROM t", "COPY t TO '/tmp/x'", "EXPLAIN SELECT 1", "DO $$BEGIN END$$", "MERGE INTO t USING u ON TRUE"],
    "sqlserver": ["SELECT 1 DROP TABLE t", "SELECT 1 EXEC('DROP TABLE t')", "SELECT * INTO t2 FROM t", "EXEC p"],
    "oracle": ["BEGIN p; END;", "UPDATE t SET a = 1", "SELECT 1 FROM dual FOR UPDATE"],
    "sqlite": ["PRAGMA writable_schema = 1", "ATTACH 'x' AS y", "REPLACE INTO t VALUES (1)"],
}  # fmt: skip


def asked(scheme: str, sql: str) -> Query:
    return Query(Database(scheme, "db", None, "city", ""), sql, "lines")


@pytest.mark.parametrize("scheme", RUN)
def test_queries_that_read_are_run(scheme: str) -> None:
    for sql in RUN[scheme]:
        assert only_selects(asked(scheme, sql)) == sql.partition(";  --")[0]


@pytest.mark.parametrize("scheme", REFUSED)
def test_queries_that_may_write_are_refused(scheme: str) -> None:
    for sql in REFUSED[scheme]:
        with pytest.raises(InputError, match="只执行一条读取数据的查询"):
            only_selects(asked(scheme, sql))


# ---- rows ----


def test_values_of_python_become_their_texts() -> None:
    """As Oracle's library gives them: exact numbers without exponents, times with their zone."""

    moment = datetime.fromisoformat("2026-03-01T09:05:00+08:00")
    given = [[(Decimal("1E+17"), moment, b"\xff", b"\x01", "文"), (None,) * 5], []]
    names = (("n", 0), ("t", 0), ("b", 0), ("bit", 16), ("s", 0))
    cursor = SimpleNamespace(description=names, fetchmany=lambda count: given.pop(0))
    schema, batch = batches_of_rows(cursor)
    assert schema.names == ["n", "t", "b", "bit", "s"]
    assert batch.to_pylist()[0] == {
        "n": "100000000000000000", "t": "2026-03-01 09:05:00+08:00", "b": "\\xff", "bit": "1", "s": "文",
    }  # fmt: skip
    assert set(batch.to_pylist()[1].values()) == {None}


def test_a_look_takes_the_first_rows_of_a_query_and_names_the_scan(tmp_path: Path) -> None:
    rows = [(f"L{number}", *ROW[1:]) for number in range(12_000)]
    city = database(tmp_path / "city.db", *rows)
    options = ("--from", f"sqlite:{city}", "--query", "SELECT * FROM fees", "--query", "SELECT * FROM fees LIMIT 3")
    document = json.loads(liangku("inspect", *options, "--json").stdout)
    assert [(each["lines"], each["share"]) for each in document["files"]] == [(10_000, 0.0), (3, 1.0)]
    assert document["files"][0]["database"]["query"] == "SELECT * FROM fees"
    told = liangku("inspect", *options, "--max-rejects", "5%", "--lang", "en")
    assert "A scan would run: at least 10,003 lines" in told.stdout
    assert f"scan --from sqlite:{city} --query 'SELECT * FROM fees' --query" in told.stdout
    assert "--max-rejects 5%" in told.stdout
    refused = liangku("inspect", "--from", f"sqlite:{city}", "--query", "SELECT * FROM nosuch", "--json")
    assert (refused.returncode, "没有这张表" in refused.stderr) == (2, True)
    assert json.loads(refused.stdout)["would_run"] is False


def test_impact_and_gaps_ask_a_database_as_a_scan_does(tmp_path: Path) -> None:
    lines = tmp_path / "fees.csv"
    lines.write_text(f"{COLUMNS}\n{','.join(ROW)}\n", "utf-8")
    asked = ("--from", database(tmp_path / "city.db", ROW), "--query", "SELECT * FROM fees")
    for command in (("kb", "impact", "embedded", "--param", "child_age=16"), ("kb", "gaps")):
        of_files, of_rows = (liangku(*command, *given, "--json") for given in (("--claims", lines), asked))
        assert json.loads(of_rows.stdout)["judged"] == 1, of_rows.stderr
        assert json.loads(of_rows.stdout) == json.loads(of_files.stdout)
        nothing = liangku(*command)
        assert nothing.returncode == 2
        assert "缺少 --claims" in nothing.stderr
