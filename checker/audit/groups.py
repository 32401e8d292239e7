"""Groups of findings with what is counted of them, and which counts of few persons are hidden, so that no sum tells them either."""

from __future__ import annotations

from collections.abc import Sequence

VIOLATION = "verdict = 'violation'"
LEFT = f"{VIOLATION} AND class IS NULL"
"""SQL of the findings that are violations, and that nothing else explains."""
_LINE = ("source_file", "source_record")
COUNTS: dict[str, str] = {
    "violations": "count(*) FILTER (hit)", "explained": "count(*) FILTER (hit AND NOT open)", "left_over": "count(*) FILTER (open)",
    "persons": "count(DISTINCT person_hash) FILTER (open)", "persons_explained": "count(DISTINCT person_hash) FILTER (hit AND NOT open)",
    "persons_unclear": "count(DISTINCT person_hash) FILTER (unclear)", "stake": "coalesce(sum(yuan) FILTER (open), 0)",
    "undetermined": "count(*) FILTER (unclear)",
}  # fmt: skip
"""What is counted of a group: lines, persons, and the lines' money once, be they hit by several rules. One that only some of its findings explain is left."""
_HIDDEN = {
    "left": ("left_over", "persons"),
    "explained": ("explained", "persons_explained"),
    "unclear": ("undetermined", "persons_unclear"),
    # Whose these lines are is not told: of few lines there are few persons.
    "lines": ("covered_lines", "covered_lines"),
}
"""What is hidden together: the lines by which it is told whether there is any, and their persons."""
_BY = {
    ("institution_id",): "institution",
    ("institution_id", "department"): "department",
    ("institution_id", "department", "prescriber"): "prescriber",
    ("item_code",): "item",
}
"""The denominators of groups by their keys."""


def grouped(keys: Sequence[str], named: Sequence[str], where: str) -> str:
    """SQL of groups of findings by `keys`, with what is counted of them."""
    names = "".join(f", any_value({name}) AS {name}" for name in named)
    by_line = ", ".join((*keys, *_LINE))
    return f"""SELECT {", ".join(keys)}{names}, {", ".join(f"{value} AS {name}" for name, value in COUNTS.items())} FROM (
          SELECT {by_line}{names}, any_value(person_hash) AS person_hash, bool_or({VIOLATION}) AS hit, bool_or({LEFT}) AS open,
            bool_or(verdict = 'undetermined') AS unclear, max(amount_at_stake) FILTER ({LEFT}) AS yuan
          FROM (SELECT *, strftime(service_time, '%Y-%m') AS month FROM findings) WHERE {where} GROUP BY {by_line})
        GROUP BY {", ".join(keys)}"""


def covered(keys: Sequence[str], named: Sequence[str], where: str, least: int) -> str:
    """SQL of the same with `covered_lines`, what rules looked at, and `few_…`: what of a group is hidden (_HIDDEN).

    Hidden is what is of fewer than `least` persons; where it is the only one of its table, or of its institution or department, the smallest of the others
    as well, since the sum less these would tell it; and all parts of what is hidden.
    """
    by = _BY.get(tuple(keys), "")
    # Of one institution alone the lines of an item are not known: they are counted over all.
    known = by != "" and (by != "item" or where == "TRUE")
    own = where if "institution_id" in keys else "TRUE"
    same = " AND ".join(f"d.{key} IS NOT DISTINCT FROM g.{key}" for key in keys)
    lines = f"""SELECT {", ".join(keys)}, lines AS covered_lines FROM denominators WHERE "by" = '{by}' AND {own}"""
    source = (
        f"SELECT g.*, covered_lines FROM ({grouped(keys, named, where)}) g LEFT JOIN ({lines}) d ON {same}"
        if known
        else f"SELECT *, CAST(NULL AS BIGINT) AS covered_lines FROM ({grouped(keys, named, where)})"
    )
    above = keys[:-1] if tuple(keys[:-1]) in _BY else ()
    return with_hidden(source, least, above=above, parents=covered(above, (), where, least) if above and least else "")


def months(where: str, least: int) -> str:
    """SQL of the months likewise, those without findings too."""
    zeros = ", ".join(f"coalesce({name}, 0) AS {name}" for name in COUNTS)
    lines = f"""SELECT month, sum(lines)::BIGINT AS covered_lines FROM denominators
        WHERE "by" = 'institution_month' AND {where} GROUP BY month"""
    source = f"""SELECT coalesce(g.month, d.month) AS month, covered_lines, {zeros}
        FROM ({grouped(("month",), (), where)}) g FULL JOIN ({lines}) d ON g.month IS NOT DISTINCT FROM d.month"""
    return with_hidden(source, least)


def with_hidden(
    source: str,
    least: int,
    *,
    above: Sequence[str] = (),
    parents: str = "",
    hidden: dict[str, tuple[str, str]] = _HIDDEN,
) -> str:
    """SQL of groups with a column `few_…` for each entry of `hidden`; `parents` is SQL of the groups by the keys `above` with theirs."""
    if not least:
        return f"SELECT *, {', '.join(f'FALSE AS few_{name}' for name in hidden)} FROM ({source})"
    same = " AND ".join(f"p.{key} IS NOT DISTINCT FROM g.{key}" for key in above)
    few = ", ".join(
        f"(coalesce({lines}, 0) > 0 AND coalesce({persons}, 0) < {least}) AS few_{name}"
        for name, (lines, persons) in hidden.items()
    )
    # What is in no group above (a parent that has no such findings) is hidden by nothing but itself.
    of_parent = ", ".join(f"few_{name} OR coalesce(above_{name}, FALSE) AS few_{name}" for name in hidden)
    joined = (
        f"""SELECT * EXCLUDE ({", ".join(f"above_{name}" for name in hidden)}) REPLACE ({of_parent}) FROM (
          SELECT g.*, {", ".join(f"p.few_{name} AS above_{name}" for name in hidden)}
          FROM (SELECT *, {few} FROM ({source})) g LEFT JOIN ({parents}) p ON {same})"""
        if parents
        else f"SELECT *, {few} FROM ({source})"
    )
    window = f"PARTITION BY {', '.join(above)}" if above else ""
    alone = ", ".join(
        f"""few_{name} OR (coalesce({lines}, 0) > 0 AND count(*) FILTER (few_{name}) OVER ({window}) = 1
          AND row_number() OVER ({window} ORDER BY few_{name}, coalesce({lines}, 0) = 0, {lines}, {persons}) = 1) AS few_{name}"""
        for name, (lines, persons) in hidden.items()
    )
    return f"SELECT * REPLACE ({alone}) FROM ({joined})"
