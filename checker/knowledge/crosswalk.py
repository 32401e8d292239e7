"""A crosswalk [对照表]: which national codes a local code stands for, from when, before when, and on what ground."""

from __future__ import annotations

from datetime import date

import polars as pl

from checker.ingest.values import has_lost_digits, read_code
from checker.model.errors import both

CROSSWALK_FILE = "crosswalk.csv"
SCHEMA: dict[str, type[pl.DataType]] = {
    "local_code": pl.String, "local_name": pl.String, "national_code": pl.String, "valid_from": pl.Date, "valid_to": pl.Date,
    "basis": pl.String,
}  # fmt: skip
"""The columns of a crosswalk, in order. A row without `valid_from` holds since ever, one without `valid_to` until further notice."""
PAIR = ["local_code", "national_code"]
KEY = [*PAIR, "valid_from", "valid_to"]
LONGEST_LOCAL_CODE = 64
FORMULA_SIGNS = ("=", "+", "-", "@")
"""How a cell begins that a spreadsheet would take for a formula."""

A_LOCAL_CODE = both(
    f"不是数据中编码的写法；请写 1 到 {LONGEST_LOCAL_CODE} 个字符，字母大写，不含空白，不以 {' '.join(FORMULA_SIGNS)} 开头",
    f"not as codes are read in data; write 1 to {LONGEST_LOCAL_CODE} signs in capitals, without blanks, not beginning with {' '.join(FORMULA_SIGNS)}",
)
DIGITS_LOST = both(
    "位数已按科学计数法丢失，补不回来；请把该列设为文本后从原表重新取得",
    "its last digits were rounded away; make the column text and take it from the source again",
)
ENDS_FIRST = both(
    "结束日期不晚于开始日期；结束日期是不再有效的第一天，请改正", "not after its beginning: write the first day on which it no longer holds"
)  # fmt: skip


def empty_crosswalk() -> pl.DataFrame:
    """A crosswalk without rows."""
    return pl.DataFrame(schema=SCHEMA)


def sorted_crosswalk(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in the order of their table."""
    return frame.select(*SCHEMA).sort(KEY)


def is_local_code(text: str) -> bool:
    """Whether a text is a local code as it is read from data, so that it can be met there.

    >>> is_local_code("A-0012"), is_local_code("a 12"), is_local_code("1.23E+14"), is_local_code("=A1")
    (True, False, False, False)
    """
    is_plain = (
        0 < len(text) <= LONGEST_LOCAL_CODE and not text.startswith(FORMULA_SIGNS) and not any(map(str.isspace, text))
    )
    return is_plain and text.isprintable() and read_code(text) == text and not has_lost_digits(text)


def overlapping(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows (with `row`) that begin before an earlier row of the same pair of codes has ended, and `earlier`, its row."""
    begins, ends = pl.col("valid_from").fill_null(date.min), pl.col("valid_to").fill_null(date.max)
    ordered = frame.with_columns(begins=begins, ends=ends).sort(*PAIR, "begins", "ends", "row")
    beside = ordered.with_columns(
        until=pl.col("ends").cum_max().shift(1).over(PAIR), earlier=pl.col("row").shift(1).over(PAIR)
    )
    return beside.filter(pl.col("begins") < pl.col("until")).sort("row").drop("begins", "ends", "until")
