"""Numbers of JSON that stand for keys: one with an exponent, or with a point beyond what a float keeps, has lost digits (docs/judgment.md, section 1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checker.ingest.columns import EXACT, inexact_text
from checker.ingest.value_sql import NOT_READ
from checker.model import sqltext
from checker.model.schema import DIAGNOSIS, HEADER, LINE, normal_header

if TYPE_CHECKING:
    import duckdb

_EXPONENT = r"-?[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]"
_VALUES = frozenset(
    normal_header(name)
    for table in (LINE, HEADER, DIAGNOSIS)
    for each in table.values()
    if each.kind not in NOT_READ
    for name in each.all_headers
)
"""Headers of what is read as a number or a time, however it is written."""


def may_be_inexact(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether some of the `documents` may hold such a number: only then are the types of values looked at."""
    row = connection.execute(
        rf"SELECT bool_or(regexp_matches(doc, '[:\[,]\s*{_EXPONENT}|[0-9]{{16}}\.[0-9]')) FROM documents"
    ).fetchone()
    return bool(row and row[0])


def is_key(header: str) -> bool:
    """Whether the values of a header are told apart as they are written."""
    return normal_header(header) not in _VALUES


def as_written(value: str, type_: str, key: str) -> str:
    """SQL of a value of the document `doc` that keeps its exponent, where it is a number that has one; `key` is its own within its object."""
    named = sqltext.text(rf'"{re.escape(key)}"\s*:\s*{_EXPONENT}')
    number = f"TRY_CAST({value} AS DOUBLE)"
    lost = f"regexp_matches(doc, {named}) OR (contains({value}, '.') AND abs({number}) >= {EXACT})"
    return f"CASE WHEN {type_} = 'DOUBLE' AND ({lost}) THEN {inexact_text(number)} ELSE {value} END"
