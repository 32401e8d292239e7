"""Clusters [聚集]: many findings with one cause, told as one row: a wrong mapping, one doctor, a neighbour in a list, one upload.

An institution maps each of its own items to a national code once. Where it does so wrongly, the limits of the wrong code are broken by all that
the right one is for: by about half of the lines where sex is limited, by nearly all where the age is. So a cluster is a group of lines of which
the share that breaks a limit is, even at the lower end of its interval, far above that of the same item elsewhere. Where the institution calls the item as the
catalogue does, be it with a spec or a brand, its code is right, and only one doctor or one day may be the cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.model.interval_sql import bound_sql
from checker.scan.handover.groups import LEAST_LINES, LEAST_PERSONS, OF_GROUP
from checker.scan.handover.name_keys import name_key_sql

if TYPE_CHECKING:
    import duckdb

UPLOAD_LINES, UPLOAD_PERSONS = 8, 5
"""The same of one upload, which is of many items."""
LEAST_SHARE = 0.15
"""The lower end of a cluster's share: what breaks limits more rarely may be what it looks like."""
LEAST_OF_MAPPING = 0.4
"""What the upper end of the share must reach where a mapping is the cause: about half of all persons are of either sex, and most are no children. What
breaks limits less often may be used rightly, under another name."""
TIMES_ELSEWHERE = 3
"""So many times the share elsewhere must the lower end be."""
PRIOR_LINES = 20
"""Few lines elsewhere tell little: so many of the usual share are added to them."""
CONCENTRATED = 0.8
"""The share of the breaking lines that make one doctor's what they are."""
_SURE = 2.576
"""The quantile of 99 %: many groups are tried in one run."""


def find_clusters(connection: duckdb.DuckDBPyConnection) -> bool:
    """Make `cluster_group` (cluster_no, kind and what names the group, counts) and `cluster_line` (line_no, cluster_no) of the lines that
    `gather_suspects` left; returns whether there is any.
    """
    if not one_number(connection, "SELECT count(*) FROM suspect_item"):
        connection.execute("CREATE OR REPLACE TEMP TABLE cluster_line (line_no BIGINT, cluster_no BIGINT)")
        return False
    _count_elsewhere(connection)
    _find_whole(connection)
    _find_uploads(connection)
    _find_parts(connection)
    return one_number(connection, "SELECT count(*) FROM cluster_group") > 0


def _measured(columns: Sequence[str], source: str = "suspect_line") -> str:
    """SQL of groups of lines with what is counted of each."""
    key = ", ".join(columns)
    return f"""SELECT {key}, count(*) AS lines, count(*) FILTER (breaks) AS breaking, count(DISTINCT patient) FILTER (breaks) AS persons,
          count(local_item_name) > 0 AS has_name FROM {source} GROUP BY {key}"""


_WHOLE = ("institution_id", "item_code", "local")
_SAME_WHOLE = (
    "{0}.institution_id IS NOT DISTINCT FROM w.institution_id AND {0}.item_code = w.item_code AND {0}.local = w.local"
)
"""SQL of whether a row is of the group `w`."""


def _count_elsewhere(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `whole_group`, the groups of an institution's own codes, and `item_elsewhere` (item_code, lines, breaking, institutions): what all the lines
    of an item break, without the groups that stand out, so that institutions of one error do not hide each other; unless most of the others
    stand out as well, seen from each of them: then that is how the item is used."""
    low = bound_sql("breaking", "lines", upper=False, z=_SURE)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE whole_group AS
        SELECT *, {low} AS low, breaking >= {LEAST_LINES} AND persons >= {LEAST_PERSONS} AND {low} >= {LEAST_SHARE} AS stands_out
        FROM ({_measured(_WHOLE)})"""
    )
    own, given, point = (name_key_sql(name) for name in ("local_item_name", "national_name", "any_value(point_name)"))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE called_alike AS
        WITH point_called AS (SELECT code AS item_code, {point} AS point FROM hot JOIN point USING (point_no) GROUP BY code),
        called AS (
          SELECT institution_id, item_code, local, {own} AS own, {given} AS given, count(*) AS n FROM suspect_line
          WHERE breaks AND local_item_name IS NOT NULL GROUP BY ALL)
        SELECT institution_id, item_code, local FROM called LEFT JOIN point_called USING (item_code) GROUP BY ALL
        HAVING sum(n) FILTER (coalesce(contains(own, given), FALSE) OR coalesce(contains(own, point), FALSE)) * 2 >= sum(n)"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE item_elsewhere AS
        WITH total AS (SELECT item_code, sum(lines) AS lines, count(DISTINCT institution_id) AS institutions FROM counted
          WHERE item_code IN (SELECT item_code FROM suspect_item) GROUP BY item_code),
        broken AS (SELECT s.item_code, count(*) AS breaking FROM limit_line JOIN staged_line s USING (line_no) WHERE breaks GROUP BY ALL),
        odd AS (SELECT item_code, sum(lines) AS lines, sum(breaking) AS breaking, count(DISTINCT institution_id) AS institutions
          FROM whole_group WHERE stands_out GROUP BY item_code)
        SELECT item_code, t.lines - CASE WHEN few THEN o.lines ELSE 0 END AS lines,
          coalesce(b.breaking, 0) - CASE WHEN few THEN o.breaking ELSE 0 END AS breaking, few
        FROM (SELECT t.*, coalesce(o.institutions * 2 <= t.institutions + 1, FALSE) AS few
          FROM total t LEFT JOIN odd o USING (item_code)) t
        LEFT JOIN odd o USING (item_code) LEFT JOIN broken b USING (item_code)"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE usual_share AS
        SELECT coalesce((SELECT count(*) FROM limit_line WHERE breaks) - (SELECT sum(breaking) FROM whole_group WHERE stands_out), 0)
          / greatest(1, (SELECT sum(lines) FROM counted)) AS share"""
    )


def _elsewhere(lines: str, breaking: str) -> str:
    """SQL of the share elsewhere, drawn to the usual one where few lines tell it."""
    return f"(greatest(0, {breaking}) + {PRIOR_LINES} * usual) / (greatest(0, {lines}) + {PRIOR_LINES})"


def _find_whole(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `cluster_group` of the groups that stand out as a whole: by one doctor where all but that one's lines are as elsewhere."""
    # A group that stands out is left out of what is elsewhere already, unless most institutions stand out.
    own_lines, own_breaking = "CASE WHEN few THEN 0 ELSE g.lines END", "CASE WHEN few THEN 0 ELSE g.breaking END"
    elsewhere = _elsewhere(f"e.lines - {own_lines}", f"e.breaking - {own_breaking}")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE cluster_group AS
        WITH group_of AS (
          SELECT g.*, greatest(0, e.lines - {own_lines}) AS elsewhere_lines, greatest(0, e.breaking - {own_breaking}) AS elsewhere_breaking,
            {elsewhere} AS elsewhere
          FROM whole_group g JOIN item_elsewhere e USING (item_code), (SELECT share AS usual FROM usual_share) WHERE stands_out),
        whole AS (SELECT * FROM group_of WHERE low > {TIMES_ELSEWHERE} * elsewhere),
        no_mapping AS (
          SELECT w.institution_id, w.item_code, w.local FROM whole w JOIN called_alike a ON {_SAME_WHOLE.format("a")}
          UNION SELECT institution_id, item_code, local FROM whole
          WHERE {bound_sql("breaking", "lines", upper=True, z=_SURE)} < {LEAST_OF_MAPPING} OR (elsewhere_lines < {PRIOR_LINES} AND NOT has_name)),
        doctor AS ({_concentrated("prescriber")}),
        one_day AS ({_concentrated("day")})
        SELECT row_number() OVER (ORDER BY w.institution_id, w.item_code, w.local) AS cluster_no,
          CASE WHEN d.prescriber IS NOT NULL THEN 'prescriber' WHEN o.day IS NOT NULL THEN 'upload' ELSE 'mapping' END AS kind,
          w.institution_id, w.item_code, w.local, d.prescriber, CASE WHEN d.prescriber IS NULL THEN o.day END AS day,
          elsewhere_lines, elsewhere_breaking
        FROM whole w LEFT JOIN no_mapping n ON {_SAME_WHOLE.format("n")}
        LEFT JOIN doctor d ON {_SAME_WHOLE.format("d")} LEFT JOIN one_day o ON {_SAME_WHOLE.format("o")}
        WHERE n.item_code IS NULL OR d.prescriber IS NOT NULL OR o.day IS NOT NULL"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE cluster_line AS
        SELECT DISTINCT ON (line_no) line_no, cluster_no FROM suspect_line l JOIN cluster_group c ON {OF_GROUP} WHERE breaks"""
    )


def _concentrated(column: str) -> str:
    """SQL of the one doctor or day of a group `whole` of which nearly all of its breaking lines are, while the others are as they should be."""
    low = bound_sql("d.breaking", "d.lines", upper=False)
    return f"""SELECT w.institution_id, w.item_code, w.local, d.{column}
          FROM whole w JOIN ({_measured((*_WHOLE, column))}) d ON {_SAME_WHOLE.format("d")}
          WHERE d.{column} IS NOT NULL AND d.breaking >= {CONCENTRATED} * w.breaking AND w.lines - d.lines >= {LEAST_LINES}
            AND {low} > {TIMES_ELSEWHERE} * (w.breaking - d.breaking + 0.05) / (w.lines - d.lines + 1)"""


def _find_parts(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the doctors whose lines of an item stand out, from elsewhere and from the others of the house, where the institution's own code does not."""
    low = bound_sql("g.breaking", "g.lines", upper=False, z=_SURE)
    elsewhere = _elsewhere("e.lines - g.lines", "e.breaking - g.breaking")
    colleagues = "(t.breaking - g.breaking) / (t.lines - g.lines)"
    _add_groups(
        connection,
        f"""SELECT 'prescriber' AS kind, g.institution_id, g.item_code, CAST(NULL AS VARCHAR) AS local, g.prescriber, CAST(NULL AS DATE) AS day,
          greatest(0, e.lines - g.lines) AS elsewhere_lines, greatest(0, e.breaking - g.breaking) AS elsewhere_breaking
        FROM ({_measured(("institution_id", "item_code", "prescriber"), "open_line")}) g JOIN item_elsewhere e USING (item_code)
        JOIN ({_measured(("institution_id", "item_code"), "open_line")}) t
          ON t.institution_id IS NOT DISTINCT FROM g.institution_id AND t.item_code = g.item_code,
          (SELECT share AS usual FROM usual_share)
        WHERE g.prescriber IS NOT NULL AND g.breaking >= {LEAST_LINES} AND g.persons >= {LEAST_PERSONS} AND {low} >= {LEAST_SHARE}
          AND {low} > {TIMES_ELSEWHERE} * {elsewhere} AND t.lines - g.lines >= {LEAST_LINES} AND {low} > {TIMES_ELSEWHERE} * {colleagues}""",
    )


def _find_uploads(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the days on which an institution's lines of all items break limits as on no other day: persons or codes were shifted in one upload."""
    low = bound_sql("g.breaking", "g.lines", upper=False, z=_SURE)
    rest = f"(t.breaking - g.breaking + {PRIOR_LINES} * usual) / (t.lines - g.lines + {PRIOR_LINES})"
    _add_groups(
        connection,
        f"""SELECT 'upload' AS kind, g.institution_id, CAST(NULL AS VARCHAR) AS item_code, CAST(NULL AS VARCHAR) AS local,
          CAST(NULL AS VARCHAR) AS prescriber, g.day, t.lines - g.lines AS elsewhere_lines, t.breaking - g.breaking AS elsewhere_breaking
        FROM ({_measured(("institution_id", "day"), "open_line")}) g
        JOIN ({_measured(("institution_id",), "open_line")}) t ON t.institution_id IS NOT DISTINCT FROM g.institution_id,
          (SELECT share AS usual FROM usual_share)
        WHERE g.breaking >= {UPLOAD_LINES} AND g.persons >= {UPLOAD_PERSONS} AND {low} >= {LEAST_SHARE} AND {low} > {TIMES_ELSEWHERE} * {rest}
          AND (SELECT count(DISTINCT item_code) FROM open_line o
            WHERE o.institution_id IS NOT DISTINCT FROM g.institution_id AND o.day = g.day AND o.breaks) > 1""",
    )


def _add_groups(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Add groups of a query over `open_line`, the suspect lines of no cluster yet, and their lines that break limits."""
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW open_line AS SELECT * FROM suspect_line WHERE line_no NOT IN (SELECT line_no FROM cluster_line)"
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE more_group AS SELECT (SELECT coalesce(max(cluster_no), 0) FROM cluster_group)
          + row_number() OVER (ORDER BY institution_id, item_code, prescriber, day) AS cluster_no, * FROM ({query})"""
    )
    connection.execute("INSERT INTO cluster_group BY NAME SELECT * FROM more_group")
    connection.execute(
        f"""INSERT INTO cluster_line SELECT DISTINCT ON (line_no) line_no, cluster_no FROM open_line l
        JOIN more_group c ON {OF_GROUP} WHERE l.breaks"""
    )
