"""Which indicators the inputs do not allow, and what is lacking for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from checker.indicators import stays
from checker.indicators.definitions import Indicator
from checker.indicators.plan import Plan
from checker.indicators.told import NEEDS
from checker.ingest.gather import Gathered


def has(files: Gathered, column: str) -> bool:
    """Whether some input of any role tells a column."""
    return any(column in source.map.columns and source.map.has(column) for source in files.all_sources)


def lacking(files: Gathered, plan: Plan, indicators: Sequence[Indicator]) -> dict[str, str]:
    """The indicators that cannot be computed, and the first of their needs (NEEDS) that no input has."""
    told = {
        "amount": any(each.map.has("amount") for each in files.lines),
        "visit": plan.key is not None,
        "person": has(files, "patient_id") or has(files, "patient_id_number"),
        "care": has(files, "care_type"),
        "cost": plan.settled or any(each.map.has("amount") for each in files.lines),
        "fund": plan.settled and has(files, "settlement_fund_paid"),
        "own": plan.settled and (has(files, "own_amount") or has(files, "cash_amount")),
        "in_scope": has(files, "settlement_in_scope")
        if plan.settled
        else any(each.map.has("amount_in_scope") for each in files.lines),
        "stay_dates": has(files, "stay_days")
        or all(
            has(files, one) or has(files, other)
            for one, other in (("visit_start", "settlement_begin"), ("visit_end", "settlement_end"))
        ),
        "diagnoses": stays.may_read_diagnoses(files, plan),
        "on_admission": has(files, "on_admission"),
    }
    found = {}
    for each in indicators:
        needs = (
            *each.needs,
            *(("amount",) if each.source == "lines" else ()),
            *(() if "all" in each.care else ("care",)),
        )
        missing = next((need for need in needs if not told[need]), None)
        if missing:
            found[each.id] = missing
    return found


def told_lack(indicator: Indicator, need: str) -> dict[str, Any]:
    """What run.json says of an indicator that lacks something."""
    column, (chinese, english) = NEEDS[need]
    return {
        "id": indicator.id,
        "code": indicator.code,
        "zh": indicator.zh,
        "en": indicator.en,
        "column": column,
        "why": {"zh": chinese, "en": english},
    }
