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

from checker.model.errors import Fault, KnowledgeError

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WHOLE = re.compile(r"\d{1,9}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REGION = re.compile(r"[0-9]{2,6}")
_T = TypeVar("_T")

FAULTS_TOLD = 100
"""How many faults an error tells; the rest is counted."""


@dataclass(slots=True)
class Faults:
    """The faults found so far; reading goes on after each, and `stop` ends it with all of them."""

    found: list[Fault] = field(default_factory=list)

    def add(self, file: str, key: str, message: str, check: str = "value") -> None:
        """Note one fault at its place, under the name that `kb check` gives to its kind."""
        self.found.append(Fault(file, key, message, check))

    def stop(self) -> None:
        """Raise KnowledgeError with one sentence a fault, when there is any."""
        if self.found:
            told = [str(fault) for fault in self.found[:FAULTS_TOLD]]
            if len(self.found) > FAULTS_TOLD:
                told.append(f"… and {len(self.found) - FAULTS_TOLD} more faults; mend these first")
            raise KnowledgeError("\n".join(told))


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one record; each method returns the value, or notes a fault and returns what stands for none."""

    file: str
    place: str
    values: dict[str, str]
    faults: Faults

    def fault(self, column: str, remedy: str) -> None:
        """Note that the value of the column is wrong, and what to write instead."""
        self.faults.add(self.file, f"{self.place}, column {column}", f"found {self.values[column]!r}; {remedy}")

    def text(self, column: str) -> str:
        """The text, which must be there."""
        value = self.values[column]
        if not value:
            self.fault(column, "write a value, the column may not be empty")
        return value

    def optional(self, column: str) -> str | None:
        """The text, or NULL for an empty cell."""
        return self.values[column] or None

    def choice(self, column: str, allowed: Sequence[str]) -> str:
        """One of the allowed words, which must be there."""
        value = self.values[column]
        if value not in allowed:
            self.fault(column, f"write one of {', '.join(allowed)}")
        return value

    def optional_choice(self, column: str, allowed: Sequence[str]) -> str | None:
        """One of the allowed words, or NULL for an empty cell."""
        value = self.optional(column)
        if value is not None and value not in allowed:
            self.fault(column, f"write one of {', '.join(allowed)}, or leave it empty")
        return value

    def whole(self, column: str) -> int:
        """A whole number from 0, which must be there."""
        value = self._whole(column, "write a whole number, 0 or more")
        return 0 if value is None else value

    def day(self, column: str) -> date:
        """A date, which must be there; `date.min` after a fault."""
        value = self._day(column, "write a date such as 2025-05-23")
        return date.min if value is None else value

    def optional_day(self, column: str) -> date | None:
        """A date, or NULL for an empty cell."""
        return self._day(column, "write a date such as 2025-05-23, or leave it empty") if self.values[column] else None

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
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise KnowledgeError(f"{path}: the file is missing; put it there") from None
    except OSError as error:
        raise KnowledgeError(f"{path}: the file cannot be read ({error.strerror}); allow reading it") from error
    except UnicodeDecodeError as error:
        raise KnowledgeError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error


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
    broken = f"{path}: row {{}}: it is not CSV ({{}}); mend its quotes"
    known = (*columns, *optional)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise KnowledgeError(broken.format(reader.line_num, error)) from error
    wrong = [f"the column {name} is missing; add it" for name in columns if name not in header]
    if not others:
        wrong += [f"the column {name!r} is unknown; remove it" for name in header if name not in known]
    wrong += [f"the column {name} stands twice; remove one" for name in known if header.count(name) > 1]
    for message in wrong:
        faults.add(path.name, "row 1", message, "columns")

    def records() -> Iterator[tuple[int, list[str]]]:
        try:
            for record in reader:
                if len(record) == len(header):
                    yield reader.line_num, record
                elif any(value.strip() for value in record):
                    told = f"found {len(record)} cells; write {len(header)}, one for each column"
                    faults.add(path.name, f"row {reader.line_num}", told, "columns")
        except csv.Error as error:
            raise KnowledgeError(broken.format(reader.line_num, error)) from error

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
        cells.fault(column, "write letters, digits, '.', '_' and '-' only")


def check_place_and_time(
    cells: Cells, region: str | None, region_of: str | None, valid_from: date, valid_to: date | None
) -> None:
    """Note what is wrong with a region or with the days between which something is in force."""
    if region is not None and not _REGION.fullmatch(region):
        cells.fault("region", "write the first 2 to 6 digits of a place code (admdvs)")
    if (region is None) != (region_of is None):
        cells.fault("region_of", "fill region and region_of together, or neither")
    if valid_to is not None and valid_to <= valid_from:
        cells.fault("valid_to", f"write a date after valid_from ({valid_from}), or leave it empty")
