"""What findings are counted against: judged lines of restricted items by institution, department, doctor, item and month."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import lay_aside
from checker.ingest.gather import Gathered
from checker.ingest.line_sql import BY_WHOM
from checker.ingest.value_sql import clean_text
from checker.judge.candidates import Joined
from checker.model import sqltext

if TYPE_CHECKING:
    import duckdb

DENOMINATORS_FILE = "denominators.parquet"
"""What lines of restricted items there are, for rates: one row a group."""
JUDGED = "NOT s.is_refund AND NOT s.beside AND s.line_no NOT IN (SELECT line_no FROM left_out) AND s.item_code IN (SELECT code FROM hot)"
"""SQL of the staged lines `s` that rules looked at: of others it only counts that they are there."""
_NAMED = ("institution_name", "department", "prescriber")
_GROUPS = {
    "institution": ("institution_id",),
    "department": ("institution_id", "department"),
    "prescriber": ("institution_id", "department", "prescriber"),
    "item": ("item_code",),
    "month": ("month",),
    "institution_month": ("institution_id", "month"),
}
"""By what lines are counted, and the columns that then name a group; the others are NULL."""


def unneeded_of_counts(files: Gathered, *, with_counts: bool) -> frozenset[str]:
    """The staged columns by which lines are not counted: those that no input has, and all where nothing is counted."""
    told = {name for name in BY_WHOM if with_counts and any(source.map.has(name) for source in files.lines)}
    return frozenset(f"by_{name}" for name in BY_WHOM if name not in told)


def by_column(name: str, unneeded: frozenset[str]) -> str:
    """SQL of one of BY_WHOM of a staged line `s`, as it is written; NULL where no input has it."""
    return "CAST(NULL AS VARCHAR)" if f"by_{name}" in unneeded else f"s.by_{name}"


def count_lines(connection: duckdb.DuckDBPyConnection, beside: Joined, unneeded: frozenset[str], work: Path) -> None:
    """Make `counted` (institution_id, institution_name, department, prescriber, item_code, month, lines, amount), names cleaned, in a file of `work`."""
    written = ", ".join(f"{by_column(name, unneeded)} AS {name}" for name in _NAMED)
    lay_aside(
        connection,
        "counted_raw",
        f"""SELECT {beside.first("institution_id")} AS institution_id, {written}, s.item_code, date_trunc('month', s.service_time) AS month,
          count(*) AS lines, sum(s.amount) AS amount FROM staged_line s {beside.joins} WHERE {JUDGED} GROUP BY ALL""",
        work / "counted_raw.parquet",
    )
    # Few names are written on many lines: each is cleaned once.
    spelt = " UNION ".join(f"SELECT {name} AS raw FROM counted_raw" for name in _NAMED)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE name_read AS SELECT raw, {clean_text('raw')} AS name FROM ({spelt}) WHERE raw IS NOT NULL"
    )
    joins = " ".join(f"LEFT JOIN name_read {name}_read ON {name}_read.raw = {name}" for name in _NAMED)
    read = ", ".join(f"{name}_read.name AS {name}" for name in _NAMED)
    lay_aside(
        connection,
        "counted",
        f"""SELECT institution_id, {read}, item_code, month, sum(lines)::BIGINT AS lines, sum(amount) AS amount
        FROM counted_raw {joins} GROUP BY ALL""",
        work / "counted.parquet",
    )


def name_institutions(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `institution_named` (institution_id, institution_name): how most lines, or else findings (`case_fact`), call each institution."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE institution_named AS
        SELECT institution_id, arg_max(institution_name, n) AS institution_name FROM (
          SELECT institution_id, institution_name, sum(lines) AS n FROM counted WHERE institution_name IS NOT NULL GROUP BY ALL
          UNION ALL SELECT f.institution_id, c.institution_name, 0 FROM fired_line f JOIN case_fact c USING (line_no)
          WHERE c.institution_name IS NOT NULL GROUP BY ALL)
        WHERE institution_id IS NOT NULL GROUP BY institution_id"""
    )


def write_denominators(connection: duckdb.DuckDBPyConnection, target: Path) -> None:
    """Write the counts by each of _GROUPS; amounts are gross, in yuan."""
    every = ("institution_id", "department", "prescriber", "item_code", "month")
    parts = []
    for by, columns in _GROUPS.items():
        shown = ", ".join(
            f"{name if name in columns else 'NULL'} AS {name}"
            if name != "month"
            else f"{'strftime(month, ' + sqltext.text('%Y-%m') + ')' if name in columns else 'NULL'} AS month"
            for name in every
        )
        parts.append(
            f"SELECT '{by}' AS \"by\", {shown}, sum(lines)::BIGINT AS lines, sum(amount) AS amount FROM counted "
            f"GROUP BY {', '.join(f'counted.{name}' for name in columns)}"
        )
    query = f"""SELECT "by", g.institution_id, institution_name, department, prescriber, item_code, month, lines,
        CAST(amount AS DECIMAL(18, 2)) AS amount
        FROM ({" UNION ALL ".join(parts)}) g LEFT JOIN institution_named n ON n.institution_id = g.institution_id
        ORDER BY "by", g.institution_id, department, prescriber, item_code, month"""
    connection.execute(f"COPY ({query}) TO {sqltext.text(str(target))} (FORMAT parquet)")
