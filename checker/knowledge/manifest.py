"""The manifest of a built knowledge base: what it is, what it counts, and the hash of every file."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

LAYOUT = 3
"""The layout of the built folder that this program writes: limits in a table for each shape."""
_READ = (2, LAYOUT)
"""The layouts that it reads; in the earlier one the table of points had the limits."""
MANIFEST_FILE = "manifest.json"

_SURROGATE = re.compile("[\ud800-\udfff]")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Notice:
    """One public notice [公告] that facts were taken from; `link` is NULL where its address is not known to us."""

    batch: str
    published: str
    title: str
    publisher: str
    link: str | None


@dataclass(frozen=True, slots=True)
class RuleCount:
    """What one rule has in this edition: point rows, distinct families and exact codes, published codes covered."""

    rule_id: str
    points: int
    families: int
    codes: int
    published_codes: int


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file: its name, the sha256 of its bytes and its rows."""

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One edition of the knowledge base, as its manifest.json tells it."""

    layout: int
    name: str
    version: str
    published: str
    compiled: str
    content_hash: str
    notices: tuple[Notice, ...]
    rules: tuple[RuleCount, ...]
    files: tuple[FileEntry, ...]

    def rows(self, table: str) -> int:
        """Return the rows of the table (point, pattern, exemption, exemption_item)."""
        return next(entry.rows for entry in self.files if entry.name == f"{table}.parquet")


def manifest_text(manifest: Manifest) -> str:
    """Return the JSON text of the manifest; equal manifests give equal text."""
    document = asdict(manifest)
    document["rows"] = {entry.name.removesuffix(".parquet"): entry.rows for entry in manifest.files}
    document["rules"] = {rule.pop("rule_id"): rule for rule in document["rules"]}
    document["files"] = {file.pop("name"): file for file in document["files"]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def read_manifest(text: str) -> Manifest:
    """Return the manifest of the JSON text.

    Raises ValueError whose message says what is wrong with it: no JSON, another layout, a missing or malformed key.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({error})") from error
    if not isinstance(document, dict) or "layout" not in document:
        raise ValueError("it has no key layout")
    if document["layout"] not in _READ:
        raise ValueError(
            f"its layout is {document['layout']!r}, and this program reads layouts {' and '.join(map(str, _READ))}"
        )
    try:
        return Manifest(
            layout=document["layout"],
            name=_text(document, "name"),
            version=_text(document, "version"),
            published=_day(document, "published"),
            compiled=_text(document, "compiled"),
            content_hash=_sha256(document, "content_hash"),
            notices=tuple(_notice(entry) for entry in document["notices"]),
            rules=tuple(_rule(rule_id, entry) for rule_id, entry in document["rules"].items()),
            files=tuple(
                FileEntry(str(name), _sha256(entry, "sha256"), _count(entry, "rows"))
                for name, entry in document["files"].items()
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a key is missing or of the wrong kind ({error})") from error


def _notice(entry: dict[str, Any]) -> Notice:
    link = None if entry["link"] is None else _text(entry, "link")
    return Notice(
        _text(entry, "batch"), _text(entry, "published"), _text(entry, "title"), _text(entry, "publisher"), link
    )


def _rule(rule_id: str, entry: dict[str, Any]) -> RuleCount:
    counts = (_count(entry, key) for key in ("points", "families", "codes", "published_codes"))
    return RuleCount(rule_id, *counts)


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or not value or _SURROGATE.search(value):
        raise ValueError(f"its key {key} holds {value!r}, not text")
    return value


def _day(entry: dict[str, Any], key: str) -> str:
    value = _text(entry, key)
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError(f"its key {key} holds {value!r}, not a day such as 2026-03-01") from None


def _sha256(entry: dict[str, Any], key: str) -> str:
    value = _text(entry, key)
    if not _SHA256.fullmatch(value):
        raise ValueError(f"its key {key} holds {value!r}, not a sha256 of 64 hexadecimal digits")
    return value


def _count(entry: dict[str, Any], key: str) -> int:
    value = entry[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"its key {key} holds {value!r}, not a count")
    return value
