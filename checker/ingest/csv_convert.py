"""A CSV file becomes Parquet of text columns: blocks of records are read side by side and written in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.ingest.csv_dialect import RECORD, find_dialect
from checker.ingest.csv_records import Block, Cutter
from checker.ingest.csv_repair import Reject, shown
from checker.ingest.csv_text import Utf8Text
from checker.model.errors import InputError
from checker.model.words import RECORD_FAULTS

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


FEW_VALUES = 0.2
"""Distinct values to values, below which a list of them is worth its making."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a file: the headers that are `known`, as they are compared, and which of those found are to be read."""

    known: Collection[str]
    choose: Callable[[Sequence[str]], Collection[str]]


@dataclass(frozen=True, slots=True)
class CsvFacts:
    """How a CSV file was read: what was detected, and how many records there were, the rejects included."""

    encoding: str
    byte_order_mark: bool
    line_end: str
    separator: str
    header_row: int
    columns: int
    records: int
    rejects: int

    def to_plain(self) -> dict[str, object]:
        """The facts as run.json holds them."""
        return {
            "encoding": self.encoding, "byte_order_mark": self.byte_order_mark, "line_end": self.line_end,
            "separator": self.separator, "header_row": self.header_row, "columns": self.columns, "records": self.records,
            "rejects": self.rejects,
        }  # fmt: skip


def convert_csv(path: Path, target: Path, rejected: Path, wanted: Wanted) -> CsvFacts:
    """Write the wanted columns of a CSV file to `target`, with `__record` (1-based), and what cannot be read to `rejected`
    (record, value, why).

    Memory does not grow with the file. Raises InputError where the file cannot be read, or does not add up.
    """
    text = Utf8Text(path)
    chunks = iter(text)
    dialect, start = find_dialect(text, chunks, wanted.known)
    chosen = set(wanted.choose(dialect.headers))
    reader = _Reader(path, dialect.headers, [header for header in dialect.headers if header in chosen], dialect.byte)
    cutter = Cutter(dialect, text)
    blocks = cutter.blocks(chain([start], chunks))
    with _Writer(reader.schema, target, rejected) as writer, ThreadPoolExecutor(1) as hand:
        written: Future[None] | None = None
        for table, rejects in _side_by_side(reader.read, blocks):
            if written:
                written.result()
            written = hand.submit(writer.write, table, rejects)
        if written:
            written.result()
    if writer.records + writer.rejects != cutter.records:
        raise InputError(
            f"{path}：文件有 {cutter.records:,} 条记录，只读出 {writer.records + writer.rejects:,} 条，请检查引号和换行后重新导出"
            "（records were lost in reading: check quotes and line ends, and export it again）"
        )
    return CsvFacts(
        text.encoding, text.marked, text.line_end, dialect.separator, dialect.row, len(dialect.headers), cutter.records, writer.rejects
    )  # fmt: skip


Read = tuple["pa.Table", Sequence[Reject]]


def _side_by_side(read: Callable[[Block], Read], blocks: Iterator[Block]) -> Iterator[Read]:
    """Read blocks on all processors, a few ahead of the one that is asked for; in order."""
    workers = min(os.cpu_count() or 1, 8)
    ahead: deque[Future[Read]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for block in blocks:
            ahead.append(pool.submit(read, block))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


class _Reader:
    """Splits the records of a block into columns; what has too few or too many is set aside with its number."""

    def __init__(self, path: Path, headers: Sequence[str], chosen: Sequence[str], separator: bytes) -> None:
        import pyarrow as pa

        self._path = path
        self._names = [f"c{number}" for number in range(len(headers))]
        self._chosen = [name for name, header in zip(self._names, headers, strict=True) if header in set(chosen)]
        self._separator = separator.decode()
        self.schema = pa.schema([*((header, pa.string()) for header in chosen), (RECORD, pa.int64())])

    def read(self, block: Block) -> Read:
        """The columns of a block and its rejects, those that it came with included."""
        import pyarrow as pa
        from pyarrow import csv

        if not len(block.numbers):
            return self.schema.empty_table(), block.rejects
        odd: list[tuple[int, int, str]] = []

        def set_aside(row: Any) -> str:
            odd.append((row.number - 1, row.actual_columns, row.text))
            return "skip"

        columns = csv.read_csv(
            pa.BufferReader(block.text),
            read_options=csv.ReadOptions(use_threads=False, block_size=len(block.text) + 1, column_names=self._names),
            parse_options=csv.ParseOptions(
                delimiter=self._separator, newlines_in_values=True, invalid_row_handler=set_aside
            ),
            convert_options=csv.ConvertOptions(
                include_columns=self._chosen,
                column_types=dict.fromkeys(self._names, pa.string()),
                check_utf8=False,
            ),
        )
        numbers = block.numbers
        if columns.num_rows + len(odd) != len(numbers):
            raise InputError(
                f"{self._path}：第 {numbers[0]} 至 {numbers[-1]} 条记录读出的条数对不上，请检查引号和换行后重新导出"
                f"（records {numbers[0]} to {numbers[-1]} do not add up: check quotes and line ends, and export it again）"
            )
        kept = _without(numbers, [place for place, _, _ in odd])
        table = pa.Table.from_arrays([*columns.columns, kept], schema=self.schema)
        rejects = [
            Reject(
                number,
                shown(text[:1000].encode()),
                RECORD_FAULTS["missing" if count < len(self._names) else "too many"],
            )
            for number, (_, count, text) in zip(_at(numbers, odd), odd, strict=True)
        ]
        return table, [*block.rejects, *rejects]


def _at(numbers: pa.Array[Any], odd: Sequence[tuple[int, int, str]]) -> list[int]:
    import pyarrow as pa

    return list(numbers.take(pa.array([place for place, _, _ in odd], pa.int64())).to_pylist())


def _without(numbers: pa.Array[Any], places: Sequence[int]) -> pa.Array[Any]:
    import pyarrow as pa

    if not places:
        return numbers
    ends = [*places, len(numbers)]
    starts = [0, *(place + 1 for place in places)]
    return pa.concat_arrays(
        [numbers.slice(0, 0), *(numbers.slice(a, b - a) for a, b in zip(starts, ends, strict=True) if b > a)]
    )


class _Writer:
    """Writes records and rejects as they come, so that no more than a block of either is held."""

    def __init__(self, schema: pa.Schema, target: Path, rejected: Path) -> None:
        import pyarrow as pa

        self._schema, self._target, self._rejected = schema, target, rejected
        self._reject_schema = pa.schema([("record", pa.int64()), ("value", pa.string()), ("why", pa.string())])
        self.records = 0
        self.rejects = 0

    def __enter__(self) -> _Writer:
        self._table: pq.ParquetWriter | None = None
        self._others: pq.ParquetWriter | None = None
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._table = self._table or self._open(self._schema.empty_table())
            self._others = self._others or self._open_rejected()
        for writer in (self._table, self._others):
            if writer:
                writer.close()

    def write(self, table: pa.Table, rejects: Sequence[Reject]) -> None:
        """Write a block: a row group of each that has rows."""
        import pyarrow as pa

        if table.num_rows:
            self._table = self._table or self._open(table)
            self._table.write_table(table)
            self.records += table.num_rows
        if rejects:
            columns = zip(*rejects, strict=True)
            self._others = self._others or self._open_rejected()
            self._others.write_table(
                pa.Table.from_arrays(
                    [pa.array(column, field.type) for column, field in zip(columns, self._reject_schema, strict=True)],
                    schema=self._reject_schema,
                )
            )
            self.rejects += len(rejects)

    def _open(self, table: pa.Table) -> pq.ParquetWriter:
        """The file of records. Columns whose values repeat in the first block are written as numbers of a list of values."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        few = table.num_rows * FEW_VALUES
        repeating = [
            name for name in table.column_names if name != RECORD and pc.count_distinct(table[name]).as_py() < few
        ]
        return pq.ParquetWriter(
            self._target, self._schema, compression="lz4", use_dictionary=repeating, write_statistics=False
        )

    def _open_rejected(self) -> pq.ParquetWriter:
        import pyarrow.parquet as pq

        return pq.ParquetWriter(self._rejected, self._reject_schema, compression="lz4")
