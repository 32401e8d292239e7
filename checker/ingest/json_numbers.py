"""Numbers of JSON that stand for keys: one with an exponent, or with a point beyond what a float keeps, has lost digits (docs/judgment.md, section 1)."""

from __future__ import annotations

import re

from checker.ingest.columns import EXACT, inexact_text
from checker.ingest.value_sql import NOT_READ
from checker.model import sqltext
from checker.model.schema import DIAGNOSIS, HEADER, LINE, Kind, normal_header

_EXPONENT = r"-?[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]"
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_VALUES = frozenset(
    normal_header(name)
    for table in (LINE, HEADER, DIAGNOSIS)
    for each in table.values()
    if each.kind is Kind.CARE or each.kind not in NOT_READ
    for name in each.all_headers
)
"""Headers of what is read as a number, a time or a word, however it is written."""


def is_key(header: str) -> bool:
    """Whether the values of a header are told apart as they are written."""
    return normal_header(header) not in _VALUES


def as_written(value: str, document: str, pointer: str, key: str) -> str:
    """SQL of a text that was extracted from a document, within `doc`, by a pointer; where it is such a number, it has an exponent.

    What is extracted of a float has a point or an exponent, so that nearly all keys are told at once. `key` is its own within its object.
    """
    named = sqltext.text(rf'"{re.escape(key)}"\s*:\s*{_EXPONENT}')
    number = f"TRY_CAST({value} AS DOUBLE)"
    is_float = f"regexp_full_match({value}, '{_NUMBER}') AND json_type({document}, {pointer}) = 'DOUBLE'"
    lost = f"abs({number}) >= {EXACT} OR regexp_matches(doc, {named})"
    return f"CASE WHEN (contains({value}, '.') OR contains({value}, 'e')) AND {is_float} AND ({lost}) THEN {inexact_text(number)} ELSE {value} END"
