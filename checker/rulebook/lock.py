"""The lock of a rules folder: a rule whose content changed needs a new version, and a retired id stays retired."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from checker.model.errors import Fault, RuleError, both
from checker.model.files import MANIFEST, MissingFileError, UnfitFileError, read_once
from checker.model.nearest import nearest
from checker.model.whole_file import write_whole
from checker.rulebook.tables import read_tables

LOCK_FILE = "lock.json"
LAYOUT = 1
NOT_LOCKED = frozenset({"version", "docs", "case"})
"""The keys of a rule file that may change without a new version: everything else can change a finding or its words."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A rule as it is locked: its version, and the sha256 of all its keys but NOT_LOCKED."""

    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Retired:
    """A rule that is gone for good: the version that it had last, and why it went."""

    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock of a folder: the rules in it and the retired ones, by id."""

    rules: Mapping[str, Locked]
    retired: Mapping[str, Retired]


@dataclass(frozen=True, slots=True)
class LockFaults:
    """What stands between a folder and its lock, one fault an id: `broken` rules must be mended, `behind` is mended by locking anew."""

    broken: tuple[Fault, ...]
    behind: tuple[Fault, ...]

    @property
    def all(self) -> tuple[Fault, ...]:
        """All faults, those of the rules first."""
        return (*self.broken, *self.behind)


def content_sha256(table: Mapping[str, Any]) -> str:
    """Return the sha256 of a parsed rule file without NOT_LOCKED, as JSON with sorted keys: order of keys and layout of the file do not matter.

    >>> content_sha256({"id": "a", "version": 1}) == content_sha256({"version": 2, "id": "a", "docs": {}})
    True
    """
    content = {key: value for key, value in table.items() if key not in NOT_LOCKED}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_day)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def current_rules(folder: Path) -> dict[str, Locked]:
    """Return the rules of a folder, which loads, as a lock would hold them."""
    return {each.id: Locked(each.table["version"], content_sha256(each.table)) for each in read_tables(folder)}


def read_lock(folder: Path) -> Lock | None:
    """Return the folder's lock, None where it has none. Raises RuleError with every fault of the file."""
    path = folder / LOCK_FILE
    try:
        document = json.loads(read_once(path, MANIFEST).decode("utf-8"), object_pairs_hook=_once)
    except MissingFileError:
        return None
    except UnfitFileError as error:
        raise RuleError([Fault(LOCK_FILE, "", str(error))]) from error
    except (ValueError, RecursionError) as error:
        told = both(
            f"不是有效的 JSON（{error}），请从版本库恢复；有合并冲突的，解决冲突后重新生成",
            f"no valid JSON ({error}): restore it, or settle the merge and lock anew",
        )
        raise RuleError([Fault(LOCK_FILE, "", told)]) from error
    reader = _Reader()
    lock = reader.lock(document)
    if reader.faults:
        raise RuleError(reader.faults)
    return lock


def compare(lock: Lock, now: Mapping[str, Locked]) -> LockFaults:
    """Return what stands between a lock and the rules as they are now, in the order of the ids."""
    broken, behind = [], []
    for rule_id in sorted({*lock.rules, *now}):
        old, new = lock.rules.get(rule_id), now.get(rule_id)
        if new is None:
            told = both(
                f"规则文件 {rule_id}.toml 不见了，请恢复；确实停用的，运行 liangku rules lock --retire {rule_id} --reason 原因",
                "the rule is gone: restore it or retire its id",
            )
            broken.append(Fault(LOCK_FILE, f"rules.{rule_id}", told))
        elif rule_id in lock.retired:
            broken.append(Fault(f"{rule_id}.toml", "id", _retired(lock.retired[rule_id])))
        elif old is None:
            told = both("还没有锁定这条规则，请运行 liangku rules lock", "not locked yet: run `liangku rules lock`")
            behind.append(Fault(LOCK_FILE, f"rules.{rule_id}", told))
        elif new.version < old.version:
            told = both(
                f"{new.version} 低于已锁定的 {old.version}，版本只能升高，请写 version = {old.version + 1}",
                f"{new.version} is lower than locked: raise version to {old.version + 1}",
            )
            broken.append(Fault(f"{rule_id}.toml", "version", told))
        elif new.version > old.version:
            told = both(
                f"版本已由 {old.version} 升到 {new.version}，请运行 liangku rules lock",
                f"raised to {new.version}: run `liangku rules lock`",
            )
            behind.append(Fault(LOCK_FILE, f"rules.{rule_id}", told))
        elif new.sha256 != old.sha256:
            told = both(
                f"内容已改，版本仍是 {old.version}；请写 version = {old.version + 1}，或恢复原来的内容",
                f"content changed: raise version to {old.version + 1}, or restore it",
            )
            broken.append(Fault(f"{rule_id}.toml", "version", told))
    return LockFaults(tuple(broken), tuple(behind))


def id_faults(lock: Lock | None, rule_id: str) -> tuple[Fault, ...]:
    """Return why a lock forbids a new rule of this id; empty where it does not."""
    file = f"{rule_id}.toml"
    if lock is None:
        return ()
    if rule_id in lock.retired:
        return (Fault(file, "id", _retired(lock.retired[rule_id])),)
    if rule_id in lock.rules:
        told = both(
            f"{LOCK_FILE} 中已有这个编号，请换一个，或恢复它的文件",
            "locked already: choose another id, or restore its file",
        )
        return (Fault(file, "id", told),)
    return ()


def retire(lock: Lock, now: Mapping[str, Locked], rule_id: str, reason: str) -> Lock:
    """Return the lock with a rule that is gone among the retired. Raises RuleError where it is unknown, or still there."""
    place = f"retired.{rule_id}"
    faults = []
    if not reason.strip():
        told = both("没有写停用原因，请用 --reason 写明", "no reason: give the reason with --reason")
        faults.append(Fault(LOCK_FILE, place, told))
    if rule_id in lock.retired:
        why = lock.retired[rule_id].reason
        told = both(f"已经停用（{why}），不必再停用", f"retired already: {why}")
        faults.append(Fault(LOCK_FILE, place, told))
    elif rule_id not in lock.rules:
        hint_zh, hint_en = nearest(rule_id, lock.rules)
        faults.append(Fault(LOCK_FILE, place, both(f"没有锁定过这条规则，{hint_zh}", f"never locked; {hint_en}")))
    elif rule_id in now:
        told = both("规则文件还在，请先删除再停用", "still there: remove the file first")
        faults.append(Fault(f"{rule_id}.toml", "", told))
    if faults:
        raise RuleError(faults)
    rules = {key: value for key, value in lock.rules.items() if key != rule_id}
    return Lock(rules, {**lock.retired, rule_id: Retired(lock.rules[rule_id].version, reason.strip())})


def write_lock(lock: Lock, folder: Path) -> Path:
    """Write the folder's lock, sorted, and return its path."""
    document = {
        "layout": LAYOUT,
        "retired": {rule_id: asdict(each) for rule_id, each in lock.retired.items()},
        "rules": {rule_id: asdict(each) for rule_id, each in lock.rules.items()},
    }
    path = folder / LOCK_FILE
    write_whole(path, json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
    return path


def _retired(retired: Retired) -> str:
    return both(
        f"这个编号已停用（{retired.reason}），不能再用，请换一个",
        f"retired ({retired.reason}), never used again: choose another id",
    )


def _day(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no canonical text for {value!r}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys each stand once; a merge easily leaves two."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"written twice: {', '.join(sorted({key for key in keys if keys.count(key) > 1}))}")
    return found


class _Reader:
    """Reads the document of a lock file, noting every fault with its key path."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def lock(self, document: object) -> Lock:
        keys = self._keys(document, "", ("layout", "retired", "rules"))
        if keys.get("layout", LAYOUT) != LAYOUT:
            found = keys["layout"]
            self._fault(
                "layout",
                f"是 {found!r}，这个程序只认识 {LAYOUT}，请更新程序",
                f"{found!r} is an unknown layout: update the program",
            )
        rules, retired = self._table(keys, "rules"), self._table(keys, "retired")
        for rule_id in sorted({*rules} & {*retired}):
            self._fault(
                f"retired.{rule_id}", "同时在 rules 和 retired 中，请删去一处", "both locked and retired: remove one"
            )
        return Lock(
            {rule_id: self._locked(entry, f"rules.{rule_id}") for rule_id, entry in rules.items()},
            {rule_id: self._retired(entry, f"retired.{rule_id}") for rule_id, entry in retired.items()},
        )

    def _locked(self, entry: object, place: str) -> Locked:
        keys = self._keys(entry, place, ("sha256", "version"))
        sha256 = keys.get("sha256", "")
        if "sha256" in keys and not (isinstance(sha256, str) and re.fullmatch(r"[0-9a-f]{64}", sha256)):
            self._fault(
                f"{place}.sha256", f"{sha256!r} 不是 sha256，请从版本库恢复", f"{sha256!r} is no sha256: restore it"
            )
        return Locked(self._version(keys, place), str(sha256))

    def _retired(self, entry: object, place: str) -> Retired:
        keys = self._keys(entry, place, ("reason", "version"))
        reason = keys.get("reason", "")
        if "reason" in keys and not (isinstance(reason, str) and reason.strip()):
            self._fault(
                f"{place}.reason",
                f"{reason!r} 不是停用原因，请写明",
                f"{reason!r} is no reason: write why the rule went",
            )
        return Retired(self._version(keys, place), str(reason))

    def _version(self, keys: Mapping[str, Any], place: str) -> int:
        version = keys.get("version", 1)
        if type(version) is not int or version < 1:
            self._fault(
                f"{place}.version",
                f"{version!r} 不是从 1 起的整数，请改写",
                f"{version!r} is no version: write a whole number from 1",
            )
            return 1
        return version

    def _table(self, keys: Mapping[str, Any], key: str) -> dict[str, Any]:
        value = keys.get(key, {})
        if isinstance(value, dict):
            return value
        self._fault(
            key, f"{value!r} 不是以编号为键的对象，请从版本库恢复", f"{value!r} is none: write an object by rule id"
        )
        return {}

    def _keys(self, entry: object, place: str, known: tuple[str, ...]) -> dict[str, Any]:
        """The entry, which has these keys and no others."""
        if not isinstance(entry, dict):
            listed = ", ".join(known)
            self._fault(
                place,
                f"{entry!r} 不是对象，请写含 {listed} 的对象",
                f"{entry!r} is none: write an object with {listed}",
            )
            return {}
        for key in known:
            if key not in entry:
                self._fault(f"{place}.{key}" if place else key, "缺少这一项，请从版本库恢复", "missing: restore it")
        for key in entry:
            if key not in known:
                hint_zh, hint_en = nearest(key, known)
                self._fault(f"{place}.{key}" if place else key, f"不认识这个键，{hint_zh}", f"unknown key; {hint_en}")
        return entry

    def _fault(self, place: str, chinese: str, english: str) -> None:
        self.faults.append(Fault(LOCK_FILE, place, both(chinese, english)))
