"""The evidence of a point in words: the published documents, batch and rows that were there on a day."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from checker.knowledge.edition import Edition

_ROW = re.compile("([^/]+)/(.+)/([0-9]+)")
"""A published row: batch, sheet and number."""
_DAY_OF_NOTICE = re.compile(r"[（，](\d{4}-\d{2}-\d{2})）$")
"""A document ends with the day of its notice, which stands in parentheses."""
_WORDS = {"zh": ("批次 ", r"批次 \1《\2》第 \3 行", "；"), "en": ("batch ", r"batch \1, \2, row \3", "; ")}


@dataclass(frozen=True, slots=True)
class Notices:
    """When the batches of the editions in use were published."""

    days: Mapping[str, date] = field(default_factory=dict)

    @classmethod
    def of(cls, editions: Iterable[Edition]) -> Notices:
        """Those that the editions name; of several of one batch the first."""
        days: dict[str, date] = {}
        for edition in editions:
            for notice in edition.manifest.notices:
                day = date.fromisoformat(notice.published)
                days[notice.batch] = min(day, days.get(notice.batch, day))
        return cls(days)

    def told(self, document: str | None, batch: str | None, source_rows: str | None, language: str, day: date) -> str:
        """The evidence of a point on a day: what was published later cannot have been known.

        The batch stands alone where some row does not name it. A point of which nothing was published by then names its first document.
        """
        before, row, joint = _WORDS[language]
        documents = document.split("；") if document else []
        known = [each for each in documents if _published(each) <= day] or documents[:1]
        rows = [each for each in (source_rows or "").split("; ") if each and self._published(each) <= day]
        found = [_ROW.fullmatch(each) for each in rows]
        alone = [] if not batch or (rows and all(found)) else [before + batch]
        told = [
            *known,
            *alone,
            *(match.expand(row) if match else each for each, match in zip(rows, found, strict=True)),
        ]
        text = joint.join(told)
        return text if language == "zh" else text.replace("；", joint)

    def _published(self, row: str) -> date:
        return self.days.get(row.partition("/")[0], date.min)

    def edges(self, documents: Iterable[str | None]) -> list[date]:
        """The days on which the evidence of points with these documents may change, in order."""
        named = {_published(each) for document in documents for each in (document or "").split("；")}
        return sorted({*self.days.values(), *named} - {date.min})


@functools.lru_cache(4096)
def _published(document: str) -> date:
    """The day of the notice that a document names; the first of all days where it names none."""
    found = _DAY_OF_NOTICE.search(document)
    return date.fromisoformat(found[1]) if found else date.min


def cite(connection: duckdb.DuckDBPyConnection, notices: Notices, fired: str, language: str) -> str:
    """Make the table `cited` (point_no, edge, evidence) of the points and days that lines hold; return the SQL of a line's edge.

    `fired` is SQL with point_no and on_date. An edge is the last day on which the evidence may have changed.
    """
    documents = connection.execute("SELECT DISTINCT document FROM point").fetchall()
    edges = notices.edges(document for (document,) in documents)
    edge = " ".join(f"WHEN on_date >= DATE '{day}' THEN DATE '{day}'" for day in reversed(edges))
    edge = f"CASE {edge} ELSE DATE '{date.min}' END" if edges else f"DATE '{date.min}'"
    rows = connection.execute(
        f"""SELECT DISTINCT point_no, {edge} AS edge, document, batch, source_rows
        FROM (SELECT DISTINCT point_no, on_date FROM ({fired})) JOIN point USING (point_no)"""
    ).fetchall()
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE cited AS
        SELECT unnest(CAST($1 AS INTEGER[])) AS point_no, unnest(CAST($2 AS DATE[])) AS edge, unnest(CAST($3 AS VARCHAR[])) AS evidence""",
        [
            [point_no for point_no, *_ in rows],
            [day for _, day, *_ in rows],
            [notices.told(document, batch, source, language, day) for _, day, document, batch, source in rows],
        ],
    )
    return edge


def sources(evidence: str) -> list[str]:
    """The documents and rows that evidence in words names, one by one."""
    return [part for each in evidence.split("；") for part in each.split("; ")]
