"""The members of a national message as text, each read as the values of a file are (checker.ingest.values)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from checker.ingest import values
from checker.model.errors import InputError
from checker.model.schema import Kind
from checker.service.national.notes import Notes

PERSONAL = frozenset({"patn_name", "gend", "brdy", "age", "certno", "nwb_flag", "patn_id", "dspo_way_rea"})
"""Members whose value never stands in a message."""
_LONGEST = 4_000


def read_text(holder: dict[str, Any], names: Sequence[str], path: str, *, is_flag: bool = False) -> str | None:
    """The first of the names that holds a value, as trimmed text. Of a flag fewer words stand for none.

    Raises InputError for an array or object, and for text that no encoding can write.
    """
    for name in names:
        value = holder.get(name)
        if value is None:
            continue
        if value.__class__ is not str:
            value = _plain(value, name, path)
        value = values.clean(value, is_flag=is_flag)
        if value is None:
            continue
        if not value.isascii():
            _check_encodable(value, name, path)
        if len(value) > _LONGEST:
            raise InputError(f"{_at(path, name)} 有 {len(value)} 个字符，最多 {_LONGEST} 个（the value is too long）")
        return value
    return None


def read_noted(holder: dict[str, Any], names: Sequence[str], path: str, notes: Notes) -> str | None:
    """As `read_text`, for what is not needed: a value that is no single one is noted, and taken as not given."""
    try:
        return read_text(holder, names, path)
    except InputError as error:
        notes.add(f"{error}，按未提供处理（taken as not given）")
        return None


def refuse_twofold(holder: dict[str, Any], path: str, nodes: frozenset[str]) -> None:
    """Raise InputError where a member stands under two spellings of its name (hilist_code, hilistCode) with two values. `nodes` are the
    names, without underscores and capitals, that hold further objects.
    """
    seen: dict[str, tuple[str, object]] = {}
    for name, value in holder.items():
        key = name.replace("_", "").lower()
        if value is None or value == "" or key in nodes:
            continue
        before = seen.setdefault(key, (name, value))
        if before[0] != name and str(before[1]).strip() != str(value).strip():
            raise InputError(
                f"{_at(path, before[0])} 与 {name} 是同一项而值不同，请只写一个（one member under two names, with two values）"
            )


def read_flag(
    holder: dict[str, Any], names: Sequence[str], path: str, notes: Notes, kind: Kind = Kind.BOOL
) -> bool | None:
    """A flag; None where there is none, and noted where it is no flag."""
    text = read_text(holder, names, path, is_flag=True)
    if text is None:
        return None
    try:
        return values.read_bool(text, kind)
    except ValueError:
        name = next(name for name in names if holder.get(name) is not None)
        notes.add(f"{_at(path, name)} 无法识别，按未提供处理（cannot be read: taken as not given）")
        return None


def read_service_time(text: str) -> datetime | None:
    """The time of a service: as `values.read_time`, and None for years in which no service can have been."""
    found = values.read_time(text)
    return found if found is None or 2000 <= found.year < 2100 else None


def _plain(value: object, name: str, path: str) -> str:
    """The text of a number or truth value."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dict | list):
        raise InputError(f"{_at(path, name)} 应为单个值（a single value is expected here）")
    if isinstance(value, int) and value.bit_length() > 400:
        raise InputError(f"{_at(path, name)} 的数字过长（the number is too long）")
    return str(value)


def _check_encodable(value: str, name: str, path: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{_at(path, name)} 含有残缺的字符，请按 UTF-8 发送（the text holds half a character: send UTF-8）"
        ) from None


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def cannot_read(holder: dict[str, Any], names: Sequence[str], path: str, *, what: str, english: str) -> InputError:
    """The error for a member that holds something else than it should; the value of a personal member is not shown."""
    name = next((name for name in names if holder.get(name) not in (None, "", "-", "--")), names[0])
    shown = "" if PERSONAL.intersection(names) else f"“{str(holder.get(name)).strip()[:40]}”"
    return InputError(f"{_at(path, name)} 的值{shown}无法识别，{what}（{english}）")
