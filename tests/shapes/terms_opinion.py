"""A second opinion on the shape terms, in plain Python: what the contract makes of a line, from the cells as they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

UNKNOWN, MISSING, UNRATED, CONFLICT = "unknown", "missing", "unrated", "conflict"
INSURANCE = {
    "310": "basic", "390": "basic", "392": "basic", "城乡居民基本医疗保险": "basic", " 310 ": "basic", "510": "maternity", "生育保险": "maternity",
    "410": "long_term_care", "工伤保险": "injury", "999": UNKNOWN, "自费": UNKNOWN, "31O": UNKNOWN, "": MISSING, "NULL": MISSING, "-": MISSING,
}  # fmt: skip
CARE = {
    "11": "outpatient", "12": "outpatient", "1101": "outpatient", "13": "emergency", "1301": "emergency", "19": "emergency",
    "120": "emergency", "14": "chronic", "140201": "chronic", "21": "inpatient", "26": "inpatient", "2101": "inpatient", "52": "inpatient",
    "2106": "inpatient", "2107": "inpatient", "28": "day_surgery", "2801": "day_surgery", "71": "home_bed", "41": "pharmacy",
    "4101": "pharmacy", "51": "maternity_outpatient", "53": "family_planning", "普通门诊": "outpatient", "急诊": "emergency",
    "9901": UNKNOWN, "99": UNKNOWN, "": MISSING, "--": MISSING,
}  # fmt: skip
LEVEL = {
    "01": "3", "03": "3", "04": "3", "12": "3", "三甲": "3", "三级甲等": "3", "三级(专科)": "3", "05": "2", "07": "2", "13": "2", "二级": "2",
    "08": "1", "10": "1", "14": "1", "一级甲等": "1", "11": UNRATED, "未定级": UNRATED, "未评级": UNRATED, "1": UNKNOWN, "2": UNKNOWN,
    "X9": UNKNOWN, "": MISSING, "null": MISSING,
}  # fmt: skip
PLACE = {"5": True, "1": False, "2": False, "77": UNKNOWN, "": MISSING}
NAME = {"某市人民医院互联网医院": True, "某市人民医院": None, "": None}
FLAG = {"1": True, "是": True, "0": False, "否": False, "": False, "X": None, "8": None}
TOLD = {"1": True, "0": False, "": None, "?": None}
DIAGNOSES = (
    ("O80.000",), ("I10.x00", "O72.100"), ("Z34.900",), ("Z39.200", "D62.x00"), ("Z31.400",), ("I10.x00",), ("N40.x00", "E11.900"), (),
)  # fmt: skip
_OPEN = (UNKNOWN, MISSING, CONFLICT)
MATERNITY_CARE = ("51", "52", "53", "2106", "2107")


@dataclass(frozen=True)
class Point:
    """One point and the code that it covers."""

    rule: str
    code: str
    limits: Mapping[str, str | int]

    @property
    def is_policy(self) -> bool:
        return self.rule != "drug-online"


POINTS = (
    Point("drug-injury-insurance", "XJ07BGK071B002010101676", {"insurance": "injury"}),
    Point("drug-maternity-insurance", "XG02ADK013B002010100001", {"insurance": "maternity"}),
    Point("drug-visit-mode", "XB05BAF001B002010100001", {"care_groups": "inpatient"}),
    Point("drug-visit-mode", "ZA06BAA0001010100001", {"care_groups": "emergency|inpatient"}),
    Point("drug-institution-level", "XC02BAA001B001010100001", {"min_rank": 2}),
    Point("drug-institution-level", "XS01LAA001B002010100001", {"min_rank": 3, "rank_case": "eye"}),
    Point("drug-institution-level", "XA10BJD001B002010100001", {"min_rank": 2, "rank_case": "first_prescription"}),
    Point("drug-online", "XN02ABF013N001010100001", {"barred_channel": "online"}),
    Point("herb-never-paid", "T001700635", {"never_paid": "yes"}),
)
FEN = Decimal("0.01")
SINCE = date(2026, 1, 28)


@dataclass
class Line:
    """One line as it is written, with the header of its settlement, None where it has none; `columns` are those that the input has at all.

    `again` is another header of the same settlement.
    """

    cells: dict[str, str]
    point: Point
    header: Mapping[str, str] | None
    columns: frozenset[str]
    diagnoses: Sequence[str]
    earlier: bool = False
    refunded: int = 0
    taken_back: list[dict[str, str]] = field(default_factory=list)
    again: Mapping[str, str] | None = None

    def texts(self, column: str) -> list[str]:
        """What the line says, or else its headers; nothing where all is empty."""
        own = _given(self.cells.get(column, ""))
        return own or [
            text for header in (self.header, self.again) if header for text in _given(header.get(column, ""))
        ]

    def text(self, column: str) -> str:
        """What the line says, or else its first header that says something."""
        return next(iter(self.texts(column)), "")

    def said(self, column: str, meanings: Mapping[str, str | bool]) -> str | bool:
        """What that means; headers that mean different things contradict each other."""
        told = {meanings[text] for text in self.texts(column)}
        if len(told - {UNKNOWN}) > 1:
            return CONFLICT
        return MISSING if not told else UNKNOWN if UNKNOWN in told else told.pop()

    @property
    def day(self) -> date:
        return date.fromisoformat(self.cells["service_time"][:10])


def _given(text: str) -> list[str]:
    return [] if text in ("", "NULL", "-", "--", "null") else [text]


_TOLD = {
    "insurance": ("insurance_type", "insurance_type"), "care": ("care_type", "care_type"), "level": ("institution_level", "institution_level"),
    "diagnosis": ("diagnoses", "diagnoses"), "online": ("online", "is_online", "pay_location"),
}  # fmt: skip
"""What an answer says is missing, and the columns of which one tells it."""
Opinion = tuple[str, str | None] | None


def opinion(line: Line, *, at_counter: bool = False) -> Opinion:
    """(violation, level), (undetermined, reason), (not_judged, what is missing), or None where nothing is to be said.

    `at_counter`: what a prescription does not say nobody told.
    """
    quantity = int(line.cells["quantity"])
    if line.day < SINCE or line.refunded >= quantity or line.cells.get("is_context") == "1":
        return None
    share = Decimal(quantity - line.refunded) / quantity
    in_scope, self_paid, amount = (
        line.cells.get(name, "") for name in ("amount_in_scope", "full_self_paid_amount", "amount")
    )
    if line.point.is_policy and Decimal(amount) >= FEN:
        if in_scope != "" and Decimal(in_scope) * share < FEN:
            return None
        if in_scope == "" and self_paid != "" and abs(Decimal(self_paid) - Decimal(amount)) < FEN:
            return None
    return _Judge(line, at_counter).answer()


class _Judge:
    def __init__(self, line: Line, at_counter: bool) -> None:
        self.line, self.at_counter = line, at_counter
        self.care = line.said("care_type", CARE)
        self.is_pharmacy = self.care == "pharmacy" or line.cells.get("institution_id", "").startswith("P")

    def answer(self) -> Opinion:
        kind = self.line.point.rule
        return {
            "drug-injury-insurance": self.injury, "drug-maternity-insurance": self.maternity, "drug-visit-mode": self.visit_mode,
            "drug-institution-level": self.level, "drug-online": self.online, "herb-never-paid": self.never_paid,
        }[kind]()  # fmt: skip

    def open(self, *lacks: tuple[bool, str, str]) -> Opinion:
        """Why the line stays open: the first lack that holds. One of which no input tells at all leaves it unjudged."""
        reason, fact = next((reason, fact) for holds, reason, fact in lacks if holds)
        key, *columns = _TOLD.get(fact, ("",))
        if key and (self.at_counter or self.line.columns.isdisjoint(columns)):
            return "not_judged", key
        return "undetermined", "header_missing" if self.line.header is None else reason

    def injury(self) -> Opinion:
        found = self.line.said("insurance_type", INSURANCE)
        if found in _OPEN:
            return self.open(
                (found == CONFLICT, "sources_conflict", ""),
                (True, f"insurance_{found}", "insurance" if found == MISSING else ""),
            )
        return ("violation", "definite") if found == "basic" else None

    def maternity(self) -> Opinion:
        line, found = self.line, self.line.said("insurance_type", INSURANCE)
        fee = FLAG[line.cells.get("is_maternity_fee", "")]
        speaks = any(re.match("O|Z3[2-9]", code) for code in line.diagnoses)
        stays = any(text.startswith(MATERNITY_CARE) for text in line.texts("care_type")) and self.care not in _OPEN
        if found == "maternity" or fee or speaks or stays:
            return None
        if found in _OPEN or self.care in _OPEN or fee is None or not line.diagnoses:
            return self.open(
                (found == MISSING, "insurance_missing", "insurance"), (self.care == MISSING, "care_missing", "care"),
                (CONFLICT in (found, self.care), "sources_conflict", ""),
                (found == UNKNOWN, "insurance_unknown", ""), (fee is None, "flag_unreadable", ""), (self.care == UNKNOWN, "care_unknown", ""),
                (True, "diagnosis_missing", "diagnosis"),
            )  # fmt: skip
        sex, born = line.text("patient_sex"), line.text("patient_birth_date")
        old = born != "" and _years(date.fromisoformat(born), line.day) > 60
        return "violation", "definite" if sex == "1" or old else "suspect"

    def visit_mode(self) -> Opinion:
        allowed = str(self.line.point.limits["care_groups"]).split("|")
        discharge = FLAG[self.line.cells.get("is_discharge_drug", "")]
        if discharge:
            return None
        if discharge is None or self.care in _OPEN:
            return self.open(
                (self.care == MISSING, "care_missing", "care"), (self.care == CONFLICT, "sources_conflict", ""),
                (discharge is None, "flag_unreadable", ""), (True, "care_unknown", ""),
            )  # fmt: skip
        if self.care in allowed:
            return None
        return "violation", "suspect" if self.care in ("emergency", "day_surgery", "home_bed") else "definite"

    def level(self) -> Opinion:
        line, limits = self.line, self.line.point.limits
        first, own = limits.get("rank_case") == "first_prescription", self.line.said("institution_level", LEVEL)
        if first and line.earlier:
            return None
        found = LEVEL[line.cells.get("prescriber_institution_level", "")] if self.is_pharmacy else own
        if found in ("1", "2", "3"):
            if int(found) >= int(limits["min_rank"]):
                return None
            if first and line.text("patient_id") == "":
                return self.open((True, "history_missing", ""))
            return "violation", "suspect" if limits.get("rank_case") == "eye" and found == "2" else "definite"
        return self.open(
            (self.is_pharmacy, "prescriber_unknown", ""), (own == MISSING, "level_missing", "level"), (own == CONFLICT, "sources_conflict", ""),
            (True, f"level_{own}", ""),
        )  # fmt: skip

    def online(self) -> Opinion:
        line = self.line
        told, place = TOLD[line.cells.get("is_online", "")], line.said("pay_location", PLACE)
        if told or place is True or any(NAME[name] for name in line.texts("institution_name")):
            return "violation", "definite"
        if line.cells.get("is_online") != "?" and (told is False or place is False):
            return None
        return self.open(
            (place == CONFLICT, "sources_conflict", ""), (place == UNKNOWN, "online_unknown", ""), (True, "online_missing", "online"),
        )  # fmt: skip

    def never_paid(self) -> Opinion:
        in_scope, self_paid, amount = (
            self.line.cells.get(name, "") for name in ("amount_in_scope", "full_self_paid_amount", "amount")
        )
        contradicted = self_paid != "" and abs(Decimal(self_paid) - Decimal(amount)) < FEN
        is_known = in_scope != "" and Decimal(in_scope) >= FEN and not contradicted
        return "violation", "definite" if is_known else "suspect"


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def is_earlier(day: date, other: date) -> bool:
    """Whether a day lies within the year before another."""
    return day < other and day >= other - timedelta(days=365)
