"""What each indicator is, as definitions.toml says it: the one place where numerators, classes of charges and codes are defined."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checker.ingest.value_groups import normal
from checker.model.toml_document import parse_toml

FILE = Path(__file__).with_name("definitions.toml")


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator. `needs` are keys of NEEDS, `caveats` of CAVEATS (told.py); `code` is the national one, where there is any."""

    id: str
    zh: str
    en: str
    numerator: str
    base: str
    unit: str
    care: tuple[str, ...]
    source: str
    code: str | None = None
    denominator: str | None = None
    needs: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    change: bool = False

    @property
    def scale(self) -> int:
        """By what the quotient is multiplied."""
        return 100 if self.unit == "percent" else 1


@dataclass(frozen=True, slots=True)
class ChargeClass:
    """One class of charges: how a line is told to be of it."""

    id: str
    zh: str
    en: str
    charge_types: tuple[str, ...]
    words: tuple[str, ...]
    codes: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Definitions:
    """All that definitions.toml says."""

    indicators: tuple[Indicator, ...]
    care: Mapping[str, tuple[str, ...]]
    insurance: Mapping[str, tuple[str, ...]]
    classes: tuple[ChargeClass, ...]
    infection: Mapping[str, tuple[str, ...]]
    readmission_days: int

    def care_of(self, group: str | None) -> str | None:
        """The care of a group of the profile; None where it is none of them."""
        return next((care for care, groups in self.care.items() if group in groups), None)

    def insurance_of(self, value: str | None) -> str | None:
        """The national code of an insurance that is spelt in one of the known ways; others as they are written."""
        said = normal(value)
        return next((code for code, words in self.insurance.items() if said in words), value)


@functools.cache
def definitions() -> Definitions:
    """The definitions that come with the program."""
    document = parse_toml(FILE.read_text(encoding="utf-8"))
    return Definitions(
        indicators=tuple(Indicator(**_tuples(each)) for each in document["indicator"]),
        care={care: tuple(groups) for care, groups in document["care"].items()},
        insurance={code: tuple(words) for code, words in document["insurance"].items()},
        classes=tuple(ChargeClass(**_tuples(each)) for each in document["charge_class"]),
        infection={key: tuple(codes) for key, codes in document["infection"].items()},
        readmission_days=int(document["readmission"]["days"]),
    )


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
