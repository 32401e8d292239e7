"""A CSV file becomes Parquet of text columns: blocks of records are read side by side and written in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.ingest.csv_columns import BlockReader, Read
from checker.ingest.csv_dialect import RECORD, find_dialect
from checker.ingest.csv_escapes import is_escaped, with_doubled_quotes
from checker.ingest.csv_records import Block, Cutter
from checker.ingest.csv_rejects import reject_schema
from checker.ingest.csv_text import TextFile

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


ROW_GROUP = 20_000
"""At least so many records are written together."""
FEW_RECORDS = 1_000
FEW_VALUES = 0.2
"""Distinct values to values, below which a list of them is worth its making."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a file: the headers that are `known`, as they are compared, and which of those found are to be read; where `first`
    says so, no more of its beginning than so many records and the rest of a block.
    """

    known: Set[str]
    choose: Callable[[Sequence[str]], Collection[str]]
    first: int | None = None


@dataclass(frozen=True, slots=True)
class CsvFacts:
    """How a CSV file was read: what was detected, how many records there were, the rejects included, where these are listed
    (a file only where there are any), and which headers were kept. `share` is how much of the file that is, from 0 to 1.
    `escape` is what stands before quotes within values, where they are not doubled.
    """

    encoding: str
    byte_order_mark: bool
    line_end: str
    separator: str
    header_row: int
    columns: int
    records: int
    rejects: int
    rejected: Path
    kept: tuple[str, ...]
    compression: str | None
    share: float
    escape: str | None

    def to_plain(self) -> dict[str, object]:
        """The facts as run.json holds them."""
        return {
            "encoding": self.encoding, "byte_order_mark": self.byte_order_mark, "line_end": self.line_end,
            "separator": self.separator, "header_row": self.header_row, "columns": self.columns, "records": self.records,
            "rejects": self.rejects, "compression": self.compression, "escape": self.escape,
        }  # fmt: skip

    def to_note(self) -> dict[str, object]:
        """The facts as the journal of a scan holds them."""
        return {"csv": {**asdict(self), "rejected": self.rejected.name}}

    @classmethod
    def of_note(cls, noted: Mapping[str, Any], target: Path) -> CsvFacts:
        """The facts of a file that was converted to `target`, from the journal of a scan."""
        facts = {**noted["csv"], "kept": tuple(noted["csv"]["kept"])}
        return cls(**{**facts, "rejected": target.with_name(facts["rejected"])})


def convert_csv(path: Path, target: Path, rejected: Path, told_as: tuple[str, Path], wanted: Wanted) -> CsvFacts:
    """Write the wanted columns of a CSV file to `target`, with `__record` (1-based), and what cannot be read to `rejected`
    (the role and file `told_as`, and the columns of `reject_schema`).

    Memory does not grow with the file. Raises InputError where the file cannot be read, or does not add up.
    """
    import pyarrow as pa

    text = TextFile(path)
    chunks = iter(text)
    dialect, start = find_dialect(text, chunks, wanted.known)
    chosen = set(wanted.choose(dialect.headers))
    kept = [header for header in dialect.headers if header in chosen]
    cutter = Cutter(dialect, text)
    reader = BlockReader(path, dialect.headers, kept, dialect.byte, cutter)
    whole = wanted.first is None
    ahead: Iterator[bytes] = chain([start], chunks)
    escape = "\\" if is_escaped(start, dialect, text.inner) else None
    if escape:
        ahead = with_doubled_quotes(ahead, dialect, text.inner)
    blocks = cutter.blocks(_one_ahead(ahead) if whole else ahead)
    # Who wants the beginning only does not read on while it is looked at.
    read = _side_by_side(reader.read, blocks) if whole else map(reader.read, blocks)
    with (
        _Writer(reader.schema, target, rejected, (told_as[0], str(told_as[1]))) as writer,
        ThreadPoolExecutor(1) as hand,
    ):
        written: Future[None] | None = None
        held: Read | None = None
        count = 0
        for block in read:
            if written:
                written.result()
            written = hand.submit(writer.write, held) if held else None
            held = block
            count += block.records
            if wanted.first is not None and count >= wanted.first and text.share < 1:
                break
        if written:
            written.result()
        if held:
            writer.write(held)
    pa.default_memory_pool().release_unused()
    return CsvFacts(
        text.encoding, text.marked, text.line_end, dialect.separator, dialect.row, len(dialect.headers), writer.count, writer.rejects, rejected,
        tuple(kept), text.compressed, text.share, escape,
    )  # fmt: skip


def _one_ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks; the next one is made ready meanwhile. A small file has one, and threads would take longer than it does."""
    first = list(islice(chunks, 2))
    yield from first
    if len(first) < 2:
        return
    with ThreadPoolExecutor(1) as pool:
        ready = pool.submit(next, chunks, None)
        while (chunk := ready.result()) is not None:
            ready = pool.submit(next, chunks, None)
            yield chunk


def _side_by_side(read: Callable[[Block], Read], blocks: Iterator[Block]) -> Iterator[Read]:
    """Read blocks on all processors, a few ahead of the one that is asked for; in order, and the only one at once."""
    first = list(islice(blocks, 2))
    if len(first) < 2:
        yield from map(read, first)
        return
    workers = min(os.cpu_count() or 1, 8)
    ahead: deque[Future[Read]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for block in chain(first, blocks):
            ahead.append(pool.submit(read, block))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


class _Writer:
    """Writes records and rejects as they come, so that no more than a block of either is held."""

    def __init__(self, schema: pa.Schema, target: Path, rejected: Path, origin: tuple[str, str]) -> None:
        self._schema, self._target, self._rejected, self._origin = schema, target, rejected, origin
        self.count = 0
        self.rejects = 0

    def __enter__(self) -> _Writer:
        self._table: pq.ParquetWriter | None = None
        self._others: pq.ParquetWriter | None = None
        self._held: list[pa.Table] = []
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._write_held()
        for writer in (self._table, self._others):
            if writer:
                writer.close()

    def write(self, block: Read) -> None:
        """Write a block, its records numbered on from the last one."""
        import pyarrow as pa
        import pyarrow.compute as pc

        table, rejects, before = block.table, block.rejects, self.count
        self.count += block.records
        if table.num_rows:
            self._held.append(table.set_column(table.num_columns - 1, RECORD, pc.add(table[RECORD], before)))
            if sum(each.num_rows for each in self._held) >= ROW_GROUP:
                self._write_held()
        if rejects.num_rows:
            role, file = (pa.repeat(pa.scalar(each, pa.string()), rejects.num_rows) for each in self._origin)
            told = rejects.set_column(0, "record", pc.add(rejects["record"], before))
            self._others = self._others or self._open_rejected()
            self._others.write_table(told.add_column(0, "role", role).add_column(1, "file", file))
            self.rejects += rejects.num_rows

    def _write_held(self) -> None:
        """Write what is held as one row group; of a file without records the headers."""
        import pyarrow as pa

        table = pa.concat_tables([self._schema.empty_table(), *self._held])
        self._table = self._table or self._open(table)
        self._table.write_table(table)
        self._held = []

    def _open(self, table: pa.Table) -> pq.ParquetWriter:
        """The file of records. Columns whose values repeat in the first block are written as numbers of a list of values."""
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        few = table.num_rows * FEW_VALUES
        # Of few records the list would save nothing, and to count costs as much as to write.
        names = [name for name in table.column_names if name != RECORD] if table.num_rows >= FEW_RECORDS else []
        repeating = [name for name in names if pc.count_distinct(table[name]).as_py() < few]
        return pq.ParquetWriter(
            self._target, self._schema, compression="lz4", use_dictionary=repeating, write_statistics=False
        )

    def _open_rejected(self) -> pq.ParquetWriter:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema([("role", pa.string()), ("file", pa.string()), *reject_schema()])
        return pq.ParquetWriter(
            self._rejected, schema, compression="lz4", use_dictionary=["role", "file", "column_name", "why"]
        )
