"""What the knowledge base says about one point, code or item name, with its whole history."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from checker.engines.duckdb import connect_locked
from checker.ingest.values import read_code
from checker.knowledge.codes import is_code
from checker.knowledge.edition import Edition
from checker.knowledge.names import item_key
from checker.knowledge.nearest import nearest
from checker.knowledge.resolve import knowledge_files
from checker.knowledge.rows import CrosswalkRow, ExemptionItemRow, ExemptionRow, PatternRow, PointRow, by_point
from checker.knowledge.views import MEMORY, open_views
from checker.model.errors import InputError

if TYPE_CHECKING:
    import duckdb

# One step after the other, each from a few rows to a few: a join of everything at once may begin with the two largest tables.
_STEPS = (
    "CREATE TEMP TABLE own AS SELECT * FROM kb_point WHERE point_id IN (SELECT unnest(?))",
    "CREATE TEMP TABLE own_pattern AS SELECT * FROM kb_pattern WHERE point_id IN (SELECT point_id FROM own)",
    """CREATE TEMP TABLE own_exemption AS SELECT * FROM kb_exemption WHERE rule_id IN (SELECT rule_id FROM own)""",
    """CREATE TEMP TABLE own_item AS
    SELECT * FROM kb_exemption_item WHERE exemption_id IN (SELECT exemption_id FROM own_exemption)""",
    """CREATE TEMP TABLE near_pattern AS
    SELECT point_id, code FROM kb_pattern WHERE role = 'item' AND code IN (SELECT code FROM own_pattern)""",
    "CREATE TEMP TABLE link AS SELECT point_id, superseded_by FROM kb_point WHERE superseded_by IS NOT NULL",
    """CREATE TEMP TABLE history AS
    WITH RECURSIVE both_ways AS (FROM link UNION ALL SELECT superseded_by, point_id FROM link),
    chain(start, point_id) AS (
      SELECT point_id, point_id FROM own
      UNION
      SELECT chain.start, both_ways.superseded_by FROM chain JOIN both_ways USING (point_id)
    )
    SELECT start, point_id, false AS shares FROM chain
    UNION ALL
    SELECT DISTINCT t.point_id, n.point_id, true FROM own_pattern t JOIN near_pattern n USING (code) WHERE t.role = 'item'""",
    """CREATE TEMP TABLE past AS SELECT * FROM kb_point WHERE point_id IN (SELECT point_id FROM history)""",
)
"""Of the points asked for: their rows, patterns, exemptions of their rules, and the points that share a code or follow each other."""
_POINTS = "FROM own ORDER BY point_id"
_PATTERNS = "FROM own_pattern ORDER BY ALL"
_EXEMPTIONS = "FROM own_exemption ORDER BY exemption_id"
_EXEMPTION_ITEMS = "FROM own_item ORDER BY ALL"
_ITEMS_BY_CODE = """
SELECT DISTINCT t.point_id, i.exemption_id FROM own_pattern t JOIN own_item i
ON t.role = 'item' AND i.match <> 'name' AND (starts_with(t.code, i.value) OR starts_with(i.value, t.code))"""
_HISTORY = """
SELECT h.start, p.* FROM (SELECT start, point_id, bool_and(shares) AS shares FROM history GROUP BY start, point_id) h
JOIN past p USING (point_id) JOIN own o ON o.point_id = h.start
WHERE NOT shares OR o.rule_id = p.rule_id ORDER BY h.start, p.valid_from, p.point_id"""
_COVERING = """
SELECT DISTINCT point_id FROM kb_pattern
WHERE role = 'item' AND (code = $code OR ($full AND match = 'family' AND starts_with($code, code)))"""

_MAPPED = """
SELECT DISTINCT point_id FROM kb_pattern JOIN kb_crosswalk
ON (match = 'code' AND code = national_code) OR (match = 'family' AND starts_with(national_code, code))
WHERE role = 'item' AND local_code = $code"""
_CROSSWALK = """
SELECT DISTINCT point_id, x.* FROM own_pattern JOIN kb_crosswalk x
ON (match = 'code' AND code = national_code) OR (match = 'family' AND starts_with(national_code, code))
WHERE role = 'item' ORDER BY ALL"""


@dataclass(frozen=True, slots=True)
class ExemptionCard:
    """One exemption that concerns a point, with the items it names; none mean every item of the rule."""

    exemption: ExemptionRow
    items: tuple[ExemptionItemRow, ...]


@dataclass(frozen=True, slots=True)
class PointCard:
    """One point with its patterns, its exemptions and its history, itself included, in the order of beginning.

    The crosswalk has the local codes that stand for a code which it covers. The history is the points of the rule that share a code with it,
    and those that it follows or that follow it (superseded_by).
    """

    point: PointRow
    patterns: tuple[PatternRow, ...]
    exemptions: tuple[ExemptionCard, ...]
    history: tuple[PointRow, ...]
    crosswalk: tuple[CrosswalkRow, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the card as JSON values; dates are ISO text."""
        card = {
            "point": self.point.to_dict(),
            "patterns": list(map(asdict, self.patterns)),
            "exemptions": list(map(asdict, self.exemptions)),
            "history": [row.to_dict() for row in self.history],
            "crosswalk": list(map(asdict, self.crosswalk)),
        }
        return {key: _json(value) for key, value in card.items()}


def describe_point(editions: Sequence[Edition], text: str) -> list[PointCard]:
    """Return the cards of a point id, of every point that covers an item code or a national one that it stands for, or of every point of an
    item name.

    All rows of history count, in force or not, sorted by point id. A name fits after NFKC. Raises InputError that names
    what lies nearest when nothing fits.
    """
    with connect_locked(readable=knowledge_files(editions), memory=MEMORY) as con:
        open_views(con, editions)
        found = _find(con, text)
        for number, step in enumerate(_STEPS):
            con.execute(step, [found] if number == 0 else None)
        points = [PointRow.of(row) for row in con.execute(_POINTS).fetchall()]
        patterns = by_point(PatternRow(*row) for row in con.execute(_PATTERNS).fetchall())
        histories: dict[str, list[PointRow]] = defaultdict(list)
        for start, *row in con.execute(_HISTORY).fetchall():
            histories[start].append(PointRow.of(row))
        exemptions = _exemptions(con, points)
        mapped: dict[str, list[CrosswalkRow]] = defaultdict(list)
        for point_id, *cells in con.execute(_CROSSWALK).fetchall():
            mapped[point_id].append(CrosswalkRow(*cells))
    return [
        PointCard(
            point,
            tuple(patterns[point.point_id]),
            tuple(exemptions[point.point_id]),
            tuple(histories[point.point_id]),
            tuple(mapped[point.point_id]),
        )
        for point in points
    ]


def _find(con: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    """The ids of the points that the text names."""

    def ids(query: str, values: Mapping[str, object]) -> list[str]:
        return [point_id for (point_id,) in con.execute(query, values).fetchall()]

    asked = unicodedata.normalize("NFKC", text).strip()
    if by_id := ids("SELECT point_id FROM kb_point WHERE point_id = $id", {"id": asked}):
        return by_id
    code = asked.upper()
    if covering := ids(_COVERING, {"code": code, "full": is_code(code)}):
        return covering
    if mapped := ids(_MAPPED, {"code": read_code(code)}):
        return mapped
    same_key = con.execute("SELECT item_name FROM kb_name WHERE item_key = ?", [item_key(asked)]).fetchall()
    names = [name for (name,) in same_key if unicodedata.normalize("NFKC", name) == asked]
    if by_name := ids("SELECT point_id FROM kb_point WHERE item_name IN (SELECT unnest($names))", {"names": names}):
        return by_name
    near = nearest(con, asked)
    told = f"；相近的有：{'、'.join(near)}" if near else "；请给出完整的项目名称、编码或知识点编号"
    hint = f"，或用 liangku kb search {asked} 查找"
    if is_code(code):
        raise InputError(f"“{text}”：没有知识点涉及这个编码{told}{hint}（no point covers this code）")
    raise InputError(
        f"“{text}”：知识库中没有这个知识点、编码或项目名称{told}{hint}（no point, code or item name of this knowledge base）"
    )


def _exemptions(con: duckdb.DuckDBPyConnection, points: Iterable[PointRow]) -> dict[str, list[ExemptionCard]]:
    """The exemptions that concern each point: of every item of its rule, of its name, or of a code that both cover."""
    rows = [ExemptionRow(*row) for row in con.execute(_EXEMPTIONS).fetchall()]
    items: dict[str, list[ExemptionItemRow]] = defaultdict(list)
    for values in con.execute(_EXEMPTION_ITEMS).fetchall():
        item = ExemptionItemRow(*values)
        items[item.exemption_id].append(item)
    by_code = set(con.execute(_ITEMS_BY_CODE).fetchall())
    keys = {owner: {item_key(item.value) for item in own if item.match == "name"} for owner, own in items.items()}
    cards: dict[str, list[ExemptionCard]] = defaultdict(list)
    for point in points:
        for row in rows:
            own = items[row.exemption_id]
            concerned = (
                not own
                or (point.point_id, row.exemption_id) in by_code
                or item_key(point.item_name) in keys.get(row.exemption_id, ())
            )
            if row.rule_id == point.rule_id and concerned:
                diagnoses = None if row.diagnoses is None else tuple(row.diagnoses)
                cards[point.point_id].append(ExemptionCard(replace(row, diagnoses=diagnoses), tuple(own)))
    return cards


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(entry) for entry in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
