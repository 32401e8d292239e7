"""What lies near a name, code or spelling that no knowledge point has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from checker.knowledge.names import item_key

if TYPE_CHECKING:
    import duckdb

_CODE = re.compile(r"(?=.*[0-9])[A-Z0-9]{6,}")
_LATIN = re.compile(r"[a-z0-9]+")
_ID = re.compile(r"[a-z0-9._]+(?:-[a-z0-9._]+)+")
_NAMES = 5
_ALIKE, _ALIKE_SPELLING = 0.8, 0.78
"""How alike two names, or two spellings, must be (Jaro-Winkler, 1 is equal) for the one to be named for the other."""
_PIECES = range(12, 1, -1)
"""Lengths of the beginning of a name that are looked for in others where none is alike, longest first."""
_STEMS = (14, 11, 10, 8, 6)
"""Lengths to which a code is cut, one after the other, until something begins alike: form, generic name, class."""


def nearest(con: duckdb.DuckDBPyConnection, asked: str) -> list[str]:
    """Return up to five item names near a text (NFKC, trimmed), nearest first; for a text with hyphens, ids of points.

    `con` has the tables of a knowledge base.
    """
    if _ID.fullmatch(asked.lower()):
        return _texts(
            con,
            "SELECT point_id FROM (SELECT point_id, jaro_winkler_similarity(point_id, $id) AS alike FROM kb_point) "
            "WHERE alike >= $least ORDER BY alike DESC, point_id LIMIT $names",
            {"id": asked.lower(), "least": _ALIKE, "names": _NAMES},
        )
    code = asked.upper()
    if _CODE.fullmatch(code):
        return _by_code(con, code)
    if _LATIN.fullmatch(asked.lower()):
        return _texts(
            con,
            "SELECT item_name FROM (SELECT item_name, greatest(jaro_winkler_similarity(initials, $typed), "
            "jaro_winkler_similarity(pinyin, $typed)) AS alike FROM kb_name) WHERE alike >= $least "
            "ORDER BY alike DESC, length(item_name), item_name LIMIT $names",
            {"typed": asked.lower(), "least": _ALIKE_SPELLING, "names": _NAMES},
        )
    alike = _texts(
        con,
        "SELECT item_name FROM (SELECT item_name, contains(item_key, $key) OR contains($key, item_key) AS holds, "
        "jaro_winkler_similarity(item_key, $key) AS alike FROM kb_name) WHERE holds OR alike >= $least "
        "ORDER BY holds DESC, alike DESC, length(item_name), item_name LIMIT $names",
        {"key": item_key(asked), "least": _ALIKE, "names": _NAMES},
    )
    return alike or _beginning_alike(con, item_key(asked))


def _beginning_alike(con: duckdb.DuckDBPyConnection, key: str) -> list[str]:
    """Names that hold the beginning of the key: of 西地那非胶囊 the substance, which comes in another form."""
    for length in _PIECES:
        found = []
        if length < len(key):
            found = _texts(
                con,
                "SELECT item_name FROM kb_name WHERE contains(item_key, $piece) ORDER BY length(item_name), item_name LIMIT $names",
                {"piece": key[:length], "names": _NAMES},
            )
        if found:
            return found
    return []


def _by_code(con: duckdb.DuckDBPyConnection, code: str) -> list[str]:
    for length in _STEMS:
        found = _texts(
            con,
            "SELECT DISTINCT item_name FROM kb_point JOIN kb_pattern USING (point_id) WHERE role = 'item' AND starts_with(code, $stem) "
            "ORDER BY item_name LIMIT $names",
            {"stem": code[:length], "names": _NAMES},
        )
        if found:
            return found
    return []


def _texts(con: duckdb.DuckDBPyConnection, query: str, values: dict[str, object]) -> list[str]:
    return [text for (text,) in con.execute(query, values).fetchall()]
