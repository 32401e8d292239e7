"""Inpatient stays: who came back within a month, and of whom it is coded that an infection arose in the hospital."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from checker.indicators.definitions import Definitions
from checker.indicators.plan import Plan
from checker.ingest.columns import first_text, read_column
from checker.ingest.gather import Gathered
from checker.ingest.sources import Source
from checker.ingest.value_sql import read_text
from checker.model import sqltext
from checker.model.schema import DIAGNOSIS_SEPARATORS, Kind

if TYPE_CHECKING:
    import duckdb

_IS_STAY = "care = 'inpatient' AND key IS NOT NULL AND NOT is_taken_back"


def gather_episodes(connection: duckdb.DuckDBPyConnection, days: int) -> None:
    """Make the table `episode`: stays of one person that follow each other on the day of discharge, or overlap, are one; it counts for the
    institution and the month that discharged, and tells whether the person came back within so many days."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE episode AS
        WITH stay AS (
          SELECT person, first_day, end_day, key, month_out, institution_id, level, insurance, care FROM (
            SELECT *, strftime(end_day, '%Y-%m') AS month_out FROM told_visit)
          WHERE {_IS_STAY} AND has_person AND first_day IS NOT NULL AND end_day >= first_day),
        reached AS (
          SELECT *, max(end_day) OVER (PARTITION BY person ORDER BY first_day, end_day, key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS until
          FROM stay),
        numbered AS (
          SELECT *, count(*) FILTER (until IS NULL OR first_day > until) OVER (PARTITION BY person ORDER BY first_day, end_day, key) AS number FROM reached),
        folded AS (
          SELECT person, number, min(first_day) AS first_day, max(end_day) AS end_day, count(*) AS stays,
            arg_max({{'month': month_out, 'institution_id': institution_id, 'level': level, 'insurance': insurance, 'care': care}},
              {{'end_day': end_day, 'first_day': first_day, 'key': key}}) AS last
          FROM numbered GROUP BY person, number)
        SELECT last.*, stays, end_day,
          coalesce(lead(first_day) OVER (PARTITION BY person ORDER BY number) - end_day <= {int(days)}, FALSE) AS came_back FROM folded"""
    )


def may_read_diagnoses(files: Gathered, plan: Plan) -> bool:
    """Whether diagnoses can be told to be of the visits."""
    return (
        bool(files.diagnoses) and plan.key is not None and any(_key_of(each, files, plan) for each in files.diagnoses)
    )


def gather_infections(connection: duckdb.DuckDBPyConnection, files: Gathered, plan: Plan, defined: Definitions) -> None:
    """Make the table `coded` (key, infected) of the visits with diagnoses."""
    parts = [_diagnoses(source, files, plan, defined) for source in files.diagnoses if _key_of(source, files, plan)]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE coded AS SELECT key, bool_or(infected) AS infected FROM ({' UNION ALL '.join(parts)}) WHERE key IS NOT NULL GROUP BY key"
    )


def _key_of(source: Source, files: Gathered, plan: Plan) -> str:
    """Which column of diagnoses names the visit: itself, or by way of the settlements; empty where none does."""
    if plan.key and source.map.has(plan.key):
        return plan.key
    other = "settlement_id" if plan.key == "visit_id" else "visit_id"
    return (
        other
        if source.map.has(other) and files.settlements and all(each.map.has("visit_id") for each in files.settlements)
        else ""
    )


def _diagnoses(source: Source, files: Gathered, plan: Plan, defined: Definitions) -> str:
    column = _key_of(source, files, plan)
    text = read_text(first_text(source.map.found["code"], Kind.CAPITAL), Kind.CAPITAL)
    at_admission = read_column(source.map, "on_admission")
    rows = f"""SELECT {read_column(source.map, column)} AS {column}, {at_admission} AS on_admission,
          unnest(regexp_split_to_array({text}, {sqltext.text(DIAGNOSIS_SEPARATORS)})) AS code
        FROM {source.table.scan()} WHERE ({read_column(source.map, "valid_flag")}) IS NOT FALSE"""
    key = f"'{'v' if plan.key == 'visit_id' else 's'}' || {plan.key}"
    joined = "" if column == plan.key else f"JOIN (SELECT settlement_id, visit_id FROM header) USING ({column})"
    acquired = f"on_admission IN ({sqltext.texts(defined.infection['not_on_admission'])}) AND {_begins(defined.infection['acquired'])}"
    return f"""SELECT {key} AS key, coalesce({_begins(defined.infection["always"])} OR ({acquired}), FALSE) AS infected
        FROM (SELECT * FROM ({rows}) WHERE code <> '') {joined}"""


def _begins(beginnings: Sequence[str]) -> str:
    return f"({' OR '.join(f'starts_with(code, {sqltext.text(each)})' for each in beginnings)})"
