"""Rule files as the plain TOML tables that stand in them, before anything is read into a rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checker.model.errors import Fault, RuleError
from checker.model.files import RULE_FILE, UnfitFileError, read_once


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The TOML of one rule file; the rule's id is the file's name without `.toml`."""

    file: str
    table: dict[str, Any]

    @property
    def id(self) -> str:
        """The id that the file's name gives."""
        return self.file.removesuffix(".toml")

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text of the file with its key path, such as `case[1].line.service_time`."""
        yield from _texts(self.table, "")


def read_tables(folder: Path) -> tuple[RuleTable, ...]:
    """Return the tables of a folder's *.toml in the order of their names; none where there is no such folder.

    Raises RuleError with every file that cannot be read or is not TOML.
    """
    from checker.rulebook.parse import parse

    faults: list[Fault] = []
    tables = []
    for path in sorted(folder.glob("*.toml")):
        if path.name.startswith("."):
            continue
        try:
            content = read_once(path, RULE_FILE)
        except UnfitFileError as error:
            faults.append(Fault(path.name, "", str(error)))
            continue
        tables.append(RuleTable(path.name, parse(path.name, content, faults)))
    if faults:
        raise RuleError(faults)
    return tuple(tables)


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _texts(entry, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, entry in enumerate(value, 1):
            yield from _texts(entry, f"{path}[{number}]")
