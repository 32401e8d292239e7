"""The published lists that a change takes in: what they end and limit otherwise is ordinary."""

from __future__ import annotations

from datetime import date

from checker.knowledge.diff.compare import KnowledgeDiff
from checker.knowledge.source import Sources


class NewLists:
    """The lists of a change, by the days of their notices and of the points that begin by them."""

    def __init__(self, difference: KnowledgeDiff, before: Sources, after: Sources) -> None:
        known = {(each.batch, each.published) for each in before.edition.notices}
        fresh = [each for each in after.edition.notices if (each.batch, each.published) not in known]
        self._notices = frozenset(each.published for each in after.edition.notices)
        self._new = frozenset(each.published for each in fresh)
        batches = {each.batch for each in fresh}
        self._begun = frozenset((each.point.rule_id, each.point.valid_from) for each in difference.points("added"))
        self._of_new = frozenset(
            (each.point.rule_id, each.point.valid_from)
            for each in difference.points("added")
            if each.point.batch in batches
        )

    def account_for(self, rule: str, day: date) -> bool:
        """Whether a list of the rule accounts for points that end, or begin, on the day."""
        published = day.isoformat()
        return (
            published in self._new
            or (rule, day) in self._of_new
            or (published in self._notices and (rule, day) in self._begun)
        )
