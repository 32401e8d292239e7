"""The values that a profile does not know, as TOML that only has to be sorted: every table with its keys, the values ready to be moved."""

from __future__ import annotations

import json
from collections.abc import Iterator

from checker.ingest.value_tables import TABLES
from checker.model.words import CARE_GROUPS, INSURANCE_GROUPS, PAY_PLACES, RANKS, UNRATED, Said
from checker.scan.profile_values import FoundKind, FoundValues

MOST = 200
"""So many values of a kind are written."""
GROUP_WORDS: dict[str, dict[str, Said]] = {
    "care_type": CARE_GROUPS,
    "insurance_type": INSURANCE_GROUPS,
    "institution_level": {**{str(rank): words for rank, words in RANKS.items()}, "unrated": UNRATED},
    "pay_location": PAY_PLACES,
}
"""The words of groups, by kind."""
_OF_PLACES = {"pay_locations": PAY_PLACES["online"], "other_pay_locations": PAY_PLACES["elsewhere"]}


def snippet(found: FoundValues) -> str:
    """Text of a profile: until its values are moved it changes nothing. Empty where all are known."""
    return "\n".join(line for each in found.kinds for line in _table(each))


def _table(found: FoundKind) -> Iterator[str]:
    rows: dict[str, int] = {}
    for each in found.unknown:
        if each.key is not None:
            rows[each.key] = rows.get(each.key, 0) + each.all_rows
    if not rows:
        return
    yield f"[{found.table}]"
    yield "# 把每个值移到所属的组，去掉 #（move each value into its group, without the #）"
    yield from (f"#   {json.dumps(key, ensure_ascii=False)},  # {count:,}" for key, count in list(rows.items())[:MOST])
    words = _OF_PLACES if found.kind == "pay_location" else GROUP_WORDS[found.kind]
    for key in TABLES[found.table]:
        if key in words:
            yield f"{key} = [\n]  # {' '.join(words[key])}"
    yield ""
