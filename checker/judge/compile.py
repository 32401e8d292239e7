"""The rules of a shape become one SELECT over its base (line × point); no data is touched here.

Two SELECTs in a row: `fired_sql` settles the shape's columns and runs the clauses, `verdict_sql` weighs exemptions. The scan runs them
over relations on disk; `judged_sql` is the same for one prescription, in one. There is no third judge.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence

from checker.model.sql_builder import (
    FALSE,
    NULL,
    TRUE,
    Steps,
    choose,
    every,
    holds,
    lowest,
    negated,
    some,
)
from checker.model.typed_value import UNKNOWN
from checker.model.words import ACTIONS
from checker.rulebook.plan import LEVEL_RANK, Plan, RulePlan
from checker.shapes import BY_ID, CANDIDATE_COLUMNS, SHAPES
from checker.shapes.base import Shape

PRECEDENCE = "point_region IS NULL, matched_by, match_length DESC, point_valid_from DESC, point_id"
"""Which of several points of one rule judges a line: the first in this order; code goes before crosswalk before family, as they are spelt."""

FIRED_OUTPUTS = (
    "service_date",
    "is_insured",
    "violated",
    "lowered",
    "noticed",
    "expected",
    "actual",
    "reason_code",
    "related_lines",
    "family_account",
    "may_be_mother",
    "finding_scope",
    "at_stake",
    "own_remarks",
)
"""What `fired_sql` adds to its candidates for `verdict_sql`."""

OWN_OUTPUTS = {
    "finding_scope": "VARCHAR",
    "at_stake": "DECIMAL(18, 4)",
    "own_remarks": "VARCHAR[]",
    "related_lines": "VARCHAR[]",
}
"""The types of what only some shapes say."""

VERDICT_OUTPUTS = ("verdict", "level", "action", "final_reason_code", "exemption_id", "remarks")
"""What `verdict_sql` adds; the reason code counts only where the verdict is undetermined."""

_TYPES = (
    CANDIDATE_COLUMNS | OWN_OUTPUTS | {name: type_ for shape in SHAPES for name, type_ in shape.column_types.items()}
)


def fired_sql(
    plan: Plan,
    shape: Shape,
    candidates: str,
    *,
    contested: bool,
    absent: Collection[str] = (),
    parts: Collection[str] | None = None,
) -> str:
    """SQL of the line × point rows of the rules of a shape whose clause is not FALSE, with FIRED_OUTPUTS.

    `candidates` is SQL with CANDIDATE_COLUMNS, of rows of these rules; other columns pass through. The shape's relations are tables. `contested`: some line
    may meet two points of one rule, so that one must be chosen. `absent` names columns that are NULL in all candidates, which may lack them;
    `parts` are those of the shape that some point asks for, where not all may be.
    """
    steps = Steps(dict.fromkeys(absent, False), _TYPES)
    _name_fired(steps, shape, plan, plan.numbers_of(shape.id), keep_clean=False)
    applicable = _applicable(steps, candidates, contested=contested and not shape.each_point)
    source = shape.base(_with_params(plan, shape, applicable), shape.parts if parts is None else parts)
    return steps.select(source, FIRED_OUTPUTS)


def verdict_sql(plan: Plan, fired: str, *, stage: str, rules: Collection[int]) -> str:
    """SQL that adds VERDICT_OUTPUTS to `fired`.

    `fired` is SQL with the output of `fired_sql` and: exemptions (EXEMPTION_TYPE), diagnoses (list of codes; NULL or empty: none
    on file), newborn_near, code_repaired, duplicate, partly_refunded, partly_reversed, falsely_reversed, reuploaded (booleans).
    `stage` is before or after; `rules` are the numbers of the rules that `fired` may be of.
    """
    steps = Steps({}, _TYPES)
    _name_verdict(steps, plan, rules, stage)
    return steps.select(fired, VERDICT_OUTPUTS)


def judged_sql(
    plan: Plan,
    shape: Shape,
    candidates: str,
    *,
    stage: str,
    rules: Collection[int],
    filled: Mapping[str, bool],
    parts: Collection[str],
) -> str:
    """SQL of both in one, where all is known of few candidates: every row in force, clean ones too, with both outputs.

    What is known makes the SQL shorter, not the judgment another: `rules` are the numbers of the rules that candidates may be of, `parts`
    those of the base that their points ask for; `filled` names columns that have a value in each candidate (True) or in none (False;
    `candidates` may lack them). Diagnoses that are filled are not empty, and `exemptions.region` and the like tell of that field in all
    exemptions.
    """
    steps = Steps(filled, _TYPES)
    _name_fired(steps, shape, plan, rules, keep_clean=True)
    _name_verdict(steps, plan, rules, stage)
    source = shape.base(_with_params(plan, shape, _applicable(steps, candidates, contested=False)), parts)
    return steps.select(source, (*FIRED_OUTPUTS, *VERDICT_OUTPUTS))


def _applicable(steps: Steps, candidates: str, *, contested: bool) -> str:
    chosen = (
        f" QUALIFY row_number() OVER (PARTITION BY line_no, rule_no, item_code ORDER BY {PRECEDENCE}) = 1"
        f" AND matched_by = first_value(matched_by) OVER (PARTITION BY line_no, rule_no ORDER BY {PRECEDENCE}, item_code)"
        if contested
        else ""
    )
    return f"SELECT * FROM ({candidates}) WHERE {_in_force(steps)}{chosen}"


def _with_params(plan: Plan, shape: Shape, candidates: str) -> str:
    """The candidates with the parameters of their rules that the shape's base reads."""
    case = _CaseOf(plan, plan.numbers_of(shape.id))
    told = (f"{case.of(_param(name), 'CAST(NULL AS INTEGER)')} AS {name}" for name in shape.params)
    return f"SELECT *, {', '.join(told)} FROM ({candidates})" if shape.params else candidates


def _param(name: str) -> Callable[[RulePlan], str | None]:
    return lambda rule: str(rule.params[name]) if name in rule.params else None


def _name_fired(steps: Steps, shape: Shape, plan: Plan, rules: Collection[int], *, keep_clean: bool) -> None:
    shape.name(steps)
    # What most shapes say alike.
    for name, usual in (
        ("related_lines", NULL),
        ("finding_scope", f"'{shape.scope}'"),
        ("at_stake", NULL),
        ("own_remarks", NULL),
    ):
        if not steps.is_named(name):
            steps.let(name, usual)
    case = _CaseOf(plan, rules, steps)
    if steps["at_stake"] == NULL and any(plan.rules[number].at_stake for number in rules):
        stake = steps.let("ten_thousandths", case.of(lambda rule: rule.at_stake, "CAST(NULL AS BIGINT)"))
        steps.let(
            "at_stake",
            f"CAST(CASE WHEN {stake} > 0 THEN {stake} / 10000.0 WHEN {stake} <= 0 THEN 0 END AS DECIMAL(18, 4))",
        )
    steps.let("clause_value", case.of(lambda rule: rule.violated, "CAST(NULL AS BOOLEAN)"))
    doubtful = steps[shape.doubt] if shape.doubt else FALSE
    not_paid = steps["not_in_scope"]
    waived = every(
        holds("not_in_scope", not_paid), FALSE if not_paid == NULL else case.any_of(lambda rule: rule.fund_only)
    )
    violated = steps.let(
        "violated", choose((waived, FALSE), (every(doubtful, "clause_value"), NULL), otherwise="clause_value")
    )
    if not keep_clean:
        steps.keep(violated, "IS DISTINCT FROM FALSE")
    steps.let("lowered", case.of(lambda rule: rule.lower, FALSE))
    steps.let("noticed", case.of(lambda rule: rule.notice, FALSE))
    steps.let("expected", case.of(lambda rule: rule.expected, "CAST(NULL AS VARCHAR)"))
    actual = case.of(lambda rule: rule.actual, "CAST(NULL AS VARCHAR)")
    steps.let("actual", choose((doubtful, f"'{UNKNOWN}'"), otherwise=actual))
    why = shape.why(steps, lambda fact: case.any_of(lambda rule: fact in rule.reads))
    steps.let("reason_code", choose(("violated IS NULL", why), otherwise="CAST(NULL AS VARCHAR)"))


def in_force_sql() -> str:
    """SQL boolean over candidates: the point's time and place cover the line (judgment, section 3)."""
    return _in_force(Steps({}, _TYPES))


def _in_force(steps: Steps) -> str:
    """SQL of section 3 of the judgment: the point's time and place cover the line."""
    place = choose(
        (holds("point_region_of = 'institution'", steps["point_region_of"]), steps["region"]),
        otherwise=steps["insured_region"],
    )
    regional = steps.known(steps["point_region"])
    return every(
        "on_date >= valid_from",
        some(negated(steps.known(steps["valid_to"])), "on_date < valid_to"),
        some(negated(regional), holds(f"starts_with({place}, point_region)", place)),
    )


class _CaseOf:
    """Writes CASE over the rules that rows may be of, by number; equal arms are written once."""

    def __init__(self, plan: Plan, numbers: Collection[int], steps: Steps | None = None) -> None:
        self._rules = {number: rule for number, rule in enumerate(plan.rules) if number in numbers}
        self._steps = steps

    def of(self, part: Callable[[RulePlan], str | None], otherwise: str) -> str:
        """SQL of a part of the row's rule; `otherwise` where the rule has no such part."""
        arms: dict[str, list[str]] = {}
        for number, rule in self._rules.items():
            value = part(rule)
            arms.setdefault(otherwise if value is None else f"({value})", []).append(str(number))
        *others, last = arms or [otherwise]
        whens = " ".join(f"WHEN {self._is_one_of(arms[value])} THEN {value}" for value in others)
        return f"CASE {whens} ELSE {last} END" if whens else last

    def any_of(self, wanted: Callable[[RulePlan], bool]) -> str:
        """SQL that tells whether the row's rule is one of those wanted."""
        numbers = [str(number) for number, rule in self._rules.items() if wanted(rule)]
        if len(numbers) == len(self._rules):
            return TRUE
        return self._is_one_of(numbers) if numbers else FALSE

    def _is_one_of(self, numbers: Sequence[str]) -> str:
        # A long IN list becomes a join in DuckDB, run for every row whether its CASE arm is reached or not.
        listed = f"rule_no = {numbers[0]}" if len(numbers) == 1 else f"list_contains([{', '.join(numbers)}], rule_no)"
        return self._steps.let(f"is_rule_{'_'.join(numbers)}", listed) if self._steps else listed


def _name_verdict(steps: Steps, plan: Plan, rules: Collection[int], stage: str) -> None:
    """Section 5 of the judgment: verdict, level, action, the exemption named, remarks."""
    of_child = steps.let(
        "of_child", every(holds("newborn_near", steps["newborn_near"]), steps["may_be_mother"], "violated")
    )
    _name_exemptions(steps)
    exempted, lowers = steps.known(steps["exempted_by"]), steps.known(steps["lowered_by"])
    steps.let("verdict", choose(
        ("violated IS FALSE", "'clean'"), (exempted, "'exempt'"), (of_child, "'undetermined'"),
        ("violated", "'violation'"), otherwise="'undetermined'"))  # fmt: skip
    lowered, noticed, cap = steps["lowered"], steps["noticed"], steps["level_cap"]
    rank = _CaseOf(plan, rules).of(lambda rule: str(LEVEL_RANK[rule.level]), "1")
    falls = [choose((lowered, "1"), otherwise="0"), NULL if lowers == FALSE else "list_unique(lowering)"]
    caps = [
        choose((noticed, "1"), otherwise="3"),
        NULL if cap == NULL else "CASE level_cap WHEN 'notice' THEN 1 WHEN 'suspect' THEN 2 ELSE 3 END",
    ]
    reached = lowest(
        " - ".join([rank, *(fall for fall in falls if fall not in (NULL, "0"))]), *(c for c in caps if c != "3")
    )
    by_rank = " ".join(f"WHEN {number} THEN '{level}'" for level, number in LEVEL_RANK.items())
    steps.let("level", f"CASE WHEN verdict = 'violation' THEN CASE greatest(1, {reached}) {by_rank} END END")
    action = " ".join(f"WHEN '{level}' THEN '{what}'" for level, what in ACTIONS[stage].items())
    steps.let("action", f"CASE WHEN verdict = 'undetermined' THEN 'note' ELSE CASE level {action} END END")
    why = choose((of_child, "'newborn'"), otherwise="reason_code")
    steps.let("final_reason_code", f"CASE WHEN verdict = 'undetermined' THEN {why} END")
    violation = "verdict = 'violation'"
    steps.let(
        "exemption_id",
        choose((exempted, "exempted_by"), (violation, steps["lowered_by"]), otherwise="CAST(NULL AS VARCHAR)"),
    )
    remarks = {
        "code_repaired": steps["code_repaired"],
        "duplicate": steps["duplicate"],
        "exemption_possible": steps["exemption_possible"],
        "falsely_reversed": steps["falsely_reversed"],
        "family_account": steps["family_account"],
        "lowered_exemption": every(violation, lowers),
        "partly_refunded": steps["partly_refunded"],
        "partly_reversed": steps["partly_reversed"],
        "person_unreadable": steps["person_unreadable"],
        "reuploaded": steps["reuploaded"],
        "service_time_fallback": steps["time_fallback"],
    }
    case = _CaseOf(plan, rules)
    for shape in {plan.rules[number].shape for number in rules}:
        of_shape = case.any_of(functools.partial(_is_of, shape))
        for remark, holding in ((BY_ID[shape].lowered, lowered), (BY_ID[shape].noticed, noticed)):
            found = every(of_shape, violation, holding)
            remarks[remark] = some(remarks[remark], found) if remark in remarks else found
    told = [choose((condition, f"'{remark}'"), otherwise=NULL) for remark, condition in sorted(remarks.items())]
    listed = ", ".join(remark for remark in (*told, steps["point_remark"]) if remark != NULL)
    known = f"list_filter([{listed}], lambda r: r IS NOT NULL)" if listed else "CAST([] AS VARCHAR[])"
    own = steps["own_remarks"]
    steps.let("remarks", known if own == NULL else f"list_concat({known}, coalesce(own_remarks, []))")


def _is_of(shape: str, rule: RulePlan) -> bool:
    return rule.shape == shape


def _name_exemptions(steps: Steps) -> None:
    """Section 5 of the judgment: the exemptions that apply to the row, and the one that would with a diagnosis on file."""
    if steps["exemptions"] == NULL:
        for name, value in (("exempted_by", NULL), ("lowered_by", NULL), ("exemption_possible", FALSE)):
            steps.let(name, value)
        return
    place = "CASE WHEN e.region_of = 'institution' THEN region ELSE insured_region END"
    code = "CASE WHEN e.code_is_family THEN starts_with(item_code, e.code) ELSE item_code = e.code END"
    bounds = {
        "valid_to": "on_date < e.valid_to",
        "region": f"coalesce(starts_with({place}, e.region), FALSE)",
        "code": code,
    }
    fits = every(
        "on_date >= e.valid_from",
        *(f"(e.{field} IS NULL OR {fit})" for field, fit in bounds.items() if steps[f"exemptions.{field}"] != NULL),
    )
    diagnosed = (
        "len(list_filter(e.diagnoses, lambda p: len(list_filter(diagnoses, lambda d: starts_with(d, p))) > 0)) > 0"
    )
    diagnoses = steps["diagnoses"]
    on_file = TRUE if steps.known(diagnoses) == TRUE else holds("len(diagnoses) > 0", diagnoses)
    has_diagnosis = steps.let("has_diagnosis", on_file)
    free = TRUE if steps["exemptions.diagnoses"] == NULL else "e.diagnoses IS NULL"
    steps.let(
        "applied", f"list_filter(exemptions, lambda e: {every(fits, some(free, every(has_diagnosis, diagnosed)))})"
    )
    steps.let("exempted_by", f"list_min({_ids_of('exempt')})")
    steps.let("lowering", _ids_of("lower"))
    steps.let("lowered_by", "list_min(lowering)")
    # A lowering exemption counts for violations only; `level` and the others see to that where it applies.
    accused = every("coalesce(violated, FALSE)", negated(steps["of_child"]))
    bound = every("e.diagnoses IS NOT NULL", f"(e.effect = 'exempt' OR {accused})", fits)
    withheld = FALSE if free == TRUE else f"len(list_filter(exemptions, lambda e: {bound})) > 0"
    steps.let("exemption_possible", every("exempted_by IS NULL", negated(has_diagnosis), withheld))


def _ids_of(effect: str) -> str:
    return f"list_transform(applied, lambda e: CASE WHEN e.effect = '{effect}' THEN e.exemption_id END)"


EXEMPTION_TYPE = (
    "STRUCT(exemption_id VARCHAR, effect VARCHAR, diagnoses VARCHAR[], region VARCHAR, region_of VARCHAR, valid_from DATE, valid_to DATE, "
    "code VARCHAR, code_is_family BOOLEAN)[]"
)
"""The exemptions that may concern a point: those of its rule for all items, its name, or a code or family (`code`) of the line."""
