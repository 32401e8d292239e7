"""What a published item is limited to: sex, age word and age window, or the terms on which it is paid, out of the words of its row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from checker.knowledge.cell_reader import Faults
from checker.knowledge.published import Limits
from checker.knowledge.sheets.headers import plain, word_of
from checker.knowledge.sheets.items import ItemRow
from checker.knowledge.sheets.known_rules import KnownRule
from checker.knowledge.sheets.remarks import is_plain
from checker.knowledge.sheets.table import SheetTable, WrongCell
from checker.shapes.item.age_words import CHILD_WORDS, age_word_in, narrower_word, says_for_whom, warns
from checker.shapes.item.windows import AgeWindow, FoundWindow, find_window
from checker.shapes.terms.texts import Terms, read_terms, speaks_of_terms

_SEXES = {"男": "男", "男性": "男", "女": "女", "女性": "女"}
_SUBJECTS = ("参保人", "就诊人")
_WORD_IN_RULE = re.compile(rf".*限({CHILD_WORDS})使用|药品({CHILD_WORDS})专用")
_GROWN_UP = 18
_OF_PREGNANCY = re.compile("孕|妊娠|哺乳|围产|产妇")
_NO_FACT = (
    "处方和结算里没有谁怀孕、哺乳的数据，这条规则不能判断；请从这张表删去这一项，由药师核对"
    " (nothing on prescriptions or settlements says who is pregnant or nurses: the rule cannot judge it; take the item out of this list)"
)
_NO_SEX = "这条规则不看性别，请删去 (the rule does not look at the sex: remove it)"
_ASK_WHOSE = "同表列的是慎用、禁用的人群，看不出这一格指谁；请写明，如 65岁以上慎用、限65岁以上使用"
"""What is asked of an age that stands alone in a list of warnings."""
_ASK_TERMS = {
    "insurance": "读不出险种；请写 限工伤保险 或 限生育保险 (no insurance is understood: write one of these)",
    "care_groups": (
        "读不出就医方式；请写如 限急诊或住院患者、限门诊慢特病患者，“门诊”请写明普通门诊、急诊还是门诊慢特病"
        " (no care is understood: write, for example, one of these; of 门诊, say which)"
    ),
    "min_rank": (
        "读不出机构级别；请写如 限二级及以上医疗机构、首次处方时需由二级及以上医疗机构开具处方、三级医院眼科或二级及以上眼科专科医院"
        " (no level is understood: write it like one of these)"
    ),
    "barred_channel": "读不出渠道；请写如 互联网诊疗不予支付 (no channel is understood: write it so)",
    "never_paid": "读不出不予支付；请写 不得纳入基金支付范围，没有条件 (write, without conditions, that it is not paid)",
}  # fmt: skip
"""What to write where a text says nothing plain of the limit that a rule is about."""


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
class ReadText:
    """One text from which limits were read, for sign-off: how many items have it, and where the first of them stands; `terms` are the cells."""

    text: str
    terms: Terms
    items: int
    place: str


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """The limits of the items, in their order, the windows or texts that they come from, and remarks that are no window.

    `unjudged` are by number the texts that speak of an age to which the rule does not look, or beside terms of others.
    """

    limits: tuple[Limits, ...]
    windows: tuple[ReadWindow, ...]
    texts: tuple[ReadText, ...]
    remarks: tuple[str, ...]
    unjudged: Mapping[int, str] = field(default_factory=dict)


def read_limits(table: SheetTable, name: str, rule: KnownRule, items: Sequence[ItemRow], faults: Faults) -> ReadLimits:
    """Return what the items are limited to by a rule, which is published under the name.

    Where the rule limits the terms of payment, they are read from 逻辑依据, and a text that is not understood is a fault. Else
    the age word is that of 逻辑依据 (新生儿专用项目) or that of the rule's name (药品限儿童使用); for services the rule's
    name 儿童专用 stands above newborns too and decides nothing. Faults: a sex that is none, both subjects in one row, two
    windows that differ, an item without any limit (one whose window is not understood is among the windows instead).
    """
    if rule.terms:
        return _read_terms(table, rule.terms, items, faults)
    wrong: dict[str, list[WrongCell]] = {"sex": [], "logic": [], "note": [], "basis": []}
    limits: list[Limits] = []
    windows: list[ReadWindow] = []
    remarks: list[str] = []
    # A sheet of a hundred thousand items has a handful of different texts.
    texts = {cell for item in items for cell in (item.basis, item.note) if cell is not None}
    of_ages = table.has("basis") and word_of(table.header_of("basis")) != "逻辑依据"
    ages = "age" in rule.looks_at
    unjudged: dict[int, str] = {}
    window_in = {text: None if age_word_in(text) else find_window(text) for text in texts}
    if re.search(CHILD_WORDS, name) and not rule.warns:
        # What a list for children says of others (3岁以下慎用) is a second limit, which the rule does not part from the first.
        window_in |= {text: FoundWindow(text, None) for text in texts if warns(text)}
        window_in |= {
            text: FoundWindow(text, None)
            for text, window in window_in.items()
            if window is not None and _is_of_adults(window)
        }
    elif rule.warns or any(item.basis is not None and warns(item.basis) for item in items):
        # A list of warnings may say 65岁以上 of those who should not get it; read as whom it is for, it would judge the others.
        window_in |= {
            text: FoundWindow(f"{text}（{_ASK_WHOSE}）", None)
            for text, window in window_in.items()
            if window is not None and window.bounds is not None and not warns(text) and not says_for_whom(text)
        }
    for item in items:
        found: dict[str, FoundWindow] = {}
        # 65岁以上 beside 慎用: whom it is for, or whom it is not for, the two cells do not tell.
        unclear = item.basis is not None and item.note is not None and warns(item.note) and not warns(item.basis)
        for column, cell in (("basis", item.basis), ("note", item.note)):
            if not ages and cell is not None and (window_in[cell] or (column == "basis" and age_word_in(cell))):
                unjudged.setdefault(item.seq, cell)
            elif cell is not None and (window := window_in[cell]) is not None:
                if unclear and column == "basis":
                    window = FoundWindow(f"{item.basis}；{item.note}", None)
                found[column] = window
                windows.append(
                    ReadWindow(
                        item.name,
                        item.seq,
                        window.text if window.bounds is None else cell,
                        f"{table.file}：{table.place(item.row, column)}",
                        window.bounds,
                    )
                )
            elif column == "basis" and cell is not None and ages and not _is_understood(cell, of_ages=of_ages):
                windows.append(
                    ReadWindow(item.name, item.seq, cell, f"{table.file}：{table.place(item.row, column)}", None)
                )
            elif column == "basis" and cell is not None and not (is_plain(cell) or _repeats(cell, item.sex)):
                unjudged.setdefault(item.seq, cell)
            elif column == "note" and cell is not None:
                remarks.append(f"{table.place(item.row, column)}：{cell}")
        understood = [window for window in found.values() if window.bounds is not None]
        if len({window.bounds for window in understood}) > 1:
            said = f"与逻辑依据的“{item.basis}”不同，请只留一个 (differs from the window in 逻辑依据: keep one)"
            wrong["note"].append((item.row, item.note, said))
        subject = _subject(item, wrong["logic"])
        sex = _SEXES.get(plain(item.sex or ""))
        if item.sex is not None and rule.looks_at and "sex" not in rule.looks_at:
            wrong["sex"].append((item.row, item.sex, _NO_SEX))
        elif sex is None and (item.sex is not None or "性别" in name):
            wrong["sex"].append((item.row, item.sex, "请写 男 或 女 (write 男 or 女)"))
        word = (age_word_in(item.basis or "") or narrower_word(item.basis or "") or age_word_of(name)) if ages else None
        if not (sex or word or found or "性别" in name):
            said = (
                "读不出任何限制；请写 儿童专用项目、新生儿专用项目、婴幼儿专用项目、老年人慎用，或年龄如 2-11岁、65岁以上慎用"
                " (no limit is found: write one of these)"
            )
            wrong["basis"].append((item.row, item.basis, _NO_FACT if _OF_PREGNANCY.search(item.basis or "") else said))
        text = understood[0].text if understood else None
        limits.append(Limits(sex, word, text, subject))
    for column, cells in wrong.items():
        table.fault_cells(faults, column, cells)
    return ReadLimits(tuple(limits), tuple(windows), (), tuple(remarks), unjudged)


def _is_understood(cell: str, *, of_ages: bool) -> bool:
    """Whether a cell without an age in figures says a word that is read, or one that the name of a list for children says as well.

    A column that is not `of_ages` may hold anything; what it says of newborns beside others is narrower than the list, and not read.
    """
    narrow = narrower_word(cell)
    if age_word_in(cell) is not None or narrow:
        return True
    if not of_ages:
        return narrow is None
    return re.fullmatch(rf"限?(?:{CHILD_WORDS})(?:使用|专用)?", plain(cell)) is not None


def _is_of_adults(window: FoundWindow) -> bool:
    """Whether a window begins where childhood has ended, so that nobody would be left in a list for children."""
    bounds = window.bounds
    return (
        bounds is not None
        and bounds.minimum is not None
        and bounds.minimum_unit == "year"
        and bounds.minimum >= _GROWN_UP
    )


def _repeats(cell: str, sex: str | None) -> bool:
    """Whether a cell says the sex that the item's own column says: 限男性使用 beside 男."""
    said = _SEXES.get(plain(sex or ""))
    return (
        said is not None
        and re.fullmatch(rf"(?:仅|只)?限?(?:于)?{said}性?(?:患者)?(?:使用|专用)?", plain(cell)) is not None
    )


def _read_terms(table: SheetTable, wanted: Sequence[str], items: Sequence[ItemRow], faults: Faults) -> ReadLimits:
    wrong: dict[str, list[WrongCell]] = {"sex": [], "logic": [], "basis": []}
    limits: list[Limits] = []
    first: dict[str, ItemRow] = {}
    counts = Counter(item.basis for item in items)
    read: Mapping[str | None, Terms | None] = {text: read_terms(text or "", wanted) for text in counts}
    for item in items:
        terms = read[item.basis]
        if item.sex is not None:
            wrong["sex"].append((item.row, item.sex, _NO_SEX))
        if item.basis is None or terms is None:
            wrong["basis"].append((item.row, item.basis, _ASK_TERMS[wanted[0]]))
        else:
            first.setdefault(item.basis, item)
        said = (("terms_text", item.basis),) if item.basis else ()
        subject = _subject(item, wrong["logic"])
        limits.append(Limits(None, None, None, subject, tuple(sorted((terms or {}).items())), said))
    for column, cells in wrong.items():
        table.fault_cells(faults, column, cells)
    texts = [
        ReadText(text, read[text] or {}, counts[text], f"{table.file}：{table.place(item.row, 'basis')}")
        for text, item in first.items()
    ]
    remarks = [f"{table.place(item.row, 'note')}：{item.note}" for item in items if item.note is not None]
    unjudged = {item.seq: item.note for item in items if item.note is not None and speaks_of_terms(item.note)}
    return ReadLimits(tuple(limits), (), tuple(texts), tuple(remarks), unjudged)


def _subject(item: ItemRow, wrong: list[WrongCell]) -> str | None:
    """Whose data counts, as 检出逻辑 says; both is noted as wrong."""
    found = [subject for subject in _SUBJECTS if subject in plain(item.logic or "")]
    if len(found) > 1:
        wrong.append((item.row, item.logic, "请只写参保人或就诊人之一 (write one of 参保人 and 就诊人)"))
    return found[0] if found else None


def age_word_of(rule: str) -> str | None:
    """The age word that the published name of a rule says of all its items: 儿童 of 药品限儿童使用."""
    found = _WORD_IN_RULE.fullmatch(rule)
    return (found[1] or found[2]) if found else None
