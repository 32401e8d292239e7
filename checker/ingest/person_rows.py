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

PERSON = ("patient_id", "patient_id_number")
"""The columns that tell whose a row is, the one that goes before first."""


def person_sql(patient_id: str, patient_id_number: str) -> str:
    """SQL of a person as relations of persons know it, by what tells whose a row is."""
    return f"coalesce('p' || {patient_id}, 'n' || {patient_id_number})"


@dataclass(frozen=True, slots=True)
class Persons:
    """Some persons, told by SQL of one column, as `person_sql` writes them; `name` begins the tables that are made of them."""

    connection: duckdb.DuckDBPyConnection
    engine: LineEngine
    name: str
    asked: str

    def rows_of(self, sources: Sequence[Source], *, or_nobody: bool) -> list[str]:
        """By source, SQL of a condition on its rows as they lie that those of the persons fulfil, among others; '' for all.

        `or_nobody`: so do rows of which no id tells whose they are. Who leaves the persons later leaves the condition as well.
        """
        told = {number: name for number, source in enumerate(sources) if (name := _told_by(source))}
        queries = [self._spellings(sources[number], name) for number, name in told.items()]
        conditions = [""] * len(sources)
        answers = line_sql.ask(self.engine, self.connection, [sources[number] for number in told], queries)
        for number, rows in zip(told, answers, strict=True):
            table = f"{self.name}_spelling_{number}"
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM {rows}")
            lying = _lying(sources[number], told[number])
            spelt = f"{lying} IN (SELECT spelt FROM {table} WHERE person IS NULL OR person IN ({self.asked}))"
            conditions[number] = f"({lying} IS NULL OR {spelt})" if or_nobody else spelt
        return conditions

    def _spellings(self, source: Source, name: str) -> str:
        """SQL of the spellings (spelt, person) of the persons in a source, and of those that cannot be read (NULL)."""
        lying = _lying(source, name)
        person = f"'{'p' if name == 'patient_id' else 'n'}' || {read_column(source.map, name)}"
        return f"""SELECT {lying} AS spelt, {person} AS person FROM (SELECT DISTINCT {lying} FROM {source.table.scan()})
            WHERE {lying} IS NOT NULL AND coalesce({person} IN ({self.asked}), TRUE)"""


def _told_by(source: Source) -> str:
    """The column by which a source tells whose a row is; '' where that is not one header."""
    name = next((name for name in PERSON if source.map.has(name)), "")
    return "" if len(source.map.found.get(name, ())) != 1 or source.map.fallback.get(name) else name


def _lying(source: Source, name: str) -> str:
    return sqltext.name(source.map.found[name][0].text)
