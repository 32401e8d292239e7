"""Persons as the log and the store know them: by keyed hashes, which nobody can turn back who has not the key of this service."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checker.ingest.personal import masked
from checker.model.secret_key import open_key

_SHORTEST = 11
"""Digits of a mobile number: a text that is shorter names nobody."""
_PERSON = (
    "patient_id", "id_number", "header_id_number", "line_sex", "settlement_sex", "line_birth", "settlement_birth", "patient_age",
    "header_age", "newborn_flag", "insured_sex", "insured_birth_date", "insured_age",
)  # fmt: skip


class Pseudonyms:
    """The same person, or number, has the same pseudonym as long as the key is kept; with another key it has another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def open(cls, file: Path) -> Pseudonyms:
        """Read the key, or make it. Raises InputError where that cannot be done."""
        return cls(open_key(file))

    def person(self, facts: Mapping[str, Any]) -> str | None:
        """Who a prescription is for, by all that it says of that person; None where it says nothing."""
        told = [str(value) if (value := facts.get(name)) is not None else "" for name in _PERSON]
        return self._hash("\x1f".join(told)) if any(told) else None

    def number(self, text: str | None) -> str | None:
        """A number as it may be kept: itself, unless it may be an ID or mobile number of somebody.

        >>> key = Pseudonyms(bytes(32))
        >>> key.number("MZ20260301-17"), key.number(None), key.number("110101199005010048")[:1]
        ('MZ20260301-17', None, '#')
        """
        if text is None or len(text) < _SHORTEST or masked(text) == text:
            return text
        return f"#{self._hash(text)}"

    def _hash(self, text: str) -> str:
        return hashlib.blake2b(text.encode(errors="backslashreplace"), key=self._key, digest_size=16).hexdigest()


def without_numbers(text: str | None) -> str | None:
    """A text as it may be kept: of ID and mobile numbers in it only the ends."""
    return text if text is None or len(text) < _SHORTEST else masked(text)
