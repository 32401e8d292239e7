"""A prescription or sale as it is asked at the counter, read from JSON with every fault named by its path."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checker.errors import InputError
from checker.ingest import values

STAGES = ("prescribe", "dispense", "settle")
LINES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Item:
    """One line asked about. `by_name`: the name stands for the item, as there is no code; `named_points` are then its points."""

    line_id: str | None
    item_code: str | None
    item_name: str | None
    quantity: str | None
    amount: str | None
    amount_in_scope: str | None
    judged: bool
    named_points: tuple[int, ...] = ()
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class Prescription:
    """One person's lines at one time. `facts` are the line columns that all lines share (see checker.compile.LINE_COLUMNS)."""

    stage: str
    service_time: datetime
    facts: Mapping[str, Any]
    diagnoses: tuple[str, ...]
    items: tuple[Item, ...]
    ignored: tuple[str, ...]


_HEAD: dict[str, Callable[[str], Any]] = {
    "settlement_id": str, "visit_id": str, "institution_id": str, "care_type": str, "insured_region": str, "region": str,
    "visit_start": values.read_time,
}  # fmt: skip
_PATIENT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "id": ("patient_id", str), "sex": ("line_sex", values.read_sex), "birth_date": ("line_birth", values.read_date),
    "age": ("patient_age", values.read_age), "id_number": ("id_number", values.read_code),
    "newborn": ("newborn_flag", values.read_bool),
}  # fmt: skip
_INSURED: dict[str, tuple[str, Callable[[str], Any]]] = {
    "sex": ("insured_sex", values.read_sex),
    "birth_date": ("insured_birth_date", values.read_date),
}
# Codes and amounts come again and again; what is said of persons is never kept.
_CODE, _AMOUNT = functools.lru_cache(8192)(values.read_code), functools.lru_cache(8192)(values.read_number)
_LINE: dict[str, Callable[[str], Any]] = {
    "line_id": str, "item_code": _CODE, "item_name": str, "quantity": _AMOUNT, "amount": _AMOUNT,
    "amount_in_scope": _AMOUNT, "is_context": values.read_bool, "paid_by_fund": values.read_bool,
    "by_name": values.read_bool,
}  # fmt: skip


_KNOWN = {"stage", "service_time", "patient", "insured", "diagnoses", "lines", *_HEAD}


def read_prescription(document: object, *, source: str, now: datetime, stage: str = "dispense") -> Prescription:
    """Read a prescription (contract, section 4). `source` names it in errors, `now` stands in for a missing service time.

    Raises InputError naming the path of the first value that cannot be read.
    """
    if not isinstance(document, Mapping):
        raise InputError(f"{source}：处方应为 JSON 对象 {{…}}（a prescription is a JSON object）")
    reader = _Reader(source)
    head = {name: reader.value(document, name, read) for name, read in _HEAD.items() if name in document}
    patient = reader.group(document, "patient", _PATIENT)
    insured = reader.group(document, "insured", _INSURED)
    given = reader.value(document, "stage", str) or stage
    if given not in STAGES:
        raise InputError(f"{source}：stage 为“{given}”，应为 {'、'.join(STAGES)} 之一（unknown stage）")
    lines = document.get("lines")
    if not isinstance(lines, Sequence) or isinstance(lines, str | bytes) or not lines:
        raise InputError(f"{source}：lines 应为至少一行的数组（lines must be a non-empty array）")
    if len(lines) > LINES_MAX:
        raise InputError(
            f"{source}：lines 有 {len(lines)} 行，最多 {LINES_MAX} 行；更多请用 liangku scan（too many lines: use scan）"
        )
    reader.ignored += [str(key) for key in document if key not in _KNOWN]
    return Prescription(
        stage=given,
        service_time=reader.value(document, "service_time", values.read_time) or now,
        facts={**head, **patient, **insured},
        diagnoses=reader.diagnoses(document.get("diagnoses")),
        items=tuple(reader.item(line, number) for number, line in enumerate(lines)),
        ignored=tuple(reader.ignored),
    )


def _path(place: tuple[str | int, str]) -> str:
    holder, key = place
    return f"lines[{holder}].{key}" if isinstance(holder, int) else f"{holder}.{key}" if holder else key


class _Reader:
    """Reads values and remembers the keys that nothing reads."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.ignored: list[str] = []

    def value(self, holder: Mapping[str, Any], key: str, read: Callable[[str], Any]) -> Any:
        """The value of a key of the prescription itself, read."""
        return self.read(holder[key], read, ("", key)) if key in holder else None

    def read(self, found: object, read: Callable[[str], Any], place: tuple[str | int, str]) -> Any:
        """A value, read; `place` is the group or the number of the line that holds it, and its key."""
        if found is None:
            return None
        if isinstance(found, (dict, list)):
            raise InputError(f"{self._source}：{_path(place)} 应为单个值（a single value is expected here）")
        text = values.clean(found)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            # Nothing that was typed into a person's field may end up in a log.
            shown = "" if place[0] in ("patient", "insured") else f"“{text[:40]}”"
            raise InputError(f"{self._source}：{_path(place)} 的值{shown}无法识别，{error}（cannot be read）") from None

    def group(
        self, document: Mapping[str, Any], name: str, fields: Mapping[str, tuple[str, Callable[[str], Any]]]
    ) -> dict[str, Any]:
        holder = document.get(name)
        if holder is None:
            return {}
        if not isinstance(holder, Mapping):
            raise InputError(f"{self._source}：{name} 应为 JSON 对象 {{…}}（{name} must be an object）")
        self.ignored += [f"{name}.{key}" for key in holder if key not in fields]
        return {
            column: self.read(holder[key], read, (name, key)) for key, (column, read) in fields.items() if key in holder
        }

    def item(self, line: object, number: int) -> Item:
        if not isinstance(line, Mapping):
            raise InputError(f"{self._source}：lines[{number}] 应为 JSON 对象 {{…}}（a line is an object）")
        found = dict.fromkeys(_LINE)
        for key, value in line.items():
            if key in _LINE:
                found[key] = self.read(value, _LINE[key], (number, key))
            else:
                self.ignored.append(f"lines[{number}].{key}")
        quantity, amount = found["quantity"], found["amount"]
        returned = (quantity is not None and quantity[0] == "-") or (amount is not None and amount[0] == "-")
        return Item(
            found["line_id"] or str(number + 1), found["item_code"], found["item_name"], quantity, amount,
            found["amount_in_scope"], judged=not returned and not found["is_context"] and found["paid_by_fund"] is not False,
            by_name=bool(found["by_name"] and found["item_name"]) and found["item_code"] is None,
        )  # fmt: skip

    def diagnoses(self, found: object) -> tuple[str, ...]:
        if found is None:
            return ()
        if not isinstance(found, Sequence) or isinstance(found, str | bytes):
            raise InputError(
                f'{self._source}：diagnoses 应为诊断编码的数组，例如 ["N40.x00"]（diagnoses is an array of codes）'
            )
        codes = [values.clean(code.get("code") if isinstance(code, Mapping) else code) for code in found]
        return tuple(code.upper() for code in codes if code)
