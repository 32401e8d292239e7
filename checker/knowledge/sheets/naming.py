"""Which rule and which batch a published workbook is: by its title, its columns and its file's name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from checker.knowledge.cell_reader import Faults
from checker.knowledge.sheets.headers import plain
from checker.knowledge.sheets.items import ItemRow
from checker.knowledge.sheets.known_rules import KnownRules
from checker.knowledge.sheets.table import SheetTable
from checker.model.numerals import counted

_RULE_IN_TITLE = re.compile(r"[“\"]([^“”\"]+)[”\"]规则|^《?([^《》“”\"]+)规则对应知识点")
_RULE_OF_CODES = re.compile(r"[“\"]([^“”\"]+)[”\"]知识点对应")
_BATCH_NUMBER = re.compile(r"第([一二三四五六七八九十]{1,3}|\d{1,2})批")
_BATCH_MONTH = re.compile(r"(\d{4})年(\d{1,2})月更新")


def rule_of(
    table: SheetTable, codes: SheetTable, items: Iterable[ItemRow], rules: KnownRules, faults: Faults
) -> str | None:
    """Return the published name of the rule of an item sheet and its code sheet, or None after noting that it is not known.

    The title names it, else a column 规则, else the sheet's name, else the file's. It is a fault when the column,
    the file's name or the title of the code sheet names another rule.
    """
    in_title = _RULE_IN_TITLE.search(plain(table.title))
    named = {plain(item.rule): item.row for item in items if item.rule is not None}
    in_name = _names_within(Path(table.file).stem, rules)
    if in_title:
        rule = in_title[1] or in_title[2]
    elif named:
        rule = next(iter(named))
    elif len(of_sheet := _names_within(table.sheet, rules)) == 1:
        rule = of_sheet[0]
    elif len(in_name) == 1:
        rule = in_name[0]
    else:
        message = "看不出是哪条规则；标题应如《“药品儿童专用”规则对应知识点明细》，CSV 也可有“规则”一列 (no rule is named: write the title)"
        faults.add(table.file, table.place_of_sheet(), message)
        return None
    for other, row in named.items():
        if other != rule:
            message = (
                f"读到 {other!r}，而本文件的规则是“{rule}”；一个文件只放一条规则 (another rule: one file, one rule)"
            )
            table.fault(faults, row, "rule", message)
    if in_name and rule not in in_name:
        message = (
            f"文件名说是“{in_name[0]}”，标题说是“{rule}”；请核对并改正文件名 (file name and title name different rules)"
        )
        faults.add(table.file, table.place_of_sheet(), message)
    of_codes = _RULE_OF_CODES.search(plain(codes.title))
    if of_codes and of_codes[1] != rule:
        message = (
            f"标题说是“{of_codes[1]}”的代码，而本文件的规则是“{rule}” (the codes of another rule: take the right sheet)"
        )
        faults.add(table.file, codes.place_of_sheet(), message)
    if rule not in rules:
        message = f"规则“{rule}”不在规则库里；已有：{'、'.join(rules) or '无'}。请先写这条规则 (unknown rule: write the rule first)"
        faults.add(table.file, table.place_of_sheet(), message)
        return None
    return rule


def _names_within(text: str, rules: Iterable[str]) -> list[str]:
    """The known rules that the text names; a name within a longer one does not count."""
    found = [rule for rule in rules if rule in plain(text)]
    return [rule for rule in found if not any(rule != other and rule in other for other in found)]


def batch_of(file: str, title: str, faults: Faults) -> str | None:
    """Return the batch that title or file name tell (第十二批 is 12, 2026年1月更新 is 2026-01), or None after noting a fault."""
    found: set[str] = set()
    for text in (plain(title), plain(file)):
        found |= {f"{counted(number):02d}" for number in _BATCH_NUMBER.findall(text)}
        found |= {f"{year}-{int(month):02d}" for year, month in _BATCH_MONTH.findall(text)}
    if len(found) == 1:
        return found.pop()
    message = "标题和文件名没有说是哪一批，请给出 --batch，如 --batch 01 (no batch is named: give --batch)"
    if found:
        message = f"标题和文件名说的批次不一：{'、'.join(sorted(found))}，请给出 --batch (two batches are named: give --batch)"
    faults.add(file, "", message)
    return None
