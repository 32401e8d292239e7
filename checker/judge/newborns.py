"""What speaks of a birth in the visit of a line: what is charged to the mother may be for her child (docs/judgment.md, section 5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.model.schema import BIRTH_DIAGNOSES

if TYPE_CHECKING:
    import duckdb

NEONATAL = "(age_word = '新生儿' OR (age_max_unit = 'day' AND age_max <= 29))"
"""SQL of the points that limit their items to newborns."""
NEAR = f"(beside_newborn OR coalesce(len(list_filter(diagnoses, lambda d: regexp_matches(d, '{BIRTH_DIAGNOSES}'))) > 0, FALSE))"
"""SQL over fired lines: another item of the visit is for newborns (`beside_newborn`), or a diagnosis is of a birth."""


def visit_key(line: str, institution: str) -> str:
    """SQL of the visit of a line in its institution, or where there is none its settlement; `line` is its table with a dot, or ''."""
    visit = f"CASE WHEN {line}visit_id IS NOT NULL THEN 'v' || {line}visit_id ELSE 's' || {line}settlement_id END"
    return f"{visit} || chr(31) || coalesce({institution}, '')"


def find_neonatal(
    connection: duckdb.DuckDBPyConnection,
    shadow_rules: Sequence[int],
    *,
    settlement: Collection[str],
    visit: Collection[str],
) -> None:
    """Make `neonatal_visit` (key, low, high): the least and the greatest code of what was given to newborns in a visit.

    Only lines that are judged tell: what merely stands beside others (history, self-paid) is there in some scans and not in others.
    `settlement` and `visit` are the columns of the headers, which may tell the institution where a line does not.
    """
    institutions, joins = ["staged_line.institution_id"], ""
    for columns, view, key in ((settlement, "settlement_header", "settlement_id"), (visit, "visit_header", "visit_id")):
        if "institution_id" in columns:
            institutions.append(f"{view}.institution_id")
            joins += f" LEFT JOIN {view} ON {view}.key = staged_line.{key}"
    connection.execute("CREATE OR REPLACE TEMP TABLE neonatal_visit (key VARCHAR, low VARCHAR, high VARCHAR)")
    tried = ", ".join(map(str, shadow_rules)) or "-1"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE neonatal_code AS SELECT DISTINCT code FROM covered JOIN point p USING (point_no)
        WHERE {NEONATAL} AND p.rule_no NOT IN ({tried})"""
    )
    if one_number(connection, "SELECT count(*) FROM neonatal_code"):
        connection.execute(
            f"""INSERT INTO neonatal_visit SELECT visit, min(item_code), max(item_code) FROM (
              SELECT {visit_key("staged_line.", f"coalesce({', '.join(institutions)})")} AS visit, item_code FROM staged_line{joins}
              WHERE NOT is_refund AND NOT beside AND item_code IN (SELECT code FROM neonatal_code) AND line_no NOT IN (SELECT line_no FROM left_out))
            WHERE visit IS NOT NULL GROUP BY visit"""
        )
