"""An answer as cards in the style of CDS Hooks, for programs that show those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.service.reasons import REASONS

_INDICATORS = {"definite": "critical", "suspect": "warning", "notice": "info"}
_SUMMARY_MOST = 139


def cards_of(answer: Mapping[str, Any], language: str) -> dict[str, Any]:
    """One card for each finding; none where nothing was found."""
    if not answer["reviewed"]:
        return {"cards": [_card(answer["ticket"] or "", answer["message"], "warning", answer["message"], "liangku")]}
    cards = []
    for finding in answer["findings"]:
        detail = "\n\n".join(text for text in (finding["message"], finding["advice"], finding["evidence"]) if text)
        indicator = _INDICATORS.get(finding["level"] or "", "info")
        card = _card(finding["finding_id"], finding["message"], indicator, detail, finding["rule_name"] or "liangku")
        if finding["action"] in ("stop", "confirm"):
            chosen = [{"code": each.code, "display": each.en if language == "en" else each.zh} for each in REASONS]
            card["overrideReasons"] = chosen
        cards.append(card)
    return {"cards": cards}


def _card(uuid: str, summary: str, indicator: str, detail: str, source: str) -> dict[str, Any]:
    short = summary if len(summary) <= _SUMMARY_MOST else f"{summary[: _SUMMARY_MOST - 1]}…"
    return {"uuid": uuid, "summary": short, "indicator": indicator, "detail": detail, "source": {"label": source}}
