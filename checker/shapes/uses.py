"""The relation `use`: what a patient had of the items that points count, pair or look back at; scan and counter both bring it to shapes."""

from __future__ import annotations

from collections.abc import Mapping

USE: Mapping[str, str] = {
    "together": "VARCHAR", "role": "VARCHAR", "line_no": "BIGINT", "line_id": "VARCHAR", "item_code": "VARCHAR", "patient": "VARCHAR",
    "visit": "VARCHAR", "institution": "VARCHAR", "at": "TIMESTAMP", "quantity": "DECIMAL(18, 4)", "amount": "DECIMAL(18, 4)",
    "unit_price": "DECIMAL(18, 4)", "price_limit": "DECIMAL(18, 4)", "days_supply": "BIGINT", "is_stay": "BOOLEAN", "begins": "DATE",
    "ends": "DATE", "is_paid": "BOOLEAN", "is_judged": "BOOLEAN",
}  # fmt: skip
"""One row for each line, netted, and each group that its code stands in, in force or not.

`item_code` is the national code by which it does, also where the line bears a local one that stands for it. `together` names what counts
together: a point, or a group or class of points (column `together` of points). `role` is that of the code in the point. `patient`, `visit` and
`institution` are keys, NULL where they are not known; `visit` is that of the institution, or the settlement where no visit is told. `at` is the
time of service (midnight: a day without its time), `quantity` what is left after refunds (1 where none is told), above 0. `is_stay`: the line is
of an inpatient stay, NULL where the care is not known; `begins` and `ends` are the days of the visit. `is_paid` is false where the fund is known
to pay nothing. `is_judged` is false for context, history and self-paid lines: no finding is about these.
"""
