"""Findings as CSV for spreadsheets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.model import sqltext
from checker.model.shown import FORMULA, INVISIBLE_SQL, SUBSTITUTE

if TYPE_CHECKING:
    import duckdb


def write_csv(connection: duckdb.DuckDBPyConnection, findings: Path, target: Path) -> None:
    """Write a findings file anew as CSV: UTF-8 with BOM, lists joined, text that a spreadsheet would run as a formula made plain."""
    described = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE FROM {sqltext.parquet(findings)})")
    types = dict(described.fetchall())
    columns = {
        sqltext.name(name): f"array_to_string({name}, '|')" if type_.endswith("[]") else sqltext.name(name)
        for name, type_ in types.items()
    }
    texts = {sqltext.name(name) for name, type_ in types.items() if type_.startswith("VARCHAR")}
    plain = ", ".join(
        f"{_no_formula(f'CAST({value} AS VARCHAR)')} AS {name}" if name in texts else f"{value} AS {name}"
        for name, value in columns.items()
    )
    # Only a header's own text can carry a byte order mark into the file.
    first, *rest = columns
    connection.execute(
        f"""COPY (SELECT {first} AS {sqltext.name(chr(0xFEFF) + next(iter(types)))}, {", ".join(rest)} FROM (SELECT {plain} FROM {sqltext.parquet(findings)}))
        TO {sqltext.text(str(target))} (FORMAT csv, HEADER)"""
    )


def _no_formula(value: str) -> str:
    """SQL of a text without signs that hide or turn what is read, and with a quote before what would be run."""
    plain = f"regexp_replace({value}, {sqltext.text(INVISIBLE_SQL)}, {sqltext.text(SUBSTITUTE)}, 'g')"
    return f"CASE WHEN regexp_matches({value}, {sqltext.text(FORMULA)}) THEN {sqltext.text(chr(39))} || {plain} ELSE {plain} END"
