"""The tables of values in a profile: read, checked, and laid over the national ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checker.ingest.profile_file import VALUE_KEYS, ProfileFile, is_texts, unknown_key
from checker.ingest.value_groups import Groups, normal, normal_care
from checker.model.errors import Fault
from checker.model.words import CARE_GROUPS, INSURANCE_GROUPS, RANKS

ONLINE, ELSEWHERE, UNRATED = "online", "elsewhere", "unrated"
ONLINE_KEYS = {
    "pay_locations": ONLINE,
    "other_pay_locations": ELSEWHERE,
    "care_types": ONLINE,
    "institution_names": ONLINE,
}
"""What marks an internet visit, and what a place of payment is otherwise."""
TABLES: Mapping[str, Sequence[str]] = {
    "care_groups": tuple(CARE_GROUPS), "insurance_groups": tuple(INSURANCE_GROUPS), "institution_ranks": (*map(str, RANKS), UNRATED),
    "online": tuple(ONLINE_KEYS),
}  # fmt: skip
"""The tables of values and the keys of each: groups, but for `online`."""
assert tuple(TABLES) == VALUE_KEYS

_RANGE = re.compile("([0-9]+)-([0-9]+)")
_WIDEST_RANGE = 1000
_SHOWN = 40
"""So many characters of a value that is none are told."""
_Entry = tuple[str, bool]
"""A value as it is compared, and whether it is a beginning."""


def check_values(opened: ProfileFile, faults: list[Fault]) -> None:
    """Note every fault of the tables of values of what was written."""
    for table in TABLES:
        if table in opened.written:
            _check_table(table, opened.written[table], opened.file, faults)


def read_groups(opened: ProfileFile, table: str, *, care: bool = False) -> Groups:
    """The groups of a table without faults, what was written over the national; of `online` those of the places of payment, or with
    `care` of the care types.
    """
    care = care or table == "care_groups"
    exact: dict[str, str] = {}
    begins: dict[str, str] = {}
    for document in (opened.national, opened.written):
        for key, texts in document.get(table, {}).items():
            if table == "online" and not key.endswith("care_types" if care else "pay_locations"):
                continue
            group = ONLINE_KEYS[key] if table == "online" else key
            for text in texts:
                for value, is_beginning in _entries(text, care=care):
                    (begins if is_beginning else exact)[value] = group
    return Groups(exact, begins, neutral=(UNRATED,), care=care, doubted=table == "institution_ranks")


def read_names(opened: ProfileFile) -> tuple[str, ...]:
    """What names of internet hospitals contain; a province adds to the national words."""
    listed = (opened.national, opened.written)
    texts = [text for document in listed for text in document.get("online", {}).get("institution_names", ())]
    return tuple(dict.fromkeys(found for text in texts if (found := normal(text))))


def _check_table(table: str, found: Any, file: str, faults: list[Fault]) -> None:
    if not isinstance(found, dict):
        faults.append(Fault(file, table, f"应为表，写作 [{table}]（a table is expected）"))
        return
    meant: dict[tuple[bool, _Entry], str] = {}
    for key, texts in found.items():
        place = f"{table}.{key}"
        if key not in TABLES[table]:
            faults.append(Fault(file, place, unknown_key(key, TABLES[table])))
        elif not is_texts(texts):
            faults.append(
                Fault(file, place, '应为文本的数组，例如 ["1201", "门诊两病"]（an array of texts is expected）')
            )
        else:
            for text in texts:
                faults += (Fault(file, place, fault) for fault in _faults_of(text, table, key, meant))


def _faults_of(text: str, table: str, key: str, meant: dict[tuple[bool, _Entry], str]) -> Iterator[str]:
    """What is wrong with a text of a table; `meant` are the keys under which values have been written so far."""
    care = table == "care_groups" or key == "care_types"
    if key == "institution_names":
        if normal(text) is None:
            yield _nothing(text)
        return
    value = normal(text) or ""
    entries = list(_entries(text, care=care))
    if not entries:
        yield _no_range(text) if _RANGE.fullmatch(value) else _nothing(text)
    elif care and not value.endswith("*") and not _RANGE.fullmatch(value) and (code := normal_care(text)) != value:
        yield f"“{text}”各处都读作 {code}，请写 {code}（it is read as {code} everywhere: write {code}）"
    for entry in entries:
        if (other := meant.setdefault((care, entry), key)) != key:
            yield f"“{text}”已写在 {other} 下，请只写在一处（it stands under {other} as well: keep one）"
            return


def _nothing(text: str) -> str:
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"“{text}”不是值：为空、表示没有填写或太长，请删去（it is empty, stands for nothing, or is too long: remove it）"


def _no_range(text: str) -> str:
    return (
        f"“{text}”不是范围：两个代码位数应相同，从小到大，相差不到 {_WIDEST_RANGE}，例如 310-399"
        "（write two codes of as many digits, the smaller one first）"
    )


def _entries(text: str, *, care: bool) -> Iterator[_Entry]:
    """The values that a text of a table stands for; none where it stands for nothing."""
    if (value := normal(text)) is None:
        return
    if span := _RANGE.fullmatch(value):
        first, last = int(span[1]), int(span[2])
        if len(span[1]) == len(span[2]) and 0 <= last - first < _WIDEST_RANGE:
            for number in range(first, last + 1):
                yield f"{number:0{len(span[1])}}", care and len(span[1]) > 1
        return
    if value.endswith("*"):
        if beginning := value[:-1]:
            yield beginning, True
        return
    yield value, care and value.isdigit() and len(value) > 1
