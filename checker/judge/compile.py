"""Rules of the shape `item` become one SELECT over line × point; no data is touched here.

Two SELECTs in a row: `fired_sql` settles the person and runs the clauses, `verdict_sql` weighs exemptions. The scan runs them over
relations on disk; `judged_sql` is the same for one prescription, in one. There is no third judge.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from checker.model.sql_builder import (
    FALSE,
    NULL,
    TRUE,
    Steps,
    choose,
    every,
    first,
    highest,
    holds,
    lowest,
    negated,
    some,
)
from checker.model.typed_value import UNKNOWN
from checker.model.words import ACTIONS
from checker.rulebook.plan import LEVEL_RANK, Plan, RulePlan

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


def id_number_is_right(column: str) -> str:
    """SQL boolean: 18 characters, and the check character of ISO 7064 MOD 11-2 is right."""
    total = " + ".join(
        f"(ascii(substr({column}, {place}, 1)) - 48) * {weight}" for place, weight in enumerate(ID_WEIGHTS, 1)
    )
    return f"(regexp_full_match({column}, '[0-9]{{17}}[0-9X]') AND substr('{ID_CHECK}', ({total}) % 11 + 1, 1) = substr({column}, 18, 1))"


FIRED_OUTPUTS = ("service_date", "is_insured", "violated", "lowered", "noticed", "expected", "actual", "reason_code")
"""What `fired_sql` adds to its candidates for `verdict_sql`."""

VERDICT_OUTPUTS = ("verdict", "level", "action", "final_reason_code", "exemption_id", "remarks")
"""What `verdict_sql` adds; the reason code counts only where the verdict is undetermined."""

_BASE_COLUMNS = {
    "person_sex": "VARCHAR", "age_years": "BIGINT", "age_months": "BIGINT", "age_days": "BIGINT", "age_days_at_visit_start": "BIGINT",
    "has_age_max": "BOOLEAN", "under_age_min": "BOOLEAN", "over_age_max": "BOOLEAN",
}  # fmt: skip
"""What the clauses read beside the point's own columns: name and SQL type."""
_TYPES = LINE_COLUMNS | POINT_COLUMNS | _BASE_COLUMNS


def fired_sql(plan: Plan, candidates: str, *, contested: bool, absent: Collection[str] = ()) -> str:
    """SQL of the line × point rows whose clause is not FALSE, with FIRED_OUTPUTS.

    `candidates` is SQL with the columns LINE_COLUMNS and POINT_COLUMNS; others pass through. `contested`: some line may
    meet two points of one rule, so that one must be chosen. `absent` names columns that are NULL in all candidates, which may lack them.
    """
    steps = Steps(dict.fromkeys(absent, False), _TYPES)
    _name_fired(steps, plan, range(len(plan.rules)), keep_clean=False)
    return steps.select(_applicable(steps, candidates, contested=contested), FIRED_OUTPUTS)


def verdict_sql(plan: Plan, fired: str, *, stage: str) -> str:
    """SQL that adds VERDICT_OUTPUTS to `fired`.

    `fired` is SQL with the output of `fired_sql` and: exemptions (EXEMPTION_TYPE), diagnoses (list of codes; NULL or empty: none
    on file), duplicate, partly_refunded (booleans). `stage` is before or after.
    """
    steps = Steps({}, _TYPES)
    _name_verdict(steps, plan, range(len(plan.rules)), stage)
    return steps.select(fired, VERDICT_OUTPUTS)


def judged_sql(plan: Plan, candidates: str, *, stage: str, rules: Collection[int], filled: Mapping[str, bool]) -> str:
    """SQL of both in one, where all is known of few candidates: every row in force, clean ones too, with both outputs.

    What is known makes the SQL shorter, not the judgment another: `rules` are the numbers of the rules that candidates may be of;
    `filled` names columns that have a value in each candidate (True) or in none (False; `candidates` may lack them). Diagnoses that
    are filled are not empty, and `exemptions.region` and the like tell of that field in all exemptions.
    """
    steps = Steps(filled, _TYPES)
    _name_fired(steps, plan, rules, keep_clean=True)
    _name_verdict(steps, plan, rules, stage)
    return steps.select(_applicable(steps, candidates, contested=False), (*FIRED_OUTPUTS, *VERDICT_OUTPUTS))


def _applicable(steps: Steps, candidates: str, *, contested: bool) -> str:
    chosen = (
        f" QUALIFY row_number() OVER (PARTITION BY line_no, rule_no ORDER BY {PRECEDENCE}) = 1" if contested else ""
    )
    return f"SELECT * FROM ({candidates}) WHERE {_in_force(steps)}{chosen}"


def _name_fired(steps: Steps, plan: Plan, rules: Collection[int], *, keep_clean: bool) -> None:
    _name_person(steps)
    _name_age(steps)
    case = _CaseOf(plan, rules, steps)
    steps.let("clause_value", case.of(lambda rule: rule.violated, "CAST(NULL AS BOOLEAN)"))
    doubtful = steps["newborn_doubt"]
    violated = steps.let("violated", choose((every(doubtful, "clause_value"), NULL), otherwise="clause_value"))
    if not keep_clean:
        steps.keep(violated, "IS DISTINCT FROM FALSE")
    steps.let("lowered", case.of(lambda rule: rule.lower, FALSE))
    steps.let("noticed", case.of(lambda rule: rule.notice, FALSE))
    steps.let("expected", case.of(lambda rule: rule.expected, "CAST(NULL AS VARCHAR)"))
    actual = case.of(lambda rule: rule.actual, "CAST(NULL AS VARCHAR)")
    steps.let("actual", choose((doubtful, f"'{UNKNOWN}'"), otherwise=actual))
    steps.let("reason_code", choose(("violated IS NULL", _reason(case, steps)), otherwise="CAST(NULL AS VARCHAR)"))


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


def _name_person(steps: Steps) -> None:
    """Section 2 of the judgment: whose sex and birth date count, and what is in doubt."""
    number = steps["id_number"]
    steps.let("service_date", "CAST(service_time AS DATE)")
    right = every(steps.known(number), id_number_is_right("id_number"))
    born = steps.let("id_birth", NULL if number == NULL else
                     choose((right, "CAST(try_strptime(substr(id_number, 7, 8), '%Y%m%d') AS DATE)"), otherwise=NULL))  # fmt: skip
    male = "ascii(substr(id_number, 17, 1)) % 2 = 1"
    sex = steps.let(
        "id_sex", choose((steps.known(born), choose((male, "'male'"), otherwise="'female'")), otherwise=NULL)
    )
    sexes = (steps["line_sex"], steps["settlement_sex"], steps["visit_sex"], sex)
    births = (steps["line_birth"], steps["settlement_birth"], steps["visit_birth"], born)
    sex_conflict, sex_low = _agreed(steps, "sex", sexes)
    birth_conflict, birth_low = _agreed(steps, "birth", births)
    patient_sex = steps.let("patient_sex", choose((sex_conflict, NULL), otherwise=sex_low))
    patient_birth = steps.let("patient_birth", choose((birth_conflict, NULL), otherwise=birth_low))
    patient_given = steps.let(
        "patient_given", some(steps.known(*sexes, *births, steps["patient_age"]), sex_conflict, birth_conflict)
    )
    insured = (steps["insured_sex"], steps["insured_birth_date"])
    insured_given = steps.let("insured_given", steps.known(*insured))
    whose_birth = choose((patient_given, patient_birth), otherwise=insured[1])
    is_newborn = holds(f"date_diff('day', {whose_birth}, service_date) BETWEEN 0 AND {NEWBORN_DAYS}", whose_birth)
    doubt = steps.let("newborn_doubt", every(holds("newborn_flag", steps["newborn_flag"]), negated(is_newborn)))
    subject = steps["subject"]
    at_pharmacy = holds(f"subject = '就诊人' AND care_type LIKE '{PHARMACY_CARE}'", subject, steps["care_type"])
    unknown = steps.let("patient_unknown", every(at_pharmacy, negated(patient_given), insured_given))
    is_insured = steps.let(
        "is_insured", every(insured_given, some(holds("subject = '参保人'", subject), negated(patient_given)))
    )
    nobody = steps.let("nobody", some(doubt, unknown))
    steps.let("person_sex", choose((nobody, NULL), (is_insured, insured[0]), otherwise=patient_sex))
    steps.let("birth", choose((nobody, NULL), (is_insured, insured[1]), otherwise=patient_birth))
    no_age = some(nobody, is_insured, steps.known(*births), birth_conflict)
    steps.let("age_only", choose((no_age, NULL), otherwise=steps["patient_age"]))
    steps.let("sex_conflicted", every(negated(is_insured), sex_conflict))
    steps.let("birth_conflicted", every(negated(is_insured), birth_conflict))


def _agreed(steps: Steps, what: str, values: Sequence[str]) -> tuple[str, str]:
    """Whether sources contradict each other, and the least of their values."""
    low, high = steps.let(f"{what}_low", lowest(*values)), steps.let(f"{what}_high", highest(*values))
    header = f"header_{what}_conflict"
    differ = FALSE if low == high else holds(f"{low} <> {high}", low)
    return steps.let(f"patient_{what}_conflict", some(holds(header, steps[header]), differ)), low


def _name_age(steps: Steps) -> None:
    """The age at the service date, and how it stands to the bounds of the point's own text.

    `span` is the difference of the two dates as months × 100 + days of the month: cut to hundreds it is whole months, cut to twelve
    hundreds whole years, and its sign is that of the difference. It is written without year(), month() and day(): each of these fills
    a table of all days of a century before its first row.
    """
    birth, age, doubt = steps["birth"], steps["age_only"], steps["newborn_doubt"]
    months = f"date_diff('month', {birth}, service_date)"
    span = steps.let(
        "span", NULL if birth == NULL else f"{months} * 100 + {_day_of_month('service_date')} - {_day_of_month(birth)}"
    )
    in_range = {
        "span": f"span BETWEEN 0 AND {(OLDEST_YEARS + 1) * 1200 - 1}",
        "age_only": f"age_only BETWEEN 0 AND {OLDEST_YEARS}",
    }
    lived = steps.let("lived", NULL if span == NULL else f"CASE WHEN {in_range['span']} THEN span END")
    alone = steps.let("age_alone", NULL if age == NULL else f"CASE WHEN {in_range['age_only']} THEN age_only END")
    steps.let(
        "impossible",
        some(
            *(
                f"({steps.known(given)} AND {fit} IS NULL)"
                for given, fit in ((span, lived), (age, alone))
                if given != NULL
            )
        ),
    )

    def aged(name: str, by_birth: str, by_age: str) -> str:
        value = first(NULL if lived == NULL else by_birth, NULL if alone == NULL else by_age)
        return steps.let(name, choose((doubt, "0"), otherwise=value))

    days = f"CASE WHEN lived IS NOT NULL THEN date_diff('day', {birth}, service_date) END"
    ends = {
        "year": (aged("age_years", "lived // 1200", "age_alone"), steps["age_years"]),
        "month": (
            aged("months_low", "lived // 100", "age_alone * 12"),
            aged("months_high", "lived // 100", "age_alone * 12 + 11"),
        ),
        "day": (aged("days_low", days, "age_alone * 365"), aged("days_high", days, "age_alone * 366 + 365")),
    }
    for unit in ("month", "day"):
        low, high = ends[unit]
        same = TRUE if low == high else f"{low} = {high}"
        steps.let(f"age_{unit}s", choose((same, low), otherwise=NULL))
    least, most = steps["age_min"], steps["age_max"]
    steps.let("has_age_max", steps.known(most))
    for name, bound, reached, below in (("under_age_min", least, FALSE, TRUE), ("over_age_max", most, TRUE, FALSE)):
        low, high = _in_unit_of(bound, ends, 0), _in_unit_of(bound, ends, 1)
        decided = choose((f"{low} >= {bound}", reached), (f"{high} < {bound}", below), otherwise=NULL)
        steps.let(name, choose((negated(steps.known(bound)), FALSE), otherwise=decided))
    begun = NULL if NULL in (steps["visit_start"], birth) else f"date_diff('day', {birth}, CAST(visit_start AS DATE))"
    steps.let("age_days_at_visit_start", choose((steps["nobody"], NULL), otherwise=begun))


def _day_of_month(day: str) -> str:
    """SQL of the days since the first of the month."""
    return f"date_diff('day', date_trunc('month', {day}), {day})"


def _in_unit_of(bound: str, ends: Mapping[str, tuple[str, str]], end: int) -> str:
    """SQL of the person's age in the unit of a bound, at the low or high end of what is known of it."""
    arms = " ".join(f"WHEN '{unit}' THEN {ages[end]}" for unit, ages in ends.items())
    return f"CASE {bound}_unit {arms} END"


def _reason(case: _CaseOf, steps: Steps) -> str:
    """SQL of why a line is undetermined: the first of REASONS that holds and concerns what the rule reads."""
    sex, age = case.any_of(lambda rule: rule.reads_sex), case.any_of(lambda rule: rule.reads_age)
    sex_conflicted, birth_conflicted, impossible = (
        steps["sex_conflicted"],
        steps["birth_conflicted"],
        steps["impossible"],
    )
    no_sex = negated(steps.known(steps["person_sex"]))
    age_missing = some(negated(steps.known(steps["age_years"])), negated(sex), negated(no_sex))
    return choose(
        (steps["header_missing"], "'header_missing'"),
        (steps["newborn_doubt"], "'newborn'"),
        (steps["patient_unknown"], "'patient_unknown'"),
        (every(sex, no_sex, negated(sex_conflicted)), "'sex_missing'"),
        (every(age, negated(impossible), negated(birth_conflicted), age_missing), "'birth_missing'"),
        (every(age, impossible), "'birth_impossible'"),
        (some(every(sex, sex_conflicted), every(age, birth_conflicted)), "'sources_conflict'"),
        otherwise="'other'",
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
    _name_exemptions(steps)
    exempted, lowers = steps.known(steps["exempted_by"]), steps.known(steps["lowered_by"])
    steps.let("verdict", choose(
        ("violated IS FALSE", "'clean'"), (exempted, "'exempt'"), ("violated", "'violation'"), otherwise="'undetermined'"))  # fmt: skip
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
    steps.let("final_reason_code", "CASE WHEN verdict = 'undetermined' THEN reason_code END")
    violation = "verdict = 'violation'"
    steps.let(
        "exemption_id",
        choose((exempted, "exempted_by"), (violation, steps["lowered_by"]), otherwise="CAST(NULL AS VARCHAR)"),
    )
    remarks = {
        "duplicate": steps["duplicate"],
        "exemption_possible": steps["exemption_possible"],
        "lowered_exemption": every(violation, lowers),
        "lowered_lenient": every(violation, lowered),
        "partly_refunded": steps["partly_refunded"],
        "person_unreadable": steps["person_unreadable"],
        "service_time_fallback": steps["time_fallback"],
        "stay_began_in_window": every(violation, noticed),
    }
    told = [choose((condition, f"'{remark}'"), otherwise=NULL) for remark, condition in remarks.items()]
    listed = ", ".join(remark for remark in (*told, steps["point_remark"]) if remark != NULL)
    steps.let("remarks", f"list_filter([{listed}], lambda r: r IS NOT NULL)" if listed else "CAST([] AS VARCHAR[])")


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
    bound = every("e.diagnoses IS NOT NULL", "(e.effect = 'exempt' OR coalesce(violated, FALSE))", fits)
    withheld = FALSE if free == TRUE else f"len(list_filter(exemptions, lambda e: {bound})) > 0"
    steps.let("exemption_possible", every("exempted_by IS NULL", negated(has_diagnosis), withheld))


def _ids_of(effect: str) -> str:
    return f"list_transform(applied, lambda e: CASE WHEN e.effect = '{effect}' THEN e.exemption_id END)"


EXEMPTION_TYPE = (
    "STRUCT(exemption_id VARCHAR, effect VARCHAR, diagnoses VARCHAR[], region VARCHAR, region_of VARCHAR, valid_from DATE, valid_to DATE, "
    "code VARCHAR, code_is_family BOOLEAN)[]"
)
"""The exemptions that may concern a point: those of its rule for all items, its name, or a code or family (`code`) of the line."""
