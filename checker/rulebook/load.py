"""Reads rules/*.toml of one folder, or of several one upon the other, into frozen rules, collecting every fault of every file."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checker.model.errors import Fault, RuleError, both
from checker.model.files import RULE_FILE, UnfitFileError, read_once
from checker.model.nearest import nearest

if TYPE_CHECKING:
    from checker.rulebook.params import ParamSetting
    from checker.rulebook.rule import Rule, Rulebook


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder of rules; of an `embedded` one the faults are the program's own."""

    folder: Path
    embedded: bool = False


@dataclass(frozen=True)
class RuleFile:
    """One rule file as it lies on disk. Faults name it as `shown`: with its folder where there are several."""

    name: str
    content: bytes
    shown: str
    layer: Layer

    @cached_property
    def hash(self) -> str:
        """What a rule of this file has as `hash`."""
        return hash_of([self])


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
    from checker.rulebook.rule import Rulebook

    files = read_files([Layer(folder, embedded)], only)
    rules, changed = read_rules(files, params)
    return Rulebook(rules, hash_with(files, changed))


def read_files(layers: Sequence[Layer], only: Collection[str] | None = None) -> tuple[RuleFile, ...]:
    """Return the rule files of the layers by name (`only` these ids): of several with one name the last layer's counts.

    Raises RuleError for folders and files that cannot be read.
    """
    found: dict[str, RuleFile] = {}
    faults: list[tuple[Layer, Fault]] = []
    for layer in layers:
        files, faulty = _files_of(layer, only, several=len(layers) > 1)
        found |= {file.name: file for file in files}
        faults += [(layer, fault) for fault in faulty]
    _stop_at(faults)
    return tuple(found[name] for name in sorted(found))


def read_rules(
    files: Sequence[RuleFile], params: Sequence[ParamSetting] = ()
) -> tuple[tuple[Rule, ...], tuple[tuple[str, str, int], ...]]:
    """Return the rules of these files in the order of their ids, and what `params` changed: rule, parameter, value.

    Raises RuleError with every fault of every file, InputError for a parameter that no rule declares or allows.
    """
    from checker.rulebook.parse import parse, read_rule  # brings sqlglot, which a cached plan does without

    faults: list[tuple[Layer, Fault]] = []
    tables: list[dict[str, Any]] = []

    def read(file: RuleFile, table: Mapping[str, Any], settings: Mapping[str, int]) -> Rule:
        own: list[Fault] = []
        rule = read_rule(file.name, table, file.hash, own, settings)
        faults.extend((file.layer, replace(fault, file=file.shown)) for fault in own)
        return rule

    for file in files:
        own: list[Fault] = []
        tables.append(parse(file.shown, file.content, own))
        faults += [(file.layer, fault) for fault in own]
    for key in ("id", "rule_code"):
        faults += _repeated(key, [(file, table.get(key)) for file, table in zip(files, tables, strict=True)])
    rules = [read(file, table, {}) for file, table in zip(files, tables, strict=True) if table]
    _stop_at(faults)
    changed: list[tuple[str, str, int]] = []
    if params:
        from checker.rulebook.params import check_params, values_for

        check_params(params, rules)
        before = {(rule.id, param) for rule in rules for param in rule.params}
        rules = [
            read(file, table, values_for(params, str(table["id"]))) for file, table in zip(files, tables, strict=True)
        ]
        _stop_at(faults)
        changed = [(r.id, param.name, param.value) for r in rules for param in r.params if (r.id, param) not in before]
    return tuple(sorted(rules, key=lambda rule: rule.id)), tuple(sorted(changed))


def refuse_repeated(key: str, values: Sequence[tuple[RuleFile, object]]) -> None:
    """Raise RuleError where two files have the same value of a key."""
    _stop_at(_repeated(key, values))


def _repeated(key: str, values: Sequence[tuple[RuleFile, object]]) -> list[tuple[Layer, Fault]]:
    """A fault for each file whose value another has too: where an embedded rule and one of the user's meet, it is the latter's."""
    first: dict[str, RuleFile] = {}
    faults = []
    for file, value in sorted(values, key=lambda each: not each[0].layer.embedded):
        if isinstance(value, str) and first.setdefault(value, file) is not file:
            faults.append((file.layer, Fault(file.shown, key, _taken(value, file, first[value]))))
    return faults


def _taken(value: str, file: RuleFile, other: RuleFile) -> str:
    if file.layer == other.layer:
        return both(
            f"“{value}”已属于 {other.shown}，每条规则请用各自的",
            f"{value!r} already belongs to {other.shown}; give each rule its own",
        )
    alone_zh, alone_en = "", ""
    if other.layer.embedded:
        alone_zh, alone_en = "；不要内置规则，请加 --only-rules", ", or leave the embedded rules out with --only-rules"
    return both(
        f"“{value}”已属于 {other.shown}：要替换那条规则，请用它的编号作文件名和 id；是另一条规则，请改编码{alone_zh}",
        f"{value!r} already belongs to {other.shown}: take its id to replace that rule, or give this one a code of its own{alone_en}",
    )


def hash_rules(folder: Path, *, embedded: bool = False, only: Collection[str] | None = None) -> str:
    """Return what `load_rules` would give as `hash`, without parsing anything."""
    return hash_of(read_files([Layer(folder, embedded)], only))


def hash_with(files: Sequence[RuleFile], changed: Sequence[tuple[str, str, int]]) -> str:
    """Return the hash of rules of these files. Rules that were set otherwise are other rules: whoever compares hashes must see it."""
    told = hash_of(files)
    return hashlib.sha256(f"{told}\0{list(changed)}".encode()).hexdigest() if changed else told


def hash_of(files: Sequence[RuleFile]) -> str:
    """Return the hash of files: it changes with every byte of them, and not with the folders that they lie in."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0{len(file.content)}\0".encode())
        digest.update(file.content)
    return digest.hexdigest()


def _stop_at(faults: Sequence[tuple[Layer, Fault]]) -> None:
    if faults:
        raise RuleError([fault for _, fault in faults], embedded=any(layer.embedded for layer, _ in faults))


def _files_of(layer: Layer, only: Collection[str] | None, *, several: bool) -> tuple[list[RuleFile], list[Fault]]:
    folder = layer.folder
    if not folder.is_dir():
        told = both(
            "没有这个文件夹，请给出规则文件夹，其中每条规则一个 <规则编号>.toml",
            "no such folder; give one that holds a <rule_id>.toml per rule",
        )
        return [], [Fault(str(folder), "", told)]
    paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml" and not path.name.startswith("."))
    if not paths:
        told = both(
            "里面没有 *.toml，请放入规则文件，每条规则一个 <规则编号>.toml",
            "holds no *.toml; put one <rule_id>.toml per rule into it",
        )
        return [], [Fault(str(folder), "", told)]
    faults: list[Fault] = []
    if only is not None:
        known = [path.stem for path in paths]
        for name in sorted(set(only) - set(known)):
            hint_zh, hint_en = nearest(name, known)
            faults.append(Fault(str(folder), "", both(f"没有规则“{name}”，{hint_zh}", f"no rule {name!r}; {hint_en}")))
        paths = [path for path in paths if path.stem in only]
    files = []
    for path in paths:
        shown = str(path) if several else path.name
        try:
            files.append(RuleFile(path.name, read_once(path, RULE_FILE), shown, layer))
        except UnfitFileError as error:
            faults.append(Fault(shown, "", str(error)))
    return files, faults
