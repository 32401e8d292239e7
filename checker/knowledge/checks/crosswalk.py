"""Checks of a crosswalk [对照表]: local codes that are covered themselves, and national ones that lead to no point."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from checker.knowledge.checks.check_input import CheckInput
from checker.knowledge.checks.issue import Found, Place, Said


def covered_local(checked: CheckInput) -> Iterator[Found]:
    """Local codes that are themselves national codes with points: the columns may have been exchanged."""
    rows = checked.layer.crosswalk
    for row in rows.filter(_covered(checked, "local_code")).iter_rows(named=True):
        told = Said(
            f"地方编码 {row['local_code']} 本身就是有知识点的国家编码",
            f"the local code {row['local_code']} is itself a national code that points cover",
        )
        yield Found(_place(row), told, "local_code", row["local_code"])


def unknown_national(checked: CheckInput) -> Iterator[Found]:
    """National codes that no point covers: lines mapped onto them are not judged. One for each code, where it stands first."""
    rows = checked.layer.crosswalk.unique("national_code", keep="first", maintain_order=True)
    for row in rows.filter(~_covered(checked, "national_code")).iter_rows(named=True):
        told = Said(
            f"知识库中没有 {row['national_code']} 的知识点", f"no point of the knowledge covers {row['national_code']}"
        )
        yield Found(_place(row), told, "national_code", row["national_code"])


def _covered(checked: CheckInput, column: str) -> pl.Expr:
    """Whether a point of any day covers the code itself."""
    patterns = checked.covered.select("match", "code").unique()
    families = patterns.filter(pl.col("match") == "family")["code"]
    by_code = pl.col(column).is_in(patterns.filter(pl.col("match") == "code")["code"].implode())
    lengths = families.str.len_chars().unique().to_list()
    return pl.any_horizontal(
        by_code, *(pl.col(column).str.head(length).is_in(families.implode()) for length in lengths)
    )


def _place(row: dict[str, object]) -> Place:
    number = row["row"]
    return Place(str(row["file"]), number if isinstance(number, int) else None, str(row["local_code"]))
