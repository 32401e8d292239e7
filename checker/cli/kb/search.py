"""`liangku kb search`: knowledge points by code, name, pinyin or initials."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from checker.cli.options import json_option, kb_option, language_option
from checker.cli.output import print_json, say
from checker.model.china_time import china_today
from checker.model.errors import ExitCode

if TYPE_CHECKING:
    from checker.knowledge.search import Found, Hit

_TITLES = (
    ("项目", "Item"), ("规则", "Rule"), ("限制", "Limit"), ("有效期", "In force"), ("知识点", "Point"), ("编码", "Codes"),
)  # fmt: skip


@click.command("search")
@click.argument("text", metavar="TEXT")
@kb_option
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="最多列出几项（how many items）"
)
@json_option
@language_option
def command(text: str, kb: tuple[Path, ...], limit: int, as_json: bool, lang: str) -> int:
    """查找知识点：编码或它的开头、名称的一部分、拼音、拼音首字母、知识点编号的开头。

    \b
    例 Examples:
      liangku kb search 爱普列特
      liangku kb search apltp
      liangku kb search aipuliete
      liangku kb search XG04CBA088
    """
    from checker.knowledge.resolve import open_editions
    from checker.knowledge.search import search

    # Only the document names the hash of the knowledge.
    editions = open_editions(kb, hashed=as_json)
    found = search(editions, text, limit=limit, day=china_today())
    if as_json:
        from checker.judge.points import hash_of, version_of

        document = {
            "knowledge": {"version": version_of(editions), "hash": hash_of(editions)},
            "items": found.items,
            "hits": [_plain(hit) for hit in found.hits],
            "nearest": found.nearest,
        }
        print_json(document)
    elif found.hits:
        _print(found, lang)
    else:
        _print_nothing(text, found, lang)
    return ExitCode.CLEAR


def _plain(hit: Hit) -> dict[str, object]:
    plain = asdict(hit)
    limits = plain.pop("limits")
    days = {name: None if plain[name] is None else plain[name].isoformat() for name in ("valid_from", "valid_to")}
    return {**plain, **days, **limits}


def _print(found: Found, lang: str) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from checker.knowledge.point_words import PointWords
    from checker.knowledge.resolve import open_plan
    from checker.report.console import wide_console

    words = PointWords(lang)
    # The English names of rules are sentences, too long for a column.
    rules = {} if words.english else {rule.id: rule.name(lang) for rule in open_plan().rules}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for titles in _TITLES:
        whole = titles in _TITLES[-2:]
        last = titles is _TITLES[-1]
        table.add_column(titles[words.english], justify="right" if last else "left", overflow="fold", no_wrap=whole)
    for hit in found.hits:
        period = words.period(hit.valid_from, hit.valid_to)
        notes = (
            [words.say(f"最高{words.level(hit.level_cap)}", f"at most {words.level(hit.level_cap)}")]
            if hit.level_cap
            else []
        )
        notes += [words.say("试用", "on trial")] if hit.status == "shadow" else []
        told = words.beside(period, words.say("，", ", ").join(notes)) if notes else period
        cells = (
            hit.item_name, rules.get(hit.rule_id, hit.rule_id), words.limit_and_subject(hit.limits), told, hit.point_id,
            f"{hit.published_codes:,}",
        )  # fmt: skip
        table.add_row(*(Text(cell) for cell in cells), style=None if hit.in_force else "dim")
    console = wide_console()
    console.print(table)
    shown = len(found.hits)
    if shown < found.items:
        told = words.say(
            f"共 {found.items:,} 项，列出前 {shown} 项（--limit）",
            f"{found.items:,} items, the first {shown} (see --limit)",
        )
    else:
        told = words.say(f"共 {found.items:,} 项", f"{found.items:,} item(s)")
    console.print(told, markup=False)


def _print_nothing(text: str, found: Found, lang: str) -> None:
    english = lang == "en"
    near = (", " if english else "、").join(found.nearest)
    if english:
        say(f"“{text}”: nothing found" + (f"; near it: {near}" if near else ""))
    else:
        say(f"“{text}”：没有找到" + (f"；相近的有：{near}" if near else ""))
