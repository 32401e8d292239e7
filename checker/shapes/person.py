"""Whose sex and age count, and what is in doubt (docs/judgment.md, sections 2 and 4): base columns over the columns of a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
OLDEST_YEARS = 130
MOTHER_YEARS = (9, 64)
"""The ages outside of which a diagnosis of childbirth is held to be wrong."""

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
    steps.let("service_date", "CAST(service_time AS DATE)")
    patient, insured, explicit = _name_persons(steps)
    patient_sex = steps.let("patient_sex", choose((patient.sex_conflict, NULL), otherwise=patient.sex))
    patient_birth = steps.let("patient_birth", choose((patient.birth_conflict, NULL), otherwise=patient.birth))
    patient_given, insured_given = steps.let("patient_given", patient.given), steps.let("insured_given", insured.given)
    insured_sex = steps.let(
        "whole_insured_sex", first(explicit[0], choose((insured.sex_conflict, NULL), otherwise=insured.sex))
    )
    insured_birth = steps.let(
        "whole_insured_birth", first(explicit[1], choose((insured.birth_conflict, NULL), otherwise=insured.birth))
    )
    whose_birth = choose((patient_given, patient_birth), otherwise=insured_birth)
    is_newborn = holds(f"date_diff('day', {whose_birth}, service_date) BETWEEN 0 AND {NEWBORN_DAYS}", whose_birth)
    doubt = steps.let("newborn_doubt", every(holds("newborn_flag", steps["newborn_flag"]), negated(is_newborn)))
    subject = steps["subject"]
    of_insured = holds("subject = '参保人'", subject)
    paid = holds("family_paid", steps["family_paid"])
    only_insured = every(steps["at_pharmacy"], negated(patient_given), insured_given)
    of_user = some(holds("subject = '就诊人'", subject), every(paid, negated(of_insured)))
    unknown = steps.let("patient_unknown", every(only_insured, of_user))
    is_insured = steps.let("judges_insured", every(insured_given, some(of_insured, negated(patient_given))))
    steps.let("family_account", every(steps["at_pharmacy"], some(paid, every(only_insured, negated(unknown)))))
    nobody = steps.let("nobody", some(doubt, unknown))
    steps.let("person_sex", choose((nobody, NULL), (is_insured, insured_sex), otherwise=patient_sex))
    steps.let("birth", choose((nobody, NULL), (is_insured, insured_birth), otherwise=patient_birth))
    named_age = choose((steps.known(explicit[1]), NULL), otherwise=explicit[2])
    insured_age = steps.let("whole_insured_age", first(named_age, insured.age_alone))
    steps.let("age_only", choose((nobody, NULL), (is_insured, insured_age), otherwise=patient.age_alone))
    steps.let("sex_conflicted", choose((is_insured, insured.sex_conflict), otherwise=patient.sex_conflict))
    steps.let("birth_conflicted", choose((is_insured, insured.birth_conflict), otherwise=patient.birth_conflict))


@dataclass(frozen=True, slots=True)
class _Person:
    """What sources say of one person, as SQL: the value and whether they contradict each other, whether anything is said at all, and
    the age where no birth date is."""

    sex: str
    sex_conflict: str
    birth: str
    birth_conflict: str
    given: str
    age_alone: str


def _name_persons(steps: Steps) -> tuple[_Person, _Person, tuple[str, str, str]]:
    """The patient, the insured as far as headers tell of them, and the sex, birth date and age of the insured that the line names as such.

    In a pharmacy the person of a header is the holder of the card, unless the line names the insured apart.
    """
    pharmacy = steps.let("at_pharmacy", holds("care_group = 'pharmacy'", steps["care_group"]))
    explicit = steps["insured_sex"], steps["insured_birth_date"], steps["insured_age"]
    names = ("settlement_sex", "visit_sex", "settlement_birth", "visit_birth", "header_age", "header_id_number")
    conflicts = ("header_sex_conflict", "header_birth_conflict")
    by_header = some(*(FALSE if steps[name] == NULL else TRUE for name in (*names, *conflicts)))
    holder = steps.let("is_holder", every(by_header, pharmacy, negated(steps.known(*explicit))))

    def of_patient(name: str) -> str:
        return choose((holder, NULL), otherwise=steps[name])

    def of_holder(name: str) -> str:
        return choose((holder, steps[name]), otherwise=NULL)

    def person(whose: str, told: Callable[[str], str], own: Mapping[str, str], named: str) -> _Person:
        number = steps.let(f"{whose}_number", first(own["id_number"], told("header_id_number")))
        born, sex = _name_id_number(steps, whose, number)
        sexes = [
            own["sex"],
            *(steps.let(f"{whose}_{name}", told(name)) for name in ("settlement_sex", "visit_sex")),
            sex,
        ]
        births = [
            own["birth"],
            *(steps.let(f"{whose}_{name}", told(name)) for name in ("settlement_birth", "visit_birth")),
            born,
        ]
        age = steps.let(f"{whose}_age_told", first(own["age"], told("header_age")))
        sex_conflict, sex_low = _agreed(steps, f"{whose}_sex", sexes, told("header_sex_conflict"))
        birth_conflict, birth_low = _agreed(steps, f"{whose}_birth", births, told("header_birth_conflict"))
        given = some(named, steps.known(*sexes, *births, age), sex_conflict, birth_conflict)
        age_alone = choose((some(named, steps.known(*births), birth_conflict), NULL), otherwise=age)
        return _Person(sex_low, sex_conflict, birth_low, birth_conflict, given, age_alone)

    line = {
        "id_number": steps["id_number"],
        "sex": steps["line_sex"],
        "birth": steps["line_birth"],
        "age": steps["patient_age"],
    }
    return (
        person("patient", of_patient, line, FALSE),
        person("holder", of_holder, dict.fromkeys(line, NULL), steps.known(*explicit)),
        explicit,
    )


def _name_id_number(steps: Steps, whose: str, number: str) -> tuple[str, str]:
    """The birth date and sex that an ID number tells; NULL where it is not right."""
    if number == NULL:
        return NULL, NULL
    born = steps.let(
        f"{whose}_id_birth",
        choose(
            (every(steps.known(number), id_number_is_right(number)), f"CAST(try_strptime(substr({number}, 7, 8), '%Y%m%d') AS DATE)"),
            (f"regexp_full_match({number}, '{OLD_ID_NUMBER}')", f"CAST(try_strptime('19' || substr({number}, 7, 6), '%Y%m%d') AS DATE)"),
            otherwise=NULL,
        ),
    )  # fmt: skip
    # The last digit but the check character, which numbers of 15 digits have not.
    male = f"ascii(substr({number}, strlen({number}) // 18 * 2 + 15, 1)) % 2 = 1"
    said = choose((male, "'male'"), otherwise="'female'")
    return born, steps.let(f"{whose}_id_sex", choose((steps.known(born), said), otherwise=NULL))


def _agreed(steps: Steps, what: str, values: Sequence[str], header_conflict: str) -> tuple[str, str]:
    """Whether sources contradict each other, and the least of their values."""
    low, high = steps.let(f"{what}_low", lowest(*values)), steps.let(f"{what}_high", highest(*values))
    differ = FALSE if low == high else holds(f"{low} <> {high}", low)
    return steps.let(f"{what}_conflict", some(holds(header_conflict, header_conflict), differ)), low


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


def name_mother(steps: Steps) -> None:
    """Whether the person judged may have given birth: what is charged to her may be for the child."""
    years, sex = steps["age_years"], steps["person_sex"]
    of_age = holds(f"{years} BETWEEN {MOTHER_YEARS[0]} AND {MOTHER_YEARS[1]}", years)
    steps.let("may_be_mother", every(of_age, negated(holds(f"{sex} = 'male'", sex))))


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
