"""The records of a block become columns of text; what has too few or too many columns, or broken text, is set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.ingest.csv_dialect import RECORD
from checker.ingest.csv_records import Block, Cutter
from checker.ingest.csv_repair import Reject, shown
from checker.ingest.csv_text import is_foreign, spoil_utf8
from checker.model.errors import InputError
from checker.model.words import ENCODING_NAMES, RECORD_FAULTS

if TYPE_CHECKING:
    import pyarrow as pa

Odd = tuple[int, int, str]
"""A record of the wrong number of columns: its place in the block, how many it has, its text."""
NO_TEXT = "\ufffd"
"""What stands for bytes that are no text."""


class Read(NamedTuple):
    """The records of a block that are read, and those that are not, counted from 1; and how many there are."""

    table: pa.Table
    rejects: Sequence[Reject]
    records: int


class BlockReader:
    """Reads the chosen columns of blocks of a file; several at once, in threads."""

    def __init__(
        self, path: Path, headers: Sequence[str], chosen: Sequence[str], separator: bytes, cutter: Cutter
    ) -> None:
        import pyarrow as pa

        self._path = path
        self._cutter = cutter
        self._names = [f"c{number}" for number in range(len(headers))]
        self._chosen = [name for name, header in zip(self._names, headers, strict=True) if header in set(chosen)]
        self._separator = separator.decode()
        self.schema = pa.schema([*((header, pa.string()) for header in chosen), (RECORD, pa.int64())])

    def read(self, block: Block) -> Read:
        """The columns of a block and its rejects."""
        import pyarrow as pa

        records, encoding = self._cutter.records(block)
        numbers = records.numbers
        if not len(numbers):
            return Read(self.schema.empty_table(), records.rejects, records.count)
        columns, odd = self._split(records.text, encoding)
        if columns.num_rows + len(odd) != len(numbers) or len(numbers) + len(records.rejects) != records.count:
            raise InputError(
                f"{self._path}：从第 {block.line} 行起有几行读出的记录数对不上，请检查引号和换行后重新导出"
                f"（the lines from {block.line} on do not add up to records: check quotes and line ends, and export it again）"
            )
        table = columns.append_column(RECORD, _without(numbers, [place for place, _, _ in odd]))
        table = table.rename_columns(self.schema.names).combine_chunks()
        rejects = [*records.rejects, *self._rejected(numbers, odd)]
        if encoding == "utf-8":
            return Read(table, rejects, records.count)
        decoded = pa.Table.from_arrays([_decoded(each) for each in table.columns], table.column_names)
        table, broken = _of_text_only(decoded)
        return Read(table, [*rejects, *broken], records.count)

    def _split(self, text: bytes, encoding: str) -> tuple[pa.Table, list[Odd]]:
        """The chosen columns of the records that have as many as the header, as they lie or in UTF-8; and the other records."""
        import pyarrow as pa

        odd: list[Odd] = []

        def set_aside(row: Any) -> str:
            odd.append((row.number - 1, row.actual_columns, row.text))
            return "skip"

        if encoding == "utf-8":
            return self._parse(text, pa.string(), set_aside), odd
        try:
            return self._parse(text, pa.binary(), None), odd
        except pa.ArrowInvalid:
            # What is set aside must be text, to be shown.
            shown_text = spoil_utf8(text).decode("gb18030", "replace")
            return self._parse(shown_text.encode(), pa.string(), set_aside), odd

    def _parse(self, text: bytes, kind: pa.DataType, set_aside: Callable[[Any], str] | None) -> pa.Table:
        import pyarrow as pa
        from pyarrow import csv

        return csv.read_csv(
            pa.BufferReader(text),
            read_options=csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=self._names),
            parse_options=csv.ParseOptions(
                delimiter=self._separator, newlines_in_values=True, invalid_row_handler=set_aside
            ),
            convert_options=csv.ConvertOptions(
                include_columns=self._chosen, column_types=dict.fromkeys(self._names, kind), check_utf8=False
            ),
        )

    def _rejected(self, numbers: pa.Array[Any], odd: Sequence[Odd]) -> list[Reject]:
        import pyarrow as pa

        records = numbers.take(pa.array([place for place, _, _ in odd], pa.int64())).to_pylist()
        most = len(self._names)
        return [
            Reject(record, shown(text[:1000].encode()), RECORD_FAULTS["missing" if count < most else "too many"])
            for record, (_, count, text) in zip(records, odd, strict=True)
        ]


def _without(numbers: pa.Array[Any], places: Sequence[int]) -> pa.Array[Any]:
    import pyarrow as pa

    if not places:
        return numbers
    ends = [*places, len(numbers)]
    starts = [0, *(place + 1 for place in places)]
    return pa.concat_arrays(
        [numbers.slice(0, 0), *(numbers.slice(a, b - a) for a, b in zip(starts, ends, strict=True) if b > a)]
    )


def _decoded(column: pa.ChunkedArray[Any]) -> pa.Array[Any]:
    """A column of GB18030 as text; each distinct value is decoded once, and what is none of it has NO_TEXT in it."""
    import pyarrow as pa

    values = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    if not pa.types.is_binary(values.type):
        return values
    data = values.buffers()[2]
    if data is None or data.to_pybytes().isascii():
        return values.view(pa.string())
    listed = values.dictionary_encode()
    foreign = is_foreign(listed.dictionary).to_pylist()
    texts = [
        NO_TEXT if other else value.decode("gb18030", "replace")
        for value, other in zip(listed.dictionary.to_pylist(), foreign, strict=True)
    ]
    return pa.array(texts, pa.string()).take(listed.indices)


def _of_text_only(table: pa.Table) -> tuple[pa.Table, list[Reject]]:
    """The records of a table without those in which a value is no text, and these."""
    import pyarrow.compute as pc

    names = [name for name in table.column_names if name != RECORD]
    why = RECORD_FAULTS["encoding"].format(encoding=ENCODING_NAMES["gb18030"])
    rejects: list[Reject] = []
    for name in names:
        broken = pc.match_substring(table[name], pattern=NO_TEXT)
        if pc.any(broken, min_count=0).as_py():
            lost = table.filter(broken)
            rejects += [
                Reject(record, value, why, name)
                for record, value in zip(lost[RECORD].to_pylist(), lost[name].to_pylist(), strict=True)
            ]
            table = table.filter(pc.invert(broken))
    return table, rejects
