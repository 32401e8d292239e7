"""What of the inputs was not read or could not be judged, file by file: whether a result speaks of all that was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest import stamp
from checker.ingest.gather import Gathered
from checker.ingest.line_kind import REJECTED
from checker.ingest.line_sql import raw_code
from checker.ingest.lost_codes import UNLISTED
from checker.model.errors import both

if TYPE_CHECKING:
    import duckdb

NEARLY_ALL = 0.99
"""The share of a file's lines that, without a usable code, makes it a file of which nearly nothing could be judged."""


@dataclass(frozen=True, slots=True)
class FileCount:
    """The lines of one file: read, rejected, and of those read how many bear no national code."""

    path: Path
    read: int
    rejected: int
    without_code: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Why a result does not speak of all that was given: a key (not_read, rejects, no_codes, changed), and said in both languages."""

    path: Path
    why: str
    said: str

    def to_plain(self) -> dict[str, str]:
        """As run.json holds it."""
        return {"path": str(self.path), "why": self.why, "said": self.said}


def count_files(
    connection: duckdb.DuckDBPyConnection, files: Gathered, second: Mapping[int, bool]
) -> tuple[FileCount, ...]:
    """Count the lines of each file, from the census and `code_map` on the connection."""
    read: dict[int, int] = {}
    bad: dict[int, int] = {}
    for number, kind, count in connection.execute("SELECT file_no, kind, n FROM kind_census").fetchall():
        read[number] = read.get(number, 0) + count
        if kind in REJECTED:
            bad[number] = bad.get(number, 0) + count
    rejected = {each.file.path: each.rejected for each in files.files if each.role == "lines"}
    without = _without_code(connection, files, second, read)
    return tuple(
        FileCount(
            path,
            read.get(number, 0) + rejected.get(path, 0),
            bad.get(number, 0) + rejected.get(path, 0),
            without.get(number, 0),
        )
        for number, path in files.origins
    )


def _without_code(
    connection: duckdb.DuckDBPyConnection, files: Gathered, second: Mapping[int, bool], read: Mapping[int, int]
) -> dict[int, int]:
    """Of each file the lines without a national code; only files of which these may be nearly all are looked at."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE odd_code AS SELECT raw FROM code_map
        WHERE NOT is_known AND lost IS DISTINCT FROM '{UNLISTED}'"""
    )
    odd = dict(
        connection.execute(
            "SELECT source, sum(n)::BIGINT FROM code_census WHERE raw IS NULL OR raw IN (SELECT raw FROM odd_code) GROUP BY source"
        ).fetchall()
    )
    found: dict[int, int] = {}
    for number, source in enumerate(files.lines):
        table = source.table
        numbers = range(table.first_file, table.first_file + len(table.files))
        if len(numbers) == 1:
            found[table.first_file] = odd.get(number, 0)
        elif odd.get(number, 0) >= NEARLY_ALL * min(read.get(each, 0) for each in numbers):
            raw = raw_code(source, second=second[number])
            found |= dict(
                connection.execute(
                    f"SELECT {table.file_number}, count(*) FROM {table.scan()} "
                    f"WHERE ({raw}) IS NULL OR ({raw}) IN (SELECT raw FROM odd_code) GROUP BY ALL"
                ).fetchall()
            )
    return found


def find_gaps(files: Gathered, counts: tuple[FileCount, ...], max_rejects: float) -> tuple[Gap, ...]:
    """Why the result is incomplete, in the order of the files; `max_rejects` is the share of a file's rows that may be rejected."""
    gaps = [*not_read(files)]
    told = {each.path: (each.read, each.rejected) for each in counts}
    for each in files.files:
        if each.role == "lines" and each.file.path not in told:
            continue
        of_rows = each.rows + each.rejected, each.rejected
        read, rejected = told[each.file.path] if each.role == "lines" else of_rows
        if rejected > max_rejects * read:
            gaps.append(Gap(each.file.path, "rejects", _rejects_said(each.file.path, rejected, read, max_rejects)))
    for count in counts:
        if count.read and count.without_code >= NEARLY_ALL * count.read:
            chinese = f"{count.path}：{count.read:,} 行中 {count.without_code:,} 行没有国家医保编码，这个文件几乎没有判断；请检查编码列"
            english = f"{count.without_code:,} of {count.read:,} lines have no national code: nearly nothing was judged"
            gaps.append(Gap(count.path, "no_codes", both(chinese, english)))
    return tuple(gaps)


def not_read(files: Gathered) -> tuple[Gap, ...]:
    """The files, or parts of them, that may be data and were not read."""
    return tuple(Gap(each.path, "not_read", each.said()) for _, each in files.passed if each.may_be_data)


def find_changes(files: Gathered) -> tuple[Gap, ...]:
    """The inputs that changed while they were read."""
    return tuple(
        Gap(path, "changed", both(f"{path}：扫描期间文件有变化，请重新扫描", "changed during the scan: scan it again"))
        for path in stamp.changed(files.stamps)
    )


def _rejects_said(path: Path, rejected: int, read: int, max_rejects: float) -> str:
    return both(
        f"{path}：{read:,} 行中 {rejected:,} 行无法读取，超过 {max_rejects * 100:.4g}%，见 --max-rejects",
        f"{rejected:,} of {read:,} lines rejected, more than {max_rejects * 100:.4g}%: see --max-rejects",
    )
