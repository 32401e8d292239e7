"""The tables of a knowledge base: the Parquet file, the DuckDB table, the sort key and the SQL of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields

from checker.knowledge.rows import POINT_COMMON, PointRow
from checker.model import sqltext
from checker.shapes import LIMITS, SHAPES
from checker.shapes.base import Limit, Shape
from checker.shapes.item import ITEM


@dataclass(frozen=True, slots=True)
class KnowledgeTable:
    """One table: its Parquet file, the DuckDB table it becomes, its sort key, the SQL that creates it and the one that reads `{path}`."""

    name: str
    kb_table: str
    key: str
    create: str
    read: str

    @property
    def file(self) -> str:
        """The name of the Parquet file."""
        return f"{self.name}.parquet"


_SQL = {"str": "VARCHAR", "int": "INTEGER", "date": "DATE"}
_COMMON = {
    column.name: _SQL[str(column.type).partition(" ")[0]] for column in fields(PointRow) if column.name in POINT_COMMON
}


def _typed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def _limits(limits: Iterable[Limit]) -> dict[str, str]:
    return {limit.name: _SQL[limit.kind.__name__] for limit in limits}


def _limit_table(shape: Shape) -> KnowledgeTable:
    columns = {"point_id": "VARCHAR"} | _limits(shape.limits)
    names = ", ".join(columns)
    return KnowledgeTable(
        shape.id,
        f"kb_{shape.id}",
        "point_id",
        f"CREATE TABLE kb_{shape.id} ({_typed(columns)})",
        f"SELECT {names} FROM read_parquet({{path}})",
    )


POINT = KnowledgeTable(
    "point",
    "kb_point",
    "point_id",
    f"CREATE TABLE kb_point ({_typed(_COMMON)})",
    f"SELECT {', '.join(_COMMON)} FROM read_parquet({{path}})",
)
"""What every point has. Once loaded, kb_point holds the limits of all shapes too (`create_points`, `select_points`)."""
LIMIT_TABLES = tuple(_limit_table(shape) for shape in SHAPES)
"""The limits of points, a table for each shape; an edition has those of the shapes that its points have."""
PATTERN = KnowledgeTable(
    "pattern",
    "kb_pattern",
    "point_id, role, match, code",
    "CREATE TABLE kb_pattern (point_id VARCHAR, role VARCHAR, match VARCHAR, code VARCHAR, published_codes INTEGER)",
    "SELECT point_id, role, match, code, published_codes FROM read_parquet({path})",
)
EXEMPTION = KnowledgeTable(
    "exemption",
    "kb_exemption",
    "exemption_id",
    """CREATE TABLE kb_exemption (
        exemption_id VARCHAR, rule_id VARCHAR, effect VARCHAR, reason VARCHAR, reason_en VARCHAR, evidence VARCHAR,
        status VARCHAR, diagnoses VARCHAR[], region VARCHAR, region_of VARCHAR, valid_from DATE, valid_to DATE)""",
    """SELECT exemption_id, rule_id, effect, reason, reason_en, evidence, status, diagnoses, region, region_of, valid_from, valid_to
        FROM read_parquet({path})""",
)
EXEMPTION_ITEM = KnowledgeTable(
    "exemption_item",
    "kb_exemption_item",
    "exemption_id, match, value",
    "CREATE TABLE kb_exemption_item (exemption_id VARCHAR, match VARCHAR, value VARCHAR)",
    "SELECT exemption_id, match, value FROM read_parquet({path})",
)
NAME = KnowledgeTable(
    "name",
    "kb_name",
    "item_name",
    "CREATE TABLE kb_name (item_name VARCHAR, item_key VARCHAR, pinyin VARCHAR, initials VARCHAR)",
    "SELECT item_name, item_key, pinyin, initials FROM read_parquet({path})",
)
"""The item names of the points with what they are compared and found by; made when a knowledge base is built."""
_CROSSWALK = {
    "local_code": "VARCHAR", "local_name": "VARCHAR", "national_code": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE",
    "basis": "VARCHAR",
}  # fmt: skip
CROSSWALK = KnowledgeTable(
    "crosswalk",
    "kb_crosswalk",
    "local_code, national_code, valid_from NULLS FIRST, valid_to",
    f"CREATE TABLE kb_crosswalk ({_typed(_CROSSWALK)})",
    f"SELECT {', '.join(_CROSSWALK)} FROM read_parquet({{path}})",
)
"""Which national codes local codes stand for [对照表]; an edition has it where it has such rows."""
TABLES = (POINT, PATTERN, EXEMPTION, EXEMPTION_ITEM, NAME)
"""What every edition has, in the order in which it is written, hashed and loaded; the limit tables come after the points, and a crosswalk last."""
WHERE_HELD = (*LIMIT_TABLES, CROSSWALK)
"""What an edition has only where there are such rows."""
CREATE_POINTS = f"CREATE TABLE kb_point ({_typed(_COMMON | _limits(LIMITS))})"
"""kb_point as it is loaded: what every point has, and the limits of all shapes."""
_LIMITS_BEFORE = frozenset(limit.name for limit in ITEM.limits)
"""The limits that stood in the table of points itself, in an edition without limit tables (layout 2)."""


def select_crosswalk(files: Iterable[str], path: Callable[[str], str]) -> str:
    """SQL of the crosswalk of an edition, from the files that it has: no rows where it has none."""
    if CROSSWALK.file in set(files):
        return CROSSWALK.read.format(path=path(CROSSWALK.file))
    return f"SELECT {sqltext.nulls(_CROSSWALK)} WHERE FALSE"


def select_points(files: Iterable[str], path: Callable[[str], str], *, limits_within: bool) -> str:
    """SQL of the points of an edition with the limits of all shapes, the columns of CREATE_POINTS, from the files that it has."""
    names = set(files)
    tables = [table for table in LIMIT_TABLES if table.file in names]
    held = {
        limit.name
        for table, shape in zip(LIMIT_TABLES, SHAPES, strict=True)
        if table in tables
        for limit in shape.limits
    }
    present = _LIMITS_BEFORE if limits_within else held
    limits = [name if name in present else f"CAST(NULL AS {kind}) AS {name}" for name, kind in _limits(LIMITS).items()]
    points = f"read_parquet({path(POINT.file)}) AS point"
    joined = "".join(
        f" LEFT JOIN read_parquet({path(table.file)}) AS {table.kb_table} USING (point_id)" for table in tables
    )
    return f"SELECT {', '.join((*_COMMON, *limits))} FROM {points}{joined}"
