"""Record batches of a database become a Parquet file: the columns that something reads, each of a type that is read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from checker.ingest.database.query import Query
from checker.model.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

GROUP = 20_000
"""Rows of a row group, at least: some libraries hand over a thousand rows at a time."""
FIRST_DAY, LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6}
_TYPE_NAME = b"POSTGRESQL:type"
_AS_ANOTHER_VALUE = ("money",)
"""Types that arrive as something else than their value: money as a number of cents, whose currency nobody tells."""


class ParquetWriter:
    """Use as a context manager. Raises InputError where a column is of a type that cannot be read, or a text is none."""

    def __init__(self, query: Query, target: Path, schema: pa.Schema, chosen: Collection[str]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._query = query
        self._places = [place for place, name in enumerate(schema.names) if name in chosen]
        fields = [schema.field(place) for place in self._places]
        self._schema = pa.schema([pa.field(field.name, self._written(field)) for field in fields])
        self._writer = parquet.ParquetWriter(target, self._schema, compression="lz4")
        self._held: list[pa.RecordBatch] = []

    def __enter__(self) -> ParquetWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._write()
        self._writer.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Write a batch, with those before it where they are small."""
        import pyarrow as pa

        columns = [_plain(batch.column(place)) for place in self._places]
        self._held.append(pa.record_batch(columns, schema=self._schema))
        if sum(each.num_rows for each in self._held) >= GROUP:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa

        table = pa.Table.from_batches(self._held, self._schema)
        self._held = []
        try:
            table.validate(full=True)
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{self._query.path}：有的文字不是 UTF-8，请在查询中转换编码，或导出为 CSV（a text is not UTF-8: convert it in the query, or export CSV）"
            ) from error
        self._writer.write_table(table, row_group_size=GROUP)

    def _written(self, field: pa.Field) -> pa.DataType:
        import pyarrow as pa

        told = (field.metadata or {}).get(_TYPE_NAME, b"").decode() or str(field.type)
        type_ = field.type.storage_type if _is_named(field.type) else field.type
        foreign = _is_named(field.type) and not pa.types.is_string(type_)
        unread = pa.types.is_nested(type_) or pa.types.is_interval(type_) or pa.types.is_duration(type_)
        if foreign or unread or told in _AS_ANOTHER_VALUE:
            raise InputError(
                f"{self._query.path}：列“{field.name}”的类型 {told} 不能读，请在查询中转换，例如 CAST({field.name} AS {_instead(told)}) AS {field.name}"
                f"（column of type {told} is not read: cast it in the query）"
            )
        return pa.string() if pa.types.is_null(type_) else type_


def _is_named(type_: pa.DataType) -> bool:
    """Whether a library names a type that Arrow has not; a UUID is read as it is."""
    import pyarrow as pa

    return isinstance(type_, pa.BaseExtensionType) and type_ != pa.uuid()


def _plain(column: pa.Array) -> pa.Array:
    """A column as it is written: of a type of its own, and without days that no calendar has."""
    import pyarrow as pa

    if _is_named(column.type):
        return column.storage
    is_time = pa.types.is_timestamp(column.type) and column.type.unit != "ns"
    return _within_calendar(column) if is_time or pa.types.is_date32(column.type) else column


def _within_calendar(column: pa.Array) -> pa.Array:
    """Days and times of the years 1 to 9999. Those beyond are not given, as 9999-12-31 is: `infinity` arrives as one of them, and not as the same each time."""
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_date32(column.type):
        numbers, scale = column.view(pa.int32()), 1
    else:
        numbers, scale = column.view(pa.int64()), 86_400 * _PER_SECOND[column.type.unit]
    low, high = FIRST_DAY * scale, (LAST_DAY + 1) * scale - 1
    inside = compute.and_(compute.greater_equal(numbers, low), compute.less_equal(numbers, high))
    return compute.if_else(inside, column, pa.scalar(None, column.type))


def _instead(told: str) -> str:
    """The type that a column may be cast to so that it is read."""
    return "numeric" if told in _AS_ANOTHER_VALUE else "text"
