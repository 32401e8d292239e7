"""A comparison of two knowledge bases on the terminal, as markdown for a pull request, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
from rich import box
from rich.markup import escape
from rich.table import Table

from checker.knowledge.diff.codes import CODE_KINDS, CodeChange, CodeState
from checker.knowledge.diff.compare import CHANGE_KINDS, ExemptionChange, KnowledgeDiff, RuleCounts, Side
from checker.knowledge.diff.points import POINT_KINDS, FieldChange, PointChange
from checker.knowledge.point_words import PointWords
from checker.model.markdown import plain, table
from checker.report.console import wide_console
from checker.report.json_lists import frame_blocks, json_pieces

SHOWN = 20
"""How many entries of each list are printed."""
_CODES_SHOWN = 5
"""How many codes of one changed point are printed."""
_POINT_WORDS = {
    "added": ("新增", "added"), "removed": ("删除", "removed"), "changed": ("改动", "changed"), "renamed": ("换编号", "renamed"),
}  # fmt: skip
_CODE_WORDS = {
    "gained": ("新纳入", "gained"), "lost": ("不再有", "lost"), "ended": ("到期", "ended"), "resumed": ("恢复", "resumed"),
    "limits": ("限制不同", "limits"), "period": ("日期不同", "days"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _List:
    """A heading, how many entries there are, and the first of them: a line each, with lines below it."""

    title: str
    count: int
    entries: tuple[tuple[str, tuple[str, ...]], ...]


def print_diff(diff: KnowledgeDiff, language: str, *, shown: int = SHOWN) -> None:
    """Print the counts by rule, and the first `shown` entries of each list."""
    console = wide_console()
    words = _Words(diff, language, shown)
    for line in words.head():
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for headings, rows in words.tables():
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for number, heading in enumerate(headings):
            table.add_column(heading, justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table)
    for part in words.lists():
        console.print(f"[bold]{escape(part.title)}[/bold] {part.count:,}", highlight=False)
        for line, below in part.entries:
            console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
            for more in below:
                console.print(f"      {more}", highlight=False, markup=False, soft_wrap=True, style="dim")
        if part.count > len(part.entries):
            console.print(f"  {words.more(part)}", highlight=False, markup=False, style="dim")
        console.print()


def diff_markdown(diff: KnowledgeDiff, language: str, *, shown: int = SHOWN) -> str:
    """The same as markdown: counts in tables, each list folded."""
    words = _Words(diff, language, shown)
    lines = [f"### {words.title}", "", *(f"- {plain(line)}" for line in words.head()), ""]
    for headings, rows in words.tables():
        lines += [*table(headings, [[*map(plain, row)] for row in rows], numbers=len(headings) - 1), ""]
    for part in words.lists():
        lines += [f"<details><summary>{plain(part.title)} {part.count:,}</summary>", ""]
        for line, below in part.entries:
            lines.append(f"- {plain(line)}")
            lines += [f"  - {plain(more)}" for more in below]
        if part.count > len(part.entries):
            lines.append(f"- {words.more(part)}")
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def diff_json(diff: KnowledgeDiff) -> Iterator[str]:
    """Yield the pieces of one JSON document with every point and code, one a line."""
    head: dict[str, Any] = {
        "same": not diff.any_change,
        "before": asdict(diff.before),
        "after": asdict(diff.after),
        "rules": [asdict(counts) for counts in diff.rules],
        "exemptions": [asdict(change) for change in diff.exemptions],
    }
    first = ["kind", "point_id", "former_id", "rule_id", "item_name"]
    rest = [name for name in diff.point.columns if name not in (*first, "document", "source_rows")]
    point = diff.point.select(*first, *rest)
    lists = {"points": frame_blocks(point), "codes": frame_blocks(diff.code), "crosswalk": frame_blocks(diff.crosswalk)}
    yield from json_pieces(head, lists)


class _Words:
    """Puts a comparison into lines, tables and lists of one language."""

    def __init__(self, diff: KnowledgeDiff, language: str, shown: int) -> None:
        self._diff = diff
        self._shown = shown
        self._english = int(language == "en")
        self._points = PointWords(language)
        self._say = self._points.say

    @property
    def title(self) -> str:
        """The heading of the report."""
        return self._say("知识库比较", "Knowledge compared")

    def head(self) -> Iterator[str]:
        """What is compared, and whether anything differs."""
        say, diff = self._say, self._diff
        yield f"{say('之前：', 'Before: ')}{self._side(diff.before)}"
        yield f"{say('之后：', 'After: ')}{self._side(diff.after)}"
        if not diff.any_change:
            yield say("没有任何不同", "Nothing differs")

    def tables(self) -> Iterator[tuple[list[str], list[list[str]]]]:
        """Points and codes by rule, for the rules in which something differs."""
        say, rules = self._say, [rule for rule in self._diff.rules if _touched(rule)]
        before, after = say("之前", "before"), say("之后", "after")
        if rules:
            headings = [say("知识点", "Points"), before, after, *self._kinds(_POINT_WORDS)]
            yield (
                headings,
                [
                    [rule.rule_id, f"{rule.points_before:,}", f"{rule.points_after:,}", *_numbers(rule.points)]
                    for rule in rules
                ],
            )
            headings = [say("编码、码前段", "Codes, families"), before, after, *self._kinds(_CODE_WORDS)]
            yield (
                headings,
                [
                    [rule.rule_id, f"{rule.codes_before:,}", f"{rule.codes_after:,}", *_numbers(rule.codes)]
                    for rule in rules
                ],
            )

    def lists(self) -> Iterator[_List]:
        """The first entries of each kind of change."""
        diff, shown = self._diff, self._shown
        for kind in POINT_KINDS:
            count = sum(rule.points[kind] for rule in diff.rules)
            if count:
                entries = tuple(self._point(change) for change in diff.points(kind, shown))
                yield _List(self._title("知识点", "Points", _POINT_WORDS[kind]), count, entries)
        for kind in CODE_KINDS:
            count = sum(rule.codes[kind] for rule in diff.rules)
            if count:
                told = tuple(self._code(change) for change in diff.codes(kind, shown))
                yield _List(self._title("编码", "Codes", _CODE_WORDS[kind]), count, told)
        for kind in CHANGE_KINDS:
            changes = [change for change in diff.exemptions if change.kind == kind]
            if changes:
                listed = tuple(self._exemption(change) for change in changes[:shown])
                yield _List(self._title("豁免", "Exemptions", _POINT_WORDS[kind]), len(changes), listed)
        for kind in CHANGE_KINDS:
            pairs = diff.crosswalk.filter(pl.col("kind") == kind)
            if pairs.height:
                mapped = tuple(map(self._pair, pairs.head(shown).iter_rows(named=True)))
                yield _List(self._title("编码对照", "Crosswalk", _POINT_WORDS[kind]), pairs.height, mapped)

    def more(self, part: _List) -> str:
        """That some are left out."""
        left = part.count - len(part.entries)
        return self._say(f"……另有 {left:,} 个，见 --limit 或 --json", f"… {left:,} more, see --limit or --json")

    def _side(self, side: Side) -> str:
        known = side.name if side.version in side.name else f"{side.name} {side.version}"
        counts = self._say(
            f"{side.points:,} 个知识点、{side.patterns:,} 个编码、{side.exemptions:,} 条豁免",
            f"{side.points:,} points, {side.patterns:,} patterns, {side.exemptions:,} exemptions",
        )
        if side.crosswalk:
            counts += self._say(f"、{side.crosswalk:,} 行编码对照", f", {side.crosswalk:,} rows of a crosswalk")
        return f"{side.given} ({known}; {counts})"

    def _kinds(self, words: Mapping[str, tuple[str, str]]) -> list[str]:
        return [told[self._english] for told in words.values()]

    def _title(self, chinese: str, english: str, kind: tuple[str, str]) -> str:
        return self._say(f"{chinese}：{kind[0]}", f"{english}: {kind[1]}")

    def _point(self, change: PointChange) -> tuple[str, tuple[str, ...]]:
        point, words = change.point, self._points
        named = f"{point.point_id}  {point.item_name}"
        if change.kind == "renamed":
            return f"{change.former_id} → {named}", ()
        if change.kind != "changed":
            period = words.period(point.valid_from, point.valid_to)
            return f"{named}  {words.limit_and_subject(point)}  {period}", ()
        below = [*(self._field(field) for field in change.fields)]
        for kind, codes in (("gained", change.codes_gained), ("lost", change.codes_lost)):
            more = f" … ({len(codes):,})" if len(codes) > _CODES_SHOWN else ""
            told = f"{self._say(*_CODE_WORDS[kind])}{self._say('：', ': ')}{' '.join(codes[:_CODES_SHOWN])}{more}"
            below += [told] if codes else []
        return named, tuple(below)

    def _code(self, change: CodeChange) -> tuple[str, tuple[str, ...]]:
        named = f"{change.code}{'*' if change.match == 'family' else ''}  {change.item_name}  ({change.rule_id})"
        if change.kind in ("gained", "lost"):
            return named, tuple(self._state(state) for state in (change.after or change.before))
        was, now = self._say("之前：", "before: "), self._say("之后：", "after: ")
        before = tuple(f"{was}{self._state(state)}" for state in change.before if state not in change.after)
        after = tuple(f"{now}{self._state(state)}" for state in change.after if state not in change.before)
        return named, before + after

    def _state(self, state: CodeState) -> str:
        words, say = self._points, self._say
        told = [words.limit_and_subject(state.limits), words.period(state.valid_from, state.valid_to)]
        if state.region:
            told.append(f"{say('地区 ', 'region ')}{state.region}")
        if state.level_cap:
            told.append(f"{say('最高', 'at most ')}{words.level(state.level_cap)}")
        if state.status != "active":
            told.append(say("试用（shadow）", "on trial (shadow)"))
        return words.beside(say("，", ", ").join(told), state.point_id)

    def _exemption(self, change: ExemptionChange) -> tuple[str, tuple[str, ...]]:
        return f"{change.exemption_id}  ({change.rule_id})", tuple(self._field(field) for field in change.fields)

    def _pair(self, pair: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        named = f"{pair['local_code']} → {pair['national_code']}"
        both = pair["kind"] == "changed"
        was, now = (self._say("之前：", "before: "), self._say("之后：", "after: ")) if both else ("", "")
        before = tuple(f"{was}{self._span(state)}" for state in pair["before"] if state not in pair["after"])
        return named, before + tuple(
            f"{now}{self._span(state)}" for state in pair["after"] if state not in pair["before"]
        )

    def _span(self, state: dict[str, Any]) -> str:
        """On which days a local code stands for a national one, and on what ground."""
        return self._points.beside(self._points.period(state["valid_from"], state["valid_to"]), state["basis"])

    def _field(self, field: FieldChange) -> str:
        empty = self._say("（空）", "(empty)")
        return f"{field.column}: {field.before or empty} → {field.after or empty}"


def _touched(rule: RuleCounts) -> bool:
    return any(rule.points.values()) or any(rule.codes.values())


def _numbers(counts: Mapping[str, int]) -> Sequence[str]:
    return [f"{count:,}" if count else "–" for count in counts.values()]
