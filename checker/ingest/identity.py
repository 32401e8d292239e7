"""Which line is the same line where none has an id (docs/judgment.md, section 6): what it says, and its place among equal ones of its file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from checker.ingest.file_kinds import WORKBOOKS
from checker.ingest.line_sql import CAREFUL, LINE_NO_SHIFT
from checker.ingest.lost_keys import KEYS, as_written
from checker.ingest.netting import PERSON
from checker.model.id_number import one_person

if TYPE_CHECKING:
    import duckdb

_SAID = (
    "institution_id", "settlement_id", "visit_id", "prescription_id", "item_code", "service_time", "quantity", "amount",
)  # fmt: skip
"""What a line is known by, and its findings are named after."""
_MORE = (
    "amount_in_scope", "newborn_flag", "visit_start", "diagnosis_code", "item_name",
)  # fmt: skip
"""In what else equal lines may differ: they are numbered in its order, so that it does not matter in which order they came."""

NUMBERED = (
    "line_no BIGINT, item_code VARCHAR, beside BOOLEAN, prescription_id VARCHAR, place BIGINT, repeat BIGINT, members BIGINT, judged BIGINT, "
    "ordinal BIGINT"
)
"""The columns of `numbered_line`."""

_PART = re.compile(r"^(?:part-(?:[mr]-)?[0-9]+|[0-9]{6}_[0-9]+|[0-9a-f]{16}-[0-9a-f]{8}_[0-9]+_data\.[0-9]+)")
_PIECE = re.compile(r"(?:-[0-9]+-[0-9]+)?[-.]c[0-9]+(?=\.|$)")


def deliveries(origins: Iterable[tuple[int, Path]]) -> Mapping[int, int]:
    """Which files are one delivery, by their numbers: the sheets of a workbook, the parts of a table that one run of Spark, Hive or Impala wrote.

    Equal lines of one delivery are several, those of two deliveries are one that came twice.
    """
    first: dict[tuple[Path, str], int] = {}
    return {number: first.setdefault(_delivery(path), number) for number, path in origins}


def _delivery(path: Path) -> tuple[Path, str]:
    if path.parent.suffix.lower() in WORKBOOKS:
        return path.parent, ""
    if not _PART.match(path.name):
        return path, ""
    folder = path.parent
    while "=" in folder.name:
        folder = folder.parent
    # What is left of the name tells one run from the next.
    return folder, _PIECE.sub("", _PART.sub("", path.name))


def number_lines(
    connection: duckdb.DuckDBPyConnection, origins: Iterable[tuple[int, Path]], unneeded: frozenset[str]
) -> None:
    """Make `numbered_line` of the staged lines without an id.

    `place` puts them in the order of what they say; `repeat` counts, in the order of files, a line and those that are it once more; `members` is
    how many these are, `judged` how many of them are judged lines; `ordinal` tells equal lines that are not the same apart, for the names of their
    findings. Where a line names no visit, settlement, order or person, and no hour either, equal ones of other files may well be other
    ones: none of them is taken for a repeat.
    """
    if unneeded >= CAREFUL:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE numbered_line ({NUMBERED})")
        return
    connection.execute("CREATE OR REPLACE TEMP TABLE delivery (file_no BIGINT, delivery BIGINT)")
    told = deliveries(origins)
    connection.execute(
        "INSERT INTO delivery SELECT unnest(?::BIGINT[]), unnest(?::BIGINT[])", [[*told], [*told.values()]]
    )
    read = {
        "patient_id_number": one_person("patient_id_number"),
        # The place of a prescription within a JSON file is no number that anybody gave it.
        "prescription_id": "CASE WHEN NOT starts_with(prescription_id, chr(30)) THEN prescription_id END",
    }
    columns = [name for name in (*_SAID, *PERSON, *_MORE) if name not in unneeded]
    written = {name: as_written(name) if name in KEYS else name for name in columns}
    order, shown = ", ".join(written.values()), ", ".join(written[name] for name in _SAID)
    said, person = (", ".join(name for name in names if name in columns) for names in (_SAID, PERSON))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE numbered_line AS
        WITH told AS (
          SELECT line_no, is_refund, beside, {", ".join(f"{read.get(name, name)} AS {name}" for name in columns)} FROM staged_line WHERE line_id IS NULL
        ),
        placed AS (
          SELECT told.*, row_number() OVER (ORDER BY {order}, line_no) AS place,
            CASE WHEN coalesce(visit_id, settlement_id, prescription_id, patient_id, patient_id_number) IS NOT NULL
              OR service_time <> date_trunc('day', service_time) THEN delivery ELSE -1 END AS delivery
          FROM told JOIN delivery ON file_no = line_no // {LINE_NO_SHIFT}
        ),
        counted AS (
          SELECT *, row_number() OVER (PARTITION BY delivery, is_refund, {said}, {person} ORDER BY beside, place) AS nth FROM placed
        ),
        repeated AS (
          SELECT *, row_number() OVER (same ORDER BY beside, line_no) AS repeat, count(*) OVER same AS members,
            count(*) FILTER (NOT beside) OVER same AS judged FROM counted
          WINDOW same AS (PARTITION BY is_refund, {said}, {person}, nth)
        )
        SELECT line_no, item_code, beside, prescription_id, place, repeat, members, judged,
          row_number() OVER (PARTITION BY is_refund OR beside OR repeat > 1, {shown} ORDER BY place) AS ordinal
        FROM repeated"""
    )


def name_lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `line_name` (line_no, order_id, ordinal) of the lines without an id that fired: what their findings are named after."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE line_name AS SELECT line_no, {as_written("prescription_id")} AS order_id, ordinal FROM numbered_line
        WHERE line_no IN (SELECT line_no FROM fired_line)"""
    )
