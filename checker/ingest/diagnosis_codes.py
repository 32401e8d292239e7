"""Codes of diagnoses as indications are held against them: dual codes apart, national codes of special diseases marked, others left out."""

from __future__ import annotations

import re

from checker.model import sqltext

SPECIAL = "*"
"""Begins the national code of a special disease [门诊慢特病], M and five digits: as it stands it would look like one of ICD-10's chapter M."""
_SPECIAL_CODE = "M[0-9]{5}"
_ICD_CODE = r"[A-Z][0-9]{2}(?:[.*†X0-9].*)?"
_OTHER_CODE = r"[A-Z][0-9]{2}\.[0-9]{2}\..*"
"""Diseases of Chinese medicine (A04.01.01), which look like ICD-10's."""
_SPECIAL_READ, _ICD_READ, _OTHER_READ = map(re.compile, (_SPECIAL_CODE, _ICD_CODE, _OTHER_CODE))


def parts_of(code: str) -> list[str]:
    """The codes of a diagnosis as read from a value.

    >>> parts_of("E11.300+H36.0*"), parts_of("M03900"), parts_of("A04.01.01")
    (['E11.300', 'H36.0*'], ['*M03900'], [])
    """
    return [f"{SPECIAL}{part}" if _SPECIAL_READ.fullmatch(part) else part for part in code.split("+") if _is_code(part)]


def _is_code(part: str) -> bool:
    return _ICD_READ.fullmatch(part) is not None and not _OTHER_READ.fullmatch(part)


def parts_sql(rows: str) -> str:
    """SQL of the rows of a relation that has a column `code`, one for each of its codes, each once."""
    icd, other, special = map(sqltext.text, (_ICD_CODE, _OTHER_CODE, _SPECIAL_CODE))
    parts = f"SELECT DISTINCT * REPLACE (unnest(string_split(code, '+')) AS code) FROM ({rows})"
    marked = f"CASE WHEN regexp_full_match(code, {special}) THEN '{SPECIAL}' || code ELSE code END"
    return (
        f"SELECT * REPLACE ({marked} AS code) FROM ({parts}) "
        f"WHERE regexp_full_match(code, {icd}) AND NOT regexp_full_match(code, {other})"
    )
