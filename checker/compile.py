"""Rules of the shape `item` become one SELECT over line × point; no data is touched here.

Two SELECTs in a row: `fired_sql` settles the person and runs the clauses, `finding_sql` weighs exemptions and puts findings into
words. The scan runs them over relations on disk, the counter over one prescription; there is no third judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from checker import sqltext
from checker.plan import LEVEL_RANK, Plan, RulePlan

LINE_COLUMNS = {
    "line_no": "BIGINT", "line_id": "VARCHAR", "settlement_id": "VARCHAR", "visit_id": "VARCHAR", "visit_start": "TIMESTAMP",
    "patient_id": "VARCHAR", "institution_id": "VARCHAR", "service_time": "TIMESTAMP", "on_date": "DATE",
    "item_code": "VARCHAR", "item_name": "VARCHAR", "care_type": "VARCHAR", "insured_region": "VARCHAR", "region": "VARCHAR",
    "gross_quantity": "DECIMAL(18, 4)", "gross_amount": "DECIMAL(18, 4)", "gross_in_scope": "DECIMAL(18, 4)",
    "time_fallback": "BOOLEAN", "person_unreadable": "BOOLEAN", "header_missing": "BOOLEAN", "newborn_flag": "BOOLEAN",
    "line_sex": "VARCHAR", "settlement_sex": "VARCHAR", "visit_sex": "VARCHAR", "header_sex_conflict": "BOOLEAN",
    "line_birth": "DATE", "settlement_birth": "DATE", "visit_birth": "DATE", "header_birth_conflict": "BOOLEAN",
    "patient_age": "BIGINT", "id_number": "VARCHAR", "insured_sex": "VARCHAR", "insured_birth_date": "DATE",
    "diagnosis_code": "VARCHAR", "source_file": "VARCHAR", "source_record": "BIGINT",
}  # fmt: skip
"""What a line brings to the judgment, settled by ingest: name and SQL type."""

POINT_COLUMNS = {
    "rule_no": "INTEGER", "point_id": "VARCHAR", "point_name": "VARCHAR", "point_sex": "VARCHAR", "age_word": "VARCHAR",
    "age_text": "VARCHAR", "age_min": "BIGINT", "age_min_unit": "VARCHAR", "age_max": "BIGINT", "age_max_unit": "VARCHAR",
    "subject": "VARCHAR", "point_region": "VARCHAR", "point_region_of": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE", "point_valid_from": "DATE",
    "level_cap": "VARCHAR", "point_remark": "VARCHAR", "document": "VARCHAR", "batch": "VARCHAR", "source_rows": "VARCHAR",
    "matched_by": "VARCHAR", "match_length": "INTEGER",
}  # fmt: skip
"""What a point brings to the judgment; valid_from and valid_to may be a part of the point's own time, where another takes the rest."""

PRECEDENCE = "matched_by = 'code' DESC, match_length DESC, point_valid_from DESC, point_id"
"""Which of several points of one rule judges a line: the first in this order."""

NEWBORN_DAYS = 28
PHARMACY_CARE = "41%"
OLDEST_YEARS = 130
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECK = "10X98765432"

REASONS = {"zh": {
    "header_missing": "找不到该明细对应的结算或就诊记录",
    "newborn": "新生儿标志为是，登记的可能是母亲的信息",
    "patient_unknown": "药店购药只有参保人信息，不知道实际使用人",
    "sex_missing": "没有性别信息",
    "birth_missing": "没有足够的年龄信息",
    "birth_impossible": "出生日期或年龄不合理",
    "sources_conflict": "不同来源的性别或出生日期互相矛盾",
    "unknown_code": "不是国家医保编码",
    "other": "信息不足",
}, "en": {
    "header_missing": "no settlement or visit record found for this line",
    "newborn": "newborn flag set: the record may be the mother's",
    "patient_unknown": "pharmacy sale that names only the insured, not who uses it",
    "sex_missing": "sex not known",
    "birth_missing": "age not known well enough",
    "birth_impossible": "birth date or age impossible",
    "sources_conflict": "sources contradict each other on sex or birth date",
    "unknown_code": "not a national item code",
    "other": "not enough information",
}}  # fmt: skip
"""Why a line is undetermined, in words, by language and reason code, in the order in which the first that holds counts."""
PERSONS = {"zh": ("参保人", "患者"), "en": ("insured person", "patient")}
"""Who was judged: the insured, the patient."""
ACTIONS = {"before": {"definite": "stop", "suspect": "confirm", "notice": "note"},
           "after": {"definite": "recover", "suspect": "review", "notice": "note"}}  # fmt: skip
"""What the caller must do, by stage and level; an undetermined finding is always a note."""


def id_number_is_right(column: str) -> str:
    """SQL boolean: 18 characters, and the check character of ISO 7064 MOD 11-2 is right."""
    total = " + ".join(f"(ascii(substr({column}, {place}, 1)) - 48) * {weight}" for place, weight in enumerate(ID_WEIGHTS, 1))
    return f"(regexp_full_match({column}, '[0-9]{{17}}[0-9X]') AND substr('{ID_CHECK}', ({total}) % 11 + 1, 1) = substr({column}, 18, 1))"


def fired_sql(plan: Plan, candidates: str, *, contested: bool, keep_clean: bool = False) -> str:
    """SQL of the line × point rows whose clause is not FALSE (`keep_clean`: of all that are in force).

    `candidates` is SQL with the columns LINE_COLUMNS and POINT_COLUMNS; others pass through. `contested`: some line may
    meet two points of one rule, so that one must be chosen.
    """
    chosen = (
        f"QUALIFY row_number() OVER (PARTITION BY line_no, rule_no ORDER BY {PRECEDENCE}) = 1" if contested else ""
    )
    place = "CASE WHEN point_region_of = 'institution' THEN region ELSE insured_region END"
    case = _CaseOf(plan)
    return f"""
WITH candidate AS ({candidates}),
applicable AS (
  SELECT * FROM candidate
  WHERE on_date >= valid_from AND (valid_to IS NULL OR on_date < valid_to)
    AND (point_region IS NULL OR coalesce(starts_with({place}, point_region), FALSE)) {chosen}
),
identified AS (
  SELECT *, CAST(service_time AS DATE) AS service_date,
    CASE WHEN id_number IS NOT NULL AND {id_number_is_right("id_number")}
         THEN CAST(try_strptime(substr(id_number, 7, 8), '%Y%m%d') AS DATE) END AS id_birth,
    CASE WHEN id_birth IS NOT NULL THEN CASE WHEN ascii(substr(id_number, 17, 1)) % 2 = 1 THEN 'male' ELSE 'female' END END AS id_sex
  FROM applicable
),
sourced AS (
  SELECT *, least(line_sex, settlement_sex, visit_sex, id_sex) AS sex_low, greatest(line_sex, settlement_sex, visit_sex, id_sex) AS sex_high,
    least(line_birth, settlement_birth, visit_birth, id_birth) AS birth_low,
    greatest(line_birth, settlement_birth, visit_birth, id_birth) AS birth_high
  FROM identified
),
patient AS (
  SELECT *, coalesce(header_sex_conflict, FALSE) OR coalesce(sex_low <> sex_high, FALSE) AS patient_sex_conflict,
    coalesce(header_birth_conflict, FALSE) OR coalesce(birth_low <> birth_high, FALSE) AS patient_birth_conflict,
    CASE WHEN NOT patient_sex_conflict THEN sex_low END AS patient_sex,
    CASE WHEN NOT patient_birth_conflict THEN birth_low END AS patient_birth,
    sex_low IS NOT NULL OR birth_low IS NOT NULL OR patient_age IS NOT NULL OR patient_sex_conflict OR patient_birth_conflict AS patient_given,
    insured_sex IS NOT NULL OR insured_birth_date IS NOT NULL AS insured_given
  FROM sourced
),
whose AS (
  SELECT *,
    coalesce(newborn_flag, FALSE) AND NOT coalesce(
      date_diff('day', CASE WHEN patient_given THEN patient_birth ELSE insured_birth_date END, service_date) BETWEEN 0 AND {NEWBORN_DAYS},
      FALSE) AS newborn_doubt,
    coalesce(subject = '就诊人' AND care_type LIKE '{PHARMACY_CARE}', FALSE) AND NOT patient_given AND insured_given AS patient_unknown,
    insured_given AND (coalesce(subject = '参保人', FALSE) OR NOT patient_given) AS is_insured,
    newborn_doubt OR patient_unknown AS nobody
  FROM patient
),
person AS (
  SELECT *,
    CASE WHEN nobody THEN NULL WHEN is_insured THEN insured_sex ELSE patient_sex END AS person_sex,
    CASE WHEN nobody THEN NULL WHEN is_insured THEN insured_birth_date ELSE patient_birth END AS birth,
    CASE WHEN nobody OR is_insured OR birth_low IS NOT NULL OR patient_birth_conflict THEN NULL ELSE patient_age END AS age_only,
    NOT is_insured AND patient_sex_conflict AS sex_conflicted,
    NOT is_insured AND patient_birth_conflict AS birth_conflicted
  FROM whose
),
lived AS (
  SELECT *, date_diff('day', birth, service_date) AS days_lived,
    year(service_date) - year(birth)
      - CASE WHEN month(service_date) * 100 + day(service_date) < month(birth) * 100 + day(birth) THEN 1 ELSE 0 END AS years_lived,
    (year(service_date) - year(birth)) * 12 + month(service_date) - month(birth)
      - CASE WHEN day(service_date) < day(birth) THEN 1 ELSE 0 END AS months_lived,
    coalesce(days_lived < 0 OR years_lived > {OLDEST_YEARS}, age_only < 0 OR age_only > {OLDEST_YEARS}, FALSE) AS impossible
  FROM person
),
aged AS (
  SELECT *,
    CASE WHEN newborn_doubt THEN 0 WHEN impossible THEN NULL ELSE coalesce(years_lived, age_only) END AS age_years,
    CASE WHEN newborn_doubt THEN 0 WHEN impossible THEN NULL ELSE coalesce(months_lived, age_only * 12) END AS months_low,
    CASE WHEN newborn_doubt THEN 0 WHEN impossible THEN NULL ELSE coalesce(months_lived, age_only * 12 + 11) END AS months_high,
    CASE WHEN newborn_doubt THEN 0 WHEN impossible THEN NULL ELSE coalesce(days_lived, age_only * 365) END AS days_low,
    CASE WHEN newborn_doubt THEN 0 WHEN impossible THEN NULL ELSE coalesce(days_lived, age_only * 366 + 365) END AS days_high
  FROM lived
),
based AS (
  SELECT *,
    CASE WHEN months_low = months_high THEN months_low END AS age_months,
    CASE WHEN days_low = days_high THEN days_low END AS age_days,
    age_max IS NOT NULL AS has_age_max,
    {_below("age_min")} AS under_age_min,
    {_reached("age_max")} AS over_age_max,
    CASE WHEN NOT nobody THEN date_diff('day', birth, CAST(visit_start AS DATE)) END AS age_days_at_visit_start
  FROM aged
),
run AS (
  SELECT *, {case.of(lambda rule: rule.violated, "CAST(NULL AS BOOLEAN)")} AS clause_value,
    CASE WHEN newborn_doubt AND clause_value THEN NULL ELSE clause_value END AS violated
  FROM based
)
SELECT * EXCLUDE (clause_value),
  {case.of(lambda rule: rule.lower, "FALSE")} AS lowered,
  {case.of(lambda rule: rule.notice, "FALSE")} AS noticed,
  {case.of(lambda rule: rule.expected, "CAST(NULL AS VARCHAR)")} AS expected,
  CASE WHEN newborn_doubt THEN '不明' ELSE {case.of(lambda rule: rule.actual, "CAST(NULL AS VARCHAR)")} END AS actual,
  CASE WHEN violated IS NULL THEN {_reason(plan)} END AS reason_code
FROM run {"" if keep_clean else "WHERE violated IS DISTINCT FROM FALSE"}"""


def _in_unit_of(bound: str, end: str) -> str:
    """SQL of the person's age in the unit of a bound, at the `low` or `high` end of what is known of it."""
    return f"CASE {bound}_unit WHEN 'year' THEN age_years WHEN 'month' THEN months_{end} WHEN 'day' THEN days_{end} END"


def _below(bound: str) -> str:
    low, high = _in_unit_of(bound, "low"), _in_unit_of(bound, "high")
    return f"CASE WHEN {bound} IS NULL THEN FALSE WHEN ({high}) < {bound} THEN TRUE WHEN ({low}) >= {bound} THEN FALSE END"


def _reached(bound: str) -> str:
    low, high = _in_unit_of(bound, "low"), _in_unit_of(bound, "high")
    return f"CASE WHEN {bound} IS NULL THEN FALSE WHEN ({low}) >= {bound} THEN TRUE WHEN ({high}) < {bound} THEN FALSE END"


def _reason(plan: Plan) -> str:
    sex = _numbers(plan, lambda rule: rule.reads_sex)
    age = _numbers(plan, lambda rule: rule.reads_age)
    return f"""CASE WHEN header_missing THEN 'header_missing' WHEN newborn_doubt THEN 'newborn' WHEN patient_unknown THEN 'patient_unknown'
    WHEN {sex} AND person_sex IS NULL AND NOT sex_conflicted THEN 'sex_missing'
    WHEN {age} AND NOT impossible AND NOT birth_conflicted AND (age_years IS NULL OR NOT {sex} OR person_sex IS NOT NULL) THEN 'birth_missing'
    WHEN {age} AND impossible THEN 'birth_impossible'
    WHEN {sex} AND sex_conflicted OR {age} AND birth_conflicted THEN 'sources_conflict' ELSE 'other' END"""


def _numbers(plan: Plan, wanted: Callable[[RulePlan], bool]) -> str:
    numbers = [str(number) for number, rule in enumerate(plan.rules) if wanted(rule)]
    return _is_one_of(numbers) if numbers else "FALSE"


def _is_one_of(numbers: Sequence[str]) -> str:
    # A long IN list becomes a join in DuckDB, run for every row whether its CASE arm is reached or not.
    return f"rule_no = {numbers[0]}" if len(numbers) == 1 else f"list_contains([{', '.join(numbers)}], rule_no)"


class _CaseOf:
    """Writes CASE rule_no … over the rules of a plan; equal arms are written once."""

    def __init__(self, plan: Plan) -> None:
        self._rules = plan.rules

    def of(self, part: Callable[[RulePlan], str | None], otherwise: str) -> str:
        arms: dict[str, list[str]] = {}
        for number, rule in enumerate(self._rules):
            value = part(rule)
            if value is not None:
                arms.setdefault(value, []).append(str(number))
        whens = " ".join(f"WHEN {_is_one_of(numbers)} THEN ({value})" for value, numbers in arms.items())
        return f"CASE {whens} ELSE {otherwise} END" if whens else otherwise


def verdict_sql(plan: Plan, fired: str, *, stage: str) -> str:
    """SQL that adds verdict, level, action, final_reason_code, exemption_id and remarks to `fired`.

    `fired` is SQL with the output of `fired_sql` and: exemptions (EXEMPTION_TYPE), diagnoses (list of codes; NULL or empty: none
    on file), duplicate, partly_refunded (booleans). `stage` is before or after.
    """
    rank = _CaseOf(plan).of(lambda rule: str(LEVEL_RANK[rule.level]), "1")
    cap = "CASE level_cap WHEN 'notice' THEN 1 WHEN 'suspect' THEN 2 ELSE 3 END"
    by_rank = " ".join(f"WHEN {number} THEN '{level}'" for level, number in LEVEL_RANK.items())
    action = " ".join(f"WHEN '{level}' THEN '{what}'" for level, what in ACTIONS[stage].items())
    diagnosed = "len(list_filter(e.diagnoses, lambda p: len(list_filter(diagnoses, lambda d: starts_with(d, p))) > 0)) > 0"
    place = "CASE WHEN e.region_of = 'institution' THEN region ELSE insured_region END"
    return f"""
WITH fitting AS (
  SELECT *, coalesce(len(diagnoses), 0) > 0 AS has_diagnosis, list_filter(exemptions, lambda e:
      on_date >= e.valid_from AND (e.valid_to IS NULL OR on_date < e.valid_to)
      AND (e.region IS NULL OR coalesce(starts_with({place}, e.region), FALSE))
      AND (e.code IS NULL OR CASE WHEN e.code_is_family THEN starts_with(item_code, e.code) ELSE item_code = e.code END)
      AND (e.effect = 'exempt' OR coalesce(violated, FALSE))) AS considered
  FROM ({fired})
),
weighed AS (
  SELECT *, list_filter(considered, lambda e: e.diagnoses IS NULL OR (has_diagnosis AND {diagnosed})) AS applied,
    list_sort(list_transform(list_filter(applied, lambda e: e.effect = 'exempt'), lambda e: e.exemption_id)) AS exempting,
    list_sort(list_distinct(list_transform(list_filter(applied, lambda e: e.effect = 'lower'), lambda e: e.exemption_id))) AS lowering,
    len(exempting) = 0 AND NOT has_diagnosis AND len(list_filter(considered, lambda e: e.diagnoses IS NOT NULL)) > 0 AS exemption_possible,
    CASE WHEN violated IS FALSE THEN 'clean' WHEN len(exempting) > 0 THEN 'exempt' WHEN violated THEN 'violation' ELSE 'undetermined' END AS verdict
  FROM fitting
),
levelled AS (
  SELECT *, CASE WHEN verdict = 'violation' THEN greatest(1, least(
      ({rank}) - CASE WHEN lowered THEN 1 ELSE 0 END - len(lowering), {cap}, CASE WHEN noticed THEN 1 ELSE 3 END)) END AS level_rank,
    CASE level_rank {by_rank} END AS level
  FROM weighed
)
SELECT *,
  CASE verdict WHEN 'violation' THEN CASE level {action} END WHEN 'undetermined' THEN 'note' END AS action,
  CASE WHEN verdict = 'undetermined' THEN reason_code END AS final_reason_code,
  CASE WHEN len(exempting) > 0 THEN exempting[1] WHEN verdict = 'violation' THEN lowering[1] END AS exemption_id,
  list_filter([
    CASE WHEN duplicate THEN 'duplicate' END, CASE WHEN exemption_possible THEN 'exemption_possible' END,
    CASE WHEN verdict = 'violation' AND len(lowering) > 0 THEN 'lowered_exemption' END,
    CASE WHEN verdict = 'violation' AND lowered THEN 'lowered_lenient' END,
    CASE WHEN partly_refunded THEN 'partly_refunded' END, CASE WHEN person_unreadable THEN 'person_unreadable' END,
    CASE WHEN time_fallback THEN 'service_time_fallback' END,
    CASE WHEN verdict = 'violation' AND noticed THEN 'stay_began_in_window' END, point_remark], lambda r: r IS NOT NULL) AS remarks
FROM levelled"""


def finding_sql(plan: Plan, fired: str, *, stage: str, language: str, kb_version: str) -> str:
    """SQL of findings in words, columns as in checker.schema.FINDING_COLUMNS and `line_no`.

    `fired` as in `verdict_sql`, with all LINE_COLUMNS, the point's document, batch and source_rows, and quantity, amount,
    amount_in_scope (net of refunds). checker.precheck puts the same words to one prescription.
    """
    case = _CaseOf(plan)
    reasons = REASONS[language]
    reason = " ".join(f"WHEN {sqltext.text(code)} THEN {sqltext.text(words)}" for code, words in reasons.items())
    insured, patient = PERSONS[language]
    return f"""
WITH told AS (
  SELECT *, CASE WHEN is_insured THEN {sqltext.text(insured)} ELSE {sqltext.text(patient)} END AS person,
    CASE final_reason_code {reason} END AS reason,
    {case.of(lambda rule: sqltext.text(rule.name(language)), "NULL")} AS rule_name
  FROM ({verdict_sql(plan, fired, stage=stage)})
)
SELECT line_no,
  md5(concat_ws(chr(31), coalesce(institution_id, ''), coalesce(settlement_id, ''), coalesce(visit_id, ''),
    coalesce(line_id, source_file || chr(30) || CAST(source_record AS VARCHAR), ''), item_code, CAST(service_time AS VARCHAR),
    coalesce(CAST(gross_quantity AS VARCHAR), ''), coalesce(CAST(gross_amount AS VARCHAR), ''),
    {case.of(lambda rule: sqltext.text(rule.id), "''")})) AS finding_id,
  line_id, settlement_id, visit_id, patient_id, institution_id, service_time, item_code, coalesce(item_name, point_name) AS item_name,
  {case.of(lambda rule: sqltext.text(rule.id), "NULL")} AS rule_id,
  {case.of(lambda rule: sqltext.text(rule.code) if rule.code else None, "CAST(NULL AS VARCHAR)")} AS rule_code,
  rule_name, point_id, matched_by, verdict, level, action, expected, actual, final_reason_code AS reason_code, reason,
  exemption_id, remarks, 'line' AS scope, CAST(NULL AS VARCHAR[]) AS related_lines, quantity, amount, amount_in_scope,
  CASE verdict WHEN 'undetermined' THEN {case.of(lambda rule: _words(rule.messages(language)[1]), "NULL")}
    ELSE {case.of(lambda rule: _words(rule.messages(language)[0]), "NULL")} END AS message,
  {case.of(lambda rule: _words(rule.messages(language)[2]), "NULL")} AS advice,
  concat_ws('；', document, '批次 ' || batch, source_rows) AS evidence,
  {sqltext.text(kb_version)} AS kb_version,
  {case.of(lambda rule: str(rule.version), "NULL")} AS rule_version,
  person, source_file, source_record
FROM told"""


EXEMPTION_TYPE = (
    "STRUCT(exemption_id VARCHAR, effect VARCHAR, diagnoses VARCHAR[], region VARCHAR, region_of VARCHAR, valid_from DATE, valid_to DATE, "
    "code VARCHAR, code_is_family BOOLEAN)[]"
)
"""The exemptions that may concern a point: those of its rule for all items, its name, or a code or family (`code`) of the line."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_FILLS = {
    "item_name": "coalesce(item_name, point_name)", "item_code": "item_code", "expected": "expected", "actual": "actual",
    "person": "person", "reason": "reason", "point_id": "point_id", "service_date": "CAST(service_date AS VARCHAR)",
}  # fmt: skip


def _words(template: str) -> str:
    """SQL that fills the placeholders of a message; the loader has checked that each is known."""
    parts: list[str] = []
    end = 0
    for match in _PLACEHOLDER.finditer(template):
        parts.append(sqltext.text(template[end : match.start()]))
        fill = match.group(1)
        parts.append("rule_name" if fill == "rule_name" else f"coalesce({_FILLS[fill]}, '')")
        end = match.end()
    parts.append(sqltext.text(template[end:]))
    return f"concat({', '.join(part for part in parts if part != sqltext.text(''))})"


def typed_columns(columns: dict[str, str], names: Sequence[str]) -> str:
    """SQL casts of the columns in `names` to their declared types."""
    return ", ".join(f"CAST({name} AS {columns[name]}) AS {name}" for name in names)
