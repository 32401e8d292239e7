"""Knowledge as the judgment reads it: points of the rules in use with their exemptions, and the patterns that find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.compile import EXEMPTION_TYPE
from checker.knowledge.edition import Edition, load_into
from checker.knowledge.names import item_key
from checker.plan import Plan

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Unread:
    """What no rule in use reads: numbers of points and of patterns."""

    points: int
    patterns: int


def version_of(editions: Sequence[Edition]) -> str:
    """The version of layered editions, base first."""
    return "+".join(edition.version for edition in editions)


def hash_of(editions: Sequence[Edition]) -> str:
    """The content hash of layered editions, base first."""
    return "+".join(edition.content_hash for edition in editions)


def load_points(connection: duckdb.DuckDBPyConnection, editions: Sequence[Edition], plan: Plan) -> Unread:
    """Make the tables `point` (point_no, the point's columns, exemptions) and `pattern` (point_no, match, code) for a plan."""
    load_into(connection, editions)
    connection.execute("CREATE OR REPLACE TEMP TABLE rule_number (rule_id VARCHAR, rule_no INTEGER)")
    if plan.rules:
        connection.execute(
            "INSERT INTO rule_number SELECT unnest($1), unnest($2)",
            [[rule.id for rule in plan.rules], list(range(len(plan.rules)))],
        )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE numbered AS
        SELECT CAST(row_number() OVER (ORDER BY point_id) - 1 AS INTEGER) AS point_no, rule_no, p.*
        FROM kb_point p JOIN rule_number USING (rule_id)"""
    )
    _make_name_keys(connection)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE point AS
        WITH pattern_of AS (SELECT point_no, t.code FROM kb_pattern t JOIN numbered USING (point_id)),
        concerned AS (
          SELECT n.point_no, e.*, i.match, i.value
          FROM numbered n JOIN kb_exemption e USING (rule_id) LEFT JOIN kb_exemption_item i ON i.exemption_id = e.exemption_id
          WHERE i.match IS NULL
            OR (i.match = 'name' AND (SELECT key FROM name_key k WHERE k.name = i.value) = (SELECT key FROM name_key k WHERE k.name = n.item_name))
            OR (i.match <> 'name' AND EXISTS (
              SELECT 1 FROM pattern_of t WHERE t.point_no = n.point_no AND (starts_with(t.code, i.value) OR starts_with(i.value, t.code))))
        ),
        listed AS (
          SELECT point_no, CAST(list({{'exemption_id': exemption_id, 'effect': effect, 'diagnoses': diagnoses, 'region': region,
            'region_of': region_of, 'valid_from': valid_from, 'valid_to': valid_to,
            'code': CASE WHEN match IN ('code', 'family') THEN value END, 'code_is_family': match = 'family'}} ORDER BY exemption_id)
            AS {EXEMPTION_TYPE}) AS exemptions
          FROM concerned GROUP BY point_no
        )
        SELECT n.point_no, n.rule_no, n.point_id, n.item_name AS point_name, n.sex AS point_sex, n.age_word, n.age_text,
          CAST(n.age_min AS BIGINT) AS age_min, n.age_min_unit, CAST(n.age_max AS BIGINT) AS age_max, n.age_max_unit, n.subject,
          n.region AS point_region, n.region_of AS point_region_of, n.valid_from, n.valid_to, n.level_cap, n.remark AS point_remark,
          n.document, n.batch, n.source_rows, coalesce(listed.exemptions, []) AS exemptions
        FROM numbered n LEFT JOIN listed USING (point_no)"""
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE pattern AS SELECT n.point_no, t.match, t.code FROM kb_pattern t JOIN numbered n USING (point_id)"
    )
    row = connection.execute(
        """SELECT (SELECT count(*) FROM kb_point) - (SELECT count(*) FROM point),
        (SELECT count(*) FROM kb_pattern) - (SELECT count(*) FROM pattern)"""
    ).fetchone()
    assert row is not None
    return Unread(int(row[0]), int(row[1]))


def _make_name_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Compare names only where an exemption names an item: the names of those rules' points, and the exemptions' own."""
    names = connection.execute(
        """SELECT DISTINCT n.item_name FROM numbered n JOIN kb_exemption e USING (rule_id)
        JOIN kb_exemption_item i ON i.exemption_id = e.exemption_id AND i.match = 'name'
        UNION SELECT value FROM kb_exemption_item WHERE match = 'name'"""
    ).fetchall()
    connection.execute("CREATE OR REPLACE TEMP TABLE name_key (name VARCHAR, key VARCHAR)")
    if names:
        connection.execute(
            "INSERT INTO name_key SELECT unnest($1), unnest($2)",
            [[name for (name,) in names], [item_key(name) for (name,) in names]],
        )
