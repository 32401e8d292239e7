"""Excel workbooks: each worksheet with known headers becomes Parquet of text columns, row numbers as a person sees them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest import values
from checker.ingest.continued_sheet import may_go_on
from checker.ingest.csv_convert import Wanted
from checker.ingest.csv_dialect import HEADER_ROWS, distinct_headers, likely_header
from checker.ingest.markup import read_markup
from checker.ingest.merged_cells import ROW, Merges
from checker.ingest.old_workbook import read_old
from checker.ingest.passed import PassedOver
from checker.ingest.sources import InputFile
from checker.ingest.xlsx_parts import PART, Area, Package, Part
from checker.model.errors import InputError
from checker.model.schema import Column, Kind, normal_header

if TYPE_CHECKING:
    import fastexcel
    import polars as pl
    import pyarrow.parquet as pq

OLE, ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_SERIAL = r"^[1-9][0-9]{4}(\.[0-9]+)?$"
"""A day as spreadsheets count it, with the time as a fraction: 1927 to 2173."""
_DAY_ZERO, _DAY_ZERO_1904 = (1899, 12, 30), (1904, 1, 1)
_UNFILLED = (Kind.NUMBER,)
"""Of these kinds a value merged over rows is one value for all of them: repeated it would count several times."""
_READERS: dict[Kind, Callable[[str], object]] = {
    Kind.TIME: values.read_time, Kind.DATE: values.read_time, Kind.NUMBER: values.read_number, Kind.SEX: values.read_sex,
}  # fmt: skip
FITTING = 0.8
"""So great a share of a column's values must be of its kind for a sheet without a header to go on under the header of another."""

Day = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SheetRead:
    """A worksheet that was written to `target`; `path` is the workbook's and its name. Its header ends in row `header_row` (0: it has none, and
    goes on where the sheet before it ends), and `share` of it was read, from 0 to 1.
    """

    path: Path
    target: Path
    header_row: int
    share: float


def read_workbook(
    file: InputFile,
    target: Callable[[], Path],
    wanted: Wanted,
    columns: Mapping[str, Column],
    left_out: Collection[str] = (),
) -> Iterator[SheetRead | PassedOver]:
    """Write every worksheet of a workbook that has a known header to a file of its own, which `target` names, or pass it over.

    Of the sheets named in `left_out` it is only told that they are. Raises InputError where the workbook cannot be read.
    """
    before: _Sheet | None = None
    for name, visible, merges, day_zero, frames, size in _sheets(file, target().with_suffix("")):
        path = file.path / (name.replace("/", "_") or "-")
        if not visible or path.name in left_out:
            yield PassedOver(path, "left_out" if visible else "hidden_sheet")
            continue
        sheet = _Sheet(path, target(), wanted, columns, merges, day_zero, before)
        reason = sheet.write(frames)
        before = before if reason else sheet
        if reason:
            yield PassedOver(path, reason, header_row=sheet.header_row, headers=sheet.likely)
        else:
            yield SheetRead(
                path, sheet.target, sheet.header_row, 1.0 if sheet.is_whole else min(sheet.parts * PART / size, 0.99)
            )


def _sheets(
    file: InputFile, scratch: Path
) -> Iterator[tuple[str, bool, Sequence[Area], Day, Iterator[pl.DataFrame], int]]:
    """Of each sheet: name, whether people see it, merged ranges, the day that days are counted from, its rows, and bytes."""
    with file.place.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(OLE):
        _refuse_password(file)
    elif not start.startswith(b"PK"):
        for name, visible, areas, frame in read_markup(file.path, file.place):
            yield name, visible, areas, _DAY_ZERO, iter((frame,)), 1
        return
    package = None if start.startswith(OLE) else Package(file.path, file.place)
    if package is None or package.is_other:
        if package:
            package.close()
        try:
            for name, visible, frame in read_old(file.place, scratch):
                yield name, visible, (), _DAY_ZERO, iter((frame.with_row_index(ROW, 1),)), 1
        except ValueError as error:
            raise _damaged(file.path) from error
        return
    try:
        day_zero = _DAY_ZERO_1904 if package.counts_from_1904 else _DAY_ZERO
        for worksheet in package.worksheets():
            merges = package.merges(worksheet) if worksheet.visible else ()
            frames = _frames_of_parts(file.path, package.parts(worksheet))
            yield worksheet.name, worksheet.visible, merges, day_zero, frames, worksheet.size
    finally:
        package.close()


def _frames_of_parts(path: Path, parts: Iterator[Part]) -> Iterator[pl.DataFrame]:
    import fastexcel

    for part in parts:
        try:
            book = fastexcel.read_excel(part.workbook)
            # A part that does not begin with the first row has an anchor in the row above.
            anchored = part.first > 1
            sheet = book.load_sheet(0, header_row=None, skip_rows=None if anchored else 0, dtypes="string")
            frame = _numbered(sheet, part.first - 1 if anchored else 1)
        except fastexcel.FastExcelError as error:
            raise _damaged(path) from error
        yield frame.slice(1) if anchored else frame


def _numbered(sheet: fastexcel.ExcelSheet, first: int) -> pl.DataFrame:
    frame = sheet.to_polars()
    frame.columns = [str(column.absolute_index) for column in sheet.selected_columns]
    return frame.with_row_index(ROW, first)


class _Sheet:
    """One worksheet on its way to its file."""

    def __init__(
        self,
        path: Path,
        target: Path,
        wanted: Wanted,
        columns: Mapping[str, Column],
        merges: Sequence[Area],
        day_zero: Day,
        before: _Sheet | None,
    ) -> None:
        self._before = before
        self._day_zero = day_zero
        self._path = path
        self.target = target
        self._wanted = wanted
        self._merges = Merges(path, merges)
        self._kinds = {normal_header(name): column.kind for column in columns.values() for name in column.all_headers}
        self._headers: dict[str, str] = {}
        self._places: list[str] = []
        self.header_row = 0
        self.likely: tuple[str, ...] = ()
        self.parts = 0
        self.is_whole = True
        self._writer: pq.ParquetWriter | None = None
        self._rows = 0
        self._last_row = 0

    def write(self, frames: Iterator[pl.DataFrame]) -> str | None:
        """Write the rows behind the header; return why the sheet is passed over where it has no header or no row."""
        import polars as pl

        any_cell = False
        try:
            for frame in frames:
                if self._wanted.first is not None and self._rows >= self._wanted.first:
                    self.is_whole = False
                    break
                self.parts += 1
                any_cell = any_cell or (frame.width > 1 and frame.height > 0)
                behind = 0
                if not self._headers:
                    behind = self._find_header(self._merges.filled(frame, ()))
                    if not self._headers:
                        return "no_known_header" if any_cell else "empty"
                if frame.height:
                    self._last_row = int(frame[ROW][-1])
                filled = self._merges.filled(frame, self._columns_of_numbers())
                self._append(filled.filter(pl.col(ROW) > behind))
        finally:
            if self._writer:
                self._writer.close()
        if not any_cell:
            return "empty"
        return None if self._rows else "header_only"

    def _columns_of_numbers(self) -> Collection[str]:
        return {place for place, header in self._headers.items() if self._kinds.get(normal_header(header)) in _UNFILLED}

    def _find_header(self, frame: pl.DataFrame) -> int:
        """Find the row with the most known headers among the first; return the number of the last row of the header."""
        places = [name for name in frame.columns if name != ROW]
        best, at = 0, -1
        rows = frame.head(HEADER_ROWS).select(places).rows()
        for number, cells in enumerate(rows):
            known = len({normal_header(cell) for cell in cells if cell} & set(self._wanted.known))
            if known > best:
                best, at = known, number
        if at < 0 and self._before and self._goes_on_from(self._before, frame):
            self._headers, self._places = self._before._headers, self._before._places
            return 0
        if at < 0:
            at = self._guess(frame[ROW].to_list(), rows)
            # Who only looks at a sheet is shown what stands under such a header.
            if at < 0 or self._wanted.first is None:
                return 0
        told = [(cell or "").strip() for cell in rows[at]]
        filled = max(place for place, cell in enumerate(told) if cell) + 1
        headers = distinct_headers(self._path, told[:filled], self._wanted.known)
        self._places = places[:filled]
        chosen = set(self._wanted.choose(headers))
        self._headers = {place: header for place, header in zip(places, headers, strict=False) if header in chosen}
        # What is merged over several rows of the header stands in each of them.
        while at + 1 < len(rows) and [(cell or "").strip() for cell in rows[at + 1]] == told:
            at += 1
        self.header_row = int(frame[ROW][at])
        return self.header_row

    def _goes_on_from(self, before: _Sheet, frame: pl.DataFrame) -> bool:
        # Of one that was read in part nobody knows whether it is full.
        may = not before.is_whole or may_go_on(
            self._path.name, before._path.name, last_row=before._last_row, lines=before._rows
        )
        return may and before._has_room_for(frame)

    def _has_room_for(self, frame: pl.DataFrame) -> bool:
        """Whether rows without a header stand under the headers of this sheet, and days, numbers and sexes where it has them; without
        any day nothing tells.
        """
        texts = {name: frame[name].head(HEADER_ROWS).str.strip_chars() for name in frame.columns if name != ROW}
        given = {name: [text for text in column.to_list() if text] for name, column in texts.items()}
        fits = {
            place: _share_read(given.get(place, []), kind) >= FITTING
            for place, header in self._headers.items()
            if (kind := self._kinds.get(normal_header(header))) in _READERS
        }
        days = [place for place in fits if self._kinds[normal_header(self._headers[place])] in (Kind.DATE, Kind.TIME)]
        below = all(
            int(self._places[0]) <= int(name) <= int(self._places[-1]) for name, cells in given.items() if cells
        )
        return below and all(fits.values()) and any(given.get(place) for place in days)

    def _guess(self, numbers: Sequence[int], rows: Sequence[Sequence[str | None]]) -> int:
        """Note the row that looks like a header, where none is known; return its place, -1 where there is none."""
        at = likely_header(rows)
        cells = () if at is None else tuple(cell.strip() for cell in rows[at] if cell and cell.strip())
        if at is None or len(cells) < 2:
            return -1
        self.header_row, self.likely = numbers[at], cells
        return at

    def _append(self, frame: pl.DataFrame) -> None:
        import polars as pl
        import pyarrow.parquet as pq

        texts = [name for name in frame.columns if name != ROW]
        if texts:
            frame = frame.filter(pl.any_horizontal(pl.col(texts).str.strip_chars().fill_null("") != ""))
        present = set(texts)
        out = frame.select(
            *(
                (self._read(place, header) if place in present else pl.lit(None, pl.String)).alias(header)
                for place, header in self._headers.items()
            ),
            pl.col(ROW).cast(pl.Int64).alias("__record"),
        ).to_arrow()
        self._writer = self._writer or pq.ParquetWriter(self.target, out.schema, compression="lz4")
        if out.num_rows:
            self._writer.write_table(out, row_group_size=122_880)
        self._rows += out.num_rows

    def _read(self, place: str, header: str) -> pl.Expr:
        """A cell's text; a day that the sheet shows as a number becomes a date."""
        import polars as pl

        if self._kinds.get(normal_header(header)) not in (Kind.DATE, Kind.TIME):
            return pl.col(place)
        serial = pl.when(pl.col(place).str.contains(_SERIAL)).then(pl.col(place)).cast(pl.Float64)
        seconds = (serial * 86_400).round(0).cast(pl.Int64)
        day = pl.datetime(*self._day_zero) + pl.duration(seconds=seconds)
        return pl.coalesce(day.dt.strftime("%Y-%m-%d %H:%M:%S"), pl.col(place))


def _share_read(texts: Sequence[str], kind: Kind) -> float:
    """How much of some values can be read as a kind, from 0 to 1; of none all."""
    read = 0
    for text in texts:
        with contextlib.suppress(ValueError):
            _READERS[kind](text)
            read += 1
    return read / len(texts) if texts else 1.0


def _refuse_password(file: InputFile) -> None:
    with file.place.open("rb") as stream:
        if _ENCRYPTED in stream.read(1 << 20):
            raise InputError(f"{file.path}：工作簿有打开密码，请去掉密码后另存（has a password: save it without one）")


def _damaged(path: Path) -> InputError:
    return InputError(
        f"{path}：工作簿不完整或已损坏，请用 Excel/WPS 打开后另存为 .xlsx（damaged or cut workbook: save it anew）"
    )
