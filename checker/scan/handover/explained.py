"""What else may explain a finding: the class [归类] that it bears, so that nobody is accused of what the data did.

A class changes no verdict. It says where to look first: of a cluster at the mapping, of a parent's card at the child, of persons whose visits
contradict each other at who was registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker.ingest.gather import Gathered
from checker.judge.candidates import Joined
from checker.scan.handover.conflicts import Judged, find_conflicts
from checker.scan.handover.groups import LEAST_LINES, LEAST_PERSONS

if TYPE_CHECKING:
    import duckdb

CHILDREN = "^(?:(?:门诊|急诊|住院)[ /、-]*)?[^内外妇产全成胎孕、，,/ ]*儿[^、，,/ ]*$|^(?i:paediatric|pediatric)"
"""Departments that see children and nobody else, as a regular expression: 内儿科, 妇产科、儿科 and 全科、儿科 see grown-ups too, 胎儿医学科 sees women."""
GROWN_UP = 18
"""Years from which somebody may be the parent whose card it is."""
OLDEST_PARENT = 60
"""Years up to which several items for children are more likely a child's than an old patient's whose items bear wrong codes."""
CHILD_ITEMS = 2
"""So many different items for children on one day of one visit are more likely for a child than for the grown-up registered."""
OUTSIDE_STAYS = frozenset({"outpatient", "emergency", "chronic", "pharmacy"})
"""The groups of care in which somebody else's card may be shown; a stay is registered from papers. A care that is not told is none of them."""


def find_innocent(
    connection: duckdb.DuckDBPyConnection, files: Gathered, beside: Joined, absent: frozenset[str], judged: Judged
) -> None:
    """Make `innocent` (line_no, rule_no, class) of the lines in `fired_line` that a card or a wrong record explains; needs `case_fact`, `counted`,
    `outside_stay` and the points. Clusters are looked for among what it leaves.

    Several items for children are a child's only where the institution does not charge them mostly to grown-ups: else their codes are in doubt.
    """
    find_conflicts(connection, files, beside, absent, judged)
    child = "p.age_max IS NOT NULL AND p.age_min IS NULL OR p.age_word IN ('儿童', '小儿', '婴幼儿', '婴儿', '新生儿')"
    visit = "coalesce('v' || f.visit_id, 's' || f.settlement_id, 'l' || f.line_no) || chr(31) || coalesce(f.institution_id, '')"
    years = "date_sub('year', c.birth, CAST(f.service_time AS DATE))"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE innocent AS
        WITH child_line AS (
          SELECT f.line_no, f.rule_no, f.item_code, f.institution_id, {visit} || CAST(f.service_time AS DATE) AS visit, f.family_account, c.department,
            {years} AS years, coalesce(f.patient_id, c.person_hash) AS patient
          FROM fired_line f JOIN point p USING (point_no) JOIN case_fact c USING (line_no)
          WHERE f.violated AND ({child}) AND {years} >= {GROWN_UP} AND c.care_type IN (FROM outside_stay)),
        sure AS (SELECT * FROM child_line WHERE family_account OR regexp_matches(department, '{CHILDREN}')),
        open AS (SELECT * FROM child_line ANTI JOIN sure USING (line_no, rule_no)),
        charged AS (SELECT institution_id, item_code, sum(lines) AS lines FROM counted GROUP BY ALL),
        doubtful AS (
          SELECT o.institution_id, o.item_code FROM (
            SELECT institution_id, item_code, count(DISTINCT line_no) AS lines, count(DISTINCT patient) AS persons FROM open GROUP BY ALL) o
          JOIN charged c ON c.institution_id IS NOT DISTINCT FROM o.institution_id AND c.item_code = o.item_code
          WHERE o.lines >= {LEAST_LINES} AND o.persons >= {LEAST_PERSONS} AND o.lines * 2 > c.lines),
        several AS (
          SELECT o.* FROM open o ANTI JOIN doubtful d ON d.institution_id IS NOT DISTINCT FROM o.institution_id AND d.item_code = o.item_code
          WHERE years <= {OLDEST_PARENT}),
        of_child AS (SELECT visit FROM several GROUP BY visit HAVING count(DISTINCT item_code) >= {CHILD_ITEMS})
        SELECT DISTINCT ON (line_no, rule_no) * FROM (
          SELECT line_no, rule_no, 'person_conflict' AS class FROM conflict_line
          UNION ALL SELECT line_no, rule_no, 'parents_card' FROM sure
          UNION ALL SELECT line_no, rule_no, 'parents_card' FROM several SEMI JOIN of_child USING (visit))
        ORDER BY line_no, rule_no, class DESC"""
    )


def name_explained(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `explained` (line_no, rule_no, class) of `innocent` and `cluster_line`: what is wrong with a code goes before what is wrong with a person.

    That a doctor alone does it explains nothing: such findings bear their cluster, and are left to be looked at.
    """
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE explained AS
        SELECT DISTINCT line_no, rule_no, 'cluster' AS class FROM cluster_line JOIN cluster_named USING (cluster_no)
          JOIN fired_line USING (line_no) WHERE violated AND kind <> 'prescriber'
        UNION ALL SELECT line_no, rule_no, class FROM innocent WHERE line_no NOT IN (SELECT line_no FROM cluster_line)"""
    )
