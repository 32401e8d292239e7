"""Finding knowledge points by code, code prefix, name, pinyin [拼音], initials [首字母] or id, best first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from checker.engines.duckdb import connect_locked
from checker.knowledge.codes import is_code
from checker.knowledge.edition import Edition
from checker.knowledge.names import item_key
from checker.knowledge.nearest import nearest
from checker.knowledge.point_words import LIMIT_COLUMNS, Limits, limits_of
from checker.knowledge.resolve import knowledge_files
from checker.knowledge.views import MEMORY, open_views
from checker.model.errors import InputError

if TYPE_CHECKING:
    import duckdb

HOW_WELL = ("exact", "starts", "contains")
_NOT_TYPED = re.compile(r"[^a-z0-9]+")
_LATIN = re.compile(r"[a-z0-9 \-.']+")
_CODE = re.compile(r"[XZTC0-9][A-Z0-9]+")
_ID = re.compile(r"[a-z0-9._-]+")
_NAMED = """
  SELECT item_name, CASE WHEN {name} = $text OR {key} = $key THEN 0 WHEN starts_with({key}, $text) THEN 1 ELSE 2 END AS by_name
  FROM kb_name WHERE contains({key}, $text) OR contains({name}, $text)"""
_SPELLED = """
  SELECT item_name, CASE WHEN initials = $text OR pinyin = $text THEN 0
    WHEN starts_with(initials, $text) OR starts_with(pinyin, $text) THEN 1 ELSE 2 END AS by_name
  FROM kb_name WHERE contains(initials, $text) OR contains(pinyin, $text)"""
"""Letters and digits in a name stand in its spelling as they are."""
_HITS = f"""
WITH named AS ({{named}}
), hits AS (
  SELECT point_id, by_name AS how FROM kb_point JOIN named USING (item_name)
  UNION ALL
  SELECT point_id, CASE WHEN code = $code OR ($full AND starts_with($code, code)) THEN 0 ELSE 1 END
  FROM kb_pattern WHERE role = 'item' AND $code <> '' AND (starts_with(code, $code) OR (match = 'family' AND starts_with($code, code)))
  UNION ALL
  SELECT point_id, CASE WHEN lower(point_id) = $id THEN 0 ELSE 1 END
  FROM kb_point WHERE $id <> '' AND starts_with(lower(point_id), $id)
), found AS (
  SELECT point_id, min(how) AS how FROM hits GROUP BY point_id
), dated AS (
  SELECT point_id, how, rule_id, item_name, valid_from,
    valid_from <= $day AND (valid_to IS NULL OR $day < valid_to) AS in_force
  FROM found JOIN kb_point USING (point_id)
), items AS (
  SELECT point_id, how, in_force, item_name, rule_id FROM dated
  QUALIFY row_number() OVER (
    PARTITION BY rule_id, item_name ORDER BY how, in_force DESC, valid_from DESC, point_id) = 1
), best AS (
  SELECT *, count(*) OVER () AS items FROM items
  ORDER BY how, in_force DESC, length(item_name), item_name, rule_id LIMIT $limit
)
SELECT b.how, p.item_name, p.rule_id, p.point_id, b.in_force, p.valid_from, p.valid_to, p.status, p.level_cap,
  p.published_codes, b.items, {", ".join(f"p.{column}" for column in LIMIT_COLUMNS)}
FROM best b JOIN kb_point p USING (point_id)
ORDER BY b.how, b.in_force DESC, length(p.item_name), p.item_name, p.rule_id"""
"""What finds an item is ranked 0, 1 or 2 (HOW_WELL); only the rows that are shown are read whole."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One item of one rule: its point in force, else the last one; `how` is one of HOW_WELL."""

    how: str
    item_name: str
    rule_id: str
    point_id: str
    in_force: bool
    valid_from: date
    valid_to: date | None
    status: str
    level_cap: str | None
    published_codes: int
    limits: Limits


@dataclass(frozen=True, slots=True)
class Found:
    """The best hits, how many there are in all, and where there is none, the names of items that lie near."""

    hits: tuple[Hit, ...]
    items: int
    nearest: tuple[str, ...]


def search(editions: Sequence[Edition], text: str, *, limit: int, day: date) -> Found:
    """Return the items that the text finds, at most `limit`: exact before beginning before part, in force on `day` before ended.

    The text is a full code or its beginning, an item name or a part, pinyin or initials, or the beginning of a point id;
    case and width of letters do not matter. Raises InputError for a text without any letter or digit.
    """
    with connect_locked(readable=knowledge_files(editions), memory=MEMORY) as con:
        open_views(con, editions)
        return search_in(con, text, limit=limit, day=day)


def search_in(con: duckdb.DuckDBPyConnection, text: str, *, limit: int, day: date) -> Found:
    """The same in a connection that has the tables of a knowledge base."""
    asked = unicodedata.normalize("NFKC", text).strip().lower()
    if not any(character.isalnum() for character in asked):
        raise InputError(f"“{text}”：请写编码、名称、拼音或首字母（write a code, a name, pinyin or initials）")
    code = asked.upper().replace(" ", "")
    spelled = _LATIN.fullmatch(asked) is not None
    values: dict[str, object] = {
        "text": _NOT_TYPED.sub("", asked) if spelled else asked,
        "code": code if _CODE.fullmatch(code) else "",
        "full": is_code(code),
        "id": asked if _ID.fullmatch(asked) else "",
        "day": day,
        "limit": limit,
    }
    named = _SPELLED
    if not spelled:
        values["key"] = item_key(asked)
        # Chinese has no capitals, and lower() over all names takes longer than the search.
        cased = asked != asked.upper()
        columns = {"name": "item_name", "key": "item_key"}
        named = _NAMED.format(**{name: f"lower({column})" if cased else column for name, column in columns.items()})
    query = _HITS.format(named=named)
    rows = con.execute(query, values).fetchall()
    near = () if rows else tuple(nearest(con, asked))
    hits = tuple(_hit(row) for row in rows)
    return Found(hits, rows[0][10] if rows else 0, near)


def _hit(row: Sequence[Any]) -> Hit:
    how, item_name, rule_id, point_id, in_force, valid_from, valid_to, status, level_cap, codes, _, *limits = row
    return Hit(
        HOW_WELL[how], item_name, rule_id, point_id, in_force, valid_from, valid_to, status, level_cap, codes,
        limits_of(limits),
    )  # fmt: skip
