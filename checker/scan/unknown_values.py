"""Values for whose sake lines are undetermined, because the profile does not know them: each told once, with where to write it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.provincial import Provincial, kind_of, shown_value
from checker.ingest.spellings import LONGEST_WORD
from checker.ingest.unreadable import compared_care
from checker.judge.unknown_value import UnknownValue
from checker.model import sqltext
from checker.model.words import UNKNOWN_VALUES
from checker.rulebook.plan import Plan

if TYPE_CHECKING:
    import duckdb

MOST = 1_000
"""So many values of a column are told, those of the most lines: a column of more holds something else."""


def count_unknown(
    connection: duckdb.DuckDBPyConnection, plan: Plan, fired: Path, provincial: Provincial
) -> tuple[tuple[UnknownValue, ...], frozenset[str]]:
    """Count the lines that rules not on trial could not judge for a value, those of most lines first. Reads the file of fired lines.

    Returns also the care types among them, as they are compared.
    """
    schema = connection.execute(f"DESCRIBE SELECT * FROM {sqltext.parquet(fired)}").fetchall()
    columns = {str(name) for name, *_ in schema}
    trial = ", ".join(map(str, plan.shadow_numbers))
    found: dict[tuple[str, str, str | None], int] = {}
    care: set[str] = set()
    for reason, column in UNKNOWN_VALUES.items():
        if column not in columns:
            continue
        rows = connection.execute(
            f"""SELECT left({column}, {LONGEST_WORD + 1}) AS value, count(DISTINCT line_no) AS n FROM {sqltext.parquet(fired)}
            WHERE reason_code = {sqltext.text(reason)} AND {column} IS NOT NULL {f"AND rule_no NOT IN ({trial})" if trial else ""}
            GROUP BY value ORDER BY n DESC, value LIMIT {MOST}"""
        ).fetchall()
        kind = kind_of(column)
        for value, lines in rows:
            # A prescriber's level may not be known because it has none.
            if provincial.tells(kind, value):
                continue
            if kind == "care_type":
                care.add(compared_care(value))
            told = kind, *shown_value(kind, value)
            found[told] = found.get(told, 0) + int(lines)
    listed = [UnknownValue(column, value, lines, key) for (column, value, key), lines in found.items()]
    return tuple(sorted(listed, key=lambda each: (-each.lines, each.column, each.value))), frozenset(care)
