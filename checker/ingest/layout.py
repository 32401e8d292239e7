"""Layouts: a TOML file that says, role by role, which header feeds which column and which sheets are left out; written by `inspect`, edited by hand."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from checker.ingest.choice import Choice
from checker.ingest.columns import Chosen
from checker.ingest.opening import ROLES
from checker.model.errors import InputError, both
from checker.model.files import SETTINGS_FILE, MissingFileError, UnfitFileError, read_once
from checker.model.nearest import nearest
from checker.model.toml_document import parse_toml

LAYOUT = 1
"""The number of the form of these files."""
MOST_HEADERS = 100
_ROLE_KEYS = ("columns", "left_out")


@dataclass(frozen=True, slots=True)
class Layout:
    """What a layout says of each role; `path` is where it was read."""

    path: Path
    roles: Mapping[str, Choice]

    def choice(self, role: str, maps: Mapping[str, Chosen]) -> Choice:
        """What counts for a role: the headers of --map, and of the layout for all other columns."""
        told = self.roles.get(role, Choice())
        return Choice({**told.columns, **maps}, told.left_out, self.path)


NO_LAYOUT = Layout(Path(), {})


# ------------------------------------------------------------------------------------------------ reading


def read_layout(path: Path) -> Layout:
    """Read a layout. Raises InputError for what is none, with file, key and what to write instead."""
    try:
        document = parse_toml(read_once(path, SETTINGS_FILE).decode("utf-8").replace("\r\n", "\n"))
    except MissingFileError:
        raise InputError(
            f"--layout {path}：无法打开，没有这个文件，请检查路径（cannot be opened: no such file, check its path）"
        ) from None
    except UnfitFileError as error:
        raise InputError(f"--layout {path}：{error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"--layout {path}：不是有效的 TOML（{error}），请改正，或用 liangku inspect --save 重新写一份（not TOML: mend it, or write it anew）"
        ) from error
    return _Reader(path).read(document)


class _Reader:
    """Checks a document key by key."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, document: Mapping[str, object]) -> Layout:
        self._known(document, "", ("layout", *ROLES))
        if document.get("layout") != LAYOUT or isinstance(document["layout"], bool):
            self._refuse(
                "layout",
                f"写的是 {document.get('layout')!r}，请写 layout = {LAYOUT}",
                f"write layout = {LAYOUT}",
            )
        return Layout(self._path, {role: self._choice(role, document[role]) for role in ROLES if role in document})

    def _choice(self, role: str, told: object) -> Choice:
        table = self._table(role, told)
        self._known(table, role, _ROLE_KEYS)
        columns = self._table(f"{role}.columns", table.get("columns", {}))
        known, _ = ROLES[role]
        self._known(columns, f"{role}.columns", tuple(known))
        return Choice(
            {name: Chosen(self._headers(f"{role}.columns.{name}", each), "layout") for name, each in columns.items()},
            frozenset(self._headers(f"{role}.left_out", table["left_out"])) if "left_out" in table else frozenset(),
        )

    def _table(self, key: str, told: object) -> Mapping[str, object]:
        if not isinstance(told, dict):
            self._refuse(key, f"写的是 {told!r}，请写成一张表 [{key}]", f"write a table [{key}]")
        return told

    def _headers(self, key: str, told: object) -> tuple[str, ...]:
        """One text or a list of them."""
        listed = told if isinstance(told, list) else [told]
        texts = [each.strip() for each in listed if isinstance(each, str) and each.strip()]
        if not texts or len(texts) < len(listed) or len(texts) > MOST_HEADERS:
            self._refuse(
                key,
                f'写的是 {str(told)[:80]!r}，请写文字 "表头"，或文字的数组 ["表头一", "表头二"]',
                'write a text "header", or a list of texts',
            )
        return tuple(dict.fromkeys(texts))

    def _known(self, told: Mapping[str, object], place: str, known: Collection[str]) -> None:
        for key in told:
            if key not in known:
                chinese, english = nearest(key, known)
                what = "没有名为它的列" if place.endswith("columns") else "不认识这个键"
                self._refuse(f"{place}.{key}" if place else key, f"{what}，{chinese}", english)

    def _refuse(self, key: str, chinese: str, english: str) -> NoReturn:
        raise InputError(f"--layout {self._path}：{key}：{both(chinese, english)}")


# ------------------------------------------------------------------------------------------------ writing


@dataclass(frozen=True, slots=True)
class Section:
    """What is written of a role: notes that are only read by people, headers by column, lines for columns that are left open, sheets left out."""

    role: str
    notes: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    open: tuple[str, ...] = ()
    left_out: tuple[str, ...] = field(default=())


def layout_text(sections: Collection[Section]) -> str:
    """A layout as TOML that people read and edit."""
    return "\n".join(line for part in (_HEAD, *map(_lines, sections)) for line in part)


_HEAD = (
    "# 布局文件（layout）：每一列用哪个表头。由 liangku inspect --save 写出，可以手工修改：",
    '#   列 = "表头"；有几个表头时写 列 = ["表头一", "表头二"]，取第一个不为空的；',
    '#   left_out = ["工作表"] 是不读的工作表；以 # 开头的行是说明。',
    "# Which header feeds which column; used with: liangku scan INPUT --layout THIS-FILE",
    f"layout = {LAYOUT}",
    "",
)


def _lines(section: Section) -> Iterator[str]:
    yield f"[{section.role}]"
    yield from (f"# {_one_line(note)}" for note in section.notes)
    if section.left_out:
        yield f"left_out = [{', '.join(map(_quoted, section.left_out))}]"
    yield ""
    yield f"[{section.role}.columns]"
    for column, headers in section.columns.items():
        told = _quoted(headers[0]) if len(headers) == 1 else f"[{', '.join(map(_quoted, headers))}]"
        yield f"{column} = {told}"
    yield from (f"# {_one_line(line)}" for line in section.open)
    yield ""


def _quoted(text: str) -> str:
    """The text as a TOML string on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
