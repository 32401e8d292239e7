"""What the tables of a built knowledge base hold, as they were loaded: the hash of their rows, and whether any point can judge.

Standard library only: a check at the counter pays for this module's import.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from checker.knowledge.rows import POINT_COMMON
from checker.knowledge.tables import CROSSWALK, EXEMPTION, EXEMPTION_ITEM, PATTERN, POINT, KnowledgeTable
from checker.model import sqltext
from checker.shapes import SHAPES

if TYPE_CHECKING:
    from hashlib import _Hash as _Digest

    import duckdb

_PATTERN = ("point_id", "role", "match", "code", "published_codes")
_CROSSWALK = ("local_code", "local_name", "national_code", "valid_from", "valid_to", "basis")
_USABLE = """SELECT count(*) FROM held_point p WHERE point_id <> '' AND rule_id <> '' AND valid_from IS NOT NULL
  AND (valid_to IS NULL OR valid_from < valid_to) AND (status IS NULL OR status IN ('active', 'shadow'))
  AND EXISTS (FROM held_pattern t WHERE t.point_id = p.point_id AND role = 'item' AND match IN ('code', 'family') AND code <> '')"""


@dataclass(frozen=True, slots=True)
class Content:
    """The hash of all rows; how many points there are, how many of these can judge a line, how many exemptions, and how many rows of a crosswalk."""

    hash: str
    points: int
    usable: int
    exemptions: int
    crosswalk: int


def content_of(con: duckdb.DuckDBPyConnection, rows: Callable[[KnowledgeTable], str]) -> Content:
    """Return what a knowledge base holds; `rows` gives the SQL of a table, of the points with the limits of all shapes.

    The hash is that of the rows as canonical text (`csv_text` of the tables of points, patterns and local codes, then JSON), as
    `build.content_hash` makes it of frames.
    """
    con.execute(f"CREATE TEMP TABLE held_point AS {rows(POINT)}")
    con.execute(f"CREATE TEMP TABLE held_pattern AS {rows(PATTERN)}")
    digest = hashlib.sha256()
    points = _add(con, digest, "point", "held_point", POINT_COMMON, "point_id", always=True)
    having = {shape: " OR ".join(f"{limit.name} IS NOT NULL" for limit in shape.limits) for shape in SHAPES}
    held = con.execute(
        f"SELECT {', '.join(f'bool_or({where})' for where in having.values())} FROM held_point"
    ).fetchone()
    for (shape, where), is_held in zip(having.items(), held or (), strict=True):
        if is_held:
            names = [limit.name for limit in shape.limits]
            _add(con, digest, shape.id, f"(FROM held_point WHERE {where})", ("point_id", *names), "point_id")
    _add(con, digest, "pattern", "held_pattern", _PATTERN, PATTERN.key, always=True)
    crosswalk = _add(con, digest, CROSSWALK.name, f"({rows(CROSSWALK)})", _CROSSWALK, CROSSWALK.key)
    exemptions = con.execute(f"FROM ({rows(EXEMPTION)}) ORDER BY {EXEMPTION.key}").fetchall()
    items = con.execute(f"FROM ({rows(EXEMPTION_ITEM)}) ORDER BY {EXEMPTION_ITEM.key}").fetchall()
    for row in (*exemptions, *items):
        digest.update(f"{canonical_row(row)}\n".encode())
    usable = con.execute(_USABLE).fetchone()
    return Content(digest.hexdigest(), points, int(usable[0]) if usable else 0, len(exemptions), crosswalk)


def canonical_row(row: Iterable[object]) -> str:
    """A row of an exemption table as the text that is hashed."""
    return json.dumps(list(row), ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no canonical text for {value!r}")


def _add(
    con: duckdb.DuckDBPyConnection,
    digest: _Digest,
    name: str,
    table: str,
    columns: Iterable[str],
    key: str,
    *,
    always: bool = False,
) -> int:
    """Add a table as CSV: a header, one row a line, NULL as nothing; one without rows only where it is there `always`."""
    listed = list(columns)
    cells = " || ',' || ".join(_cell(column) for column in listed)
    got = con.execute(f"SELECT string_agg({cells} || chr(10), '' ORDER BY {key}), count(*) FROM {table}").fetchone()
    text, count = got or (None, 0)
    if count or always:
        digest.update(f"{name}\n{','.join(listed)}\n{text or ''}".encode())
    return int(count)


def _cell(column: str) -> str:
    """SQL of a cell as CSV has it: quoted where it is empty text or holds what separates cells."""
    cell = f"CAST({column} AS VARCHAR)"
    quoted = f"""'"' || replace({cell}, '"', '""') || '"'"""
    special = sqltext.text('[,"\n\r]')
    return f"CASE WHEN {cell} IS NULL THEN '' WHEN {cell} = '' OR regexp_matches({cell}, {special}) THEN {quoted} ELSE {cell} END"
