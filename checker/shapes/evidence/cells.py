"""What cells of the table of evidence are at fault that no field of its limits says."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from checker.model.errors import both

_DIAGNOSIS = r"([A-Z][0-9]{2}(\.[0-9A-Z]+)?|\*M[0-9]{5})"
_CLASS = "[A-Z][A-Z0-9]{1,13}"


def faults(cells: pl.DataFrame) -> Iterator[tuple[str, str, pl.Expr, str]]:
    """Yield check, column, where a cell is bad, and what to write instead; `cells` are texts."""
    told = both(
        "请写 ICD-10 编码的前段（至少三位，大写），如 E11、E11.3，慢特病病种编码写 *M03900，以 | 相连",
        "write beginnings of ICD-10 codes, at least three characters in capitals, such as E11 or E11.3, of a special disease *M03900, joined by |",
    )
    for column in ("indications", "unspecified"):
        yield "diagnoses", column, _is_not(column, _DIAGNOSIS), told
    told = both(
        "请写药品编码的前段，如 XA10，几段以 | 相连",
        "write the beginning of drug codes, such as XA10, several joined by |",
    )
    yield "drug-class", "drug_class", _is_not("drug_class", _CLASS), told
    told = both("indications 或 drug_class 只填一个", "fill one of indications and drug_class")
    yield "evidence", "drug_class", (pl.col("indications") != "") & (pl.col("drug_class") != ""), told
    told = both("请同时写明 indications", "give indications as well")
    for column in ("unspecified", "is_chronic"):
        yield "diagnoses", column, (pl.col(column) != "") & (pl.col("indications") == ""), told


def _is_not(column: str, one: str) -> pl.Expr:
    """Where a cell is filled, and not with one such text or several."""
    return (pl.col(column) != "") & ~pl.col(column).str.contains(rf"^{one}(\|{one})*$")
