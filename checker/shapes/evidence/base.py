"""SQL of the candidates of the shape `evidence` beside what diagnoses and earlier drugs say for them. Linear in the lines.

Limits are texts of many codes that few points have: they are taken apart once each, and met by the first three characters, never line by line.
What a patient was diagnosed with, or had, on many days is met by the last day that counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

PARTS = ("diagnoses", "chronic", "class")
"""What diagnoses say, those of a chronic disease before as well, and the last day of another drug of the class."""
CATEGORY = 3
"""So many first characters of a diagnosis are its category; beginnings in limits have no fewer."""
HISTORY_DAYS = 365
"""How long before a line the diagnosis of a chronic disease still speaks for it."""


def asked_parts(limits: Mapping[str, Any]) -> frozenset[str]:
    """What a point with these limits asks of `base`."""
    asked = {"class"} if limits.get("drug_class") is not None else set()
    if limits.get("indications") is not None:
        asked |= {"diagnoses", "chronic"} if limits.get("is_chronic") == "yes" else {"diagnoses"}
    return frozenset(asked)


def base(candidates: str, parts: Collection[str]) -> str:
    """SQL of the candidates with `fits`, `leaves_open`, `on_file` (of their diagnoses) and `previous` (the last day of another drug of the class)."""
    tables = [f"subject AS MATERIALIZED (SELECT *, CAST(service_time AS DATE) AS its_day FROM ({candidates}))"]
    joins, fits, leaves_open, on_file, previous = [], ["FALSE"], ["FALSE"], "FALSE", "CAST(NULL AS DATE)"
    if "diagnoses" in parts:
        tables.append(_DIAGNOSES)
        joins.append(
            "LEFT JOIN own ON own.line_no = s.line_no AND own.indications = s.indications AND own.unspecified = coalesce(s.unspecified, '')"
        )
        fits, leaves_open, on_file = (
            ["coalesce(own.fits, FALSE)"],
            ["coalesce(own.leaves_open, FALSE)"],
            "coalesce(own.on_file, FALSE)",
        )
    if "chronic" in parts:
        tables.append(_BEFORE)
        joins.append(
            """LEFT JOIN before ON s.is_chronic = 'yes' AND before.key = 'p' || s.patient_key AND before.its_day = s.its_day
        AND before.indications = s.indications AND before.unspecified = coalesce(s.unspecified, '')"""
        )
        fits.append("coalesce(before.fits, FALSE)")
        leaves_open.append("coalesce(before.leaves_open, FALSE)")
    if "class" in parts:
        tables.append(_CLASSES)
        joins.append(
            """LEFT JOIN previous p ON p.patient_key = s.patient_key AND p.drug_class = s.drug_class AND p.generics IS NOT DISTINCT FROM s.generics
        AND p.its_day = s.its_day"""
        )
        previous = "p.previous"
    return f"""WITH {", ".join(tables)}
      SELECT s.* EXCLUDE (its_day), {" OR ".join(fits)} AS fits, {" OR ".join(leaves_open)} AS leaves_open, {on_file} AS on_file, {previous} AS previous
      FROM subject s {" ".join(joins)}"""


_DIAGNOSES = f"""limited AS MATERIALIZED (
        SELECT DISTINCT indications, coalesce(unspecified, '') AS unspecified FROM subject WHERE indications IS NOT NULL),
      prefix AS MATERIALIZED (
        SELECT indications, unspecified, unnest(string_split(indications, '|')) AS prefix, TRUE AS fits FROM limited
        UNION ALL SELECT indications, unspecified, unnest(string_split(unspecified, '|')), FALSE FROM limited WHERE unspecified <> ''),
      held AS MATERIALIZED (
        SELECT DISTINCT unnest(['l' || line_no, 'v' || visit_key, 's' || settlement_key, CASE WHEN is_chronic = 'yes' THEN 'p' || patient_key END]) AS key,
          indications, coalesce(unspecified, '') AS unspecified
        FROM subject WHERE indications IS NOT NULL),
      met AS MATERIALIZED (
        SELECT h.key, h.indications, h.unspecified, d.day, coalesce(bool_or(p.fits), FALSE) AS fits,
          coalesce(bool_or(NOT p.fits), FALSE) OR bool_or(p.prefix IS NULL AND starts_with(d.code, '*')) AS leaves_open
        FROM held h JOIN diagnosed d ON d.key = h.key
        LEFT JOIN prefix p ON p.indications = h.indications AND p.unspecified = h.unspecified
          AND left(p.prefix, {CATEGORY}) = left(d.code, {CATEGORY}) AND starts_with(d.code, p.prefix)
        GROUP BY ALL),
      own AS (
        SELECT line_no, m.indications, m.unspecified, bool_or(fits) AS fits, bool_or(leaves_open) AS leaves_open, TRUE AS on_file
        FROM (SELECT line_no, indications, unspecified, unnest(['l' || line_no, 'v' || visit_key, 's' || settlement_key]) AS key FROM subject) s
        JOIN met m ON m.key = s.key AND m.indications = s.indications AND m.unspecified = coalesce(s.unspecified, '') GROUP BY ALL)"""
"""SQL of what diagnoses say: of the visit, settlement and line itself.

A code of a special disease that no limit names leaves open what it stands for.
"""
_BEFORE = f"""its AS MATERIALIZED (
        SELECT DISTINCT 'p' || patient_key AS key, its_day, indications, coalesce(unspecified, '') AS unspecified FROM subject
        WHERE is_chronic = 'yes' AND patient_key IS NOT NULL AND indications IS NOT NULL),
      before AS (
        SELECT its.*, coalesce(f.day >= its_day - {HISTORY_DAYS}, FALSE) AS fits, coalesce(o.day >= its_day - {HISTORY_DAYS}, FALSE) AS leaves_open
        FROM its
        ASOF LEFT JOIN (SELECT key, indications, unspecified, day FROM met WHERE fits AND day IS NOT NULL) f
          ON f.key = its.key AND f.indications = its.indications AND f.unspecified = its.unspecified AND its.its_day >= f.day
        ASOF LEFT JOIN (SELECT key, indications, unspecified, day FROM met WHERE leaves_open AND day IS NOT NULL) o
          ON o.key = its.key AND o.indications = its.indications AND o.unspecified = its.unspecified AND its.its_day >= o.day)"""
"""SQL of what the patient of a chronic disease was diagnosed with before: it may speak for a line, never against it."""
_CLASSES = """asked AS MATERIALIZED (
        SELECT DISTINCT patient_key, drug_class, generics, its_day FROM subject WHERE drug_class IS NOT NULL AND patient_key IS NOT NULL),
      other AS MATERIALIZED (
        SELECT DISTINCT a.patient_key, a.drug_class, a.generics, u.day
        FROM (SELECT DISTINCT patient_key, drug_class, generics FROM asked) a JOIN class_use u ON u.patient = a.patient_key AND u.drug_class = a.drug_class
        WHERE NOT contains('|' || coalesce(a.generics, '') || '|', '|' || u.generic || '|')),
      previous AS (
        SELECT a.*, o.day AS previous FROM asked a
        ASOF LEFT JOIN other o ON o.patient_key = a.patient_key AND o.drug_class = a.drug_class AND o.generics IS NOT DISTINCT FROM a.generics
          AND a.its_day > o.day)"""
"""SQL of the last day before a line on which the patient had a drug of its class that is none of the point's own."""
