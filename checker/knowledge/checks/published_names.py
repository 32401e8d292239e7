"""Names held against those under which codes of the same substance are published: a family that was copied wrongly is another item's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import polars as pl

from checker.knowledge.checks.check_input import CheckInput, place_of
from checker.knowledge.checks.families import CONFIRMED, is_related
from checker.knowledge.checks.issue import INFO, Found, Said
from checker.knowledge.edition import open_edition
from checker.knowledge.manifest import MANIFEST_FILE
from checker.knowledge.names import item_key
from checker.knowledge.source import sources_of
from checker.model.embedded import embedded_edition_folder

_SUBSTANCE = {"X": 10, "Z": 11}
"""By so many characters a code says its substance (X) or recipe (Z), in whatever form."""
_TOLD_AT_MOST = 3


def name_of_another(checked: CheckInput) -> Iterator[Found]:
    """Families of which the embedded edition knows the substance, under names that have nothing in common with the point's.

    Where somebody has seen that it is meant so, and says it in the remark, it is told as info.
    """
    folder = embedded_edition_folder()
    if not (folder / MANIFEST_FILE).is_file():
        # In a checkout that has not been built nothing is known yet.
        return
    known = _names_of(folder)
    families = checked.live.filter(pl.col("match") == "family").with_columns(substance=_substance())
    own = families.filter(pl.col("substance").is_in(list(known)))
    pairs = own.select("item_key", "substance").unique(maintain_order=True)
    strange = pairs.filter(
        pl.Series(
            [not any(is_related(name, other) for other in known[substance]) for name, substance in pairs.iter_rows()],
            dtype=pl.Boolean,
        )
    )
    remarks = checked.point.select("point_id", "remark").unique("point_id", keep="first")
    told = (
        own.join(strange, on=["item_key", "substance"], how="semi", maintain_order="left")
        .unique(["point_id", "substance"], keep="first", maintain_order=True)
        .join(remarks, on="point_id", how="left", maintain_order="left")
    )
    for row in told.iter_rows(named=True):
        names = "、".join(known[row["substance"]][:_TOLD_AT_MOST])
        is_confirmed = any(word in (row["remark"] or "") for word in CONFIRMED)
        yield Found(
            place_of(row),
            Said(
                f"“{row['item_name']}”写的药品码前段 {row['code']}，公布的名称是“{names}”，两者毫无关系，编码可能抄错了",
                f"{row['code']}, under {row['item_name']!r}, is published as {names!r}, which has nothing in common with it: the code may be wrong",
            ),
            "code",
            row["code"],
            INFO if is_confirmed else None,
        )


@lru_cache(maxsize=2)
def _names_of(folder: Path) -> dict[str, tuple[str, ...]]:
    """The names under which the edition has codes of each substance."""
    sources = sources_of([open_edition(folder, embedded=True)])
    items = sources.pattern.filter(pl.col("role") == "item").with_columns(substance=_substance())
    named = items.drop_nulls("substance").join(sources.point.select("point_id", "item_name"), on="point_id")
    names = named.group_by("substance").agg(pl.col("item_name").unique().sort())
    return {substance: tuple(dict.fromkeys(map(item_key, of_it))) for substance, of_it in names.iter_rows()}


def _substance() -> pl.Expr:
    first = pl.col("code").str.head(1)
    return pl.coalesce(
        *(pl.when(first == kind).then(pl.col("code").str.head(length)) for kind, length in _SUBSTANCE.items())
    )
