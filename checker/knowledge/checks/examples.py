"""Examples beside points and exemptions, held against what they cover."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from checker.knowledge.checks.check_input import CheckInput
from checker.knowledge.checks.issue import Found, Place, Said
from checker.knowledge.example_text import MATCH
from checker.knowledge.frames import family_column

_KEY = ["id", "code"]


def example(checked: CheckInput) -> Iterator[Found]:
    """Codes that a point or exemption must cover and does not, or must not cover and does; and examples of what is not there."""
    examples = checked.layer.examples.with_columns(family_column(pl.col("code")).alias("family"))
    covers = pl.concat(
        [
            checked.layer.pattern.filter(pl.col("role") == "item").select(
                pl.col("point_id").alias("id"), "match", "code"
            ),
            pl.DataFrame(
                [(item.exemption_id, item.match, item.value) for item in checked.layer.exemption_items],
                schema={"id": pl.String, "match": pl.String, "code": pl.String},
                orient="row",
            ),
        ]
    )
    exact = examples.join(covers.filter(pl.col("match") == "code"), on=_KEY, how="semi")
    families = covers.filter(pl.col("match") == "family").select("id", family="code")
    hit = pl.concat([exact, examples.join(families, on=["id", "family"], how="semi")]).select(_KEY).unique()
    told = examples.join(hit.with_columns(is_hit=True), on=_KEY, how="left", maintain_order="left")
    known = {*checked.point["point_id"], *(row.exemption_id for row in checked.layer.exemptions)}
    wanted = pl.col("expect") == MATCH
    for row in told.filter(pl.col("is_hit").fill_null(value=False) != wanted).iter_rows(named=True):
        place = Place(row["file"], row["row"], row["id"])
        if row["id"] not in known:
            said = Said("没有这个知识点或豁免", "there is no such point or exemption")
            yield Found(place, said, "id", row["id"])
        elif row["expect"] == MATCH:
            yield Found(
                place, Said("应当管到这个编码，却没有", "should cover this code and does not"), "code", row["code"]
            )
        else:
            yield Found(
                place, Said("不应管到这个编码，却管到了", "covers this code and should not"), "code", row["code"]
            )
