"""What an answer comes to as a whole: by its findings, and by the age of the knowledge that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from checker.model.words import OUTDATED_DAYS
from checker.rulebook.plan import LEVEL_RANK

_VERDICTS = ("violation", "undetermined")
_ACTIONS = ("stop", "confirm", "note")
_GRAVEST_FIRST = sorted(LEVEL_RANK, key=LEVEL_RANK.__getitem__, reverse=True)


def concluded(findings: Sequence[Mapping[str, Any]], checked_lines: int) -> dict[str, Any]:
    """Members of the answer with these findings: the gravest `verdict` (else clear), `level` (else None) and `action` (else none).

    What an exemption covers asks for nothing. Where no line was judged nothing is clear.
    """
    if not checked_lines:
        return {"verdict": "undetermined", "level": None, "action": "note"}
    if not findings:
        return {"verdict": "clear", "level": None, "action": "none"}
    open_ones = [finding for finding in findings if finding["verdict"] in _VERDICTS]
    verdicts, levels, actions = ({finding[name] for finding in open_ones} for name in ("verdict", "level", "action"))
    return {
        "verdict": next((verdict for verdict in _VERDICTS if verdict in verdicts), "clear"),
        "level": next((level for level in _GRAVEST_FIRST if level in levels), None),
        "action": next((action for action in _ACTIONS if action in actions), "none"),
    }


def is_outdated(published: date, day: date) -> bool:
    """Whether knowledge published on one day is old for questions about another."""
    return day - published > timedelta(days=OUTDATED_DAYS)
