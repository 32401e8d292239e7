"""JSON files that wrap their rows: `{"RECORDS": […]}`, `{"code": 0, "data": {"list": […]}}`; where the array of rows begins and ends."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checker.model.errors import InputError
from checker.model.json_text import distinct
from checker.model.schema import normal_header

HEAD, TAIL = 1 << 20, 1 << 16
"""Bytes at the beginning and the end of a file in which what is wrapped around the rows must lie."""
_CHUNK = 1 << 20
_DECODER = json.JSONDecoder()
_BLANKS = " \t\r\n"


def find_rows(path: Path, known: frozenset[str], prescription: frozenset[str]) -> tuple[tuple[int, int], ...]:
    """Where the array of rows that a JSON object wraps may begin and end, the first that fits; nowhere where it wraps none.

    An object with one of the keys `prescription` is one; an object with two `known` keys is a row itself.

    Raises InputError where the object has several arrays of objects.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD)
        size = path.stat().st_size
        mark = len(head) - len(head.removeprefix(b"\xef\xbb\xbf"))
        # A character that the probe cuts in two lies behind all that is looked at.
        text = head[mark:].decode("utf-8", errors="ignore")
        try:
            keys, place = _array(text, prescription)
        except _NotWrapped:
            return ()
        start = mark + len(text[:place].encode())
        stream.seek(max(start, size - TAIL))
        tail = stream.read()
    wrappers = _wrappers(text[:place], tail)
    ends = tuple(size - len(tail) + after for after, _ in wrappers)
    for _, wrapper in wrappers:
        if prescription & wrapper.keys() or _is_row(wrapper, known):
            return ()
        if others := _tables(wrapper):
            raise InputError(
                f"{path}：除了“{'.'.join(keys)}”还有别的数组（{'、'.join(others)}），请分成几个文件，每个一张表"
                "（several arrays of objects in one file: write one file for each）"
            )
    return tuple((start, end) for end in ends)


_ANSWER = frozenset({"code"})
"""What an interface says of its answer, under a name that a table may use as well."""


def parsed(document: str) -> object:
    """What a document holds; None where it is no JSON, or nested too deeply."""
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(document)
    return None


def rows_of_page(page: object, known: frozenset[str], prescription: frozenset[str]) -> str:
    """The JSON pointer to the array of rows in a document, as it was parsed, that is a page of an interface; '' where it is none, or has two such
    arrays.
    """
    with contextlib.suppress(RecursionError):
        # What a page says of a person or a visit would be lost with it: such documents are refused for what they lack.
        if (
            isinstance(page, dict)
            and not prescription & page.keys()
            and not {*map(normal_header, page)} & known - _ANSWER
        ):
            places = [*_pointers(page, known)]
            return places[0] if len(places) == 1 else ""
    return ""


def names_columns(table: object) -> bool:
    """Whether a document, as it was parsed, is a table that names its columns once, `{"columns": […], "index": […], "data": [[…], …]}`."""
    if not (isinstance(table, dict) and {"columns", "data"} <= table.keys() <= {"columns", "index", "data"}):
        return False
    columns, rows = table["columns"], table["data"]
    names = isinstance(columns, list) and bool(columns) and all(isinstance(each, str) for each in columns)
    return names and isinstance(rows, list) and not any(isinstance(each, dict) for each in rows)


def _is_row(value: object, known: frozenset[str]) -> bool:
    return isinstance(value, dict) and sum(normal_header(key) in known for key in value) > 1


def _pointers(value: dict[str, Any], known: frozenset[str], above: str = "") -> Iterator[str]:
    """Where arrays of rows stand in an object."""
    for key, each in value.items():
        place = f"{above}/{key.replace('~', '~0').replace('/', '~1')}"
        if isinstance(each, dict):
            yield from _pointers(each, known, place)
        elif isinstance(each, list) and _is_row(next((item for item in each if item is not None), None), known):
            yield place


def wraps_nothing(path: Path, known: frozenset[str]) -> bool:
    """Whether a JSON file is an object around empty arrays, as the last page of an interface is, and no row itself."""
    if path.stat().st_size > TAIL:
        return False
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(path.read_text(encoding="utf-8-sig"))
        if isinstance(value, dict) and not _is_row(value, known):
            arrays = [*_arrays(value)]
            return bool(arrays) and not any(arrays)
    return False


def _arrays(value: object) -> Iterator[list[object]]:
    """The arrays in what an object holds."""
    if isinstance(value, list):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _arrays(each)


def cut_out(path: Path, start: int, end: int, target: Path) -> None:
    """Write these bytes of a file to `target`."""
    with path.open("rb") as source, target.open("wb") as copy:
        source.seek(start)
        for place in range(start, end, _CHUNK):
            copy.write(source.read(min(_CHUNK, end - place)))


class _NotWrapped(Exception):
    """The text is no object that wraps rows."""


def _array(text: str, prescription: frozenset[str]) -> tuple[tuple[str, ...], int]:
    """The keys that lead to the first array of objects, and the place of its bracket."""
    place = _skip(text, 0)
    if not text.startswith("{", place):
        raise _NotWrapped
    keys: list[str] = []
    place += 1
    while True:
        place = _skip(text, place)
        if text.startswith("}", place):
            if not keys:
                raise _NotWrapped
            keys.pop()
            place += 1
            continue
        if text.startswith(",", place):
            place = _skip(text, place + 1)
        key, place = _value(text, place)
        if not isinstance(key, str) or key in prescription:
            raise _NotWrapped
        place = _skip(text, place)
        if not text.startswith(":", place):
            raise _NotWrapped
        place = _skip(text, place + 1)
        if text.startswith("[", place) and text.startswith("{", _skip(text, place + 1)):
            return (*keys, key), place
        if text.startswith("{", place):
            keys.append(key)
            place += 1
        else:
            _, place = _value(text, place)


def _value(text: str, place: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, place)
    except (ValueError, RecursionError):
        raise _NotWrapped from None


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BLANKS:
        place += 1
    return place


def _wrappers(head: str, tail: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Where the array may end, the last place first: behind a bracket of the tail, so that without its rows the object is whole."""
    found: list[tuple[int, dict[str, Any]]] = []
    place = len(tail)
    while (place := tail.rfind(b"]", 0, place)) >= 0:
        with contextlib.suppress(ValueError):
            wrapper = json.loads(head + "[]" + tail[place + 1 :].decode("utf-8"), object_pairs_hook=distinct)
            found.append((place + 1, wrapper))
    return found


def _tables(value: object, name: str = "") -> list[str]:
    """The names of the arrays of objects in what is wrapped around the rows."""
    if isinstance(value, dict):
        return [told for key, each in value.items() for told in _tables(each, f"{name}.{key}" if name else key)]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [name]
    return []
