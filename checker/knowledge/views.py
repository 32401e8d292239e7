"""A built knowledge base under the names of its tables, read where it lies: for a look-up that needs a few rows of many.

Standard library only: a look-up pays for this module's import.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from checker.knowledge.edition import Edition, select_rows
from checker.knowledge.tables import CROSSWALK, EXEMPTION, EXEMPTION_ITEM, NAME, PATTERN, POINT, KnowledgeTable
from checker.model import sqltext
from checker.model.errors import KnowledgeError

if TYPE_CHECKING:
    import duckdb

MEMORY = "1GB"
"""What a look-up may hold; it is never more than a fraction of this, and nothing is written to disk."""
_REPLACED_BY = (
    (POINT, POINT, "point_id"), (PATTERN, POINT, "point_id"), (EXEMPTION, EXEMPTION, "exemption_id"),
    (EXEMPTION_ITEM, EXEMPTION, "exemption_id"), (NAME, NAME, "item_name"), (CROSSWALK, CROSSWALK, "local_code"),
)  # fmt: skip
"""Of each table, which table of a later edition takes away its rows, and by which key."""


def open_views(con: duckdb.DuckDBPyConnection, editions: Sequence[Edition]) -> None:
    """Create kb_point, kb_pattern, kb_exemption, kb_exemption_item, kb_name and kb_crosswalk as views of layered editions, base first.

    They hold what `edition.load_into` loads. Raises KnowledgeError where a file does not hold its table's columns.
    """
    import duckdb

    for table, owner, key in _REPLACED_BY:
        layers = []
        for number, edition in enumerate(editions):
            later = [f"SELECT {key} FROM {_held(above, owner)}" for above in editions[number + 1 :]]
            kept = "".join(f" AND {key} NOT IN ({taken})" for taken in later)
            layers.append(f"SELECT * FROM ({select_rows(edition, table)}) WHERE true{kept}")
        try:
            con.execute(f"CREATE TEMP VIEW {table.kb_table} AS {' UNION ALL '.join(layers)}")
        except duckdb.Error as error:
            edition = editions[-1]
            raise KnowledgeError(
                f"{edition.folder}：{table.file} 的列与版式不符，请重新构建（its columns are not those of its table: {error}）",
                embedded=any(each.embedded for each in editions),
            ) from error


def _held(edition: Edition, table: KnowledgeTable) -> str:
    if table is CROSSWALK:
        return f"({select_rows(edition, table)})"
    return f"read_parquet({sqltext.paths([edition.held.path(table.file)])})"
