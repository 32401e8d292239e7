"""Cells: what is counted of each month, level, insurance and institution, and the indicators that come of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import lay_aside
from checker.indicators.definitions import Definitions, Indicator
from checker.ingest.provincial import Provincial
from checker.model import sqltext

if TYPE_CHECKING:
    import duckdb

GRAINS: Mapping[str, str | None] = {
    "all": None,
    "level": "level",
    "insurance": "insurance",
    "institution": "institution_id",
}
"""What the inputs are divided by, one at a time, and the column that tells it."""
COLUMNS = (
    "indicator", "code", "grain", "care", "level", "insurance", "institution", "month", "numerator", "denominator", "value", "unit", "previous", "change",
    "note",
)  # fmt: skip
"""The columns of indicators.parquet."""
VISIT_MEASURES: Mapping[str, str] = {
    "drug": "sum(class_drug)",
    "examination": "sum(coalesce(class_examination, 0) + coalesce(class_ct, 0) + coalesce(class_mri, 0))",
    "consumable": "sum(class_consumable)",
    "treatment": "sum(class_treatment)",
    "ct": "sum(class_ct)",
    "mri": "sum(class_mri)",
    "charged": "sum(charged)",
    "lines": "count(*) FILTER (line_count > 0)",
    "visits": "count(*) FILTER (is_visit)",
    "visits_of_persons": "count(*) FILTER (is_visit AND has_person)",
    "cost": "sum(cost)",
    "cost_of_persons": "sum(cost) FILTER (has_person)",
    "in_scope": "sum(in_scope)",
    "cost_of_scope": "sum(of_scope)",
    "fund": "sum(fund)",
    "cost_of_fund": "sum(of_fund)",
    "own": "sum(own)",
    "cost_of_own": "sum(of_own)",
    "stays": "count(*) FILTER (is_visit AND bed_days IS NOT NULL AND care = 'inpatient')",
    "bed_days": "sum(bed_days) FILTER (is_visit AND care = 'inpatient')",
    "cost_of_bed_days": "sum(cost) FILTER (is_visit AND bed_days IS NOT NULL AND care = 'inpatient')",
}
"""What is counted of visits: SQL over `told_visit`."""
STAY_MEASURES: Mapping[str, str] = {"discharges": "count(*)", "readmitted": "count(*) FILTER (came_back)"}
"""What is counted of the rows of `episode`."""
CODED_MEASURES: Mapping[str, str] = {"coded_stays": "count(*)", "infected": "count(*) FILTER (infected)"}
"""What is counted of the stays with diagnoses."""
MEASURES = (*VISIT_MEASURES, *STAY_MEASURES, *CODED_MEASURES)
_KEYS = ("month", "institution_id", "level", "insurance", "care")


def tell_values(connection: duckdb.DuckDBPyConnection, provincial: Provincial, defined: Definitions) -> None:
    """Make the view `told_visit`: visits with the level, insurance and care that their values stand for."""

    def care(value: str) -> str | None:
        return defined.care_of(provincial.care_group(value))

    def level(value: str) -> str | None:
        rank = provincial.institution_rank(value)
        return str(rank) if rank else "unrated" if provincial.is_unrated(value) else None

    told = {"care_type": care, "institution_level": level, "insurance_type": defined.insurance_of}
    for column, meaning in told.items():
        found = connection.execute(f"SELECT DISTINCT {column} FROM visit WHERE {column} IS NOT NULL").fetchall()
        values = [value for (value,) in found]
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {column}_told (value VARCHAR, meaning VARCHAR)")
        connection.execute(
            f"INSERT INTO {column}_told SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
            [values, [meaning(each) for each in values]],
        )
    connection.execute(
        """CREATE OR REPLACE TEMP VIEW told_visit AS
        SELECT visit.* EXCLUDE (care_type, institution_level, insurance_type) REPLACE (coalesce(institution_id, 'unknown') AS institution_id),
          c.meaning AS care, coalesce(l.meaning, 'unknown') AS level, coalesce(i.meaning, 'unknown') AS insurance
        FROM visit LEFT JOIN care_type_told c ON c.value = care_type LEFT JOIN institution_level_told l ON l.value = institution_level
        LEFT JOIN insurance_type_told i ON i.value = insurance_type"""
    )


def count_cells(
    connection: duckdb.DuckDBPyConnection, work: Path, *, with_persons: bool, with_episodes: bool, with_coded: bool
) -> None:
    """Make the table `rolled`: the measures of every grain, care and month, and of all of these together (NULL)."""
    keys = ", ".join(_KEYS)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE visit_cell AS SELECT row_number() OVER () AS cell_no, * FROM (
        SELECT {keys}, {_counted(VISIT_MEASURES)} FROM told_visit GROUP BY ALL)"""
    )
    parts = ["SELECT * EXCLUDE (cell_no) FROM visit_cell"]
    if with_episodes:
        parts.append(f"SELECT {keys}, {_counted(STAY_MEASURES)} FROM episode GROUP BY ALL")
    if with_coded:
        # A stay is told of by its discharge, else by what else tells its month.
        parts.append(
            f"""SELECT {keys}, {_counted(CODED_MEASURES)} FROM (SELECT * REPLACE (coalesce(strftime(end_day, '%Y-%m'), month) AS month) FROM told_visit)
            JOIN coded USING (key) WHERE care = 'inpatient' AND NOT is_taken_back GROUP BY ALL"""
        )
    if with_persons:
        same = " AND ".join(f"v.{key} IS NOT DISTINCT FROM c.{key}" for key in _KEYS)
        query = f"SELECT DISTINCT CAST(cell_no AS UINTEGER) AS cell_no, person FROM told_visit v JOIN visit_cell c ON {same} WHERE is_visit AND has_person"
        lay_aside(connection, "person_cell", query, work / "person_cell.parquet")
    nothing = sqltext.nulls(dict.fromkeys(MEASURES, "DECIMAL(38, 4)"))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE cell AS {' UNION ALL BY NAME '.join(parts)} UNION ALL BY NAME SELECT {nothing} WHERE FALSE"
    )
    sums = ", ".join(f"sum({name}) AS {name}" for name in MEASURES)
    sets = [
        _one_set(connection, grain, column, sums, by_month=by_month, by_care=by_care, with_persons=with_persons)
        for grain, column in GRAINS.items()
        for by_month in (True, False)
        for by_care in (True, False)
    ]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE rolled AS {' UNION ALL BY NAME '.join(sets)}")


def _counted(measures: Mapping[str, str]) -> str:
    return ", ".join(f"CAST({sql} AS DECIMAL(38, 4)) AS {name}" for name, sql in measures.items())


def _one_set(
    connection: duckdb.DuckDBPyConnection,
    grain: str,
    column: str | None,
    sums: str,
    *,
    by_month: bool,
    by_care: bool,
    with_persons: bool,
) -> str:
    """SQL of the cells of one grain, of each month or of all, of each care or of all."""
    keys = [*([column] if column else []), *(["month"] if by_month else []), *(["care"] if by_care else [])]
    where = f"WHERE {' AND '.join(f'{key} IS NOT NULL' for key in keys)}" if keys else ""
    grouped = f"GROUP BY {', '.join(keys)}" if keys else ""
    persons, joined = "CAST(NULL AS DECIMAL(38, 4))", ""
    if with_persons:
        # One set after the other: all at once would need the memory of all.
        table = f"persons_{grain}_{int(by_month)}{int(by_care)}"
        groups = ", ".join(("CAST(min(cell_no) AS UINTEGER) AS number", *keys))
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE person_group AS SELECT {groups} FROM visit_cell {where} {grouped}"
        )
        same = " AND ".join(f"c.{key} = g.{key}" for key in keys) or "TRUE"
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE group_of AS SELECT CAST(cell_no AS UINTEGER) AS cell_no, number FROM visit_cell c JOIN person_group g ON {same}"
        )
        counted = "SELECT number, count(*) AS n FROM (SELECT DISTINCT number, person FROM person_cell JOIN group_of USING (cell_no)) GROUP BY number"
        chosen = ", ".join((*keys, "CAST(n AS DECIMAL(38, 4)) AS persons"))
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {chosen} FROM person_group JOIN ({counted}) USING (number)"
        )
        persons = "persons"
        joined = f"LEFT JOIN {table} USING ({', '.join(keys)})" if keys else f"CROSS JOIN {table}"
    named = {"level": "level", "insurance": "insurance", "institution": "institution_id"}
    columns = ", ".join(
        f"{value if grain == name else 'CAST(NULL AS VARCHAR)'} AS {name}_of" for name, value in named.items()
    )
    month, care = "month" if by_month else "CAST(NULL AS VARCHAR)", "care" if by_care else "'all'"
    rest = f" EXCLUDE ({', '.join(keys)})" if keys else ""
    return f"""SELECT '{grain}' AS grain, {month} AS month_of, {care} AS care_of, {columns}, {persons} AS persons, m.*{rest}
        FROM (SELECT {", ".join((*keys, sums))} FROM cell {where} {grouped}) m {joined}"""


def write_indicators(
    connection: duckdb.DuckDBPyConnection,
    indicators: Sequence[Indicator],
    lacking: Mapping[str, str],
    target: Path,
    *,
    min_cell: int,
    until: str | None,
    days: int,
    grains: Collection[str],
) -> None:
    """Write indicators.parquet from `rolled`. `lacking` are the indicators that cannot be computed, and for lack of what: one row each, without a value.

    Cells of fewer than `min_cell` are told without their numbers. `until` is the last day on which anybody was seen: discharges less than
    `days` before it are not yet followed to the end.
    """
    parts = []
    for indicator in indicators:
        if indicator.id in lacking:
            parts.append(_lacking(indicator, lacking[indicator.id]))
        else:
            parts.append(_computed(indicator, min_cell=min_cell, until=until, days=days, grains=grains))
    rows = " UNION ALL BY NAME ".join(parts)
    order = " ".join(f"WHEN {sqltext.text(each.id)} THEN {place}" for place, each in enumerate(indicators))
    places = " ".join(f"WHEN '{grain}' THEN {place}" for place, grain in enumerate(GRAINS))
    connection.execute(
        f"""COPY (SELECT {", ".join(COLUMNS)} FROM ({rows})
        ORDER BY CASE indicator {order} END, CASE grain {places} END, care, level NULLS FIRST, insurance NULLS FIRST,
          institution NULLS FIRST, month NULLS FIRST)
        TO {sqltext.text(str(target))} (FORMAT parquet, COMPRESSION zstd)"""
    )


def _lacking(indicator: Indicator, column: str) -> str:
    numbers = sqltext.nulls(dict.fromkeys(("numerator", "denominator", "value", "previous", "change"), "DOUBLE"))
    texts = sqltext.nulls(dict.fromkeys(("care", "level", "insurance", "institution", "month"), "VARCHAR"))
    return (
        f"SELECT {sqltext.text(indicator.id)} AS indicator, {_text(indicator.code)} AS code, 'all' AS grain, {texts}, {numbers}, "
        f"{sqltext.text(indicator.unit)} AS unit, {sqltext.text(f'missing:{column}')} AS note"
    )


def _computed(indicator: Indicator, *, min_cell: int, until: str | None, days: int, grains: Collection[str]) -> str:
    denominator = indicator.denominator or "CAST(NULL AS DECIMAL(38, 4))"
    quotient = f"numerator / nullif(denominator, 0) * {indicator.scale}" if indicator.denominator else "numerator"
    # A count of persons or of stays within a rate is as telling as the cell itself.
    few = f"(base > 0 AND base < {int(min_cell)})"
    if indicator.numerator in ("readmitted", "infected"):
        few += f" OR (numerator > 0 AND numerator < {int(min_cell)})"
    numerator = f"coalesce({indicator.numerator}, 0)"
    followed = "FALSE"
    if "follow_up" in indicator.caveats and until:
        followed = f"coalesce(last_day(CAST(month || '-01' AS DATE)), DATE '{until}') + {int(days)} > DATE '{until}'"
    kept = ", ".join(f"CASE WHEN NOT few THEN {name} END AS {name}" for name in ("numerator", "denominator", "value"))
    partition = "grain, care, level, insurance, institution"
    before = "month = strftime(CAST(lag(month) OVER months || '-01' AS DATE) + INTERVAL 1 MONTH, '%Y-%m')"
    previous = f"CASE WHEN {before} THEN lag(value) OVER months END" if indicator.change else "CAST(NULL AS DOUBLE)"
    change = "(value / nullif(previous, 0) - 1) * 100" if indicator.change else "CAST(NULL AS DOUBLE)"
    notes = f"CASE WHEN few THEN 'suppressed' WHEN {_no_denominator(indicator)} THEN 'no_denominator' WHEN {followed} THEN 'follow_up' END"
    return f"""SELECT *, {change} AS change FROM (
      SELECT {sqltext.text(indicator.id)} AS indicator, {_text(indicator.code)} AS code, * EXCLUDE (few, base), {sqltext.text(indicator.unit)} AS unit,
        {previous} AS previous FROM (
        SELECT grain, care, level, insurance, institution, month, base, few, {kept}, {notes} AS note FROM (
          SELECT *, coalesce({few}, FALSE) AS few, CAST({quotient} AS DOUBLE) AS value FROM (
            SELECT grain, care_of AS care, level_of AS level, insurance_of AS insurance, institution_of AS institution, month_of AS month,
              CAST({numerator} AS DOUBLE) AS numerator, CAST({denominator} AS DOUBLE) AS denominator, {indicator.base} AS base FROM rolled
            WHERE care_of IN ({sqltext.texts(indicator.care)}) AND grain IN ({sqltext.texts(grains)}) AND coalesce({indicator.base}, 0) > 0)))
      WINDOW months AS (PARTITION BY {partition} ORDER BY month))"""


def _no_denominator(indicator: Indicator) -> str:
    return "coalesce(denominator, 0) = 0" if indicator.denominator else "FALSE"


def _text(value: str | None) -> str:
    return "CAST(NULL AS VARCHAR)" if value is None else sqltext.text(value)
