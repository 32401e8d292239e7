"""What cells of the table of terms are at fault that no field of its limits says."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from checker.model.errors import both
from checker.model.words import CARE_GROUPS


def faults(cells: pl.DataFrame) -> Iterator[tuple[str, str, pl.Expr, str]]:
    """Yield check, column, where a cell is bad, and what to write instead; `cells` are texts."""
    groups = pl.col("care_groups").str.split("|")
    known = groups.list.eval(pl.element().is_in(list(CARE_GROUPS))).list.all()
    listed = ", ".join(CARE_GROUPS)
    told = both(f"请写 {listed} 之中的一个或几个，以 | 相连", f"write one or more of {listed}, joined by |")
    yield "care-groups", "care_groups", (pl.col("care_groups") != "") & ~known, told
    doubled = groups.list.n_unique() != groups.list.len()
    yield (
        "care-groups",
        "care_groups",
        (pl.col("care_groups") != "") & doubled,
        both("同一种就医方式只写一次", "write each group once"),
    )
    rank = pl.col("min_rank")
    yield "rank", "min_rank", (rank != "") & ~rank.is_in(["1", "2", "3"]), both("请写 3、2 或 1", "write 3, 2 or 1")
    lonely = (pl.col("rank_case") != "") & (rank == "")
    yield "rank", "rank_case", lonely, both("请同时写明 min_rank", "give min_rank as well")
