"""What other limits of the age of a child would leave: counted from the findings, before the page is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from checker.audit.groups import LEFT

if TYPE_CHECKING:
    import duckdb

LIMITS = (14, 16, 18)
"""Ages below which somebody may be held to be a child."""
_LIMIT = "TRY_CAST(regexp_extract(expected, '^< ([0-9]+) (岁|years)$', 1) AS INTEGER)"
"""SQL of the limit that judged a finding. That of 婴幼儿 (3) and of points that name a lower age are of no child's word; a point that names one of `LIMITS`
itself reads the same, and is counted."""
_YEARS = "TRY_CAST(regexp_extract(person_age, '^([0-9]+) (岁|years)$', 1) AS INTEGER)"


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Lines that would be left, and their yuan, if a child were anybody younger than `limit`; `unknown` are those whose age is not known."""

    rule: str
    limit: int
    lines: int
    yuan: float
    unknown: int
    persons: int = 0
    persons_unknown: int = 0


def what_if(connection: duckdb.DuckDBPyConnection) -> list[WhatIf]:
    """By rule and limit what would be left of the findings of limits to children that nothing else explains.

    Findings are of those past the limit in use: a lower one cannot be asked about, and has no entry.
    """
    limits = ", ".join(map(str, LIMITS))
    found = connection.execute(
        f"""SELECT rule_name, age, count(*) FILTER ({_YEARS} >= age), coalesce(sum(amount_at_stake) FILTER ({_YEARS} >= age), 0),
          count(*) FILTER ({_YEARS} IS NULL), count(DISTINCT person_hash) FILTER ({_YEARS} >= age), count(DISTINCT person_hash) FILTER ({_YEARS} IS NULL)
        FROM findings, (SELECT unnest([{limits}]) AS age) WHERE {LEFT} AND {_LIMIT} IN ({limits}) AND age >= {_LIMIT}
        GROUP BY rule_name, age ORDER BY rule_name, age"""
    ).fetchall()
    return [
        WhatIf(str(rule), int(age), int(lines), float(yuan), int(unknown), int(persons), int(persons_unknown))
        for rule, age, lines, yuan, unknown, persons, persons_unknown in found
    ]
