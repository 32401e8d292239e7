"""Whether a line is paid by the fund at all (docs/judgment.md, section 3): asked as SQL of the lines of a scan, and of one line at the counter."""

from __future__ import annotations

from collections.abc import Collection

from checker.ingest.sources import Source

SCOPE_COLUMNS = ("amount_in_scope", "full_self_paid_amount")
"""The columns that tell it."""


def tell_scope(sources: Collection[Source]) -> bool:
    """Whether some source has a column that tells it."""
    return any(source.map.has(name) for source in sources for name in SCOPE_COLUMNS)


def not_in_scope_sql(amount: str, in_scope: str, full_self_paid: str) -> str:
    """SQL boolean: nothing of the line is within the fund's scope. An amount of 0 tells nothing, and what is not known counts as in scope."""
    return f"coalesce({amount} <> 0, TRUE) AND coalesce({in_scope} = 0 OR {full_self_paid} = {amount}, FALSE)"


def is_not_in_scope(amount: str | None, in_scope: str | None, full_self_paid: str | None) -> bool:
    """The same of amounts as they are read at the counter, texts with four decimals."""
    if _is_zero(amount):
        return False
    return _is_zero(in_scope) or (amount is not None and full_self_paid == amount)


def _is_zero(amount: str | None) -> bool:
    return amount is not None and amount.strip("-0.") == ""
