"""Findings for Python users: a scan's results as a polars frame or as Arrow batches, read as they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.model.errors import InputError

if TYPE_CHECKING:
    import polars
    import pyarrow


def read_findings(folder: str | Path) -> polars.LazyFrame:
    """The findings that a scan left in `folder`, columns as in docs/findings.md, one row a line and rule.

    Raises InputError where the folder holds no findings.
    """
    import polars

    return polars.scan_parquet(_findings(folder))


def stream_findings(folder: str | Path) -> pyarrow.RecordBatchReader:
    """The same as Arrow record batches, for tools that speak Arrow. Raises InputError like `read_findings`."""
    import pyarrow.dataset

    return pyarrow.dataset.dataset(_findings(folder), format="parquet").scanner().to_reader()


def _findings(folder: str | Path) -> Path:
    file = Path(folder) / "findings.parquet"
    if not file.is_file():
        raise InputError(
            f"{folder}：没有 findings.parquet，请给出 liangku scan --out 的文件夹（no findings here: name the --out of a scan）"
        )
    return file
