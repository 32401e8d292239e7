"""The insurer's published workbooks [知识点明细表] become published items: every row accounted for, every fault named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.indication_terms import IndicationTerms, KnownText
from checker.knowledge.published import Limits, PublishedItem, document_of, is_known_batch
from checker.knowledge.sheets.asides import asides_of, check_asides
from checker.knowledge.sheets.codes import CodeRows, read_codes, reconcile
from checker.knowledge.sheets.ends import ends_of
from checker.knowledge.sheets.header_row import Column
from checker.knowledge.sheets.headers import KNOWN, HeaderWords, added_words, is_like_a_limit, plain, word_of
from checker.knowledge.sheets.items import NUMBER, ItemRow, check_numbers, read_items
from checker.knowledge.sheets.known_rules import KnownRules
from checker.knowledge.sheets.limits import ReadText, ReadWindow, read_limits
from checker.knowledge.sheets.naming import batch_of, rule_of
from checker.knowledge.sheets.own_limits import OwnLimits, UnmappedText
from checker.knowledge.sheets.parts import Part, parts_of
from checker.knowledge.sheets.remarks import LIKE_A_REMOVAL, sets_condition
from checker.knowledge.sheets.removals import check_headings, conditions_of, removed_of
from checker.knowledge.sheets.table import SheetTable, read_table
from checker.knowledge.sheets.workbook import ROW, OpenedFile, open_workbook
from checker.shapes.item.age_words import is_caution

_NOTHING = Limits(None, None, None, None)
_ASK_PAIR = (
    "看不出哪一项包含哪一项；应有“项目A名称”“项目A代码”（包含的）和“项目B名称”“项目B代码”（被包含的）四列"
    " (the columns of A, which contains B, and of B are missing: names and codes of both)"
)


@dataclass(frozen=True, slots=True)
class RemovedItem:
    """An item that the list takes back, where it stands and how it is marked."""

    item_name: str
    codes: tuple[str, ...]
    place: str
    mark: str


@dataclass(frozen=True, slots=True)
class ReadCondition:
    """An item whose remark sets a condition that nothing judges by, and where it stands."""

    item_name: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Workbook:
    """What one file says.

    `file` is its name without folder, `rule` the published name of its rule, `items` stand in the order of the sheet, each
    with its codes sorted. `notes` are footnotes (说明：…), remarks and columns that were not read: words that are no limit.
    `windows` and `texts` are for sign-off, `unmapped` are texts of indications without any known term, `repairs` says with their places which
    codes were written otherwise. `codes` counts distinct codes; of pairs each counts its two. `removed` are items that are marked as such: they
    are none of `items`. `conditions` are those whose remark sets one: they are on trial. `region` and `begins` are the place and the day of which
    columns say that they hold there and from then on.
    """

    file: str
    sha256: str
    title: str
    rule: str
    items: tuple[PublishedItem, ...]
    notes: tuple[str, ...]
    windows: tuple[ReadWindow, ...]
    texts: tuple[ReadText, ...]
    unmapped: tuple[UnmappedText, ...]
    repairs: tuple[str, ...]
    codes: int
    removed: tuple[RemovedItem, ...] = ()
    conditions: tuple[ReadCondition, ...] = ()
    region: str | None = None
    begins: date | None = None


def read_workbooks(
    paths: Sequence[Path],
    *,
    batch: str | None,
    published: date | None,
    rules: KnownRules,
    repair: bool = False,
    terms: IndicationTerms | None = None,
    known_texts: Callable[[], Mapping[str, KnownText]] = dict,
    words: HeaderWords = KNOWN,
) -> tuple[Workbook, ...]:
    """Return what the workbooks say, one for each list, or raise KnowledgeError that carries the faults of all files.

    `rules` are the known rules by their published names. Without `batch`, it is taken from each
    file's title or name (第一批 is 01, 2026年1月更新 is 2026-01); the day of the notice stands in no workbook, so that `published`
    must be given. `repair` puts back the leading zeros that Excel took from service codes. `terms` are the words by which indications are read,
    `known_texts` gives texts whose reading is known, asked where a list needs it; `words` are those by which columns are found.

    **xlsx**: the published shape. A title such as “药品儿童专用”规则对应知识点明细, a header row with 序号, a name column and
    limits; the codes on a second sheet whose blank 序号 cells are filled from above, or in a column of the first.

    Several sheets of items, each with its codes in a column, are read as several lists, and so are the rules, places and days [规则, 地区,
    生效日期] that columns of one sheet tell apart. A family [药品码前段] may stand for its codes. 序号 may be missing, or number the codes, where names tell
    the items. Merged cells count in each of their rows.

    **CSV** (UTF-8, GB18030 or UTF-16; separated by commas, tabs, semicolons or bars): the
    columns of the first sheet and a code column 药品代码 or 项目代码, in one table; title
    and footnotes may be there or not. A code column may list several codes separated by blanks, commas or 、; or an item has
    several rows, those after the first leaving the other cells blank or repeating them. The rule is named by the title, by a
    column 规则, or by the file's name.
    """
    faults = Faults()
    if published is None:
        faults.add(
            "--published", "", "工作簿里没有公布日期，请给出，如 --published 2025-05-23 (give the day of the notice)"
        )
    read: list[Workbook] = []
    unseen = set(added_words(words))
    contents: dict[str, str] = {}
    for path in paths:
        opened = open_workbook(path, faults, any_form=True)
        if opened is not None and opened.sha256 in contents:
            message = f"与 {contents[opened.sha256]} 内容完全相同，请只给一次 (the same content twice: give it once)"
            faults.add(opened.file, "", message)
        elif opened is not None:
            contents[opened.sha256] = opened.file
            given = _Given(batch, published or date.min, rules, repair, terms, known_texts, words)
            read += [
                book for part in _parts(opened, given, unseen, faults) if (book := _read(opened, part, given, faults))
            ]
    if any(book.removed for book in read) and not any(book.items for book in read):
        message = "所有项目都有删除标记，没有可以导入的 (every item is marked as removed: nothing is left to import)"
        faults.add(read[0].file, "", message)
    _check_twice(read, faults)
    if unseen and not faults.found:
        told = f"没有一张表有表头“{'”“'.join(sorted(unseen))}”，请核对写法 (no sheet has this header: check how it is written)"
        faults.add("--column", "", told)
    faults.stop()
    return tuple(read)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the caller says of all files."""

    batch: str | None
    published: date
    rules: KnownRules
    repair: bool
    terms: IndicationTerms | None
    known_texts: Callable[[], Mapping[str, KnownText]]
    words: HeaderWords


def _read(opened: OpenedFile, tables: Part, given: _Given, faults: Faults) -> Workbook | None:
    items = read_items(tables.items, faults)
    if items is None:
        return None
    rule = rule_of(tables.items, tables.codes, items, given.rules, faults)
    batch = given.batch or batch_of(opened.file, tables.items.title, faults)
    if tables.codes is not tables.items:
        check_numbers(tables.codes, faults, fill=True)
    kind = given.rules[rule].kind if rule is not None else None
    codes = read_codes(tables.codes, items, faults, repair=given.repair, kind=kind)
    reconcile(tables.items, items, codes, faults)
    if rule is None or batch is None:
        return None
    known = given.rules[rule]
    pairs = known.reads == "pair"
    if pairs and not (tables.items.has("container_code") and tables.items.has("container_name")):
        faults.add(opened.file, tables.items.place_of_sheet(), _ASK_PAIR)
        return None
    of_a = read_codes(_of_containers(tables.items), items, faults, repair=given.repair, kind=kind) if pairs else None
    ends = ends_of(tables.items, items, tables.begins or given.published, faults)
    listed = _published(
        opened.file, tables, items, (codes, of_a), _Head(rule, known.code, batch, given.published, ends.days)
    )
    marks = removed_of(tables.items, items, faults)
    removed = tuple(
        RemovedItem(item.item_name, item.codes, item.source_row, marks[item.seq])
        for item in listed
        if item.seq in marks
    )
    items = tuple(item for item in items if item.seq not in marks)
    bare = [item for item in listed if item.seq not in marks]
    if known.reads:
        texts_known = given.known_texts() if known.reads == "indication" else {}
        own = OwnLimits(tables.items, items, given.terms, faults, texts_known).read(known.reads, bare)
        published, texts, notes, unmapped = own.items, own.texts, own.notes, own.unmapped
        windows: tuple[ReadWindow, ...] = ()
        unjudged: Mapping[int, str] = {}
    else:
        read = read_limits(tables.items, rule, known, items, faults)
        published = tuple(replace(item, limits=limits) for item, limits in zip(bare, read.limits, strict=True))
        windows, texts, notes, unmapped, unjudged = read.windows, read.texts, read.remarks, (), read.unjudged
        _check_contradictions(tables.items, items, published, faults)
    cautious = [any(is_caution(text) for text in (item.basis, item.note) if text) for item in items]
    published = tuple(
        replace(item, level_cap="notice") if asks_care else item
        for item, asks_care in zip(published, cautious, strict=True)
    )
    conditions = {**unjudged, **conditions_of(items, reads_ages="age" in known.looks_at and not known.terms)}
    published = tuple(replace(item, status="shadow") if item.seq in conditions else item for item in published)
    return Workbook(
        file=opened.file,
        sha256=opened.sha256,
        title=tables.items.title,
        rule=rule,
        items=published,
        notes=(
            *dict.fromkeys((*tables.items.notes, *tables.codes.notes)),
            *notes,
            *dict.fromkeys(_not_read(column) for table in (tables.items, tables.codes) for column in _unread(table)),
            *_hidden(tables.items),
            *([ends.note] if ends.note else []),
        ),
        windows=windows,
        texts=texts,
        unmapped=unmapped,
        repairs=(*codes.repairs, *(of_a.repairs if of_a else ())),
        codes=2 * len(published) if pairs else len({code for item in published for code in item.codes}),
        removed=removed,
        conditions=tuple(
            ReadCondition(item.item_name, conditions[item.seq], item.source_row)
            for item in published
            if item.seq in conditions
        ),
        region=tables.region,
        begins=tables.begins,
    )


@dataclass(frozen=True, slots=True)
class _Head:
    """What all items of a file have in common."""

    rule: str
    rule_code: str | None
    batch: str
    published: date
    ends: Mapping[int, date]


def _published(
    file: str, tables: Part, items: Sequence[ItemRow], codes: tuple[CodeRows, CodeRows | None], head: _Head
) -> list[PublishedItem]:
    """The items with their codes and where they stand, their limits not read yet; of pairs the codes of A are what contains the item."""
    document = (
        document_of(head.batch, head.published)
        if is_known_batch(head.batch)
        else f"{tables.items.title or head.rule}（{file}，{head.published}）"
    )
    codes_of = _codes_of(codes[0])
    containers = _codes_of(codes[1]) if codes[1] is not None else {}
    found = []
    for item in items:
        own, rows, counts = codes_of.get(item.seq, ((), (), ()))
        where = [tables.items.rows_in_words(item.rows)]
        if tables.codes is not tables.items:
            where.append(tables.codes.rows_in_words(rows))
        found.append(
            PublishedItem(
                batch=head.batch,
                published=head.published,
                rule=head.rule,
                rule_code=head.rule_code,
                seq=item.seq,
                item_name=item.name,
                limits=_NOTHING,
                codes=tuple(own),
                document=document,
                source_row=f"{file}：{'；'.join(where)}",
                text=item.basis,
                logic=item.logic,
                containers=tuple(containers.get(item.seq, ((), (), ()))[0]),
                ends=head.ends.get(item.seq),
                family_codes=tuple((code, count) for code, count in zip(own, counts, strict=True) if count is not None),
            )
        )
    return found


def _of_containers(table: SheetTable) -> SheetTable:
    """The sheet of pairs with the codes of A where those of B stand, so that they are read, mended and refused alike."""
    columns = tuple(
        replace(each, name={"container_code": "code", "code": ""}.get(each.name, each.name)) for each in table.columns
    )
    rows = table.rows.drop("code", "name").rename({"container_code": "code"})
    return replace(table, columns=columns, rows=rows, totals=())


def _codes_of(codes: CodeRows) -> dict[int, tuple[list[str], list[int], list[int | None]]]:
    listed = codes.frame.group_by(NUMBER).agg(pl.col("code").sort(), pl.col(ROW), pl.col("published").sort_by("code"))
    return {number: (own, rows, counts) for number, own, rows, counts in listed.iter_rows()}


def _parts(opened: OpenedFile, given: _Given, unseen: set[str], faults: Faults) -> list[Part]:
    """The lists of the file, each with the table of its codes, or none after noting what is wrong with its sheets; header words that it has are seen."""
    listing, asides = asides_of(opened.sheets, given.words)
    tables = [read_table(opened.file, sheet, faults, given.words) for sheet in listing]
    found = [table for table in tables if table is not None]
    if asides and found:
        found = check_asides(opened.file, asides, found, faults)
    unseen.difference_update(word_of(column.header) for table in found for column in table.columns)
    if len(found) < len(tables):
        return []
    if len(found) > 1 and all(table.has("code") and table.has("name") and not _lists_codes(table) for table in found):
        return [part for table in found for part in _of_sheet(table, table, given, faults)]
    codes = [table for table in found if len(found) > 1 and _lists_codes(table)]
    items = [table for table in found if table not in codes]
    if len(items) != 1 or len(codes) > 1 or (codes and items[0].has("code")):
        sheets = "、".join(f"“{table.sheet}”" for table in found)
        message = (
            f"有工作表 {sheets}；应有一张知识点表，代码在它的一列里，或在另一张“知识点对应药品代码”表里；其余请删去"
            " (one sheet of items is expected, with its codes in a column or in one other sheet; delete the rest)"
        )
        faults.add(opened.file, "", message)
        return []
    table = items[0]
    if not codes and not table.has("code"):
        message = "没有代码：缺“项目代码”列，也没有“知识点对应药品代码”表，请补上 (no codes: a code column or sheet is missing)"
        faults.add(opened.file, table.place_of_sheet(), message)
        return []
    return _of_sheet(table, codes[0] if codes else table, given, faults)


def _of_sheet(items: SheetTable, codes: SheetTable, given: _Given, faults: Faults) -> list[Part]:
    """The lists of a sheet; a column that is not read, and may hold a limit, is a fault."""
    for column in _unread(items):
        if is_like_a_limit(column.header) or _says_a_limit(items, column):
            message = (
                f"{_not_read(column)}；其中可能有限制条件，请改用已知的表头，或用 --column {column.header or '表头'}=列 说明，"
                "与限制无关的写 =skip (may hold a limit: name it with --column, or let it be skipped)"
            )
            faults.add(items.file, items.place_of_sheet(), message)
    check_headings(items, given.rules, faults)
    return parts_of(items, codes, given.published, faults)


def _hidden(table: SheetTable) -> list[str]:
    """That rows were read which a person does not see."""
    rows = sorted(table.hidden)
    return [f"{table.rows_in_words(rows)}是隐藏的行，也读了 (hidden rows, which were read as well)"] if rows else []


def _check_contradictions(
    table: SheetTable, items: Sequence[ItemRow], published: Sequence[PublishedItem], faults: Faults
) -> None:
    """Refuse a list that limits one code in two ways: which of them holds, no order of rows tells."""
    limited: dict[str, tuple[ItemRow, PublishedItem]] = {}
    for row, item in zip(items, published, strict=True):
        for code in item.codes:
            first, other = limited.setdefault(code, (row, item))
            if (other.limits, other.ends) != (item.limits, item.ends):
                message = f"{code} 在第 {first.row} 行（{first.name}）也列出，限定不同；请核对后留一个 (limited otherwise in row {first.row}: keep one)"
                table.fault(faults, row.row, None, message)
                break


def _lists_codes(table: SheetTable) -> bool:
    return table.has("code") and not any(
        table.has(column) for column in ("sex", "logic", "basis", "count", "container_code")
    )


def _unread(table: SheetTable) -> list[Column]:
    """The columns in which something is written but whose header is not known."""
    return [column for column in table.columns if not column.known and table.has(column.letters)]


def _says_a_limit(table: SheetTable, column: Column) -> bool:
    """Whether some cell of a column that is not read is a sex or speaks of an age, a condition or a removal."""
    texts = map(plain, table.rows[column.letters].drop_nulls().unique())
    return any(
        text in ("男", "女", "男性", "女性")
        or "岁" in text
        or sets_condition(text)
        or LIKE_A_REMOVAL.search(text) is not None
        for text in texts
    )


def _not_read(column: Column) -> str:
    return f"{column.letters} 列“{column.header}”的表头不认识，没有读取 (unknown header)"


def _check_twice(workbooks: Sequence[Workbook], faults: Faults) -> None:
    lists: dict[tuple[object, ...], str] = {}
    for workbook in workbooks:
        batch = next((item.batch for item in workbook.items), "")
        list_of = workbook.rule, batch, workbook.region, workbook.begins
        if list_of in lists:
            message = f"与 {lists[list_of]} 是同一批次的同一规则“{workbook.rule}”，请只给一个 (the same rule and batch twice: give one)"
            faults.add(workbook.file, "", message)
        lists.setdefault(list_of, workbook.file)
