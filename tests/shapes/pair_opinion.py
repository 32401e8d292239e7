"""A second opinion on the shape pair, in plain Python: each line held against each other one, from the cells as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

A1, A2, A3 = "001103000010000", "002103000010000", "003103000010000"
B1, B2, B3 = "001109000010000", "003107010210000", "003112010260000"
O1, O1_SUB, O2, O2_MORE, O3, O4, O5, O6 = (
    f"00331001{n:03d}{ending}"
    for n, ending in enumerate(("0000", "0100", "0000", "0001", "0000", "0000", "0000", "0000"))
)
O1_SUB, O2_MORE = O1[:11] + "0100", O2[:11] + "0001"


@dataclass(frozen=True)
class Pair:
    """A point that does not let its item be charged beside its containers."""

    name: str
    item: str
    containers: tuple[str, ...]
    interval: str


@dataclass(frozen=True)
class Grouped:
    """A point that sorts an operation into a group."""

    name: str
    item: str
    group: str


PAIRS = (
    Pair("P1", B1, (A1,), "day"), Pair("P2", B1, (A2,), "visit"), Pair("P3", B2, (A1,), "six_hours"), Pair("P4", B2, (A3,), "one_hour"),
    Pair("P5", B3, (A1, A3), "day"), Pair("P6", B1, (B1, A3), "one_hour"), Pair("P7", B3, (A2, A3), "six_hours"),
)  # fmt: skip
GROUPS = tuple(
    Grouped(f"G{n}{group}", code, group)
    for group, codes in (("甲", (O1, O1_SUB, O2, O2_MORE, O3, O4)), ("乙", (O3, O4, O5, O6)))
    for n, code in enumerate(codes)
)
HOURS = {"six_hours": 6, "one_hour": 1}
SINCE = date(2025, 12, 12)


@dataclass
class Line:
    """One line as it is written; `left` is the share that refunds leave of it."""

    cells: dict[str, str]
    left: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        self.code, self.id = self.cells["item_code"], self.cells["line_id"]
        self.time = datetime.fromisoformat(self.cells["service_time"])
        self.day, self.is_date = (
            self.time.date(),
            len(self.cells["service_time"]) == 10 or self.time.time().isoformat() == "00:00:00",
        )
        self.patient, self.institution = self.cells.get("patient_id", ""), self.cells.get("institution_id", "")
        visit, settlement = self.cells.get("visit_id", ""), self.cells.get("settlement_id", "")
        self.visit = (
            ("v", visit, self.institution) if visit else ("s", settlement, self.institution) if settlement else None
        )
        amount, quantity = self.cells.get("amount", ""), Fraction(self.cells["quantity"]) * self.left
        self.amount = Fraction(amount) * self.left if amount else None
        price = Fraction(self.cells.get("unit_price") or 0) or (
            self.amount / quantity if self.amount is not None and quantity else None
        )
        self.price = price if price and price > 0 else None
        limit = self.cells.get("price_limit", "")
        self.limit = Fraction(limit) if limit and Fraction(limit) > 0 else None
        in_scope = self.cells.get("amount_in_scope", "")
        self.is_paid = self.cells.get("paid_by_fund") != "0" and not (
            in_scope != "" and Fraction(in_scope) == 0 and self.amount != 0
        )
        self.is_judged = self.is_paid and self.cells.get("is_context") != "1"


@dataclass(frozen=True)
class Opinion:
    """What is to be said of a line by one rule."""

    verdict: str
    told: str
    related: tuple[str, ...] = ()
    at_stake: Fraction | None = None
    by_date: bool = False
    place: str = ""

    @property
    def order(self) -> tuple[bool, bool, str]:
        """Which of several answers counts: the least."""
        lowered = self.told == "suspect" or self.place.startswith("day ")
        return self.verdict == "undetermined", lowered, self.place


def opinions(lines: Iterable[Line], ratio: int = 0) -> dict[tuple[str, str], Opinion]:
    """What is to be said, by line id and rule."""
    lines = [line for line in lines if line.left > 0]
    by_code: dict[str, list[Line]] = {}
    for line in lines:
        by_code.setdefault(line.code, []).append(line)
    found: dict[tuple[str, str], Opinion] = {}
    for rule, told in (("service-pair", _pairs(by_code)), ("surgery-discount", _operations(by_code, lines, ratio))):
        for line, each in told:
            before = found.get((line, rule))
            if before is None or each.order < before.order:
                found[line, rule] = each
    return found


def _pairs(by_code: Mapping[str, Sequence[Line]]) -> Iterator[tuple[str, Opinion]]:
    for point in PAIRS:
        containers = [
            each for code in point.containers if code != point.item for each in by_code.get(code, ()) if each.is_paid
        ]
        for line in by_code.get(point.item, ()):
            if line.is_judged and line.day >= SINCE and (said := _beside(point, line, containers)):
                yield line.id, said


def _beside(point: Pair, line: Line, containers: Sequence[Line]) -> Opinion | None:
    met = []
    maybe = False
    for other in containers:
        by_date = False
        distance = timedelta(0)
        if point.interval in HOURS:
            by_date = line.is_date or other.is_date
            if not by_date:
                distance = abs(line.time - other.time)
                if distance > timedelta(hours=HOURS[point.interval]):
                    continue
        if (point.interval == "day" or by_date) and line.day != other.day:
            continue
        both_known = line.patient != "" and other.patient != ""
        same_visit = (
            line.visit is not None and line.visit == other.visit and not (both_known and line.patient != other.patient)
        )
        same_patient = both_known and line.patient == other.patient and line.institution == other.institution
        if same_visit or (same_patient and point.interval != "visit"):
            first = (
                not same_visit, by_date, distance, other.time > line.time and distance > timedelta(0), same_visit and line.patient != "" and not both_known,
                other.code, by_date and other.is_date,
            )  # fmt: skip
            met.append((first, other))
        elif point.interval == "visit":
            unknown = line.patient == "" and line.institution == other.institution
            maybe = (
                maybe or (line.visit is None and (same_patient or unknown)) or (other.visit is None and same_patient)
            )
        elif line.patient == "" and line.institution == other.institution:
            maybe = True
    if met:
        closest = min(first for first, _ in met)
        related = tuple(sorted(other.id for first, other in met if first == closest))
        in_visit = any(not first[0] for first, _ in met)
        only_by_date = all(first[1] for first, _ in met)
        lowered = only_by_date if point.interval in HOURS else point.interval == "day" and not in_visit
        return Opinion(
            "violation", "suspect" if lowered else "definite", related, line.amount, only_by_date, point.name
        )
    if maybe:
        reason = "visit_missing" if point.interval == "visit" else "patient_missing"
        return Opinion(
            "undetermined", reason, at_stake=line.amount, place=("day " if point.interval == "day" else "") + point.name
        )
    return None


def _operations(
    by_code: Mapping[str, Sequence[Line]], lines: Sequence[Line], ratio: int
) -> Iterator[tuple[str, Opinion]]:
    for point in GROUPS:
        codes = {each.item for each in GROUPS if each.group == point.group}
        operations = [line for line in lines if line.code in codes and line.is_paid and line.code[-2:] == "00"]
        same_day: dict[object, list[Line]] = {}
        on_day: dict[object, list[Line]] = {}
        for line in operations:
            on_day.setdefault((line.institution, line.day), []).append(line)
            if line.visit is not None:
                same_day.setdefault((line.visit, line.day), []).append(line)
        for line in by_code.get(point.item, ()):
            if not line.is_judged or line.day < SINCE or line.code[-2:] != "00":
                continue
            if line.visit is None:
                others = on_day[line.institution, line.day]
                if any(each.code[:11] != line.code[:11] and line.patient in ("", each.patient) for each in others):
                    yield line.id, Opinion("undetermined", "visit_missing", at_stake=line.amount, place=point.name)
            elif said := _further(line, same_day[line.visit, line.day], by_code, ratio):
                yield line.id, Opinion(said.verdict, said.told, said.related, said.at_stake, place=point.name)


def _further(line: Line, together: Sequence[Line], by_code: Mapping[str, Sequence[Line]], ratio: int) -> Opinion | None:
    sums: dict[str, Fraction | None] = {}
    for each in together:
        before = sums.get(each.code[:11], Fraction(0))
        sums[each.code[:11]] = None if before is None or each.amount is None else before + each.amount
    own = sums[line.code[:11]]
    if len(sums) == 1:
        return None
    ranked = sorted(sums, key=lambda code: (sums[code] is None, -(sums[code] or 0), code))
    unknown = Opinion("undetermined", "price_unknown", _ids(together, ranked[0]), line.amount)
    if ranked[0] == line.code[:11] and None not in sums.values():
        return None
    if own is None:
        return unknown
    reference = Fraction(0)
    for code in {each.code for each in together if each.code[:11] == line.code[:11]}:
        elsewhere = [
            each.price for each in by_code[code]
            if each.price is not None and each.institution == line.institution and (each.visit, each.day) != (line.visit, line.day)
        ]  # fmt: skip
        limits = [each.limit for each in together if each.code == code and each.limit is not None]
        if not elsewhere and not limits:
            return unknown
        reference += max(elsewhere or limits)
    share = Fraction(ratio, 100) if ratio else Fraction(1)
    if (own >= reference) if not ratio else (own > share * reference + Fraction(1, 100)):
        # What is not known may be the main operation, or this one is.
        if ranked[0] == line.code[:11]:
            return unknown
        assert line.amount is not None
        stake = (own - share * reference) * (line.amount / own if own else 0)
        return Opinion(
            "violation", "definite" if ratio else "suspect", _ids(together, ranked[0]), max(stake, Fraction(0))
        )
    return None


def _ids(lines: Iterable[Line], operation: str) -> tuple[str, ...]:
    return tuple(sorted(each.id for each in lines if each.code[:11] == operation))
