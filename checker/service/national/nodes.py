"""Finding the nodes of a national message, in whichever of the forms seen in the wild they stand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from checker.model.errors import InputError
from checker.model.json_text import distinct, read_float
from checker.model.schema import NULL_WORDS
from checker.service.national.profile import Profile

_BODY = ("input", "data")


@dataclass(frozen=True, slots=True)
class Holder:
    """An object of the message and the path by which errors name it."""

    value: dict[str, Any]
    path: str


@dataclass(frozen=True, slots=True)
class Body:
    """The envelope, and the objects that may hold the data, the proper one first."""

    envelope: Holder
    holders: tuple[Holder, ...]


def find_body(document: object, profile: Profile) -> Body:
    """The envelope and the data within it.

    Raises InputError where the message or the node of its input is no object.
    """
    if not isinstance(document, dict):
        raise InputError("报文应为 JSON 对象 {…}（the message must be a JSON object）")
    input_ = None
    for names in dict.fromkeys((profile.body, _BODY)):
        first = _step(Holder(document, ""), names[0])
        input_ = input_ or first
        found = first
        for name in names[1:]:
            found = found and _step(found, name)
        if found:
            # Some programs leave the data empty and write the real nodes beside it.
            beside = (first,) if first and first is not found else ()
            return Body(Holder(document, ""), (found, *beside))
    if input_ is None:
        raise InputError(
            f"报文缺少 {profile.body[0]}，数据应写在 {'.'.join(profile.body)} 下（the message has no {profile.body[0]}）"
        )
    return Body(Holder(document, ""), (input_,))


def find_rows(
    holders: Sequence[Holder], names: Sequence[str], misfits: list[InputError]
) -> tuple[list[Holder], Holder | None]:
    """The objects of a node, of all holders and under all its names; and the first holder that has any, or has the node at all.

    A node, or an entry of it, that is no object is told among the misfits: the others stand all the same.
    """
    having: Holder | None = None
    found: list[Holder] = []
    for holder in holders:
        for name in names:
            if name not in holder.value:
                continue
            rows = _rows(holder.value[name], f"{holder.path}.{name}" if holder.path else name, misfits)
            having = holder if having is None or (rows and not found) else having
            found += rows
    return found, having


def _rows(value: object, path: str, misfits: list[InputError]) -> list[Holder]:
    try:
        value = _opened(value, path)
    except InputError as error:
        misfits.append(error)
        return []
    if value is None:
        return []
    if isinstance(value, dict):
        return [Holder(value, path)] if value else []
    if not isinstance(value, list):
        misfits.append(InputError(f"{path} 应为数组或对象（an array or an object is expected）"))
        return []
    rows = []
    for number, row in enumerate(value):
        if isinstance(row, dict):
            rows.append(Holder(row, f"{path}[{number}]"))
        elif row is not None:
            misfits.append(InputError(f"{path}[{number}] 应为 JSON 对象 {{…}}（an object is expected）"))
    return rows


def _step(holder: Holder, name: str) -> Holder | None:
    path = f"{holder.path}.{name}" if holder.path else name
    value = _opened(holder.value.get(name), path)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InputError(f"{path} 应为 JSON 对象 {{…}}（an object is expected）")
    return Holder(value, path)


def _opened(value: object, path: str) -> object:
    """A node that was written as JSON text, opened; None for a node that is empty."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in NULL_WORDS:
        return None
    try:
        # As the message itself is read: a key that stands twice says two things.
        return json.loads(text, object_pairs_hook=distinct, parse_float=read_float)
    except InputError as error:
        raise InputError(f"{path}：{error}") from None
    except (ValueError, RecursionError):
        raise InputError(
            f"{path} 是无法识别的文本，应为 JSON 对象、数组或其文本（neither a node nor the JSON text of one）"
        ) from None
