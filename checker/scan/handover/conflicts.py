"""Records that the person's other visits contradict [人员信息不一致]: a line is judged again as these visits tell the person.

A visit contradicts a finding where the line would not break its limit if the person were as told there: so another sex excuses no age, and another
birth date only where the age then fits. What is judged again is judged by the same clauses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.ingest.gather import Gathered
from checker.ingest.settlement_flags import RefundSettlements
from checker.ingest.spellings import NO_PERSON
from checker.judge.candidates import Joined, person_columns
from checker.judge.compile import fired_sql
from checker.model.id_number import id_number_is_right
from checker.model.interval_sql import bound_sql
from checker.rulebook.plan import Plan
from checker.scan.handover.of_person import OF_PERSON
from checker.scan.handover.told_visits import JOIN_VISIT, TELLS, VISIT, gather_visits, leave_differing, rows_of_accused
from checker.shapes import BY_ID
from checker.shapes.base import Shape

if TYPE_CHECKING:
    import duckdb

MOST_BIRTHS = 3
"""An id under which visits tell more birth dates is nobody's; so is one without any birth date whose other visits are of both sexes."""
SAMPLED = 100_000
"""Of more lines a part of the persons tells as surely whether ids are shared."""
LEAST_SHARED = 0.5
"""What the lower end of the share of agreeing ids must reach, for an institution's ids to be the same persons as elsewhere: of numbers that every
institution gives out for itself hardly any agree."""
LONGEST_OF_HOUSES = 19
"""Characters of the longest id that an institution may give out for itself: the national platform's are longer."""
_SAID_ONCE = ("line_sex", "line_birth", "patient_age")
_OTHERS_OF_PERSON = (
    "insured_sex", "insured_birth_date", "insured_age", "header_age", "id_number", "header_id_number", "settlement_sex", "visit_sex",
    "settlement_birth", "visit_birth", "header_sex_conflict", "header_birth_conflict",
)  # fmt: skip
"""Columns of candidates that say who somebody is beside _SAID_ONCE."""
Candidates = Callable[[Shape, str], tuple[str, frozenset[str]]]
"""SQL of the candidates of a shape among the staged lines that SQL tells, and the columns that these lack."""


@dataclass(frozen=True, slots=True)
class Judged:
    """How the lines of a scan were judged: what is needed to judge some of them again."""

    plan: Plan
    candidates: Candidates
    refund_settlements: RefundSettlements


def find_conflicts(
    connection: duckdb.DuckDBPyConnection, files: Gathered, beside: Joined, absent: frozenset[str], judged: Judged
) -> None:
    """Make `conflict_line` (line_no, rule_no): of violations in `fired_line` that more than half of the person's other visits contradict,
    of those that say anything of it.

    A visit says what all its valid lines, settlements and headers agree in; what is void, reversed, taken back or a duplicate says nothing.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE conflict_line (line_no BIGINT, rule_no BIGINT)")
    sources = (*files.lines, *files.settlements, *files.visits)
    if not any(source.map.has("patient_id") and any(map(source.map.has, TELLS)) for source in sources):
        return
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE accused AS
        SELECT f.line_no, f.rule_no, f.point_no, f.patient_id, f.institution_id, f.visit_id, f.settlement_id, CAST(f.service_time AS DATE) AS day,
          c.person_sex, c.birth, c.age_told, {_is_national("f.patient_id")} AS is_national
        FROM fired_line f JOIN point p USING (point_no) JOIN case_fact c USING (line_no)
        WHERE f.violated AND {OF_PERSON} AND NOT regexp_full_match(f.patient_id, '{NO_PERSON}')"""
    )
    if not one_number(connection, "SELECT count(*) FROM accused"):
        return
    told = rows_of_accused(connection, files)
    leave_differing(connection, told)
    if not one_number(connection, "SELECT count(*) FROM accused"):
        return
    gather_visits(connection, told, judged.refund_settlements)
    _find_others(connection, beside, absent)
    if one_number(connection, "SELECT count(*) FROM alternative WHERE NOT is_own"):
        _judge_again(connection, judged)


def _is_national(id_: str) -> str:
    """SQL boolean: by its form an id is one person's wherever it is used: an ID number, or one of the national platform."""
    return f"({id_number_is_right(id_)} OR regexp_full_match({id_}, '[0-9A-Z]{{{LONGEST_OF_HOUSES + 1},}}'))"


def _find_others(connection: duckdb.DuckDBPyConnection, beside: Joined, absent: frozenset[str]) -> None:
    """Make `other_visit` (line_no, rule_no, sex, birth) of the visits that can testify, and `alternative` (alternative_no, line_no, rule_no, point_no,
    sex, birth, age, is_own): the persons as whom each line is to be judged, the one of its own record among them."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE other_of_person AS
        SELECT a.line_no, a.rule_no, a.point_no, o.sex, o.birth, a.birth AS own_birth, a.person_sex AS own_sex, a.is_national,
          a.institution_id AS own_place, o.institution_id AS place
        FROM accused a {JOIN_VISIT.format("a")} JOIN told_visit o ON o.patient_id = a.patient_id
          AND (o.visit <> {VISIT.format("a")} OR o.institution_id <> a.institution_id)"""
    )
    elsewhere = "place <> own_place AND NOT is_national"
    if one_number(connection, f"SELECT count(*) FROM other_of_person WHERE {elsewhere}"):
        _find_joint(connection, beside, absent)
    else:
        connection.execute("CREATE OR REPLACE TEMP TABLE joint_institution (institution_id VARCHAR)")
    joint = "(SELECT institution_id FROM joint_institution)"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE other_visit AS
        SELECT * FROM other_of_person WHERE NOT coalesce({elsewhere}, FALSE) OR (place IN {joint} AND own_place IN {joint})
        WINDOW of_id AS (PARTITION BY line_no, rule_no)
        QUALIFY len(list_distinct(list_append(list(birth) OVER of_id, own_birth))) <= {MOST_BIRTHS}
          AND (count(birth) OVER of_id > 0 OR own_birth IS NOT NULL OR count(*) FILTER (sex = own_sex) OVER of_id = 0)"""
    )
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE alternative AS
        SELECT row_number() OVER () AS alternative_no, *, sex IS NOT DISTINCT FROM person_sex AND birth IS NOT DISTINCT FROM own_birth AS is_own FROM (
          SELECT DISTINCT a.line_no, a.rule_no, a.point_no, a.person_sex, a.birth AS own_birth, coalesce(o.sex, a.person_sex) AS sex,
            coalesce(o.birth, a.birth) AS birth, CASE WHEN coalesce(o.birth, a.birth) IS NULL THEN a.age_told END AS age
          FROM accused a JOIN (
            FROM (SELECT line_no, rule_no, sex, birth FROM other_visit) UNION SELECT DISTINCT line_no, rule_no, NULL, NULL FROM other_visit) o
            ON o.line_no = a.line_no AND o.rule_no = a.rule_no)"""
    )


def _find_joint(connection: duckdb.DuckDBPyConnection, beside: Joined, absent: frozenset[str]) -> None:
    """Make `joint_institution` (institution_id): those of whose ids that others use as well most are of the same birth date there, or where no birth
    dates are told of the same sex. An id of no national form may be the institution's own, and another person's elsewhere."""
    told = {name: value for name, value in person_columns(beside).items() if name not in absent}

    def first_of(*names: str) -> str:
        places = [told[name] for name in names if name in told]
        return f"coalesce({', '.join(places)})" if places else "NULL"

    sex, birth = (
        first_of(*(f"{where}_{what}" for where in ("line", "settlement", "visit"))) for what in ("sex", "birth")
    )
    patient = beside.first("patient_id")
    lines = one_number(connection, "SELECT coalesce(sum(lines), 0) FROM counted")
    one = ", ".join(f"CASE WHEN min({name}) = max({name}) THEN min({name}) END AS {name}" for name in ("sex", "birth"))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE joint_institution AS
        WITH said AS (
          SELECT patient_id, institution_id, {one} FROM (
            SELECT DISTINCT {patient} AS patient_id, {beside.first("institution_id")} AS institution_id, {sex} AS sex, CAST({birth} AS DATE) AS birth
            FROM staged_line s {beside.joins} WHERE NOT s.is_refund AND hash({patient}) % {lines // SAMPLED + 1} = 0)
          WHERE patient_id IS NOT NULL AND NOT regexp_full_match(patient_id, '{NO_PERSON}') GROUP BY ALL),
        shared AS (
          SELECT institution_id, CASE WHEN birth IS NOT NULL THEN count(*) OVER (PARTITION BY patient_id, birth) > 1
              WHEN count(birth) OVER p = 0 THEN min(sex) OVER p = max(sex) OVER p END AS agrees
          FROM said WINDOW p AS (PARTITION BY patient_id) QUALIFY count(*) OVER p > 1)
        SELECT institution_id FROM (SELECT institution_id, count(*) FILTER (agrees) AS alike, count(agrees) AS n FROM shared GROUP BY institution_id)
        WHERE {bound_sql("alike", "n", upper=False)} >= {LEAST_SHARED}"""
    )


def _judge_again(connection: duckdb.DuckDBPyConnection, judged: Judged) -> None:
    """Fill `conflict_line`: the lines of `alternative` judged as each of these persons."""
    numbers = {int(number) for (number,) in connection.execute("SELECT DISTINCT rule_no FROM alternative").fetchall()}
    parts = [
        _again_sql(judged, BY_ID[shape]) for shape in sorted({judged.plan.rules[number].shape for number in numbers})
    ]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE judged_again AS SELECT alternative_no, violated FROM ({' UNION ALL '.join(parts)})"
    )
    connection.execute(
        """INSERT INTO conflict_line
        WITH verdict AS (
          SELECT a.*, CASE WHEN j.alternative_no IS NULL THEN FALSE ELSE j.violated END AS violated
          FROM alternative a LEFT JOIN judged_again j USING (alternative_no))
        SELECT line_no, rule_no FROM other_visit o JOIN accused USING (line_no, rule_no, point_no) JOIN verdict v USING (line_no, rule_no, point_no)
        WHERE v.sex IS NOT DISTINCT FROM coalesce(o.sex, accused.person_sex) AND v.birth IS NOT DISTINCT FROM coalesce(o.birth, accused.birth)
          AND (line_no, rule_no) IN (SELECT line_no, rule_no FROM verdict WHERE is_own AND violated)
        GROUP BY line_no, rule_no HAVING count(*) FILTER (NOT v.violated) * 2 > count(v.violated)"""
    )


def _again_sql(judged: Judged, shape: Shape) -> str:
    """SQL of (alternative_no, violated) of the alternatives of a shape's rules that are not clean."""
    source, absent = judged.candidates(
        shape, "(SELECT * FROM staged_line WHERE line_no IN (SELECT line_no FROM alternative))"
    )
    there = ", ".join(name for name in _SAID_ONCE if name not in absent)
    candidates = f"""SELECT c.*{f" EXCLUDE ({there})" if there else ""}, a.alternative_no, a.sex AS line_sex, a.birth AS line_birth, a.age AS patient_age
        FROM ({source}) c JOIN alternative a ON a.line_no = c.line_no AND a.rule_no = c.rule_no AND a.point_no = c.point_no"""
    fired = fired_sql(
        judged.plan, shape, candidates, contested=False, absent=(absent - set(_SAID_ONCE)) | set(_OTHERS_OF_PERSON)
    )
    return f"SELECT alternative_no, violated FROM ({fired})"
