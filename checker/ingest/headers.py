"""The headers of staged lines, one row a key: several of one key collapse, and what they contradict each other in is known as such."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.engines.duckdb import SCRATCH, one_number
from checker.ingest import line_sql
from checker.ingest.provincial import KINDS, Provincial
from checker.ingest.sources import Source
from checker.model import sqltext
from checker.model.schema import MATERNITY_STAY

if TYPE_CHECKING:
    import duckdb

HEADER_PERSON = (
    "patient_sex",
    "patient_birth_date",
    "patient_age",
    "patient_id_number",
    "newborn_flag",
    "diagnosis_code",
)
_OF_TERMS = (*KINDS, "institution_name")
"""What is compared by what it means, not by how it is spelt: 310 and 390 are one insurance."""
_STAY = re.compile(MATERNITY_STAY)
_UNKNOWN, _MARK, _PLAIN = range(3)
"""Which of the values of one meaning stands for all: one that the profile does not know, that marks a delivery or an online visit, any."""


def conflict_name(field: str) -> str:
    """The column of a view of headers that tells whether those of one key contradict each other in a field of terms."""
    return f"{field}_conflict"


def collapse_headers(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    key: str,
    name: str,
    gaps: frozenset[str],
    work: Path,
    provincial: Provincial,
) -> frozenset[str]:
    """Make the view `name` of the headers of staged lines, one row a key, and return its columns beside `key`.

    It carries what the person and the `gaps` of the lines need of these sources, sex_conflict and birth_conflict, and where there are several
    headers of one key, of what tells of terms whether they contradict each other.
    """
    if not sources:
        return frozenset()
    fields = tuple(
        field for field in (*HEADER_PERSON, *sorted(gaps)) if any(source.map.has(field) for source in sources)
    )
    rows_file, file = work / f"{name}_rows.parquet", work / f"{name}.parquet"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW wanted AS SELECT {key} AS key FROM staged_line WHERE {key} IS NOT NULL"
    )
    rows = " UNION ALL BY NAME ".join(line_sql.header_query(source, key, fields) for source in sources)
    connection.execute(f"COPY ({rows}) TO {sqltext.text(str(rows_file))} {SCRATCH}")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT key FROM {sqltext.parquet(rows_file)} GROUP BY key HAVING count(*) > 1"
    )
    if one_number(connection, "SELECT count(*) FROM repeated") == 0:
        single = f"SELECT *, FALSE AS sex_conflict, FALSE AS birth_conflict FROM {sqltext.parquet(rows_file)}"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {single}")
        return frozenset((*fields, "person_unreadable", "sex_conflict", "birth_conflict"))
    of_terms = [field for field in fields if field in _OF_TERMS]
    several = f"SELECT * FROM {sqltext.parquet(rows_file)} WHERE key IN (SELECT key FROM repeated)"
    _find_meanings(connection, several, of_terms, provincial)
    joins = "".join(
        f" LEFT JOIN header_meaning {field}_said ON {field}_said.field = '{field}' AND {field}_said.value = r.{field}"
        for field in of_terms
    )
    agreed = "".join(f"{_agreed(field)} AS {field}, " for field in fields)
    differing = "".join(f"count(DISTINCT {field}_said.meaning) > 1 AS {conflict_name(field)}, " for field in of_terms)
    none_differ = "".join(f"FALSE AS {conflict_name(field)}, " for field in of_terms)

    def differs(field: str) -> str:
        return f"coalesce(min({field}) <> max({field}), FALSE)" if field in fields else "FALSE"

    connection.execute(
        f"""COPY (
        SELECT *, {none_differ}FALSE AS sex_conflict, FALSE AS birth_conflict FROM {sqltext.parquet(rows_file)}
        WHERE key NOT IN (SELECT key FROM repeated)
        UNION ALL BY NAME
        SELECT key, {agreed}{differing}bool_or(person_unreadable) AS person_unreadable, {differs("patient_sex")} AS sex_conflict,
          {differs("patient_birth_date")} AS birth_conflict
        FROM ({several}) r{joins} GROUP BY key
        ) TO {sqltext.text(str(file))} {SCRATCH}"""
    )
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {sqltext.parquet(file)}")
    conflicts = map(conflict_name, of_terms)
    return frozenset((*fields, *conflicts, "person_unreadable", "sex_conflict", "birth_conflict"))


def _agreed(field: str) -> str:
    """SQL of the value of a field in several headers of one key; NULL where they contradict each other."""
    if field not in _OF_TERMS:
        return f"CASE WHEN min({field}) = max({field}) THEN min({field}) END"
    said = f"{field}_said"
    chosen = f"arg_min({field}, {{'weight': {said}.weight, 'value': {field}}}) FILTER ({field} IS NOT NULL)"
    return f"CASE WHEN count(DISTINCT {said}.meaning) < 2 THEN {chosen} END"


def _find_meanings(
    connection: duckdb.DuckDBPyConnection, rows: str, fields: Sequence[str], provincial: Provincial
) -> None:
    """Make `header_meaning` (field, value, meaning, weight) of the values of these fields."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE header_meaning (field VARCHAR, value VARCHAR, meaning VARCHAR, weight INTEGER)"
    )
    for field in fields:
        found = connection.execute(f"SELECT DISTINCT {field} FROM ({rows}) WHERE {field} IS NOT NULL").fetchall()
        told = list(_meanings(field, [value for (value,) in found], provincial))
        if told:
            values, meanings, weights = zip(*told, strict=True)
            connection.execute(
                "INSERT INTO header_meaning SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::INTEGER[])",
                [field, list(values), list(meanings), list(weights)],
            )


def _meanings(field: str, values: Sequence[str], provincial: Provincial) -> Iterator[tuple[str, str | None, int]]:
    """Each value with what it means and its weight; a name means nothing by itself, and contradicts no other."""
    for value in values:
        if field == "institution_name":
            marked = provincial.is_online(pay_location=None, care_type=None, institution_name=value)
            yield value, None, _MARK if marked else _PLAIN
            continue
        meaning = provincial.meaning(field, value)
        marked = field == "care_type" and (
            _STAY.search(value) is not None
            or provincial.is_online(pay_location=None, care_type=value, institution_name=None)
        )
        yield value, meaning, _UNKNOWN if meaning is None else _MARK if marked else _PLAIN
