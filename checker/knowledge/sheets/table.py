"""One sheet of a published workbook as a table: where its header is, what stands above and below, which rows are data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.sheets.header_row import WITHIN, Column, asked_words, find_header, nearest_row
from checker.knowledge.sheets.headers import KNOWN, HeaderWords, plain
from checker.knowledge.sheets.remarks import LIKE_A_REMOVAL, sets_condition
from checker.knowledge.sheets.workbook import ROW, Sheet
from checker.knowledge.sheets.xlsx_parts import Area, column_letters, column_number
from checker.model.numerals import FIGURES, in_figures

_OF_ITEMS = ("知识点序号", "对应知识点序号")
"""Headers that say that a number is the item's."""
_OF_ONE_ITEM = (
    "name",
    "container_name",
    "sex",
    "basis",
    "logic",
    "indication",
    "most",
    "unit",
    "window",
    "days",
    "group",
    "interval",
    "rule",
)
"""What rows of one item have in common."""
_COUNTED_ANEW = "没有按项目通编的序号，已重新编号 (no number that tells the items apart: numbered anew)"
_HEADER_AGAIN = "表头在下面的页上又出现，已略过 (the header stands again on later pages: passed over)"
_LOOKS_UNSEEN = (
    "这份旧格式 .xls 只读得出文字：合并的单元格、隐藏的行、删除线、批注和公式读不出来，如有请用 Excel/WPS 打开后另存为 .xlsx 再导入"
    " (of this old workbook only the texts can be read: merged cells, hidden rows, lines through text, comments and formulas are not seen;"
    " save it as .xlsx if there are any)"
)
_TOLD_AT_MOST = 20
_SHOWN_AT_MOST = 80
_TOTAL = r"^(?:合计|总计|共计)"
_TOTAL_LABEL = re.compile(_TOTAL + r":?(\d*)")
_FOOTNOTE = r"^(?:说明|备注|注[::0-9])"
_SIGNED = (
    r"^(?:填表|制表|填报|上报|报送|审核|复核|审批|批准|核对|校对|编制|经办|负责|联系|主管|分管|单位负责|科室负责)"
    r"(?:人员?|单位|部门|科室|机构|日期|时间|电话|方式|者|领导)(?:签字|签名|签章|盖章|\(.*\))?(?:[::]|$)"
)
"""How the row begins in which a sheet is signed: 填表人：张三."""
_SUBTOTAL = "^(?:小计|本页小计|本页合计|页计)"
_LIKE_A_CODE = "[A-Za-z0-9]{9,}"
_WHOLE = re.compile(r"[第(\[【]?(\d{1,9})(?:\.0+|[号项条]?[.、)\]】]?)")
_IN_FIGURES = {figures: str(number) for number in range(1, 100) for figures in [in_figures(number)]}


WrongCell = tuple[int, str | None, str]
"""A row, its cell as it stands, and what is to be done about it."""


@dataclass(frozen=True, slots=True)
class Total:
    """A row 合计: the number it gives."""

    row: int
    number: int


@dataclass(frozen=True, slots=True)
class SheetTable:
    """A sheet that has a header.

    `rows` holds the data rows: the column `row` and those of HEADERS that the sheet has, as text, NULL where nothing is
    written; `seq` is there in any case, of a sheet without 序号 counted from its names. `notes` are the footnotes and what stands above the header
    beside the title. `struck` are the data rows whose name or code is struck through, `hidden` those that a person does not see. `above` is all that stands
    above the header, `sections` are the texts with their rows that stand between data rows.
    """

    file: str
    sheet: str
    title: str
    columns: tuple[Column, ...]
    rows: pl.DataFrame
    notes: tuple[str, ...]
    totals: tuple[Total, ...]
    struck: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    above: tuple[str, ...] = ()
    sections: tuple[tuple[int, str], ...] = ()

    def has(self, column: str) -> bool:
        """Whether the sheet has the column and anything is written in it."""
        return column in self.rows.columns and self.rows[column].null_count() < self.rows.height

    def header_of(self, column: str) -> str:
        """The header of the column as written."""
        return next(each.header for each in self.columns if each.name == column)

    def place_of_sheet(self) -> str:
        """The sheet in words; empty for a file that has none."""
        return f"“{self.sheet}”" if self.sheet else ""

    def place(self, row: int, column: str | None = None) -> str:
        """A cell or a row in words, such as “知识点”第 7 行“限定性别”(C7)."""
        place = self.rows_in_words([row])
        letters = next((each.letters for each in self.columns if each.name == column), "")
        return f"{place}“{self.header_of(column or '')}”({letters}{row})" if letters else place

    def rows_in_words(self, rows: Sequence[int]) -> str:
        """Row numbers in words, with the sheet where the file has sheets: “知识点对应药品代码”第 83–86、90 行."""
        runs: list[list[int]] = []
        for row in sorted(set(rows)):
            if runs and runs[-1][-1] == row - 1:
                runs[-1][1:] = [row]
            else:
                runs.append([row])
        return f"{self.place_of_sheet()}第 {'、'.join('–'.join(map(str, run)) for run in runs)} 行"

    def fault(self, faults: Faults, row: int, column: str | None, message: str) -> None:
        """Note a fault of a row, or of its cell in the column."""
        faults.add(self.file, self.place(row, column), message)

    def fault_each(self, faults: Faults, found: pl.DataFrame, column: str, remedy: str | pl.Expr) -> None:
        """Note a fault for each row of `found` (row, and the column as it stands); after the first ones only their number.

        `remedy` is one sentence for all, or an expression over `found` that gives each row its own.
        """
        said = pl.lit(remedy) if isinstance(remedy, str) else remedy
        told = found.head(_TOLD_AT_MOST).select(ROW, column, said.alias("said"))
        for row, value, sentence in told.iter_rows():
            self.fault(faults, row, column, f"读到{_shown(value)}；{sentence}")
        if (more := found.height - _TOLD_AT_MOST) > 0:
            last = found[ROW][-1]
            self.fault(faults, last, column, f"到此还有 {more} 行同样有误 ({more} more rows like these, up to here)")

    def fault_cells(self, faults: Faults, column: str, wrong: Sequence[WrongCell]) -> None:
        """Note a fault for each of the cells, as `fault_each` does."""
        schema = {ROW: pl.UInt32, column: pl.String, "said": pl.String}
        self.fault_each(faults, pl.DataFrame(wrong, schema=schema, orient="row"), column, pl.col("said"))


def read_table(file: str, sheet: Sheet, faults: Faults, words: HeaderWords = KNOWN) -> SheetTable | None:
    """Return the sheet as a table, or None after noting that it has no header, two that mean the same, or nothing below it."""
    header = find_header(sheet.cells, words)
    if header is None:
        faults.add(
            file,
            f"“{sheet.name}”" if sheet.name else "",
            f"前 {WITHIN} 行里没有表头；应有“序号”以及名称或代码，或者名称和代码两列。{nearest_row(sheet.cells, words)}{asked_words()}"
            "不属于知识点明细的工作表请删去 (no header row with 序号 and a name or code, or with both of these; delete sheets that do not belong)",
        )
        return None
    columns, header_row = header.columns, header.last
    known = [column.name for column in columns if column.name]
    twice = sorted({name for name in known if known.count(name) > 1})
    for name in twice:
        written = "、".join(f"{column.header}({column.letters})" for column in columns if column.name == name)
        told = f"{written} 含义相同，请只留一列，或用 --column 表头=skip 略去 (mean the same: keep one, or skip one with --column)"
        faults.add(file, f"“{sheet.name}”第 {header_row} 行", told)
    if twice:
        return None
    above = sheet.cells.filter(pl.col(ROW) < header.first)
    texts = [cell.strip() for row in above.drop(ROW).iter_rows() for cell in row if cell is not None]
    merges = _of_data(sheet.merges, columns, header_row)
    below = _classified(_filled(sheet.cells.filter(pl.col(ROW) > header_row), merges), columns)
    title = next((text for text in texts if "知识点" in text), texts[0] if texts else "")
    rows, is_counted = _counted(_data_rows(below, columns), columns)
    table = SheetTable(
        file,
        sheet.name,
        title,
        columns,
        rows,
        (
            *(text for text in texts if text != title),
            *(label.strip() for label in below.filter("is_note")["label"]),
            *([_COUNTED_ANEW] if is_counted else []),
            *([_HEADER_AGAIN] if below["is_header"].any() else []),
            *([_LOOKS_UNSEEN] if sheet.looks_unseen else []),
            *(
                f"“{sheet.name}” {address} 的批注没有读取：{text[:60]} (a comment: not read)"
                for address, text in sheet.comments
            ),
            *(
                [f"“{sheet.name}”是隐藏的工作表，也读了 (a hidden sheet, which was read as well)"]
                if sheet.is_hidden
                else []
            ),
        ),
        _totals(below, columns),
        _rows_of(sheet.struck, {each.letters for each in columns if each.name in ("name", "code")}) & {*rows[ROW]},
        frozenset(sheet.hidden) & {*rows[ROW]},
        tuple(texts),
        _sections(below, rows),
    )
    if not table.rows.height:
        faults.add(
            file, table.place_of_sheet(), f"第 {header_row} 行的表头下面没有数据 (nothing stands below the header)"
        )
        return None
    _check_totals(table, below, faults)
    for address, text in sheet.comments:
        if sets_condition(text) or LIKE_A_REMOVAL.search(plain(text)):
            told = f"批注写着“{text[:60]}”，没有一行读到它；请写到备注列，再删去批注 (a comment that sets a condition: write it into the remarks)"
            faults.add(file, f"“{sheet.name}” {address}", told)
    _check_merges(table, [area for area in sheet.merges if area not in merges], faults)
    return table


def whole(text: pl.Expr) -> pl.Expr:
    """The text as a whole number; NULL where it is none.

    Full-width digits, a trailing .0, the signs of a list (1、 （1） 第1号) and Chinese figures are read.
    """
    bare = text.str.normalize("NFKC").str.strip_chars()
    figures = bare.str.extract(rf"^[第(\[【]?({FIGURES})[号项条]?[.、)\]】]?$", 1).replace(_IN_FIGURES)
    return pl.coalesce(bare.str.extract(rf"^{_WHOLE.pattern}$", 1), figures).cast(pl.Int64, strict=False)


def _shown(value: object) -> str:
    if value is None:
        return "空白"
    shown = repr(value)
    return f" {shown}" if len(shown) <= _SHOWN_AT_MOST else f" {shown[:_SHOWN_AT_MOST]}…"


def _classified(below: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """The rows below the header with `label` (their first text) and whether they are a total or a footnote."""
    cells = [pl.col(column.letters) for column in columns]
    seq = next((pl.col(column.letters) for column in columns if column.name == "seq"), pl.lit(None, pl.String))
    alone = pl.sum_horizontal(cell.is_not_null() for cell in cells) == 1
    label = pl.coalesce(cells)
    start = label.str.normalize("NFKC").str.replace_all(r"\s", "")
    coded = [
        pl.col(each.letters).str.contains(_LIKE_A_CODE).fill_null(value=False)
        for each in columns
        if each.name == "code"
    ]
    signed = (
        start.str.contains(f"{_SIGNED}|{_SUBTOTAL}")
        & whole(seq).is_null()
        & ~pl.any_horizontal(pl.lit(value=False), *coded)
    )
    again = [
        pl.col(each.letters).is_null()
        | (pl.col(each.letters).str.normalize("NFKC").str.replace_all(r"\s", "") == each.header)
        for each in columns
    ]
    repeated = ~alone & pl.all_horizontal(again)
    return below.with_columns(
        label=pl.when(signed | repeated).then(pl.concat_str(cells, separator=" ", ignore_nulls=True)).otherwise(label),
        is_total=start.str.contains(_TOTAL),
    ).with_columns(
        is_header=repeated,
        is_note=~pl.col("is_total")
        & ~repeated
        & (signed | (alone & (start.str.contains(_FOOTNOTE) | (seq.is_not_null() & whole(seq).is_null())))),
    )


def _data_rows(below: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    data = below.filter(~pl.col("is_total") & ~pl.col("is_note") & ~pl.col("is_header"))
    return data.select(ROW, *(pl.col(each.letters).alias(each.name or each.letters) for each in columns))


def _counted(rows: pl.DataFrame, columns: Sequence[Column]) -> tuple[pl.DataFrame, bool]:
    """The rows with `seq`, and whether it was counted here: where there is none, or where each code of an item has a number of its own.

    A header that says that it is the item's number is taken at its word, also where each of several items of one name has one code.
    """
    said = [pl.col(name).forward_fill().fill_null("") for name in _OF_ONE_ITEM if name in rows.columns]
    runs = pl.concat_str(said, separator="\x1f").rle_id() + 1 if said else pl.lit(1)
    if "seq" not in rows.columns:
        return rows.with_columns(seq=runs.cast(pl.String)), True
    if (
        "code" in rows.columns
        and not any(plain(each.header) in _OF_ITEMS for each in columns if each.name == "seq")
        and rows.height
        and rows["seq"].null_count() == 0
        and rows["seq"].n_unique() == rows.height
    ):
        counted = rows.with_columns(seq=runs.cast(pl.String))
        if 2 * counted["seq"].n_unique() <= rows.height:
            return counted, True
    return (rows.with_columns(seq=_onward(rows)), True) if _restarts(rows) else (rows, False)


def _restarts(rows: pl.DataFrame) -> bool:
    """Whether the numbers of a sheet with codes begin at 1 again, page by page, and count on by one in between."""
    numbers = rows.select(number=whole(pl.col("seq")).forward_fill())["number"].rle().struct.field("value")
    if "code" not in rows.columns or numbers.null_count() or numbers.len() == numbers.n_unique() or numbers[0] != 1:
        return False
    return bool(((numbers.diff() == 1) | (numbers == 1))[1:].all())


def _onward(rows: pl.DataFrame) -> pl.Series:
    """Numbers that count on where those of the sheet begin again."""
    numbers = whole(pl.col("seq")).forward_fill()
    begins = numbers.rle_id() != numbers.rle_id().shift()
    return rows.select(begins.fill_null(value=True).cum_sum().cast(pl.String))["seq"]


def _rows_of(addresses: Sequence[str], letters: Set[str]) -> frozenset[int]:
    """The rows of the addresses that lie in these columns."""
    parted = ((address.rstrip("0123456789"), address) for address in addresses)
    return frozenset(int(address[len(column) :]) for column, address in parted if column in letters)


def _sections(below: pl.DataFrame, rows: pl.DataFrame) -> tuple[tuple[int, str], ...]:
    last = rows[ROW].max() if rows.height else 0
    return tuple(below.filter(pl.col("is_note") & (pl.col(ROW) < last)).select(ROW, "label").iter_rows())


def _totals(below: pl.DataFrame, columns: Sequence[Column]) -> tuple[Total, ...]:
    numbers = {each.letters for each in columns if each.name in ("count", "code")}
    found = []
    for cells in below.filter("is_total").iter_rows(named=True):
        label = _TOTAL_LABEL.match(plain(cells["label"]))
        texts = [label[1] if label else "", *(plain(cells[letters] or "") for letters in numbers)]
        number = next((match for text in texts if (match := _WHOLE.fullmatch(text))), None)
        if number is not None:
            found.append(Total(cells[ROW], int(number[1])))
    return tuple(found)


def _check_totals(table: SheetTable, below: pl.DataFrame, faults: Faults) -> None:
    read = {total.row for total in table.totals}
    for row, label in below.filter("is_total").select(ROW, "label").iter_rows():
        if row not in read:
            table.fault(
                faults, row, None, f"“{label.strip()}”一行没有数字，请填写或删去 (a total without number: write it)"
            )


def _of_data(merges: Sequence[Area], columns: Sequence[Column], header_row: int) -> set[Area]:
    """The merged cells of one column whose value is that of all their rows: all but codes, which are of one row each."""
    read = {column_number(each.letters) for each in columns if each.name not in ("", "code", "container_code")}
    return {
        area
        for area in merges
        if area.first_column == area.last_column and area.first_column in read and area.first_row > header_row
    }


def _filled(cells: pl.DataFrame, merges: Iterable[Area]) -> pl.DataFrame:
    """The cells with the value of a merged one in each of its rows; however far it reaches, no more rows than are there are looked at."""
    bottom = cells[ROW][-1] if cells.height else 0
    spans: dict[str, list[tuple[int, int]]] = {}
    for area in merges:
        if area.first_row <= bottom:
            rows = area.first_row, min(area.last_row, bottom)
            spans.setdefault(column_letters(area.first_column), []).append(rows)
    row = cells.schema[ROW]
    for letters in spans.keys() & {*cells.columns}:
        areas = pl.DataFrame(sorted(spans[letters]), schema={"first": row, "last": row}, orient="row")
        within = cells.select(ROW).join_asof(areas, left_on=ROW, right_on="first").filter(pl.col(ROW) <= pl.col("last"))
        told = within.join(cells.select(pl.col(ROW).alias("first"), pl.col(letters).alias("value")), on="first")
        cells = (
            cells.join(told.select(ROW, "value"), on=ROW, how="left", maintain_order="left")
            .with_columns(pl.coalesce("value", letters).alias(letters))
            .drop("value")
        )
    return cells


def _check_merges(table: SheetTable, merges: Sequence[Area], faults: Faults) -> None:
    """Refuse merged data cells that are of several columns, or hold codes: only the first one has a value."""
    for area in merges:
        inside = table.rows.filter(pl.col(ROW).is_between(area.first_row, area.last_row))
        if inside.height:
            faults.add(
                table.file,
                f"“{table.sheet}” {area.text}",
                "是合并单元格，只有第一格有值；请取消合并，并在每一行填写 (merged data cells: unmerge them and fill every row)",
            )
