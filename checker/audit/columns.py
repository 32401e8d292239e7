"""What the columns of reports are called, how they are written, and which of them may leave the house."""

from __future__ import annotations

from dataclasses import dataclass

from checker.model.words import Said


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """A column of a report: its name, its heading in Chinese and English, what its cells hold (text, day, time, yuan, number, rate, count, share)
    and how wide it is.

    One that is `identity` says who somebody is: it is shown only where that is asked for.
    """

    name: str
    said: Said
    kind: str = "text"
    width: int = 14
    identity: bool = False


def _columns(*columns: ReportColumn) -> dict[str, ReportColumn]:
    return {column.name: column for column in columns}


COLUMNS = _columns(
    ReportColumn("level", ("程度", "Level"), width=10),
    ReportColumn("verdict", ("结论", "Verdict"), width=10),
    ReportColumn("class", ("归类", "Class"), width=26),
    ReportColumn("cluster_id", ("聚集编号", "Cluster"), width=14),
    ReportColumn("institution_id", ("机构编码", "Institution code"), width=16),
    ReportColumn("institution_name", ("机构名称", "Institution"), width=24),
    ReportColumn("department", ("科室", "Department")),
    ReportColumn("prescriber", ("医生", "Doctor"), width=12),
    ReportColumn("service_time", ("费用发生时间", "Service time"), "time", 18),
    ReportColumn("item_code", ("医保编码", "Item code"), width=26),
    ReportColumn("item_name", ("项目名称", "Item"), width=28),
    ReportColumn("local_item_code", ("院内编码", "Local code"), width=16),
    ReportColumn("local_item_name", ("院内名称", "Local name"), width=24),
    ReportColumn("spec", ("规格", "Spec")),
    ReportColumn("unit_price", ("单价（元）", "Unit price (yuan)"), "yuan", 12),
    ReportColumn("quantity", ("数量", "Quantity"), "number", 8),
    ReportColumn("amount", ("明细金额（元）", "Amount of the line (yuan)"), "yuan", 12),
    ReportColumn("amount_in_scope", ("医保范围内金额（元）", "In scope (yuan)"), "yuan", 14),
    ReportColumn("amount_at_stake", ("涉及金额（元）", "At stake (yuan)"), "yuan", 14),
    ReportColumn("fund_paid", ("基金支付（元）", "Fund paid (yuan)"), "yuan", 12),
    ReportColumn("settlement_amount", ("结算总额（元）", "Settlement (yuan)"), "yuan", 14),
    ReportColumn("settlement_fund_paid", ("结算基金支付（元）", "Fund paid of settlement (yuan)"), "yuan", 14),
    ReportColumn("care_type", ("医疗类别", "Care type"), width=10),
    ReportColumn("insurance_type", ("险种", "Insurance"), width=10),
    ReportColumn("diagnoses", ("诊断编码", "Diagnoses"), width=18),
    ReportColumn("diagnosis_names", ("诊断名称", "Diagnosis names"), width=24),
    ReportColumn("patient_id", ("人员编号", "Patient"), width=18, identity=True),
    ReportColumn("person_hash", ("人员代码", "Person (masked)"), width=18),
    ReportColumn("person_sex", ("性别", "Sex"), width=6),
    ReportColumn("person_age", ("年龄", "Age"), width=8),
    ReportColumn("visit_id", ("就诊号", "Visit"), width=18),
    ReportColumn("settlement_id", ("结算号", "Settlement"), width=18),
    ReportColumn("line_id", ("明细流水号", "Line"), width=18),
    ReportColumn("rule_name", ("规则", "Rule"), width=22),
    ReportColumn("rule_code", ("规则编码", "Rule code"), width=18),
    ReportColumn("point_id", ("知识点编号", "Point"), width=22),
    ReportColumn("expected", ("规则要求", "Expected"), width=16),
    ReportColumn("actual", ("实际", "Actual"), width=16),
    ReportColumn("reason", ("无法判断的原因", "Why undetermined"), width=26),
    ReportColumn("exemption_id", ("豁免编号", "Exemption"), width=22),
    ReportColumn("message", ("说明", "Message"), width=50),
    ReportColumn("advice", ("建议", "Advice"), width=40),
    ReportColumn("evidence", ("依据", "Evidence"), width=50),
    ReportColumn("remarks", ("备注", "Remarks"), width=30),
    ReportColumn("finding_id", ("疑点编号", "Finding"), width=34),
    ReportColumn("source_file", ("来源文件", "Source file"), width=24),
    ReportColumn("source_record", ("来源行号", "Source record"), "count", 10),
    ReportColumn("month", ("月份", "Month"), width=10),
    ReportColumn("covered_lines", ("受限项目明细（行）", "Lines of restricted items"), "count", 14),
    ReportColumn("violations", ("违规疑点（行）", "Violations (lines)"), "count", 12),
    ReportColumn("left", ("其中待核实（行）", "Left to be looked at"), "count", 14),
    ReportColumn("explained", ("其中另有原因（行）", "With another cause"), "count", 14),
    ReportColumn("undetermined", ("无法判断（行）", "Undetermined"), "count", 12),
    ReportColumn("persons", ("人数", "Persons"), "count", 8),
    ReportColumn("stake", ("待核实涉及金额（元）", "At stake, left (yuan)"), "yuan", 16),
    ReportColumn("rate", ("每万行待核实疑点", "Per 10,000 lines"), "rate", 14),
    ReportColumn("before_left", ("上月待核实（行）", "The month before"), "count", 14),
    ReportColumn("change", ("环比", "Change"), "share", 10),
    ReportColumn("kind", ("很可能的原因", "Probable cause"), width=26),
    ReportColumn("day", ("日期", "Day"), "day", 12),
    ReportColumn("lines", ("行数", "Lines"), "count", 8),
    ReportColumn("of_lines", ("检查的行数", "Of lines"), "count", 12),
    ReportColumn("breaking", ("超出限制（行）", "Breaking"), "count", 12),
    ReportColumn("share", ("占比", "Share"), "share", 8),
    ReportColumn("share_low", ("占比下限", "Low"), "share", 8),
    ReportColumn("share_high", ("占比上限", "High"), "share", 8),
    ReportColumn("elsewhere_share", ("其他机构占比", "Share elsewhere"), "share", 12),
    ReportColumn("first_day", ("最早", "First"), "day", 12),
    ReportColumn("last_day", ("最晚", "Last"), "day", 12),
    ReportColumn("likely", ("可能应对应的项目", "Item probably meant"), width=60),
    ReportColumn("issue", ("数据问题", "Issue"), width=36),
    ReportColumn("example", ("例如", "Example"), width=30),
    ReportColumn("refund", ("拟退回金额（元）", "To be refunded (yuan)"), "yuan", 16),
    ReportColumn("appeal", ("申诉意见", "Appeal"), width=50),
    ReportColumn("decision", ("核查结论（属实/不属实/已退回）", "Decision (confirmed/refuted/refunded)"), width=20),
    ReportColumn("reason_of_decision", ("理由", "Reason"), width=40),
    ReportColumn("deadline", ("申诉截止日", "Appeal until"), "day", 12),
    ReportColumn("what", ("项目", "What"), width=44),
)  # fmt: skip
"""All columns of reports, by name. What names the doctor, the visit, the settlement and the line is shown: without them nobody finds the case."""
