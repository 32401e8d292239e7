"""Generated lines laid out anew in more files, as a month's export or Spark leaves them."""

from __future__ import annotations

from pathlib import Path

import duckdb


def in_files(made: list[str], folder: Path, number: int) -> list[str]:
    """The same lines in so many files of DuckDB's own row groups; returns the files, which are made once."""
    files = [folder / f"part-{part:05}.parquet" for part in range(number)]
    if not files[-1].exists():
        folder.mkdir(parents=True, exist_ok=True)
        lines = f"read_parquet({made}, file_row_number=true)"
        ((rows,),) = duckdb.execute(f"SELECT count(*) FROM {lines}").fetchall()
        each = -(-rows // number)
        for part, file in enumerate(files):
            within = f"file_row_number >= {part * each} AND file_row_number < {(part + 1) * each}"
            duckdb.execute(
                f"COPY (SELECT * EXCLUDE (file_row_number) FROM {lines} WHERE {within}) TO '{file}' (FORMAT parquet)"
            )
    return list(map(str, files))
