"""Which rows of sources are of some persons: each spelling of an id is read once, as of most rows it is all that is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.engines.lines import LineEngine
from checker.ingest import line_sql
from checker.ingest.columns import read_column
from checker.ingest.sources import Source
from checker.model import sqltext

if TYPE_CHECKING:
    import duckdb

PERSON_IDS = ("patient_id", "patient_id_number")
"""The columns that tell whose a row is, the one that goes before first."""


def person_sql(patient_id: str, patient_id_number: str) -> str:
    """SQL of a person as relations of persons know it, by what tells whose a row is."""
    return f"coalesce({_told('patient_id', patient_id)}, {_told('patient_id_number', patient_id_number)})"


def _told(name: str, value: str) -> str:
    """SQL of a person by one of PERSON_IDS: an id and an ID number of the same digits are two."""
    return f"'{'p' if name == 'patient_id' else 'n'}' || {value}"


@dataclass(frozen=True, slots=True)
class Persons:
    """Some persons, told by SQL of one column, as `person_sql` writes them; `name` begins the tables that are made of them."""

    connection: duckdb.DuckDBPyConnection
    engine: LineEngine
    name: str
    asked: str

    def rows_of(self, sources: Sequence[Source], *, or_nobody: bool = False, by_any: bool = False) -> list[str]:
        """By source, SQL of a condition on its rows as they lie that those of the persons fulfil, among others; '' for all.

        `or_nobody`: so do rows of which no id tells whose they are; `by_any`: any of the columns may tell it, not just the one that goes
        before. Who leaves the persons later leaves the condition as well.
        """
        told = [_told_by(source)[: None if by_any else 1] for source in sources]
        asked = [(number, name) for number, names in enumerate(told) if all(names) for name in names]
        queries = [self._spellings(sources[number], name) for number, name in asked]
        answers = line_sql.ask(self.engine, self.connection, [sources[number] for number, _ in asked], queries)
        conditions: list[list[str]] = [[] for _ in sources]
        for (number, name), rows in zip(asked, answers, strict=True):
            table = f"{self.name}_{name}_{number}"
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM {rows}")
            lying = _lying(sources[number], name)
            spelt = f"{lying} IN (SELECT spelt FROM {table} WHERE person IS NULL OR person IN ({self.asked}))"
            conditions[number].append(f"({lying} IS NULL OR {spelt})" if or_nobody else spelt)
        return [f"({' OR '.join(some)})" if some else "" for some in conditions]

    def _spellings(self, source: Source, name: str) -> str:
        """SQL of the spellings (spelt, person) of the persons in a source, and of those that cannot be read (NULL)."""
        lying = _lying(source, name)
        person = _told(name, read_column(source.map, name))
        return f"""SELECT {lying} AS spelt, {person} AS person FROM (SELECT DISTINCT {lying} FROM {source.table.scan()})
            WHERE {lying} IS NOT NULL AND coalesce({person} IN ({self.asked}), TRUE)"""


def _told_by(source: Source) -> list[str]:
    """The columns by which a source tells whose a row is, '' for one that is not one header."""
    return [
        name if len(source.map.found[name]) == 1 and not source.map.fallback.get(name) else ""
        for name in PERSON_IDS
        if source.map.has(name)
    ]


def _lying(source: Source, name: str) -> str:
    return sqltext.name(source.map.found[name][0].text)
