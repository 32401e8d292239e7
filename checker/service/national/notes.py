"""What was odd in a message but tolerated: said once each, and not without end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from checker.model.words import NOT_JUDGED

_MOST = 30


class Notes:
    """Collects notes; `told` gives them in the order in which they came."""

    def __init__(self) -> None:
        self._notes: dict[str, None] = {}
        self._more = 0

    def add(self, note: str) -> None:
        """Note it, unless it was noted already."""
        if note in self._notes:
            return
        if len(self._notes) < _MOST:
            self._notes[note] = None
        else:
            self._more += 1

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, and how many more there were."""
        more = (f"另有 {self._more} 处从略（and {self._more} more）",) if self._more else ()
        return (*self._notes, *more)


def of_answers(answers: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the answers of the counter say beside their findings, for which the interface has no place: rules that do not concern what the fund
    does not pay, those that lack what nobody told, what people check, and values that the profile does not know. That a rule is not loaded is a finding."""
    lines = Counter(each["rule_id"] for answer in answers for each in answer.get("not_in_scope", ()))
    unpaid = (
        f"{count} 条医嘱没有医保范围内的金额（全自费），规则 {rule} 不适用（not_in_scope: wholly self-paid, rule {rule} does not apply）"
        for rule, count in lines.items()
    )
    untold = Counter((each["rule_id"], each["missing"]) for answer in answers for each in answer["not_judged"])
    missing = (
        f"{count} 条医嘱没有按规则 {rule} 判断，{'（'.join(word.format(rule=rule) for word in NOT_JUDGED[what])}）"
        for (rule, what), count in untold.items()
        if what != "rule"
    )
    left = Counter(each["rule_id"] for answer in answers for each in answer.get("to_check", ()))
    to_check = (
        f"{count} 条医嘱有需人工核对的条件，规则 {rule}（to_check: conditions of rule {rule} that people check）"
        for rule, count in left.items()
    )
    unknown = (each["how"] for answer in answers for each in answer.get("unknown_values", ()))
    return tuple(dict.fromkeys((*unpaid, *missing, *to_check, *unknown)))
