"""An answer as cards of CDS Hooks, for programs that show those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from checker.model.words import MISSING
from checker.service.reasons import PERSON, offered

_INDICATORS = {"definite": "critical", "suspect": "warning", "notice": "info"}
_SUMMARY_MOST = 139
_REMOVE = ("取消这条医嘱", "Remove this order")


def cards_of(
    answer: Mapping[str, Any], language: str, judges: Mapping[str, str], orders: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """One card for each finding, and for each thing without which lines were not judged; else none.

    `judges`: what rules judge that judge no person. `orders`: by the id of a line its order, which a card may suggest to remove.
    """
    if not answer["reviewed"]:
        return {"cards": [plain_card(answer["ticket"] or "", answer["message"], "warning")]}
    cards = [
        _of_finding(finding, language, judges.get(finding["rule_id"], PERSON), orders or {})
        for finding in answer["findings"]
    ]
    return {"cards": [*cards, *_of_not_judged(answer["not_judged"], language)]}


def _of_not_judged(not_judged: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """What lacks its rule has a finding of its own."""
    lines: dict[str, set[Any]] = {}
    for each in not_judged:
        if each["missing"] in MISSING:
            lines.setdefault(each["missing"], set()).add(each["line_id"] or each["line"])
    english = language == "en"
    said = (
        "{} item(s) not judged, which is no pass: not known is {}"
        if english
        else "有 {} 项没有判断，不等于没有问题：不知道{}"
    )
    return [
        plain_card(uuid4().hex, said.format(len(some), MISSING[missing][english]), "info")
        for missing, some in lines.items()
    ]


def plain_card(uuid: str, said: str, indicator: str) -> dict[str, Any]:
    """A card that tells of something else than a finding."""
    return _card(uuid, said, indicator, said, "liangku")


def _of_finding(finding: Mapping[str, Any], language: str, judges: str, orders: Mapping[str, str]) -> dict[str, Any]:
    detail = "\n\n".join(text for text in (finding["message"], finding["advice"], finding["evidence"]) if text)
    indicator = _INDICATORS.get(finding["level"] or "", "info")
    card = _card(finding["finding_id"], finding["message"], indicator, detail, finding["rule_name"] or "liangku")
    if finding["action"] in ("stop", "confirm"):
        chosen = [{"code": each.code, "display": each.en if language == "en" else each.zh} for each in offered(judges)]
        card["overrideReasons"] = chosen
        # An order that has no id of its own has only a place, which nobody could remove.
        if order := orders.get(finding["line_id"] or ""):
            label = _REMOVE[language == "en"]
            action = {"type": "delete", "description": label, "resourceId": order}
            card["suggestions"] = [{"label": label, "uuid": f"{finding['finding_id']}-1", "actions": [action]}]
            card["selectionBehavior"] = "at-most-one"
    return card


def _card(uuid: str, summary: str, indicator: str, detail: str, source: str) -> dict[str, Any]:
    short = summary if len(summary) <= _SUMMARY_MOST else f"{summary[: _SUMMARY_MOST - 1]}…"
    return {"uuid": uuid, "summary": short, "indicator": indicator, "detail": detail, "source": {"label": source}}
