"""What published items are limited to by quotas, pairs and companions: read from their texts, and from compiled facts where no text says it.

Where a text says what the facts say as well, the two must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from checker.knowledge.compiled_facts import CompiledFacts
from checker.knowledge.indication_gaps import ADDED, NOT_BY_DIAGNOSIS
from checker.knowledge.limited import indicated, limited
from checker.knowledge.published import PublishedItem
from checker.shapes.evidence.diagnoses import expanded
from checker.shapes.evidence.texts import drug_class, earlier_therapy, to_check
from checker.shapes.quota.texts import read_quota, window_of

_OF_A_PAIR = 2
"""How many codes a published pair has."""


class Unread(ValueError):
    """What is wrong with one item: a text that says nothing plain, or a fact that is missing or says otherwise."""


def _quota(kind: str) -> Callable[[PublishedItem, CompiledFacts], PublishedItem]:
    def read(item: PublishedItem, facts: CompiledFacts) -> PublishedItem:
        quota = read_quota(kind, item.text or "", item.logic or "")
        if quota is None:
            raise Unread(f"found limit_text {item.text!r}, which says nothing plain of a quota ({kind})")
        return limited(item, quota, quota_text=item.text)

    return read


def _window(item: PublishedItem, facts: CompiledFacts) -> PublishedItem:
    window = (facts.windows or {}).get((item.rule, item.seq))
    if window is None or (window.code,) != item.codes:
        raise Unread(f"the facts tell no window of {', '.join(item.codes)}")
    quota, said = window_of(window.most, window.days), read_quota("window", item.text or "")
    if said is not None and said != quota:
        raise Unread(f"found limit_text {item.text!r}, which is not {window.most} within {window.days} days")
    return limited(item, quota, quota_text=item.text)


def _pair(item: PublishedItem, facts: CompiledFacts) -> PublishedItem:
    pair = (facts.pairs or {}).get(item.seq)
    if pair is None or {pair.item, pair.container} != set(item.codes) or len(item.codes) != _OF_A_PAIR:
        raise Unread(f"the facts tell no pair of {', '.join(item.codes)}")
    one = replace(item, codes=(pair.item,), containers=(pair.container,))
    return limited(one, {"pair_interval": pair.interval}, container_name=pair.container_name, pair_text=item.text)


def _incision(item: PublishedItem, facts: CompiledFacts) -> PublishedItem:
    if not item.text:
        raise Unread("no group of operations is told")
    return limited(item, {"incision_group": item.text}, pair_text=item.logic)


def _second_line(item: PublishedItem, facts: CompiledFacts) -> PublishedItem:
    if not item.text:
        raise Unread("no limit_text is told")
    cells = {"drug_class": drug_class(item.codes)}
    return limited(item, cells, to_check=earlier_therapy(item.text), evidence_text=item.text)


def _indication(item: PublishedItem, facts: CompiledFacts) -> PublishedItem:
    key = item.batch, item.seq
    indication = (facts.indications or {}).get(key)
    if indication is None or indication.item_name != item.item_name:
        raise Unread("the facts tell no diagnoses of the item")
    prefixes = expanded("|".join(filter(None, (*indication.prefixes, ADDED.get(key)))))
    is_shadow = not indication.is_sure or key in NOT_BY_DIAGNOSIS
    return replace(
        indicated(item, prefixes, to_check(indication.conditions)), status="shadow" if is_shadow else "active"
    )


READERS: dict[str, Callable[[PublishedItem, CompiledFacts], PublishedItem]] = {
    "course": _quota("course"),
    "day": _quota("day"),
    "window": _window,
    "pair": _pair,
    "incision": _incision,
    "second_line": _second_line,
    "indication": _indication,
}
"""By what name a rule asks for a reader."""
