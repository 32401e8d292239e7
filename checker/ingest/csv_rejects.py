"""Records that are not read, as columns: their number, what is shown of them, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 200
"""So many characters of a broken record are shown."""
_LONGEST_CHARACTER = 4


def reject_schema() -> pa.Schema:
    """Record (from 1), column and value, and why (Chinese). Where one column alone is broken it is named, and the value is its own."""
    import pyarrow as pa

    return pa.schema(
        [("record", pa.int64()), ("column_name", pa.string()), ("value", pa.string()), ("why", pa.string())]
    )


def reject_table(
    numbers: pa.Array[Any], values: pa.Array[Any], why: str | pa.Array[Any], column: str | None = None
) -> pa.Table:
    """The rejects of these numbers and values, for one reason or for a reason each."""
    import pyarrow as pa

    count = len(numbers)
    whys = pa.repeat(pa.scalar(why, pa.string()), count) if isinstance(why, str) else why
    return pa.Table.from_arrays(
        [numbers, pa.repeat(pa.scalar(column, pa.string()), count), values, whys], schema=reject_schema()
    )


def shown(records: pa.Array[Any], encoding: str) -> pa.Array[Any]:
    """The beginnings of records of an encoding, as text whatever they hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if encoding == "utf-8":
        try:
            return pc.utf8_slice_codeunits(records.cast(pa.string()), 0, SHOWN)
        except pa.ArrowInvalid:
            pass
    begun = pc.binary_slice(records, 0, _LONGEST_CHARACTER * SHOWN).to_pylist()
    return pa.array([record.decode(encoding, "replace")[:SHOWN] for record in begun], pa.string())
