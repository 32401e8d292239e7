"""The shape `terms`: one line and one point that says on what terms its item is paid: by whom, in what care, where, and through which channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from checker.model.schema import MATERNITY_STAY
from checker.model.sql_builder import FALSE, NULL, TRUE, Steps, choose, every, holds, negated, some
from checker.shapes import person
from checker.shapes.base import Column, Fact, Limit, Shape, in_pharmacy, missing_sql, name_nobody
from checker.shapes.terms.words import say

if TYPE_CHECKING:
    import polars as pl

LINE = (
    "insurance_type", "insurance_group", "care_type", "is_discharge_drug", "institution_level", "own_rank", "is_unrated", "prescriber_rank",
    "prescriber_institution_level", "pay_location",
    "insurance_conflict", "care_conflict", "level_conflict", "has_earlier", "is_online", "online_doubt",
    "is_maternity_fee", "has_maternity_diagnosis", "in_scope",
)  # fmt: skip
"""The columns of a line that no other shape reads."""
_TOLD = {"insurance": "insurance_type", "care": "care_type", "level": "institution_level"}
"""By which column of a line a fact is told that stands for one of few groups."""


def _name(steps: Steps) -> None:
    person.name_person(steps)
    person.name_age(steps)
    # What is paid, and where, is asked of the line: a finding names no person.
    name_nobody(steps)
    _name_care(steps)
    _name_place(steps)
    steps.let("scope_is_known", steps.known(steps["in_scope"]))


def _name_care(steps: Steps) -> None:
    """The care that counts, and whether anything speaks of a delivery or of birth control."""
    # A flag that nobody tells of is not set; one of a line that is NULL cannot be read.
    for name in ("is_discharge_drug", "is_maternity_fee"):
        if steps[name] == NULL:
            steps.let(name, FALSE)
    discharge, fee = steps["is_discharge_drug"], steps["is_maternity_fee"]
    group, diagnosed = steps["care_group"], steps["has_maternity_diagnosis"]
    counted = choose((discharge, "'inpatient'"), (_is_unreadable(discharge), NULL), otherwise=group)
    counted = steps.let("counted_care", counted)
    allowed = NULL if counted == NULL else f"contains('|' || care_groups || '|', '|' || {counted} || '|')"
    steps.let("care_is_allowed", allowed)
    said = some(
        holds("care_group IN ('maternity_outpatient', 'family_planning')", group),
        every(
            holds("care_group = 'inpatient'", group),
            holds(f"regexp_matches(care_type, '{MATERNITY_STAY}')", steps["care_type"]),
        ),
        FALSE if fee == FALSE else holds("is_maternity_fee", fee),
        holds("has_maternity_diagnosis", diagnosed),
    )
    told = every(steps.known(group), negated(_is_unreadable(fee)), steps.known(diagnosed))
    steps.let("has_maternity_context", choose((said, TRUE), (told, FALSE), otherwise=NULL))


def _name_place(steps: Steps) -> None:
    """The rank of the institution that counts, in a pharmacy of the one that prescribed; whether an earlier prescription is continued."""
    fills = steps.let("fills_prescription", in_pharmacy(steps))
    steps.let("institution_rank", choose((fills, steps["prescriber_rank"]), otherwise=steps["own_rank"]))
    first = holds("rank_case = 'first_prescription'", steps["rank_case"])
    steps.let("is_continued", choose((negated(first), FALSE), otherwise=steps["has_earlier"]))


def _is_unreadable(flag: str) -> str:
    return FALSE if flag in (TRUE, FALSE) else f"({flag} IS NULL)"


def _why(steps: Steps, reads: Callable[[str], str]) -> str:
    """What is missing goes before what is not understood. Where no input has it at all, that counts, be there a header or not."""
    discharge, fee = steps["is_discharge_drug"], steps["is_maternity_fee"]
    fills, no_rank = steps["fills_prescription"], negated(steps.known(steps["institution_rank"]))
    unknown = {
        "insurance": every(reads("insurance"), negated(steps.known(steps["insurance_group"]))),
        "care": every(some(reads("care"), reads("maternity")), negated(steps.known(steps["care_group"]))),
        "level": every(reads("level"), no_rank, negated(fills)),
    }
    conflicts = {fact: holds(f"{fact}_conflict", steps[f"{fact}_conflict"]) for fact in unknown}
    missing = {
        fact: every(lacks, negated(steps.known(steps[_TOLD[fact]])), negated(conflicts[fact]))
        for fact, lacks in unknown.items()
    }

    def doubt(code: str) -> str:
        return every(reads("online"), holds(f"online_doubt = '{code}'", steps["online_doubt"]))

    arms = (
        *((fact, condition, f"{fact}_missing") for fact, condition in missing.items()),
        ("", some(*(every(unknown[fact], conflicts[fact]) for fact in unknown), doubt("sources_conflict")), "sources_conflict"),
        ("", unknown["insurance"], "insurance_unknown"),
        ("", every(reads("care"), _is_unreadable(discharge)), "flag_unreadable"),
        ("", every(reads("maternity"), _is_unreadable(fee)), "flag_unreadable"),
        ("", some(unknown["care"], doubt("care_unknown")), "care_unknown"),
        ("maternity", every(reads("maternity"), negated(steps.known(steps["has_maternity_diagnosis"]))), "diagnosis_missing"),
        ("", every(reads("level"), no_rank, fills), "prescriber_unknown"),
        ("", every(unknown["level"], holds("is_unrated", steps["is_unrated"])), "level_unrated"),
        ("", unknown["level"], "level_unknown"),
        ("history", reads("history"), "history_missing"),
        ("", doubt("online_unknown"), "online_unknown"),
        ("online", reads("online"), "online_missing"),
    )  # fmt: skip

    return choose(*((condition, missing_sql(steps, fact, code)) for fact, condition, code in arms), otherwise="'other'")


def _faults(cells: pl.DataFrame) -> Iterator[tuple[str, str, pl.Expr, str]]:
    # Polars takes longer to load than the counter may.
    from checker.shapes.terms.cells import faults

    return faults(cells)


TERMS = Shape(
    id="terms",
    zh="明细与支付条件",
    en="a line and the terms on which it is paid",
    scope="line",
    roles={"item": ("受限的项目", "the item that is limited")},
    limits=(
        Limit(
            "insurance", str, "只由哪种保险支付：injury 工伤、maternity 生育", "the insurance that alone pays: injury, maternity",
            ("injury", "maternity"), fact="insurance",
        ),
        Limit(
            "care_groups", str, "可以使用的就医方式，多个以 | 相连，如 emergency|inpatient",
            "the care in which it is paid, joined by |: emergency|inpatient", fact="care",
        ),
        Limit("min_rank", int, "医疗机构的最低级别：3、2、1", "the lowest rank of the institution: 3, 2, 1", fact="level"),
        Limit(
            "rank_case", str, "级别的特别情形：first_prescription 只限首次处方；eye 三级医院眼科或二级以上眼科专科",
            "a special case of the rank: first_prescription, for the first one only; eye, a department of rank 3 or an eye hospital of rank 2",
            ("first_prescription", "eye"), fact="level",
        ),
        Limit("barred_channel", str, "不予支付的渠道：online 互联网诊疗", "the channel in which it is not paid: online", ("online",), fact="online"),
        Limit("never_paid", str, "任何情形都不予支付：yes", "not paid in any case: yes", ("yes",), fact="scope"),
        Limit(
            "terms_text", str, "公布的原文，可能还写有规则不判断的条件，如疾病、疗程",
            "the text as published, which may name conditions that the rule does not judge, such as a disease", wording=True,
        ),
    ),
    facts={
        "insurance": Fact(
            "险种", "insurance", line="insurance_type", point="insurance", missing="insurance_missing", told_by=("insurance_type",),
            key="insurance_type",
        ),
        "care": Fact(
            "医疗类别", "type of care", line="care_type", point="care_groups", missing="care_missing", told_by=("care_type",), key="care_type",
        ),
        "maternity": Fact(
            "生育相关的证据", "evidence of maternity", "医疗类别、生育费用标志、诊断", "type of care, flag of maternity, diagnoses",
            "diagnosis_code", "insurance", "diagnosis_missing", told_by=("diagnosis_code",), key="diagnoses",
        ),
        "level": Fact(
            "医疗机构等级", "level of the institution", line="institution_level", point="min_rank", missing="level_missing",
            told_by=("institution_level",), key="institution_level",
        ),
        "history": Fact(
            "此前的处方", "earlier prescriptions", line="patient_id", point="rank_case", missing="history_missing",
            told_by=("patient_id", "patient_id_number"), key="history",
        ),
        "online": Fact(
            "是否互联网诊疗", "whether the visit was online", line="is_online", point="barred_channel", missing="online_missing",
            told_by=("is_online", "pay_location"), key="online",
        ),
        "scope": Fact("医保范围内金额", "amount in the scope of the fund", line="amount_in_scope", point="never_paid"),
        **person.FACTS,
    },
    columns=(
        Column("insurance", str, "知识点限定的保险：injury、maternity", "the point's insurance: injury, maternity", limits=("insurance",)),
        Column(
            "insurance_group", str, "险种：basic 基本医疗、maternity 生育、injury 工伤、long_term_care 长期护理",
            "the insurance of the settlement: basic, maternity, injury, long_term_care", "insurance",
        ),
        Column("has_maternity_context", bool, "医疗类别、费用标志或诊断说明与生育有关", "type of care, flag or diagnosis speak of maternity", "maternity"),
        Column("care_groups", str, "知识点允许的就医方式", "the care that the point allows", limits=("care_groups",)),
        Column("care_group", str, "就医方式：inpatient、outpatient、emergency 等", "the group of care: inpatient, outpatient, emergency and so on", "care"),
        Column("is_discharge_drug", bool, "出院带药；没有写明的为假", "taken home on discharge; false where nothing is said", "care"),
        Column("is_maternity_fee", bool, "生育费用标志；没有写明的为假", "the flag of maternity costs; false where nothing is said", "maternity"),
        Column("in_scope", bool, "在医保范围内；不知道的为空", "within the scope of the fund; NULL where that is not known", "scope"),
        Column("counted_care", str, "就医方式；出院带药算住院", "the group of care; a discharge drug counts as inpatient", "care"),
        Column("care_is_allowed", bool, "就医方式在知识点允许之列", "the care is one that the point allows", "care", ("care_groups",)),
        Column("min_rank", int, "知识点要求的最低级别", "the lowest rank that the point asks for", limits=("min_rank",), most=3),
        Column("rank_case", str, "级别的特别情形：first_prescription、eye", "special case of the rank: first_prescription, eye", limits=("rank_case",)),
        Column(
            "institution_rank", int, "医疗机构级别 3、2、1；药店看开方机构", "rank of the institution 3, 2, 1; in a pharmacy of the one that prescribed",
            "level", most=3,
        ),
        Column(
            "is_continued", bool, "限首次处方的药品，此前 365 天内已有该药；其他药品为假",
            "an earlier line of the point within 365 days, where only the first prescription is limited; false for others", "history", ("rank_case",),
        ),
        Column("barred_channel", str, "知识点不予支付的渠道：online", "the channel that the point bars: online", limits=("barred_channel",)),
        Column("is_online", bool, "互联网诊疗", "the visit was online", "online"),
        Column("never_paid", str, "知识点规定不予支付：yes", "the point is never paid: yes", limits=("never_paid",)),
        Column("scope_is_known", bool, "知道医保范围内的金额", "the amount in scope is known", "scope"),
        *person.COLUMNS,
    ),
    judges="line",
    lowered="lowered_terms",
    reasons=(
        "header_missing", "insurance_missing", "sources_conflict", "insurance_unknown", "flag_unreadable", "care_missing", "care_unknown",
        "diagnosis_missing", "prescriber_unknown", "level_unrated", "level_missing", "level_unknown", "history_missing", "online_unknown",
        "online_missing", "other",
    ),
    line_columns=LINE,
    name=_name,
    why=_why,
    say=say,
    faults=_faults,
)  # fmt: skip
"""What an item is paid for only under some insurance, in some care, at some institutions, or not at all."""
