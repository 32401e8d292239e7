"""Persons as the log and the store know them: by keyed hashes, which nobody can turn back who has not the key of this service."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from checker.ingest.personal import masked
from checker.model.errors import InputError, why
from checker.model.private_files import make_folder

_KEY_BYTES = 32
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
        try:
            make_folder(file.parent)
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
                try:
                    os.write(descriptor, secrets.token_bytes(_KEY_BYTES))
                finally:
                    os.close(descriptor)
            key = file.read_bytes()
        except OSError as error:
            raise InputError(
                f"{file}：密钥文件无法读写（{why(error)}），请检查位置和权限（the key file cannot be read or made）"
            ) from error
        if len(key) != _KEY_BYTES:
            raise InputError(
                f"{file}：密钥文件应为 {_KEY_BYTES} 字节，请从备份恢复，或移走后重新启动（the key file is damaged: restore it, or move it away）"
            )
        return cls(key)

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
