"""What the values of a province mean [省级取值]: care types, insurance types, institution levels, and what marks an internet visit."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from checker.ingest.personal import example
from checker.ingest.profile_file import open_profile, refuse
from checker.ingest.value_groups import Groups, normal, normal_care
from checker.ingest.value_tables import ELSEWHERE, ONLINE, UNRATED, check_values, read_groups, read_names
from checker.model.errors import Fault
from checker.model.shown import shown

KINDS: Mapping[str, str] = {
    "care_type": "care_groups", "insurance_type": "insurance_groups", "institution_level": "institution_ranks", "pay_location": "online",
}  # fmt: skip
"""The kinds of values, as the columns that hold them are called, and the table of a profile that says what they mean."""
PHARMACY = "pharmacy"
"""The care group of purchases in pharmacies."""
PRESCRIBER_LEVEL = "prescriber_institution_level"


def kind_of(column: str) -> str:
    """The kind of a column's values: the prescriber's level is a level like any other."""
    return "institution_level" if column == PRESCRIBER_LEVEL else column


_DENIED_BEFORE = re.compile(
    "(?:[非无未]|不是|不属于?|不含|不包括|不设|没有|除了?|停|撤销|取消)(?:开通?|开设|设立?|设置|建立?|办|用|接入|含|有|是|在|于|经)*$"
)
_DENIED_BEHIND = re.compile(
    r"\(?(?:[非否无筹]|不是|不属|除外|[未尚待][开启设建获挂正批核审]|在建|拟建|停[用办业]|已?[撤注]销|已?停)"
)
"""What before or behind the words that mark an internet hospital says that it is none: 非互联网医院."""


@dataclass(frozen=True, slots=True, eq=False)
class Provincial:
    """The meanings in use: the national ones, and what a province has put in their place. Every method takes a value as it was read from
    the data, and gives None where it is not known. `hash` is of the meanings, whatever the profile is called.
    """

    name: str
    hash: str
    _groups: Mapping[str, Groups] = field(repr=False)
    _online_care: Groups = field(repr=False)
    _online_names: tuple[str, ...] = field(repr=False)

    def care_group(self, value: str | None) -> str | None:
        """A code of CARE_GROUPS, by the longest beginning of the care type."""
        return self._groups["care_type"].of(value)

    def is_pharmacy(self, care_type: str | None) -> bool:
        """Whether a care type is a purchase in a pharmacy: there the person on file is the holder of the card."""
        return self.care_group(care_type) == PHARMACY

    def insurance_group(self, value: str | None) -> str | None:
        """A code of INSURANCE_GROUPS."""
        return self._groups["insurance_type"].of(value)

    def institution_rank(self, value: str | None) -> int | None:
        """3, 2 or 1; None also where it is known that there is none (`is_unrated`)."""
        rank = self._groups["institution_level"].of(value)
        return None if rank is None or rank == UNRATED else int(rank)

    def is_unrated(self, value: str | None) -> bool:
        """Whether a value says that the institution has no level."""
        return self._groups["institution_level"].of(value) == UNRATED

    def is_online(
        self, *, pay_location: str | None, care_type: str | None, institution_name: str | None
    ) -> bool | None:
        """Whether it was an internet visit; one marker is enough. None where nothing tells."""
        place = self._groups["pay_location"].of(pay_location)
        if place == ONLINE or self._online_care.of(care_type) or self._is_online_name(institution_name):
            return True
        if place == ELSEWHERE:
            return False
        if normal(pay_location) is None and self.care_tells_online and self.care_group(care_type):
            return False
        return None

    @property
    def care_tells_online(self) -> bool:
        """Whether a province tells internet visits by the care type: then any other that is known says no."""
        return bool(self._online_care.begins)

    def meaning(self, kind: str, value: str | None) -> str | None:
        """The group of a value of one of KINDS as its table calls it; None where it is not known."""
        return self._groups[kind].of(value)

    def tells(self, kind: str, value: str) -> bool:
        """Whether a value of one of KINDS is known."""
        return self.meaning(kind, value) is not None

    def _is_online_name(self, name: str | None) -> bool:
        text = normal(name)
        return text is not None and any(_names_itself(text, part) for part in self._online_names)


def _names_itself(name: str, part: str) -> bool:
    """Whether a name holds a part somewhere where it is not taken back."""
    places = (found.span() for found in re.finditer(re.escape(part), name))
    return any(
        not _DENIED_BEFORE.search(name[:start]) and not _DENIED_BEHIND.match(name[end:]) for start, end in places
    )


def shown_value(kind: str, value: str) -> tuple[str, str | None]:
    """A value of one of KINDS as far as it may be told, and as a profile may hold it; the latter None of what was hidden or cut, because it may name a
    person or is no word.
    """
    told = example(value)
    key = normal_care(value) if kind == "care_type" else value
    return told, key if told == value == shown(value) else None


def read_provincial(path: Path | None = None) -> Provincial:
    """The meanings of a TOML file, or of a profile that comes with the program by its name (`hainan`); the national ones without a path.

    Raises InputError naming every fault with its file and key.
    """
    return _national() if path is None else _read(path)


@functools.cache
def _national() -> Provincial:
    return _read(None)


def _read(path: Path | None) -> Provincial:
    faults: list[Fault] = []
    opened = open_profile(path, faults)
    check_values(opened, faults)
    refuse(faults)
    groups = {kind: read_groups(opened, table) for kind, table in KINDS.items()}
    care, names = read_groups(opened, "online", care=True), read_names(opened)
    return Provincial(opened.name, _hash({**groups, "online_care": care}, names), groups, care, names)


def _hash(groups: Mapping[str, Groups], names: tuple[str, ...]) -> str:
    told = {kind: [each.exact, each.begins] for kind, each in groups.items()}
    text = json.dumps({"groups": told, "names": sorted(names)}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
