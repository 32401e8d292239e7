"""A comparison of two scans on the terminal, as markdown, and as the plain document of `--json`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from checker.change.impact import Impact, Side
from checker.change.impact_findings import Example, Extent, FindingChange, State
from checker.change.limits import Threshold
from checker.model.markdown import plain, table
from checker.model.words import LEVELS, VERDICTS, Said
from checker.report.console import wide_console

_ID_SHOWN = 12
"""How much of a content hash tells two editions apart for a reader."""


def threshold_document(threshold: Threshold) -> dict[str, Any]:
    """A limit as `--json` writes it."""
    return {**asdict(threshold), "exceeded": threshold.exceeded}


def threshold_said(threshold: Threshold) -> Said:
    """A limit, and whether it was kept, in Chinese and English."""
    numbers = (threshold.value, threshold.limit)
    value, limit = map(_percent, numbers) if threshold.is_share else (f"{number:,}" for number in numbers)
    what = threshold.option
    if threshold.exceeded:
        return f"超出限度 {what}：{value}，限度 {limit}", f"{what} exceeded: {value}, the limit is {limit}"
    return f"在限度以内 {what}：{value}，限度 {limit}", f"{what} kept: {value}, the limit is {limit}"


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading, sentences below it, and a table (headings; rows), each of which may be empty.

    `numbers` is how many of the last columns are numbers; a table without any is too wide for a terminal and becomes a list there.
    """

    title: str
    sentences: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numbers: int = 4


def print_impact(impact: Impact, language: str) -> None:
    """Print what is newly flagged, no longer flagged and changed, with lines, patients, institutions and yuan."""
    console = wide_console()
    for section in _Words(impact, language).sections():
        console.print(f"[bold]{escape(section.title)}[/bold]", highlight=False)
        for sentence in section.sentences:
            console.print(sentence, highlight=False, markup=False, soft_wrap=True)
        if section.rows and section.numbers:
            table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
            for number, heading in enumerate(section.headings):
                right = number >= len(section.headings) - section.numbers
                table.add_column(heading, justify="right" if right else "left", overflow="fold")
            for row in section.rows:
                table.add_row(*map(escape, row))
            console.print(table)
        elif section.rows:
            for row in section.rows:
                place, judged, message = "  ".join(row[:3]), "  ".join(row[3:-1]), row[-1]
                console.print(f"  {place}\n    {judged}\n    {message}", highlight=False, markup=False, soft_wrap=True)
            console.print()


def impact_markdown(impact: Impact, language: str) -> str:
    """The same as one markdown document, for a pull request or a summary of CI."""
    parts = []
    for number, section in enumerate(_Words(impact, language).sections()):
        parts.append(f"{'##' if number == 0 else '###'} {plain(section.title)}")
        parts += [plain(sentence) for sentence in section.sentences]
        if section.rows:
            rows = ([*map(plain, row)] for row in section.rows)
            parts.append("\n".join(table(section.headings, rows, numbers=section.numbers)))
    return "\n\n".join(parts) + "\n"


def impact_document(impact: Impact) -> dict[str, Any]:
    """What `--json` writes: the comparison field by field, yuan as numbers with two decimals."""
    document = asdict(impact)
    document["new_share"] = round(impact.new_share, 8)
    document["thresholds"] = [threshold_document(each) for each in impact.thresholds]
    written = _numbers(document)
    assert isinstance(written, dict)
    return written


def _numbers(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _numbers(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers(each) for each in value]
    return value


class _Words:
    """Puts a comparison into sections of words and numbers, in one language."""

    def __init__(self, impact: Impact, language: str) -> None:
        self._impact = impact
        self._english = language == "en"

    def sections(self) -> Iterator[_Section]:
        """The whole report in order."""
        impact, say = self._impact, self._say
        sides = ((say("之前", "Before"), impact.before), (say("之后", "After"), impact.after))
        titles = {"knowledge": ("知识库的影响", "Impact of knowledge"), "rules": ("规则的影响", "Impact of rules")}
        same = impact.before.given == impact.after.given
        title = say("参数的影响", "Impact of parameters") if same else say(*titles[impact.kind])
        yield _Section(
            title,
            (
                *(f"{name}{say('：', ': ')}{self._side(side)}" for name, side in sides),
                say(
                    f"读入 {impact.read:,} 行 = 判断 {impact.judged:,} + 跳过 {impact.skipped:,} + 无法读取 {impact.rejected:,}",
                    f"{impact.read:,} lines read = {impact.judged:,} judged + {impact.skipped:,} skipped + {impact.rejected:,} rejected",
                ),
                *(say(f"数据不完整：{each}", f"The data are incomplete: {each}") for each in impact.incomplete),
            ),
            ("", *self._headings()),
            (
                *((say(f"{name}有疑点", f"flagged {name.lower()}"), *_cells(side.flagged)) for name, side in sides),
                *(row for title, change in self._changes() for row in self._parts(title, change)),
            ),
        )
        if not impact.any_change:
            yield _Section(say("没有任何变化", "Nothing changes"))
        for title, change in self._changes():
            if change.extent.lines:
                yield from self._change(title, change)
        yield from self._limits()

    def _changes(self) -> tuple[tuple[str, FindingChange], ...]:
        impact, say = self._impact, self._say
        return (
            (say("新增疑点", "Newly flagged"), impact.new),
            (say("不再有疑点", "No longer flagged"), impact.gone),
            (say("级别或结论改变", "Changed level or verdict"), impact.changed),
        )

    def _side(self, side: Side) -> str:
        say = self._say
        known = say(f"知识库 {side.knowledge_version}", f"knowledge {side.knowledge_version}")
        hashes = f"{side.knowledge_hash[:_ID_SHOWN]}, {say('规则', 'rules')} {side.rules_hash[:_ID_SHOWN]}"
        set_otherwise = f"{say('，参数 ', ', parameters ')}{', '.join(side.params)}" if side.params else ""
        shadow = say(f"；另有影子知识点命中 {side.shadow_lines:,} 行，不参与比较",
                     f"; points on trial hit {side.shadow_lines:,} lines, which are not compared")  # fmt: skip
        not_judged = "".join(
            say(
                f"；{each['lines']:,} 行没有判断：{each['how']}", f"; {each['lines']:,} lines not judged: {each['how']}"
            )
            for each in side.not_judged
            if each["lines"]
        )
        return f"{side.given} ({known} {hashes}{set_otherwise}{shadow if side.shadow_lines else ''}{not_judged})"

    def _parts(self, title: str, change: FindingChange) -> Iterator[tuple[str, ...]]:
        yield title, *_cells(change.extent)
        if change.extent.lines:
            for verdict, extent in (("violation", change.violations), ("undetermined", change.undetermined)):
                yield f"  {VERDICTS[verdict][self._english]}", *_cells(extent)

    def _change(self, title: str, change: FindingChange) -> Iterator[_Section]:
        say, headings = self._say, self._headings()
        colon = say("：", ": ")
        yield _Section(
            f"{title}{colon}{say('由何变为何', 'from what to what')}",
            headings=(say("之前", "Before"), say("之后", "After"), *headings),
            rows=tuple(
                (self._state(move.before), self._state(move.after), *_cells(move.extent)) for move in change.moves
            ),
        )
        yield _Section(
            f"{title}{colon}{say('按规则', 'by rule')}",
            headings=(say("规则", "Rule"), *headings),
            rows=tuple((f"{share.name} ({share.key})", *_cells(share.extent)) for share in change.by_rule),
        )
        more = change.items - len(change.by_item)
        count = say(
            f"（前 {len(change.by_item)} 个，共 {change.items} 个）",
            f" (first {len(change.by_item)} of {change.items})",
        )
        yield _Section(
            f"{title}{colon}{say('按项目', 'by item')}{count if more else ''}",
            headings=(say("项目", "Item"), *headings),
            rows=tuple((share.name, *_cells(share.extent)) for share in change.by_item),
        )
        if change.sample:
            yield _Section(
                f"{title}{colon}{say(f'抽样 {len(change.sample)} 行', f'{len(change.sample)} sample line(s)')}",
                headings=(
                    say("明细", "Line"), say("结算", "Settlement"), say("项目", "Item"), say("规则", "Rule"), say("知识点", "Point"),
                    say("之前 → 之后", "Before → after"), say("说明", "Message"),
                ),
                rows=tuple(self._example(example) for example in change.sample),
                numbers=0,
            )  # fmt: skip

    def _example(self, example: Example) -> tuple[str, ...]:
        before, after = example.point_before or "–", example.point_after or "–"
        return (
            example.line_id or f"{example.source_file}:{example.source_record}",
            example.settlement_id or "",
            f"{example.item_name} {example.item_code}",
            example.rule_id,
            before if before == after else f"{before} → {after}",
            f"{self._state(example.before)} → {self._state(example.after)}",
            example.message,
        )

    def _limits(self) -> Iterator[_Section]:
        impact, say = self._impact, self._say
        share = say(
            f"新增疑点占判断行数的 {_percent(impact.new_share)}",
            f"newly flagged: {_percent(impact.new_share)} of the judged lines",
        )
        yield _Section(share, tuple(say(*threshold_said(threshold)) for threshold in impact.thresholds))

    def _headings(self) -> tuple[str, ...]:
        say = self._say
        return say("行数", "Lines"), say("人数", "Patients"), say("机构", "Institutions"), say("金额（元）", "Yuan")

    def _state(self, state: State) -> str:
        if state.verdict is None:
            return self._say("无疑点", "nothing")
        verdict = VERDICTS[state.verdict][self._english]
        return f"{verdict}·{LEVELS[state.level][self._english]}" if state.level else verdict

    def _say(self, chinese: str, english: str) -> str:
        return english if self._english else chinese


def _cells(extent: Extent) -> Sequence[str]:
    return f"{extent.lines:,}", f"{extent.patients:,}", f"{extent.institutions:,}", f"{extent.amount:,.2f}"


def _percent(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal('0.0001')).normalize():f}%"
