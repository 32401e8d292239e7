"""Findings once more in folders by month or institution, as Hive and Spark lay them out, for those who load them part by part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.model import sqltext

if TYPE_CHECKING:
    import duckdb

PARTITIONS = {
    "month": ("findings_by_month", "month", "strftime(service_time, '%Y-%m')"),
    "institution": (
        "findings_by_institution",
        "institution",
        "CASE WHEN length(url_encode(institution_id)) > 200 THEN md5(institution_id) ELSE institution_id END",
    ),
}
"""By what findings may be parted: the folder, the column that only its folders hold, and its SQL. An id that no folder can be called by has its MD5 there."""


def write_parts(connection: duckdb.DuckDBPyConnection, findings: Path, by: str) -> None:
    """Write the rows of the file of findings beside it, into folders such as findings_by_month/month=2026-03; with no finding there is no folder."""
    folder, column, value = PARTITIONS[by]
    rows = f"SELECT *, {value} AS {column} FROM {sqltext.parquet(findings)}"
    if not connection.execute(f"SELECT 1 FROM {sqltext.parquet(findings)} LIMIT 1").fetchone():
        return
    connection.execute(
        f"COPY ({rows}) TO {sqltext.text(str(findings.with_name(folder)))} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({column}))"
    )
