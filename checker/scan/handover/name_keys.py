"""When an institution's own name of an item is that of the catalogue."""

from __future__ import annotations

from checker.ingest.spellings import narrowed


def name_key_sql(name: str) -> str:
    """SQL of what is compared of a name: without what stands in parentheses of any kind, blanks and marks, unless nothing else is there."""
    plain = f"regexp_replace(lower(translate({narrowed(name)}, '【】[]', '()()')), '[\\s　*★#]', '', 'g')"
    return f"coalesce(nullif(regexp_replace({plain}, '\\([^()]*\\)', '', 'g'), ''), {plain})"
