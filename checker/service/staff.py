"""Who works here and may confirm as a second person: names with a PIN that is kept as a slow hash only. Standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checker.model.errors import InputError, why
from checker.model.private_files import make_folder

FILE = "staff.json"
NAME_MOST = 64
PIN_LEAST, PIN_MOST = 4, 64
_COST = {"n": 1 << 14, "r": 8, "p": 1}
_TRIES = 5
_TRIES_SECONDS = 15 * 60.0


_ALIKE = str.maketrans(
    "авеѕіјкмнорстухһԁԛԝαβεικμνορτυχο0〇ol1iı|",
    "abesijkmhopctyxhdqwabeikmvoptuxo" + "ooo" + "iiiii",
    "\u115f\u1160\u3164\uffa0\u2800",
)
"""Letters of Cyrillic and Greek that look like Latin ones, what cannot be told apart in a number of staff, and blanks that are called letters."""


class WrongPin(Exception):
    """Not this person's PIN, or nobody of that name; `is_locked` where it is not even looked at for a while."""

    def __init__(self, *, is_locked: bool = False) -> None:
        super().__init__("locked" if is_locked else "wrong")
        self.is_locked = is_locked


def person_key(name: str) -> str:
    """What is compared of a name or number of staff: width, case, spaces and invisible signs make no other person.

    >>> person_key(" Ａ０１ ２") == person_key("a012")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] not in "CZ")


def is_second(operator: str | None, second: str | None) -> bool:
    """Whether both are named, and are two persons: names that look alike are one.

    >>> is_second("张药师", "张药师."), is_second("A01", "А0l"), is_second("张药师", "张\u3164药师"), is_second("张药师", "李药师")
    (False, False, False, True)
    """
    one, other = _look(operator or ""), _look(second or "")
    return bool(one) and bool(other) and one != other


def _look(name: str) -> str:
    """What the eye sees of a name: letters and digits alone, those of other scripts that look like Latin ones as these."""
    apart = unicodedata.normalize("NFKD", person_key(name)).translate(_ALIKE)
    return "".join(
        sign for sign in apart if unicodedata.category(sign)[0] in "LN" or unicodedata.category(sign) == "Mc"
    )


@dataclass(frozen=True, slots=True)
class Member:
    """One of the staff."""

    name: str
    salt: str
    hash: str


class Staff:
    """The staff of a data folder, read anew when the file changes. Its methods may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._members: dict[str, Member] = {}
        self._tries: dict[str, list[float]] = {}

    @property
    def members(self) -> list[Member]:
        """All of them. Raises InputError where the file cannot be read: it never counts as empty."""
        with self._lock:
            return list(self._read().values())

    def add(self, name: str, pin: str) -> None:
        """Take in a person, or give a known one another PIN. Raises InputError, also where a name looks like that of somebody else: no
        second person could be told from the first."""
        shown = unicodedata.normalize("NFKC", name).strip()
        if not person_key(shown) or len(shown) > NAME_MOST or not shown.isprintable():
            raise InputError(f"姓名或工号应为 1 到 {NAME_MOST} 个字符（1 to {NAME_MOST} characters）")
        if re.fullmatch("[0-9]{15}|[0-9]{17}[0-9Xx]|[0-9]{28}", person_key(shown)):
            raise InputError("请用姓名或工号，不要用证件号（a name or number of staff, not an ID number）")
        look = _look(shown)
        if not look:
            raise InputError(
                f"“{shown}”中没有文字或数字，请写姓名或工号（no letter or digit in it: write a name or number of staff）"
            )
        if not PIN_LEAST <= len(pin) <= PIN_MOST or len(set(pin)) == 1:
            raise InputError(f"PIN 至少 {PIN_LEAST} 位，且不能全部相同（at least {PIN_LEAST} signs, not all the same）")
        with self._lock:
            members = dict(self._read())
            for key, member in members.items():
                if key != person_key(shown) and _look(member.name) == look:
                    raise InputError(
                        f"“{shown}”看起来与名单上的“{member.name}”是同一个人：改 PIN 请照写“{member.name}”，另一个人请换一个写法，如加工号"
                        f"（looks like {member.name!r} on the list: write that to change the PIN, or add a number to tell them apart）"
                    )
            salt = secrets.token_bytes(16)
            members[person_key(shown)] = Member(shown, salt.hex(), _hash(pin, salt))
            self._write(members)

    def remove(self, name: str) -> bool:
        """Take a person out; False where nobody has that name."""
        with self._lock:
            members = dict(self._read())
            found = members.pop(person_key(name), None)
            if found is not None:
                self._write(members)
            return found is not None

    def knows(self, name: str | None) -> bool:
        """Whether somebody of the staff has that name."""
        with self._lock:
            return person_key(name or "") in self._read()

    def check(self, name: str, pin: str | None) -> None:
        """Let the PIN of a person pass. Raises WrongPin. It takes a while: do not call it where others wait."""
        key = person_key(name)
        with self._lock:
            member = self._read().get(key)
            # Invented names share one count, so that guessing by many of them ends as well.
            counted = key if member else ""
            now = time.monotonic()
            tries = [at for at in self._tries.get(counted, ()) if now - at < _TRIES_SECONDS]
            if len(tries) >= _TRIES:
                raise WrongPin(is_locked=True)
            # Counted before it is looked at: many at once are no more than one after the other.
            self._tries[counted] = [*tries, now]
        salt, known = (bytes.fromhex(member.salt), member.hash) if member else (b"\0" * 16, "")
        is_right = hmac.compare_digest(_hash((pin or "")[:PIN_MOST], salt), known) and member is not None
        if not is_right:
            raise WrongPin
        with self._lock:
            self._tries.pop(counted, None)

    def _read(self) -> dict[str, Member]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._members = None, {}
            return self._members
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            try:
                listed = json.loads(self._path.read_text(encoding="utf-8"))["staff"]
                members = [_member(each) for each in listed]
            except (OSError, ValueError, KeyError, TypeError):
                raise InputError(
                    f"{self._path}：人员名单无法读取，请检查文件（the list of staff cannot be read）"
                ) from None
            self._members = {person_key(member.name): member for member in members}
            self._stamp = stamp
        return self._members

    def _write(self, members: dict[str, Member]) -> None:
        told = {"staff": [{"name": each.name, "salt": each.salt, "hash": each.hash} for each in members.values()]}
        made = self._path.with_name(f"{FILE}.{secrets.token_hex(4)}")
        try:
            make_folder(self._path.parent)
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(told, file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            made.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                made.unlink()
            raise InputError(f"{self._path}：无法写入（{why(error)}），请检查权限（cannot be written）") from None


def _member(held: Any) -> Member:
    member = Member(held["name"], held["salt"], held["hash"])
    if not all(isinstance(each, str) for each in (member.name, member.salt, member.hash)):
        raise TypeError
    bytes.fromhex(member.salt)
    return member


def _hash(pin: str, salt: bytes) -> str:
    spelt = unicodedata.normalize("NFKC", pin).encode()
    return hashlib.scrypt(spelt, salt=salt, dklen=32, **_COST).hex()
