"""Whether a line is paid by the fund at all (docs/judgment.md, section 3): asked as SQL of the lines of a scan, and of one line at the counter."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from checker.ingest.sources import Source

SCOPE_COLUMNS = ("amount_in_scope", "full_self_paid_amount")
"""The columns that tell it."""
_FEN = Decimal("0.01")
"""Less than that is a matter of rounding: amounts come with two decimals from some programs, with four from others."""


def tell_scope(sources: Collection[Source]) -> bool:
    """Whether some source has a column that tells it."""
    return any(source.map.has(name) for source in sources for name in SCOPE_COLUMNS)


def is_nothing_sql(amount: str) -> str:
    """SQL of whether an amount is 0; NULL where it is not known."""
    return f"abs({amount}) < {_FEN}"


def not_in_scope_sql(amount: str, in_scope: str, full_self_paid: str) -> str:
    """SQL boolean: nothing of the line is within the fund's scope. An amount of 0 tells nothing, and what is not known counts as in scope; so does
    a line of which the whole is said to be paid by the patient and something to be in scope, which contradict each other.
    """
    whole = f"({in_scope} IS NULL AND {is_nothing_sql(f'{full_self_paid} - {amount}')})"
    told = f"coalesce({is_nothing_sql(in_scope)} OR {whole}, FALSE)"
    return f"NOT coalesce({is_nothing_sql(amount)}, FALSE) AND {told}"


def in_scope_sql(amount: str, in_scope: str, full_self_paid: str) -> str:
    """SQL boolean: something of the line is known to be within the fund's scope, and nothing contradicts it."""
    contradicted = f"coalesce({is_nothing_sql(f'{full_self_paid} - {amount}')}, FALSE)"
    return f"({in_scope} >= {_FEN} AND NOT {contradicted})"


def is_not_in_scope(amount: str | None, in_scope: str | None, full_self_paid: str | None) -> bool:
    """The same of amounts as they are read at the counter, texts with four decimals."""
    if is_nothing(amount):
        return False
    return is_nothing(in_scope) or (in_scope is None and is_whole(amount, full_self_paid))


def is_in_scope(amount: str | None, in_scope: str | None, full_self_paid: str | None) -> bool:
    """Whether something is known to be in scope, likewise."""
    return in_scope is not None and Decimal(in_scope) >= _FEN and not is_whole(amount, full_self_paid)


def is_whole(amount: str | None, part: str | None) -> bool:
    """Whether a part is all of an amount."""
    return amount is not None and part is not None and abs(Decimal(part) - Decimal(amount)) < _FEN


def is_nothing(amount: str | None) -> bool:
    """Whether an amount is 0."""
    return amount is not None and abs(Decimal(amount)) < _FEN
