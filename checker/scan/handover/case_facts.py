"""The case around a finding: who charged what to whom, so that people who look at it need no other file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from checker.ingest import relations
from checker.ingest.columns import read_column
from checker.ingest.gather import Gathered
from checker.ingest.line_sql import CASE_LINE, LOCAL_COLUMNS
from checker.ingest.sources import Source
from checker.judge.candidates import Joined, person_columns
from checker.model import sqltext
from checker.model.id_number import one_person
from checker.model.sql_builder import Steps, first
from checker.model.words import AGE_UNITS
from checker.shapes.base import LINE_COLUMNS, PLACE_COLUMNS
from checker.shapes.person import MOTHER_YEARS, name_person

if TYPE_CHECKING:
    import duckdb

_TYPES = {
    "institution_name": "VARCHAR", "department": "VARCHAR", "prescriber": "VARCHAR", "spec": "VARCHAR", "unit_price": "DECIMAL(18, 4)",
    "care_type": "VARCHAR", "insurance_type": "VARCHAR", "diagnosis_name": "VARCHAR", "settlement_amount": "DECIMAL(18, 2)",
    "settlement_fund_paid": "DECIMAL(18, 2)", "fund_paid": "DECIMAL(18, 2)",
}  # fmt: skip
CASE_VALUES = {
    **{name: f"k.{name}" for name in _TYPES if name != "diagnosis_name"},
    "diagnoses": "list_distinct(diagnoses)",
    "diagnosis_names": "nullif(list_distinct(list_concat(coalesce(sn.names, []), coalesce(vn.names, []), "
    "CASE WHEN k.diagnosis_name IS NOT NULL THEN [k.diagnosis_name] ELSE [] END)), [])",
    "person_hash": "k.person_hash", "person_sex": "k.person_sex", "person_age": "k.person_age", "class": "e.class",
    "may_be_mother": "k.may_be_mother", "cluster_id": "cn.cluster_id",
}  # fmt: skip
"""SQL of CASE_COLUMNS over fired lines `f` joined by CASE_JOINS."""
CASE_JOINS = """LEFT JOIN case_fact k ON k.line_no = f.line_no
    LEFT JOIN settlement_names sn ON sn.key = f.settlement_id LEFT JOIN visit_names vn ON vn.key = f.visit_id
    LEFT JOIN explained e ON e.line_no = f.line_no AND e.rule_no = f.rule_no
    LEFT JOIN cluster_line cl ON cl.line_no = f.line_no AND f.violated LEFT JOIN cluster_named cn ON cn.cluster_no = cl.cluster_no"""
_MAY_BE_MOTHER = f"""(r.person_sex IS DISTINCT FROM 'male' AND coalesce(r.year_count BETWEEN {MOTHER_YEARS[0]} AND {MOTHER_YEARS[1]}, TRUE))"""
"""SQL of whether the record (`record_person` r) may be that of a newborn's mother: what it does not say does not deny it."""
_RECORD = ("patient_sex", "patient_birth", "whole_insured_sex", "whole_insured_birth", "patient_age_told")
_HASH = 16
"""Hexadecimal digits of a hash that stands for a person: of a billion persons fewer than one pair shares one."""


def gather_cases(
    connection: duckdb.DuckDBPyConnection,
    files: Gathered,
    beside: Joined,
    absent: frozenset[str],
    *,
    key: bytes,
    language: str,
) -> None:
    """Make `case_fact` (line_no, what CASE_COLUMNS tell but class and cluster, and birth and age_told of the record) of the lines in
    `fired_line`, and `told_line` with local names.

    What a line does not say its settlement says, then its visit; headers of one key that contradict each other say nothing. `absent` are
    the columns of candidates that no source fills; `key` is that of the hashes of persons.
    """
    of_lines = relations.gather_told(connection, files, (*LOCAL_COLUMNS, *CASE_LINE))
    of_headers = {
        alias: _gather_headers(connection, sources, name)
        for alias, sources, name in (("hs", files.settlements, "settlement_id"), ("hv", files.visits, "visit_id"))
    }
    connection.execute("CREATE OR REPLACE TEMP TABLE hash_key AS SELECT CAST(? AS VARCHAR) AS secret", [key.hex()])

    def told(name: str) -> str:
        places = [f"o.{name}"] if name in of_lines else []
        places += [f"{alias}.{name}" for alias, known in of_headers.items() if name in known]
        value = f"coalesce({', '.join(places)})" if places else "NULL"
        return f"CAST({value} AS {_TYPES[name]}) AS {name}"

    joins = " ".join(
        f"LEFT JOIN told_of_{key_name} {alias} ON {alias}.key = f.{key_name}"
        for alias, key_name in (("hs", "settlement_id"), ("hv", "visit_id"))
    )
    _gather_records(connection, beside, absent, language)
    number = "f.person_number" if "person_number" not in absent else "CAST(NULL AS VARCHAR)"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE case_fact AS
        SELECT f.line_no, {", ".join(map(told, _TYPES))}, r.person_sex, r.person_age, r.birth, r.age AS age_told, {_MAY_BE_MOTHER} AS may_be_mother,
          left(sha256((SELECT secret FROM hash_key) || chr(31) || coalesce('p' || f.patient_id, 'n' || {one_person(number)})), {_HASH}) AS person_hash
        FROM (SELECT DISTINCT ON (line_no) * FROM fired_line) f LEFT JOIN told_line o ON o.line_no = f.line_no {joins}
        LEFT JOIN record_person r ON r.line_no = f.line_no"""
    )
    _name_diagnoses(connection, files)


def _gather_headers(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], key: str) -> frozenset[str]:
    """Make `told_of_<key>` (key and what CASE_LINE tells) of the headers of fired lines; returns the columns that some header tells."""
    known = [name for name in CASE_LINE if any(source.map.has(name) for source in sources)]
    rows = " UNION ALL BY NAME ".join(
        f"SELECT {read_column(source.map, key)} AS key, {', '.join(f'{read_column(source.map, name)} AS {name}' for name in known)} "
        f"FROM {source.table.scan()} WHERE ({read_column(source.map, 'valid_flag')}) IS NOT FALSE"
        for source in sources
        if known
    )
    agreed = ", ".join(f"CASE WHEN min({name}) = max({name}) THEN min({name}) END AS {name}" for name in known)
    query = f"SELECT key, {agreed} FROM ({rows}) WHERE key IN (SELECT {key} FROM fired_line) GROUP BY key"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE told_of_{key} AS {query if rows else 'SELECT NULL::VARCHAR AS key WHERE FALSE'}"
    )
    return frozenset(known)


def _gather_records(
    connection: duckdb.DuckDBPyConnection, beside: Joined, absent: frozenset[str], language: str
) -> None:
    """Make `record_person` (line_no, person_sex, birth, age as told, year_count, person_age) of the lines in `fired_line`: whom the record names."""
    columns = {name: value for name, value in person_columns(beside).items() if name not in absent}
    chosen = "".join(f", {value} AS {name}" for name, value in columns.items())
    source = f"SELECT s.line_no, s.service_time{chosen} FROM staged_line s {beside.joins} WHERE s.line_no IN (SELECT line_no FROM fired_line)"
    unasked = {
        name: False
        for name in (*LINE_COLUMNS, *PLACE_COLUMNS)
        if name not in columns and name not in ("line_no", "service_time")
    }
    steps = Steps(unasked, {**LINE_COLUMNS, **PLACE_COLUMNS, **dict.fromkeys(("patient_sex", "whole_insured_sex", "patient_age_told"), "VARCHAR"),
                            **dict.fromkeys(("patient_birth", "whole_insured_birth"), "DATE")})  # fmt: skip
    name_person(steps)
    if not steps.is_named("patient_age_told"):
        steps.let("patient_age_told", first(steps["patient_age"], steps["header_age"]))
    people = steps.select(source, _RECORD)
    whole_years = (
        "TRY_CAST(rtrim(age, 'MD') AS BIGINT) // CASE right(age, 1) WHEN 'M' THEN 12 WHEN 'D' THEN 365 ELSE 1 END"
    )
    years, months, days = (f" {AGE_UNITS[unit][language == 'en']}" for unit in ("year", "month", "day"))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE record_person AS
        SELECT line_no, person_sex, birth, age, coalesce(year_count, {whole_years}) AS year_count,
          CASE WHEN birth > day THEN NULL WHEN year_count >= 3 THEN year_count || {sqltext.text(years)}
            WHEN month_count >= 2 THEN month_count || {sqltext.text(months)}
            WHEN birth IS NOT NULL THEN date_diff('day', birth, day) || {sqltext.text(days)}
            WHEN regexp_full_match(age, '[0-9]+') THEN age || {sqltext.text(years)}
            WHEN ends_with(age, 'M') THEN rtrim(age, 'M') || {sqltext.text(months)} WHEN ends_with(age, 'D') THEN rtrim(age, 'D') || {sqltext.text(days)}
          END AS person_age
        FROM (SELECT *, date_sub('year', birth, day) AS year_count, date_sub('month', birth, day) AS month_count FROM (
          SELECT line_no, CAST(service_time AS DATE) AS day, coalesce(patient_sex, whole_insured_sex) AS person_sex,
            coalesce(patient_birth, whole_insured_birth) AS birth, patient_age_told AS age FROM ({people})))"""
    )


def _name_diagnoses(connection: duckdb.DuckDBPyConnection, files: Gathered) -> None:
    """Make `settlement_names` and `visit_names` (key, names) of what tables list for the lines in `fired_line`, in the order of their codes."""
    queries = [
        f"SELECT {read_column(source.map, 'code')} AS code, {read_column(source.map, 'name')} AS name FROM {source.table.scan()}"
        for source in files.diagnoses
        if source.map.has("name")
    ]
    nothing = "SELECT CAST(NULL AS VARCHAR) AS code, CAST(NULL AS VARCHAR) AS name WHERE FALSE"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE diagnosis_called AS SELECT code, min(name) AS name FROM ({" UNION ALL ".join(queries) or nothing})
        WHERE code IN (SELECT unnest(codes) FROM settlement_diagnoses UNION SELECT unnest(codes) FROM visit_diagnoses) GROUP BY code"""
    )
    for kind in ("settlement", "visit"):
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE {kind}_names AS SELECT key, list(name ORDER BY code) AS names
            FROM (SELECT key, unnest(codes) AS code FROM {kind}_diagnoses) JOIN diagnosis_called USING (code) GROUP BY key"""
        )
