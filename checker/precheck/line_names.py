"""What names a line of a prescription among the others, as checker.ingest.identity and checker.judge.finding_sql do for a scan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from checker.ingest.prescription import Item


def given_name(line_id: str) -> str:
    """The name of a line that has an id; no name made here is equal to it."""
    return line_id.replace("\x1e", "\x1e\x1e")


def made_names(items: Sequence[Item]) -> Mapping[int, str]:
    """The names of the judged lines without an id, by place: their order, and their place among lines that are equal in item, quantity and amount.

    It does not matter in which order lines stand: equal ones are numbered by what else they say.
    """
    alike: dict[tuple[object, ...], list[tuple[bool, float, str, int]]] = defaultdict(list)
    for number, item in enumerate(items):
        if item.line_id is None and item.judged:
            in_scope, order = item.amount_in_scope, item.prescription_id or ""
            more = (in_scope is None, float(in_scope or 0), item.item_name or "", number)
            alike[order, item.item_code, item.quantity, item.amount, item.service_time].append(more)
    return {
        number: f"\x1eo{order}\x1e{ordinal}"
        for (order, *_), lines in alike.items()
        for ordinal, (*_, number) in enumerate(sorted(lines), 1)
    }
