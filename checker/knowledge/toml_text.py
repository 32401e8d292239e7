"""Reading a TOML file of reviewed text as cells."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from checker.knowledge.cell_reader import Cells, Faults, read_text
from checker.model.errors import KnowledgeError, both
from checker.model.toml_document import parse_toml


@dataclass(frozen=True, slots=True)
class TomlText:
    """A TOML document, known by the name of its file."""

    file: str
    keys: dict[str, Any]


def read_toml(path: Path, known: Sequence[str], faults: Faults) -> TomlText:
    """Return the document of the file; a key that is not known is a fault.

    Raises KnowledgeError for a file that cannot be read or is not TOML.
    """
    try:
        document = parse_toml(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(
            f"{path}: {both(f'不是有效的 TOML（{error}），请改正', f'it is not TOML ({error}); mend it')}"
        ) from error
    for key in document:
        if key not in known:
            listed = ", ".join(known)
            faults.add(path.name, key, both(f"不认识这个键，请写 {listed}", f"the key is unknown; write {listed}"))
    return TomlText(path.name, document)


def record_cells(file: str, place: str, entry: object, keys: Sequence[str], faults: Faults) -> Cells | None:
    """Return the text and dates of a TOML table as cells, None where it is no table.

    An absent key is an empty cell, a date becomes its text; unknown keys and other values are faults.
    """
    if not isinstance(entry, dict):
        told = both(f"写的是 {entry!r}，请写含各键的表", f"found {entry!r}; write a table of keys")
        faults.add(file, place, told)
        return None
    values = dict.fromkeys(keys, "")
    for key, value in entry.items():
        if key not in keys:
            listed = ", ".join(keys)
            told = both(f"不认识这个键，请写其中之一：{listed}", f"the key is unknown; write one of {listed}")
            faults.add(file, f"{place}, key {key}", told)
        elif isinstance(value, str) or type(value) is date:
            values[key] = str(value).strip()
        else:
            told = both(f"写的是 {value!r}，请写文字或日期", f"found {value!r}; write text or a date")
            faults.add(file, f"{place}, key {key}", told)
    return Cells(file, place, values, faults)


def quoted(text: str) -> str:
    """The text as a TOML string on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
