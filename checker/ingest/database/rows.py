"""Rows of a database library that knows nothing of Arrow become record batches whose columns are texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

CELLS = 250_000
"""Values of a batch, each an object of Python until its column is made."""
ROWS = 10_000
"""Rows of a batch, at most."""
_MYSQL_BIT = 16
"""The code of the type BIT of MySQL, whose values arrive as bytes of a number."""


def batches_of_rows(cursor: Any) -> Iterator[pa.Schema | pa.RecordBatch]:
    """The schema of what a cursor gives, then its rows, batch by batch."""
    import pyarrow as pa

    schema = pa.schema([pa.field(str(column[0]), pa.string()) for column in cursor.description or ()])
    bits = [column[1] == _MYSQL_BIT for column in cursor.description or ()]
    yield schema
    count = min(CELLS // max(len(bits), 1) + 1, ROWS)
    while rows := cursor.fetchmany(count):
        columns = [
            _texts(column, is_bits=is_bits) for column, is_bits in zip(zip(*rows, strict=True), bits, strict=True)
        ]
        yield pa.record_batch(columns, schema=schema)


def _texts(values: Sequence[Any], *, is_bits: bool) -> pa.Array:
    import pyarrow as pa

    if is_bits:
        return pa.array([None if value is None else str(int.from_bytes(value)) for value in values], pa.string())
    try:
        # Most values are texts already.
        return pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return format(value, "f") if isinstance(value, Decimal) else str(value)
