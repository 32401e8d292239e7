"""Persons whom only an ID number names: what findings call them, so that they are counted and nobody reads the number from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checker.ingest.lost_keys import MARK
from checker.model import sqltext
from checker.model.id_number import one_person

if TYPE_CHECKING:
    import duckdb

SIGN = "#"
"""How a label begins; where given ids begin so, one more sign."""


def label_persons(connection: duckdb.DuckDBPyConnection, *, key: str | None, any_number: bool) -> None:
    """Make `person_label` (number, label) of the lines in `fired_line` without a patient's id, by their `person_number`.

    Labels are numbers of this run. A hash of the ID number would be undone by trying all there are, so the order of the numbers is drawn: equally for equal
    persons, by the hash with all of them together, which nobody knows who does not know them all. With a `key` the label is a hash with it, the same
    for scans of one key: whoever keeps such findings must throw the key away. Without `any_number` no source has ID numbers.
    """
    if not any_number:
        connection.execute("CREATE OR REPLACE TEMP TABLE person_label (number VARCHAR, label VARCHAR)")
        return
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE person_label AS
        WITH person AS (
          SELECT DISTINCT person_number, {one_person("person_number")} AS one FROM fired_line
          WHERE patient_id IS NULL AND person_number IS NOT NULL AND NOT contains(person_number, {MARK})
        ),
        secret AS (SELECT {sqltext.text(key) if key else "sha256(string_agg(DISTINCT one, ',' ORDER BY one))"} AS secret FROM person),
        sign AS (SELECT repeat('{SIGN}', coalesce(max(length(regexp_extract(patient_id, '^{SIGN}*'))), 0) + 1) AS sign FROM fired_line),
        drawn AS (SELECT person_number, sha256(secret || one) AS hash FROM person, secret)
        SELECT person_number AS number, sign || {"left(hash, 20)" if key else "dense_rank() OVER (ORDER BY hash)"} AS label FROM drawn, sign"""
    )
