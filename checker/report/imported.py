"""What an import read and changed, on the terminal: workbooks, footnotes, windows and texts to sign off, changes by rule, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from checker.knowledge.import_report import IMPORT_FILE, Imported
from checker.knowledge.manifest import Manifest
from checker.knowledge.merge.points import ListChange, Tally
from checker.knowledge.point_words import PointWords
from checker.report.console import wide_console
from checker.shapes.item.words import window_words

SHOWN = 12
"""How many lines of one kind are printed; import.json has all of them."""

TEXTS_SHOWN = 60
"""How many texts with their readings."""


def print_import(
    imported: Imported,
    manifest: Manifest,
    out: Path,
    names: Mapping[str, str],
    onto: str | None,
    rules: str,
    language: str,
) -> None:
    """Print one import; `names` are the rules' names by id, `onto` is the base edition and `rules` the options for rules as the caller wrote them."""
    _Printer(imported, names, language, wide_console()).run(manifest, out, onto, rules)


class _Printer:
    def __init__(self, imported: Imported, names: Mapping[str, str], language: str, console: Console) -> None:
        self._imported = imported
        self._names = names
        self._words = PointWords(language)
        self._console = console

    def run(self, manifest: Manifest, out: Path, onto: str | None, rules: str) -> None:
        self._workbooks()
        self._lines("说明和备注（只作记录，不成为知识点）", "Notes (kept as notes, no points)", self._each("notes"))
        self._windows()
        self._texts()
        self._lines(
            "年龄范围或适应症读不懂，已略去的项目", "Items left out: age window or indication not understood",
            [f"{left.place} {left.item_name}：{left.text}" for left in self._imported.left_out],
        )  # fmt: skip
        self._lines(
            "有删除标记、没有导入的项目", "Items marked as removed, which are no points",
            [f"{item.place} {item.item_name}：{item.mark}" for book in self._imported.workbooks for item in book.removed],
        )  # fmt: skip
        self._lines(
            "备注里有条件的项目：先作影子知识点，核对后用 kb promote 转为正式，或改写",
            "Items whose remark sets a condition: on trial until kb promote, once you have read it",
            [f"{item.place} {item.item_name}：{item.text}" for book in self._imported.workbooks for item in book.conditions],
        )  # fmt: skip
        self._lines("已修复的编码", "Repaired codes", self._each("repairs"))
        if self._imported.already:
            self._say("知识库已有这份清单，内容没有变化。", "The list is already in the edition; nothing changed.")
        else:
            self._changes()
            self._kept_by_family()
            self._families()
        edition = f"{manifest.name} {manifest.version}"
        self._say(f"已写入：{out}（{edition}）", f"Written to: {out} ({edition})")
        self._say(f"详情：{out / IMPORT_FILE}", f"In full: {out / IMPORT_FILE}")
        self._say("接下来：", "Next:")
        self._print(f"  liangku kb check --kb {out}{rules}")
        if onto is not None:
            self._print(f"  liangku kb diff {onto} {out}")

    def _workbooks(self) -> None:
        table = self._table(
            ("工作簿", "Workbook"), ("规则", "Rule"), ("项目", "Items"), ("编码", "Codes"), ("说明", "Notes"), left=2
        )
        workbooks = self._imported.workbooks
        for workbook, rule_id in zip(workbooks, self._imported.rule_ids, strict=True):
            counts = (len(workbook.items), workbook.codes, len(workbook.notes))
            table.add_row(Text(workbook.file), Text(self._names[rule_id]), *(f"{count:,}" for count in counts))
        if len(workbooks) > 1:
            totals = [
                sum(each)
                for each in zip(*((len(book.items), book.codes, len(book.notes)) for book in workbooks), strict=True)
            ]
            table.add_row(self._word("合计", "Total"), "", *(f"{total:,}" for total in totals), style="bold")
        self._console.print(table)

    def _windows(self) -> None:
        windows = [window for book in self._imported.workbooks for window in book.windows if window.bounds is not None]
        if not windows:
            return
        self._say(f"年龄范围，请核对（{len(windows)}）", f"Age windows, please sign off ({len(windows)})")
        table = self._table(("项目", "Item"), ("原文", "In its words"), ("读作", "Read as"), ("位置", "Place"), left=4)
        for window in windows[:SHOWN]:
            assert window.bounds is not None
            read = window_words(*astuple(window.bounds), english=self._words.english)
            table.add_row(*map(Text, (window.item_name, window.text, read, window.place)))
        self._console.print(table)
        self._more(len(windows))

    def _texts(self) -> None:
        """The texts, as each is a reading of its own; a list has a handful, one of indications hundreds."""
        texts = [text for book in self._imported.workbooks for text in book.texts]
        if not texts:
            return
        self._say(
            f"限制条件，请核对（{len(texts)} 种原文）；原文还写明的疾病、疗程等条件不在此规则内",
            f"Limits read from the text, please sign off ({len(texts)} texts); what else a text asks for (a disease, a course) is not of this rule",
        )
        table = self._table(
            ("读作", "Read as"), ("原文", "In its words"), ("首见", "First at"), ("项目", "Items"), left=3
        )
        for text in texts[:TEXTS_SHOWN]:
            table.add_row(*map(Text, (self._words.limit(text.terms), text.text, text.place, f"{text.items:,}")))
        self._console.print(table)
        self._more(len(texts), TEXTS_SHOWN)

    def _changes(self) -> None:
        self._say("变化（知识点 / 编码）", "Changes (points / codes)")
        table = self._table(
            ("规则", "Rule"), ("新增", "New"), ("延续", "Went on"), ("限制改变", "Changed"), ("终止", "Ended"),
            ("降为提示", "To notice"), ("未列出而保留", "Not listed, kept"), ("同前段保留", "Kept by family"),
            left=1,
        )  # fmt: skip
        for change, book in zip(self._imported.changes, self._imported.workbooks, strict=True):
            tallies = (change.new, change.went_on, change.changed, change.ended, change.demoted, change.kept)
            day = self._word(f"自 {book.begins}", f"from {book.begins}") if book.begins else ""
            name = " ".join(filter(None, (self._names[change.rule_id], book.region, day)))
            table.add_row(Text(name), *map(_tally, tallies), _tally(_family_tally(change)))
        self._console.print(table)

    def _kept_by_family(self) -> None:
        kept = [each for change in self._imported.changes for each in change.kept_by_family]
        self._lines(
            "清单没有列出、但列出了同一前段的其他编码，因而保留的编码，请核对",
            "Codes not listed, kept because another code of their family is: please check",
            [f"{each.code} {each.item_name}（{each.point_id}）" for each in kept],
        )

    def _families(self) -> None:
        changes = self._imported.changes
        self._lines(
            "整段改变限制的药品码前段：清单没有列出的编码和新包装也随之改变，请核对",
            "Families whose limit changes as a whole, unlisted codes and new packs included: please check",
            [
                self._word(
                    f"{taken.family}* {taken.item_name}（{taken.before} → {taken.point_id}；清单列出 {taken.listed} 个编码，"
                    f"此前公布 {taken.published} 个）",
                    f"{taken.family}* {taken.item_name} ({taken.before} → {taken.point_id}; {taken.listed} code(s) listed, "
                    f"{taken.published} published before)",
                )
                for change in changes
                for taken in change.taken_families
            ],
        )
        self._lines(
            "按编码而不按前段覆盖的药品：前段内还有规则没有同样限制的药",
            "Covered by exact codes, as the family also holds an item that the rule does not limit alike",
            [
                self._words.beside(
                    f"{exact.family}* {exact.item_name}",
                    "、".join(exact.others)
                    or self._word("限制不一，或已知另有品种", "limited in several ways, or known to hold another item"),
                )
                for change in changes
                for exact in change.exact_families
            ],
        )
        self._lines(
            "不再整段覆盖的药品码前段（--allow-lost-coverage）",
            "Families that are no longer covered whole (--allow-lost-coverage)",
            [
                self._words.beside(f"{lost.code}* {lost.item_name}", lost.point_id)
                for change in changes
                for lost in change.lost_coverage
            ],
        )

    def _each(self, field: str) -> list[str]:
        return [f"{book.file}：{text}" for book in self._imported.workbooks for text in getattr(book, field)]

    def _lines(self, chinese: str, english: str, lines: Sequence[str]) -> None:
        if lines:
            self._say(f"{chinese}（{len(lines)}）", f"{english} ({len(lines)})")
            for line in lines[:SHOWN]:
                self._print(f"  {line}")
            self._more(len(lines))
            self._print("")

    def _more(self, count: int, shown: int = SHOWN) -> None:
        if count > shown:
            self._say(f"  ……另有 {count - shown} 条，见 {IMPORT_FILE}", f"  … {count - shown} more in {IMPORT_FILE}")

    def _table(self, *titles: tuple[str, str], left: int) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for number, title in enumerate(titles):
            table.add_column(self._word(*title), justify="left" if number < left else "right", overflow="fold")
        return table

    def _say(self, chinese: str, english: str) -> None:
        self._print(self._word(chinese, english))

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)

    def _word(self, chinese: str, english: str) -> str:
        return self._words.say(chinese, english)


def _tally(tally: Tally) -> str:
    return f"{tally.points:,} / {tally.codes:,}" if tally.codes or tally.points else "–"


def _family_tally(change: ListChange) -> Tally:
    kept: Iterable[str] = (each.point_id for each in change.kept_by_family)
    return Tally(len(set(kept)), len(change.kept_by_family))
