"""A supplement [补充] laid upon its base: as a scan layers editions, but as rows, for those who compare or build them together."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from checker.knowledge.crosswalk import sorted_crosswalk
from checker.knowledge.frames import PATTERN_KEY, POINT_KEY
from checker.knowledge.source import Sources, edition_of_all, open_given
from checker.model.errors import InputError

_TOLD = 5


def open_upon(given: str, base: str | None) -> Sources:
    """Return the rows of what was named, upon those of its base where one is named and is another. Raises as `open_given` and `layered` do."""
    if base is None or given == base:
        return open_given(given)
    return layered(open_given(base), open_given(given))


def layered(below: Sources, above: Sources) -> Sources:
    """Return the union: a point (exemption) of `above` takes the place of that of its id, what it says of a local code that of all before.

    Raises InputError where `above` is older than `below` and writes over points of it.
    """
    _check_age(below, above)
    own = above.point.select("point_id")
    exempt = {row.exemption_id for row in above.exemptions}
    pattern = below.pattern.join(own, on="point_id", how="anti")
    crosswalk = below.crosswalk.join(above.crosswalk.select("local_code"), on="local_code", how="anti")
    return replace(
        below,
        edition=edition_of_all([below.edition, above.edition]),
        point=pl.concat([below.point.join(own, on="point_id", how="anti"), above.point]).sort(POINT_KEY),
        pattern=pl.concat([pattern, above.pattern]).sort(PATTERN_KEY),
        exemptions=tuple(
            sorted(
                [*(row for row in below.exemptions if row.exemption_id not in exempt), *above.exemptions],
                key=lambda row: row.exemption_id,
            )
        ),
        exemption_items=tuple(
            sorted(
                [*(item for item in below.exemption_items if item.exemption_id not in exempt), *above.exemption_items],
                key=lambda item: (item.exemption_id, item.match, item.value),
            )
        ),
        crosswalk=sorted_crosswalk(pl.concat([crosswalk, above.crosswalk])),
    )


def _check_age(below: Sources, above: Sources) -> None:
    both = above.point.join(below.point, on="point_id", how="semi")["point_id"].sort()
    if both.len() and above.edition.published < below.edition.published:
        told = "、".join(both.head(_TOLD)) + (f"……（{both.len()}）" if both.len() > _TOLD else "")
        upper, lower = above.edition, below.edition
        raise InputError(
            f"{upper.name}：公布至 {upper.published}，早于它下面的 {lower.name}（{lower.published}），却改写了其中的知识点：{told}；"
            "请按新版核对这些知识点，再改 edition.toml 的 published（older than its base, and writes over points of it: "
            "check them against the newer edition, then raise published in edition.toml）"
        )
