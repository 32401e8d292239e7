"""What a published item is limited to by quotas, pairs, operations of one incision, the second line and indications, out of the cells of its row.

Columns of their own go before the text: 上限数量 and 单位, 周期, 天数, 组别, 时间间隔. What a text does not say plainly is a fault of its cell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from checker.knowledge.cell_reader import Faults
from checker.knowledge.indication_terms import IndicationTerms, KnownText, Reading
from checker.knowledge.limited import indicated, limited
from checker.knowledge.published import PublishedItem
from checker.knowledge.sheets.headers import plain
from checker.knowledge.sheets.items import ItemRow
from checker.knowledge.sheets.limits import ReadText
from checker.knowledge.sheets.table import SheetTable, WrongCell
from checker.shapes.evidence.texts import drug_class, earlier_therapy
from checker.shapes.pair.texts import find_interval, read_interval
from checker.shapes.quota.texts import read_quota

Cells = Mapping[str, str | int]
_WHOLE = re.compile(r"0*([1-9][0-9]{0,5})(?:\.0+)?")
_ASK = {
    "course": (
        "读不出天数；请写如 支付不超过14天、单次住院支付不超过3天、支付不超过12个月；每年、每月限多少天的，没有规则能判断"
        " (no course is understood: write it like one of these; days of a year or a month are judged by no rule)"
    ),
    "day": "读不出每日的上限；请写如 1/日、24/小时、每日2次 (no quantity a day is understood: write it like one of these)",
    "window": "读不出周期；请写如 间隔时间不短于14天、每周最多支付一次 (no window is understood: write it like one of these)",
    "incision": "读不出手术组；请写组名，如 胃肠手术组 (write the group of operations)",
    "interval": "读不出间隔；请写 单日、单次就诊、6小时 或 同一小时 (an unknown interval: write one of these)",
    "number": "请写大于 0 的整数 (write a whole number above 0)",
    "unit": "请写 日、小时 或 次 (write 日, 小时 or 次)",
    "text": "请写限定支付的原文 (write the published text of the limit)",
}
_TELLING = ("interval", "days", "window", "most", "unit", "group", "indication", "basis")
"""Columns that tell a limit, those of their own first."""
_UNITS = {"日": "day", "天": "day", "小时": "hour", "次": "time"}
_NO_INTERVAL = (
    "没有间隔一列，检出逻辑也没有说明：各对按单日（同一天同时收取）导入，请核对原表"
    " (no interval is told: every pair is taken for one of the same day; compare the published list)"
)


@dataclass(frozen=True, slots=True)
class UnmappedText:
    """A text of an indication in which no known term stands: its item has no diagnoses."""

    item_name: str
    seq: int
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class ReadItems:
    """Items with their limits, their texts with what they read as, remarks for whoever signs off, and items whose diagnoses are not known."""

    items: tuple[PublishedItem, ...]
    texts: tuple[ReadText, ...]
    notes: tuple[str, ...]
    unmapped: tuple[UnmappedText, ...]


class OwnLimits:
    """Reads the items of one sheet; `terms` are the words of indications, None where no file was given, `known` the texts that points have."""

    def __init__(
        self,
        table: SheetTable,
        items: Sequence[ItemRow],
        terms: IndicationTerms | None,
        faults: Faults,
        known: Mapping[str, KnownText],
    ) -> None:
        self._table = table
        self._rows = items
        self._terms = terms
        self._known = known
        self._faults = faults
        self._wrong: dict[str, list[WrongCell]] = {}
        self._notes: list[str] = []
        self._unread: list[tuple[ItemRow, str]] = []

    def read(self, reads: str, items: Sequence[PublishedItem]) -> ReadItems:
        """Return the items with the limits of this kind; what is wrong is noted, once for each cell."""
        readers: dict[str, Callable[[ItemRow, PublishedItem], PublishedItem | None]] = {
            "course": self._course, "day": self._day, "window": self._window, "pair": self._pair, "incision": self._incision,
            "second_line": self._second_line, "indication": self._indication,
        }  # fmt: skip
        read = [(row, item, readers[reads](row, item)) for row, item in zip(self._rows, items, strict=True)]
        if reads == "pair":
            self._check_pairs([one or item for _, item, one in read])
        for column, cells in self._wrong.items():
            self._table.fault_cells(self._faults, column, cells)
        notes = (f"{self._table.place(row.row, 'note')}：{row.note}" for row in self._rows if row.note is not None)
        return ReadItems(
            tuple(one or item for _, item, one in read),
            self._texts([(row, one) for row, _, one in read if one is not None]),
            (*self._notes, *notes),
            tuple(UnmappedText(row.name, row.seq, text, self._place(row)) for row, text in self._unread),
        )

    def _texts(self, read: Sequence[tuple[ItemRow, PublishedItem]]) -> tuple[ReadText, ...]:
        """Each text with what it reads as, where it stands first, and how many items have it."""
        said = [(item.text or "", item.limits.cells) for _, item in read]
        counts, first = Counter(said), dict(zip(reversed(said), reversed([row for row, _ in read]), strict=True))
        return tuple(
            ReadText(text, dict(cells), counts[text, cells], self._place(first[text, cells])) for text, cells in counts
        )

    def _place(self, row: ItemRow) -> str:
        """The cell from which an item's limits are read."""
        told = (each for each in _TELLING if getattr(row, each) and self._table.has(each))
        return f"{self._table.file}：{self._table.place(row.row, next(told, 'name'))}"

    def _course(self, row: ItemRow, item: PublishedItem) -> PublishedItem | None:
        text = row.days or self._text(row)
        bare = plain(row.days or "")
        said = f"支付不超过{bare}{'天' if bare.isascii() else ''}" if bare and not bare.startswith("支付") else text
        quota = read_quota("course", said, row.logic or "")
        if quota is None:
            return self._fault(row, "days" if row.days else self._text_column(row), "course")
        if row.days and row.basis:
            beside = read_quota("course", f"{said}，{row.basis}", row.logic or "")
            if beside is None:
                return self._fault(row, "days", "course")
            quota = beside
        return limited(item, quota, quota_text=self._text(row) or text)

    def _day(self, row: ItemRow, item: PublishedItem) -> PublishedItem | None:
        if row.most is None:
            text = row.unit or self._text(row)
            quota = read_quota("day", text, "")
            if quota is None:
                return self._fault(row, "unit" if row.unit else self._text_column(row), "day")
            return limited(item, quota, quota_text=text)
        if row.unit is None:
            quota = read_quota("day", row.most, "")
            if quota is None and (number := _number(row.most)):
                quota = {"quota": "day", "quota_most": number, "quota_unit": "time"}
            return self._fault(row, "most", "day") if quota is None else limited(item, quota, quota_text=row.most)
        most, unit = _number(row.most), _UNITS.get(plain(row.unit).removeprefix("每").removeprefix("/"))
        if most is None or unit is None:
            return self._fault(row, "most", "number") if most is None else self._fault(row, "unit", "unit")
        told = f"{plain(row.most)}/{plain(row.unit)}"
        # More than one a day is a number of times; a bed or a nursing day is one.
        unit = "time" if unit == "day" and most > 1 else unit
        return limited(item, {"quota": "day", "quota_most": most, "quota_unit": unit}, quota_text=told)

    def _window(self, row: ItemRow, item: PublishedItem) -> PublishedItem | None:
        text = self._text(row)
        if row.window is None:
            quota = read_quota("window", text, "")
            return (
                self._fault(row, self._text_column(row), "window")
                if quota is None
                else limited(item, quota, quota_text=text)
            )
        most = 1 if row.most is None else _number(row.most)
        bare = plain(row.window)
        days = read_quota("window", f"{bare}{'天' if bare.isascii() else ''}内最多{most}次", "")
        if most is None or days is None:
            return self._fault(row, "most", "number") if most is None else self._fault(row, "window", "window")
        said = read_quota("window", text, "")
        if said is not None and said != days:
            return self._fault(row, "window", "window")
        return limited(item, days, quota_text=text or bare)

    def _incision(self, row: ItemRow, item: PublishedItem) -> PublishedItem | None:
        group = row.group or row.basis
        if not group:
            return self._fault(row, "group" if self._table.has("group") else "basis", "incision")
        return limited(replace(item, text=group), {"incision_group": group}, pair_text=row.logic)

    def _pair(self, row: ItemRow, item: PublishedItem) -> PublishedItem | None:
        if row.interval is not None:
            interval = read_interval(row.interval)
            if interval is None:
                return self._fault(row, "interval", "interval")
        else:
            interval = find_interval(row.logic or "") or find_interval(row.note or "")
            if interval is None and self._table.has("interval"):
                return self._fault(row, "interval", "interval")
        if interval is None and _NO_INTERVAL not in self._notes:
            self._notes.append(_NO_INTERVAL)
        name = row.container_name or "、".join(item.containers)
        one = replace(item, item_name=f"{name}×{item.item_name}")
        return limited(one, {"pair_interval": interval or "day"}, container_name=name, pair_text=row.basis)

    def _check_pairs(self, items: Sequence[PublishedItem]) -> None:
        """A pair of an item with itself, and one that stands twice, or in both orders."""
        seen: dict[tuple[str, str], ItemRow] = {}
        for row, item in zip(self._rows, items, strict=True):
            for container in item.containers:
                for code in item.codes:
                    before, contrary = seen.get((container, code)), seen.get((code, container))
                    if container == code:
                        said = "项目 A 和项目 B 是同一个编码，一个项目不与自己成对，请核对 (an item makes no pair with itself)"
                    elif before is not None:
                        said = f"第 {before.row} 行已有这一对，请删去一个 (row {before.row} has this pair: keep one)"
                    elif contrary is not None:
                        said = (
                            f"第 {contrary.row} 行是同样两个项目，A、B 正好相反；谁包含谁只能有一种，请核对"
                            f" (row {contrary.row} has the two in the other order: only one of them is a part of the other)"
                        )
                    else:
                        seen[container, code] = row
                        continue
                    self._wrong.setdefault("code", []).append((row.row, code, said))

    def _second_line(self, row: ItemRow, item: PublishedItem) -> PublishedItem | None:
        text = self._text(row)
        if not text:
            return self._fault(row, self._text_column(row), "text")
        cells: Cells = {"drug_class": drug_class(item.codes)}
        return limited(replace(item, text=text), cells, to_check=earlier_therapy(text), evidence_text=text)

    def _indication(self, row: ItemRow, item: PublishedItem) -> PublishedItem | None:
        text = self._text(row)
        if not text:
            return self._fault(row, self._text_column(row), "text")
        reading = self._terms.read(text) if self._terms is not None else Reading((), (), (), False)
        if not reading.prefixes and (known := self._known.get("".join(text.split()))) is not None:
            place = self._table.place(row.row, self._text_column(row))
            trial = "，先按影子（shadow）导入" if known.status == "shadow" else ""
            self._notes.append(
                f"{place} {row.name}：原文与知识点 {known.point_id} 相同，照用它的诊断{trial} (the text of a point: read as there)"
            )
            return replace(indicated(replace(item, text=text), known.prefixes, known.to_check), status=known.status)
        if not reading.prefixes:
            self._unread.append((row, text))
            return None
        place = self._table.place(row.row, self._text_column(row))
        if reading.unmapped:
            self._notes.append(
                f"{place} {row.name}：这几处没有对照表里的用语，知识点先按影子（shadow）导入：{'；'.join(reading.unmapped)}"
                " (parts without a known term: the point is imported on trial)"
            )
        elif not reading.is_sure:
            self._notes.append(
                f"{place} {row.name}：{'、'.join(reading.terms)} 单凭诊断说不准，知识点先按影子（shadow）导入"
                " (terms that diagnoses alone do not tell: the point is imported on trial)"
            )
        is_active = reading.is_sure and not reading.unmapped
        return replace(
            indicated(replace(item, text=text), reading.prefixes, None), status="active" if is_active else "shadow"
        )

    def _text(self, row: ItemRow) -> str:
        return row.indication or row.basis or ""

    def _text_column(self, row: ItemRow) -> str:
        return "indication" if row.indication or not self._table.has("basis") else "basis"

    def _fault(self, row: ItemRow, column: str, ask: str) -> PublishedItem | None:
        named = column if column in self._table.rows.columns else "name"
        self._wrong.setdefault(named, []).append((row.row, getattr(row, named), _ASK[ask]))
        return None


def _number(text: str) -> int | None:
    found = _WHOLE.fullmatch(plain(text))
    return int(found[1]) if found else None
