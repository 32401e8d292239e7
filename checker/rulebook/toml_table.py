"""One TOML table of a rule file being read: checked values out, every fault noted with file and key path."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from checker.model.errors import Fault, both
from checker.model.nearest import nearest

_KINDS = {
    str: ("文字", "a text"), int: ("整数", "a whole number"), date: ("日期，如 2025-05-23", "a date such as 2025-05-23"),
    dict: ("表", "a table"), list: ("数组", "a list"),
}  # fmt: skip


class TomlTable:
    """One TOML table being read: hands out checked values, and at the end names the keys that nobody asked for."""

    def __init__(self, data: Mapping[str, object], file: str, path: str, faults: list[Fault]) -> None:
        self._data, self._file, self._path, self._faults = data, file, path, faults
        self._asked: dict[str, None] = {}
        self._inner_tables: list[TomlTable] = []

    def fault(self, key: str, chinese: str, english: str) -> None:
        """Note what is wrong with a key of this table ('' is the table itself)."""
        self.note(key, both(chinese, english))

    def note(self, key: str, message: str) -> None:
        """Note a message that is in both languages already."""
        self._faults.append(Fault(self._file, ".".join(part for part in (self._path, key) if part), message))

    @property
    def written(self) -> tuple[str, ...]:
        """The keys that are written in the table."""
        return tuple(self._data)

    def _get(self, key: str, kind: type, *, needed: bool = True) -> object:
        self._asked[key] = None
        value = self._data.get(key)
        kind_zh, kind_en = _KINDS[kind]
        if value is None:
            if needed:
                self.fault(key, f"缺少，请写{kind_zh}", f"missing; write {kind_en}")
            return None
        if not isinstance(value, kind) or isinstance(value, bool | datetime):
            self.fault(key, f"“{value}”不是{kind_zh}，请改写", f"{value!r} is not {kind_en}; write one")
            return None
        return value

    def text(self, key: str, choices: Collection[str] = (), *, needed: bool = True) -> str:
        """A text that is not blank; '' where it is absent or wrong."""
        value = self._get(key, str, needed=needed)
        if not isinstance(value, str):
            return ""
        if not value.strip():
            leave_zh, leave_en = ("", "") if needed else ("，或删去这个键", " or leave the key out")
            self.fault(key, f"是空的，请写文字{leave_zh}", f"is empty; write a text{leave_en}")
        elif choices and value not in choices:
            listed = ", ".join(choices)
            self.fault(
                key,
                f"“{value}”不在可选的值之中，请写其中一个：{listed}",
                f"{value!r} is none of {listed}; write one of them",
            )
        return value

    def number(self, key: str) -> int:
        """A whole number; 0 where it is absent or wrong."""
        value = self._get(key, int)
        return value if isinstance(value, int) else 0

    def flag(self, key: str) -> bool:
        """True or false; false where it is absent."""
        self._asked[key] = None
        value = self._data.get(key, False)
        if not isinstance(value, bool):
            self.fault(
                key, f"“{value}”不是真假值，请写 true 或 false", f"{value!r} is neither true nor false; write one"
            )
        return value is True

    def day(self, key: str) -> date:
        """A calendar date."""
        value = self._get(key, date)
        return value if isinstance(value, date) else date.min

    def table(self, key: str, *, needed: bool = True) -> TomlTable:
        """A table within this one; empty where it is absent."""
        value = self._get(key, dict, needed=needed)
        return self._inner(value if isinstance(value, dict) else {}, key)

    def tables(self, key: str) -> list[TomlTable]:
        """An array of tables ([[key]])."""
        value = self._get(key, list, needed=False)
        found = []
        for number, entry in enumerate(value if isinstance(value, list) else [], 1):
            if isinstance(entry, dict):
                found.append(self._inner(entry, f"{key}[{number}]"))
            else:
                self.fault(
                    f"{key}[{number}]",
                    f"“{entry}”不是表，请写成 [[{key}]]",
                    f"{entry!r} is not a table; write [[{key}]]",
                )
        return found

    def texts(self, key: str, *, needed: bool = True) -> tuple[str, ...] | None:
        """A list of texts; None where it is absent or wrong."""
        value = self._get(key, list, needed=needed)
        if not isinstance(value, list):
            return None
        if not all(isinstance(entry, str) for entry in value):
            self.fault(
                key,
                f'{value!r} 不是文字的数组，请写成 ["…", "…"]',
                f'{value!r} is not a list of texts; write ["…", "…"]',
            )
            return None
        return tuple(value)

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; empty where it is absent or wrong."""
        value = self._get(key, list)
        if not isinstance(value, list):
            return ()
        if not value or not all(type(entry) is int for entry in value):
            self.fault(
                key,
                f"{value!r} 不是整数的数组，请写成 [1, 2]",
                f"{value!r} is not a list of whole numbers; write [1, 2]",
            )
            return ()
        return tuple(value)

    def cell(self, key: str, columns: Collection[str]) -> str:
        """One cell of a case as text, '' for NULL; the key is one of these columns."""
        if key not in columns:
            self._asked[key] = None
            hint_zh, hint_en = nearest(key, columns)
            self.fault(key, f"没有这一列，{hint_zh}", f"no such column; {hint_en}")
            return ""
        value = self._get(key, str)
        return value if isinstance(value, str) else ""

    def value(self, key: str, columns: Collection[str]) -> str | int:
        """One cell of a case as it is written, a text or a whole number."""
        number = self._data.get(key)
        if key in columns and type(number) is int:
            self._asked[key] = None
            return number
        return self.cell(key, columns)

    def raw(self, key: str) -> object:
        """What is written under a key, unchecked."""
        return self._data.get(key)

    def close(self) -> None:
        """Note every key, here and in the inner tables, that was written but never asked for."""
        for key in self._data:
            if key not in self._asked:
                hint_zh, hint_en = nearest(key, self._asked)
                self.fault(key, f"不认识这个键，{hint_zh}", f"unknown key; {hint_en}")
        for inner in self._inner_tables:
            inner.close()

    def _inner(self, data: Mapping[str, object], key: str) -> TomlTable:
        table = TomlTable(data, self._file, f"{self._path}.{key}" if self._path else key, self._faults)
        self._inner_tables.append(table)
        return table
