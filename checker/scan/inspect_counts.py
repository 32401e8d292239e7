"""What the beginnings of inputs hold: how many lines a scan could judge, and of how many the person is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.ingest.columns import is_given, read_column
from checker.ingest.gather import Gathered
from checker.ingest.relations import Census
from checker.ingest.sources import Source
from checker.model import sqltext
from checker.model.id_number import id_number_is_right
from checker.model.schema import Kind

if TYPE_CHECKING:
    import duckdb

JOINED = (("settlements", "settlement_id"), ("visits", "visit_id"))
"""The tables that bring persons to lines, and by which key."""


@dataclass(frozen=True, slots=True)
class Persons:
    """Of so many rows how many know a sex, and a birth date or age; of lines, how many find their settlement or visit (None: not asked)."""

    rows: int
    with_sex: int
    with_birth: int
    found: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What the lines looked at would become; `persons` by role, those of `lines` with what their headers bring where these were read whole."""

    census: Census
    restricted: int
    persons: dict[str, Persons]


def count_persons(connection: duckdb.DuckDBPyConnection, files: Gathered) -> dict[str, Persons]:
    """Count the rows of lines, settlements and visits that know a sex and a birth date or age."""
    found: dict[str, Persons] = {}
    whole = []
    for role, key in JOINED:
        sources: Sequence[Source] = getattr(files, role)
        if sources:
            found[role] = _persons(connection, sources)
            if _is_whole(files, role):
                whole.append((sources, key))
    if files.lines:
        joined = whole if len(whole) == len(found) else []
        found["lines"] = _persons(connection, files.lines, joined)
    return found


def _is_whole(files: Gathered, role: str) -> bool:
    return not files.unopened.get(role) and all(each.share == 1 for each in files.files if each.role == role)


def _persons(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], joined: Sequence[tuple[Sequence[Source], str]] = ()
) -> Persons:  # fmt: skip
    rows = " UNION ALL ".join(
        f"SELECT {_sex(source)} AS sex, {_birth(source)} AS birth, "
        f"{', '.join(f'{read_column(source.map, key)} AS {key}' for _, key in joined) or '1 AS one'} FROM {source.table.scan()}"
        for source in sources
    )
    tables = ""
    for headers, key in joined:
        bring = " UNION ALL ".join(
            f"SELECT {read_column(source.map, key)} AS key, {_sex(source)} AS sex, {_birth(source)} AS birth FROM {source.table.scan()} "
            f"WHERE ({read_column(source.map, 'valid_flag')}) IS NOT FALSE"
            for source in headers
        )
        tables += (
            f" LEFT JOIN (SELECT key, bool_or(sex) AS sex, bool_or(birth) AS birth FROM ({bring}) WHERE key IS NOT NULL GROUP BY key) "
            f"AS of_{key} ON of_{key}.key = rows.{key}"
        )
    places = ["rows", *(f"of_{key}" for _, key in joined)]

    def some(name: str) -> str:
        return " OR ".join(f"coalesce({place}.{name}, FALSE)" for place in places)

    matched = " OR ".join(f"of_{key}.key IS NOT NULL" for _, key in joined) or "FALSE"
    row = connection.execute(
        f"SELECT count(*), count(*) FILTER ({some('sex')}), count(*) FILTER ({some('birth')}), count(*) FILTER ({matched}) "
        f"FROM ({rows}) AS rows{tables}"
    ).fetchone()
    assert row is not None
    return Persons(int(row[0]), int(row[1]), int(row[2]), int(row[3]) if joined else None)


def _known(source: Source, *names: str) -> list[str]:
    return [f"({read_column(source.map, name)}) IS NOT NULL" for name in names if name in source.map.columns]


def _by_id_number(source: Source) -> str:
    """SQL boolean: an ID number tells sex and birth date."""
    if not source.map.has("patient_id_number"):
        return "FALSE"
    number = read_column(source.map, "patient_id_number")
    right = f"{id_number_is_right('id_number')} OR regexp_full_match(id_number, '[0-9]{{15}}')"
    return f"coalesce(list_transform([{number}], lambda id_number: {right})[1], FALSE)"


def _sex(source: Source) -> str:
    return f"({' OR '.join([*_known(source, 'patient_sex', 'insured_sex'), _by_id_number(source)])})"


def _birth(source: Source) -> str:
    known = _known(source, "patient_birth_date", "insured_birth_date")
    ages = [source.map.found.get(name, ()) for name in ("patient_age", "insured_age")]
    given = [is_given(age, Kind.AGE) for age in ages if age]
    return f"({' OR '.join([*known, *given, _by_id_number(source)])})"


def first_values(
    connection: duckdb.DuckDBPyConnection, scan: str, headers: Sequence[str], rows: int
) -> dict[str, list[str]]:
    """The values of the first rows of a relation, by header, as texts; those that are not given left out."""
    if not headers:
        return {}
    chosen = ", ".join(f"trim(CAST({sqltext.name(header)} AS VARCHAR))" for header in headers)
    told = connection.execute(f"SELECT {chosen} FROM {scan} LIMIT {int(rows)}").fetchall()
    columns = zip(*told, strict=True) if told else ([] for _ in headers)
    return {header: [value for value in values if value] for header, values in zip(headers, columns, strict=True)}
