"""The codes of a published workbook: brought to one spelling, given to their items, held against every count that is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from checker.knowledge.cell_reader import Faults
from checker.knowledge.codes import CODE_SHAPES, WHOLE, is_code, is_family
from checker.knowledge.kinds import is_of_kind
from checker.knowledge.sheets.headers import plain
from checker.knowledge.sheets.items import NUMBER, ItemRow, numbered
from checker.knowledge.sheets.table import SheetTable, WrongCell, whole
from checker.knowledge.sheets.workbook import ROW

BETWEEN_CODES = r"[\s,;、，；|｜/／。&＆·•和及与①-⑳]+"
"""What stands between the codes of one cell."""
_LIST_NUMBER = r"(^|,)(?:[(（]?[0-9]{1,2}[.)）．](?:,)?|[0-9]{1,2},)([A-Za-zＡ-Ｚ]|[0-9]{9})"
"""The number of a code in its cell: 1.XA01… or ①XA01…"""
_PLUS = r"[+＋]([XZTCxztc]|[0-9]{9})"
"""A plus between codes, not that of 2.5E+12."""
_INVISIBLE = r"[\u200B-\u200D\u2060\uFEFF]"
_QUOTES = r"""="|["'‘’“”`]"""
"""What makes a spreadsheet take a number for text, and stays in what is exported from it."""
_WITHOUT_ZEROS = r"^[0-9]{13,14}$"
_ROUNDED = r"0{7}$"
_EXPONENT = r"^[0-9]+(?:\.[0-9]+)?E\+?[0-9]+$"
_SERVICE_DIGITS = 15
_ROWS_TOLD = 10

_ASK_ZEROS = "像是 Excel 去掉了开头的零，原码或为 '{}'；请按原表改正，或加 --repair 补回 (lost its leading zeros: mend it, or let --repair put them back)"
_ASK_DIGITS = "末位数字已按科学计数法舍去，补不回来；请从原表重新取得 (its last digits were rounded away: take it from the source again)"
_POSITIONS = {"X": "AA00AAA000A" + "0" * 12, "Z": "AA00AAA" + "0" * 13, "T": "A" + "0" * 9}
"""Where codes of drugs have letters and where digits."""
_AS_DIGIT = str.maketrans("OIL", "011")
_AS_LETTER = str.maketrans("01", "OI")
_ASK_KIND = {
    "drug": "是服务项目或耗材的编码，而这条规则限定药品；请核对规则或编码 (the code of a service or of material under a rule of drugs: check which is meant)",
    "service": "不是服务项目的编码，而这条规则限定服务项目；请核对规则或编码 (not the code of a service, as the rule needs: check which is meant)",
}
_ASK_CODE = f"不是国家编码，请改正；整段受限的写前段加星号，如 XG04CBA088A001* (write a full national code, or a family with a star: {CODE_SHAPES})"
_ASK_COUNT = "请写前段下已公布的编码数，只在前段（带星号）的行填写 (write how many codes of the family are published, beside families only)"


@dataclass(frozen=True, slots=True)
class CodeRows:
    """The codes of one sheet, one row a code: `frame` has number, row, code and, of a family, how many codes of it are `published`.

    A family stands in it without its star. `repairs` says what was written otherwise.
    """

    table: SheetTable
    frame: pl.DataFrame
    repairs: tuple[str, ...]


def read_codes(
    table: SheetTable, items: Sequence[ItemRow], faults: Faults, *, repair: bool, kind: str | None = None
) -> CodeRows:
    """Return the codes of the sheet, which has a code column; a cell may list several.

    Spelling is mended silently where only one reading is possible: width, letter case, blanks. Leading zeros that Excel took
    are put back with `repair` only. `kind` is what the rule is about (drug, service; None: anything).

    Faults: a code of another kind, a row without code, a code of no national shape or with lost digits, a code twice in an item, a
    number or a name that the items do not have.
    """
    rows = numbered(table, fill=True)
    table.fault_each(faults, rows.filter(pl.col("code").is_null()), "code", "请写代码 (write the code)")
    _check_names(table, rows, items, faults)
    read, repairs = _spelled(table, rows.filter(pl.col("code").is_not_null()))
    lost = pl.col("read").str.contains(_WITHOUT_ZEROS)
    rounded = (lost & pl.col("read").str.contains(_ROUNDED)) | pl.col("read").str.contains(_EXPONENT)
    lost &= ~rounded
    table.fault_each(faults, read.filter(rounded), "code", _ASK_DIGITS)
    zeros_back = pl.col("read").str.zfill(_SERVICE_DIGITS)
    if repair:
        for row, was, mended in read.filter(lost).select(ROW, "read", zeros_back.alias("whole")).iter_rows():
            repairs.append(
                f"{table.file}：{table.place(row, 'code')}：补回开头的零，'{was}' → '{mended}' (leading zeros)"
            )
        read = read.with_columns(read=pl.when(lost).then(zeros_back).otherwise("read"))
    else:
        table.fault_each(faults, read.filter(lost), "code", pl.format(_ASK_ZEROS, zeros_back))
    # Among full codes what looks like a family may be a code that lost its end.
    among_codes = any(map(is_code, written := read["read"].unique().to_list()))
    said = {
        code: _ASK_CODE if among_codes and is_family(code) else _fault_of(code.removesuffix(WHOLE), kind)
        for code in written
    }
    wrong = {code: fault for code, fault in said.items() if fault}
    unknown = read.filter(pl.col("read").is_in(list(wrong)) & ~rounded & ~lost)
    table.fault_each(faults, unknown, "code", pl.col("read").replace_strict(wrong, return_dtype=pl.String, default=""))
    read = read.with_columns(pl.col("read").str.strip_suffix(WHOLE))
    families = pl.Series(list(filter(is_family, read["read"].unique())), dtype=pl.String)
    _check_twice(table, read, faults)
    whole_family = pl.col("read").is_in(families.implode())
    counted = whole(pl.col("published"))
    miscounted = pl.col("published").is_not_null() & (~whole_family | counted.is_null() | (counted < 1))
    table.fault_each(faults, read.filter(miscounted), "published", _ASK_COUNT)
    return CodeRows(
        table,
        read.select(NUMBER, ROW, code="read", published=counted),
        tuple(repairs),
    )


def _fault_of(code: str, kind: str | None) -> str:
    """What is wrong with a code of a rule of this kind; empty where nothing is."""
    if is_family(code) and kind != "service":
        return ""
    if is_code(code):
        return "" if kind is None or is_of_kind(code, kind) else _ASK_KIND[kind]
    if (mended := _by_position(code)) is not None:
        return f"不是国家编码，字母和数字可能写混了（O 与 0、I 与 1）；应为 {mended}？请核对改正 (letters and digits mixed up; is {mended} meant?)"
    return _ASK_CODE


def _by_position(code: str) -> str | None:
    """The code with letters where its kind has letters and digits where it has digits, if that makes it a code or family."""
    shape = _POSITIONS.get(code[:1], "0" * _SERVICE_DIGITS)
    if len(code) > len(shape):
        return None
    signs = (sign.translate(_AS_LETTER if at == "A" else _AS_DIGIT) for sign, at in zip(code, shape, strict=False))
    mended = "".join(signs)
    return mended if mended != code and (is_code(mended) or is_family(mended)) else None


def reconcile(table: SheetTable, items: Sequence[ItemRow], codes: CodeRows, faults: Faults) -> None:
    """Hold the codes that were read against 数量 of each item and against 合计; whatever differs is a fault.

    In a sheet without 数量 (services), 合计 may count the items or the codes.
    """
    listed = codes.frame.group_by(NUMBER).agg(pl.len().alias("codes"), pl.col(ROW).unique().sort())
    rows_of = {number: (count, rows) for number, count, rows in listed.iter_rows()}
    counted = table.has("count")
    differing: list[WrongCell] = []
    empty: list[WrongCell] = []
    for item in items:
        read, rows = rows_of.get(item.seq, (0, ()))
        if not rows:
            empty.append((item.row, item.name, f"序号 {item.seq} 没有列出代码，请补上 (the item has no code: add it)"))
        elif counted and plain(item.count or "").removesuffix(".0") != str(read):
            where = codes.table.rows_in_words(rows)
            said = f"序号 {item.seq} 在{where}列出 {read} 个代码，请使两者一致 ({read} codes are listed: make the two agree)"
            differing.append((item.row, item.count, said))
    table.fault_cells(faults, "name", empty)
    table.fault_cells(faults, "count", differing)
    total = codes.frame.height
    for each in table.totals:
        if each.number != total and (counted or each.number != len(items)):
            message = f"合计为 {each.number}，读到 {len(items)} 项、{total} 个代码，请核对有无缺行"
            table.fault(faults, each.row, None, f"{message} (the total differs from {len(items)} items, {total} codes)")
    if codes.table is not table:
        for each in codes.table.totals:
            if each.number != total:
                message = (
                    f"合计为 {each.number}，读到 {total} 个代码，请核对有无缺行 (the total differs from {total} codes)"
                )
                codes.table.fault(faults, each.row, None, message)


def _check_names(table: SheetTable, rows: pl.DataFrame, items: Sequence[ItemRow], faults: Faults) -> None:
    """The number of a code is one of the items', and a name beside it is that item's."""
    named = pl.DataFrame(
        {NUMBER: [item.seq for item in items], "expected": [item.name for item in items]},
        schema={NUMBER: pl.Int64, "expected": pl.String},
    ).unique(NUMBER, keep="first")
    beside = rows.join(named, on=NUMBER, how="left", maintain_order="left")
    foreign = beside.filter(pl.col("expected").is_null()).with_columns(seq=pl.col(NUMBER).cast(pl.String))
    first = foreign.unique(NUMBER, keep="first", maintain_order=True)
    table.fault_each(faults, first, "seq", "知识点表里没有这个序号，请改正 (no item has this number)")
    if "name" in rows.columns:
        bare = [pl.col(column).str.normalize("NFKC").str.replace_all(r"\s", "") for column in ("name", "expected")]
        other = beside.filter(bare[0] != bare[1])
        remedy = pl.format(
            "序号 {} 的名称是 '{}'，请改正 (the item of this number has another name)", NUMBER, "expected"
        )
        table.fault_each(faults, other, "name", remedy)


def _spelled(table: SheetTable, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """One row a code: `code` as it stands in its cell, `read` in one spelling; and a sentence where the two differ."""
    as_written = (
        pl.col("code")
        .str.replace_all(BETWEEN_CODES, ",")
        .str.replace_all(_LIST_NUMBER, "${1}${2}")
        .str.replace_all(_PLUS, ",${1}")
    )
    bare = as_written.str.replace_all(_INVISIBLE, "").str.replace_all(_QUOTES, "")
    one_spelling = bare.str.normalize("NFKC").str.to_uppercase()
    spelled = rows.select(
        NUMBER,
        ROW,
        "code",
        pl.col("published") if "published" in rows.columns else pl.lit(None, pl.String).alias("published"),
        read=one_spelling.str.replace_all(BETWEEN_CODES, ",").str.strip_chars(",").str.split(","),
        changed=as_written != one_spelling.str.strip_chars(","),
    )
    changed = spelled.filter("changed")
    sentences = []
    if changed.height:
        rows_changed = changed[ROW].to_list()
        more = f"等 {changed.height} 行" if changed.height > _ROWS_TOLD else ""
        sentences.append(
            f"{table.file}：{table.rows_in_words(rows_changed[:_ROWS_TOLD])}{more}：代码里的全角、小写、引号或空白已改为标准写法，"
            f"如 {changed['code'][0]!r} → {'、'.join(changed['read'][0])} (width, case, quotes or blanks of {changed.height} codes)"
        )
    return spelled.drop("changed").explode("read"), sentences


def _check_twice(table: SheetTable, read: pl.DataFrame, faults: Faults) -> None:
    again = read.with_columns(
        earlier=pl.col(ROW).first().over(NUMBER, "read"), copy=pl.int_range(pl.len()).over(NUMBER, "read")
    )
    remedy = pl.format(
        "序号 {} 在第 {} 行已列出这个代码，请删去一个 (the item lists it twice: keep one)", NUMBER, "earlier"
    )
    table.fault_each(faults, again.filter(pl.col("copy") > 0), "code", remedy)
