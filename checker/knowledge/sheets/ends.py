"""The days on which the items of a list end [终止日期]: the last day on which they hold, or the first on which they do not, as the header says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from checker.knowledge.cell_reader import Faults
from checker.knowledge.sheets.days import read_day
from checker.knowledge.sheets.headers import plain, word_of
from checker.knowledge.sheets.items import ItemRow
from checker.knowledge.sheets.table import SheetTable, WrongCell

_NEVER = frozenset({"长期", "长期有效", "永久", "无", "/", "-", "9999-12-31", "2099-12-31"})
_HOLDS_NO_MORE = ("失效", "停用")
"""Headers that begin so name the first day on which an item does not hold; all others the last on which it does."""
_ASK = "日期读不出，请写 2026-12-31 这样的日期，长期有效的留空 (no date: write one such as 2026-12-31, or leave it empty where there is no end)"


@dataclass(frozen=True, slots=True)
class Ends:
    """The first day on which an item holds no more, by its number, and how the column was read."""

    days: dict[int, date] = field(default_factory=dict)
    note: str | None = None


def ends_of(table: SheetTable, items: Iterable[ItemRow], begins: date, faults: Faults) -> Ends:
    """Return the ends of the items, which begin on the day. Faults: a day that cannot be read, or on which nothing would hold."""
    if not table.has("ends"):
        return Ends()
    word = word_of(table.header_of("ends"))
    after = timedelta(days=0 if word.startswith(_HOLDS_NO_MORE) else 1)
    days: dict[int, date] = {}
    wrong: list[WrongCell] = []
    for item in items:
        if item.ends is None or plain(item.ends)[:10] in _NEVER:
            continue
        try:
            day = read_day(item.ends.strip(), _ASK)
        except ValueError as error:
            wrong.append((item.row, item.ends, str(error)))
            continue
        if day is None:
            wrong.append((item.row, item.ends, _ASK))
        elif day + after <= begins:
            wrong.append(
                (
                    item.row,
                    item.ends,
                    f"不晚于开始的 {begins}；请核对两个日期 (not after the beginning: check both days)",
                )
            )
        else:
            days[item.seq] = day + after
    table.fault_cells(faults, "ends", wrong)
    if not days:
        return Ends()
    until = min(days.values())
    last = until - timedelta(days=1)
    read_as = "最后有效的一天" if after else "不再有效的第一天"
    said = "read as the last day on which it holds" if after else "read as the first day on which it does not hold"
    return Ends(days, f"“{word}”按{read_as}读，如最后有效 {last}，valid_to {until} ({said})")
