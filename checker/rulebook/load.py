"""Reads rules/*.toml into frozen rules, collecting every fault of every file."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from checker.model.errors import Fault, RuleError
from checker.model.nearest import nearest
from checker.rulebook.params import ParamSetting, check_params, values_for
from checker.rulebook.rule import Rulebook

if TYPE_CHECKING:
    pass


def load_rules(
    folder: Path,
    *,
    embedded: bool = False,
    only: Collection[str] | None = None,
    params: Sequence[ParamSetting] = (),
) -> Rulebook:
    """Return the rules of a folder (`only` these ids), or raise RuleError with every fault in them.

    `params` take the place of what the files say; one that no rule declares or allows raises InputError.
    """
    from checker.rulebook.parse import parse, read_rule  # brings sqlglot, which a cached plan does without

    files, faults = _read_files(folder, only)
    tables = [(name, content, parse(name, content, faults)) for name, content in files]
    for key in ("id", "rule_code"):
        faults += _duplicates(key, [(name, table) for name, _, table in tables])
    rules = [read_rule(name, table, _hash([(name, content)]), faults) for name, content, table in tables if table]
    if faults:
        raise RuleError(faults, embedded=embedded)
    told = _hash(files)
    if params:
        check_params(params, rules)
        before = {(rule.id, param) for rule in rules for param in rule.params}
        rules = [
            read_rule(name, table, _hash([(name, content)]), faults, values_for(params, str(table["id"])))
            for name, content, table in tables
        ]
        changed = sorted(
            (rule.id, param.name, param.value)
            for rule in rules
            for param in rule.params
            if (rule.id, param) not in before
        )
        # Rules that were set otherwise are other rules: whoever compares hashes must see it.
        told = hashlib.sha256(f"{told}\0{changed}".encode()).hexdigest() if changed else told
    return Rulebook(tuple(sorted(rules, key=lambda rule: rule.id)), told)


def hash_rules(folder: Path, *, embedded: bool = False, only: Collection[str] | None = None) -> str:
    """Return what `load_rules` would give as `hash`, without parsing anything."""
    files, faults = _read_files(folder, only)
    if faults:
        raise RuleError(faults, embedded=embedded)
    return _hash(files)


def _hash(files: Sequence[tuple[str, bytes]]) -> str:
    digest = hashlib.sha256()
    for name, content in files:
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _read_files(folder: Path, only: Collection[str] | None) -> tuple[list[tuple[str, bytes]], list[Fault]]:
    if not folder.is_dir():
        return [], [Fault(str(folder), "", "no such folder; give one that holds a <rule_id>.toml per rule")]
    paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml" and not path.name.startswith("."))
    if not paths:
        return [], [Fault(str(folder), "", "holds no *.toml; put one <rule_id>.toml per rule into it")]
    faults: list[Fault] = []
    if only is not None:
        known = [path.stem for path in paths]
        absent = sorted(set(only) - set(known))
        faults += [Fault(str(folder), "", f"no rule {name!r}; {nearest(name, known)}") for name in absent]
        paths = [path for path in paths if path.stem in only]
    files: list[tuple[str, bytes]] = []
    for path in paths:
        try:
            files.append((path.name, path.read_bytes()))
        except OSError as error:
            faults.append(Fault(path.name, "", f"cannot be read ({error.strerror}); make it readable or remove it"))
    return files, faults


def _duplicates(key: str, tables: Sequence[tuple[str, Mapping[str, object]]]) -> list[Fault]:
    first: dict[str, str] = {}
    faults = []
    for file, table in tables:
        value = table.get(key)
        if isinstance(value, str) and first.setdefault(value, file) != file:
            faults.append(Fault(file, key, f"{value!r} already belongs to {first[value]}; give each rule its own"))
    return faults
