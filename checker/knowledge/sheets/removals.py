"""Rows of a list that are marked as removed [删除标记], in words or struck through, which never become points; and those whose remark sets a
condition, which judge only on trial until somebody has read it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.sheets.headers import plain
from checker.knowledge.sheets.items import ItemRow
from checker.knowledge.sheets.remarks import KEPT, LIKE_A_REMOVAL, OF_ALL, REMOVAL_WORDS, is_plain, sets_condition
from checker.knowledge.sheets.table import SheetTable
from checker.knowledge.sheets.workbook import ROW
from checker.shapes.item.windows import find_window

_REMOVED = re.compile(rf"(?:已|拟|现|本次)?(?:{REMOVAL_WORDS})(?:知识点|项目|编码|代码)?")
_IN_NAME = re.compile(
    rf"[(\[【〔](?:\d{{4}}年)?(?:{_REMOVED.pattern}|暂停)[)\]】〕]|[-—_:](?:{_REMOVED.pattern})$|^(?:{_REMOVED.pattern})[-—_:]|已(?:{REMOVAL_WORDS})$"
)
_UNCLEAR_IN_NAME = re.compile(f"{LIKE_A_REMOVAL.pattern}|下架|退市|停产|停售|注销|解除限")
_CONDITION_IN_NAME = re.compile(
    rf"[(\[【〔](?:[^()\[\]【】〔〕]*(?:{OF_ALL.pattern}|[月日]起|待定|待核|待查)|限)[^()\[\]【】〔〕]*[)\]】〕]"
)
LISTS_REMOVED = re.compile(
    rf"(?:以下|下列).{{0,12}}(?:{REMOVAL_WORDS})|(?:{REMOVAL_WORDS})(?:药品|项目|品种|知识点)?(?:清单|目录|列表|名单|明细)|(?:{REMOVAL_WORDS})药品"
)
"""How a heading says that what stands below it is taken back."""
_BELOW_ALL = 1 << 31
_ASK = "看不出这一项是留还是删；请写明“删除”等，或改写备注 (it is not clear whether the item stays: mark it as removed, or word it otherwise)"


def removed_of(table: SheetTable, items: Iterable[ItemRow], faults: Faults) -> dict[int, str]:
    """By number the items that are marked as removed, and how: by their column of changes, their remark, their name, or a line through them.

    Faults: an unknown word in the column of changes; a remark that speaks of removal and of more (自 7 月起停用); an item of which some rows
    are struck through and others not.
    """
    found: dict[int, str] = {}
    for item in items:
        change, note = (plain(text or "") for text in (item.change, item.note))
        struck = table.struck.intersection(item.rows)
        in_name = _IN_NAME.search(plain(item.name))
        if change and change not in KEPT and not _REMOVED.fullmatch(change):
            table.fault(faults, item.row, "change", f"读到 {item.change!r}；{_ASK}")
        elif not _REMOVED.fullmatch(note) and LIKE_A_REMOVAL.search(note):
            table.fault(faults, item.row, "note", f"读到 {item.note!r}；{_ASK}")
        elif not in_name and _UNCLEAR_IN_NAME.search(plain(item.name)):
            table.fault(faults, item.row, "name", f"读到 {item.name!r}；{_ASK}")
        elif _is_part(table, item):
            message = "这一项只有一部分行有删除标记；请在要删的每一行都写，或另编一项 (only some rows of the item are marked: mark each of them)"
            table.fault(faults, item.row, None, message)
        elif struck and struck != set(item.rows):
            message = "这一项只有一部分行画了删除线；请把要删的行删去 (only some rows of the item are struck through: delete them)"
            table.fault(faults, min(struck), None, message)
        elif _REMOVED.fullmatch(change) or _REMOVED.fullmatch(note):
            found[item.seq] = change if _REMOVED.fullmatch(change) else note
        elif in_name:
            found[item.seq] = in_name[0]
        elif struck:
            found[item.seq] = "删除线"
    return found


def _is_part(table: SheetTable, item: ItemRow) -> bool:
    """Whether some rows of an item are marked as removed and others, which name it as well, are not."""
    columns = [column for column in ("change", "note") if column in table.rows.columns]
    if len(item.rows) == 1 or not columns:
        return False
    rows = table.rows.filter(pl.col(ROW).is_in(item.rows)).sort(ROW)
    marked = [
        any(_REMOVED.fullmatch(plain(cell or "")) for cell in cells) for cells in rows.select(columns).iter_rows()
    ]
    named = rows["name"].is_not_null().to_list() if "name" in rows.columns else [True] * rows.height
    return any(marked) and not (marked[0] and all(mark or not name for mark, name in zip(marked, named, strict=True)))


def check_headings(table: SheetTable, rules: Iterable[str], faults: Faults) -> None:
    """Refuse what stands above all items, or above some of them, and says that they hold otherwise than the list: no row tells it.

    A heading that names the rule says nothing else by it; one that names a sex must be that of the rows below.
    """
    names = sorted(rules, key=len, reverse=True)
    for text in table.above:
        rest = _without(plain(text), names)
        if sets_condition(rest) or find_window(rest):
            message = (
                f"表头上面写着“{text[:60]}”，没有一行读到它；请用 --region、--status 或生效日期列说明后删去"
                " (a condition above the header: say it with options or columns)"
            )
            faults.add(table.file, "", message)
    ends = [*(row for row, _ in table.sections[1:]), _BELOW_ALL]
    for (row, text), until in zip(table.sections, ends, strict=False):
        said = _without(plain(text), names)
        if any(name in plain(text) and name not in _named(table) for name in names):
            message = (
                f"这一行（{text[:60]}）说的是另一条规则，下面的行却在同一张表里；请另放一张工作表"
                " (the rows below are of another rule: put them into a sheet of their own)"
            )
            faults.add(table.file, f"第 {row} 行", message)
        elif (
            LIKE_A_REMOVAL.search(said)
            or sets_condition(said)
            or find_window(said)
            or _is_of_others(table, said, row, until)
        ):
            message = f"这一行（{text[:60]}）下面还有项目；请在每一项标明，再删去这一行 (a heading above items: mark each of them instead)"
            faults.add(table.file, f"第 {row} 行", message)


def _without(text: str, names: Iterable[str]) -> str:
    for name in names:
        text = text.replace(name, "")
    return text


def _named(table: SheetTable) -> str:
    """What names the rule of a sheet: its title, its own name and that of its file."""
    return plain(f"{table.title} {table.sheet} {table.file}")


def _is_of_others(table: SheetTable, heading: str, row: int, until: int) -> bool:
    """Whether a heading names one sex and some row below it, up to the next heading, does not say the same."""
    named = [sex for sex in "男女" if sex in heading]
    if len(named) != 1 or not table.has("sex"):
        return False
    below = table.rows.filter((pl.col(ROW) > row) & (pl.col(ROW) < until))
    return any(named[0] not in sex for sex in below["sex"].drop_nulls())


def conditions_of(items: Iterable[ItemRow], *, reads_ages: bool) -> dict[int, str]:
    """By number the items whose remark or name may say when, where or for what else the limit holds (暂不执行, 仅限住院, 需审批): no clause reads that.

    Ages in a remark are none where the list's rule reads them.
    """
    found = {}
    for item in items:
        if item.note is not None and not (reads_ages and find_window(item.note)) and not is_plain(item.note):
            found[item.seq] = item.note
        elif _CONDITION_IN_NAME.search(plain(item.name)):
            found[item.seq] = item.name
    return found
