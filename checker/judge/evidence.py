"""The evidence of a point in words: published documents, batch and rows."""

from __future__ import annotations

from checker.model import sqltext

_ROW = "^([^/]+)/(.+)/([0-9]+)$"
"""A published row: batch, sheet and number."""
_WORDS = {"zh": ("批次 ", r"批次 \1《\2》第 \3 行", "；"), "en": ("batch ", r"batch \1, \2, row \3", "; ")}


def evidence_sql(language: str) -> str:
    """SQL of a point's evidence from its document, batch and source_rows; the batch stands alone where some row does not name it."""
    batch, row, joint = map(sqltext.text, _WORDS[language])
    rows = "string_split(source_rows, '; ')"
    told = f"array_to_string(list_transform({rows}, lambda r: regexp_replace(r, '{_ROW}', {row})), {joint})"
    named = f"len(list_filter({rows}, lambda r: NOT regexp_matches(r, '{_ROW}'))) = 0"
    parts = f"concat_ws({joint}, document, CASE WHEN {named} THEN NULL ELSE {batch} || batch END, {told})"
    return parts if language == "zh" else f"replace({parts}, '；', {joint})"


def sources(evidence: str) -> list[str]:
    """The documents and rows that evidence in words names, one by one."""
    return [part for each in evidence.split("；") for part in each.split("; ")]
