"""Whose sex and age count, and what is in doubt (docs/judgment.md, sections 2 and 4): base columns over the columns of a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from checker.model.id_number import OLD_ID_NUMBER, id_number_is_right
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
from checker.shapes.base import Column, Fact

NEWBORN_DAYS = 28
PHARMACY_CARE = "41%"
OLDEST_YEARS = 130

FACTS = {
    "sex": Fact("性别", "sex", line="patient_sex", point="sex", missing="sex_missing"),
    "age": Fact(
        "年龄", "age", "服务日期的，由出生日期推算，没有出生日期时用登记的年龄", "on the service date, from the birth date or else the age on record",
        "patient_birth_date", "age_word", "birth_missing",
    ),
    "stay": Fact("就诊或住院开始时的年龄", "age when the visit or stay began"),
}  # fmt: skip
"""What a clause may need to know of the person."""

_DAYS, _MONTHS = (OLDEST_YEARS + 1) * 366, (OLDEST_YEARS + 1) * 12
COLUMNS = (
    Column("person_sex", str, "人员的性别：male、female", "the person's sex: male, female", "sex"),
    Column("age_years", int, "周岁", "completed years", "age", most=OLDEST_YEARS),
    Column("age_months", int, "满月数", "completed months", "age", most=_MONTHS),
    Column("age_days", int, "天数", "days", "age", most=_DAYS),
    Column(
        "age_days_at_visit_start", int, "就诊或住院开始时的天数", "days when the visit or stay began", "stay",
        least=-4_000_000, most=4_000_000,
    ),
)  # fmt: skip
"""An age is at most 130 years, a date within the years 1 to 9999."""

REASONS = (
    "header_missing", "newborn", "patient_unknown", "sex_missing", "birth_missing", "birth_impossible", "sources_conflict", "other",
)  # fmt: skip


def name_person(steps: Steps) -> None:
    """Section 2 of the judgment: whose sex and birth date count, and what is in doubt."""
    number = steps["id_number"]
    steps.let("service_date", "CAST(service_time AS DATE)")
    right = every(steps.known(number), id_number_is_right("id_number"))
    born = steps.let("id_birth", NULL if number == NULL else
                     choose((right, "CAST(try_strptime(substr(id_number, 7, 8), '%Y%m%d') AS DATE)"),
                            (f"regexp_full_match(id_number, '{OLD_ID_NUMBER}')", "CAST(try_strptime('19' || substr(id_number, 7, 6), '%Y%m%d') AS DATE)"),
                            otherwise=NULL))  # fmt: skip
    # The last digit but the check character, which numbers of 15 digits have not.
    male = "ascii(substr(id_number, strlen(id_number) // 18 * 2 + 15, 1)) % 2 = 1"
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


def name_age(steps: Steps) -> None:
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
    lived = steps.let(
        "lived", NULL if span == NULL else f"CASE WHEN span BETWEEN 0 AND {(OLDEST_YEARS + 1) * 1200 - 1} THEN span END"
    )
    # An age on record is a number of years, or of months or days with their letter behind it.
    number = "TRY_CAST(rtrim(age_only, 'MD') AS BIGINT)"
    oldest = f"CASE right(age_only, 1) WHEN 'M' THEN {_MONTHS - 1} WHEN 'D' THEN {_DAYS - 1} ELSE {OLDEST_YEARS} END"
    alone = steps.let(
        "age_alone", NULL if age == NULL else f"CASE WHEN {number} BETWEEN 0 AND {oldest} THEN {number} END"
    )
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

    def on_record(years: str, months: str, days: str) -> str:
        return f"CASE right(age_only, 1) WHEN 'M' THEN {months} WHEN 'D' THEN {days} ELSE {years} END"

    days = f"CASE WHEN lived IS NOT NULL THEN date_diff('day', {birth}, service_date) END"
    least_and_most = {
        "year": ("lived // 1200", ("age_alone", "age_alone // 12", "age_alone // 366"), ("age_alone", "age_alone // 12", "age_alone // 365")),
        "month": ("lived // 100", ("age_alone * 12", "age_alone", "age_alone // 31"), ("age_alone * 12 + 11", "age_alone", "(age_alone + 2) // 30")),
        "day": (days, ("age_alone * 365", "greatest(age_alone * 30 - 2, 0)", "age_alone"), ("age_alone * 366 + 365", "age_alone * 31 + 30", "age_alone")),
    }  # fmt: skip
    ends = {
        unit: (aged(f"{unit}s_low", by_birth, on_record(*low)), aged(f"{unit}s_high", by_birth, on_record(*high)))
        for unit, (by_birth, low, high) in least_and_most.items()
    }
    for unit, (low, high) in ends.items():
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


def why_undetermined(steps: Steps, reads: Callable[[str], str]) -> str:
    """SQL of why a line is undetermined: the first of REASONS that holds and concerns what the rule reads."""
    sex, age = reads("sex"), reads("age")
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
