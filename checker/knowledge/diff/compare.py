"""What two knowledge bases say differently: points, the codes that each rule covers, and exemptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

import polars as pl

from checker.knowledge.diff import codes as of_codes
from checker.knowledge.diff import points as of_points
from checker.knowledge.diff.codes import CODE_KINDS, CodeChange
from checker.knowledge.diff.crosswalk import crosswalk_changes
from checker.knowledge.diff.points import POINT_KINDS, FieldChange, PointChange
from checker.knowledge.rows import ExemptionRow
from checker.knowledge.source import Sources
from checker.model.errors import InputError

CHANGE_KINDS = ("added", "removed", "changed")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what it was called when it was given, its name and version, and its rows."""

    given: str
    name: str
    version: str
    points: int
    patterns: int
    exemptions: int
    crosswalk: int


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """How much of a rule changed: points by kind of change, codes and families by kind; `before` and `after` are distinct ones covered."""

    rule_id: str
    points_before: int
    points_after: int
    points: Mapping[str, int]
    codes_before: int
    codes_after: int
    codes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ExemptionChange:
    """An exemption that was added, removed or changed; items are written `match value`."""

    kind: str
    exemption_id: str
    rule_id: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class KnowledgeDiff:
    """Everything that differs, sorted by rule and id; without any difference all but `rules` is empty.

    `point`, `code` and `crosswalk` are frames, since an edition may change by hundreds of thousands (points.point_changes,
    codes.code_changes, crosswalk.crosswalk_changes); `points` and `codes` give them row by row.
    """

    before: Side
    after: Side
    rules: tuple[RuleCounts, ...]
    point: pl.DataFrame
    code: pl.DataFrame
    exemptions: tuple[ExemptionChange, ...]
    crosswalk: pl.DataFrame

    @property
    def any_change(self) -> bool:
        """Whether anything differs that judges, is shown, or is evidence."""
        return bool(self.point.height or self.code.height or self.exemptions or self.crosswalk.height)

    def points(self, kind: str, limit: int | None = None) -> tuple[PointChange, ...]:
        """The first points of one kind of change, or all."""
        return tuple(of_points.as_changes(_of_kind(self.point, kind, limit)))

    def codes(self, kind: str, limit: int | None = None) -> tuple[CodeChange, ...]:
        """The first codes of one kind of change, or all."""
        return tuple(of_codes.as_changes(_of_kind(self.code, kind, limit)))


def diff_knowledge(
    before: Sources, after: Sources, *, given: tuple[str, str] | None = None, rule: str | None = None
) -> KnowledgeDiff:
    """Compare two knowledge bases; `given` are the names to tell them by, `rule` leaves all other rules out.

    A point is the same where its id is, and renamed where all else is equal. Raises InputError for a rule that neither has.
    """
    if rule is not None:
        before, after = _only(before, rule), _only(after, rule)
        if before.point.is_empty() and after.point.is_empty() and not before.exemptions and not after.exemptions:
            raise InputError(
                f"--rule {rule}：两边都没有这个规则的知识点或豁免（neither side has points or exemptions of it）"
            )
    point = of_points.point_changes(before, after)
    code = of_codes.code_changes(before, after)
    names = given or (before.edition.name, after.edition.name)
    return KnowledgeDiff(
        _side(names[0], before),
        _side(names[1], after),
        _rules(before, after, point, code),
        point,
        code,
        tuple(_exemptions(before, after)),
        crosswalk_changes(before, after),
    )


def _only(sources: Sources, rule: str) -> Sources:
    point = sources.point.filter(pl.col("rule_id") == rule)
    exemptions = tuple(row for row in sources.exemptions if row.rule_id == rule)
    kept = {row.exemption_id for row in exemptions}
    return replace(
        sources,
        point=point,
        pattern=sources.pattern.join(point.select("point_id"), on="point_id", how="semi", maintain_order="left"),
        exemptions=exemptions,
        exemption_items=tuple(item for item in sources.exemption_items if item.exemption_id in kept),
        crosswalk=sources.crosswalk.clear(),
    )


def _side(given: str, sources: Sources) -> Side:
    edition = sources.edition
    return Side(
        given, edition.name, edition.version, sources.point.height, sources.pattern.height, len(sources.exemptions), sources.crosswalk.height,
    )  # fmt: skip


def _rules(before: Sources, after: Sources, point: pl.DataFrame, code: pl.DataFrame) -> tuple[RuleCounts, ...]:
    points, codes = [[count(side) for side in (before, after)] for count in (_points, _covers)]
    point_kinds, code_kinds = _by_kind(point), _by_kind(code)
    return tuple(
        RuleCounts(
            rule,
            points[0].get(rule, 0),
            points[1].get(rule, 0),
            {kind: point_kinds.get((rule, kind), 0) for kind in POINT_KINDS},
            codes[0].get(rule, 0),
            codes[1].get(rule, 0),
            {kind: code_kinds.get((rule, kind), 0) for kind in CODE_KINDS},
        )
        for rule in sorted({*points[0], *points[1]})
    )


def _of_kind(frame: pl.DataFrame, kind: str, limit: int | None) -> pl.DataFrame:
    of_kind = frame.lazy().filter(pl.col("kind") == kind)
    return (of_kind if limit is None else of_kind.head(limit)).collect()


def _by_kind(frame: pl.DataFrame) -> dict[tuple[str, str], int]:
    counts = frame.group_by("rule_id", "kind").len()
    return {(rule, kind): count for rule, kind, count in counts.iter_rows()}


def _points(sources: Sources) -> dict[str, int]:
    return dict(sources.point.group_by("rule_id").len().iter_rows())


def _covers(sources: Sources) -> dict[str, int]:
    """How many distinct codes and families each rule limits."""
    limited = sources.pattern.filter(pl.col("role") == "item")
    joined = limited.join(sources.point.select("point_id", "rule_id"), on="point_id")
    distinct = joined.select("rule_id", "match", "code").unique()
    return dict(distinct.group_by("rule_id").len().iter_rows())


def _exemptions(before: Sources, after: Sources) -> Iterator[ExemptionChange]:
    old, new = exemptions_in_words(before), exemptions_in_words(after)
    for exemption_id in sorted({*old, *new}):
        one, other = old.get(exemption_id), new.get(exemption_id)
        if one is None and other is not None:
            yield ExemptionChange("added", exemption_id, str(other["rule_id"]), ())
        elif other is None and one is not None:
            yield ExemptionChange("removed", exemption_id, str(one["rule_id"]), ())
        elif one is not None and other is not None and one != other:
            changed = tuple(FieldChange(name, one[name], other[name]) for name in one if one[name] != other[name])
            yield ExemptionChange("changed", exemption_id, str(other["rule_id"]), changed)


def exemptions_in_words(sources: Sources) -> dict[str, dict[str, str | None]]:
    """Each exemption as text: its columns, and its items as one more."""
    items: dict[str, list[str]] = {}
    for item in sources.exemption_items:
        items.setdefault(item.exemption_id, []).append(f"{item.match} {item.value}")
    return {
        row.exemption_id: {
            **{column.name: _text(getattr(row, column.name)) for column in fields(ExemptionRow)},
            "items": "; ".join(sorted(items.get(row.exemption_id, []))) or None,
        }
        for row in sources.exemptions
    }


def _text(value: object) -> str | None:
    if value is None:
        return None
    return "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)
