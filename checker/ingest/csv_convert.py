"""A CSV file becomes Parquet of text columns: blocks of records are read side by side and written in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.csv_columns import BlockReader, Read
from checker.ingest.csv_dialect import RECORD, find_dialect
from checker.ingest.csv_records import Block, Cutter
from checker.ingest.csv_repair import Reject
from checker.ingest.csv_text import TextFile
from checker.model.errors import InputError

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
    (the fields of Reject).

    Memory does not grow with the file. Raises InputError where the file cannot be read, or does not add up.
    """
    text = TextFile(path)
    chunks = iter(text)
    dialect, start = find_dialect(text, chunks, wanted.known)
    chosen = set(wanted.choose(dialect.headers))
    reader = BlockReader(
        path, dialect.headers, [header for header in dialect.headers if header in chosen], dialect.byte
    )
    cutter = Cutter(dialect, text)
    blocks = cutter.blocks(_one_ahead(chain([start], chunks)))
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


def _one_ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks; the next one is made ready meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(next, chunks, None)
        while (chunk := ready.result()) is not None:
            ready = pool.submit(next, chunks, None)
            yield chunk


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


class _Writer:
    """Writes records and rejects as they come, so that no more than a block of either is held."""

    def __init__(self, schema: pa.Schema, target: Path, rejected: Path) -> None:
        import pyarrow as pa

        self._schema, self._target, self._rejected = schema, target, rejected
        self._reject_schema = pa.schema(
            [(name, pa.int64() if name == "record" else pa.string()) for name in Reject._fields]
        )
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
