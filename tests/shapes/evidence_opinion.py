"""A second opinion on indications and the second line, in plain Python over whole tables; written against docs/judgment.md, sharing no code with the engine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

Row = dict[str, str]
Told = tuple[str, str | None] | None
YEAR, HALF = timedelta(days=365), 180
INDICATION, SECOND = "drug-indication", "drug-second-line"


@dataclass(frozen=True)
class Point:
    """One point, as its published row says it, and the codes that it covers."""

    rule: str
    codes: tuple[str, ...]
    fits: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    chronic: bool = False
    classes: tuple[str, ...] = ()

    @property
    def limits(self) -> dict[str, str | None]:
        """The cells of its limits."""
        cells = {"indications": self.fits, "unspecified": self.general, "drug_class": self.classes}
        return {name: "|".join(parts) for name, parts in cells.items() if parts} | (
            {"is_chronic": "yes"} if self.chronic else {}
        )


@dataclass
class World:
    """All tables of a scan; `refunded` is how much of a line was taken back, `local` the national codes of local ones."""

    lines: list[Row]
    settlements: dict[str, Row]
    visits: dict[str, Row]
    diagnoses: list[Row]
    refunded: dict[str, int] = field(default_factory=dict)
    local: dict[str, str] = field(default_factory=dict)
    has_diagnoses: bool = True
    has_patients: bool = True

    def of(self, line: Row, name: str) -> str:
        """A cell of a line, or else of its headers."""
        heads = (self.settlements.get(line["settlement_id"], {}), self.visits.get(line["visit_id"], {}))
        return next((found for each in (line, *heads) if (found := each.get(name, ""))), "")

    def patient(self, line: Row) -> str | None:
        """Whose line it is."""
        person, number = self.of(line, "patient_id"), self.of(line, "patient_id_number")
        return f"p{person}" if person else f"n{number}" if number else None

    def code(self, line: Row) -> str:
        """The national code of a line."""
        return self.local.get(line["item_code"], line["item_code"])


def day_of(line: Row) -> date:
    """The day of a line."""
    return date.fromisoformat(line["service_time"][:10])


def codes_of(text: str) -> set[str]:
    """The diagnoses in a text: several, dual ones apart, what is no code of ICD-10 left out; those of special diseases with a mark."""
    found = set()
    for code in re.split(r"[,，;；|、\s+]+", text.upper()):
        if re.fullmatch(r"M\d{5}", code):
            found.add(f"*{code}")
        elif re.match(r"[A-Z]\d\d($|[.*†X0-9])", code) and not re.match(r"[A-Z]\d\d\.\d\d\.", code):
            found.add(code)
    return found


def _told_in(row: Row) -> set[str]:
    return codes_of(row.get("diagnosis_code", "")) | codes_of(row.get("special_disease_code", ""))


class Opinion:
    """What is to be found in a world."""

    def __init__(self, world: World, points: tuple[Point, ...]) -> None:
        self._world = world
        self._points = points
        self._by_patient: dict[str, list[Row]] = {}
        for line in world.lines:
            if (whose := world.patient(line)) is not None:
                self._by_patient.setdefault(whose, []).append(line)
        self._of_visit: dict[tuple[str, str], set[str]] = {}
        for row in world.diagnoses:
            if row.get("valid_flag") != "0":
                for name in ("settlement_id", "visit_id"):
                    if row.get(name):
                        self._of_visit.setdefault((name, row[name]), set()).update(codes_of(row["code"]))
        for name, headers in (("settlement_id", world.settlements), ("visit_id", world.visits)):
            for key, header in headers.items():
                self._of_visit.setdefault((name, key), set()).update(_told_in(header))

    def of(self, line: Row) -> dict[str, Told]:
        """The answer of each rule to a line."""
        code = self._world.code(line)
        return {each.rule: self._by(line, each) for each in self._points if code in each.codes}

    def _by(self, line: Row, point: Point) -> Told:
        if line.get("is_context") == "1" or line.get("paid_by_fund") == "0":
            return None
        if self._world.refunded.get(line["line_id"], 0) >= int(line["quantity"]):
            return None
        if line["amount_in_scope"] == "0" and line["amount"] != "0":
            return None
        return self._diagnosed(line, point) if point.rule == INDICATION else self._second(line, point)

    def _visit_codes(self, line: Row) -> set[str]:
        own = [self._of_visit.get((name, line[name]), set()) for name in ("settlement_id", "visit_id") if line[name]]
        return set().union(*own)

    def _diagnosed(self, line: Row, point: Point) -> Told:
        own = self._visit_codes(line) | _told_in(line)
        before: set[str] = set()
        whose, day = self._world.patient(line), day_of(line)
        if point.chronic and whose is not None:
            for first, last, codes in self._visits(whose):
                if any(day - YEAR <= each <= day for each in (first, last)):
                    before |= codes
        every = own | before
        if any(code.startswith(point.fits) for code in every):
            return None
        if any(code.startswith(point.general) for code in every if point.general) or any(
            code[0] == "*" for code in every
        ):
            return "undetermined", "diagnosis_unspecified"
        if own:
            return "violation", "suspect"
        if self._world.of(line, "care_type") == "41" or line["institution_id"].startswith("P"):
            return "not_judged", "pharmacy_diagnoses"
        if not self._world.has_diagnoses:
            return "not_judged", "diagnoses"
        return "undetermined", self._lacking(line, "diagnosis_missing")

    def _visits(self, whose: str) -> list[tuple[date, date, set[str]]]:
        """What was diagnosed on the lines and in the visits of a patient, with the first and the last day of each."""
        found = []
        together: dict[tuple[str, str, str, str], list[Row]] = {}
        for line in self._by_patient[whose]:
            texts = line.get("diagnosis_code", ""), line.get("special_disease_code", "")
            together.setdefault((line["settlement_id"], line["visit_id"], *texts), []).append(line)
        for some in together.values():
            days = sorted(map(day_of, some))
            found.append((days[0], days[-1], self._visit_codes(some[0]) | _told_in(some[0])))
        for name, headers in (("settlement_id", self._world.settlements), ("visit_id", self._world.visits)):
            for key, header in headers.items():
                person, number = header.get("patient_id", ""), header.get("patient_id_number", "")
                if header.get("visit_start") and (f"p{person}" if person else f"n{number}") == whose:
                    first = date.fromisoformat(header["visit_start"])
                    last = date.fromisoformat(header.get("visit_end") or header["visit_start"])
                    found.append((first, last, self._of_visit.get((name, key), set())))
        return found

    def _second(self, line: Row, point: Point) -> Told:
        whose, day = self._world.patient(line), day_of(line)
        if whose is None:
            if not self._world.has_patients:
                return "not_judged", "earlier_drugs"
            return "undetermined", self._lacking(line, "history_missing")
        own = {code[:10] for code in point.codes}
        lines = self._by_patient[whose]
        for other in lines:
            code = self._world.code(other)
            used = int(other["quantity"]) > self._world.refunded.get(other["line_id"], 0)
            if used and code.startswith(point.classes) and code[:10] not in own and day - YEAR <= day_of(other) < day:
                return None
        if (day - min(map(day_of, lines))).days < HALF:
            return "undetermined", "history_short"
        return "violation", "suspect"

    def _lacking(self, line: Row, otherwise: str) -> str:
        world = self._world
        heads = [headers for headers in (world.settlements, world.visits) if headers]
        keys = [
            line[name]
            for headers, name in ((world.settlements, "settlement_id"), (world.visits, "visit_id"))
            if headers
        ]
        if heads and all(key not in headers for headers, key in zip(heads, keys, strict=True)):
            return "header_missing"
        return otherwise
