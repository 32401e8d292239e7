"""Which item was meant: what an institution calls its own item, held against the names and codes that all institutions use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker.ingest import line_sql
from checker.ingest.columns import read_column
from checker.ingest.gather import Gathered
from checker.model import sqltext
from checker.scan.handover.name_keys import name_key_sql

if TYPE_CHECKING:
    import duckdb

SHOWN = 3
"""How many likely items a cluster tells, the likeliest first."""
LEAST_ALIKE = 0.45
"""How much of two names must be the same to be told as alike: twice the common pairs of signs, of the pairs of both."""
LEAST_PREFIX = 7
"""So many first characters of a code make a neighbour in the catalogue."""


def find_likely_items(connection: duckdb.DuckDBPyConnection, files: Gathered, second: dict[int, bool]) -> None:
    """Make `likely_item` (cluster_no, likely_items) of the clusters of one item in `cluster_group`.

    By its own name an item is known best: the names that others give to codes are compared by the pairs of signs that they share. Without such a name,
    or where none is alike, those are told that stand beside the wrong item in the catalogue, and that other institutions use and this one does not.
    """
    _gather_catalogue(connection, files, second)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE meant AS
        SELECT cluster_no, c.institution_id, c.item_code, {name_key_sql("mode(l.local_item_name)")} AS called, {name_key_sql("mode(n.name)")} AS mapped
        FROM cluster_group c JOIN suspect_line l ON l.institution_id IS NOT DISTINCT FROM c.institution_id AND l.item_code = c.item_code
          AND (c.local IS NULL OR l.local = c.local) AND l.breaks
          AND (c.prescriber IS NULL OR l.prescriber = c.prescriber)
        LEFT JOIN (SELECT code, arg_max(name, lines) AS name FROM catalogue WHERE is_national GROUP BY code) n ON n.code = c.item_code
        GROUP BY ALL"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE likely_item AS
        WITH known AS (
          SELECT code, {name_key_sql("name")} AS key, arg_max(name, lines) AS name, sum(lines) AS lines FROM catalogue GROUP BY ALL),
        pair_of AS (SELECT key, unnest({_pairs("key")}) AS pair FROM (SELECT DISTINCT key FROM known WHERE key <> '')),
        pair_meant AS (SELECT cluster_no, called, unnest({_pairs("called")}) AS pair FROM meant WHERE called <> '' AND called IS DISTINCT FROM mapped),
        shared AS (
          SELECT cluster_no, key, 2 * count(*) / (len({_pairs("any_value(called)")}) + len({_pairs("key")})) AS alike
          FROM pair_meant JOIN pair_of USING (pair) GROUP BY cluster_no, key),
        by_name AS (
          SELECT s.cluster_no, k.code, arg_max(k.name, k.lines) AS name, max(alike) AS alike, sum(k.lines) AS lines FROM shared s
          JOIN known k USING (key) JOIN meant m USING (cluster_no)
          WHERE alike >= {LEAST_ALIKE} AND k.code <> m.item_code AND k.key IS DISTINCT FROM m.mapped GROUP BY ALL),
        named AS (SELECT code, arg_max(name, lines) AS name, sum(lines) AS lines FROM catalogue GROUP BY code),
        beside AS (
          SELECT m.cluster_no, n.code, n.name, n.lines, {_common("m.item_code", "n.code")} AS common FROM meant m
          JOIN named n ON left(n.code, {LEAST_PREFIX}) = left(m.item_code, {LEAST_PREFIX}) AND n.code <> m.item_code
          ANTI JOIN used u ON u.institution_id IS NOT DISTINCT FROM m.institution_id AND u.code = n.code
          WHERE n.name IS NOT NULL AND {name_key_sql("n.name")} IS DISTINCT FROM m.mapped),
        told AS (
          SELECT cluster_no, code, name, 'name' AS why, 1 AS way, alike AS score, lines FROM by_name
          UNION ALL SELECT cluster_no, code, name, 'neighbour', 2, common, lines FROM beside
          WHERE (cluster_no, code) NOT IN (SELECT cluster_no, code FROM by_name))
        SELECT cluster_no, list({{'code': code, 'name': name, 'why': why}} ORDER BY place) AS likely_items FROM (
          SELECT *, row_number() OVER (PARTITION BY cluster_no ORDER BY way, score DESC, lines DESC, code) AS place FROM (
            SELECT * FROM told QUALIFY row_number() OVER (PARTITION BY cluster_no, {name_key_sql("name")} ORDER BY way, score DESC, lines DESC, code) = 1))
        WHERE place <= {SHOWN} GROUP BY cluster_no"""
    )
    # A doctor who takes what stands beside the right item in the list, which others of the house use: that is what it is then called.
    connection.execute(
        """UPDATE cluster_group SET kind = 'neighbour' WHERE kind = 'prescriber' AND cluster_no IN (
          SELECT cluster_no FROM likely_item JOIN meant USING (cluster_no)
          WHERE likely_items[1].code IN (SELECT code FROM used u WHERE u.institution_id = meant.institution_id))"""
    )


def _pairs(text: str) -> str:
    """SQL of the different pairs of neighbouring signs of a text."""
    return (
        f"list_distinct(list_transform(range(1, greatest(2, length({text}))), lambda i: substr({text}, i::BIGINT, 2)))"
    )


def _common(one: str, other: str) -> str:
    """SQL of how many first characters two codes share."""
    return f"len(list_filter(range({LEAST_PREFIX}, 28), lambda i: left({one}, i::BIGINT) = left({other}, i::BIGINT) AND length({one}) >= i))"


def _gather_catalogue(connection: duckdb.DuckDBPyConnection, files: Gathered, second: dict[int, bool]) -> None:
    """Make `catalogue` (code, name, is_national, lines), how all lines of the input, of any item, call the codes they bear, and `used` (institution_id,
    code), what the institutions of clusters charge at all.
    """
    names, uses = [], []
    for number, source in enumerate(files.lines):
        told = [name for name in ("item_name", "local_item_name") if source.map.has(name)]
        raw = f'{line_sql.raw_code(source, second=second[number])} AS "catalogue raw"'
        if told:
            # Each way of writing is read once.
            headers = dict.fromkeys(sqltext.name(each.text) for name in told for each in source.map.found[name])
            grouped = f'SELECT {raw}, {", ".join(headers)}, count(*) AS "catalogue lines" FROM {source.table.scan()} GROUP BY ALL'
            names += [
                f"""SELECT code, {read_column(source.map, name)} AS name, {name == "item_name"} AS is_national, "catalogue lines" AS lines
                FROM ({grouped}) JOIN code_map ON code_map.raw = "catalogue raw" WHERE is_known"""
                for name in told
            ]
        if source.map.has("institution_id"):
            places = ", ".join(dict.fromkeys(sqltext.name(each.text) for each in source.map.found["institution_id"]))
            uses.append(
                f"""SELECT {read_column(source.map, "institution_id")} AS institution_id, "catalogue raw"
                FROM (SELECT DISTINCT {places}, {raw} FROM {source.table.scan()})"""
            )
    nothing = "SELECT NULL::VARCHAR AS code, NULL::VARCHAR AS name, FALSE AS is_national, 0 AS lines WHERE FALSE"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE catalogue AS {' UNION ALL '.join(names) or nothing}")
    nobody = 'SELECT NULL::VARCHAR AS institution_id, NULL::VARCHAR AS "catalogue raw" WHERE FALSE'
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE used AS SELECT DISTINCT institution_id, code FROM ({" UNION ALL ".join(uses) or nobody})
        JOIN code_map ON code_map.raw = "catalogue raw" WHERE institution_id IN (SELECT institution_id FROM cluster_group)"""
    )
