"""CSV and JSON become Parquet of text columns with their record numbers; records that cannot be read become rejects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.csv_convert import CsvFacts, Wanted, convert_csv
from checker.ingest.json_files import convert_json
from checker.ingest.sources import InputFile
from checker.model.errors import InputError

if TYPE_CHECKING:
    import duckdb

REJECT_COLUMNS = "file VARCHAR, record BIGINT, column_name VARCHAR, value VARCHAR, why VARCHAR"


def convert(
    connection: duckdb.DuckDBPyConnection, source: InputFile, target: Path, role: str, wanted: Wanted
) -> CsvFacts | float:
    """Write `source` (csv, json, jsonl) to `target` as Parquet: one text column a header, and `__record` (1-based).

    Of a CSV file only what is wanted of it is written, and how it was read is told, with the file of those that cannot be read. Of
    JSON it is told how much of the file was read, and these go to the table `rejects` of the connection, which keeps the order of
    records (`connect_locked(ordered=True)`).
    Raises InputError where the whole file cannot be.
    """
    try:
        if source.kind != "csv":
            return convert_json(connection, source, target, role, wanted.known, wanted.first)
        return convert_csv(source.place, target, target.with_suffix(".rejected.parquet"), (role, source.path), wanted)
    except InputError as error:
        # Who is told of a file that had to be unpacked is told its own name.
        raise type(error)(str(error).replace(str(source.place), str(source.path))) from error
