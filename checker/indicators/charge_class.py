"""What lines were charged for: the classes of definitions.toml, found once for each charge type and item code that the input has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from checker.engines.duckdb import one_number
from checker.indicators.definitions import ChargeClass
from checker.ingest.columns import read_column
from checker.ingest.line_sql import as_it_stands, raw_code
from checker.ingest.sources import Source
from checker.ingest.value_sql import clean_text, read_text
from checker.model import sqltext
from checker.model.schema import CODE_LIKE, CUT_CODE, Kind

if TYPE_CHECKING:
    import duckdb

_SHAPES = f"{CODE_LIKE}|{CUT_CODE}|T[A-Z0-9]{{19}}"
"""The codes of which the beginning says what they are; T with 20 signs are granules of herbs."""
_NAMES = ("item_name", "local_item_name")


def find_classes(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    second: Mapping[int, bool],
    classes: Sequence[ChargeClass],
) -> None:
    """Make `class_of_code` (raw, class) from `code_census`, and `class_of_type` (said, class); a class is its place in `classes`, from 1, and 0
    is none."""
    known = f"regexp_full_match(code, '{_SHAPES}')"
    by_code = _case({n: _begins("code", each.codes) for n, each in _numbered(classes) if each.codes})
    code = read_text("cleaned", Kind.CODE)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE class_of_code AS
        SELECT raw, CAST(CASE WHEN {known} THEN {by_code} ELSE 0 END AS UTINYINT) AS class FROM (
          SELECT raw, {code} AS code FROM (SELECT DISTINCT raw, {clean_text("raw")} AS cleaned FROM code_census WHERE raw IS NOT NULL))"""
    )
    _class_by_name(connection, sources, second, classes)
    types = [
        f"SELECT DISTINCT {read_column(source.map, 'charge_type')} AS said FROM {source.table.scan()}"
        for source in sources
        if source.map.has("charge_type")
    ]
    # A code of one digit has lost its zero; one of three is a type of list, of which the first digit tells; longer ones are children.
    key = """CASE WHEN regexp_full_match(said, '[0-9]') THEN '0' || said WHEN regexp_full_match(said, '[0-9]{3}') THEN left(said, 1) || 'xx'
        WHEN regexp_full_match(said, '[0-9]{2}([0-9]{2}){0,2}') THEN left(said, 2) END"""
    by_type = _case(
        {n: f"({key}) IN ({sqltext.texts(each.charge_types)})" for n, each in _numbered(classes) if each.charge_types}
    )
    by_word = _case({n: _matches("said", each.words) for n, each in _numbered(classes) if each.words})
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE class_of_type AS
        SELECT said, CAST(CASE WHEN regexp_matches(said, '[^0-9]') THEN {by_word} ELSE {by_type} END AS UTINYINT) AS class
        FROM (SELECT DISTINCT said FROM ({" UNION ".join(types) or "SELECT '' AS said WHERE FALSE"})) WHERE said IS NOT NULL"""
    )


def class_sql(of_type: str, of_code: str, classes: Sequence[ChargeClass]) -> str:
    """SQL of the class of a line, given those of its charge type and of its code (NULL is none)."""
    numbers = {each.id: number for number, each in _numbered(classes)}
    finer = f"{of_type} = {numbers['examination']} AND {of_code} IN ({numbers['ct']}, {numbers['mri']})"
    return f"CASE WHEN coalesce({of_type}, 0) = 0 OR ({finer}) THEN coalesce({of_code}, 0) ELSE {of_type} END"


def _class_by_name(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    second: Mapping[int, bool],
    classes: Sequence[ChargeClass],
) -> None:
    """Class codes of which the code says nothing by the first name that they have."""
    if not one_number(connection, "SELECT count(*) FROM class_of_code WHERE class = 0"):
        return
    unknown = "raw IN (SELECT raw FROM class_of_code WHERE class = 0)"
    named = []
    for number, source in enumerate(sources):
        if told := [name for name in _NAMES if source.map.has(name)]:
            # As they lie: of all lines of a code one name is cleaned.
            lying = ", ".join(
                f"{as_it_stands(source.map, name) or read_column(source.map, name)} AS {name}" for name in told
            )
            rows = f"SELECT {raw_code(source, second=second[number])} AS raw, {lying} FROM {source.table.scan()}"
            first = ", ".join(f"min({name}) AS {name}" for name in told)
            name = f"coalesce({', '.join(map(clean_text, told))})"
            named.append(
                f"SELECT raw, {name} AS name FROM (SELECT raw, {first} FROM ({rows}) WHERE {unknown} GROUP BY raw)"
            )
    if not named:
        return
    names = " UNION ALL ".join(named)
    by_name = _case({n: _matches("name", each.names) for n, each in _numbered(classes) if each.names})
    connection.execute(
        f"""UPDATE class_of_code SET class = n.class FROM (
          SELECT raw, {by_name} AS class FROM (SELECT raw, min(name) AS name FROM ({names}) GROUP BY raw)) n
        WHERE n.raw = class_of_code.raw"""
    )


def _numbered(classes: Sequence[ChargeClass]) -> list[tuple[int, ChargeClass]]:
    return list(enumerate(classes, 1))


def _case(conditions: Mapping[int, str]) -> str:
    return f"CASE {' '.join(f'WHEN {condition} THEN {number}' for number, condition in conditions.items())} ELSE 0 END"


def _begins(value: str, beginnings: Sequence[str]) -> str:
    return f"({' OR '.join(f'starts_with({value}, {sqltext.text(each)})' for each in beginnings)})"


def _matches(value: str, patterns: Sequence[str]) -> str:
    return f"regexp_matches({value}, {sqltext.text('|'.join(patterns))})"
