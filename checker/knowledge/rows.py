"""The rows of the four tables of a knowledge base.

docs/architecture.md is the page that fixes the columns; the field order of a row class is the column order of its table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PointRow:
    """One knowledge point [知识点]: what is limited, for whom, when in force, on what evidence."""

    point_id: str
    rule_id: str
    item_name: str
    sex: str | None
    age_word: str | None
    age_text: str | None
    age_min: int | None
    age_min_unit: str | None
    age_max: int | None
    age_max_unit: str | None
    subject: str | None
    region: str | None
    region_of: str | None
    valid_from: date
    valid_to: date | None
    level_cap: str | None
    remark: str | None
    document: str
    batch: str
    published_codes: int
    source_rows: str
    status: str = "active"
    superseded_by: str | None = None
    companions: str | None = None


@dataclass(frozen=True, slots=True)
class PatternRow:
    """One code or code family that a point covers."""

    point_id: str
    role: str
    match: str
    code: str
    published_codes: int


@dataclass(frozen=True, slots=True)
class ExemptionRow:
    """One exemption [豁免]: which rule it softens, how, why, and on whose word."""

    exemption_id: str
    rule_id: str
    effect: str
    reason: str
    reason_en: str
    evidence: str
    status: str
    diagnoses: tuple[str, ...] | None
    region: str | None
    region_of: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class ExemptionItemRow:
    """One item of an exemption; an exemption without items concerns every item of its rule."""

    exemption_id: str
    match: str
    value: str
