"""The words of indicators: what they need, what must be known to read them, and what their values stand for; Chinese first, then English."""

from __future__ import annotations

from checker.model.words import RANKS, UNRATED, Said

NEEDS: dict[str, tuple[str, Said]] = {
    "amount": (
        "amount",
        (
            "明细没有金额列（det_item_fee_sumamt、金额），可用 --map amount=表头 指定",
            "lines have no amounts (det_item_fee_sumamt): name them with --map amount=HEADER",
        ),
    ),
    "visit": (
        "visit_id",
        (
            "不知道哪些明细属于同一次就诊：明细要有就诊号或结算号列（mdtrt_id、setl_id），可用 --map visit_id=表头 指定",
            "which lines are of one visit is not told: lines need the visit or the settlement (mdtrt_id, setl_id), or --map visit_id=HEADER",
        ),
    ),
    "person": (
        "patient_id",
        (
            "不知道是谁：明细、结算或就诊表要有人员编号或证件号码列（psn_no、certno），可用 --map patient_id=表头 指定",
            "whose visits they are is not told: lines, settlements or visits need the id of the person (psn_no), or --map patient_id=HEADER",
        ),
    ),
    "care": (
        "care_type",
        (
            "没有医疗类别，分不出住院和门诊：明细、结算或就诊表要有医疗类别列（med_type），可用 --map care_type=表头 指定",
            "the type of care is not told: lines, settlements or visits need its column (med_type), or --map care_type=HEADER",
        ),
    ),
    "cost": (
        "settlement_amount",
        (
            "没有费用：明细要有金额列，或用 --settlements 给出有医疗费总额列（medfee_sumamt）的结算表",
            "no costs are told: lines need amounts, or give settlements with their total (medfee_sumamt) by --settlements",
        ),
    ),
    "fund": (
        "settlement_fund_paid",
        (
            "没有基金支付：用 --settlements 给出有医疗费总额（medfee_sumamt）和基金支付总额（fund_pay_sumamt）的结算表，"
            "表头不同的用 --map settlement_fund_paid=表头 指定",
            "what the funds paid is not told: give settlements with their total (medfee_sumamt) and fund_pay_sumamt by --settlements, "
            "or --map settlement_fund_paid=HEADER",
        ),
    ),
    "own": (
        "own_amount",
        (
            "没有个人负担：用 --settlements 给出有医疗费总额（medfee_sumamt）和个人负担总金额（psn_pay）的结算表，表头不同的用 --map own_amount=表头 指定",
            "what the patients paid is not told: give settlements with their total (medfee_sumamt) and psn_pay by --settlements, or --map own_amount=HEADER",
        ),
    ),
    "in_scope": (
        "settlement_in_scope",
        (
            "没有医保范围内金额：结算表（没有结算金额时看明细）要有符合政策范围金额列（inscp_amt），表头不同的用 --map settlement_in_scope=表头"
            "（明细用 --map amount_in_scope=表头）指定",
            "amounts within scope are not told: settlements (lines, where there are no settled amounts) need inscp_amt, or --map settlement_in_scope=HEADER"
            " (of lines --map amount_in_scope=HEADER)",
        ),
    ),
    "stay_dates": (
        "visit_end",
        (
            "没有入院和出院日期：用 --visits 给出就诊表（begntime、endtime），或用 --settlements 给出有 begndate、enddate 的结算表，"
            "也可用 --map visit_start=表头、--map visit_end=表头 指定",
            "days of admission and discharge are not told: give visits (begntime, endtime) by --visits, or settlements with begndate and enddate "
            "by --settlements,"
            " or --map visit_start=HEADER and --map visit_end=HEADER",
        ),
    ),
    "diagnoses": (
        "code",
        (
            "没有诊断：用 --diagnoses 给出诊断表（setl_list_diag_d），其中要有就诊号或结算号",
            "no diagnoses are told: give their table (setl_list_diag_d), with visits or settlements, by --diagnoses",
        ),
    ),
    "on_admission": (
        "on_admission",
        (
            "诊断表没有入院病情列（adm_cond_type），看不出感染是不是入院后发生的，可用 --map on_admission=表头 指定",
            "diagnoses do not tell the condition on admission (adm_cond_type), so that no infection is known to have arisen later: --map on_admission=HEADER",
        ),
    ),
}
"""What an indicator needs: the column that tells it, and what to do where no input has it."""
CAVEATS: dict[str, Said] = {
    "own_definition": (
        "国家只公布了这项指标的名称和编号，口径是本项目定的，见 docs/indicators.md",
        "only the name and the number of this statistic are published; how it is counted is ours, see docs/indicators.md",
    ),
    "classes": (
        "费用类别按收费项目类别认，没有的按项目编码和名称认；认不出类别的明细在分母里，不在任何一类里，条数见 run.json 的 classes",
        "charges are classed by their type, else by code and name of the item; lines of no class are in the denominator "
        "and in no class: see classes in run.json",
    ),
    "imaging": (
        "没有项目编码、只写“检查”的明细认不出是不是 CT 或核磁，占比可能偏低",
        "of lines without an item code that say no more than examination it is not told whether they are CT or MRI: the share may be too low",
    ),
    "coded_infections": (
        "只数编码写明的院内感染，没有编码的不在内；分母是有诊断的住院",
        "only infections that are coded count; the denominator are the stays with diagnoses",
    ),
    "unplanned": (
        "数据里看不出是否计划内，计划内的再入院（化疗、分期手术等）也在内，因此偏高；死亡出院没有剔除",
        "whether a readmission was planned is not told: planned ones (chemotherapy, staged surgery) count as well, so that the rate "
        "is too high; deaths are not left out",
    ),
    "follow_up": (
        "数据末尾 31 天内的出院还没有观察满，率偏低，这些月份注明 follow_up",
        "discharges of the last 31 days of the data are not followed to the end: the rate is too low, and such months are marked follow_up",
    ),
    "refunded_visits": (
        "全部退掉的就诊不算；退费从金额里减去，计入被退的就诊所在的月份",
        "visits that were refunded as a whole do not count; refunds take off, in the month of the visit",
    ),
    "persons_not_additive": (
        "人数不能相加：同一人在两个月或两家机构各算一次，合计里只算一次",
        "persons do not add up: somebody seen in two months or institutions counts once in each, and once in the total",
    ),
    "bed_days": (
        "住院天数用所给的（ipt_days），没有的用出院日期减入院日期，当天出院算 1 天",
        "days of stay are those given (ipt_days), else the day of discharge less that of admission; discharge on the same day is one day",
    ),
    "own_with_account": ("个人负担含个人账户支付", "what patients paid includes their personal accounts"),
}
"""What must be known to read an indicator."""
SOURCES: dict[str, Said] = {
    "settlements": ("结算表", "settlements"),
    "lines": ("明细", "lines"),
    "stays": ("住院就诊", "stays"),
}
NOTES: dict[str, Said] = {
    "suppressed": ("不足 --min-cell，不显示", "fewer than --min-cell: not shown"),
    "no_denominator": ("分母为 0", "the denominator is 0"),
    "follow_up": ("31 天还没有观察满", "not followed for all 31 days"),
}
"""The notes of rows; beside them `missing:` with the column that is lacking."""
CARES: dict[str, Said] = {
    "all": ("全部", "all"),
    "inpatient": ("住院", "inpatient"),
    "outpatient": ("门诊", "outpatient"),
    "pharmacy": ("药店", "pharmacies"),
}
GRAINS: dict[str, Said] = {
    "all": ("合计", "total"),
    "level": ("机构等级", "level"),
    "insurance": ("险种", "insurance"),
    "institution": ("机构", "institution"),
}
UNITS: dict[str, Said] = {
    "percent": ("%", "%"),
    "yuan": ("元", "yuan"),
    "days": ("天", "days"),
    "ratio": ("次", "times"),
}
"""Units that are one word; a count is of what is counted, see `unit_words`."""
_COUNTED: dict[str, Said] = {"visits": ("人次", "visits"), "persons": ("人", "persons")}
LEVELS: dict[str, Said] = {
    **{str(rank): said for rank, said in RANKS.items()},
    "unrated": UNRATED,
    "unknown": ("未知", "unknown"),
}
INSURANCES: dict[str, Said] = {
    "310": ("职工医保", "employees"),
    "390": ("居民医保", "residents"),
    "unknown": ("未知", "unknown"),
}


def unit_words(unit: str, numerator: str) -> Said:
    """A unit of an indicator in words, in Chinese and English; of a count, what is counted."""
    return _COUNTED[numerator] if unit == "count" else UNITS[unit]
