"""Reviewed text as columns: every cell of a table is checked at once, and every fault names file, row, column, value and remedy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from checker.knowledge.cell_reader import A_DAY, A_WHOLE_NUMBER, NEEDED, Faults, one_of, or_empty, read_records
from checker.model.errors import both, found_instead
from checker.model.shown import FORMULA, INVISIBLE_SQL, TAG

UNSAFE = f"{INVISIBLE_SQL}|{TAG}"
"""Signs that no eye sees or that turn the order of writing, and tags of HTML, as a regular expression."""
PLAIN_TEXT = both(
    "含有看不见或改变书写方向的字符、HTML 标记，或以 = + - @ 开头（表格软件会当成公式）；请只写文字",
    "invisible signs, signs that turn the direction of writing, HTML tags, or a formula's beginning (= + - @): write plain text",
)
"""What to write instead of these."""
WHOLE = r"^[0-9]{1,9}$"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


@dataclass(frozen=True, slots=True)
class TextTable:
    """Cells as trimmed text, '' where empty; `place` gives file and place of the record at an index."""

    frame: pl.DataFrame
    place: Callable[[int], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CellCheck:
    """What is wrong with a cell of `column` where `bad` is true, and what to write instead, in both languages; `id` is how `kb check` calls it."""

    id: str
    column: str
    bad: pl.Expr
    remedy: str | pl.Expr


def read_table(path: Path, columns: Sequence[str], optional: Sequence[str], faults: Faults) -> TextTable:
    """Return the records of a CSV file, whose header holds all `columns` and may hold the `optional` ones.

    Empty records are passed over. Faults and errors as `read_records`.
    """
    known = (*columns, *optional)
    header, records = read_records(path, columns, faults, optional=optional)
    flat: list[str] = []  # one list of all cells: a list for each record would cost more than reading them
    lines: list[int] = []
    for line, record in records:
        flat += record
        lines.append(line)
    empty = dict.fromkeys(known, pl.String)
    if not lines:
        return TextTable(pl.DataFrame(schema=empty), lambda index: (path.name, f"row {index + 2}"))
    columns_of = {name: flat[number :: len(header)] for number, name in enumerate(header)}
    cells = pl.DataFrame(columns_of, schema=dict.fromkeys(header, pl.String))
    cells = cells.with_columns(pl.all().str.strip_chars(), row=pl.Series(lines, dtype=pl.Int32))
    cells = cells.with_columns(pl.lit("").alias(name) for name in optional if name not in header)
    cells = cells.filter(~pl.all_horizontal(pl.col(*known) == ""))
    rows = cells["row"]
    return TextTable(cells, lambda index: (path.name, f"row {rows[index]}"))


def has_columns(path: Path, names: Collection[str]) -> bool:
    """Whether the header of a CSV file has any of the columns. Raises KnowledgeError for a file that cannot be read as CSV."""
    header, _ = read_records(path, (), Faults(), others=True)
    return bool(set(names).intersection(header))


def check_cells(table: TextTable, checks: Iterable[CellCheck], faults: Faults) -> None:
    """Note every cell that a check finds bad, record by record."""
    listed = list(checks)
    found: list[tuple[int, int, str, str]] = []
    bad = table.frame.select(check.bad.fill_null(value=False).alias(str(number)) for number, check in enumerate(listed))
    for number, check in enumerate(listed):
        indices = bad[str(number)].arg_true()
        if not len(indices):
            continue
        remedy = pl.lit(check.remedy) if isinstance(check.remedy, str) else check.remedy
        rows = table.frame.select(pl.col(check.column), remedy.alias("remedy"))[indices]
        found += [(int(index), number, *row) for index, row in zip(indices, rows.iter_rows(), strict=True)]
    for index, number, value, told in sorted(found, key=lambda each: each[:2]):
        file, place = table.place(index)
        faults.add(file, f"{place}, column {listed[number].column}", found_instead(value, told), listed[number].id)


def text(column: str, check: str = "value") -> CellCheck:
    """The cell may not be empty."""
    return CellCheck(check, column, pl.col(column) == "", NEEDED)


def safe(column: str, *, name: bool = False) -> CellCheck:
    """The cell holds nothing that a browser, a terminal or (at the beginning of a name) a spreadsheet would run, hide or turn round."""
    bad = pl.col(column).str.contains(UNSAFE)
    return CellCheck("unsafe-text", column, bad | pl.col(column).str.contains(FORMULA) if name else bad, PLAIN_TEXT)


def choice(column: str, allowed: Sequence[str], *, optional: bool = False) -> CellCheck:
    """The cell is one of these words, or may be empty where `optional`."""
    words = [*allowed, ""] if optional else [*allowed]
    return CellCheck("value", column, ~pl.col(column).is_in(words), one_of(allowed, optional=optional))


def whole(column: str, *, optional: bool = False) -> CellCheck:
    """The cell is a whole number of at most nine digits."""
    remedy = or_empty(A_WHOLE_NUMBER, optional=optional)
    return CellCheck("value", column, _unlike(column, WHOLE, optional=optional), remedy)


def day(column: str, *, optional: bool = False) -> CellCheck:
    """The cell is a date of the calendar as YYYY-MM-DD."""
    remedy = or_empty(A_DAY, optional=optional)
    no_day = as_day(column).is_null()
    filled = pl.col(column) != "" if optional else pl.lit(value=True)
    return CellCheck("value", column, filled & no_day, remedy)


def like(column: str, pattern: str, remedy: str, check: str = "value") -> CellCheck:
    """The cell, where filled, has this form."""
    return CellCheck(check, column, _unlike(column, pattern, optional=True), remedy)


def as_text(column: str) -> pl.Expr:
    """The text, NULL where empty."""
    return pl.when(pl.col(column) != "").then(pl.col(column)).alias(column)


def as_whole(column: str) -> pl.Expr:
    """The whole number, NULL where there is none."""
    return pl.when(pl.col(column).str.contains(WHOLE)).then(pl.col(column)).cast(pl.Int32, strict=False).alias(column)


def as_day(column: str) -> pl.Expr:
    """The date, NULL where there is none."""
    dated = pl.when(pl.col(column).str.contains(DAY)).then(pl.col(column))
    return dated.str.to_date("%Y-%m-%d", strict=False).alias(column)


def _unlike(column: str, pattern: str, *, optional: bool) -> pl.Expr:
    unlike = ~pl.col(column).str.contains(pattern)
    return unlike & (pl.col(column) != "") if optional else unlike


def twice(check: str, column: str, key: list[str], table: TextTable, remedy: str) -> CellCheck:
    """The key stands once; the remedy names, in both languages, the row where it stands first."""
    if not table.frame.select(key).is_duplicated().any():
        return CellCheck(check, column, pl.lit(value=False), "")
    first = pl.col("row").first().over(key)
    return CellCheck(check, column, ~pl.struct(key).is_first_distinct(), pl.format(remedy, first, first))
