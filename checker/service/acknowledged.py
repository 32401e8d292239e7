"""What was acknowledged: whose, in which visit and on which day, for which item, rule and point, and up to which amount."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from checker.service.pseudonyms import Pseudonyms, without_numbers
from checker.service.staff import is_second
from checker.service.store import Feedback, Shown

_Held = dict[str, tuple[str, int | None]]


class Acknowledgements:
    """All that holds at one time. An acknowledgement that does not say whose it is, in which visit or on which day holds for nobody."""

    def __init__(self, *, two_person: bool) -> None:
        self._two_person = two_person
        # By what it is about: the ids under which it was shown, each with its channel and cents.
        self._held: dict[bytes, _Held] = {}
        self._days: dict[bytes, str] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def take(self, shown: Shown, row: Feedback) -> None:
        """Take in a decision about a finding that was shown, after all that were made before it."""
        key = _key(shown.institution_id, shown.visit_id, shown.person, shown.day, shown._asdict())
        if key is None:
            return
        if row.decision == "continue":
            if not self.lacks_second(shown, row):
                self._held.setdefault(key, {})[shown.finding_id] = (shown.channel, _cents(shown.amount))
                self._days[key] = shown.day or ""
        elif (held := self._held.get(key)) is not None:
            held.pop(shown.finding_id, None)
            if not held:
                del self._held[key], self._days[key]

    def forget(self, before: str) -> None:
        """Let go of what was about days before this one."""
        for key in [key for key, day in self._days.items() if day < before]:
            del self._held[key], self._days[key]

    def lacks_second(self, shown: Shown, row: Feedback) -> bool:
        """Whether somebody would go on alone where two persons are asked."""
        if not self._two_person or shown.level != "definite" or row.decision != "continue":
            return False
        return not is_second(row.operator, row.second_operator)

    def leave_out(
        self, answers: Iterable[tuple[Mapping[str, Any], str | None]], pseudonyms: Pseudonyms
    ) -> list[tuple[list[dict[str, Any]], tuple[str, ...]]]:
        """For each answer with its person: the findings to show, and the ids of those that were acknowledged."""
        used: dict[tuple[bytes, str], list[int]] = {}
        parted = []
        for answer, person in answers:
            kept: list[dict[str, Any]] = []
            left_out: list[str] = []
            for finding in answer["findings"]:
                visit, day = pseudonyms.number(finding["visit_id"]), (finding["service_time"] or "")[:10]
                key = _key(pseudonyms.number(finding["institution_id"]), visit, person, day, finding)
                if key is not None and (held := self._held.get(key)) and _is_within(finding, key, held, used):
                    left_out.append(finding["finding_id"])
                else:
                    kept.append(finding)
            parted.append((kept, tuple(left_out)))
        return parted


def _is_within(finding: Mapping[str, Any], key: bytes, held: _Held, used: dict[tuple[bytes, str], list[int]]) -> bool:
    """Whether a finding, beside those of this request that were left out before it, is within what was acknowledged in one channel."""
    cents = _cents(finding["amount"])
    for channel in {channel for channel, _ in held.values()}:
        amounts = [amount for through, amount in held.values() if through == channel]
        number, total = used.setdefault((key, channel), [0, 0])
        known = [amount for amount in amounts if amount is not None]
        if cents is None:
            fits = number < len(amounts) - len(known)
        else:
            fits = bool(known) and total + cents <= sum(known)
        if fits:
            used[key, channel] = [number + (cents is None), total + (cents or 0)]
            return True
    return False


def _key(
    institution: str | None, visit: str | None, person: str | None, day: str | None, finding: Mapping[str, Any]
) -> bytes | None:
    if not visit or not person or not day:
        return None
    parts = (
        institution, visit, person, day, finding["item_code"], without_numbers(finding["item_name"]) if not finding["item_code"] else None,
        finding["rule_id"] or "unknown_code", finding["point_id"], finding["verdict"], finding["level"],
    )  # fmt: skip
    told = "\x1f".join("\x1e" if part is None else part for part in parts)
    return hashlib.blake2b(told.encode(errors="backslashreplace"), digest_size=16).digest()


def _cents(amount: object) -> int | None:
    return None if amount is None else round(float(str(amount)) * 100)
