"""Item codes that a spreadsheet took for numbers: leading zeros lost, which can be put back, or digits, which cannot (docs/judgment.md, section 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from checker.ingest.personal import example
from checker.ingest.sources import Source
from checker.ingest.spellings import SCIENTIFIC

if TYPE_CHECKING:
    import duckdb

_LENGTH = 15
_SHORT = "[0-9]{9,14}"
"""What may be left of a service code, 15 digits that begin with zeros."""
_LIKELY = "00[1-4][0-9]{12}"
"""How the service codes begin that the knowledge speaks of: a number that is one with its zeros has lost them, listed or not."""
_LISTED = "(SELECT code FROM kb_pattern WHERE match = 'code')"

ZEROS, UNLISTED, DIGITS, REPAIRED = "zeros", "unlisted", "digits", "repaired"
"""What became of a code: its zeros are lost; they are, and with them no point has it; digits are lost; the zeros were put back."""


class LostCodes(NamedTuple):
    """The lines whose codes share a fate: the column as it is called in the input, how many, one as it is written, and what it was."""

    fate: str
    header: str
    lines: int
    example: str
    meant: str | None


def code_map_sql(read: str, known: str, *, repair: bool) -> str:
    """SQL of (raw, code, is_known, lost) from SQL of (raw, code) and a condition that tells known codes; `lost` is a fate, or NULL.

    With `repair` a code that with its zeros is one of the knowledge base becomes that code. No other is guessed.
    """
    told = f"""SELECT raw, code, is_known,
      CASE WHEN is_known THEN NULL WHEN is_listed THEN '{REPAIRED if repair else ZEROS}'
        WHEN regexp_full_match(padded, '{_LIKELY}') THEN '{UNLISTED if repair else ZEROS}'
        WHEN regexp_full_match(code, '{SCIENTIFIC}') THEN '{DIGITS}' END AS lost, padded
      FROM (SELECT raw, code, {known} AS is_known, padded, padded IN {_LISTED} AS is_listed
        FROM (SELECT raw, code, CASE WHEN regexp_full_match(code, '{_SHORT}') THEN lpad(code, {_LENGTH}, '0') END AS padded FROM ({read})))"""
    if not repair:
        return f"SELECT * EXCLUDE (padded) FROM ({told})"
    mended = f"lost = '{REPAIRED}'"
    return f"""SELECT raw, CASE WHEN {mended} THEN padded ELSE code END AS code, is_known OR coalesce({mended}, FALSE) AS is_known, lost
        FROM ({told})"""


def count_lost(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> tuple[LostCodes, ...]:
    """What became of the codes of the census, by fate; an example that the knowledge base lists comes first."""
    rows = connection.execute(
        f"""SELECT lost, min(source), sum(n)::BIGINT, min(struct_pack(unlisted, raw)) FROM (
          SELECT lost, source, n, raw, lpad(code, {_LENGTH}, '0') NOT IN {_LISTED} AS unlisted FROM code_census JOIN code_map USING (raw)
          WHERE lost IS NOT NULL)
        GROUP BY lost ORDER BY lost"""
    ).fetchall()
    return tuple(
        LostCodes(
            str(fate), sources[number].map.found["item_code"][0].text, int(count), example(first["raw"]),
            None if fate == DIGITS else _meant(connection, first["raw"]),
        )
        for fate, number, count, first in rows
    )  # fmt: skip


def _meant(connection: duckdb.DuckDBPyConnection, raw: str) -> str:
    row = connection.execute(f"SELECT lpad(code, {_LENGTH}, '0') FROM code_map WHERE raw = ?", [raw]).fetchone()
    assert row is not None
    return str(row[0])


def listed_code(connection: duckdb.DuckDBPyConnection, code: str | None) -> str | None:
    """What a code that may have lost its zeros is with them, where the knowledge base (kb_pattern) has that."""
    padded = with_zeros(code) if code else None
    return padded if padded and connection.execute(f"SELECT ? IN {_LISTED}", [padded]).fetchone() == (True,) else None


def with_zeros(code: str) -> str | None:
    """A code with the zeros that it may have lost; None for one that has not lost any.

    >>> with_zeros("2501040040000"), with_zeros("002501040040000"), with_zeros("12345")
    ('002501040040000', None, None)
    """
    return code.zfill(_LENGTH) if re.fullmatch(_SHORT, code, re.ASCII) else None
