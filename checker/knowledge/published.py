"""The published facts as plain tables: points.csv and codes.csv, one row a published item and one a published code."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from checker.knowledge.cell_reader import Cells, Faults, collect, read_csv
from checker.knowledge.codes import CODE_SHAPES, is_code
from checker.model.errors import both

_POINT_COLUMNS = (
    "batch", "published", "rule_code", "rule", "seq", "item_name", "limit_sex", "limit_age_word", "limit_age_window",
    "subject", "detect_logic", "limit_text", "n_codes",
)  # fmt: skip
_CODE_COLUMNS = ("batch", "rule", "seq", "code")
NATIONAL = "国家医疗保障局"
"""The publisher of the national lists."""
_TITLES = {
    "01": "智能监管“两库”第一批规则与知识点",
    "02": "智能监管“两库”第二批规则与知识点",
    "03": "智能监管“两库”第三批规则与知识点",
    "04": "智能监管“两库”第四批规则与知识点",
    "05": "智能监管“两库”第五批规则与知识点",
    "06": "智能监管“两库”第六批规则与知识点",
    "07": "智能监管“两库”第七批规则与知识点",
    "08": "智能监管“两库”第八批规则与知识点",
    "2026-01": "智能监管“两库”2026年1月更新",
    "09": "智能监管“两库”第九批规则与知识点",
    "10": "智能监管“两库”第十批规则与知识点",
    "11": "智能监管“两库”第十一批规则与知识点",
    "12": "智能监管“两库”第十二批规则与知识点",
    "13": "智能监管“两库”第十三批规则与知识点",
    "14": "智能监管“两库”第十四批规则与知识点",
    "15": "智能监管“两库”第十五批规则与知识点",
    "16": "智能监管“两库”第十六批规则与知识点",
    "17": "智能监管“两库”第十七批规则与知识点",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a published item is limited to, in the published words; NULL where nothing is said.

    `cells` are those of other limits than sex and age that its text or a compiled fact says, by name, and `wording` the cells that repeat words.
    """

    sex: str | None
    age_word: str | None
    age_text: str | None
    subject: str | None
    cells: tuple[tuple[str, str | int], ...] = ()
    wording: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedItem:
    """One row of a published sheet with its codes.

    `published` is the day of the notice, `seq` the row's number, `document` the notice in words, `source_row` where the item stands in it,
    `text` what the notice says of the limit, in one line, `logic` by what a violation is found. `containers` are codes that are only looked at: of
    what the item is a part of. `status`, `remark` and `level_cap` are those of the point that it becomes. A code may be a family that the list names as such;
    `family_codes` says how many codes of it are published. `ends` is the first day on which it holds no more.
    """

    batch: str
    published: date
    rule: str
    rule_code: str | None
    seq: int
    item_name: str
    limits: Limits
    codes: tuple[str, ...]
    document: str
    source_row: str
    text: str | None = field(default=None, compare=False)
    logic: str | None = field(default=None, compare=False)
    containers: tuple[str, ...] = ()
    status: str = "active"
    remark: str | None = None
    family_codes: tuple[tuple[str, int], ...] = ()
    level_cap: str | None = None
    ends: date | None = None


def title_of(batch: str) -> str:
    """What a national notice of the batch is about; it describes the notice and is not its official title."""
    return _TITLES.get(batch, f"智能监管“两库”批次 {batch}")


def is_known_batch(batch: str) -> bool:
    """Whether the batch is one whose notice is described here."""
    return batch in _TITLES


def document_of(batch: str, published: date, *, publisher: str = NATIONAL, title: str | None = None) -> str:
    """The notice of a batch in words, with its day."""
    return f"{publisher}公布的{title or title_of(batch)}（{published}）"


def read_published(points: Path, codes: Path) -> list[PublishedItem]:
    """Return every published item of the two files, of all batches and rules.

    Raises KnowledgeError that carries every fault: unreadable cells, a number used twice, a code without item, a code
    of no national shape, a count of codes that differs from the codes listed.
    """
    faults = Faults()
    codes_of: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    first_code: dict[tuple[str, str, int], Cells] = {}
    for cells in read_csv(codes, _CODE_COLUMNS, faults, others=True):
        key = _key(cells)
        code = cells.text("code")
        if code and not is_code(code):
            cells.fault("code", CODE_SHAPES)
        if code in codes_of[key]:
            cells.fault("code", both("同一项目写了两次，请只写一次", "the item lists it twice; write it once"))
        codes_of[key].append(code)
        first_code.setdefault(key, cells)
    items: dict[tuple[str, str, int], PublishedItem] = {}
    for cells, (key, item, count) in collect(read_csv(points, _POINT_COLUMNS, faults, others=True), _read_item):
        if key in items:
            cells.fault(
                "seq",
                both(
                    "同一批次和规则的前面一行已用这个序号，每行只编一个号",
                    "an earlier row of the batch and rule has this number; number each row once",
                ),
            )
        if count != len(codes_of[key]):
            cells.fault(
                "n_codes",
                both(
                    f"{codes.name} 中有 {len(codes_of[key])} 个，请改成一致",
                    f"{codes.name} lists {len(codes_of[key])}; make the two agree",
                ),
            )
        batch, rule, seq = key
        items[key] = PublishedItem(
            *item,
            tuple(sorted(codes_of[key])),
            document_of(batch, item[1]),
            f"{batch}/{rule}/{seq}",
            _one_line(cells.optional("limit_text")),
            _one_line(cells.optional("detect_logic")),
        )
    for key, cells in first_code.items():
        if key not in items:
            cells.fault(
                "seq",
                both(
                    f"{points.name} 中没有这一批次和规则的这一项，请补上，或删去编码",
                    f"{points.name} has no such item of the batch and rule; add it or remove the code",
                ),
            )
    faults.stop()
    return sorted(items.values(), key=lambda item: (item.batch, item.rule, item.seq))


def _one_line(text: str | None) -> str | None:
    return None if text is None else _BREAK.sub("", text)


_BREAK = re.compile(r"\s*[\r\n]+\s*")
_ItemHead = tuple[str, date, str, str | None, int, str, Limits]


def _key(cells: Cells) -> tuple[str, str, int]:
    return cells.text("batch"), cells.text("rule"), cells.whole("seq")


def _read_item(cells: Cells) -> tuple[tuple[str, str, int], _ItemHead, int]:
    key = batch, rule, seq = _key(cells)
    limits = Limits(
        cells.optional("limit_sex"),
        cells.optional("limit_age_word"),
        cells.optional("limit_age_window"),
        cells.optional("subject"),
    )
    head = (batch, cells.day("published"), rule, cells.optional("rule_code"), seq, cells.text("item_name"), limits)
    return key, head, cells.whole("n_codes")
