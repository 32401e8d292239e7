"""What else may explain a finding: the class [归类] that it bears, so that nobody is accused of what the data did.

A class changes no verdict. It says where to look first: of a cluster at the mapping, of a parent's card at the child, of persons whose visits
contradict each other at who was registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker.ingest.columns import read_column
from checker.ingest.gather import Gathered
from checker.ingest.sources import Source
from checker.model import sqltext

if TYPE_CHECKING:
    import duckdb

CHILDREN = "(^|[^内妇产])儿|新生|[Pp]a?ediatric"
"""Departments that see children and nobody else, as a regular expression: 内儿科 and 妇儿科 see grown-ups too."""
GROWN_UP = 18
"""Years from which somebody may be the parent whose card it is."""
CHILD_ITEMS = 2
"""So many different items for children in one visit are more likely for a child than for the grown-up registered."""
_OF_AGE = "(p.age_min IS NOT NULL OR p.age_max IS NOT NULL OR p.age_word IS NOT NULL)"
OF_PERSON = f"(p.point_sex IS NOT NULL OR {_OF_AGE})"
"""SQL of the points `p` that limit by sex or age."""
_PERSON = ("patient_sex", "patient_birth_date")


def find_innocent(connection: duckdb.DuckDBPyConnection, files: Gathered) -> None:
    """Make `innocent` (line_no, rule_no, class) of the lines in `fired_line` that a card or a wrong record explains; needs `case_fact`, `inpatient_care`
    and the points. Clusters are looked for among what it leaves.
    """
    _find_conflicts(connection, files)
    child = "p.age_max IS NOT NULL AND p.age_min IS NULL OR p.age_word IN ('儿童', '小儿', '婴幼儿', '婴儿', '新生儿')"
    visit = "coalesce('v' || f.visit_id, 's' || f.settlement_id, 'l' || f.line_no) || chr(31) || coalesce(f.institution_id, '')"
    grown_up = f"c.birth <= CAST(f.service_time AS DATE) - INTERVAL {GROWN_UP} YEAR"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE innocent AS
        WITH child_line AS (
          SELECT f.line_no, f.rule_no, f.item_code, {visit} AS visit, f.family_account, c.department
          FROM fired_line f JOIN point p USING (point_no) JOIN case_fact c USING (line_no)
          WHERE f.violated AND ({child}) AND {grown_up} AND c.care_type NOT IN (FROM inpatient_care) IS NOT FALSE),
        of_child AS (SELECT visit FROM child_line GROUP BY visit HAVING count(DISTINCT item_code) >= {CHILD_ITEMS})
        SELECT DISTINCT ON (line_no, rule_no) * FROM (
          SELECT line_no, rule_no, 'person_conflict' AS class FROM conflict_line
          UNION ALL SELECT line_no, rule_no, 'parents_card' FROM child_line
          WHERE family_account OR regexp_matches(department, '{CHILDREN}') OR visit IN (SELECT visit FROM of_child))
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


def _find_conflicts(connection: duckdb.DuckDBPyConnection, files: Gathered) -> None:
    """Make `conflict_line` (line_no, rule_no): the record names a sex or birth date that most other visits of the person do not.

    Looked at are the persons of violations of limits of sex or age, in all lines, settlements and visits that name them.
    """
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE accused AS
        SELECT f.line_no, f.rule_no, f.patient_id, c.person_sex, c.birth, p.point_sex IS NOT NULL AS of_sex,
          {_OF_AGE} AS of_age
        FROM fired_line f JOIN point p USING (point_no) JOIN case_fact c USING (line_no)
        WHERE f.violated AND f.patient_id IS NOT NULL AND {OF_PERSON}"""
    )
    told = [
        _told_sql(source)
        for source in (*files.lines, *files.settlements, *files.visits)
        if source.map.has("patient_id") and any(map(source.map.has, _PERSON))
    ]
    nothing = "SELECT '' AS patient_id, '' AS patient_sex, NULL::DATE AS patient_birth_date, '' AS visit WHERE FALSE"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE conflict_line AS
        WITH told AS (SELECT DISTINCT * FROM ({" UNION ALL ".join(told) or nothing})),
        sexes AS (SELECT patient_id, patient_sex, count(*) AS n FROM told WHERE patient_sex IS NOT NULL GROUP BY ALL),
        births AS (SELECT patient_id, patient_birth_date, count(*) AS n FROM told WHERE patient_birth_date IS NOT NULL GROUP BY ALL)
        SELECT line_no, rule_no FROM accused a
        WHERE of_sex AND EXISTS (SELECT 1 FROM sexes o WHERE o.patient_id = a.patient_id AND o.patient_sex <> a.person_sex AND o.n >= coalesce(
            (SELECT n FROM sexes s WHERE s.patient_id = a.patient_id AND s.patient_sex = a.person_sex), 0))
          OR of_age AND EXISTS (SELECT 1 FROM births o WHERE o.patient_id = a.patient_id AND o.patient_birth_date <> a.birth AND o.n >= coalesce(
            (SELECT n FROM births s WHERE s.patient_id = a.patient_id AND s.patient_birth_date = a.birth), 0))"""
    )


def _told_sql(source: Source) -> str:
    """SQL of what a source says of the persons accused, once a visit."""
    names = ("patient_id", *_PERSON, "visit_id", "settlement_id")
    headers = dict.fromkeys(sqltext.name(each.text) for name in names for each in source.map.found.get(name, ()))
    rows = f"SELECT DISTINCT {', '.join(headers)} FROM {source.table.scan()}"
    first, *others = source.map.found["patient_id"]
    if first.is_text and not others:
        # Ids are written as they are read, but for blanks around them: only those of the accused are read at all.
        id_ = sqltext.name(first.text)
        rows += f" WHERE hash(trim({id_})) IN (SELECT hash(patient_id) FROM accused)"
    read = ", ".join(f"{read_column(source.map, name)} AS {name}" for name in ("patient_id", *_PERSON))
    visit = f"coalesce({read_column(source.map, 'visit_id')}, {read_column(source.map, 'settlement_id')})"
    return f"SELECT * FROM (SELECT {read}, {visit} AS visit FROM ({rows})) WHERE patient_id IN (SELECT patient_id FROM accused)"
