"""`liangku kb show`: what the knowledge base says of a point, a code or an item."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, kb_option, language_option
from checker.cli.output import print_json
from checker.model.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from checker.knowledge.rows import PatternRow, PointRow
    from checker.knowledge.show import ExemptionCard, PointCard

PATTERNS_SHOWN = 30
"""How many patterns of a point are printed; --json has them all."""


@click.command("show")
@click.argument("text", metavar="POINT_OR_CODE_OR_NAME")
@kb_option
@json_option
@language_option
def command(text: str, kb: tuple[Path, ...], as_json: bool, lang: str) -> int:
    """查看知识点：限什么人、管哪些编码、依据哪份文件哪一行、何时有效、有哪些豁免。

    \b
    例 Examples:
      liangku kb show 爱普列特片
      liangku kb show XG04CBA088A001010101467
      liangku kb show drug-sex-01-0003 --json
    """
    from checker.judge.points import hash_of, version_of
    from checker.knowledge.resolve import open_editions
    from checker.knowledge.show import describe_point

    editions = open_editions(kb)
    cards = describe_point(editions, text)
    if as_json:
        knowledge = {"version": version_of(editions), "hash": hash_of(editions)}
        document = {"knowledge": knowledge, "points": [card.to_dict() for card in cards]}
        print_json(document)
    else:
        _Cards(lang).print(cards, version_of(editions))
    return ExitCode.CLEAR


class _Cards:
    """Prints points for readers; what a rule is called comes from the rules in use."""

    def __init__(self, language: str) -> None:
        from checker.knowledge.point_words import PointWords
        from checker.knowledge.resolve import open_plan

        self._words = PointWords(language)
        self._say = self._words.say
        self._rules = {rule.id: rule.name(language) for rule in open_plan().rules}

    def print(self, cards: list[PointCard], version: str) -> None:
        """Print the cards; a history that several cards share is printed once, with the last of them."""
        from checker.report.console import SafeConsole

        console = SafeConsole(highlight=False)
        for number, card in enumerate(cards):
            later = {other.point.point_id for other in cards[number + 1 :]}
            shown = len(card.history) > 1 and not any(row.point_id in later for row in card.history)
            self._print_card(console, card, with_history=shown)
        count = len(cards)
        console.print(self._say(f"共 {count} 个知识点，知识库 {version}", f"{count} point(s), knowledge {version}"))

    def _print_card(self, console: Console, card: PointCard, *, with_history: bool) -> None:
        from rich.text import Text

        console.print(Text.assemble((card.point.item_name, "bold"), "  ", (card.point.point_id, "cyan")))
        table = self._table()
        for label, told in self._rows(card):
            table.add_row(label, Text(told))
        if with_history:
            for number, row in enumerate(card.history):
                table.add_row("" if number else self._say("沿革", "History"), Text(self._history(row)))
        console.print(table)
        console.print()

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(style="dim", no_wrap=True, min_width=9 if self._words.english else 8)
        table.add_column(overflow="fold")
        return table

    def _rows(self, card: PointCard) -> Iterator[tuple[str, str]]:
        point, say, words = card.point, self._say, self._words
        yield say("规则", "Rule"), words.beside(self._rules.get(point.rule_id, ""), point.rule_id)
        yield say("限制", "Limit"), words.limit(point)
        if text := point.limits.get("terms_text"):
            yield say("原文", "In words"), str(text)
        if point.subject or not words.is_of_payment(point):
            yield say("判断对象", "Judges"), words.subject(point)
        if point.region:
            whose = say("就医地", "institution") if point.region_of == "institution" else say("参保地", "insured")
            yield say("地区", "Region"), words.beside(point.region, whose)
        yield say("有效期", "In force"), words.period(point.valid_from, point.valid_to)
        if point.superseded_by:
            yield say("接续", "Then"), point.superseded_by
        if point.status == "shadow":
            yield (
                say("状态", "Status"),
                say("试用（shadow），不在窗口提醒", "on trial (shadow), never shown at the counter"),
            )
        if point.level_cap:
            yield say("级别上限", "At most"), words.level(point.level_cap)
        if point.remark:
            yield say("备注", "Remark"), words.remark(point.remark)
        for number, document in enumerate(point.document.split("；")):
            yield "" if number else say("依据", "Evidence"), document
        yield say("原表", "Rows"), f"{say('批次', 'batch')} {point.batch}{say('；', '; ')}{point.source_rows}"
        yield say("公布编码", "Published"), say(f"{point.published_codes} 个", f"{point.published_codes} code(s)")
        for number, pattern in enumerate(card.patterns[:PATTERNS_SHOWN]):
            yield "" if number else say("适用编码", "Covers"), self._pattern(pattern)
        if len(card.patterns) > PATTERNS_SHOWN:
            more = len(card.patterns) - PATTERNS_SHOWN
            yield "", say(f"……另有 {more} 个，见 --json", f"… {more} more, see --json")
        for number, exemption in enumerate(card.exemptions):
            told = list(self._exemption(exemption))
            yield "" if number else say("豁免", "Exempt"), "\n".join(told)

    def _pattern(self, pattern: PatternRow) -> str:
        family = pattern.match == "family"
        kind = self._say("以此开头", "begins with") if family else self._say("全码", "code")
        told = f"{pattern.code}  {kind}"
        count = self._say(f"公布编码 {pattern.published_codes} 个", f"{pattern.published_codes} published")
        if pattern.role != "item":
            from checker.shapes import ROLES

            told = self._words.beside(told, self._say(*ROLES[pattern.role]))
        return self._words.beside(told, count) if family else told

    def _exemption(self, card: ExemptionCard) -> Iterator[str]:
        exemption = card.exemption
        exempts, official = exemption.effect == "exempt", exemption.status == "official"
        effect = self._say("不计违规", "no violation") if exempts else self._say("降一级", "one level lower")
        status = self._say("官方", "official") if official else self._say("本项目建议", "proposed by this project")
        yield self._words.beside(f"{exemption.exemption_id}{self._say('：', ': ')}{effect}", status)
        yield f"  {self._say(exemption.reason, exemption.reason_en)}"
        if exemption.diagnoses:
            codes = self._say("、", ", ").join(exemption.diagnoses)
            yield self._say(f"  诊断编码以这些开头：{codes}", f"  diagnosis begins with: {codes}")
        yield f"  {self._words.period(exemption.valid_from, exemption.valid_to)}"

    def _history(self, row: PointRow) -> str:
        words = self._words
        cap = f"{self._say('，最高', ', at most ')}{words.level(row.level_cap)}" if row.level_cap else ""
        trial = self._say("，试用", ", on trial") if row.status == "shadow" else ""
        return f"{row.point_id}  {row.item_name}  {words.limit(row)}  {words.period(row.valid_from, row.valid_to)}{cap}{trial}"
