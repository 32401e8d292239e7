"""The findings that a page holds: columns, each value once, compressed; what does not fit is told."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checker.audit.columns import COLUMNS
from checker.audit.table_sql import cases_query
from checker.model.shown import shown

if TYPE_CHECKING:
    import duckdb

COLUMNS_OF_PAGE = (
    "verdict", "level", "class", "institution_id", "institution_name", "department", "prescriber", "service_time", "item_code", "item_name",
    "local_item_name", "quantity", "amount_at_stake", "patient_id", "person_hash", "person_sex", "person_age", "visit_id", "settlement_id", "line_id",
    "rule_name", "expected", "actual", "reason", "advice", "evidence", "diagnoses", "diagnosis_names", "settlement_amount", "cluster_id",
)  # fmt: skip
"""What a page tells of a finding."""
MOST_BYTES = 3_600_000
"""Of the findings in a page, compressed and written as text; with all else it stays below five megabytes."""
MOST_FINDINGS = 200_000


@dataclass(frozen=True, slots=True)
class Embedded:
    """Findings as a page holds them: the text, the names of their columns, how many they are, and how many there are in all, of which violations."""

    text: str
    columns: tuple[str, ...]
    held: int
    of: int
    violations: int


def embed_findings(
    connection: duckdb.DuckDBPyConnection, *, language: str, identities: bool, none: bool = False
) -> Embedded:
    """The findings that are violations or undetermined, those of most yuan first, as many as fit; with `none` no single one is told."""
    names = tuple(name for name in COLUMNS_OF_PAGE if identities or not COLUMNS[name].identity)
    query = cases_query(
        names,
        "verdict IN ('violation', 'undetermined')",
        language=language,
        identities=identities,
        order="amount_at_stake DESC NULLS LAST, finding_id",
    )
    row = connection.execute(
        "SELECT count(*), count(*) FILTER (verdict = 'violation') FROM findings WHERE verdict IN ('violation', 'undetermined')"
    ).fetchone()
    assert row is not None
    held = 0 if none else min(int(row[0]), MOST_FINDINGS)
    rows = connection.execute(f"{query} LIMIT {held}").fetchall()
    while True:
        text = _packed(names, rows[:held])
        if len(text) <= MOST_BYTES or held == 0:
            return Embedded(text, names, held, int(row[0]), int(row[1]))
        held = int(held * 0.9 * MOST_BYTES / len(text))


def _packed(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    columns = []
    for place, name in enumerate(names):
        numbers: dict[Any, int] = {}
        index = [numbers.setdefault(row[place], len(numbers)) for row in rows]
        kind = COLUMNS[name].kind
        columns.append({"name": name, "values": [_plain(value, kind) for value in numbers], "index": index})
    packed = json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return base64.b64encode(gzip.compress(packed, 6, mtime=0)).decode("ascii")


def _plain(value: Any, kind: str) -> object:
    if value is None:
        return None
    if kind == "time":
        return value.strftime("%Y-%m-%d %H:%M")
    return shown(str(value)) if kind == "text" else float(value)
