"""What points and rules on trial [影子] would have found: judged and counted in a scan, listed apart, never among its findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.engines.duckdb import one_number
from checker.judge.compile import PRECEDENCE, in_force_sql
from checker.model import sqltext
from checker.rulebook.plan import Plan
from checker.scan.summary import FLAGGED_SQL, yuan

if TYPE_CHECKING:
    import duckdb

SHADOW_FILE = "shadow.parquet"
"""The findings of points and rules on trial, columns as in findings.parquet; written where there are such points or rules."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one point on trial found, or (`point_id` and `item_name` None) all points on trial of one rule.

    `judged` lines have a code of the point and a day on which it is in force; `hits` are those of them that violate or are
    undetermined. `charged` is the number of institutions with judged lines, `institutions` of those with hits; `amount` is net yuan.
    """

    rule_id: str
    point_id: str | None
    item_name: str | None
    judged: int
    hits: int
    violations: int
    undetermined: int
    patients: int
    institutions: int
    charged: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a scan found on trial: findings, hit lines, lines whose points were not in force, and what each rule and point found.

    `on_trial` counts the points on trial; `points` names those of them whose codes were charged.
    """

    on_trial: int
    findings: int
    lines: int
    not_in_force: int
    rules: tuple[Trial, ...]
    points: tuple[Trial, ...]


NOTHING = Shadow(0, 0, 0, 0, (), ())
"""The shadow of a scan without points or rules on trial."""


def count_shadow(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    candidates: str,
    findings: Path,
    *,
    contested: bool,
    not_in_force: int,
) -> Shadow:
    """Count what the shadow rules of a plan judged and found.

    `candidates` is the SQL given to `fired_sql`, whose tables still stand; `findings` is the file of the findings on trial.
    """
    numbers = ", ".join(map(str, plan.shadow_numbers))
    # Without regional points the parts of each point's time are divided already, and the places need not be known.
    in_force = in_force_sql() if contested else "on_date >= valid_from AND on_date < valid_to"
    chosen = (
        f"QUALIFY row_number() OVER (PARTITION BY line_no, rule_no ORDER BY {PRECEDENCE}, item_code) = 1"
        if contested
        else ""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE tried AS
        SELECT line_no, rule_no, point_no, institution_id
        FROM (SELECT * FROM ({candidates}) WHERE rule_no IN ({numbers}) AND {in_force} {chosen})"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE hit AS
        SELECT rule_id, point_id, verdict, patient_id, institution_id, amount, source_file, source_record
        FROM {sqltext.parquet(findings)} WHERE {FLAGGED_SQL}"""
    )
    names = " ".join(
        f"WHEN {number} THEN {sqltext.text(rule.id)}" for number, rule in enumerate(plan.rules) if rule.shadow
    )
    total = connection.execute(
        f"""SELECT (SELECT count(*) FROM {sqltext.parquet(findings)}), (SELECT count(DISTINCT (source_file, source_record)) FROM hit)"""
    ).fetchone()
    assert total is not None
    return Shadow(
        on_trial=count_on_trial(connection, plan),
        findings=int(total[0]),
        lines=int(total[1]),
        not_in_force=not_in_force,
        rules=_trials(
            connection, "rule_no", f"CASE rule_no {names} END AS rule_id, NULL AS point_id, NULL AS item_name"
        ),
        points=_trials(
            connection, "rule_no, point_no", f"CASE rule_no {names} END AS rule_id, point_id, point_name AS item_name"
        ),
    )


def count_on_trial(connection: duckdb.DuckDBPyConnection, plan: Plan) -> int:
    """How many points are on trial, whether the input asks for any or not."""
    numbers = ", ".join(map(str, plan.shadow_numbers))
    return one_number(connection, f"SELECT count(*) FROM point WHERE rule_no IN ({numbers})")


def _trials(connection: duckdb.DuckDBPyConnection, key: str, named: str) -> tuple[Trial, ...]:
    by_point = "point_no" in key
    own = "rule_id, point_id" if by_point else "rule_id"
    rows = connection.execute(
        f"""WITH judged AS (
          SELECT {key}, count(*) AS judged, count(DISTINCT institution_id) AS charged FROM tried GROUP BY {key}
        ),
        named AS (SELECT {named}, judged, charged FROM judged {"JOIN point USING (rule_no, point_no)" if by_point else ""}),
        found AS (
          SELECT {own}, count(*) AS hits, count(*) FILTER (verdict = 'violation') AS violations,
            count(*) FILTER (verdict = 'undetermined') AS undetermined, count(DISTINCT patient_id) AS patients,
            count(DISTINCT institution_id) AS institutions, coalesce(sum(amount), 0) AS amount
          FROM hit GROUP BY {own}
        )
        SELECT rule_id, n.point_id, n.item_name, judged, coalesce(hits, 0), coalesce(violations, 0), coalesce(undetermined, 0),
          coalesce(patients, 0), coalesce(institutions, 0), charged, coalesce(amount, 0)
        FROM named n LEFT JOIN found USING ({own}) ORDER BY rule_id, n.point_id"""
    ).fetchall()
    return tuple(_trial(row) for row in rows)


def _trial(row: Sequence[Any]) -> Trial:
    rule, point, item, *counts, amount = row
    judged, hits, violations, undetermined, patients, institutions, charged = counts
    return Trial(
        rule, point, item, judged, hits, violations, undetermined, patients, institutions, charged, yuan(amount)
    )


def shadow_document(shadow: Shadow) -> dict[str, Any]:
    """What run.json holds of it: yuan as numbers with two decimals."""
    document = asdict(shadow)
    for trial in (*document["rules"], *document["points"]):
        trial["amount"] = float(trial["amount"])
    return document
