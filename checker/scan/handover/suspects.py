"""The lines among which clusters are looked for: all of the items of an institution of which enough lines break limits of who they are for."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import lay_aside, one_number
from checker.ingest.gather import Gathered
from checker.ingest.line_sql import LINE_NO_SHIFT
from checker.ingest.spellings import NO_PERSON
from checker.ingest.value_sql import clean_text, read_text
from checker.judge.candidates import Joined, patient_sql
from checker.model.schema import Kind
from checker.scan.handover.counted import JUDGED, by_column
from checker.scan.handover.groups import LEAST_LINES, LEAST_PERSONS
from checker.scan.handover.name_keys import name_key_sql

if TYPE_CHECKING:
    import duckdb

SHAPES_OF_LIMITS = ("item",)
"""The shapes whose rules ask who an item is for: a wrong code breaks these limits for persons of all kinds, whereas counts, pairs and terms depend on
how an institution works."""
_WRITTEN = ("local_item_code", "local_item_name", "department", "prescriber")


def gather_suspects(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    beside: Joined,
    rules: Collection[int],
    unneeded: frozenset[str],
    work: Path,
) -> int:
    """Make `limit_line` (line_no, breaks), `suspect_item` (institution_id, item_code) and `suspect_line` of all the judged lines of such items.

    `rules` are the numbers of the rules that count. Needs `innocent`, `fired_line` and what netting leaves. Returns how many lines break limits and
    name no person: how many persons they are of cannot be told, so that they make no cluster.

    `local` is what an institution maps: its own code, however it is written, or else its own name, or the code of that name where it has one; without
    both all that it charges by the national code.
    """
    numbers = ", ".join(map(str, sorted(rules))) or "-1"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE limit_line AS
        SELECT line_no, bool_or(violated IS TRUE AND (line_no, rule_no) NOT IN (SELECT line_no, rule_no FROM innocent)) AS breaks
        FROM fired_line WHERE rule_no IN ({numbers}) GROUP BY line_no"""
    )
    institution, patient = beside.first("institution_id"), _patient(beside, unneeded)
    # What cannot be judged says nothing of the share.
    lines = f"""FROM staged_line s {beside.joins} LEFT JOIN limit_line b ON b.line_no = s.line_no
        WHERE {JUDGED} AND b.breaks IS DISTINCT FROM FALSE"""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE broken_item AS
        SELECT {institution} AS institution_id, s.item_code, count(*) AS lines, count(DISTINCT {patient}) AS persons,
          count(*) - count({patient}) AS of_nobody {lines} AND b.breaks GROUP BY ALL"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE suspect_item AS
        SELECT institution_id, item_code FROM broken_item WHERE lines >= {LEAST_LINES} AND persons >= {LEAST_PERSONS}"""
    )
    written = ", ".join(f"{clean_text(f'raw_{name}')} AS {name}" for name in _WRITTEN)
    raw = ", ".join(f"{by_column(name, unneeded)} AS raw_{name}" for name in _WRITTEN)
    lay_aside(
        connection,
        "suspect_line",
        f"""WITH line AS (
          SELECT * EXCLUDE ({", ".join(f"raw_{name}" for name in _WRITTEN)}), {written} FROM (
            SELECT s.line_no, i.institution_id, s.item_code, {raw}, CAST(s.service_time AS DATE) AS day, {patient} AS patient,
              CASE WHEN {_has_name(files)} THEN nullif(trim(s.item_name), '') END AS national_name, s.amount, coalesce(b.breaks, FALSE) AS breaks
            FROM staged_line s {beside.joins} LEFT JOIN limit_line b ON b.line_no = s.line_no
            JOIN suspect_item i ON i.institution_id IS NOT DISTINCT FROM {institution} AND i.item_code = s.item_code
            WHERE {JUDGED} AND b.breaks IS DISTINCT FROM FALSE)),
        keyed AS (SELECT *, {_code_key("local_item_code")} AS code_key, {name_key_sql("local_item_name")} AS name_key FROM line),
        code_of_name AS (
          SELECT institution_id, item_code, name_key, min(code_key) AS code_key FROM keyed
          WHERE code_key IS NOT NULL AND name_key IS NOT NULL GROUP BY ALL HAVING min(code_key) = max(code_key))
        SELECT k.* EXCLUDE (code_key, name_key), coalesce(k.code_key, c.code_key, k.name_key, '') AS local FROM keyed k
        LEFT JOIN code_of_name c ON c.institution_id IS NOT DISTINCT FROM k.institution_id AND c.item_code = k.item_code AND c.name_key = k.name_key""",
        work / "suspect_line.parquet",
    )
    return one_number(connection, "SELECT coalesce(sum(of_nobody), 0) FROM broken_item")


def _patient(beside: Joined, unneeded: frozenset[str]) -> str:
    """SQL of whose line it is; NULL where nobody is named."""
    patient = patient_sql(beside.first, unneeded)
    return f"CASE WHEN NOT regexp_full_match(substr({patient}, 2), '{NO_PERSON}') THEN {patient} END"


def _has_name(files: Gathered) -> str:
    """SQL boolean over staged lines `s`: the file tells the national name; elsewhere the own one stands in its place, and is no second witness."""
    named = [
        number
        for source in files.lines
        if source.map.has("item_name")
        for number in range(source.table.first_file, source.table.first_file + len(source.table.files))
    ]
    return f"s.line_no // {LINE_NO_SHIFT} IN ({', '.join(map(str, named))})" if named else "FALSE"


def _code_key(code: str) -> str:
    """SQL of what is compared of an institution's own code: zeros before it come and go with the programs that write it."""
    return f"regexp_replace({read_text(code, Kind.CODE)}, '^0+([0-9A-Z])', '\\1')"
