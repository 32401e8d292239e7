"""The records of a block become columns of text; what has too few or too many columns, or broken text, is set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checker.ingest import csv_lines
from checker.ingest.csv_dialect import RECORD
from checker.ingest.csv_records import Block, Cutter
from checker.ingest.csv_rejects import SHOWN, reject_schema, reject_table, shown
from checker.ingest.csv_text import is_foreign, spoil_utf8
from checker.model.errors import InputError
from checker.model.words import ENCODING_NAMES, RECORD_FAULTS

if TYPE_CHECKING:
    import pyarrow as pa

MANY = 200
"""More records of a block that have the wrong number of columns are not told one by one."""
NO_TEXT = "\ufffd"
"""What stands for bytes that are no text."""


class Read(NamedTuple):
    """The records of a block that are read, and those that are not, counted from 1; and how many there are."""

    table: pa.Table
    rejects: pa.Table
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
        table, rejects = self._split(records.text, encoding, numbers)
        if (
            table.num_rows + rejects.num_rows != len(numbers)
            or len(numbers) + records.rejects.num_rows != records.count
        ):
            raise InputError(
                f"{self._path}：从第 {block.line} 行起有几行读出的记录数对不上，请检查引号和换行后重新导出"
                f"（the lines from {block.line} on do not add up to records: check quotes and line ends, and export it again）"
            )
        lost = [records.rejects, rejects]
        if encoding == "gb18030":
            columns, whole = zip(*(_decoded(column) for column in table.columns), strict=True)
            table, broken = _of_text_only(pa.Table.from_arrays(columns, schema=self.schema), whole)
            lost += broken
        return Read(table, pa.concat_tables(lost), records.count)

    def _split(self, text: bytes, encoding: str, numbers: pa.Array[Any]) -> tuple[pa.Table, pa.Table]:
        """The chosen columns of the records that have as many as the header, as they lie or in UTF-8; and the other records."""
        import pyarrow as pa

        if encoding == "utf-8":
            try:
                return self._one_by_one(text, numbers, MANY)
            except pa.ArrowInvalid:
                return (
                    self._all_at_once(text, encoding, numbers) if b'"' not in text else self._one_by_one(text, numbers)
                )
        try:
            return self._named(self._parse(text, pa.binary(), None), numbers), reject_schema().empty_table()
        except pa.ArrowInvalid:
            if b'"' not in text:
                return self._all_at_once(text, encoding, numbers)
            # What is set aside one by one must be text.
            return self._one_by_one(spoil_utf8(text).decode("gb18030", "replace").encode(), numbers)

    def _one_by_one(self, text: bytes, numbers: pa.Array[Any], most: int | None = None) -> tuple[pa.Table, pa.Table]:
        """Set the records of the wrong number of columns aside as they come; ArrowInvalid where they are more than `most`."""
        import pyarrow as pa

        odd: list[tuple[int, bool, str]] = []

        def set_aside(row: Any) -> str:
            odd.append((row.number - 1, row.actual_columns < row.expected_columns, row.text[:SHOWN]))
            return "error" if most is not None and len(odd) > most else "skip"

        columns = self._parse(text, pa.string(), set_aside)
        places, fewer, values = zip(*odd, strict=True) if odd else ((), (), ())
        rejects = reject_table(
            numbers.take(pa.array(places, pa.int64())),
            pa.array(values, pa.string()),
            _whys(pa.array(fewer, pa.bool_())),
        )
        return self._named(columns, _without(numbers, places)), rejects

    def _all_at_once(self, text: bytes, encoding: str, numbers: pa.Array[Any]) -> tuple[pa.Table, pa.Table]:
        """Tell the records of the wrong number of columns by their separators: of a text without quotes."""
        import pyarrow as pa
        import pyarrow.compute as pc

        lines = csv_lines.split(text)
        separators = pc.count_substring(lines, pattern=self._separator.encode())
        odd = pc.not_equal(separators, len(self._names) - 1)
        fewer = pc.less(separators, len(self._names) - 1)
        rejects = reject_table(numbers.filter(odd), shown(lines.filter(odd), encoding), _whys(fewer.filter(odd)))
        right = csv_lines.join(lines.filter(pc.invert(odd)))
        if not right:
            return self.schema.empty_table(), rejects
        columns = self._parse(right, pa.binary() if encoding == "gb18030" else pa.string(), None)
        return self._named(columns, numbers.filter(pc.invert(odd))), rejects

    def _named(self, columns: pa.Table, numbers: pa.Array[Any]) -> pa.Table:
        """The columns under their headers, with the numbers of their records."""
        return columns.append_column(RECORD, numbers).rename_columns(self.schema.names).combine_chunks()

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


def _whys(fewer: pa.Array[Any]) -> pa.Array[Any]:
    import pyarrow.compute as pc

    return pc.if_else(fewer, RECORD_FAULTS["missing"], RECORD_FAULTS["too many"])


def _without(numbers: pa.Array[Any], places: Sequence[int]) -> pa.Array[Any]:
    import pyarrow as pa

    if not places:
        return numbers
    ends = [*places, len(numbers)]
    starts = [0, *(place + 1 for place in places)]
    return pa.concat_arrays(
        [numbers.slice(0, 0), *(numbers.slice(a, b - a) for a, b in zip(starts, ends, strict=True) if b > a)]
    )


def _decoded(column: pa.ChunkedArray[Any]) -> tuple[pa.Array[Any], bool]:
    """A column of GB18030 as text, and whether it is wholly text; what is none has NO_TEXT in it. Distinct values are decoded once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_string(values.type):
        return values, not pc.any(pc.match_substring(values, pattern=NO_TEXT), min_count=0).as_py()
    if not pa.types.is_binary(values.type):
        return values, True
    data = values.buffers()[2]
    if data is None or data.to_pybytes().isascii():
        return values.view(pa.string()), True
    listed = values.dictionary_encode()
    raw = listed.dictionary.to_pylist()
    texts = _texts(raw)
    for place in pc.indices_nonzero(is_foreign(listed.dictionary)).to_pylist():
        texts[place] = NO_TEXT + raw[place].decode()
    return pa.array(texts, pa.string()).take(listed.indices), not any(NO_TEXT in text for text in texts)


def _texts(values: list[bytes]) -> list[str]:
    """Values of GB18030 as text, decoded as one: NUL parts them, for lines that hold it are records no more."""
    texts = b"\0".join(values).decode("gb18030", "replace").split("\0")
    return texts if len(texts) == len(values) else [value.decode("gb18030", "replace") for value in values]


def _of_text_only(table: pa.Table, whole: Sequence[bool]) -> tuple[pa.Table, list[pa.Table]]:
    """The records of a table without those in which a value is no text, and these; columns that are `whole` have none."""
    import pyarrow.compute as pc

    why = RECORD_FAULTS["encoding"].format(encoding=ENCODING_NAMES["gb18030"])
    rejects = []
    for name in (name for name, is_whole in zip(table.column_names, whole, strict=True) if not is_whole):
        broken = pc.match_substring(table[name], pattern=NO_TEXT)
        lost = table.filter(broken).combine_chunks()
        if lost.num_rows:
            values = pc.utf8_slice_codeunits(lost[name].chunk(0), 0, SHOWN)
            rejects.append(reject_table(lost[RECORD].chunk(0), values, why, name))
            table = table.filter(pc.invert(broken))
    return table, rejects
