"""The file of clusters: one row each, with what is counted of it and the items that were probably meant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.value_sql import clean_text
from checker.model import sqltext
from checker.model.interval_sql import bound_sql
from checker.scan.handover.groups import OF_GROUP

if TYPE_CHECKING:
    import duckdb

CLUSTERS_FILE = "clusters.parquet"
"""One row a cluster."""


def write_clusters(connection: duckdb.DuckDBPyConnection, target: Path, *, found: bool) -> None:
    """Write `cluster_group` with what is counted of each, and its likely items (`likely_item`)."""
    connection.execute(f"COPY ({_clusters_sql() if found else _NONE}) TO {sqltext.text(str(target))} (FORMAT parquet)")


_COLUMNS = {
    "cluster_id": "VARCHAR", "kind": "VARCHAR", "institution_id": "VARCHAR", "institution_name": "VARCHAR", "local_item_code": "VARCHAR",
    "local_item_name": "VARCHAR", "item_code": "VARCHAR", "item_name": "VARCHAR", "department": "VARCHAR", "prescriber": "VARCHAR", "day": "DATE",
    "rule_ids": "VARCHAR[]", "lines": "BIGINT", "breaking": "BIGINT", "share": "DOUBLE", "share_low": "DOUBLE", "share_high": "DOUBLE",
    "elsewhere_lines": "BIGINT", "elsewhere_breaking": "BIGINT", "elsewhere_share": "DOUBLE", "persons": "BIGINT", "amount": "DECIMAL(18, 2)",
    "first_day": "DATE", "last_day": "DATE", "likely_items": "STRUCT(code VARCHAR, name VARCHAR, why VARCHAR)[]",
}  # fmt: skip
_NONE = f"SELECT {sqltext.nulls(_COLUMNS)} WHERE FALSE"
_NAMED_BY = ("kind", "institution_id", "item_code", "local", "prescriber", "CAST(day AS VARCHAR)")
CLUSTER_ID = "left(md5(concat_ws(chr(31), " + ", ".join(f"coalesce({name}, '')" for name in _NAMED_BY) + ")), 12)"
"""SQL of what names a cluster in this run and in the next: what it is of, not what was counted."""


def _clusters_sql() -> str:
    low, high = (bound_sql("breaking", "lines", upper=upper) for upper in (False, True))
    typed = ", ".join(f"CAST({name} AS {type_}) AS {name}" for name, type_ in _COLUMNS.items())
    return f"""WITH counted_of AS (
          SELECT c.cluster_no, count(*) AS lines, count(*) FILTER (breaks) AS breaking, count(DISTINCT patient) FILTER (breaks) AS persons,
            sum(l.amount) FILTER (breaks) AS amount, min(l.day) FILTER (breaks) AS first_day, max(l.day) FILTER (breaks) AS last_day,
            CASE WHEN any_value(c.local) IS NOT NULL THEN mode(l.local_item_code) END AS local_item_code,
            CASE WHEN any_value(c.item_code) IS NOT NULL THEN mode(l.local_item_name) END AS local_item_name,
            CASE WHEN count(DISTINCT l.department) = 1 THEN min(l.department) END AS department
          FROM cluster_group c JOIN suspect_line l ON {OF_GROUP} GROUP BY c.cluster_no),
        ruled AS (
          SELECT cluster_no, list(DISTINCT rule_id ORDER BY rule_id) AS rule_ids, mode(item_name) AS item_name, mode(point_name) AS point_name
          FROM cluster_line JOIN fired_line f USING (line_no) JOIN point USING (point_no) WHERE violated GROUP BY cluster_no)
        SELECT {typed} FROM (
          SELECT i_d.cluster_id, c.kind, c.institution_id, n.institution_name, {clean_text("m.local_item_code")} AS local_item_code,
            {clean_text("m.local_item_name")} AS local_item_name, c.item_code,
            CASE WHEN c.item_code IS NOT NULL THEN coalesce(r.item_name, r.point_name) END AS item_name, {clean_text("m.department")} AS department,
            {clean_text("c.prescriber")} AS prescriber, c.day, r.rule_ids, m.lines, m.breaking, m.breaking / m.lines AS share, {low} AS share_low,
            {high} AS share_high, c.elsewhere_lines, c.elsewhere_breaking,
            c.elsewhere_breaking / nullif(c.elsewhere_lines, 0) AS elsewhere_share, m.persons, m.amount, m.first_day, m.last_day,
            coalesce(i.likely_items, []) AS likely_items
          FROM cluster_group c JOIN cluster_named i_d USING (cluster_no) JOIN counted_of m USING (cluster_no) LEFT JOIN ruled r USING (cluster_no)
          LEFT JOIN likely_item i USING (cluster_no) LEFT JOIN institution_named n ON n.institution_id = c.institution_id)
        ORDER BY breaking DESC, cluster_id"""
