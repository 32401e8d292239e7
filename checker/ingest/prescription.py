"""A prescription or sale as it is asked at the counter, read from JSON with every fault named by its path."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from checker.ingest import values
from checker.ingest.personal import example
from checker.ingest.scope import is_in_scope, is_not_in_scope
from checker.model.errors import InputError
from checker.model.json_text import Inexact
from checker.model.schema import DIAGNOSIS_SEPARATORS, PIECE_CHARGE, Kind

STAGES = ("prescribe", "dispense", "settle")
STAGE = "dispense"
"""Where a prescription names none."""
LINES_MAX = 10_000
_HOLDERS = (dict, list)
_SEPARATORS = re.compile(DIAGNOSIS_SEPARATORS)


class Left(NamedTuple):
    """What other lines of the prescription leave of a line: its net amounts, and why they are so.

    `is_duplicate`: it stands for others that are the same; `is_repeat`: it is one of those others.
    """

    quantity: str | None
    amount: str | None
    amount_in_scope: str | None
    is_duplicate: bool = False
    is_repeat: bool = False
    is_partly_refunded: bool = False
    is_fully_refunded: bool = False


class Item(NamedTuple):
    """One line asked about. `by_name`: the name stands for the item, as there is no code; `named_points` are then its points.

    `line_id` is None where the prescription names none: an invented one could be another line's.
    `circumstances` are those facts of the prescription that the line says otherwise. `is_piece`: it is charged as a decoction piece.
    `code_repaired`: `item_code` got back the leading zeros that it had lost. `local_item_code` and `local_item_name` are what the institution
    calls it. `days_supply` is for how many days it is. `visit_id`, `settlement_id`, `institution_id` and `diagnoses` are those of a line of the
    history. `service_time` is its own, where the prescription's is not meant. `is_void`: it is withdrawn, and stands for nothing. `left` is set
    where other lines of the prescription take something from it (checker.precheck.netting).
    """

    line_id: str | None
    item_code: str | None
    item_name: str | None
    quantity: str | None
    amount: str | None
    amount_in_scope: str | None
    judged: bool
    named_points: tuple[int, ...] = ()
    by_name: bool = False
    is_refund: bool = False
    left: Left | None = None
    original_line_id: str | None = None
    prescription_id: str | None = None
    prescriber: str | None = None
    is_void: bool = False
    full_self_paid_amount: str | None = None
    code_repaired: bool = False
    service_time: datetime | None = None
    is_discharge_drug: bool | None = None
    is_maternity_fee: bool | None = None
    prescriber_institution_level: str | None = None
    local_item_code: str | None = None
    local_item_name: str | None = None
    is_piece: bool = False
    circumstances: tuple[tuple[str, Any], ...] = ()
    visit_id: str | None = None
    settlement_id: str | None = None
    institution_id: str | None = None
    unit_price: Decimal | None = None
    price_limit: Decimal | None = None
    days_supply: Decimal | None = None
    is_self_paid: bool = False
    diagnoses: tuple[str, ...] = ()

    @property
    def is_not_in_scope(self) -> bool:
        """Whether nothing of what is left of it is within the fund's scope."""
        return is_not_in_scope(
            self.amount, self.left.amount_in_scope if self.left else self.amount_in_scope, self.full_self_paid_amount
        )

    @property
    def is_in_scope(self) -> bool:
        """Whether something of it is known to be within the fund's scope."""
        return is_in_scope(self.amount, self.amount_in_scope, self.full_self_paid_amount)

    @property
    def takes_back(self) -> bool:
        """Whether it takes something back."""
        return self.is_refund or is_negative(self.quantity) or is_negative(self.amount)


class Prescription(NamedTuple):
    """One person's lines at one time. `facts` are the line columns that all lines share (see checker.judge.compile.LINE_COLUMNS).

    `ids_name_lines`: a line id stands for one line; where it stands for a whole order, lines alike are not the same line.
    `is_one`: it is one prescription, so far as its lines do not say otherwise; the orders of an encounter may be several. `beside` are lines
    of the same encounter that are not asked about, but stand beside those that are. `history` are lines that the patient had before, None where
    nobody told of any: that is not the same as none. `of_visit` are all lines of the encounter, each with its time, where they are of several
    times; those asked about begin at `place_in_visit` there.
    """

    stage: str
    service_time: datetime
    facts: Mapping[str, Any]
    diagnoses: tuple[str, ...]
    items: tuple[Item, ...]
    ignored: tuple[str, ...]
    ids_name_lines: bool = True
    is_one: bool = True
    beside: tuple[Item, ...] = ()
    history: tuple[Item, ...] | None = None
    of_visit: tuple[Item, ...] = ()
    place_in_visit: int = 0

    def time_of(self, item: Item) -> datetime:
        """When a line was ordered or charged."""
        return item.service_time or self.service_time


def is_negative(amount: str | None) -> bool:
    """Whether an amount as read here is below zero."""
    return amount is not None and amount[0] == "-"


def is_above_zero(amount: str | None) -> bool:
    """Whether an amount as read here is above zero."""
    return amount is not None and amount[0] != "-" and amount.strip("0.") != ""


def _single(read: Callable[[str], Any], *, is_flag: bool = False) -> Callable[[object], Any]:
    """A reader of whatever JSON holds. Raises TypeError for more than a single value, ValueError for one that `read` refuses."""

    def reader(value: object) -> Any:
        if type(value) is not str and isinstance(value, _HOLDERS):
            raise TypeError
        text = values.clean(value, is_flag=is_flag)
        return None if text is None else read(text)

    return reader


def _text(value: object) -> str | None:
    return values.clean(value) if value is None or type(value) is str else _ANY_TEXT(value)


def _key(value: object) -> str | None:
    text = _text(value)
    if text is not None and (
        isinstance(value, Inexact) or (("." in text or "+" in text) and values.has_lost_digits(text))
    ):
        raise ValueError("位数已丢失，编号应写全，并放在引号里")
    return text


def _flag(value: object) -> bool | None:
    return None if value is None else _FLAG(value)


_ANY_TEXT, read_time = _single(str), _single(values.read_time)
_DATE, _SEX, _CARE = _single(values.read_date), _single(values.read_sex), _single(values.read_care)
_FLAG, _VALID, _REFUND = (
    _single(functools.partial(values.read_bool, kind=kind), is_flag=True)
    for kind in (Kind.BOOL, Kind.VALID, Kind.REFUND)
)
_ANY_AMOUNT = _single(values.read_number)
# Amounts come again and again; what is said of persons is never kept, and nothing that is long.
_SHORT_AMOUNT = functools.lru_cache(8192, typed=True)(_ANY_AMOUNT)
_ANY_CODE = _single(values.read_code)


def read_amount(value: object) -> str | None:
    """A number as text with four decimals. Raises TypeError for more than a single value, ValueError for what is no number."""
    amount: str | None = _ANY_AMOUNT(value) if type(value) is str and len(value) > 20 else _SHORT_AMOUNT(value)
    return amount


def read_decimal(value: object) -> Decimal | None:
    """A number to reckon with. Raises as `read_amount`."""
    amount = read_amount(value)
    return None if amount is None else Decimal(amount)


def read_codes(found: Sequence[object]) -> tuple[str, ...]:
    """Codes of diagnoses, trimmed and in upper case, without those that stand for nothing; several in one text are several, as in files."""
    read = [values.read_capitals(code) for each in found if (code := values.clean(each))]
    return tuple([code for text in read for code in _SEPARATORS.split(text) if code])


def _diagnoses(value: object) -> tuple[str, ...]:
    """Codes of diagnoses as a prescription has them. Raises ValueError for what is no array of them."""
    if isinstance(value, Mapping) or not isinstance(value, Sequence | str):
        raise ValueError(_NO_CODES)
    found = [value] if isinstance(value, str) else value
    codes = [code.get("code") if isinstance(code, Mapping) else code for code in found]
    if any(isinstance(code, _HOLDERS) for code in codes):
        raise ValueError(_NO_CODES)
    return read_codes(codes)


def _code(value: object) -> str | None:
    if value is None:
        return None
    if type(value) is str and len(value) > 4 and value.isascii() and value.isalnum():
        # There is nothing in it to trim.
        return value.upper()
    code: str | None = _ANY_CODE(value)
    return code


_NO_CODES = '应为诊断编码的数组，例如 ["N40.x00"]（diagnoses is an array of codes）'
_PIECE = re.compile(PIECE_CHARGE)
_TERMS: dict[str, Callable[[object], Any]] = {
    "is_discharge_drug": _flag, "is_maternity_fee": _flag, "prescriber_institution_level": _text,
}  # fmt: skip
"""What a line may say itself, or the prescription for all its lines."""
_CIRCUMSTANCES: dict[str, Callable[[object], Any]] = {
    "care_type": _CARE, "insurance_type": _text, "institution_level": _text, "institution_name": _text, "pay_location": _text,
    "online": _flag, "is_online": _flag,
}  # fmt: skip
"""What a prescription says of all its lines, unless a line says otherwise."""
OF_LINE_OR_HEAD = frozenset(("service_time", *_TERMS, *_CIRCUMSTANCES))
"""With the time, which a line of the history always says itself."""
_HEAD: dict[str, Callable[[object], Any]] = {
    "settlement_id": _key, "visit_id": _key, "institution_id": _text, "insured_region": _text,
    "region": _text, "visit_start": read_time, "visit_end": read_time, "mutual_aid_amount": read_amount,
    "special_disease_code": _single(values.read_capitals), **_CIRCUMSTANCES, **_TERMS,
}  # fmt: skip
_PATIENT: dict[str, tuple[str, Callable[[object], Any]]] = {
    "id": ("patient_id", _key), "sex": ("line_sex", _SEX), "birth_date": ("line_birth", _DATE),
    "age": ("patient_age", _single(values.read_age)), "id_number": ("id_number", _single(values.read_capitals)), "newborn": ("newborn_flag", _flag),
}  # fmt: skip
_INSURED: dict[str, tuple[str, Callable[[object], Any]]] = {
    "sex": ("insured_sex", _SEX), "birth_date": ("insured_birth_date", _DATE),
    "age": ("insured_age", _single(values.read_age)),
}  # fmt: skip
_LINE: dict[str, Callable[[object], Any]] = {
    "line_id": _key, "original_line_id": _key, "item_code": _code, "item_name": _text, "quantity": read_amount, "amount": read_amount,
    "amount_in_scope": read_amount, "full_self_paid_amount": read_amount,
    "local_item_code": _code, "local_item_name": _text,
    "is_context": _flag, "paid_by_fund": _flag, "by_name": _flag, "prescription_id": _key, "valid_flag": _VALID, "refund_flag": _REFUND,
    "charge_type": _text, "service_time": read_time, "days_supply": read_decimal, "unit_price": read_decimal, "price_limit": read_decimal, **_TERMS,
    **_CIRCUMSTANCES,
}  # fmt: skip
_HISTORY_LINE = _LINE | {"visit_id": _key, "settlement_id": _key, "institution_id": _text, "diagnoses": _diagnoses}
"""What a line of the history says of itself: where it was charged and what was diagnosed there, too."""
_KNOWN = frozenset({"stage", "service_time", "patient", "insured", "diagnoses", "lines", "history", *_HEAD})


def _circumstances(read: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """What a line says itself of its circumstances, under the names of the facts."""
    told = {name: value for name, value in read.items() if name in _CIRCUMSTANCES and value is not None}
    online = told.pop("online", None)
    return tuple(sorted(told.items() if online is None else (told | {"is_online": online}).items()))


def read_prescription(document: object, *, source: str, now: datetime, stage: str = STAGE) -> Prescription:
    """Read a prescription (contract, section 4). `source` names it in errors, `now` stands in for a missing service time.

    Raises InputError naming the path of the first value that cannot be read.
    """
    if not isinstance(document, Mapping):
        raise InputError(f"{source}：处方应为 JSON 对象 {{…}}（a prescription is a JSON object）")
    reader = _Reader(source)
    facts = {name: reader.value(document, name, read) for name, read in _HEAD.items() if name in document}
    online = facts.pop("online", None)
    if facts.get("is_online") is None and online is not None:
        facts["is_online"] = online
    reader.group(document, "patient", _PATIENT, facts)
    reader.group(document, "insured", _INSURED, facts)
    given = reader.value(document, "stage", _text) or stage
    if given not in STAGES:
        raise InputError(f"{source}：stage 为“{example(given)}”，应为 {'、'.join(STAGES)} 之一（unknown stage）")
    lines = document.get("lines")
    if not isinstance(lines, Sequence) or isinstance(lines, str | bytes) or not lines:
        raise InputError(f"{source}：lines 应为至少一行的数组（lines must be a non-empty array）")
    reader.refuse_many("lines", lines)
    if not document.keys() <= _KNOWN:
        reader.ignored += [str(key) for key in document if key not in _KNOWN]
    return Prescription(
        stage=given,
        service_time=reader.value(document, "service_time", read_time) or now,
        facts=facts,
        diagnoses=reader.diagnoses(document.get("diagnoses")),
        items=tuple([reader.item(line, number) for number, line in enumerate(lines)]),
        history=reader.history(document.get("history")),
        ignored=tuple(reader.ignored),
    )


def _path(holder: str, key: str) -> str:
    return f"{holder}.{key}" if holder else key


class _Reader:
    """Reads values and remembers the keys that nothing reads."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.ignored: list[str] = []

    def value(self, document: Mapping[str, Any], key: str, read: Callable[[object], Any]) -> Any:
        """The value of a key of the prescription itself, read."""
        found = document.get(key)
        if found is None:
            return None
        try:
            return read(found)
        except (TypeError, ValueError) as fault:
            raise self._refusal(found, fault, "", key) from None

    def group(
        self, document: Mapping[str, Any], name: str, fields: Mapping[str, tuple[str, Callable[[object], Any]]],
        facts: dict[str, Any],
    ) -> None:  # fmt: skip
        """Put what a group says among the facts."""
        holder = document.get(name)
        if holder is None:
            return
        if type(holder) is not dict and not isinstance(holder, Mapping):
            raise InputError(f"{self._source}：{name} 应为 JSON 对象 {{…}}（{name} must be an object）")
        for key, value in holder.items():
            if key not in fields:
                self.ignored.append(f"{name}.{key}")
                continue
            column, read = fields[key]
            try:
                facts[column] = None if value is None else read(value)
            except (TypeError, ValueError) as fault:
                raise self._refusal(value, fault, name, key) from None

    def item(self, line: object, number: int, array: str = "lines") -> Item:
        if type(line) is not dict and not isinstance(line, Mapping):
            raise InputError(f"{self._source}：{array}[{number}] 应为 JSON 对象 {{…}}（a line is an object）")
        read: dict[str, Any] = {}
        known = _LINE if array == "lines" else _HISTORY_LINE
        try:
            for key, value in line.items():
                reader = known.get(key)
                if reader is None:
                    self.ignored.append(f"{array}[{number}].{key}")
                elif value is not None:
                    read[key] = reader(value)
        except (TypeError, ValueError):
            raise self._line_refusal(line, f"{array}[{number}]") from None
        get = read.get
        name, code, quantity, amount = get("item_name"), get("item_code"), get("quantity"), get("amount")
        is_void, is_context = get("valid_flag") is False, get("is_context")
        is_refund = not is_void and (get("refund_flag") is True or is_negative(quantity) or is_negative(amount))
        is_judged = not (is_void or is_refund or is_context or get("paid_by_fund") is False)
        is_by_name = get("by_name") is True and name is not None and code is None
        return Item._make((
            get("line_id"), code, name, quantity, amount, get("amount_in_scope"), is_judged, (), is_by_name,
            is_refund and not is_context, None, get("original_line_id"), get("prescription_id"), None, is_void, get("full_self_paid_amount"),
            False, get("service_time"), get("is_discharge_drug"), get("is_maternity_fee"), get("prescriber_institution_level"),
            get("local_item_code"), get("local_item_name"), _PIECE.search(get("charge_type") or "") is not None,
            () if _CIRCUMSTANCES.keys().isdisjoint(read) else _circumstances(read), get("visit_id"), get("settlement_id"), get("institution_id"),
            get("unit_price"), get("price_limit"), get("days_supply"), get("paid_by_fund") is False,
            get("diagnoses") or (),
        ))  # fmt: skip

    def refuse_many(self, name: str, lines: Sequence[object]) -> None:
        """Raise InputError where there are too many lines for the counter."""
        if len(lines) > LINES_MAX:
            raise InputError(
                f"{self._source}：{name} 有 {len(lines)} 行，最多 {LINES_MAX} 行；更多请用 liangku scan（too many lines: use scan）"
            )

    def history(self, lines: object) -> tuple[Item, ...] | None:
        """What the patient had before; each line says when."""
        if lines is None:
            return None
        if not isinstance(lines, Sequence) or isinstance(lines, str | bytes):
            raise InputError(f"{self._source}：history 应为明细的数组，没有的写 []（history is an array of lines）")
        self.refuse_many("history", lines)
        items = tuple([self.item(line, number, "history") for number, line in enumerate(lines)])
        for number, item in enumerate(items):
            if item.service_time is None:
                raise InputError(
                    f"{self._source}：history[{number}].service_time 缺失，应写明是哪一天用的（say when it was）"
                )
            if item.item_code is None and item.local_item_code is None and not item.by_name:
                raise InputError(
                    f"{self._source}：history[{number}].item_code 缺失，应写国家医保编码；按名称的请加 by_name: true"
                    "（give the national code, or by_name: true with the name）"
                )
        return tuple([item._replace(judged=False) for item in items])

    def diagnoses(self, found: object) -> tuple[str, ...]:
        """The codes of the diagnoses of the prescription itself."""
        if found is None:
            return ()
        if type(found) is not list and (not isinstance(found, Sequence) or isinstance(found, str | bytes)):
            raise InputError(f"{self._source}：diagnoses {_NO_CODES}")
        for number, code in enumerate(found):
            if isinstance(code.get("code") if isinstance(code, Mapping) else code, _HOLDERS):
                raise self._refusal([], TypeError(), "", f"diagnoses[{number}]")
        return _diagnoses(found)

    def _line_refusal(self, line: Mapping[str, Any], holder: str) -> InputError:
        """What to say of the first value of a line that cannot be read."""
        for key, read in _HISTORY_LINE.items():
            try:
                read(line.get(key))
            except (TypeError, ValueError) as fault:
                return self._refusal(line[key], fault, holder, key)
        raise AssertionError("every value of the line can be read")

    def _refusal(self, value: object, fault: Exception, holder: str, key: str) -> InputError:
        """What to say of a value that cannot be read; `holder` is the group or the line that has it."""
        if str(fault) == _NO_CODES:
            return InputError(f"{self._source}：{_path(holder, key)} {_NO_CODES}")
        if isinstance(value, _HOLDERS):
            return InputError(f"{self._source}：{_path(holder, key)} 应为单个值（a single value is expected here）")
        # Nothing that was typed into a person's field may end up in a log.
        shown = "" if holder in ("patient", "insured") else f"“{example(values.clean(value, is_flag=True) or '')}”"
        return InputError(f"{self._source}：{_path(holder, key)} 的值{shown}无法识别，{fault}（cannot be read）")
