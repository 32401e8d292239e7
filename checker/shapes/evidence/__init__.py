"""The shape `evidence`: a line, its point, and what the patient's diagnoses or earlier drugs say for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from checker.model.sql_builder import NULL, Steps, choose, every, negated
from checker.shapes.base import Column, Fact, Limit, Shape, in_pharmacy, missing_sql, name_nobody
from checker.shapes.evidence.base import PARTS, asked_parts, base
from checker.shapes.evidence.relations import CLASS_USE, DIAGNOSED, RELATIONS
from checker.shapes.evidence.words import say

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CLASS_USE", "DIAGNOSED", "EVIDENCE"]
_DAYS_MOST = 100_000


def _name(steps: Steps) -> None:
    steps.let("service_date", "CAST(service_time AS DATE)")
    # What speaks for an item is asked of the line: a finding names no person.
    name_nobody(steps)
    steps.let("diagnosis_fits", "fits")
    steps.let("diagnosis_leaves_open", "leaves_open")
    steps.let("diagnosis_on_file", "on_file")
    steps.let("days_since_earlier", "date_diff('day', previous, CAST(service_time AS DATE))")
    since = steps["data_since"]
    steps.let("days_of_history", NULL if since == NULL else f"date_diff('day', {since}, CAST(service_time AS DATE))")


def _why(steps: Steps, reads: Callable[[str], str]) -> str:
    diagnosis, earlier = reads("diagnosis"), reads("earlier")
    return choose(
        (every(diagnosis, "diagnosis_leaves_open"), "'diagnosis_unspecified'"),
        (every(diagnosis, negated("diagnosis_on_file"), in_pharmacy(steps)), "'diagnosis_not_kept'"),
        (every(diagnosis, negated("diagnosis_on_file")), missing_sql(steps, "diagnosis", "diagnosis_missing")),
        (
            every(earlier, negated(steps.known(steps["days_of_history"]))),
            missing_sql(steps, "earlier", "history_missing"),
        ),
        (earlier, "'history_short'"),
        otherwise="'other'",
    )


def _faults(cells: pl.DataFrame) -> Iterator[tuple[str, str, pl.Expr, str]]:
    # Polars takes longer to load than the counter may.
    from checker.shapes.evidence.cells import faults

    return faults(cells)


EVIDENCE = Shape(
    id="evidence",
    zh="明细与诊断、此前用药",
    en="a line and what diagnoses or earlier drugs say for it",
    scope="line",
    judges="line",
    roles={"item": ("受限的项目", "the item that is limited")},
    limits=(
        Limit("indications", str, "适应症的诊断编码（前段），以 | 相连", "diagnoses that fit, as beginnings of codes joined by |", fact="diagnosis"),
        Limit("unspecified", str, "较笼统、说不清是否符合的诊断编码（前段）", "diagnoses too general to tell, likewise", fact="diagnosis"),
        Limit("is_chronic", str, "慢性病，此前 365 天的诊断也算：yes", "chronic, diagnoses of 365 days before count: yes", ("yes",), "", "diagnosis"),
        Limit("drug_class", str, "药品的类别（编码前段，以 | 相连）", "the class of the drug, as beginnings of codes joined by |", fact="earlier"),
        Limit("to_check", str, "结算数据看不出、要人工核对的条件", "conditions that claims do not show and people check", wording=True),
        Limit("evidence_text", str, "公布的原文", "the text as published", wording=True),
    ),
    facts={
        "diagnosis": Fact(
            "诊断", "diagnoses", "就诊和结算的全部诊断", "all of visit and settlement", "diagnosis_code", "indications", "diagnosis_missing",
            told_by=("diagnosis_code", "special_disease_code"), key="diagnoses",
        ),
        "earlier": Fact(
            "此前的同类药品", "earlier drugs of the class", "", "", "patient_id", "drug_class", "history_missing",
            told_by=("patient_id", "patient_id_number"), key="earlier_drugs",
        ),
    },
    columns=(
        Column("indications", str, "适应症的诊断编码前段，以 | 相连", "the diagnoses that fit, as beginnings of codes joined by |", limits=("indications",)),
        Column("diagnosis_fits", bool, "有符合的诊断", "some diagnosis fits", "diagnosis", ("indications", "is_chronic")),
        Column(
            "diagnosis_leaves_open", bool, "有说不清是否符合的诊断", "some diagnosis is too general to tell", "diagnosis", ("indications", "unspecified"),
        ),
        Column("diagnosis_on_file", bool, "就诊或结算有诊断", "the visit or settlement has diagnoses", "diagnosis", ("indications",)),
        Column("drug_class", str, "药品的类别，编码前段以 | 相连", "the class of the drug, as beginnings of codes joined by |", limits=("drug_class",)),
        Column(
            "days_since_earlier", int, "距此前最近一次用同类其他药品的天数；没有的为空", "days since another drug of the class was used; NULL where none was",
            "earlier", ("drug_class",), most=_DAYS_MOST,
        ),
        Column(
            "days_of_history", int, "此前有多少天的数据；不知道的为空", "how many days of the patient's data lie before; NULL where that is not known",
            "earlier", most=_DAYS_MOST,
        ),
        Column("evidence_text", str, "公布的原文", "the text as published", limits=("evidence_text",)),
    ),
    reasons=(
        "header_missing", "diagnosis_unspecified", "diagnosis_not_kept", "diagnosis_missing", "history_missing", "history_short", "other",
    ),
    not_judged={"diagnosis_not_kept": "pharmacy_diagnoses"},
    line_columns=("patient_key", "visit_key", "settlement_key", "data_since"),
    relations=RELATIONS,
    base=base,
    parts=PARTS,
    asks=asked_parts,
    name=_name,
    why=_why,
    say=say,
    faults=_faults,
)  # fmt: skip
"""What is paid for only where something on file speaks for it."""
