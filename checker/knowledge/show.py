"""What the knowledge base says about one point, code or item name."""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import duckdb

from checker.errors import InputError
from checker.knowledge.codes import family_of, is_code
from checker.knowledge.edition import Edition, load_into
from checker.knowledge.match import exemption_fits
from checker.knowledge.names import item_key
from checker.knowledge.rows import ExemptionItemRow, ExemptionRow, PatternRow, PointRow

_NEAREST = 5


@dataclass(frozen=True, slots=True)
class ExemptionCard:
    """One exemption that concerns a point, with the items it names; none mean every item of the rule."""

    exemption: ExemptionRow
    items: tuple[ExemptionItemRow, ...]


@dataclass(frozen=True, slots=True)
class PointCard:
    """One point with its patterns, its exemptions and its history: the points of the rule that share a code with it, itself included."""

    point: PointRow
    patterns: tuple[PatternRow, ...]
    exemptions: tuple[ExemptionCard, ...]
    history: tuple[PointRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the card as JSON values; dates are ISO text."""
        return {key: _json(value) for key, value in asdict(self).items()}


def describe_point(editions: Sequence[Edition], text: str) -> list[PointCard]:
    """Return the cards of a point id, of every point that covers an item code, or of every point of an item name.

    All rows of history count, in force or not, sorted by point id. A name fits after NFKC. Raises InputError that names
    what lies nearest when nothing fits.
    """
    with duckdb.connect() as con:
        load_into(con, editions)
        points = [PointRow(*row) for row in con.execute("FROM kb_point ORDER BY point_id").fetchall()]
        patterns = [PatternRow(*row) for row in con.execute("FROM kb_pattern ORDER BY ALL").fetchall()]
        exemptions = [_exemption(row) for row in con.execute("FROM kb_exemption ORDER BY exemption_id").fetchall()]
        items = [ExemptionItemRow(*row) for row in con.execute("FROM kb_exemption_item ORDER BY ALL").fetchall()]
    patterns_of: dict[str, list[PatternRow]] = defaultdict(list)
    for pattern in patterns:
        patterns_of[pattern.point_id].append(pattern)
    items_of: dict[str, list[ExemptionItemRow]] = defaultdict(list)
    for item in items:
        items_of[item.exemption_id].append(item)

    def codes_of(row: PointRow) -> set[str]:
        return {pattern.code for pattern in patterns_of[row.point_id]}

    return [
        PointCard(
            point,
            tuple(patterns_of[point.point_id]),
            tuple(
                ExemptionCard(exemption, tuple(items_of[exemption.exemption_id]))
                for exemption in exemptions
                if exemption.rule_id == point.rule_id
                and exemption_fits(items_of[exemption.exemption_id], point, patterns_of[point.point_id])
            ),
            tuple(
                sorted(
                    (row for row in points if row.rule_id == point.rule_id and codes_of(row) & codes_of(point)),
                    key=lambda row: (row.valid_from, row.point_id),
                )
            ),
        )
        for point in _find(points, patterns, text)
    ]


def _exemption(row: tuple[Any, ...]) -> ExemptionRow:
    read = ExemptionRow(*row)
    return replace(read, diagnoses=None if read.diagnoses is None else tuple(read.diagnoses))


def _find(points: Sequence[PointRow], patterns: Sequence[PatternRow], text: str) -> list[PointRow]:
    asked = unicodedata.normalize("NFKC", text).strip()
    if by_id := [point for point in points if point.point_id == asked]:
        return by_id
    code = asked.upper()
    covering = {
        pattern.point_id
        for pattern in patterns
        if code == pattern.code or (pattern.match == "family" and is_code(code) and code.startswith(pattern.code))
    }
    if covering:
        return [point for point in points if point.point_id in covering]
    if by_name := [point for point in points if unicodedata.normalize("NFKC", point.item_name) == asked]:
        return by_name
    if is_code(code):
        nearest = _nearest_codes(points, patterns, code)
        raise InputError(f"“{text}”：没有知识点涉及这个编码{nearest}（no point covers this code）")
    nearest = _list(_nearest_names(points, asked))
    raise InputError(
        f"“{text}”：知识库中没有这个知识点、编码或项目名称{nearest}（no point, code or item name of this knowledge base）"
    )


def _nearest_names(points: Iterable[PointRow], asked: str) -> list[str]:
    ids = [point.point_id for point in points]
    names = sorted({point.item_name for point in points})
    holding = [
        name for name in names if asked and (asked in unicodedata.normalize("NFKC", name) or item_key(name) in asked)
    ]
    close = difflib.get_close_matches(asked, [*names, *ids], n=_NEAREST, cutoff=0.5)
    return list(dict.fromkeys([*sorted(holding, key=len), *close]))[:_NEAREST]


def _nearest_codes(points: Iterable[PointRow], patterns: Sequence[PatternRow], code: str) -> str:
    name_of = {point.point_id: point.item_name for point in points}
    stem = (family_of(code) or code)[:-2]
    names = sorted({name_of[pattern.point_id] for pattern in patterns if pattern.code.startswith(stem)})
    return _list(names[:_NEAREST])


def _list(names: Sequence[str]) -> str:
    return f"；相近的有：{'、'.join(names)}" if names else "；请给出完整的项目名称、编码或知识点编号"


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(entry) for entry in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
