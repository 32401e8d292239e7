"""A crosswalk as hospitals and bureaus keep it, in workbooks and CSV files: every row accounted for, every fault named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from checker.ingest.values import clean, has_lost_digits, read_code
from checker.knowledge.cell_reader import Faults
from checker.knowledge.codes import CODE_SHAPES, is_code
from checker.knowledge.crosswalk import (
    A_LOCAL_CODE,
    DIGITS_LOST,
    ENDS_FIRST,
    KEY,
    SCHEMA,
    is_local_code,
    overlapping,
    sorted_crosswalk,
)
from checker.knowledge.sheets.crosswalk_header import find_table
from checker.knowledge.sheets.days import read_day
from checker.knowledge.sheets.table import SheetTable
from checker.knowledge.sheets.workbook import ROW, open_workbook
from checker.model.errors import both
from checker.model.shown import shown

_A_DAY = both(
    "日期读不出，请写 2026-03-01 这样的日期，或留空", "no date: write one such as 2026-03-01, or leave it empty"
)
_FORMULA = both("像是公式，请改为文字", "as a formula begins: write text")
_NO_LOCAL = both("没有地方编码，请填写，或删去这一行", "no local code: write one, or delete the row")
_ZEROS = both(
    "像是丢了前面的零，原码或为 {}，请按原表改正", "its leading zeros seem lost, it may be {}: mend it from the source"
)
_SERVICE_DIGITS, _SHORTEST_SERVICE = 15, 9
_PLACED = {"file": pl.String, "sheet": pl.String, ROW: pl.UInt32}


@dataclass(frozen=True, slots=True)
class CrosswalkFile:
    """What one file held: its name as given, sha256, rows that were taken, and what was left out or written otherwise, in both languages."""

    path: str
    sha256: str
    rows: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """The rows of some files as one table (checker.knowledge.crosswalk.SCHEMA), and what each file held."""

    frame: pl.DataFrame
    files: tuple[CrosswalkFile, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the files."""
        return tuple(note for file in self.files for note in file.notes)


def read_crosswalk(paths: Sequence[Path]) -> Crosswalk:
    """Return what the files say together, or raise KnowledgeError that carries the faults of all of them.

    A row without a national code maps nothing: it is left out and counted. The same row twice is one. A row without ground has its file as
    that. Refused: codes that lost digits or zeros, national codes of no national shape, dates that cannot be read or contradict each other, the
    same pair of codes on days that overlap.
    """
    faults = Faults()
    found: list[pl.DataFrame] = []
    files: list[CrosswalkFile] = []
    for path in paths:
        opened = open_workbook(path, faults, any_form=True)
        if opened is None:
            continue
        tables = [find_table(opened.file, sheet, faults) for sheet in opened.sheets]
        read = [_Rows(table, faults).read() for table in tables if table is not None]
        rows = [frame for frame, _ in read]
        found += rows
        notes = [note for _, told in read for note in told]
        files.append(CrosswalkFile(str(path), opened.sha256, sum(frame.height for frame in rows), tuple(notes)))
    faults.stop()
    together = pl.concat([pl.DataFrame(schema={**SCHEMA, **_PLACED}), *found])
    once = together.unique(KEY, keep="first", maintain_order=True)
    _refuse_overlaps(once, faults)
    faults.stop()
    if copies := together.height - once.height:
        told = both(f"有 {copies} 行与前面的重复，只算一次", f"{copies} rows repeat earlier ones and count once")
        files[-1] = CrosswalkFile(files[-1].path, files[-1].sha256, files[-1].rows, (*files[-1].notes, told))
    return Crosswalk(sorted_crosswalk(once), tuple(files))


def _refuse_overlaps(rows: pl.DataFrame, faults: Faults) -> None:
    placed = rows.with_row_index("at").with_columns(row=pl.col("at"))
    where = rows.select(*_PLACED).rows()
    for each in overlapping(placed).iter_rows(named=True):
        (file, sheet, row), (other, other_sheet, earlier) = where[each["at"]], where[each["earlier"]]
        pair = f"{each['local_code']} → {each['national_code']}"
        first = (
            f"{other}：{_sheet(other_sheet)}第 {earlier} 行"
            if other != file
            else f"{_sheet(other_sheet)}第 {earlier} 行"
        )
        told = both(
            f"{pair} 与{first}日期重叠，请使一行在另一行结束时开始",
            "the same pair on days that overlap: let one begin where the other ends",
        )
        faults.add(file, f"{_sheet(sheet)}第 {row} 行", told)


def _sheet(name: str) -> str:
    return f"“{name}”" if name else ""


class _Rows:
    """Reads the rows of one sheet, column by column."""

    def __init__(self, table: SheetTable, faults: Faults) -> None:
        self._table = table
        self._faults = faults
        self._kept = self._mapped(table)

    def read(self) -> tuple[pl.DataFrame, list[str]]:
        """The rows that map something, with their places, and what there is to say of the others."""
        table, notes = self._table, []
        if left_out := table.rows.height - self._kept.height:
            notes.append(self._said(
                f"{left_out} 行没有国家编码，没有读取", f"{left_out} rows have no national code and were left out"))  # fmt: skip
        for column in table.columns:
            if not column.name and table.has(column.letters):
                header = shown(column.header)
                notes.append(self._said(f"“{header}”列没有读取", f"the column {header!r} was not read"))
        days = {name: self._column(name, _day) for name in ("valid_from", "valid_to")}
        values = {
            "local_code": self._column("local_code", _local, empty=_NO_LOCAL),
            "local_name": self._column("local_name", _free),
            "national_code": self._column("national_code", _national),
            **days,
            "basis": self._column("basis", _free),
        }
        frame = pl.DataFrame(values, schema=SCHEMA).with_columns(
            file=pl.lit(table.file), sheet=pl.lit(table.sheet), row=self._kept[ROW].cast(pl.UInt32)
        )
        mapping = frame.filter(pl.col("local_code").ne_missing(pl.col("national_code")))
        if same := frame.height - mapping.height:
            notes.append(
                self._said(
                    f"{same} 行两个编码相同，无需对照，没有读取", f"{same} rows have one code twice and map nothing"
                )
            )
            frame = mapping
        reversed_days = frame.filter(pl.col("valid_to") <= pl.col("valid_from"))
        table.fault_each(self._faults, reversed_days.cast({"valid_to": pl.String}), "valid_to", ENDS_FIRST)
        if ungrounded := frame["basis"].null_count():
            notes.append(self._said(
                f"{ungrounded} 行没有写依据，以文件名为依据", f"{ungrounded} rows name no ground; the file stands for it"))  # fmt: skip
        place = f"{table.file}{_sheet(table.sheet)}"
        return frame.with_columns(pl.col("basis").fill_null(place)).select(*SCHEMA, *_PLACED), notes

    def _said(self, chinese: str, english: str) -> str:
        return both(f"{self._table.file}：{self._table.place_of_sheet()}{chinese}", english)

    @staticmethod
    def _mapped(table: SheetTable) -> pl.DataFrame:
        given = [clean(value) is not None for value in table.rows["national_code"]]
        return table.rows.filter(pl.Series(given, dtype=pl.Boolean))

    def _column(self, name: str, read: Callable[[str], object], *, empty: str = "") -> list[object]:
        """The values of a column; a cell that cannot be read is NULL, and a fault. `empty` is said of an empty cell that may not be."""
        if name not in self._kept.columns:
            return [None] * self._kept.height
        wrong: list[tuple[int, str | None, str]] = []
        values: list[object] = []
        known: dict[str | None, object] = {None: None}
        for row, cell in zip(self._kept[ROW], self._kept[name], strict=True):
            if cell not in known:
                try:
                    text = clean(cell)
                    known[cell] = None if text is None else read(text)
                except ValueError as error:
                    wrong.append((row, cell, str(error)))
                    values.append(None)
                    continue
            if empty and known[cell] is None:
                wrong.append((row, cell, empty))
            values.append(known[cell])
        self._table.fault_cells(self._faults, name, wrong)
        return values


def _local(text: str) -> str:
    code = read_code(text)
    if has_lost_digits(code):
        raise ValueError(DIGITS_LOST)
    if not is_local_code(code):
        raise ValueError(A_LOCAL_CODE)
    return code


def _national(text: str) -> str:
    code = read_code(text)
    if is_code(code):
        return code
    if has_lost_digits(code):
        raise ValueError(DIGITS_LOST)
    if code.isascii() and code.isdigit() and _SHORTEST_SERVICE <= len(code) < _SERVICE_DIGITS:
        raise ValueError(_ZEROS.format(*[code.zfill(_SERVICE_DIGITS)] * 2))
    raise ValueError(CODE_SHAPES)


def _day(text: str) -> date | None:
    return read_day(text, _A_DAY)


def _free(text: str) -> str:
    if text.startswith(("=", "@")):
        raise ValueError(_FORMULA)
    return text
