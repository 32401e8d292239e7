"""The workbooks of a run: one of all, one for each institution, one of a sample."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

from checker.audit.overview import Entry, method, overview
from checker.audit.run_folder import RunFolder
from checker.audit.tables import ReportTable, report_tables
from checker.model import sqltext
from checker.model.shown import shown
from checker.model.whole_file import whole_book
from checker.report.workbook.sheet import Styles, cut, on_paper, write_table

SUMMED = {"refunds": ("refund",), "answer": ("refund",)}
"""The tables that have sums, and of which columns: a line that two rules hit is refunded once, but is at stake in either."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a report is wanted: its language, whether it says who persons are, and the fewest persons of a group whose counts are shown (0: any)."""

    language: str = "zh"
    identities: bool = False
    least_cell: int = 0

    @property
    def english(self) -> bool:
        """Whether it is in English."""
        return self.language == "en"


def write_report(run: RunFolder, target: Path, wanted: Wanted) -> dict[str, int]:
    """Write the workbook of a run; returns the rows of its tables by id. Raises InputError where the file cannot be written."""
    tables = report_tables(language=wanted.language, identities=wanted.identities, least_cell=wanted.least_cell)
    connection = run.connect()
    try:
        with whole_book(target) as book:
            styles = Styles.of(book)
            _write_entries(
                book,
                styles,
                _OVERVIEW[wanted.english],
                overview(run, connection, english=wanted.english, least_cell=wanted.least_cell),
                _BESIDE,
            )
            rows = {
                id_: write_table(book, styles, connection, table, english=wanted.english, totals=SUMMED.get(id_, ()))
                for id_, table in tables.items()
                if id_ != "answer"
            }
            _write_method(book, styles, run, wanted)
    finally:
        connection.close()
    return rows


def write_one_table(run: RunFolder, target: Path, table: ReportTable, wanted: Wanted) -> int:
    """Write a workbook of one table and the method; returns its rows."""
    connection = run.connect()
    try:
        with whole_book(target) as book:
            styles = Styles.of(book)
            rows = write_table(book, styles, connection, table, english=wanted.english)
            _write_method(book, styles, run, wanted)
    finally:
        connection.close()
    return rows


def write_institutions(
    run: RunFolder,
    folder: Path,
    wanted: Wanted,
    until: tuple[date, bool],
) -> list[dict[str, Any]]:
    """Write a workbook for each institution with findings that are left or undetermined; returns what they are called and hold.

    `until` is the day until which it may answer, and whether all holidays before it are known.
    """
    connection = run.connect()
    written: list[dict[str, Any]] = []
    names: set[str] = set()
    try:
        institutions = connection.execute(
            """SELECT institution_id, any_value(institution_name), count(*) FROM findings GROUP BY institution_id
            HAVING bool_or(verdict IN ('violation', 'undetermined')) ORDER BY institution_id"""
        ).fetchall()
        for institution, name, findings in institutions:
            where = "institution_id IS NULL" if institution is None else f"institution_id = {sqltext.text(institution)}"
            run.narrow(connection, where, findings)
            tables = report_tables(
                language=wanted.language, identities=wanted.identities, least_cell=wanted.least_cell, where=where
            )
            file = _file_name(institution, name, names)
            with whole_book(folder / file) as book:
                styles = Styles.of(book)
                entries = [
                    *_addressed(institution, name, until, english=wanted.english),
                    *overview(run, connection, english=wanted.english, where=where, least_cell=wanted.least_cell),
                ]
                _write_entries(book, styles, _OVERVIEW[wanted.english], entries, _BESIDE)
                rows = {
                    id_: write_table(
                        book,
                        styles,
                        connection,
                        tables[id_],
                        english=wanted.english,
                        totals=SUMMED.get(id_, ()),
                        fill={"deadline": until[0]},
                    )
                    for id_ in (
                        "answer",
                        "clusters",
                        "quality",
                        "undetermined",
                        "by_rule",
                        "by_department",
                        "by_prescriber",
                    )
                }
                _write_method(book, styles, run, wanted)
            written.append(
                {
                    "file": file,
                    "institution_id": institution,
                    "findings": rows["answer"],
                    "undetermined": rows["undetermined"],
                }
            )
    finally:
        connection.close()
    return written


_OVERVIEW = ("总览", "Overview")
_METHOD = ("方法", "Method")
_BESIDE = (46, 40)


def _addressed(
    institution: str | None, name: str | None, until: tuple[date, bool], *, english: bool
) -> Iterator[Entry]:
    """To whom a workbook goes, and until when an answer is waited for."""
    day, known = until
    yield ("To" if english else "致"), None
    yield ("Institution" if english else "机构"), name or ""
    yield ("Institution code" if english else "机构编码"), institution or ("not told" if english else "未写明")
    yield ("Answer until (working days)" if english else "申诉截止日（工作日）"), day.isoformat()
    if not known:
        yield ("Note" if english else "说明"), (
            "the public holidays until then are not all announced yet: weekends alone were left out" if english
            else "截止日之前的法定节假日尚未全部公布，只扣除了周末"
        )  # fmt: skip
    yield ("How to answer" if english else "怎样填写"), (
        "fill in the yellow column on the sheet of findings, with reason and evidence" if english
        else "在“疑点与申诉”表的黄色一列填写申诉意见，写明理由并附材料"
    )  # fmt: skip


_NAME_SIGNS, _NAME_BYTES = 60, 180
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)


def _file_name(institution: str | None, name: str | None, taken: set[str]) -> str:
    """A file name of an institution that every system takes, and that no other has."""
    told = "_".join(part for part in (institution or "", name or "") if part)
    signs = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in unicodedata.normalize("NFC", told))
    # What a file system counts are bytes; a name in front of which nothing stands could be one that Windows keeps for a device.
    plain = signs[:_NAME_SIGNS].encode()[:_NAME_BYTES].decode(errors="ignore").strip("_")
    plain = f"机构_{plain}" if plain.casefold() in _DEVICES else plain or "机构未写明"
    wanted, number = plain, 1
    while wanted.casefold() in taken:
        number += 1
        wanted = f"{plain}_{number}"
    taken.add(wanted.casefold())
    return f"{wanted}.xlsx"


def _write_method(book: Workbook, styles: Styles, run: RunFolder, wanted: Wanted) -> None:
    entries = method(run, english=wanted.english, identities=wanted.identities, least_cell=wanted.least_cell)
    _write_entries(book, styles, _METHOD[wanted.english], entries, (46, 70))


def _write_entries(
    book: Workbook, styles: Styles, name: str, entries: Iterable[Entry], widths: tuple[int, int]
) -> None:
    """Write a sheet of entries: what, and its value beside it; a heading where there is none."""
    sheet = book.add_worksheet(name)
    on_paper(sheet)
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width)
    kinds: Mapping[str, Any] = styles.by_kind
    for row, (what, value) in enumerate(entries):
        if value is None:
            sheet.set_row(row, 24)
        sheet.write_string(row, 0, cut(shown(what)), styles.title if value is None else None)
        if isinstance(value, str):
            sheet.write_string(row, 1, cut(shown(value)))
        elif isinstance(value, int):
            sheet.write_number(row, 1, value, kinds["count"])
        elif value is not None:
            sheet.write_number(row, 1, float(str(value)), kinds["yuan"])
