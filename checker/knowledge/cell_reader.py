"""Reading reviewed text cell by cell, so that every fault names file, row, column, value and remedy."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from checker.model.errors import Fault, KnowledgeError, both, found_instead
from checker.model.files import KNOWLEDGE_TEXT, MissingFileError, UnfitFileError, read_once

_CONFLICT = "<<<<<<< "
"""How a line begins where git could not merge."""
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WHOLE = re.compile(r"\d{1,9}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REGION = re.compile(r"[0-9]{2,6}")
_T = TypeVar("_T")

FAULTS_TOLD = 100
"""How many faults an error tells; the rest is counted."""

NEEDED = both("这一列不能为空，请填写", "write a value, the column may not be empty")
A_WHOLE_NUMBER = "请写不小于 0 的整数", "write a whole number, 0 or more"
A_DAY = "请写日期，如 2025-05-23", "write a date such as 2025-05-23"
ID_SIGNS = both("请只用字母、数字和 . _ -", "write letters, digits, '.', '_' and '-' only")
PLACE_DIGITS = both("请写行政区划代码的前 2 至 6 位数字", "write the first 2 to 6 digits of a place code (admdvs)")
AFTER_BEGINNING = both(
    "请写 valid_from（{}）之后的日期，或留空", "write a date after valid_from ({}), or leave it empty"
)


def one_of(allowed: Sequence[str], *, optional: bool = False) -> str:
    """What to write where a cell holds one of some words."""
    listed = ", ".join(allowed)
    return or_empty((f"请写其中之一：{listed}", f"write one of {listed}"), optional=optional)


def or_empty(remedy: tuple[str, str], *, optional: bool) -> str:
    """What to write in both languages, nothing where the cell may be empty."""
    chinese, english = remedy
    return both(f"{chinese}，或留空", f"{english}, or leave it empty") if optional else both(chinese, english)


def together(one: str, other: str) -> str:
    """What to write in two cells of which only one is filled."""
    return both(f"{one} 和 {other} 要一起填，或都不填", f"fill {one} and {other} together, or neither")


@dataclass(slots=True)
class Faults:
    """The faults found so far; reading goes on after each, and `stop` ends it with all of them."""

    found: list[Fault] = field(default_factory=list)

    def add(self, file: str, key: str, message: str, check: str = "value") -> None:
        """Note one fault at its place, under the name that `kb check` gives to its kind."""
        self.found.append(Fault(file, key, message, check))

    def stop(self, most: int = FAULTS_TOLD) -> None:
        """Raise KnowledgeError with one sentence a fault, `most` of them, when there is any."""
        if self.found:
            told = [str(fault) for fault in self.found[:most]]
            if len(self.found) > most:
                more = len(self.found) - most
                told.append(both(f"……另有 {more} 处，请先改正以上各处", f"… and {more} more faults; mend these first"))
            raise KnowledgeError("\n".join(told))


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one record; each method returns the value, or notes a fault and returns what stands for none."""

    file: str
    place: str
    values: dict[str, str]
    faults: Faults

    def fault(self, column: str, remedy: str) -> None:
        """Note that the value of the column is wrong, and what to write instead, in both languages."""
        self.faults.add(self.file, f"{self.place}, column {column}", found_instead(self.values[column], remedy))

    def text(self, column: str) -> str:
        """The text, which must be there."""
        value = self.values[column]
        if not value:
            self.fault(column, NEEDED)
        return value

    def optional(self, column: str) -> str | None:
        """The text, or NULL for an empty cell."""
        return self.values[column] or None

    def choice(self, column: str, allowed: Sequence[str]) -> str:
        """One of the allowed words, which must be there."""
        value = self.values[column]
        if value not in allowed:
            self.fault(column, one_of(allowed))
        return value

    def optional_choice(self, column: str, allowed: Sequence[str]) -> str | None:
        """One of the allowed words, or NULL for an empty cell."""
        value = self.optional(column)
        if value is not None and value not in allowed:
            self.fault(column, one_of(allowed, optional=True))
        return value

    def whole(self, column: str) -> int:
        """A whole number from 0, which must be there."""
        value = self._whole(column, or_empty(A_WHOLE_NUMBER, optional=False))
        return 0 if value is None else value

    def day(self, column: str) -> date:
        """A date, which must be there; `date.min` after a fault."""
        value = self._day(column, or_empty(A_DAY, optional=False))
        return date.min if value is None else value

    def optional_day(self, column: str) -> date | None:
        """A date, or NULL for an empty cell."""
        return self._day(column, or_empty(A_DAY, optional=True)) if self.values[column] else None

    def _whole(self, column: str, remedy: str) -> int | None:
        value = self.values[column]
        if _WHOLE.fullmatch(value) and value.isascii():
            return int(value)
        self.fault(column, remedy)
        return None

    def _day(self, column: str, remedy: str) -> date | None:
        value = self.values[column]
        if _ISO_DATE.fullmatch(value) and value.isascii():
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        self.fault(column, remedy)
        return None


def read_text(path: Path) -> str:
    """Return the UTF-8 text of the file, without a byte order mark.

    Raises KnowledgeError for a file that is missing, unreadable or of another encoding.
    """
    try:
        text = read_once(path, KNOWLEDGE_TEXT).decode("utf-8-sig")
        if text.startswith(_CONFLICT) or f"\n{_CONFLICT}" in text:
            row = text.count("\n", 0, f"\n{text}".find(f"\n{_CONFLICT}")) + 1
            told = both(
                "合并冲突还没有解决，请留下要的一边，删去 <<<<<<<、=======、>>>>>>> 各行",
                "a merge conflict: keep the side that is meant and delete the lines <<<<<<<, ======= and >>>>>>>",
            )
            raise KnowledgeError(f"{path}: row {row}: {told}")
        return text
    except MissingFileError:
        raise KnowledgeError(f"{path}: {both('缺少这个文件，请补上', 'the file is missing; put it there')}") from None
    except UnfitFileError as error:
        raise KnowledgeError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        told = both(
            f"第 {error.start} 个字节不是 UTF-8 编码，请把文件另存为 UTF-8",
            f"byte {error.start} is not UTF-8; save the file as UTF-8",
        )
        raise KnowledgeError(f"{path}: {told}") from error


def read_records(
    path: Path, columns: Sequence[str], faults: Faults, *, optional: Sequence[str] = (), others: bool = False
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the header of a CSV file, and its records as they stand, each with its line (of several, the last).

    The header is row 1. A column that is unknown (unless `others` are welcome), missing or repeated is a fault, and leaves no
    records; so is a record of another width, which is passed over, as empty lines are. Raises KnowledgeError for a file that cannot be
    read as text or as CSV, also while the records are taken.
    """
    # Lines end as CSV says, not at every character that Unicode calls a line end.
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)

    def broken(error: csv.Error) -> KnowledgeError:
        told = both(f"不是 CSV（{error}），请改正引号", f"it is not CSV ({error}); mend its quotes")
        return KnowledgeError(f"{path}: row {reader.line_num}: {told}")

    known = (*columns, *optional)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise broken(error) from error
    wrong = [
        both(f"缺少 {name} 列，请补上", f"the column {name} is missing; add it")
        for name in columns
        if name not in header
    ]
    if not others:
        wrong += [
            both(f"不认识“{name}”列，请删去", f"the column {name!r} is unknown; remove it")
            for name in header
            if name not in known
        ]
    wrong += [
        both(f"{name} 列出现两次，请删去一个", f"the column {name} stands twice; remove one")
        for name in known
        if header.count(name) > 1
    ]
    for message in wrong:
        faults.add(path.name, "row 1", message, "columns")

    def records() -> Iterator[tuple[int, list[str]]]:
        try:
            for record in reader:
                if len(record) == len(header):
                    yield reader.line_num, record
                elif any(value.strip() for value in record):
                    told = both(
                        f"有 {len(record)} 个单元格，请写 {len(header)} 个，每列一个",
                        f"found {len(record)} cells; write {len(header)}, one for each column",
                    )
                    faults.add(path.name, f"row {reader.line_num}", told, "columns")
        except csv.Error as error:
            raise broken(error) from error

    return header, iter(()) if wrong else records()


def read_csv(path: Path, columns: Sequence[str], faults: Faults, *, others: bool = False) -> Iterator[Cells]:
    """Yield the records of a CSV file as cells, trimmed; empty records are passed over. Faults and errors as `read_records`."""
    header, records = read_records(path, columns, faults, others=others)
    for line, record in records:
        values = {name: value.strip() for name, value in zip(header, record, strict=True)}
        if any(values.values()):
            yield Cells(path.name, f"row {line}", values, faults)


def collect(cells: Iterator[Cells], read: Callable[[Cells], _T]) -> list[tuple[Cells, _T]]:
    """Return every record with what it reads as, faulty ones included (their faults are noted)."""
    return [(record, read(record)) for record in cells]


def check_id(cells: Cells, column: str, value: str) -> None:
    """Note a fault where the id of a point or exemption has other characters than ids have."""
    if value and not _ID.fullmatch(value):
        cells.fault(column, ID_SIGNS)


def check_place_and_time(
    cells: Cells, region: str | None, region_of: str | None, valid_from: date, valid_to: date | None
) -> None:
    """Note what is wrong with a region or with the days between which something is in force."""
    if region is not None and not _REGION.fullmatch(region):
        cells.fault("region", PLACE_DIGITS)
    if (region is None) != (region_of is None):
        cells.fault("region_of", together("region", "region_of"))
    if valid_to is not None and valid_to <= valid_from:
        cells.fault("valid_to", AFTER_BEGINNING.format(valid_from, valid_from))
