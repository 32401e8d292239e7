"""Findings of a scan in words: the verdicts of checker.judge.compile with rule, message, advice and evidence as one SELECT."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from checker.judge.compile import verdict_sql
from checker.model import sqltext
from checker.model.template import read_template
from checker.model.typed_value import TEXT, TYPED, worded
from checker.model.words import AUDIT_ADVICE, CLASSES, PERSONS, REASONS, SCOPES
from checker.rulebook.plan import Plan, RulePlan
from checker.shapes import BY_ID

if TYPE_CHECKING:
    import duckdb

_FILLS = {
    "item_name": "coalesce(item_name, point_name)", "item_code": "item_code", "expected": "expected_phrase", "actual": "actual_phrase",
    "person": "person", "reason": "reason", "point_id": "point_id", "service_date": "CAST(service_date AS VARCHAR)", "rule_name": "rule_name",
}  # fmt: skip


LINE_NAME = """CASE WHEN line_id IS NOT NULL THEN replace(line_id, chr(30), chr(30) || chr(30))
    ELSE chr(30) || 'o' || coalesce(order_id, '') || chr(30) || CAST(ordinal AS VARCHAR) END"""
"""SQL of what names a line among those of its visit, item, time, quantity and amount: its id, else its order and its place among
lines that are equal in all of these (checker.ingest.identity). No id that is given is equal to one that is made;
checker.precheck.finding_text says the same."""

_WORDED_AT_ONCE = 20_000
"""So many values are put into words before they are handed to the engine."""
_CASE = {"class": "CASE WHEN final_reason_code = 'newborn' AND case_may_be_mother THEN 'newborn' ELSE case_class END"}
"""What a case tells otherwise than it came: only the verdict knows what is held to be a child's, and only the record whether its person may be the mother."""
ONLY_ASKED = frozenset({"may_be_mother"})
"""What a case is asked for by others of its columns, and does not tell."""


def _audit_advice(english: bool, further: Collection[str]) -> str:
    """SQL of what an auditor does about a finding, who is not at the counter any more."""

    def said(column: str, *codes: str) -> str:
        arms = " ".join(f"WHEN '{code}' THEN {sqltext.text(AUDIT_ADVICE[code][english])}" for code in codes)
        return f"CASE {column} {arms} END"

    by_class = [said(_CASE["class"], *CLASSES)] if "class" in further else []
    return f"coalesce({', '.join((*by_class, said('level', 'definite', 'suspect', 'notice'), said('verdict', 'undetermined', 'exempt')))})"


def word_values(connection: duckdb.DuckDBPyConnection, fired: str, language: str) -> None:
    """Make the table `worded` (value, short, phrase) of the typed values that lines hold; `fired` is SQL with `expected` and `actual`."""
    found = connection.execute(
        f"""SELECT DISTINCT value FROM (SELECT expected AS value FROM ({fired}) UNION ALL SELECT actual FROM ({fired}))
        WHERE regexp_matches(value, {sqltext.text(TYPED)})"""
    ).fetchall()
    connection.execute("CREATE OR REPLACE TEMP TABLE worded (value VARCHAR, short VARCHAR, phrase VARCHAR)")
    # Nearly always they are few; of a million lines of one item on one day each holds another count.
    for start in range(0, len(found), _WORDED_AT_ONCE):
        values = [str(value) for (value,) in found[start : start + _WORDED_AT_ONCE]]
        words = [worded(value, language) for value in values]
        connection.execute(
            "INSERT INTO worded SELECT unnest(CAST($1 AS VARCHAR[])), unnest(CAST($2 AS VARCHAR[])), unnest(CAST($3 AS VARCHAR[]))",
            [values, [each.short for each in words], [each.phrase for each in words]],
        )


def finding_sql(
    plan: Plan,
    fired: str,
    *,
    stage: str,
    language: str,
    kb_version: str,
    rules: Collection[int],
    further: Collection[str] = (),
) -> str:
    """SQL of findings in words, columns as in checker.model.schema.FINDING_COLUMNS and `line_no`.

    `fired` as in `verdict_sql`, with all LINE_COLUMNS, the point's evidence in words, quantity, amount,
    amount_in_scope (net of refunds), order_id and ordinal of lines without an id, what the institution calls the item, and own_code, the
    line's code where its national one is judged by the crosswalk; `word_values` was called on it. `rules` are the numbers of the
    rules of which it has lines: the words of others need not be planned. `further` are columns of `fired`, called `case_…` there, that pass through.
    checker.precheck.finding_text says the same at the counter.
    """

    def by_rule(part: Callable[[RulePlan], str]) -> str:
        """SQL of what the row's rule has of a part; NULL where there are no rules."""
        arms = " ".join(f"WHEN {number} THEN {part(plan.rules[number])}" for number in sorted(rules))
        return f"CASE rule_no {arms} END" if arms else "CAST(NULL AS VARCHAR)"

    english = language == "en"
    reason = " ".join(f"WHEN {sqltext.text(code)} THEN {sqltext.text(said[english])}" for code, said in REASONS.items())
    insured, patient = map(sqltext.text, PERSONS[language])
    violation, undetermined, advice = (by_rule(_filled(number, language)) for number in range(3))
    return f"""
WITH told AS (
  SELECT v.*, coalesce({by_rule(_scope_words(english))}, CASE WHEN is_insured THEN {insured} ELSE {patient} END) AS person,
    CASE final_reason_code {reason} END AS reason,
    {by_rule(lambda rule: sqltext.text(rule.name(language)))} AS rule_name,
    {_words("expected", "e.short")} AS expected_short, {_words("expected", "e.phrase")} AS expected_phrase,
    {_words("actual", "a.short")} AS actual_short, {_words("actual", "a.phrase")} AS actual_phrase
  FROM ({verdict_sql(plan, fired, stage=stage, rules=rules)}) v LEFT JOIN worded e ON e.value = expected LEFT JOIN worded a ON a.value = actual
)
SELECT line_no,
  md5(concat_ws(chr(31), coalesce(institution_id, ''), coalesce(settlement_id, ''), coalesce(visit_id, ''),
    {LINE_NAME}, coalesce(own_code, item_code), CAST(service_time AS VARCHAR),
    coalesce(CAST(gross_quantity AS VARCHAR), ''), coalesce(CAST(gross_amount AS VARCHAR), ''),
    {by_rule(lambda rule: sqltext.text(rule.id))})) AS finding_id,
  line_id, settlement_id, visit_id, patient_id, institution_id, service_time, item_code, coalesce(item_name, point_name) AS item_name,
  {by_rule(lambda rule: sqltext.text(rule.id))} AS rule_id,
  {by_rule(lambda rule: sqltext.text(rule.code) if rule.code else "CAST(NULL AS VARCHAR)")} AS rule_code,
  rule_name, point_id, matched_by, verdict, level, action, expected_short AS expected, actual_short AS actual,
  final_reason_code AS reason_code, reason,
  exemption_id, remarks, finding_scope AS scope, related_lines,
  coalesce(at_stake, amount) AS amount_at_stake, coalesce(own_code, local_item_code) AS local_item_code, local_item_name, quantity, amount, amount_in_scope,
  CASE verdict WHEN 'undetermined' THEN {undetermined} ELSE {violation} END AS message,
  {_audit_advice(english, further) if stage == "after" else advice} AS advice,
  evidence, {sqltext.text(kb_version)} AS kb_version,
  CAST({by_rule(lambda rule: str(rule.version))} AS INTEGER) AS rule_version,
  person, source_file, source_record{"".join(f", {_CASE.get(name, f'case_{name}')} AS {name}" for name in further if name not in ONLY_ASKED)}
FROM told"""


def _scope_words(english: bool) -> Callable[[RulePlan], str]:
    """SQL of what a rule judges where that is no person."""

    def words(rule: RulePlan) -> str:
        said = SCOPES.get(BY_ID[rule.shape].judges)
        return "CAST(NULL AS VARCHAR)" if said is None else sqltext.text(said[english])

    return words


def _filled(number: int, language: str) -> Callable[[RulePlan], str]:
    """SQL of a message of a rule: of a violation, an undetermined line, or the advice."""
    return lambda rule: read_template(rule.messages(language)[number]).sql(_FILLS)


def _words(value: str, found: str) -> str:
    """SQL of a value in words: those of the table, or the text that it is."""
    text = f"CASE WHEN starts_with({value}, '{TEXT}') THEN substr({value}, {len(TEXT) + 1}) ELSE {value} END"
    return f"coalesce({found}, {text})"
