"""The tables of a report, each one query over a run's files: what the workbook and the page show, computed once and the same in both."""

from __future__ import annotations

from dataclasses import dataclass

from checker.audit.columns import ReportColumn
from checker.audit.groups import LEFT, VIOLATION
from checker.audit.table_sql import COUNTED, Words, sample_query
from checker.model.words import Said

_CASE = (
    "level", "class", "cluster_id", "institution_id", "institution_name", "department", "prescriber", "service_time", "item_code", "item_name",
    "local_item_code", "local_item_name", "spec", "unit_price", "quantity", "amount", "amount_in_scope", "amount_at_stake", "fund_paid",
    "settlement_fund_paid", "care_type", "insurance_type", "diagnoses", "diagnosis_names", "patient_id", "person_hash", "person_sex",
    "person_age", "visit_id", "settlement_id", "line_id", "rule_name", "point_id", "expected", "actual", "message", "evidence", "remarks", "finding_id",
)  # fmt: skip
_REFUND_COLUMNS = (
    "level", "institution_id", "institution_name", "department", "prescriber", "service_time", "item_code", "item_name", "quantity", "amount",
    "amount_at_stake", "refund", "patient_id", "person_hash", "person_sex", "person_age", "visit_id", "settlement_id", "line_id", "rule_name", "finding_id",
)  # fmt: skip
_ANSWER_COLUMNS = (
    "level", "class", "appeal", "deadline", "department", "prescriber", "service_time", "local_item_code", "local_item_name", "item_code", "item_name", "spec",
    "unit_price", "quantity", "amount", "amount_at_stake", "refund", "patient_id", "person_hash", "person_sex", "person_age", "diagnoses", "diagnosis_names",
    "visit_id", "settlement_id", "line_id", "rule_name", "rule_code", "expected", "actual", "message", "advice", "evidence", "cluster_id", "finding_id",
)  # fmt: skip
_GROUPED: dict[str, tuple[Said, tuple[str, ...], tuple[str, ...], bool]] = {
    "by_rule": (("按规则", "By rule"), ("rule_name",), (), False),
    "by_institution": (("按机构", "By institution"), ("institution_id",), ("institution_name",), True),
    "by_department": (("按科室", "By department"), ("institution_id", "department"), ("institution_name",), True),
    "by_prescriber": (("按医生", "By doctor"), ("institution_id", "department", "prescriber"), ("institution_name",), True),
    "by_item": (("按项目", "By item"), ("item_code",), ("item_name",), True),
}  # fmt: skip
"""Groups of findings: what they are called, by what they are grouped, what names them besides, and whether what was looked at is known."""


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table: the name of its sheet, what it says, its columns, and the query that gives their values in this order."""

    id: str
    said: Said
    note: Said
    columns: tuple[ReportColumn, ...]
    query: str


def report_tables(
    *, language: str, identities: bool = False, least_cell: int = 0, where: str = "TRUE"
) -> dict[str, ReportTable]:
    """The tables by id, in the order of their sheets.

    `identities`: with the columns that say who somebody is. With `least_cell` the counts of groups of fewer persons are NULL. `where` is SQL of which findings
    count, over the columns `institution_id` and the like, of our own making.
    """
    words = Words(language, identities=identities, least_cell=least_cell, where=where)
    tables = [
        ReportTable(
            id_, said, _RANKED, words.columns((*keys, *named, *COUNTED), without=() if by else ("covered_lines", "rate")),
            words.ranked(keys, named, with_lines=by),
        )
        for id_, (said, keys, named, by) in _GROUPED.items()
    ]  # fmt: skip
    tables.append(
        ReportTable(
            "by_month",
            ("按月", "By month"),
            _MONTHS,
            words.columns(("month", *COUNTED, "before_left", "change"), without=("explained",)),
            words.months(),
        )
    )
    tables.append(ReportTable("clusters", ("聚集", "Clusters"), _CLUSTERS, words.columns(_CLUSTER), words.clusters()))
    tables.append(
        ReportTable("quality", ("数据质量", "Data quality"), _QUALITY, words.columns(_AMISS), words.quality())
    )
    details = (
        ("findings", ("疑点明细", "Findings"), _FINDINGS, VIOLATION, _CASE),
        ("refunds", ("主动退回清单", "Refund list"), _REFUNDS, LEFT, (*_REFUND_COLUMNS,)),
        ("answer", ("疑点与申诉", "Findings and appeal"), _ANSWER, VIOLATION, _ANSWER_COLUMNS),
        (
            "undetermined",
            ("无法判断", "Undetermined"),
            _UNDETERMINED,
            "verdict = 'undetermined'",
            ("reason", *_CASE[3:]),
        ),
        ("exempt", ("豁免", "Exempt"), _EXEMPT, "verdict = 'exempt'", ("exemption_id", *_CASE[3:])),
    )
    for id_, said, note, condition, names in details:
        tables.append(ReportTable(id_, said, note, words.columns(names), words.cases(names, condition)))
    return {table.id: table for table in tables}


_RANKED: Said = (
    "每万行待核实疑点从高到低；另有原因的（聚集、家长的卡、新生儿、人员信息不一致）不计入待核实",
    "By violations left per 10,000 lines of restricted items; those with another cause (clusters, parents' cards, newborns, records that differ) do not count",
)
_MONTHS: Said = (
    "每月与上月相比；头尾两月的数据可能不完整",
    "Each month against the one before; the first and last may be incomplete",
)
_CLUSTERS: Said = (
    "一行一个原因：先核对码、医生和上传，再看明细",
    "One row is one cause: look at the mapping, the doctor, the upload before the lines",
)
_QUALITY: Said = (
    "与违规分开：数据补全后才能判断，或说明疑点的另一种原因",
    "Apart from violations: what data must be mended before anything can be judged",
)
_FINDINGS: Said = (
    "每行一个疑点；“归类”有字的先看数据",
    "One finding a row; where a class stands, look at the data first",
)
_REFUNDS: Said = (
    "待核实的疑点；明确违规的写拟退回金额（同一行命中几条规则的只写一次），其余核实后再定",
    "What is left to be looked at; of what is against payment rules the refund (once for a line hit by several rules), of the rest when it was heard",
)
_ANSWER: Said = (
    "黄色一列填写申诉意见；“归类”有字的先核对码、登记和上传；拟退回金额的合计为公式",
    "Answer in the yellow column; where a class stands, look at mapping, record and upload first; the sums are formulas",
)
_UNDETERMINED: Said = ("缺少信息，没有判断，不是违规", "Not judged for lack of information; not violations")
_EXEMPT: Said = ("属于豁免情形，不是违规", "Cleared by an exemption; not violations")
_CLUSTER = (
    "kind", "institution_id", "institution_name", "local_item_code", "local_item_name", "item_code", "item_name", "likely", "prescriber", "day", "lines",
    "breaking", "share", "share_low", "share_high", "elsewhere_share", "persons", "amount", "first_day", "last_day", "cluster_id",
)  # fmt: skip
_AMISS = ("institution_id", "institution_name", "issue", "lines", "of_lines", "share", "persons", "amount", "example")


def sample_table(count: int, seed: int, by: str, *, language: str, identities: bool) -> ReportTable:
    """Some findings that are left, drawn by chance, as many of each stratum (`by`: rule or institution) as it has of all; the same for one seed."""
    words = Words(language, identities=identities)
    names = (*_CASE, "decision", "reason_of_decision")
    query = sample_query(names, count, seed, {"rule": "rule_id", "institution": "institution_id"}[by], words)
    note = (
        f"从待核实疑点中随机抽取，按{('规则' if by == 'rule' else '机构')}分层，随机种子 {seed}",
        f"Drawn at random from what is left to be looked at, by {by}; seed {seed}",
    )
    return ReportTable("sample", ("抽样核查", "Sample"), note, words.columns(names), query)
