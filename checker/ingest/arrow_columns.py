"""Columns of Arrow as the engine can read them: most as they lie; the few types that it has not become those that hold the same values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.ingest.personal import masked
from checker.model.errors import InputError
from checker.model.shown import shown

if TYPE_CHECKING:
    import pyarrow as pa

VALUE_SHOWN = 40
"""So many characters of a value a message shows."""
_PRECISION = 38
"""Digits of the widest number that the engine has."""


def readable(path: Path, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of the table `path` for the engine. Raises InputError where it is of no type that is read, or holds a text that is none."""
    import pyarrow as pa
    from pyarrow import compute

    type_ = column.type
    try:
        if isinstance(type_, pa.BaseExtensionType) and type_ != pa.uuid():
            if not pa.types.is_string(type_.storage_type):
                raise refused(path, name, type_)
            column = pa.chunked_array([chunk.storage for chunk in column.chunks], type_.storage_type)
        if pa.types.is_run_end_encoded(type_):
            column = pa.chunked_array([compute.run_end_decode(chunk) for chunk in column.chunks], type_.value_type)
        if (instead := _instead(column.type)) is not None:
            column = column.cast(instead)
        # What no program checked would be read as it stands.
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{path}：列“{name}”有无法读取的值（{type_}），文字应为 UTF-8（column {name}: a value that cannot be read: texts must be UTF-8）：{error}"
        ) from error
    if _is_unread(column.type):
        raise refused(path, name, type_)
    return column


def _instead(type_: pa.DataType) -> pa.DataType | None:
    """The type that a column of a type that the engine has not is read as; None where it is read as it lies."""
    import pyarrow as pa

    is_ = pa.types
    if is_.is_null(type_) or is_.is_binary(type_) or is_.is_fixed_size_binary(type_):
        return pa.string()
    if is_.is_large_binary(type_) or type_ == pa.binary_view():
        return pa.large_string()
    if is_.is_float16(type_):
        return pa.float32()
    if is_.is_decimal(type_) and not is_.is_decimal128(type_):
        return pa.decimal128(min(type_.precision, _PRECISION), type_.scale)
    return None


def _is_unread(type_: pa.DataType) -> bool:
    import pyarrow as pa

    is_ = pa.types
    held = type_.value_type if is_.is_dictionary(type_) else type_
    return bool(is_.is_nested(held) or is_.is_interval(held) or is_.is_duration(held))


def refused(path: Path, name: str, type_: object) -> InputError:
    """The error of a column of a type that is not read."""
    return InputError(
        f"{path}：列“{name}”的类型 {type_} 不能读，请先转换为文字、数字或时间（column {name} of type {type_} is not read: "
        "cast it to text, number or time first）"
    )


def of_pandas(path: Path, name: str, series: Any) -> pa.ChunkedArray:
    """A column of pandas as Arrow: not copied where pandas holds it as Arrow does. Raises InputError naming the row whose value is not like those above."""
    import pyarrow as pa

    try:
        array = pa.array(series, from_pandas=True)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise _mixed(path, name, series, error) from error
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _mixed(path: Path, name: str, series: Any, error: Exception) -> InputError:
    given = series.notna().to_numpy()
    places = given.nonzero()[0]
    types = [type(series.iloc[place]) for place in places]
    odd = next((at for at, type_ in enumerate(types) if type_ is not types[0]), None)
    if odd is None:
        return InputError(
            f"{path}：列“{name}”的类型 {series.dtype} 不能读（column {name} cannot be read）：{masked(str(error))}"
        )
    row, value = int(places[odd]) + 1, masked(shown(str(series.iloc[places[odd]])[:VALUE_SHOWN]))
    kinds = types[0].__name__, types[odd].__name__
    return InputError(
        f"{path}：列“{name}”混有不同类型的值：第 {row} 行是 {kinds[1]}“{value}”，前面是 {kinds[0]}；请先统一，例如 "
        f'frame["{name}"] = frame["{name}"].astype("string")'
        f"（column {name}: row {row} holds the {kinds[1]} {value!r} among values of type {kinds[0]}: make them one type）"
    )
