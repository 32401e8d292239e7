"""What a published item is limited to: sex, age word and age window out of the words of its row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from checker.knowledge.cell_reader import Faults
from checker.knowledge.published import Limits
from checker.knowledge.sheets.items import ItemRow
from checker.knowledge.sheets.table import SheetTable, WrongCell, plain
from checker.shapes.item.windows import AgeWindow, FoundWindow, find_window

_SEXES = {"男": "男", "男性": "男", "女": "女", "女性": "女"}
_SUBJECTS = ("参保人", "就诊人")
_WORD = "(新生儿|婴幼儿|婴儿|儿童|小儿)"
_WORD_IN_BASIS = re.compile(rf"{_WORD}专用(?:项目)?")
_WORD_IN_RULE = re.compile(rf".*限{_WORD}使用|药品{_WORD}专用")


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """One age window found in 逻辑依据 or 备注, for sign-off.

    `text` is the cell, `place` says where it stands; `bounds` is None where the wording was not understood: the item then has
    no window.
    """

    item_name: str
    seq: int
    text: str
    place: str
    bounds: AgeWindow | None


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """The limits of the items, in their order, the windows that they come from, and remarks that are no window."""

    limits: tuple[Limits, ...]
    windows: tuple[ReadWindow, ...]
    remarks: tuple[str, ...]


def read_limits(table: SheetTable, rule: str, items: Sequence[ItemRow], faults: Faults) -> ReadLimits:
    """Return what the items are limited to.

    The age word is that of 逻辑依据 (新生儿专用项目), else that of the rule's name (药品限儿童使用); for services the rule's
    name 儿童专用 stands above newborns too and decides nothing. Faults: a sex that is none, both subjects in one row, two
    windows that differ, an item without any limit (one whose window is not understood is among the windows instead).
    """
    wrong: dict[str, list[WrongCell]] = {"sex": [], "logic": [], "note": [], "basis": []}
    limits: list[Limits] = []
    windows: list[ReadWindow] = []
    remarks: list[str] = []
    # A sheet of a hundred thousand items has a handful of different texts.
    texts = {cell for item in items for cell in (item.basis, item.note) if cell is not None}
    window_in = {text: find_window(text) for text in texts}
    for item in items:
        found: dict[str, FoundWindow] = {}
        for column, cell in (("basis", item.basis), ("note", item.note)):
            if cell is not None and (window := window_in[cell]) is not None:
                found[column] = window
                windows.append(
                    ReadWindow(
                        item.name, item.seq, cell, f"{table.file}：{table.place(item.row, column)}", window.bounds
                    )
                )
            elif column == "note" and cell is not None:
                remarks.append(f"{table.place(item.row, column)}：{cell}")
        understood = [window for window in found.values() if window.bounds is not None]
        if len({window.bounds for window in understood}) > 1:
            said = f"与逻辑依据的“{item.basis}”不同，请只留一个 (differs from the window in 逻辑依据: keep one)"
            wrong["note"].append((item.row, item.note, said))
        subjects = [subject for subject in _SUBJECTS if subject in plain(item.logic or "")]
        if len(subjects) > 1:
            wrong["logic"].append((item.row, item.logic, "请只写参保人或就诊人之一 (write one of 参保人 and 就诊人)"))
        sex = _SEXES.get(plain(item.sex or ""))
        if sex is None and (item.sex is not None or "性别" in rule):
            wrong["sex"].append((item.row, item.sex, "请写 男 或 女 (write 男 or 女)"))
        word = _age_word(rule, item.basis)
        if not (sex or word or found or "性别" in rule):
            said = "读不出任何限制；请写 儿童专用项目、新生儿专用项目、婴幼儿专用项目，或年龄如 2-11岁 (no limit is found: write one of these)"
            wrong["basis"].append((item.row, item.basis, said))
        text = understood[0].text if understood else None
        limits.append(Limits(sex, word, text, subjects[0] if subjects else None))
    for column, cells in wrong.items():
        table.fault_cells(faults, column, cells)
    return ReadLimits(tuple(limits), tuple(windows), tuple(remarks))


def _age_word(rule: str, basis: str | None) -> str | None:
    if found := _WORD_IN_BASIS.fullmatch(plain(basis or "")):
        return found[1]
    if found := _WORD_IN_RULE.fullmatch(rule):
        return found[1] or found[2]
    return None
