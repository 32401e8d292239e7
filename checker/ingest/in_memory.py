"""Tables that a Python program hands over: what lies in memory is read where it lies, what can be read only once is written down as it arrives.

Nothing of DuckDB, Polars or pandas is imported for the sake of knowing that a table is none of theirs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from checker.ingest.arrow_columns import of_pandas, readable, refused
from checker.ingest.sources import first_line, own_header
from checker.model import sqltext
from checker.model.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

GROUP = 122_880
"""Rows of a row group of what is written down, at least."""

Choose = Callable[[Sequence[str]], Collection[str]]
"""Which columns are read, of those that there are."""


class HandsOnArrow(Protocol):
    """What hands on its rows as Arrow, by the Arrow PyCapsule interface: tables of pyarrow, Polars, pandas and DuckDB do."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows, as a capsule of a stream."""


@dataclass(frozen=True, slots=True, eq=False)
class InMemory:
    """A table for a role; `number` counts those of the role from 1."""

    data: Any
    role: str
    number: int = 1

    @property
    def path(self) -> Path:
        """What its rows are told to come from: `<lines>`, `<lines-2>`."""
        return Path(f"<{self.role}{f'-{self.number}' if self.number > 1 else ''}>")

    @property
    def relation(self) -> str:
        """The name by which the engine knows it."""
        return f"in_memory_{self.role}_{self.number}"

    @property
    def library(self) -> str:
        """The library whose table it is."""
        return type(self.data).__module__.partition(".")[0]

    @property
    def type(self) -> str:
        """Its type, as people are told it."""
        return f"{self.library}.{type(self.data).__name__}"


@dataclass(frozen=True, slots=True)
class ReadInMemory:
    """How a table was read: of which type it is, and whether it had to be written down."""

    type: str
    written: bool

    def to_plain(self) -> dict[str, object]:
        """As run.json holds it."""
        return {"type": self.type, "written": self.written}


def is_table(data: object) -> bool:
    """Whether something is a table that can be read."""
    kinds = (("pandas", "DataFrame"), ("polars", "LazyFrame"))
    return hasattr(data, "__arrow_c_stream__") or any(_is(data, *kind) for kind in kinds) or _is_dataset(data)


def take(given: InMemory, target: Path, choose: Choose) -> pa.Table | None:
    """The columns that are read of a table in memory, each as it lies where the engine can read it so, and `__record`, the number of the row from 1.

    None where it can be read only once, or lies elsewhere: its columns are then in the Parquet file `target`.
    Raises InputError naming table, column and row of what cannot be read.
    """
    import pyarrow as pa

    data = given.data
    if _is(data, "pandas", "DataFrame"):
        names = [str(name) for name in data.columns]
        chosen = _places(names, choose)
        return _lying(
            given, [(names[at], of_pandas(given.path, names[at], data.iloc[:, at])) for at in chosen], len(data)
        )
    if _is(data, "polars", "DataFrame"):
        chosen = _places(data.columns, choose)
        data = _of_polars(given, data[:, chosen])
    elif isinstance(data, pa.RecordBatch):
        data = pa.Table.from_batches([data])
    if isinstance(data, pa.Table):
        chosen = _places(data.column_names, choose)
        return _lying(given, [(data.column_names[at], data.column(at)) for at in chosen], data.num_rows)
    _write_down(given, target, choose)
    return None


def _lying(given: InMemory, columns: Iterable[tuple[str, pa.ChunkedArray]], rows: int) -> pa.Table:
    import pyarrow as pa
    from pyarrow import compute

    named = [*columns]
    # Looking whether texts are UTF-8 takes longer than all else here, and Arrow does so beside others.
    with ThreadPoolExecutor() as pool:
        read = pool.map(lambda each: readable(given.path, *each), named)
        taken = {own_header(name): column for (name, _), column in zip(named, read, strict=True)}
    # Rows of Arrow have no numbers of their own.
    numbers = compute.cumulative_sum(pa.repeat(1, rows))
    return pa.table({**taken, "__record": numbers})


def _places(names: Sequence[str], choose: Choose) -> list[int]:
    """The places of the columns that are read."""
    chosen = choose(names)
    return [place for place, name in enumerate(names) if name in chosen]


def _of_polars(given: InMemory, frame: Any) -> pa.Table:
    """A frame as Arrow, its texts in the form that Polars holds them in: another would have to be written."""
    import polars as pl

    for name, type_ in frame.schema.items():
        if type_ == pl.Object:
            raise refused(given.path, name, type_)
    return frame.to_arrow(compat_level=pl.CompatLevel.newest())


def _write_down(given: InMemory, target: Path, choose: Choose) -> None:
    data = given.data
    try:
        if _is(data, "polars", "LazyFrame"):
            names = data.collect_schema().names()
            data.select([names[place] for place in _places(names, choose)]).sink_parquet(target, compression="lz4")
            return
        _write_batches(given, _reader(data, choose), target)
    except _faults() as error:
        raise _unreadable(given, error) from error


def _reader(data: Any, choose: Choose) -> pa.RecordBatchReader:
    """The columns that are read, as batches."""
    import pyarrow as pa

    if _is_dataset(data):
        names = data.schema.names
        return data.scanner(columns=[names[place] for place in _places(names, choose)]).to_reader()
    if _is(data, "duckdb", "DuckDBPyRelation"):
        chosen = [data.columns[place] for place in _places(data.columns, choose)]
        return data.project(", ".join(map(sqltext.name, chosen))).to_arrow_reader(GROUP)
    reader = data if isinstance(data, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(data)
    names = reader.schema.names
    places = _places(names, choose)
    schema = pa.schema([reader.schema.field(place) for place in places])
    return pa.RecordBatchReader.from_batches(schema, (batch.select(places) for batch in reader))


def _write_batches(given: InMemory, reader: pa.RecordBatchReader, target: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    def plain(batches: Sequence[pa.RecordBatch]) -> pa.Table:
        table = pa.Table.from_batches(batches, reader.schema)
        columns = zip(table.column_names, table.columns, strict=True)
        return pa.table({name: readable(given.path, name, column) for name, column in columns})

    with parquet.ParquetWriter(target, plain([]).schema, compression="lz4") as writer:
        held: list[pa.RecordBatch] = []
        for batch in reader:
            held.append(batch)
            if sum(each.num_rows for each in held) >= GROUP:
                writer.write_table(plain(held), row_group_size=GROUP)
                held = []
        if held:
            writer.write_table(plain(held), row_group_size=GROUP)


def _is(data: object, library: str, name: str) -> bool:
    """Whether something is a table of a library, which then has been imported by whoever made it."""
    type_ = getattr(sys.modules.get(library), name, None)
    return type_ is not None and isinstance(data, type_)


def _is_dataset(data: object) -> bool:
    return _is(data, "pyarrow.dataset", "Dataset")


def _faults() -> tuple[type[Exception], ...]:
    """What the libraries raise over a table that cannot be read; what a generator of batches raises by itself is its own."""
    import duckdb
    import pyarrow as pa

    others = [getattr(sys.modules.get("polars"), "exceptions", None)]
    return (duckdb.Error, pa.ArrowException, *(each.PolarsError for each in others if each))


def _unreadable(given: InMemory, error: Exception) -> InputError:
    return InputError(f"{given.path}：{given.type} 无法读取（cannot be read）：{first_line(error)}")
