"""A real PostgreSQL and a real MariaDB as inputs: the findings of the same rows as files, and every fault a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from checker.ingest.database.parquet_writer import ParquetWriter
from tests.commands import ROOT, Done, liangku
from tests.databases import month
from tests.databases.servers import DATABASE, PASSWORD, Server, mariadb, mariadb_programs, postgres, postgres_programs

LINE = "'XG04CBA088A001010101467' AS med_list_codg, '女' AS gend"
"""A man's medicine for a woman."""
WRONG = "not-the-password"


@pytest.fixture(scope="module", params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    programs, start = {"postgresql": (postgres_programs, postgres), "mariadb": (mariadb_programs, mariadb)}[
        request.param
    ]
    if not programs():
        pytest.skip(
            f"no {request.param} on this machine: apt-get install postgresql mariadb-server-core mariadb-client-core"
        )
    with start() as started:
        started.run(
            "\n".join(month.statements(time="timestamp(3)" if request.param == "postgresql" else "datetime(3)"))
        )
        started.run(f"CREATE TABLE written (n int); {MAKE_WRITER[request.param]}")
        yield started


MAKE_WRITER = {
    "postgresql": "CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO written VALUES (1) RETURNING 1';",
    "mariadb": "\nDELIMITER //\nCREATE FUNCTION writes() RETURNS int BEGIN INSERT INTO written VALUES (1); RETURN 1; END//",
}
MANY = {
    "postgresql": "SELECT g AS line_id, timestamp '2026-03-01' AS fee_ocur_time, "
    + LINE
    + " FROM generate_series(1, {}) g",
    "mariadb": "SELECT seq AS line_id, cast('2026-03-01' AS datetime) AS fee_ocur_time, " + LINE + " FROM seq_1_to_{}",
}


def scanned(
    out: Path, server: Server, *arguments: str | Path, url: str = "", password: str = PASSWORD, code: int = 1
) -> Done:
    environment = {**os.environ, "LIANGKU_DB_PASSWORD": password}
    done = liangku("scan", "--from", url or server.url, *arguments, "--out", out, "--lang", "zh", env=environment)
    assert done.returncode == code, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    if code == 2:
        assert not out.exists()
        assert len(done.stderr.splitlines()) == 1
    return done


def run(out: Path) -> dict[str, object]:
    return json.loads((out / "run.json").read_text(encoding="utf-8"))


def findings(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "findings.parquet").drop("source_file").sort("finding_id")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The month as files by role, and under `out` what a scan finds in them."""
    folder = tmp_path_factory.mktemp("files")
    files = month.write(folder)
    beside = [word for role in ("settlements", "visits", "diagnoses") for word in (f"--{role}", files[role])]
    assert liangku("scan", files["lines"], *beside, "--out", folder / "out", "--lang", "zh").returncode == 1
    return files | {"out": folder / "out"}


def test_the_same_month_gives_the_same_findings(tmp_path: Path, server: Server, files: dict[str, Path]) -> None:
    asked = [
        word for role, table in month.TABLES.items()
        for word in (f"--{role}-query" if role != "lines" else "--query", f"SELECT * FROM {table} ORDER BY place;")
    ]  # fmt: skip
    scanned(tmp_path / "out", server, *asked)
    assert_frame_equal(findings(tmp_path / "out"), findings(files["out"]))
    assert findings(tmp_path / "out").height > 100
    document = run(tmp_path / "out")
    assert document["lines"] == run(files["out"])["lines"]
    told = document["inputs"][0]
    assert told["path"] == f"{server.scheme}:127.0.0.1:{server.port}/{DATABASE}#lines"
    assert told["database"]["url"] == server.url
    assert told["database"]["rows"] == told["lines"] == document["lines"]["read"]
    assert told["columns"]["item_code"] == ["med_list_codg", "hilist_code"]
    assert set(pl.read_parquet(tmp_path / "out" / "findings.parquet")["source_file"]) == {told["path"]}
    assert all(PASSWORD.encode() not in each.read_bytes() for each in (tmp_path / "out").iterdir())


def test_lines_of_a_database_and_settlements_of_a_file_go_together(
    tmp_path: Path, server: Server, files: dict[str, Path]
) -> None:
    scanned(tmp_path / "out", server, "--query", "SELECT * FROM fee_list_d", "--settlements", files["settlements"])
    assert [each["kind"] for each in run(tmp_path / "out")["inputs"]] == [
        "postgresql" if server.scheme == "postgresql" else "mysql",
        "parquet",
    ]


def test_a_look_breaks_off_behind_the_first_rows(tmp_path: Path, server: Server) -> None:
    endless = "SELECT a.* FROM fee_list_d a, fee_list_d b, fee_list_d c"
    environment = {**os.environ, "LIANGKU_DB_PASSWORD": PASSWORD}
    asked = ("--from", server.url, "--query", endless, "--settlements-query", "SELECT * FROM setl_d")
    done = liangku("inspect", *asked, "--json", env=environment)
    assert done.returncode == 0, done.stderr
    lines, settlements = json.loads(done.stdout)["files"]
    assert (lines["share"], settlements["share"]) == (0.0, 1.0)
    assert 10_000 <= lines["lines"] < 100_000
    assert PASSWORD not in done.stdout


FAULTS = {
    "an unknown table": ("SELECT * FROM nowhere", "没有这张表"),
    "an unknown column": ("SELECT nothing FROM setl_d", "没有这一列"),
    "no SQL": ("SELECT FROM WHERE", "检查写法"),
    "a function that writes": ("SELECT writes() AS line_id", "只读"),
    "a query that writes": ("DELETE FROM setl_d", "SELECT"),
    "a part that writes": ("WITH x AS (DELETE FROM setl_d RETURNING *) SELECT * FROM x", "DELETE"),
    "several": ("SELECT 1; DELETE FROM setl_d", "几条语句"),
    "no rows": ("SELECT * FROM fee_list_d WHERE 1 = 0", "没有给出任何行"),
    "a column twice": ("SELECT a.setl_id, b.setl_id FROM fee_list_d a JOIN setl_d b USING (setl_id)", "出现了两次"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_query_that_gives_no_lines_is_refused(tmp_path: Path, server: Server, fault: str) -> None:
    query, words = FAULTS[fault]
    told = scanned(tmp_path / "out", server, "--query", query, code=2).stderr
    assert words in told
    assert f"/{DATABASE}#lines" in told
    assert server.run("SELECT count(*) FROM written") == "0"
    assert server.run("SELECT count(*) FROM setl_d") != "0"


def test_a_database_that_cannot_be_reached_is_told(tmp_path: Path, server: Server) -> None:
    query = ("--query", "SELECT * FROM fee_list_d")
    assert "密码不对" in scanned(tmp_path / "out", server, *query, password=WRONG, code=2).stderr
    places = {
        f"/{DATABASE}": ("/nowhere", "没有这个数据库"),
        f":{server.port}": (":1", "连接不上"),
        "127.0.0.1": ("nohost.invalid", "找不到这台主机"),
    }
    for part, (instead, words) in places.items():
        # Who may not see a database of that name is told that instead.
        told = scanned(tmp_path / "out", server, *query, url=server.url.replace(part, instead), code=2).stderr
        assert words in told or "无权" in told


def test_a_database_that_goes_away_in_the_middle_leaves_nothing(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, batches = ParquetWriter.add, []

    def end(writer: ParquetWriter, batch: object) -> None:
        add(writer, batch)
        batches.append(batch)
        if len(batches) == 2:
            end_session(server)

    monkeypatch.setattr(ParquetWriter, "add", end)
    told = scanned(tmp_path / "out", server, "--query", MANY[server.scheme].format(3_000_000), code=2).stderr
    assert "行之后" in told
    assert "断了" in told or "中止" in told
    assert list(tmp_path.iterdir()) == []


def end_session(server: Server) -> None:
    """End the session of the auditor, as an administrator does."""
    if server.scheme == "postgresql":
        server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'auditor'")
    else:
        session = server.run("SELECT max(id) FROM information_schema.processlist WHERE user = 'auditor'")
        server.run(f"KILL {session}")


def test_a_server_that_ends_a_query_is_told(tmp_path: Path, server: Server) -> None:
    if server.scheme == "postgresql":
        server.run("ALTER ROLE auditor SET statement_timeout = 200")
        query = "SELECT pg_sleep(0.001) IS NULL AS gend, g AS line_id FROM generate_series(1, 100000) g"
    else:
        server.run("SET GLOBAL max_statement_time = 0.2")
        query = "SELECT sleep(0.001) AS gend, seq AS line_id FROM seq_1_to_100000"
    try:
        assert "中止了这条查询" in scanned(tmp_path / "out", server, "--query", query, code=2).stderr
    finally:
        server.run(
            "ALTER ROLE auditor RESET statement_timeout"
            if server.scheme == "postgresql"
            else "SET GLOBAL max_statement_time = 0"
        )


TYPED = {
    "postgresql": """SELECT gen_random_uuid() AS line_id, timestamptz '2026-02-28 16:30:00+00' AS fee_ocur_time, 'XG04CBA088A001010101467'::char(40) AS
        med_list_codg, 2::smallint AS gend, 1.50::float8 AS cnt, 12.3456789::numeric AS pric, date '1990-01-01' AS brdy, false AS nwb_flag,
        'H1'::bytea AS medins_id, interval '1 day' AS unknown""",
    "mariadb": """SELECT uuid() AS line_id, cast('2026-03-01 00:30:00' AS datetime(6)) AS fee_ocur_time, 'XG04CBA088A001010101467' AS med_list_codg,
        cast(2 AS unsigned) AS gend, cast(1.5 AS double) AS cnt, 12.3456789 AS pric, date '1990-01-01' AS brdy, b'0' AS nwb_flag,
        cast('H1' AS binary) AS medins_id, point(1, 1) AS `unknown`""",
}  # fmt: skip


def test_values_of_every_type_are_read(tmp_path: Path, server: Server) -> None:
    scanned(tmp_path / "out", server, "--query", TYPED[server.scheme])
    found = pl.read_parquet(tmp_path / "out" / "findings.parquet")
    told = found.select("verdict", pl.col("service_time").cast(pl.String).str.head(19), "quantity", "institution_id")
    assert told.rows() == [("violation", "2026-03-01 00:30:00", 1.5, "H1")]
    assert len(found["line_id"][0]) == 36


def test_what_cannot_be_read_is_rejected_or_refused(tmp_path: Path, server: Server) -> None:
    """Conservation: the row of a day that is none is a reject; a type that would arrive as another value is refused."""
    if server.scheme == "postgresql":
        query = (
            MANY["postgresql"]
            .format(200)
            .replace("g AS", "CASE WHEN g = 7 THEN '2026-13-01' ELSE '2026-03-01' END AS fee_ocur_time, g AS", 1)
        )
        query = query.replace("timestamp '2026-03-01' AS fee_ocur_time, ", "")
        refused = query.replace("SELECT", "SELECT 12.34::money AS pric, interval '1 day' AS cnt,", 1)
        assert "money" in scanned(tmp_path / "refused", server, "--query", refused, code=2).stderr
        infinite = query.replace("SELECT", "SELECT 'infinity'::date AS brdy,", 1)
        scanned(tmp_path / "infinite", server, "--query", infinite)
        assert pl.read_parquet(tmp_path / "infinite" / "findings.parquet").height == 199
        query = query.replace("'2026-13-01'", "'infinity'").replace("END AS fee", "END::timestamp AS fee")
    else:
        server.run("SET sql_mode = ''; CREATE TABLE days AS SELECT seq, cast('2026-03-01' AS datetime) AS fee_ocur_time FROM seq_1_to_200; "
                   "UPDATE days SET fee_ocur_time = 0 WHERE seq = 7")  # fmt: skip
        query = f"SELECT seq AS line_id, fee_ocur_time, {LINE} FROM days"
    scanned(tmp_path / "out", server, "--query", query)
    lines = run(tmp_path / "out")["lines"]
    assert (lines["read"], lines["judged"], lines["rejected"]["total"]) == (200, 199, 1)
    rejects = pl.read_parquet(tmp_path / "out" / "rejects.parquet")
    assert rejects["record"].to_list() == [7]


def test_memory_does_not_grow_with_the_result(tmp_path: Path, server: Server) -> None:
    """Of the same query five times the rows are read within nearly the same memory."""
    peaks = []
    for rows in (100_000, 500_000):
        # A process counts the memory of the one that starts it as its own peak: a shell is small, a run of all tests is not.
        words = (sys.executable, "-c", READ, server.url, MANY[server.scheme].format(rows), tmp_path / "lines.parquet")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LIANGKU_DB_PASSWORD": PASSWORD}
        done = subprocess.run(
            ["sh", "-c", '"$@"; exit $?', "sh", *words], env=environment, capture_output=True, text=True, check=True
        )
        told = json.loads(done.stdout)
        assert told["rows"] == rows
        peaks.append(told["peak"])
    assert peaks[1] - peaks[0] <= MOST_GROWTH_MB


MOST_GROWTH_MB = 40
"""The result of 500,000 rows is some 60 MB, and much more as rows of Python."""
READ = """
import json, os, sys
from pathlib import Path
from checker.ingest.database.fetch import Databases
from checker.ingest.database.query import Query
from checker.ingest.database.url import read_url
from checker.scan.run_record import peak_memory_mb
with Databases() as databases:
    read = databases.read(Query(read_url(sys.argv[1], os.environ), sys.argv[2], "lines"), Path(sys.argv[3]), set)
print(json.dumps({"rows": read.rows, "peak": peak_memory_mb() or 0}))
"""
