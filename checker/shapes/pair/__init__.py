"""The shape `pair`: a line beside another of the same day, visit or hours that its point does not let it be charged with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from checker.model.sql_builder import Steps, choose, every, holds, some
from checker.model.words import INTERVALS
from checker.shapes.base import Column, Fact, Limit, Shape, missing_sql, name_nobody
from checker.shapes.pair.base_sql import MOST_FEN, PARTS, asked_parts, pair_base
from checker.shapes.uses import USE

_PATIENT = ("patient_id", "patient_id_number")
_VISIT = ("visit_id", "settlement_id")


def _name(steps: Steps) -> None:
    steps.let("service_date", "CAST(service_time AS DATE)")
    name_nobody(steps)
    for name, found in (
        ("beside_in_visit", "in_visit"),
        ("beside_of_patient", "of_patient"),
        ("is_further_operation", "is_further"),
    ):
        steps.let(name, found)
    steps.let("time_of_day_missing", "only_by_date")
    steps.let("related_lines", "coalesce(beside, [])")
    by_visit = some(holds("pair_interval = 'visit'", steps["pair_interval"]), steps.known(steps["incision_group"]))
    steps.let("finding_scope", choose((by_visit, "'visit'"), otherwise="'day'"))
    steps.let("own_remarks", "CASE WHEN only_by_date THEN ['time_of_day_missing'] END")


def _why(steps: Steps, reads: Callable[[str], str]) -> str:
    """What no input has goes before a header that is not found, as in the shape of terms."""
    return choose(
        (every(reads("operations"), "is_unplaced"), missing_sql(steps, "operations", "visit_missing")),
        (reads("price"), "'price_unknown'"),
        (every(reads("visit"), "beside_in_visit IS NULL"), missing_sql(steps, "visit", "visit_missing")),
        (every(reads("patient"), "beside_of_patient IS NULL"), missing_sql(steps, "patient", "patient_missing")),
        otherwise="'other'",
    )


def _say(limits: Mapping[str, Any], english: bool) -> Iterator[str]:
    if interval := limits.get("pair_interval"):
        name = limits.get("container_name") or ("an item that contains it" if english else "包含它的项目")
        within = INTERVALS[interval][english]
        yield f"not charged beside {name} {within}" if english else f"{within}不与“{name}”同时收取"
    if group := limits.get("incision_group"):
        yield (
            f"further operations through one incision are discounted ({group})"
            if english
            else f"同一切口的后续手术折价（{group}）"
        )


PAIR = Shape(
    id="pair",
    zh="同时收取的两个项目",
    en="two items charged together",
    scope="visit",
    judges="line",
    roles={
        "item": ("受限的项目", "the item that is limited"),
        "container": ("已包含它的项目，只用来看是否同时收取", "what it is a part of: looked at only to tell whether both were charged"),
    },
    limits=(
        Limit(
            "pair_interval", str, "两项在什么范围内不能同时收取：day 单日、visit 单次就诊、six_hours 6 小时、one_hour 同一小时",
            "within what the two are not charged together: day, visit, six_hours, one_hour", tuple(INTERVALS), fact="visit",
        ),
        Limit("container_name", str, "已包含它的项目的名称", "the name of what it is a part of", wording=True),
        Limit("incision_group", str, "同一切口的手术组", "the group of operations through one incision", fact="operations", apart=True),
        Limit("pair_text", str, "公布的依据", "the basis as published", wording=True),
    ),
    facts={
        "visit": Fact(
            "同一就诊的其他项目", "other items of the visit", line="visit_id", point="pair_interval", missing="visit_missing", told_by=_VISIT,
            key="visit",
        ),
        "patient": Fact(
            "同一患者的其他项目", "other items of the patient", line="patient_id", point="pair_interval", missing="patient_missing",
            told_by=_PATIENT, key="patient",
        ),
        "operations": Fact(
            "同一就诊的其他手术", "other operations of the visit", line="visit_id", point="incision_group", missing="visit_missing",
            told_by=_VISIT, key="visit",
        ),
        "price": Fact(
            "金额和参照价格", "the amount and a price to hold it against", "同一项目在本机构其他就诊的最高单价，或价格上限",
            "the highest price of the item in other visits, or its price limit", "price_limit", "incision_group", "price_unknown",
        ),
    },
    columns=(
        Column(
            "beside_in_visit", bool, "同一就诊内，在知识点的范围（同日、同一就诊、几小时）以内收取了包含它的项目；说不清时为空",
            "what it is a part of was charged in its visit, within the interval of the point; NULL where that cannot be told", "visit",
            ("pair_interval",),
        ),
        Column(
            "beside_of_patient", bool, "同一患者在同一机构，在知识点的范围以内收取了包含它的项目；说不清时为空",
            "what it is a part of was charged to its patient at the institution, within the interval; NULL where that cannot be told", "patient",
            ("pair_interval",),
        ),
        Column(
            "time_of_day_missing", bool, "范围按小时算，但两项中有一项没有具体时间，只知道同一天",
            "the interval is of hours, but one of the two has no time of day: they are known to be of one day only", "patient",
        ),
        Column(
            "pair_interval", str, "知识点的范围：day、visit、six_hours、one_hour", "the interval of the point: day, visit, six_hours, one_hour",
            limits=("pair_interval",),
        ),
        Column("container_name", str, "包含它的项目的名称", "the name of what it is a part of", "visit"),
        Column("incision_group", str, "同一切口的手术组", "the group of operations through one incision", limits=("incision_group",)),
        Column(
            "is_further_operation", bool, "同一就诊、同一天、同一手术组里的后续手术：不是金额最大的一项，也不是加收；说不清时为空",
            "a further operation of the visit, day and group: neither the one with the largest amount nor a surcharge; NULL where that cannot be told",
            "operations", ("incision_group",),
        ),
        Column(
            "operation_amount", int, "这项手术当天的金额（分）；不知道时为空",
            "what the operation cost that day, in fen; NULL where that is not known", "price", most=MOST_FEN,
        ),
        Column(
            "reference_amount", int, "参照价格（分）：本机构其他就诊或日期的最高单价，没有的用价格上限；都没有时为空",
            "its price elsewhere, in fen: the highest at the institution in other visits or on other days, else the price limit; "
            "NULL without either", "price", most=MOST_FEN,
        ),
        Column("line_amount", int, "这一行的金额（分）", "the amount of the line, in fen", "price", most=MOST_FEN),
        Column(
            "line_reference", int, "参照价格按金额分摊到这一行的部分（分）",
            "the part of the reference that falls to the line by its amount, in fen", "price", most=MOST_FEN,
        ),
    ),
    lowered="lowered_pair",
    case_code="009{:08d}0000",
    reasons=("header_missing", "visit_missing", "patient_missing", "price_unknown", "other"),
    each_point=True,
    together="coalesce('incision:' || incision_group, CASE WHEN pair_interval IS NOT NULL THEN point_id END)",
    relations={"use": USE},
    base=pair_base,
    parts=PARTS,
    asks=asked_parts,
    name=_name,
    why=_why,
    say=_say,
)  # fmt: skip
"""What is not charged beside something else."""
