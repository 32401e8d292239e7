"""What reports need of a run.json: of a damaged one, or one of another version, they say so instead of failing midway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.model.words import REJECTS, SKIPS

_NEEDED: Mapping[str, type] = {
    "liangku": str, "finished": str, "options.language": str, "knowledge.version": str, "knowledge.hash": str, "rules.hash": str,
    "rules.names": dict, "profile.name": str, "engine.name": str, "engine.version": str, "findings.undetermined.lines": int,
    "findings.exempt.lines": int, "lines.read": int, "lines.judged": int, "lines.skipped": dict, "lines.rejected": dict,
}  # fmt: skip
_LISTED: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "inputs": {"role": str, "path": str},
    "not_judged": {"rule": str, "how": str, "lines": int},
    "incomplete": {"path": str, "said": (str, dict)},
}
_COUNTED: Mapping[str, Mapping[str, object] | None] = {
    "lines.skipped": SKIPS, "lines.rejected": REJECTS, "explained": None, "explained_undetermined": None, "clusters": None,
}  # fmt: skip


def damage(document: Mapping[str, Any]) -> str | None:
    """The place in a run.json that is not as a scan writes it, None where all is."""
    for place, kind in _NEEDED.items():
        if not _is(_at(document, place), kind):
            return place
    for place, parts in _LISTED.items():
        entries = document.get(place)
        if not isinstance(entries, list):
            return place
        for entry in entries:
            if not isinstance(entry, dict) or not all(_is(entry.get(name), kind) for name, kind in parts.items()):
                return place
            if isinstance(entry.get("said"), dict) and not {"zh", "en"} <= entry["said"].keys():
                return place
    for place, words in _COUNTED.items():
        counts = _at(document, place)
        if counts is None and words is None:
            continue
        if not isinstance(counts, dict) or not all(_is(count, int) for count in counts.values()):
            return place
        if words is not None and ("total" not in counts or not counts.keys() - {"total"} <= words.keys()):
            return place
    if not all(isinstance(names, dict) for names in document["rules"]["names"].values()):
        return "rules.names"
    return None


def _at(document: Mapping[str, Any], place: str) -> Any:
    value: Any = document
    for name in place.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _is(value: Any, kind: type | tuple[type, ...]) -> bool:
    # True is a number to Python, and none to anybody else.
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
