"""Cases of rules as the rows that the engine reads: the line, the point and the exemption of each, told apart by an item code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from checker.knowledge import words
from checker.knowledge.cell_reader import Cells, Faults, check_place_and_time
from checker.knowledge.frames import rows_of, schema_of
from checker.knowledge.point_text import POINT_CELLS, typed_points
from checker.knowledge.rows import ExemptionRow, PointRow
from checker.knowledge.text_table import TextTable, check_cells
from checker.model.schema import LINE
from checker.rulebook.rule import EXEMPTION_COLUMNS, Case, Rule
from checker.shapes import BY_ID

IN_FORCE_FROM = "2025-05-23"
"""From when the point and the exemption of a case are in force, where the case says nothing else."""

_POINT = {
    "point_id": "P",
    "item_name": "用例",
    "valid_from": IN_FORCE_FROM,
    "document": "用例",
    "batch": "用例",
    "published_codes": "1",
    "source_rows": "用例",
}
_EXEMPTION = {
    "exemption_id": "E",
    "effect": "exempt",
    "reason": "用例",
    "reason_en": "case",
    "evidence": "用例",
    "status": "proposed",
    "valid_from": IN_FORCE_FROM,
}


@dataclass(frozen=True, slots=True)
class CaseRows:
    """One case as it goes to the engine, told from all others by an item code of its own; `cells` are those of LINE.

    `others` are the cells of the other lines, `roles` the codes of those that are something to the point.
    """

    rule: Rule
    case: Case
    code: str
    point: PointRow
    exemption: ExemptionRow | None
    cells: tuple[str, ...]
    others: tuple[tuple[str, ...], ...] = ()
    roles: tuple[tuple[str, str], ...] = ()


def case_rows(rules: Sequence[Rule], faults: Faults) -> list[CaseRows]:
    """Return the cases of the rules in their order; `faults` gets every cell of a point or exemption that no knowledge base could hold."""
    numbered = [(rule, number, case) for rule in rules for number, case in enumerate(rule.cases, 1)]
    codes = [BY_ID[rule.shape].case_code.format(count) for count, (rule, *_) in enumerate(numbered)]
    points = _points(codes, numbered, faults)
    return [_rows(*each, faults) for each in zip(codes, points, numbered, strict=True)]


_Numbered = tuple[Rule, int, Case]


def _points(codes: Sequence[str], numbered: Sequence[_Numbered], faults: Faults) -> Sequence[PointRow]:
    """The points of the cases, told from all others by the item code of their case."""
    cells: dict[str, list[str]] = {name: [] for name in schema_of(PointRow)}
    for code, (rule, _, case) in zip(codes, numbered, strict=True):
        given = {name: str(value) for name, value in case.point} | {"rule_id": rule.id}
        texts = {**dict.fromkeys(cells, ""), **_POINT, **given}
        for name, value in texts.items():
            cells[name].append(f"{code}-{value}" if name == "point_id" and value else value)

    def place(index: int) -> tuple[str, str]:
        rule, number, _ = numbered[index]
        return rule.file, f"case[{number}].point"

    table = TextTable(pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String)), place)
    check_cells(table, POINT_CELLS, faults)
    # A faulty cell is NULL here; the faults stop the run before anybody reads it.
    return rows_of(typed_points(table), PointRow)


def _rows(code: str, point: PointRow, numbered: _Numbered, faults: Faults) -> CaseRows:
    rule, number, case = numbered
    line = {"line_id": code, **dict(case.line), "item_code": code}
    line["diagnosis_code"] = ",".join(part for part in (line.get("diagnosis_code", ""), *case.diagnoses) if part)
    exemption = None
    if case.exemption is not None:
        given = dict(case.exemption)
        diagnoses = given.pop("diagnoses", ())
        texts = {
            **dict.fromkeys(EXEMPTION_COLUMNS, ""),
            **_EXEMPTION,
            **{name: str(value) for name, value in given.items()},
        }
        cells = Cells(rule.file, f"case[{number}].exemption", texts, faults)
        exemption = _exemption(cells, code, rule.id, tuple(diagnoses) or None)
    others, roles = [], []
    for place, other in enumerate(case.others, 1):
        # A prescription of its own, and for each item in it a code of its own.
        own = {"item_code": code if other.same else _other_code(place, code)} | dict(other.line)
        if other.ending:
            own["item_code"] = own["item_code"][: -len(other.ending)] + other.ending
        others.append(_cells(line | {"line_id": f"{code}-{place}"} | own, code))
        if other.role:
            roles.append((other.role, own["item_code"]))
    return CaseRows(rule, case, code, point, exemption, _cells(line, code), tuple(others), tuple(dict.fromkeys(roles)))


def _other_code(place: int, code: str) -> str:
    """A code for another line of a case: a service beside a service, else a decoction piece."""
    return f"008{place:02d}{code[5:]}" if code.startswith("009") else f"T{place:04d}{code[-5:]}"


def _cells(line: Mapping[str, str], code: str) -> tuple[str, ...]:
    """The cells of a line; what names its visit, settlement, prescription and patient is the case's own."""
    own = {
        name: f"{code}-{line[name]}"
        for name in ("visit_id", "settlement_id", "prescription_id", "patient_id")
        if line.get(name)
    }
    return tuple({**line, **own}.get(column, "") for column in LINE)


def _exemption(cells: Cells, code: str, rule_id: str, diagnoses: tuple[str, ...] | None) -> ExemptionRow:
    row = ExemptionRow(
        exemption_id=f"{code}-{cells.text('exemption_id')}",
        rule_id=rule_id,
        effect=cells.choice("effect", words.EFFECTS),
        reason=cells.text("reason"),
        reason_en=cells.text("reason_en"),
        evidence=cells.text("evidence"),
        status=cells.choice("status", words.STATUSES),
        diagnoses=diagnoses,
        region=cells.optional("region"),
        region_of=cells.optional_choice("region_of", words.REGION_KINDS),
        valid_from=cells.day("valid_from"),
        valid_to=cells.optional_day("valid_to"),
    )
    check_place_and_time(cells, row.region, row.region_of, row.valid_from, row.valid_to)
    return row
