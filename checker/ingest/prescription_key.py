"""Which prescription [处方] a line belongs to, from what the line itself says."""

from __future__ import annotations


def prescription_key(
    prescription: str, visit: str, settlement: str, institution: str, time: str, prescriber: str
) -> str:
    """SQL of which prescription a line belongs to, from SQL of what the line itself says: NULL where that does not tell.

    Without a number, what one doctor ordered at one time in one visit is taken for one prescription (`is_guessed`).
    """
    place = f"coalesce({institution}, ''), coalesce({visit}, {settlement}, '')"
    return (
        f"CASE WHEN {prescription} IS NOT NULL THEN concat_ws(chr(31), 'p', {place}, {prescription}) "
        f"WHEN {is_guessed(prescription, visit, settlement, prescriber)} "
        f"THEN concat_ws(chr(31), 't', {place}, CAST({time} AS VARCHAR), {prescriber}) END"
    )


def is_guessed(prescription: str, visit: str, settlement: str, prescriber: str) -> str:
    """SQL boolean: no number names the prescription, but visit, time and prescriber do."""
    return f"({prescription} IS NULL AND coalesce({visit}, {settlement}) IS NOT NULL AND {prescriber} IS NOT NULL)"
