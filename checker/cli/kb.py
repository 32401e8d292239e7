"""`liangku kb`: build a knowledge base, show what it says of a point, a code or an item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, language_option
from checker.errors import ExitCode, InputError
from checker.knowledge.edition import embedded_edition_folder, embedded_rules_folder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from checker.knowledge.manifest import Manifest
    from checker.knowledge.rows import ExemptionRow, PatternRow, PointRow
    from checker.knowledge.show import ExemptionCard, PointCard

PATTERNS_SHOWN = 30
"""How many patterns of a point are printed; --json has them all."""
_BUILD_TITLES = (
    ("规则", "Rule"),
    ("知识点", "Points"),
    ("药品码前段", "Families"),
    ("编码", "Codes"),
    ("覆盖公布编码", "Published codes"),
)


@click.group("kb")
def command() -> None:
    """知识库：构建、查看（build and show the knowledge base）。"""


@command.command("build")
@click.option(
    "--sources",
    type=click.Path(path_type=Path),
    help="知识库的文本（point.csv、pattern.csv 等），默认用源码仓库的（text sources; default: the checkout's）",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="写到哪个文件夹；默认源码仓库的 knowledge_base/built（where to write）",
)
@json_option
@language_option
def build_command(sources: Path | None, out: Path | None, as_json: bool, lang: str) -> int:
    """检查知识库的文本，构建成 Parquet；同样的文本总是得到同样的文件。

    \b
    例 Examples:
      liangku kb build
      liangku kb build --sources 我的知识 --out 我的知识库
    """
    from checker.knowledge.build import build

    embedded = embedded_edition_folder()
    own_sources = embedded.parent / "sources"
    if sources is None and not own_sources.is_dir():
        raise InputError(
            "--sources：程序是安装的，没有知识库的文本可构建；请用 --sources 指定含 point.csv 的文件夹"
            "（installed without a checkout: name the sources with --sources）"
        )
    text = sources or own_sources
    if out is None and text.resolve() != own_sources.resolve():
        raise click.UsageError(f"--sources {text}：请用 --out 指定写到哪个文件夹（name the folder to write to）")
    target = out or embedded
    manifest = build(text, target)
    if target.resolve() == embedded.resolve():
        from checker.plan import PLAN_FILE, write_embedded_plan

        write_embedded_plan(embedded_rules_folder(), target / PLAN_FILE)
    if as_json:
        from checker.knowledge.manifest import manifest_text

        document = {"out": str(target), **json.loads(manifest_text(manifest))}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _print_build(manifest, target, lang)
    return ExitCode.CLEAR


@command.command("show")
@click.argument("text", metavar="POINT_OR_CODE_OR_NAME")
@click.option(
    "--kb",
    multiple=True,
    type=click.Path(path_type=Path),
    help="知识库文件夹，可多次给出，默认用内置知识库（repeat to layer）",
)
@json_option
@language_option
def show_command(text: str, kb: tuple[Path, ...], as_json: bool, lang: str) -> int:
    """查看知识点：限什么人、管哪些编码、依据哪份文件哪一行、何时有效、有哪些豁免。

    \b
    例 Examples:
      liangku kb show 爱普列特片
      liangku kb show XG04CBA088A001010101467
      liangku kb show drug-sex-01-0003 --json
    """
    from checker.knowledge.open import open_editions
    from checker.knowledge.points import hash_of, version_of
    from checker.knowledge.show import describe_point

    editions = open_editions(kb)
    cards = describe_point(editions, text)
    if as_json:
        knowledge = {"version": version_of(editions), "hash": hash_of(editions)}
        document = {"knowledge": knowledge, "points": [card.to_dict() for card in cards]}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _Cards(lang).print(cards, version_of(editions))
    return ExitCode.CLEAR


def _print_build(manifest: Manifest, out: Path, language: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    english = language == "en"
    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, titles in enumerate(_BUILD_TITLES):
        table.add_column(titles[english], justify="right" if number else "left")
    for rule in manifest.rules:
        counts = (rule.points, rule.families, rule.codes, rule.published_codes)
        table.add_row(rule.rule_id, *(f"{count:,}" for count in counts))
    console.print(table)
    rows = ("、", ", ")[english].join(f"{entry.name} {entry.rows:,}" for entry in manifest.files)
    edition = f"{manifest.name} {manifest.version}"
    for chinese, told in (
        (f"表的行数：{rows}", f"Rows of the tables: {rows}"),
        (
            f"版本：{edition}（公布至 {manifest.published}）",
            f"Edition: {edition} (published up to {manifest.published})",
        ),
        (f"内容哈希：{manifest.content_hash}", f"Content hash: {manifest.content_hash}"),
        (f"已写入：{out}", f"Written to: {out}"),
    ):
        console.print(told if english else chinese, markup=False, soft_wrap=True)


class _Cards:
    """Prints points for readers; what a rule is called comes from the rules in use."""

    def __init__(self, language: str) -> None:
        from checker.knowledge.open import open_plan

        self._english = language == "en"
        self._rules = {rule.id: rule.name(language) for rule in open_plan(None).rules}

    def print(self, cards: list[PointCard], version: str) -> None:
        """Print the cards; a history that several cards share is printed once, with the last of them."""
        from rich.console import Console

        console = Console(highlight=False)
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
        table.add_column(style="dim", no_wrap=True, min_width=9 if self._english else 8)
        table.add_column(overflow="fold")
        return table

    def _rows(self, card: PointCard) -> Iterator[tuple[str, str]]:
        point, say = card.point, self._say
        yield say("规则", "Rule"), self._with(self._rules.get(point.rule_id, ""), point.rule_id)
        yield say("限制", "Limit"), self._limit(point)
        yield say("判断对象", "Judges"), self._subject(point)
        if point.region:
            whose = say("就医地", "institution") if point.region_of == "institution" else say("参保地", "insured")
            yield say("地区", "Region"), self._with(point.region, whose)
        yield say("有效期", "In force"), self._period(point)
        if point.level_cap:
            yield say("级别上限", "At most"), self._level(point.level_cap)
        if point.remark:
            yield say("备注", "Remark"), self._remark(point.remark)
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

    def _limit(self, point: PointRow) -> str:
        parts = []
        if point.sex:
            parts.append(
                self._say("限男性", "male only") if point.sex == "male" else self._say("限女性", "female only")
            )
        if point.age_word:
            parts.append(point.age_word)
        if point.age_text:
            parts.append(self._say(f"原文“{point.age_text}”", f"in its words “{point.age_text}”"))
        low = f"{point.age_min} {self._unit(point.age_min_unit)} ≤ " if point.age_min is not None else ""
        high = f" < {point.age_max} {self._unit(point.age_max_unit)}" if point.age_max is not None else ""
        if low or high:
            parts.append(f"{low}{self._say('年龄', 'age')}{high}")
        return self._say("，", ", ").join(parts)

    def _unit(self, unit: str | None) -> str:
        words = {"year": ("岁", "years"), "month": ("个月", "months"), "day": ("天", "days")}
        return self._say(*words[unit]) if unit in words else ""

    def _subject(self, point: PointRow) -> str:
        words = {"参保人": self._say("参保人", "the insured"), "就诊人": self._say("就诊人", "the patient")}
        return words.get(point.subject or "", self._say("患者", "the patient"))

    def _period(self, row: PointRow | ExemptionRow) -> str:
        if row.valid_to is None:
            return self._say(f"{row.valid_from} 起", f"from {row.valid_from}")
        return self._say(f"{row.valid_from} 起，{row.valid_to} 之前", f"from {row.valid_from}, before {row.valid_to}")

    def _level(self, level: str) -> str:
        return {"notice": self._say("提示", "notice"), "suspect": self._say("可疑", "suspect")}.get(level, level)

    def _remark(self, remark: str) -> str:
        if remark == "not_in_2026_list":
            return self._say("2026 年 1 月的清单没有再列出", "not named again in the list of January 2026")
        return remark

    def _pattern(self, pattern: PatternRow) -> str:
        family = pattern.match == "family"
        kind = self._say("以此开头", "begins with") if family else self._say("全码", "code")
        told = f"{pattern.code}  {kind}"
        count = self._say(f"公布编码 {pattern.published_codes} 个", f"{pattern.published_codes} published")
        return self._with(told, count) if family else told

    def _exemption(self, card: ExemptionCard) -> Iterator[str]:
        exemption = card.exemption
        exempts, official = exemption.effect == "exempt", exemption.status == "official"
        effect = self._say("不计违规", "no violation") if exempts else self._say("降一级", "one level lower")
        status = self._say("官方", "official") if official else self._say("本项目建议", "proposed by this project")
        yield self._with(f"{exemption.exemption_id}{self._say('：', ': ')}{effect}", status)
        yield f"  {exemption.reason_en if self._english else exemption.reason}"
        if exemption.diagnoses:
            codes = self._say("、", ", ").join(exemption.diagnoses)
            yield self._say(f"  诊断编码以这些开头：{codes}", f"  diagnosis begins with: {codes}")
        yield f"  {self._period(exemption)}"

    def _history(self, row: PointRow) -> str:
        cap = f"{self._say('，最高', ', at most ')}{self._level(row.level_cap)}" if row.level_cap else ""
        return f"{row.point_id}  {row.item_name}  {self._limit(row)}  {self._period(row)}{cap}"

    def _with(self, told: str, more: str) -> str:
        return self._say(f"{told}（{more}）", f"{told} ({more})") if told else more

    def _say(self, chinese: str, english: str) -> str:
        return english if self._english else chinese
